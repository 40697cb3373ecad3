"""Findings read off a check: one function per topic, each yields what holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from capacity.advice.codes import SEVERITIES, Finding, finding
from capacity.cluster.check import CheckResult
from capacity.cluster.scenario import ScenarioState
from capacity.cluster.shape import GroupShape, group_settings
from capacity.spec.plan import Plan
from capacity.units import MIB
from capacity.vpc.ledger import SubnetState

CONTROL_PLANE_REQUIRED, CONTROL_PLANE_ADVISED = 6, 16  # network-reqs.adoc L77


def findings(result: CheckResult) -> tuple[Finding, ...]:
    """All findings of a check, the gravest first, otherwise in order of appearance."""
    found = [
        *_subnets(result),
        *_pods(result),
        *_control_plane(result),
        *_settings(result),
        *(f for shape in result.shapes for f in _group(shape, result)),
        *_workloads(result),
    ]
    return tuple(sorted(found, key=lambda f: -SEVERITIES.index(f.severity)))


Ranked = tuple[int, Finding]  # the lower, the graver


def worst_of_each(found: Iterable[Ranked]) -> Iterator[Finding]:
    """One finding per code and place: that of the scenario where it is gravest, with the others named."""
    groups: dict[tuple[str, str], list[Ranked]] = {}
    for rank, entry in found:
        groups.setdefault((entry.code, entry.where), []).append((rank, entry))
    for ranked in groups.values():
        _, gravest = min(ranked, key=lambda r: (-SEVERITIES.index(r[1].severity), r[0]))
        others = dict.fromkeys(e.scenario for _, e in ranked if e.scenario and e.scenario != gravest.scenario)
        also = f" (also in {', '.join(str(o) for o in others)})" if others else ""
        yield replace(gravest, message=gravest.message + also)


def _subnets(result: CheckResult) -> Iterator[Finding]:
    found = [f for scenario in result.scenarios for state in scenario.subnets for f in _subnet(state, scenario, result)]
    yield from worst_of_each(found)


def _subnet(state: SubnetState, scenario: ScenarioState, result: CheckResult) -> Iterator[Ranked]:
    subnet, where, title = state.subnet, f"subnets.{state.subnet.name}", scenario.title
    name = f"{subnet.name} ({subnet.cidr}, {subnet.zone})"
    if state.free < 0:
        text = f"{name} is {-state.free:,} addresses short: {state.used_total:,} wanted, {subnet.usable:,} usable"
        yield state.free, finding("IP001", where, text, title)
    elif not state.prefixes_placed and state.prefixes:
        text = f"{name} has no room for {state.prefixes:,} prefixes beside {_singles(state):,} single addresses"
        yield state.free, finding("IP003", where, f"{text} ({state.free:,} addresses free)", title)
    elif not state.prefixes_placed:
        text = f"{name}: {_singles(state):,} single addresses wanted, but reservations leave fewer outside them"
        yield state.free, finding("IP001", where, text, title)
    elif state.free < result.plan.checks.min_free * subnet.usable:
        share = 100 * state.free / subnet.usable
        text = f"{name} keeps {state.free:,} of {subnet.usable:,} addresses free ({share:.1f} %)"
        least = f"less than {float(100 * result.plan.checks.min_free):g} %"
        yield state.free, finding("IP002", where, f"{text}, {least}", title)
    if state.free >= 0 and state.used_highest > subnet.usable:
        text = f"{name}: {state.used_total:,} expected, but up to {state.used_highest:,} of {subnet.usable:,}"
        text += " where pods and odd nodes fall badly"
        yield subnet.usable - state.used_highest, finding("IP006", where, text, title)


def _singles(state: SubnetState) -> int:
    return state.used_total - 16 * state.prefixes


def _pods(result: CheckResult) -> Iterator[Finding]:
    found = [f for scenario in result.scenarios for f in _unplaced(scenario)]
    yield from worst_of_each(found)


def _unplaced(scenario: ScenarioState) -> Iterator[Ranked]:
    for unplaced in scenario.unplaced:
        where = f"workloads.{unplaced.workload}"
        text = f"{unplaced.pods:,} pods of {unplaced.workload} find no node"
        if unplaced.reason == "addresses":
            yield -unplaced.pods, finding("IP004", where, f"{text} that can address them", scenario.title)
        else:
            why = f"{text}: stopped by {unplaced.reason.replace('_', ' ')}"
            yield -unplaced.pods, finding("IP005", where, why, scenario.title)


def _control_plane(result: CheckResult) -> Iterator[Finding]:
    found = [f for scenario in result.scenarios for f in _cluster_subnets(result.plan, scenario)]
    yield from worst_of_each(found)


def _cluster_subnets(plan: Plan, scenario: ScenarioState) -> Iterator[Ranked]:
    for state in scenario.subnets:
        if state.subnet.name not in (plan.control_plane or ()) or state.free < 0:
            continue
        room = state.free + state.used["control_plane"]
        text = f"{state.subnet.name} has {room:,} addresses for the control plane"
        where = f"subnets.{state.subnet.name}"
        if room < CONTROL_PLANE_REQUIRED:
            yield room, finding("IP018", where, f"{text}; EKS requires {CONTROL_PLANE_REQUIRED}", scenario.title)
        elif room < CONTROL_PLANE_ADVISED:
            advice = f"{text}; EKS advises {CONTROL_PLANE_ADVISED}"
            yield room, finding("IP018", where, advice, scenario.title, "warning")


def _settings(result: CheckResult) -> Iterator[Finding]:
    settings, env = result.plan.cni.settings, result.plan.cni.env
    if settings.ipv6:
        return
    if settings.minimum_ip and not settings.warm_ip:
        text = f"MINIMUM_IP_TARGET={settings.minimum_ip} without WARM_IP_TARGET: no node ever serves more pods"
        yield finding("IP009", "cni.env.MINIMUM_IP_TARGET", text)
    if env.get("WARM_IP_TARGET") == "0":
        yield finding("IP010", "cni.env.WARM_IP_TARGET", "WARM_IP_TARGET=0 is read as not set: whole units stay warm")
    if not settings.ip_targets:
        if settings.prefix and settings.warm_prefix == 0:
            yield finding("IP016", "cni.env.WARM_PREFIX_TARGET", "WARM_PREFIX_TARGET=0 makes idle nodes flap")
        if not settings.prefix and settings.warm_eni == 0:
            yield finding("IP016", "cni.env.WARM_ENI_TARGET", "WARM_ENI_TARGET=0 makes full nodes flap")


def _group(shape: GroupShape, result: CheckResult) -> Iterator[Finding]:
    group, where = shape.group, f"nodeGroups.{shape.group.name}"
    if group.fargate:
        return
    settings = group_settings(result.plan.cni.settings, group)
    for kind in shape.types:
        name, start = kind.instance_type.name, kind.start
        host_pods = start[4] - start[5]
        if kind.max_pods - host_pods > kind.room.addresses and not settings.ipv6:
            text = f"{group.name}: {name} may run {kind.max_pods} pods, {host_pods} on the host's network"
            yield finding("IP007", where, f"{text}, but can address only {kind.room.addresses}")
        if settings.prefix and kind.instance_type.prefixes_possible is False:
            yield finding("IP011", where, f"{group.name}: {name} is a Xen type, it gets single addresses, not prefixes")
        elif settings.prefix and not settings.ipv6 and not group.windows and not group.max_pods:
            single = kind.limits.serving * kind.limits.k + 2
            if kind.max_pods <= max(single, _blind_max_pods(kind.instance_type)) < min(110, 16 * single):
                text = f"{group.name}: max pods of {name} is {kind.max_pods}, what single addresses allow"
                yield finding("IP008", where, f"{text}; prefixes could address {kind.room.addresses:,}")
        memory = (kind.instance_type.memory_mib or 0) * MIB
        reserved = shape.platform.reserved_memory_mib[shape.types.index(kind)] * MIB
        if memory and reserved > memory // 10:
            share = 100 * reserved / memory
            grave = ", a quarter or more" if 4 * reserved >= memory else ""
            text = f"{group.name}: {share:.0f} % of the memory of {name} is kube-reserved{grave}"
            yield finding("IP012", where, f"{text} ({reserved // MIB:,} of {memory // MIB:,} Mi)")
        held = kind.demand(kind.daemon_pods + kind.most_workload_pods) if not settings.ipv6 else 0
        if held > 2 * kind.max_pods and not settings.prefix:
            text = f"{group.name}: a full {name} holds {held} addresses for at most {kind.max_pods} pods"
            yield finding("IP017", where, text)
    yield from _max_pods(shape)


def _blind_max_pods(kind: object) -> int:
    enis, addresses = getattr(kind, "max_enis", 0), getattr(kind, "ipv4_per_eni", 1)
    return int(enis * (addresses - 1) + 2)


def _max_pods(shape: GroupShape) -> Iterator[Finding]:
    group, where = shape.group, f"nodeGroups.{shape.group.name}"
    if group.provisioner != "managed" or group.windows:
        return
    cap = 250 if min(t.instance_type.vcpus or 0 for t in shape.types) > 30 else 110
    if group.max_pods and group.max_pods > cap:
        text = f"{group.name}: maxPods {group.max_pods} is above the {cap} that EKS enforces without a custom AMI"
        yield finding("IP015", where, text)
    own = dict(zip((t.instance_type.name for t in shape.types), shape.platform.own_max_pods, strict=True))
    if not group.max_pods and len(set(own.values())) > 1:
        least = min(own, key=lambda n: own[n])
        largest = max(own, key=lambda n: own[n])
        text = f"{group.name}: {least} sets max pods {own[least]} for all; {largest} alone would have {own[largest]}"
        yield finding("IP014", where, text)


def _workloads(result: CheckResult) -> Iterator[Finding]:
    if result.plan.cni.settings.pod_eni:
        return
    for workload in result.plan.workloads:
        if workload.security_groups:
            text = f"{workload.name} wants security groups for its pods, but ENABLE_POD_ENI is not true"
            yield finding("IP013", f"workloads.{workload.name}", text)
