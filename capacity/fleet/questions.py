"""Answers one unit, in whatever process it is: a row of plain values for each plan."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from capacity.cluster.reuse import Reuse
from capacity.errors import CapacityError, MissingExtra
from capacity.extras import named_extras
from capacity.fleet.check_row import check_row
from capacity.fleet.forecast_row import forecast_row
from capacity.fleet.optimize_row import optimize_row
from capacity.fleet.plan_facts import facts_row
from capacity.fleet.report_row import report_row
from capacity.fleet.simulate_row import simulate_row
from capacity.fleet.subject import Subject, document_of
from capacity.fleet.unit import Beside, PlanText, Row, Unit
from capacity.plan.fields import Field
from capacity.plan.model import Plan, Tenant
from capacity.plan.parse import parse_plan
from capacity.plan.tenant_section import NamedCluster, cluster_note, named_clusters
from capacity.plan.tenants import tenant_kinds

FACTS, CHECK, FORECAST, OPTIMIZE, REPORT, SIMULATE = "facts", "check", "forecast", "optimize", "report", "simulate"
CLUSTER = "cluster"  # the kind of tenant

Question = Callable[[Subject, Mapping[str, Any]], Row]
QUESTIONS: dict[str, Question] = {
    CHECK: check_row,
    FORECAST: forecast_row,
    OPTIMIZE: optimize_row,
    REPORT: report_row,
    SIMULATE: simulate_row,
}


def answer_unit(unit: Unit, memory_bytes: int | None = None) -> list[Row]:
    """A row for each plan of the unit that is asked about; a plan that cannot be answered has an ``error`` in it.

    Parameters
    ----------
    memory_bytes : int, optional
        Most memory that one plan can use in addition to what the process has. [bytes]
    """
    parser = _Parsed(unit)
    rows = []
    for position, beside in zip(unit.asked, unit.beside, strict=True):
        if not beside:
            parser = _Parsed(unit)  # nothing to share with the next plan
        rows.append(_row(unit.plans[position].file, partial(_answer, parser, position, beside), memory_bytes))
    return rows


class _Parsed:
    """The plans of a unit, each parsed when it is needed, and what their checks can share."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.reuse = Reuse()
        self._plans: dict[int, Plan] = {}

    def plan(self, i: int) -> Plan:
        if i not in self._plans:
            self._plans[i] = parse_text(self.unit.plans[i])[0]
        return self._plans[i]


def _answer(parsed: _Parsed, position: int, beside: tuple[Beside, ...]) -> Row:
    unit = parsed.unit
    if unit.question == FACTS:
        text = unit.plans[position]
        return facts_row(*parse_text(text), text.digest)
    joined = joined_plan(parsed.plan(position), [(b, parsed.plan(b.plan)) for b in beside])
    return QUESTIONS[unit.question](Subject(joined, parsed.reuse, unit.plans[position]), unit.options)


def _row(file: str, make: Callable[[], Row], memory_bytes: int | None) -> Row:
    """The row, or one that says why there is none."""
    try:
        with memory_limit(memory_bytes), named_extras():
            return {"plan": file, **make()}
    except MissingExtra:  # the installation is incomplete, for the other plans as well
        raise
    except CapacityError as error:
        return {"plan": file, "error": first_line(error)}
    except MemoryError:
        return {"plan": file, "error": out_of_memory(file), "lost": True}
    except RecursionError:
        return {"plan": file, "error": f"{file}: nested too deeply"}
    except Exception as error:
        if os.environ.get("CAPACITY_DEBUG"):
            raise
        return {"plan": file, "error": f"{file}: internal error: {type(error).__name__}: {error}"[:300], "crash": True}


def first_line(error: CapacityError) -> str:
    """The first problem of a plan, and the number of the others."""
    first, *others = error.lines
    return first + (f" (and {len(others)} more; capacity check shows all)" if others else "")


def out_of_memory(file: str) -> str:
    """What is said of a plan that needs too much memory, or whose worker died, which has mostly the same reason.

    One text for both: the answer of a fleet does not depend on where it was computed.
    """
    return f"{file}: the worker ran out of memory or died while it answered this plan alone (see --memory-limit)"


def parse_text(text: PlanText) -> tuple[Plan, tuple[NamedCluster, ...]]:
    """The plan without the clusters that it names, and those.

    Raises
    ------
    SpecError
        It is not a plan.
    """
    changed = document_of(text)
    plan = parse_plan(changed, text.file, alone=True)
    return plan, named_clusters(Field(changed, "", None, changed.line, text.file))


def joined_plan(plan: Plan, others: list[tuple[Beside, Plan]]) -> Plan:
    """The plan with the clusters in its subnets as tenants, as if it named their plans."""
    if not others:
        return plan
    kind = tenant_kinds()[CLUSTER]
    tenants, notes = list(plan.tenants), list(plan.notes)
    for beside, other in others:
        name = beside.name or other.name
        tenants.append(
            Tenant(CLUSTER, name, tuple(beside.places), 0, kind.holder, plan=other, places=dict(beside.places))
        )
        notes.append(cluster_note(name, other.file, len(beside.places)))
    return replace(plan, tenants=tuple(tenants), notes=tuple(notes))


@contextmanager
def memory_limit(most_bytes: int | None) -> Iterator[None]:
    """Let the process use only so much more memory inside the block; an allocation above it is a MemoryError."""
    try:
        import resource

        with open("/proc/self/statm", encoding="ascii") as stat:
            used = int(stat.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (ImportError, OSError):  # no such limit on this system
        yield
        return
    if most_bytes is None:
        yield
        return
    before, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = used + most_bytes
    ceilings = [value for value in (before, hard) if value != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min([limit, *ceilings]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, hard))
