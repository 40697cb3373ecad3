"""Decides when figures are old, and formats the notes of answers that use them."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence

from capacity.catalog.prices import price, regions
from capacity.catalog.regions import unknown_region
from capacity.catalog.table import load_catalog
from capacity.errors import SpecError
from capacity.units import some_of

OLD_DAYS = 90  # AWS releases instance types and changes prices about this often
TODAY_VARIABLE = "SOURCE_DATE_EPOCH"  # https://reproducible-builds.org/specs/source-date-epoch/
MOST_NAMES = 6


def today() -> dt.date:
    """The day that ages and forecasts start from: SOURCE_DATE_EPOCH if set, otherwise today.

    Raises
    ------
    SpecError
        SOURCE_DATE_EPOCH is not a number of seconds.
    """
    given = os.environ.get(TODAY_VARIABLE)
    if not given:
        return dt.date.today()
    if not given.isascii() or not given.isdigit() or len(given) > 11:
        raise SpecError(f"{TODAY_VARIABLE}: {given!r} is not a number of seconds since 1970")
    return dt.datetime.fromtimestamp(int(given), dt.UTC).date()


def is_old(date: str, as_of: dt.date) -> bool:
    """Whether figures of a day are more than :data:`OLD_DAYS` days old; False without a date.

    Examples
    --------
    >>> [is_old(day, dt.date(2026, 4, 1)) for day in ("2026-01-01", "2025-12-31", "")]
    [False, True, False]
    """
    return bool(date) and (as_of - dt.date.fromisoformat(date)).days > OLD_DAYS


def limit_notes(as_of: dt.date | None = None) -> list[str]:
    """One line if the newest instance limits are old."""
    date = load_catalog().date
    if not is_old(date, as_of or today()):
        return []
    return [
        f"instance limits are from {date}, more than {OLD_DAYS} days old "
        "(capacity data refresh reads new ones from EC2)"
    ]


def price_notes(types: Sequence[str], region: str | None, as_of: dt.date | None = None) -> list[str]:
    """Notes on missing and old prices.

    Parameters
    ----------
    types : sequence of str
        Instance types whose price the answer shows.
    region : str or None
        None: the plan has no region.
    """
    if not types:
        return []
    if region is None:
        return ["no prices: the plan has no region"]
    dollars = regions("USD")
    if region not in dollars:
        other = f"prices in {region} are not in dollars: none shown" if region in regions() else ""
        if doubt := unknown_region(region):
            return [f"{doubt}: no prices are known for it"]
        return [other or f"no prices are known for {region} (known: {', '.join(dollars)})"]
    found = {name: price(name, region) for name in dict.fromkeys(types)}
    missing = [name for name, known in found.items() if known is None]
    notes = [f"no price is known in {region} for {some_of(missing, MOST_NAMES)}"] if missing else []
    dates = [known.date for known in found.values() if known and is_old(known.date, as_of or today())]
    if dates:
        notes.append(
            f"prices for {region} are from {min(dates)}, more than {OLD_DAYS} days old "
            "(capacity data refresh reads newer ones)"
        )
    return notes
