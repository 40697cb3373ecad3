"""Damaged plans: a verdict whose figures add up, or one clear line (benchmarks/fuzz_check.py: by the thousand)."""

from __future__ import annotations

from benchmarks.fuzz_check import example_plans, run


def test_three_hundred_damaged_plans() -> None:
    tally = run(example_plans(), 300, seed=3)
    assert tally.refused.total() > 100
    assert tally.verdicts.total() > 40
