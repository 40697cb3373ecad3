"""The packing problem in numbers: pod shapes with their counts, node kinds with their room and price, and packings.

Pods of one shape are equal, so a problem has one row per shape for any number of replicas. Resources are whole numbers
(millicores, MiB, pods, addresses, …) in one order everywhere; the first is CPU.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MONEY = 1e-9  # prices have at most ten decimals; sums that differ by less are equal [USD per hour]


class Shape(NamedTuple):
    """Equal pods.

    Attributes
    ----------
    demand : tuple of int
        The amount of each resource that one pod uses.
    replicas : int
        Number of pods. [pods]
    per_node : int or None
        Most pods of the shape on one node (anti-affinity, host ports); None for no limit. [pods]
    """

    name: str
    demand: tuple[int, ...]
    replicas: int
    per_node: int | None = None


class NodeChoice(NamedTuple):
    """A node that can be bought: its room for pods after DaemonSets, and its price. [USD per hour]"""

    name: str
    room: tuple[int, ...]
    price: float


class Pattern(NamedTuple):
    """``nodes`` equal nodes of kind number ``kind``, each with ``pods[s]`` pods of shape number s."""

    kind: int
    pods: tuple[int, ...]
    nodes: int


@dataclass(frozen=True)
class Problem:
    """Shapes to place and kinds to place them on.

    Examples
    --------
    >>> Problem((Shape("web", (250, 1), 9),), (NodeChoice("small", (1000, 29), 0.1),)).caps.tolist()
    [[4]]
    """

    shapes: tuple[Shape, ...]
    kinds: tuple[NodeChoice, ...]

    @cached_property
    def demand(self) -> Ints:
        """Shapes × resources."""
        width = len(self.shapes[0].demand) if self.shapes else 0
        return np.array([shape.demand for shape in self.shapes], dtype=np.int64).reshape(len(self.shapes), width)

    @cached_property
    def counts(self) -> Ints:
        """Replicas by shape. [pods]"""
        return np.array([shape.replicas for shape in self.shapes], dtype=np.int64)

    @cached_property
    def room(self) -> Ints:
        """Kinds × resources."""
        width = self.demand.shape[1]
        return np.array([kind.room for kind in self.kinds], dtype=np.int64).reshape(len(self.kinds), width)

    @cached_property
    def prices(self) -> Floats:
        """Prices of the kinds. [USD per hour]"""
        return np.array([kind.price for kind in self.kinds])

    @cached_property
    def caps(self) -> Ints:
        """Kinds × shapes: the most pods of one shape that fit on an otherwise empty node of the kind. [pods]"""
        return fits_alone(self.room, self.demand, self.per_node)

    @cached_property
    def per_node(self) -> Ints:
        """Most pods of each shape on one node by its own rule. [pods]"""
        unlimited = np.iinfo(np.int64).max
        return np.array([unlimited if s.per_node is None else s.per_node for s in self.shapes], dtype=np.int64)

    def with_counts(self, counts: Sequence[int] | Ints) -> Problem:
        """The problem with other replicas; everything else is shared."""
        shapes = tuple(shape._replace(replicas=int(n)) for shape, n in zip(self.shapes, counts, strict=True))
        return self._sharing(Problem(shapes, self.kinds), "demand", "room", "prices", "caps", "per_node")

    def with_kinds(self, numbers: Sequence[int]) -> Problem:
        """The problem on some of its kinds."""
        return self._sharing(
            Problem(self.shapes, tuple(self.kinds[k] for k in numbers)), "demand", "counts", "per_node"
        )

    def _sharing(self, other: Problem, *names: str) -> Problem:
        other.__dict__.update({name: getattr(self, name) for name in names})
        return other

    def cost(self, patterns: Iterable[Pattern]) -> float:
        """Price of a packing. [USD per hour]"""
        return round(sum(self.kinds[p.kind].price * p.nodes for p in patterns), 9)


def fits_alone(room: Ints, demand: Ints, per_node: Ints) -> Ints:
    """Most pods of each shape alone on each kind: min over the resources it takes of ⌊room ÷ demand⌋. [pods]

    Shapes: room kinds × resources, demand shapes × resources, result kinds × shapes. A negative room holds none.
    """
    unlimited = np.iinfo(np.int64).max
    safe = np.where(demand > 0, demand, 1)
    each = np.where(demand[None] > 0, np.maximum(room, 0)[:, None, :] // safe[None], unlimited)
    whole = each.min(axis=2) if demand.shape[1] else np.full((len(room), len(demand)), unlimited)
    short: NDArray[np.bool_] = np.any(room < 0, axis=1)
    return np.where(short[:, None], 0, np.minimum(whole, per_node[None]))


def check_packing(problem: Problem, patterns: Iterable[Pattern]) -> None:
    """Add up a packing again, node by node; ValueError if it exceeds a limit or does not place every pod once."""
    placed = [0] * len(problem.shapes)
    for pattern in patterns:
        kind = problem.kinds[pattern.kind]
        for resource, limit in enumerate(kind.room):
            taken = sum(s.demand[resource] * n for s, n in zip(problem.shapes, pattern.pods, strict=True))
            if taken > limit:
                raise ValueError(f"{kind.name}: {taken} of resource {resource} on one node, {limit} available")
        for s, n in enumerate(pattern.pods):
            most = problem.shapes[s].per_node
            if n < 0 or (most is not None and n > most):
                raise ValueError(f"{kind.name}: {n} {problem.shapes[s].name} pods on one node")
            placed[s] += n * pattern.nodes
    for shape, n in zip(problem.shapes, placed, strict=True):
        if n != shape.replicas:
            raise ValueError(f"{shape.name}: {n} pods placed of {shape.replicas}")
