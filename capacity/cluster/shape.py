"""What one node of a group is: its room for pods, its daemonsets and its appetite for addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TypeVar

from capacity.catalog.instance_type import InstanceType
from capacity.cluster.expected_type import cheapest_type
from capacity.cluster.group_platform import GroupPlatform, group_platform
from capacity.cluster.node_state import (
    BRANCH,
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
from capacity.cni.facade import (
    NodeLimits,
    address_capacity,
    effective,
    node_limits,
    pods_served,
    settings_on,
    slots_and_enis,
    without_primary,
)
from capacity.node.offer import attachable_volumes
from capacity.node.reserved import memory_capacity_mib
from capacity.plan.cni_env import CniSettings
from capacity.plan.constants import MOST_PODS, PREFIX_SIZE
from capacity.plan.discovery import Choices, choices_by_group, closed_of
from capacity.plan.model import DaemonSet, NodeGroup, Plan, Requests, Workload
from capacity.units import MIB

_T = TypeVar("_T")


@dataclass(frozen=True)
class TypeShape:
    """One instance type as a node of a group.

    Attributes
    ----------
    settings : CniSettings
        As the CNI runs them on this type.
    room : NodeRoom
        For all pods of the node, as the scheduler sees it.
    addresses : int
        Pods on VPC addresses that its ENIs can serve; the scheduler of a Linux node does not know. [pods]
    start : tuple
        State of a node with its daemonsets only (see :mod:`capacity.cluster.place`).
    """

    instance_type: InstanceType
    settings: CniSettings
    limits: NodeLimits
    max_pods: int
    room: NodeRoom
    start: NodeState
    addresses: int

    @property
    def unit(self) -> int:
        return PREFIX_SIZE if self.settings.prefix else 1

    @cached_property
    def digest(self) -> int:
        """The same for types that are equal."""
        return hash((self.limits, self.settings, self.max_pods, self.room, self.start))

    @property
    def daemon_pods(self) -> int:
        """Daemonset pods on VPC addresses. [pods]"""
        return self.start.vpc_pods

    @property
    def host_pods(self) -> int:
        """Daemonset pods on the host's network. [pods]"""
        return self.start.pods - self.start.vpc_pods

    @cached_property
    def most_workload_pods(self) -> int:
        """Most further pods that get a VPC address: by max pods beside the daemonsets, and by addresses. [pods]"""
        return max(min(self.most_placed_pods, self.addresses - self.daemon_pods), 0)

    @cached_property
    def most_placed_pods(self) -> int:
        """Most further pods that the scheduler may put on a node, with an address or without. [pods]"""
        # An expression may give any number, and a table holds an entry for each pod.
        most = min(self.max_pods, MOST_PODS) - self.start.pods
        return max(min(most, self.room.addresses - self.daemon_pods), 0)

    @cached_property
    def _pools(self) -> dict[int, tuple[int, int, int]]:
        """By pods on VPC addresses, filled by :meth:`pool`; no more entries than pods a node may have."""
        return {}

    def pool(self, vpc_pods: int) -> tuple[int, int, int]:
        """Secondary IPs or prefixes held, ENIs for pods, and pods that get an address. Remembered."""
        found = self._pools.get(vpc_pods)
        if found is None:
            key = self.limits, self.settings, self.max_pods, vpc_pods
            found = self._pools[vpc_pods] = (*slots_and_enis(*key), pods_served(*key))
        return found

    def served(self, vpc_pods: int) -> int:
        """Of so many pods on VPC addresses those that get one; the others stay in ContainerCreating. [pods]"""
        return self.pool(vpc_pods)[2]

    def demand(self, vpc_pods: int) -> int:
        """Addresses one node takes where its pods' addresses are: other ENIs, trunk, pool. [addresses]"""
        slots, enis, _ = self.pool(vpc_pods)
        trunk: int = self.limits.trunk
        return enis - 1 + trunk + slots * self.unit

    def demand_at_home(self, vpc_pods: int) -> int:
        """The part of it on the trunk and the primary ENI, which are in the node's own subnet. [addresses]"""
        trunk: int = self.limits.trunk
        return trunk + self.primary_slots(vpc_pods) * self.unit

    def primary_slots(self, vpc_pods: int) -> int:
        """Secondary IPs or prefixes on the primary ENI, which is filled first. [slots]"""
        return _on_primary(self.limits, self.pool(vpc_pods)[0])

    def further_enis(self, vpc_pods: int) -> tuple[int, ...]:
        """Secondary IPs or prefixes on each ENI beside the primary, filled one after the other. [slots]"""
        slots, enis, _ = self.pool(vpc_pods)
        left, k = slots - self.primary_slots(vpc_pods), self.limits.k
        return tuple(max(min(left - i * k, k), 0) for i in range(enis - 1))

    @property
    def largest_eni(self) -> int:
        """Addresses of a full ENI, its own included. [addresses]"""
        k: int = self.limits.k
        return 1 + k * self.unit

    @cached_property
    def demand_table(self) -> tuple[int, ...]:
        """``demand`` with the daemonsets and 0, 1, … workload pods. [addresses]"""
        return _demand_table(*self._table_key)

    @property
    def _table_key(self) -> tuple[NodeLimits, CniSettings, int, int, int]:
        """What the tables below depend on."""
        return self.limits, self.settings, self.max_pods, self.daemon_pods, self.most_workload_pods

    def placed(self, table: tuple[int, ...]) -> tuple[int, ...]:
        """A table of addresses by workload pods, on to the most that may be placed: those above get no address."""
        return table + table[-1:] * (self.most_placed_pods - self.most_workload_pods)

    @cached_property
    def home_table(self) -> tuple[int, ...]:
        """``demand_at_home`` with the daemonsets and 0, 1, … workload pods. [addresses]"""
        return _home_table(*self._table_key)

    @cached_property
    def further_table(self) -> tuple[int, ...]:
        """What the further ENIs take. [addresses]"""
        return tuple(a - h for a, h in zip(self.demand_table, self.home_table, strict=True))


@lru_cache(maxsize=20_000)
def _demand_table(limits: NodeLimits, settings: CniSettings, max_pods: int, daemons: int, most: int) -> tuple[int, ...]:
    unit = PREFIX_SIZE if settings.prefix else 1
    pairs = (slots_and_enis(limits, settings, max_pods, daemons + q) for q in range(most + 1))
    return tuple(enis - 1 + limits.trunk + slots * unit for slots, enis in pairs)


@lru_cache(maxsize=20_000)
def _home_table(limits: NodeLimits, settings: CniSettings, max_pods: int, daemons: int, most: int) -> tuple[int, ...]:
    unit = PREFIX_SIZE if settings.prefix else 1
    slots = (slots_and_enis(limits, settings, max_pods, daemons + q)[0] for q in range(most + 1))
    return tuple(limits.trunk + _on_primary(limits, n) * unit for n in slots)


def _on_primary(limits: NodeLimits, slots: int) -> int:
    """Of so many secondary IPs or prefixes those on the primary ENI. [slots]"""
    k: int = limits.k
    return 0 if limits.idle_primary else min(slots, k)


@dataclass(frozen=True)
class GroupShape:
    """A node group of the plan with the shapes of its types, the expected one first.

    Attributes
    ----------
    group : NodeGroup
        With its types in that order.
    choices : mapping
        The subnets for further ENIs by the node's subnet, where discovery has a choice.
    why : str
        Why the first type is the expected one; empty where the group has no other.
    """

    group: NodeGroup
    types: tuple[TypeShape, ...]
    platform: GroupPlatform
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    why: str = ""

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.group.name, *(t.digest for t in self.types)))

    @property
    def first(self) -> TypeShape:
        return self.types[0]

    @cached_property
    def most_nodes(self) -> int | None:
        """Most nodes that the group may have: its maximum, and what a NodePool's limits leave room for. [nodes]

        Karpenter starts no node whose capacity would take the sum of all above a limit.

        Source
        ------
        kubernetes-sigs/karpenter pkg/controllers/provisioning/scheduling/scheduler.go filterByRemainingResources.
        """
        group, kind = self.group, self.first.instance_type
        found = [] if group.max_nodes is None else [group.max_nodes]
        if group.limits.cpu_millicores is not None:
            found.append(group.limits.cpu_millicores // (1000 * (kind.vcpus or 1)))
        if group.limits.memory_bytes is not None:
            each = memory_capacity_mib(kind.memory_mib or 1, int(kind.arch == "arm64"))
            found.append(group.limits.memory_bytes // (MIB * each))
        return min(found, default=None)

    @property
    def node_addresses(self) -> int:
        """Addresses each node takes of its own subnet beside its pods': primary and unmanaged ENIs. [addresses]"""
        return 1 + self.group.unmanaged_enis


def group_shapes(plan: Plan) -> tuple[GroupShape, ...]:
    """All node groups of a plan as shapes."""
    groups = zip(plan.node_groups, choices_by_group(plan), strict=True)
    return tuple(group_shape(plan, group, choices) for group, choices in groups)


def shape_facts(plan: Plan, group: NodeGroup, choices: Choices) -> tuple[object, ...]:
    """All of a plan that :func:`group_shape` looks at: where it is the same, so is the shape."""
    chosen_by_pods = len(group.instance_types) > 1 and not group.prioritized
    pods = (plan.workloads, plan.region) if chosen_by_pods else ()
    return group, plan.cni, plan.daemon_sets, choices, closed_of(plan, choices), pods


def group_shape(plan: Plan, group: NodeGroup, choices: Choices) -> GroupShape:
    """One node group as a shape; ``choices`` are those of its further ENIs."""
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
    """The group with another of its types as the expected one."""

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
    """Pods that may run on a group, by workload: current replicas, where there are none yet the maximum."""
    mine = [w for w in plan.workloads if not w.node_groups or group.name in w.node_groups]
    now = any(w.replicas for w in mine)
    return [(workload_pod(plan, w), w.replicas if now else w.max_replicas) for w in mine]


def workload_pod(plan: Plan, workload: Workload) -> PodShape:
    """A workload's pod as the scheduler sees it."""
    kind = workload_kind(plan, host_network=workload.host_network, security_groups=workload.security_groups)
    return pod_shape(workload.requests, kind, workload.volumes)


def gives_prefixes(plan: Plan) -> bool:
    """Whether nodes of any group take /28 prefixes of the subnets; IPv6 pods take none."""
    settings = [settings_on(plan.cni, g) for g in plan.node_groups if not g.fargate]
    return not plan.cni.settings.ipv6 and any(s.prefix for s in settings or [plan.cni.settings])


class FargateShape(TypeShape):
    """A Fargate node: one pod, whose address is the node's own."""

    def demand(self, vpc_pods: int) -> int:  # noqa: ARG002
        return 0

    def served(self, vpc_pods: int) -> int:
        return vpc_pods

    @cached_property
    def demand_table(self) -> tuple[int, ...]:
        return (0, 0)


def fargate_shape(group: NodeGroup, settings: CniSettings) -> GroupShape:
    """A Fargate profile: as many nodes as pods, no daemonsets, CPU and memory as asked."""
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
    """A type as a node, the same object in all groups that have it alike: what it remembers serves them all.

    ``enis``: how many nobody manages, and whether the node is a Windows one and its primary ENI closed to pods.
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
    room = NodeRoom(cpu, memory_mib * MIB, max_pods, seen, branch, _volumes(kind, settings))
    return TypeShape(kind, settings, limits, max_pods, room, start, addresses)


def _volumes(kind: InstanceType, settings: CniSettings) -> int:
    """EBS volumes that pods can attach with every ENI in use; no limit where none is known. [volumes]"""
    left = attachable_volumes(kind, settings.max_eni)
    return UNLIMITED if left is None else left


def daemons_of(plan: Plan, group: NodeGroup) -> list[DaemonSet]:
    """Daemonsets that run on a group: the plan's, and the CNI's and kube-proxy where it does not name them."""
    named = [d for d in plan.daemon_sets if not d.node_groups or group.name in d.node_groups]
    if group.auto or group.windows:  # the CNI and kube-proxy are services of the node there, not pods
        return [d for d in named if d.name not in network_daemons(plan)]
    return [DaemonSet(n, Requests(), host_network=True) for n in implied_daemons(plan, group)] + named


def implied_daemons(plan: Plan, group: NodeGroup) -> list[str]:
    """Those of the CNI's agent and kube-proxy that run on a group's nodes without the plan naming them there."""
    if group.fargate or group.auto or group.windows:
        return []
    named = {d.name for d in plan.daemon_sets if not d.node_groups or group.name in d.node_groups}
    agents = plan.cni.settings.agents
    return [names[0] for names in (agents, ("kube-proxy",)) if named.isdisjoint(names)]


def network_daemons(plan: Plan) -> tuple[str, ...]:
    """Names of the CNI's own daemonset and of kube-proxy: on the host's network of every node."""
    return *plan.cni.settings.agents, "kube-proxy"


def _daemon_pod(daemon: DaemonSet) -> PodShape:
    return pod_shape(daemon.requests, HOST if daemon.host_network else VPC)


def workload_kind(plan: Plan, *, host_network: bool, security_groups: bool) -> str:
    """How a workload's pods get their address; without ENABLE_POD_ENI security groups change nothing."""
    if host_network:
        return HOST
    return BRANCH if security_groups and plan.cni.settings.pod_eni else VPC
