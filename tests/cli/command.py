"""The command as installed: its own entry point in this process, with both streams and the exit code."""

from __future__ import annotations

import contextlib
import io
import sys
from dataclasses import dataclass

import pytest

from capacity.cli.main import run as entry_point


@dataclass(frozen=True)
class Done:
    """What a command printed and how it ended."""

    code: int
    stdout: str
    stderr: str


def run(*arguments: str) -> Done:
    """Run ``capacity`` with these arguments."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["capacity", *arguments])
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as stop:
            entry_point()
    code = stop.value.code
    assert isinstance(code, int)
    return Done(code, out.getvalue(), err.getvalue())
