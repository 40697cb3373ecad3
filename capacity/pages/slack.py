"""A page as a Slack message: a bold verdict, tables in code blocks of at most 60 columns, names that mention nobody.

The message is mrkdwn, Slack's own markup. A blank line separates its parts; each fits in one section block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from capacity.inert import slack_text
from capacity.pages.cells import cells_of
from capacity.pages.page import Chart, CodeBlock, FigureList, Items, Page, Section, Table, Text, Verdict
from capacity.pages.report_blocks import Block, Card
from capacity.pages.terminal import SENTENCE, Screen, table_lines, width, wrapped
from capacity.units import counted

WIDTH = 60  # columns: a code block of Slack wraps wider lines on most screens
MOST_ROWS = 40  # of one table
# Source: docs.slack.dev, "Text object" (3,000 characters in a section) and api.slack.com/changelog
# "Truncating really long messages" (40,000 characters in a message).
SECTION = 3_000
MESSAGE = 40_000
_CUT = "The message is too long for Slack and is cut here (-o md has everything)."
_FENCE = "```"


def render_slack(page: Page) -> str:
    """The whole page, cut to what one Slack message holds, with a final line end."""
    parts = [bold(page.title)] if page.title else []
    for block in page.blocks:
        parts += _block(block)
    kept: list[str] = []
    left = MESSAGE - len(_CUT) - 3
    for part in parts:
        if len(part) + 2 > left:
            kept.append(_CUT)
            break
        kept.append(part)
        left -= len(part) + 2
    return "\n\n".join(kept) + "\n"


def bold(text: str) -> str:
    """Bold text; plain if it contains a star, which would end the bold text too early.

    >>> bold("EXHAUSTED: a < b"), bold("m6i.*")
    ('*EXHAUSTED: a &lt; b*', 'm6i.*')
    """
    safe = slack_text(text).strip()
    return f"*{safe}*" if safe and "*" not in safe else safe


def _block(block: Block | Section) -> Iterator[str]:
    """The block as parts of the message."""
    if isinstance(block, Verdict):
        yield from _sections([_verdict(block)])
    elif isinstance(block, Text):
        yield from _sections([slack_text(line) for line in block.text.split("\n") if line.strip()])
    elif isinstance(block, Items):
        yield from _sections([*([slack_text(block.title)] if block.title else []), *map(_bullet, block.items)])
    elif isinstance(block, FigureList):
        yield from _sections([_bullet(f"{n}: {v}" + (f" – {note}" if note else "")) for n, v, note in block.facts])
    elif isinstance(block, Table):
        yield from _table(block)
    elif isinstance(block, CodeBlock):
        lines = [piece for line in block.text.rstrip("\n").split("\n") for piece in _code_line(line, block)]
        yield from _code(lines, [slack_text(f"{block.title}:")] if block.title else [])
    elif isinstance(block, Chart):
        yield from _sections([f"_{slack_text(block.title)}_: {slack_text(block.words)}"])
    elif isinstance(block, (Section, Card)):
        yield bold(block.title)
        for inner in block.blocks:
            yield from _block(inner)


def _verdict(verdict: Verdict) -> str:
    """The level in bold, then the sentence."""
    if not verdict.named:
        return bold(verdict.sentence)
    return f"{bold(verdict.level.upper())}: {slack_text(verdict.sentence)}"


def _bullet(text: str) -> str:
    return f"• {slack_text(text)}"


def _code_line(line: str, block: CodeBlock) -> list[str]:
    """A line of code: a command stays whole, because it is copied."""
    return [line] if not block.wrap else wrapped(line, WIDTH, f"{line[: len(line) - len(line.lstrip())]}    ")


def _table(table: Table) -> Iterator[str]:
    """A table in a code block, or as a list if its cells are sentences."""
    rows = table.rows[:MOST_ROWS]
    shown = replace(table, rows=rows)
    gone = len(table.rows) - len(rows)
    head = [bold(table.title)] if table.title else []
    cells = [cells_of(shown, column) for column in table.columns]
    if any(width(cell) > SENTENCE for column in cells for cell in column):
        yield from _sections([*head, *(_listed(table, row) for row in zip(*cells, strict=True))])
        lost: list[str] = []
    else:
        lines, lost = table_lines(shown, Screen(WIDTH))
        yield from _code(lines, head)
    notes = [f"Not shown: {', '.join(lost)} (-o md has every column)."] if lost else []
    notes += [f"{counted(gone, 'more row')} (-o csv has every row)."] if gone else []
    notes += [table.note] if table.note else []
    yield from _sections(list(map(slack_text, notes)))


def _listed(table: Table, row: Sequence[str]) -> str:
    """A row as a bullet: its first cell, the other cells with their headings, a sentence without one."""
    first, *others = zip(table.columns, row, strict=True)
    told = [cell if width(cell) > SENTENCE else f"{c.heading}: {cell}" for c, cell in others if cell not in ("", "–")]
    return f"• {bold(first[1])} {slack_text(' · '.join(told))}".rstrip()


def _code(lines: Sequence[str], head: list[str]) -> Iterator[str]:
    """Lines in one code block, which no line can close; what a section does not hold is counted."""
    safe = [slack_text(line) for line in lines]
    room = SECTION - sum(len(line) + 1 for line in head) - 2 * len(_FENCE) - 40
    kept: list[str] = []
    for number, line in enumerate(safe):
        room -= len(line) + 1
        if room < 0:
            kept.append(f"… {counted(len(safe) - number, 'more line')}")
            break
        kept.append(line)
    yield "\n".join([*head, _FENCE, *kept, _FENCE])


def _sections(lines: Sequence[str]) -> Iterator[str]:
    """Lines in parts of at most one section each."""
    part = ""
    for line in (piece for text in lines for piece in _pieces(text)):
        if part and len(part) + 1 + len(line) > SECTION:
            yield part
            part = ""
        part = f"{part}\n{line}" if part else line
    if part:
        yield part


def _pieces(text: str) -> list[str]:
    """A line that is longer than a section, cut between words or, if it has none, anywhere but inside an escape."""
    pieces = []
    while len(text) > SECTION:
        at = text.rfind(" ", 1, SECTION)
        at = at if at > 0 else max(text.rfind("&", SECTION - 6, SECTION), 0) or SECTION
        pieces.append(text[:at])
        text = text[at:].lstrip()
    return [*pieces, text]
