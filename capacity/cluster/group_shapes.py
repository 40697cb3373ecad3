"""Creates the shapes of a plan's node groups."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from capacity.catalog.instance_type import InstanceType
from capacity.cluster.expected_type import cheapest_type
from capacity.cluster.group_platform import GroupPlatform, group_platform
from capacity.cluster.load import workload_pod
from capacity.cluster.node_state import (
    EMPTY,
    HOST,
    UNLIMITED,
    VPC,
    NodeRoom,
    NodeState,
    PodShape,
    pod_shape,
    with_pod,
)
from capacity.cluster.shape import FargateShape, GroupShape, TypeShape
from capacity.cni.facade import (
    NodeLimits,
    address_capacity,
    effective,
    node_limits,
    settings_on,
    without_primary,
)
from capacity.node.offer import attachable_volumes
from capacity.plan.cni_env import CniSettings
from capacity.plan.discovery import Choices, choices_by_group, closed_of
from capacity.plan.model import DaemonSet, NodeGroup, Plan, Requests
from capacity.units import MIB

_T = TypeVar("_T")


def group_shapes(plan: Plan) -> tuple[GroupShape, ...]:
    """All node groups of a plan as shapes."""
    groups = zip(plan.node_groups, choices_by_group(plan), strict=True)
    return tuple(group_shape(plan, group, choices) for group, choices in groups)


def shape_facts(plan: Plan, group: NodeGroup, choices: Choices) -> tuple[object, ...]:
    """All facts of a plan that :func:`group_shape` uses: equal facts give equal shapes."""
    chosen_by_pods = len(group.instance_types) > 1 and not group.prioritized
    pods = (plan.workloads, plan.region) if chosen_by_pods else ()
    return group, plan.cni, plan.daemon_sets, choices, closed_of(plan, choices), pods


def group_shape(plan: Plan, group: NodeGroup, choices: Choices) -> GroupShape:
    """One node group as a shape; ``choices`` are the subnets of its additional ENIs."""
    if group.fargate:
        return fargate_shape(group, plan.cni.settings)
    settings = settings_on(plan.cni, group)
    platform = group_platform(group, settings)
    start = EMPTY
    for daemon in daemons_of(plan, group):
        start = with_pod(start, _daemon_pod(daemon))
    closed = bool(closed_of(plan, choices))
    enis = (group.unmanaged_enis, group.windows, closed)
    types = tuple(
        _type_shape(kind, enis, settings, figures, start)
        for kind, figures in zip(group.instance_types, platform.figures, strict=True)
    )
    shape = GroupShape(group, types, platform, choices)
    if len(types) == 1:
        return shape
    if group.prioritized:
        return replace(shape, why=f"the first of its {len(types)} types: EKS tries them in the order written")
    expected = cheapest_type(types, _pods_of(plan, group), plan.region)
    return replace(with_type_first(shape, expected.index), why=expected.why)


def with_type_first(shape: GroupShape, index: int) -> GroupShape:
    """The group shape with a different expected type."""

    def first(items: tuple[_T, ...]) -> tuple[_T, ...]:
        return (items[index], *items[:index], *items[index + 1 :])

    platform = shape.platform
    return replace(
        shape,
        group=replace(shape.group, instance_types=first(shape.group.instance_types)),
        types=first(shape.types),
        platform=replace(
            platform,
            figures=first(platform.figures),
            own_max_pods=first(platform.own_max_pods),
            reserved_memory_mib=first(platform.reserved_memory_mib),
        ),
    )


def _pods_of(plan: Plan, group: NodeGroup) -> list[tuple[PodShape, int]]:
    """Pods that can run on a group, by workload: current replicas, or the maximum if there are none yet."""
    mine = [w for w in plan.workloads if not w.node_groups or group.name in w.node_groups]
    now = any(w.replicas for w in mine)
    return [(workload_pod(plan, w), w.replicas if now else w.max_replicas) for w in mine]


def gives_prefixes(plan: Plan) -> bool:
    """Whether nodes of any group use /28 prefixes of the subnets; IPv6 pods use none."""
    settings = [settings_on(plan.cni, g) for g in plan.node_groups if not g.fargate]
    return not plan.cni.settings.ipv6 and any(s.prefix for s in settings or [plan.cni.settings])


def fargate_shape(group: NodeGroup, settings: CniSettings) -> GroupShape:
    """A Fargate profile: as many nodes as pods, no DaemonSets, CPU and memory as requested."""
    limits = NodeLimits(serving=0, idle_primary=0, k=1, trunk=0, unmanaged=0, windows=False)
    room = NodeRoom(cpu=UNLIMITED, memory=UNLIMITED * MIB, max_pods=1, addresses=1, branch_enis=0, volumes=0)
    settings = replace(settings, prefix=False, cilium=None, overlay=False)
    kind = FargateShape(group.instance_types[0], settings, limits, 1, room, EMPTY, 1)
    platform = GroupPlatform(
        figures=((1, room.cpu, UNLIMITED),),
        own_max_pods=(1,),
        reserved_memory_mib=(0,),
        terms=("Fargate: one pod per node",),
        notes=(f"{group.name}: one address per Fargate pod, evenly over the profile's subnets",),
    )
    return GroupShape(group, (kind,), platform)


@lru_cache(maxsize=2000)
def _type_shape(
    kind: InstanceType,
    enis: tuple[int, bool, bool],
    settings: CniSettings,
    figures: tuple[int, int, int],
    start: NodeState,
) -> TypeShape:
    """A type as a node, shared by all groups with equal settings so that they share its cache.

    ``enis``: the number of unmanaged ENIs, whether it is a Windows node, and whether its primary ENI is closed to pods.
    ``figures``: max pods, CPU [millicores], memory [MiB].
    """
    (unmanaged, windows, closed), (max_pods, cpu, memory_mib) = enis, figures
    settings = effective(settings, kind)
    limits = node_limits(kind, settings, unmanaged, windows=windows)
    if closed:
        limits = without_primary(limits)
    addresses = max_pods if settings.spares_subnets else address_capacity(limits, settings)
    branch = (kind.branch_enis or 0) if limits.trunk else 0
    seen = addresses if windows else UNLIMITED
    room = NodeRoom(cpu, memory_mib * MIB, max_pods, seen, branch, _volumes(kind, settings), kind.nvidia_gpus)
    return TypeShape(kind, settings, limits, max_pods, room, start, addresses)


def _volumes(kind: InstanceType, settings: CniSettings) -> int:
    """EBS volumes that pods can attach with every ENI in use; unlimited if unknown. [volumes]"""
    left = attachable_volumes(kind, settings.max_eni)
    return UNLIMITED if left is None else left


def daemons_of(plan: Plan, group: NodeGroup) -> list[DaemonSet]:
    """DaemonSets that run on a group: the plan's, plus the CNI's and kube-proxy if it does not name them."""
    named = [d for d in plan.daemon_sets if not d.node_groups or group.name in d.node_groups]
    if group.auto or group.windows:  # the CNI and kube-proxy are services of the node there, not pods
        return [d for d in named if d.name not in network_daemons(plan)]
    return [DaemonSet(n, Requests(), host_network=True) for n in implied_daemons(plan, group)] + named


def implied_daemons(plan: Plan, group: NodeGroup) -> list[str]:
    """The CNI's agent and kube-proxy if they run on a group's nodes and the plan does not name them."""
    if group.fargate or group.auto or group.windows:
        return []
    named = {d.name for d in plan.daemon_sets if not d.node_groups or group.name in d.node_groups}
    agents = plan.cni.settings.agents
    return [names[0] for names in (agents, ("kube-proxy",)) if named.isdisjoint(names)]


def network_daemons(plan: Plan) -> tuple[str, ...]:
    """Names of the CNI's DaemonSet and of kube-proxy, which are host-network on every node."""
    return *plan.cni.settings.agents, "kube-proxy"


def _daemon_pod(daemon: DaemonSet) -> PodShape:
    return pod_shape(daemon.requests, HOST if daemon.host_network else VPC)
