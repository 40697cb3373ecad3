"""Writes the reports of a fleet as they come, and the overview that links to them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from capacity.errors import SpecError
from capacity.files import write_file
from capacity.fleet.across import Across
from capacity.fleet.fleet_overview import render_overview
from capacity.fleet.run import FleetRun
from capacity.fleet.unit import Row

FOLDER = "clusters"
LONGEST = 60  # characters of a cluster's name in its file's name


@dataclass(frozen=True)
class ReportFiles:
    """A folder for ``index.html`` and ``clusters/``; ``written`` has the file of each plan's report."""

    folder: Path
    written: dict[str, str] = field(default_factory=dict)

    def write(self, row: Row) -> Row:
        """Write the report of a row; returns the row without it.

        Raises
        ------
        SpecError
            The folder or the file cannot be written.
        """
        text = row.get("report")
        if text is None:
            return row
        place = f"--out-dir {str(self.folder)!r}"
        name = f"{FOLDER}/{file_name(row['name'], row['plan'])}"
        try:
            (self.folder / FOLDER).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SpecError(f"{place}: {error.strerror or error}") from error
        write_file(self.folder / name, text, place)
        self.written[row["plan"]] = quote(name)
        return {key: value for key, value in row.items() if key != "report"}

    def write_index(self, run: FleetRun, found: Across) -> None:
        """Write the overview."""
        from capacity import __version__

        place = f"--out-dir {str(self.folder)!r}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SpecError(f"{place}: {error.strerror or error}") from error
        write_file(self.folder / "index.html", render_overview(run, found, __version__, self.written), place)


def file_name(name: str, plan: str) -> str:
    """The file of a report: the cluster's name, and a digest of its plan's path, because names can be equal.

    >>> file_name("shop/prod", "plans/shop.yaml")
    'shop-prod-fa90a589.html'
    """
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:LONGEST].strip("-.") or "cluster"
    return f"{safe}-{hashlib.sha256(plan.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}.html"
