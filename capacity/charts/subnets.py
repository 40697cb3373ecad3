"""Charts of subnets: use of addresses, remaining room, and the map of /28 blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from capacity.charts.theme import GREY, LIGHT, VERMILION, Theme, check_theme, drawing, label, legend_below, thousands
from capacity.errors import SpecError, check_kind
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
    ("control plane, load balancers, endpoints", ("control_plane", "load_balancers", "endpoints"), "|||"),
    ("others", ("other",), "\\\\\\"),
)
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
    rows = sorted(scenario.left, key=lambda s: s.free / s.subnet.usable)[:MOST_SUBNETS]
    if not rows:
        raise SpecError("nothing to draw: the plan has no subnets")
    with drawing(ax, theme, 8.6, 1.9 + 0.42 * len(rows)) as (figure, axes):
        start = [0.0] * len(rows)
        for index, (text, share, hatch) in enumerate(_shares(rows)):
            colour = theme.ground if text in (FREE, RESERVED) else theme.series[index]
            axes.barh(
                range(len(rows)),
                share,
                0.7,
                left=start,
                label=text,
                color=colour,
                hatch=hatch,
                edgecolor=theme.faint if text in (FREE, RESERVED) else theme.ground,
                linewidth=0.8,
            )
            start = [s + v for s, v in zip(start, share, strict=True)]
        most = max(100.0, *(100 * s.used_total / s.subnet.usable for s in rows))
        for row, state in enumerate(rows):
            end = max(100 * state.used_total / state.subnet.usable, 100)
            text = f"{state.free:,} free" if state.free >= 0 else f"{-state.free:,} short"
            axes.text(end + most * 0.01, row, f"{text} – {state.verdict}", va="center", fontsize=8)
        axes.axvline(100, color=theme.text, linewidth=1.4)
        names = [f"{label(s.subnet.name, 24)}\n/{s.subnet.cidr.prefixlen}, {s.subnet.usable:,} usable" for s in rows]
        axes.set_yticks(range(len(rows)), names)
        axes.invert_yaxis()
        axes.set_xlim(0, most * 1.22)
        axes.set_xticks(list(range(0, int(most) + 1, _step(most))))
        axes.set_xlabel("share of the subnet's usable addresses (%)")
        axes.grid(axis="x")
        more = len(scenario.left) - len(rows)
        rest = f" – the {len(rows)} fullest of {len(scenario.left):,} subnets" if more else ""
        axes.set_title(label(f"Use of addresses: {scenario.name}{rest}", 90))
        legend_below(axes, 3)
    return figure


def _shares(rows: Sequence[SubnetState]) -> list[tuple[str, list[float], str]]:
    """Percentage of each state per subnet, free addresses last."""

    def share(values: Sequence[int]) -> list[float]:
        return [100 * v / s.subnet.usable for v, s in zip(values, rows, strict=True)]

    found = [(text, share([sum(s.used[h] for h in holders) for s in rows]), hatch) for text, holders, hatch in STATES]
    kept = [min(max(s.free, 0), s.free_reserved) for s in rows]
    if any(kept):
        found.append((RESERVED, share(kept), "---"))
    found.append((FREE, share([max(s.free, 0) - k for s, k in zip(rows, kept, strict=True)]), ""))
    return found


def _step(most: float) -> int:
    return next(s for s in (20, 50, 100, 200, 500, 1000, 5000, 10**9) if most / s <= 8)


def plot_headroom(curve: HeadroomCurve, *, ax: Axes | None = None, theme: Theme = LIGHT) -> Figure:
    """Draw the free addresses of each subnet by number of nodes or pods, with the point of exhaustion.

    Only the subnets that end with the least room are drawn, six at most.
    """
    from capacity.cluster.headroom import HeadroomCurve

    check_kind("curve", curve, HeadroomCurve, "a HeadroomCurve, as returned by headroom_by_nodes")
    check_theme(theme)
    from capacity.charts.theme import DASHES, MARKERS

    order = sorted(range(len(curve.subnets)), key=lambda i: (curve.free[i][-1], i))[: len(theme.series)]
    if not order or not curve.counts:
        raise SpecError(f"nothing to draw: no subnet depends on {curve.what}")
    with drawing(ax, theme, 8.0, 4.4) as (figure, axes):
        for place, index in enumerate(order):
            axes.plot(
                curve.counts,
                curve.free[index],
                drawstyle="steps-post",
                color=theme.series[place],
                linestyle=DASHES[place % len(DASHES)],
                marker=MARKERS[place % len(MARKERS)],
                markersize=4,
                markevery=max(len(curve.counts) // 8, 1),
                label=label(curve.subnets[index], 24),
            )
        axes.axhline(0, color=theme.text, linewidth=1.2)
        first = min((e, i) for i in order for e in [curve.exhausted_at[i]] if e is not None) if _any(curve) else None
        if first is not None:
            count, index = first
            axes.axvline(count, color=VERMILION, linewidth=1.2, linestyle=(0, (4, 2)))
            left = count < (curve.counts[0] + curve.counts[-1]) / 2
            axes.annotate(
                f"{label(curve.subnets[index], 24)} is full\nat {count:,} {curve.what}",
                (count, 0.97),
                xycoords=("data", "axes fraction"),
                xytext=(6 if left else -6, 0),
                textcoords="offset points",
                ha="left" if left else "right",
                va="top",
                fontsize=8.5,
                fontweight="bold",
            )
        if curve.now is not None:
            axes.plot([curve.now], [0], marker="^", markersize=8, color=theme.text, clip_on=False, linestyle="none")
            axes.annotate("now", (curve.now, 0), xytext=(0, -13), textcoords="offset points", ha="center", fontsize=8)
        axes.set_xlabel(f"{curve.what} ({curve.rule})")
        axes.set_ylabel("free addresses (below 0: short)")
        axes.grid()
        thousands(axes.xaxis)
        thousands(axes.yaxis)
        axes.set_title(label(f"Free addresses by number of {curve.what}", 80))
        legend_below(axes, 3)
    return figure


def _any(curve: HeadroomCurve) -> bool:
    return any(e is not None for e in curve.exhausted_at)


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
        "aws": GREY,
        "prefix": theme.series[0],
        "single": theme.series[1],
        "reserved": theme.series[4],
        "explicit": theme.series[3],
        "free": theme.ground,
    }
    with drawing(ax, theme, 8.0, 1.65 + min(7.2 * rows / columns, 5.6)) as (figure, axes):
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
        axes.set_xlabel(f"one cell = one /28 (16 addresses), {columns} per row;\n{blocks.rule}")
        axes.set_title(label(f"/28 blocks of {label(blocks.subnet.name, 40)} ({blocks.subnet.cidr})", 90))
        shown = [Patch(facecolor=colours[n], hatch=BLOCKS[n][1], edgecolor=theme.edge) for n in present]
        counts = [f"{BLOCKS[n][0]}: {states.count(n):,}" for n in present]
        legend_below(axes, 3, handles=shown, labels=counts)
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
