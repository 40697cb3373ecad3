"""Reports the age, the sources and the gaps of the data."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from capacity.catalog.packaged import data_dir, read_rows
from capacity.catalog.prices import read_prices
from capacity.catalog.provenance import DataSource, load_sources
from capacity.catalog.table import packaged_catalog


@dataclass(frozen=True, slots=True)
class FileStatus:
    """A data file: its rows as recorded, and its problem (None: no problem)."""

    name: str
    rows: int
    fault: str | None


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A source, its age on the given day [days] (None: undated) and the number of types that cite it."""

    source: DataSource
    age_days: int | None
    types: int


@dataclass(frozen=True, slots=True)
class PriceStatus:
    """The prices of one region: number, currency, date and age [days]."""

    region: str
    currency: str
    prices: int
    date: str
    age_days: int


@dataclass(frozen=True, slots=True)
class DataStatus:
    """State of the packaged data on ``as_of``; ``date`` is the newest date of a row with ENI figures."""

    as_of: dt.date
    date: str
    age_days: int
    types: int
    files: tuple[FileStatus, ...]
    sources: tuple[SourceStatus, ...]
    prices: tuple[PriceStatus, ...]
    without_eni_figures: tuple[str, ...]


def data_status(as_of: dt.date) -> DataStatus:
    """State of the packaged data, with ages counted to ``as_of``.

    Raises
    ------
    CatalogError
        A data file is missing or cannot be read. A wrong checksum is not an error here, it is reported.
    """
    catalog = packaged_catalog()
    folder = data_dir()
    sources, files = load_sources(folder)
    cited = cited_types()
    return DataStatus(
        as_of=as_of,
        date=catalog.date,
        age_days=_age(catalog.date, as_of),
        types=len(catalog),
        files=tuple(FileStatus(f.name, f.rows, f.fault(folder)) for f in files),
        sources=tuple(SourceStatus(s, s.age_days(as_of), cited[s.key]) for s in sorted(sources.values(), key=_newest)),
        prices=_price_status(as_of),
        without_eni_figures=tuple(t.name for t in catalog if t.max_enis is None),
    )


def cited_types() -> Counter[str]:
    """The number of types for which each source has limits, max pods or a price."""
    pairs = {(key, t.name) for t in packaged_catalog() for key in t.sources}
    stated = read_rows(data_dir() / "stated_max_pods.csv", "instance_type", "max_pods", "sources")
    pairs |= {(key, row["instance_type"]) for row in stated for key in row["sources"].split(";")}
    pairs |= {(p.source, p.instance_type) for p in read_prices()}
    return Counter(key for key, _ in pairs)


def _newest(source: DataSource) -> tuple[int, str]:
    """Newest first, undated last, ties by key."""
    return (-(source.date.toordinal() if source.date else 0), source.key)


def _price_status(as_of: dt.date) -> tuple[PriceStatus, ...]:
    groups = Counter((p.region, p.currency, p.date) for p in read_prices())
    return tuple(
        PriceStatus(region, currency, count, date, _age(date, as_of))
        for (region, currency, date), count in sorted(groups.items())
    )


def _age(date: str, as_of: dt.date) -> int:
    return (as_of - dt.date.fromisoformat(date)).days
