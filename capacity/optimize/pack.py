"""The cheapest packing that the allowed work finds, with a lower bound of any packing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from capacity.optimize.aggregate import Aggregate, aggregate, assigned
from capacity.optimize.column_generation import Columns, Generating, generate
from capacity.optimize.dominance import undominated
from capacity.optimize.fluid import Fluid, fluid_bound
from capacity.optimize.improve import improved
from capacity.optimize.knapsack import Knapsacks
from capacity.optimize.nodes import Bins, joined, unfolded
from capacity.optimize.problem import MONEY, Pattern, Problem
from capacity.optimize.residual import by_aggregate, by_columns, dive, floors, packed, promising, rounded_up
from capacity.optimize.solver import Entries, Program

SMALL = 1000  # pods up to which whole pods and nodes are worth an exact program over all kinds
FEW = 150  # pods up to which a proof is worth the time
MOST_PAIRS = 600  # shapes × kinds up to which the program over a large plan is worth its bound
FEWEST_KINDS, MOST_KINDS = 8, 30  # in the program over what the columns leave
ONE_SHAPE_BRANCHES = 10_000
OPENED = 12  # equal nodes of the whole part that may be packed again
MOST_ASSIGNED = 16  # nodes up to which pods are assigned to them exactly
WITH_BOUND = 2_000  # branches of the exact program with the known bound as a row
PROVEN = 1e-6  # a gap of solver tolerance [share]


@dataclass(frozen=True, slots=True)
class Effort:
    """Limits on the work. They count steps, not seconds, so equal input gives an equal answer.

    Attributes
    ----------
    columns : Generating
        Column generation over the whole problem.
    residual : Generating or None
        Column generation in each step of the dive; None without a dive.
    branches : int
        Branch-and-bound nodes of the program over what the columns leave.
    pairs : int
        Shapes × kinds of that program, about: the more shapes, the fewer kinds.
    rest_gap : float
        Gap at which that program stops, as a share of its value, which is a small part of a large plan.
    small_branches : int
        Branch-and-bound nodes of the exact program of a small plan.
    bound_branches : int
        Branch-and-bound nodes of the same program of a larger plan, for its bound.
    repacks : int
        Attempts to repack a few nodes.
    few_pods : Generating
        Column generation over the whole of a small plan.
    master : int
        Branch-and-bound nodes of the program over the columns of a small plan.
    enough : float
        Gap below which the exact program of a plan with more than ``FEW`` pods is left out, as a share of the cost.
    """

    columns: Generating
    residual: Generating | None
    branches: int
    pairs: int
    rest_gap: float
    small_branches: int
    bound_branches: int
    repacks: int
    few_pods: Generating
    master: int
    enough: float


EFFORTS = {
    "quick": Effort(
        Generating(12, 0, 0.01),
        None,
        branches=10,
        pairs=250,
        rest_gap=0.02,
        small_branches=50,
        bound_branches=0,
        repacks=0,
        few_pods=Generating(12, 0, 0.01),
        master=50,
        enough=0.02,
    ),
    "normal": Effort(
        Generating(60, 1, 0.004, 0.002),
        None,
        branches=40,
        pairs=500,
        rest_gap=0.005,
        small_branches=1_000,
        bound_branches=0,
        repacks=0,
        few_pods=Generating(60, 1, 0.002, 0.002, finish=200),
        master=300,
        enough=0.005,
    ),
    "thorough": Effort(
        Generating(200, 4, 0.0004),
        Generating(8, 0, 0.002),
        branches=200,
        pairs=1_500,
        rest_gap=0.002,
        small_branches=20_000,
        bound_branches=200,
        repacks=12,
        few_pods=Generating(200, 4, 0.0004, finish=600),
        master=2_000,
        enough=0.0,
    ),
}


class Packing(NamedTuple):
    """Nodes with their pods, the price, and the lower bound of any packing. [USD per hour]

    ``zones``: the zone of each pattern by its number, if zones matter; otherwise empty.
    """

    patterns: tuple[Pattern, ...]
    cost: float
    bound: float
    zones: tuple[int, ...] = ()

    @property
    def gap(self) -> float:
        """How much more expensive than the bound, as a share of the price."""
        return 0.0 if self.cost <= 0 else max(self.cost - self.bound, 0.0) / self.cost


def pack(problem: Problem, effort: Effort, stopped: Callable[[], bool] = lambda: False) -> Packing:
    """The cheapest packing found and the best bound. Patterns name kinds by their number in the problem.

    Parameters
    ----------
    stopped : callable
        Called between steps; True ends the search with the best result so far.

    Raises
    ------
    ValueError
        If a shape with replicas fits no kind.
    """
    shapes = [s for s in range(len(problem.shapes)) if problem.shapes[s].replicas]
    if not shapes:
        return Packing((), 0.0, 0.0)
    kept = undominated(problem).numbers
    if not kept:
        raise ValueError("a pod fits no kind")
    part = Problem(tuple(problem.shapes[s] for s in shapes), tuple(problem.kinds[k] for k in kept))
    found = _one_shape(part) if len(shapes) == 1 else _many_shapes(part, effort, stopped)
    patterns = tuple(
        Pattern(kept[p.kind], _spread(p.pods, shapes, len(problem.shapes)), p.nodes) for p in found.patterns
    )
    cost = problem.cost(patterns)
    return Packing(patterns, cost, min(found.bound, cost))


def _one_shape(problem: Problem) -> Packing:
    """Pods of one shape: whole nodes with at least that many pods, at the least cost; exact."""
    caps, count = problem.caps[:, 0], int(problem.counts[0])
    kinds = np.arange(len(caps))
    program = Program(
        problem.prices,
        Entries(np.zeros_like(kinds), kinds, caps.astype(float)),
        np.array([float(count)]),
        np.array([np.inf]),
        most=np.full(len(caps), np.inf),
        whole=True,
    )
    program.limit(nodes=ONE_SHAPE_BRANCHES, gap=0.0)
    solved = program.solve()
    whole = solved.values
    if whole is None:  # stopped before any solution: the best kind alone
        alone = np.where(caps > 0, -(-count // np.maximum(caps, 1)), 0)
        best = int(np.argmin(np.where(caps > 0, alone * problem.prices, np.inf)))
        whole = np.where(kinds == best, alone, 0).astype(float)
    patterns: list[Pattern] = []
    left = count
    for kind in sorted(np.nonzero(np.round(whole))[0], key=lambda k: -caps[k]):
        cap, nodes = int(caps[kind]), round(float(whole[kind]))
        full = min(nodes, left // cap)
        left -= full * cap
        patterns += [Pattern(int(kind), (cap,), full)] if full else []
        if left and full < nodes:
            patterns.append(Pattern(int(kind), (left,), 1))
            left = 0
    fluid = count * float((problem.prices / np.maximum(caps, 1))[caps > 0].min())
    return Packing(tuple(patterns), problem.cost(patterns), max(solved.bound, fluid))


def _many_shapes(problem: Problem, effort: Effort, stopped: Callable[[], bool]) -> Packing:
    """Columns and their whole part; the rest by the better of two ways; an exact program; a few nodes repacked."""
    fluid = fluid_bound(problem)
    pods = int(problem.counts.sum())
    small, few = pods <= SMALL, pods <= FEW
    columns = generate(problem, fluid, effort.few_pods if few else effort.columns, stopped=stopped)
    bound = max(columns.bound, fluid.cost)
    whole, left = floors(problem, columns)
    bins = Bins(problem)
    if left.any():
        bins = _rest(problem.with_counts(left), columns, effort, stopped, few=small)
        bins.problem = problem
    if small:
        bins, whole = joined(problem, [unfolded(problem, whole), bins]), []
        bins.shrink()
        other = by_columns(problem, columns, limit=effort.master) if few and not stopped() else None
        if other is not None and other.cost < bins.cost - MONEY:
            bins = other
    branches = effort.small_branches // (1 if few else 10) if small else effort.bound_branches
    cost = bins.cost + problem.cost(whole)
    unproven = cost > bound * (1 + PROVEN) and (few or cost - bound > effort.enough * cost)
    worth_it = small or len(problem.shapes) * len(problem.kinds) <= MOST_PAIRS
    if branches and unproven and worth_it and not stopped():
        worths = Fluid(columns.bound, columns.worths)
        bins, bound = _exact(problem, worths, bins, problem.cost(whole), bound, branches)
    if effort.repacks and problem.cost(whole) + bins.cost > bound * (1 + PROVEN) and not stopped():
        opened = [p._replace(nodes=min(p.nodes, OPENED)) for p in whole]
        whole = [p._replace(nodes=p.nodes - o.nodes) for p, o in zip(whole, opened, strict=True) if p.nodes > o.nodes]
        bins = improved(joined(problem, [unfolded(problem, opened), bins]), fluid.duals, effort.repacks, stopped)
    bins.shrink()
    patterns = (*whole, *bins.patterns())
    return Packing(patterns, problem.cost(patterns), bound)


def _spread(pods: tuple[int, ...], shapes: list[int], width: int) -> tuple[int, ...]:
    whole = [0] * width
    for s, n in zip(shapes, pods, strict=True):
        whole[s] = n
    return tuple(whole)


def _rest(rest: Problem, columns: Columns, effort: Effort, stopped: Callable[[], bool], *, few: bool) -> Bins:
    found: list[Bins] = []
    if stopped():
        return rounded_up(rest, columns)
    part = promising(rest, max(min(effort.pairs // len(rest.shapes), MOST_KINDS), FEWEST_KINDS))
    bins = by_aggregate(part, limit=effort.branches, gap=effort.rest_gap)
    if bins is not None:
        found.append(_renumbered(rest, bins))
    if effort.residual is not None or few or not found:
        found.append(dive(rest, columns, effort.residual or Generating(4, 0, 0.01), stopped))
    return min(found, key=lambda bins: round(bins.cost, 9))


def _renumbered(problem: Problem, bins: Bins) -> Bins:
    """Convert nodes to the kind numbers of ``problem``; the given problem has a part of its kinds."""
    number = {kind.name: k for k, kind in enumerate(problem.kinds)}
    other = Bins(problem)
    other.kinds = [number[bins.problem.kinds[k].name] for k in bins.kinds]
    other.pods, other.left = bins.pods, bins.left
    return other


def _exact(
    problem: Problem, fluid: Fluid, bins: Bins, beside: float, bound: float, branches: int
) -> tuple[Bins, float]:
    """The aggregate program over the kinds that can still be in a cheaper packing: its bound, and its nodes if they are
    better.

    Its nodes are tried unchanged, then packed with repairs. A second program with at most one node of each kind is
    itself a packing. ``beside`` is the cost of nodes that are not in ``bins``: only the bound is then used.
    """
    best = bins.cost + beside
    part = _may_be_cheaper(problem, fluid, best)
    if not part.kinds:
        return bins, best
    # The known bound as a row proves most plans in few branches; where it does not, the program without it does better.
    found = aggregate(part, limit=min(branches, WITH_BOUND), least=bound)
    bound = max(bound, min(found.bound, best))
    if branches > WITH_BOUND and not found.proven:
        plain = aggregate(part, limit=branches)
        bound = max(bound, min(plain.bound, best))
        found = plain if plain.cost < found.cost else found
    for single in (False, True):
        if beside or bins.cost <= bound * (1 + PROVEN):
            break
        if single:
            found = aggregate(part, limit=branches, least=bound, single=True)
        if found.nodes is not None and found.cost < bins.cost - MONEY:
            other = _renumbered(problem, _packed_exactly(part, found, branches))
            if other.cost < bins.cost - MONEY:
                bins = other
    return bins, bound


def _packed_exactly(problem: Problem, found: Aggregate, branches: int) -> Bins:
    """The nodes of an aggregate result with every pod on one of them, otherwise with a few additional nodes."""
    assert found.nodes is not None
    nodes = [int(k) for k in np.repeat(np.arange(len(problem.kinds)), found.nodes)]
    bins = packed(problem, found)
    if bins.cost > found.cost + MONEY and len(nodes) <= MOST_ASSIGNED:
        pods = assigned(problem, nodes, limit=branches)
        if pods is not None:
            bins = Bins(problem)
            for kind, of_node in zip(nodes, pods, strict=True):
                bins.open(kind, of_node)
            bins.shrink()
    return bins


def _may_be_cheaper(problem: Problem, fluid: Fluid, best: float) -> Problem:
    """Remove the kinds of which a single node raises the fluid bound to the best cost (reduced-cost fixing).

    No kind is left if no packing is cheaper than the best.
    """
    knapsacks = Knapsacks(problem)
    keep = [
        k
        for k in range(len(problem.kinds))
        if fluid.cost + problem.prices[k] - knapsacks.fill(k, fluid.duals).bound < best - MONEY
    ]
    part = problem.with_kinds(keep)
    covered = bool(keep) and bool(np.all(part.caps.max(axis=0) > 0))
    return part if covered else problem.with_kinds([])
