"""What checks of like plans share, so that a changed plan costs what its change touches.

Every answer kept here is that of a pure function, found again by all that the function depends on: a group's shape by
the group and what the plan says of its nodes; where pods go by the rooms of their nodes, the counts of these and the
pods; what a group's nodes hold by their classes, how they came and what happened to them. So an answer from here is
the one that would be worked out. Objects without a value of their own (shapes, parts of a load) are the same where
they are the same object; they live as long as an answer that was found by them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, NamedTuple, TypeVar

from capacity.cluster.booking import Holding
from capacity.cluster.load import Load, Part, load_of
from capacity.cluster.node_state import NodeRoom, NodeState
from capacity.cluster.place import Placement
from capacity.cluster.scenario import Batch, Turnover
from capacity.cluster.shape import GroupShape, group_shape, shape_facts
from capacity.cluster.spread import Slot
from capacity.plan.discovery import Choices, choices_by_group
from capacity.plan.model import NodeGroup, Plan, Workload

# How many answers are kept; of the fleets of 500 groups in twelve scenarios, and of as many changes.
COUNTS, PLACEMENTS, HOLDINGS = 10_000, 10_000, 20_000
LOADS = 8
FACTS = 32  # what all groups of a plan have in common: the CNI, the daemonsets
SHAPES, ALIKE = 20_000, 4  # of groups, and of one that differ only in what is seldom changed

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class Kept(Generic[_K, _V]):
    """Answers by key, no more than so many: the one asked for least lately goes first."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._known: dict[_K, _V] = {}

    def get(self, key: _K, make: Callable[[], _V]) -> _V:
        """The answer for a key, worked out where it is not known."""
        known = self._known
        if key in known:
            found = known[key] = known.pop(key)
            return found
        found = known[key] = make()
        if len(known) > self.most:
            del known[next(iter(known))]
        return found


Kind = tuple[NodeRoom, NodeState]  # what a node of a group has room for, and what its daemonsets take of it


class CountsKey(NamedTuple):
    """What the fewest nodes that hold the pods of a part depend on; lists are by group or by workload of it."""

    part: Part
    kinds: tuple[Kind, ...]
    least: tuple[int, ...]
    growing: tuple[bool, ...]
    most: tuple[int | None, ...]
    replicas: tuple[int, ...]


class PlacementKey(NamedTuple):
    """What the places of a part's pods depend on; nodes by group and slot."""

    part: Part
    kinds: tuple[Kind, ...]
    nodes: tuple[tuple[int, ...], ...]
    replicas: tuple[int, ...]


Nodes = frozenset[tuple[tuple[int, NodeState], int]]  # how many by slot and state


class HoldingKey(NamedTuple):
    """What the addresses of a group's nodes depend on."""

    shape: GroupShape
    slots: tuple[Slot, ...]
    open: Nodes
    closed: Nodes
    beside: Nodes
    turnover: Turnover
    batches: tuple[tuple[object, ...], ...]


def batches_key(batches: Sequence[Batch]) -> tuple[tuple[object, ...], ...]:
    """Batches as part of a key."""
    return tuple((b.count, *b.zones.items(), b.subnet, b.started, b.anywhere, b.grown, b.filled) for b in batches)


class LoadKey(NamedTuple):
    """What the pods of a plan depend on."""

    workloads: tuple[Workload, ...]
    groups: tuple[tuple[str, bool], ...]
    pod_eni: bool


@dataclass(frozen=True)
class Reuse:
    """The answers that checks of like plans share."""

    counts: Kept[CountsKey, tuple[int, ...]] = field(default_factory=lambda: Kept(COUNTS))
    placements: Kept[PlacementKey, Placement] = field(default_factory=lambda: Kept(PLACEMENTS))
    holdings: Kept[HoldingKey, Holding] = field(default_factory=lambda: Kept(HOLDINGS))
    _loads: list[tuple[LoadKey, Load]] = field(default_factory=list)
    _shapes: Kept[Hashable, list[tuple[tuple[object, ...], GroupShape]]] = field(default_factory=lambda: Kept(SHAPES))
    _facts: list[tuple[Any, Any]] = field(default_factory=list)

    def load(self, plan: Plan) -> Load:
        """The load of a plan."""
        groups = tuple((g.name, g.fargate) for g in plan.node_groups)
        key = LoadKey(plan.workloads, groups, plan.cni.settings.pod_eni)
        return _recent(self._loads, key, lambda: self._alike(load_of(plan)), LOADS)

    def _alike(self, made: Load) -> Load:
        """The same load where other workloads ask for the same: such as with another maxSurge."""
        return next((load for _, load in self._loads if load == made), made)

    def shapes(self, plan: Plan) -> tuple[GroupShape, ...]:
        """All node groups of a plan as shapes: the same object where nothing that it depends on has changed."""
        groups = zip(plan.node_groups, choices_by_group(plan), strict=True)
        plan = replace(plan, cni=self._same(plan.cni), daemon_sets=self._same(plan.daemon_sets))
        return tuple(self._shape(plan, group, choices) for group, choices in groups)

    def _same(self, fact: _V) -> _V:
        """The object that stands for an equal one, so that it need not be compared for each group anew."""
        same: _V = _recent(self._facts, fact, lambda: fact, FACTS)
        return same

    def _shape(self, plan: Plan, group: NodeGroup, choices: Choices) -> GroupShape:
        like = group.name, group.desired, group.max_nodes, group.max_pods, group.subnets, group.pod_subnets
        known = self._shapes.get((like, id(plan.cni)), list)
        return _recent(known, shape_facts(plan, group, choices), lambda: group_shape(plan, group, choices), ALIKE)


def _recent(known: list[tuple[_V, _K]], key: _V, make: Callable[[], _K], most: int) -> _K:
    """The same for keys that have no hash: compared one by one, the last that was asked for first."""
    for i, (k, found) in enumerate(known):
        if k == key:
            known.insert(0, known.pop(i))
            return found
    known.insert(0, (key, make()))
    del known[most:]
    return known[0][1]
