"""Forecast chart: addresses used in a subnet over time, and when they run out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from capacity.charts.theme import LIGHT, VERMILION, Theme, drawing, label, legend_below, thousands
from capacity.errors import SpecError, check_kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from capacity.forecast.result import SubnetForecast

SHARES = (("10%", "date_p10", "--"), ("50%", "date_p50", "-"), ("90%", "date_p90", ":"))


def plot_forecast(subnet: SubnetForecast, *, ax: Axes | None = None, theme: Theme = LIGHT) -> Figure:
    """Draw addresses used in a subnet over time: median, 80% band, size of the subnet, and the dates when it is full.

    Raises
    ------
    SpecError
        The subnet has no forecast, for example because its history is too short.
    """
    from capacity.forecast.result import SubnetForecast

    check_kind("subnet", subnet, SubnetForecast, "a subnet of a forecast: forecast.subnets[0]")
    from matplotlib import dates as matplotlib_dates

    of: Any = matplotlib_dates  # its functions have no types
    fan = subnet.fan
    if fan is None or not fan.dates:
        raise SpecError(f"nothing to draw: {subnet.name!r} has no forecast ({subnet.status})")
    days = [float(of.date2num(d)) for d in fan.dates]
    with drawing(ax, theme, 8.0, 4.2) as (figure, axes):
        axes.fill_between(
            days,
            fan.p10,
            fan.p90,
            step="post",
            facecolor=theme.series[0],
            alpha=0.35,
            edgecolor=theme.series[0],
            linewidth=0.8,
            label="80% of simulations (P10 to P90)",
        )
        axes.plot(days, fan.p50, drawstyle="steps-post", color=theme.text, linewidth=1.6, label="median (P50)")
        if subnet.usable is not None:
            axes.axhline(subnet.usable, color=theme.text, linewidth=1.2, linestyle=(0, (5, 1, 1, 1)))
            axes.annotate(
                f"{subnet.usable:,} usable",
                (0.01, subnet.usable),
                xycoords=("axes fraction", "data"),
                xytext=(0, 3),
                textcoords="offset points",
                fontsize=8.5,
            )
        for share, field, dash in SHARES:
            when = getattr(subnet, field)
            if when is not None:
                named = f"full in {share} of simulations by {when}"
                axes.axvline(float(of.date2num(when)), color=VERMILION, linewidth=1.3, linestyle=dash, label=named)
        axes.xaxis.set_major_locator(locator := of.AutoDateLocator(minticks=4, maxticks=8))
        axes.xaxis.set_major_formatter(of.ConciseDateFormatter(locator))
        axes.set_xlim(days[0], days[-1] if len(days) > 1 else days[0] + 1)
        axes.set_ylim(0, max(subnet.usable or 0, float(max(fan.p90))) * 1.12)
        axes.set_xlabel("date")
        axes.set_ylabel("addresses used")
        axes.grid()
        thousands(axes.yaxis)
        late = f" – likely within capacity through {fan.dates[-1]}" if subnet.date_p50 is None else ""
        axes.set_title(label(f"Forecast of {label(subnet.name, 40)}{late}", 90))
        legend_below(axes, 3)
    return figure
