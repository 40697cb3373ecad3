"""How far the autoscalers of a plan can go, how far the subnets allow it, and the settings in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from capacity.advice.snippets.groups import group_size_snippets
from capacity.cluster.check import CheckResult
from capacity.cluster.quota_use import start_calls
from capacity.cluster.scenario import GroupState

ENI_ATTACH_S, PREFIX_ATTACH_S = 10, 1  # at most; aws/aws-eks-best-practices@dc0243a prefix-mode_linux.adoc L73
ATTACH = "AttachNetworkInterface"


@dataclass(frozen=True, slots=True)
class GroupReach:
    """A node group now, at its maximum, and as far as the subnets allow.

    Attributes
    ----------
    limited_by : str
        What ends its growth: ``nodes.max``, ``limits`` or nothing.
    now, ceiling : int
        Nodes in ``steady`` and in ``ceiling``. [nodes]
    fits : int or None
        Nodes that its subnets have room for if it alone grows, evenly; None if the runway is unknown. [nodes]
    commands : tuple of str
        Settings that keep it within ``fits``; empty if its maximum already does.
    """

    name: str
    provisioner: str
    limited_by: str
    now: int
    ceiling: int
    fits: int | None
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the autoscalers can go.

    Attributes
    ----------
    calls : Counter
        EC2 calls of the scale-up from ``steady`` to ``ceiling``, by API. [calls]
    slowest_node_s : int
        Attaching the ENIs of the node with the most takes at most this long. [s]
    pods_now, pods_most : int
        Replicas of the workloads now and at the maximum of their HPAs. [pods]
    """

    groups: tuple[GroupReach, ...]
    calls: Counter[str]
    slowest_node_s: int
    pods_now: int
    pods_most: int


def reach(result: CheckResult) -> Reach:
    """How far the autoscalers of a plan can go; ``result`` has the scenarios ``steady`` and ``ceiling``.

    Notes
    -----
    Nodes are spread evenly, so the subnet with the least room ends the growth: fits = nodes now + the least
    ``more_nodes`` of the runway × number of subnets. The runway counts nodes of the group that uses the most addresses
    in a subnet. Groups that share subnets share that room.
    """
    now, ceiling = result["steady"], result["ceiling"]
    room = {row.subnet: row.more_nodes for row in result.runway}
    calls: Counter[str] = Counter()
    slowest = 0
    groups = []
    for before, after in zip(now.groups, ceiling.groups, strict=True):
        added = max(0, after.nodes - before.nodes)
        if not after.shape.group.fargate:
            calls += start_calls(result.plan, after, added)
            one = start_calls(result.plan, after, 1)
            slowest = max(slowest, ENI_ATTACH_S * one[ATTACH] if added else 0)
        groups.append(_group(before, after, room))
    replicas = result.plan.workloads
    return Reach(
        tuple(groups),
        calls,
        slowest,
        sum(w.replicas for w in replicas),
        sum(w.max_replicas for w in replicas),
    )


def _group(before: GroupState, after: GroupState, room: dict[str, int | None]) -> GroupReach:
    group = after.shape.group
    known = [more for name in group.subnets if (more := room.get(name)) is not None]
    fits = before.nodes + min(known) * len(known) if known else None
    vcpus = after.shape.first.instance_type.vcpus or 0
    over = fits is not None and after.nodes > fits and group.autoscaled and not group.fargate
    commands = tuple(_commands(after, fits, vcpus)) if over and fits is not None else ()
    limits = group.limits.cpu_millicores is not None or group.limits.memory_bytes is not None
    limited = "limits" if limits else "nodes.max" if group.max_nodes is not None else "nothing"
    return GroupReach(group.name, group.provisioner, limited, before.nodes, after.nodes, fits, commands)


def _commands(state: GroupState, fits: int, vcpus: int) -> Iterator[str]:
    yield from group_size_snippets(state.shape.group, {"max": fits}, vcpus)
