"""The nodes and pods of a plan during events: nodes start, drain and stop, and pods move.

Running pods are not moved without a cause, so each event only adds to what the cluster held before. A drained or lost
node is *closed*: it accepts no more pods and keeps all its addresses, as EC2 keeps the ENIs of a node that is being
replaced.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple, TypeVar

from capacity.cluster.evict import evicted, shares_to_close
from capacity.cluster.node_state import EMPTY, NodeState, PodShape, plus, pods_on_empty
from capacity.cluster.place import Placement
from capacity.cluster.scenario import Batch
from capacity.cluster.shape import GroupShape
from capacity.cluster.spread import Slot, fewest_first, share_limits
from capacity.cluster.unplaced import Unplaced
from capacity.plan.model import Plan


class Extra(NamedTuple):
    """Addresses not of nodes: subnet, holder, expected, lower and upper bound, reason, and /28 blocks in them."""

    subnet: str
    holder: str
    addresses: int
    lowest: int
    highest: int
    why: str
    prefixes: int = 0


_K = TypeVar("_K")
Kinds = tuple[int, int, int]  # pods on VPC addresses, on branch ENIs, and of every kind [pods]


@dataclass
class Fleet:
    """The state of a cluster: groups of open nodes with their pods, and closed ones.

    Attributes
    ----------
    slots : list of tuple of Slot
        For each group the places where its nodes can be, in subnet order; classes name them by index.
    closed : list of dict
        For each group, nodes that drain or are lost and only hold addresses, by (slot, state). [nodes]
    beside : list of dict
        For each group, by (slot, state), nodes that run pods which are not placed. [nodes]
    lost : set of str
        Zones in which no more nodes start.
    replicas : list of int
        Replicas of each workload before the event. [pods]
    base : str
        The state it started from: ``steady``, ``peak`` or ``ceiling``.
    neighbours : list of Extra or None
        Addresses of other clusters in shared subnets; None: without events.
    at_rest : bool
        Whether no event happened yet; its bounds are then exact.
    update_room : dict of str to int
        Addresses free in each cluster subnet when a control-plane update starts. [addresses]
    before : list of tuple
        For each group its workload pods before any event: on VPC addresses, on branch ENIs, of every
        kind. [pods]
    closings : list of list
        For each group the nodes closed by each event, and the lost zone, if any. [nodes]
    restarted : list of int
        For each group the nodes of a second set that were lost with their zone. [nodes]
    surge : dict of str to int
        Additional pods by workload, and in ``surge_unplaced`` the unschedulable ones. [pods]
    growing : set of int
        Groups that can have started nodes for unschedulable pods.
    """

    plan: Plan
    shapes: tuple[GroupShape, ...]
    pods: Sequence[PodShape]
    allowed: Sequence[tuple[int, ...]]
    slots: list[tuple[Slot, ...]]
    placement: Placement
    batches: list[list[Batch]]
    replicas: list[int]
    closed: list[dict[tuple[int, NodeState], int]] = field(default_factory=list)
    beside: list[dict[tuple[int, NodeState], int]] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    extras: list[Extra] = field(default_factory=list)
    base: str = "steady"
    neighbours: list[Extra] | None = None
    at_rest: bool = True
    update_room: dict[str, int] = field(default_factory=dict)
    before: list[Kinds] = field(default_factory=list)
    closings: list[list[tuple[int, str | None]]] = field(default_factory=list)
    restarted: list[int] = field(default_factory=list)
    surge: dict[str, int] = field(default_factory=dict)
    surge_unplaced: dict[str, int] = field(default_factory=dict)
    growing: set[int] = field(default_factory=set)
    unplaced_before: int = 0

    def __post_init__(self) -> None:
        if self.before:
            return
        self.before = [self._pods_on(group) for group in range(len(self.shapes))]
        self.closings = [[] for _ in self.shapes]
        self.restarted = [0 for _ in self.shapes]
        self.unplaced_before = len(self.placement.unplaced)

    def copy(self) -> Fleet:
        """A copy that can be changed without changing the original."""
        return Fleet(
            self.plan,
            self.shapes,
            self.pods,
            self.allowed,
            self.slots,
            self.placement.copy(),
            [list(b) for b in self.batches],
            list(self.replicas),
            [dict(c) for c in self.closed],
            [dict(b) for b in self.beside],
            set(self.lost),
            list(self.extras),
            self.base,
            self.neighbours,
            self.at_rest,
            dict(self.update_room),
            list(self.before),
            [list(c) for c in self.closings],
            list(self.restarted),
            dict(self.surge),
            dict(self.surge_unplaced),
            set(self.growing),
            self.unplaced_before,
        )

    @property
    def moved(self) -> bool:
        """Whether pods moved or were added since the initial state."""
        return bool(self.surge) or any(self.closings)

    # --- nodes ------------------------------------------------------------------------------

    def open_nodes(self, group: int) -> int:
        """Nodes of a group that accept pods. [nodes]"""
        return sum(self.placement.groups[group].classes.values())

    def nodes_left(self, group: int) -> int:
        """Nodes of a group outside lost zones, open or not. [nodes]"""
        slots, kinds = self.slots[group], (self.placement.groups[group].classes, self.closed[group], self.beside[group])
        return sum(n for nodes in kinds for (slot, _), n in nodes.items() if slots[slot].zone not in self.lost)

    def open_by_slot(self, group: int) -> list[int]:
        """Nodes of a group that accept pods, by slot. [nodes]"""
        counts = [0] * len(self.slots[group])
        for (slot, _), count in self.placement.groups[group].classes.items():
            counts[slot] += count
        return counts

    def open_zones(self, group: int) -> list[str]:
        """Zones of a group in which nodes can start."""
        return [z for z in dict.fromkeys(s.zone for s in self.slots[group]) if z not in self.lost]

    def fullest(self, group: int) -> NodeState:
        """State of the open node with the most pods on addresses, or an empty state if there is none."""
        states = (state for _, state in self.placement.groups[group].classes)
        return max(states, key=lambda s: (s.vpc_pods + s.branch_pods, s), default=self.shapes[group].first.start)

    def add(self, group: int, count: int, *, anywhere: bool = False, grown: bool = False) -> None:
        """Start empty nodes, each in the zone and slot of the group with the fewest nodes, ties in plan order.

        ``anywhere``: for the bounds they can be in any zone. ``grown``: they start because pods had no room.
        """
        kind = Batch(0, {}, started=True, anywhere=anywhere, grown=grown)
        for slot, number in self.shares(group, count, kind).items():
            self.placement.groups[group].add(slot, self.shapes[group].first.start, number)
        self.placement.nodes_changed()

    def add_beside(self, group: int, state: NodeState, slots: Mapping[int, int]) -> None:
        """Start nodes with pods that are not placed."""
        for slot, number in slots.items():
            _add(self.beside[group], (slot, state), number)

    def restart_beside(self, group: int, zone: str) -> int:
        """Restart the second-set nodes of a lost zone in the remaining zones. [nodes]"""
        lost = [(s, n) for (slot, s), n in sorted(self.beside[group].items()) if self.slots[group][slot].zone == zone]
        for state, number in lost:
            filled = Batch(0, {}, filled=((0, self._most_like(group, 0)), (0, self._most_like(group, 1))))
            self.add_beside(group, state, self.shares(group, number, filled))
            self.restarted[group] += number
        return sum(number for _, number in lost)

    def filled_like_fullest(self, group: int) -> Batch:
        """Nodes that each have as many pods as the fullest of the group, for the bounds over every split."""
        nodes, (vpc, branch, _) = self.open_nodes(group), self.before[group]
        fewest = -(-vpc // nodes) if nodes and not branch else 0
        return Batch(0, {}, filled=((fewest, self._most_like(group, 0)), (0, self._most_like(group, 1))))

    def _most_like(self, group: int, kind: int) -> int:
        """Most pods of a kind that one node of a group can have. [pods]"""
        first = self.shapes[group].first
        return min(self.before[group][kind], (first.most_placed_pods, first.room.branch_enis)[kind])

    def shares(
        self, group: int, count: int, kind: Batch, zone: str | None = None, subnet: str | None = None
    ) -> dict[int, int]:
        """The slots in which new nodes of a group start; they are recorded for the bounds. [nodes]"""
        slots, have = self.slots[group], self.open_by_slot(group)
        weights = self._weights(group, zone)
        if not weights or not count:
            return {}
        by_zone = dict.fromkeys(weights, 0)
        for slot, number in zip(slots, have, strict=True):
            if slot.zone in by_zone:
                by_zone[slot.zone] += number
        zones = dict(zip(weights, fewest_first(count, list(by_zone.values()), list(weights.values())), strict=True))
        found: dict[int, int] = {}
        for at, number in zones.items():
            mine = [i for i, s in enumerate(slots) if s.zone == at and subnet in (None, s.subnet)]
            taken = fewest_first(number, [have[i] for i in mine], [1] * len(mine))
            found.update({i: n for i, n in zip(mine, taken, strict=True) if n})
        self.batches[group].append(self._batch(group, count, kind, zones, weights, subnet))
        return found

    def _batch(
        self,
        group: int,
        count: int,
        kind: Batch,
        zones: Mapping[str, int],
        weights: Mapping[str, Fraction | int],
        subnet: str | None,
    ) -> Batch:
        """New nodes for the bounds. If nodes drained before, any zone can have the fewest left."""
        anywhere = kind.anywhere or any(zone is None for _, zone in self.closings[group])
        if kind.grown and any(self.closings):  # other pods can have used the room
            ranges, anywhere = dict.fromkeys(zones, (0, count)), True
        elif anywhere and len(zones) > 1:
            ranges = dict.fromkeys(zones, (0, count))
        else:
            limits = zip(weights, share_limits(count, list(weights.values())), strict=True)
            ranges = {z: (min(low, zones[z]), max(high, zones[z])) for z, (low, high) in limits}
        return Batch(count, ranges, subnet, kind.started, anywhere, kind.grown, kind.filled)

    def _weights(self, group: int, zone: str | None) -> dict[str, Fraction | int]:
        """Zones that can get new nodes, with the group's weight of each."""
        spread = self.shapes[group].group.spread
        zones = [zone] if zone else self.open_zones(group)
        if spread == "worst" and len(zones) > 1:  # the zones of the group's nodes
            at: Counter[str] = Counter()
            for slot, number in zip(self.slots[group], self.open_by_slot(group), strict=True):
                at[slot.zone] += number
            zones = [max(zones, key=lambda z: at[z])]
        weights = {z: 1 if isinstance(spread, str) else spread[z] for z in zones}
        return {z: w for z, w in weights.items() if w} or dict.fromkeys(zones, 1)

    def close(self, group: int, count: int, zone: str | None = None) -> dict[str, int]:
        """Close nodes, in proportion to the nodes of each slot and the fullest first, and return the pods that must
        move.

        The remainder after proportion goes to the fullest nodes: a single closed node is the fullest.

        Returns
        -------
        dict of str to int
            Pods by workload. [pods]
        """
        open_nodes = zip(self.slots[group], self.open_by_slot(group), strict=True)
        have = [n if zone in (None, slot.zone) else 0 for slot, n in open_nodes]
        count = min(count, sum(have))
        moved: dict[str, int] = {}
        if count:
            self.closings[group].append((count, zone))
            fullest = self._fullest_first(group)
            for slot, number in enumerate(shares_to_close(count, have, fullest)):
                for name, pods in self._close_in(group, slot, number, fullest[slot]).items():
                    _add(moved, name, pods)
        self.placement.nodes_changed()
        return moved

    def _fullest_first(self, group: int) -> list[list[tuple[NodeState, int]]]:
        """For each slot its open nodes by state, most pods first. [nodes]"""
        found: list[list[tuple[NodeState, int]]] = [[] for _ in self.slots[group]]
        for (slot, state), number in self.placement.groups[group].classes.items():
            found[slot].append((state, number))
        return [sorted(nodes, key=lambda n: (n[0].pods, n[0]), reverse=True) for nodes in found]

    def _close_in(self, group: int, slot: int, count: int, nodes: Sequence[tuple[NodeState, int]]) -> dict[str, int]:
        home = self.placement.homes.get((group, slot), {})
        out = []
        for state, there in nodes:
            number = min(count, there)
            if number:
                self.placement.groups[group].remove(slot, state, number)
                _add(self.closed[group], (slot, state), number)
                out.append((state, number))
                count -= number
        pods_of = {name: self.pods[self._index[name]] for name in home}
        gone = evicted(home, pods_of, out, self.shapes[group].first.start)
        for name, pods in gone.items():
            home[name] -= pods
        return gone

    # --- pods -------------------------------------------------------------------------------

    def place_all(self, pods: Mapping[str, int], may_grow: Iterable[int] = ()) -> None:
        """Place pods by workload, in plan order, in addition to the running ones; groups of ``may_grow`` start nodes
        for them.
        """
        growing = {group for group in may_grow if self.spare(group) != 0}
        self.growing |= growing
        for index in sorted(self._index[name] for name, number in pods.items() if number):
            self._place(index, pods[self.plan.workloads[index].name], growing)

    @cached_property
    def _index(self) -> dict[str, int]:
        """Workloads by name: their places in the plan."""
        return {workload.name: index for index, workload in enumerate(self.plan.workloads)}

    def _place(self, work: int, pods: int, growing: set[int]) -> None:
        """Place the pods of one workload; groups that cannot grow further are removed from ``growing``."""
        name, pod, allowed = self.plan.workloads[work].name, self.pods[work], self.allowed[work]
        unplaced = self.placement.unplaced
        before = len(unplaced)
        self.placement.place(name, pod, pods, allowed)
        for group in [g for g in allowed if g in growing] if len(unplaced) > before else ():
            missed = 0  # nodes in a row that took none of the pods: each zone gets a node in turn
            while len(unplaced) > before and missed <= (len(self.slots[group]) if pod.skew is not None else 0):
                left = unplaced[-1].pods
                more = self._wanted(group, pod, left)
                if not more:
                    break
                unplaced.pop()
                self.add(group, more, grown=True)
                self.placement.place(name, pod, left, allowed)
                still = unplaced[-1].pods if len(unplaced) > before else 0
                missed = missed + 1 if still == left or pod.skew is None else 0
                if self.spare(group) == 0:
                    growing.discard(group)
                    break

    def spare(self, group: int) -> int | None:
        """Nodes that a group can still start; None without a limit. [nodes]"""
        if not self.open_zones(group):
            return 0
        most = self.shapes[group].most_nodes
        return None if most is None else max(most - self.open_nodes(group), 0)

    def _wanted(self, group: int, pod: PodShape, pods: int) -> int:
        """Nodes that a group can still start for unschedulable pods. [nodes]"""
        shape = self.shapes[group]
        each = pods_on_empty(shape.first.room, shape.first.start, pod)
        if not each:
            return 0
        wanted, spare = -(-pods // each), self.spare(group)
        return wanted if spare is None else min(wanted, spare)

    def place_surge(self, pods: Mapping[str, int]) -> None:
        """Place additional pods on any group, and count them for the bounds."""
        before = len(self.placement.unplaced)
        self.place_all(pods, range(len(self.shapes)))
        for name, number in pods.items():
            self.surge[name] = self.surge.get(name, 0) + number
        for entry in self.placement.unplaced[before:]:
            self.surge_unplaced[entry.workload] = self.surge_unplaced.get(entry.workload, 0) + entry.pods

    def requested(self, group: int) -> NodeState:
        """The total that workload pods on a group's open nodes add to their state."""
        start, total = self.shapes[group].first.start, EMPTY
        for (_, state), number in self.placement.groups[group].classes.items():
            total = plus(total, number, state, start)
        return total

    def unplaced_since(self) -> bool:
        """Whether any pod became unschedulable in the events."""
        return len(self.placement.unplaced) > self.unplaced_before

    def _pods_on(self, group: int) -> Kinds:
        start = self.shapes[group].first.start
        vpc = branch = every = 0
        for (_, state), number in self.placement.groups[group].classes.items():
            every += number * (state.pods - start.pods)
            vpc += number * (state.vpc_pods - start.vpc_pods)
            branch += number * (state.branch_pods - start.branch_pods)
        return vpc, branch, every

    def unplaced(self) -> list[Unplaced]:
        """Unschedulable pods, one entry per workload and reason."""
        found: dict[tuple[str, str], int] = {}
        for entry in self.placement.unplaced:
            key = (entry.workload, entry.reason)
            found[key] = found.get(key, 0) + entry.pods
        return [Unplaced(workload, pods, reason) for (workload, reason), pods in found.items()]


def _add(counts: dict[_K, int], key: _K, number: int) -> None:
    counts[key] = counts.get(key, 0) + number
