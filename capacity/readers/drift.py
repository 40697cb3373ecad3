"""Drift: differences between a plan and the current input."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from capacity.readers.draft import PlanDraft, SubnetDraft, at, key_of, renamed_subnets
from capacity.readers.merge import ENTRIES, SCALARS, merge_subnet_names, one_network, shown, without_stand_ins
from capacity.readers.plan_document import cpu_text, memory_text

CHANGED, PLAN_ONLY, REALITY_ONLY = "changed", "only in the plan", "only in reality"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: path, kind, and both values as text (None: missing)."""

    path: str
    change: str
    plan: str | None
    reality: str | None


def drift(plan: PlanDraft, now: PlanDraft) -> list[Difference]:
    """Differences by path, in the order of the plan.

    Only values of the source are compared: a field without a value, or an empty list, is not a difference.
    Assumptions of an import count like any other value of the plan.
    """
    if plan.workloads:
        now = without_stand_ins(now)
    plan, now = one_network(plan, now)
    now = renamed_subnets(now, merge_subnet_names(plan.subnets, now.subnets))
    found: list[Difference] = []
    for attribute, path in SCALARS.items():
        _compare(path, getattr(plan, attribute), getattr(now, attribute), found)
    for name in dict.fromkeys((*plan.env, *now.env)) if now.env else ():
        _compare(f"cni.env.{name}", plan.env.get(name), now.env.get(name), found)
    for name in dict.fromkeys((*plan.windows, *now.windows)) if now.windows else ():
        _compare(f"cni.windows.{name}", plan.windows.get(name), now.windows.get(name), found)
    if now.vpc_cidrs:
        for block in dict.fromkeys((*plan.vpc_cidrs, *now.vpc_cidrs)):
            _presence(f"vpc.cidrs[{block}]", block in plan.vpc_cidrs, block in now.vpc_cidrs, found)
    _subnets(plan, now, found)
    _compare("controlPlane.subnets", plan.control_plane, now.control_plane, found)
    for attribute, section in ENTRIES.items():
        _entries(section, getattr(plan, attribute), getattr(now, attribute), found)
    return found


def _subnets(plan: PlanDraft, now: PlanDraft, found: list[Difference]) -> None:
    names = merge_subnet_names(plan.subnets, now.subnets)
    renamed = tuple(
        SubnetDraft(names.get(s.name, s.name), s.zone, s.cidr, s.used, s.reservations, s.tags) for s in now.subnets
    )
    _entries("vpc.subnets", plan.subnets, renamed, found)


def _compare(path: str, mine: object, theirs: object, found: list[Difference]) -> None:
    if mine == theirs or (theirs is None and not path.startswith(("cni.env.", "cni.windows."))):
        return
    change = REALITY_ONLY if mine is None else PLAN_ONLY if theirs is None else CHANGED
    found.append(Difference(path, change, _text(mine), _text(theirs)))


def _presence(path: str, in_plan: bool, in_reality: bool, found: list[Difference]) -> None:
    if in_plan != in_reality:
        mine, theirs = ("present", None) if in_plan else (None, "present")
        found.append(Difference(path, PLAN_ONLY if in_plan else REALITY_ONLY, mine, theirs))


def _text(value: object) -> str | None:
    return None if value is None else shown(value)


def _entries(section: str, plan: Any, now: Any, found: list[Difference]) -> None:
    if not now:
        return
    there = {entry.name: entry for entry in now}
    here = {entry.name: entry for entry in plan}
    for name in dict.fromkeys((*here, *there)):
        mine, theirs = here.get(name), there.get(name)
        if mine is None or theirs is None:
            _presence(at(section, name), theirs is None, mine is None, found)
            continue
        for f in fields(mine):
            if f.name not in ("name", "id", "zones"):
                path = at(section, name, key_of(section, f.name))
                _compare(path, _quantity(f.name, mine), _quantity(f.name, theirs), found)


def _quantity(attribute: str, entry: object) -> Any:
    """Text of a field in the plan, with the units of requests."""
    value = getattr(entry, attribute)
    if value is None:
        return None
    if attribute.endswith("cpu_millicores"):
        return cpu_text(value)
    return memory_text(value) if attribute.endswith("memory_bytes") else value
