"""Finds and reads the packaged data.

In a wheel it is ``capacity/_data``; in a checkout (editable install) it is ``data/`` next to the package.
"""

from __future__ import annotations

from pathlib import Path

from capacity.errors import CatalogError, SpecError
from capacity.files import LARGEST_TEXT_BYTES, read_bytes

_PACKAGE = Path(__file__).resolve().parent.parent


def data_dir() -> Path:
    """Folder of the packaged data files.

    Raises
    ------
    CatalogError
        Neither the wheel's nor the checkout's folder exists.
    """
    # importlib.resources would cost a single lookup several milliseconds of imports (tempfile, zipfile); it is used
    # only if the package is not a plain folder.
    for folder in (_PACKAGE / "_data", _PACKAGE.parent / "data"):
        if (folder / "eni_limits.csv").is_file():
            return folder
    from importlib.resources import files

    found = files("capacity") / "_data"
    if isinstance(found, Path) and found.is_dir():
        return found
    raise CatalogError("the packaged data is missing: reinstall eks-pod-capacity")


def read_text(path: Path) -> str:
    """The text of a data file, line ends as ``\\n``.

    Raises
    ------
    CatalogError
        The file is missing, unreadable, too large or not UTF-8.
    """
    try:
        text = read_bytes(path, largest=LARGEST_TEXT_BYTES).decode("utf-8-sig")
    except SpecError as error:
        raise CatalogError(str(error)) from error
    except UnicodeDecodeError as error:
        raise CatalogError(f"{path}: not UTF-8 text (byte {error.start})") from error
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


class Row:
    """A row of a small data file: its place (for messages) and its cells by column."""

    __slots__ = ("cells", "place")

    def __init__(self, place: str, cells: dict[str, str]) -> None:
        self.place = place
        self.cells = cells

    def __getitem__(self, column: str) -> str:
        return self.cells[column]


def read_rows(path: Path, *columns: str) -> list[Row]:
    """Rows of a data file whose header is ``columns``.

    Raises
    ------
    CatalogError
        The file cannot be read, has another header, or a row has another number of cells.
    """
    import csv

    table = list(csv.reader(read_text(path).splitlines()))
    if not table or table[0] != list(columns):
        raise CatalogError(f"{path.name}: the header is not {','.join(columns)}")
    rows = []
    for number, cells in enumerate(table[1:], start=2):
        if len(cells) != len(columns):
            raise CatalogError(f"{path.name}:{number}: {len(cells)} cells instead of {len(columns)}")
        rows.append(Row(f"{path.name}:{number}", dict(zip(columns, cells, strict=True))))
    return rows
