"""A cluster's nodes and tenants booked on its subnets, expected and at the bounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from capacity.cluster.discovery import Roaming, book_further_enis, roaming_bounds
from capacity.cluster.fleet import Extra
from capacity.cluster.scenario import GroupState
from capacity.cluster.shape import GroupShape
from capacity.cluster.spread import share_range
from capacity.cni.extremes import least_addresses, most_addresses
from capacity.cni.facade import slots_and_enis
from capacity.spec.plan import Plan, Subnet
from capacity.vpc.ledger import Booking, SubnetState

# Cross-account ENIs of a cluster, 2 to 4; awsdocs/amazon-eks-user-guide@4d52b4d network-reqs.adoc L66
CONTROL_PLANE_ENIS = 4
FEWEST_CONTROL_PLANE_ENIS = 2
FIXED_HOLDERS = ("control_plane", "load_balancers", "endpoints", "other")  # what growth of nodes does not move


def book(
    plan: Plan, subnets: Mapping[str, Subnet], groups: Sequence[GroupState], extras: Sequence[Extra] = ()
) -> dict[str, Booking]:
    """Everything that takes addresses, subnet by subnet."""
    bookings = {s.name: Booking(s) for s in plan.subnets}
    _book_tenants(plan, bookings)
    for extra in extras:
        bookings[extra.subnet].book(extra.holder, extra.addresses, extra.why, (extra.lowest, extra.highest))
        bookings[extra.subnet].prefixes += extra.prefixes
    for state in groups:
        _book_nodes(bookings, state)
        _bound_group(bookings, subnets, state)
    if roaming := [r for state in groups for r in roaming_of(subnets, state)]:
        book_further_enis(bookings, groups)
        for name, low, high in list(roaming_bounds(bookings, roaming)):
            bookings[name].bound(low, high)
            bookings[name].roaming = (low, high)
    return bookings


def expected_use(
    subnets: Mapping[str, Subnet], groups: Sequence[GroupState], others: Mapping[str, int]
) -> dict[str, int]:
    """Addresses used per subnet by groups of nodes beside what ``others`` hold; no bounds. [addresses]"""
    bookings = {name: Booking(subnet) for name, subnet in subnets.items()}
    for name, addresses in others.items():
        bookings[name].book("other", addresses, "")
    for state in groups:
        _book_nodes(bookings, state)
    book_further_enis(bookings, groups)
    return {name: sum(b.used.values()) for name, b in bookings.items()}


def held_by_others(states: Iterable[SubnetState]) -> dict[str, int]:
    """What is not nodes' or pods' of a group, by subnet. [addresses]"""
    return {s.subnet.name: sum(s.used[h] for h in FIXED_HOLDERS) for s in states}


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
        what = f"{c.count} × {shape.instance_type.name} of {name} with {c.vpc_pods} pods on VPC addresses"
        home, pods = bookings[c.slot.subnet], bookings[c.slot.address_subnet]
        home.book("node_primary", c.count, what, none)
        if shape.limits.unmanaged:
            home.book("eni_primary", c.count * shape.limits.unmanaged, f"{what}: unmanaged ENIs", none)
        if c.branch_pods:
            pods.book("branch", c.count * c.branch_pods, f"{what}: {c.branch_pods} branch ENIs", none)
        slots, enis = slots_and_enis(shape.limits, shape.settings, shape.max_pods, c.vpc_pods)
        if c.slot.choices:  # the further ENIs are booked last, see capacity.cluster.discovery
            slots, enis = shape.primary_slots(c.vpc_pods), 1
        held = slots * shape.unit
        served = min(c.vpc_pods, held)
        others = enis - 1 + shape.limits.trunk
        if others:
            pods.book("eni_primary", c.count * others, f"{what}: {enis} ENIs + {shape.limits.trunk} trunk", none)
        if served:
            pods.book("assigned", c.count * served, what, none)
        if held > served:
            pods.book("warm", c.count * (held - served), f"{what}: {held} held − {served} assigned", none)
        pods.prefixes += c.count * slots if shape.settings.prefix else 0


def _bound_group(bookings: Mapping[str, Booking], subnets: Mapping[str, Subnet], state: GroupState) -> None:
    """Bounds of one group over all splits of its pods and over where odd nodes fall."""
    for name, low, high, _ in bounds_of(subnets, state):
        bookings[name].bound(low, high)


def bounds_of(subnets: Mapping[str, Subnet], state: GroupState) -> Iterator[tuple[str, int, int, str]]:
    """What a group takes of each subnet, at least and at most, and why: its nodes' own addresses, and its pods'.

    What discovery has a choice for is left out (:func:`roaming_of`).
    """
    spec, shape = state.shape.group, state.shape
    pods, branch = _pods_of(state)
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
            at_home = name in shape.choices
            yield name, *group_bounds(shape, state.nodes, few, many, pods, branch, at_home), why


def roaming_of(subnets: Mapping[str, Subnet], state: GroupState) -> Iterator[Roaming]:
    """Bounds of a group's further ENIs in each zone where discovery has a choice for them."""
    shape = state.shape
    if not shape.choices:
        return
    pods, _ = _pods_of(state)

    def demand(few: int, many: int) -> tuple[int, int]:
        return split_bounds(shape.further_range, shape.most_workload_pods, state.nodes, few, many, pods)

    for zone in state.nodes_by_zone:
        mine = [n for n in shape.group.subnets if subnets[n].zone == zone]
        nodes = {n: _nodes_in(state, zone, mine, n) for n in mine if n in shape.choices}
        if not nodes:
            continue
        few, many = (sum(batch.zones.get(zone, (0, 0))[i] for batch in state.batches) for i in (0, 1))
        if len(nodes) < len(mine):  # the rest of the zone's nodes have no choice
            few, many = sum(n for n, _ in nodes.values()), min(sum(n for _, n in nodes.values()), many)
        yield Roaming(shape, zone, *demand(few, many), {n: demand(*between) for n, between in nodes.items()})


def _pods_of(state: GroupState) -> tuple[int, int]:
    """Workload pods of a group on VPC addresses, and on branch ENIs. [pods]"""
    daemons = state.shape.first.daemon_pods
    pods = sum(c.count * (c.vpc_pods - daemons) for c in state.classes)
    return pods, sum(c.count * c.branch_pods for c in state.classes)


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


def group_bounds(
    shape: GroupShape, nodes: int, few: int, many: int, pods: int, branch: int, at_home: bool = False
) -> tuple[int, int]:
    """Fewest and most addresses that a group's pods take in a subnet with few…many of its nodes.

    Parameters
    ----------
    nodes, few, many : int
        Nodes of the group in all; fewest and most of them here. [nodes]
    pods, branch : int
        Workload pods on VPC addresses, and branch pods, of the whole group. [pods]
    at_home : bool
        Only what is on the trunk and the primary ENI.
    """
    tables = shape.home_range if at_home else (shape.thriftiest, shape.hungriest)
    low, high = split_bounds(tables, shape.most_workload_pods, nodes, few, many, pods)
    fewest, most = branch_bounds(shape, nodes, few, many, branch)
    return low + fewest, high + most


def split_bounds(
    tables: tuple[tuple[int, ...], tuple[int, ...]], cap: int, nodes: int, few: int, many: int, pods: int
) -> tuple[int, int]:
    """Least of the first table and most of the second over all splits of pods on nodes with at most ``cap`` each."""
    fewest = max(pods - cap * (nodes - few), 0)
    return least_addresses(tables[0], few, fewest), most_addresses(tables[1], many, min(pods, cap * many))


def branch_bounds(shape: GroupShape, nodes: int, few: int, many: int, branch: int) -> tuple[int, int]:
    """Fewest and most branch ENIs in a subnet with few…many of a group's nodes. [addresses]"""
    return max(branch - shape.branch_enis * (nodes - few), 0), min(branch, shape.branch_enis * many)
