"""Rows of finished units on disk, so that a run that ends early is continued instead of started again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from capacity.errors import SpecError
from capacity.files import write_file
from capacity.fleet.unit import Row, Unit

NOT_KEPT = ("lost", "crash")  # of a row: the next run tries that plan again


@dataclass(frozen=True)
class Store:
    """A folder with a file for each finished unit, named after the content of its plans, the data and the version.

    Attributes
    ----------
    folder : Path
    base : str
        What the answers depend on besides the plans: :func:`capacity.fleet.shipped.base_of`.
    """

    folder: Path
    base: str

    def get(self, unit: Unit) -> list[Row] | None:
        """The rows of a unit; None if it is not finished, or its file is damaged."""
        try:
            kept = json.loads(self._path(unit).read_text(encoding="utf-8"))
            rows: list[Row] = kept["rows"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        same = isinstance(rows, list) and [row.get("plan") for row in rows] == list(unit.files)
        return rows if same else None

    def put(self, unit: Unit, rows: list[Row]) -> None:
        """Keep the rows of a unit: the file appears whole or not at all.

        Raises
        ------
        SpecError
            The folder cannot be written.
        """
        if any(row.get(mark) for row in rows for mark in NOT_KEPT):
            return
        path = self._path(unit)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SpecError(f"--resume {str(self.folder)!r}: {error.strerror or error}") from error
        write_file(path, json.dumps({"rows": rows}), f"--resume {str(self.folder)!r}")

    def _path(self, unit: Unit) -> Path:
        key = unit.key(self.base)
        return self.folder / key[:2] / f"{key}.json"
