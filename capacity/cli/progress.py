"""Progress of a long job: one line on stderr that is updated, only if stderr is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil

CLOCK_PATIENCE_S = 2.0  # of a job whose end is unknown
PATIENCE_S = 0.5  # nothing is shown of what takes less
EVERY_S = 0.1


@contextmanager
def progress(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Yields a function to call with the number done and the total; clears the line at the end."""
    if quiet or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    next_s, shown = time.monotonic() + PATIENCE_S, False

    def tell(done: int, total: int) -> None:
        nonlocal next_s, shown
        now = time.monotonic()
        if now >= next_s:
            next_s, shown = now + EVERY_S, True
            sys.stderr.write(f"\r{what}: {100 * done // max(total, 1)}% ")
            sys.stderr.flush()

    try:
        yield tell
    finally:
        if shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


@contextmanager
def clock(what: str, *, quiet: bool = False) -> Iterator[Callable[[], None]]:
    """Yields a function to call between steps of a job whose end is unknown; shows the seconds so far."""
    if quiet or not sys.stderr.isatty():
        yield lambda: None
        return
    start, shown = time.monotonic(), 0

    def tell() -> None:
        nonlocal shown
        seconds = int(time.monotonic() - start)
        if seconds >= CLOCK_PATIENCE_S and seconds > shown:
            shown = seconds
            sys.stderr.write(f"\r{what}: {seconds} s ")
            sys.stderr.flush()

    try:
        yield tell
    finally:
        if shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


@contextmanager
def rate(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Yields a function to call with the number done and the total; shows the rate and the time left."""
    if quiet or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    start, shown = time.monotonic(), 0.0

    def tell(done: int, total: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - start < PATIENCE_S or now - shown < EVERY_S:
            return
        shown = now
        each_s = (now - start) / max(done, 1)
        left = time_left(each_s * (total - done))
        sys.stderr.write(f"\r\033[K{what}: {done:,} of {total:,}, {1 / each_s:,.0f} per second, {left} left ")
        sys.stderr.flush()

    try:
        yield tell
    finally:
        if shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def time_left(seconds: float) -> str:
    """A duration for people.

    >>> time_left(4.2), time_left(75), time_left(7300)
    ('5 s', '1:15 min', '2:01 h')
    """
    whole = ceil(seconds)
    if whole < 60:
        return f"{whole} s"
    large, small, unit = (whole // 60, whole % 60, "min") if whole < 3600 else (whole // 3600, whole % 3600 // 60, "h")
    return f"{large}:{small:02d} {unit}"
