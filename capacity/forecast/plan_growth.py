"""Forecast when each subnet runs out from the growth in a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from capacity.cluster.check import CheckResult, check, check_result
from capacity.cluster.engine import Engine
from capacity.cluster.group_shapes import group_shapes
from capacity.cluster.scenario import ScenarioState
from capacity.cluster.unplaced import unschedulable, without_address
from capacity.errors import SpecError, check_function, check_kind, did_you_mean
from capacity.forecast.calibration import held_nowhere
from capacity.forecast.certain import DailyFill, Progress, daily_fill
from capacity.forecast.draws import Simulation, expected_replicas, simulate
from capacity.forecast.grown import node_range
from capacity.forecast.quantile import day_quantiles
from capacity.forecast.replicas import coming_steps, is_random
from capacity.forecast.result import (
    OK,
    QUANTILES,
    Already,
    Fan,
    ForecastResult,
    GroupForecast,
    SubnetForecast,
    check_paths,
)
from capacity.forecast.span import Horizon
from capacity.plan.constants import AT_REST
from capacity.plan.model import Plan
from capacity.plan.scenarios import when_words
from capacity.units import counted, some_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


MOST_NAMED = 8  # names in a note


def forecast_growth(
    plan: Plan,
    span: Horizon,
    paths: int = 10_000,
    seed: int = 1,
    scenario: str = "steady",
    progress: Progress = lambda _done, _total: None,
    checked: CheckResult | None = None,
) -> ForecastResult:
    """Forecast when each subnet runs out if the workloads grow as in the plan.

    Parameters
    ----------
    scenario : str
        ``steady``: the current replicas grow. ``peak`` and ``ceiling``: the maxima grow by the same factors.
    progress : callable
        Called with the number of simulations (or days, if nothing is random) that are done and the total.
    checked : CheckResult, optional
        Check of the plan, if there is one already; what it finds exhausted today is in the answer.

    Notes
    -----
    The first day equals the scenario in check. Later, autoscaled groups grow as far as their pods need,
    up to their maximum; a group with a fixed count keeps it, and pods that do not fit are unschedulable.
    If no growth is random, the engine computes every day and the dates are exact. Otherwise ``paths`` simulations
    are looked up in tables made by the engine's formulas (:mod:`capacity.forecast.grown`).
    """
    check_kind("plan", plan, Plan, "a Plan, as returned by read_plan")
    check_kind("span", span, Horizon, "a Horizon, as returned by parse_horizon")
    check_function("progress", progress)
    if checked is not None:
        check_result(checked, "checked")
    if scenario not in AT_REST:
        raise SpecError(f"--scenario: {scenario!r} is not one of {', '.join(AT_REST)}{did_you_mean(scenario, AT_REST)}")
    check_paths(paths, seed)
    engine = Engine(plan, group_shapes(plan))
    base = list(engine.demand(scenario).replicas)
    expected = expected_replicas(plan, base, span)
    today = engine.at_rest(scenario)
    exact = not any(is_random(w.growth) for w in plan.workloads)
    if not exact:
        simulation = simulate(plan, engine, base, span, paths, seed, scenario, progress)
        if [int(n) for n in expected[0]] == base:
            simulation = _from_today(simulation, today, held_nowhere(engine))
    else:
        paths = 1
        simulation = _as_simulation(daily_fill(engine, expected, scenario, progress), span)
    already = _already(today, checked or check(plan))
    groups = _groups(engine, span, simulation, scenario)
    found = ForecastResult(
        start=span.start,
        end=span.end,
        paths=paths,
        seed=seed,
        exact=exact,
        scenario=scenario,
        subnets=tuple(_subnet(plan, i, span, simulation, already) for i in range(len(plan.subnets))),
        groups=groups,
        date_unschedulable=_half_by(simulation.left_over, simulation, span),
        date_without_address=_half_by(simulation.stuck, simulation, span),
        already=tuple(Already(s.title, when_words(s.name, s.title), _lacks(s)) for s in already),
    )
    return replace(found, notes=tuple(_notes(plan, span, found, held_nowhere(engine))))


def _as_simulation(fill: DailyFill, span: Horizon) -> Simulation:
    """Simulation with the single path of a growth without randomness."""
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
        left_over=fill.left_over.astype(float),
        stuck=fill.stuck.astype(float),
    )


def _from_today(simulation: Simulation, today: ScenarioState, nowhere: Sequence[str]) -> Simulation:
    """Simulation with the answer of the engine for the first day, which is equal in all simulations."""
    import numpy as np

    used, nodes = simulation.used.copy(), simulation.nodes.copy()
    left_over, stuck = simulation.left_over.copy(), simulation.stuck.copy()
    used[:, :, 0] = [s.used_total for s in today.subnets]
    nodes[:, :, 0] = [g.nodes for g in today.groups]
    left_over[0] = float(any(u.workload not in nowhere for u in today.unplaced))
    stuck[0] = float(bool(today.pods_without_address))
    out = np.array([s.verdict == "exhausted" for s in today.subnets])[:, None]
    first = np.where(out, 0, np.maximum(simulation.first_days, 1)).astype(np.int32)
    return replace(simulation, first_days=first, used=used, nodes=nodes, left_over=left_over, stuck=stuck)


def _already(today: ScenarioState, checked: CheckResult) -> list[ScenarioState]:
    """Scenarios that are exhausted today, that of the forecast first; those not requested are at most tight."""
    others = [s for s in checked.scenarios if s.verdict == "exhausted" and s.name != today.name]
    others.sort(key=lambda s: s.name not in AT_REST)
    return [today, *others] if today.verdict == "exhausted" else others


def _lacks(state: ScenarioState) -> str:
    """Reason why a scenario is exhausted, in words."""
    worst = min(state.left, key=lambda s: (s.verdict != "exhausted", s.free), default=None)
    if worst is not None and worst.verdict == "exhausted":
        short = f"is {counted(-worst.free, 'address', 'addresses')} short"
        return f"{worst.subnet.name} {short if worst.free < 0 else 'has no room for the addresses it needs'}"
    if state.refused:
        return "EKS refuses the control-plane update"
    if state.pods_without_address:
        return without_address(state.pods_without_address)
    return unschedulable(state.unplaced_pods)


def _subnet(
    plan: Plan, index: int, span: Horizon, simulation: Simulation, already: Sequence[ScenarioState]
) -> SubnetForecast:
    import numpy as np

    subnet, first = plan.subnets[index], simulation.first_days[index]
    days = day_quantiles(first, span.days + 1, QUANTILES)
    probability = float(np.mean(first <= span.days))
    dates = tuple(span.on(int(d)) for d in simulation.fan_days)
    p10, p50, p90 = (simulation.used[q, index] for q in range(3))
    now = int(p50[0])
    low, mid, high = (None if d is None else span.on(d) for d in days)
    out = [s for s in already if s.subnets[index].verdict == "exhausted" and not s.is_lost(subnet)]
    words = [f"already exhausted {when_words(s.name, s.title)}" for s in out]
    more = f" and in {counted(len(out) - 1, 'more scenario')}" if len(out) > 1 else ""
    said = [f"{words[0]}{more}"] if words else []
    coming = in_words(days, probability, span)
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
        note="; ".join(filter(None, [*said, "" if said and days[2] == 0 else coming])),
        exhausted_in=tuple(s.title for s in out),
    )


def in_words(days: list[int | None], probability: float, span: Horizon) -> str:
    """Meaning of the dates, in words."""
    if days[2] == 0:
        return "already exhausted on the first day"
    if probability == 0:
        return f"does not run out before {span.end}"
    if days[1] is None:
        return f"runs out before {span.end} in {100 * probability:.3g}% of simulations"
    if days[2] is None:
        return f"in {100 * (1 - probability):.3g}% of simulations it does not run out before {span.end}"
    return ""


def _groups(engine: Engine, span: Horizon, simulation: Simulation, scenario: str) -> tuple[GroupForecast, ...]:
    import numpy as np

    found = []
    dates = tuple(span.on(int(d)) for d in simulation.fan_days)
    for i, (fewest, most) in enumerate(node_range(engine, scenario)):
        p10, p50, p90 = (simulation.nodes[q, i] for q in range(3))
        grows = most is not None and fewest < most
        there = np.flatnonzero(p50 >= most) if grows else np.empty(0, int)
        reached = dates[there[0]] if there.size else None
        found.append(GroupForecast(engine.plan.node_groups[i].name, most, Fan(dates, p10, p50, p90), reached))
    return tuple(found)


def _half_by(share: npt.NDArray[np.float64], simulation: Simulation, span: Horizon) -> date | None:
    """First date on which half of the simulations meet a condition."""
    import numpy as np

    there = np.flatnonzero(share >= 0.5)
    return span.on(int(simulation.fan_days[there[0]])) if there.size else None


def _notes(plan: Plan, span: Horizon, found: ForecastResult, nowhere: tuple[str, ...]) -> list[str]:
    notes = [*plan.notes, *_growth_notes(plan, span)]
    often = "" if found.exact else " in half of the simulations"
    notes += [
        f"{g.name} reaches its maximum of {counted(g.nodes_max or 0, 'node')} by {g.date_max_reached}{often}"
        for g in found.groups
        if g.date_max_reached
    ]
    if found.date_unschedulable:
        notes.append(
            f"pods are unschedulable from {found.date_unschedulable}{often}, because no additional node can start: "
            "they use no addresses"
        )
    if found.date_without_address:
        since = f"{found.date_without_address}{often}"
        notes.append(f"pods on nodes get no address from {since}: max pods exceeds the addresses of the ENIs")
    if nowhere:
        notes.append(f"no node fits a pod of {some_of(list(nowhere), MOST_NAMED)}: these pods are not counted")
    if found.scenario != "steady":
        notes.append(f"{found.scenario}: replicas.max grows by the same factors")
    return notes


def _growth_notes(plan: Plan, span: Horizon) -> list[str]:
    """Notes on the growth in the plan that explain the answer."""
    notes = []
    growing = [w for w in plan.workloads if w.growth]
    if not growing:
        notes.append("no workload of the plan has growth: nothing changes over time (workloads[].growth)")
    fixed = [w.name for w in plan.workloads if not w.growth]
    if growing and fixed:
        notes.append(f"no growth in the plan, so constant: {some_of(fixed, MOST_NAMED)}")
    for w in growing:
        assert w.growth
        past = [s for s in w.growth.steps if span.index(s.day) <= 0]
        if past:
            days = some_of([str(s.day) for s in past], MOST_NAMED)
            notes.append(f"{w.name}: steps up to {span.start} are assumed to be in its replicas already: {days}")
        if w.growth.start and span.index(w.growth.start) > 0:
            notes.append(f"{w.name}: no pods before its launch on {w.growth.start}")
        late = [s for s in w.growth.steps if span.index(s.day) > span.days]
        if late and not list(coming_steps(w.growth, span)):
            notes.append(f"{w.name}: its steps are after {span.end}")
    return notes
