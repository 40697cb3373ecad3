"""The price of an instance type for Python programs: a name that is not a type is refused."""

from __future__ import annotations

from capacity.catalog.prices import DEFAULT_REGION, check_region, price
from capacity.catalog.table import load_catalog


def price_per_hour(name: str, region: str = DEFAULT_REGION) -> float | None:
    """The on-demand Linux price in USD per hour; None if unknown or in another currency.

    Raises
    ------
    UnknownInstanceType
        No instance type has this name.
    SpecError
        ``region`` is not shaped like the name of a region.
    """
    check_region("region", region)
    found = price(name, region) if isinstance(name, str) else None
    if found is None:
        load_catalog().get(name)
    return found.per_hour if found is not None and found.currency == "USD" else None
