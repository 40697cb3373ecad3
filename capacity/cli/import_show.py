"""An import on its way out: the plan itself, a page on what was found, or where it differs from a plan."""

from __future__ import annotations

from pathlib import Path

from capacity.cli.output import Sink, emit, note, put
from capacity.inert import log_text
from capacity.pages.import_page import drift_answer, found_answer
from capacity.readers.draft import Note, PlanDraft
from capacity.readers.drift import drift
from capacity.readers.existing_plan import read_base
from capacity.readers.imported import imported

MOST_NOTES = 20


def show_plan(draft: PlanDraft, into: Path | None, to: Sink) -> None:
    """The draft as a plan: whole, or merged into an existing one."""
    made = imported(draft, into)
    if to.output != "yaml":
        emit(found_answer(made.whole, into), to)
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


def show_drift(draft: PlanDraft, plan: Path, to: Sink) -> bool:
    """Where the plan and reality differ; whether they do."""
    found = drift(read_base(plan).full, draft)
    emit(drift_answer(found, draft, plan), to)
    return bool(found)
