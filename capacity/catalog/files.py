"""Where the packaged data files are: inside the wheel, or in the repository of an editable install."""

from __future__ import annotations

from pathlib import Path

from capacity.errors import CatalogError


def data_dir() -> Path:
    """Folder of the packaged data files."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "_data"
    return inside if inside.is_dir() else package.parent / "data"


def data_text(name: str) -> str:
    """A packaged data file as text.

    Raises
    ------
    CatalogError
        The file is missing or unreadable: the installation is damaged.
    """
    try:
        return (data_dir() / name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogError(f"the data file {name} of this installation cannot be read: {error}") from error
