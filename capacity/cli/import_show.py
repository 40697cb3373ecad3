"""Print an import: the plan, a summary of what was found, or the differences from a plan."""

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
    """Print the draft as a new plan, or merged into an existing one."""
    made = imported(draft, into)
    if to.output != "yaml":
        emit(found_answer(made.whole, into), to)
        return
    if not to.quiet:
        tell(made.notes)
    put(log_text(made.text), to.out_file)  # in double quotes, as the plan has them, an escape of YAML


def tell(notes: tuple[Note, ...]) -> None:
    """Print the first notes to stderr, and the number of the others."""
    for entry in notes[:MOST_NOTES]:
        note(f"note: {entry.text}")
    if len(notes) > MOST_NOTES:
        note(f"note: and {len(notes) - MOST_NOTES} more, as comments in the plan")


def show_drift(draft: PlanDraft, plan: Path, to: Sink) -> bool:
    """Print the differences between plan and source; return whether there are any."""
    found = drift(read_base(plan).full, draft)
    emit(drift_answer(found, draft, plan), to)
    return bool(found)
