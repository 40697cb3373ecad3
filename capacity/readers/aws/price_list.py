"""Read the on-demand Linux prices of a region from AWS's public price list of EC2."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from capacity.errors import SpecError
from capacity.readers.aws.offer_file import BASE_URL, SOURCE, OfferFile, Tell, opened_offer, positive

SERVICE = "AmazonEC2"
MOST_TYPES = 20_000
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


@dataclass(frozen=True, slots=True)
class RegionPrices:
    """Prices of one region's file.

    Attributes
    ----------
    rows : tuple of str
        Lines of the catalog's price table, sorted.
    date : date
        When AWS published the file.
    several : tuple of str
        Types with several different prices: none of them is kept.
    """

    rows: tuple[str, ...]
    date: dt.date
    several: tuple[str, ...] = ()


def fetch_price_list(region: str, base: str = BASE_URL, tell: Tell | None = None) -> RegionPrices:
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


def _read(offer: OfferFile, region: str) -> RegionPrices:
    wanted = offer.wanted(NEEDED, {**WHERE_THERE, "Region Code": (region, "")})
    type_at, price_at, currency_at = offer.place_of("Instance Type", "PricePerUnit", "Currency")
    prices: dict[str, tuple[str, float]] = {}
    several: set[str] = set()
    for cells in offer.rows():
        kind, currency = cells[type_at], cells[currency_at]
        if not wanted.meets(cells) or currency not in ("USD", "CNY") or not _TYPE.fullmatch(kind):
            continue
        figure = positive(cells[price_at])
        if figure is None:
            continue
        if prices.setdefault(kind, (currency, figure)) != (currency, figure):
            several.add(kind)
        if len(prices) > MOST_TYPES:
            raise SpecError(f"{offer.name}: more than {MOST_TYPES:,} instance types")
    if not prices:
        raise SpecError(f"{offer.name}: no on-demand Linux price of {region}")
    rows = [
        f"{kind},{region},{currency},{figure:.10g},{offer.date.isoformat()},{SOURCE}"
        for kind, (currency, figure) in sorted(prices.items())
        if kind not in several
    ]
    return RegionPrices(tuple(rows), offer.date, tuple(sorted(several)))
