"""A checkup of a live cluster as a page: the worst first, and how to fix it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capacity.advice.checkup import STATUSES, Checkup
from capacity.advice.doctor import verdict
from capacity.advice.node_figures import GroupFigures, NodeFigures, by_group, reason, reasons, span
from capacity.pages.answer import Answer
from capacity.pages.page import CodeBlock, Page, Table, TableColumn, Verdict

if TYPE_CHECKING:
    from capacity.readers.aws.aws_cluster import AwsCluster

_MARKS = {"fail": "FAIL", "warn": "warn", "unknown": "?", "ok": "ok"}


def _evidence(row: Mapping[str, object]) -> str:
    """The evidence, after the place that it is about."""
    return f"{row['where']}: {row['evidence']}" if row["where"] else str(row["evidence"])


def answer(
    checks: tuple[Checkup, ...], model: Iterable[NodeFigures], found: AwsCluster, files: Mapping[str, Path | None]
) -> Answer:
    """The list as an answer: the worst first on the page, in the order of the list in JSON; ``files`` are inputs.

    ``model``: the nodes in the model and as AWS describes them.
    """
    groups = by_group(model)
    rows = [
        {
            "id": c.kind.ident,
            "status": c.status,
            "severity": c.kind.severity,
            "title": c.kind.title,
            "where": c.where,
            "evidence": c.evidence,
            "command": c.command or None,
            "why": c.kind.why,
            "source": c.kind.source,
        }
        for c in checks
    ]
    counts = {s: sum(r["status"] == s for r in rows) for s in reversed(STATUSES)}
    overall = verdict(checks)
    graded = sorted(rows, key=lambda r: -STATUSES.index(str(r["status"])))
    shown = [{**r, "status": _MARKS[str(r["status"])], "evidence": _evidence(r)} for r in graded]
    todo = [r for r in graded if r["status"] in ("fail", "warn") and r["command"]]
    columns = (
        TableColumn("status", "status"),
        TableColumn("id", "check"),
        TableColumn("evidence", "evidence"),
    )
    tally = ", ".join(f"{n} {s}" for s, n in counts.items())
    sentence = f"{found.name}: {_SENTENCES[overall]} ({tally})."
    blocks: list[Verdict | Table | CodeBlock] = [Verdict(overall, sentence, named=False), Table(columns, shown)]
    if groups:
        blocks.append(model_table(groups))
    if todo:
        fixes = [f"# {r['id']}{' ' + str(r['where']) if r['where'] else ''}\n{r['command']}" for r in todo]
        blocks.append(CodeBlock("\n".join(fixes), "How to fix it", "sh"))
    return Answer(
        command="doctor",
        inputs={
            "cluster": found.name,
            "region": found.region,
            **{name: str(path) if path else None for name, path in files.items()},
        },
        results={
            "verdict": overall,
            "counts": counts,
            "checks": rows,
            "model": [_group_json(g) for g in groups],
        },
        page=Page(blocks),
        rows=rows,
        warnings=[g.line for g in found.gaps] + list(found.answers.notes),
    )


_MODEL = (
    TableColumn("group", "node group"),
    TableColumn("nodes", "nodes", 1),
    TableColumn("model", "model"),
    TableColumn("range", "possible", 1),
    TableColumn("held", "yours"),
    TableColumn("off", "nodes off"),
    TableColumn("why", "likely reason", 2),
)


def model_table(groups: Sequence[GroupFigures]) -> Table:
    """The addresses of each group's nodes in the model and as AWS describes them."""
    rows = [
        {
            "group": g.group or "(no node group)",
            "nodes": len(g.nodes),
            "model": g.expected,
            "range": span(g.bounds),
            "held": g.held,
            "off": len(g.off),
            "why": reasons(g),
        }
        for g in groups
    ]
    unknown = "" if all(g.pods_known for g in groups) else "; without the pods (--kubectl FILE) the model has a range"
    return Table(_MODEL, rows, f"Addresses of the nodes, against the model{unknown}")


def _group_json(group: GroupFigures) -> dict[str, Any]:
    low, high = group.bounds
    return {
        "node_group": group.group,
        "nodes": len(group.nodes),
        "pods_known": group.pods_known,
        "expected": group.expected,
        "lowest": low,
        "highest": high,
        "held": group.held,
        "reason": reasons(group),
        "nodes_off": [
            {
                "node": n.node,
                "instance_type": n.instance_type,
                "pods": n.pods,
                "expected": n.expected,
                "lowest": n.lowest,
                "highest": n.highest,
                "held": n.held,
                "reason": reason(n),
            }
            for n in group.off
        ],
    }


_SENTENCES = {
    "fail": "at least one check fails",
    "warn": "works, with warnings",
    "unknown": "no problem found, but some checks are unknown",
    "ok": "all checks pass",
}
