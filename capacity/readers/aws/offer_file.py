"""Read AWS's public price list files over HTTPS, without credentials, line by line.

A region's file for EC2 has hundreds of megabytes. It is read one line at a time as it arrives; the caller keeps the
prices that it needs.

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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from capacity.errors import CapacityError, SpecError, did_you_mean

BASE_URL = "https://pricing.us-east-1.amazonaws.com"
SOURCE = "aws_price_list"
TIMEOUT_S = 30  # of each read, not of the whole file
MOST_INDEX_BYTES = 4 * 1024 * 1024
MOST_BYTES = 8 * 1024**3
MOST_LINE_BYTES = 64 * 1024
METADATA_LINES = 5
MOST_NAMES = 20_000  # instance types or fees of one file
TELL_EVERY = 4096  # lines
_PRICE = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,12})?")

Tell = Callable[[int, int], None]


class OfferFile:
    """The price list of one service in one region, read while it arrives.

    Attributes
    ----------
    name : str
        Path of the file, for messages.
    date : date
        When AWS published the file.
    header : list of str
        The names of the columns.
    """

    def __init__(self, lines: Iterator[str], service: str, name: str) -> None:
        self.name = name
        self.date = _publication_date(lines, service, name)
        self._reader = csv.reader(lines, strict=True)
        self.header = next(self._reader, [])

    def place_of(self, *names: str) -> list[int]:
        """Positions of columns that the file must have.

        Raises
        ------
        SpecError
            A column is missing.
        """
        places = self.places()
        missing = [name for name in names if name.casefold() not in places]
        if missing:
            raise SpecError(f"{self.name}:{METADATA_LINES + 1}: no column {missing[0]!r} (has the format changed?)")
        return [places[name.casefold()] for name in names]

    def places(self) -> dict[str, int]:
        """Position of each column by its name in lower case."""
        return {column.casefold(): i for i, column in enumerate(self.header)}

    def wanted(self, required: Mapping[str, Sequence[str]], optional: Mapping[str, Sequence[str]]) -> RowFilter:
        """Conditions on a row: a ``required`` column must exist, an ``optional`` one counts if it does."""
        places = self.places()
        self.place_of(*required)
        conditions = {**required, **{name: words for name, words in optional.items() if name.casefold() in places}}
        return RowFilter({places[name.casefold()]: tuple(words) for name, words in conditions.items()})

    def rows(self) -> Iterator[list[str]]:
        """The rows, one at a time.

        Raises
        ------
        SpecError
            A row has another number of cells than the header.
        """
        for cells in self._reader:
            if len(cells) != len(self.header):
                line = self._reader.line_num + METADATA_LINES
                raise SpecError(f"{self.name}:{line}: {len(cells)} cells (expected {len(self.header)}): cut off?")
            yield cells


class RowFilter:
    """Conditions on the cells of a row, by position."""

    def __init__(self, words: Mapping[int, tuple[str, ...]]) -> None:
        self.words = words

    def meets(self, cells: Sequence[str]) -> bool:
        """Whether every cell has one of its permitted values."""
        return all(cells[place] in words for place, words in self.words.items())


@dataclass(frozen=True, slots=True)
class RegionRows:
    """Prices of one region's file, as rows of a table of the catalog.

    Attributes
    ----------
    rows : tuple of str
        Lines of the table, sorted.
    date : date
        When AWS published the file.
    several : tuple of str
        Names with several different prices: none of them is kept.
    """

    rows: tuple[str, ...]
    date: dt.date
    several: tuple[str, ...] = ()


class Collected:
    """The prices of a file by name, while it is read; ``what`` they are of, for the message if there are too many."""

    def __init__(self, offer: OfferFile, what: str) -> None:
        self.offer = offer
        self.what = what
        self.found: dict[str, tuple[str, float]] = {}
        self.several: set[str] = set()

    def add(self, name: str, unit: str, figure: float) -> None:
        """Keep a price and its unit or currency.

        Raises
        ------
        SpecError
            The file has more names than AWS can have.
        """
        if self.found.setdefault(name, (unit, figure)) != (unit, figure):
            self.several.add(name)
        if len(self.found) > MOST_NAMES:
            raise SpecError(f"{self.offer.name}: more than {MOST_NAMES:,} {self.what}")

    def rows(self, line: Callable[[str, str, str], str]) -> RegionRows:
        """The rows; ``line`` writes the first cells from a name, its unit and its price."""
        end = f"{self.offer.date.isoformat()},{SOURCE}"
        rows = [
            f"{line(name, unit, f'{figure:.10g}')},{end}"
            for name, (unit, figure) in sorted(self.found.items())
            if name not in self.several
        ]
        return RegionRows(tuple(rows), self.offer.date, tuple(sorted(self.several)))


def positive(figure: str) -> float | None:
    """A price above 0; None for anything else.

    >>> positive("0.1000000000"), positive("0"), positive("NaN")
    (0.1, None, None)
    """
    return (float(figure) or None) if _PRICE.fullmatch(figure) else None


@contextmanager
def opened_offer(service: str, region: str, base: str = BASE_URL, tell: Tell | None = None) -> Iterator[OfferFile]:
    """Open the current price list of a service, such as ``AmazonEC2``, in a region.

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
        The price list cannot be reached, or the file was cut off.
    """
    path = _file_of(service, region, base)
    with _opened(urljoin(base, path), base) as response:
        lines = _Lines(response, path, tell)
        try:
            yield OfferFile(iter(lines), service, path)
        except csv.Error as error:
            raise SpecError(f"{path}:{lines.number}: not a line of CSV ({error})") from None
        lines.check_whole()


def _file_of(service: str, region: str, base: str) -> str:
    """Path of a region's CSV file, from the index of regions."""
    folder = f"/offers/v1.0/aws/{service}/"
    url = urljoin(base, f"{folder}current/region_index.json")
    with _opened(url, base) as response:
        body = response.read(MOST_INDEX_BYTES + 1)
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
    if not isinstance(path, str) or not re.fullmatch(rf"{re.escape(folder)}[A-Za-z0-9/_-]+/index\.json", path):
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
        with urllib.request.build_opener(_SameHost).open(request, timeout=TIMEOUT_S) as response:
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise SpecError(f"{url}: the response is compressed, which was not requested")
            yield response
    except urllib.error.HTTPError as error:
        raise CapacityError(f"{url}: HTTP {error.code}") from error
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "reason", "") or error
        raise CapacityError(f"{url}: cannot be read ({type(error).__name__}: {_brief(why)})") from error


class _Lines:
    """Lines of a response as text, one at a time, with a length limit."""

    def __init__(self, response: http.client.HTTPResponse, name: str, tell: Tell | None) -> None:
        self.response, self.name, self.tell = response, name, tell
        length = response.headers.get("Content-Length", "")
        self.size = int(length) if length.isascii() and length.isdigit() else None
        self.number = self.bytes = 0

    def __iter__(self) -> Iterator[str]:
        while line := self.response.readline(MOST_LINE_BYTES + 1):
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


def _publication_date(lines: Iterator[str], service: str, name: str) -> dt.date:
    """Publication date of the file; its format and service must be known ones."""
    rows = list(csv.reader([next(lines, "") for _ in range(METADATA_LINES)], strict=True))
    told = {row[0]: row[1] for row in rows if len(row) == 2}
    if told.get("OfferCode") != service or not told.get("FormatVersion", "").startswith("v1."):
        said = ", ".join(f"{key} {told.get(key, 'missing')}" for key in ("FormatVersion", "OfferCode"))
        raise SpecError(f"{name}: not a price list of {service} in format v1 ({_brief(said)})")
    try:
        return dt.date.fromisoformat(told.get("Publication Date", "")[:10])
    except ValueError:
        raise SpecError(f"{name}: no Publication Date among its first lines") from None
