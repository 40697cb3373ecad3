"""Chooses the instance type of a node group that the figures use.

EKS tries the types of a managed on-demand group in the order written. Elsewhere (Karpenter, Auto Mode, Spot,
self-managed groups) the order has no effect: AWS chooses by price and availability, so the figures use the type that
runs the group's pods at the lowest price.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from capacity.catalog.prices import DEFAULT_REGION, usd_per_hour
from capacity.cluster.group_nodes import GroupNodes
from capacity.cluster.node_state import PodShape, fits, nodes_by_sums, nodes_short
from capacity.cluster.place import Placement
from capacity.units import counted

if TYPE_CHECKING:
    from capacity.cluster.shape import TypeShape


@dataclass(frozen=True, slots=True)
class ExpectedType:
    """The index of the expected type among the group's types, and the reason."""

    index: int
    why: str


def cheapest_type(types: Sequence[TypeShape], pods: Sequence[tuple[PodShape, int]], region: str | None) -> ExpectedType:
    """The type with the lowest nodes × price for the pods; ties: fewer nodes, then the name.

    Parameters
    ----------
    types : sequence of TypeShape
    pods : sequence of (PodShape, int)
        The pods that can run on the group, by workload. [pods]
    region : str or None
        If a type has no price there, all are compared by the prices of us-east-1.

    Notes
    -----
    Types without a known price come after those with one; types that cannot fit a pod come last.
    """
    nodes = [nodes_needed(kind, pods) for kind in types]
    where, prices = _prices(types, region)

    def rank(i: int) -> tuple[bool, bool, float, int, str]:
        count, each = nodes[i], prices[i]
        cost = round(each * count, 9) if each is not None and count is not None else 0.0  # equal costs compare equal
        return count is None, each is None, cost, count or 0, types[i].instance_type.name

    best = min(range(len(types)), key=rank)
    count, each = nodes[best], prices[best]
    if count is None:
        return ExpectedType(best, f"none of its {len(types)} types fits all of its pods")
    if each is None:
        return ExpectedType(best, f"the fewest nodes of its {len(types)} types; no price is known for any of them")
    return ExpectedType(
        best,
        f"the lowest nodes × price of its {len(types)} types for its pods "
        f"({counted(count, 'node')} × ${each:.4g} an hour, on-demand, {where})",
    )


def _prices(types: Sequence[TypeShape], region: str | None) -> tuple[str, list[float | None]]:
    """US dollars per hour of each type, all from one region."""
    names = [kind.instance_type.name for kind in types]
    if region and region != DEFAULT_REGION:
        here = [usd_per_hour(name, region) for name in names]
        if None not in here:
            return region, here
        return f"{DEFAULT_REGION} prices, {region} has none for some of them", [usd_per_hour(n) for n in names]
    return DEFAULT_REGION, [usd_per_hour(n) for n in names]


def nodes_needed(on: TypeShape, pods: Sequence[tuple[PodShape, int]]) -> int | None:
    """Fewest nodes of one type that fit all the pods, placed as the scheduler does; None if a pod never fits.

    Starts from the total requests of the pods and adds nodes until no pod is unschedulable.
    """
    room, start = on.room, on.start
    wanted = [(pod, number) for pod, number in pods if number]
    if any(not fits(room, start, pod) for pod, _ in wanted):
        return None
    nodes = max(nodes_by_sums(room, start, wanted), max((n for pod, n in wanted if pod.mark), default=0))
    while wanted:
        placement = Placement([GroupNodes(room, [nodes], start)])
        for number, (pod, count) in enumerate(wanted):
            placement.place(str(number), pod, count, (0,))
        left = sum(u.pods for u in placement.unplaced)
        if not left:
            break
        nodes += nodes_short(room, start, left)
    return nodes
