"""Placement by classes against placement pod by pod and node by node."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.cluster.group_nodes import GroupNodes
from capacity.cluster.node_state import BRANCH, EMPTY, HOST, VPC, NodeRoom, PodShape, blockers, fits, with_pod
from capacity.cluster.place import Placement
from capacity.cluster.unplaced import REASONS

ROOM = st.builds(
    NodeRoom,
    cpu=st.sampled_from([4, 8, 10]),
    memory=st.sampled_from([8, 16]),
    max_pods=st.integers(1, 8),
    addresses=st.integers(0, 8),
    branch_enis=st.integers(0, 2),
    volumes=st.integers(0, 4),
    gpus=st.integers(0, 2),
)
GROUPS = st.lists(st.tuples(ROOM, st.lists(st.integers(0, 3), min_size=1, max_size=3)), min_size=1, max_size=4)


@st.composite
def workloads(draw: st.DrawFn, groups: int) -> list[tuple[PodShape, int, tuple[int, ...]]]:
    found = []
    for _ in range(draw(st.integers(1, 6))):
        cpu, memory = draw(st.integers(0, 3)), draw(st.integers(0, 4))
        pod = PodShape(
            cpu,
            memory,
            draw(st.sampled_from([cpu, 1])),
            draw(st.sampled_from([memory, 2])),
            draw(st.sampled_from([VPC, VPC, HOST, BRANCH])),
            draw(st.integers(0, 2)),
            draw(st.sampled_from([0, 0, 0, 1, 2])),
        )
        open_to = draw(st.sets(st.integers(0, groups - 1), min_size=1))
        found.append((pod, draw(st.integers(0, 12)), tuple(sorted(open_to))))
    return found


def one_by_one(
    groups: list[tuple[NodeRoom, list[int]]], work: list[tuple[PodShape, int, tuple[int, ...]]]
) -> tuple[Counter[tuple[int, int, tuple[int, ...]]], list[int]]:
    places = [(g, s) for g, (_, slots) in enumerate(groups) for s, count in enumerate(slots) for _ in range(count)]
    states = [EMPTY] * len(places)
    left = []
    for pod, pods, open_to in work:
        missed = 0
        for _ in range(pods):
            best = None
            for node, ((group, slot), state) in enumerate(zip(places, states, strict=True)):
                room = groups[group][0]
                if group in open_to and fits(room, state, pod):
                    share = Fraction(state[0] + pod.score_cpu, room.cpu)
                    share += Fraction(state[1] + pod.score_memory, room.memory)
                    key = (share, state[4], group, slot, state)
                    if best is None or key < best[0]:
                        best = (key, node)
            if best is None:
                missed += 1
            else:
                states[best[1]] = with_pod(states[best[1]], pod)
        left.append(missed)
    return Counter((*place, state) for place, state in zip(places, states, strict=True)), left


@settings(max_examples=400, deadline=None)
@given(GROUPS, st.data())
def test_classes_place_like_single_pods(groups: list[tuple[NodeRoom, list[int]]], data: st.DataObject) -> None:
    work = data.draw(workloads(len(groups)))
    placement = Placement([GroupNodes(room, slots, EMPTY) for room, slots in groups])
    for i, (pod, pods, open_to) in enumerate(work):
        placement.place(str(i), pod, pods, open_to)
    expected, left = one_by_one(groups, work)
    got = Counter(
        {(g, s, state): n for g, nodes in enumerate(placement.groups) for (s, state), n in nodes.classes.items()}
    )
    assert got == expected
    assert {u.workload: u.pods for u in placement.unplaced} == {str(i): n for i, n in enumerate(left) if n}
    placed = Counter({str(i): pods - left[i] for i, (_, pods, _) in enumerate(work)})
    by_place = {place: sum(home.values()) for place, home in placement.homes.items()}
    held: Counter[tuple[int, int]] = Counter()
    for (group, slot, state), nodes in got.items():
        held[group, slot] += nodes * state.pods
    assert by_place == {place: pods for place, pods in held.items() if pods}
    assert sum((Counter(home) for home in placement.homes.values()), Counter()) == +placed


def reason_by_hand(placement: Placement, pod: PodShape, open_to: tuple[int, ...]) -> str:
    """What keeps a pod off, every node looked at."""
    counts: Counter[str] = Counter()
    for index in open_to:
        for (_, state), nodes in placement.groups[index].classes.items():
            found = blockers(placement.groups[index].room, state, pod)
            if found in (["addresses"], ["branch_enis"]):
                return found[0]
            counts.update(dict.fromkeys(found, nodes))
    return max(REASONS, key=lambda r: (counts[r], -REASONS.index(r))) if counts else "nodes"


@settings(max_examples=400, deadline=None)
@given(GROUPS, st.data())
def test_reasons_kept_up_are_those_counted_anew(groups: list[tuple[NodeRoom, list[int]]], data: st.DataObject) -> None:
    kinds = [(pod, open_to) for pod, _, open_to in data.draw(workloads(len(groups)))]
    placement = Placement([GroupNodes(room, slots, EMPTY) for room, slots in groups])
    for i, (kind, pods) in enumerate(
        data.draw(st.lists(st.tuples(st.sampled_from(kinds), st.integers(1, 9)), min_size=1, max_size=14))
    ):
        known = len(placement.unplaced)
        placement.place(str(i), kind[0], pods, kind[1])
        for entry in placement.unplaced[known:]:
            assert entry.reason == reason_by_hand(placement, *kind)
        if data.draw(st.integers(0, 9)) == 0:  # a node comes, as when a group grows
            placement.groups[kind[1][0]].add(0, EMPTY, 1)
            placement.nodes_changed()
