"""On-demand Linux prices, per hour, in the currency of their region.

Known for a few regions only; a price that is not in ``data/prices.csv`` is unknown, never estimated from
another region.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from capacity.catalog.files import data_dir, read_text
from capacity.errors import CatalogError

HEADER = "instance_type,region,currency,price_per_hour,date"
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Price:
    """An on-demand price.

    Attributes
    ----------
    instance_type, region : str
    currency : str
        ISO 4217: ``USD``, or ``CNY`` in China.
    per_hour : float
        [currency per hour]
    date : str
        When the source took it from AWS's price list, ISO.
    """

    instance_type: str
    region: str
    currency: str
    per_hour: float
    date: str


def price(name: str, region: str = DEFAULT_REGION) -> Price | None:
    """The on-demand Linux price of a type in a region, or None where unknown.

    Raises
    ------
    CatalogError
        The price's line is damaged.
    """
    if "," in name or "\n" in name or "," in region or "\n" in region:
        return None
    text = _text()
    start = text.find(f"\n{name},{region},")
    if start < 0:
        return None
    return parse_price(text[start + 1 : text.index("\n", start + 1)])


def price_per_hour(name: str, region: str = DEFAULT_REGION) -> float | None:
    """The on-demand Linux price in USD per hour; None where unknown or stated in another currency."""
    found = price(name, region)
    return found.per_hour if found is not None and found.currency == "USD" else None


def regions() -> list[str]:
    """Regions with at least one price, sorted."""
    return sorted({line.split(",", 2)[1] for line in _text().strip("\n").split("\n")})


def all_prices() -> list[Price]:
    """Every known price, in the order of the file."""
    return [parse_price(line) for line in _text().strip("\n").split("\n")]


def parse_price(line: str) -> Price:
    """One line of ``prices.csv``.

    Raises
    ------
    CatalogError
        Not five cells, or the price is not a number of 0 or more.
    """
    cells = line.split(",")
    try:
        name, region, currency, figure, date = cells
        per_hour = float(figure)
    except ValueError as error:
        raise CatalogError(f"prices.csv: {line!r} is not a price ({error})") from error
    if not 0 < per_hour < float("inf"):
        raise CatalogError(f"prices.csv: {line!r}: the price is not above 0")
    return Price(name, region, currency, per_hour, date)


@lru_cache(maxsize=1)
def _text() -> str:
    head, _, body = read_text(data_dir() / "prices.csv").partition("\n")
    if head != HEADER:
        raise CatalogError(f"prices.csv: the header is not {HEADER}")
    return "\n" + body
