"""The weakest bound and the initial prices: pods and nodes can be fractions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from capacity.optimize.problem import Floats, Problem
from capacity.optimize.solver import INFEASIBLE, Entries, Program


class Fluid(NamedTuple):
    """Value of the relaxation (a lower bound of every packing), and the cost of one more pod of each shape in it."""

    cost: float
    duals: Floats


def fluid_bound(problem: Problem) -> Fluid:
    """The least cost if pods can be divided and nodes bought in fractions. [USD per hour]

    Minimize Σ c_t x_t with Σ_t y_st = n_s and Σ_s a_sd y_st ≤ R_td x_t for each kind t and resource d; y_st only if one
    whole pod fits on a node. The duals of the first rows are the initial prices of pods for a column generation.

    Raises
    ------
    ValueError
        If a shape with replicas fits no kind.
    """
    shapes, kinds, width = len(problem.shapes), len(problem.kinds), problem.demand.shape[1]
    allowed_kind, allowed_shape = np.nonzero(problem.caps > 0)
    pairs = len(allowed_kind)
    if not np.isin(np.nonzero(problem.counts)[0], allowed_shape).all():
        raise ValueError("a pod fits no kind")
    pair = np.arange(pairs)
    rows = [allowed_shape]
    columns = [kinds + pair]
    values = [np.ones(pairs)]
    for d in range(width):
        rows += [shapes + allowed_kind * width + d, shapes + np.arange(kinds) * width + d]
        columns += [kinds + pair, np.arange(kinds)]
        values += [problem.demand[allowed_shape, d].astype(float), -problem.room[:, d].astype(float)]
    lower = np.concatenate([problem.counts.astype(float), np.full(kinds * width, -np.inf)])
    upper = np.concatenate([np.full(shapes, np.inf), np.zeros(kinds * width)])
    costs = np.concatenate([problem.prices, np.zeros(pairs)])
    program = Program(
        costs,
        Entries(np.concatenate(rows), np.concatenate(columns), np.concatenate(values)),
        lower,
        upper,
        most=np.full(len(costs), np.inf),
    )
    solved = program.solve()
    if solved.status == INFEASIBLE or solved.duals is None:
        raise ValueError("the fluid relaxation has no solution")
    return Fluid(solved.cost, np.maximum(solved.duals[:shapes], 0.0))
