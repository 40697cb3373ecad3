"""Column generation: the least cost with whole pods and fractional nodes, with a valid bound at any time.

A column is one node with its pods. The linear program over a few initial columns gives each pod a price; a node whose
pods are worth more than the node costs is a new column (Gilmore and Gomory, 1961). If the generation stops early, the
value of the program is not a bound. It becomes one when it is divided by the largest ratio of worth to cost of any node
(Farley, 1990): ``prices @ counts / max(1, max over kinds of worth ÷ cost)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from capacity.optimize.fluid import Fluid
from capacity.optimize.knapsack import Filled, Knapsacks
from capacity.optimize.problem import Floats, Ints, Problem
from capacity.optimize.solver import Entries, Program

HOT = 25  # kinds whose nodes are worth most; new columns come from these
QUICK_ENOUGH = 0.4  # quick fillings that win this share of what is possible make exact ones unnecessary
IMPROVES = 1e-6  # a column must be worth this share more than it costs


@dataclass(frozen=True, slots=True)
class Generating:
    """Limits on the work of a column generation.

    Attributes
    ----------
    rounds : int
        Rounds of pricing.
    exact : int
        Kinds per round that are filled exactly if quick fillings found no column.
    gap : float
        Stop if value and bound are this close, as a share of the value.
    exact_gap : float
        How close to the best an exact filling must be, as a share of its worth.
    finish : int
        Most exact fillings after the rounds: the quick bounds are weak for nodes with few pods.
    """

    rounds: int
    exact: int
    gap: float
    exact_gap: float = 0.0005
    finish: int = 0


@dataclass
class Columns:
    """Nodes with their pods, and how many of each the linear program buys.

    Attributes
    ----------
    kinds : list of int
    pods : list of array
        Pods by shape of each column.
    bought : array
        Fractions of each column.
    cost, bound : float
        Value of the program over the columns, and a lower bound of any packing. [USD per hour]
    worths : array
        The prices of pods that the bound follows from: no node is worth more than it costs. [USD per hour]
    """

    kinds: list[int] = field(default_factory=list)
    pods: list[Ints] = field(default_factory=list)
    bought: Floats = field(default_factory=lambda: np.zeros(0))
    cost: float = float("inf")
    bound: float = 0.0
    worths: Floats = field(default_factory=lambda: np.zeros(0))


def generate(
    problem: Problem,
    fluid: Fluid,
    work: Generating,
    *,
    start: Columns | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Columns:
    """Columns of the problem, and their best fractions.

    Parameters
    ----------
    start : Columns or None
        Columns known to be good, for example those of a problem with more replicas.
    stopped : callable
        Called between rounds; True ends the generation with a valid bound.
    """
    knapsacks = Knapsacks(problem)
    master = _Master(problem)
    for kind, pods in _first_columns(problem, fluid, knapsacks, start):
        master.add(kind, pods)
    centre = fluid.duals
    master.columns.bound, master.columns.worths = fluid.cost, fluid.duals
    duals = master.solve()
    for _ in range(work.rounds):
        # Prices between the program's and those of the best bound: the program's own swing, and mislead.
        between = (duals + centre) / 2
        found = _priced(problem, master, knapsacks, between, work)
        if found.bound > master.columns.bound:
            centre = between
            master.bounded(found.bound, between)
        if not found.columns:
            found = _priced(problem, master, knapsacks, duals, work)
            if found.bound > master.columns.bound:
                centre = duals
                master.bounded(found.bound, duals)
        if not found.columns or stopped():
            break
        duals = master.solve()
        if master.columns.cost - master.columns.bound <= work.gap * master.columns.cost:
            break
    duals = master.solve()
    _finish(problem, master, knapsacks, duals, work, stopped)
    return master.columns


def _finish(
    problem: Problem,
    master: _Master,
    knapsacks: Knapsacks,
    duals: Floats,
    work: Generating,
    stopped: Callable[[], bool],
) -> None:
    """Fill exactly every kind that can be worth more than it costs, until the bound is near the value."""
    left = work.finish
    columns = master.columns
    while left > 0 and columns.cost - columns.bound > work.gap * columns.cost and not stopped():
        limit = 1.0 + work.gap
        over, added = limit, 0
        filled = {k: knapsacks.fill(k, duals) for k in range(len(problem.kinds))}
        for k in sorted(filled, key=lambda k: (-filled[k].bound / problem.prices[k], k)):
            one, price = filled[k], float(problem.prices[k])
            if one.bound > price * limit and left > 0:
                one, left = knapsacks.best(k, duals, work.gap / 4), left - 1
            over = max(over, one.bound / price)
            if one.worth > price * (1 + IMPROVES):
                added += master.add(k, one.pods)
        master.bounded(float(duals @ problem.counts) / over, duals)
        if not added:
            break
        duals = master.solve()


class _Found(NamedTuple):
    columns: int
    bound: float


def _priced(problem: Problem, master: _Master, knapsacks: Knapsacks, duals: Floats, work: Generating) -> _Found:
    """New columns at the current prices of pods, and the bound that follows from these prices."""
    filled = _filled(problem, knapsacks, duals)
    hot = list(filled)[:HOT]
    may = max(filled[k].bound / problem.prices[k] for k in hot) - 1
    does = max(filled[k].worth / problem.prices[k] for k in hot) - 1
    if work.exact and may > IMPROVES and does < may * QUICK_ENOUGH:
        for k in hot[: work.exact]:
            if filled[k].bound > problem.prices[k] * (1 + IMPROVES):
                filled[k] = knapsacks.best(k, duals, work.exact_gap)
    added = sum(master.add(k, filled[k].pods) for k in hot if filled[k].worth > problem.prices[k] * (1 + IMPROVES))
    over = max(max(f.bound / problem.prices[k] for k, f in filled.items()), 1.0)
    return _Found(added, float(duals @ problem.counts) / over)


def _filled(problem: Problem, knapsacks: Knapsacks, duals: Floats) -> dict[int, Filled]:
    """Fillings of the kinds whose nodes can be worth most for their price, best first.

    Kinds are filled in the order of a quick bound until ``HOT`` are filled and no other can be worth more than the
    best.
    """
    quick = knapsacks.bounds(duals) / problem.prices
    filled: dict[int, Filled] = {}
    best = 0.0
    for k in np.argsort(-quick, kind="stable"):
        if len(filled) >= HOT and quick[k] <= best:
            break
        filled[int(k)] = one = knapsacks.fill(int(k), duals)
        best = max(best, one.bound / float(problem.prices[k]))
    order = sorted(filled, key=lambda k: (-filled[k].bound / problem.prices[k], k))
    return {k: filled[k] for k in order}


def _first_columns(
    problem: Problem, fluid: Fluid, knapsacks: Knapsacks, start: Columns | None
) -> list[tuple[int, Ints]]:
    """Initial columns: for each shape the cheapest node per pod, full of it; the best fillings by the fluid prices; and
    known columns.
    """
    chosen: list[tuple[int, Ints]] = []
    most = np.minimum(problem.caps, problem.counts[None])
    for s in np.nonzero(problem.counts)[0]:
        with np.errstate(divide="ignore"):
            kind = int(np.argmin(np.where(most[:, s] > 0, problem.prices / np.maximum(most[:, s], 1), np.inf)))
        pods = np.zeros(len(problem.shapes), dtype=np.int64)
        pods[s] = most[kind, s]
        chosen.append((kind, pods))
    if start is None:
        filled = _filled(problem, knapsacks, fluid.duals)
        chosen += [(k, filled[k].pods) for k in list(filled)[:HOT]]
    else:
        chosen += [(k, np.minimum(p, problem.counts)) for k, p in zip(start.kinds, start.pods, strict=True)]
    return [(kind, pods) for kind, pods in chosen if pods.any()]


class _Master:
    """The linear program over the columns: cover each shape at the least cost."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._known: set[tuple[int, bytes]] = set()
        self.columns = Columns()
        self._program: Program | None = None

    def add(self, kind: int, pods: Ints) -> int:
        """1 if the column is new."""
        key = (kind, pods.tobytes())
        if key in self._known:
            return 0
        self._known.add(key)
        self.columns.kinds.append(kind)
        self.columns.pods.append(pods.copy())
        if self._program is not None:
            rows = np.nonzero(pods)[0]
            self._program.add_column(float(self._problem.prices[kind]), rows, pods[rows].astype(float))
        return 1

    def bounded(self, bound: float, duals: Floats) -> None:
        """Keep the best bound: the value of the prices, divided by the largest ratio of worth to cost."""
        worth = float(duals @ self._problem.counts)
        if bound > self.columns.bound and worth > 0:
            self.columns.bound, self.columns.worths = bound, duals * (bound / worth)

    def solve(self) -> Floats:
        """Keep the fractions of the columns and their cost; return the price of a pod of each shape."""
        if self._program is None:
            self._program = self._built()
        solved = self._program.solve()
        if solved.values is None or solved.duals is None:
            raise ValueError("the columns do not cover every shape")
        self.columns.bought, self.columns.cost = solved.values, solved.cost
        return np.maximum(solved.duals, 0.0)

    def _built(self) -> Program:
        columns = self.columns
        matrix = np.array(columns.pods)
        at, shape = np.nonzero(matrix)
        return Program(
            self._problem.prices[columns.kinds],
            Entries(shape, at, matrix[at, shape].astype(float)),
            self._problem.counts.astype(float),
            np.full(len(self._problem.shapes), np.inf),
            most=np.full(len(columns.kinds), np.inf),
        )
