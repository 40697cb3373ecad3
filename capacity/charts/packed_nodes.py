"""Chart of the nodes to buy: the share of each resource of a node that the pods of each workload use."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from capacity.charts.theme import LIGHT, NARROW, Theme, check_theme, drawing, label, legend_below, title
from capacity.errors import SpecError, check_each
from capacity.node.limit_words import limit_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from capacity.optimize.mean_node import MeanNode, Use

MOST_WORKLOADS = 5  # with a color of their own; the others are drawn as one
DAEMONSETS, OTHERS = "DaemonSets", "other workloads"
HATCHES = ("", "///", "...", "\\\\\\", "xxx", "|||")
LETTERS, FEW_LETTERS = 75, 32  # of a segment's label that fit on the whole axis, also of a narrow chart
LINE = 48  # letters of a line of a narrow chart
MOST_COUNTED = 4  # workloads whose pods are counted
BAR, GAP = 0.74, 0.9  # height of a bar, and space between two nodes, in bars
WORDS = {"addresses": "ips"}  # what `check` calls a resource as a limit
MOST_GROUPS = 8


def plot_packed_nodes(nodes: Sequence[MeanNode], *, ax: Axes | None = None, theme: Theme = LIGHT) -> Figure:
    """Draw the mean node of each group: a bar per resource, a segment per workload; the limiting resource is marked.

    Parameters
    ----------
    nodes : sequence of MeanNode
        From :func:`capacity.optimize.mean_node.mean_nodes`. The first are drawn, at most :data:`MOST_GROUPS`.
    """
    from capacity.optimize.mean_node import MeanNode

    check_theme(theme)
    check_each("nodes", nodes, MeanNode, "a list of MeanNode, as returned by mean_nodes")
    if not nodes:
        raise SpecError("nothing to draw: there are no node groups to buy")
    nodes = nodes[:MOST_GROUPS]
    named = _largest(nodes)
    bars = sum(len(n.uses) for n in nodes)
    told = [_pods_words(n, theme) for n in nodes]
    lines = bars + sum(GAP + 1.7 + 0.7 * words.count("\n") for words in told)
    width, legend = (NARROW, 0.55) if theme.narrow else (8.0, 0.0)
    with drawing(ax, theme, width, 1.3 + legend + 0.27 * lines) as (figure, axes):
        row, ticks, drawn = 0.0, [], set()
        for node, words in zip(nodes, told, strict=True):
            name = f"{label(node.group, 24 if theme.narrow else 60)}: {node.nodes:,} × {node.instance_type}"
            axes.text(0, row, name, va="center", fontweight="bold", fontsize=9)
            axes.text(0, row + 0.45, words, va="top", fontsize=7 if theme.narrow else 8, color=theme.faint)
            row += 1.7 + 0.7 * words.count("\n")
            for use in node.uses:
                ticks.append((row, limit_words(WORDS.get(use.resource, use.resource))))
                drawn |= _bar(axes, row, use, named, theme)
                _share(axes, row, use, node.binding in (use.resource, WORDS.get(use.resource)), theme)
                row += 1
            row += GAP
        axes.set_yticks([at for at, _ in ticks], [text for _, text in ticks])
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(row - GAP, -0.8)
        axes.set_xlim(0, 1.42 if theme.narrow else 1.18)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
        breaks = "\n" if theme.narrow else " "
        axes.set_xlabel(
            f"share of a node's allocatable, mean over{breaks}the nodes of the group at the peak\n"
            f"◀ limit: what stops the next pod{breaks}on the busiest node",
            fontsize=7.5 if theme.narrow else None,
        )
        axes.axvline(1, color=theme.faint, linewidth=0.8, zorder=0)
        axes.spines["left"].set_visible(False)
        title(axes, theme, "What a node of each group holds")
        _legend(axes, [n for n in (DAEMONSETS, *named, OTHERS) if n in drawn], named, theme)
    return figure


def _largest(nodes: Sequence[MeanNode]) -> list[str]:
    """The workloads with the largest share of any resource, in the order in which they appear."""
    size: dict[str, float] = {}
    for node in nodes:
        for use in node.uses:
            for name, taken in use.workloads.items():
                size[name] = max(size.get(name, 0.0), taken / use.allocatable if use.allocatable else 0.0)
    kept = sorted(size, key=lambda name: -size[name])[:MOST_WORKLOADS]
    return [name for name in size if name in kept]


def _parts(use: Use, named: Sequence[str]) -> list[tuple[str, float]]:
    """DaemonSets, the named workloads, the others; each as a share of allocatable."""
    others = sum(taken for name, taken in use.workloads.items() if name not in named)
    parts = [(DAEMONSETS, float(use.daemonsets)), *((n, use.workloads.get(n, 0.0)) for n in named), (OTHERS, others)]
    return [(name, taken / use.allocatable) for name, taken in parts if taken and use.allocatable]


def _style(name: str, named: Sequence[str], theme: Theme) -> tuple[str, str]:
    """Color and hatch."""
    if name == DAEMONSETS:
        return theme.series[-1], ""
    if name == OTHERS:
        return theme.grid, "---"
    number = list(named).index(name)
    return theme.series[number % (len(theme.series) - 1)], HATCHES[number % len(HATCHES)]


def _bar(axes: Axes, row: float, use: Use, named: Sequence[str], theme: Theme) -> set[str]:
    """Draw the segments of a bar from left to right inside the outline of the whole node; return the names that were
    drawn.
    """
    left, drawn = 0.0, set()
    axes.barh([row], [1], BAR, color="none", edgecolor=theme.faint, linewidth=0.8)
    for name, part in _parts(use, named):
        color, hatch = _style(name, named, theme)
        axes.barh([row], [part], BAR, left=left, color=color, hatch=hatch, edgecolor=theme.ground, linewidth=0.8)
        words = label(name)
        if len(words) <= part * (FEW_LETTERS if theme.narrow else LETTERS):
            box = {"facecolor": theme.ground, "edgecolor": "none", "pad": 0.8}
            axes.text(left + part / 2, row, words, ha="center", va="center", fontsize=7, bbox=box)
        left += part
        drawn.add(name)
    return drawn


def _share(axes: Axes, row: float, use: Use, limits: bool, theme: Theme) -> None:
    axes.text(
        max(use.share, 1) + 0.01,
        row,
        f"{100 * use.share:.0f}%" + (" ◀ limit" if limits else ""),
        va="center",
        fontsize=8,
        color=theme.text if limits else theme.faint,
        fontweight="bold" if limits else "normal",
    )


def _pods_words(node: MeanNode, theme: Theme) -> str:
    """How many pods of the largest workloads, in lines that fit."""
    most = sorted(node.pods.items(), key=lambda item: -item[1])
    words = [f"{_number(count)} {label(name, 22)}" for name, count in most[:MOST_COUNTED]]
    rest = sum(count for _, count in most[MOST_COUNTED:])
    words += [f"{_number(rest)} others"] if rest else []
    text = f"pods per node: {', '.join(words)}" if words else "no pods of these workloads"
    return "\n".join(wrap(text, LINE)) if theme.narrow else text


def _number(count: float) -> str:
    return f"{count:,.1f}".removesuffix(".0")


def _legend(axes: Axes, names: Sequence[str], named: Sequence[str], theme: Theme) -> None:
    from matplotlib.patches import Patch

    handles = []
    for name in names:
        color, hatch = _style(name, named, theme)
        handles.append(Patch(facecolor=color, hatch=hatch, edgecolor=theme.ground, label=label(name)))
    handles.append(Patch(facecolor="none", edgecolor=theme.faint, label="unused"))
    legend_below(axes, 2 if theme.narrow else 4, handles=handles, labels=[h.get_label() for h in handles])
