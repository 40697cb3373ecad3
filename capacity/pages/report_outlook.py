"""Sections of the report: what happens if the plan grows or its settings change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from capacity.forecast.words import has_run_out, next_to_run_out, sentence
from capacity.pages.page import Chart, CodeBlock, Section, Table, TableColumn, Text
from capacity.pages.report_blocks import Block, Explorer
from capacity.pages.report_material import PATHS
from capacity.plan.scenarios import when_words
from capacity.units import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from capacity.charts.theme import Theme
    from capacity.forecast.result import Fan, ForecastResult, SubnetForecast
    from capacity.pages.report_material import Material

WARM_TITLE = "Warm settings: addresses held, and pods that start without EC2 calls"
MOST_FANS = 4  # forecasts drawn: those of the subnets that run out first


def what_if_section(material: Material) -> Section:
    if material.explorer is None:
        return Section("what-if", "What if", [])
    words = (
        "Nodes and replicas of the steady scenario are scaled and rounded up to the most nodes that the plan allows "
        "(its ceiling), with the CNI settings of the plan and common alternatives. The check calculated every figure."
    )
    blocks: list[Block] = [Text(words), Explorer(material.explorer)]
    return Section("what-if", "What if", blocks + _warm(material))


def _warm(material: Material) -> list[Block]:
    """The trade-off of the warm settings, and the one that capacity warm recommends, unless a fix sets it."""
    answer = material.warm
    if answer is None:
        return []

    def draw(theme: Theme) -> Figure:
        from capacity.charts.trade import plot_warm_tradeoff, warm_choices

        return plot_warm_tradeoff(warm_choices(answer), theme=theme)

    best = answer.recommendation
    words = "No other setting is better than the current one."
    if best is not None and best.change:
        words = f"Recommended: {best.row.targets.label} – {best.rule}."
    blocks: list[Block] = [Chart("warm", WARM_TITLE, words, draw, told=True)]
    fix = material.fixes.found if material.fixes is not None else None
    if best is not None and best.commands and best.change and not (fix and set(best.commands) <= set(fix.commands)):
        blocks.append(CodeBlock("\n".join(best.commands), "to set the recommended targets"))
    return blocks


_FORECAST = (
    TableColumn("subnet", "subnet"),
    TableColumn("p10", "P10"),
    TableColumn("p50", "P50"),
    TableColumn("p90", "P90"),
)


def forecast_section(material: Material) -> Section:
    """When each subnet runs out, today and with the fix, and the use of those that move."""
    found = material.forecast
    if found is None:
        text = "No forecast: no workload of the plan has growth. capacity forecast --history forecasts from past usage."
        return Section("forecast", "Forecast", [Text(text)])
    fewer = f" (of a plan this large; capacity forecast: {PATHS:,})" if found.paths < PATHS else ""
    paths = (
        "each day is calculated exactly, without simulation"
        if found.exact
        else f"{found.paths:,} simulations{fewer}; P10: full by then in 10% of them"
    )
    text = f"{found.start} to {found.end}, from the growth of the workloads {when_words(found.scenario)}; {paths}."
    blocks: list[Block] = [Text(f"{sentence(found)} {_with_fix(material)}".rstrip()), Text(text)]
    moving = [s for s in sorted(found.subnets, key=_urgency) if s.fan is not None and moves(s.fan)]
    blocks += [_forecast_chart(moving[:MOST_FANS], material)] if moving else []
    blocks.append(_forecast_table(found, material))
    notes = [*found.notes, *_left_out(moving, found)]
    return Section("forecast", "Forecast", [*blocks, *(Text(f"{note[:1].upper()}{note[1:]}.") for note in notes)])


def _forecast_table(found: ForecastResult, material: Material) -> Table:
    fixed = _fixed(material)
    share = TableColumn("probability", "runs out %", 0, 1, unit="%")
    columns = [*_FORECAST, share, *([TableColumn("fixed", f"P50 with the {material.change_words}")] if fixed else [])]
    rows = [_forecast_row(s, fixed.get(s.name), found) for s in sorted(found.subnets, key=_urgency)]
    return Table(columns, rows, f"When each subnet runs out, up to {found.end}", name="Forecast")


def _forecast_row(subnet: SubnetForecast, fixed: SubnetForecast | None, found: ForecastResult) -> dict[str, Any]:
    return {
        "subnet": subnet.name,
        "usable": subnet.usable,
        "now": subnet.used_now,
        "p10": _day(subnet.date_p10),
        "p50": _day(subnet.date_p50),
        "p90": _day(subnet.date_p90),
        "probability": None if subnet.probability is None else round(100 * subnet.probability, 1),
        "note": subnet.note,
        "fixed": (_day(fixed.date_p50) or f"after {found.end}") if fixed is not None else None,
    }


def _day(date: dt.date | None) -> str | None:
    return date.isoformat() if date else None


def _fixed(material: Material) -> dict[str, SubnetForecast]:
    return {s.name: s for s in material.fixed_forecast.subnets} if material.fixed_forecast is not None else {}


def _with_fix(material: Material) -> str:
    """The next date of the fixed plan; empty if there is none."""
    fixed = material.fixed_forecast
    if fixed is None or has_run_out(fixed):
        return ""
    coming = next_to_run_out(fixed)
    told = f"With the {material.change_words}"
    if coming is None:
        return ""
    if coming.date_p50 is None:
        return f"{told}, no subnet runs out in half of the simulations before {fixed.end}."
    return f"{told}, {coming.name} runs out first, about {coming.date_p50}."


def _left_out(moving: Sequence[SubnetForecast], found: ForecastResult) -> list[str]:
    flat = len([s for s in found.subnets if s.fan is not None]) - len(moving)
    more = len(moving) - MOST_FANS
    told = [f"drawn are the {MOST_FANS} subnets nearest to running out, {more} more move"] if more > 0 else []
    return told + ([f"not drawn: {counted(flat, 'subnet')} whose use does not change"] if flat else [])


def moves(fan: Fan) -> bool:
    """Whether the use of a subnet changes at all."""
    return float(max(fan.p90)) > float(min(fan.p10))


def _urgency(subnet: SubnetForecast) -> tuple[float, float]:
    """Most likely to run out first, then the fullest."""
    return -(subnet.probability or 0.0), -((subnet.used_now or 0) / (subnet.usable or 1))


def _forecast_chart(subnets: Sequence[SubnetForecast], material: Material) -> Chart:
    fixed = _fixed(material)

    def draw(theme: Theme) -> Figure:
        from capacity.charts.forecast import plot_forecasts

        return plot_forecasts(subnets, fixed=fixed, order=material.order, theme=theme)

    words = "; ".join(f"{s.name}: {s.note}" for s in subnets)
    title = "Share of usable addresses used: median, 80% band" + (", dashed: with the fix" if fixed else "")
    return Chart("forecast", title, f"{words}.", draw)
