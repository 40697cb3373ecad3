"""Levers that change how pods get addresses: prefixes, IPv6."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Network

from capacity.advice.levers.lever import GUIDE, Lever
from capacity.advice.levers.variables import env
from capacity.advice.snippets.settings import ipv6_cluster_snippets, max_pods_snippets, windows_snippets
from capacity.advice.snippets.subnets import reservation_snippets
from capacity.cluster.check import CheckResult
from capacity.cni.on_node import own_cni
from capacity.node.density import recommended_cap
from capacity.plan.constants import OVERLAY, PREFIX_SIZE, VPC_CNI
from capacity.plan.model import NodeGroup, Plan, Reservation, Subnet
from capacity.plan.patch import entry
from capacity.plan.versions import IPV6_SINCE, version_numbers
from capacity.plan.windows import PREFIXES
from capacity.vpc.blocks import prefixes_fit, room_of
from capacity.vpc.ledger import SubnetState
from capacity.vpc.reservations import reservation_choices

BRANCH_IPV6_SINCE = (1, 16, 0)  # awsdocs/amazon-eks-user-guide@4d52b4d networking/security-groups-for-pods.adoc
KUBERNETES_IPV6_SINCE = (1, 21, 0)  # EKS API KubernetesNetworkConfigRequest.ipFamily (read 2026-11-25)
NO_IPV6_REGIONS = "cn-"  # the same


def prefixes(plan: Plan) -> Iterator[Lever]:
    """Enable prefix delegation, with max pods where the platform does not raise it; Nitro only.

    As an answer it is completed with reservations for the prefixes.
    """
    settings = plan.cni.settings
    if settings.prefix or settings.ipv6 or not own_cni(plan) or not _all_nitro(own_cni(plan)):
        return
    change: dict[str, str | None] = {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"}
    patch, commands = env(plan, change)
    raised = _raised_max_pods(plan)
    lever = Lever(
        name="prefix-delegation",
        summary="assign /28 prefixes instead of single addresses, raise max pods where the platform does not",
        patch=patch | {entry("nodeGroups", g.name, "maxPods"): cap for g, cap in raised},
        cost="requires new nodes and aligned /28 blocks; for more pods per node, not for fewer addresses",
        source=f"{GUIDE}/prefix-mode_linux.adoc L43-93; subnet-cidr-reservation.md L3-14",
        commands=(*commands, *_max_pods_lines(raised)),
        risk="architecture",
    )
    yield replace(lever, complete=partial(_with_reservations, lever, {s.name for s in plan.subnets}))


def windows_prefixes(plan: Plan) -> Iterator[Lever]:
    """Enable prefix delegation for Windows nodes: 16 times the addresses of their one ENI."""
    groups = [g for g in plan.node_groups if g.windows and plan.cni.settings.cni != OVERLAY]
    if plan.cni.windows.prefix or not all(k.prefixes_possible for g in groups for k in g.instance_types):
        return
    if groups:
        yield Lever(
            name="windows-prefix-delegation",
            summary="assign /28 prefixes on Windows nodes (in ConfigMap amazon-vpc-cni, not on aws-node)",
            patch={f"cni.windows.{PREFIXES}": "true"},
            cost="requires new nodes and aligned /28 blocks",
            source=f"{GUIDE}/prefix-mode_windows.adoc L8-18; aws/amazon-vpc-resource-controller-k8s@2c6894c "
            "pkg/config/loader.go ParseWinIPTargetConfigs",
            commands=windows_snippets({PREFIXES: "true"}, plan.cni.env, plan.cni.config_map),
            risk="architecture",
        )


def ipv6(plan: Plan) -> Iterator[Lever]:
    """Create a new cluster with pods on IPv6: Nitro and Linux only, without custom networking."""
    settings = plan.cni.settings
    if settings.ipv6 or settings.custom_networking or any(g.windows for g in plan.node_groups):
        return
    if settings.cni != VPC_CNI:  # IPv6 is not modelled with them
        return
    if all(g.fargate for g in plan.node_groups) or not _all_nitro(plan.node_groups) or not _new_enough(plan):
        return
    raised = _raised_max_pods(plan)
    variables = {"ENABLE_IPv4": "false", "ENABLE_IPv6": "true", "ENABLE_PREFIX_DELEGATION": "true"}
    patch: dict[str, object] = {"kubernetes.ipFamily": "ipv6"}
    if plan.kubernetes.service_cidr is not None:
        patch["kubernetes.serviceCidr"] = None  # EKS assigns Services a block of fc00::/7 and accepts no other
    patch |= {f"cni.env.{name}": value for name, value in variables.items()}
    patch |= {entry("nodeGroups", g.name, "maxPods"): cap for g, cap in raised}
    yield Lever(
        name="ipv6",
        summary="create a new cluster with pods on IPv6, which use no IPv4 addresses",
        patch=patch,
        cost="requires a new cluster (its IP family cannot change) and moving the workloads; IPv6 blocks for VPC "
        "and subnets; nodes, control plane, Fargate pods, load balancers and endpoints stay on IPv4 (IP033)",
        source=f"{GUIDE}/ipv6.adoc L16-119; EKS API KubernetesNetworkConfigRequest.ipFamily (read 2026-11-25)",
        commands=(
            *ipv6_cluster_snippets(plan, variables),
            *_max_pods_lines(raised),
        ),
        risk="new cluster",
    )


def _all_nitro(groups: Iterable[NodeGroup]) -> bool:
    kinds = [k for g in groups if not g.fargate for k in g.instance_types]
    return all(k.prefixes_possible for k in kinds)


def _new_enough(plan: Plan) -> bool:
    """Whether the region and the versions, if set, support an IPv6 cluster."""
    needed = BRANCH_IPV6_SINCE if plan.cni.settings.pod_eni else IPV6_SINCE
    cni, kubernetes = version_numbers(plan.cni.version), version_numbers(plan.kubernetes.version)
    if (plan.region or "").startswith(NO_IPV6_REGIONS):
        return False
    return (not cni or cni >= needed) and (not kubernetes or kubernetes >= KUBERNETES_IPV6_SINCE)


def _max_pods_lines(raised: Iterable[tuple[NodeGroup, int]]) -> Iterator[str]:
    for group, cap in raised:
        yield from max_pods_snippets(group.name, group.provisioner, group.ami, cap)


def _raised_max_pods(plan: Plan) -> list[tuple[NodeGroup, int]]:
    """Recommended max pods of groups whose platform counts only single addresses. [pods]"""
    return [
        (group, min(int(recommended_cap(k.vcpus or 0)) for k in group.instance_types))
        for group in own_cni(plan)
        if group.provisioner in ("karpenter", "self-managed") and group.max_pods is None
    ]


# --- reservations for prefixes --------------------------------------------------------------------


def _with_reservations(lever: Lever, names: Collection[str], changed: CheckResult) -> Lever:
    """The lever with reservations for the prefixes of the changed plan, in the subnets with these names."""
    reserved, left_off = _reservations([s for scenario in changed.scenarios for s in scenario.subnets], names)
    if not reserved and not left_off:
        return lever
    paths = {entry("vpc.subnets", name, "reservations[+]"): cidrs for name, cidrs in reserved.items()}
    patch = {path: [{"cidr": str(c), "type": "prefix"} for c in cidrs] for path, cidrs in paths.items()}
    used = "; addresses already in use inside a reserved block stay until their pods end" if reserved else ""
    return replace(
        lever,
        summary=lever.summary + _in_words(reserved, left_off),
        patch={**lever.patch, **patch},
        cost=lever.cost + used,
        commands=(*lever.commands, *reservation_snippets(reserved)),
    )


def _reservations(
    subnets: Iterable[SubnetState], names: Collection[str]
) -> tuple[dict[str, tuple[IPv4Network, ...]], list[str]]:
    """CIDR reservations for the most prefixes of each subnet in any scenario, and subnets without room for one."""
    states: dict[str, list[SubnetState]] = {}
    for state in subnets:
        if state.subnet.name in names:
            states.setdefault(state.subnet.name, []).append(state)
    found: dict[str, tuple[IPv4Network, ...]] = {}
    left_off: list[str] = []
    for name, mine in states.items():
        most = max(s.prefixes for s in mine)
        choices = reservation_choices(mine[0].subnet, most)
        chosen = next((c for c in choices if all(_holds(s, c) for s in mine)), None)
        if chosen:
            found[name] = chosen
        elif most > room_of(mine[0].subnet).reserved_blocks:
            left_off.append(name)
    return found, left_off


def _holds(state: SubnetState, cidrs: tuple[IPv4Network, ...]) -> bool:
    """Whether the subnet still fits its addresses once ``cidrs`` are reserved for prefixes."""
    if not state.prefixes_placed:
        return False
    reserved = (*state.subnet.reservations, *(Reservation(c, "prefix") for c in cidrs))
    singles = state.used_total - PREFIX_SIZE * state.prefixes
    subnet: Subnet = replace(state.subnet, reservations=reserved)
    return bool(prefixes_fit(subnet, state.prefixes, singles))


def _in_words(reserved: Mapping[str, tuple[IPv4Network, ...]], left_off: list[str]) -> str:
    words = [f"{', '.join(map(str, cidrs))} in {name}" for name, cidrs in reserved.items()]
    text = f"; reserve for prefixes: {'; '.join(words)}" if words else ""
    return text + (f"; no room for a reservation in {', '.join(left_off)}" if left_off else "")
