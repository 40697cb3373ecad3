"""How an answer leaves the program: table, JSON, YAML, CSV or Markdown, to stdout or a file.

A verb builds an :class:`Answer` and calls :func:`emit`. Tables are laid out here in plain text
(importing a table library would double the start-up of every short answer).
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from capacity.errors import CapacityError
from capacity.files import write_file
from capacity.inert import log_line, log_text, markdown_text, printable, xml_log

FORMATS = ("table", "json", "yaml", "csv", "md")
SCHEMA = "capacity/1"


@dataclass(frozen=True)
class Table:
    """A titled table: ``columns`` are (key, heading) pairs, ``rows`` mappings by key."""

    columns: Sequence[tuple[str, str]]
    rows: Sequence[Mapping[str, Any]]
    title: str = ""


@dataclass(frozen=True)
class Answer:
    """What a verb has to say.

    ``results`` is what JSON and YAML carry; ``blocks`` (text paragraphs and tables) is what a person
    reads as table or Markdown; ``rows`` is the flat table of ``-o csv``. ``on_data`` is what the data behind
    the answer lack, ``said`` what the blocks say too: both are warnings where no page is written. ``dated`` is
    False where the answer does not rest on instance types, whose age is said with it.
    """

    command: str
    inputs: Mapping[str, Any]
    results: Any
    blocks: Sequence[str | Table]
    rows: Sequence[Mapping[str, Any]]
    warnings: Sequence[str] = field(default_factory=tuple)
    texts: Mapping[str, Callable[[], str]] = field(default_factory=dict)  # formats of a verb's own, written when asked
    on_data: Sequence[str] = field(default_factory=tuple)
    said: Sequence[str] = field(default_factory=tuple)
    dated: bool = True

    @property
    def data_notes(self) -> list[str]:
        """What is missing from the data behind the answer, or old."""
        from capacity.catalog.age import limit_notes

        return [*self.on_data, *(limit_notes() if self.dated else [])]


@dataclass(frozen=True)
class Sink:
    """Where and how to print: the common output options of every verb."""

    output: str = "table"
    out_file: Path | None = None
    color: str = "auto"
    quiet: bool = False


def emit(answer: Answer, sink: Sink) -> None:
    """Print ``answer``: itself to stdout or the file, its warnings to stderr."""
    text = render(answer, sink)
    if not sink.quiet and sink.output not in ("json", "yaml"):
        shown = sink.output in ("table", "md") and sink.output not in answer.texts
        beside = [] if shown else [*answer.said, *answer.data_notes]
        notes(f"warning: {line}" for line in [*answer.warnings, *beside])
    put(text, sink.out_file)


def put(content: str | bytes, out_file: Path | None) -> None:
    """An answer to stdout (no file, or ``-``) or to the file."""
    if out_file is not None and str(out_file) != "-":
        write_file(out_file, content, f"--out-file {str(out_file)!r}")
    elif isinstance(content, str):
        write_stdout(content)
    else:
        write_stdout_bytes(content)


def render(answer: Answer, sink: Sink) -> str:
    """The answer as text in the asked format, newline at the end; in a CI log no line of it is a command but ours."""
    if sink.output == "github":
        return answer.texts["github"]()
    if sink.output == "junit":
        return xml_log(answer.texts["junit"]())
    if sink.output == "yaml":
        return _yaml(envelope(answer))
    return log_text(_rendered(answer, sink))  # what it changes in JSON is an escape of JSON


def _rendered(answer: Answer, sink: Sink) -> str:
    if sink.output in answer.texts:
        return answer.texts[sink.output]()
    if sink.output == "json":
        import json

        return json.dumps(envelope(answer), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if sink.output == "csv":
        return render_csv(answer.rows)
    page = [*answer.blocks, *_data_lines(answer)]
    if sink.output == "md":
        return "\n".join(markdown_block(b) if isinstance(b, str) else markdown_table(b) for b in page) + "\n"
    paint = use_color(sink)
    return "\n".join(text_block(b) if isinstance(b, str) else text_table(b, paint) for b in page) + "\n"


def _data_lines(answer: Answer) -> list[str]:
    """What the page says of its data, a paragraph each."""
    return [line for note in answer.data_notes for line in ("", f"Data: {note}.")]


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


def flatten(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as dotted keys, lists joined by ``;``."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}."))
        elif isinstance(value, (list, tuple)):
            flat[prefix + key] = ";".join(str(v) for v in value)
        else:
            flat[prefix + key] = value
    return flat


def render_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV with one header; text a spreadsheet would run as a formula gets a leading quote."""
    import csv
    import io

    flat = [flatten(r) for r in rows]
    keys = list(dict.fromkeys(k for r in flat for k in r))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(keys)
    writer.writerows([[_csv_cell(r.get(k)) for k in keys] for r in flat])
    return out.getvalue()


def _csv_cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value


def width(text: str) -> int:
    """Columns a terminal gives to ``text``."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def cell(value: Any) -> str:
    """A value as a person reads it: unknown is a dash, never 0."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".") if abs(value) < 1 else f"{value:,.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, (list, tuple)):
        return ", ".join(cell(v) for v in value)
    return printable(str(value).replace("\n", " "))


_TONES = {"ok": "32", "tight": "33", "exhausted": "31", "error": "31", "warning": "33"}


def text_table(table: Table, paint: bool = False) -> str:
    """A table in aligned columns: numbers to the right, words to the left."""
    cells = [[cell(r.get(k)) for k, _ in table.columns] for r in table.rows]
    heads = [printable(h) for _, h in table.columns]
    numeric = [
        all(isinstance(r.get(k), (int, float, type(None))) and not isinstance(r.get(k), bool) for r in table.rows)
        for k, _ in table.columns
    ]
    widths = [max([width(h), *(width(row[i]) for row in cells)]) for i, h in enumerate(heads)]

    def line(parts: Sequence[str]) -> str:
        padded = []
        for i, part in enumerate(parts):
            gap = " " * (widths[i] - width(part))
            tone = _TONES.get(part) if paint else None
            shown = f"\033[{tone}m{part}\033[0m" if tone else part
            padded.append(gap + shown if numeric[i] else shown + gap)
        return "  ".join(padded).rstrip()

    rule = "  ".join("─" * w for w in widths)
    title = [printable(table.title)] if table.title else []
    return "\n".join([*title, line(heads), rule, *(line(row) for row in cells)])


def markdown_table(table: Table) -> str:
    """The same table in Markdown, pipes and HTML escaped."""
    lines = [f"**{markdown_text(table.title)}**", ""] if table.title else []
    lines.append("| " + " | ".join(markdown_text(h) for _, h in table.columns) + " |")
    lines.append("|" + "---|" * len(table.columns))
    lines += ["| " + " | ".join(markdown_text(cell(r.get(k))) for k, _ in table.columns) + " |" for r in table.rows]
    return "\n".join(lines)


def markdown_block(text: str) -> str:
    """A paragraph of ours, in which names may stand: nothing in it is markup but the code blocks that we fence."""
    lines, fenced = [], False
    for line in text.split("\n"):
        fence = line.startswith("```")
        lines.append(printable(line) if fence or fenced else markdown_text(line))
        fenced ^= fence
    return "\n".join(lines)


def text_block(text: str) -> str:
    """A paragraph of ours for a terminal."""
    return "\n".join(map(printable, text.split("\n")))


def use_color(sink: Sink) -> bool:
    """``--color`` first, then NO_COLOR, FORCE_COLOR, TERM=dumb and whether stdout is a terminal."""
    if sink.color != "auto":
        return sink.color == "always"
    if sink.out_file is not None or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def note(text: str) -> None:
    """One line to stderr, whatever is in it. Where stderr cannot be written nobody can be told."""
    try:
        _write(sys.stderr, log_line(text) + "\n")
    except OSError:
        to_nowhere(sys.stderr)


def notes(lines: Iterable[str]) -> None:
    for line in lines:
        note(line)


def write_stdout(text: str) -> None:
    """The answer; a full disk is an error to report."""
    try:
        _write(sys.stdout, text)
    except OSError as error:
        raise cannot_write(error) from error


def write_stdout_bytes(blob: bytes) -> None:
    """Bytes of a file format to stdout."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(blob)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        to_nowhere(sys.stdout)
    except OSError as error:
        raise cannot_write(error) from error


def cannot_write(error: OSError) -> CapacityError:
    """What to say where stdout takes no more; what is buffered for it goes nowhere."""
    to_nowhere(sys.stdout)
    return CapacityError(f"cannot write the answer: {error.strerror or error}")


def to_nowhere(stream: Any) -> None:
    """Give a stream that cannot be written an end that takes everything, so that the rest does not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


_STAND_INS = str.maketrans(
    {"─": "-", "–": "-", "−": "-", "×": "x", "÷": "/", "…": "...", "→": "->", "±": "+/-", "≤": "<=", "≥": ">="}
)


def _write(stream: Any, text: str) -> None:
    """Write what the stream's encoding can carry; what it cannot becomes an ASCII stand-in.

    A reader that has gone away is no error and changes no exit code: what is left to say goes nowhere.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    if encoding.lower().replace("-", "") != "utf8":
        text = text.translate(_STAND_INS)
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    try:
        stream.write(text.encode("utf-8", "backslashreplace").decode("utf-8"))
        stream.flush()
    except BrokenPipeError:
        to_nowhere(stream)
