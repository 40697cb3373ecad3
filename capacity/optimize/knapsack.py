"""The most valuable node: the pods, each with a price, that one node of a kind should run."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from capacity.optimize.problem import Floats, Ints, Problem
from capacity.optimize.solver import Entries, Program


class Filled(NamedTuple):
    """The pods of a node, their worth, and a value that no filling of the node exceeds."""

    pods: Ints
    worth: float
    bound: float


class Knapsacks:
    """Fillings of the nodes of a problem while the prices of pods change.

    Parameters
    ----------
    problem : Problem
    whole_limit : int
        Branch-and-bound nodes of an exact filling.
    """

    def __init__(self, problem: Problem, *, whole_limit: int = 400) -> None:
        self._problem = problem
        self._most = np.minimum(problem.caps, problem.counts[None])
        self._limit = whole_limit
        self._rates: Floats = np.zeros(problem.room.shape)  # worth of a unit of each resource, as last solved by kind
        self._rated = np.zeros(len(problem.kinds), dtype=bool)
        shapes, width = problem.demand.shape
        rows, columns = np.meshgrid(np.arange(width), np.arange(shapes), indexing="ij")
        self._entries = Entries(rows.ravel(), columns.ravel(), problem.demand.T.astype(float).ravel())
        self._linear = Program(
            np.zeros(shapes), self._entries, np.full(width, -np.inf), np.zeros(width), most=np.zeros(shapes)
        )

    def bounds(self, worths: Floats) -> Floats:
        """Upper bounds of the fillings of each kind without solving, from the rates of its last filling.

        Any rates λ ≥ 0 bound the relaxation: room · λ + Σ most · max(0, worth − demand · λ) (duality). Kinds that were
        not filled yet have no rates: their bound is infinity.
        """
        over = np.maximum(worths[None] - self._rates @ self._problem.demand.T, 0.0)
        values = (self._rates * self._problem.room).sum(axis=1) + (self._most * over).sum(axis=1)
        return np.where(self._rated, values + 1e-9, np.inf)

    def fill(self, kind: int, worths: Floats) -> Filled:
        """A good filling of a node, from the linear relaxation, and the relaxation's value as its bound."""
        self._linear.change_costs(-worths)
        self._linear.change_limits(self._most[kind].astype(float), self._problem.room[kind].astype(float))
        solved = self._linear.solve()
        if solved.values is None or solved.duals is None:
            return Filled(np.zeros(len(worths), dtype=np.int64), 0.0, float("inf"))
        pods = np.floor(solved.values + 1e-7).astype(np.int64)
        self._rates[kind] = np.maximum(-solved.duals, 0.0)
        self._rated[kind] = True
        cost = self._problem.demand @ self._rates[kind]
        order = np.argsort(-worths / np.maximum(cost, 1e-12), kind="stable")
        pods = self._filled_up(kind, pods, worths, order)
        return Filled(pods, float(worths @ pods), -solved.cost + 1e-9)

    def best(self, kind: int, worths: Floats, gap: float) -> Filled:
        """The most valuable filling within a gap, or the best one within the work limit."""
        program = Program(
            -worths,
            self._entries,
            np.full(self._problem.demand.shape[1], -np.inf),
            self._problem.room[kind].astype(float),
            most=self._most[kind].astype(float),
            whole=True,
        )
        program.limit(nodes=self._limit, gap=gap)
        solved = program.solve()
        if solved.values is None:
            return self.fill(kind, worths)
        pods = np.round(solved.values).astype(np.int64)
        return Filled(pods, float(worths @ pods), -solved.bound + 1e-9)

    def _filled_up(self, kind: int, pods: Ints, worths: Floats, order: Ints) -> Ints:
        """Add pods, the most valuable for their room first, while any pod fits."""
        demand, most = self._problem.demand, self._most[kind]
        left = self._problem.room[kind] - pods @ demand
        may = (demand <= left).all(axis=1) & (pods < most) & (worths > 0)
        for s in order[may[order]]:
            taken = demand[s] > 0
            more = int(min((left[taken] // demand[s][taken]).min(initial=most[s]), most[s] - pods[s]))
            if more > 0:
                pods[s] += more
                left = left - more * demand[s]
        return pods
