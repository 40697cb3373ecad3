"""Growth that is uncertain: many draws of every workload's replicas, looked up in the component tables.

Draws come in chunks, so memory does not grow with their number. In each chunk a subnet's first day of
shortage is found exactly without looking at every day: per block of days a bound on what each component
takes of the subnet, from its largest state of the block, rules most blocks out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, sqrt
from typing import TYPE_CHECKING, Any

from capacity.cluster.engine import Engine
from capacity.forecast.demand import FIXED_HOLDERS, Calibration, Component, calibrate, components, growing_demand
from capacity.forecast.fill import Progress
from capacity.forecast.growth import log_rate, replica_paths
from capacity.forecast.quantile import count_quantiles
from capacity.forecast.result import QUANTILES
from capacity.forecast.span import Span
from capacity.spec.plan import Growth, Plan, Subnet
from capacity.vpc.blocks import BLOCK, prefixes_fit

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.int32]
    Floats = npt.NDArray[np.floating[Any]]

CHUNK = 512  # draws worked on together: 2 years of one workload's fit a core's second-level cache
BLOCK_DAYS = 14
CALIBRATION_POINTS = 16
SIGMAS = 4.5  # how far above the expected path the tables reach; one draw in 300,000 ends beyond
FAN_DATES = 53


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """Outcome of all draws.

    Attributes
    ----------
    first_days : ndarray of int32, shape (n_subnets, n_paths)
        First day of shortage, days + 1 where there is none.
    fan_days : ndarray of int, shape (n_dates,)
    used : ndarray of float, shape (n_quantiles, n_subnets, n_dates)
        Quantiles of the addresses used.
    nodes : ndarray of float, shape (n_quantiles, n_groups, n_dates)
    """

    first_days: Ints
    fan_days: Ints
    used: npt.NDArray[np.float64]
    nodes: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One component's share of one subnet: per state, and the most of any state that takes no more in all."""

    component: int
    singles: Ints
    prefixes: Ints
    most_singles: Ints
    most_prefixes: Ints


@dataclass(frozen=True, slots=True)
class _SubnetParts:
    subnet: Subnet
    fixed: int
    parts: tuple[_Part, ...]

    def short(self, singles: Any, prefixes: Any) -> Any:
        """Whether so much does not fit."""
        return ~prefixes_fit(self.subnet, prefixes, singles + self.fixed)


def simulate(
    plan: Plan,
    engine: Engine,
    base: Sequence[int],
    span: Span,
    paths: int,
    seed: int,
    progress: Progress = lambda _done, _total: None,
) -> Simulation:
    """Draw ``paths`` futures and find out when each subnet runs out in each.

    Parameters
    ----------
    base : sequence of int
        Replicas of each workload on day 0.
    progress : callable
        Told how many draws are done, and of how many.
    """
    import numpy as np

    growths = [w.growth for w in plan.workloads]
    expected = np.stack([_expected(g, n, span) for g, n in zip(growths, base, strict=True)], axis=1)
    top = [_top(g, int(e.max()), span) for g, e in zip(growths, expected.T, strict=True)]
    points = calibrate(engine, _points(expected, top))
    found = components(engine, points, top)
    subnets = _subnet_parts(plan, engine, points, found)
    fan_days = np.unique(np.rint(np.linspace(0, span.days, FAN_DATES)).astype(np.int32))
    first_days = np.empty((len(subnets), paths), dtype=np.int32)
    used = np.empty((len(subnets), len(fan_days), paths), dtype=np.int32)
    nodes = np.empty((len(engine.shapes), len(fan_days), paths), dtype=np.int32)
    rng = np.random.default_rng(seed)
    totals = [c.table.singles.sum(axis=0) + BLOCK * c.table.prefixes.sum(axis=0) for c in found]
    for start in range(0, paths, CHUNK):
        here = slice(start, min(start + CHUNK, paths))
        count = here.stop - start
        drawn = [
            replica_paths(g, n, span, count, rng).astype(np.float32, copy=False)
            for g, n in zip(growths, base, strict=True)
        ]
        states = [c.states([drawn[w] for w in c.workloads]) for c in found]
        weights = [np.take(t, s, mode="clip") for t, s in zip(totals, states, strict=True)]
        for i, subnet in enumerate(subnets):
            first_days[i, here] = _first_days(subnet, states, weights, span.days, count)
            used[i, :, here] = _used(subnet, [s[fan_days] for s in states])
        for c, s in zip(found, states, strict=True):
            for row, group in enumerate(c.groups):
                nodes[group, :, here] = c.nodes[row][s[fan_days]]
        progress(here.stop, paths)
    return Simulation(first_days, fan_days, _quantiles(used), _quantiles(nodes))


def _quantiles(values: Ints) -> npt.NDArray[np.float64]:
    rows, dates, draws = values.shape
    return count_quantiles(values.reshape(rows * dates, draws), QUANTILES).reshape(len(QUANTILES), rows, dates)


def _expected(growth: Growth | None, now: int, span: Span) -> Floats:
    """The path without randomness."""
    from dataclasses import replace
    from fractions import Fraction

    calm = replace(growth, stddev=Fraction(0), uncertainty=Fraction(0)) if growth else None
    return replica_paths(calm, now, span)[:, 0]


def _top(growth: Growth | None, most: int, span: Span) -> int:
    """Replicas beyond which draws are not told apart."""
    if growth is None:
        return most
    _, daily, unsure = log_rate(growth)
    return int(most * exp(SIGMAS * sqrt(daily**2 * span.days + (unsure * span.days) ** 2))) + 1


def _points(expected: Floats, top: Sequence[int]) -> list[list[int]]:
    """Replicas at which the engine is asked: along the expected path, then on in proportion up to the top."""
    import numpy as np

    days = np.unique(np.rint(np.linspace(0, len(expected) - 1, CALIBRATION_POINTS)).astype(int))
    last = expected.max(axis=0)
    ratio = max((t / m for t, m in zip(top, last, strict=True) if m), default=1.0)
    beyond = [np.ceil(np.minimum(last * f, top)) for f in np.geomspace(1, ratio, CALIBRATION_POINTS // 2)]
    rows = {tuple(int(x) for x in row): None for row in (*expected[days], *beyond)}
    return [list(row) for row in rows]


def _subnet_parts(plan: Plan, engine: Engine, points: Calibration, found: Sequence[Component]) -> list[_SubnetParts]:
    """Each subnet with what never changes and the components that take of it."""
    import numpy as np

    base = engine.run(growing_demand(engine, [int(r) for r in points.replicas[0]]))
    parts: dict[str, list[_Part]] = {s.name: [] for s in plan.subnets}
    for c, component in enumerate(found):
        table = component.table
        totals = table.singles.sum(axis=0) + BLOCK * table.prefixes.sum(axis=0)
        order = np.argsort(totals, kind="stable")
        for i, name in enumerate(table.subnets):
            envelopes = [_most_up_to(totals, t[i], order) for t in (table.singles, table.prefixes)]
            parts[name].append(_Part(c, table.singles[i], table.prefixes[i], envelopes[0], envelopes[1]))
    return [
        _SubnetParts(s.subnet, sum(s.used[h] for h in FIXED_HOLDERS), tuple(parts[s.subnet.name])) for s in base.subnets
    ]


def _most_up_to(totals: Ints, values: Ints, order: npt.NDArray[np.intp]) -> Ints:
    """For each total 0, 1, …: the largest value of any state with at most that total."""
    import numpy as np

    ends = np.searchsorted(totals[order], np.arange(int(totals.max()) + 1), side="right") - 1
    most = np.maximum.accumulate(values[order])
    return np.where(ends >= 0, most[np.maximum(ends, 0)], 0).astype(np.int32)


def _used(subnet: _SubnetParts, states: Sequence[Ints]) -> Ints:
    """Addresses used in each of the states."""
    total: Any = subnet.fixed
    for part in subnet.parts:
        state = states[part.component]
        total = total + part.singles[state] + BLOCK * part.prefixes[state]
    import numpy as np

    return np.asarray(total, dtype=np.int32)


def _first_days(subnet: _SubnetParts, states: Sequence[Ints], weights: Sequence[Ints], days: int, count: int) -> Ints:
    """First day of shortage of each draw, ``days`` + 1 where there is none. Exact."""
    import numpy as np

    never = days + 1
    result = np.full(count, never, dtype=np.int32)
    starts = np.arange(0, never, BLOCK_DAYS)
    singles: Any = np.zeros((len(starts), 1), dtype=np.int32)
    prefixes: Any = singles
    for part in subnet.parts:
        most = np.maximum.reduceat(weights[part.component], starts, axis=0)
        singles = singles + part.most_singles[most]
        prefixes = prefixes + part.most_prefixes[most]
    maybe = np.broadcast_to(subnet.short(singles, prefixes), (len(starts), count))
    open_draws = np.flatnonzero(maybe.any(axis=0))
    block = np.zeros(count, dtype=np.int64)
    while open_draws.size:
        ahead = maybe[:, open_draws] & (np.arange(len(starts))[:, None] >= block[open_draws])
        open_draws, ahead = open_draws[ahead.any(axis=0)], ahead[:, ahead.any(axis=0)]
        block[open_draws] = ahead.argmax(axis=0)
        day = np.minimum(starts[block[open_draws]] + np.arange(BLOCK_DAYS)[:, None], days)
        short = _short_on(subnet, states, day, open_draws)
        hit = short.any(axis=0)
        result[open_draws[hit]] = day[short.argmax(axis=0)[hit], np.flatnonzero(hit)]
        open_draws = open_draws[~hit]
        block[open_draws] += 1
    return result


def _short_on(subnet: _SubnetParts, states: Sequence[Ints], day: Any, draws: Any) -> Any:
    """Whether the subnet is short on some days of some draws."""
    singles: Any = 0
    prefixes: Any = 0
    for part in subnet.parts:
        all_states = states[part.component]
        state = all_states[day, draws if all_states.shape[1] > 1 else 0]
        singles, prefixes = singles + part.singles[state], prefixes + part.prefixes[state]
    return subnet.short(singles, prefixes)
