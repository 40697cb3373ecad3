"""A forecast as an answer: the JSON contract and the page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from capacity.forecast.result import INSUFFICIENT, Backtest, Fan, ForecastResult, SubnetForecast
from capacity.forecast.words import already_sentence, percent, sentence
from capacity.pages.answer import Answer
from capacity.pages.page import Page, Table, TableColumn, Text
from capacity.plan.model import Plan


def answer(result: ForecastResult, plan: Plan | None, horizon: str, history: Sequence[str], *, fan: bool) -> Answer:
    """The answer of `forecast` in every format."""
    rows = [subnet_json(s, fan=False) for s in result.subnets]
    return Answer(
        command="forecast",
        inputs={
            "plan": plan.file if plan else None,
            "history": list(history),
            "as_of": result.start.isoformat(),
            "horizon": horizon,
            "until": result.end.isoformat(),
            "scenario": result.scenario,
            "paths": result.paths,
            "seed": result.seed,
            "exact": result.exact,
        },
        results=[subnet_json(s, fan=fan) for s in result.subnets],
        page=page(result),
        rows=rows,
        warnings=result.notes,
        said=[said] if (said := already_sentence(result)) else [],
    )


def subnet_json(s: SubnetForecast, *, fan: bool) -> dict[str, Any]:
    """One of ``results``."""
    row: dict[str, Any] = {
        "name": s.name,
        "date_p10": _iso(s.date_p10),
        "date_p50": _iso(s.date_p50),
        "date_p90": _iso(s.date_p90),
        "probability_within_horizon": None if s.probability is None else round(s.probability, 6),
        "method": s.method,
        "status": s.status,
        "usable": s.usable,
        "used_now": s.used_now,
        "used_at_horizon": _at_end(s.fan),
        "exhausted_in": list(s.exhausted_in),
        "note": s.note,
    }
    if s.trend:
        row["trend"] = dict(s.trend)
    if s.backtest:
        row["backtest"] = backtest_json(s.backtest)
    if fan and s.fan:
        row["fan"] = {
            "dates": [d.isoformat() for d in s.fan.dates],
            "used_p10": _numbers(s.fan.p10),
            "used_p50": _numbers(s.fan.p50),
            "used_p90": _numbers(s.fan.p90),
        }
    return row


def backtest_json(b: Backtest) -> dict[str, Any]:
    """How accurate the same forecast from earlier days would have been."""
    return {
        "origins": b.origins,
        "points": b.points,
        "coverage": _rounded(b.coverage),
        "median_abs_error": _rounded(b.median_abs_error),
        "dates": b.dates,
        "date_coverage": _rounded(b.date_coverage),
        "date_error_days": _rounded(b.date_error_days),
    }


def _at_end(fan: Fan | None) -> dict[str, int] | None:
    if fan is None:
        return None
    return {"p10": round(float(fan.p10[-1])), "p50": round(float(fan.p50[-1])), "p90": round(float(fan.p90[-1]))}


def _numbers(values: Any) -> list[int]:
    return [round(float(v)) for v in values]


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def page(result: ForecastResult) -> Page:
    """The answer in one sentence, then each subnet."""
    blocks: list[Text | Table] = [Text(sentence(result)), _table(result)]
    tested = [s for s in result.subnets if s.backtest]
    return Page([*blocks, *([_backtest_table(tested)] if tested else [])])


def _table(result: ForecastResult) -> Table:
    rows = []
    for s in result.subnets:
        end = _at_end(s.fan)
        row = subnet_json(s, fan=False) | {
            "end": None if end is None else f"{end['p10']:,}–{end['p90']:,}",
            "probability": None if s.probability is None else percent(s.probability),
            "note": f"{INSUFFICIENT}: {s.note}" if s.status == INSUFFICIENT else s.note,
        }
        rows.append(row)
    columns = [
        TableColumn("name", "subnet"),
        TableColumn("usable", "usable", 2),
        TableColumn("used_now", "used now", 1),
        TableColumn("end", f"used {result.end}", 1),
        TableColumn("date_p10", "P10 (early)"),
        TableColumn("date_p50", "P50 (likely)"),
        TableColumn("date_p90", "P90 (late)"),
        TableColumn("probability", "probability"),
        TableColumn("note", "summary"),
    ]
    if result.exact:
        columns = [c for c in columns if c.key not in ("date_p10", "date_p90", "probability")]
        columns = [c._replace(heading="runs out") if c.key == "date_p50" else c for c in columns]
        for row in rows:
            row["end"] = row["used_at_horizon"]["p50"] if row["used_at_horizon"] else None
    how = (
        "calculated for each day" if result.exact else f"{result.paths:,} simulations; P10: full by then in 10% of them"
    )
    return Table(columns, rows, f"{result.start} to {result.end}, {result.scenario}: {how}")


def _backtest_table(tested: Sequence[SubnetForecast]) -> Table:
    rows = [{"name": s.name} | backtest_json(s.backtest) for s in tested if s.backtest]
    columns = (
        TableColumn("name", "subnet"),
        TableColumn("origins", "origins", 1),
        TableColumn("points", "days checked", 1),
        TableColumn("coverage", "within P10–P90", 0, 2),
        TableColumn("median_abs_error", "error (addresses)", 0, 1),
        TableColumn("dates", "dates checked", 1),
        TableColumn("date_coverage", "dates within", 0, 2),
        TableColumn("date_error_days", "error (days)", 0, 1),
    )
    return Table(columns, rows, "Backtest: 80% are expected within P10–P90")
