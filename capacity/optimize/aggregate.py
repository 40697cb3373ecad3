"""Solve for whole nodes and whole pods, without deciding which pod is on which node of a kind.

This is the strong bound for small plans: pods and nodes are whole, but all nodes of a kind share their room. If every
kind has at most one node, the result is a packing and therefore optimal.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from capacity.optimize.problem import Ints, Problem
from capacity.optimize.solver import OPTIMAL, Entries, Program


class Aggregate(NamedTuple):
    """Nodes by kind, pods by kind and shape (None without a solution), a lower bound of every packing, and whether it
    is proven.
    """

    nodes: Ints | None
    pods: Ints | None
    cost: float
    bound: float
    proven: bool


def aggregate(problem: Problem, *, limit: int, gap: float = 0.0, least: float = 0.0, single: bool = False) -> Aggregate:
    """Minimize the cost of nodes and pods by kind.

    Minimize Σ c_t x_t with Σ_t y_st = n_s, Σ_s a_sd y_st ≤ R_td x_t, y_st ≤ ⌊room of one node for s⌋ x_t; x, y whole.

    Parameters
    ----------
    limit : int
        Branch-and-bound nodes.
    gap : float
        Relative gap at which to stop.
    least : float
        A lower bound of the cost, used for pruning. [USD per hour]
    single : bool
        At most one node of each kind: the solution is then a packing, but the bound holds only for such packings.
    """
    shapes, kinds, width = len(problem.shapes), len(problem.kinds), problem.demand.shape[1]
    kind_of, shape_of = np.nonzero(np.minimum(problem.caps, problem.counts[None]) > 0)
    pairs = len(kind_of)
    pair, kind = np.arange(pairs), np.arange(kinds)
    at_room, at_caps = shapes, shapes + kinds * width
    at_least = at_caps + pairs
    rows = [shape_of, at_caps + pair, at_caps + pair, np.full(kinds, at_least)]
    columns = [kinds + pair, kinds + pair, kind_of, kind]
    values = [np.ones(pairs), np.ones(pairs), -problem.caps[kind_of, shape_of].astype(float), problem.prices]
    for d in range(width):
        rows += [at_room + kind_of * width + d, at_room + kind * width + d]
        columns += [kinds + pair, kind]
        values += [problem.demand[shape_of, d].astype(float), -problem.room[:, d].astype(float)]
    lower = np.concatenate([problem.counts, np.full(kinds * width + pairs, -np.inf), [least]]).astype(float)
    upper = np.concatenate([problem.counts, np.zeros(kinds * width + pairs), [np.inf]]).astype(float)
    program = Program(
        np.concatenate([problem.prices, np.zeros(pairs)]),
        Entries(np.concatenate(rows), np.concatenate(columns), np.concatenate(values)),
        lower,
        upper,
        most=np.concatenate([np.full(kinds, 1 if single else np.inf), problem.counts[shape_of]]).astype(float),
        whole=True,
    )
    program.limit(nodes=limit, gap=gap)
    solved = program.solve()
    if solved.values is None:
        return Aggregate(None, None, float("inf"), max(solved.bound, least), proven=False)
    pods = np.zeros((kinds, shapes), dtype=np.int64)
    pods[kind_of, shape_of] = np.round(solved.values[kinds:])
    nodes = np.round(solved.values[:kinds]).astype(np.int64)
    return Aggregate(nodes, pods, solved.cost, solved.bound, solved.status == OPTIMAL)


def assigned(problem: Problem, nodes: list[int], *, limit: int) -> Ints | None:
    """Pods by node and shape on the given nodes (their kinds), with every pod placed; None if no placement is found
    within the limit.
    """
    shapes, width, count = len(problem.shapes), problem.demand.shape[1], len(nodes)
    node, shape = np.divmod(np.arange(count * shapes), shapes)
    rows = [shape]
    columns = [np.arange(count * shapes)]
    values = [np.ones(count * shapes)]
    for d in range(width):
        rows.append(shapes + node * width + d)
        columns.append(np.arange(count * shapes))
        values.append(problem.demand[shape, d].astype(float))
    room = problem.room[nodes].astype(float).ravel()
    program = Program(
        np.zeros(count * shapes),
        Entries(np.concatenate(rows), np.concatenate(columns), np.concatenate(values)),
        np.concatenate([problem.counts, np.full(count * width, -np.inf)]).astype(float),
        np.concatenate([problem.counts, room]).astype(float),
        most=np.minimum(problem.caps[nodes], problem.counts[None]).astype(float).ravel(),
        whole=True,
    )
    program.limit(nodes=limit)
    solved = program.solve()
    if solved.values is None:
        return None
    pods: Ints = np.round(solved.values).astype(np.int64).reshape(count, shapes)
    return pods
