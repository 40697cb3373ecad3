"""The pods of a plan and the groups they can use, in parts that are placed independently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from capacity.cluster.node_state import (
    BRANCH,
    HOST,
    VPC,
    PodShape,
    pod_shape,
)
from capacity.plan.model import Plan, Workload


@dataclass(frozen=True, eq=False)
class Part:
    """Groups and workloads that are independent of the rest of the plan: their placement affects no others.

    Attributes
    ----------
    groups, workloads : tuple of int
        Their positions in the plan, in its order.
    allowed : tuple of tuple of int
        For each of these workloads the groups it can use, by position in ``groups``.
    zoned : bool
        Whether pods of some of these workloads must be spread over zones.
    """

    groups: tuple[int, ...]
    workloads: tuple[int, ...]
    allowed: tuple[tuple[int, ...], ...]
    zoned: bool = False


@dataclass(frozen=True)
class Load:
    """Every workload's name and pod, and the groups that it can use by position in the plan."""

    names: tuple[str, ...]
    pods: tuple[PodShape, ...]
    allowed: tuple[tuple[int, ...], ...]
    groups: int

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """All groups and workloads divided into parts, in the order of their first groups."""
        roots = _roots(self.groups, self.allowed)
        groups: dict[int, list[int]] = {}
        for group, root in enumerate(roots):
            groups.setdefault(root, []).append(group)
        workloads: dict[int, list[int]] = {root: [] for root in groups}
        for workload, allowed in enumerate(self.allowed):
            if allowed:
                workloads[roots[allowed[0]]].append(workload)
        return tuple(self._part(mine, workloads[root]) for root, mine in groups.items())

    def _part(self, groups: Sequence[int], workloads: Sequence[int]) -> Part:
        local = {group: i for i, group in enumerate(groups)}
        allowed = tuple(tuple(local[g] for g in self.allowed[w]) for w in workloads)
        zoned = any(self.pods[w].skew is not None for w in workloads)
        return Part(tuple(groups), tuple(workloads), allowed, zoned)


def load_of(plan: Plan) -> Load:
    """The load of a plan. Pods that name no group can use all groups except Fargate profiles."""
    index = {g.name: i for i, g in enumerate(plan.node_groups)}
    everywhere = tuple(i for i, g in enumerate(plan.node_groups) if not g.fargate)
    pods = tuple(workload_pod(plan, w) for w in plan.workloads)
    allowed = tuple(tuple(sorted(index[n] for n in w.node_groups)) or everywhere for w in plan.workloads)
    return Load(tuple(w.name for w in plan.workloads), pods, allowed, len(plan.node_groups))


def _roots(groups: int, allowed: Sequence[tuple[int, ...]]) -> list[int]:
    """For each group the first of all groups that share workloads with it, directly or through others."""
    owner = list(range(groups))

    def root(group: int) -> int:
        while owner[group] != group:
            owner[group] = group = owner[owner[group]]
        return group

    for several in dict.fromkeys(allowed):
        for a, b in pairwise(several):
            low, high = sorted((root(a), root(b)))
            owner[high] = low
    return [root(group) for group in range(groups)]


def workload_pod(plan: Plan, workload: Workload) -> PodShape:
    """A workload's pod as the scheduler sees it."""
    kind = workload_kind(plan, host_network=workload.host_network, security_groups=workload.security_groups)
    pod = pod_shape(workload.requests, kind, workload.volumes)
    if workload.zone_skew is None and not workload.one_per_node:
        return pod
    alone = [w.name for w in plan.workloads if w.one_per_node]
    mark = 1 << alone.index(workload.name) if workload.one_per_node else 0
    return replace(pod, skew=workload.zone_skew, mark=mark)


def workload_kind(plan: Plan, *, host_network: bool, security_groups: bool) -> str:
    """How a workload's pods get their address; without ENABLE_POD_ENI security groups change nothing."""
    if host_network:
        return HOST
    return BRANCH if security_groups and plan.cni.settings.pod_eni else VPC
