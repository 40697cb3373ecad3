"""Print answers to stdout or a file and notes to stderr, with the width and colors that fit.

A verb builds an :class:`~capacity.pages.answer.Answer` and calls :func:`emit`.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capacity.errors import CapacityError
from capacity.files import write_file
from capacity.inert import log_line

if TYPE_CHECKING:
    from capacity.pages.answer import Answer
    from capacity.pages.terminal import Screen

FORMATS = ("table", "json", "yaml", "csv", "md", "slack")


@dataclass(frozen=True, eq=False, repr=False)
class Sink:
    """Where and how to print: the common output options of every verb."""

    output: str = "table"
    out_file: Path | None = None
    color: str = "auto"
    quiet: bool = False
    wide: bool = False


def emit(answer: Answer, sink: Sink) -> None:
    """Print ``answer`` to stdout or the file, and its warnings to stderr."""
    from capacity.pages.written import rendered

    text = rendered(answer, sink.output, screen_of(sink))
    if not sink.quiet and sink.output not in ("json", "yaml"):
        shown = sink.output in ("table", "md", "slack") and sink.output not in answer.texts
        beside = [] if shown else [*answer.said, *answer.data_notes]
        notes(f"warning: {line}" for line in [*answer.warnings, *beside])
    put(text, sink.out_file)


def screen_of(sink: Sink) -> Screen:
    """The width and colors of the output."""
    from capacity.pages.terminal import Screen

    return Screen(None if sink.wide else screen_width(sink), use_color(sink), sink.wide)


NARROWEST = 40  # columns: less than that is no terminal


def screen_width(sink: Sink) -> int | None:
    """COLUMNS if it is set, otherwise the terminal's width; None if the page goes to a pipe or a file.

    A program or a log that reads the page has no width: nothing is wrapped or left out for it.
    """
    given = os.environ.get("COLUMNS", "")
    if given.isascii() and given.isdigit() and int(given):
        return max(int(given), NARROWEST)
    if sink.out_file is not None or not sys.stdout.isatty():
        return None
    return max(shutil.get_terminal_size((80, 24)).columns, NARROWEST)


def put(content: str | bytes, out_file: Path | None) -> None:
    """Write an answer to the file, or to stdout if there is none or it is ``-``."""
    if out_file is not None and str(out_file) != "-":
        write_file(out_file, content, f"--out-file {str(out_file)!r}")
    elif isinstance(content, str):
        write_stdout(content)
    else:
        write_stdout_bytes(content)


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
    """Print one line to stderr, with special characters escaped. An error is ignored if stderr cannot be written."""
    try:
        _write(sys.stderr, _fitted(log_line(text)) + "\n")
    except OSError:
        to_nowhere(sys.stderr)


def _fitted(line: str) -> str:
    """A line wrapped at the width of the terminal that shows stderr; not wrapped for a log or a pipe."""
    if not sys.stderr.isatty():
        return line
    from capacity.pages.terminal import wrapped

    width = os.get_terminal_size(sys.stderr.fileno()).columns
    return "\n".join(wrapped(line, max(width, NARROWEST), "  ")) if width else line


def notes(lines: Iterable[str]) -> None:
    for line in lines:
        note(line)


def write_stdout(text: str) -> None:
    """Write the answer to stdout; a full disk is an error."""
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
    """The error for a stdout that cannot be written; buffered output is discarded."""
    to_nowhere(sys.stdout)
    return CapacityError(f"cannot write the output: {error.strerror or error}")


def to_nowhere(stream: Any) -> None:
    """Redirect a stream that cannot be written to the null device, so that later writes do not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


_STAND_INS = str.maketrans(
    {"─": "-", "–": "-", "−": "-", "×": "x", "÷": "/", "…": "...", "→": "->", "±": "+/-", "≤": "<=", "≥": ">="}
)


def _write(stream: Any, text: str) -> None:
    """Write the text; characters that the stream's encoding lacks are replaced with ASCII.

    A closed pipe is not an error and does not change the exit code: the rest is discarded.
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
