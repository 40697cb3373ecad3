"""How an import is shown: the plan, a table of what was found, or the drift between plan and reality."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from capacity.cli.output import Answer, Sink, Table, emit, note, put
from capacity.inert import log_text
from capacity.readers.draft import Note, PlanDraft
from capacity.readers.drift import Difference, drift
from capacity.readers.existing_plan import read_base
from capacity.readers.imported import imported
from capacity.readers.plan_document import plan_document

MOST_NOTES = 20


def show_plan(draft: PlanDraft, into: Path | None, to: Sink) -> None:
    """The draft as a plan: whole, or merged into an existing one."""
    made = imported(draft, into)
    if to.output != "yaml":
        emit(_answer(made.whole, into), to)
        return
    if not to.quiet:
        tell(made.notes)
    put(log_text(made.text), to.out_file)  # in double quotes, as the plan has them, an escape of YAML


def tell(notes: tuple[Note, ...]) -> None:
    """The notes on stderr, the first of many."""
    for entry in notes[:MOST_NOTES]:
        note(f"note: {entry.text}")
    if len(notes) > MOST_NOTES:
        note(f"note: and {len(notes) - MOST_NOTES} more, as comments in the plan")


def _answer(draft: PlanDraft, into: Path | None) -> Answer:
    plan = plan_document(draft)
    rows = [
        {"what": "subnets", "count": len(draft.subnets), "names": _listed([s.name for s in draft.subnets])},
        {"what": "node groups", "count": len(draft.node_groups), "names": _listed([g.name for g in draft.node_groups])},
        {"what": "workloads", "count": len(draft.workloads), "names": _listed([w.name for w in draft.workloads])},
        {"what": "daemonsets", "count": len(draft.daemon_sets), "names": _listed([d.name for d in draft.daemon_sets])},
        {"what": "tenants", "count": len(draft.tenants), "names": _listed([t.name for t in draft.tenants])},
        {"what": "CNI variables", "count": len(draft.env), "names": _listed(list(draft.env))},
        {"what": "assumptions", "count": len(draft.assumed), "names": _listed(sorted(draft.assumed))},
    ]
    columns = (("what", "what"), ("count", "count"), ("names", "names"))
    return Answer(
        command="import",
        inputs={"source": draft.source, "into": None if into is None else str(into)},
        results={
            "plan": plan,
            "notes": [{"path": n.path, "text": n.text} for n in draft.notes],
            "assumed": sorted(draft.assumed),
        },
        blocks=[Table(columns, rows, f"Found in {draft.source}")],
        rows=rows,
        warnings=[n.text for n in draft.notes],
    )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def show_drift(draft: PlanDraft, plan: Path, to: Sink) -> bool:
    """Where the plan and reality differ; whether they do."""
    base = read_base(plan)
    found = drift(base.full, draft)
    emit(_drift_answer(found, draft, plan), to)
    return bool(found)


def _drift_answer(found: list[Difference], draft: PlanDraft, plan: Path) -> Answer:
    rows: list[dict[str, Any]] = [
        {"path": d.path, "change": d.change, "plan": d.plan, "reality": d.reality} for d in found
    ]
    columns = (("path", "path"), ("change", "change"), ("plan", "plan"), ("reality", "reality"))
    summary = f"{len(rows)} difference{'' if len(rows) == 1 else 's'} between {plan} and {draft.source}"
    return Answer(
        command="import",
        inputs={"source": draft.source, "diff": str(plan)},
        results={"drift": bool(rows), "differences": rows},
        blocks=[Table(columns, rows), "\n" + summary] if rows else [summary],
        rows=rows,
        warnings=[n.text for n in draft.notes],
    )
