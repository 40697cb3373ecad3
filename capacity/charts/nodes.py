"""Charts of instance types: the limit of pods per node, and the price of a pod."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from capacity.charts.theme import LIGHT, Margins, Theme, drawing, label, legend_below, sheet, thousands
from capacity.charts.theme import title as write_title
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
    """Draw the share of each limit that a full node uses, most used first; the bar of the first limit is full.

    Parameters
    ----------
    offers : sequence of Offer
        From :func:`capacity.node.offer.offer`, all for the same pod shape.
    """
    from capacity.node.offer import Offer

    check_each("offers", offers, Offer, "a list of Offer, as returned by offer")
    _some(offers)
    blocks = [(o, _shares(o)) for o in offers]
    rows = sum(len(shares) for _, shares in blocks) + 2 * len(blocks)
    margins = Margins(left=1.0, right=0.95, bottom=0.5)
    with sheet(ax, theme, 0.6 + 0.2 * rows, margins) as (figure, (axes,)):
        at, ticks = 0.0, []
        for offer, shares in blocks:
            axes.text(0, at, label(offer.instance_type, 34), va="center", fontsize=8.5, fontweight="bold")
            for place, (name, most, share) in enumerate(shares, 1):
                _limit_bar(axes, at + place, name, (offer, most, share), theme)
                ticks.append((at + place, limit_words(name)))
            at += len(shares) + 1.4
        axes.set_yticks([place for place, _ in ticks], [name for _, name in ticks])
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(at - 0.7, -0.7)
        axes.set_xlim(0, 100)
        axes.set_xticks((0, 25, 50, 75, 100), ["0%", "25%", "50%", "75%", "100%"])
        axes.set_xlabel("share of the limit that a full node uses")
        axes.grid(axis="x")
        write_title(axes, theme, title or "Share of each limit that a full node uses")
    return figure


def _shares(offer: Offer) -> list[tuple[str, int | None, float]]:
    """Each limit of an offer with its pods and the share of it that is used, most used first. [pods, %]"""
    found = [(name, offer.fits[name], _share(offer.pods, offer.fits[name])) for name in HATCHES if name in offer.fits]
    known = [row for row in found if row[1] is not None]
    return sorted(known, key=lambda row: (-row[2], row[0] != offer.binding)) or found[:1]


def _share(pods: int | None, most: int | None) -> float:
    return 100 * (pods or 0) / most if most else 100.0


def _limit_bar(axes: Axes, place: float, name: str, figures: tuple[Offer, int | None, float], theme: Theme) -> None:
    offer, most, share = figures
    binds = offer.binding == name
    if most is None:
        axes.text(1, place, "not requested or unknown", va="center", fontsize=8, color=theme.faint)
        return
    color = theme.limits[name]
    axes.barh([place], [share], 0.7, color=color, label=limit_words(name))
    text = f"{most:,} {'pod' if most == 1 else 'pods'}: limit" if binds else f"{offer.pods or 0:,} of {most:,}"
    bold: dict[str, Any] = {"fontweight": "bold", "color": theme.text} if binds else {"color": theme.faint}
    axes.annotate(
        text,
        (100, place),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
        annotation_clip=False,
        **bold,
    )


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
