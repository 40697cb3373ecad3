"""What commands print, as tables of cells: on a wide terminal, in Markdown and in HTML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

from tests.cli.command import run

EXAMPLES = Path(__file__).parents[2] / "examples"
Row = dict[str, str]


class Printed(NamedTuple):
    """A table as it is printed: its headings in order, and its rows by heading."""

    headings: list[str]
    rows: list[Row]


@cache
def printed(command: str, output: str) -> str:
    """What a command prints."""
    done = run(*command.format(examples=EXAMPLES).split(), "-o", output, "-q", "--color", "never")
    assert done.code in (0, 1), done.stderr
    return done.stdout


@cache
def results(command: str) -> Any:
    """``results`` of a command's JSON answer."""
    return json.loads(printed(command, "json"))["results"]


def tables_of(command: str, output: str) -> list[Printed]:
    """Every table of an answer, in order."""
    text = printed(command, output)
    return list(markdown_tables(text) if output == "md" else terminal_tables(text))


def markdown_tables(text: str) -> Iterator[Printed]:
    """The tables of a Markdown page."""
    for block in re.split(r"\n\n+", text):
        lines = block.strip().split("\n")
        if lines[0].startswith("| "):
            split = [[_plain(c) for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
            yield Printed(split[0], [dict(zip(split[0], cells, strict=True)) for cells in split[2:]])


def _plain(cell: str) -> str:
    """A cell of Markdown without its escapes."""
    text = re.sub(r"\\([^\w\s])", r"\1", cell.strip()).replace("&#8203;", "")
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def terminal_tables(text: str) -> Iterator[Printed]:
    """The tables of a page as a wide terminal shows it: the rule shows where the columns are."""
    lines = text.split("\n")
    for i, line in enumerate(lines):
        if line.startswith("─"):
            spans = [m.span() for m in re.finditer("─+", line)]
            heads = [lines[i - 1][a:b].strip() for a, b in spans]
            rows = []
            for row in lines[i + 1 :]:
                if not row or any(row[b : b + 2].strip() for _, b in spans[:-1]):
                    break
                rows.append({h: row[a:b].strip() for h, (a, b) in zip(heads, spans, strict=True)})
            yield Printed(heads, rows)


class Cells(HTMLParser):
    """The cells of every table, by caption: a number as its ``data-v`` has it and as it is shown."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[tuple[str | None, str]]]] = {}
        self.caption, self.within, self.value = "", "", ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.within = tag if tag in ("caption", "td") else self.within
        if tag == "caption":
            self.caption = ""
        elif tag == "tr" and self.caption:
            self.tables.setdefault(self.caption, []).append([])
        elif tag == "td" and self.caption:
            self.tables[self.caption][-1].append((dict(attrs).get("data-v"), ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("caption", "td"):
            self.within = ""

    def handle_data(self, data: str) -> None:
        if self.within == "caption":
            self.caption += data
        elif self.within == "td" and self.caption:
            value, text = self.tables[self.caption][-1].pop()
            self.tables[self.caption][-1].append((value, text + data))
