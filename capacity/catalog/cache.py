"""The user's cache of limits, prices and fees: written atomically, and compared with the package."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from capacity.catalog.columns import COLUMNS, HEADER
from capacity.catalog.fees import COLUMNS as FEE_COLUMNS
from capacity.catalog.fees import cached_fees
from capacity.catalog.layers import (
    FEES,
    LIMITS,
    PRICES,
    Layer,
    cache_dir,
    fee_layer,
    limit_layers,
    price_layers,
    read_overrides,
)
from capacity.catalog.packaged import read_text
from capacity.catalog.prices import HEADER as PRICE_HEADER
from capacity.catalog.prices import cached_prices
from capacity.catalog.table import load_catalog, packaged_catalog
from capacity.errors import CatalogError, SpecError
from capacity.files import write_file


def store(limits: Sequence[str], prices: Sequence[str], fees: Sequence[str] = ()) -> Path:
    """Add rows to the cache, replacing older ones, and return its folder.

    Limits of other types, and prices and fees of other regions, stay.

    Raises
    ------
    SpecError
        The cache cannot be written.
    """
    folder = cache_dir()
    if limits:
        _replace(folder / LIMITS, HEADER, _merged(folder / LIMITS, limits))
    for name, header, lines in ((PRICES, PRICE_HEADER, prices), (FEES, ",".join(FEE_COLUMNS), fees)):
        if lines:
            regions = {line.split(",")[1] for line in lines}
            old = [line for line in _rows(folder / name, header) if line.split(",")[1] not in regions]
            _replace(folder / name, header, sorted([*old, *lines]))
    return folder


def _merged(path: Path, fresh: Iterable[str]) -> list[str]:
    rows = {line.partition(",")[0]: line for line in [*_rows(path, HEADER), *fresh]}
    return [rows[name] for name in sorted(rows)]


def _rows(path: Path, header: str) -> list[str]:
    """Rows of a cache file without truncated ones; empty if it does not exist or has another version."""
    try:
        head, _, body = read_text(path).partition("\n")
    except CatalogError:
        return []
    return [line for line in body.splitlines() if line.count(",") == header.count(",")] if head == header else []


def _replace(path: Path, header: str, rows: Sequence[str]) -> None:
    """Write the file, and create its folder if it is missing."""
    name = f"the cache {path} cannot be written"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpecError(f"{name}: {error.strerror or error}") from error
    write_file(path, "\n".join([header, *rows]) + "\n", name)


@dataclass(frozen=True, slots=True)
class LayerStatus:
    """A layer over the package: its rows of limits, prices or fees, and its newest date (empty in overrides)."""

    name: str
    path: str
    holds: str
    rows: int
    date: str


def layer_status() -> tuple[LayerStatus, ...]:
    """Every layer in force, lowest first.

    Raises
    ------
    CatalogError, SpecError
        A layer is damaged.
    """
    load_catalog()  # refuses damaged layers
    found = [_limits_status(layer) for layer in limit_layers()]
    for layer in price_layers():
        if layer.name == "cache":
            rows = cached_prices(layer)
            newest = max((row.date for row in rows), default="")
            found.append(LayerStatus(layer.name, str(layer.path), "prices", len(rows), newest))
    if (of_fees := fee_layer()) is not None:
        fees = cached_fees(of_fees)
        newest = max((f.date for f in fees), default="")
        found.append(LayerStatus(of_fees.name, str(of_fees.path), "fees", len(fees), newest))
    return tuple(found)


def _limits_status(layer: Layer) -> LayerStatus:
    if layer.name == "cache":
        rows = _rows(layer.path, HEADER)
        dates = [line.rpartition(",")[2] for line in rows]
        return LayerStatus(layer.name, str(layer.path), "limits", len(rows), max(dates, default=""))
    types, prices = read_overrides(layer.path)
    holds = "limits and prices" if prices else "limits"
    return LayerStatus(layer.name, str(layer.path), holds, len(types) + len(prices), "")


@dataclass(frozen=True, slots=True)
class FigureChange:
    """A figure that a layer changes: the value of the package and the value in use; None: not set."""

    instance_type: str
    field: str
    packaged: str | None
    used: str | None


def differences() -> list[FigureChange]:
    """Every figure in which the catalog in force differs from the package; a new type is one row."""
    catalog, packaged = load_catalog(), packaged_catalog()
    ours = {line.partition(",")[0]: line for line in packaged.lines()}
    theirs = {line.partition(",")[0]: line for line in catalog.lines()}
    names = [c.name for c in COLUMNS]
    found = []
    for name in catalog.names():
        line = theirs[name]
        if name not in ours:
            found.append(FigureChange(name, "instance_type", None, "new"))
            continue
        if line == ours[name]:
            continue
        for column, now, was in zip(names, line.split(","), ours[name].split(","), strict=True):
            if now != was and column not in ("sources", "as_of"):
                found.append(FigureChange(name, column, was or None, now or None))
    return found
