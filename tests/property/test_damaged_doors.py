"""Some damaged input at every door of the command; `benchmarks/fuzz_doors.py` runs many."""

from __future__ import annotations

import pytest

from benchmarks.fuzz_doors import DOORS, run


@pytest.mark.parametrize("door", DOORS)
def test_an_answer_or_one_line(door: str) -> None:
    (tally,) = run(40, seed=1, names=(door,)).values()
    assert list(tally.faults.values()) == []
    assert tally.codes.total() == 40
