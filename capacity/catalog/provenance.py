"""The sources of the data files: ``data/SOURCES.toml`` as objects.

``[sources.KEY]`` is a publisher of figures (the keys in the ``sources`` columns), ``[files.NAME]`` a packaged data file
with its checksum.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capacity.catalog.packaged import data_dir, read_text
from capacity.errors import CatalogError


@dataclass(frozen=True, slots=True)
class DataSource:
    """A publisher of figures.

    Attributes
    ----------
    key, title, origin, path, version, licence : str
        ``path`` is the file inside ``origin``; empty if it is not recorded.
    date : datetime.date or None
        Date of the source; None if not recorded.
    """

    key: str
    title: str
    origin: str
    path: str
    version: str
    licence: str
    date: dt.date | None

    def age_days(self, as_of: dt.date) -> int | None:
        """Days from the source's date to ``as_of``; None if the date is not recorded. [days]"""
        return None if self.date is None else (as_of - self.date).days


@dataclass(frozen=True, slots=True)
class DataFile:
    """A data file and its record in SOURCES.toml: ``rows`` without the header, ``sha256`` in hex."""

    name: str
    rows: int
    sha256: str

    def fault(self, folder: Path) -> str | None:
        """The problem of the file in ``folder``, in one line; None if it is as recorded."""
        try:
            blob = (folder / self.name).read_bytes()
        except OSError as error:
            return f"{self.name}: {error.strerror or error}"
        rows = blob.count(b"\n") - 1
        if rows != self.rows:
            return f"{self.name}: {rows} rows instead of the {self.rows} in SOURCES.toml"
        if hashlib.sha256(blob).hexdigest() != self.sha256:
            return f"{self.name}: its sha256 is not the one in SOURCES.toml (edited by hand, or damaged)"
        return None


def load_sources(folder: Path | None = None) -> tuple[dict[str, DataSource], list[DataFile]]:
    """Sources by key, and the data files, as SOURCES.toml of ``folder`` (default: the packaged one) lists them.

    Raises
    ------
    CatalogError
        The file is missing, not TOML, or an entry lacks a key.
    """
    place = (folder or data_dir()) / "SOURCES.toml"
    try:
        tables = tomllib.loads(read_text(place))
        sources = {key: _source(key, entry) for key, entry in tables["sources"].items()}
        files = [DataFile(name, entry["rows"], entry["sha256"]) for name, entry in tables["files"].items()]
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise CatalogError(f"{place}: {type(error).__name__}: {error}") from error
    return sources, files


def _source(key: str, entry: dict[str, Any]) -> DataSource:
    """One ``[sources.KEY]`` table; an empty date means not recorded."""
    when = dt.date.fromisoformat(entry["date"]) if entry["date"] else None
    return DataSource(
        key, entry["title"], entry["origin"], entry.get("path", ""), entry["version"], entry["licence"], when
    )
