"""Findings about node groups: max pods against addresses, memory, volumes, what limits a node and what stays unused."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from capacity.advice.findings.codes import Finding, finding, worst_of_each
from capacity.cluster.alternatives import HarmfulType
from capacity.cluster.check import CheckResult
from capacity.cluster.node_state import NodeState
from capacity.cluster.scenario import GroupState, ScenarioState
from capacity.cluster.shape import GroupShape, TypeShape
from capacity.cluster.unplaced import unschedulable, without_address
from capacity.cni.facade import settings_on, starts_without_serving_eni
from capacity.node.density import CAP_SMALL, recommended_cap
from capacity.plan.cni_env import CniSettings
from capacity.plan.constants import PREFIX_SIZE
from capacity.plan.windows import ENABLED
from capacity.units import MIB, counted, some_of

DAEMONS_PCT = 25  # DaemonSet pods of max pods, from which they are reported
BOUND_PCT, STRANDED_PCT = 90, 50  # pods of max pods or addresses; CPU and memory in use on the same nodes


def node_findings(result: CheckResult) -> Iterator[Finding]:
    """All findings about node groups."""
    yield from _harmful(result)
    for shape in result.shapes:
        yield from worst_of_each((i, f) for i, f in enumerate(_group(shape, result)))
    for scenario in result.scenarios[:1]:
        for group in scenario.groups:
            yield from _stranded(group, scenario)
            yield from _branch_bound(group, scenario)


def _group(shape: GroupShape, result: CheckResult) -> Iterator[Finding]:
    group, where = shape.group, f"nodeGroups.{shape.group.name}"
    if group.fargate:
        return
    settings = settings_on(result.plan.cni, group)
    for kind in shape.types:
        name, host_pods = kind.instance_type.name, kind.host_pods
        if not _serves_pods(kind, settings):
            yield finding("IP040", where, f"{group.name}: {_without_eni(kind, settings)}")
        # on Windows the scheduler counts addresses: no pod is placed on a node without one
        elif kind.max_pods - host_pods > kind.addresses and not settings.ipv6 and not group.windows:
            text = f"{group.name}: {name} allows {kind.max_pods} pods ({host_pods} host-network)"
            firm = (s for s in result.scenarios if not s.advisory)
            stuck = any(g.pods_without_address for s in firm for g in s.groups if g.shape == shape)
            severity = "error" if stuck and kind is shape.first else None
            yield finding("IP007", where, f"{text}, but has addresses for only {kind.addresses}", severity=severity)
        if settings.prefix and not kind.settings.prefix:
            why = "is a Xen type" if kind.instance_type.prefixes_possible is False else "is not a Nitro type for Cilium"
            yield finding("IP011", where, f"{group.name}: {name} {why}: it gets single addresses, not prefixes")
        elif settings.prefix and not settings.ipv6 and not group.windows and not group.max_pods:
            single = kind.limits.serving * kind.limits.k + 2
            if kind.max_pods <= max(single, _blind_max_pods(kind.instance_type)) < min(CAP_SMALL, PREFIX_SIZE * single):
                text = f"{group.name}: max pods of {name} is {kind.max_pods}, the limit for single addresses"
                yield finding("IP008", where, f"{text}; prefixes provide up to {kind.addresses:,} addresses")
        memory = (kind.instance_type.memory_mib or 0) * MIB
        reserved = shape.platform.reserved_memory_mib[shape.types.index(kind)] * MIB
        if memory and reserved > memory // 10:
            share = 100 * reserved / memory
            grave = ", a quarter or more" if 4 * reserved >= memory else ""
            text = f"{group.name}: {share:.0f}% of the memory of {name} is kube-reserved{grave}"
            yield finding("IP012", where, f"{text} ({reserved // MIB:,} of {memory // MIB:,} Mi)")
        held = kind.demand(kind.daemon_pods + kind.most_workload_pods) if not settings.ipv6 else 0
        if held > 2 * kind.max_pods and not settings.prefix:
            text = f"{group.name}: a full {name} holds {held} addresses for at most {kind.max_pods} pods"
            yield finding("IP017", where, text)
    yield from _max_pods(shape)
    yield from _daemons(shape)
    yield from _one_zone(shape, result)


def _harmful(result: CheckResult) -> Iterator[Finding]:
    """Findings for allowed types that would exhaust the plan, one per group."""
    groups: dict[str, list[HarmfulType]] = {}
    for harmful in result.harmful:
        groups.setdefault(harmful.group, []).append(harmful)
    for name, found in groups.items():
        worst, names = found[0].scenario, [h.instance_type for h in found]
        shape = next(s for s in result.shapes if s.group.name == name)
        text = f"{name}: the figures use {shape.first.instance_type.name}; with {some_of(names, 6)}"
        yield finding("IP039", f"nodeGroups.{name}", f"{text}, {_outcome(worst)}", worst.title)


def _outcome(scenario: ScenarioState) -> str:
    """Problem of an exhausted scenario, in a few words."""
    if scenario.pods_without_address:
        return without_address(scenario.pods_without_address)
    short = [s for s in scenario.subnets if s.verdict == "exhausted"]
    if short:
        tightest = min(short, key=lambda s: s.free)
        what = f"{-tightest.free:,} addresses short" if tightest.free < 0 else "out of free /28 blocks"
        return f"{tightest.subnet.name} is {what}"
    return unschedulable(scenario.unplaced_pods)


def _serves_pods(kind: TypeShape, settings: CniSettings) -> bool:
    """Whether a node can give any pod an address; a node whose subnet a tag excludes still starts."""
    if kind.limits.windows:
        return settings.windows.enabled
    return starts_without_serving_eni(settings) or kind.limits.serving > 0


def _without_eni(kind: TypeShape, settings: CniSettings) -> str:
    """Reason why a node can give no pod an address, with the count of its ENIs."""
    if kind.limits.windows:
        return f"{ENABLED} is false, so no pod on its Windows nodes gets an address"
    name, enis = kind.instance_type.name, kind.instance_type.max_enis or 0
    terms = [f"{counted(enis, 'ENI')}" if settings.max_eni is None else f"min({enis} ENIs, MAX_ENI {settings.max_eni})"]
    terms += [f"{kind.limits.unmanaged} unmanaged"] if kind.limits.unmanaged else []
    terms += ["1 for the trunk"] if settings.pod_eni and kind.instance_type.trunk_slot else []
    if settings.cilium is not None:
        terms += [f"{settings.cilium.first_interface_index} before firstInterfaceIndex"]
    else:
        terms += ["1 primary (custom networking)"]
    return f"{name} has no ENI for pods ({' − '.join(terms)}): the CNI does not start and its nodes never become Ready"


def _daemons(shape: GroupShape) -> Iterator[Finding]:
    first = shape.first
    if 100 * first.start.pods >= DAEMONS_PCT * first.max_pods:
        text = f"{shape.group.name}: DaemonSets use {first.start.pods} of the {first.max_pods} max pods of each node"
        yield finding("IP035", f"nodeGroups.{shape.group.name}", f"{text}, {first.daemon_pods} of them with an address")


def _one_zone(shape: GroupShape, result: CheckResult) -> Iterator[Finding]:
    zones = {result.plan.subnet(n).zone for n in shape.group.subnets}
    if len(zones) == 1 and len({s.zone for s in result.plan.subnets}) > 1:
        text = f"{shape.group.name} is in {next(iter(zones))} only: if that zone fails, its pods are unschedulable"
        yield finding("IP031", f"nodeGroups.{shape.group.name}", text)


def _stranded(group: GroupState, scenario: ScenarioState) -> Iterator[Finding]:
    """Findings for nodes at their pod or address limit whose CPU and memory are half idle."""
    room, nodes = group.shape.first.room, group.nodes
    if not nodes or group.shape.group.fargate or group.shape.first.settings.ipv6:
        return

    def used(of: Callable[[NodeState], int], each: int) -> float:
        return 100 * sum(c.count * of(c.state) for c in group.classes) / (nodes * each) if each else 100.0

    full = {"max pods": used(lambda s: s.pods, room.max_pods)}
    if not group.shape.first.settings.spares_subnets:
        full["addresses"] = used(lambda s: s.vpc_pods, group.shape.first.addresses)
    binding = max(full, key=lambda k: full[k])
    cpu, memory = used(lambda s: s.cpu, room.cpu), used(lambda s: s.memory, room.memory)
    if full[binding] >= BOUND_PCT and max(cpu, memory) <= STRANDED_PCT:
        text = f"{group.shape.group.name}: {binding} {full[binding]:.0f}% used, CPU {cpu:.0f}%, memory {memory:.0f}%"
        yield finding("IP023", f"nodeGroups.{group.shape.group.name}", text, scenario.title)


def _branch_bound(group: GroupState, scenario: ScenarioState) -> Iterator[Finding]:
    limit = group.shape.first.room.branch_enis
    most = max((c.branch_pods for c in group.classes), default=0)
    if limit and most >= limit:
        name = group.shape.first.instance_type.name
        text = f"{group.shape.group.name}: {most} of {limit} branch ENIs of {name} are in use on its fullest node"
        yield finding("IP024", f"nodeGroups.{group.shape.group.name}", text, scenario.title)


def _blind_max_pods(kind: object) -> int:
    enis, addresses = getattr(kind, "max_enis", 0), getattr(kind, "ipv4_per_eni", 1)
    return int(enis * (addresses - 1) + 2)


def _max_pods(shape: GroupShape) -> Iterator[Finding]:
    group, where = shape.group, f"nodeGroups.{shape.group.name}"
    if group.provisioner != "managed" or group.windows:
        return
    cap = recommended_cap(min(t.instance_type.vcpus or 0 for t in shape.types))
    if group.max_pods and group.max_pods > cap:
        text = f"{group.name}: maxPods {group.max_pods} is above the {cap} that EKS enforces without a custom AMI"
        yield finding("IP015", where, text)
    own = dict(zip((t.instance_type.name for t in shape.types), shape.platform.own_max_pods, strict=True))
    if not group.max_pods and len(set(own.values())) > 1:
        least = min(own, key=lambda n: own[n])
        largest = max(own, key=lambda n: own[n])
        text = (
            f"{group.name}: {least} limits max pods to {own[least]} for all types; {largest} alone has {own[largest]}"
        )
        yield finding("IP014", where, text)
