"""Explain why no node groups pass the check: the limits that conflict, and the smallest change that resolves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from capacity.cluster.scenario import ScenarioState
from capacity.cluster.sizing import size_plan
from capacity.errors import InfeasiblePlan
from capacity.optimize.buy import Buying, Purchase
from capacity.optimize.choices import Choices
from capacity.optimize.divisions import Found, divisions
from capacity.optimize.market import RESOURCES, Market, Pods, demand_of, holds
from capacity.optimize.optimized import Infeasible
from capacity.units import MIB, counted
from capacity.vpc.ledger import VERDICTS, SubnetState

WORDS = {
    "cpu": "CPU",
    "memory": "memory",
    "max_pods": "max pods",
    "addresses": "addresses",
    "branch_enis": "branch ENIs",
    "volumes": "EBS volumes",
    "gpus": "GPUs",
}
NO_GROUPS = 10_000


def too_large(market: Market, pods: Sequence[Pods]) -> Infeasible | None:
    """A pod that fits on no allowed type; None if each fits on at least one."""
    for p in pods:
        if any(holds(c, p) for c in market.candidates):
            continue
        need = demand_of(p.pod)
        short = [
            (r, max(market.candidates, key=lambda c: c.rooms[r]))
            for r in range(len(RESOURCES))
            if need[r] and all(c.rooms[r] < need[r] for c in market.candidates)
        ]
        if short:
            r, best = short[0]
            name = RESOURCES[r]
            conflict = (
                f"a pod of {p.name} requests {_requested(name, need[r])}: the most that an allowed type has "
                f"after DaemonSets is {amount(name, max(best.rooms[r], 0))} ({best.name})"
            )
        else:
            conflict = f"no allowed type has room for a pod of {p.name} in every resource"
        larger = "allow larger types (--types, --max-vcpus, --arch)"
        if need[4] and short and RESOURCES[short[0][0]] == "branch_enis":
            larger = "allow types with branch ENIs (Nitro types that support trunking)"
        return Infeasible(conflict, f"{larger}, or lower the request")
    return None


def _requested(resource: str, figure: int) -> str:
    one = {"gpus": "GPU", "volumes": "EBS volume", "branch_enis": "branch ENI"}.get(resource)
    return counted(figure, one) if one else f"{amount(resource, figure)} {WORDS[resource]}"


def amount(resource: str, figure: int) -> str:
    """The room of a node, or a request, with its unit.

    >>> amount("cpu", 1500), amount("memory", 2 * 1024**3), amount("max_pods", 9)
    ('1.5', '2 GiB', '9')
    """
    if resource == "cpu":
        return f"{figure / 1000:g}"
    if resource == "memory":
        mib = figure / MIB
        return f"{mib / 1024:,.4g} GiB" if mib >= 1024 else f"{mib:,.4g} MiB"
    return f"{figure:,}"


def clash(buying: Buying, market: Market, choices: Choices, found: Found) -> Infeasible:
    """The reason why no division is possible: the user's limits, or the subnets."""
    if found.nearest is None:
        return _own_limits(buying, market, choices)
    least = min((p.vcpus for p in found.tried if p.ok), default=None)
    if least is not None:  # only the quota is against them
        words = f"the node groups have {least:,} vCPUs at the peak, the quota is {buying.vcpu_quota:,}"
        return Infeasible(words, f"--vcpu-quota {least}")
    return _in_the_plan(buying, found.nearest)


def _own_limits(buying: Buying, market: Market, choices: Choices) -> Infeasible:
    """The options that exclude every division, and the values that the cheapest division needs."""
    free = replace(choices, max_types=None, max_groups=NO_GROUPS, vcpu_quota=None, max_nodes=None)
    rules = replace(buying.rules, max_nodes=None)
    listed = divisions(replace(buying, rules=rules), market, free, limited=True)
    if not listed:
        return Infeasible("no allowed type fits these pods", "allow more types (--types, --max-vcpus, --arch)")
    said, cures = [], []
    if choices.vcpu_quota is not None:
        least = min(sum(s.candidate.vcpus * s.peak for s in d) for d in listed)
        if least > choices.vcpu_quota:
            said.append(f"the vCPU quota of {choices.vcpu_quota:,}")
            cures.append(f"--vcpu-quota {least}")
    if choices.max_nodes is not None:
        said.append(f"at most {counted(choices.max_nodes, 'node')} in a group")
        cures.append(f"--max-nodes {min(max(s.peak for s in d) for d in listed)}")
    if not said:
        groups, types = min((len(d), len({s.candidate.name for s in d})) for d in listed)
        said.append(f"at most {choices.max_groups} node groups" + ("" if choices.max_types is None else " and types"))
        cures.append(f"--max-groups {groups}" + ("" if choices.max_types is None else f" --max-types {types}"))
    return Infeasible(f"the pods at the peak do not fit with {' and '.join(said)}", " ".join(cures))


def _in_the_plan(buying: Buying, nearest: Purchase) -> Infeasible:
    """Objections of the check to the division with the fewest addresses, and subnets with which it would be ok."""
    result = nearest.result
    if result.blocked:
        return Infeasible("; ".join(result.blocked), "resolve that finding (capacity explain has its fix)")
    worst = max(result.scenarios, key=lambda s: VERDICTS.index(s.verdict))
    if worst.refused:
        return Infeasible(
            f"EKS refuses the control-plane update in {worst.title}: too few addresses are free in the cluster subnets",
            _larger_subnets(buying, nearest),
        )
    if worst.unplaced_pods or worst.pods_without_address:
        return Infeasible(
            f"{worst.title}: {_pods_left(worst)}, with {_mix(nearest)}", "more or larger nodes (--max-nodes, --types)"
        )
    short = [s for s in worst.subnets if s.verdict != "ok"] or list(worst.subnets)
    state = min(short, key=lambda s: s.free / max(s.subnet.usable, 1))
    fewest = f"the node groups found that use the fewest addresses ({_mix(nearest)})"
    conflict = f"{_subnet_words(state, worst, result.plan.checks.min_free)}, even with {fewest}"
    return Infeasible(conflict, _larger_subnets(buying, nearest))


def _pods_left(state: ScenarioState) -> str:
    if state.unplaced:
        return "; ".join(str(u) for u in state.unplaced)
    return f"{counted(state.pods_without_address, 'pod')} without an address"


def _subnet_words(state: SubnetState, scenario: ScenarioState, min_free: Fraction) -> str:
    name, usable, where = state.subnet.name, state.subnet.usable, scenario.title
    if state.free < 0:
        return f"{name} is {-state.free:,} addresses short in {where}"
    if not state.prefixes_placed:
        return f"{name} has no room for {state.prefixes:,} prefixes in {where}"
    if state.free < min_free * usable:
        return f"{name} keeps {state.free:,} of {usable:,} addresses free in {where}, less than minFree requires"
    return f"{name} can need {state.used_highest:,} of {usable:,} addresses in {where} in the worst-case placement"


def _larger_subnets(buying: Buying, nearest: Purchase) -> str:
    plan = nearest.result.plan
    try:
        sizing = size_plan(plan, scenarios=buying.scenarios or None)
    except InfeasiblePlan as error:
        return f"larger subnets (capacity size): {error}"
    grown = [f"{s.name} /{s.needed} instead of {s.existing}" for s in sizing.subnets if not s.kept and s.existing]
    return "larger subnets: " + ", ".join(grown) if grown else "divide the addresses differently (capacity size)"


def _mix(p: Purchase) -> str:
    return " + ".join(f"{s.peak} {s.candidate.name}" for s in p.division)
