"""The catalog of instance types: one row found fast, or all of them as objects, arrays or a DataFrame.

``data/eni_limits.csv`` is made by ``tools/build_catalog.py`` and holds no quotes, so a row is a line cut at
its commas. A single lookup scans the text for the line and parses nothing else; whoever asks for all
rows pays for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capacity.catalog.columns import COLUMNS as COLUMNS
from capacity.catalog.columns import HEADER as HEADER
from capacity.catalog.columns import parse_cell
from capacity.catalog.instance_type import InstanceType
from capacity.catalog.layers import Layer, limit_layers, merged_lines
from capacity.catalog.order import natural_key
from capacity.catalog.packaged import data_dir, read_text
from capacity.errors import CatalogError, SpecError, UnknownInstanceType, nearest_names

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def parse_row(line: str, place: str) -> InstanceType:
    """One line of the file as an :class:`InstanceType`.

    Raises
    ------
    CatalogError
        The line has another number of cells, or a cell is not of its column's kind; ``place`` says where.
    """
    cells = line.split(",")
    if len(cells) != len(COLUMNS):
        raise CatalogError(f"{place}: {len(cells)} cells instead of {len(COLUMNS)}")
    values = []
    for column, cell in zip(COLUMNS, cells, strict=True):
        try:
            values.append(parse_cell(column, cell))
        except ValueError as error:
            raise CatalogError(f"{place}: {column.name} {cell[:60]!r}: {error}") from error
    if not cells[0] or cells[0].partition(".")[0] != cells[1]:
        raise CatalogError(f"{place}: {cells[0]!r} is not a type of the family {cells[1]!r}")
    return InstanceType(*values)


class Catalog:
    """Every instance type of one ``eni_limits.csv``.

    Parameters
    ----------
    text : str
        The file's content, header first.
    origin : str
        The file's name, for messages.

    Raises
    ------
    CatalogError
        The header is not :data:`HEADER`.
    """

    def __init__(self, text: str, origin: str = "eni_limits.csv") -> None:
        head, _, body = text.partition("\n")
        if head != HEADER:
            raise CatalogError(f"{origin}: the header is not that of an instance-type table (expected {HEADER[:40]}…)")
        self.origin = origin
        self._text = "\n" + body.rstrip("\n") + "\n"  # every row is now "\n" + name + "," + … up to "\n"
        self._rows: dict[str, InstanceType] = {}
        self._names: list[str] | None = None

    def get(self, name: str, where: str = "") -> InstanceType:
        """The type called ``name``; ``where`` is the place of the name in a file, for the message.

        Raises
        ------
        UnknownInstanceType
            No such row; the message names the nearest.
        CatalogError
            The row is damaged.
        """
        found = self._rows.get(name) or self._find(name)
        if found is None:
            raise UnknownInstanceType(name, nearest_names(name.lower(), self.names()), where)
        return found

    def names(self) -> list[str]:
        """All names, family by family, small sizes first.

        Raises
        ------
        CatalogError
            A name occurs twice.
        """
        if self._names is None:
            listed = [line.partition(",")[0] for line in self.lines()]
            self._names = sorted(listed, key=natural_key)
            for name, following in pairwise(self._names):
                if name == following:
                    raise CatalogError(f"{self.origin}: {name!r} has more than one row")
        return list(self._names)

    def match(self, pattern: str, where: str = "") -> list[InstanceType]:
        """Types whose names fit a shell pattern (``m5.*``, ``c[67]g.large``); a plain name is its own pattern.

        Raises
        ------
        UnknownInstanceType
            A plain name that is not known.
        SpecError
            A pattern that nothing fits.
        """
        if not any(c in pattern for c in "*?["):
            return [self.get(pattern, where)]
        import fnmatch

        found = [self.get(n) for n in self.names() if fnmatch.fnmatchcase(n, pattern)]
        if not found:
            place = f"{where}: " if where else ""
            raise SpecError(f"{place}no known instance type fits {pattern!r}")
        return found

    def all(self) -> list[InstanceType]:
        """Every type, in the order of :meth:`names`.

        Raises
        ------
        CatalogError
            A row is damaged, or a name occurs twice.
        """
        names = self.names()
        if len(self._rows) < len(names):
            for number, line in enumerate(self.lines(), start=2):
                row = parse_row(line, f"{self.origin}:{number}")
                self._rows[row.name] = row
        return [self._rows[n] for n in names]

    def columns(self) -> dict[str, np.ma.MaskedArray[Any, Any]]:
        """Every column as a masked array of shape (n_types,), rows in the order of :meth:`names`.

        What is unknown is masked, never 0, and arithmetic on masked arrays keeps the mask: a formula
        over the whole catalog is unknown exactly where one of its terms is. Under the mask lie -1, NaN,
        False and "". dtypes: int64, float64, bool, str; ``sources`` is left out (see :meth:`to_frame`).
        """
        import numpy as np

        hidden: dict[str, Any] = {"int": -1, "float": float("nan"), "bool": False, "str": ""}
        dtypes = {"int": np.int64, "float": np.float64, "bool": np.bool_, "str": np.str_}
        rows = self.all()
        arrays: dict[str, np.ma.MaskedArray[Any, Any]] = {}
        for column in COLUMNS:
            if column.kind == "list":
                continue
            values = [getattr(r, _ATTRIBUTE.get(column.name, column.name)) for r in rows]
            unknown = [v is None for v in values]
            filled = [hidden[column.kind] if v is None else v for v in values]
            arrays[column.name] = np.ma.MaskedArray(np.array(filled, dtype=dtypes[column.kind]), mask=unknown)
        return arrays

    def to_frame(self) -> pd.DataFrame:
        """One row per type, indexed by ``instance_type``; columns and units are :data:`COLUMNS`.

        Nullable dtypes (Int64, Float64, boolean, string): unknown is ``pd.NA``. ``sources`` is text, keys
        joined by ``;``. The units are in ``frame.attrs["units"]``.
        """
        import pandas as pd

        dtypes: dict[str, Any] = {
            "int": "Int64",
            "float": "Float64",
            "bool": "boolean",
            "str": "string",
            "list": "string",
        }
        rows = self.all()
        data = {}
        for column in COLUMNS:
            values = [getattr(r, _ATTRIBUTE.get(column.name, column.name)) for r in rows]
            if column.kind == "list":
                values = [";".join(v) for v in values]
            data[column.name] = pd.array(values, dtype=dtypes[column.kind])
        frame = pd.DataFrame(data).set_index("instance_type")
        frame.attrs["units"] = {c.name: c.unit for c in COLUMNS if c.unit}
        return frame

    @property
    def date(self) -> str:
        """Newest date of a row that has ENI figures, ISO; empty in an empty catalog."""
        cells = (line.split(",") for line in self.lines())
        return max((c[-1] for c in cells if len(c) > _ENIS and c[_ENIS]), default="")

    def __len__(self) -> int:
        return self._text.count("\n") - 1 if len(self._text) > 2 else 0

    def __iter__(self) -> Iterator[InstanceType]:
        return iter(self.all())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._offset(name) >= 0

    def __repr__(self) -> str:
        return f"<Catalog {self.origin}: {len(self)} types of {self.date}>"

    def lines(self) -> list[str]:
        """The rows as they stand in the file, without the header."""
        return self._text[1:-1].split("\n") if len(self._text) > 2 else []

    def _offset(self, name: str) -> int:
        """Where the row of ``name`` begins in the text, or -1. A comma in a name would reach into the next cell."""
        return -1 if not name or "," in name or "\n" in name else self._text.find(f"\n{name},")

    def _find(self, name: str) -> InstanceType | None:
        start = self._offset(name)
        if start < 0:
            return None
        end = self._text.index("\n", start + 1)
        line_number = self._text.count("\n", 0, start) + 2
        row = parse_row(self._text[start + 1 : end], f"{self.origin}:{line_number}")
        self._rows[name] = row
        return row


_ATTRIBUTE = {"instance_type": "name"}
_ENIS = next(i for i, c in enumerate(COLUMNS) if c.name == "max_enis")


def load_catalog(path: Path | None = None) -> Catalog:
    """The catalog answers come from (read once), or one of the same format at ``path``, checked row by row.

    It is the packaged one, and where the user has a cache or an override file, these laid over it
    (:mod:`capacity.catalog.layers`).

    Raises
    ------
    CatalogError
        The file is missing, damaged, has another header, or names a type twice.
    SpecError
        The override file has a fault.
    """
    if path is None:
        layers = limit_layers()
        return _layered(layers) if layers else packaged_catalog()
    given = Catalog(read_text(path), str(path))
    given.all()
    return given


@lru_cache(maxsize=1)
def packaged_catalog() -> Catalog:
    """The catalog of the package alone, whatever the user's cache holds."""
    return Catalog(read_text(data_dir() / "eni_limits.csv"))


@lru_cache(maxsize=4)
def _layered(layers: tuple[Layer, ...]) -> Catalog:
    lines = merged_lines(packaged_catalog().lines(), layers)
    return Catalog("\n".join([HEADER, *lines]) + "\n", "eni_limits.csv with " + " and ".join(x.name for x in layers))


def data_summary() -> dict[str, Any]:
    """What every answer says about its data: newest date of the limits, number of types.

    Where the user's cache or overrides take part, ``layers`` names them.
    """
    catalog = load_catalog()
    summary: dict[str, Any] = {"date": catalog.date, "types": len(catalog)}
    layers = [layer.name for layer in limit_layers()]
    return summary | {"layers": ["package", *layers]} if layers else summary
