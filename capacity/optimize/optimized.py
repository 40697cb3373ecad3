"""The answer of ``capacity optimize``: what to buy, the alternatives, or why no node groups pass the check."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from capacity.errors import check_kind
from capacity.optimize.buy import Purchase
from capacity.optimize.choices import Choices
from capacity.optimize.divide import Rules
from capacity.optimize.market import Market, Pods
from capacity.optimize.open_plan import Draft
from capacity.optimize.pack import Packing

OPTIMAL, WITHIN_GAP, TIME_LIMIT, INFEASIBLE = "optimal", "within_gap", "time_limit", "infeasible"
STATUSES = (OPTIMAL, WITHIN_GAP, TIME_LIMIT, INFEASIBLE)


class Packed(NamedTuple):
    """The perfect placement now and at the peak, and the lower bound of any placement, weighted by hours. [USD per
    hour]

    ``now`` and ``peak`` are one packing if the replicas are equal.
    """

    now: Packing
    peak: Packing
    usd_per_hour: float
    bound: float

    @property
    def gap(self) -> float:
        """How much more expensive than the bound, as a share of the price."""
        return 0.0 if self.usd_per_hour <= 0 else max(self.usd_per_hour - self.bound, 0.0) / self.usd_per_hour


@dataclass(frozen=True, slots=True)
class Alternative:
    """A simpler or different choice, and its additional cost.

    Attributes
    ----------
    name : str
    usd_per_hour : float or None
        None if it is not possible; ``note`` says why.
    nodes : int or None
        At the peak. [nodes]
    addresses : int or None
        Addresses in use in all subnets at the peak. [addresses]
    """

    name: str
    usd_per_hour: float | None
    nodes: int | None = None
    addresses: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Infeasible:
    """The limits that conflict, and the smallest change that resolves the conflict."""

    conflict: str
    relaxation: str


@dataclass(frozen=True)
class Optimized:
    """The answer.

    Attributes
    ----------
    status : str
        Of the packing: proven optimal, within its gap, or stopped; ``infeasible`` without a purchase.
    archs : tuple of str
        Architectures of the types that were compared.
    rules : Rules
        The weights of hours, and the limits on the nodes of a group.
    choices : Choices
        The user's choices.
    bought : Purchase or None
        The node groups to buy; None if there are no pods or no solution.
    packed : Packed or None
        None if a pod fits no type.
    alternatives : tuple of Alternative
    frontier : tuple of Purchase
        Purchases that are ok and that no other beats in dollars, addresses and nodes together.
    """

    status: str
    draft: Draft
    market: Market
    pods: tuple[Pods, ...]
    archs: tuple[str, ...]
    rules: Rules
    bought: Purchase | None = None
    packed: Packed | None = None
    alternatives: tuple[Alternative, ...] = ()
    frontier: tuple[Purchase, ...] = ()
    infeasible: Infeasible | None = None
    notes: tuple[str, ...] = ()
    choices: Choices = field(default_factory=Choices)


def check_optimized(value: object) -> None:
    """Refuse what is not an :class:`Optimized`."""
    check_kind("found", value, Optimized, "an Optimized, as returned by optimize_plan")
