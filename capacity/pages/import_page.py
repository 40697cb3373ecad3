"""Summary of an import, and the drift between a plan and its source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from capacity.pages.answer import Answer
from capacity.pages.page import Page, Table, TableColumn, Verdict
from capacity.readers.draft import PlanDraft
from capacity.readers.drift import Difference
from capacity.readers.plan_document import plan_document
from capacity.units import some_of

MOST_NAMED = 5  # of each kind


def found_answer(draft: PlanDraft, into: Path | None) -> Answer:
    """What was found, by kind."""
    plan = plan_document(draft)
    found: dict[str, Sequence[str]] = {
        "subnets": [s.name for s in draft.subnets],
        "node groups": [g.name for g in draft.node_groups],
        "workloads": [w.name for w in draft.workloads],
        "DaemonSets": [d.name for d in draft.daemon_sets],
        "tenants": [t.name for t in draft.tenants],
        "CNI variables": list(draft.env),
        "assumptions": sorted(draft.assumed),
    }
    rows = [{"what": what, "count": len(names), "names": some_of(names, MOST_NAMED)} for what, names in found.items()]
    columns = (TableColumn("what", "what"), TableColumn("count", "count"), TableColumn("names", "names"))
    return Answer(
        command="import",
        inputs={"source": draft.source, "into": None if into is None else str(into)},
        results={
            "plan": plan,
            "notes": [{"path": n.path, "text": n.text} for n in draft.notes],
            "assumed": sorted(draft.assumed),
        },
        page=Page([Table(columns, rows, f"Found in {draft.source}")]),
        rows=rows,
        warnings=[n.text for n in draft.notes],
    )


def drift_answer(found: list[Difference], draft: PlanDraft, plan: Path) -> Answer:
    """Differences between the plan and the source."""
    rows: list[dict[str, Any]] = [
        {"path": d.path, "change": d.change, "plan": d.plan, "reality": d.reality} for d in found
    ]
    columns = (
        TableColumn("path", "path"),
        TableColumn("change", "change"),
        TableColumn("plan", "plan"),
        TableColumn("reality", "reality"),
    )
    summary = f"{len(rows)} difference{'' if len(rows) == 1 else 's'} between {plan} and {draft.source}"
    return Answer(
        command="import",
        inputs={"source": draft.source, "diff": str(plan)},
        results={"drift": bool(rows), "differences": rows},
        page=Page(
            [Verdict("warning" if rows else "ok", summary, named=False), *([Table(columns, rows)] if rows else [])]
        ),
        rows=rows,
        warnings=[n.text for n in draft.notes],
    )
