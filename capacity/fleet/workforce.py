"""Where units are answered: in this process, in local processes, or on Dask; and the rows that a run keeps on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from capacity.fleet.questions import answer_unit, out_of_memory
from capacity.fleet.store import Store
from capacity.fleet.unit import Row, Unit

Numbered = tuple[int, Unit]
Answered = tuple[int, list[Row]]


class Workers(Protocol):
    """Something that answers units."""

    def run(self, units: Iterable[Numbered]) -> Iterator[Answered]:
        """The rows of each unit with its number, as they come, in any order."""


@dataclass(frozen=True)
class Serial:
    """Answers units in this process, one after the other."""

    memory_bytes: int | None = None

    def run(self, units: Iterable[Numbered]) -> Iterator[Answered]:
        for number, unit in units:
            yield number, answer_unit(unit, self.memory_bytes)


@dataclass(frozen=True)
class Workforce:
    """Answers units with some workers; finished units are taken from the store if there is one."""

    workers: Workers
    store: Store | None = None

    def run(self, units: Iterable[Unit]) -> Iterator[Answered]:
        """The rows of each unit with its position in ``units``, in any order."""
        if self.store is None:
            yield from self.workers.run(enumerate(units))
            return
        store = self.store
        kept: list[Answered] = []
        waiting: dict[int, Unit] = {}

        def unfinished() -> Iterator[Numbered]:
            for number, unit in enumerate(units):
                rows = store.get(unit)
                if rows is None:
                    waiting[number] = unit
                    yield number, unit
                else:
                    kept.append((number, rows))

        for number, rows in self.workers.run(unfinished()):
            store.put(waiting.pop(number), rows)
            yield number, rows
            while kept:
                yield kept.pop()
        yield from kept


def one_by_one(unit: Unit, answer: Callable[[Unit], list[Row] | None]) -> list[Row]:
    """The rows of a unit whose worker died, each plan alone: a plan whose worker dies again gets an error.

    Parameters
    ----------
    answer : callable
        Answers a unit with one plan in a worker; None if the worker died.
    """
    rows: list[Row] = []
    for single in unit.split():
        found = answer(single)
        file = single.plans[0].file
        lost: Row = {"plan": file, "error": out_of_memory(file), "lost": True}
        rows += [lost] if found is None else found
    return rows
