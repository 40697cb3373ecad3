"""The answers of `capacity fleet forecast` and `optimize`: JSON, the page, and rows of CSV."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from capacity.fleet.fleet_page import cut, warnings_of
from capacity.fleet.run import FleetRun
from capacity.forecast.words import percent
from capacity.pages.answer import Answer
from capacity.pages.page import Page, Table, TableColumn, Text
from capacity.units import counted, some_of

Ranked = Callable[[Mapping[str, Any]], Any]
LATE = "9999"
PROBABILITY = "probability_within_horizon"


def forecast_answer(run: FleetRun, inputs: Mapping[str, Any]) -> Answer:
    """Who runs out first, and when."""
    rows = sorted(run.answered, key=_when)
    clusters = [cluster_of(row) for row in run.rows]
    results = {
        "clusters": clusters,
        "runs_out_first": [named(row) | row["first"] for row in rows if row["first"]],
    }
    lines = [
        named(row) | {k: v for k, v in subnet.items() if k not in ("trend", "backtest", "used_at_horizon")}
        for row in run.answered
        for subnet in row["subnets"]
    ]
    broken = [{"plan": row["plan"], "error": row["error"]} for row in run.broken]
    return Answer("fleet forecast", inputs, results, _forecast_page(run, rows), lines + broken, warnings_of(run))


def _when(row: Mapping[str, Any]) -> tuple[str, str]:
    first = row["first"] or {}
    return first.get("date_p50") or LATE, first.get("date_p10") or LATE


def named(row: Mapping[str, Any]) -> dict[str, Any]:
    """What names a cluster in a list."""
    return {key: row.get(key) for key in ("plan", "name", "account", "region")}


def cluster_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """One of ``results.clusters``."""
    if row.get("error"):
        return {"plan": row["plan"], "name": None, "error": row["error"]}
    return dict(row)


def _forecast_page(run: FleetRun, rows: Sequence[Mapping[str, Any]]) -> Page:
    out = [row for row in rows if row["first"]]
    still = [row for row in run.answered if not row["grows"]]
    said = f"{len(out):,} of {counted(len(run.answered), 'cluster')} can run out within the horizon."
    if out and out[0]["first"]["date_p50"]:
        first = out[0]
        said += f" First: {first['name']}, {first['first']['subnet']}, probably by {first['first']['date_p50']}."
    if still:
        said += f" No growth in {counted(len(still), 'plan')}: {some_of([row['name'] for row in still], 5)}."
    columns = (
        TableColumn("name", "cluster"),
        TableColumn("plan", "plan", 3),
        TableColumn("account", "account", 4),
        TableColumn("region", "region", 4),
        TableColumn("subnet", "subnet"),
        TableColumn("date_p10", "P10 (early)"),
        TableColumn("date_p50", "P50 (likely)"),
        TableColumn("date_p90", "P90 (late)"),
        TableColumn("probability", "probability", 1),
    )
    lines = [named(row) | row["first"] | {"probability": percent(row["first"][PROBABILITY])} for row in out]
    table = Table(columns, lines, "Clusters that run out, the first one first")
    return Page([Text(said), *tables_of(table, run)])


def optimize_answer(run: FleetRun, inputs: Mapping[str, Any]) -> Answer:
    """What to buy for every cluster, and what that saves."""
    rows = sorted(run.answered, key=lambda row: -(row["saves_usd_per_month"] or 0))
    saved = round(sum(row["saves_usd_per_month"] or 0 for row in rows), 2)
    results = {
        "clusters": [cluster_of(row) for row in run.rows],
        "usd_per_month": round(sum(row["usd_per_month"] or 0 for row in rows), 2),
        "saves_usd_per_month": saved,
    }
    compared = sum(row["saves_usd_per_month"] is not None for row in rows)
    cost = f"${-saved:,.2f} more" if saved < 0 else f"${saved:,.2f} less"
    said = (
        f"The cheapest node groups that pass the check cost {cost} per month than the plans' own groups, in "
        f"{counted(compared, 'cluster')} whose own groups have a price."
    )
    columns = (
        TableColumn("name", "cluster"),
        TableColumn("plan", "plan", 3),
        TableColumn("region", "region", 4),
        TableColumn("status", "status"),
        TableColumn("buy", "node groups"),
        TableColumn("usd_per_month", "USD per month", 0, 2),
        TableColumn("usd_per_month_current", "own groups", 1, 2),
        TableColumn("saves_usd_per_month", "saves", 0, 2),
        TableColumn("current", "own groups are", 2),
    )
    lines = [named(row) | {c.key: row.get(c.key) for c in columns[3:]} | {"buy": _bought(row)} for row in rows]
    table = Table(columns, lines, "Node groups to buy, the largest saving first")
    broken = [{"plan": row["plan"], "error": row["error"]} for row in run.broken]
    page = Page([Text(said), *tables_of(table, run)])
    return Answer("fleet optimize", inputs, results, page, lines + broken, warnings_of(run))


def _range(now: int, peak: int) -> str:
    return f"{now:,}" if now == peak else f"{now:,}–{peak:,}"


def _bought(row: Mapping[str, Any]) -> str:
    groups = [f"{_range(g['nodes'], g['nodes_peak'])} × {'/'.join(g['instance_types'])}" for g in row["node_groups"]]
    return ", ".join(groups) or "nothing"


def tables_of(table: Table, run: FleetRun) -> list[Table]:
    """The table, and the plans that could not be answered."""
    broken = [{"plan": row["plan"], "error": row["error"]} for row in run.broken]
    columns = (TableColumn("plan", "plan"), TableColumn("error", "error"))
    tables = [table, Table(columns, broken, "Plans that could not be answered")]
    return [cut(t) for t in tables if t.rows]
