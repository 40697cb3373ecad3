"""The `capacity` command through its own entry point, in this process: what `capacity …` does, without the start-up."""

from __future__ import annotations

import io
import signal
import sys
from dataclasses import dataclass
from unittest import mock

from capacity.cli.main import run


@dataclass(frozen=True)
class Done:
    """Exit code and what was printed."""

    code: int
    stdout: str
    stderr: str


def capacity(*arguments: str, stdin: bytes = b"") -> Done:
    """Run `capacity ARGUMENTS` with these bytes on stdin."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    code = 0
    with (
        mock.patch.object(sys, "argv", ["capacity", *arguments]),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
        mock.patch.object(sys, "stdout", out),
        mock.patch.object(sys, "stderr", err),
    ):
        try:
            run()
        except SystemExit as stop:
            code = int(stop.code or 0)
    return Done(code, *(_printed(stream) for stream in (out, err)))


def _printed(stream: io.TextIOWrapper) -> str:
    stream.flush()
    raw = stream.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode("utf-8")


def hear_interrupts() -> None:
    """For a child that is to be interrupted: what runs in the background of a shell inherits that SIGINT is ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
