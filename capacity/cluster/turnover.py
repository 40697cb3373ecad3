"""Computes how many pods can be on a group's nodes after nodes were drained or lost, over all possible outcomes.

It is unknown which nodes are drained and where their pods go, so the expected placement is not used here: each drained
node had anything from no pods to its maximum, and its pods run on any open node of any group that they can use. Only
counts by kind of pod are kept; CPU and memory are used only to prove that pods have room.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import gt
from typing import NamedTuple

from capacity.cluster.fleet import Fleet
from capacity.cluster.node_state import BRANCH, UNLIMITED, VPC, NodeState, PodShape, fits
from capacity.cluster.scenario import Batch, PodRange, Turnover
from capacity.cluster.shape import GroupShape, TypeShape

ALL = 2  # index of the pods of every kind
RESOURCES = NodeState._fields[2:9]  # what the scheduler limits; the score fields and the marks are not limits


class Due(NamedTuple):
    """A scarce resource of a group's nodes.

    Attributes
    ----------
    resource : str
        A field of :class:`~capacity.cluster.node_state.NodeState`.
    have, ask : int
        Its amount on a node after DaemonSets, and the largest request for it.
    """

    resource: str
    have: int
    ask: int


Dues = tuple[Due, ...]


def at_rest(fleet: Fleet) -> list[tuple[Turnover, tuple[Batch, ...]]]:
    """The pods of every group and its node batches, if nothing moved."""
    found = [Turnover(PodRange(vpc, vpc, vpc), PodRange(branch, branch, branch)) for vpc, branch, _ in fleet.before]
    return [(t, tuple(b)) for t, b in zip(found, fleet.batches, strict=True)]


def turnovers(fleet: Fleet, dues: Sequence[Dues]) -> list[tuple[Turnover, tuple[Batch, ...]]]:
    """The pods and nodes of every group after events, with the nodes that can have started additionally."""
    moves = _Moves(fleet, dues)
    return [(moves.turnover(g), (*fleet.batches[g], *moves.may_start(g))) for g in range(len(fleet.shapes))]


def dues_of(shapes: Sequence[GroupShape], pods: Sequence[PodShape], allowed: Sequence[tuple[int, ...]]) -> list[Dues]:
    """For each group the resources of one node that its pods use, and the largest request for each."""
    largest = [[0] * len(RESOURCES) for _ in shapes]
    for pod, groups in zip(pods, allowed, strict=True):
        asks = pod.step[2:9]
        for group in groups:
            most, first = largest[group], shapes[group].first
            if any(map(gt, asks, most)) and fits(first.room, first.start, pod):
                largest[group] = list(map(max, asks, most))
    found = []
    for shape, most in zip(shapes, largest, strict=True):
        room, start = shape.first.room, shape.first.start
        there = (room.cpu, room.memory, room.max_pods, room.addresses, room.branch_enis, room.volumes, room.gpus)
        rows = zip(RESOURCES, there, start[2:9], most, strict=True)
        found.append(tuple(Due(name, have - of, ask) for name, have, of, ask in rows if ask and have < UNLIMITED))
    return found


class _Moves:
    """The pods that can move to and from a group in all events of a fleet; lists are by group."""

    def __init__(self, fleet: Fleet, dues: Sequence[Dues]) -> None:
        self.fleet, self.dues = fleet, dues
        groups = range(len(fleet.shapes))
        self.drained = [sum(self._at_most(g, zone, n) for n, zone in fleet.closings[g]) for g in groups]
        self.node = [_most_on_node(shape.first) for shape in fleet.shapes]
        open_to = [groups for pod, groups in zip(fleet.pods, fleet.allowed, strict=True) if pod.constrained]
        self.constrained = {group for groups in open_to for group in groups}
        self.coming: list[list[int]] = [[0, 0, 0] for _ in groups]
        self.leaving: list[list[int]] = [[0, 0, 0] for _ in groups]
        self.near = list(self.drained)
        self._exchange()
        self.own, self.shared = self._surge()
        parts = (zip(fleet.before[g], self.coming[g], self.own[g], self.shared[g], strict=True) for g in groups)
        self.most = [[sum(numbers) for numbers in kinds] for kinds in parts]
        self.short = [self._short(g) for g in groups]

    # --- pods between groups --------------------------------------------------------------------

    def _exchange(self) -> None:
        """Most pods that move from each group's drained nodes to other groups, and from theirs to it."""
        choices: dict[int, list[tuple[tuple[int, ...], list[int]]]] = defaultdict(list)
        for groups, kinds in self._pods_by_choice().items():
            for group in groups:
                choices[group].append((groups, kinds))
        for group in (g for g in choices if self.drained[g]):
            most = [self.drained[group] * n for n in self.node[group]]
            to: dict[int, list[int]] = {}
            for groups, kinds in choices[group]:
                for other in groups:
                    known = to.get(other)
                    to[other] = [a + b for a, b in zip(known, kinds, strict=True)] if known else kinds
            self.leaving[group] = _smaller(to.pop(group), most)
            for other, pods in to.items():
                self.near[other] += self.drained[group]
                came = _smaller(pods, most)
                self.coming[other] = [a + b for a, b in zip(self.coming[other], came, strict=True)]

    def _pods_by_choice(self) -> dict[tuple[int, ...], list[int]]:
        """Pods by kind of the workloads that can use several groups, by these groups."""
        fleet, found = self.fleet, dict[tuple[int, ...], list[int]]()
        if not any(self.drained):
            return found
        for workload, pod, groups, replicas in zip(
            fleet.plan.workloads, fleet.pods, fleet.allowed, fleet.replicas, strict=True
        ):
            if len(groups) > 1:
                _count(found.setdefault(groups, [0, 0, 0]), pod, replicas + fleet.surge.get(workload.name, 0))
        return found

    def _surge(self) -> tuple[list[list[int]], list[list[int]]]:
        """Surge pods by kind that can run only in one group, and those that can run there or elsewhere."""
        fleet = self.fleet
        own, shared = ([[0, 0, 0] for _ in fleet.shapes] for _ in range(2))
        work = zip(fleet.plan.workloads, fleet.pods, fleet.allowed, strict=True)
        for workload, pod, groups in work if fleet.surge else ():
            pods = fleet.surge.get(workload.name, 0)
            if len(groups) == 1:
                _count(own[groups[0]], pod, pods - fleet.surge_unplaced.get(workload.name, 0))
            elif pods:
                for group in groups:
                    _count(shared[group], pod, pods)
        return own, shared

    # --- nodes ----------------------------------------------------------------------------------

    def _at_most(self, group: int, zone: str | None, nodes: int) -> int:
        """Most nodes of one closing; for a lost zone all that can have been there. [nodes]"""
        if zone is None:
            return nodes
        return max(nodes, sum(b.zones.get(zone, (0, 0))[1] for b in self.fleet.batches[group] if not b.filled))

    def _short(self, group: int) -> int:
        """Most nodes needed because pods of drained nodes can lack room; 0 if all certainly fit. [nodes]

        Notes
        -----
        A node without room for a pod holds at least as many pods as fit of the largest ones. In some resource it has
        less left than the largest request for it, so the sum of the used amounts, as shares of the amounts minus that
        request, is 1 or more. This is true for every open node when an additional one starts, and nodes that started
        empty have only pods of drained nodes.
        """
        fleet = self.fleet
        if not self.near[group]:
            return 0
        grown = sum(b.count for b in fleet.batches[group] if b.grown)
        if group in self.constrained:
            return max(self.near[group], grown)  # room alone does not take such pods; a node like the drained one does
        open_nodes, dues = fleet.open_nodes(group) - grown, self.dues[group]
        each = min((due.have // due.ask for due in dues), default=0)
        short = -(-self.most[group][ALL] // each) - open_nodes if each > 0 else self.near[group]
        stays = not any(self.coming[group]) and not any(self.leaving[group])
        if short > 0 and stays and not fleet.unplaced_since():
            total = fleet.requested(group)
            used = _whole_sum((getattr(total, due.resource), due.have - due.ask + 1) for due in dues)
            short = min(short, used - open_nodes + 1)
            if len(fleet.closings[group]) == 1:
                nodes = self.drained[group]
                empty = sum(b.count for b in fleet.batches[group] if b.started and not b.grown)
                used = _whole_sum(
                    (min(getattr(total, due.resource), nodes * due.have), due.have - due.ask + 1) for due in dues
                )
                short = 0 if nodes == 1 and empty else min(short, used - empty + 1)
        return max(min(short, self.near[group]), grown, 0)

    def may_start(self, group: int) -> list[Batch]:
        """Nodes that can start in addition to the expected ones, if other nodes are drained and their pods have no
        room.
        """
        fleet = self.fleet
        spare = fleet.spare(group)
        grown = sum(b.count for b in fleet.batches[group] if b.grown)
        more = self.short[group] - grown if group in fleet.growing else 0
        more = more if spare is None else min(more, spare)
        if more <= 0:
            return []
        zones = dict.fromkeys(fleet.open_zones(group), (0, more))
        return [Batch(more, zones, started=True, anywhere=True, grown=True)]

    # --- the outcome ----------------------------------------------------------------------------

    def turnover(self, group: int) -> Turnover:
        """The turnover of a group."""
        return Turnover(self._range(group, 0), self._range(group, 1), tuple(self.fleet.closings[group]))

    def _range(self, group: int, kind: int) -> PodRange:
        before, most, on_node = self.fleet.before[group][kind], self.most[group][kind], self.node[group][kind]
        closed = tuple(
            min(most, on_node * self._at_most(group, zone, nodes)) for nodes, zone in self.fleet.closings[group]
        )
        new = self.own[group][kind]
        gone = sum(closed) if self.short[group] else self.leaving[group][kind]
        least = before + new - gone - on_node * self.fleet.restarted[group]
        started = sum(closed) + self.coming[group][kind] + new + self.shared[group][kind]
        return PodRange(before, max(least, 0), most, min(started, most), closed)


def _most_on_node(first: TypeShape) -> tuple[int, int, int]:
    """Most workload pods that can be on a node: on VPC addresses, on branch ENIs, of every kind. [pods]"""
    return first.most_placed_pods, first.room.branch_enis, max(first.max_pods - first.start.pods, 0)


def _whole_sum(shares: Iterable[tuple[int, int]]) -> int:
    """The sum of fractions, rounded down; exact.

    >>> _whole_sum([(1, 3), (2, 3), (1, 2)])
    1
    """
    above, below = 0, 1
    for part, whole in shares:
        above, below = above * whole + part * below, below * whole
    return above // below


def _count(kinds: list[int], pod: PodShape, pods: int) -> None:
    kinds[0] += pods if pod.kind == VPC else 0
    kinds[1] += pods if pod.kind == BRANCH else 0
    kinds[ALL] += pods


def _smaller(pods: Sequence[int], most: Sequence[int]) -> list[int]:
    return [min(a, b) for a, b in zip(pods, most, strict=True)]
