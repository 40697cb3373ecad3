"""Simulation chart: addresses of the pools by state over time, and the pods that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.charts.theme import (
    LIGHT,
    NARROW,
    VERMILION,
    WIDE,
    Theme,
    check_theme,
    drawing,
    label,
    legend_below,
    thousands,
)
from capacity.errors import check_kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from capacity.sim.observed import SimulationResult

SCALES = ((7200, 3600, "hours"), (180, 60, "minutes"), (0, 1, "seconds"))


def plot_simulation(result: SimulationResult, *, ax: Axes | None = None, theme: Theme = LIGHT) -> Figure:
    """Draw the pools' addresses (with a pod, cooling, warm) over time, pods that wait, and when subnets run out."""
    from capacity.sim.observed import SimulationResult

    check_kind("result", result, SimulationResult, "a SimulationResult, as returned by simulate")
    check_theme(theme)
    unit, name = next((unit, name) for least, unit, name in SCALES if result.seconds >= least)
    times = [sample.t / unit for sample in result.timeline]
    parts = {
        "with a pod": [s.assigned for s in result.timeline],
        "cooling": [s.cooling for s in result.timeline],
        "warm": [s.available - s.cooling for s in result.timeline],
    }
    alone = (8.0, 4.2)  # as a file, otherwise a column of a page [inches]
    width, height = alone if theme.titled else (NARROW if theme.narrow else WIDE, 3.4)
    with drawing(ax, theme, width, height) as (figure, axes):
        stacks = axes.stackplot(times, *parts.values(), labels=list(parts), colors=theme.series[:3], alpha=0.75)
        for stack, hatch in zip(stacks, ("", "///", "..."), strict=True):
            stack.set_hatch(hatch)
            stack.set_edgecolor(theme.edge)
            stack.set_linewidth(0.4)
        waiting = [s.waiting for s in result.timeline]
        if any(waiting):
            axes.plot(times, waiting, color=theme.text, linewidth=1.6, linestyle="--", label="pods that wait")
        for subnet in result.subnets:
            if subnet.exhausted_at is not None:
                said = f"{label(subnet.name)} runs out"
                axes.axvline(subnet.exhausted_at / unit, color=VERMILION, linewidth=1.3, label=said)
        axes.set_xlim(times[0], times[-1] if times[-1] > times[0] else times[0] + 1)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(f"{name} since the start")
        axes.set_ylabel("addresses, pods")
        thousands(axes.yaxis)
        if theme.titled:
            axes.set_title(label(f"{result.title}: addresses of the pools over time", 90))
        legend_below(axes, 2 if theme.narrow else 3)
    return figure
