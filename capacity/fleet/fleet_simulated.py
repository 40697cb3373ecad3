"""The answer of `capacity fleet simulate`: JSON, the page, and rows of CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from capacity.fleet.fleet_outlook import cluster_of, named, tables_of
from capacity.fleet.fleet_page import cut, warnings_of
from capacity.fleet.run import FleetRun
from capacity.pages.answer import Answer
from capacity.pages.page import Page, Table, TableColumn, Text
from capacity.sim.facade import span
from capacity.units import counted

NEVER = float("inf")
FIRST = ("subnet", "exhausted_at", "exhausted_share")
FIGURES = ("pods_started", "pods_waited", "pods_never_started", "pods_unschedulable", "delay_p99_s", "ec2_calls")


def simulate_answer(run: FleetRun, inputs: Mapping[str, Any]) -> Answer:
    """Which cluster runs out first while the scenario happens, and where pods wait longest."""
    rows = sorted((row for row in run.answered if not row["not_simulated"]), key=_urgency)
    left = [row for row in run.answered if row["not_simulated"]]
    results = {
        "clusters": [cluster_of(row) for row in run.rows],
        "runs_out_first": [named(row) | row["first"] for row in rows if row["first"]],
    }
    lines = [_line(row) for row in (*rows, *left)]
    broken = [{"plan": row["plan"], "error": row["error"]} for row in run.broken]
    page = _page(run, rows, left, inputs)
    return Answer("fleet simulate", inputs, results, page, lines + broken, warnings_of(run))


def _urgency(row: Mapping[str, Any]) -> tuple[float, float, float]:
    """The first to run out, then the longest delay, then the most pods that wait."""
    at = row["first"]["exhausted_at"] if row["first"] else NEVER
    return at, -(row["delay_p99_s"] or 0), -row["pods_waited"]


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    first = row["first"] or dict.fromkeys(FIRST)
    return named(row) | first | {key: row[key] for key in FIGURES} | {"not_simulated": row["not_simulated"]}


def _page(
    run: FleetRun, rows: Sequence[Mapping[str, Any]], left: Sequence[Mapping[str, Any]], inputs: Mapping[str, Any]
) -> Page:
    out = [row for row in rows if row["first"]]
    waiting = [row for row in rows if row["pods_waited"] or row["pods_never_started"]]
    said = (
        f"{inputs['scenario']}, {span(inputs['seconds'])}: {len(out):,} of {counted(len(rows), 'cluster')} can run out."
    )
    if out:
        first = out[0]
        said += f" First: {first['name']}, {first['first']['subnet']}, after {span(first['first']['exhausted_at'])}."
    said += f" Pods wait for an address in {counted(len(waiting), 'cluster')}."
    if left:
        said += f" {counted(len(left), 'cluster')} not simulated."
    several = inputs["seeds"] > 1
    means = (
        f"Means of {inputs['seeds']:,} seeds; P99 of the pods of all of them; the first time of any." if several else ""
    )
    table = Table(_columns(several), [_shown(row) for row in rows], "Clusters, the first to run out first", means)
    why = (TableColumn("name", "cluster"), TableColumn("plan", "plan", 1), TableColumn("not_simulated", "reason"))
    others = Table(why, left, "Clusters that are not simulated")
    tables = tables_of(table, run)
    return Page([Text(said), *tables[:1], *([cut(others)] if left else []), *tables[1:]])


def _columns(several: bool) -> tuple[TableColumn, ...]:
    decimals = 1 if several else 0
    share = (TableColumn("share", "runs out in", 1),) if several else ()
    return (
        TableColumn("name", "cluster"),
        TableColumn("plan", "plan", 4),
        TableColumn("account", "account", 5),
        TableColumn("region", "region", 5),
        TableColumn("subnet", "runs out first"),
        TableColumn("after", "after"),
        *share,
        TableColumn("pods_started", "pods", 2, decimals),
        TableColumn("pods_waited", "waited over 1s", 0, decimals),
        TableColumn("pods_never_started", "never got an address", 1, decimals),
        TableColumn("pods_unschedulable", "unschedulable", 2, decimals),
        TableColumn("p99", "P99 delay"),
        TableColumn("ec2_calls", "EC2 calls", 0, decimals),
    )


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A line of the table: times for people."""
    line = _line(row)
    at, share, delay = line["exhausted_at"], line["exhausted_share"], line["delay_p99_s"]
    return line | {
        "after": None if at is None else span(at),
        "share": None if share is None else f"{share:.0%}",
        "p99": None if delay is None else span(delay),
    }
