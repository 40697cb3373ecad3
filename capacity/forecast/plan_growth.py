"""A plan's growth carried along time: when each subnet runs out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from capacity.cluster.engine import Engine
from capacity.cluster.shape import group_shapes
from capacity.errors import SpecError
from capacity.forecast.fill import DailyFill, Progress, daily_fill
from capacity.forecast.growth import coming_steps, is_random, replica_paths
from capacity.forecast.paths import Simulation, simulate
from capacity.forecast.quantile import day_quantiles
from capacity.forecast.result import OK, QUANTILES, Fan, ForecastResult, GroupForecast, SubnetForecast
from capacity.forecast.span import Span
from capacity.spec.plan import Plan

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SCENARIOS = ("steady", "peak")
MOST_PATHS = 1_000_000


def forecast_growth(
    plan: Plan,
    span: Span,
    paths: int = 10_000,
    seed: int = 1,
    scenario: str = "steady",
    progress: Progress = lambda _done, _total: None,
) -> ForecastResult:
    """When does each subnet run out, if the workloads grow as the plan says?

    Parameters
    ----------
    scenario : str
        ``steady``: the replicas of now grow. ``peak``: the maxima grow by the same factors.
    progress : callable
        Told how many draws (or days, where nothing is random) are done, and of how many.

    Notes
    -----
    Where no growth is random the engine answers every day and the dates are exact. Else ``paths`` draws are
    looked up in tables made by the engine's formulas (:mod:`capacity.forecast.demand`).
    """
    if scenario not in SCENARIOS:
        raise SpecError(f"--scenario: {scenario!r} is not one of {', '.join(SCENARIOS)}")
    if not 1 <= paths <= MOST_PATHS:
        raise SpecError(f"--paths: {paths} is out of range (expected 1 to {MOST_PATHS:,})")
    engine = Engine(plan, group_shapes(plan))
    base = [w.replicas if scenario == "steady" else w.max_replicas for w in plan.workloads]
    exact = not any(is_random(w.growth) for w in plan.workloads)
    if not exact:
        simulation, unplaced = simulate(plan, engine, base, span, paths, seed, progress), 0
    else:
        paths = 1
        fill = daily_fill(engine, _replicas(plan, base, span), progress)
        simulation, unplaced = _as_simulation(fill, span), fill.unplaced
    groups = _groups(plan, span, simulation)
    return ForecastResult(
        start=span.start,
        end=span.end,
        paths=paths,
        seed=seed,
        exact=exact,
        scenario=scenario,
        subnets=tuple(_subnet(plan, i, span, simulation) for i in range(len(plan.subnets))),
        groups=groups,
        notes=tuple(_notes(plan, span, scenario, groups, unplaced, exact)),
    )


def _replicas(plan: Plan, base: list[int], span: Span) -> npt.NDArray[np.floating[Any]]:
    import numpy as np

    columns = [replica_paths(w.growth, n, span)[:, 0] for w, n in zip(plan.workloads, base, strict=True)]
    return np.stack(columns, axis=1) if columns else np.zeros((span.days + 1, 0))


def _as_simulation(fill: DailyFill, span: Span) -> Simulation:
    """One certain draw in the shape of many."""
    import numpy as np

    never = span.days + 1
    first = np.where(fill.exhausted.any(axis=0), fill.exhausted.argmax(axis=0), never)
    days = np.arange(never, dtype=np.int32)
    one = (len(QUANTILES), 1, 1)
    return Simulation(
        first_days=first[:, None].astype(np.int32),
        fan_days=days,
        used=np.tile(fill.used.T.astype(float), one),
        nodes=np.tile(fill.nodes.T.astype(float), one),
    )


def _subnet(plan: Plan, index: int, span: Span, simulation: Simulation) -> SubnetForecast:
    import numpy as np

    subnet, first = plan.subnets[index], simulation.first_days[index]
    days = day_quantiles(first, span.days + 1, QUANTILES)
    probability = float(np.mean(first <= span.days))
    dates = tuple(span.on(int(d)) for d in simulation.fan_days)
    p10, p50, p90 = (simulation.used[q, index] for q in range(3))
    now = int(p50[0])
    low, mid, high = (None if d is None else span.on(d) for d in days)
    return SubnetForecast(
        name=subnet.name,
        method="growth",
        status=OK,
        usable=subnet.usable,
        used_now=now,
        date_p10=low,
        date_p50=mid,
        date_p90=high,
        probability=probability,
        fan=Fan(dates, p10, p50, p90),
        note=in_words(days, probability, span),
    )


def in_words(days: list[int | None], probability: float, span: Span) -> str:
    """What the dates and the nulls among them mean."""
    if days[2] == 0:
        return "short already on the first day"
    if probability == 0:
        return f"does not run out before {span.end}"
    if days[1] is None:
        return f"runs out before {span.end} in {100 * probability:.3g} % of the draws"
    if days[2] is None:
        return f"in {100 * (1 - probability):.3g} % of the draws it does not run out before {span.end}"
    return ""


def _groups(plan: Plan, span: Span, simulation: Simulation) -> tuple[GroupForecast, ...]:
    import numpy as np

    found = []
    dates = tuple(span.on(int(d)) for d in simulation.fan_days)
    for i, group in enumerate(plan.node_groups):
        p10, p50, p90 = (simulation.nodes[q, i] for q in range(3))
        over = np.flatnonzero(p50 > group.max_nodes) if group.max_nodes is not None else np.empty(0, int)
        passed = dates[over[0]] if over.size else None
        found.append(GroupForecast(group.name, group.max_nodes, Fan(dates, p10, p50, p90), passed))
    return tuple(found)


def _notes(
    plan: Plan, span: Span, scenario: str, groups: tuple[GroupForecast, ...], unplaced: int, exact: bool
) -> list[str]:
    notes = list(plan.notes)
    growing = [w for w in plan.workloads if w.growth]
    if not growing:
        notes.append("no workload of the plan has a growth: nothing changes with time (workloads[].growth)")
    fixed = [w.name for w in plan.workloads if not w.growth]
    if growing and fixed:
        notes.append(f"without growth, so constant: {_some(fixed)}")
    for w in growing:
        assert w.growth
        past = [s for s in w.growth.steps if span.index(s.day) <= 0]
        if past:
            days = _some([str(s.day) for s in past])
            notes.append(f"{w.name}: steps up to {span.start} are taken to be in its replicas already: {days}")
        if w.growth.start and span.index(w.growth.start) > 0:
            notes.append(f"{w.name}: no pods before its launch on {w.growth.start}")
        late = [s for s in w.growth.steps if span.index(s.day) > span.days]
        if late and not list(coming_steps(w.growth, span)):
            notes.append(f"{w.name}: its steps lie beyond {span.end}")
    often = "" if exact else " in half of the draws"
    notes += [
        f"{g.name} needs more than its nodes.max of {g.nodes_max:,} by {g.date_max_passed}{often}; "
        "the forecast goes on beyond it"
        for g in groups
        if g.date_max_passed
    ]
    if unplaced:
        notes.append(f"up to {unplaced:,} pods find no node however many there are: their addresses are not counted")
    if scenario == "peak":
        notes.append("peak: replicas.max grows by the same factors; nodes as the pods need, at least desired")
    return notes


def _some(names: list[str], most: int = 8) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
