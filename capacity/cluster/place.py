"""Places pods on nodes like the scheduler's LeastAllocated, counting identical nodes instead of looping.

Workload by workload, each pod goes to the node on which the mean of requested CPU and memory shares of allocatable,
this pod included, is smallest, among the nodes with room for it; ties: fewest pods, then group order, then subnet
order. Shares are compared as exact fractions. Room is what the scheduler considers; on Linux that excludes addresses.

Nodes in the same state form a class with a count. A pod only increases its node's share, so all nodes of the least
allocated class get one pod each before any other node: whole classes move at once. Heaps keep the classes of a group,
and the groups open to a workload, in order.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/noderesources/least_allocated.go and
resource_allocation.go (a missing request counts 100m CPU and 200Mi memory, pkg/scheduler/util/pod_resources.go).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from capacity.cluster.constrained import place_constrained
from capacity.cluster.group_nodes import Entry, GroupNodes
from capacity.cluster.node_state import BRANCH, PodShape, fits
from capacity.cluster.unplaced import REASONS, Unplaced

KEPT_TALLIES = 64  # kinds of pods and groups whose reasons are cached


@dataclass(slots=True)
class _Choice:
    """The groups open to a set of workloads, by shape, least allocated first.

    Entries are lower bounds: shares only grow, so a stale entry is detected when it reaches the top.
    """

    heaps: dict[tuple[int, int], list[tuple[int, int, int, int]]] = field(default_factory=dict)
    refused: list[PodShape] = field(default_factory=list)


@dataclass(slots=True)
class _Tally:
    """Why a kind of pod does not fit some groups: nodes by reason, for each group and in total.

    ``seen`` is the number of moves of the placement that it includes. A group's last count is 1 if some node lacks only
    addresses or branch ENIs for the pod.
    """

    seen: int
    by_group: dict[int, list[int]]
    total: list[int]


class Placement:
    """All groups of a plan while pods are placed on them.

    ``homes`` counts the pods in each (group, slot) by workload.
    """

    def __init__(self, groups: Sequence[GroupNodes], zones: Sequence[Sequence[str]] = ()) -> None:
        """``zones``: the zone of each group's slots, for pods that are spread over zones; without it there is one."""
        self.groups = groups
        self.zones = zones
        self.choices: dict[tuple[int, ...], _Choice] = {}
        self.unplaced: list[Unplaced] = []
        self.homes: dict[tuple[int, int], dict[str, int]] = {}
        self._workload = ""
        self._moves: list[int] = []  # group of every move, for the tallies
        self._tallies: dict[tuple[PodShape, tuple[int, ...]], _Tally] = {}

    @classmethod
    def joined(cls, size: int, parts: Iterable[tuple[Sequence[int], Placement]], order: Sequence[str]) -> Placement:
        """One placement of all groups, joined from placements of some groups; they share their nodes.

        ``order``: the order of all workloads, used for unschedulable pods.
        """
        groups: dict[int, GroupNodes] = {}
        zones: dict[int, Sequence[str]] = {}
        homes: dict[tuple[int, int], dict[str, int]] = {}
        left: dict[str, list[Unplaced]] = {}
        for places, part in parts:
            groups.update(zip(places, part.groups, strict=True))
            zones.update(zip(places, part.zones, strict=False))
            homes.update({(places[group], slot): home for (group, slot), home in part.homes.items()})
            for entry in part.unplaced:
                left.setdefault(entry.workload, []).append(entry)
        found = cls([groups[i] for i in range(size)], [zones.get(i, ()) for i in range(size)] if zones else ())
        found.homes = homes
        found.unplaced = [entry for name in order for entry in left.get(name, ())] if left else []
        return found

    def copy(self) -> Placement:
        """A copy that can be changed without changing the original."""
        twin = Placement([g.copy() for g in self.groups], self.zones)
        twin.unplaced = list(self.unplaced)
        twin.homes = {place: dict(home) for place, home in self.homes.items()}
        return twin

    def nodes_changed(self) -> None:
        """Clear the cached state of the groups after nodes were added or removed."""
        self.choices.clear()
        self._tallies.clear()

    def place(self, workload: str, pod: PodShape, pods: int, groups: tuple[int, ...]) -> None:
        """Place ``pods`` pods of a workload on the groups it can use."""
        self._workload = workload
        if pod.constrained:
            self._place_constrained(workload, pod, pods, groups)
            return
        choice = self._choice(groups)
        left = pods
        if not choice.refused or not any(_at_least(pod, r) for r in choice.refused):
            left = self._fill_one(groups[0], pod, pods) if len(groups) == 1 else self._fill(choice, pod, pods)
            if left:
                choice.refused.append(pod)
        if left:
            self.unplaced.append(Unplaced(workload, left, self._reason(pod, groups)))

    def _place_constrained(self, workload: str, pod: PodShape, pods: int, groups: tuple[int, ...]) -> None:
        """Place pods whose workload has a rule about zones or nodes."""
        placed = place_constrained(self.groups, self.zones, groups, pod, pods, self._by_zone(workload, groups))
        for (index, slot), number in placed.items():
            self._lives(index, slot, number)
        left = pods - sum(placed.values())
        if left:
            self.unplaced.append(Unplaced(workload, left, self._constrained_reason(pod, groups)))

    def _by_zone(self, workload: str, groups: tuple[int, ...]) -> dict[str, int]:
        """Pods of a workload by the zone of their slot, open nodes only. [pods]"""
        found: dict[str, int] = {}
        for index in groups if self.zones else ():
            for slot, zone in enumerate(self.zones[index]):
                found[zone] = found.get(zone, 0) + self.homes.get((index, slot), {}).get(workload, 0)
        return found

    def _constrained_reason(self, pod: PodShape, groups: tuple[int, ...]) -> str:
        """Place the pods like any others, and apply the spread over zones if a node of another zone has room."""
        room = any(fits(self.groups[i].room, s, pod) for i in groups for _, s in self.groups[i].classes)
        return "topology_spread" if room else self._reason(pod, groups)

    def _choice(self, groups: tuple[int, ...]) -> _Choice:
        choice = self.choices.get(groups)
        if choice is None:
            choice = self.choices[groups] = _Choice()
            for index in groups if len(groups) > 1 else ():
                group = self.groups[index]
                if group.heap:
                    key, pods, slot, _ = group.heap[0]
                    choice.heaps.setdefault(group.shape, []).append((key, pods, index, slot))
            for heap in choice.heaps.values():
                heapq.heapify(heap)
        return choice

    def _fill_one(self, index: int, pod: PodShape, pods: int) -> int:
        """Place pods if only one group is open, in its order."""
        for slot, number in self.groups[index].fill(pod, pods).items():
            self._lives(index, slot, number)
            pods -= number
        return pods

    def _take(self, index: int, entry: Entry, pod: PodShape, wanted: int) -> int:
        placed = self.groups[index].take(entry, pod, wanted)
        self._lives(index, entry[2], placed)
        return placed

    def _lives(self, index: int, slot: int, pods: int) -> None:
        """Count the workload's pods in a slot."""
        self._moves.append(index)
        home = self.homes.get((index, slot))
        if home is None:
            home = self.homes[index, slot] = {}
        home[self._workload] = home.get(self._workload, 0) + pods

    def _fill(self, choice: _Choice, pod: PodShape, pods: int) -> int:
        """Place the pods that fit, and return how many are left."""
        aside: list[tuple[tuple[int, int], tuple[int, int, int, int]]] = []
        touched: set[int] = set()
        tops = [t for t in (self._top(shape, choice, pod, aside, touched) for shape in list(choice.heaps)) if t]
        heapq.heapify(tops)
        left = pods
        while left and tops:
            _, _, index, _, shape = heapq.heappop(tops)
            group = self.groups[index]
            entry = group.head(pod)
            assert entry is not None
            left -= self._take(index, entry, pod, left)
            top = self._top(shape, choice, pod, aside, touched)
            if top:
                heapq.heappush(tops, top)
        for index in touched:
            self.groups[index].restore()
        for shape, item in aside:
            heapq.heappush(choice.heaps[shape], item)
        return left

    def _top(
        self,
        shape: tuple[int, int],
        choice: _Choice,
        pod: PodShape,
        aside: list[tuple[tuple[int, int], tuple[int, int, int, int]]],
        touched: set[int],
    ) -> tuple[float, int, int, int, tuple[int, int]] | None:
        """The best group of one shape for the pod as (share with the pod, pods, group, slot, shape)."""
        heap = choice.heaps[shape]
        while heap:
            bound = heap[0]
            index = bound[2]
            group = self.groups[index]
            touched.add(index)
            entry = group.head(pod)
            if entry is None:
                heapq.heappop(heap)
                if group.aside or group.heap:  # full for this pod, but not for every pod
                    aside.append((shape, bound))
                continue
            true = (entry[0], entry[1], index, entry[2])
            if true != bound:
                heapq.heapreplace(heap, true)
                if heap[0] != true:
                    continue
            return group.share(entry[3], pod), entry[1], index, entry[2], shape
        return None

    def _reason(self, pod: PodShape, groups: tuple[int, ...]) -> str:
        """Addresses or branch ENIs if only they block the pod on some node; otherwise the most frequent reason."""
        one = len(groups) == 1
        *counts, alone = self.groups[groups[0]].tally(pod) if one else self._tally(pod, groups).total
        if alone:
            return "branch_enis" if pod.kind == BRANCH else "addresses"
        return REASONS[counts.index(max(counts))] if any(counts) else "nodes"

    def _tally(self, pod: PodShape, groups: tuple[int, ...]) -> _Tally:
        """Count the reasons again only for groups that got a pod since: thousands of workloads can have unschedulable
        pods.
        """
        tally = self._tallies.pop((pod, groups), None)
        if tally is None:
            by_group = {index: self.groups[index].tally(pod) for index in groups}
            total = [sum(column) for column in zip(*by_group.values(), strict=True)]
            tally = _Tally(len(self._moves), by_group, total)
        for index in set(self._moves[tally.seen :]) & tally.by_group.keys():
            old, new = tally.by_group[index], self.groups[index].tally(pod)
            tally.by_group[index] = new
            tally.total = [t - o + n for t, o, n in zip(tally.total, old, new, strict=True)]
        tally.seen = len(self._moves)
        self._tallies[pod, groups] = tally  # least recently used entries are evicted first
        if len(self._tallies) > KEPT_TALLIES:
            del self._tallies[next(iter(self._tallies))]
        return tally


def _at_least(pod: PodShape, other: PodShape) -> bool:
    """Whether a pod needs everything that ``other``, already refused everywhere, needed."""
    more = pod.cpu >= other.cpu and pod.memory >= other.memory and pod.volumes >= other.volumes
    return pod.kind == other.kind and more and pod.gpus >= other.gpus
