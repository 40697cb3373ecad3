"""A history of free addresses as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from capacity.forecast.history import FillSnapshot, Recorded
from capacity.pages.answer import Answer
from capacity.pages.page import Page, Table, TableColumn, Text
from capacity.units import counted


def answer(into: Path, snapshot: FillSnapshot | None, dropped: int, kept: list[Recorded]) -> Answer:
    """The recorded snapshot, or the contents of the history."""
    results: dict[str, Any] = {
        "file": str(into),
        "snapshots": len(kept),
        "first": kept[0].time.isoformat() if kept else None,
        "last": kept[-1].time.isoformat() if kept else None,
        "dropped": dropped,
    }
    said = f"{into}: {counted(len(kept), 'snapshot')}"
    if kept:
        days = dict.fromkeys(f"{r.time:%Y-%m-%d}" for r in (kept[0], kept[-1]))
        said += f" from {' to '.join(days)}"
    if dropped:
        said += f", {counted(dropped, 'older one')} dropped"
    if snapshot is None:
        rows = [_recorded_json(r) for r in kept]
        results["recorded"] = rows
        columns = [TableColumn(k, k) for k in ("time", "subnets", "free", "nodes", "pods", "source")]
    else:
        rows = [_fill_json(s) for s in snapshot.subnets]
        results |= {"time": snapshot.time.isoformat(timespec="seconds"), "source": snapshot.source}
        results |= {"nodes": snapshot.nodes, "pods": snapshot.pods, "subnets": rows}
        columns = [TableColumn("name", "subnet"), TableColumn("usable", "usable"), TableColumn("free", "free")]
        columns.append(TableColumn("free_prefixes", "free /28 ≤"))
        said += f"; recorded {counted(len(rows), 'subnet')} at {snapshot.time:%Y-%m-%d %H:%M} UTC"
    inputs = {"into": str(into), "source": snapshot.source if snapshot else None}
    table = [Table(columns, rows)] if rows else []
    return Answer("record", inputs, results, Page([Text(f"{said}."), *table]), rows, dated=False)


def _fill_json(s: Any) -> dict[str, Any]:
    return {
        "name": s.name,
        "usable": s.usable,
        "free": s.free,
        "free_prefixes": s.free_prefixes,
        "used": dict(s.holders) or None,
    }


def _recorded_json(r: Recorded) -> dict[str, Any]:
    return {
        "time": r.time.isoformat(),
        "subnets": r.subnets,
        "free": r.free,
        "nodes": r.nodes,
        "pods": r.pods,
        "source": r.source,
    }
