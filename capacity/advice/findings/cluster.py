"""Findings about the CNI's settings, workloads, the Service CIDR and versions."""

from __future__ import annotations

from collections.abc import Iterator

from capacity.advice.findings.codes import Finding, finding
from capacity.cluster.check import CheckResult, has_pods
from capacity.cni.on_node import is_own_cni, own_cni
from capacity.plan.constants import VPC_CNI
from capacity.plan.model import Plan
from capacity.plan.versions import IPV6_SINCE, PREFIX_SINCE, version_numbers
from capacity.units import counted
from capacity.vpc.quotas import service_addresses

MANY_NODES = 100


def cluster_findings(result: CheckResult) -> Iterator[Finding]:
    """All findings about the cluster."""
    yield from _nothing_judged(result)
    yield from _settings(result)
    yield from _calls(result)
    yield from _versions(result.plan)
    yield from _services(result.plan)
    yield from _workloads(result)
    yield from _ipv6(result)


def _nothing_judged(result: CheckResult) -> Iterator[Finding]:
    """Finding for a plan without pods: its subnets were checked, its growth was not."""
    if not has_pods(result.plan):
        yield finding("IP038", "workloads", "the plan has no pods: only nodes and tenants were counted")


def _settings(result: CheckResult) -> Iterator[Finding]:
    settings, env = result.plan.cni.settings, result.plan.cni.env
    if settings.ipv6 or _reach_no_node(result.plan):
        return
    if settings.minimum_ip and not settings.warm_ip:
        text = (
            f"MINIMUM_IP_TARGET={settings.minimum_ip} without WARM_IP_TARGET: a node never serves more pods than this"
        )
        stuck = any(s.pods_without_address for s in result.scenarios)
        yield finding("IP009", "cni.env.MINIMUM_IP_TARGET", text, severity="error" if stuck else "warning")
    if env.get("WARM_IP_TARGET") == "0":
        yield finding(
            "IP010",
            "cni.env.WARM_IP_TARGET",
            "WARM_IP_TARGET=0 is treated as not set: the CNI keeps whole ENIs or prefixes warm",
        )
    if not settings.ip_targets:
        if settings.prefix and settings.warm_prefix == 0:
            yield finding(
                "IP016",
                "cni.env.WARM_PREFIX_TARGET",
                "WARM_PREFIX_TARGET=0 causes a prefix attach/detach loop on idle nodes",
            )
        if not settings.prefix and settings.warm_eni == 0:
            yield finding(
                "IP016", "cni.env.WARM_ENI_TARGET", "WARM_ENI_TARGET=0 causes an ENI attach/detach loop on full nodes"
            )


def _reach_no_node(plan: Plan) -> bool:
    """Whether the environment of aws-node reaches no node: all are EKS Auto Mode, Windows or Fargate."""
    return bool(plan.node_groups) and not own_cni(plan)


def _calls(result: CheckResult) -> Iterator[Finding]:
    """Finding for WARM_IP_TARGET without a minimum near the pods: about one EC2 call per pod start."""
    settings = result.plan.cni.settings
    groups = [g for g in result.scenarios[0].groups if g.nodes and is_own_cni(result.plan, g.shape.group)]
    if not settings.warm_ip or settings.prefix or settings.ipv6 or not groups:
        return
    pods = max(g.fullest[0] for g in groups)
    if settings.minimum_ip < pods:
        nodes = sum(g.nodes for g in groups)
        least = settings.minimum_ip or "unset"
        text = (
            f"WARM_IP_TARGET={settings.warm_ip}, MINIMUM_IP_TARGET={least} with up to {counted(pods, 'pod')} per node"
        )
        text += f": about one EC2 call per pod start on {counted(nodes, 'node')}"
        yield finding("IP021", "cni.env.WARM_IP_TARGET", text, severity="warning" if nodes >= MANY_NODES else "info")


def _versions(plan: Plan) -> Iterator[Finding]:
    if plan.cni.settings.cni != VPC_CNI or _reach_no_node(plan):
        return  # the versions below are versions of the VPC CNI
    version = version_numbers(plan.cni.version)
    for wanted, since, what in (
        (plan.cni.settings.ipv6, IPV6_SINCE, "IPv6"),
        (plan.cni.settings.prefix, PREFIX_SINCE, "prefix delegation"),
    ):
        if wanted and version and version < since:
            text = (
                f"CNI {plan.cni.version} does not support {what}, which requires {'.'.join(map(str, since))} or later"
            )
            yield finding("IP032", "cni.version", text)
            return


def _services(plan: Plan) -> Iterator[Finding]:
    block, services = plan.kubernetes.service_cidr, plan.service_count
    if block is None:
        return
    for cidr in plan.vpc_cidrs:
        if block.overlaps(cidr):
            text = f"the Service CIDR {block} overlaps the VPC's {cidr}"
            yield finding("IP025", "kubernetes.serviceCidr", text)
    room = service_addresses(block)
    if services is not None and services > room:
        text = f"{services:,} Services, but {block} has addresses for only {room:,}"
        yield finding("IP026", "kubernetes.serviceCidr", text)
    elif services is not None and 5 * services > 4 * room:
        text = f"{services:,} Services use most of the {room:,} addresses in {block}"
        yield finding("IP026", "kubernetes.serviceCidr", text, severity="warning")


def _ipv6(result: CheckResult) -> Iterator[Finding]:
    """Findings about what still uses IPv4 addresses in an IPv6 cluster."""
    if not result.plan.cni.settings.ipv6:
        return
    windows = [g.name for g in result.plan.node_groups if g.windows]
    if windows:
        text = f"{', '.join(windows)}: Windows nodes cannot join an IPv6 cluster"
        yield finding("IP033", "kubernetes.ipFamily", text, severity="error")
    used = sum(sum(s.used.values()) for s in result.scenarios[0].subnets)
    text = f"{used:,} IPv4 addresses are still used: nodes, control plane, Fargate pods, load balancers and endpoints"
    yield finding("IP033", "kubernetes.ipFamily", text, result.scenarios[0].title)


_WITHOUT_BRANCHES = {
    "vpc-cni": "ENABLE_POD_ENI is not true",
    "cilium": "Cilium does not support them",
    "overlay": "an overlay CNI does not support them",
}


def _workloads(result: CheckResult) -> Iterator[Finding]:
    if result.plan.cni.settings.pod_eni:
        yield from _no_trunk(result)
        return
    for workload in result.plan.workloads:
        if workload.security_groups:
            missing = _WITHOUT_BRANCHES[result.plan.cni.name]
            text = f"{workload.name} requires security groups for its pods, but {missing}"
            yield finding("IP013", f"workloads.{workload.name}", text)


def _no_trunk(result: CheckResult) -> Iterator[Finding]:
    """Findings for pods with security groups that can run on instance types without a trunk ENI."""
    blind = {s.group.name: s.first for s in result.shapes if not s.first.room.branch_enis and not s.group.fargate}
    for workload in result.plan.workloads:
        groups = [n for n in (workload.node_groups or blind) if n in blind]
        if workload.security_groups and groups:
            kinds = ", ".join(f"{blind[n].instance_type.name} of {n}" for n in groups[:3])
            text = f"{workload.name} requires security groups for its pods, but there are no branch ENIs on {kinds}"
            yield finding("IP034", f"workloads.{workload.name}", text)
