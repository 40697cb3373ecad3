"""Summarize a check in one sentence: which subnet, at which node, and why."""

from __future__ import annotations

from collections import Counter

from capacity.cluster.check import CheckResult, has_pods
from capacity.cluster.control_plane import CONTROL_PLANE_UPDATE, short_subnets
from capacity.cluster.headroom import Exhaustion, exhaustion
from capacity.cluster.scenario import ScenarioState
from capacity.cluster.unplaced import unschedulable, without_address
from capacity.node.limit_words import limit_words
from capacity.plan.constants import AT_REST
from capacity.plan.scenarios import when_words
from capacity.units import counted, some_of
from capacity.vpc.ledger import VERDICTS, SubnetState

# The limit of unschedulable pods, in words


def verdict_sentence(result: CheckResult) -> str:
    """Sentence with the verdict and its cause.

    For an exhausted plan: the subnet that is shortest, in which scenario, by how many addresses, at
    which node of which group, and what holds its addresses.
    """
    if result.verdict == "ok":
        share = float(100 * result.plan.checks.min_free)
        names = ", ".join(dict.fromkeys(s.name for s in result.scenarios))
        return f"OK: every subnet keeps at least {share:g}% of its addresses free ({names})."
    scenario, subnet = _worst(result)
    if VERDICTS.index(scenario.verdict) < VERDICTS.index(result.verdict):
        return f"{result.verdict.upper()}: {_beyond_scenarios(result)}"
    pods = _pods(scenario)
    if VERDICTS.index(subnet.verdict) < VERDICTS.index(result.verdict) or scenario.refused:
        return f"{result.verdict.upper()}: {_at(scenario)},{_refused(scenario)}{pods}{_least_left(subnet)}"
    name = f"{subnet.subnet.name} ({subnet.subnet.cidr}, {subnet.subnet.zone})"
    if subnet.free >= 0:
        what = _tight(subnet) if subnet.prefixes_placed else _misplaced(subnet)
        return f"{result.verdict.upper()}: {name}: {what} {_at(scenario)}.{pods}"
    at_rest = scenario.name in AT_REST
    when = _when(exhaustion(result, scenario, subnet.subnet.name)) if at_rest else ""
    short = counted(-subnet.free, "address", "addresses")
    return f"{result.verdict.upper()}: {name} is {short} short {_at(scenario)}.{when}{_why(subnet)}{pods}"


def _beyond_scenarios(result: CheckResult) -> str:
    """Reason why a plan is worse than its scenarios: what cannot work, no pods, or another allowed type."""
    if result.blocked:
        more = f" ({len(result.blocked) - 1} more)" if len(result.blocked) > 1 else ""
        return f"this configuration cannot work: {result.blocked[0]}{more}."
    if not has_pods(result.plan):
        return "the plan has no pods, so only its nodes and tenants were checked."
    types = some_of([f"{h.group} with {h.instance_type}" for h in result.harmful], 3)
    return f"every scenario fits with the expected instance types, but not with every allowed type: {types}."


def _at(scenario: ScenarioState) -> str:
    """Scenario in words: ``at peak``, ``in upgrade``."""
    return when_words(scenario.name, scenario.title)


def _refused(scenario: ScenarioState) -> str:
    """Sentence that EKS refuses the update, with the reason."""
    if not scenario.refused:
        return ""
    least = ", ".join(f"{scenario.update_room[name]} in {name}" for name in short_subnets(scenario.update_room)[:4])
    return (
        f" EKS refuses the control-plane update: it needs {CONTROL_PLANE_UPDATE} free addresses in cluster subnets "
        f"of two zones ({least})."
    )


def _pods(scenario: ScenarioState) -> str:
    """Sentences about the pods that do not run; empty if all run."""
    said = [without_address(scenario.pods_without_address)] if scenario.pods_without_address else []
    said += [_unplaced(scenario)] if scenario.unplaced else []
    return "".join(f" {s}." for s in said)


def _unplaced(scenario: ScenarioState) -> str:
    """``12 pods are unschedulable: limited by CPU and max pods``, the limit of the most pods first."""
    by_reason = Counter({u.reason: 0 for u in scenario.unplaced})
    for u in scenario.unplaced:
        by_reason[u.reason] += u.pods
    reasons = [limit_words(reason) for reason, _ in by_reason.most_common()]
    said = " and ".join(filter(None, (", ".join(reasons[:-1]), reasons[-1])))
    return f"{unschedulable(scenario.unplaced_pods)}: limited by {said}"


def _least_left(subnet: SubnetState) -> str:
    """Sentence about the addresses of a plan whose pods do not run for other reasons."""
    if subnet.verdict == "ok":
        return " No subnet is short of addresses."
    name = f"{subnet.subnet.name} ({subnet.subnet.cidr}, {subnet.subnet.zone})"
    return f" The subnet with the least room is {name}: {_tight(subnet)}."


def _misplaced(subnet: SubnetState) -> str:
    if subnet.prefixes:
        return "its prefixes cannot be placed"
    return "its CIDR reservations leave too few single addresses"


def _tight(subnet: SubnetState) -> str:
    if subnet.used_highest > subnet.subnet.usable:
        stay = f"{subnet.free:,} of {subnet.subnet.usable:,} addresses stay free"
        return f"{stay}, but the worst-case placement needs {subnet.used_highest:,}"
    return f"only {subnet.free:,} of {subnet.subnet.usable:,} addresses stay free"


def _worst(result: CheckResult) -> tuple[ScenarioState, SubnetState]:
    """First scenario with the worst verdict, and its subnet with the smallest free share."""
    order = {"exhausted": 0, "tight": 1, "ok": 2}
    scenario = min(result.scenarios, key=lambda s: order[s.verdict])
    subnet = min(scenario.left or scenario.subnets, key=lambda s: (order[s.verdict], s.free / s.subnet.usable))
    return scenario, subnet


def _when(found: Exhaustion | None) -> str:
    if found is None:
        return ""
    return f" Node {found.node:,} of {found.most:,} in {found.group} ({found.addresses} addresses each) no longer fits."


def _why(subnet: SubnetState) -> str:
    used = subnet.used | subnet.grouped
    names = {
        "warm": "kept warm",
        "pods": "used by pods",
        "other": "used by others",
        "load_balancers": "reserved for load balancers",
    }
    largest = [h for h in sorted(names, key=lambda h: -used[h])[:2] if used[h]]
    amounts = [counted(used[h], "address", "addresses") if i == 0 else f"{used[h]:,}" for i, h in enumerate(largest)]
    verbs = ["is" if used[h] == 1 else "are" for h in largest]
    said = (f"{n} {verb} {names[h]}" for n, verb, h in zip(amounts, verbs, largest, strict=True))
    return f" {', '.join(said)}." if largest else ""


def waste_sentence(result: CheckResult) -> str:
    """Sentence about the addresses that nodes hold and no pod uses, in steady."""
    state = next((s for s in result.scenarios if s.name == "steady"), None)
    if state is None:
        return ""
    warm = sum(s.used["warm"] for s in state.subnets)
    held = warm + sum(s.grouped["pods"] for s in state.subnets)
    if not warm:
        return ""
    return f"Held but unused in steady: {warm:,} of {held:,} pod addresses ({100 * warm / held:.0f}%)."
