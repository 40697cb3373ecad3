"""The answer of a verb: the JSON contract, the page, the rows of CSV, and special formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from capacity.pages.page import Page

SCHEMA = "capacity/1"


@dataclass(frozen=True, eq=False, repr=False)
class Answer:
    """The complete answer of a verb.

    ``results`` is what JSON and YAML carry; ``page`` is what a person reads as table or Markdown; ``rows`` is the
    flat table of ``-o csv``. ``on_data`` is what the data behind the answer lack, ``said`` what the page says too:
    both are warnings where no page is written. ``dated`` is False where the answer does not rest on instance types,
    whose age is said with it. ``charts`` is the folder with the files of the page's charts, as Markdown refers to it.
    """

    command: str
    inputs: Mapping[str, Any]
    results: Any
    page: Page
    rows: Sequence[Mapping[str, Any]]
    warnings: Sequence[str] = field(default_factory=tuple)
    texts: Mapping[str, Callable[[], str]] = field(default_factory=dict)  # formats of a verb's own, written when asked
    on_data: Sequence[str] = field(default_factory=tuple)
    said: Sequence[str] = field(default_factory=tuple)
    dated: bool = True
    charts: str = ""

    @property
    def data_notes(self) -> list[str]:
        """Notes on missing or old data behind the answer."""
        from capacity.catalog.age import limit_notes

        return [*self.on_data, *(limit_notes() if self.dated else [])]


def with_charts(answer: Answer, folder: str) -> Answer:
    """The answer whose Markdown shows the pictures in a folder."""
    return replace(answer, charts=folder)


def envelope(answer: Answer) -> dict[str, Any]:
    """The JSON object that every command prints."""
    from capacity import __version__
    from capacity.catalog.table import data_summary

    return {
        "schema": SCHEMA,
        "command": answer.command,
        "version": __version__,
        "data": data_summary(),
        "inputs": dict(answer.inputs),
        "results": answer.results,
        "warnings": [*answer.said, *answer.warnings, *answer.data_notes],
    }
