"""Growth with randomness: many simulations of every workload's replicas, looked up in the component tables.

Draws are processed in chunks, and the draws of each workload are added to the sums of its component immediately, so
memory does not grow with the number of simulations or workloads. In each chunk, the first day of shortage of a subnet
is found exactly without a check of every day: for each block of days, an upper bound of the addresses of each
component, from its largest state in the block, excludes most blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, sqrt
from typing import TYPE_CHECKING, Any

from capacity.cluster.booking import held_by_others
from capacity.cluster.engine import Engine
from capacity.forecast.calibration import Calibration
from capacity.forecast.certain import Progress
from capacity.forecast.components import Component, Sum, components
from capacity.forecast.group_tables import MOST_ADDED_UP
from capacity.forecast.growth_points import calibrated
from capacity.forecast.quantile import count_quantiles
from capacity.forecast.replicas import MOST_LOG, MOST_PODS, is_random, log_rate, replica_paths
from capacity.forecast.result import QUANTILES
from capacity.forecast.span import Horizon
from capacity.plan.constants import PREFIX_SIZE
from capacity.plan.growth import Growth
from capacity.plan.model import Plan, Subnet
from capacity.vpc.blocks import prefixes_fit

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.int32]
    Floats = npt.NDArray[np.floating[Any]]

CHUNK = 1024  # most draws processed together: 2 years of one workload use 3 MB
BLOCK_DAYS = 14
SIGMAS = 4.5  # how far above the expected path the tables reach; one draw in 300,000 ends beyond
FAN_DATES = 37
MOST_CHUNK_BYTES = 160 << 20  # of the draws processed together: fewer for many groups or a long horizon
FEWEST_DRAWS = 16  # processed together, regardless of memory
_PASSING = 6  # temporary arrays of the size of a workload's draws
_PER_STATE = 1.25  # such arrays for a component's states and their bounds
FAN_DRAWS = 2048  # their quantiles have an error of two thirds of a percent of the draws; the dates use all draws
MOST_FAN_BYTES, FEWEST_FAN_DRAWS = 96 << 20, 256  # more than 300 subnets and groups: bands of fewer draws


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """Results of all simulations.

    Attributes
    ----------
    first_days : ndarray of int32, shape (n_subnets, n_paths)
        First day of shortage, days + 1 if there is none.
    fan_days : ndarray of int, shape (n_dates,)
    used : ndarray of float, shape (n_quantiles, n_subnets, n_dates)
        Quantiles of the addresses used.
    nodes : ndarray of float, shape (n_quantiles, n_groups, n_dates)
    left_over, stuck : ndarray of float, shape (n_dates,)
        Share of the simulations in which pods are unschedulable, and in which pods on nodes get no address.
    """

    first_days: Ints
    fan_days: Ints
    used: npt.NDArray[np.float64]
    nodes: npt.NDArray[np.float64]
    left_over: npt.NDArray[np.float64]
    stuck: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Addresses of one component in one subnet: per state, and the maximum of all states up to a rank."""

    component: int
    singles: Ints
    prefixes: Ints | None
    most_singles: Ints
    most_prefixes: Ints | None


def whole(number: int) -> np.signedinteger[Any]:
    """Number of addresses for sums with tables, in 32 bits if the sums fit."""
    import numpy as np

    return np.int32(number) if number < MOST_ADDED_UP else np.int64(number)


@dataclass(frozen=True, slots=True)
class _SubnetParts:
    subnet: Subnet
    fixed: int
    parts: tuple[_Part, ...]

    def short(self, pick: Callable[[_Part], Any], *, bound: bool = False) -> Any:
        """Whether the addresses of the components do not fit; ``pick`` selects states (ranks for a bound)."""
        import numpy as np

        singles: Any = whole(self.fixed)
        prefixes: Any = np.int32(0)
        for part in self.parts:
            at = pick(part)
            singles = singles + (part.most_singles if bound else part.singles).take(at)
            blocks = part.most_prefixes if bound else part.prefixes
            prefixes = prefixes if blocks is None else prefixes + blocks.take(at)
        return np.logical_not(prefixes_fit(self.subnet, prefixes, singles))


def simulate(
    plan: Plan,
    engine: Engine,
    base: Sequence[int],
    span: Horizon,
    paths: int,
    seed: int,
    scenario: str = "steady",
    progress: Progress = lambda _done, _total: None,
) -> Simulation:
    """Simulate ``paths`` futures and find when each subnet runs out in each of them.

    Parameters
    ----------
    base : sequence of int
        Replicas of each workload on day 0.
    progress : callable
        Called with the number of simulations that are done and the total.
    """
    import numpy as np

    growths = [w.growth for w in plan.workloads]
    expected = expected_replicas(plan, base, span)
    top = [_top(g, int(e.max()), span) for g, e in zip(growths, expected.T, strict=True)]
    points = calibrated(engine, expected, top, scenario)
    found = components(engine, points, top)
    subnets = _subnet_parts(plan, points, found)
    fan_days = np.unique(np.rint(np.linspace(0, span.days, FAN_DATES)).astype(np.int32))
    first_days = np.empty((len(subnets), paths), dtype=np.int32)
    shown = min(paths, fan_draws((len(subnets) + len(engine.shapes)) * len(fan_days)))
    wide = np.result_type(*(whole(s.fixed) for s in subnets), *(c.table.singles for c in found), np.int32)
    used = np.empty((len(subnets), len(fan_days), shown), dtype=wide)
    nodes = np.empty((len(engine.shapes), len(fan_days), shown), dtype=np.int32)
    left_over, stuck = (np.zeros((len(fan_days), shown), dtype=np.bool_) for _ in range(2))
    rng = np.random.default_rng(seed)
    draws = _Draws(found, growths, base, span)
    together = draws.together()
    for start in range(0, paths, together):
        here = slice(start, min(start + together, paths))
        count = here.stop - start
        states = [_every_day(s, span) for s in draws.states(count, rng)]
        most = [_blocks(s if c.rank is None else c.rank.take(s)) for c, s in zip(found, states, strict=True)]
        for i, subnet in enumerate(subnets):
            first_days[i, here] = _first_days(subnet, states, most, span.days, count)
        if start < shown:
            part = slice(start, min(here.stop, shown))
            at = [s[fan_days, : part.stop - start] for s in states]
            for i, subnet in enumerate(subnets):
                used[i, :, part] = _used(subnet, at)
            for c, s in zip(found, at, strict=True):
                left_over[:, part] |= c.left_over.take(s)
                stuck[:, part] |= c.stuck.take(s)
                for row, group in enumerate(c.groups):
                    nodes[group, :, part] = c.nodes[row].take(s)
        del states, most  # before the next draws need as much memory
        progress(here.stop, paths)
    shares = left_over.mean(axis=1), stuck.mean(axis=1)
    return Simulation(first_days, fan_days, _quantiles(used), _quantiles(nodes), *shares)


def fan_draws(places: int) -> int:
    """Number of simulations for the bands, given subnets and groups times dates; limits the memory."""
    return min(FAN_DRAWS, max(MOST_FAN_BYTES // (4 * max(places, 1)), FEWEST_FAN_DRAWS))


class _Draws:
    """Draws of every workload, each added to the sums of its component immediately.

    Parameters
    ----------
    found : sequence of Component
    growths, base : sequences, one entry per workload of the plan
        Growth of each workload, and its replicas on day 0.
    """

    def __init__(
        self, found: Sequence[Component], growths: Sequence[Growth | None], base: Sequence[int], span: Horizon
    ) -> None:
        self.found, self.growths, self.base, self.span = found, growths, base, span
        self.weights = [c.weights for c in found]
        self.place = {w: (c, i) for c, component in enumerate(found) for i, w in enumerate(component.workloads)}
        self.random = [w for w, growth in enumerate(growths) if is_random(growth)]
        self.calm = [self._calm(c) for c in range(len(found))]

    def _calm(self, component: int) -> list[Any]:
        """Sums of the workloads that are equal in every draw."""
        sums = [Sum(row) for row in self.weights[component]]
        for i, w in enumerate(self.found[component].workloads):
            if not is_random(self.growths[w]):
                pods = replica_paths(self.growths[w], self.base[w], self.span)
                for one in sums:
                    one.add(i, pods.astype("float32", copy=False))
        return [one.total for one in sums]

    def together(self) -> int:
        """Number of simulations processed together, so that their sums and states fit in the allowed memory."""
        uncertain = {self.place[w][0] for w in self.random if w in self.place}
        sums = sum(len(self.weights[c]) for c in uncertain)
        arrays = _PASSING + max(sums, len(uncertain) * _PER_STATE)  # states take the place of sums one by one
        return min(CHUNK, max(MOST_CHUNK_BYTES // int(4 * (self.span.days + 1) * arrays), FEWEST_DRAWS))

    def states(self, count: int, rng: np.random.Generator) -> list[Ints]:
        """States of every component in the next ``count`` draws, with workloads drawn in the plan's order."""
        sums = [list(map(Sum, *given)) for given in zip(self.weights, self.calm, strict=True)]
        for w in self.random:
            drawn = replica_paths(self.growths[w], self.base[w], self.span, count, rng).astype("float32", copy=False)
            if w in self.place:  # without groups it uses nothing, but is drawn like the others
                component, index = self.place[w]
                for one in sums[component]:
                    one.add(index, drawn)
        # Each set of sums is freed when its states are computed.
        return [c.states_of([one.total for one in sums.pop(0)]) for c in self.found]


def _every_day(states: Ints, span: Horizon) -> Ints:
    """One row per day, including groups that no workload of the plan uses."""
    import numpy as np

    return np.broadcast_to(states, (span.days + 1, states.shape[1])) if len(states) == 1 else states


def _quantiles(values: Ints) -> npt.NDArray[np.float64]:
    rows, dates, draws = values.shape
    return count_quantiles(values.reshape(rows * dates, draws), QUANTILES).reshape(len(QUANTILES), rows, dates)


def expected_replicas(plan: Plan, base: Sequence[int], span: Horizon) -> Floats:
    """Replicas on each day without randomness: shape (days, n_workloads). [pods]"""
    import numpy as np

    columns = [_expected(w.growth, n, span) for w, n in zip(plan.workloads, base, strict=True)]
    return np.stack(columns, axis=1) if columns else np.zeros((span.days + 1, 0))


def _expected(growth: Growth | None, now: int, span: Horizon) -> Floats:
    """Replicas of one workload without randomness."""
    from dataclasses import replace
    from fractions import Fraction

    calm = replace(growth, stddev=Fraction(0), uncertainty=Fraction(0)) if growth else None
    return replica_paths(calm, now, span)[:, 0]


def _top(growth: Growth | None, most: int, span: Horizon) -> int:
    """Replicas beyond which draws are not distinguished."""
    if growth is None:
        return most
    _, daily, unsure = log_rate(growth)
    above = exp(min(SIGMAS * sqrt(daily**2 * span.days + (unsure * span.days) ** 2), MOST_LOG))
    return int(min(most * above + 1, MOST_PODS))


def _subnet_parts(plan: Plan, points: Calibration, found: Sequence[Component]) -> list[_SubnetParts]:
    """Each subnet with its constant addresses and the components that use it."""
    parts: dict[str, list[_Part]] = {s.name: [] for s in plan.subnets}
    for c, component in enumerate(found):
        table = component.table
        for i, name in enumerate(table.subnets):
            singles, prefixes = table.singles[i], None if table.prefixes is None else table.prefixes[i]
            most = [_most_up_to(component.rank, values) for values in (singles, prefixes)]
            assert most[0] is not None
            parts[name].append(_Part(c, singles, prefixes, most[0], most[1]))
    others = held_by_others(points.first.subnets)
    return [_SubnetParts(s.subnet, others[s.subnet.name], tuple(parts[s.subnet.name])) for s in points.first.subnets]


def _most_up_to(rank: Ints | None, values: Ints | None) -> Ints | None:
    """Largest value of any state up to each rank 0, 1, …."""
    import numpy as np

    if values is None:
        return None
    if rank is None:
        return np.maximum.accumulate(values)
    most = np.zeros(int(rank.max()) + 1, dtype=values.dtype)
    order = np.argsort(rank, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(rank[order]) > 0))
    most[rank[order][starts]] = np.maximum.reduceat(values[order], starts)
    return np.maximum.accumulate(most)


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    """Largest rank of each block of days, and of all blocks so far: shape (blocks, n)."""

    most: Ints
    so_far: Ints


def _blocks(ranks: Ints) -> _Blocks:
    """Blocks from the rank of each day, shape (days, n)."""
    import numpy as np

    whole = len(ranks) // BLOCK_DAYS * BLOCK_DAYS
    most = ranks[:whole].reshape(-1, BLOCK_DAYS, ranks.shape[1]).max(axis=1)
    if whole < len(ranks):
        most = np.vstack([most, ranks[whole:].max(axis=0, keepdims=True)])
    so_far = most.copy()
    for block in range(1, len(so_far)):  # row by row: numpy's accumulate over the columns takes five times as long
        np.maximum(so_far[block], so_far[block - 1], out=so_far[block])
    return _Blocks(most, so_far)


def _used(subnet: _SubnetParts, states: Sequence[Ints]) -> Any:
    """Addresses used in each of the states."""

    total: Any = whole(subnet.fixed)
    for part in subnet.parts:
        state = states[part.component]
        total = total + part.singles.take(state)
        if part.prefixes is not None:
            total = total + PREFIX_SIZE * part.prefixes.take(state)
    return total


def _first_days(subnet: _SubnetParts, states: Sequence[Ints], most: Sequence[_Blocks], days: int, count: int) -> Ints:
    """Exact first day of shortage of each draw, ``days`` + 1 if there is none.

    Parameters
    ----------
    states : shape (days + 1, n) each
    most : _Blocks each
        Largest ranks of blocks of days.
    """
    import numpy as np

    result = np.full(count, days + 1, dtype=np.int32)
    blocks = -(-(days + 1) // BLOCK_DAYS)
    block = _first_block(subnet, [b.so_far for b in most], blocks, count)
    draws = np.flatnonzero(block < blocks)
    while draws.size:
        at = block[draws]
        bound = _on([b.most for b in most], at, at * count + draws)
        maybe = np.broadcast_to(subnet.short(bound, bound=True), at.shape)
        near = draws[maybe]
        day = np.minimum(BLOCK_DAYS * block[near] + np.arange(BLOCK_DAYS)[:, None], days)
        short = np.broadcast_to(subnet.short(_on(states, day, day * count + near)), day.shape)
        hit = short.any(axis=0)
        result[near[hit]] = day[short.argmax(axis=0)[hit], np.flatnonzero(hit)]
        block[draws] += 1
        block[near[hit]] = blocks
        draws = draws[block[draws] < blocks]
    return result


def _first_block(subnet: _SubnetParts, highest: Sequence[Ints], blocks: int, count: int) -> Any:
    """First block of each draw up to which the largest ranks allow a shortage in the subnet.

    Found by bisection: a shortage possible up to one block stays possible up to later ones. ``blocks`` if none.
    """
    import numpy as np

    low, high, draws = np.zeros(count, dtype=np.int64), np.full(count, blocks), np.arange(count)
    for _ in range(blocks.bit_length()):
        middle = (low + high) // 2
        at = np.minimum(middle, blocks - 1)
        maybe = subnet.short(_on(highest, at, at * count + draws), bound=True) | (middle >= blocks)
        high, low = np.where(maybe, middle, high), np.where(maybe, low, middle + 1)
    return high


def _on(values: Sequence[Ints], row: Any, flat: Any) -> Callable[[_Part], Any]:
    """Values of each component in some rows of some draws; ``flat`` is their index in the array of all."""

    def pick(part: _Part) -> Any:
        mine = values[part.component]
        return mine.take(flat) if mine.shape[1] > 1 else mine[row, 0]

    return pick
