"""The mappings and lists of a document that is read, with the lines of their entries."""

from __future__ import annotations

from typing import Any


class PlanSection(dict[str, Any]):
    """A mapping; ``lines`` has the line of each key (None if the source has no lines)."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int | None = None) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class EntryList(list[Any]):
    """A list; ``lines`` has the line of each item."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int | None = None) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


def kind_of(value: object) -> str:
    """The kind of a value, in words for messages."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f"{str(value)[:60]!r}"
