"""What a message quotes may be a whole file: the message stays one that a screen holds."""

from __future__ import annotations

import pytest

from capacity.errors import LONGEST_MESSAGE, CapacityError, InfeasiblePlan, SpecError, UnknownInstanceType
from capacity.readers.detect import detect, refuse
from capacity.readers.draft import Note

LONG = "x" * 50_000


@pytest.mark.parametrize(
    "error",
    [
        CapacityError(f"plan.yaml: {LONG} is no number (give one)"),
        SpecError(f"plan.yaml: {LONG} is no number (give one)"),
        InfeasiblePlan(f"plan.yaml: {LONG} is no number (give one)"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_an_error_keeps_its_place_and_its_cure(error: CapacityError) -> None:
    assert len(str(error)) <= LONGEST_MESSAGE + len(" … ")
    assert str(error).startswith("plan.yaml: xxx")
    assert str(error).endswith("xxx is no number (give one)")


def test_an_unknown_type_of_any_length() -> None:
    error = UnknownInstanceType(LONG, ["m5.large"], "nodeGroups[0]")
    assert len(str(error)) <= LONGEST_MESSAGE + len(" … ")
    assert "did you mean" in str(error)


def test_a_note_on_a_long_value() -> None:
    assert len(Note(f"a.yaml: {LONG} is not read").text) <= LONGEST_MESSAGE + len(" … ")
    assert Note("a.yaml: short").text == "a.yaml: short"


@pytest.mark.parametrize("kind", [{"template": {"spec": LONG}}, [LONG], 7, None, True])
def test_a_kind_that_is_no_text_names_nothing(kind: object) -> None:
    assert detect({"apiVersion": {"name": ["x"]}, "kind": kind}) == (None, "a mapping with apiVersion, kind")
    assert detect({"apiVersion": "v1", "kind": kind})[1] == "a mapping with apiVersion, kind"
    assert detect({"kind": "List", "items": [{"kind": kind}]}) == ("kubectl", "a Kubernetes object list")


def test_a_kind_and_keys_are_cut() -> None:
    assert len(str(refuse("karpenter", {"apiVersion": "v1", "kind": LONG}, "f.yaml"))) < 250
    assert len(str(refuse("karpenter", {LONG: 1}, "f.yaml"))) < 350
