"""Entry point that handles interrupts before slow imports start."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable
from types import FrameType

from capacity.cli.exit_codes import INTERRUPTED

# A short answer makes tens of thousands of objects that all stay: walking them finds nothing to free.
COLLECT_AFTER = 50_000  # new objects before the garbage collector looks for cycles; Python's own number is 700

_running = False  # whether a KeyboardInterrupt would be caught


def run() -> None:
    """Entry point of the installed command and of ``python -m capacity``."""
    _guarded(_capacity)


def podips() -> None:
    """Entry point of ``kubectl-podips``, which kubectl runs as ``kubectl podips``."""
    _guarded(_podips)


def _capacity() -> None:
    from capacity.cli.main import run as command

    command()


def _podips() -> None:
    from capacity.cli.podips import run as command

    command()


def _guarded(command: Callable[[], None]) -> None:
    """Import and run a command."""
    global _running
    gc.set_threshold(COLLECT_AFTER)
    try:
        _running = True
        command()
    except KeyboardInterrupt:
        _end()
    finally:
        if _listens:  # the answer is out: too late to change its code
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        gc.freeze()  # the process ends and its memory with it: the interpreter need not walk through all of it again


def _interrupt(_number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt; exit immediately before the start and during an import, which could swallow it."""
    if not _running:
        _end()
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            _end()
        frame = frame.f_back
    raise KeyboardInterrupt


def _end() -> None:
    try:
        os.write(2, b"interrupted\n")
    finally:
        os._exit(INTERRUPTED)


_listens = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # a shell may have it ignored
if _listens:
    signal.signal(signal.SIGINT, _interrupt)
