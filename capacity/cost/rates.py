"""Finds the price of a node-hour: the user's file, the list price, or us-east-1's price times the user's factor."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from capacity.catalog.fees import AUTO_MODE_TYPE, Fee, fee, lists_auto_mode
from capacity.catalog.network_fees import NetworkFee, network_fees
from capacity.catalog.prices import DEFAULT_REGION, Price, price, regions
from capacity.catalog.regions import unknown_region
from capacity.cost.inputs import CostInputs
from capacity.cost.plan_cost import Rate

if TYPE_CHECKING:
    from capacity.catalog.instance_type import InstanceType
    from capacity.plan.model import NodeGroup

LIST_SYSTEM = "linux"  # the list prices are of Linux
DIGITS = 10  # of a price after discounts: more than any price list has


class PriceBook:
    """Prices in one region for given inputs, each looked up once."""

    def __init__(self, region: str | None, inputs: CostInputs) -> None:
        self.region = region
        self.inputs = inputs
        self.scaled = False  # whether a price of another region was used
        self._list: dict[str, Rate] = {}
        self._nodes: dict[tuple[str, bool, bool], Rate] = {}

    def node(self, group: NodeGroup, kind: InstanceType) -> Rate:
        """The price of one node of a group after discounts. [USD per hour]"""
        return self.of_type(kind.name, windows=group.windows, spot=group.capacity_type == "spot")

    def of_type(self, name: str, *, windows: bool = False, spot: bool = False) -> Rate:
        """The price of one node of an instance type after discounts. [USD per hour]"""
        key = name, windows, spot
        if key not in self._nodes:
            self._nodes[key] = self._node(*key)
        return self._nodes[key]

    def auto_mode(self, kind: InstanceType) -> Rate:
        """The fee of EKS Auto Mode for one node, the same for Spot Instances.

        The fee of the type if the region's price list was read (`capacity data refresh --prices`), otherwise a share
        of the on-demand list price.

        Source
        ------
        aws.amazon.com/eks/pricing (quoted 2026-09-29): "in addition to the Amazon EC2 instance price". The share is
        that of ``data/fees.csv``; for types with GPUs or accelerators AWS charges a different fee, which only its
        price list has.
        """
        own = fee(f"{AUTO_MODE_TYPE}{kind.name}", self.region)
        if own is not None:
            return Rate(own.value, own.source, own.date)
        if lists_auto_mode(self.region):
            return Rate(None, unknown=f"AWS lists no fee of EKS Auto Mode for {kind.name} in {self.region}")
        found = fee("auto-mode", self.region)
        if found is None:
            return Rate(None, unknown=f"the fee of EKS Auto Mode in {self.region} is not known")
        if kind.gpus != 0 or kind.accelerators != 0:
            return Rate(None, unknown=f"the fee of EKS Auto Mode for {kind.name} is not known")
        listed = self._listed(kind.name)
        if listed.usd_per_hour is None:
            return listed
        how = f"{found.value:.0%} of the on-demand price {money(listed.usd_per_hour)}{_plus(listed.how)}"
        return Rate(round(listed.usd_per_hour * found.value, DIGITS), found.source, found.date, how)

    def of_fee(self, name: str, what: str) -> Rate:
        """A fee in the region, or the fee of us-east-1 times the factor. [USD per hour]"""
        found = fee(name, self.region)
        if found is not None:
            return Rate(found.value, found.source, found.date)
        there, factor = fee(name, DEFAULT_REGION), self.inputs.price_factor
        if there is None or factor is None:
            return Rate(None, unknown=f"the price of {what} {self._place()} is not known")
        return self._times_factor(there, there.value, factor)

    def of_network_fee(self, name: str, what: str) -> Rate:
        """A price of ``network_fees.csv`` in the region, or that of us-east-1 times the factor. [USD]"""
        fees = network_fees()
        found = fees.get((name, self.region or ""))
        if found is not None:
            return Rate(found.value, found.source, found.date)
        there, factor = fees.get((name, DEFAULT_REGION)), self.inputs.price_factor
        if there is None or factor is None:
            return Rate(None, unknown=f"the price of {what} {self._place()} is not known")
        return self._times_factor(there, there.value, factor)

    def notes(self) -> list[str]:
        """Notes on prices that come from another region times a factor."""
        factor = self.inputs.price_factor
        if not self.scaled or factor is None:
            return []
        where = self.region or "a plan without a region"
        return [f"prices for {where} are not known: {DEFAULT_REGION} prices × {float(factor):g} are used"]

    # --- the nodes ------------------------------------------------------------------------

    def _node(self, name: str, windows: bool, spot: bool) -> Rate:
        system = "windows" if windows else LIST_SYSTEM
        own = self._own(name, system, "spot" if spot else "on-demand")
        if own is not None:
            return own
        on_demand = self._own(name, system, "on-demand") if spot else None
        if on_demand is None:
            on_demand = self._listed(name) if not windows else _windows_unknown(name)
        if on_demand.usd_per_hour is None:
            return on_demand
        if spot:
            return self._spot(name, on_demand)
        return _less(on_demand, self.inputs.savings_plan, "Savings Plan")

    def _spot(self, name: str, on_demand: Rate) -> Rate:
        if self.inputs.spot_discount is None:
            return Rate(None, unknown=f"the Spot price of {name} is not known: use --spot-discount or --price-file")
        return _less(on_demand, self.inputs.spot_discount, "Spot")

    def _own(self, name: str, system: str, capacity_type: str) -> Rate | None:
        """The price in the user's file."""
        own = self.inputs.prices
        found = own.find(name, self.region, system, capacity_type) if own else None
        return None if own is None or found is None else Rate(found, own.name)

    def _listed(self, name: str) -> Rate:
        """The on-demand Linux list price."""
        if name not in self._list:
            self._list[name] = self._look_up(name)
        return self._list[name]

    def _look_up(self, name: str) -> Rate:
        found = price(name, self.region) if self.region else None
        if found is not None and found.currency == "USD":
            return Rate(found.per_hour, found.source, found.date, region=found.region)
        factor = self.inputs.price_factor
        there = price(name, DEFAULT_REGION) if factor is not None else None
        if there is None or factor is None:
            return Rate(None, unknown=self._why_unpriced(name, found))
        return self._times_factor(there, there.per_hour, factor)

    def _times_factor(self, there: Price | Fee | NetworkFee, figure: float, factor: Fraction) -> Rate:
        self.scaled = True
        how = f"{DEFAULT_REGION} {money(figure)} × {float(factor):g}"
        return Rate(round(figure * float(factor), DIGITS), there.source, there.date, how, region=DEFAULT_REGION)

    def _why_unpriced(self, name: str, found: Price | None) -> str:
        if self.region is None:
            return f"no price is known for {name}: the plan has no region"
        if found is not None:
            return f"the price of {name} in {self.region} is in {found.currency}"
        if self.inputs.price_factor is not None:
            return f"no price is known for {name} in {self.region} or {DEFAULT_REGION}"
        if self.region not in regions():
            return unknown_region(self.region) or (
                f"no prices are known for {self.region}: use --price-file, --price-factor or capacity data refresh"
            )
        return f"no price is known for {name} in {self.region}"

    def _place(self) -> str:
        return f"in {self.region}" if self.region else "without a region"


def _windows_unknown(name: str) -> Rate:
    return Rate(None, unknown=f"the Windows price of {name} is not known: use --price-file with os = windows")


def _less(rate: Rate, share: Fraction, what: str) -> Rate:
    """A rate after a discount."""
    if not share or rate.usd_per_hour is None:
        return rate
    how = f"{money(rate.usd_per_hour)}{_plus(rate.how)} − {float(100 * share):g}% ({what})"
    return rate._replace(usd_per_hour=round(rate.usd_per_hour * float(1 - share), DIGITS), how=how)


def _plus(how: str) -> str:
    return f" ({how})" if how else ""


def money(figure: float) -> str:
    """A price per hour with all its digits, at least two decimals.

    >>> money(0.1), money(0.096), money(1.65)
    ('$0.10', '$0.096', '$1.65')
    """
    text = f"{figure:.{DIGITS}f}".rstrip("0")
    whole, _, decimals = text.partition(".")
    return f"${int(whole):,}.{decimals:0<2}"
