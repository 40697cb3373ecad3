"""An answer as text: JSON, YAML, CSV, Markdown, a table, or a format that only some verbs have."""

from __future__ import annotations

import sys
from typing import Any

from capacity.inert import log_text, xml_log
from capacity.pages.answer import Answer, envelope
from capacity.pages.page import Page, Text
from capacity.pages.terminal import Screen, render_terminal


def rendered(answer: Answer, output: str, screen: Screen | None = None) -> str:
    """The answer as text in a format, with a final newline; in a CI log, only our own annotations are commands."""
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
    if output == "slack":
        from capacity.pages.slack import render_slack

        return render_slack(page)
    return render_terminal(page, screen)


def _yaml(value: Any) -> str:
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
    if log_text(text) == text:
        return text
    # In double quotes, unfolded, what the log would obey can be spelled as an escape of YAML.
    quoted: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=sys.maxsize, default_style='"')
    return log_text(quoted)
