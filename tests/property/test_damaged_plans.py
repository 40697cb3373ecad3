"""Damaged plans: a verdict whose figures add up, or one clear line (benchmarks/fuzz_check.py: by the thousand)."""

from __future__ import annotations

from benchmarks.fuzz_check import example_plans, run


def test_hundreds_of_damaged_plans() -> None:
    tally = run(example_plans(), 450, seed=3)
    assert tally.refused.total() > 150
    assert tally.verdicts.total() > 50
