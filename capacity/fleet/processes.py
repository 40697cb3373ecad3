"""Answers units in local processes. A process that dies costs only the units it had."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for

from capacity.fleet.questions import answer_unit
from capacity.fleet.unit import Row, Unit
from capacity.fleet.workforce import Answered, Numbered, one_by_one

AHEAD = 2  # units for each process that are read before they are needed
COLLECT_AFTER = 50_000  # new objects before the garbage collector looks for cycles


@dataclass(frozen=True)
class Processes:
    """A number of local processes, each of which answers one unit at a time."""

    jobs: int
    memory_bytes: int | None = None

    def run(self, units: Iterable[Numbered]) -> Iterator[Answered]:
        waiting = iter(units)
        ended = False
        while not ended:
            running: dict[Future[list[Row]], Numbered] = {}
            with self._pool(self.jobs) as pool:
                try:
                    yield from self._until_done(pool, waiting, running)
                    ended = True
                except BrokenProcessPool:
                    pass
                except BaseException:
                    pool.shutdown(wait=True, cancel_futures=True)
                    raise
            for number, unit in sorted(running.values()):  # one of them ended a process
                yield number, self._alone(unit)

    def _until_done(
        self, pool: ProcessPoolExecutor, units: Iterator[Numbered], running: dict[Future[list[Row]], Numbered]
    ) -> Iterator[Answered]:
        """Answer all units; ``running`` has those without an answer if the pool breaks."""
        while True:
            while len(running) < AHEAD * self.jobs and (one := next(units, None)) is not None:
                running[_submitted(pool, one[1], self.memory_bytes)] = one
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                rows = future.result()
                number, _unit = running.pop(future)
                yield number, rows

    def _alone(self, unit: Unit) -> list[Row]:
        """Each plan of a unit in a process that nothing else depends on."""

        def answer(single: Unit) -> list[Row] | None:
            with self._pool(1) as pool:
                try:
                    return pool.submit(answer_unit, single, self.memory_bytes).result()
                except BrokenProcessPool:
                    return None

        return one_by_one(unit, answer)

    def _pool(self, jobs: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(jobs, mp_context=_context(), initializer=_start)


def _submitted(pool: ProcessPoolExecutor, unit: Unit, memory_bytes: int | None) -> Future[list[Row]]:
    """The future of a unit; one that says that the pool is broken if it cannot be submitted."""
    try:
        return pool.submit(answer_unit, unit, memory_bytes)
    except BrokenProcessPool as error:
        future: Future[list[Row]] = Future()
        future.set_exception(error)
        return future


def _context() -> multiprocessing.context.BaseContext:
    """Processes that do not inherit threads or locks: from a server with everything imported where there is one."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["capacity.fleet.questions"])
    return context


@contextmanager
def fewer_collections() -> Iterator[None]:
    """Let the garbage collector of a process that is not ours run as rarely as in our own, inside the block."""
    before = gc.get_threshold()
    gc.set_threshold(COLLECT_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _start() -> None:
    """In a new process: Ctrl-C is the parent's business, and without the parent there is nothing left to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(COLLECT_AFTER)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait_for([sentinel])
    os._exit(1)
