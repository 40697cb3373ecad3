"""Read the on-demand Linux prices of a region from AWS's public price list of EC2."""

from __future__ import annotations

import re

from capacity.errors import SpecError
from capacity.readers.aws.offer_file import BASE_URL, Collected, OfferFile, RegionRows, Tell, opened_offer, positive

SERVICE = "AmazonEC2"
NEEDED = {
    "TermType": ("OnDemand",),
    "Unit": ("Hrs",),
    "Tenancy": ("Shared",),
    "Operating System": ("Linux",),
    "Pre Installed S/W": ("NA",),
    "CapacityStatus": ("Used",),
}
"""Required values of a row, in columns that every file has."""
WHERE_THERE = {
    "License Model": ("No License required", ""),
    "Location Type": ("AWS Region", ""),
    "MarketOption": ("OnDemand", ""),
    "Product Family": ("Compute Instance", "Compute Instance (bare metal)"),
}
"""Required values of a row, if the file has the column."""
_TYPE = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+")


def fetch_price_list(region: str, base: str = BASE_URL, tell: Tell | None = None) -> RegionRows:
    """Fetch the on-demand Linux prices of a region.

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
    wanted = offer.wanted(NEEDED, {**WHERE_THERE, "Region Code": (region, "")})
    type_at, price_at, currency_at = offer.place_of("Instance Type", "PricePerUnit", "Currency")
    prices = Collected(offer, "instance types")
    for cells in offer.rows():
        kind, currency = cells[type_at], cells[currency_at]
        if not wanted.meets(cells) or currency not in ("USD", "CNY") or not _TYPE.fullmatch(kind):
            continue
        figure = positive(cells[price_at])
        if figure is not None:
            prices.add(kind, currency, figure)
    if not prices.found:
        raise SpecError(f"{offer.name}: no on-demand Linux price of {region}")
    return prices.rows(lambda kind, currency, figure: f"{kind},{region},{currency},{figure}")
