"""Counts the addresses of a cluster's nodes and tenants in its subnets, expected and at the bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from typing import NamedTuple

from capacity.cluster.bounds import Taken, bounds_of, roaming_of
from capacity.cluster.control_plane import CONTROL_PLANE_ENIS, FEWEST_CONTROL_PLANE_ENIS
from capacity.cluster.fleet import Extra
from capacity.cluster.further_enis import book_further_enis, fewest_roaming, most_roaming
from capacity.cluster.scenario import GroupState, Roaming
from capacity.plan.model import Plan, Subnet
from capacity.units import counted
from capacity.vpc.ledger import Booking, SubnetState, settle

FIXED_HOLDERS = ("control_plane", "load_balancers", "endpoints", "other")  # holders that node growth does not change


@dataclass(frozen=True, eq=False, repr=False)
class Holding:
    """The addresses that the nodes of a group hold in one scenario.

    Attributes
    ----------
    state : GroupState
    by_subnet : mapping of str to Booking
        Its expected addresses in each subnet, without the ENIs that discovery places.
    subnets : mapping of str to Subnet
        For the zones of its subnets.
    """

    state: GroupState
    by_subnet: Mapping[str, Booking]
    subnets: Mapping[str, Subnet]

    @cached_property
    def _taken(self) -> Sequence[Taken]:
        return tuple(bounds_of(self.subnets, self.state))

    @cached_property
    def lowest(self) -> Mapping[str, int]:
        """Fewest addresses in each subnet, over all placements of its pods and remaining nodes."""
        return self._summed(lambda taken: taken.lowest)

    @cached_property
    def highest(self) -> Mapping[str, int]:
        """Most addresses in each subnet, over all placements of its pods and remaining nodes."""
        return self._summed(lambda taken: taken.highest)

    def _summed(self, bound: Callable[[Taken], int]) -> Mapping[str, int]:
        """One bound of each subnet; most zones and subnets have equal node counts."""
        found = dict.fromkeys(self.by_subnet, 0)
        known: dict[object, int] = {}
        for taken in self._taken:
            like = taken.here.like(self.state) if taken.table else None  # without pods the result is known
            if like is None:
                found[taken.subnet] += bound(taken)
                continue
            of = (like, taken.table)
            if of not in known:
                known[of] = bound(taken)
            found[taken.subnet] += known[of]
        return found

    @cached_property
    def lowest_roaming(self) -> tuple[Roaming, ...]:
        """Fewest addresses of the ENIs that discovery places."""
        return tuple(roaming_of(self.subnets, self.state, most=False))

    @cached_property
    def highest_roaming(self) -> tuple[Roaming, ...]:
        """Most addresses of the ENIs that discovery places."""
        return tuple(roaming_of(self.subnets, self.state, most=True))


def holding_of(subnets: Mapping[str, Subnet], state: GroupState) -> Holding:
    """The addresses of a group's nodes, without other holders."""
    named = dict.fromkeys((*state.shape.group.subnets, *state.shape.group.pod_subnets))
    bookings = {name: Booking(subnets[name]) for name in named}
    _book_nodes(bookings, state)
    return Holding(state, bookings, subnets)


def book(plan: Plan, holdings: Sequence[Holding], extras: Sequence[Extra] = ()) -> dict[str, Booking]:
    """Count everything that uses addresses, by subnet; the bounds of nodes and their pods are separate
    (:class:`Spans`).
    """
    bookings = {s.name: Booking(s) for s in plan.subnets}
    _book_tenants(plan, bookings)
    for extra in extras:
        bookings[extra.subnet].book(extra.holder, extra.addresses, extra.why, (extra.lowest, extra.highest))
        bookings[extra.subnet].prefixes += extra.prefixes
    for holding in holdings:
        for name, share in holding.by_subnet.items():
            bookings[name].join(share)
    book_further_enis(bookings, [holding.state for holding in holdings])
    return bookings


class Spans:
    """The bounds of every subnet in one scenario."""

    def __init__(self, bookings: Mapping[str, Booking], holdings: Sequence[Holding]) -> None:
        self.bookings = bookings
        self.holdings = holdings

    @cached_property
    def holders(self) -> Mapping[str, Sequence[Holding]]:
        """The groups that hold something in a subnet."""
        found: dict[str, list[Holding]] = {name: [] for name in self.bookings}
        for holding in self.holdings:
            for name in holding.by_subnet:
                found[name].append(holding)
        return found

    # The subnets that discovery chooses depend on the bounds of everything else in all subnets.

    @cached_property
    def lowest_roaming(self) -> Mapping[str, int]:
        """Fewest addresses that discovery places in a subnet. [addresses]"""
        several = [r for holding in self.holdings for r in holding.lowest_roaming]
        apart = {name: Span(self, name) for name in self.bookings if several}
        return dict(fewest_roaming({name: span.usable - span.fixed_lowest for name, span in apart.items()}, several))

    @cached_property
    def highest_roaming(self) -> Mapping[str, int]:
        """Most addresses that discovery places in a subnet. [addresses]"""
        several = [r for holding in self.holdings for r in holding.highest_roaming]
        apart = {name: Span(self, name) for name in self.bookings if several}
        return dict(most_roaming({name: span.usable - span.fixed_highest for name, span in apart.items()}, several))


class Span:
    """The bounds of one subnet, summed on demand; the use of a group is computed once."""

    def __init__(self, spans: Spans, name: str) -> None:
        self.spans = spans
        self.name = name

    @property
    def usable(self) -> int:
        """Addresses of the subnet. [addresses]"""
        return self.spans.bookings[self.name].subnet.usable

    @property
    def fixed_lowest(self) -> int:
        """Fewest addresses without the ENIs that discovery places. [addresses]"""
        here = (holding.lowest[self.name] for holding in self.spans.holders[self.name])
        return self.spans.bookings[self.name].lowest + sum(here)

    @property
    def fixed_highest(self) -> int:
        """Most addresses without the ENIs that discovery places. [addresses]"""
        here = (holding.highest[self.name] for holding in self.spans.holders[self.name])
        return self.spans.bookings[self.name].highest + sum(here)

    @property
    def lowest(self) -> int:
        """Fewest addresses used in the subnet. [addresses]"""
        return self.fixed_lowest + self.spans.lowest_roaming.get(self.name, 0)

    @property
    def highest(self) -> int:
        """Most addresses used in the subnet. [addresses]"""
        return self.fixed_highest + self.spans.highest_roaming.get(self.name, 0)

    @property
    def roaming(self) -> tuple[int, int]:
        """The addresses that subnet discovery places. [addresses]"""
        return self.spans.lowest_roaming.get(self.name, 0), self.spans.highest_roaming.get(self.name, 0)


class Counted:
    """The addresses of everything in one scenario; the state of each subnet is computed on demand."""

    def __init__(
        self,
        bookings: Mapping[str, Booking],
        holdings: Sequence[Holding],
        min_free: Fraction,
        *,
        prefix_mode: bool,
        bounds_decide: bool,
    ) -> None:
        """``bounds_decide``: whether a subnet is tight if only the upper bound exceeds it."""
        self.bookings = bookings
        self.groups = tuple(holding.state for holding in holdings)
        self._spans = Spans(bookings, holdings)
        self._settle = partial(settle, min_free=min_free, prefix_mode=prefix_mode, bounds_decide=bounds_decide)

    def subnet(self, name: str) -> SubnetState:
        """The state of one subnet."""
        return self._settle(self.bookings[name], bounds=Span(self._spans, name))

    @property
    def tightest(self) -> SubnetState:
        """The state of the subnet with the fewest free addresses."""
        return self.subnet(min(self.bookings, key=lambda name: self.bookings[name].free))


def expected_use(
    subnets: Mapping[str, Subnet], groups: Sequence[GroupState], others: Mapping[str, int]
) -> dict[str, int]:
    """Addresses used per subnet by node groups plus those that ``others`` hold, without bounds. [addresses]"""
    bookings = {name: Booking(subnet) for name, subnet in subnets.items()}
    for name, addresses in others.items():
        bookings[name].book("other", addresses, "")
    for state in groups:
        _book_nodes(bookings, state)
    book_further_enis(bookings, groups)
    return {name: sum(b.used.values()) for name, b in bookings.items()}


def held_by_others(states: Iterable[SubnetState]) -> dict[str, int]:
    """Addresses of everything except nodes and pods of a group, by subnet. [addresses]"""
    return {s.subnet.name: sum(s.used[h] for h in FIXED_HOLDERS) for s in states}


def _book_tenants(plan: Plan, bookings: Mapping[str, Booking]) -> None:
    for subnet in plan.subnets:
        if subnet.used:
            bookings[subnet.name].book("other", subnet.used, "used: addresses of anything the plan does not model")
    places = plan.control_plane or ()
    for i, name in enumerate(places):
        expected = CONTROL_PLANE_ENIS // len(places) + (i < CONTROL_PLANE_ENIS % len(places))
        fewest = FEWEST_CONTROL_PLANE_ENIS if len(places) == 1 else 0
        why = f"control plane: {CONTROL_PLANE_ENIS} ENIs over {counted(len(places), 'subnet')}"
        bookings[name].book("control_plane", expected, why, (fewest, CONTROL_PLANE_ENIS))
    for tenant in plan.tenants:
        for name in tenant.subnets:
            bookings[name].book(tenant.holder, tenant.addresses, f"{tenant.kind} {tenant.name}")


class _Nodes(NamedTuple):
    """The description of an entry, formatted on demand because few entries are ever read."""

    nodes: int
    kind: str
    group: str
    pods: int
    spares_subnets: bool

    def __str__(self) -> str:
        what = f"{self.nodes} × {self.kind} of {self.group} with {counted(self.pods, 'pod')}"
        return what if self.spares_subnets else f"{what} on VPC addresses"


class _Part(NamedTuple):
    """The description of a part of an entry; a number with a noun is formatted as a count."""

    of: _Nodes
    text: str
    numbers: tuple[int | tuple[int, str], ...] = ()

    def __str__(self) -> str:
        said = (counted(*n) if isinstance(n, tuple) else n for n in self.numbers)
        return f"{self.of}: {self.text.format(*said)}"


def _book_nodes(bookings: Mapping[str, Booking], state: GroupState) -> None:
    """The expected addresses of a group's nodes, without bounds."""
    shape, name = state.shape.first, state.shape.group.name
    trunk, unit, none = shape.limits.trunk, shape.unit, (0, 0)
    for c in state.classes:
        if state.shape.group.fargate:
            bookings[c.slot.subnet].book("assigned", c.count, f"{counted(c.count, 'Fargate pod')} of {name}", none)
            continue
        what = _Nodes(c.count, shape.instance_type.name, name, c.vpc_pods, shape.settings.spares_subnets)
        home, pods = bookings[c.slot.subnet], bookings[c.slot.address_subnet]
        home.book("node_primary", c.count, what, none)
        if shape.limits.unmanaged:
            home.book("eni_primary", c.count * shape.limits.unmanaged, _Part(what, "unmanaged ENIs"), none)
        if c.branch_pods:
            branches = _Part(what, "{}", ((c.branch_pods, "branch ENI"),))
            pods.book("branch", c.count * c.branch_pods, branches, none)
        slots, enis, with_address = shape.pool(c.vpc_pods)
        if c.slot.choices:  # the additional ENIs are counted last, see capacity.cluster.further_enis
            slots, enis = shape.primary_slots(c.vpc_pods), 1
        held = slots * unit
        served = min(with_address, held)
        others = enis - 1 + trunk
        if others:
            pods.book("eni_primary", c.count * others, _Part(what, "{} + {} trunk", ((enis, "ENI"), trunk)), none)
        if served:
            pods.book("assigned", c.count * served, what, none)
        if held > served:
            spare = _Part(what, "{} held − {} assigned", (held, served))
            pods.book("warm", c.count * (held - served), spare, none)
        pods.prefixes += c.count * slots if shape.settings.prefix else 0
