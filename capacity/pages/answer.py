"""What a verb answers: the JSON contract, the page a person reads, the rows of CSV, and the formats of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from capacity.inert import log_text, xml_log
from capacity.pages.page import Page, Text
from capacity.pages.terminal import Screen, render_terminal

SCHEMA = "capacity/1"


@dataclass(frozen=True)
class Answer:
    """Everything that a verb has to say.

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
        """What is missing from the data behind the answer, or old."""
        from capacity.catalog.age import limit_notes

        return [*self.on_data, *(limit_notes() if self.dated else [])]


def rendered(answer: Answer, output: str, screen: Screen | None = None) -> str:
    """The answer as text in a format, newline at the end; in a CI log no line of it is a command but ours."""
    if output == "github":
        return answer.texts["github"]()
    if output == "junit":
        return xml_log(answer.texts["junit"]())
    if output == "yaml":
        return _yaml(envelope(answer))
    return log_text(_written(answer, output, screen or Screen()))  # what it changes in JSON is an escape of JSON


def _written(answer: Answer, output: str, screen: Screen) -> str:
    if output in answer.texts:
        return answer.texts[output]()
    if output == "json":
        import json

        return json.dumps(envelope(answer), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if output == "csv":
        from capacity.pages.csv_rows import render_csv

        return render_csv(answer.rows)
    page = Page([*answer.page.blocks, *(Text(f"Data: {note}.") for note in answer.data_notes)], answer.page.title)
    if output == "md":
        from capacity.pages.markdown import render_markdown

        return render_markdown(page, answer.charts)
    return render_terminal(page, screen)


def with_charts(answer: Answer, folder: str) -> Answer:
    """The answer whose Markdown shows the pictures in a folder."""
    return replace(answer, charts=folder)


def _yaml(value: Any) -> str:
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
    if log_text(text) == text:
        return text
    # In double quotes, unfolded, what the log would obey can be spelled as an escape of YAML.
    quoted: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=sys.maxsize, default_style='"')
    return log_text(quoted)


def envelope(answer: Answer) -> dict[str, Any]:
    """The one JSON object every command answers with."""
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
