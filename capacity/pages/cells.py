"""One value as a reader sees it, the same on every page: unknown is a dash, never 0."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from capacity.pages.page import Table, TableColumn

NUMBER = re.compile(r"[<>≤≥~]?[-+−±$]{0,2}\d[\d,]*(\.\d+)?%?")
_STANDS_FOR_A_NUMBER = ("", "–", "lost", "new", "removed")
MARKS = {"tight": " ▲", "exhausted": " ✖"}
_JOINERS = "\u200c\u200d"  # inside words of some scripts and inside emoji: harmless, and torn apart without
_STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp")


def cell(value: Any, decimals: int | None = None) -> str:
    """A value as text on one line, not yet escaped.

    >>> cell(None), cell(12345), cell(True), cell(0.0961), cell(12.345), cell(66.5, 1)
    ('–', '12,345', 'yes', '0.0961', '12.35', '66.5')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if decimals is not None:
            return f"{value:,.{decimals}f}"
        return f"{value:,.4f}".rstrip("0").rstrip(".") if abs(value) < 1 else f"{value:,.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, (list, tuple)):
        return ", ".join(cell(v, decimals) for v in value)
    return str(value).replace("\n", " ")


def cells_of(table: Table, column: TableColumn) -> list[str]:
    """A column's cells, with the marks of their verdicts."""
    marks = (mark_of(table, number, column) for number in range(len(table.rows)))
    return [cell(row.get(column.key), column.decimals) + m for row, m in zip(table.rows, marks, strict=True)]


def mark_of(table: Table, number: int, column: TableColumn) -> str:
    """The mark after a cell whose verdict is not ok, for readers who see no color."""
    return MARKS.get(table.levels.get((number, column.key), ""), "")


def minus(text: str) -> str:
    """A number with a true minus; other text as it is.

    >>> minus("-64.9"), minus("a-b"), minus("5 → -3")
    ('−64.9', 'a-b', '5 → −3')
    """
    return text.replace("-", "−") if "-" in text and is_numeric([text]) else text


def is_numeric(cells: Sequence[str]) -> bool:
    """Whether a column contains numbers and is right-aligned; ``5 → 7`` and ``3–9`` are numbers, too.

    >>> is_numeric(["1,200", "-43", "lost"]), is_numeric(["10.0.0.0/22"]), is_numeric(["5 → 7"]), is_numeric([])
    (True, False, True, True)
    """
    bare = [c.rstrip("".join(MARKS.values())) for c in cells]
    known = [c for c in bare if c not in _STANDS_FOR_A_NUMBER]
    if not known:  # words alone, or nothing at all
        return all(c in ("", "–") for c in bare)
    return all(NUMBER.fullmatch(part) or part == "–" for c in known for part in re.split(r" → | / |–(?=[\d-])", c))


def plain(text: str) -> str:
    """Text with control and direction marks shown as escapes; line ends become spaces.

    >>> plain("a\\u202eb")
    'a\\\\u202eb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        " " if c in "\n\r\t" else c if c in _JOINERS or unicodedata.category(c) not in _STEERING else f"\\u{ord(c):04x}"
        for c in text
    )


def shown(value: Any, decimals: int | None = None) -> str:
    """A value for a page that a browser or a spreadsheet shows."""
    return plain(cell(value, decimals))


def brief(name: str, longest: int = 60) -> str:
    """A name, cut if it is very long."""
    return name if len(name) <= longest else name[: longest - 1] + "…"
