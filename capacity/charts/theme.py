"""Colors, hatches and fonts of all charts: for print and screen, light and dark, and color-blind readers.

Colors of one family differ for color-blind readers, too (tests simulate it); in addition, every kind of item has a
hatch, a dash or a label. Figures are created without pyplot: no global state, no window.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from capacity.errors import check_kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, VERMILION = "#0072b2", "#e69f00", "#009e73", "#d55e00"
SKY, PURPLE, GREY = "#56b4e9", "#cc79a7", "#8c8c8c"
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
LONGEST_LABEL = 30  # characters; longer names end in an ellipsis


class Margins(NamedTuple):
    """Room around the axes of a chart with a fixed layout. [inches]"""

    left: float = 0.1
    right: float = 0.1
    bottom: float = 0.45
    top: float = 0.1


@dataclass(frozen=True, slots=True)
class Theme:
    """The colors of a chart, and whether it is drawn for a narrow column.

    Attributes
    ----------
    ground, text, faint, grid, edge, full : str
        Background, text and lines; ``full`` marks where addresses run out.
    series : tuple of str
        Series that are neither subnets, holders of addresses nor limits of a node; they also differ in hatch.
    subnets : tuple of str
        Subnets, by their place in the order of the page.
    holders : tuple of str
        Holders of addresses, in the order of :data:`capacity.charts.subnets.STATES`, then free.
    limits : mapping of str to str
        Limits of a node, by name; addresses and branch ENIs have the colors of their holders.
    narrow : bool
        Draw for a phone or a column of print.
    hatched : bool
        Hatch the parts of bars as well, for print without colors.
    titled : bool
        Write the title into the chart; a page that has it as text does not need it.
    """

    name: str
    ground: str
    text: str
    faint: str
    grid: str
    edge: str
    full: str
    series: tuple[str, ...]
    subnets: tuple[str, ...]
    holders: tuple[str, ...]
    limits: Mapping[str, str]
    narrow: bool = False
    hatched: bool = False
    titled: bool = True

    def roles(self) -> dict[str, str]:
        """Every color by its role: the variables of a page."""
        lists = {"series": self.series, "subnet": self.subnets, "holder": self.holders}
        found = {f"{name}-{i}": color for name, colors in lists.items() for i, color in enumerate(colors)}
        found |= {f"limit-{name}": color for name, color in self.limits.items()}
        return found | {n: getattr(self, n) for n in ("ground", "text", "faint", "grid", "edge", "full")}


LIMITS = ("ips", "cpu", "memory", "max_pods", "branch_enis", "volumes")


def _limits(holders: Sequence[str], cpu: str, memory: str, max_pods: str, volumes: str) -> dict[str, str]:
    return dict(zip(LIMITS, (holders[0], cpu, memory, max_pods, holders[2], volumes), strict=True))


_LIGHT_HOLDERS = ("#2f3f63", "#93a4cc", "#566173", "#a8adb8", "#7d8796", "#eceef2")
_DARK_HOLDERS = ("#8ea6e0", "#4a5b86", "#b4bccb", "#434955", "#646b7a", "#2a2d35")
LIGHT = Theme(
    *("light", "#fefefe", "#1b1b1e", "#5b5b62", "#dcdce1", "#2c2c30", "#a3170c"),
    series=(BLUE, ORANGE, GREEN, PURPLE, SKY, GREY),
    subnets=("#0073b3", "#b85c00", "#004d40", "#ad4d94", "#4f3f00", "#70707a"),
    holders=_LIGHT_HOLDERS,
    limits=_limits(_LIGHT_HOLDERS, "#b23a2e", "#6a4fc0", "#8a8a94", "#7a5200"),
)
DARK = Theme(
    *("dark", "#17181c", "#ededf0", "#a9a9b3", "#34353c", "#c9c9d0", "#ff9d94"),
    series=(SKY, ORANGE, GREEN, PURPLE, BLUE, GREY),
    subnets=("#5ab8ec", "#e8862e", "#2a9d76", "#f2b5dc", "#f0e442", "#8f8f9a"),
    holders=_DARK_HOLDERS,
    limits=_limits(_DARK_HOLDERS, "#ff8a7a", "#a896ff", "#7d7d88", "#e6cf8b"),
)
THEMES = {"light": LIGHT, "dark": DARK}
WIDE, NARROW = 6.0, 3.6  # inches: charts with a fixed layout


def subnet_colors(names: Sequence[str], order: Sequence[str], theme: Theme) -> dict[str, str]:
    """The color of each subnet: by its place in the order of the page, or else among the names themselves.

    Subnets beyond the colors share the last one, which is grey.
    """
    place = {name: i for i, name in enumerate(order or names)}
    last = len(theme.subnets) - 1
    return {name: theme.subnets[min(place.get(name, last), last)] for name in names}


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


@contextmanager
def sheet(
    ax: Axes | None, theme: Theme, height: float, margins: Margins, rows: int = 1
) -> Iterator[tuple[Figure, list[Axes]]]:
    """Figure and Axes of a chart with a fixed layout, ``rows`` of them on one x axis: quicker than a computed layout.

    The width is that of the theme; a title adds to the height. A given Axes keeps its own layout. [inches]
    """
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
            yield given, [ax]
            return
        width = NARROW if theme.narrow else WIDE
        top = margins.top + (0.28 if theme.titled else 0)
        height += top - margins.top
        figure = Figure(figsize=(width, height))
        FigureCanvasAgg(figure)
        axes = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
        figure.subplots_adjust(
            left=margins.left / width,
            right=1 - margins.right / width,
            bottom=margins.bottom / height,
            top=1 - top / height,
        )
        yield figure, list(axes)


def title(axes: Axes, theme: Theme, text: str) -> None:
    """Write the title, if the theme has one; it starts at the left edge of the chart."""
    if theme.titled:
        axes.set_title(label(text, 46 if theme.narrow else 80), fontsize=9.5 if theme.narrow else 10.5)


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


def key_below(axes: Axes, columns: int) -> None:
    """Draw the key of a chart with a fixed layout at its lower edge."""
    from matplotlib.figure import Figure

    figure = axes.get_figure()
    assert figure is not None
    handles, labels = axes.get_legend_handles_labels()
    if not isinstance(figure, Figure) or len(figure.axes) > 1:
        axes.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=columns)
        return
    narrow = figure.get_figwidth() <= NARROW
    small: dict[str, Any] = {
        "fontsize": 7.5 if narrow else 8,
        "handlelength": 1.2,
        "columnspacing": 1.0,
        "borderpad": 0.2,
        "labelspacing": 0.3,
    }
    figure.legend(handles, labels, loc="lower left", ncols=columns, **small)


def name_ends(axes: Axes, ends: Sequence[tuple[float, str]], colors: Mapping[str, str], longest: int) -> None:
    """Write the names of lines at their right ends, moved apart where they would cover each other."""
    low, high = axes.get_ylim()
    least = 0.085 * (high - low)
    placed: list[float] = []
    for height, name in sorted(ends):
        at = max(height, placed[-1] + least) if placed else height
        placed.append(at)
        text = label(name, longest)
        where: dict[str, Any] = {"xytext": (4, 0), "textcoords": "offset points", "va": "center", "fontsize": 8.5}
        axes.annotate(text, (1.0, at), xycoords=("axes fraction", "data"), color=colors[name], **where)
