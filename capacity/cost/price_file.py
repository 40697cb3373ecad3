"""Reads ``--price-file``: the user's prices as CSV."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from capacity.catalog.prices import check_region
from capacity.catalog.table import load_catalog
from capacity.cost.inputs import MOST_USD_PER_HOUR, Key, PriceFile
from capacity.errors import MOST_ERRORS, SpecError, SpecErrors, check_word, did_you_mean
from capacity.files import LARGEST_TEXT_BYTES, input_name, read_bytes
from capacity.plan.constants import CAPACITY_TYPES, SYSTEMS

NEEDED, OPTIONAL = ("type", "usd_per_hour"), ("region", "os", "capacity_type")
_FIGURE = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,12})?")


def read_price_file(path: Path | str) -> PriceFile:
    """Prices of a CSV file with the columns ``type`` and ``usd_per_hour``, and ``region``, ``os``, ``capacity_type``.

    Raises
    ------
    SpecError
        The file cannot be read, or a line is not a price (with its number).
    """
    name = input_name(path)
    try:
        text = read_bytes(path, largest=LARGEST_TEXT_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError(f"{name}: not UTF-8 text (byte {error.start})") from None
    return PriceFile(name, parse_price_file(text, name))


def parse_price_file(text: str, name: str) -> dict[Key, float]:
    """The prices of a CSV text.

    Raises
    ------
    SpecError
        Every line that is not a price (with its number).
    """
    rows = _rows(text, name)
    first, header = next(rows, (1, []))
    columns = _columns(header, f"{name}:{first}")
    prices: dict[Key, float] = {}
    lines: dict[Key, int] = {}
    known = load_catalog()
    errors: list[SpecError] = []
    for number, cells in rows:
        place = f"{name}:{number}"
        try:
            row = _cells(columns, cells, place)
            if row["type"] not in known:
                known.get(row["type"], f"{place}: type")
            key = _key(row, place)
            if key in lines:
                raise SpecError(f"{place}: duplicate price for {_words(key)} (first in line {lines[key]})")
            prices[key], lines[key] = _price(row["usd_per_hour"], place), number
        except SpecError as error:
            errors.append(error)
            if len(errors) == MOST_ERRORS:
                break
    if errors:
        raise errors[0] if len(errors) == 1 else SpecErrors(errors)
    if not prices:
        raise SpecError(f"{name}: no prices (expected a line for each instance type)")
    return prices


def _rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each line that is not empty."""
    import csv  # most runs read no price file

    reader = csv.reader(text.splitlines(), strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise SpecError(f"{name}:{reader.line_num}: not a line of CSV ({error})") from None


def _cells(columns: list[str], cells: list[str], place: str) -> dict[str, str]:
    if len(cells) != len(columns):
        raise SpecError(f"{place}: {len(cells)} cells (expected {len(columns)}: {', '.join(columns)})")
    return dict(zip(columns, (cell.strip() for cell in cells), strict=True))


def _columns(header: list[str], place: str) -> list[str]:
    columns = [cell.strip() for cell in header]
    for column in columns:
        if column not in NEEDED + OPTIONAL:
            hint = did_you_mean(column, NEEDED + OPTIONAL)
            raise SpecError(f"{place}: {column!r} is not a column (expected {', '.join(NEEDED + OPTIONAL)}){hint}")
    twice = next((c for c in columns if columns.count(c) > 1), None)
    if twice is not None:
        raise SpecError(f"{place}: duplicate column {twice!r}")
    missing = [column for column in NEEDED if column not in columns]
    if missing:
        raise SpecError(f"{place}: no column {missing[0]!r} (the first line must name {' and '.join(NEEDED)})")
    return columns


def _key(row: Mapping[str, str], place: str) -> Key:
    region = row.get("region", "")
    if region:
        check_region(f"{place}: region", region)
    system = row.get("os", "") or SYSTEMS[0]
    check_word(f"{place}: os", system, SYSTEMS)
    capacity_type = row.get("capacity_type", "") or CAPACITY_TYPES[0]
    check_word(f"{place}: capacity_type", capacity_type, CAPACITY_TYPES)
    return row["type"], region, system, capacity_type


def _price(cell: str, place: str) -> float:
    price = float(cell) if _FIGURE.fullmatch(cell) else 0.0
    if not 0 < price <= MOST_USD_PER_HOUR:
        raise SpecError(
            f"{place}: usd_per_hour: {cell!r} is not a price (expected a number above 0, at most {MOST_USD_PER_HOUR:,})"
        )
    return price


def _words(key: Key) -> str:
    name, region, system, capacity_type = key
    return f"{name} ({region or 'every region'}, {system}, {capacity_type})"
