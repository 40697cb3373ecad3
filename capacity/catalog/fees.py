"""Reads fees other than instance prices (``fees.csv``), and EKS's support calendar (``kubernetes_versions.csv``).

Fees that `capacity data refresh --prices` stored in the user's cache replace older packaged ones.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from capacity.catalog.layers import Layer, check_day, fee_layer
from capacity.catalog.packaged import Row, data_dir, read_rows
from capacity.errors import CatalogError

COLUMNS = ("fee", "region", "value", "unit", "date", "source")
AUTO_MODE_TYPE = "auto-mode:"  # then an instance type: the fee of EKS Auto Mode for a node of it
EVERYWHERE = "*"  # equal in every commercial region
NOT_COMMERCIAL = ("cn-", "us-gov-", "us-iso", "eu-isoe-", "eusc-")  # AWS partitions with separate prices


class Fee(NamedTuple):
    """A fee and its source.

    Attributes
    ----------
    region : str
        ``*`` if it is equal in every commercial region.
    value : float
        In ``unit``, such as ``USD per cluster-hour``.
    date, source : str
        When the source took it from AWS, ISO; a key of ``data/SOURCES.toml``.
    """

    name: str
    region: str
    value: float
    unit: str
    date: str
    source: str


class KubernetesVersion(NamedTuple):
    """A Kubernetes minor version on EKS: extended support is billed from the day that standard support ends, UTC."""

    version: str
    standard_until: dt.date
    extended_until: dt.date
    source: str

    @property
    def order(self) -> tuple[int, int]:
        """The version as numbers, for comparison."""
        major, minor = self.version.split(".")
        return int(major), int(minor)


def fee(name: str, region: str | None) -> Fee | None:
    """A fee in a region, or None if unknown: the newer of the cached and the packaged fee.

    >>> fee("control-plane", "eu-west-1").value, fee("fargate-vcpu", "eu-west-1")
    (0.1, None)
    """
    packaged, layer = _fees(), fee_layer()
    own = packaged.get((name, region)) if region else None
    if own is None and not (region and region.startswith(NOT_COMMERCIAL)):
        own = packaged.get((name, EVERYWHERE))
    cached = _cached(layer).get((name, region)) if layer and region else None
    return max((f for f in (own, cached) if f is not None), key=lambda f: f.date, default=None)


def lists_auto_mode(region: str | None) -> bool:
    """Whether the fee of EKS Auto Mode is known type by type in a region: a type without one is not offered there."""
    layer = fee_layer()
    return layer is not None and any(name.startswith(AUTO_MODE_TYPE) and at == region for name, at in _cached(layer))


def cached_fees(layer: Layer) -> list[Fee]:
    """Every fee of the user's cache.

    Raises
    ------
    CatalogError
        The file has another header, or a row of it is damaged.
    """
    return list(_cached(layer).values())


def read_fees(folder: Path | None = None) -> list[Fee]:
    """Every fee of the packaged file, or of one in ``folder``, in its order.

    Raises
    ------
    CatalogError
        The file is missing or damaged.
    """
    return _read((folder or data_dir()) / "fees.csv")


def read_kubernetes_versions(folder: Path | None = None) -> tuple[KubernetesVersion, ...]:
    """The support calendar of the packaged file, or of one in ``folder``, oldest version first.

    Raises
    ------
    CatalogError
        The file is missing or damaged.
    """
    place = (folder or data_dir()) / "kubernetes_versions.csv"
    rows = read_rows(place, "version", "standard_until", "extended_until", "source")
    try:
        found = [
            KubernetesVersion(
                row["version"],
                dt.date.fromisoformat(row["standard_until"]),
                dt.date.fromisoformat(row["extended_until"]),
                row["source"],
            )
            for row in rows
        ]
        return tuple(sorted(found, key=lambda v: v.order))
    except ValueError as error:
        raise CatalogError(f"kubernetes_versions.csv: {error}") from error


@lru_cache(maxsize=1)
def kubernetes_versions() -> tuple[KubernetesVersion, ...]:
    """The packaged support calendar, oldest version first."""
    return read_kubernetes_versions()


@lru_cache(maxsize=1)
def _fees() -> dict[tuple[str, str], Fee]:
    return {(f.name, f.region): f for f in read_fees()}


@lru_cache(maxsize=4)
def _cached(layer: Layer) -> dict[tuple[str, str], Fee]:
    return {(f.name, f.region): f for f in _read(layer.path)}


def _read(path: Path) -> list[Fee]:
    return [_fee(row) for row in read_rows(path, *COLUMNS)]


def _fee(row: Row) -> Fee:
    try:
        value = float(row["value"])
    except ValueError as error:
        raise CatalogError(f"{row.place}: {error}") from error
    check_day(row["date"], row.place)
    if not 0 < value < float("inf"):
        raise CatalogError(f"{row.place}: {row['value']!r} is not above 0")
    return Fee(row["fee"], row["region"], value, row["unit"], row["date"], row["source"])
