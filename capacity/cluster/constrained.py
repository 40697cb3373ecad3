"""Place pods that must be spread over zones, or that run at most one per node, like the scheduler's filters.

Spread over zones (``topologySpreadConstraints`` with ``DoNotSchedule``): a node can take a pod if the workload's pods
in its zone, this one included, exceed those of the zone with the fewest by at most ``maxSkew``. Only zones with an open
node that the pods can use count: zones without nodes are not domains of the scheduler. One pod per node (required
``podAntiAffinity`` over ``kubernetes.io/hostname``): a node with a pod of the workload takes no other. Pods of a
rolling update have the workload's labels, so surge pods count like the old ones.

Source: kubernetes/kubernetes@01c2588bf4a3 pkg/scheduler/framework/plugins/podtopologyspread/filtering.go (Filter,
minMatchNum); kubernetes/website content/en/docs/concepts/scheduling-eviction/topology-spread-constraints.md and
assign-pod-node.md (read 2026-11-30).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from capacity.cluster.group_nodes import GroupNodes
from capacity.cluster.node_state import NodeState, PodShape, fits, with_pod

Where = tuple[int, int]  # group and slot


class Alike(NamedTuple):
    """Equal nodes with room for a pod, ordered as the scheduler chooses: share of CPU and memory, pods, group, slot."""

    share: float
    pods: int
    group: int
    slot: int
    state: NodeState


class Zone:
    """The nodes of one zone that pods of a shape can use, the least allocated first."""

    def __init__(self, groups: Sequence[GroupNodes], pod: PodShape) -> None:
        self.groups, self.pod = groups, pod
        self.heap: list[Alike] = []
        self.nodes: dict[tuple[int, int, NodeState], int] = {}
        self.used: dict[tuple[int, int, NodeState], int] = {}  # by how many their count falls
        self.filled: dict[tuple[int, int, NodeState], int] = {}  # and rises

    def add(self, group: int, slot: int, state: NodeState, count: int) -> None:
        """Nodes of one state, if they have room."""
        place = group, slot, state
        if not fits(self.groups[group].room, state, self.pod):
            return
        if place not in self.nodes:
            share = self.groups[group].share(state, self.pod)
            heapq.heappush(self.heap, Alike(share, state.pods, group, slot, state))
        self.nodes[place] = self.nodes.get(place, 0) + count

    def copy(self) -> Zone:
        """A copy for a trial."""
        twin = Zone(self.groups, self.pod)
        twin.heap, twin.nodes = list(self.heap), dict(self.nodes)
        return twin

    def put(self, pods: int) -> dict[Where, int]:
        """Put up to that many pods on the nodes, one at a time on the least allocated node; return how many in each
        slot.
        """
        placed: dict[Where, int] = {}
        while pods and self.heap:
            _, _, group, slot, state = self.heap[0]
            place = group, slot, state
            have = self.nodes[place]
            number = min(have, pods)
            if number == have:
                heapq.heappop(self.heap)
                del self.nodes[place]
            else:
                self.nodes[place] = have - number
            fuller = with_pod(state, self.pod)
            self.add(group, slot, fuller, number)
            self.used[place] = self.used.get(place, 0) + number
            full = group, slot, fuller
            self.filled[full] = self.filled.get(full, 0) + number
            placed[group, slot] = placed.get((group, slot), 0) + number
            pods -= number
        return placed


def place_constrained(
    groups: Sequence[GroupNodes],
    zones: Sequence[Sequence[str]],
    allowed: Sequence[int],
    pod: PodShape,
    pods: int,
    have: Mapping[str, int],
) -> dict[Where, int]:
    """Place pods of one workload on the groups it can use, within its rules; how many in each group and slot. [pods]

    Parameters
    ----------
    zones : sequence of sequence of str
        The zone of each group's slots; without it all nodes are in one.
    have : mapping of str to int
        Pods of the workload that each zone already has. [pods]
    """
    places = _by_zone(groups, zones, allowed, pod)
    if pod.skew is None or len(places) < 2:
        placed = _merged([zone.put(pods) for zone in places.values()])
    else:
        placed = _spread(places, {z: have.get(z, 0) for z in places}, pod.skew, pods)
    _apply(groups, places.values())
    return placed


def allowed_zones(levels: Mapping[str, int], skew: int) -> list[str]:
    """Zones that can take one more pod, by the pods in each zone.

    >>> allowed_zones({"a": 2, "b": 2, "c": 1}, 1)
    ['c']
    """
    least = min(levels.values())
    return [z for z, n in levels.items() if n + 1 - least <= skew]


def _by_zone(
    groups: Sequence[GroupNodes], zones: Sequence[Sequence[str]], allowed: Sequence[int], pod: PodShape
) -> dict[str, Zone]:
    """The zones with nodes that the pods can use; pods without a spread see one zone."""
    found: dict[str, Zone] = {}
    for group in allowed:
        for (slot, state), count in groups[group].classes.items():
            name = zones[group][slot] if zones and pod.skew is not None else ""
            found.setdefault(name, Zone(groups, pod)).add(group, slot, state, count)
    return found


def _spread(places: Mapping[str, Zone], levels: dict[str, int], skew: int, pods: int) -> dict[Where, int]:
    """Pods over zones, one at a time; with a skew of 1 and equal zones in whole rounds."""
    found: list[dict[Where, int]] = []
    while pods:
        rounds = pods // len(places)
        if skew == 1 and rounds and len(set(levels.values())) == 1:
            rounds = min(sum(zone.copy().put(rounds).values()) for zone in places.values())
            for name in places if rounds else ():
                found.append(places[name].put(rounds))
                levels[name] += rounds
            pods -= rounds * len(places)
            if rounds:
                continue
        heads = [(places[name].heap[0], name) for name in allowed_zones(levels, skew) if places[name].heap]
        if not heads:
            break
        _, name = min(heads)
        found.append(places[name].put(1))
        levels[name] += 1
        pods -= 1
    return _merged(found)


def _merged(parts: Sequence[Mapping[Where, int]]) -> dict[Where, int]:
    whole: dict[Where, int] = {}
    for part in parts:
        for where, number in part.items():
            whole[where] = whole.get(where, 0) + number
    return whole


def _apply(groups: Sequence[GroupNodes], places: Iterable[Zone]) -> None:
    """Write the new states into the groups."""
    changes: dict[int, dict[tuple[int, NodeState], int]] = {}
    for zone in places:
        for sign, moved in ((-1, zone.used), (1, zone.filled)):
            for (group, slot, state), number in moved.items():
                mine = changes.setdefault(group, {})
                mine[slot, state] = mine.get((slot, state), 0) + sign * number
    for group, mine in changes.items():
        groups[group].change(mine)
