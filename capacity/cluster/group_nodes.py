"""The nodes of one group in classes of equal state, least allocated first (see :mod:`capacity.cluster.place`)."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from capacity.cluster.node_state import EMPTY, NodeRoom, NodeState, PodShape, blockers, fits, fullest_before, with_pod
from capacity.cluster.unplaced import REASONS

Entry = tuple[int, int, int, NodeState]  # share in units of 1/(2·cpu·memory), pods, slot, state


class GroupNodes:
    """The nodes of one group by slot and state, least allocated first."""

    def __init__(self, room: NodeRoom, slots: Sequence[int], start: NodeState) -> None:
        self.room = room
        self.shape = (max(room.cpu, 1), max(room.memory, 1))
        self.classes: dict[tuple[int, NodeState], int] = {}
        self.heap: list[Entry] = []
        self.aside: list[Entry] = []
        for slot, count in enumerate(slots):
            if count:
                self.add(slot, start, count)

    def _key(self, state: NodeState) -> int:
        cpu, memory = self.shape
        return state.score_cpu * memory + state.score_memory * cpu

    def add(self, slot: int, state: NodeState, count: int) -> None:
        """Add nodes in a slot, all in one state."""
        place = (slot, state)
        if place in self.classes:
            self.classes[place] += count
            return
        self.classes[place] = count
        if state.pods < self.room.max_pods:
            heapq.heappush(self.heap, (self._key(state), state.pods, slot, state))

    def remove(self, slot: int, state: NodeState, count: int) -> None:
        """Remove nodes with the pods on them."""
        left = self.classes[slot, state] - count
        if left:
            self.classes[slot, state] = left
            return
        del self.classes[slot, state]
        self.heap = [e for e in self.heap if (e[2], e[3]) != (slot, state)]
        heapq.heapify(self.heap)

    def change(self, nodes: Mapping[tuple[int, NodeState], int]) -> None:
        """Change the number of nodes in some slots and states, which may become 0."""
        for place, more in nodes.items():
            left = self.classes.get(place, 0) + more
            if left:
                self.classes[place] = left
            else:
                self.classes.pop(place, None)
        most = self.room.max_pods
        self.heap = [(self._key(s), s.pods, slot, s) for slot, s in self.classes if s.pods < most]
        heapq.heapify(self.heap)

    def copy(self) -> GroupNodes:
        """A copy that can be changed without changing the original."""
        twin = GroupNodes(self.room, (), EMPTY)
        twin.classes, twin.heap = dict(self.classes), list(self.heap)
        return twin

    def head(self, pod: PodShape) -> Entry | None:
        """The least allocated class with room for the pod. Full classes are set aside until :meth:`restore`."""
        heap, room = self.heap, self.room
        while heap:
            entry = heap[0]
            if fits(room, entry[3], pod):
                return entry
            self.aside.append(heapq.heappop(heap))
        return None

    def restore(self) -> None:
        """Put back the classes that were full for one pod but can have room for the next."""
        while self.aside:
            heapq.heappush(self.heap, self.aside.pop())

    def share(self, state: NodeState, pod: PodShape) -> float:
        """Mean share of CPU and memory with the pod, correctly rounded, so equal shares compare equal."""
        cpu, memory = self.shape
        used = (state.score_cpu + pod.score_cpu) * memory + (state.score_memory + pod.score_memory) * cpu
        return used / (2 * cpu * memory)

    def tally(self, pod: PodShape) -> list[int]:
        """Nodes without room for a pod by each of :data:`REASONS` except the last, and whether any lacks only its kind
        of address. [nodes]
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
        """Put pods on these nodes, each on the least allocated node with room, and return how many in each slot.

        This inlines :meth:`head` and :meth:`take`, because it is the most frequently called function.
        """
        placed: dict[int, int] = {}
        make = tuple.__new__  # takes a fifth of the time of NodeState(…)
        heap, gain = self.heap, self._gain(pod)
        p, q, r, s, t, u, v, w, x, y = pod.step
        cpu, memory, pods, vpc, branch, volumes, gpus = fullest_before(self.room, pod)
        while wanted and heap:
            entry = heap[0]
            a, b, c, d, e, f, g, h, i, j = entry[3]
            if c <= cpu and d <= memory and e <= pods and f <= vpc and g <= branch and h <= volumes and i <= gpus:
                fuller = make(NodeState, (a + p, b + q, c + r, d + s, e + t, f + u, g + v, h + w, i + x, j + y))
                number = self._filled(entry, fuller, gain, wanted)
                placed[entry[2]] = placed.get(entry[2], 0) + number
                wanted -= number
            else:
                self.aside.append(heapq.heappop(heap))
        self.restore()
        return placed

    def take(self, entry: Entry, pod: PodShape, wanted: int) -> int:
        """Put one pod on up to ``wanted`` nodes of the head class, and return how many."""
        return self._filled(entry, with_pod(entry[3], pod), self._gain(pod), wanted)

    def _gain(self, pod: PodShape) -> int:
        """The amount that a pod adds to the key of its node."""
        cpu, memory = self.shape
        return pod.score_cpu * memory + pod.score_memory * cpu

    def _filled(self, entry: Entry, fuller: NodeState, gain: int, wanted: int) -> int:
        """Move up to ``wanted`` nodes of the head class to a fuller state, and return how many."""
        key, _, slot, state = entry
        classes, place = self.classes, (slot, fuller)
        have = classes[slot, state]
        number = have if have < wanted else wanted
        known = classes.get(place)
        classes[place] = number if known is None else known + number
        waits = known is None and fuller.pods < self.room.max_pods
        if number < have:
            classes[slot, state] = have - number
            if waits:
                heapq.heappush(self.heap, (key + gain, fuller.pods, slot, fuller))
            return number
        del classes[slot, state]
        if waits:
            heapq.heapreplace(self.heap, (key + gain, fuller.pods, slot, fuller))
        else:
            heapq.heappop(self.heap)
        return number
