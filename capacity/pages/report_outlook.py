"""Sections of the report: what happens if the plan grows or its settings change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.forecast.words import sentence
from capacity.pages.page import Chart, CodeBlock, Section, Table, TableColumn, Text
from capacity.pages.report_blocks import Block, Explorer
from capacity.plan.scenarios import when_words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from capacity.advice.warm import WarmAnswer
    from capacity.charts.theme import Theme
    from capacity.forecast.result import SubnetForecast
    from capacity.pages.report_material import Material

MOST_FANS = 4  # forecasts drawn: those of the subnets that run out first


def what_if_section(material: Material) -> Section:
    if material.explorer is None:
        return Section("what-if", "What if", [])
    words = (
        "Nodes and replicas of the steady scenario are scaled and rounded up, even above the maximum of a group, with "
        "the CNI settings of the plan and common alternatives. The check calculated every figure; this page only "
        "looks it up."
    )
    blocks: list[Block] = [Text(words), Explorer(material.explorer)]
    return Section("what-if", "What if", blocks + _warm(material.warm))


def _warm(answer: WarmAnswer | None) -> list[Block]:
    """The trade-off of the warm settings, and the one that capacity warm recommends."""
    if answer is None:
        return []

    def draw(theme: Theme) -> Figure:
        from capacity.charts.trade import plot_warm_tradeoff, warm_choices

        return plot_warm_tradeoff(warm_choices(answer), theme=theme)

    best = answer.recommendation
    words = "No other setting is better than the current one."
    if best is not None and best.change:
        words = f"Recommended: {best.row.targets.label} – {best.rule}."
    blocks: list[Block] = [Chart("warm", "IP cost vs. instant pod starts", words, draw)]
    if best is not None and best.commands and best.change:
        blocks.append(CodeBlock("\n".join(best.commands), "to set the recommended targets"))
    return blocks


def forecast_section(material: Material) -> Section:
    found = material.forecast
    if found is None:
        text = "No forecast: no workload of the plan has growth. capacity forecast --history forecasts from past usage."
        return Section("forecast", "Forecast", [Text(text)])
    rows = [
        {
            "subnet": s.name,
            "usable": s.usable,
            "now": s.used_now,
            "p10": s.date_p10.isoformat() if s.date_p10 else None,
            "p50": s.date_p50.isoformat() if s.date_p50 else None,
            "p90": s.date_p90.isoformat() if s.date_p90 else None,
            "probability": None if s.probability is None else round(100 * s.probability, 1),
            "note": s.note,
        }
        for s in found.subnets
    ]
    columns = (
        TableColumn("subnet", "subnet"),
        TableColumn("usable", "usable"),
        TableColumn("now", "used now"),
        TableColumn("p10", "P10 (early)"),
        TableColumn("p50", "P50 (likely)"),
        TableColumn("p90", "P90 (late)"),
        TableColumn("probability", f"full by {found.end}, % of simulations", 0, 1),
        TableColumn("note", "summary"),
    )
    paths = (
        "each day is calculated exactly, without simulation"
        if found.exact
        else f"{found.paths:,} simulations; P10: full by then in 10% of them"
    )
    text = f"{found.start} to {found.end}, from the growth of the workloads {when_words(found.scenario)}; {paths}."
    blocks: list[Block] = [Text(sentence(found)), Text(text), Table(columns, rows, "When each subnet runs out")]
    blocks += [Text(note) for note in found.notes]
    fullest = sorted((s for s in found.subnets if s.fan is not None), key=_urgency)
    return Section("forecast", "Forecast", blocks + [_fan_chart(i, s) for i, s in enumerate(fullest[:MOST_FANS], 1)])


def _urgency(subnet: SubnetForecast) -> tuple[float, float]:
    """Most likely to run out first, then the fullest."""
    return -(subnet.probability or 0.0), -((subnet.used_now or 0) / (subnet.usable or 1))


def _fan_chart(number: int, subnet: SubnetForecast) -> Chart:
    def draw(theme: Theme) -> Figure:
        from capacity.charts.forecast import plot_forecast

        return plot_forecast(subnet, theme=theme)

    return Chart(f"forecast-{number}", f"Forecast of {subnet.name}", f"{subnet.note}.", draw)
