"""The cost of a plan, line by line: every figure with its terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from capacity.units import HOURS_PER_MONTH

NODES, AUTO_MODE, FARGATE_VCPU, FARGATE_GB = "nodes", "auto-mode", "fargate-vcpu", "fargate-gb"
NODE_COST, PUBLIC_IPV4 = "per-node-cost", "public-ipv4"
LOAD_BALANCER, NAT_GATEWAY, NAT_TRAFFIC = "load-balancer", "nat-gateway", "nat-traffic"
VPC_ENDPOINT, CROSS_ZONE = "vpc-endpoint", "cross-zone-traffic"
CONTROL_PLANE, EXTENDED_SUPPORT, TIER = "control-plane", "extended-support", "control-plane-tier"
ITEMS = (
    NODES, AUTO_MODE, FARGATE_VCPU, FARGATE_GB, NODE_COST, PUBLIC_IPV4, CONTROL_PLANE, EXTENDED_SUPPORT, TIER,
    LOAD_BALANCER, NAT_GATEWAY, NAT_TRAFFIC, VPC_ENDPOINT, CROSS_ZONE,
)  # fmt: skip


class Rate(NamedTuple):
    """A price per unit and hour, or the reason why it is unknown.

    Attributes
    ----------
    usd_per_hour : float or None
        None if unknown; ``unknown`` has the reason.
    how : str
        How it was computed if it is not the source's figure: discounts, a factor.
    source, date : str
        The source of the price, and its date (ISO; empty if the source has none).
    region : str
        Region of a list price; empty for other prices.
    """

    usd_per_hour: float | None
    source: str = ""
    date: str = ""
    how: str = ""
    unknown: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of a bill: count × price × hours.

    Attributes
    ----------
    item : str
        One of :data:`ITEMS`.
    where : str
        The node group or tenant; empty for the cluster.
    what : str
        The counted item: an instance type, a Fargate pod size, a Kubernetes version.
    count : float
        In ``unit``.
    unit : str
        ``node``, ``vCPU``, ``GB``, ``address``, ``cluster`` and others.
    rate : Rate
        Per unit and hour.
    hours : float
        Hours of a month that are billed; 1 for a price without time, such as that of a GB of traffic.
    """

    item: str
    where: str
    what: str
    count: float
    unit: str
    rate: Rate
    hours: float = HOURS_PER_MONTH

    @property
    def usd_per_month(self) -> float | None:
        """Count × price × hours (730), rounded to cents; None if the price is unknown. [USD per month]"""
        each = self.rate.usd_per_hour
        return None if each is None else round(self.count * each * self.hours, 2)

    @property
    def title(self) -> str:
        """Item and node group, for people."""
        return f"{self.item} of {self.where}" if self.where else self.item


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one scenario if its nodes run for a month.

    Attributes
    ----------
    scenario, variant : str
    lines : tuple of CostLine
        Lines with a count of 0 are left out.
    """

    scenario: str
    variant: str
    lines: tuple[CostLine, ...]

    @property
    def known_usd_per_month(self) -> float:
        """Sum of the lines with a price: the whole cost, or a lower bound. [USD per month]"""
        return round(sum(line.usd_per_month or 0.0 for line in self.lines), 2)

    @property
    def unknown(self) -> tuple[CostLine, ...]:
        """Lines without a price."""
        return tuple(line for line in self.lines if line.usd_per_month is None)

    @property
    def usd_per_month(self) -> float | None:
        """The whole cost; None if a line has no price. [USD per month]"""
        return None if self.unknown else self.known_usd_per_month

    @property
    def title(self) -> str:
        """Scenario and variant, for people."""
        return f"{self.scenario} ({self.variant})" if self.variant else self.scenario


@dataclass(frozen=True, slots=True)
class PlanCost:
    """The cost of a checked plan, by scenario.

    Attributes
    ----------
    costs : tuple of Cost
        In the order of the check's scenarios.
    region : str or None
    notes : tuple of str
        Assumptions that the output must show, such as a factor on another region's prices.
    inputs : mapping
        The user's inputs about prices, as JSON.
    """

    costs: tuple[Cost, ...]
    region: str | None = None
    notes: tuple[str, ...] = ()
    inputs: Mapping[str, object] = field(default_factory=dict)

    def cost(self, scenario: str, variant: str = "") -> Cost | None:
        """The cost of a scenario; None if the plan was not checked in it."""
        return next((c for c in self.costs if (c.scenario, c.variant) == (scenario, variant)), None)

    def at_rest(self, names: Iterable[str]) -> list[Cost]:
        """The costs of some scenarios, without those that were not checked."""
        return [cost for name in names if (cost := self.cost(name)) is not None]


def difference(before: Cost | None, after: Cost | None) -> float | None:
    """The second cost minus the first; None if either is missing or incomplete. [USD per month]

    Equal lines without a price cancel out: they cost the same before and after.
    """
    if before is None or after is None or _unpriced(before) != _unpriced(after):
        return None
    return round(after.known_usd_per_month - before.known_usd_per_month, 2)


def _unpriced(cost: Cost) -> list[tuple[str, str, str, float]]:
    return sorted((line.item, line.where, line.what, line.count) for line in cost.unknown)
