"""Findings about subnets: exhausted, tight, fragmented, the worst zone, the control plane, load balancers."""

from __future__ import annotations

from collections.abc import Iterator

from capacity.advice.findings.codes import Finding, Ranked, finding, worst_of_each
from capacity.cluster.check import CheckResult
from capacity.cluster.control_plane import CONTROL_PLANE_ADVISED, CONTROL_PLANE_UPDATE, short_subnets
from capacity.cluster.scenario import ScenarioState
from capacity.cluster.unplaced import without_address
from capacity.plan.constants import PREFIX_SIZE, VPC_CNI
from capacity.plan.discovery import of_another_cluster, subnet_discovery
from capacity.plan.model import Plan, Subnet
from capacity.plan.subnet_tags import ROLE_TAG
from capacity.units import counted
from capacity.vpc.block_odds import expected_free_blocks
from capacity.vpc.fragments import fragments_of_counts
from capacity.vpc.ledger import SubnetState, keeps_less

LOAD_BALANCER_PREFIX = 27  # smallest subnet for an ALB; AWS ELB user guide (read 2026-11-24)
LOAD_BALANCERS = ("alb", "clb")


def subnet_findings(result: CheckResult) -> Iterator[Finding]:
    """All findings about subnets."""
    yield from _subnets(result)
    yield from beside_addresses(result)


def beside_addresses(result: CheckResult) -> Iterator[Finding]:
    """All findings about subnets except those about free addresses, which take the longest to compute."""
    yield from _pods(result)
    yield from _control_plane(result)
    yield from _worst_zone(result)
    yield from _load_balancers(result.plan)
    yield from _fragmented(result)
    yield from _unused_tags(result)


def seen_in(scenario: ScenarioState, code: str, where: str, message: str) -> Finding:
    """Create a finding of one scenario; at most a warning if the scenario was not requested by name."""
    return finding(code, where, message, scenario.title, "warning" if scenario.advisory else None)


def _unused_tags(result: CheckResult) -> Iterator[Finding]:
    """Findings for subnets tagged for pods in which no node can have an ENI."""
    plan = result.plan
    if plan.cni.settings.cni != VPC_CNI:  # other CNIs have separate settings, or need none
        return
    used = {n for g in plan.node_groups for n in (*g.subnets, *g.pod_subnets)}
    used |= {n for shape in result.shapes for here in shape.choices.values() for n in here}
    for subnet in plan.subnets:
        if subnet.discovery and subnet.name not in used:
            why = _why_unused(plan, subnet)
            yield finding(
                "IP036", f"subnets.{subnet.name}", f"{subnet.name} is tagged {ROLE_TAG}=1 for pods, but {why}"
            )


def _why_unused(plan: Plan, subnet: Subnet) -> str:
    if plan.cni.settings.custom_networking:
        return "custom networking takes precedence over subnet discovery"
    if plan.cni.settings.ipv6:
        return "pods in an IPv6 cluster use no IPv4 addresses"
    if not subnet_discovery(plan.cni):
        return "subnet discovery is off: ENABLE_SUBNET_DISCOVERY is not true, or the CNI is older than 1.18.0"
    if of_another_cluster(subnet, plan.cni):
        return f"its cluster tags reserve it for {', '.join(subnet.clusters[:4])}"
    return f"no node group of the VPC CNI has a subnet in {subnet.zone}"


def _subnets(result: CheckResult) -> Iterator[Finding]:
    found = [f for scenario in result.scenarios for state in scenario.left for f in _subnet(state, scenario, result)]
    yield from worst_of_each(found)


def _subnet(state: SubnetState, scenario: ScenarioState, result: CheckResult) -> Iterator[Ranked]:
    subnet, min_free = state.subnet, result.plan.checks.min_free
    short = state.free < 0 or not state.prefixes_placed or keeps_less(state.free, subnet.usable, min_free)
    unlucky = state.free >= 0 and state.used_highest > subnet.usable
    if not short and not unlucky:
        return
    where, title = f"subnets.{subnet.name}", scenario.title
    name = f"{subnet.name} ({subnet.cidr}, {subnet.zone})"
    if state.free < 0:
        text = f"{name} is {counted(-state.free, 'address', 'addresses')} short: "
        text += f"{state.used_total:,} needed, {subnet.usable:,} usable"
        yield state.free, seen_in(scenario, "IP001", where, text)
    elif not state.prefixes_placed and state.prefixes:
        text = f"{name} has no room for {counted(state.prefixes, 'prefix', 'prefixes')} next to "
        text += counted(_singles(state), "single address", "single addresses")
        yield state.free, seen_in(scenario, "IP003", where, f"{text} ({state.free:,} addresses free)")
    elif not state.prefixes_placed:
        text = f"{name}: {_singles(state):,} single addresses needed, but CIDR reservations leave fewer"
        yield state.free, seen_in(scenario, "IP001", where, text)
    elif short:
        share = 100 * state.free / subnet.usable
        text = f"{name} keeps {state.free:,} of {subnet.usable:,} addresses free ({share:.1f}%)"
        least = f"less than {float(100 * min_free):g}%"
        yield state.free, finding("IP002", where, f"{text}, {least}", title)
    if unlucky:
        text = f"{name}: {state.used_total:,} addresses expected, but up to {state.used_highest:,} of {subnet.usable:,}"
        text += " in the worst-case placement"
        yield subnet.usable - state.used_highest, finding("IP006", where, text, title)


def _singles(state: SubnetState) -> int:
    return state.used_total - PREFIX_SIZE * state.prefixes


def _pods(result: CheckResult) -> Iterator[Finding]:
    found = [f for scenario in result.scenarios for f in (*_unplaced(scenario), *_without_address(scenario))]
    yield from worst_of_each(found)


def _unplaced(scenario: ScenarioState) -> Iterator[Ranked]:
    for unplaced in scenario.unplaced:
        where = f"workloads.{unplaced.workload}"
        if unplaced.reason == "addresses":
            text = f"{unplaced}: no Windows node has an address left (vpc.amazonaws.com/PrivateIPv4Address)"
            yield -unplaced.pods, seen_in(scenario, "IP004", where, text)
        else:
            why = f"{unplaced}: limited by {unplaced.lack}"
            yield -unplaced.pods, finding("IP005", where, why, scenario.title)


def _without_address(scenario: ScenarioState) -> Iterator[Ranked]:
    for group in scenario.groups:
        if stuck := group.pods_without_address:
            name, first = group.shape.group.name, group.shape.first
            text = f"{without_address(stuck, name)}: a node runs up to {group.pods_per_node} pods"
            text += f", but {first.instance_type.name} has addresses for only {first.served(first.max_pods)}"
            yield -stuck, seen_in(scenario, "IP004", f"nodeGroups.{name}", text)


def _control_plane(result: CheckResult) -> Iterator[Finding]:
    zones = {result.plan.subnet(n).zone for n in result.plan.control_plane or ()}
    if len(zones) == 1:
        text = f"all cluster subnets are in {next(iter(zones))}; EKS requires subnets in two zones"
        yield finding("IP029", "controlPlane.subnets", text)
    found = [f for scenario in result.scenarios for f in _cluster_subnets(result.plan, scenario)]
    found += [f for scenario in result.scenarios for f in _update(scenario)]
    yield from worst_of_each(found)


def _cluster_subnets(plan: Plan, scenario: ScenarioState) -> Iterator[Ranked]:
    for state in scenario.subnets:
        if state.subnet.name not in (plan.control_plane or ()) or state.free < 0:
            continue
        room = state.free + state.used["control_plane"]
        text = f"{state.subnet.name} has {counted(room, 'address', 'addresses')} for the control plane"
        where = f"subnets.{state.subnet.name}"
        if room < CONTROL_PLANE_ADVISED:
            advice = f"{text}; EKS recommends {CONTROL_PLANE_ADVISED}"
            yield room, finding("IP018", where, advice, scenario.title, "warning")


def _update(scenario: ScenarioState) -> Iterator[Ranked]:
    """Findings for cluster subnets with too few free addresses for a control-plane update."""
    for name in short_subnets(scenario.update_room):
        free = scenario.update_room[name]
        text = f"{name} has {free:,} free during a control-plane update; EKS requires {CONTROL_PLANE_UPDATE} free"
        text += " in cluster subnets of two zones and refuses the update" if scenario.refused else ""
        severity = "error" if scenario.refused and not scenario.advisory else "warning"
        yield free - CONTROL_PLANE_ADVISED, finding("IP018", f"subnets.{name}", text, scenario.title, severity)


def _worst_zone(result: CheckResult) -> Iterator[Finding]:
    """Finding for a zone that is not ok while another has more free."""
    named = {n for g in result.plan.node_groups for n in g.subnets + g.pod_subnets}
    named |= {n for shape in result.shapes for here in shape.choices.values() for n in here}
    yield from worst_of_each(r for s in result.scenarios if not s.variant for r in _zones(s, named))


def _zones(scenario: ScenarioState, named: set[str]) -> Iterator[Ranked]:
    free: dict[str, list[int]] = {}
    bad: dict[str, int] = {}
    for state in scenario.subnets:
        if state.subnet.name in named:
            total = free.setdefault(state.subnet.zone, [0, 0])
            total[0] += state.free
            total[1] += state.subnet.usable
            bad[state.subnet.zone] = bad.get(state.subnet.zone, 0) + (state.verdict != "ok")
    if len(free) < 2 or not any(bad.values()) or all(bad.values()):
        return
    shares = {zone: 100 * left / usable for zone, (left, usable) in free.items()}
    least = min((z for z in shares if bad[z]), key=lambda z: shares[z])
    most = max((z for z in shares if not bad[z]), key=lambda z: shares[z])
    if shares[least] < shares[most]:
        left = free[least][0]
        what = (
            f"{-left:,} {'address' if left == -1 else 'addresses'} short"
            if left < 0
            else f"{shares[least]:.0f}% of its addresses are free"
        )
        text = f"{least} runs out first: {what}, {shares[most]:.0f}% are free in {most}"
        yield shares[least], finding("IP019", f"zones.{least}", text, scenario.title)


def _load_balancers(plan: Plan) -> Iterator[Finding]:
    for tenant in plan.tenants:
        if tenant.kind not in LOAD_BALANCERS:
            continue
        subnets = [plan.subnet(n) for n in tenant.subnets]
        for subnet in subnets:
            if subnet.cidr.prefixlen > LOAD_BALANCER_PREFIX:
                text = f"{tenant.name} is in {subnet.name} ({subnet.cidr}); a load balancer requires a /27 or larger"
                yield finding("IP022", f"subnets.{subnet.name}", text)
        if tenant.kind == "alb" and len({s.zone for s in subnets}) < 2:
            text = f"{tenant.name} has subnets in one zone only; an Application Load Balancer requires two"
            yield finding("IP022", f"tenants.{tenant.name}", text)


def _fragmented(result: CheckResult) -> Iterator[Finding]:
    """Findings for subnets with prefixes where no free /28 is expected if single addresses are scattered."""
    yield from worst_of_each(r for s in result.scenarios for x in s.subnets for r in _blocks(x, s))


def _blocks(state: SubnetState, scenario: ScenarioState) -> Iterator[Ranked]:
    if not state.prefixes or not state.prefixes_placed or state.free < 0:
        return
    singles = _singles(state)
    blocks = fragments_of_counts(state.subnet, singles, state.prefixes)
    if blocks.certain:
        return
    expected = float(blocks.expected)
    if expected < 1:
        needed = _blocks_if_scattered(state)
        text = f"{state.subnet.name}: {state.free:,} addresses stay free, but only {expected:.2g} free /28 blocks"
        text += f" are expected if its {singles:,} single addresses are scattered"
        if needed < state.prefixes:
            text += f" (and {needed:,} of its {state.prefixes:,} prefixes could be placed in a used subnet)"
        yield expected, finding("IP020", f"subnets.{state.subnet.name}", text, scenario.title)


def _blocks_if_scattered(state: SubnetState) -> int:
    """Expected free blocks if the single addresses are assigned before the prefixes. [blocks]

    Blocks of a reservation for prefixes are always free.
    """
    empty = fragments_of_counts(state.subnet, 0, 0)
    singles = min(_singles(state), empty.whole * PREFIX_SIZE + empty.rest)
    return empty.reserved_free + int(expected_free_blocks(empty.whole, empty.rest, singles))
