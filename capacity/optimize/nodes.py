"""Place pods on given nodes: best fit, leftovers on free room, and the cheapest kind for the pods of a node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from capacity.optimize.problem import MONEY, Ints, Pattern, Problem


class Bins:
    """Open nodes of a packing, one row each: kind, pods by shape, room left by resource."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.kinds: list[int] = []
        self.pods: list[Ints] = []
        self.left: list[Ints] = []

    @property
    def cost(self) -> float:
        """Price of the nodes. [USD per hour]"""
        return float(sum(self.problem.prices[k] for k in self.kinds))

    def open(self, kind: int, pods: Ints | None = None) -> int:
        """Add a node and return its number."""
        pods = np.zeros(len(self.problem.shapes), dtype=np.int64) if pods is None else pods.copy()
        self.kinds.append(kind)
        self.pods.append(pods)
        self.left.append(self.problem.room[kind] - pods @ self.problem.demand)
        return len(self.kinds) - 1

    def fits(self, node: int, shape: int) -> int:
        """How many more pods of a shape fit on the node."""
        demand, left = self.problem.demand[shape], self.left[node]
        taken = demand > 0
        by_room = int((left[taken] // demand[taken]).min()) if taken.any() else 1 << 60
        return max(min(by_room, int(self.problem.per_node[shape]) - int(self.pods[node][shape])), 0)

    def put(self, node: int, shape: int, count: int) -> None:
        """Put ``count`` pods on the node."""
        self.pods[node][shape] += count
        self.left[node] = self.left[node] - count * self.problem.demand[shape]

    def place(self, pods: Ints, nodes: Sequence[int] | None = None) -> Ints:
        """Put pods on open nodes, largest shapes first, each on the node that it fills best; return the pods that are
        left.
        """
        left_over = pods.copy()
        where = range(len(self.kinds)) if nodes is None else nodes
        for s in by_size(self.problem, np.nonzero(left_over)[0]):
            while left_over[s]:
                free = [(n, fit) for n in where if (fit := self.fits(n, s))]
                if not free:
                    break
                node, fit = min(free, key=lambda item: (self._slack(item[0], s), item[0]))
                count = min(fit, int(left_over[s]))
                self.put(node, s, count)
                left_over[s] -= count
        return left_over

    def _slack(self, node: int, shape: int) -> float:
        """Room that is left after one more pod, as a share of the node; a small share is a good fit."""
        room = np.maximum(self.problem.room[self.kinds[node]], 1)
        return float(((self.left[node] - self.problem.demand[shape]) / room).sum())

    def shrink(self) -> None:
        """Change each node to the cheapest kind that fits its pods; remove empty nodes."""
        problem = self.problem
        order = np.argsort(problem.prices, kind="stable")
        rooms = problem.room[order]
        cheapest: dict[bytes, int] = {}
        keep = [n for n in range(len(self.kinds)) if self.pods[n].any()]
        self.pods = [self.pods[n] for n in keep]
        self.kinds = [self.kinds[n] for n in keep]
        for n, pods in enumerate(self.pods):
            key = pods.tobytes()
            if key not in cheapest:
                holds = np.all(rooms >= pods @ problem.demand, axis=1)
                cheapest[key] = int(order[np.argmax(holds)])
            if problem.prices[cheapest[key]] < problem.prices[self.kinds[n]] - MONEY:
                self.kinds[n] = cheapest[key]
        self.left = [problem.room[k] - p @ problem.demand for k, p in zip(self.kinds, self.pods, strict=True)]

    def patterns(self) -> list[Pattern]:
        """Combine equal nodes, in the order of their kinds."""
        count = Counter((k, tuple(int(n) for n in p)) for k, p in zip(self.kinds, self.pods, strict=True))
        return [Pattern(kind, pods, n) for (kind, pods), n in sorted(count.items())]


def by_size(problem: Problem, shapes: Iterable[int]) -> list[int]:
    """Shapes by their largest share of the kind with the most room, largest first."""
    most = np.maximum(problem.room.max(axis=0), 1)
    size = (problem.demand / most).max(axis=1)
    return sorted((int(s) for s in shapes), key=lambda s: (-float(size[s]), s))


def fill_kind(problem: Problem, kind: int, nodes: int, pods: Ints) -> tuple[Bins, Ints]:
    """Place pods on ``nodes`` equal nodes of a kind: the better of even shares first and best fit alone; return the
    pods that are left.
    """
    results = []
    for even in (True, False):
        bins = Bins(problem)
        share = pods // nodes if even else np.zeros_like(pods)
        while even and (share @ problem.demand > problem.room[kind]).any():
            share = share * 9 // 10
        share = np.minimum(share, problem.per_node)
        for _ in range(nodes):
            bins.open(kind, share)
        left = bins.place(pods - share * nodes)
        results.append((int(left.sum()), left, bins))
        if not left.any():
            break
    _, left, bins = min(results, key=lambda item: item[0])
    return bins, left


def first_fit(problem: Problem, kind: int, pods: Ints) -> list[Pattern]:
    """First-fit decreasing on nodes of one kind; equal nodes are filled together. Every pod fits on an empty node."""
    left, patterns = pods.copy(), []
    while left.any():
        node = Bins(problem)
        node.open(kind)
        taken = left - node.place(left)
        some = taken > 0
        times = max(int((left[some] // taken[some]).min()), 1)
        patterns.append(Pattern(kind, tuple(int(n) for n in taken), times))
        left = left - times * taken
    return patterns


def joined(problem: Problem, parts: Iterable[Bins]) -> Bins:
    """All nodes of several packings."""
    bins = Bins(problem)
    for part in parts:
        bins.kinds += part.kinds
        bins.pods += part.pods
        bins.left += part.left
    return bins


def unfolded(problem: Problem, patterns: Iterable[Pattern]) -> Bins:
    """Patterns as single nodes."""
    bins = Bins(problem)
    for pattern in patterns:
        for _ in range(pattern.nodes):
            bins.open(pattern.kind, np.array(pattern.pods, dtype=np.int64))
    return bins
