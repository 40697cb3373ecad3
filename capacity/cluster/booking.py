"""A cluster's nodes and tenants booked on its subnets, expected and at the bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from capacity.cluster.fleet import Extra
from capacity.cluster.scenario import GroupState
from capacity.cluster.shape import GroupShape
from capacity.cluster.spread import share_range
from capacity.cni.extremes import least_addresses, most_addresses
from capacity.cni.facade import slots_and_enis
from capacity.spec.plan import Plan, Subnet
from capacity.vpc.ledger import Booking

# Cross-account ENIs of a cluster, 2 to 4; awsdocs/amazon-eks-user-guide@4d52b4d network-reqs.adoc L66
CONTROL_PLANE_ENIS = 4
FEWEST_CONTROL_PLANE_ENIS = 2


def book(
    plan: Plan, subnets: Mapping[str, Subnet], groups: Sequence[GroupState], extras: Sequence[Extra] = ()
) -> dict[str, Booking]:
    """Everything that takes addresses, subnet by subnet."""
    bookings = {s.name: Booking(s) for s in plan.subnets}
    _book_tenants(plan, bookings)
    for extra in extras:
        bookings[extra.subnet].book(extra.holder, extra.addresses, extra.why, (extra.lowest, extra.highest))
    for state in groups:
        _book_nodes(bookings, state)
        _bound_group(bookings, subnets, state)
    return bookings


def _book_tenants(plan: Plan, bookings: Mapping[str, Booking]) -> None:
    for subnet in plan.subnets:
        if subnet.used:
            bookings[subnet.name].book("other", subnet.used, "used: taken by what the plan does not model")
    places = plan.control_plane or ()
    for i, name in enumerate(places):
        expected = CONTROL_PLANE_ENIS // len(places) + (i < CONTROL_PLANE_ENIS % len(places))
        fewest = FEWEST_CONTROL_PLANE_ENIS if len(places) == 1 else 0
        why = f"control plane: {CONTROL_PLANE_ENIS} ENIs over {len(places)} subnets"
        bookings[name].book("control_plane", expected, why, (fewest, CONTROL_PLANE_ENIS))
    for tenant in plan.tenants:
        for name in tenant.subnets:
            bookings[name].book(tenant.holder, tenant.addresses, f"{tenant.kind} {tenant.name}")


def _book_nodes(bookings: Mapping[str, Booking], state: GroupState) -> None:
    """The expected addresses of a group's nodes, bounds apart."""
    shape, name = state.shape.first, state.shape.group.name
    none = (0, 0)
    for c in state.classes:
        if state.shape.group.fargate:
            bookings[c.slot.subnet].book("assigned", c.count, f"{c.count} Fargate pods of {name}", none)
            continue
        slots, enis = slots_and_enis(shape.limits, shape.settings, shape.max_pods, c.vpc_pods)
        held = slots * shape.unit
        served = min(c.vpc_pods, held)
        what = f"{c.count} × {shape.instance_type.name} of {name} with {c.vpc_pods} pods on VPC addresses"
        home, pods = bookings[c.slot.subnet], bookings[c.slot.address_subnet]
        others = enis - 1 + shape.limits.trunk
        home.book("node_primary", c.count, what, none)
        if shape.limits.unmanaged:
            home.book("eni_primary", c.count * shape.limits.unmanaged, f"{what}: unmanaged ENIs", none)
        if others:
            pods.book("eni_primary", c.count * others, f"{what}: {enis} ENIs + {shape.limits.trunk} trunk", none)
        if served:
            pods.book("assigned", c.count * served, what, none)
        if held > served:
            pods.book("warm", c.count * (held - served), f"{what}: {held} held − {served} assigned", none)
        if c.branch_pods:
            pods.book("branch", c.count * c.branch_pods, f"{what}: {c.branch_pods} branch ENIs", none)
        pods.prefixes += c.count * slots if shape.settings.prefix else 0


def _bound_group(bookings: Mapping[str, Booking], subnets: Mapping[str, Subnet], state: GroupState) -> None:
    """Bounds of one group over all splits of its pods and over where odd nodes fall."""
    for name, low, high, _ in bounds_of(subnets, state):
        bookings[name].bound(low, high)


def bounds_of(subnets: Mapping[str, Subnet], state: GroupState) -> Iterator[tuple[str, int, int, str]]:
    """What a group takes of each subnet, at least and at most, and why: its nodes' own addresses, and its pods'."""
    spec, shape = state.shape.group, state.shape
    pods = sum(c.count * (c.vpc_pods - shape.first.daemon_pods) for c in state.classes)
    branch = sum(c.count * c.branch_pods for c in state.classes)
    for zone in state.nodes_by_zone:
        mine = [n for n in spec.subnets if subnets[n].zone == zone]
        homes = [n for n in spec.pod_subnets if subnets[n].zone == zone]
        for name in mine:
            few, many = _nodes_in(state, zone, mine, name)
            why = f"{spec.name}: {few} to {many} of its {state.nodes} nodes, their own addresses"
            yield name, few * shape.node_addresses, many * shape.node_addresses, why
        for name in homes or mine:
            few, many = _nodes_in(state, zone, homes or mine, name)
            why = f"{spec.name}: {few} to {many} of its {state.nodes} nodes with any share of its {pods + branch} pods"
            yield name, *group_bounds(shape, state.nodes, few, many, pods, branch), why


def _nodes_in(state: GroupState, zone: str, places: Sequence[str], name: str) -> tuple[int, int]:
    """Fewest and most nodes of a group in one of the zone's subnets (of nodes or of pods). [nodes]"""
    few = many = 0
    for batch in state.batches:
        low, high = batch.zones.get(zone, (0, 0))
        if batch.subnet in places:
            low, high = (low, high) if batch.subnet == name else (0, 0)
        else:
            low, high = share_range(low, high, len(places))
        few, many = few + low, many + high
    return few, many


def group_bounds(shape: GroupShape, nodes: int, few: int, many: int, pods: int, branch: int) -> tuple[int, int]:
    """Fewest and most addresses that a group's pods take in a subnet with few…many of its nodes.

    Parameters
    ----------
    nodes, few, many : int
        Nodes of the group in all; fewest and most of them here. [nodes]
    pods, branch : int
        Workload pods on VPC addresses, and branch pods, of the whole group. [pods]
    """
    cap = shape.most_workload_pods
    fewest = max(pods - cap * (nodes - few), 0)
    low = least_addresses(shape.thriftiest, few, fewest) + max(branch - shape.branch_enis * (nodes - few), 0)
    high = most_addresses(shape.hungriest, many, min(pods, cap * many)) + min(branch, shape.branch_enis * many)
    return low, high
