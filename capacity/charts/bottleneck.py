"""Bottleneck map: the resource of a node that is full first, by pod shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from capacity.charts.nodes import HATCHES
from capacity.charts.theme import LIGHT, Theme, drawing, label, legend_below
from capacity.errors import check_kind
from capacity.node.limit_words import limit_words
from capacity.units import MIB

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from capacity.node.shape_map import ShapeMap

LINES = (1, 2, 4, 8, 16, 32, 64, 128)  # pods per node that get a line


def plot_bottleneck_map(shapes: ShapeMap, *, ax: Axes | None = None, theme: Theme = LIGHT) -> Figure:
    """Draw the limit of each pod shape in a grid, with lines up to which a node fits 1, 2, 4 … pods."""
    from capacity.node.shape_map import ShapeMap

    check_kind("shapes", shapes, ShapeMap, "a ShapeMap, as returned by shape_map")
    import numpy as np
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.patches import Patch
    from matplotlib.ticker import FuncFormatter

    with drawing(ax, theme, 7.0, 5.2) as (figure, axes):
        cpu, memory = shapes.cpu_millicores, shapes.memory_bytes / MIB
        names = list(shapes.limits)
        colours = [theme.limits[n] for n in names]
        edges = np.arange(len(names) + 1) - 0.5
        axes.pcolormesh(
            cpu,
            memory,
            shapes.binding,
            cmap=ListedColormap(colours),
            norm=BoundaryNorm(edges, len(names)) if len(names) > 1 else None,
            shading="nearest",
            alpha=0.75,
            rasterized=True,
        )
        present = [i for i in range(len(names)) if (shapes.binding == i).any()]
        for i in present:
            mask = (shapes.binding == i).astype(float)
            axes.contourf(cpu, memory, mask, levels=[0.5, 1.5], colors="none", hatches=[HATCHES[names[i]]])
        _equal_pods(axes, shapes, memory, theme)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log", base=2)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}m" if v < 1000 else f"{v / 1000:g}"))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f} Mi" if v < 1024 else f"{v / 1024:g} Gi"))
        axes.set_xticks([v for v in (50, 100, 250, 500, 1000, 2000, 4000, 8000) if cpu[0] <= v <= cpu[-1]])
        axes.set_yticks([v for v in (2**k for k in range(5, 17)) if memory[0] <= v <= memory[-1]])
        axes.minorticks_off()
        axes.set_xlabel("CPU request of a pod (cores, m = thousandths)")
        axes.set_ylabel("memory request of a pod")
        axes.set_title(label(f"First limit reached on {shapes.instance_type}", 60))
        shown = [Patch(facecolor=colours[i], hatch=HATCHES[names[i]], edgecolor=theme.edge) for i in present]
        legend_below(axes, 4, handles=shown, labels=[f"limited by {limit_words(names[i])}" for i in present])
    return figure


def _equal_pods(axes: Axes, shapes: ShapeMap, memory: Any, theme: Theme) -> None:
    """Draw a line up to which a node fits 1, 2, 4 … pods, with the number at the smallest memory request."""
    import numpy as np

    for pods in LINES:
        fits = shapes.pods >= pods
        if not fits.any() or fits.all():
            continue
        axes.contour(shapes.cpu_millicores, memory, fits.astype(float), levels=[0.5], colors=theme.text, linewidths=0.9)
        last = int(np.flatnonzero(fits[0])[-1]) if fits[0].any() else None
        if last is not None and last + 1 < shapes.cpu_millicores.size:
            place = (float(shapes.cpu_millicores[last]), float(memory[0]) * 1.12)
            box = {"facecolor": theme.ground, "edgecolor": "none", "pad": 1.0, "alpha": 0.85}
            text = f"{pods} pod" + "s" * (pods > 1)
            axes.text(*place, text, rotation=90, ha="right", va="bottom", fontsize=7.5, bbox=box)
