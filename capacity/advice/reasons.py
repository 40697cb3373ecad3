"""Why a set of levers is the answer of a search, and why the others are not."""

from __future__ import annotations

from dataclasses import replace

from capacity.advice.distance import distance_of
from capacity.advice.fixes import Fix, Fixes
from capacity.advice.lever import RISKS
from capacity.cluster.check import CheckResult
from capacity.units import counted


def with_reasons(fixes: Fixes, result: CheckResult) -> Fixes:
    """The same, each set with its reason."""
    answer, before = fixes.answer, distance_of(result)

    def told(fix: Fix | None) -> Fix | None:
        return None if fix is None else replace(fix, why=_why(fix, answer, before))

    tried = tuple(replace(f, why=_why(f, answer, before)) for f in fixes.tried)
    return replace(fixes, best=told(fixes.best), nearest=told(fixes.nearest), partial=told(fixes.partial), tried=tried)


def _why(fix: Fix, answer: Fix | None, before: tuple[int, ...]) -> str:
    if fix.fault:
        return f"cannot be applied: {fix.fault}"
    if answer is not None and fix.names == answer.names:
        return "chosen"
    if fix.verdict == "ok" or (answer is not None and answer.verdict != "ok" and fix.suffices):
        return _enough_too(fix, answer)
    part = "part of the answer; alone " if answer is not None and set(_names(fix)) < set(_names(answer)) else ""
    if not any(now < was for now, was in zip(fix.rank, before, strict=True)):
        return f"{part}no help" if part else "no help"
    return f"{part}not enough: {_left(fix)}"


def _names(fix: Fix) -> list[str]:
    return [lever.name for lever in fix.levers]


def _enough_too(fix: Fix, answer: Fix | None) -> str:
    if answer is None:
        return "enough"
    if RISKS.index(fix.risk) > RISKS.index(answer.risk):
        return f"enough too, but disturbs more ({fix.risk})"
    more = len(fix.levers) > len(answer.levers)
    return "enough too, but is more than one change" if more else "enough too, but comes later in the order"


def _left(fix: Fix) -> str:
    """What is wrong with it still."""
    parts = [f"{counted(fix.short, 'address', 'addresses')} short"] if fix.short else []
    parts += [f"{counted(fix.pods, 'pod')} unschedulable or without an address"] if fix.pods else []
    return ", ".join(parts) or f"{counted(fix.not_ok, 'subnet')} {fix.verdict}"
