"""Damaged files at every door of an import: a plan or one line (benchmarks/fuzz_import.py: by the thousand)."""

from __future__ import annotations

import pytest

from benchmarks.fuzz_import import run
from benchmarks.import_doors import doors

DOORS = [door.name for door in doors()]


@pytest.mark.parametrize("door", DOORS)
def test_sixty_damaged_inputs(door: str) -> None:
    (tally,) = run(60, number=11, only=door).values()
    assert tally.crashes == {}
    assert tally.plans > 5
    assert tally.refused > 1


def test_every_seed_is_read_as_it_is() -> None:
    """The fuzzer begins with files that become something: else it would test refusals alone."""
    sources = {door.name for door in doors() if door.seeds}
    assert sources >= {"kubectl", "eksctl", "cloudformation", "karpenter", "helm", "terraform-json", "terraform-hcl"}
    assert sources >= {"aws", "doctor", "doctor-kubectl", "subnets-from"}
