"""How an answer leaves the program: to stdout or a file, what goes with it to stderr; how wide, in which colours.

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

FORMATS = ("table", "json", "yaml", "csv", "md")


@dataclass(frozen=True)
class Sink:
    """Where and how to print: the common output options of every verb."""

    output: str = "table"
    out_file: Path | None = None
    color: str = "auto"
    quiet: bool = False
    wide: bool = False


def emit(answer: Answer, sink: Sink) -> None:
    """Print ``answer``: itself to stdout or the file, its warnings to stderr."""
    from capacity.pages.written import rendered

    text = rendered(answer, sink.output, screen_of(sink))
    if not sink.quiet and sink.output not in ("json", "yaml"):
        shown = sink.output in ("table", "md") and sink.output not in answer.texts
        beside = [] if shown else [*answer.said, *answer.data_notes]
        notes(f"warning: {line}" for line in [*answer.warnings, *beside])
    put(text, sink.out_file)


def screen_of(sink: Sink) -> Screen:
    """What a page may take up."""
    from capacity.pages.terminal import Screen

    return Screen(None if sink.wide else screen_width(sink), use_color(sink), sink.wide)


NARROWEST = 40  # columns: less than that is no terminal


def screen_width(sink: Sink) -> int | None:
    """COLUMNS where it is set, else the terminal's own width; None where the page goes to a pipe or a file.

    A program or a log that reads the page has no width: nothing is wrapped or left out for it.
    """
    given = os.environ.get("COLUMNS", "")
    if given.isascii() and given.isdigit() and int(given):
        return max(int(given), NARROWEST)
    if sink.out_file is not None or not sys.stdout.isatty():
        return None
    return max(shutil.get_terminal_size((80, 24)).columns, NARROWEST)


def put(content: str | bytes, out_file: Path | None) -> None:
    """An answer to stdout (no file, or ``-``) or to the file."""
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
    """One line to stderr, whatever is in it. An error is ignored if stderr cannot be written."""
    try:
        _write(sys.stderr, _fitted(log_line(text)) + "\n")
    except OSError:
        to_nowhere(sys.stderr)


def _fitted(line: str) -> str:
    """A line as wide as the terminal that shows stderr; a log or a pipe gets it whole."""
    if not sys.stderr.isatty():
        return line
    from capacity.pages.terminal import wrapped

    width = os.get_terminal_size(sys.stderr.fileno()).columns
    return "\n".join(wrapped(line, max(width, NARROWEST), "  ")) if width else line


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
