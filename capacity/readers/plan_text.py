"""A draft as the text of a plan: the notes at the top and beside their places."""

from __future__ import annotations

from capacity.plan.yaml_writer import comment, plan_lines
from capacity.readers.draft import PlanDraft
from capacity.readers.plan_document import plan_document

MOST_AT_THE_TOP = 40  # notes; the others stand beside their places


def render_plan(draft: PlanDraft) -> str:
    """The whole file: what could not be known at the top and beside its place, then the plan."""
    notes: dict[str, list[str]] = {}
    for note in draft.notes:
        if note.path:
            notes.setdefault(note.path, []).append(note.text)
    return head(draft) + "\n".join(plan_lines(plan_document(draft), notes)) + "\n"


def head(draft: PlanDraft) -> str:
    """The comment at the top of a plan."""
    origin = f" from {draft.source}" if draft.source else ""
    lines = [f"A plan imported{origin}. Check it: capacity check FILE"]
    if draft.notes:
        lines.append("What could not be known, was assumed or differs:")
        lines += [f"  - {n.text}" for n in draft.notes[:MOST_AT_THE_TOP]]
        if len(draft.notes) > MOST_AT_THE_TOP:
            lines.append(f"  - and {len(draft.notes) - MOST_AT_THE_TOP} more, beside their places")
    return "".join(comment(line) + "\n" for line in lines)
