"""Pods spread over zones and one pod per node: placement by classes against placement pod by pod and node by node."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.cluster.group_nodes import GroupNodes
from capacity.cluster.node_state import EMPTY, UNLIMITED, NodeRoom, PodShape, fits
from capacity.cluster.place import Placement

Work = tuple[PodShape, int, tuple[int, ...]]  # pod, pods, groups
Group = tuple[NodeRoom, list[int]]  # room, nodes in each slot
ZONES = ("a", "b", "c")

rooms = st.builds(
    NodeRoom,
    cpu=st.sampled_from([4, 8]),
    memory=st.sampled_from([8, 16]),
    max_pods=st.integers(1, 8),
    addresses=st.just(UNLIMITED),
    branch_enis=st.just(0),
    volumes=st.just(4),
)
groups_of = st.lists(st.tuples(rooms, st.lists(st.integers(0, 3), min_size=3, max_size=3)), min_size=1, max_size=3)


@st.composite
def workloads(draw: st.DrawFn, groups: int) -> list[Work]:
    found = []
    for number in range(draw(st.integers(1, 4))):
        cpu, memory = draw(st.integers(0, 3)), draw(st.integers(0, 4))
        skew = draw(st.sampled_from([None, 1, 1, 2, 3]))
        mark = draw(st.sampled_from([0, 1 << number]))
        pod = PodShape(cpu, memory, max(cpu, 1), max(memory, 1), skew=skew, mark=mark)
        open_to = draw(st.sets(st.integers(0, groups - 1), min_size=1))
        found.append((pod, draw(st.integers(0, 14)), tuple(sorted(open_to))))
    return found


@dataclass
class Node:
    """A node that remembers which workloads its pods are of."""

    group: int
    slot: int
    room: NodeRoom
    pods: list[int] = field(default_factory=list)
    cpu: int = 0
    memory: int = 0
    score_cpu: int = 0
    score_memory: int = 0
    marks: int = 0

    def takes(self, number: int, pod: PodShape) -> bool:
        """Room, and none of the workload where a node takes only one."""
        room = len(self.pods) < self.room.max_pods
        room = room and (not pod.cpu or self.cpu + pod.cpu <= self.room.cpu)
        room = room and (not pod.memory or self.memory + pod.memory <= self.room.memory)
        return room and not (pod.mark and number in self.pods)

    def put(self, number: int, pod: PodShape) -> None:
        self.pods.append(number)
        self.marks += pod.mark
        self.cpu, self.memory = self.cpu + pod.cpu, self.memory + pod.memory
        self.score_cpu, self.score_memory = self.score_cpu + pod.score_cpu, self.score_memory + pod.score_memory


def one_by_one(groups: list[Group], work: list[Work]) -> tuple[list[Node], dict[str, int]]:
    """Each pod on the least allocated node that the scheduler's filters leave."""
    nodes = [Node(g, s, room) for g, (room, slots) in enumerate(groups) for s, n in enumerate(slots) for _ in range(n)]
    left: dict[str, int] = {}
    for number, (pod, pods, open_to) in enumerate(work):
        mine = [node for node in nodes if node.group in open_to]
        for _ in range(pods):
            have = {ZONES[node.slot]: 0 for node in mine}
            for node in mine:
                have[ZONES[node.slot]] += node.pods.count(number)
            may = [
                node
                for node in mine
                if node.takes(number, pod)
                and (pod.skew is None or have[ZONES[node.slot]] + 1 - min(have.values()) <= pod.skew)
            ]
            if not may:
                left[str(number)] = left.get(str(number), 0) + 1
                continue
            best = min(may, key=lambda node: (_share(node, pod), len(node.pods), node.group, node.slot, _state(node)))
            best.put(number, pod)
    return nodes, left


def _share(node: Node, pod: PodShape) -> Fraction:
    return Fraction(node.score_cpu + pod.score_cpu, node.room.cpu) + Fraction(
        node.score_memory + pod.score_memory, node.room.memory
    )


def _state(node: Node) -> tuple[int, ...]:
    return node.score_cpu, node.score_memory, node.cpu, node.memory, len(node.pods), node.marks


@settings(max_examples=400, deadline=None)
@given(groups_of, st.data())
def test_rules_about_zones_and_nodes_are_kept_like_the_scheduler_keeps_them(
    groups: list[Group], data: st.DataObject
) -> None:
    work = data.draw(workloads(len(groups)))
    placement = Placement([GroupNodes(room, slots, EMPTY) for room, slots in groups], [ZONES] * len(groups))
    for number, (pod, pods, open_to) in enumerate(work):
        placement.place(str(number), pod, pods, open_to)
    nodes, left = one_by_one(groups, work)
    got: Counter[tuple[int, ...]] = Counter()
    for g, of in enumerate(placement.groups):
        for (slot, state), count in of.classes.items():
            got[g, slot, state.cpu, state.memory, state.pods, state.marks] += count
    assert got == Counter((n.group, n.slot, n.cpu, n.memory, len(n.pods), n.marks) for n in nodes)
    assert {u.workload: u.pods for u in placement.unplaced} == left
    check_rules(placement, work)


def check_rules(placement: Placement, work: list[Work]) -> None:
    """What no placement may break, whatever the order: skew between zones with room, one pod per node, all counted."""
    left = {u.workload: u.pods for u in placement.unplaced}
    for number, (pod, pods, open_to) in enumerate(work):
        name = str(number)
        by_zone = {ZONES[slot]: 0 for g in open_to for slot, _ in placement.groups[g].classes}
        for (_, slot), home in placement.homes.items():
            if name in home:
                by_zone[ZONES[slot]] += home[name]
        assert sum(by_zone.values()) + left.get(name, 0) == pods
        if pod.skew is not None and by_zone:
            assert max(by_zone.values()) - min(by_zone.values()) <= pod.skew
        if pod.mark:
            holders = sum(n for of in placement.groups for (_, s), n in of.classes.items() if s.marks & pod.mark)
            assert holders == sum(by_zone.values())
        if name in left and number == len(work) - 1:
            least = min(by_zone.values(), default=0)
            for g in open_to:
                for slot, state in placement.groups[g].classes:
                    room = fits(placement.groups[g].room, state, pod)
                    over = pod.skew is not None and by_zone[ZONES[slot]] + 1 - least > pod.skew
                    assert over or not room, "a node that may take the pod was left out"
