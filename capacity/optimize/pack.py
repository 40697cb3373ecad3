"""The cheapest packing that the allowed work finds, with a bound that no packing is below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from capacity.optimize.aggregate import Aggregate, aggregate, assigned
from capacity.optimize.columns import Columns, Generating, generate
from capacity.optimize.dominance import undominated
from capacity.optimize.fluid import Fluid, fluid_bound
from capacity.optimize.improve import improved
from capacity.optimize.knapsack import Knapsacks
from capacity.optimize.nodes import Bins, joined, unfolded
from capacity.optimize.problem import MONEY, Floats, Pattern, Problem
from capacity.optimize.residual import by_aggregate, dive, floors, packed, promising

SMALL = 1000  # pods up to which whole pods and nodes are worth an exact program over all kinds
MOST_PAIRS = 2_500  # shapes × kinds up to which the program over a large plan is worth its bound
MOST_ASSIGNED = 16  # nodes up to which pods are assigned to them exactly
PROVEN = 1e-6  # a gap of solver tolerance [share]


@dataclass(frozen=True, slots=True)
class Effort:
    """Work that may be done. It is counted in steps, not in seconds, so the same input gives the same answer.

    Attributes
    ----------
    columns : Generating
        Column generation over the whole problem.
    residual : Generating or None
        Column generation in each step of the dive; None for no dive.
    branches : int
        Branch-and-bound nodes of the program over what the columns leave.
    small_branches : int
        Branch-and-bound nodes of the exact program of a small plan.
    bound_branches : int
        Branch-and-bound nodes of the same program of a larger plan, for its bound.
    repacks : int
        Attempts to repack a few nodes.
    """

    columns: Generating
    residual: Generating | None
    branches: int
    small_branches: int
    bound_branches: int
    repacks: int


EFFORTS = {
    "quick": Effort(Generating(12, 0, 0.01), None, 10, 50, 0, 0),
    "normal": Effort(Generating(40, 3, 0.004), None, 40, 1_000, 0, 4),
    "thorough": Effort(Generating(200, 4, 0.0004), Generating(8, 0, 0.002), 200, 20_000, 200, 12),
}


class Packing(NamedTuple):
    """Nodes with their pods, the price, and the least any packing can cost. [USD per hour]"""

    patterns: tuple[Pattern, ...]
    cost: float
    bound: float

    @property
    def gap(self) -> float:
        """How much dearer than the bound, as a share of the price."""
        return 0.0 if self.cost <= 0 else max(self.cost - self.bound, 0.0) / self.cost


def pack(problem: Problem, effort: Effort, stopped: Callable[[], bool] = lambda: False) -> Packing:
    """The cheapest packing found and the best bound. Patterns name kinds by their number in the problem.

    Parameters
    ----------
    stopped : callable
        Asked between steps; True ends the search with the best so far.

    Raises
    ------
    ValueError
        If a shape with replicas fits no kind.
    """
    shapes = [s for s in range(len(problem.shapes)) if problem.shapes[s].count]
    if not shapes:
        return Packing((), 0.0, 0.0)
    kept = undominated(problem).numbers
    if not kept:
        raise ValueError("a pod fits no kind")
    part = Problem(tuple(problem.shapes[s] for s in shapes), tuple(problem.kinds[k] for k in kept))
    fluid = fluid_bound(part)
    small = int(part.counts.sum()) <= SMALL or len(shapes) == 1
    bins, bound, duals = _large(part, fluid, effort, stopped, few=small)
    branches = effort.small_branches if small else effort.bound_branches
    if branches and (small or len(part.shapes) * len(part.kinds) <= MOST_PAIRS) and not stopped():
        bins, bound = _exact(part, fluid, bins, bound, branches)
    if effort.repacks and bins.cost > bound * (1 + PROVEN) and not stopped():
        bins = improved(bins, duals, effort.repacks, stopped)
    bins.shrink()
    patterns = tuple(
        Pattern(kept[p.kind], _spread(p.pods, shapes, len(problem.shapes)), p.count) for p in bins.patterns()
    )
    cost = problem.cost(patterns)
    return Packing(patterns, cost, min(bound, cost))


def _spread(pods: tuple[int, ...], shapes: list[int], width: int) -> tuple[int, ...]:
    whole = [0] * width
    for s, n in zip(shapes, pods, strict=True):
        whole[s] = n
    return tuple(whole)


def _large(
    problem: Problem, fluid: Fluid, effort: Effort, stopped: Callable[[], bool], *, few: bool
) -> tuple[Bins, float, Floats]:
    """Columns, their whole part, and the rest by the better of two ways; the bound; prices of pods."""
    columns = generate(problem, fluid, effort.columns, stopped=stopped)
    whole, left = floors(problem, columns)
    bins = unfolded(problem, whole)
    if left.any():
        rest = problem.with_counts(left)
        bins = joined(problem, [bins, _rest(rest, columns, effort, stopped, few=few)])
    return bins, max(columns.bound, fluid.cost), fluid.duals


def _rest(rest: Problem, columns: Columns, effort: Effort, stopped: Callable[[], bool], *, few: bool) -> Bins:
    found: list[Bins] = []
    if not stopped():
        part = promising(rest, 30)
        bins = by_aggregate(part, limit=effort.branches, gap=0.002)
        if bins is not None:
            found.append(_renumbered(rest, bins))
    if effort.residual is not None or few or not found:
        found.append(dive(rest, columns, effort.residual or Generating(4, 0, 0.01), stopped))
    return min(found, key=lambda bins: round(bins.cost, 9))


def _renumbered(problem: Problem, bins: Bins) -> Bins:
    """The same nodes with the kind numbers of ``problem``."""
    number = {kind.name: k for k, kind in enumerate(problem.kinds)}
    other = Bins(problem)
    other.kinds = [number[bins.problem.kinds[k].name] for k in bins.kinds]
    other.pods, other.left = bins.pods, bins.left
    return other


def _exact(problem: Problem, fluid: Fluid, bins: Bins, bound: float, branches: int) -> tuple[Bins, float]:
    """The aggregate program over the kinds that can still be in a cheaper packing: its bound, its nodes if better.

    Its nodes are tried as they are, then packed with repairs; a second program with at most one node of each kind is
    a packing by itself.
    """
    part = _may_be_cheaper(problem, fluid, bins.cost)
    if not part.kinds:
        return bins, bound
    found = aggregate(part, limit=branches, least=bound)
    bound = max(bound, min(found.bound, bins.cost))
    for single in (False, True):
        if bins.cost <= bound * (1 + PROVEN):
            break
        if single:
            found = aggregate(part, limit=branches, least=bound, single=True)
        if found.nodes is not None and found.cost < bins.cost - MONEY:
            other = _renumbered(problem, _packed_exactly(part, found, branches))
            if other.cost < bins.cost - MONEY:
                bins = other
    return bins, bound


def _packed_exactly(problem: Problem, found: Aggregate, branches: int) -> Bins:
    """The nodes of an aggregate answer with every pod on one of them, or else with a few more nodes."""
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
    """Without the kinds of which one node alone lifts the fluid bound to the best cost (reduced-cost fixing)."""
    knapsacks = Knapsacks(problem)
    keep = [
        k
        for k in range(len(problem.kinds))
        if fluid.cost + problem.prices[k] - knapsacks.fill(k, fluid.duals).bound < best - MONEY
    ]
    part = problem.with_kinds(keep)
    covered = bool(keep) and bool(np.all(part.caps.max(axis=0) > 0))
    return part if covered else problem
