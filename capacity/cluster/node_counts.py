"""How many nodes growing groups need: until the scheduler places all pods, or the groups are at their maximum."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from capacity.cluster.group_nodes import GroupNodes
from capacity.cluster.node_state import PodShape, fits, nodes_by_sums, nodes_short
from capacity.cluster.place import Placement
from capacity.cluster.reuse import CountsKey, PlacementKey
from capacity.cluster.spread import node_spread
from capacity.cluster.unplaced import Unplaced

PATIENCE = 64  # node-count steps tried one by one; after that, equal steps are taken together
MOST_TURNS = 200  # nodes after which each place of a group with weights should have got one more


@dataclass(frozen=True)
class NodeCounts:
    """The pods and names of a plan's workloads, by their position in the plan."""

    pods: Sequence[PodShape]
    names: Sequence[str]

    def placed(self, key: PlacementKey) -> Placement:
        """The placement of the pods of one part."""
        kinds = zip(key.kinds, key.nodes, strict=True)
        placement = Placement([GroupNodes(room, counts, start) for (room, start), counts in kinds], key.zones)
        for work, allowed, pods in zip(key.part.workloads, key.part.allowed, key.replicas, strict=True):
            if pods:
                placement.place(self.names[work], self.pods[work], pods, allowed)
        return placement

    def grown(self, key: CountsKey) -> tuple[int, ...]:
        """Nodes of a part's groups, some of which grow."""
        if not any(key.growing):
            return key.least
        counts = list(key.least)
        self._raise_to_bound(counts, key)

        def wanted(steps: int, step: Mapping[int, int]) -> dict[int, int]:
            there = [c + steps * step.get(i, 0) for i, c in enumerate(counts)]
            return self._growth(self._with_nodes(key, there).unplaced, there, key)

        def goes_on(steps: int) -> bool:
            return wanted(steps, step) == step

        alike, step = 0, wanted(0, {})
        while step:
            steps = 1 if alike < PATIENCE else _last(goes_on) + 1
            following = wanted(steps, step)
            alike = alike + 1 if following == step else 0
            counts = [c + steps * step.get(i, 0) for i, c in enumerate(counts)]
            step = following
        return tuple(counts)

    def _with_nodes(self, key: CountsKey, counts: Sequence[int]) -> Placement:
        """The placement of a part's pods on that many nodes of its groups; their slots matter only for a spread."""
        nodes: tuple[tuple[int, ...], ...] = tuple((c,) for c in counts)
        zones: tuple[tuple[str, ...], ...] = ()
        if key.places:
            grounds = [(ground, rule, ground.zones[0]) for ground, rule in key.places]
            nodes = tuple(node_spread(g, c, rule, z).by_slot for (g, rule, z), c in zip(grounds, counts, strict=True))
            zones = tuple(tuple(s.zone for s in ground.slots) for ground, _ in key.places)
        return self.placed(PlacementKey(key.part, key.kinds, nodes, key.replicas, zones))

    def _raise_to_bound(self, counts: list[int], key: CountsKey) -> None:
        """Raise the start to the nodes that pods limited to a group need in total."""
        needs: dict[int, list[tuple[PodShape, int]]] = {}
        for work, allowed, replicas in zip(key.part.workloads, key.part.allowed, key.replicas, strict=True):
            pod = self.pods[work]
            if len(allowed) == 1 and key.growing[allowed[0]] and fits(*key.kinds[allowed[0]], pod):
                needs.setdefault(allowed[0], []).append((pod, replicas))
        for group, pods in needs.items():
            counts[group] = _clip(max(counts[group], nodes_by_sums(*key.kinds[group], pods)), key.most[group])

    def _growth(self, left: Sequence[Unplaced], counts: Sequence[int], key: CountsKey) -> dict[int, int]:
        """Additional nodes for unschedulable pods, in the first group that can grow and fit one."""
        wanted: dict[int, int] = {}
        places = {self.names[w]: i for i, w in enumerate(key.part.workloads)} if left else {}
        for unplaced in left:
            place = places[unplaced.workload]
            pod = self.pods[key.part.workloads[place]]
            for group in key.part.allowed[place]:
                most, kind = key.most[group], key.kinds[group]
                if key.growing[group] and fits(*kind, pod) and counts[group] != most:
                    short = unplaced.pods if pod.mark else nodes_short(*kind, unplaced.pods)
                    if pod.skew is not None and not self._helped(unplaced, group, counts, key):
                        continue
                    more = _clip(counts[group] + short, most) - counts[group]
                    wanted[group] = max(wanted.get(group, 1), more)
                    break
        return wanted

    def _helped(self, unplaced: Unplaced, group: int, counts: Sequence[int], key: CountsKey) -> bool:
        """Whether one more node in each zone of a group fits some of the pods that must be spread over zones."""
        ground, rule = key.places[group]
        now, more = node_spread(ground, counts[group], rule, ground.zones[0]), counts[group]
        for more in range(counts[group] + 1, counts[group] + MOST_TURNS):
            then = node_spread(ground, more, rule, ground.zones[0])
            if all(a < b for a, b in zip(now.by_slot, then.by_slot, strict=True)):
                break
        there = [more if i == group else n for i, n in enumerate(counts)]
        left = {u.workload: u.pods for u in self._with_nodes(key, there).unplaced}
        return left.get(unplaced.workload, 0) < unplaced.pods


def _last(holds: Callable[[int], bool]) -> int:
    """The largest number up to which a condition is true, by doubling and bisection.

    >>> _last(lambda n: n <= 77)
    77
    """
    beyond = 1
    while holds(beyond):
        beyond *= 2
    low = beyond // 2
    while beyond - low > 1:
        middle = (low + beyond) // 2
        low, beyond = (middle, beyond) if holds(middle) else (low, middle)
    return low


def _clip(count: int, ceiling: int | None) -> int:
    return count if ceiling is None else min(count, ceiling)
