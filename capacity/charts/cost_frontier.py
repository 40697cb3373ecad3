"""Chart of the trade-off of cost, addresses and nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from capacity.charts.theme import LIGHT, NARROW, Theme, check_theme, drawing, label, legend_below, thousands, title
from capacity.errors import SpecError, check_each

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WORDS = {"cost": "fewest dollars", "addresses": "fewest addresses", "nodes": "fewest nodes"}
MARKERS = {"cost": "o", "addresses": "v", "nodes": "s"}
BETWEEN = "D"
FAR = 2.5  # times the fewest dollars: from there on the axis is logarithmic
LONGEST_MIX, SHORT_MIX = 76, 46  # characters of the node types in the legend, also of a narrow chart
# Where a label may stand, in points from its marker, with its alignment: the first place that is free.
PLACES = ((9, 6, "left"), (9, -14, "left"), (-9, 6, "right"), (-9, -14, "right"), (9, 20, "left"), (9, -28, "left"))
WIDTH, HEIGHT = 500.0, 230.0  # of the axes, about, to tell which labels would touch [points]
LETTER, LINE = 5.0, 12.0  # of a label [points]


def plot_frontier(points: Sequence[Mapping[str, Any]], *, ax: Axes | None = None, theme: Theme = LIGHT) -> Figure:
    """Draw each purchase of the frontier by cost and addresses, labeled with its nodes; the answer is filled.

    Parameters
    ----------
    points : sequence of mapping
        From :func:`capacity.optimize.rows.frontier_rows`.
    """
    check_theme(theme)
    check_each("points", points, Mapping, "the points of frontier_rows(...)")
    if not points:
        raise SpecError("nothing to draw: the frontier has no points")
    size = (NARROW, 3.0 + 0.34 * len(points)) if theme.narrow else (8.0, 4.0 + 0.2 * len(points))
    with drawing(ax, theme, *size) as (figure, axes):
        spots = [(p["usd_per_month"], p["subnet_addresses"]) for p in points]
        low = [s for i, s in enumerate(spots) if all(s[1] < other[1] for other in spots[:i])]
        axes.plot(*zip(*low, strict=True), color=theme.faint, linewidth=1, drawstyle="steps-post", zorder=1)
        for number, (p, spot) in enumerate(zip(points, spots, strict=True), 1):
            least = next((w for w in MARKERS if w in p["least"]), None)
            axes.plot(
                *([figure_] for figure_ in spot),
                linestyle="none",
                marker=MARKERS.get(least or "", BETWEEN),
                markersize=9 if least else 7,
                color=theme.series[0] if p["bought"] else theme.ground,
                markeredgecolor=theme.edge,
                markeredgewidth=1.4,
                label=_legend_words(number, p, theme),
                zorder=4 if p["bought"] else 3,
            )
        dollars = [x for x, _ in spots]
        far = max(dollars) > FAR * min(dollars) > 0
        if far:
            axes.set_xscale("log")
        axes.set_xlim(*_span(dollars, 0.06, 0.16, far=far))
        axes.set_ylim(*_span([y for _, y in spots], 0.14, 0.14))
        _labels(axes, points, spots, theme)
        axes.set_xlabel("USD per month" + (" (logarithmic)" if far else ""))
        axes.set_ylabel("addresses of all subnets, at the peak")
        axes.grid()
        if far:
            _logarithmic(axes.xaxis)
        else:
            thousands(axes.xaxis)
        thousands(axes.yaxis)
        title(axes, theme, "Trade-off of cost, addresses and nodes")
        legend_below(axes, 1, **({"fontsize": 7} if theme.narrow else {}))
    return figure


def _span(figures: Sequence[float], before: float, after: float, *, far: bool = False) -> tuple[float, float]:
    """Limits of an axis with room for labels on both sides."""
    low, high = min(figures), max(figures)
    if far:
        return low * (high / low) ** -before, high * (high / low) ** after
    wide = (high - low) or max(abs(high), 1.0) * 0.2
    return low - before * wide, high + after * wide


def _logarithmic(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 5.0, 7.0)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _labels(
    axes: Axes, points: Sequence[Mapping[str, Any]], spots: Sequence[tuple[float, float]], theme: Theme
) -> None:
    """A label at every point, at the first place where it touches no other label and no other marker.

    In a narrow chart it is the number; the legend has the words.
    """
    places = (axes.transData - axes.transAxes).transform(spots)
    at = [(float(x) * WIDTH, float(y) * HEIGHT) for x, y in places]
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in at]
    for number, (p, spot, (x, y)) in enumerate(zip(points, spots, at, strict=True), 1):
        words = str(number) if theme.narrow else _words(number, p)
        wide = LETTER * max(map(len, words.split("\n")))
        boxes = [_box(x + dx, y + dy, wide, side) for dx, dy, side in PLACES]
        best = min(range(len(PLACES)), key=lambda i: (sum(_touch(boxes[i], b) for b in taken) + _outside(boxes[i]), i))
        dx, dy, side = PLACES[best]
        taken.append(boxes[best])
        axes.annotate(
            words,
            spot,
            xytext=(dx, dy),
            textcoords="offset points",
            ha=side,
            fontsize=8,
            fontweight="bold" if p["bought"] else "normal",
            zorder=5,
        )


def _legend_words(number: int, p: Mapping[str, Any], theme: Theme) -> str:
    """The node types of a point; in a narrow chart below what the point has the fewest of."""
    if theme.narrow:
        return f"{_words(number, p)}\n{label(p['mix'], SHORT_MIX)}"
    return f"{number}: {label(p['mix'], LONGEST_MIX)}"


def _words(number: int, p: Mapping[str, Any]) -> str:
    nodes = f"{p['nodes']:,} node" + ("" if p["nodes"] == 1 else "s")
    words = [WORDS[w] for w in MARKERS if w in p["least"] and w != "nodes"]
    if "nodes" in p["least"]:
        nodes += " (fewest)"
    return f"{number}: " + ", ".join([nodes, *words, *(["the answer"] if p["bought"] else [])])


def _box(x: float, y: float, wide: float, side: str) -> tuple[float, float, float, float]:
    return (x, y, x + wide, y + LINE) if side == "left" else (x - wide, y, x, y + LINE)


def _touch(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _outside(box: tuple[float, float, float, float]) -> int:
    return 2 * (box[0] < 0 or box[2] > WIDTH or box[1] < 0 or box[3] > HEIGHT)
