"""The fan of a forecast: free addresses of a subnet over time, and when they run out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from capacity.charts.theme import LIGHT, VERMILION, Theme, drawing, label, legend_below, thousands
from capacity.errors import SpecError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Fan:
    """Quantiles of one subnet's free addresses along dates.

    Attributes
    ----------
    subnet : str
    dates : sequence of datetime.date
    p10, p50, p90 : sequence of float
        Free addresses: in 10, 50 and 90 % of the paths there are fewer. [addresses]
    exhausted : mapping of str to datetime.date or None
        Exhaustion dates by name: ``P10``, ``P50``, ``P90``; None where not within the horizon.
    """

    subnet: str
    dates: Sequence[dt.date]
    p10: Sequence[float]
    p50: Sequence[float]
    p90: Sequence[float]
    exhausted: dict[str, dt.date | None]


def plot_forecast(fan: Fan, *, ax: Axes | None = None, theme: Theme = LIGHT) -> Figure:
    """Free addresses of a subnet over time: the median, the 80 % band around it, and the exhaustion dates."""
    from matplotlib import dates

    if not len(fan.dates):
        raise SpecError(f"nothing to draw: the forecast of {fan.subnet!r} has no dates")
    of_matplotlib: Any = dates  # its functions carry no types
    days = [float(of_matplotlib.date2num(d)) for d in fan.dates]
    with drawing(ax, theme, 8.0, 4.2) as (figure, axes):
        axes.fill_between(
            days,
            list(fan.p10),
            list(fan.p90),
            color=theme.series[0],
            alpha=0.3,
            hatch="...",
            edgecolor=theme.series[0],
            linewidth=0.8,
            label="8 of 10 paths (P10 to P90)",
        )
        axes.plot(days, list(fan.p50), color=theme.text, linewidth=1.8, label="median (P50)")
        axes.axhline(0, color=theme.text, linewidth=1.2)
        found = [(name, when) for name, when in fan.exhausted.items() if when is not None]
        for (name, when), dash in zip(found, ("--", "-", ":", "-."), strict=False):
            at = float(of_matplotlib.date2num(when))
            axes.axvline(at, color=VERMILION, linewidth=1.3, linestyle=dash, label=f"{name} runs out {when}")
        missing = [name for name, when in fan.exhausted.items() if when is None]
        axes.xaxis.set_major_locator(locator := of_matplotlib.AutoDateLocator(minticks=4, maxticks=8))
        axes.xaxis.set_major_formatter(of_matplotlib.ConciseDateFormatter(locator))
        axes.set_xlim(days[0], days[-1] if len(days) > 1 else days[0] + 1)
        axes.set_xlabel("date")
        axes.set_ylabel("free addresses (below 0: short)")
        axes.grid()
        thousands(axes.yaxis)
        late = f" – {', '.join(missing)}: not by {fan.dates[-1]}" if missing else ""
        axes.set_title(label(f"Forecast of {label(fan.subnet, 40)}{late}", 90))
        legend_below(axes, 3)
    return figure
