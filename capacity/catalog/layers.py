"""Applies layers to the packaged data: the user's cache (`capacity data refresh`) and an override file.

Precedence, highest first: the override file, then the newer of cache and package, row by row. A layer that does not set
a figure keeps the one below. The installed package is never changed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from capacity.catalog.columns import COLUMNS, HEADER, Column, parse_cell
from capacity.catalog.packaged import read_text
from capacity.errors import CatalogError, SpecError, did_you_mean

APP = "eks-pod-capacity"
CACHE_VARIABLE = "CAPACITY_CACHE_DIR"
OVERRIDES_VARIABLE = "CAPACITY_OVERRIDES"
LIMITS, PRICES, FEES = "eni_limits.csv", "prices.csv", "fees.csv"
OVERRIDE_FILES = ("overrides.toml", "overrides.csv")


def cache_dir() -> Path:
    """Folder of the user's cache, whether it exists or not."""
    given = os.environ.get(CACHE_VARIABLE)
    if given:
        return Path(given)
    from platformdirs import user_cache_path

    return user_cache_path(APP, appauthor=False)


def found_cache_dir() -> Path | None:
    """The user's folder of newer figures if it can exist, otherwise None.

    platformdirs is imported only if there is something to find.
    """
    given = os.environ.get(CACHE_VARIABLE)
    if given:
        return Path(given) if os.path.isdir(given) else None
    places = [os.environ.get("XDG_CACHE_HOME"), "~/.cache"]
    if sys.platform == "darwin":
        places.append("~/Library/Caches")
    if sys.platform == "win32":
        places = [os.environ.get("LOCALAPPDATA"), "~/AppData/Local"]
    if not any(p and os.path.isdir(os.path.join(os.path.expanduser(p), APP)) for p in places):
        return None
    folder = cache_dir()
    return folder if folder.is_dir() else None


class Layer(NamedTuple):
    """One file over the packaged data: its name (``cache`` or ``overrides``), path, and state for caching."""

    name: str
    path: Path
    stamp: tuple[int, int]


def limit_layers() -> tuple[Layer, ...]:
    """Files with instance limits, lowest first; empty if there are none.

    Raises
    ------
    SpecError
        CAPACITY_OVERRIDES names a file that does not exist.
    """
    return _layers(LIMITS)


def price_layers() -> tuple[Layer, ...]:
    """Files with prices, lowest first."""
    return _layers(PRICES)


def fee_layer() -> Layer | None:
    """The file of fees in the user's cache, if there is one."""
    folder = found_cache_dir()
    return _layer("cache", folder / FEES) if folder else None


def _layers(cached: str) -> tuple[Layer, ...]:
    folder = found_cache_dir()
    found = [_layer("cache", folder / cached)] if folder else []
    given = os.environ.get(OVERRIDES_VARIABLE)
    if given:
        layer = _layer("overrides", Path(given))
        if layer is None:
            raise SpecError(f"{OVERRIDES_VARIABLE}: no such file: {given}")
        if not layer.path.is_file():  # the file is read more than once
            raise SpecError(f"{OVERRIDES_VARIABLE}: not a regular file: {given}")
        found.append(layer)
    elif folder:
        found += [_layer("overrides", folder / name) for name in OVERRIDE_FILES]
    return tuple(layer for layer in found if layer is not None)


def _layer(name: str, path: Path) -> Layer | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return Layer(name, path, (state.st_mtime_ns, state.st_size))


# --- the override file ----------------------------------------------------------------------


def read_overrides(path: Path) -> tuple[dict[str, dict[str, str]], list[tuple[str, str, float]]]:
    """Figures by type and column, as the cells of a table, and prices as (type, region, USD per hour).

    CSV: a header of ``instance_type`` and any columns of the catalog. TOML: a table ``[types."m9x.large"]`` per
    type, and ``[prices."m9x.large"]`` with a price per region.

    Raises
    ------
    SpecError
        Unknown column or table, wrong kind of value, a duplicate type.
    """
    types, prices = _read_toml(path) if path.suffix.lower() == ".toml" else (_read_csv(path), [])
    for name in types:
        family, _, size = name.partition(".")
        if not family or not size or not all(c.isalnum() or c in ".-" for c in name) or not name.isascii():
            raise SpecError(f"{path}: {name!r} is not the name of an instance type (expected something like m5.large)")
    return types, prices


def _columns() -> dict[str, str]:
    return {c.name: c.kind for c in COLUMNS if c.name not in ("instance_type", "family", "sources", "as_of")}


def _check(path: Path, where: str, column: str, cell: str) -> str:
    kinds = _columns()
    if column not in kinds:
        hint = did_you_mean(column, kinds) or f" (known: {', '.join(kinds)})"
        raise SpecError(f"{path}: {where}: unknown column {column!r}{hint}")
    if any(c in cell for c in ',"\n\r'):
        raise SpecError(f"{path}: {where}: {column}: {cell[:60]!r} contains a comma, a quote or a line break")
    try:
        parse_cell(Column(column, kinds[column], ""), cell)
    except ValueError as error:
        raise SpecError(f"{path}: {where}: {column}: {cell[:60]!r} is {error}") from error
    return cell


def _read_csv(path: Path) -> dict[str, dict[str, str]]:
    import csv

    lines = list(csv.reader(_text(path).splitlines()))
    if not lines or not lines[0] or lines[0][0] != "instance_type":
        raise SpecError(f"{path}:1: expected a header that starts with 'instance_type'")
    header = lines[0]
    found: dict[str, dict[str, str]] = {}
    for number, cells in enumerate(lines[1:], start=2):
        if not cells:
            continue
        if len(cells) != len(header):
            raise SpecError(f"{path}:{number}: {len(cells)} cells instead of {len(header)}")
        name = cells[0].strip()
        if name in found:
            raise SpecError(f"{path}:{number}: duplicate {name!r}")
        pairs = zip(header[1:], (c.strip() for c in cells[1:]), strict=True)
        found[name] = {c: _check(path, f"line {number}", c, v) for c, v in pairs if v}
    return found


def _read_toml(path: Path) -> tuple[dict[str, dict[str, str]], list[tuple[str, str, float]]]:
    import tomllib

    try:
        document = tomllib.loads(_text(path))
    except ValueError as error:  # also of a number that is too long for Python
        raise SpecError(f"{path}: {error}") from error
    except RecursionError:
        raise SpecError(f"{path}: nested too deeply") from None
    for key in document:
        if key not in ("types", "prices"):
            raise SpecError(f"{path}: unknown table {key!r} (expected 'types' or 'prices')")
    found = {}
    for name, table in _tables(path, document, "types"):
        found[name] = {c: _check(path, name, c, _cell(path, name, c, v)) for c, v in table.items()}
    prices = []
    for name, table in _tables(path, document, "prices"):
        for region, figure in table.items():
            if isinstance(figure, bool) or not isinstance(figure, (int, float)) or not 0 < figure < float("inf"):
                raise SpecError(f"{path}: prices.{name}.{region}: {figure!r} is not a price above 0, in USD per hour")
            prices.append((name, region, float(figure)))
    return found, prices


def _tables(path: Path, document: Mapping[str, Any], key: str) -> Iterable[tuple[str, dict[str, Any]]]:
    tables = document.get(key, {})
    if not isinstance(tables, dict):
        raise SpecError(f'{path}: {key}: expected tables such as [{key}."m9x.large"]')
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise SpecError(f'{path}: {key}.{name}: expected a table (quote the name: [{key}."m9x.large"])')
        yield name, table


def _cell(path: Path, name: str, column: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float, str)):
        return str(value)
    raise SpecError(f"{path}: {name}: {column}: expected a number, a word, true or false")


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except CatalogError as error:
        raise SpecError(str(error)) from error


# --- merging --------------------------------------------------------------------------------

ON_THE_NODE = frozenset(("cni", "eks_ami"))
"""Sources of the tables that a node reads itself: their max ENIs take precedence over EC2's response."""


def merged_lines(packaged: Iterable[str], layers: Iterable[Layer]) -> list[str]:
    """The rows of the packaged table with every layer applied.

    Raises
    ------
    CatalogError, SpecError
        A layer is damaged.
    """
    rows = {line.partition(",")[0]: line for line in packaged}
    for layer in layers:
        if layer.name == "cache":
            _lay_cache(rows, layer.path)
        else:
            for name, cells in read_overrides(layer.path)[0].items():
                rows[name] = _laid(name, rows.get(name), cells, "override", "")
    return list(rows.values())


def _lay_cache(rows: dict[str, str], path: Path) -> None:
    names = [c.name for c in COLUMNS]
    head, _, body = read_text(path).partition("\n")
    if head != HEADER:
        raise CatalogError(f"{path}: the header does not match this version (capacity data refresh creates a new file)")
    for number, line in enumerate(body.splitlines(), start=2):
        cells = line.split(",")
        if len(cells) != len(names):
            raise CatalogError(f"{path}:{number}: {len(cells)} cells instead of {len(names)}")
        fresh = dict(zip(names, cells, strict=True))
        name, day = fresh["instance_type"], fresh["as_of"]
        check_day(day, f"{path}:{number}")
        below = rows.get(name)
        if below is not None and below.rpartition(",")[2] > day:
            continue  # the package is newer
        stated = {c: v for c, v in fresh.items() if v and c not in ("instance_type", "family", "sources", "as_of")}
        for column in ("hypervisor", "accelerator"):  # EC2 omits them if there are none
            stated.setdefault(column, fresh[column])
        if (
            below is not None
            and set(dict(zip(names, below.split(","), strict=True))["sources"].split(";")) >= ON_THE_NODE
        ):
            stated.pop("max_enis", None)
        rows[name] = _laid(name, below, stated, "ec2_cache", day)


def check_day(day: str, place: str) -> None:
    """Refuse a date that is not of the form 2026-07-01: dates are compared as text.

    Raises
    ------
    CatalogError
        It is not a date.
    """
    import datetime as dt

    try:
        known = dt.date.fromisoformat(day).isoformat() == day
    except ValueError:
        known = False
    if not known:
        raise CatalogError(f"{place}: {day[:60]!r} is not a date (expected something like 2026-07-01)")


def _laid(name: str, below: str | None, stated: Mapping[str, str], source: str, day: str) -> str:
    """A row with the given cells replaced, and the source and day added."""
    names = [c.name for c in COLUMNS]
    cells = dict(zip(names, below.split(","), strict=True)) if below else dict.fromkeys(names, "")
    cells |= {"instance_type": name, "family": name.partition(".")[0], **stated}
    cells["sources"] = ";".join(sorted({*filter(None, cells["sources"].split(";")), source}))
    cells["as_of"] = max(cells["as_of"], day)
    return ",".join(cells[n] for n in names)
