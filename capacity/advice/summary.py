"""A check in one sentence: which subnet, when in the growth, and why."""

from __future__ import annotations

from collections import Counter

from capacity.cluster.check import CheckResult
from capacity.cluster.growth import Exhaustion, exhaustion
from capacity.cluster.place import no_node
from capacity.cluster.scenario import ScenarioState
from capacity.units import counted
from capacity.vpc.ledger import VERDICTS, SubnetState

# What keeps a pod off every node, as a reviewer reads it
STOPS = {
    "max_pods": "max pods of the nodes",
    "addresses": "the addresses that the nodes' ENIs can hold",
    "branch_enis": "branch ENIs",
    "volumes": "EBS volumes per node",
    "cpu": "CPU",
    "memory": "memory",
    "nodes": "the number of nodes",
}


def verdict_sentence(result: CheckResult) -> str:
    """The verdict, and where it comes from.

    For an exhausted plan: the subnet that is shortest, in which scenario, by how many addresses, at
    which node of which group, and what holds its addresses.
    """
    if result.verdict == "ok":
        share = float(100 * result.plan.checks.min_free)
        names = ", ".join(dict.fromkeys(s.name for s in result.scenarios))
        return f"OK: every subnet keeps at least {share:g} % of its addresses free ({names})."
    scenario, subnet = _worst(result)
    pods = f" {_unplaced(scenario)}." if scenario.unplaced else ""
    if VERDICTS.index(subnet.verdict) < VERDICTS.index(result.verdict):
        return f"{result.verdict.upper()}: in {scenario.title},{pods}{_least_left(subnet)}"
    name = f"{subnet.subnet.name} ({subnet.subnet.cidr}, {subnet.subnet.zone})"
    if subnet.free >= 0:
        what = _tight(subnet) if subnet.prefixes_placed else _misplaced(subnet)
        return f"{result.verdict.upper()}: {name}: {what} in {scenario.title}.{pods}"
    at_rest = scenario.name in ("steady", "peak")
    when = _when(exhaustion(result, scenario, subnet.subnet.name)) if at_rest else ""
    short = counted(-subnet.free, "address", "addresses")
    return f"EXHAUSTED: {name} is {short} short in {scenario.title}.{when}{_why(subnet)}{pods}"


def _unplaced(scenario: ScenarioState) -> str:
    """``12 pods find no node: stopped by CPU and max pods``, what stops the most first."""
    by_reason = Counter({u.reason: 0 for u in scenario.unplaced})
    for u in scenario.unplaced:
        by_reason[u.reason] += u.pods
    reasons = [STOPS[reason] for reason, _ in by_reason.most_common()]
    said = " and ".join(filter(None, (", ".join(reasons[:-1]), reasons[-1])))
    return f"{no_node(scenario.unplaced_pods)}: stopped by {said}"


def _least_left(subnet: SubnetState) -> str:
    """What the pods are not short of."""
    if subnet.verdict == "ok":
        return " No subnet is short of addresses."
    name = f"{subnet.subnet.name} ({subnet.subnet.cidr}, {subnet.subnet.zone})"
    return f" The subnet with the least left is {name}: {_tight(subnet)}."


def _misplaced(subnet: SubnetState) -> str:
    if subnet.prefixes:
        return "its prefixes cannot be placed"
    return "what its CIDR reservations leave is too little for single addresses"


def _tight(subnet: SubnetState) -> str:
    if subnet.used_highest > subnet.subnet.usable:
        stay = f"{subnet.free:,} of {subnet.subnet.usable:,} addresses stay free"
        return f"{stay}, but up to {subnet.used_highest:,} may be held"
    return f"only {subnet.free:,} of {subnet.subnet.usable:,} addresses stay free"


def _worst(result: CheckResult) -> tuple[ScenarioState, SubnetState]:
    """The first scenario with the plan's verdict, and its subnet with the least share free."""
    order = {"exhausted": 0, "tight": 1, "ok": 2}
    scenario = min(result.scenarios, key=lambda s: order[s.verdict])
    subnet = min(scenario.subnets, key=lambda s: (order[s.verdict], s.free / s.subnet.usable))
    return scenario, subnet


def _when(found: Exhaustion | None) -> str:
    if found is None:
        return ""
    return f" It is full at node {found.node:,} of {found.most:,} of {found.group} ({found.addresses} addresses each)."


def _why(subnet: SubnetState) -> str:
    used = subnet.used | subnet.grouped
    names = {
        "warm": "held warm by the CNI",
        "pods": "given to pods",
        "other": "taken by others",
        "load_balancers": "kept for load balancers",
    }
    largest = sorted(names, key=lambda h: -used[h])[:2]
    said = " and ".join(f"{used[h]:,} {'is' if used[h] == 1 else 'are'} {names[h]}" for h in largest if used[h])
    return f" Of those wanted, {said}." if said else ""


def waste_sentence(result: CheckResult) -> str:
    """Addresses that nodes hold and no pod uses, in steady."""
    state = next((s for s in result.scenarios if s.name == "steady"), None)
    if state is None:
        return ""
    warm = sum(s.used["warm"] for s in state.subnets)
    held = warm + sum(s.grouped["pods"] for s in state.subnets)
    if not warm:
        return ""
    return f"Held but unused in steady: {warm:,} of {held:,} pod addresses ({100 * warm / held:.0f} %)."
