"""A document as Markdown: the same content, charts as links where they were written to files."""

from __future__ import annotations

from typing import Any

from capacity.inert import markdown_text
from capacity.report.document import Advice, Block, Chart, Document, Explorer, Grid, Snippet, Text, plain, shown


def render_markdown(document: Document, charts: str = "") -> str:
    """The whole document; ``charts`` is the folder with the charts' files, relative to the document."""
    lines = [f"# {safe(document.title)}", "", f"**{document.verdict.upper()}** – {safe(document.answer)}", ""]
    lines += [f"- {safe(name)}: {safe(value)}" for name, value in document.facts]
    for section in document.sections:
        lines += ["", f"## {safe(section.title)}"]
        for block in section.blocks:
            lines += ["", *_block(block, charts)]
    return "\n".join(lines) + "\n"


def safe(value: Any) -> str:
    """A value as Markdown shows it literally.

    >>> safe("<b>a|b</b> [x](y)")
    '&lt;b&gt;a\\\\|b&lt;/b&gt; \\\\[x\\\\](y)'
    """
    return markdown_text(shown(value))


def _block(block: Block, charts: str) -> list[str]:
    if isinstance(block, Text):
        return [safe(block.text)]
    if isinstance(block, Grid):
        return _grid(block)
    if isinstance(block, Chart):
        picture = [f"![{safe(block.title)}]({charts}/{block.name}.svg)", ""] if charts else []
        return [*picture, f"*{safe(block.title)}.* {safe(block.words)}"]
    if isinstance(block, Snippet):
        return [f"{safe(block.title)}:", "", *_fence(block.text)]
    if isinstance(block, Advice):
        return _advice(block)
    return _explorer(block)


def _grid(grid: Grid) -> list[str]:
    heads = [h for _, h in grid.columns]
    rows = [[row.get(k) for k, _ in grid.columns] for row in grid.rows]
    right = [all(isinstance(r[i], (int, float, type(None))) for r in rows) and bool(rows) for i in range(len(heads))]
    return [
        f"**{safe(grid.title)}**",
        "",
        "| " + " | ".join(map(safe, heads)) + " |",
        "|" + "|".join("---:" if r else "---" for r in right) + "|",
        *("| " + " | ".join(map(safe, row)) + " |" for row in rows),
    ]


def _fence(text: str) -> list[str]:
    """A code block whose fence is longer than any in the text."""
    ticks = "```"
    while ticks in text:
        ticks += "`"
    return [ticks, *(plain(line) for line in text.rstrip("\n").split("\n")), ticks]


def _advice(found: Advice) -> list[str]:
    lines = [f"### {found.code} {safe(found.title)} ({found.severity})", ""]
    for place in found.places:
        frees = f" The fix frees {safe(place.frees)} addresses." if place.frees else ""
        lines.append(f"- **{safe(place.message)}** – {safe(place.where)}, {safe(place.scenario)}.{frees}")
        for snippet in place.snippets:
            lines += ["", f"{safe(snippet.title)}:", "", *_fence(snippet.text), ""]
    return [*lines, "", f"Why: {safe(found.why)}", "", f"Fix: {safe(found.fix)}", "", f"Source: {safe(found.source)}"]


def _explorer(block: Explorer) -> list[str]:
    what = block.data
    lines = [
        "**Free addresses in the subnet with the fewest, by nodes and CNI settings**",
        "",
        "| nodes | " + " | ".join(safe(m.name) for m in what.modes) + " |",
        "|---:|" + "---|" * len(what.modes),
    ]
    for place in range(len(what.percents)):
        cells = [f"{min(row[place].free):,} {row[place].verdict}" if row[place].free else "–" for row in what.outcomes]
        now = " (now)" if place == what.now else ""
        lines.append(f"| {what.outcomes[0][place].nodes:,}{now} | " + " | ".join(cells) + " |")
    return lines
