"""The warm-setting trade-off: addresses held against pods that start at once, and the EC2 calls it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from capacity.charts.theme import LIGHT, MARKERS, Theme, drawing, label, legend_below, thousands
from capacity.errors import SpecError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class WarmChoice:
    """One setting: its words, what it holds and what it gives.

    Attributes
    ----------
    name : str
        ``WARM_IP_TARGET=2``.
    addresses_held : float
        Subnet addresses at rest, over all nodes. [addresses]
    instant_pods : float
        Pods a node can start without a call to EC2. [pods]
    ec2_calls : float or None
        [calls], None where not known.
    """

    name: str
    addresses_held: float
    instant_pods: float
    ec2_calls: float | None = None


def plot_warm_tradeoff(choices: Sequence[WarmChoice], *, ax: Axes | None = None, theme: Theme = LIGHT) -> Figure:
    """Each setting as a numbered point; a line joins those that nothing beats in both addresses and instant pods."""
    if not choices:
        raise SpecError("nothing to draw: no warm settings were given")
    rows = sorted(choices, key=lambda c: (c.addresses_held, -c.instant_pods, c.name))
    with drawing(ax, theme, 8.0, 4.3 + 0.2 * (len(rows) // 2)) as (figure, axes):
        best = [c for i, c in enumerate(rows) if all(c.instant_pods > o.instant_pods for o in rows[:i])]
        axes.plot(
            [c.addresses_held for c in best],
            [c.instant_pods for c in best],
            color=theme.faint,
            linewidth=1,
            drawstyle="steps-post",
            zorder=1,
        )
        spots: dict[tuple[float, float], list[int]] = {}
        for number, choice in enumerate(rows, 1):
            calls = "" if choice.ec2_calls is None else f" – {choice.ec2_calls:,.0f} EC2 calls"
            axes.plot(
                [choice.addresses_held],
                [choice.instant_pods],
                linestyle="none",
                marker=MARKERS[(number - 1) % len(MARKERS)],
                markersize=9,
                color=theme.series[(number - 1) % len(theme.series)],
                markeredgecolor=theme.edge,
                label=f"{number}  {label(choice.name, 48)}{calls}",
                zorder=2,
            )
            spots.setdefault((choice.addresses_held, choice.instant_pods), []).append(number)
        for spot, numbers in spots.items():
            axes.annotate(
                ", ".join(map(str, numbers)), spot, xytext=(7, 6), textcoords="offset points", fontweight="bold"
            )
        axes.margins(x=0.1, y=0.15)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("addresses held at rest (fewer is thriftier)")
        axes.set_ylabel("pods a node starts\nwithout asking EC2")
        axes.grid()
        thousands(axes.xaxis)
        thousands(axes.yaxis)
        axes.set_title("Warm settings: addresses held against instant pods")
        legend_below(axes, 2 if len(rows) > 2 else 1)
    return figure
