"""The state of the data behind every answer, as pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from capacity.catalog.cache import differences, layer_status
from capacity.pages.answer import Answer
from capacity.pages.page import Page, Table, TableColumn, Text, Verdict

if TYPE_CHECKING:
    from capacity.catalog.cache import LayerStatus
    from capacity.catalog.status import DataStatus
    from capacity.catalog.verify import Check


def status_answer(now: DataStatus, layers: Sequence[LayerStatus] = ()) -> Answer:
    """The state of the data as an answer to print; ``layers`` override the package."""
    lying = [layer_row(layer, now.as_of) for layer in layers]
    files = [{"name": f.name, "rows": f.rows, "checksum_ok": f.fault is None} for f in now.files]
    sources = [source_row(s) for s in now.sources]
    prices = [
        {"region": p.region, "currency": p.currency, "prices": p.prices, "date": p.date, "age_days": p.age_days}
        for p in now.prices
    ]
    unknown = list(now.without_eni_figures)
    results = {
        "date": now.date,
        "age_days": now.age_days,
        "types": now.types,
        "files": files,
        "sources": sources,
        "prices": prices,
        "without_eni_figures": unknown,
    }
    over: list[Table] = []
    if lying:
        results["layers"] = lying
        over = [Table(_LAYER_COLUMNS, lying, "In addition to the package; a later layer overrides an earlier one")]
    return Answer(
        command="data status",
        inputs={"as_of": now.as_of.isoformat()},
        results=results,
        page=Page(
            [
                Text(f"{now.types:,} instance types, limits of {now.date} ({age(now.age_days, now.as_of)})"),
                Table(_FILE_COLUMNS, files, "Data files"),
                Table(_SOURCE_COLUMNS, sources, "Sources"),
                Table(_PRICE_COLUMNS, prices, "On-demand prices"),
                Text(f"No ENI figures for {len(unknown)} types: {', '.join(unknown)}"),
                *over,
            ]
        ),
        rows=[
            *({"kind": "file", **row} for row in files),
            *({"kind": "source", **row} for row in sources),
            *({"kind": "prices", **row} for row in prices),
            *({"kind": "layer", **row} for row in lying),
        ],
        warnings=[f.fault for f in now.files if f.fault],
        dated=False,
    )


_FILE_COLUMNS = (TableColumn("name", "file"), TableColumn("rows", "rows"), TableColumn("checksum_ok", "checksum ok"))
_SOURCE_COLUMNS = (
    TableColumn("name", "key", 1),
    TableColumn("title", "source"),
    TableColumn("date", "date"),
    TableColumn("age_days", "age (days)"),
    TableColumn("types", "types"),
)
_PRICE_COLUMNS = (
    TableColumn("region", "region"),
    TableColumn("currency", "currency"),
    TableColumn("prices", "prices"),
    TableColumn("date", "date"),
    TableColumn("age_days", "age (days)"),
)
_LAYER_COLUMNS = (
    TableColumn("name", "layer"),
    TableColumn("holds", "holds"),
    TableColumn("rows", "rows"),
    TableColumn("date", "date"),
    TableColumn("age_days", "age (days)"),
    TableColumn("path", "file", 1),
)


def layer_row(layer: LayerStatus, day: dt.date) -> dict[str, Any]:
    """One layer with its age; overrides have no date."""
    age = (day - dt.date.fromisoformat(layer.date)).days if layer.date else None
    return {
        "name": layer.name,
        "holds": layer.holds,
        "rows": layer.rows,
        "date": layer.date or None,
        "age_days": age,
        "path": layer.path,
    }


def source_row(entry: Any) -> dict[str, Any]:
    """One source with its age and how many types cite it."""
    source = entry.source
    return {
        "name": source.key,
        "title": source.title,
        "origin": source.origin,
        "path": source.path,
        "version": source.version,
        "licence": source.licence,
        "date": source.date.isoformat() if source.date else None,
        "age_days": entry.age_days,
        "types": entry.types,
    }


def age(days: int, day: dt.date) -> str:
    """``1 day old on 2026-10-28``, ``28 days old on …``, ``3 days after …``."""
    count = f"{abs(days):,} day{'' if abs(days) == 1 else 's'}"
    return f"{count} old on {day}" if days >= 0 else f"{count} after {day}"


def verify_answer(checks: list[Check]) -> Answer:
    """The checks of the data and their failures, as an answer."""
    rows = [
        {"check": c.name, "checked": c.checked, "failed": len(c.failures), "passed": not c.failures, "what": c.what}
        for c in checks
    ]
    failed = sum(len(c.failures) for c in checks)
    total = sum(c.checked for c in checks)
    verdict = f"{total:,} figures checked, " + (f"{failed:,} failures" if failed else "all correct")
    listed = [{**row, "failures": c.failures} for row, c in zip(rows, checks, strict=True)]
    columns = (
        TableColumn("check", "check"),
        TableColumn("checked", "checked"),
        TableColumn("failed", "failed"),
        TableColumn("what", "what is checked"),
    )
    return Answer(
        command="data verify",
        inputs={},
        results={"passed": failed == 0, "checked": total, "failed": failed, "checks": listed},
        page=Page([Verdict("error" if failed else "ok", f"{verdict}.", named=False), Table(columns, rows)]),
        rows=rows,
        dated=False,
    )


def refresh_answer(inputs: Mapping[str, Any], results: Mapping[str, Any], warnings: Sequence[str]) -> Answer:
    """What a refresh stored."""
    new = results["new_types"]
    found = f"{results['instance_types']:,} instance types"
    found += f" ({len(new)} new: {', '.join(new[:20])})" if new else ""
    said = f"{found} and {results['prices']:,} prices from {results['date']} in {results['cache']}"
    return Answer(
        command="data refresh",
        inputs=inputs,
        results=results,
        page=Page([Text(said), Text("What changed: capacity data diff")]),
        rows=[results],
        warnings=warnings,
        dated=False,
    )


def prices_answer(inputs: Mapping[str, Any], results: Mapping[str, Any], warnings: Sequence[str]) -> Answer:
    """What was stored from a price list."""
    said = (
        f"{results['prices']:,} prices and {results['fees']:,} EKS fees of {results['region']}, published "
        f"{results['date']}, in {results['cache']}"
    )
    page = Page([Text(said)])
    return Answer("data refresh", inputs, results, page, [results], warnings, dated=False)


def diff_answer() -> Answer:
    """Every figure that a layer changes."""
    layers = [layer.name for layer in layer_status()]
    rows = [
        {"instance_type": d.instance_type, "field": d.field, "packaged": d.packaged, "used": d.used}
        for d in differences()
    ]
    names = " and ".join(dict.fromkeys(layers))
    changed = len({r["instance_type"] for r in rows})
    verdict = (
        f"{len(rows):,} figures of {changed:,} types differ from the package, by {names}"
        if rows
        else f"Nothing differs from the package ({names or 'no cache and no overrides'})"
    )
    columns = (
        TableColumn("instance_type", "type"),
        TableColumn("field", "field"),
        TableColumn("packaged", "packaged"),
        TableColumn("used", "used"),
    )
    return Answer(
        command="data diff",
        inputs={},
        results=rows,
        page=Page([Text(f"{verdict}."), *([Table(columns, rows)] if rows else [])]),
        rows=rows,
        dated=False,
    )
