"""Read EKS fees of a region from AWS's public price list: control plane, extended support, Auto Mode, Fargate."""

from __future__ import annotations

import re

from capacity.catalog.fees import AUTO_MODE_TYPE
from capacity.errors import SpecError
from capacity.readers.aws.offer_file import BASE_URL, Collected, OfferFile, RegionRows, Tell, opened_offer, positive

SERVICE = "AmazonEKS"
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


def fetch_fees(region: str, base: str = BASE_URL, tell: Tell | None = None) -> RegionRows:
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


def _read(offer: OfferFile, region: str) -> RegionRows:
    wanted = offer.wanted(
        {"TermType": ("OnDemand",), "Currency": ("USD",)},
        {"Location Type": ("AWS Region", ""), "Region Code": (region, "")},
    )
    usage_at, unit_at, price_at = offer.place_of("usageType", "Unit", "PricePerUnit")
    fees = Collected(offer, "fees")
    for cells in offer.rows():
        found = fee_of(cells[usage_at]) if wanted.meets(cells) else None
        figure = positive(cells[price_at]) if found and _is_hourly(cells[unit_at]) else None
        if found is not None and figure is not None:
            fees.add(*found, figure)
    if "control-plane" not in fees.found:
        raise SpecError(f"{offer.name}: no price of an EKS cluster in {region}")
    return fees.rows(lambda name, unit, figure: f"{name},{region},{figure},{unit}")


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
