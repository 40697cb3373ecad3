"""Caches results shared by checks of similar plans, so that a changed plan costs only what the change affects.

Every cached answer is the result of a pure function, with everything that the function depends on as key. A group's
shape depends on the group and the plan's settings for its nodes; the placement of pods on the room and number of nodes
and on the pods; the addresses of a group's nodes on their classes, batches and events. So a cached answer equals a
computed one. Objects without value equality (shapes, parts of a load) are compared by identity; they live as long as an
answer with them as key.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Generic, NamedTuple, TypeVar

from capacity.cluster.booking import Holding
from capacity.cluster.group_shapes import group_shape, shape_facts
from capacity.cluster.load import Load, Part, load_of
from capacity.cluster.node_state import NodeRoom, NodeState
from capacity.cluster.place import Placement
from capacity.cluster.scenario import Batch, Turnover
from capacity.cluster.shape import GroupShape
from capacity.cluster.spread import Ground, Slot
from capacity.plan.discovery import Choices, choices_by_group
from capacity.plan.model import NodeGroup, Plan, Workload

# Number of cached answers: enough for the fleets of 500 groups in twelve scenarios, and for as many changes.
COUNTS, PLACEMENTS, HOLDINGS = 10_000, 10_000, 20_000
LOADS = 8
BESIDE = 20_000  # engines of other clusters and their states
FACTS = 32  # facts that all groups of a plan share: the CNI, the DaemonSets
SHAPES, ALIKE = 20_000, 4  # shapes of groups, and variants of one group in rarely changed settings

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class Kept(Generic[_K, _V]):
    """Answers by key, up to a limit; the least recently used is evicted first."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._known: dict[_K, _V] = {}

    def get(self, key: _K, make: Callable[[], _V]) -> _V:
        """The answer for a key, computed if it is not cached."""
        known = self._known
        if key in known:
            found = known[key] = known.pop(key)
            return found
        found = known[key] = make()
        if len(known) > self.most:
            del known[next(iter(known))]
        return found


Kind = tuple[NodeRoom, NodeState]  # room of a group's node, and the state of its DaemonSets


Places = tuple[tuple[Ground, "str | tuple[tuple[str, Fraction], ...]"], ...]  # of each group, with its spread rule


class CountsKey(NamedTuple):
    """Key of the fewest nodes that fit the pods of a part; lists are by group or by workload of the part.

    ``places``: where each group's nodes can be, if some pods are spread over zones; else empty.
    """

    part: Part
    kinds: tuple[Kind, ...]
    least: tuple[int, ...]
    growing: tuple[bool, ...]
    most: tuple[int | None, ...]
    replicas: tuple[int, ...]
    places: Places = ()


class PlacementKey(NamedTuple):
    """Key of the placement of a part's pods; nodes by group and slot.

    ``zones``: of each group's slots, if some pods are spread over zones; else empty.
    """

    part: Part
    kinds: tuple[Kind, ...]
    nodes: tuple[tuple[int, ...], ...]
    replicas: tuple[int, ...]
    zones: tuple[tuple[str, ...], ...] = ()


Nodes = frozenset[tuple[tuple[int, NodeState], int]]  # counts by slot and state


class HoldingKey(NamedTuple):
    """Key of the addresses of a group's nodes."""

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
    """Key of the load of a plan."""

    workloads: tuple[Workload, ...]
    groups: tuple[tuple[str, bool], ...]
    pod_eni: bool


@dataclass(frozen=True, eq=False, repr=False)
class Reuse:
    """The cached answers that checks of similar plans share."""

    counts: Kept[CountsKey, tuple[int, ...]] = field(default_factory=lambda: Kept(COUNTS))
    placements: Kept[PlacementKey, Placement] = field(default_factory=lambda: Kept(PLACEMENTS))
    holdings: Kept[HoldingKey, Holding] = field(default_factory=lambda: Kept(HOLDINGS))
    _beside: Kept[tuple[int, str], tuple[Plan, Any]] = field(default_factory=lambda: Kept(BESIDE))
    _loads: list[tuple[LoadKey, Load]] = field(default_factory=list)
    _shapes: Kept[Hashable, list[tuple[tuple[object, ...], GroupShape]]] = field(default_factory=lambda: Kept(SHAPES))
    _facts: list[tuple[Any, Any]] = field(default_factory=list)

    def load(self, plan: Plan) -> Load:
        """The load of a plan."""
        groups = tuple((g.name, g.fargate) for g in plan.node_groups)
        key = LoadKey(plan.workloads, groups, plan.cni.settings.pod_eni)
        return _recent(self._loads, key, lambda: self._alike(load_of(plan)), LOADS)

    def of_other(self, plan: Plan, what: str, make: Callable[[], _V]) -> _V:
        """What is computed once for the plan of another cluster: its engine, or its state that ``what`` names."""
        found: _V = self._beside.get((id(plan), what), lambda: (plan, make()))[1]  # the plan lives as long as its id
        return found

    def _alike(self, made: Load) -> Load:
        """The same load object if workloads differ only in settings that don't affect it, such as maxSurge."""
        return next((load for _, load in self._loads if load == made), made)

    def shapes(self, plan: Plan) -> tuple[GroupShape, ...]:
        """All node groups of a plan as shapes: the same object if nothing that it depends on changed."""
        groups = zip(plan.node_groups, choices_by_group(plan), strict=True)
        plan = replace(plan, cni=self._same(plan.cni), daemon_sets=self._same(plan.daemon_sets))
        return tuple(self._shape(plan, group, choices) for group, choices in groups)

    def _same(self, fact: _V) -> _V:
        """One representative of equal objects, so that they are not compared again for each group."""
        same: _V = _recent(self._facts, fact, lambda: fact, FACTS)
        return same

    def _shape(self, plan: Plan, group: NodeGroup, choices: Choices) -> GroupShape:
        like = group.name, group.desired, group.max_nodes, group.max_pods, group.subnets, group.pod_subnets
        known = self._shapes.get((like, id(plan.cni)), list)
        return _recent(known, shape_facts(plan, group, choices), lambda: group_shape(plan, group, choices), ALIKE)


def _recent(known: list[tuple[_V, _K]], key: _V, make: Callable[[], _K], most: int) -> _K:
    """The representative for keys without a hash: compared one by one, the most recent first."""
    for i, (k, found) in enumerate(known):
        if k == key:
            known.insert(0, known.pop(i))
            return found
    known.insert(0, (key, make()))
    del known[most:]
    return known[0][1]
