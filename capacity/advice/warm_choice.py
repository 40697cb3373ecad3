"""Warm targets to try on a plan, preferred first, for the lever and for ``warm``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from capacity.advice.distance import Distance
from capacity.advice.warm_rows import (
    NodeKind,
    WarmRow,
    WarmTargets,
    is_sound,
    warm_rows,
)
from capacity.cluster.check import CheckResult
from capacity.cluster.scenario import ScenarioState
from capacity.cni.calls import call_costs
from capacity.cni.on_node import own_cni
from capacity.plan.cni_env import CniSettings, subnet_discovery_switch
from capacity.plan.constants import VPC_CNI
from capacity.plan.declaration import QUARTER

ALONE = (16, 8, 4, 2, 1)  # WARM_IP_TARGET without a minimum
WITH_MINIMUM = (8, 4, 2)  # and with one
AT_REST = ("steady", "peak")
WARM_IPS = (1, 2, 3, 5, 8, 10)  # candidates for WARM_IP_TARGET, in addition to those derived from the pods


@dataclass(frozen=True, slots=True)
class WarmChoices:
    """Targets that hold fewer addresses than the current ones, preferred first.

    Attributes
    ----------
    rows : tuple of WarmRow
        Those that follow the rule of ``warm`` first, then one variable before two, then those that keep the most
        warm. The last one holds the fewest addresses on every node: if it is not enough, none is.
    current : WarmRow
        The current settings.
    sound : int
        How many follow that rule.
    """

    rows: tuple[WarmRow, ...]
    current: WarmRow
    sound: int


def warm_choices(result: CheckResult) -> WarmChoices | None:
    """Targets to try on a checked plan; None if the targets of the VPC CNI have no effect.

    Notes
    -----
    Candidates are one whole unit, if more are kept; WARM_IP_TARGET 16, 8, 4, 2 and 1 alone; 8, 4 and 2 with
    MINIMUM_IP_TARGET at the pods of the emptiest node, of the nodes at each quarter, of the fullest, and of the
    fullest of each group, plus the warm ones. Each is checked on the whole plan, with the nodes of every group.
    """
    settings = result.plan.cni.settings
    if settings.ipv6 or settings.cni != VPC_CNI:
        return None
    kinds = plan_kinds(result, _at_rest(result))
    if not kinds:
        return None
    discovery, _ = subnet_discovery_switch(result.plan.cni.env)
    costs = call_costs(custom_networking=settings.custom_networking, subnet_discovery=discovery)
    present, usual = targets_of(settings), WarmTargets(settings.prefix, units=1)
    strongest = WarmTargets(settings.prefix, warm_ip=1)
    asked = list(dict.fromkeys((present, usual, *_asked(kinds, present), strongest)))
    known = dict(zip(asked, warm_rows(asked, kinds, costs, QUARTER), strict=True))
    last, default = known[strongest], known[usual]
    if sum(last.addresses.values()) >= sum(known[present].addresses.values()):
        return None
    given = {present, strongest} if (present.units or 0) > 1 else {present, strongest, usual}
    rows = [r for t, r in known.items() if t not in given and not r.flaws]
    rows.sort(key=lambda r: (not is_sound(r, default), len(r.targets.env), -sum(r.addresses.values())))
    return WarmChoices((*rows, last), known[present], sum(is_sound(r, default) for r in rows))


def _asked(kinds: Sequence[NodeKind], present: WarmTargets) -> Iterator[WarmTargets]:
    yield from (WarmTargets(present.prefix, warm_ip=w) for w in ALONE[:-1])
    fullest: dict[str, int] = {}
    for kind in kinds:
        fullest[kind.group] = max(fullest.get(kind.group, 0), kind.pods)
    pods = sorted({*quartiles(kinds), *(fullest.values() if len(fullest) <= MOST_GROUPS else ())} - {0})
    for warm in WITH_MINIMUM:
        yield from (WarmTargets(present.prefix, warm_ip=warm, minimum_ip=p + warm) for p in pods)


MOST_GROUPS = 8  # groups whose fullest nodes are used one by one; with more groups only the quarters


def _at_rest(result: CheckResult) -> Sequence[ScenarioState]:
    return [s for s in result.scenarios if s.name in AT_REST] or result.scenarios


def plan_kinds(result: CheckResult, states: Sequence[ScenarioState]) -> list[NodeKind]:
    """Nodes of some scenarios whose pool depends on the targets of the VPC CNI."""
    counts: dict[NodeKind, int] = {}
    ours = {g.name for g in own_cni(result.plan)}
    for state in states:
        for group in state.groups:
            shape = group.shape.first
            for c in group.classes if group.shape.group.name in ours else ():
                kind = NodeKind(
                    population=state.name,
                    group=group.shape.group.name,
                    instance_type=shape.instance_type.name,
                    limits=shape.limits,
                    settings=shape.settings,
                    max_pods=shape.max_pods,
                    host_pods=c.pods - c.vpc_pods,
                    pods=c.vpc_pods,
                    nodes=0,
                )
                counts[kind] = counts.get(kind, 0) + c.count
    return [replace(kind, nodes=n) for kind, n in counts.items() if n]


def quartiles(kinds: Sequence[NodeKind]) -> list[int]:
    """Pods of the emptiest node, of the nodes at each quarter, and of the fullest. [pods]"""
    ordered = sorted(kinds, key=lambda k: k.pods)
    total, seen = sum(k.nodes for k in ordered), 0
    found = [ordered[0].pods]
    for kind in ordered:
        seen += kind.nodes
        while len(found) < 5 and 4 * seen >= len(found) * total:
            found.append(kind.pods)
    return found


def targets_of(settings: CniSettings) -> WarmTargets:
    """Targets of the settings."""
    if settings.ip_targets:
        return WarmTargets(settings.prefix, warm_ip=settings.warm_ip or None, minimum_ip=settings.minimum_ip or None)
    return WarmTargets(settings.prefix, units=settings.warm_prefix if settings.prefix else settings.warm_eni)


def env_change(targets: WarmTargets, current: WarmTargets, env: Mapping[str, str | None]) -> dict[str, str | None]:
    """Variables to set and to remove; a unit target that address targets override does not change."""
    if targets == current:
        return {}
    wanted = targets.env
    gone = [n for n in ("WARM_IP_TARGET", "MINIMUM_IP_TARGET") if env.get(n) is not None and n not in wanted]
    return {**{n: v for n, v in wanted.items() if env.get(n) != v}, **dict.fromkeys(gone)}


def mildest(choices: WarmChoices, before: Distance, distance: Callable[[WarmTargets], Distance]) -> WarmRow | None:
    """First targets with which a plan is ok, or those that help most among the ones that follow the rule.

    None if none of these helps. The last holds the fewest on every node: if it does not make the plan ok, none does.
    """
    *others, strongest = choices.rows
    if distance(strongest.targets).verdict == 0:
        return next((r for r in others if distance(r.targets).verdict == 0), strongest)
    sound = [(distance(r.targets), i, r) for i, r in enumerate(choices.rows[: choices.sound])]
    nearest = min(sound, default=None, key=lambda found: found[:2])
    return nearest[2] if nearest is not None and nearest[0] < before else None


def candidates(kinds: Sequence[NodeKind], swing: Fraction, *, prefix: bool) -> list[WarmTargets]:
    """All useful combinations of targets for these nodes in one mode.

    Whole units 0 to 2; WARM_IP_TARGET 1 to 10 and the swing of the node with the fewest and with the most
    pods; MINIMUM_IP_TARGET not set, or the pods of the fullest node, or together with WARM_IP_TARGET the pods
    of the emptiest and the fullest node and of the nodes at each quarter. The fullest is also tried with its
    swing: then its usual pods, and those that come and go, cost no call. Also the two that never work:
    MINIMUM_IP_TARGET alone, and WARM_IP_TARGET=0.
    """
    counts = quartiles(kinds)
    swings = sorted({k.swing(swing) for k in (min(kinds, key=lambda k: k.pods), max(kinds, key=lambda k: k.pods))})
    usual = (*counts, counts[-1] + swings[-1])
    rows = [WarmTargets(prefix, units=n) for n in (1, 0, 2)]
    for warm in sorted({*WARM_IPS, *swings}):
        minimums = sorted({counts[-1], *(p + warm for p in usual)} - {0})
        rows += [WarmTargets(prefix, warm_ip=warm, minimum_ip=m) for m in (None, *minimums)]
    rows.append(WarmTargets(prefix, minimum_ip=counts[-1] or 1))
    rows.append(WarmTargets(prefix, warm_ip=0))
    return rows


def with_frontier(rows: list[WarmRow]) -> list[WarmRow]:
    """Rows of one mode with the efficient ones marked; of equal rows only the first."""
    sound = [(i, r.costs) for i, r in enumerate(rows) if not r.flaws]

    def beaten(i: int, costs: tuple[float, ...]) -> bool:
        return any(
            all(a <= b for a, b in zip(other, costs, strict=True)) and (other != costs or j < i)
            for j, other in sound
            if j != i
        )

    return [replace(r, frontier=not r.flaws and not beaten(i, r.costs)) for i, r in enumerate(rows)]
