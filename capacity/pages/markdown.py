"""A page as Markdown for GitHub: a blank line around every block, names escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from capacity.inert import markdown_text, printable
from capacity.pages.cells import cell, cells_of, is_numeric, minus
from capacity.pages.page import Chart, CodeBlock, FigureList, Items, Page, Section, Table, TableColumn, Text, Verdict
from capacity.pages.report_blocks import Block, Card, Explorer

if TYPE_CHECKING:
    from capacity.advice.whatif import Outcome, WhatIf


def render_markdown(page: Page, charts: str = "") -> str:
    """The whole page; ``charts`` is the folder with the charts' files, relative to the page."""
    heading = [f"# {safe(page.title)}"] if page.title else []
    return "\n\n".join([*heading, *(text for b in page.blocks for text in _block(b, charts))]) + "\n"


def safe(value: Any) -> str:
    """A value escaped so that Markdown shows it literally.

    >>> safe("<b>a|b</b> [x](y)")
    '&lt;b&gt;a\\\\|b&lt;/b&gt; \\\\[x\\\\](y)'
    """
    return markdown_text(cell(value))


_BLOCK = re.compile(r"[-+](?=\s|$)|[-=](?=[-=\s]*$)|[0-9]{1,9}[.)](?=\s|$)")


def line(value: Any) -> str:
    """A value as a paragraph: characters that would start a list or a rule are escaped.

    >>> line("- a"), line("1. b"), line("-3 free")
    ('\\\\- a', '1\\\\. b', '-3 free')
    """
    text = safe(value).strip()
    start = _BLOCK.match(text)
    return text if start is None else f"{start[0][:-1]}\\{start[0][-1]}{text[start.end() :]}"


def markdown_table(table: Table) -> str:
    """A table, numbers to the right, its title above and its note below."""
    columns = [_cells(table, column) for column in table.columns]
    right = [is_numeric(cells) and bool(cells) for cells in columns]
    lines = [f"**{safe(table.title)}**", ""] if table.title else []
    lines.append("| " + " | ".join(safe(c.heading) for c in table.columns) + " |")
    lines.append("|" + "|".join("---:" if r else "---" for r in right) + "|")
    lines += ["| " + " | ".join(map(safe, row)) + " |" for row in zip(*columns, strict=True)]
    return "\n".join([*lines, *(["", line(table.note)] if table.note else [])])


def _cells(table: Table, column: TableColumn) -> list[str]:
    """The cells of a column; its numbers, also in pairs, have a true minus, its words stay as they are."""
    return [minus(text) for text in cells_of(table, column)]


def fence(text: str, language: str = "") -> str:
    """A code block whose fence is longer than any in the text."""
    ticks = "```"
    while ticks in text:
        ticks += "`"
    return "\n".join([ticks + language, *(printable(line) for line in text.rstrip("\n").split("\n")), ticks])


def bullets(items: Sequence[str]) -> str:
    """A list."""
    return "\n".join(f"- {line(item)}" for item in items)


def _facts(block: FigureList) -> str:
    """Large figures as a list with their notes; other facts as one line."""
    if not block.large:
        return line(" · ".join(f"{fact.name}: {fact.value}" for fact in block.facts))
    told = ((f"{safe(f.name)}: **{safe(f.value)}**", f" – {safe(f.note)}" if f.note else "") for f in block.facts)
    return "\n".join(f"- {figure}{note}" for figure, note in told)


def _block(block: Block | Section, charts: str) -> Iterator[str]:
    """The block as pieces of Markdown, which blank lines separate."""
    if isinstance(block, Verdict):
        yield f"**{safe(block.line)}**"
    elif isinstance(block, Text):
        yield from (line(text) for text in block.text.split("\n") if text.strip())
    elif isinstance(block, Table):
        yield markdown_table(block)
    elif isinstance(block, Items):
        yield from [line(block.title)] if block.title else []
        yield bullets(block.items)
    elif isinstance(block, CodeBlock):
        yield from [f"{line(block.title)}:"] if block.title else []
        yield fence(block.text, block.language)
    elif isinstance(block, FigureList):
        yield _facts(block)
    elif isinstance(block, Section):
        yield f"## {safe(block.title)}"
        yield from (text for b in block.blocks for text in _block(b, charts))
    elif isinstance(block, Chart):
        yield from [f"![{safe(block.title)}]({charts}/{block.name}.svg)"] if charts else []
        yield f"*{safe(block.title)}.* {safe(block.words)}"
    elif isinstance(block, Card):
        yield f"### {safe(block.title)}" + (f" ({block.level})" if block.level else "")
        yield from (text for b in block.blocks for text in _block(b, charts))
    else:
        yield from _explorer(block)


def _explorer(block: Explorer) -> Iterator[str]:
    what = block.data
    yield "**Free share of the tightest subnet, by nodes and CNI settings**"
    lines = ["| nodes | " + " | ".join(safe(m.name) for m in what.modes) + " |", "|---:|" + "---|" * len(what.modes)]
    for place in range(len(what.percents)):
        cells = [_outcome(what, row[place]) for row in what.outcomes]
        note = what.note(place)
        lines.append(f"| {what.outcomes[0][place].nodes:,}{note and f' ({note})'} | " + " | ".join(cells) + " |")
    yield "\n".join(lines)


def _outcome(what: WhatIf, outcome: Outcome) -> str:
    least = what.tightest(outcome)
    return "–" if least is None else f"{minus(f'{least.share:.1f}')}% {safe(least.name)} {outcome.verdict}"
