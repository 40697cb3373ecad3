"""The published limits of EKS's control-plane tiers, with their prices."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from capacity.catalog.fees import fee
from capacity.catalog.packaged import data_dir, read_rows
from capacity.catalog.prices import DEFAULT_REGION
from capacity.cost.inputs import STANDARD
from capacity.units import HOURS_PER_MONTH

COLUMNS = ("tier", "seats", "pods_per_second", "database_gb", "source")


class ControlPlaneTier(NamedTuple):
    """One row of ``data/control_plane_tiers.csv``, for Kubernetes 1.30 and later; None if no source states a figure.

    Attributes
    ----------
    seats : int or None
        Concurrency of API requests; a request that lists many objects takes more than one. [seats]
    pods_per_second : int or None
        Rate of the default scheduler. [pods/s]
    database_gb : int or None
        Size of the database of all objects (etcd). [GB]
    """

    tier: str
    seats: int | None
    pods_per_second: int | None
    database_gb: int | None
    source: str


@cache
def load_tiers() -> tuple[ControlPlaneTier, ...]:
    """All tiers, the smallest first."""

    def figure(cell: str) -> int | None:
        return int(cell) if cell else None

    return tuple(
        ControlPlaneTier(
            tier=row["tier"],
            seats=figure(row["seats"]),
            pods_per_second=figure(row["pods_per_second"]),
            database_gb=figure(row["database_gb"]),
            source=row["source"],
        )
        for row in read_rows(data_dir() / "control_plane_tiers.csv", *COLUMNS)
    )


class TierCost(NamedTuple):
    """A tier with its price in addition to the cluster's fee (None: unknown), and the time to schedule some pods."""

    tier: ControlPlaneTier
    usd_per_hour: float | None
    usd_per_month: float | None
    schedule_s: float | None


def tier_costs(region: str | None, pods: int | None) -> Iterator[TierCost]:
    """Every tier in a region (us-east-1 if it is None), for a number of pods that start at the same time.

    Notes
    -----
    pods ÷ pods per second is the least time: nodes that are not ready, images and addresses come on top.

    Examples
    --------
    >>> [(cost.tier.tier, cost.usd_per_hour, cost.schedule_s) for cost in tier_costs("us-east-1", 1000)][1]
    ('tier-xl', 1.65, 6.0)
    """
    for tier in load_tiers():
        if tier.tier == STANDARD:
            each: float | None = 0.0
        else:
            found = fee(tier.tier, region or DEFAULT_REGION)
            each = None if found is None else found.value
        month = None if each is None else round(each * HOURS_PER_MONTH, 2)
        rate = tier.pods_per_second
        yield TierCost(tier, each, month, round(pods / rate, 1) if pods is not None and rate else None)
