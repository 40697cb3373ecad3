"""Pods onto nodes, as the scheduler's LeastAllocated would, counting identical nodes instead of looping.

Workload by workload, each pod goes to the node on which the mean of requested CPU and memory shares
of allocatable, this pod included, is smallest, among the nodes with room for it; ties: fewest pods,
then group order, then subnet order. Shares are compared as exact fractions. Room is what the
scheduler sees: on Linux that is not addresses.

Nodes in the same state form a class with a count. A pod only ever makes its node's share larger, so
all nodes of the least allocated class take one pod each before any other node is due: whole classes
move at once. Heaps keep the classes of a group, and the groups open to a workload, in order.

Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/noderesources/least_allocated.go and
resource_allocation.go (a missing request counts 100m CPU and 200Mi memory, pkg/scheduler/util/pod_resources.go).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from capacity.plan.model import Requests
from capacity.units import MIB, ceil_div, counted

DEFAULT_CPU_MILLICORES = 100
DEFAULT_MEMORY_BYTES = 200 * MIB

VPC, HOST, BRANCH = "vpc", "host", "branch"
REASONS = ("max_pods", "addresses", "branch_enis", "volumes", "cpu", "memory", "nodes")
UNLIMITED = 10**9
KEPT_TALLIES = 64  # kinds of pods and groups whose reasons are kept up to date


# A node's state: score CPU, score memory, CPU, memory, pods, VPC pods, branch pods, volumes. Classes of
# equal state in the same slot are one; plain tuples keep them cheap to hash and compare.
State = tuple[int, int, int, int, int, int, int, int]
EMPTY: State = (0, 0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class PodShape:
    """One pod: what it requests, what the score counts for it, and how it gets its address.

    ``step`` is what it adds to the state of its node.
    """

    cpu: int
    memory: int
    score_cpu: int
    score_memory: int
    kind: str = VPC
    volumes: int = 0
    step: State = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        vpc, branch = int(self.kind == VPC), int(self.kind == BRANCH)
        step = (self.score_cpu, self.score_memory, self.cpu, self.memory, 1, vpc, branch, self.volumes)
        object.__setattr__(self, "step", step)


def pod_shape(requests: Requests, kind: str = VPC, volumes: int = 0) -> PodShape:
    """The pod of a workload or daemonset. CPU in millicores, memory in bytes, EBS volumes."""
    cpu, memory = requests.cpu_millicores, requests.memory_bytes
    return PodShape(
        cpu=cpu or 0,
        memory=memory or 0,
        score_cpu=DEFAULT_CPU_MILLICORES if cpu is None else cpu,
        score_memory=DEFAULT_MEMORY_BYTES if memory is None else memory,
        kind=kind,
        volumes=volumes,
    )


class NodeRoom(NamedTuple):
    """What the scheduler sees of one node, for all its pods, daemonsets included.

    ``cpu`` millicores and ``memory`` bytes allocatable, ``max_pods`` pods, ``branch_enis``, EBS ``volumes``, and
    ``addresses`` for pods on VPC addresses: on Windows an extended resource (``vpc.amazonaws.com/PrivateIPv4Address``),
    on Linux :data:`UNLIMITED`, since no scheduler or autoscaler knows addresses there.
    """

    cpu: int
    memory: int
    max_pods: int
    addresses: int
    branch_enis: int
    volumes: int = UNLIMITED


def with_pod(state: State, pod: PodShape) -> State:
    """The state of a node after one more pod."""
    a, b, c, d, e, f, g, h = state
    p, q, r, s, t, u, v, w = pod.step
    return (a + p, b + q, c + r, d + s, e + t, f + u, g + v, h + w)


def blockers(room: NodeRoom, state: State, pod: PodShape) -> list[str]:
    """What keeps a pod off a node in this state; empty where it fits."""
    found = []
    if pod.kind == VPC and state[5] >= room.addresses:
        found.append("addresses")
    if pod.kind == BRANCH and state[6] >= room.branch_enis:
        found.append("branch_enis")
    if state[4] >= room.max_pods:
        found.append("max_pods")
    if pod.volumes and state[7] + pod.volumes > room.volumes:
        found.append("volumes")
    if state[2] + pod.cpu > room.cpu and pod.cpu:
        found.append("cpu")
    if state[3] + pod.memory > room.memory and pod.memory:
        found.append("memory")
    return found


def fits(room: NodeRoom, state: State, pod: PodShape) -> bool:
    """Whether one more such pod has room; a request of 0 fits even an overcommitted node."""
    _, _, c, d, e, f, g, h = state
    cpu, memory, pods, vpc, branch, volumes = fullest_before(room, pod)
    return c <= cpu and d <= memory and e <= pods and f <= vpc and g <= branch and h <= volumes


def fullest_before(room: NodeRoom, pod: PodShape) -> tuple[float, float, float, float, float, float]:
    """The most CPU, memory, pods, VPC pods, branch pods and volumes of a node on which one more such pod has room."""
    return (
        room.cpu - pod.cpu if pod.cpu else inf,
        room.memory - pod.memory if pod.memory else inf,
        room.max_pods - 1,
        room.addresses - 1 if pod.kind == VPC else inf,
        room.branch_enis - 1 if pod.kind == BRANCH else inf,
        room.volumes - pod.volumes if pod.volumes else inf,
    )


def pods_on_empty(room: NodeRoom, start: State, pod: PodShape) -> int:
    """Pods of one shape that a node with its daemonsets only has room for. [pods]"""
    if not fits(room, start, pod):
        return 0
    bounds = [room.max_pods - start[4]]
    bounds += [(room.cpu - start[2]) // pod.cpu] if pod.cpu else []
    bounds += [(room.memory - start[3]) // pod.memory] if pod.memory else []
    bounds += [(room.volumes - start[7]) // pod.volumes] if pod.volumes else []
    bounds += [room.addresses - start[5]] if pod.kind == VPC else []
    bounds += [room.branch_enis - start[6]] if pod.kind == BRANCH else []
    return max(min(bounds), 0)


def nodes_by_sums(room: NodeRoom, start: State, pods: Iterable[tuple[PodShape, int]]) -> int:
    """Fewest nodes that so many pods of each shape need in sum; the scheduler may need more. [nodes]

    Each of the shapes fits on an empty node.
    """
    needs = [0, 0, 0, 0]
    for pod, number in pods:
        for i, amount in enumerate((pod.cpu, pod.memory, 1, pod.kind == VPC)):
            needs[i] += number * amount
    each = (room.cpu - start[2], room.memory - start[3], room.max_pods - start[4], room.addresses - start[5])
    return max((ceil_div(need, have) for need, have in zip(needs, each, strict=True) if need), default=0)


def nodes_short(room: NodeRoom, start: State, pods: int) -> int:
    """Nodes that are missing for certain where so many pods found none, at least one. [nodes]

    Even full of nothing else, twice as many are short; half of it keeps the count the fewest.
    """
    return max(pods // max(room.max_pods - start[4], 1) // 2, 1)


Entry = tuple[int, int, int, State]  # share in units of 1/(2·cpu·memory), pods, slot, state


class GroupNodes:
    """The nodes of one group by slot and state, least allocated first."""

    def __init__(self, room: NodeRoom, slots: Sequence[int], start: State) -> None:
        self.room = room
        self.shape = (max(room.cpu, 1), max(room.memory, 1))
        self.classes: dict[tuple[int, State], int] = {}
        self.heap: list[Entry] = []
        self.aside: list[Entry] = []
        for slot, count in enumerate(slots):
            if count:
                self.add(slot, start, count)

    def _key(self, state: State) -> int:
        cpu, memory = self.shape
        return state[0] * memory + state[1] * cpu

    def add(self, slot: int, state: State, count: int) -> None:
        """More nodes in a slot, all in one state."""
        place = (slot, state)
        if place in self.classes:
            self.classes[place] += count
            return
        self.classes[place] = count
        if state[4] < self.room.max_pods:
            heapq.heappush(self.heap, (self._key(state), state[4], slot, state))

    def remove(self, slot: int, state: State, count: int) -> None:
        """Take nodes away, with the pods on them."""
        left = self.classes[slot, state] - count
        if left:
            self.classes[slot, state] = left
            return
        del self.classes[slot, state]
        self.heap = [e for e in self.heap if (e[2], e[3]) != (slot, state)]
        heapq.heapify(self.heap)

    def copy(self) -> GroupNodes:
        """The same nodes, to be changed apart."""
        twin = GroupNodes(self.room, (), EMPTY)
        twin.classes, twin.heap = dict(self.classes), list(self.heap)
        return twin

    def head(self, pod: PodShape) -> Entry | None:
        """The least allocated class with room for the pod. Classes without stay aside until :meth:`restore`."""
        heap, room = self.heap, self.room
        while heap:
            entry = heap[0]
            if fits(room, entry[3], pod):
                return entry
            self.aside.append(heapq.heappop(heap))
        return None

    def restore(self) -> None:
        """Put back the classes that were full for one pod but may not be for the next."""
        while self.aside:
            heapq.heappush(self.heap, self.aside.pop())

    def share(self, state: State, pod: PodShape) -> float:
        """Mean share of CPU and memory with the pod, correctly rounded, so equal shares compare equal."""
        cpu, memory = self.shape
        return ((state[0] + pod.score_cpu) * memory + (state[1] + pod.score_memory) * cpu) / (2 * cpu * memory)

    def tally(self, pod: PodShape) -> list[int]:
        """Nodes that a pod finds no room on, by each of :data:`REASONS` but the last, and whether its kind of
        address alone is lacking on any. [nodes]
        """
        counts = dict.fromkeys(REASONS[:-1], 0)
        alone = 0
        for (_, state), count in self.classes.items():
            found = blockers(self.room, state, pod)
            for reason in found:
                counts[reason] += count
            if found in (["addresses"], ["branch_enis"]):
                alone = 1
        return [*counts.values(), alone]

    def fill(self, pod: PodShape, wanted: int) -> dict[int, int]:
        """Put up to so many pods on these nodes, each on the least allocated with room; how many in each slot.

        The same as :meth:`head` and :meth:`take` in turn, written out: nothing is done more often.
        """
        placed: dict[int, int] = {}
        heap, gain = self.heap, self._gain(pod)
        p, q, r, s, t, u, v, w = pod.step
        cpu, memory, pods, vpc, branch, volumes = fullest_before(self.room, pod)
        while wanted and heap:
            entry = heap[0]
            a, b, c, d, e, f, g, h = entry[3]
            if c <= cpu and d <= memory and e <= pods and f <= vpc and g <= branch and h <= volumes:
                fuller = (a + p, b + q, c + r, d + s, e + t, f + u, g + v, h + w)
                number = self._filled(entry, fuller, gain, wanted)
                placed[entry[2]] = placed.get(entry[2], 0) + number
                wanted -= number
            else:
                self.aside.append(heapq.heappop(heap))
        self.restore()
        return placed

    def take(self, entry: Entry, pod: PodShape, wanted: int) -> int:
        """Put one pod on up to ``wanted`` nodes of the head class; how many."""
        return self._filled(entry, with_pod(entry[3], pod), self._gain(pod), wanted)

    def _gain(self, pod: PodShape) -> int:
        """What a pod adds to the key of its node."""
        cpu, memory = self.shape
        return pod.score_cpu * memory + pod.score_memory * cpu

    def _filled(self, entry: Entry, fuller: State, gain: int, wanted: int) -> int:
        """Up to ``wanted`` nodes of the head class are in a fuller state; how many."""
        key, _, slot, state = entry
        classes, place = self.classes, (slot, fuller)
        have = classes[slot, state]
        number = have if have < wanted else wanted
        known = classes.get(place)
        classes[place] = number if known is None else known + number
        waits = known is None and fuller[4] < self.room.max_pods
        if number < have:
            classes[slot, state] = have - number
            if waits:
                heapq.heappush(self.heap, (key + gain, fuller[4], slot, fuller))
            return number
        del classes[slot, state]
        if waits:
            heapq.heapreplace(self.heap, (key + gain, fuller[4], slot, fuller))
        else:
            heapq.heappop(self.heap)
        return number


@dataclass(slots=True)
class _Choice:
    """The groups open to a set of workloads, by shape, least allocated first.

    Entries are lower bounds: shares only grow, so a stale one is found out when it comes up.
    """

    heaps: dict[tuple[int, int], list[tuple[int, int, int, int]]] = field(default_factory=dict)
    refused: list[PodShape] = field(default_factory=list)


@dataclass(slots=True)
class _Tally:
    """What keeps a kind of pod off some groups: nodes by reason, of each group and of all.

    ``seen`` says how many moves of the placement it knows of. A group's last count is 1 where a lack of
    addresses or of branch ENIs, and nothing else, keeps the pod off some node.
    """

    seen: int
    by_group: dict[int, list[int]]
    total: list[int]


class Unplaced(NamedTuple):
    """Pods of a workload that are unschedulable, and the resource that they lack."""

    workload: str
    pods: int
    reason: str

    def __str__(self) -> str:
        return unschedulable(self.pods, self.workload)


def unschedulable(pods: int, workload: str = "") -> str:
    """In words.

    >>> unschedulable(1), unschedulable(1200, "web")
    ('1 pod is unschedulable', '1,200 web pods are unschedulable')
    """
    of = f"{workload} " if workload not in ("", "pods") else ""  # a workload called pods needs no second word
    return f"{pods:,} {of}{'pod is' if pods == 1 else 'pods are'} unschedulable"


def without_address(pods: int, group: str = "") -> str:
    """In words.

    >>> without_address(20, "general")
    '20 pods on general get no address (stuck in ContainerCreating)'
    """
    on = f" on {group}" if group else ""
    return f"{counted(pods, 'pod')}{on} {'gets' if pods == 1 else 'get'} no address (stuck in ContainerCreating)"


class Placement:
    """All groups of a plan while pods are placed on them.

    ``homes`` counts the pods in each (group, slot) by workload.
    """

    def __init__(self, groups: Sequence[GroupNodes]) -> None:
        self.groups = groups
        self.choices: dict[tuple[int, ...], _Choice] = {}
        self.unplaced: list[Unplaced] = []
        self.homes: dict[tuple[int, int], dict[str, int]] = {}
        self._workload = ""
        self._moves: list[int] = []  # the group of every move, for the tallies
        self._tallies: dict[tuple[PodShape, tuple[int, ...]], _Tally] = {}

    @classmethod
    def joined(cls, size: int, parts: Iterable[tuple[Sequence[int], Placement]], order: Sequence[str]) -> Placement:
        """One placement of all groups from those of some, each with the places of its groups; they share their nodes.

        ``order``: all workloads, in which those left without a node are named.
        """
        groups: dict[int, GroupNodes] = {}
        homes: dict[tuple[int, int], dict[str, int]] = {}
        left: dict[str, list[Unplaced]] = {}
        for places, part in parts:
            groups.update(zip(places, part.groups, strict=True))
            homes.update({(places[group], slot): home for (group, slot), home in part.homes.items()})
            for entry in part.unplaced:
                left.setdefault(entry.workload, []).append(entry)
        found = cls([groups[i] for i in range(size)])
        found.homes = homes
        found.unplaced = [entry for name in order for entry in left.get(name, ())] if left else []
        return found

    def copy(self) -> Placement:
        """The same placement, to be changed apart."""
        twin = Placement([g.copy() for g in self.groups])
        twin.unplaced = list(self.unplaced)
        twin.homes = {place: dict(home) for place, home in self.homes.items()}
        return twin

    def nodes_changed(self) -> None:
        """Forget what was known of the groups: nodes came or went."""
        self.choices.clear()
        self._tallies.clear()

    def place(self, workload: str, pod: PodShape, pods: int, groups: tuple[int, ...]) -> None:
        """Place ``pods`` pods of a workload on the groups it may use."""
        choice = self._choice(groups)
        self._workload = workload
        left = pods
        if not choice.refused or not any(_at_least(pod, r) for r in choice.refused):
            left = self._fill_one(groups[0], pod, pods) if len(groups) == 1 else self._fill(choice, pod, pods)
            if left:
                choice.refused.append(pod)
        if left:
            self.unplaced.append(Unplaced(workload, left, self._reason(pod, groups)))

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
        """The same where one group is open: its own order decides."""
        for slot, number in self.groups[index].fill(pod, pods).items():
            self._lives(index, slot, number)
            pods -= number
        return pods

    def _take(self, index: int, entry: Entry, pod: PodShape, wanted: int) -> int:
        placed = self.groups[index].take(entry, pod, wanted)
        self._lives(index, entry[2], placed)
        return placed

    def _lives(self, index: int, slot: int, pods: int) -> None:
        """Keep count of the workload's pods in a slot."""
        self._moves.append(index)
        home = self.homes.get((index, slot))
        if home is None:
            home = self.homes[index, slot] = {}
        home[self._workload] = home.get(self._workload, 0) + pods

    def _fill(self, choice: _Choice, pod: PodShape, pods: int) -> int:
        """Place what has room; how many are left."""
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
        """The best group of one shape for the pod: share with it, pods, group, slot, shape."""
        heap = choice.heaps[shape]
        while heap:
            bound = heap[0]
            index = bound[2]
            group = self.groups[index]
            touched.add(index)
            entry = group.head(pod)
            if entry is None:
                heapq.heappop(heap)
                if group.aside or group.heap:  # full for this pod, not for good
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
        """Addresses or branch ENIs where they alone stop the pod somewhere; else what stops it most often."""
        one = len(groups) == 1
        *counts, alone = self.groups[groups[0]].tally(pod) if one else self._tally(pod, groups).total
        if alone:
            return "branch_enis" if pod.kind == BRANCH else "addresses"
        return REASONS[counts.index(max(counts))] if any(counts) else "nodes"

    def _tally(self, pod: PodShape, groups: tuple[int, ...]) -> _Tally:
        """Only groups that got a pod since are counted again: thousands of workloads may have unschedulable pods."""
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
        self._tallies[pod, groups] = tally  # the last used is the last to be forgotten
        if len(self._tallies) > KEPT_TALLIES:
            del self._tallies[next(iter(self._tallies))]
        return tally


def _at_least(pod: PodShape, other: PodShape) -> bool:
    """Whether a pod needs everything that ``other``, already refused everywhere, needed."""
    more = pod.cpu >= other.cpu and pod.memory >= other.memory and pod.volumes >= other.volumes
    return pod.kind == other.kind and more
