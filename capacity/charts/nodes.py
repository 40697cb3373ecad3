"""Charts of instance types: the limit of pods per node, and the price of a pod."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from capacity.charts.theme import LIGHT, Theme, drawing, label, legend_below, thousands
from capacity.errors import SpecError, check_each
from capacity.node.limit_words import limit_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from capacity.node.maxpods import MaxPods
    from capacity.node.offer import Offer

HATCHES = {"ips": "", "cpu": "///", "memory": "|||", "max_pods": "xxx", "branch_enis": "\\\\\\", "volumes": "---"}
MODES = {"secondary": ("secondary IPs", ""), "prefix": ("prefixes", "///"), "ipv6": ("IPv6", "|||")}


def plot_limits(offers: Sequence[Offer], *, title: str = "", ax: Axes | None = None, theme: Theme = LIGHT) -> Figure:
    """Draw pods per node by each limit, with a group of bars per instance type; the lowest limit is marked.

    Parameters
    ----------
    offers : sequence of Offer
        From :func:`capacity.node.offer.offer`, all for the same pod shape.
    """
    from capacity.node.offer import Offer

    check_each("offers", offers, Offer, "a list of Offer, as returned by offer")
    _some(offers)
    names = [n for n in HATCHES if any(o.fits.get(n) is not None for o in offers)]
    with drawing(ax, theme, 8.0, 1.5 + len(offers) * (0.2 * len(names) + 0.18)) as (figure, axes):
        thick = 0.8 / len(names)
        most = max((o.fits[n] or 0 for o in offers for n in names if o.fits.get(n) is not None), default=1)
        for index, name in enumerate(names):
            places = [row - 0.4 + (index + 0.5) * thick for row in range(len(offers))]
            values = [o.fits.get(name) for o in offers]
            text, hatch = limit_words(name), HATCHES[name]
            colour = theme.series[list(HATCHES).index(name)]
            axes.barh(
                places, [v or 0 for v in values], thick, label=text, color=colour, hatch=hatch, edgecolor=theme.ground
            )
            for place, value, offer in zip(places, values, offers, strict=True):
                binds = offer.binding == name
                shown = "not requested or unknown" if value is None else f"{value:,}" + (" ◀ limit" if binds else "")
                axes.text(
                    (value or 0) + most * 0.01,
                    place,
                    shown,
                    va="center",
                    fontsize=8,
                    color=theme.text if binds else theme.faint,
                    fontweight="bold" if binds else "normal",
                )
        axes.set_yticks(range(len(offers)), [label(o.instance_type) for o in offers])
        axes.invert_yaxis()
        axes.set_xlim(0, most * 1.2)
        axes.set_xlabel("pods of this shape per node, after DaemonSets")
        axes.grid(axis="x")
        thousands(axes.xaxis)
        axes.set_title(label(title or "Pods per node, by limit", 80))
        legend_below(axes, min(len(names), 6))
    return figure


def plot_price_per_pod(offers: Sequence[Offer], *, ax: Axes | None = None, theme: Theme = LIGHT) -> Figure:
    """Draw the on-demand price per pod and month, cheapest first; types without a price are listed, not drawn as 0."""
    from capacity.node.offer import Offer

    check_each("offers", offers, Offer, "a list of Offer, as returned by offer")
    _some(offers)
    priced = sorted((o for o in offers if o.usd_per_pod_month is not None), key=lambda o: o.usd_per_pod_month or 0.0)
    rest = [o.instance_type for o in offers if o.usd_per_pod_month is None]
    if not priced:
        raise SpecError(
            "no price per pod is known for any of these types (check that the region is set and that a pod fits)"
        )
    with drawing(ax, theme, 8.0, 1.4 + 0.34 * len(priced)) as (figure, axes):
        values = [o.usd_per_pod_month or 0.0 for o in priced]
        axes.barh(range(len(priced)), values, 0.66, color=theme.series[0], edgecolor=theme.ground)
        for row, (offer, value) in enumerate(zip(priced, values, strict=True)):
            by = limit_words(offer.binding or "max_pods")
            text = f"{value:,.2f}  ({offer.pods:,} pods, limited by {by})"
            axes.text(value + max(values) * 0.01, row, text, va="center", fontsize=8)
        axes.set_yticks(range(len(priced)), [label(o.instance_type) for o in priced])
        axes.invert_yaxis()
        axes.set_xlim(0, max(values) * 1.42)
        axes.set_xlabel("USD per pod and month (on-demand, 730 hours, full nodes)")
        axes.grid(axis="x")
        axes.set_title("Price per pod")
        if rest:
            axes.text(
                1, 0.02, label("no price: " + ", ".join(rest), 90), transform=axes.transAxes, ha="right", fontsize=8
            )
    return figure


def plot_modes(rows: Sequence[MaxPods], *, ax: Axes | None = None, theme: Theme = LIGHT) -> Figure:
    """Draw max pods of each type in every CNI mode; bars with a dashed edge use custom networking.

    Parameters
    ----------
    rows : sequence of MaxPods
        One per type, mode and custom networking; the chart shows ``max_pods``.
    """
    from capacity.node.maxpods import MaxPods

    check_each("rows", rows, MaxPods, "a list of MaxPods, as returned by max_pods")
    _some(rows)
    types = list(dict.fromkeys(r.instance_type for r in rows))
    kinds = [k for k in _kinds() if any((r.mode, r.custom_networking) == k for r in rows)]
    found = {(r.instance_type, r.mode, r.custom_networking): r for r in rows}
    with drawing(ax, theme, 8.0, 1.5 + len(types) * (0.2 * len(kinds) + 0.18)) as (figure, axes):
        thick = 0.8 / len(kinds)
        most = max((r.max_pods or 0 for r in rows), default=1) or 1
        for index, (mode, custom) in enumerate(kinds):
            text, hatch = MODES[mode]
            places = [row - 0.4 + (index + 0.5) * thick for row in range(len(types))]
            here = [found.get((t, mode, custom)) for t in types]
            values = [r.max_pods if r is not None else None for r in here]
            axes.barh(
                places,
                [v or 0 for v in values],
                thick,
                label=text + (", custom networking" if custom else ""),
                color=theme.series[list(MODES).index(mode) + (3 if custom else 0)],
                hatch=hatch,
                edgecolor=theme.ground,
            )
            for place, value, row in zip(places, values, here, strict=True):
                if row is not None:
                    shown = "not possible or unknown" if value is None else f"{value:,}"
                    axes.text((value or 0) + most * 0.01, place, shown, va="center", fontsize=8, color=theme.faint)
        axes.set_yticks(range(len(types)), [label(t) for t in types])
        axes.invert_yaxis()
        axes.set_xlim(0, most * 1.14)
        axes.set_xlabel("max pods of the node (including host-network pods)")
        axes.grid(axis="x")
        thousands(axes.xaxis)
        axes.set_title("Max pods by CNI mode")
        legend_below(axes, min(len(kinds), 3))
    return figure


def _kinds() -> list[tuple[str, bool]]:
    return [(mode, custom) for mode in MODES for custom in (False, True)]


def _some(things: Sequence[Any]) -> None:
    if not things:
        raise SpecError("nothing to draw: no instance types were given")
