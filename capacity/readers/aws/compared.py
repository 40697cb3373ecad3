"""Notes of an import that compare the model with the nodes of the cluster."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from capacity.advice.node_figures import by_group, reasons, sentence
from capacity.readers.aws.doctor import model_of
from capacity.readers.draft import Note, PlanDraft, at

if TYPE_CHECKING:
    from capacity.readers.aws.aws_cluster import AwsCluster


def with_comparison(draft: PlanDraft, found: AwsCluster) -> PlanDraft:
    """The draft with a note for each node group: the addresses of its nodes in the model and as AWS describes them."""
    notes = []
    for group in by_group(model_of(found)):
        why = f" ({reasons(group)})" if group.off else ""
        where = group.group or "nodes of no node group"
        notes.append(Note(f"{where}: {sentence(group)}{why}", at("nodeGroups", group.group) if group.group else ""))
    return replace(draft, notes=(*draft.notes, *notes))
