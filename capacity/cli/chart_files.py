"""The charts of a page as files: the option `--charts`, and the folder that it names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.errors import SpecError

if TYPE_CHECKING:
    from capacity.pages.page import Page


def _with_library(folder: Path | None) -> Path | None:
    """The folder as given, if charts can be drawn: said before the work, not after it."""
    if folder is not None:
        from capacity.extras import require_extra

        require_extra("charts")
    return folder


Charts = Annotated[
    Path | None,
    typer.Option(
        "--charts",
        help="Also write every chart as PNG and SVG to this folder.",
        metavar="DIR",
        callback=_with_library,
    ),
]


def write_charts(page: Page, folder: Path, theme: str = "light") -> None:
    """Every chart of the page, by its name."""
    from capacity.charts.files import png_bytes, svg_text
    from capacity.charts.theme import THEMES
    from capacity.files import write_file

    make_folder(folder, "--charts")
    chosen, place = THEMES[theme], f"--charts {str(folder)!r}"
    for chart in page.charts():
        figure = chart.draw(chosen)
        write_file(folder / f"{chart.name}.png", png_bytes(figure, chosen), place)
        write_file(folder / f"{chart.name}.svg", svg_text(figure, chosen), place)


def make_folder(folder: Path, option: str) -> None:
    """The folder of an option, with its parents."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpecError(f"{option} {str(folder)!r}: {error.strerror}") from error


def relative_to(document: Path | None, charts: Path) -> str:
    """The charts' folder as seen from the document (from here, where that goes to stdout)."""
    import os.path

    return Path(os.path.relpath(charts, document.parent if document else ".")).as_posix()
