"""Reasons why a set of levers is the answer of a search, and why the others are not."""

from __future__ import annotations

from dataclasses import replace

from capacity.advice.dollars import cost_order
from capacity.advice.fixes import Fix, Fixes
from capacity.advice.levers.lever import RISKS
from capacity.units import counted

CHOSEN = "chosen"


def with_reasons(fixes: Fixes) -> Fixes:
    """The result of a search, each set with its reason."""
    answer = fixes.answer

    def told(fix: Fix | None) -> Fix | None:
        return None if fix is None else replace(fix, why=_why(fix, answer))

    tried = tuple(replace(f, why=_why(f, answer)) for f in fixes.tried)
    return replace(fixes, best=told(fixes.best), nearest=told(fixes.nearest), partial=told(fixes.partial), tried=tried)


def _why(fix: Fix, answer: Fix | None) -> str:
    if fix.fault:
        return f"cannot be applied: {fix.fault}"
    if answer is not None and fix.names == answer.names:
        return CHOSEN
    if fix.verdict == "ok" or (answer is not None and answer.verdict != "ok" and fix.suffices and not fix.judged_in):
        return _enough_too(fix, answer)
    part = "part of the answer; alone: " if answer is not None and set(_names(fix)) < set(_names(answer)) else ""
    if not fix.judged_at and not fix.helped and not any(change > 0 for change in fix.frees.values()):
        return f"{part}does not help"
    return f"{part}not enough: {_left(fix)}"


def _names(fix: Fix) -> list[str]:
    return [lever.name for lever in fix.levers]


def _enough_too(fix: Fix, answer: Fix | None) -> str:
    if answer is None:
        return "enough"
    if RISKS.index(fix.risk) > RISKS.index(answer.risk):
        return f"also enough, but disrupts more ({fix.risk})"
    if len(fix.levers) > len(answer.levers):
        return "also enough, but needs more changes"
    costs_more = cost_order(fix.usd) > cost_order(answer.usd)
    return "also enough, but costs more" if costs_more else "also enough, but later in the order"


def _left(fix: Fix) -> str:
    """Problems that remain with a set."""
    parts = [f"{counted(fix.short, 'address', 'addresses')} short"] if fix.short else []
    parts += [f"{counted(fix.pods, 'pod')} unschedulable or without an address"] if fix.pods else []
    if fix.judged_at:
        return f"{fix.judged_at} is {fix.verdict}{': ' if parts else ''}{', '.join(parts)} in {fix.judged_in}"
    left = ", ".join(parts) or f"{counted(fix.not_ok, 'subnet')} {fix.verdict}"
    return f"{left} in {fix.judged_in}" if fix.judged_in else left
