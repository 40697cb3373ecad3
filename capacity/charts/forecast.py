"""Forecast chart: addresses used in a subnet over time, and when they run out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from capacity.charts.theme import (
    LIGHT,
    VERMILION,
    Margins,
    Theme,
    check_theme,
    drawing,
    label,
    legend_below,
    sheet,
    subnet_colors,
    thousands,
)
from capacity.errors import SpecError, check_each, check_kind

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


def plot_forecasts(
    subnets: Sequence[SubnetForecast],
    *,
    fixed: Mapping[str, SubnetForecast] | None = None,
    order: Sequence[str] = (),
    theme: Theme = LIGHT,
) -> Figure:
    """Draw the used share of several subnets over time, one below the other on one date axis.

    Parameters
    ----------
    subnets : sequence of SubnetForecast
        Those without a forecast are left out.
    fixed : mapping of str to SubnetForecast, optional
        Forecasts of the changed plan by subnet: their median is a dashed line.
    order : sequence of str
        The subnets in the order of their colors.

    Raises
    ------
    SpecError
        No subnet has a forecast.
    """
    from capacity.forecast.result import SubnetForecast

    cure = "subnets of a forecast: forecast.subnets"
    check_each("subnets", subnets, SubnetForecast, cure)
    if fixed is not None:
        check_kind("fixed", fixed, Mapping, "forecasts by subnet, or None")
        check_each("fixed", list(fixed.values()), SubnetForecast, cure)
    check_each("order", order, str, "names of subnets")
    check_theme(theme)
    from matplotlib import dates as matplotlib_dates

    of: Any = matplotlib_dates  # its functions have no types
    drawn = [s for s in subnets if s.fan is not None and s.fan.dates]
    if not drawn:
        raise SpecError("nothing to draw: no subnet has a forecast")
    colors = subnet_colors([s.name for s in drawn], order, theme)
    margins = Margins(left=0.55, right=0.2, bottom=0.35, top=0.25)
    with sheet(None, theme, 0.5 + 0.95 * len(drawn), margins, len(drawn)) as (figure, rows):
        figure.subplots_adjust(hspace=0.42)
        for axes, subnet in zip(rows, drawn, strict=True):
            _panel(axes, subnet, (fixed or {}).get(subnet.name), colors[subnet.name], theme)
        locator = of.AutoDateLocator(minticks=3, maxticks=5 if theme.narrow else 7)
        rows[-1].xaxis.set_major_locator(locator)
        rows[-1].xaxis.set_major_formatter(of.ConciseDateFormatter(locator))
        fan = drawn[0].fan
        assert fan is not None
        first: Any = fan.dates[0]
        rows[-1].set_xlim(first, fan.dates[-1])  # type: ignore[arg-type]
        if theme.titled:
            figure.suptitle("Forecast", x=0.02, ha="left", fontsize=10.5, fontweight="bold")
    return figure


def _panel(axes: Axes, subnet: SubnetForecast, fixed: SubnetForecast | None, color: str, theme: Theme) -> None:
    """One subnet: median, 80% band, 100%, the dates when it is full, and the median of the changed plan."""
    fan = subnet.fan
    assert fan is not None
    share = 100 / (subnet.usable or 1)
    days: Any = fan.dates
    axes.fill_between(days, share * fan.p10, share * fan.p90, step="post", facecolor=color, alpha=0.3, linewidth=0)
    axes.plot(days, share * fan.p50, drawstyle="steps-post", color=color, linewidth=1.8)
    top = max(108.0, share * float(max(fan.p90)) * 1.05)
    if fixed is not None and fixed.fan is not None:
        later: Any = fixed.fan.dates
        again = 100 / (fixed.usable or 1)
        style: dict[str, Any] = {
            "color": theme.text,
            "linewidth": 1.3,
            "linestyle": (0, (3, 2)),
            "drawstyle": "steps-post",
        }
        axes.plot(later, again * fixed.fan.p50, **style)
        at = (later[-1], again * float(fixed.fan.p50[-1]))
        below = again * float(fixed.fan.p50[-1]) < share * float(fan.p50[-1])
        beside: dict[str, Any] = {"xytext": (-2, -3 if below else 3), "va": "top" if below else "bottom"}
        beside |= {"textcoords": "offset points", "ha": "right", "fontsize": 7.5}
        axes.annotate("with the fix", at, color=theme.faint, **beside)
    axes.axhline(100, color=theme.full, linewidth=1.1)
    for _, field, dash in SHARES:
        when = getattr(subnet, field)
        if when is not None:
            axes.axvline(when, color=theme.full, linewidth=1.1, linestyle=dash)
    axes.set_ylim(0, top)
    axes.set_yticks((0, 50, 100), ["0%", "50%", "100%"])
    axes.grid(axis="y")
    axes.tick_params(axis="x", labelbottom=axes.get_subplotspec().is_last_row())  # type: ignore[union-attr]
    size = f" of {subnet.usable:,} usable" if subnet.usable and not theme.narrow else ""
    full = f"P50 {subnet.date_p50}" if subnet.date_p50 else f"not before {fan.dates[-1]}"
    axes.set_title(label(subnet.name, 24) + size, fontsize=8.5, color=color, pad=3)
    axes.text(1, 1.03, full, transform=axes.transAxes, ha="right", va="bottom", fontsize=8.5)
