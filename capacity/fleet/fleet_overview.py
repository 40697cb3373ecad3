"""The overview of a fleet as one HTML file: makes no requests, works without JavaScript, sorts and filters with it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

from capacity.fleet.across import Across
from capacity.fleet.check_row import findings_by_severity
from capacity.fleet.fleet_page import (
    cost_sentence,
    findings_table,
    quotas_table,
    ranked,
    shared_table,
    title_of,
    verdict_of,
    vpcs_table,
    warnings_of,
)
from capacity.fleet.run import FleetRun
from capacity.pages.answer import Answer
from capacity.pages.cells import plain, shown
from capacity.pages.html import page_style
from capacity.pages.page import TableColumn

FINDINGS = "findings"
MOST_FINDINGS = 6  # of a cluster, the worst first; the rest are counted: 1,000 clusters stay below 3 MB

COLUMNS = (
    TableColumn("name", "cluster"),
    TableColumn("verdict", "verdict"),
    TableColumn(FINDINGS, "findings"),
    TableColumn("subnet", "tightest subnet"),
    TableColumn("scenario", "in scenario", 1),
    TableColumn("free", "free"),
    TableColumn("free_pct", "free %", 1, 1),
    TableColumn("usd_per_month", "USD per month", 2, 2),
    TableColumn("vpc", "VPC", 2),
    TableColumn("account", "account", 3),
    TableColumn("nodes", "nodes", 3),
    TableColumn("region", "region", 4),
    TableColumn("plan", "plan", 4),
)
NARROW = {1: 640, 2: 900, 3: 1180, 4: 1600}  # width of the window below which a rank is left out [px]
DETAILS = ("plan", "account", "region", "vpc")


def with_overview(answer: Answer, run: FleetRun, found: Across) -> Answer:
    """The answer of a check that can also be written as the overview."""
    from capacity import __version__

    return replace(answer, texts={**answer.texts, "html": partial(render_overview, run, found, __version__)})


def render_overview(run: FleetRun, found: Across, version: str, reports: Mapping[str, str] | None = None) -> str:
    """The whole page; ``reports`` has the address of each plan's report, relative to the page.

    Notes
    -----
    Everything from a plan passes jinja2's autoescape; only our style and script do not. A content security policy
    allows that script by its hash and no request at all.
    """
    from markupsafe import Markup

    script = _part("overview.js")
    clusters = [_cells(row, reports or {}) for row in ranked(run.rows)]
    used = [c for c in COLUMNS if c.key == FINDINGS or any(row[c.key] not in (None, "") for row in clusters)]
    tables = [findings_table(found), shared_table(found), vpcs_table(found), quotas_table(found)]
    text: str = _template().render(
        title=title_of(run),
        verdict=verdict_of(run, found),
        cost=cost_sentence(run),
        clusters=clusters,
        columns=used,
        narrow=_narrow(used),
        tables=[table for table in tables if table.rows],
        warnings=warnings_of(run),
        version=version,
        css=Markup(page_style()),
        script=Markup(script),
        script_hash="sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    return text


def _narrow(columns: Sequence[TableColumn]) -> list[tuple[int, str]]:
    """Widths of the window, and the cells that are left out below them."""
    places = {rank: [i for i, c in enumerate(columns, 1) if c.rank == rank] for rank in NARROW}
    cells = {rank: ", ".join(f"#table tr > :nth-child({i})" for i in found) for rank, found in places.items()}
    return [(NARROW[rank], found) for rank, found in cells.items() if found]


def _cells(row: Mapping[str, Any], reports: Mapping[str, str]) -> dict[str, Any]:
    """A cluster's row; a broken plan has its error in place of findings."""
    empty: dict[str, Any] = dict.fromkeys(c.key for c in COLUMNS)
    if row.get("error"):
        told = [{"code": "", "severity": "error", "scenario": None, "message": row["error"]}]
        broken = {"plan": row["plan"], "name": row["plan"], "verdict": "error", "href": None, "more": row["plan"]}
        return empty | broken | {"findings": told, "counted": "error", "left_out": ""}
    findings: Sequence[Mapping[str, Any]] = row["findings"]
    counts = findings_by_severity(findings)
    left = len(findings) - MOST_FINDINGS
    return {
        **{c.key: row.get(c.key) for c in COLUMNS},
        **(row["tightest"] or {}),
        "href": reports.get(row["plan"]),
        "more": " · ".join(row[key] for key in DETAILS if row.get(key)),
        "findings": findings[:MOST_FINDINGS],
        "counted": ", ".join(f"{count} {severity}" for severity, count in counts.items() if count),
        "left_out": f"{left} more: capacity check {row['plan']}" if left > 0 else "",
    }


@cache
def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("capacity.fleet", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(shown=shown, plain=plain)
    return environment.get_template("overview.html")


def _part(name: str) -> str:
    from importlib.resources import files

    return (files("capacity.fleet") / "templates" / name).read_text(encoding="utf-8")
