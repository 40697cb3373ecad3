"""Read on-demand Linux prices from AWS's public price list files over HTTPS, without credentials, line by line.

A region's file for EC2 has hundreds of megabytes. It is read one line at a time as it arrives; only
the price of each type is kept.

Source
------
AWS Billing user guide, "Reading the service price list file" (read 2026-11-30): five lines of metadata, then the names
of the columns; "Service Region index file": ``regions``, each with a ``currentVersionUrl`` relative to the host.
"""

from __future__ import annotations

import csv
import datetime as dt
import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from capacity.errors import CapacityError, SpecError, did_you_mean

BASE_URL = "https://pricing.us-east-1.amazonaws.com"
FOLDER = "/offers/v1.0/aws/AmazonEC2/"
SOURCE = "aws_price_list"
TIMEOUT_S = 30  # of each read, not of the whole file
MOST_INDEX_BYTES = 4 * 1024 * 1024
MOST_BYTES = 8 * 1024**3
MOST_LINE_BYTES = 64 * 1024
MOST_TYPES = 20_000
METADATA_LINES = 5
TELL_EVERY = 4096  # lines

NEEDED = {
    "TermType": ("OnDemand",),
    "Unit": ("Hrs",),
    "Tenancy": ("Shared",),
    "Operating System": ("Linux",),
    "Pre Installed S/W": ("NA",),
    "CapacityStatus": ("Used",),
}
"""Required values of a line, in columns that every file has."""
WHERE_THERE = {
    "License Model": ("No License required", ""),
    "Location Type": ("AWS Region", ""),
    "MarketOption": ("OnDemand", ""),
    "Product Family": ("Compute Instance", "Compute Instance (bare metal)"),
}
"""Required values of a line, if the file has the column."""
FIGURES = ("Instance Type", "PricePerUnit", "Currency")
_TYPE = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+")
_PRICE = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,12})?")

Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class RegionPrices:
    """Prices of one region's file.

    Attributes
    ----------
    rows : tuple of str
        Lines of the catalog's price table, sorted.
    date : date
        When AWS published the file.
    several : tuple of str
        Types with several different prices: none of them is kept.
    """

    rows: tuple[str, ...]
    date: dt.date
    several: tuple[str, ...] = ()


def fetch_price_list(region: str, base: str = BASE_URL, tell: Tell | None = None) -> RegionPrices:
    """Fetch the on-demand Linux prices of a region.

    Parameters
    ----------
    base : str
        Scheme and host of the price list.
    tell : callable, optional
        Called from time to time with the bytes read and the size of the file.

    Raises
    ------
    SpecError
        The price list has no such region, or has an unexpected format.
    CapacityError
        The price list cannot be reached, or the answer was cut off.
    """
    path = _file_of(region, base)
    with _opened(urljoin(base, path), base) as answer:
        lines = _Lines(answer, path, tell)
        try:
            found = _read(iter(lines), region, path)
        except csv.Error as error:
            raise SpecError(f"{path}:{lines.number}: not a line of CSV ({error})") from None
        lines.check_whole()
    return found


def _file_of(region: str, base: str) -> str:
    """Path of a region's CSV file, from the index of regions."""
    url = urljoin(base, f"{FOLDER}current/region_index.json")
    with _opened(url, base) as answer:
        body = answer.read(MOST_INDEX_BYTES + 1)
    if len(body) > MOST_INDEX_BYTES:
        raise SpecError(f"{url}: larger than {MOST_INDEX_BYTES:,} bytes")
    try:
        regions = json.loads(body)["regions"]
        known = {name: entry["currentVersionUrl"] for name, entry in regions.items()}
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        raise SpecError(f"{url}: not an index of regions (expected regions with a currentVersionUrl)") from None
    if region not in known:
        raise SpecError(f"--region: AWS's price list has no region {region!r}{did_you_mean(region, known)}")
    path = known[region]
    if not isinstance(path, str) or not re.fullmatch(rf"{re.escape(FOLDER)}[A-Za-z0-9/_-]+/index\.json", path):
        raise SpecError(f"{url}: {_brief(path)!r} is not the path of a price list")
    return path.removesuffix(".json") + ".csv"


# --- over HTTP ----------------------------------------------------------------------------


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follow redirects on the same scheme and host only."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        was, now = urlsplit(req.full_url), urlsplit(newurl)
        if (was.scheme, was.netloc) != (now.scheme, now.netloc):
            raise CapacityError(
                f"{req.full_url}: redirected to {now.scheme}://{now.netloc}, which is not AWS's price list"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@contextmanager
def _opened(url: str, base: str) -> Iterator[http.client.HTTPResponse]:
    """Open a URL with a GET request."""
    if urlsplit(url).netloc != urlsplit(base).netloc:
        raise SpecError(f"{url}: not on {base}")
    request = urllib.request.Request(url, headers={"User-Agent": "eks-pod-capacity", "Accept-Encoding": "identity"})
    try:
        with urllib.request.build_opener(_SameHost).open(request, timeout=TIMEOUT_S) as answer:
            if answer.headers.get("Content-Encoding", "identity") != "identity":
                raise SpecError(f"{url}: the answer is compressed, which was not requested")
            yield answer
    except urllib.error.HTTPError as error:
        raise CapacityError(f"{url}: HTTP {error.code}") from error
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "reason", "") or error
        raise CapacityError(f"{url}: cannot be read ({type(error).__name__}: {_brief(why)})") from error


class _Lines:
    """Lines of an answer as text, one at a time, with a length limit."""

    def __init__(self, answer: http.client.HTTPResponse, name: str, tell: Tell | None) -> None:
        self.answer, self.name, self.tell = answer, name, tell
        length = answer.headers.get("Content-Length", "")
        self.size = int(length) if length.isascii() and length.isdigit() else None
        self.number = self.bytes = 0

    def __iter__(self) -> Iterator[str]:
        while line := self.answer.readline(MOST_LINE_BYTES + 1):
            self.number += 1
            self.bytes += len(line)
            if len(line) > MOST_LINE_BYTES:
                raise SpecError(f"{self.name}:{self.number}: a line of more than {MOST_LINE_BYTES:,} bytes")
            if self.bytes > MOST_BYTES:
                raise SpecError(f"{self.name}: more than {MOST_BYTES:,} bytes")
            if self.tell is not None and self.number % TELL_EVERY == 0:
                self.tell(self.bytes, self.size or MOST_BYTES)
            try:
                yield line.decode("utf-8-sig" if self.number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise SpecError(f"{self.name}:{self.number}: not UTF-8 text (byte {error.start})") from None

    def check_whole(self) -> None:
        """Refuse a file that was cut off."""
        if self.size is not None and self.bytes != self.size:
            raise CapacityError(f"{self.name}: cut off after {self.bytes:,} of {self.size:,} bytes (try again)")


def _brief(value: object) -> str:
    return " ".join(str(value).split())[:200]


# --- the file -------------------------------------------------------------------------------


def _read(lines: Iterator[str], region: str, name: str) -> RegionPrices:
    date = _metadata(lines, name)
    reader = csv.reader(lines, strict=True)
    columns = _columns(next(reader, []), name)
    prices: dict[str, tuple[str, float]] = {}
    several: set[str] = set()
    for cells in reader:
        if len(cells) != columns.count:
            line = reader.line_num + METADATA_LINES
            raise SpecError(f"{name}:{line}: {len(cells)} cells (expected {columns.count}): cut off?")
        price = columns.price(cells, region)
        if price is None:
            continue
        kind, currency, figure = price
        if prices.setdefault(kind, (currency, figure)) != (currency, figure):
            several.add(kind)
        if len(prices) > MOST_TYPES:
            raise SpecError(f"{name}: more than {MOST_TYPES:,} instance types")
    if not prices:
        raise SpecError(f"{name}: no on-demand Linux price of {region}")
    rows = [
        f"{kind},{region},{currency},{figure:.10g},{date.isoformat()},{SOURCE}"
        for kind, (currency, figure) in sorted(prices.items())
        if kind not in several
    ]
    return RegionPrices(tuple(rows), date, tuple(sorted(several)))


def _metadata(lines: Iterator[str], name: str) -> dt.date:
    """Publication date of the file; its format and service must be known ones."""
    rows = list(csv.reader([next(lines, "") for _ in range(METADATA_LINES)], strict=True))
    told = {row[0]: row[1] for row in rows if len(row) == 2}
    if told.get("OfferCode") != "AmazonEC2" or not told.get("FormatVersion", "").startswith("v1."):
        said = ", ".join(f"{key} {told.get(key, 'missing')}" for key in ("FormatVersion", "OfferCode"))
        raise SpecError(f"{name}: not a price list of EC2 in format v1 ({_brief(said)})")
    try:
        return dt.date.fromisoformat(told.get("Publication Date", "")[:10])
    except ValueError:
        raise SpecError(f"{name}: no Publication Date among its first lines") from None


@dataclass(frozen=True, slots=True)
class _Columns:
    count: int
    figures: tuple[int, ...]
    wanted: Mapping[int, tuple[str, ...]]
    region: int | None

    def price(self, cells: list[str], region: str) -> tuple[str, str, float] | None:
        """Type, currency and price of a line with an on-demand Linux price of the region; None for any other."""
        if any(cells[place] not in words for place, words in self.wanted.items()):
            return None
        if self.region is not None and cells[self.region] not in (region, ""):
            return None
        kind, figure, currency = (cells[place] for place in self.figures)
        if currency not in ("USD", "CNY") or not _TYPE.fullmatch(kind) or not _PRICE.fullmatch(figure):
            return None
        value = float(figure)
        return (kind, currency, value) if value > 0 else None


def _columns(header: list[str], name: str) -> _Columns:
    place = {column: i for i, column in enumerate(header)}
    missing = [column for column in (*FIGURES, *NEEDED) if column not in place]
    if missing:
        raise SpecError(f"{name}:{METADATA_LINES + 1}: no column {missing[0]!r} (has the format changed?)")
    asked: dict[str, tuple[str, ...]] = {**NEEDED, **WHERE_THERE}
    wanted = {place[column]: words for column, words in asked.items() if column in place}
    return _Columns(len(header), tuple(place[column] for column in FIGURES), wanted, place.get("Region Code"))
