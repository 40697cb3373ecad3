"""Levers that raise a limit that leaves pods unschedulable: the number of nodes, and max pods."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from capacity.advice.levers.lever import Lever
from capacity.advice.levers.trouble import unschedulable_in
from capacity.advice.snippets.groups import group_size_snippets
from capacity.advice.snippets.settings import max_pods_snippets
from capacity.cluster.check import CheckResult, nodes_in
from capacity.plan.model import Limits, NodeGroup, Plan
from capacity.plan.patch import entry


def more_nodes(result: CheckResult, only: Collection[str]) -> Iterator[Lever]:
    """Raise ``nodes.max`` to what the pods need, and ``desired`` if pods are unschedulable in steady."""
    names = {name for name, reason in unschedulable_in(result) if reason != "addresses" and name in only}
    bounded = {g.name for g in result.plan.node_groups if g.name in names and not g.fargate and _bounded(g)}
    if not bounded:
        return
    grown, lacking = _without_limits(result.plan, bounded), _lacking(result, "steady")
    free = nodes_in(grown, [s for s in result.specs if not set(s.parts) & NOT_NEEDED], bounded, result.reuse)
    patch: dict[str, object] = {}
    words: list[str] = []
    commands: list[str] = []
    for index, group in enumerate(result.plan.node_groups):
        if group.name not in bounded:
            continue
        shape = result.shapes[index]
        need = max((nodes[group.name] for _, nodes in free), default=0)
        steady = max((nodes[group.name] for name, nodes in free if name == "steady"), default=0)
        desired = group.desired
        if desired is not None and steady > desired and group.name in lacking:
            desired = steady
        most = max(need, desired or 0)
        had = shape.most_nodes
        if desired == group.desired and (had is None or most <= had):
            continue
        size = {"min": group.min_nodes} | ({} if desired is None else {"desired": desired})
        most = max(most, had or 0)
        if group.max_nodes is not None:
            size["max"] = most
        patch |= _limits(group, shape.first.instance_type.vcpus, shape.first.instance_type.memory_mib, most)
        patch[entry("nodeGroups", group.name, "nodes")] = size
        commands += group_size_snippets(group, size, shape.first.instance_type.vcpus or 0)
        was = f"{group.desired:,}" if had is None else f"{had:,}"
        words.append(f"{group.name} up to {most:,} nodes instead of {was}")
    if patch:
        yield Lever(
            name="more-nodes",
            summary=f"raise the number of nodes: {'; '.join(words)}",
            patch=patch,
            cost="price of the additional nodes; requires an autoscaler to start them",
            source="Amazon EKS API UpdateNodegroupConfig scalingConfig (read 2026-11-30)",
            commands=tuple(commands),
            risk="nodes",
        )


NOT_NEEDED = {"ceiling", "upgrade", "blue-green"}  # more nodes than the pods need run there


def raise_max_pods(result: CheckResult, only: Collection[str]) -> Iterator[Lever]:
    """Raise max pods set by hand to the platform default, if they leave pods unschedulable."""
    limited = {name for name, reason in unschedulable_in(result) if reason == "max_pods" and name in only}
    patch: dict[str, object] = {}
    commands: list[str] = []
    for shape in result.shapes:
        group = shape.group
        own = min(shape.platform.own_max_pods)
        if group.name in limited and group.max_pods is not None and not group.auto and own > group.max_pods:
            patch[entry("nodeGroups", group.name, "maxPods")] = own
            commands += max_pods_snippets(group.name, group.provisioner, group.ami, own)
    if patch:
        yield Lever(
            name="raise-max-pods",
            summary="raise max pods to the platform default: "
            + ", ".join(f"{v}" for v in dict.fromkeys(patch.values())),
            patch=patch,
            cost="nodes are replaced; more pods per node use more addresses per node",
            source="awslabs/amazon-eks-ami@81fec2e8 nodeadm doc/examples.md L253-254",
            commands=tuple(commands),
            risk="nodes",
        )


def _bounded(group: NodeGroup) -> bool:
    limits = group.limits
    limited = limits.cpu_millicores is not None or limits.memory_bytes is not None
    return group.max_nodes is not None or group.desired is not None or limited


def _without_limits(plan: Plan, names: set[str]) -> Plan:
    """The plan without limits on the number of nodes of the named groups."""
    free = {"desired": None, "max_nodes": None, "limits": Limits()}
    groups = tuple(replace(g, **free) if g.name in names else g for g in plan.node_groups)  # type: ignore[arg-type]
    return replace(plan, node_groups=groups)


def _lacking(result: CheckResult, name: str) -> set[str]:
    """Groups that could run the unschedulable pods of a scenario."""
    states = tuple(s for s in result.scenarios if s.name == name)
    return {group for group, _ in unschedulable_in(replace(result, scenarios=states))}


def _limits(group: NodeGroup, vcpus: int | None, memory_mib: int | None, nodes: int) -> dict[str, object]:
    """Limits of a NodePool raised to allow ``most`` nodes; empty if it has none."""
    path = entry("nodeGroups", group.name, "limits")
    found: dict[str, object] = {}
    if group.limits.cpu_millicores is not None and vcpus:
        found[f"{path}.cpu"] = max(nodes * vcpus, group.limits.cpu_millicores // 1000)
    if group.limits.memory_bytes is not None and memory_mib:
        found[f"{path}.memory"] = f"{nodes * memory_mib}Mi"
    return found
