"""Levers: what can be changed in a plan to hold fewer addresses or to have more, as patches of the plan.

A lever only proposes; :mod:`capacity.advice.fixes` applies each to the plan and checks it again. Those
that change running nodes least come first: settings, then nodes, then subnets, then how pods get addresses.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from math import ceil

from capacity.advice.snippets import (
    eni_config,
    env_snippets,
    max_pods_snippets,
    minimal_update_snippet,
    no_surge_snippet,
    reserved_enis_snippet,
)
from capacity.catalog.table import load_catalog
from capacity.cluster.check import CheckResult
from capacity.node.density import recommended_cap
from capacity.spec.plan import NodeGroup, Plan
from capacity.vpc.cidr_rules import proposals
from capacity.vpc.layout import first_free

GUIDE = "aws/aws-eks-best-practices@dc0243a networking"
SPARE = 2  # WARM_IP_TARGET beside a minimum; ip-optimization-strategies.adoc L83-103
POD_SUBNETS = 4  # a /16 is cut into so many pod subnets, one per zone
SIZES = (26, 25, 24, 23, 22, 21, 20, 19, 18)
ROOM_ABOVE = 5  # max pods are lowered to the fullest node's pods and a fifth more


@dataclass(frozen=True, slots=True)
class Lever:
    """One change.

    Attributes
    ----------
    name : str
        As ``docs/reference/levers.md`` calls it.
    summary : str
        What is changed, in one line.
    patch : mapping
        Path in the plan to value, as ``--set`` takes them.
    cost : str
        What it costs or risks.
    source : str
    commands : tuple of str
        What to paste.
    """

    name: str
    summary: str
    patch: Mapping[str, object]
    cost: str
    source: str
    commands: tuple[str, ...] = ()


def levers(result: CheckResult) -> list[Lever]:
    """Every lever whose conditions hold for a checked plan, in the order in which they are preferred."""
    plan = result.plan
    if not plan.node_groups:
        return []
    return [
        *_warm_targets(result),
        *_minimal_update(plan),
        *_smaller_surge(plan),
        *_lower_max_pods(result),
        *_weights(plan),
        *_fewer_larger(plan),
        *_larger_subnets(result),
        *_custom_networking(plan),
        *_prefixes(plan),
    ]


def _own_cni(plan: Plan) -> list[NodeGroup]:
    """Groups whose addresses the VPC CNI's settings decide."""
    return [g for g in plan.node_groups if not (g.fargate or g.auto or g.windows)]


def _env(plan: Plan, change: Mapping[str, str | None]) -> tuple[dict[str, object], tuple[str, ...]]:
    return {f"cni.env.{name}": value for name, value in change.items()}, env_snippets(change, plan.cni.env)


def _warm_targets(result: CheckResult) -> Iterator[Lever]:
    """WARM_IP_TARGET with a minimum at the pods of a node, where whole ENIs or prefixes are kept warm."""
    plan, settings = result.plan, result.plan.cni.settings
    names = {g.name for g in _own_cni(plan)}
    if settings.ipv6 or settings.ip_targets or not names:
        return
    groups = [g for s in result.scenarios for g in s.groups if g.nodes and g.shape.group.name in names]
    pods = max((g.fullest[0] for g in groups), default=0)
    change = {"WARM_IP_TARGET": str(SPARE), "MINIMUM_IP_TARGET": str(pods + SPARE)}
    patch, commands = _env(plan, change)
    yield Lever(
        name="warm-targets",
        summary=f"keep {SPARE} addresses warm and {pods + SPARE} at least on a node (up to {pods} pods run on one)",
        patch=patch,
        cost="more EC2 calls where pods on a node pass the minimum; not for clusters with high churn",
        source=f"{GUIDE}/ip-optimization-strategies.adoc L83-103",
        commands=commands,
    )


def _prefixes(plan: Plan) -> Iterator[Lever]:
    """Prefix delegation, with the max pods that platforms don't raise by themselves; Nitro only."""
    settings = plan.cni.settings
    kinds = [k for g in plan.node_groups if not g.fargate for k in g.instance_types]
    if settings.prefix or settings.ipv6 or not _own_cni(plan) or any(k.prefixes_possible is not True for k in kinds):
        return
    patch, commands = _env(plan, {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"})
    for group in _own_cni(plan):
        if group.provisioner in ("karpenter", "self-managed") and group.max_pods is None:
            cap = min(int(recommended_cap(k.vcpus or 0)) for k in group.instance_types)
            patch[f"nodeGroups[{group.name}].maxPods"] = cap
            commands += tuple(max_pods_snippets(group, cap))
    yield Lever(
        name="prefix-delegation",
        summary="hand out /28 prefixes instead of single addresses, and raise max pods where nobody else does",
        patch=patch,
        cost="new nodes beside the old; needs aligned /28 blocks (reserve them); for density, not for thrift",
        source=f"{GUIDE}/prefix-mode_linux.adoc L43-93",
        commands=commands,
    )


def _custom_networking(plan: Plan) -> Iterator[Lever]:
    """Pods on subnets of a secondary block of 100.64.0.0/10, one per zone of the groups."""
    settings = plan.cni.settings
    zones = list(dict.fromkeys(plan.subnet(n).zone for g in _own_cni(plan) for n in g.subnets))
    windows = any(g.windows for g in plan.node_groups)
    if settings.custom_networking or settings.ipv6 or windows or not zones or len(zones) > POD_SUBNETS:
        return
    block = next(iter(proposals(plan.vpc_cidrs)), None)
    if block is None:
        return
    pieces = dict(zip(zones, block.subnets(prefixlen_diff=POD_SUBNETS.bit_length() - 1), strict=False))
    taken = {s.name for s in plan.subnets}
    names = {zone: _free_name(f"pods-{zone}", taken) for zone in zones}
    patch, commands = _env(plan, {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"})
    patch["vpc.cidrs[+]"] = [str(block)]
    patch["vpc.subnets[+]"] = [{"name": names[z], "zone": z, "cidr": str(pieces[z])} for z in zones]
    for group in _own_cni(plan):
        mine = dict.fromkeys(plan.subnet(n).zone for n in group.subnets)
        patch[f"nodeGroups[{group.name}].podSubnets"] = [names[z] for z in mine]
        if group.provisioner == "karpenter":
            patch[f"nodeGroups[{group.name}].reservedEnis"] = max(group.reserved_enis, 1)
    yield Lever(
        name="custom-networking",
        summary=f"put pods on subnets of {block}, one per zone, by custom networking",
        patch=patch,
        cost="the primary ENI serves no pods: lower max pods; new nodes beside the old; an ENIConfig per zone",
        source=f"{GUIDE}/custom-networking.adoc L29-130",
        commands=(
            f"aws ec2 associate-vpc-cidr-block --vpc-id VPC --cidr-block {block}",
            *commands,
            *(eni_config(z, names[z]) for z in zones),
            *reserved_enis_snippet(plan),
        ),
    )


def _larger_subnets(result: CheckResult) -> Iterator[Lever]:
    """A further subnet for nodes in each zone that is not ok, in free space of the VPC: a subnet cannot be resized."""
    plan = result.plan
    needed: dict[str, int] = {}
    used = {n for g in plan.node_groups for n in (g.pod_subnets or g.subnets)}
    for scenario in result.scenarios:
        for state in scenario.subnets:
            if state.subnet.name in used and state.verdict != "ok":
                lack = max(state.used_highest, state.used_total) - state.subnet.usable
                lack = max(lack, ceil(plan.checks.min_free * state.subnet.usable) - state.free, 1)
                needed[state.subnet.zone] = max(needed.get(state.subnet.zone, 0), lack + state.used_total)
    busy = [s.cidr for s in plan.subnets]
    taken = {s.name for s in plan.subnets}
    added: dict[str, tuple[str, IPv4Network]] = {}
    for zone, addresses in needed.items():
        share = 1 - plan.checks.min_free
        length = next((n for n in SIZES if (2 ** (32 - n) - 5) * share >= addresses), SIZES[-1])
        block = first_free(length, plan.vpc_cidrs, busy)
        if block is None:
            return
        busy.append(block)
        added[zone] = (_free_name(f"more-{zone}", taken), block)
    if not added:
        return
    patch: dict[str, object] = {
        "vpc.subnets[+]": [{"name": n, "zone": z, "cidr": str(b)} for z, (n, b) in added.items()]
    }
    for group in plan.node_groups:
        key, names = ("podSubnets", group.pod_subnets) if group.pod_subnets else ("subnets", group.subnets)
        kept = [n for n in names if plan.subnet(n).zone not in added]
        mine = dict.fromkeys(plan.subnet(n).zone for n in names)
        new = [added[z][0] for z in mine if z in added]
        if new:
            patch[f"nodeGroups[{group.name}].{key}"] = [*kept, *new]
    blocks = ", ".join(f"{b} in {z}" for z, (_, b) in added.items())
    yield Lever(
        name="larger-subnets",
        summary=f"move the nodes to larger subnets in free space of the VPC: {blocks}",
        patch=patch,
        cost="takes address space of the VPC; nodes are replaced to move; route tables and tags to be set",
        source=f"{GUIDE}/ip-optimization-strategies.adoc L26, L48",
        commands=tuple(
            f"aws ec2 create-subnet --vpc-id VPC --availability-zone {shlex.quote(z)} --cidr-block {b}"
            for z, (_, b) in added.items()
        ),
    )


def _weights(plan: Plan) -> Iterator[Lever]:
    """Nodes over zones by the size of their subnets, where zones differ."""
    patch: dict[str, object] = {}
    for group in plan.node_groups:
        room: dict[str, int] = {}
        for name in group.pod_subnets or group.subnets:
            subnet = plan.subnet(name)
            room[subnet.zone] = room.get(subnet.zone, 0) + subnet.usable - subnet.used
        if len(set(room.values())) > 1 and group.spread == "even" and not group.fargate and min(room.values()) > 0:
            patch[f"nodeGroups[{group.name}].spread"] = {z: str(n) for z, n in room.items()}
    if patch:
        yield Lever(
            name="rebalance",
            summary="spread nodes over zones by the size of their subnets instead of evenly",
            patch=patch,
            cost="losing the fullest zone costs more; managed groups spread evenly by themselves: one group per zone",
            source="aws/karpenter-provider-aws#5234",
        )


def _lower_max_pods(result: CheckResult) -> Iterator[Lever]:
    """Max pods at the fullest node's pods and a fifth more: bounds what an unlucky spread may take."""
    patch: dict[str, object] = {}
    commands: list[str] = []
    for index, shape in enumerate(result.shapes):
        if shape.group.fargate:
            continue
        fullest = max((s.groups[index].pods_per_node for s in result.scenarios), default=0)
        wanted = max(fullest + ceil(fullest / ROOM_ABOVE), shape.first.start[4] + 1)
        if fullest and wanted < min(t.max_pods for t in shape.types):
            patch[f"nodeGroups[{shape.group.name}].maxPods"] = wanted
            commands += max_pods_snippets(shape.group, wanted)
    if patch:
        yield Lever(
            name="lower-max-pods",
            summary="lower max pods to what the fullest node runs and a fifth more",
            patch=patch,
            cost="fewer pods per node when requests shrink; in the launch template, NodeClass or nodeadm configuration",
            source="aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go L2637",
            commands=tuple(commands),
        )


def _fewer_larger(plan: Plan) -> Iterator[Lever]:
    """Half the nodes of twice the vCPUs, of the same family."""
    catalog = load_catalog()
    patch: dict[str, object] = {}
    for group in plan.node_groups:
        first = None if group.fargate else group.instance_types[0]
        if first is None or not first.vcpus or group.desired is None or group.desired < 4:
            continue
        twice = [
            k
            for k in catalog.match(f"{first.family}.*")
            if k.vcpus == 2 * first.vcpus and not k.bare_metal and k.max_enis and k.ipv4_per_eni
        ]
        if twice and len(group.instance_types) == 1 and group.max_pods is None:
            half = {"min": ceil(group.min_nodes / 2), "desired": ceil(group.desired / 2)}
            nodes = half | ({} if group.max_nodes is None else {"max": ceil(group.max_nodes / 2)})
            patch[f"nodeGroups[{group.name}].instanceTypes"] = [twice[0].name]
            patch[f"nodeGroups[{group.name}].nodes"] = nodes
    if patch:
        yield Lever(
            name="fewer-larger-nodes",
            summary="half as many nodes of twice the size: fewer primaries, daemonset pods and warm pools",
            patch=patch,
            cost="a lost node takes more pods with it; a larger warm ENI each",
            source="aws/aws-eks-best-practices@dc0243a scalability/data-plane.adoc L44-50",
        )


def _minimal_update(plan: Plan) -> Iterator[Lever]:
    groups = [g for g in plan.node_groups if g.provisioner == "managed" and g.update_strategy == "default"]
    if groups:
        yield Lever(
            name="minimal-update",
            summary="update managed node groups with strategy minimal: no surge nodes",
            patch={f"nodeGroups[{g.name}].update.strategy": "minimal" for g in groups},
            cost="old nodes go before new ones come: less room for pods during the update",
            source="Amazon EKS user guide, managed node update behavior (read 2026-11-25)",
            commands=tuple(map(minimal_update_snippet, groups)),
        )


def _smaller_surge(plan: Plan) -> Iterator[Lever]:
    work = [w for w in plan.workloads if w.max_surge and w.replicas]
    if work:
        yield Lever(
            name="no-surge",
            summary="deployments replace pods in place: maxSurge 0, maxUnavailable 25 %",
            patch={f"workloads[{w.name}].rollingUpdate": {"maxSurge": "0", "maxUnavailable": "25%"} for w in work},
            cost="a quarter of the replicas is missing during a deploy",
            source="aws/aws-eks-best-practices@dc0243a reliability/application.adoc L338-346",
            commands=tuple(no_surge_snippet(w.name) for w in work),
        )


def _free_name(wanted: str, taken: set[str]) -> str:
    """The name, or with a number where a subnet has it already."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}-{number}", number + 1
    taken.add(name)
    return name
