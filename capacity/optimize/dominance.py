"""Remove kinds of nodes that are never needed, because another kind has as much room and costs no more."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from capacity.optimize.problem import MONEY, Problem


class Undominated(NamedTuple):
    """The kinds that remain, and for each the names of the kinds that equal it in room and price."""

    numbers: tuple[int, ...]
    equals: dict[int, tuple[str, ...]]


def undominated(problem: Problem) -> Undominated:
    """Numbers of the kinds that no other kind dominates, in the order of the problem.

    A kind is dominated if another kind costs no more and has at least as much room of every resource. Of equal kinds,
    the first is kept and the others are named. Kinds that fit no pod of any shape are left out too, because no packing
    uses them. A kind with the room of two other kinds together is not dominated by them.

    Examples
    --------
    >>> from capacity.optimize.problem import NodeChoice, Shape
    >>> figures = (("a", (4, 9), 2.0), ("b", (4, 9), 1.0), ("c", (4, 9), 1.0), ("d", (5, 9), 1.5))
    >>> kinds = tuple(NodeChoice(*f) for f in figures)
    >>> undominated(Problem((Shape("web", (1, 1), 3),), kinds))
    Undominated(numbers=(1, 3), equals={1: ('c',)})
    """
    useful = [k for k in range(len(problem.kinds)) if problem.caps[k].any()]
    kept: list[int] = []
    equals: dict[int, tuple[str, ...]] = {}
    for k in sorted(useful, key=lambda k: (problem.prices[k], -int(problem.room[k].sum()), k)):
        covering = [j for j in kept if np.all(problem.room[j] >= problem.room[k])]
        if not covering:
            kept.append(k)
            continue
        for j in covering:
            if np.array_equal(problem.room[j], problem.room[k]) and abs(problem.prices[j] - problem.prices[k]) < MONEY:
                equals[j] = (*equals.get(j, ()), problem.kinds[k].name)
    return Undominated(tuple(sorted(kept)), equals)
