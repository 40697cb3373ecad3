"""Read EKS fees of a region from AWS's public price list: control plane, extended support, Auto Mode, Fargate."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from capacity.catalog.fees import AUTO_MODE_TYPE
from capacity.errors import SpecError
from capacity.readers.aws.offer_file import BASE_URL, SOURCE, OfferFile, Tell, opened_offer, positive

SERVICE = "AmazonEKS"
MOST_FEES = 20_000
CLUSTER_HOUR = "USD per cluster-hour"
FEES = {
    "AmazonEKS-Hours:perCluster": ("control-plane", CLUSTER_HOUR),
    "AmazonEKS-Hours:extendedSupport": ("extended-support", CLUSTER_HOUR),
    "AmazonEKS-Hours:XL-ProvisionedTier": ("tier-xl", CLUSTER_HOUR),
    "AmazonEKS-Hours:2XL-ProvisionedTier": ("tier-2xl", CLUSTER_HOUR),
    "AmazonEKS-Hours:4XL-ProvisionedTier": ("tier-4xl", CLUSTER_HOUR),
    "AmazonEKS-Hours:8XL-ProvisionedTier": ("tier-8xl", CLUSTER_HOUR),
    "Fargate-vCPU-Hours:perCPU": ("fargate-vcpu", "USD per vCPU-hour"),
    "Fargate-GB-Hours": ("fargate-gb", "USD per GB-hour"),
}
"""The fee and its unit by usage type, without the prefix of the region.

Source
------
Usage types and prices of the AmazonEKS price list of 2026-09-28, us-east-1 and ap-southeast-5, as quoted by a public
pricing study (``eks_price_list`` in ``data/SOURCES.toml``). Other usage types, such as Fargate on Arm, Hybrid Nodes
and EKS Capabilities, are for what a plan does not contain.
"""
_REGION_PREFIX = re.compile(r"[A-Z]{2,4}[A-Z0-9]*-(?=AmazonEKS-Hours:|Fargate-|EKS-Auto:)")
_AUTO_MODE = re.compile(r"EKS-Auto:([a-z0-9-]+\.[a-z0-9-]+)-management-hours")


@dataclass(frozen=True, slots=True)
class RegionFees:
    """Fees of one region's file.

    Attributes
    ----------
    rows : tuple of str
        Lines of the catalog's table of fees, sorted.
    date : date
        When AWS published the file.
    several : tuple of str
        Fees with several different prices: none of them is kept.
    """

    rows: tuple[str, ...]
    date: dt.date
    several: tuple[str, ...] = ()


def fetch_fees(region: str, base: str = BASE_URL, tell: Tell | None = None) -> RegionFees:
    """Fetch the fees of EKS in a region.

    Raises
    ------
    SpecError
        The price list has no such region, or has an unexpected format.
    CapacityError
        The price list cannot be reached, or the file was cut off.
    """
    with opened_offer(SERVICE, region, base, tell) as offer:
        return _read(offer, region)


def _read(offer: OfferFile, region: str) -> RegionFees:
    wanted = offer.wanted(
        {"TermType": ("OnDemand",), "Currency": ("USD",)},
        {"Location Type": ("AWS Region", ""), "Region Code": (region, "")},
    )
    usage_at, unit_at, price_at = offer.place_of("usageType", "Unit", "PricePerUnit")
    fees: dict[str, tuple[str, float]] = {}
    several: set[str] = set()
    for cells in offer.rows():
        found = fee_of(cells[usage_at]) if wanted.meets(cells) else None
        figure = positive(cells[price_at]) if found and _is_hourly(cells[unit_at]) else None
        if found is None or figure is None:
            continue
        name, unit = found
        if fees.setdefault(name, (unit, figure)) != (unit, figure):
            several.add(name)
        if len(fees) > MOST_FEES:
            raise SpecError(f"{offer.name}: more than {MOST_FEES:,} fees")
    if "control-plane" not in fees:
        raise SpecError(f"{offer.name}: no price of an EKS cluster in {region}")
    rows = [
        f"{name},{region},{figure:.10g},{unit},{offer.date.isoformat()},{SOURCE}"
        for name, (unit, figure) in sorted(fees.items())
        if name not in several
    ]
    return RegionFees(tuple(rows), offer.date, tuple(sorted(several)))


def fee_of(usage_type: str) -> tuple[str, str] | None:
    """The fee and its unit for a usage type; None for one that a plan does not need.

    >>> fee_of("USE1-AmazonEKS-Hours:perCluster"), fee_of("EKS-Auto:m7i.large-management-hours")
    (('control-plane', 'USD per cluster-hour'), ('auto-mode:m7i.large', 'USD per node-hour'))
    >>> fee_of("USE1-AmazonEKS-Local-Outposts-Hours:perCluster"), fee_of("EU-Fargate-ARM-GB-Hours")
    (None, None)
    """
    usage = _REGION_PREFIX.sub("", usage_type, count=1)
    managed = _AUTO_MODE.fullmatch(usage)
    return (f"{AUTO_MODE_TYPE}{managed[1]}", "USD per node-hour") if managed else FEES.get(usage)


def _is_hourly(unit: str) -> bool:
    """Whether a unit is hours: ``Hrs``, ``Hours``, ``vCPU-Hours``."""
    return unit.casefold().endswith(("hours", "hrs"))
