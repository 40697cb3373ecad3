"""A cluster's nodes and tenants booked on its subnets, expected and at the bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from capacity.cluster.bounds import bounds_of, roaming_of
from capacity.cluster.control_plane import CONTROL_PLANE_ENIS, FEWEST_CONTROL_PLANE_ENIS
from capacity.cluster.discovery import Roaming, book_further_enis, roaming_bounds
from capacity.cluster.fleet import Extra
from capacity.cluster.scenario import GroupState
from capacity.cni.facade import slots_and_enis
from capacity.spec.plan import Plan, Subnet
from capacity.units import counted
from capacity.vpc.ledger import Booking, SubnetState

FIXED_HOLDERS = ("control_plane", "load_balancers", "endpoints", "other")  # what growth of nodes does not move


@dataclass(frozen=True, slots=True)
class Holding:
    """What the nodes of a group hold in one scenario.

    Attributes
    ----------
    state : GroupState
    by_subnet : mapping of str to Booking
        Its addresses in each subnet and their bounds, without what discovery has a choice for.
    roaming : tuple of Roaming
        The bounds of that.
    """

    state: GroupState
    by_subnet: Mapping[str, Booking]
    roaming: tuple[Roaming, ...]


def holding_of(subnets: Mapping[str, Subnet], state: GroupState) -> Holding:
    """The addresses of a group's nodes, apart from all others."""
    named = dict.fromkeys((*state.shape.group.subnets, *state.shape.group.pod_subnets))
    bookings = {name: Booking(subnets[name]) for name in named}
    _book_nodes(bookings, state)
    _bound_group(bookings, subnets, state)
    return Holding(state, bookings, tuple(roaming_of(subnets, state)))


def book(plan: Plan, holdings: Sequence[Holding], extras: Sequence[Extra] = ()) -> dict[str, Booking]:
    """Everything that takes addresses, subnet by subnet."""
    bookings = {s.name: Booking(s) for s in plan.subnets}
    _book_tenants(plan, bookings)
    for extra in extras:
        bookings[extra.subnet].book(extra.holder, extra.addresses, extra.why, (extra.lowest, extra.highest))
        bookings[extra.subnet].prefixes += extra.prefixes
    for holding in holdings:
        for name, share in holding.by_subnet.items():
            bookings[name].join(share)
    if roaming := [r for holding in holdings for r in holding.roaming]:
        book_further_enis(bookings, [holding.state for holding in holdings])
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
        why = f"control plane: {CONTROL_PLANE_ENIS} ENIs over {counted(len(places), 'subnet')}"
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
            bookings[c.slot.subnet].book("assigned", c.count, f"{counted(c.count, 'Fargate pod')} of {name}", none)
            continue
        what = f"{c.count} × {shape.instance_type.name} of {name} with {counted(c.vpc_pods, 'pod')}"
        what += "" if shape.settings.spares_subnets else " on VPC addresses"
        home, pods = bookings[c.slot.subnet], bookings[c.slot.address_subnet]
        home.book("node_primary", c.count, what, none)
        if shape.limits.unmanaged:
            home.book("eni_primary", c.count * shape.limits.unmanaged, f"{what}: unmanaged ENIs", none)
        if c.branch_pods:
            pods.book("branch", c.count * c.branch_pods, f"{what}: {counted(c.branch_pods, 'branch ENI')}", none)
        slots, enis = slots_and_enis(shape.limits, shape.settings, shape.max_pods, c.vpc_pods)
        if c.slot.choices:  # the further ENIs are booked last, see capacity.cluster.discovery
            slots, enis = shape.primary_slots(c.vpc_pods), 1
        held = slots * shape.unit
        served = min(shape.served(c.vpc_pods), held)
        others = enis - 1 + shape.limits.trunk
        if others:
            pods.book(
                "eni_primary", c.count * others, f"{what}: {counted(enis, 'ENI')} + {shape.limits.trunk} trunk", none
            )
        if served:
            pods.book("assigned", c.count * served, what, none)
        if held > served:
            pods.book("warm", c.count * (held - served), f"{what}: {held} held − {served} assigned", none)
        pods.prefixes += c.count * slots if shape.settings.prefix else 0


def _bound_group(bookings: Mapping[str, Booking], subnets: Mapping[str, Subnet], state: GroupState) -> None:
    """Bounds of one group over all splits of its pods and over where odd nodes fall."""
    for name, low, high, _ in bounds_of(subnets, state):
        bookings[name].bound(low, high)
