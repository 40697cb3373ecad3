"""Runs a fleet: reads what plans share, answers every plan in units, and puts the rows in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from capacity.errors import CapacityError, SpecError
from capacity.fleet.plan_facts import PlanFacts, facts_of
from capacity.fleet.plan_files import Source, Sources, read_source
from capacity.fleet.questions import CHECK, FACTS, FORECAST, OPTIMIZE, REPORT, SIMULATE, first_line, parse_text
from capacity.fleet.shared import Sharing, find_sharing, named_file
from capacity.fleet.unit import Beside, PlanText, Row, Unit
from capacity.fleet.workforce import Workforce

FACTS_PER_UNIT = 64
PLANS_PER_UNIT = {CHECK: 16, FORECAST: 4, OPTIMIZE: 1, REPORT: 2, SIMULATE: 2}  # about a second of work

Progress = Callable[[int, int], None]  # plans done, of all


@dataclass(frozen=True)
class FleetRun:
    """What a run of the fleet found.

    Attributes
    ----------
    sources : Sources
    rows : tuple of Row
        One per plan of the fleet, in order; a plan that could not be answered has only ``plan`` and ``error``.
    facts : mapping of int to PlanFacts
        By position of the plan; broken plans have none. Plans that others name come after those of the fleet.
    sharing : Sharing
        Positions are those of ``known``, the plans with facts in order.
    left_out : tuple of str
        Plans in other regions than the fleet file asks for.
    """

    sources: Sources
    rows: tuple[Row, ...]
    facts: Mapping[int, PlanFacts]
    sharing: Sharing
    left_out: tuple[str, ...] = ()

    @property
    def answered(self) -> list[Row]:
        """The rows without an error."""
        return [row for row in self.rows if not row.get("error")]

    @property
    def broken(self) -> list[Row]:
        """The rows of plans that could not be read or answered."""
        return [row for row in self.rows if row.get("error")]

    @cached_property
    def known(self) -> list[PlanFacts]:
        """The plans with facts, in order."""
        return [self.facts[i] for i in sorted(self.facts)]


@dataclass
class _Work:
    """The plans of a run: those of the fleet, then those that they name."""

    sources: list[Source]
    facts: dict[int, PlanFacts] = field(default_factory=dict)
    errors: dict[int, Row] = field(default_factory=dict)


def run_fleet(
    sources: Sources,
    question: str,
    options: Mapping[str, Any],
    workforce: Workforce,
    progress: Progress | None = None,
    arrived: Callable[[Row], Row] = lambda row: row,
) -> FleetRun:
    """Answer a question for every plan of the fleet.

    Parameters
    ----------
    question : str
        A key of :data:`capacity.fleet.questions.QUESTIONS`.
    options : mapping
        Options of the question, as plain values.
    workforce : Workforce
        Where the units are answered.
    progress : callable, optional
        Called with the number of plans done, and of all.
    arrived : callable
        Called with each row as it comes; what it returns is kept.
    """
    work = _Work(list(sources.plans))
    _read_facts(work, range(len(work.sources)), workforce)
    _read_facts(work, _add_named(work), workforce)
    regions = sources.fleet.regions
    left_out = [i for i, facts in work.facts.items() if regions and facts.region not in regions]
    for i in left_out:
        del work.facts[i]
    order = sorted(work.facts)
    sharing = find_sharing([work.facts[i] for i in order])
    for position, file in sharing.strangers.items():
        i = order[position]
        error = f"{work.sources[i].file}: {file}, which its tenants name, shares no subnet with this plan"
        work.errors[i] = {"plan": work.sources[i].file, "error": error}
    asked = [n for n, i in enumerate(order) if i < len(sources.plans) and i not in work.errors]
    rows = dict(work.errors)
    tell = progress or (lambda _done, _total: None)
    done = len(rows)
    for unit_rows in _answered(work, order, sharing, asked, question, options, workforce):
        rows.update((i, arrived(row)) for i, row in unit_rows)
        done += len(unit_rows)
        tell(done, len(sources.plans) - len(left_out))
    kept = [rows[i] for i in range(len(sources.plans)) if i in rows]
    names = tuple(work.sources[i].file for i in left_out)
    return FleetRun(sources, tuple(kept), work.facts, sharing, names)


# --- what plans share ---------------------------------------------------------------------------


def _read_facts(work: _Work, positions: Iterable[int], workforce: Workforce) -> None:
    """Read the facts of some plans; a plan that cannot be read becomes a row with its error."""
    waiting = list(positions)
    batches = [waiting[i : i + FACTS_PER_UNIT] for i in range(0, len(waiting), FACTS_PER_UNIT)]

    def units() -> Iterator[Unit]:
        for batch in batches:
            texts = [text for i in batch if (text := _text(work, i)) is not None]
            yield Unit(FACTS, tuple(texts), tuple(range(len(texts))), ((),) * len(texts))

    for number, rows in workforce.run(units()):
        read = [i for i in batches[number] if i not in work.errors]
        for i, row in zip(read, rows, strict=True):
            if row.get("error"):
                work.errors[i] = _said_here(work.sources[i], row)
            else:
                work.facts[i] = facts_of(row)


def _text(work: _Work, i: int) -> PlanText | None:
    """The content of a plan; None if it cannot be read, which is then its error."""
    source = work.sources[i]
    try:
        return PlanText(source.file, read_source(source), source.patch)
    except SpecError as error:
        work.errors[i] = {"plan": source.file, "error": first_line(error)}
        return None


def _said_here(source: Source, row: Row) -> Row:
    """The error in the words of this process: only it can look up lines in the files of JSON plans."""
    if not source.file.lower().endswith(".json") or row.get("lost"):
        return row
    try:
        parse_text(PlanText(source.file, read_source(source), source.patch))
    except CapacityError as error:
        return row | {"error": first_line(error)}
    return row


def _add_named(work: _Work) -> list[int]:
    """Add the plans that plans of the fleet name and that are not in it; returns their positions."""
    known = {named_file(".", source.file): i for i, source in enumerate(work.sources)}
    first = len(work.sources)
    for i in sorted(work.facts):
        facts = work.facts[i]
        for file, _ in facts.named:
            full = named_file(facts.file, file)
            if full not in known:
                known[full] = len(work.sources)
                work.sources.append(Source(_shown(facts.file, file), listed=False))
    return list(range(first, len(work.sources)))


def _shown(plan: str, file: str) -> str:
    """The file that a plan names, relative to where the plan is."""
    from pathlib import Path

    return str(Path(plan).parent / file)


# --- answers ------------------------------------------------------------------------------------


def _answered(
    work: _Work,
    order: Sequence[int],
    sharing: Sharing,
    asked: Sequence[int],
    question: str,
    options: Mapping[str, Any],
    workforce: Workforce,
) -> Iterator[list[tuple[int, Row]]]:
    """Rows of the plans, with their positions, as units are answered."""
    batches = list(_batches(sharing, asked, PLANS_PER_UNIT[question]))

    def units() -> Iterator[Unit]:
        for batch in batches:
            yield _unit(work, order, sharing, batch, question, options)

    for number, rows in workforce.run(units()):
        yield [(order[n], row) for n, row in zip(batches[number], rows, strict=True)]


def _batches(sharing: Sharing, asked: Sequence[int], most: int) -> Iterator[list[int]]:
    """Plans in order, those that share subnets together, in batches of about the same size."""
    seen: set[int] = set()
    wanted = set(asked)
    batch: list[int] = []
    for first in asked:
        if first in seen:
            continue
        group = _group(sharing, first)
        seen.update(group)
        mine = [n for n in group if n in wanted]
        if batch and len(batch) + len(mine) > most:
            yield batch
            batch = []
        batch += mine
        while len(batch) > most:
            yield batch[:most]
            batch = batch[most:]
        if len(mine) > most:  # do not send the plans of a divided group for plans of another
            yield batch
            batch = []
    if batch:
        yield batch


def _group(sharing: Sharing, first: int) -> list[int]:
    """All plans that share subnets with a plan, directly or through others, in order."""
    found, waiting = {first}, [first]
    while waiting:
        for link in sharing.links.get(waiting.pop(), ()):
            if link.plan not in found:
                found.add(link.plan)
                waiting.append(link.plan)
    return sorted(found)


def _unit(
    work: _Work,
    order: Sequence[int],
    sharing: Sharing,
    batch: Sequence[int],
    question: str,
    options: Mapping[str, Any],
) -> Unit:
    places = {n: i for i, n in enumerate(batch)}
    for n in batch:
        for link in sharing.links.get(n, ()):
            places.setdefault(link.plan, len(places))
    beside = tuple(
        tuple(Beside(places[link.plan], link.places, link.name) for link in sharing.links.get(n, ())) for n in batch
    )
    return Unit(question, tuple(_again(work, order[n]) for n in places), tuple(range(len(batch))), beside, options)


def _again(work: _Work, i: int) -> PlanText:
    """The content of a plan whose facts are known.

    Raises
    ------
    CapacityError
        The file has changed since.
    """
    text = _text(work, i)
    if text is None or text.digest != work.facts[i].digest:
        raise CapacityError(f"{work.sources[i].file}: the file changed during the run; run the command again")
    return text
