"""The user's inputs about prices: discounts, factors, a price file, and values without a plan key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from numbers import Real
from typing import TYPE_CHECKING

from capacity.errors import SpecError, check_kind, check_word, did_you_mean
from capacity.plan.constants import TIERS

if TYPE_CHECKING:
    from capacity.plan.model import Plan

STANDARD = TIERS[0]
MOST_FACTOR = 10
MOST_USD_PER_HOUR = 100_000
MOST_GB = 1e9  # of traffic in a month
Key = tuple[str, str, str, str]  # type, region (empty: any), os, capacity type


@dataclass(frozen=True, slots=True)
class PriceFile:
    """Prices by type, region (empty: every region), operating system and capacity type. [USD per hour]"""

    name: str
    prices: Mapping[Key, float] = field(default_factory=dict)

    def find(self, name: str, region: str | None, system: str, capacity_type: str) -> float | None:
        """The price for a region, or the price for every region; None if the file has neither. [USD per hour]"""
        for place in dict.fromkeys((region or "", "")):
            if (found := self.prices.get((name, place, system, capacity_type))) is not None:
                return found
        return None


@dataclass(frozen=True, slots=True)
class NetworkUse:
    """Traffic that a plan does not contain; by default none.

    Attributes
    ----------
    cross_zone_gb : float
        Traffic between zones, counted once; both directions are billed. [GB per month]
    nat_gb : float
        Traffic through NAT gateways. [GB per month]

    Raises
    ------
    SpecError
        A negative or absurdly large figure.
    """

    cross_zone_gb: float = 0.0
    nat_gb: float = 0.0

    def __post_init__(self) -> None:
        for what, value in (("cross-zone traffic", self.cross_zone_gb), ("NAT traffic", self.nat_gb)):
            if not 0 <= value <= MOST_GB:
                raise SpecError(f"{what}: {value:g} GB is out of range (expected 0 to {MOST_GB:,.0f})")


@dataclass(frozen=True, slots=True)
class CostInputs:
    """Inputs of a cost; the default is on-demand list prices and only what the plan contains.

    Attributes
    ----------
    prices : PriceFile or None
        The user's prices: they take precedence over list prices, and no Savings Plan discount applies to them.
    price_factor : Fraction or None
        If the region has no price, the price of us-east-1 is multiplied by this factor.
    savings_plan : Fraction
        Discount on the on-demand list price of nodes. [share]
    spot_discount : Fraction or None
        Discount of Spot Instances on the on-demand price; None: their price is unknown. [share]
    node_cost : float
        Additional cost of each node, such as licenses or support. [USD per hour]
    public_ipv4 : tuple of str
        Node groups whose nodes have a public IPv4 address each.
    tier : str
        Tier of the control plane, one of :data:`~capacity.plan.constants.TIERS`.
    as_of : date or None
        The day on which extended support is checked; None is today.
    network : NetworkUse or None
        Count load balancers, NAT gateways, endpoints and this traffic too; None: leave them out.

    Raises
    ------
    SpecError
        A figure out of range, or an unknown tier.
    """

    prices: PriceFile | None = None
    price_factor: Fraction | None = None
    savings_plan: Fraction = Fraction(0)
    spot_discount: Fraction | None = None
    node_cost: float = 0.0
    public_ipv4: tuple[str, ...] = ()
    tier: str = STANDARD
    as_of: dt.date | None = None
    network: NetworkUse | None = None

    def __post_init__(self) -> None:
        if self.prices is not None:
            check_kind("prices", self.prices, PriceFile, "what read_price_file(...) gives, or None")
        if self.as_of is not None:
            check_kind("as_of", self.as_of, dt.date, "a date, or None")
        check_kind("public_ipv4", self.public_ipv4, tuple, "a tuple of the names of node groups")
        check_factor("price factor", self.price_factor)
        check_share("Savings Plan discount", self.savings_plan)
        check_share("Spot discount", self.spot_discount)
        check_node_cost("per-node cost", self.node_cost)
        check_tier("control plane tier", self.tier)

    def told(self) -> dict[str, object]:
        """The inputs as JSON: discounts in percent."""
        spot = self.spot_discount
        return {
            "price_file": self.prices.name if self.prices else None,
            "price_factor": None if self.price_factor is None else float(self.price_factor),
            "savings_plan_pct": float(100 * self.savings_plan),
            "spot_discount_pct": None if spot is None else float(100 * spot),
            "per_node_cost": self.node_cost,
            "public_ipv4": list(self.public_ipv4),
            "control_plane_tier": self.tier,
            **self._network_told(),
        }

    def _network_told(self) -> dict[str, object]:
        """The inputs about the network, if it is counted."""
        use = self.network
        return {} if use is None else {"network": {"cross_zone_gb": use.cross_zone_gb, "nat_gb": use.nat_gb}}

    def check_groups(self, plan: Plan) -> None:
        """Refuse node groups that the plan does not have, and Fargate profiles.

        Raises
        ------
        SpecError
            There is such a group.
        """
        groups = {g.name: g for g in plan.node_groups}
        for name in self.public_ipv4:
            if name not in groups:
                raise SpecError(f"public IPv4: there is no node group {name!r}{did_you_mean(name, groups)}")
            if groups[name].fargate:  # EKS user guide, fargate.adoc: Fargate profiles take private subnets only
                raise SpecError(f"public IPv4: {name!r} is a Fargate profile: its pods run in private subnets only")


def check_factor(what: str, factor: Fraction | None) -> None:
    """Refuse a price factor that is out of range."""
    if factor is not None:
        _check_real(what, factor)
    if factor is not None and not 0 < factor <= MOST_FACTOR:
        raise SpecError(f"{what}: {float(factor):g} is out of range (expected above 0, at most {MOST_FACTOR})")


def check_share(what: str, share: Fraction | None) -> None:
    """Refuse a discount of 100% or more."""
    if share is not None:
        _check_real(what, share)
    if share is not None and not 0 <= share < 1:
        raise SpecError(f"{what}: {float(100 * share):g}% is out of range (expected 0% up to less than 100%)")


def check_node_cost(what: str, usd_per_hour: float) -> None:
    """Refuse a cost per node that is negative, not a number or absurdly large."""
    _check_real(what, usd_per_hour)
    if not 0 <= usd_per_hour < MOST_USD_PER_HOUR:  # NaN fails both comparisons
        raise SpecError(f"{what}: {usd_per_hour:g} is out of range (expected 0 to {MOST_USD_PER_HOUR:,})")


def _check_real(what: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise SpecError(f"{what}: {value!r} is not a number")


def check_tier(what: str, tier: str) -> None:
    """Refuse a tier that EKS does not have."""
    check_word(what, tier, TIERS)
