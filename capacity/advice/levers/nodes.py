"""Levers that change the zones and the size of nodes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from math import ceil

from capacity.advice.levers.lever import Lever
from capacity.advice.snippets.groups import group_type_snippets
from capacity.catalog.instance_type import InstanceType
from capacity.catalog.table import load_catalog
from capacity.cost.dollar_words import price_difference
from capacity.plan.model import Plan
from capacity.plan.patch import entry


def weights(plan: Plan, only: Collection[str]) -> Iterator[Lever]:
    """Spread nodes across zones in proportion to subnet size, if the zones differ."""
    patch: dict[str, object] = {}
    for group in (g for g in plan.node_groups if g.name in only):
        room: dict[str, int] = {}
        for name in group.pod_subnets or group.subnets:
            subnet = plan.subnet(name)
            room[subnet.zone] = room.get(subnet.zone, 0) + subnet.usable - subnet.used
        if len(set(room.values())) > 1 and group.spread == "even" and not group.fargate and min(room.values()) > 0:
            patch[entry("nodeGroups", group.name, "spread")] = {z: str(n) for z, n in room.items()}
    if patch:
        yield Lever(
            risk="nodes",
            name="rebalance",
            summary="spread nodes across zones in proportion to subnet size instead of evenly",
            patch=patch,
            cost="losing the fullest zone removes more nodes; managed groups spread evenly: create one group per zone",
            source="aws/karpenter-provider-aws#5234",
        )


def fewer_larger(plan: Plan, only: Collection[str]) -> Iterator[Lever]:
    """Replace nodes with half as many with twice the vCPUs, of the same family."""
    patch: dict[str, object] = {}
    commands: list[str] = []
    costs: list[str] = []
    larger: dict[InstanceType, tuple[InstanceType, ...]] = {}
    for group in (g for g in plan.node_groups if g.name in only):
        first = None if group.fargate else group.instance_types[0]
        if first is None or not first.vcpus or group.desired is None or group.desired < 4:
            continue
        if first not in larger:
            larger[first] = _twice_the_size(first)
        twice = larger[first]
        if twice and len(group.instance_types) == 1 and group.max_pods is None:
            half = {"min": ceil(group.min_nodes / 2), "desired": ceil(group.desired / 2)}
            nodes = half | ({} if group.max_nodes is None else {"max": ceil(group.max_nodes / 2)})
            patch[entry("nodeGroups", group.name, "instanceTypes")] = [twice[0].name]
            patch[entry("nodeGroups", group.name, "nodes")] = nodes
            commands += group_type_snippets(group, [twice[0].name], plan.group_names, nodes)
            costs.append(f"half the nodes, {price_difference(first.name, twice[0].name, plan.region)}")
    if patch:
        yield Lever(
            risk="nodes",
            name="fewer-larger-nodes",
            summary="use half as many nodes of twice the size: fewer primary addresses, DaemonSet pods and warm pools",
            patch=patch,
            cost="; ".join(("a lost node affects more pods; each node keeps a larger warm ENI", *dict.fromkeys(costs))),
            source="aws/aws-eks-best-practices@dc0243a scalability/data-plane.adoc L44-50",
            commands=tuple(commands),
        )


def _twice_the_size(kind: InstanceType) -> tuple[InstanceType, ...]:
    """Instance types of the same family with twice the vCPUs."""
    return tuple(
        k
        for k in load_catalog().match(f"{kind.family}.*")
        if k.vcpus == 2 * (kind.vcpus or 0) and not k.bare_metal and k.max_enis and k.ipv4_per_eni
    )
