"""Charts of subnets: use of addresses, remaining room, and the map of /28 blocks."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from capacity.charts.theme import (
    DASHES,
    LIGHT,
    NARROW,
    WIDE,
    Margins,
    Theme,
    check_theme,
    drawing,
    key_below,
    label,
    legend_below,
    name_ends,
    sheet,
    subnet_colors,
    thousands,
    title,
)
from capacity.errors import SpecError, check_each, check_kind
from capacity.plan.constants import PREFIX_SIZE
from capacity.vpc.ledger import GROUPS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from capacity.cluster.headroom import HeadroomCurve
    from capacity.cluster.scenario import ScenarioState
    from capacity.vpc.block_map import BlockMap
    from capacity.vpc.ledger import SubnetState

MOST_SUBNETS = 16  # rows of one chart; only the fullest are shown, and the title has the total

# Parts of a bar: label, holders, hatch.
STATES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("pods", GROUPS["pods"], ""),
    ("warm, held for pods", GROUPS["warm"], "///"),
    ("nodes and ENIs", GROUPS["enis"], "xxx"),
    ("EKS, load balancers, endpoints", ("control_plane", "load_balancers", "endpoints"), "|||"),
    ("others", ("other",), "\\\\\\"),
)
LABELLED = 8  # percent of the chart's width from which a part of a bar has its number
ON_GROUND = (0, 2)  # parts whose number has the color of the background
FREE, RESERVED = "free", "free, inside CIDR reservations"
BLOCKS = {
    "aws": ("reserved by AWS: no prefix", "xxx"),
    "prefix": ("prefix of a node", ""),
    "single": ("single addresses", "///"),
    "reserved": ("free, reserved for prefixes", "---"),
    "explicit": ("explicit reservation", "\\\\\\"),
    "free": ("free", ""),
}


def plot_subnet_states(scenario: ScenarioState, *, ax: Axes | None = None, theme: Theme = LIGHT) -> Figure:
    """Draw the use of each subnet's addresses in one scenario, as shares of its usable addresses.

    Bars beyond 100% show demand without an address. Of many subnets only the fullest are shown, as the title says.
    """
    from capacity.cluster.scenario import ScenarioState

    check_kind("scenario", scenario, ScenarioState, "a scenario of a check: result['peak']")
    check_theme(theme)
    rows = sorted(scenario.left, key=lambda s: s.free / s.subnet.usable)[:MOST_SUBNETS]
    if not rows:
        raise SpecError("nothing to draw: the plan has no subnets")
    parts, columns = _parts(rows), 2 if theme.narrow else 3
    margins = Margins(left=0.06, right=0.06, bottom=0.55 + 0.175 * -(-len(parts) // columns), top=0.02)
    with sheet(ax, theme, margins.bottom + 0.15 + 0.5 * len(rows), margins) as (figure, (axes,)):
        most = max(100.0, *(100 * s.used_total / s.subnet.usable for s in rows))
        start = [0.0] * len(rows)
        for index, (text, counts, hatch) in enumerate(parts):
            share = [100 * n / s.subnet.usable for n, s in zip(counts, rows, strict=True)]
            free = text in (FREE, RESERVED)
            axes.barh(
                range(len(rows)),
                share,
                0.44,
                left=start,
                label=text,
                color=theme.holders[-1 if free else index],
                hatch=hatch if theme.hatched else "",
                edgecolor=theme.faint if text == RESERVED else theme.ground,
                linewidth=0.8,
            )
            for row, (count, part) in enumerate(zip(counts, share, strict=True)):
                if part >= LABELLED * most / 100 and len(f"{count:,}") * 2 <= 50 * part / most:
                    color = theme.ground if index in ON_GROUND and not free else theme.text
                    at = start[row] + part / 2
                    axes.text(at, row, f"{count:,}", ha="center", va="center_baseline", fontsize=8, color=color)
            start = [s + v for s, v in zip(start, share, strict=True)]
        _name_bars(axes, rows, most, theme)
        for row in range(len(rows)):
            axes.plot([100, 100], [row - 0.27, row + 0.27], color=theme.full, linewidth=1.5, clip_on=False)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_ylim(len(rows) - 0.62, -0.72)
        axes.set_xlim(0, most)
        axes.set_xticks(ticks := list(range(0, int(most) + 1, _step(most))))
        edges: dict[int, Any] = {0: "left", ticks[-1]: "right" if ticks[-1] > 0.95 * most else "center"}
        for tick, written in zip(ticks, axes.set_xticklabels([f"{t}%" for t in ticks]), strict=True):
            written.set_horizontalalignment(edges.get(tick, "center"))
        axes.set_xlabel("share of the subnet's usable addresses")
        axes.grid(axis="x")
        more = len(scenario.left) - len(rows)
        rest = f" – the {len(rows)} fullest of {len(scenario.left):,} subnets" if more else ""
        title(axes, theme, f"Use of addresses: {scenario.title}{rest}")
        key_below(axes, columns)
    return figure


def _name_bars(axes: Axes, rows: Sequence[SubnetState], most: float, theme: Theme) -> None:
    """Name and size of each subnet above its bar, with what is free or short at the right."""
    for row, state in enumerate(rows):
        size = f"  /{state.subnet.cidr.prefixlen}, {state.subnet.usable:,} usable"
        name = label(state.subnet.name, 22 if theme.narrow else 30)
        axes.text(0, row - 0.3, name + size, ha="left", va="bottom", fontsize=8.5)
        left = f"{state.free:,} free" if state.free >= 0 else f"{-state.free:,} short"
        color = theme.full if state.verdict == "exhausted" else theme.text
        weight = "normal" if state.verdict == "ok" else "bold"
        where: dict[str, Any] = {"ha": "right", "va": "bottom", "fontsize": 8.5}
        axes.text(most, row - 0.3, f"{left}, {state.verdict}", color=color, fontweight=weight, **where)


def _parts(rows: Sequence[SubnetState]) -> list[tuple[str, list[int], str]]:
    """Addresses of each state per subnet, free addresses last."""
    found = [(text, [sum(s.used[h] for h in holders) for s in rows], hatch) for text, holders, hatch in STATES]
    kept = [min(max(s.free, 0), s.free_reserved) for s in rows]
    if any(kept):
        found.append((RESERVED, kept, "---"))
    return [*found, (FREE, [max(s.free, 0) - k for s, k in zip(rows, kept, strict=True)], "")]


def _step(most: float) -> int:
    return next(s for s in (20, 50, 100, 200, 500, 1000, 5000, 10**9) if most / s <= 8)


def plot_headroom(
    curve: HeadroomCurve, *, order: Sequence[str] = (), ax: Axes | None = None, theme: Theme = LIGHT
) -> Figure:
    """Draw the free addresses of each subnet by number of nodes or pods, with the point of exhaustion.

    Only the subnets that end with the least room are drawn, six at most. ``order``: the subnets in the order of
    their colors.
    """
    from capacity.cluster.headroom import HeadroomCurve

    check_kind("curve", curve, HeadroomCurve, "a HeadroomCurve, as returned by headroom_by_nodes")
    check_each("order", order, str, "a list of the names of subnets")
    check_theme(theme)
    check_each("order", order, str, "names of subnets")
    lines = sorted(range(len(curve.subnets)), key=lambda i: (curve.free[i][-1], i))[: len(theme.subnets)]
    if not lines or not curve.counts:
        raise SpecError(f"nothing to draw: no subnet depends on {curve.what}")
    colors = subnet_colors([curve.subnets[i] for i in lines], order, theme)
    drawn = [value for i in lines for value in curve.free[i]]
    digits = max(len(f"{value:,}") for value in (min(drawn), max(drawn)))
    words = wrap(f"{curve.what} ({curve.rule})", 46 if theme.narrow else 64) if theme.titled else [curve.what]
    more = 0.16 * (len(words) - 1)
    margins = Margins(left=0.33 + 0.075 * digits, right=0.95 if theme.narrow else 1.35, bottom=0.45 + more)
    with sheet(ax, theme, (2.4 if theme.narrow else 2.9) + more, margins) as (figure, (axes,)):
        ends = []
        for place, index in enumerate(lines):
            name = curve.subnets[index]
            style: dict[str, Any] = {"color": colors[name], "linestyle": DASHES[place % len(DASHES)], "linewidth": 1.8}
            axes.plot(curve.counts, curve.free[index], drawstyle="steps-post", label=label(name, 24), **style)
            ends.append((float(curve.free[index][-1]), name))
        axes.axhline(0, color=theme.full, linewidth=1.2)
        axes.set_xlim(curve.counts[0], curve.counts[-1])
        thousands(axes.yaxis)
        name_ends(axes, ends, colors, 13 if theme.narrow else 20)
        _mark_full(axes, curve, lines, theme)
        if curve.now is not None:
            axes.axvline(curve.now, color=theme.faint, linewidth=1, linestyle=(0, (1, 2)))
            beside: dict[str, Any] = {
                "xycoords": ("data", "axes fraction"),
                "textcoords": "offset points",
                "fontsize": 8,
            }
            low = min(curve.free[i][0] for i in lines) < 0.2 * max(drawn)  # a line along the bottom
            axes.annotate(f"now {curve.now:,}", (curve.now, 0.4 if low else 0.02), xytext=(3, 0), **beside)
        axes.set_xlabel("\n".join(words))
        axes.set_ylabel("free addresses")
        axes.grid(axis="y")
        thousands(axes.xaxis)
        title(axes, theme, f"Free addresses by number of {curve.what}")
    return figure


def _mark_full(axes: Axes, curve: HeadroomCurve, lines: Sequence[int], theme: Theme) -> None:
    """The first count at which a drawn subnet is full."""
    full = [(e, i) for i in lines if (e := curve.exhausted_at[i]) is not None]
    if not full:
        return
    count, index = min(full)
    axes.axvline(count, color=theme.full, linewidth=1.2, linestyle=(0, (4, 2)))
    left = count < (curve.counts[0] + curve.counts[-1]) / 2
    axes.annotate(
        f"{label(curve.subnets[index], 20)}\nis full at {count:,}",
        (count, 0.98),
        xycoords=("data", "axes fraction"),
        xytext=(5 if left else -5, 0),
        textcoords="offset points",
        ha="left" if left else "right",
        va="top",
        fontsize=8,
        fontweight="bold",
        color=theme.full,
    )


def plot_blocks(blocks: BlockMap, *, ax: Axes | None = None, theme: Theme = LIGHT) -> Figure:
    """Draw every /28 block of a subnet as one cell, in address order, row by row."""
    from capacity.vpc.block_map import BlockMap

    check_kind("blocks", blocks, BlockMap, "a BlockMap, as returned by packed_blocks")
    check_theme(theme)
    import numpy as np
    from matplotlib.patches import Patch

    states = blocks.states
    columns = next(c for c in (16, 32, 64, 128, 256) if len(states) <= c * c or c == 256)
    rows = -(-len(states) // columns)
    colours = {
        "aws": theme.holders[4],
        "prefix": theme.holders[0],
        "single": theme.holders[1],
        "reserved": theme.holders[3],
        "explicit": theme.holders[2],
        "free": theme.ground,
    }
    width = NARROW if theme.narrow else WIDE
    with drawing(ax, theme, width, 1.65 + min((width - 0.8) * rows / columns, 4.2)) as (figure, axes):
        present = [name for name in BLOCKS if name in states]
        cells = [present.index(s) for s in states] + [-1] * (rows * columns - len(states))
        grid = np.array(cells).reshape(rows, columns)
        from matplotlib.colors import ListedColormap

        axes.imshow(
            np.ma.masked_less(grid, 0),
            cmap=ListedColormap([colours[n] for n in present]),
            vmin=-0.5,
            vmax=len(present) - 0.5,
            interpolation="nearest",
            aspect="equal",
        )
        for index, name in enumerate(present):
            _hatch(axes, grid == index, BLOCKS[name][1], theme)
        if columns <= 64:
            axes.set_xticks(np.arange(-0.5, columns), minor=True)
            axes.set_yticks(np.arange(-0.5, rows), minor=True)
            axes.grid(which="minor", color=theme.grid, linewidth=0.6)
        axes.tick_params(which="both", length=0)
        axes.set_xticks([])
        step = max(rows // 8, 1)
        at = list(range(0, rows, step))
        axes.set_yticks(at, [str(blocks.subnet.cidr.network_address + PREFIX_SIZE * columns * r) for r in at])
        rule = "\n".join(wrap(blocks.rule, 40 if theme.narrow else 72))
        axes.set_xlabel(f"one cell = one /28 (16 addresses), {columns} per row;\n{rule}")
        title(axes, theme, f"/28 blocks of {label(blocks.subnet.name, 40)} ({blocks.subnet.cidr})")
        shown = [Patch(facecolor=colours[n], hatch=BLOCKS[n][1], edgecolor=theme.edge) for n in present]
        counts = [f"{BLOCKS[n][0]}: {states.count(n):,}" for n in present]
        legend_below(axes, 1 if theme.narrow else 2, handles=shown, labels=counts)
    return figure


def _hatch(axes: Axes, mask: object, hatch: str, theme: Theme) -> None:
    """Draw a hatch over the cells of a mask, run by run along each row."""
    import numpy as np
    from matplotlib.patches import Rectangle

    if not hatch:
        return
    for row, line in enumerate(np.asarray(mask)):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(int), [0]])))
        for left, right in zip(edges[::2], edges[1::2], strict=True):
            place = (float(left) - 0.5, row - 0.5)
            axes.add_patch(
                Rectangle(place, float(right - left), 1, fill=False, hatch=hatch, edgecolor=theme.ground, linewidth=0)
            )
