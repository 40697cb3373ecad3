"""Colors, hatches and fonts of all charts: for print and screen, light and dark, and color-blind readers.

The colors are those of Okabe and Ito, for color-blind readers; in addition, every kind of item has a hatch,
a marker or a label. Figures are created without pyplot: no global state, no window.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from capacity.errors import check_kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, VERMILION = "#0072b2", "#e69f00", "#009e73", "#d55e00"
SKY, PURPLE, GREY = "#56b4e9", "#cc79a7", "#8c8c8c"
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
LONGEST_LABEL = 30  # characters; longer names end in an ellipsis


@dataclass(frozen=True, slots=True)
class Theme:
    """Colors of background, text and lines; ``series`` also differ in hatch and marker."""

    name: str
    ground: str
    text: str
    faint: str
    grid: str
    edge: str
    series: tuple[str, ...]


LIGHT = Theme("light", "#fefefe", "#1b1b1e", "#5b5b62", "#dcdce1", "#2c2c30", (BLUE, ORANGE, GREEN, PURPLE, SKY, GREY))
DARK = Theme("dark", "#17181c", "#ededf0", "#a9a9b3", "#34353c", "#c9c9d0", (SKY, ORANGE, GREEN, PURPLE, BLUE, GREY))
THEMES = {"light": LIGHT, "dark": DARK}


def check_theme(value: object) -> None:
    """Refuse what is not a :class:`Theme`."""
    check_kind("theme", value, Theme, "a Theme: LIGHT or DARK")


def rc(theme: Theme) -> Any:
    """Matplotlib parameters of the theme; dollar signs in names are shown as such, not read as formulas."""
    check_theme(theme)
    return {
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],  # included in matplotlib: equal on every machine
        "font.size": 9.0,
        "axes.titlesize": 10.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.facecolor": theme.ground,
        "axes.edgecolor": theme.faint,
        "axes.labelcolor": theme.text,
        "axes.titlecolor": theme.text,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": False,
        "grid.color": theme.grid,
        "grid.linewidth": 0.7,
        "figure.facecolor": theme.ground,
        "figure.constrained_layout.h_pad": 0.09,
        "figure.constrained_layout.w_pad": 0.09,
        "figure.dpi": 100.0,
        "savefig.facecolor": theme.ground,
        "text.color": theme.text,
        "text.parse_math": False,
        "xtick.color": theme.text,
        "ytick.color": theme.text,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
        "hatch.linewidth": 0.6,
        "legend.frameon": False,
        "legend.fontsize": 8.5,
        "svg.hashsalt": "capacity",
    }


@contextmanager
def drawing(ax: Axes | None, theme: Theme, width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """Figure and Axes to draw on, with the theme active: the given Axes, or new ones of a given size. [inches]"""
    from matplotlib import rc_context
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if ax is not None:
        check_kind("ax", ax, Axes, "matplotlib Axes, or None")
    with rc_context(rc(theme)):
        if ax is not None:
            given = ax.get_figure(root=True)
            assert given is not None
            yield given, ax
            return
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure, figure.add_subplot()


def label(text: str, longest: int = LONGEST_LABEL) -> str:
    """Name in one line, shortened if long, with □ for characters that the font of the charts does not have."""
    text = unicodedata.normalize("NFC", text)
    kept = [c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp", "Mn")]
    shown = "".join(c if ord(c) in _glyphs() else "□" for c in kept)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties(family=["DejaVu Sans"]))).get_charmap())


def thousands(axis: Any) -> None:
    """Format the counts of an axis with thousands separators and without fractions."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def legend_below(ax: Axes, columns: int, **more: Any) -> None:
    """Draw the legend below the axes, so that it never covers data."""
    figure = ax.get_figure()
    assert figure is not None
    handles, labels = ax.get_legend_handles_labels()
    handles, labels = more.pop("handles", handles), more.pop("labels", labels)
    if len(figure.axes) == 1:
        figure.legend(handles, labels, loc="outside lower center", ncols=columns, **more)
    else:
        ax.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=columns, **more)
