"""The answer of `capacity fleet check`: the JSON contract, the page, rows of CSV, and SARIF."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from capacity.fleet.across import Across
from capacity.fleet.check_row import findings_by_severity
from capacity.fleet.run import FleetRun
from capacity.pages.answer import Answer
from capacity.pages.page import Page, Table, TableColumn, Text, Verdict
from capacity.units import counted, some_of
from capacity.vpc.ledger import VERDICTS

MOST_NAMED = 4  # names in a note
MOST_ROWS = 40  # of a table for people; files and other formats have all
NEAR = 0.8  # share of a quota from which the page shows it
INTERNAL = ("usage", "crash", "lost", "report")


def answer(run: FleetRun, found: Across, inputs: Mapping[str, Any]) -> Answer:
    """The answer in every format."""
    clusters = [cluster_json(row) for row in run.rows]
    results = {
        "verdict": overall(run, found),
        "clusters": clusters,
        "shared_subnets": list(found.shared_subnets),
        "vpcs": list(found.vpcs),
        "quotas": list(found.quotas),
        "findings": [dict(f) for f in found.findings],
        "runs_out_first": list(found.first),
    }
    return Answer(
        command="fleet check",
        inputs=inputs,
        results=results,
        page=page(run, found),
        rows=[csv_row(row) for row in clusters],
        warnings=warnings_of(run),
        texts={"sarif": partial(sarif, run, found)},
    )


def warnings_of(run: FleetRun) -> list[str]:
    """What the fleet leaves out, and what it needs to count clusters together."""
    said = []
    if run.sources.others:
        said.append(f"not plans, left out: {some_of(run.sources.others, MOST_NAMED)}")
    if run.left_out:
        said.append(f"in other regions than those of the fleet file, left out: {some_of(run.left_out, MOST_NAMED)}")
    linked = run.sharing.links
    lost = [
        facts.file
        for i, facts in enumerate(run.known)
        if i not in linked and not facts.vpc and not any(s.id for s in facts.subnets)
    ]
    if lost and len(run.known) > 1:
        said.append(
            f"{counted(len(lost), 'plan')} without vpc.id and subnet IDs: not counted together with other clusters "
            f"unless a plan names the other: {some_of(lost, MOST_NAMED)}"
        )
    return said


def cluster_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """One of ``results.clusters``; a plan that could not be answered has the same keys, most of them null."""
    public = {key: value for key, value in row.items() if key not in INTERNAL}
    if row.get("error"):
        empty = dict.fromkeys(("name", "verdict", "tightest", "usd_per_month"))
        return {"plan": row["plan"], **empty, "error": row["error"]}
    public["findings"] = [{k: v for k, v in f.items() if k != "at"} for f in row["findings"]]
    return public


def csv_row(cluster: Mapping[str, Any]) -> dict[str, Any]:
    """A cluster on one line: findings as counts."""
    flat = {key: value for key, value in cluster.items() if key not in ("findings", "check", "tightest", "error")}
    tightest = cluster["tightest"] or dict.fromkeys(("subnet", "scenario", "free", "free_pct"))
    counts = findings_by_severity(cluster.get("findings", ()))
    known = "findings" in cluster
    return {
        **flat,
        **{f"tightest_{key}": value for key, value in tightest.items()},
        **{f"findings_{name}": count if known else None for name, count in counts.items()},
        "error": cluster["error"],
    }


# --- the page ---------------------------------------------------------------------------------


def page(run: FleetRun, found: Across, most: int | None = MOST_ROWS) -> Page:
    """Verdict, clusters with the worst first, what they share, quotas, findings; ``most`` rows of each table."""
    tables = [
        clusters_table(run.rows),
        shared_table(found),
        vpcs_table(found),
        quotas_table(found),
        findings_table(found),
    ]
    cost = cost_sentence(run)
    blocks: list[Any] = [verdict_of(run, found), *([Text(cost)] if cost else [])]
    return Page([*blocks, *(cut(t, most) for t in tables if t.rows)], title_of(run))


def title_of(run: FleetRun) -> str:
    """The title of the fleet's page."""
    name = run.sources.fleet.name
    return f"Pod-IP capacity of {name}" if name else "Pod-IP capacity of a fleet"


def cut(table: Table, most: int | None = MOST_ROWS) -> Table:
    """The first rows of a table, with a note on the others."""
    if most is None or len(table.rows) <= most:
        return table
    left = f"The first {most} of {len(table.rows):,} rows; all: -o json, csv or html."
    return Table(table.columns, table.rows[:most], table.title, left, levels=table.levels)


def verdict_of(run: FleetRun, found: Across) -> Verdict:
    """How many clusters run out, and which first."""
    counts = Counter(row["verdict"] for row in run.answered)
    total = len(run.answered)
    said = []
    if counts["exhausted"]:
        said.append(f"{counts['exhausted']:,} of {counted(total, 'cluster')} {_verb(counts['exhausted'], 'run')} out")
    if counts["tight"]:
        said.append(f"{counts['tight']:,} {'is' if counts['tight'] == 1 else 'are'} tight")
    if run.broken:
        said.append(f"{counted(len(run.broken), 'plan')} could not be answered")
    if total and not (counts["exhausted"] or counts["tight"]):
        rest = "the other " if run.broken else "all " if total != 1 else "the "
        fits = f"{rest}{counted(total, 'cluster')}" if total != 1 else f"{rest}cluster"
        said.append(f"{fits} {_verb(total, 'fit')}")
    across = [f for f in found.findings if f["severity"] == "error"]
    if across:
        said.append(f"{counted(len(across), 'error')} across clusters")
    text = ", ".join(said) + "."
    if found.first and found.first[0]["verdict"] != "ok":
        first = found.first[0]
        text += (
            f" Tightest: {first['name']}, {first['subnet']} in {first['scenario']}: "
            f"{first['free']:,} free ({first['free_pct']:.1f}%)."
        )
    return Verdict(overall(run, found) or "error", text)


def overall(run: FleetRun, found: Across) -> str | None:
    """The verdict of the fleet; None if every answered plan is ok, but some plan could not be answered."""
    return None if found.verdict == "ok" and run.broken else found.verdict


def _verb(count: int, verb: str) -> str:
    return f"{verb}s" if count == 1 else verb


def cost_sentence(run: FleetRun) -> str:
    """The monthly cost of all clusters with prices; empty without any."""
    known = [row for row in run.answered if row["usd_per_month"] is not None]
    if not known:
        return ""
    now = sum(row["usd_per_month"] for row in known)
    peak = sum(row["usd_per_month_peak"] or 0 for row in known)
    missing = len(run.answered) - len(known)
    rest = f"; {counted(missing, 'cluster')} without a complete price" if missing else ""
    return f"Cost: ${now:,.2f} per month now, ${peak:,.2f} at peak, {counted(len(known), 'cluster')}{rest}."


CLUSTERS = (
    TableColumn("name", "cluster"),
    TableColumn("verdict", "verdict"),
    TableColumn("plan", "plan", 3),
    TableColumn("account", "account", 4),
    TableColumn("region", "region", 4),
    TableColumn("subnet", "tightest subnet"),
    TableColumn("scenario", "in scenario", 2),
    TableColumn("free", "free"),
    TableColumn("free_pct", "free %", 1, 1),
    TableColumn("nodes", "nodes", 2),
    TableColumn("usd_per_month", "USD per month", 2, 2),
    TableColumn("error", "error", 0),
)


def clusters_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """All clusters: broken plans first, then the worst."""
    shown = [_cluster_cells(row) for row in ranked(rows)]
    columns = [c for c in CLUSTERS if any(r.get(c.key) not in (None, "") for r in shown)]
    return Table(columns, shown, "Clusters, the tightest first")


def ranked(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rows with broken plans first, then the worst."""
    return sorted(rows, key=_rank)


def _rank(row: Mapping[str, Any]) -> tuple[int, int, float]:
    if row.get("error"):
        return 0, 0, 0.0
    tightest = row["tightest"]
    return 1, -VERDICTS.index(row["verdict"]), tightest["free_pct"] if tightest else 100.0


def _cluster_cells(row: Mapping[str, Any]) -> dict[str, Any]:
    if row.get("error"):
        return {"name": None, "plan": row["plan"], "verdict": "error", "error": row["error"]}
    return {**{c.key: row.get(c.key) for c in CLUSTERS}, **(row["tightest"] or {})}


def shared_table(found: Across) -> Table:
    """Shared subnets and who uses them."""
    rows = [
        {
            **s,
            "of": ", ".join(f"{c['name']} {c['used']:,}" for c in s["clusters"]),
            "scenario": s["worst"]["scenario"] if s["worst"] else None,
            "least": s["worst"]["free"] if s["worst"] else None,
        }
        for s in found.shared_subnets
    ]
    columns = (
        TableColumn("name", "subnet"),
        TableColumn("verdict", "verdict"),
        TableColumn("vpc", "VPC", 4),
        TableColumn("zone", "zone", 4),
        TableColumn("cidr", "CIDR", 3),
        TableColumn("usable", "usable", 2),
        TableColumn("of", "used by clusters", 1),
        TableColumn("other", "by others", 3),
        TableColumn("free", "free now"),
        TableColumn("free_peak", "free at peak"),
        TableColumn("least", "free at worst"),
        TableColumn("scenario", "in scenario", 2),
    )
    return Table(columns, rows, "Shared subnets")


def vpcs_table(found: Across) -> Table:
    """VPCs, and where their next block can come from."""
    rows = [{**v, "next": _next(v["next_block"])} for v in found.vpcs]
    columns = (
        TableColumn("id", "VPC"),
        TableColumn("account", "account", 3),
        TableColumn("region", "region", 3),
        TableColumn("cidrs", "blocks", 2),
        TableColumn("clusters", "clusters"),
        TableColumn("subnets", "subnets", 2),
        TableColumn("usable", "usable", 1),
        TableColumn("free", "free now"),
        TableColumn("free_peak", "free at peak"),
        TableColumn("next", "next /20"),
    )
    return Table(columns, rows, "VPCs")


def _next(block: Mapping[str, Any] | None) -> str:
    if block is None:
        return "none"
    return f"{block['cidr']} ({'free in the VPC' if block['source'] == 'free' else 'new block'})"


def quotas_table(found: Across) -> Table:
    """Quotas that clusters come near to, and those without a known limit that more than one cluster uses."""
    rows = [
        {**q, "scope": q["vpc"] or " ".join(x for x in (q["account_name"] or q["account"], q["region"]) if x) or "–"}
        for q in found.quotas
        if q["verdict"] in ("raise", "over") or (q["limit"] and q["used"] >= NEAR * q["limit"])
    ]
    columns = (
        TableColumn("scope", "account or VPC"),
        TableColumn("what", "quota"),
        TableColumn("used", "used"),
        TableColumn("limit", "limit"),
        TableColumn("limit_source", "from", 2),
        TableColumn("verdict", "verdict"),
        TableColumn("where", "when", 1),
        TableColumn("clusters", "clusters", 2),
    )
    return Table(columns, rows, f"Quotas used to {NEAR:.0%} or more (all: -o json)")


def findings_table(found: Across) -> Table:
    """Findings about several plans."""
    columns = (TableColumn("code", "code"), TableColumn("severity", "severity"), TableColumn("message", "finding"))
    return Table(columns, [dict(f) for f in found.findings], "Findings across clusters")


# --- SARIF ------------------------------------------------------------------------------------


def sarif(run: FleetRun, found: Across) -> str:
    """A SARIF log of all findings: those of each plan at its lines, and those across plans."""
    from capacity.pages.check_ci import sarif_log, sarif_result
    from capacity.plan.locate import FilePlace, line_of

    results = []
    for f in found.findings:
        place = FilePlace(f["plan"], f["line"])
        results.append(sarif_result(f["code"], f["severity"], f["where"], f["message"], place))
    for row in run.answered:
        for f in row["findings"]:
            at = f["at"]
            line = at if isinstance(at, int) else line_of(row["plan"], at)
            message = f"{f['scenario']}: {f['message']}" if f["scenario"] else f["message"]
            one = sarif_result(f["code"], f["severity"], f["where"], message, FilePlace(row["plan"], line))
            one["partialFingerprints"] = {"capacityFinding/v1": f"{f['code']}:{row['name']}:{f['where']}"}
            results.append(one)
    errors = [{"plan": row["plan"], "error": row["error"]} for row in run.broken]
    verdict = verdict_of(run, found)
    return sarif_log(results, {"verdict": overall(run, found), "summary": verdict.sentence, "errors": errors})
