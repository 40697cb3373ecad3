"""Reads on-demand Linux prices, per hour, in the currency of their region.

Known for a few regions only; a price that is not in ``data/prices.csv`` is unknown, never estimated from
another region.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from capacity.catalog.layers import Layer, check_day, price_layers, read_overrides
from capacity.catalog.packaged import data_dir, read_text
from capacity.errors import CatalogError, SpecError, did_you_mean

HEADER = "instance_type,region,currency,price_per_hour,date,source"
DEFAULT_REGION = "us-east-1"
_REGION = re.compile(r"[a-z]{2,5}(?:-[a-z]+){1,3}-[0-9]{1,2}")


class Price(NamedTuple):
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
    source : str
        The source, a key of ``data/SOURCES.toml``.
    """

    instance_type: str
    region: str
    currency: str
    per_hour: float
    date: str
    source: str


def price(name: str, region: str = DEFAULT_REGION) -> Price | None:
    """The on-demand Linux price of a type in a region, or None if unknown.

    Raises
    ------
    CatalogError
        The price's line is damaged.
    SpecError
        The override file has an error.

    Notes
    -----
    An override takes precedence, then the newer price of cache and package.
    """
    if "," in name or "\n" in name or "," in region or "\n" in region:
        return None
    packaged = _find(_text(), name, region)
    layers = price_layers()
    if not layers:
        return packaged
    found = [packaged] if packaged else []
    for layer in layers:
        if layer.name == "cache":
            cached = _find(_cached(layer), name, region)
            found = [p for p in [*found, cached] if p]
        else:
            given = _overridden(layer).get((name, region))
            if given is not None:
                return Price(name, region, "USD", given, "", "override")
    return max(found, key=lambda p: p.date, default=None)


def _find(text: str, name: str, region: str) -> Price | None:
    start = text.find(f"\n{name},{region},")
    return None if start < 0 else parse_price(text[start + 1 : text.index("\n", start + 1)])


@lru_cache(maxsize=4)
def _cached(layer: Layer) -> str:
    text = _body(layer.path)
    for line in text.split("\n"):
        if line:
            check_day(parse_price(line).date, str(layer.path))  # whoever asks for whatever price
    return text


def cached_prices(layer: Layer) -> list[Price]:
    """Every price of the user's cache.

    Raises
    ------
    CatalogError
        The file has another header, or a row of it is damaged.
    """
    return [parse_price(line) for line in _cached(layer).split("\n") if line]


@lru_cache(maxsize=4)
def _overridden(layer: Layer) -> dict[tuple[str, str], float]:
    return {(name, region): figure for name, region, figure in read_overrides(layer.path)[1]}


def usd_per_hour(name: str, region: str = DEFAULT_REGION) -> float | None:
    """The on-demand Linux price in USD per hour; None if unknown or in another currency. The names are not checked."""
    found = price(name, region)
    return found.per_hour if found is not None and found.currency == "USD" else None


def check_region(what: str, value: object) -> None:
    """Refuse a text that does not have the form of an AWS Region's name; a Region without known prices is accepted.

    >>> check_region("region", "eu-west-1")
    """
    if not isinstance(value, str) or not _REGION.fullmatch(value):
        hint = did_you_mean(value, regions())
        raise SpecError(f"{what}: {value!r} is not a region{hint or ' (expected something like us-east-1)'}")


def regions(currency: str | None = None) -> list[str]:
    """Regions with at least one price (in ``currency``, if given), sorted. Overrides are in dollars."""
    texts = [_text(), *(_cached(layer) for layer in price_layers() if layer.name == "cache")]
    cells = (line.split(",", 3) for text in texts for line in text.split("\n") if line)
    found = {region for _, region, own, _ in cells if currency in (None, own)}
    given = (r for layer in price_layers() if layer.name != "cache" for _, r in _overridden(layer))
    return sorted(found.union(given if currency in (None, "USD") else ()))


def read_prices(path: Path | None = None) -> list[Price]:
    """Every price of the packaged file, or of one at ``path``, in the order of the file.

    Raises
    ------
    CatalogError
        The file is missing, has another header, or a line of it is damaged.
    """
    text = _text() if path is None else _body(path)
    return [parse_price(line) for line in text.split("\n") if line]


def parse_price(line: str) -> Price:
    """One line of ``prices.csv``.

    Raises
    ------
    CatalogError
        Not six cells, or the price is not a number above 0.
    """
    cells = line.split(",")
    try:
        name, region, currency, figure, date, source = cells
        per_hour = float(figure)
    except ValueError as error:
        raise CatalogError(f"prices.csv: {line[:80]!r} is not a price ({error})") from error
    if not 0 < per_hour < float("inf"):
        raise CatalogError(f"prices.csv: {line[:80]!r}: the price is not above 0")
    return Price(name, region, currency, per_hour, date, source)


@lru_cache(maxsize=1)
def _text() -> str:
    return _body(data_dir() / "prices.csv")


def _body(path: Path) -> str:
    """The lines after the header, each between line breaks, so that a search finds the start of a line."""
    head, _, body = read_text(path).partition("\n")
    if head != HEADER:
        raise CatalogError(f"{path.name}: the header is not {HEADER}")
    return "\n" + body.rstrip("\n") + "\n"
