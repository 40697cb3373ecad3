"""Virtual time: what happens next, and processes that wait in it. Times in milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Generator
from heapq import heappop, heappush
from typing import Any

from capacity.plan.document import collector_paused

Process = Generator[float, None, None]
"""A process yields how long it waits. [ms]"""


class Agenda:
    """A queue of deeds by time; those of one moment happen in the order in which they were planned."""

    def __init__(self, start: int = 0) -> None:
        self.now = start
        self.done = 0
        self._queue: list[tuple[float, int, Callable[[Any], None], Any]] = []
        self._planned = 0

    def at(self, moment: float, deed: Callable[[Any], None], what: Any) -> None:
        """Plan ``deed(what)``."""
        self._planned += 1
        heappush(self._queue, (moment, self._planned, deed, what))

    def spawn(self, process: Process) -> None:
        """Start a process now."""
        self._go_on(process)

    def _go_on(self, process: Process) -> None:
        wait = next(process, None)
        if wait is not None:
            self.at(self.now + int(wait), self._go_on, process)

    def run(self, until: int) -> None:
        """Do everything that is planned up to a moment, inclusive.

        The garbage collector waits: most objects live long, and it would walk through all of them again and again.
        """
        queue = self._queue
        with collector_paused():
            while queue and queue[0][0] <= until:
                moment, _, deed, what = heappop(queue)
                self.now = int(moment)
                self.done += 1
                deed(what)
        self.now = until
