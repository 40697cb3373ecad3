"""The cheapest answer if the CNI mode can be chosen too."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from capacity.cost.dollar_words import usd
from capacity.errors import SpecError
from capacity.optimize.frontier import OBJECTIVES
from capacity.optimize.open_plan import Document, Draft
from capacity.optimize.optimized import OPTIMAL, WITHIN_GAP, Optimized
from capacity.optimize.pack import PROVEN
from capacity.units import HOURS_PER_MONTH

PREFIXES = "ENABLE_PREFIX_DELEGATION"
NAMES = {"secondary": "secondary IPs", "prefix": "prefixes"}


def with_mode(document: Mapping[str, Any], mode: str) -> Document:
    """A plan's document in a CNI mode."""
    made: Document = json.loads(json.dumps(document, default=str))
    cni = made["cni"] = dict(made.get("cni") or {})
    cni["env"] = {**(cni.get("env") or {}), PREFIXES: "true" if mode == "prefix" else "false"}
    return made


def check_modes(draft: Draft) -> None:
    """Only the VPC CNI with IPv4 has both modes.

    Raises
    ------
    SpecError
        Another CNI, or IPv6.
    """
    cni = draft.plan.cni
    if cni.name != "vpc-cni" or cni.settings.ipv6 or draft.template.auto:
        what = "IPv6" if cni.settings.ipv6 else "Auto Mode" if draft.template.auto else cni.name
        raise SpecError(f"--cni-modes: with {what} there is no choice between prefixes and secondary IPs")


def cheapest(modes: tuple[str, ...], answer: Callable[[str], Optimized]) -> Optimized:
    """The cheapest of the answers, of equal ones the one with fewer addresses; its bound is that of all modes."""
    found = {mode: answer(mode) for mode in dict.fromkeys(modes)}
    costs = {mode: OBJECTIVES[f.choices.minimize](f.bought) for mode, f in found.items() if f.bought is not None}
    if not costs:
        return next(iter(found.values()))
    best = min(costs, key=lambda mode: costs[mode])
    chosen, packed = found[best], found[best].packed
    assert packed is not None
    packed = packed._replace(bound=min(f.packed.bound for f in found.values() if f.packed is not None))
    status = WITHIN_GAP if chosen.status == OPTIMAL and packed.gap > PROVEN else chosen.status
    dollars = {m: usd(round(HOURS_PER_MONTH * f.bought.usd_per_hour, 2)) for m, f in found.items() if f.bought}
    each = {m: dollars.get(m, "not possible") for m in found}
    figures = ", ".join(f"{NAMES[mode]} {figure}" for mode, figure in each.items())
    value = "true" if best == "prefix" else "false"
    said = f"CNI mode: {NAMES[best]} ({figures} a month): set {PREFIXES}={value} on aws-node"
    return replace(chosen, status=status, packed=packed, notes=(*chosen.notes, said))
