"""Stop a search early: after a number of seconds or at the first Ctrl-C; a second Ctrl-C interrupts as usual."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from capacity.cli.output import note
from capacity.cli.progress import clock


@contextmanager
def stop_when(seconds: float | None, *, quiet: bool = False) -> Iterator[Callable[[], bool]]:
    """Yields a function that tells whether to stop; while it is asked, a terminal shows the seconds so far."""
    with clock("sizing node groups", quiet=quiet) as tell, _stopping(seconds, tell) as stopped:
        yield stopped


@contextmanager
def _stopping(seconds: float | None, tell: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    end = None if seconds is None else time.monotonic() + seconds
    asked = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        note("stopping with the best result so far (press Ctrl-C again to stop immediately)")

    def stopped() -> bool:
        tell()
        return asked.is_set() or (end is not None and time.monotonic() >= end)

    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    before = signal.signal(signal.SIGINT, ask)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)
