"""Reads the prices of load balancers, NAT gateways, endpoints and cross-zone traffic (``network_fees.csv``)."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from capacity.catalog.packaged import data_dir, read_rows

COLUMNS = ("fee", "region", "value", "unit", "date", "source")


class NetworkFee(NamedTuple):
    """A price with its unit, the date of its source (ISO, to the month if no day is known) and the source."""

    name: str
    region: str
    value: float
    unit: str
    date: str
    source: str


@cache
def network_fees() -> dict[tuple[str, str], NetworkFee]:
    """All prices by name and region."""
    return {
        (row["fee"], row["region"]): NetworkFee(
            row["fee"], row["region"], float(row["value"]), row["unit"], row["date"], row["source"]
        )
        for row in read_rows(data_dir() / "network_fees.csv", *COLUMNS)
    }
