"""The account of an input: what was met, not used and could matter is one note per kind, and a refusal's reason."""

from __future__ import annotations

import pytest

from capacity.errors import SpecError
from capacity.readers.accounting import MATTERS, why_it_matters
from capacity.readers.draft import Note, PlanDraft, SourceNotes
from capacity.readers.imported import imported


def test_one_note_per_kind_names_what_is_not_in_the_plan() -> None:
    said = SourceNotes("main.tf")
    for place in ("aws_instance.a", "aws_instance.b", "aws_instance.c"):
        said.meet("aws_instance", place)
    said.meet("aws_iam_role", "aws_iam_role.r")
    said.meet("aws_nat_gateway", "aws_nat_gateway.n")
    said.use("aws_nat_gateway", "aws_nat_gateway.n")
    said.use("aws_instance", "aws_instance.b")
    notes = said.collected()
    assert [n.text for n in notes] == [
        "main.tf: 2 aws_instance not in the plan (aws_instance.a, aws_instance.c): an instance takes an address for "
        "each interface and secondary address (tenants of kind ec2)"
    ]
    assert notes[0].unread


def test_of_many_places_the_first_four_are_named() -> None:
    said = SourceNotes("")
    for i in range(9):
        said.meet("module", f"m{i}")
    assert [n.text for n in said.collected()] == [
        "9 module not in the plan (m0, m1, m2, m3 and 5 more): what a module creates is not known"
    ]


def test_a_kind_has_one_reason_in_the_table() -> None:
    kinds = [k for m in MATTERS for k in m.kinds]
    assert len(kinds) == len(set(kinds))
    assert why_it_matters("kubernetes_deployment_v1") == "it can run pods"
    assert why_it_matters("AWS::EC2::TransitGatewayVpcAttachment") is not None
    assert why_it_matters("aws_iam_role") is why_it_matters("AWS::IAM::Role") is None


def test_a_refusal_gives_its_reason_first_and_all_notes_under_it() -> None:
    notes = (Note("main.tf: more complete"), Note("main.tf module.vpc: ../ is not evaluated", unread=True), Note("x"))
    with pytest.raises(SpecError) as refused:
        imported(PlanDraft(source="terraform main.tf", notes=notes))
    assert str(refused.value) == (
        "terraform main.tf: the input has no part of a plan (main.tf module.vpc: ../ is not evaluated)"
    )
    assert refused.value.__notes__ == ["main.tf: more complete", "x"]
