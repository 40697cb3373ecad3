"""The fewest nodes of one type with which a scheduler that spreads pods has room for all of them."""

from __future__ import annotations

from collections.abc import Sequence

from capacity.cluster.group_nodes import GroupNodes
from capacity.cluster.node_state import PodShape, fits, nodes_by_sums
from capacity.cluster.place import Placement
from capacity.cluster.shape import TypeShape


def schedulable_nodes(on: TypeShape, pods: Sequence[tuple[PodShape, int]]) -> int | None:
    """Nodes of one type with room for all the pods, placed as the scheduler does; None if a pod never fits. [nodes]

    Starts with the nodes that the sums of the requests need, and adds the nodes that the sums of the unschedulable pods
    need until there are none. Then it tries fewer nodes of the last addition by bisection.
    """
    room, start = on.room, on.start
    wanted = [(pod, number) for pod, number in pods if number]
    if any(not fits(room, start, pod) for pod, _ in wanted):
        return None

    def left(nodes: int) -> list[tuple[PodShape, int]]:
        placement = Placement([GroupNodes(room, [nodes], start)])
        for number, (pod, count) in enumerate(wanted):
            placement.place(str(number), pod, count, (0,))
        return [(wanted[int(u.workload)][0], u.pods) for u in placement.unplaced]

    nodes = max(nodes_by_sums(room, start, wanted), max((n for pod, n in wanted if pod.mark), default=0))
    low = nodes - 1  # fewer are too few
    while short := left(nodes):
        low = nodes
        nodes += max(nodes_by_sums(room, start, short), 1)
    while nodes - low > 1:
        middle = (nodes + low) // 2
        low, nodes = (middle, nodes) if left(middle) else (low, middle)
    return nodes
