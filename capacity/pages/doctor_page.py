"""A checkup of a live cluster as a page: the worst first, and how to fix it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from capacity.advice.doctor import STATUSES, Checkup, verdict
from capacity.pages.answer import Answer
from capacity.pages.page import CodeBlock, Page, Table, TableColumn, Verdict

if TYPE_CHECKING:
    from capacity.readers.aws.aws_cluster import AwsCluster

_MARKS = {"fail": "FAIL", "warn": "warn", "unknown": "?", "ok": "ok"}


def _evidence(row: Mapping[str, object]) -> str:
    """The evidence, after the place that it is about."""
    return f"{row['where']}: {row['evidence']}" if row["where"] else str(row["evidence"])


def answer(checks: tuple[Checkup, ...], found: AwsCluster, files: Mapping[str, Path | None]) -> Answer:
    """The list as an answer: the worst first on the page, in the order of the list in JSON; ``files`` are inputs."""
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
        results={"verdict": overall, "counts": counts, "checks": rows},
        page=Page(blocks),
        rows=rows,
        warnings=[g.line for g in found.gaps] + list(found.answers.notes),
    )


_SENTENCES = {
    "fail": "at least one check fails",
    "warn": "works, with warnings",
    "unknown": "no problem found, but some checks are unknown",
    "ok": "all checks pass",
}
