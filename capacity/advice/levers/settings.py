"""Levers that change settings: of the CNI, of updates and deployments, of max pods."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from math import ceil

from capacity.advice.levers.lever import GUIDE, Lever
from capacity.advice.levers.variables import env
from capacity.advice.snippets.settings import max_pods_snippets, minimal_update_snippet, no_surge_snippet
from capacity.advice.warm_choice import env_change, warm_choices
from capacity.advice.warm_rows import WarmRow
from capacity.cluster.check import CheckResult
from capacity.cluster.shape import TypeShape
from capacity.plan.constants import CILIUM, OVERLAY
from capacity.plan.model import Plan, Workload
from capacity.plan.patch import entry

SPARE = 2  # addresses that Cilium keeps free on a node
ROOM_ABOVE = 5  # max pods is lowered to the pods of the fullest node plus a fifth


def warm_targets(result: CheckResult) -> Iterator[Lever]:
    """Change the warm targets: the strongest change, and milder ones from
    :func:`~capacity.advice.warm_choice.warm_choices`."""
    choices = warm_choices(result)
    if choices is not None:
        *milder, strongest = (_targets(result.plan, row, choices.current) for row in choices.rows)
        yield replace(strongest, milder=tuple(milder))


def _targets(plan: Plan, row: WarmRow, current: WarmRow) -> Lever:
    patch, commands = env(plan, env_change(row.targets, current.targets, plan.cni.env))
    return Lever(
        name="warm-targets",
        summary=f"keep fewer spare addresses per node: {row.targets.label.replace(' ', ', ')}",
        patch=patch,
        cost=f"{row.calls_per_pod:.1f} EC2 calls per pod that starts and stops, {current.calls_per_pod:.1f} "
        f"now; {row.calls_per_launch:.1f} to fill a node, {current.calls_per_launch:.1f} now; not for high pod churn",
        source=f"{GUIDE}/ip-optimization-strategies.adoc L83-103",
        commands=commands,
        targets=(row.targets.warm_ip, row.targets.minimum_ip or 0) if row.targets.warm_ip else None,
    )


def smaller_pre_allocate(result: CheckResult) -> Iterator[Lever]:
    """Lower the spare addresses per node of Cilium, if it keeps more."""
    ipam = result.plan.cni.settings.cilium
    if ipam is None or ipam.pre_allocate <= SPARE:
        return
    yield Lever(
        name="pre-allocate",
        summary=f"keep {SPARE} free addresses per node instead of {ipam.pre_allocate}",
        patch={"cni.cilium.preAllocate": SPARE},
        cost="pods that start together wait for the operator's EC2 calls; nodes keep their addresses until replaced",
        source="cilium/cilium@0e22bde5 Documentation/network/concepts/ipam/eni.rst, ENI Allocation Parameters",
        commands=(
            "helm upgrade cilium cilium/cilium --namespace kube-system --reuse-values "
            f"--set ipam.nodeSpec.ipamPreAllocate={SPARE}",
        ),
    )


def minimal_update(plan: Plan, only: Collection[str]) -> Iterator[Lever]:
    """Update managed node groups without the surge nodes of the default strategy."""
    groups = [
        g for g in plan.node_groups if g.name in only and g.provisioner == "managed" and g.update_strategy == "default"
    ]
    if groups:
        yield Lever(
            name="minimal-update",
            summary="update managed node groups with strategy minimal: no surge nodes",
            patch={entry("nodeGroups", g.name, "update.strategy"): "minimal" for g in groups},
            cost="old nodes end before new ones start: less room for pods during the update",
            source="Amazon EKS user guide, managed node update behavior (read 2026-11-25)",
            commands=tuple(map(minimal_update_snippet, groups)),
        )


def smaller_surge(plan: Plan, only: Collection[str]) -> Iterator[Lever]:
    """Roll out Deployments without pods above their replicas."""
    work = [w for w in plan.workloads if w.max_surge and w.replicas and _runs_in(w, only)]
    if work:
        yield Lever(
            name="no-surge",
            summary="deployments replace pods in place: maxSurge 0, maxUnavailable 25%",
            patch={
                entry("workloads", w.name, "rollingUpdate"): {"maxSurge": "0", "maxUnavailable": "25%"} for w in work
            },
            cost="a quarter of the replicas is unavailable during a rollout",
            source="aws/aws-eks-best-practices@dc0243a reliability/application.adoc L338-346",
            commands=tuple(no_surge_snippet(w.name) for w in work),
        )


def _runs_in(workload: Workload, only: Collection[str]) -> bool:
    return not workload.node_groups or not set(only).isdisjoint(workload.node_groups)


def _addressable(kind: TypeShape) -> int:
    """Pods of a node whose ENIs are fully used, including host-network pods. [pods]"""
    return kind.served(kind.max_pods) + kind.host_pods


def lower_max_pods(result: CheckResult, only: Collection[str]) -> Iterator[Lever]:
    """Lower max pods to the pods of the fullest node plus a fifth: limits the worst-case placement.

    If pods get no address, max pods is at most what the ENIs serve: the other pods are then Pending, and an autoscaler
    starts nodes for them. Not for Auto Mode and Fargate, where max pods cannot be set, nor with an overlay CNI, whose
    pods use no VPC address.
    """
    patch: dict[str, object] = {}
    commands: list[str] = []
    for index, shape in enumerate(result.shapes):
        without = shape.group.fargate or shape.group.auto or shape.first.settings.cni == OVERLAY
        if without or shape.group.name not in only:
            continue
        fullest = max((s.groups[index].pods_per_node for s in result.scenarios), default=0)
        wanted = max(fullest + ceil(fullest / ROOM_ABOVE), shape.first.start.pods + 1)
        if any(s.groups[index].pods_without_address for s in result.scenarios):
            wanted = min(wanted, _addressable(shape.first))
        if fullest and wanted < min(t.max_pods for t in shape.types):
            g = shape.group
            patch[entry("nodeGroups", g.name, "maxPods")] = wanted
            commands += max_pods_snippets(g.name, g.provisioner, g.ami, wanted)
    if patch:
        yield Lever(
            name="lower-max-pods",
            summary="cap max pods at the busiest node's count + 20%, and at what its ENIs can address",
            patch=patch,
            cost="fewer pods per node if requests shrink; set in launch template, NodeClass or nodeadm config",
            source=(
                "aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go L2637"
                if result.plan.cni.settings.cni != CILIUM
                else "cilium/cilium@00137987 pkg/ipam/node.go calculateNeededIPs"
            ),
            commands=tuple(commands),
            risk="nodes",
        )
