"""What one node of a group is: its room for pods, its daemonsets and its appetite for addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from capacity.catalog.instance_type import InstanceType
from capacity.cluster.place import BRANCH, EMPTY, HOST, UNLIMITED, VPC, NodeRoom, PodShape, State, pod_shape, with_pod
from capacity.cluster.platform import GroupPlatform, group_platform
from capacity.cni.facade import NodeLimits, address_capacity, effective, node_limits, slots_and_enis, without_primary
from capacity.cni.pool import PREFIX_SIZE
from capacity.node.fits import volumes_left
from capacity.spec.cni_env import CniSettings, auto_mode_settings, windows_node_settings
from capacity.spec.discovery import closed_homes, eni_choices
from capacity.spec.fields import MOST_PODS
from capacity.spec.plan import Cni, DaemonSet, NodeGroup, Plan, Requests
from capacity.units import MIB


@dataclass(frozen=True)
class TypeShape:
    """One instance type as a node of a group.

    Attributes
    ----------
    settings : CniSettings
        As the CNI runs them on this type.
    room : NodeRoom
        For all pods of the node.
    start : tuple
        State of a node with its daemonsets only (see :mod:`capacity.cluster.place`).
    """

    instance_type: InstanceType
    settings: CniSettings
    limits: NodeLimits
    max_pods: int
    room: NodeRoom
    start: State

    @property
    def unit(self) -> int:
        return PREFIX_SIZE if self.settings.prefix else 1

    @property
    def daemon_pods(self) -> int:
        """Daemonset pods on VPC addresses. [pods]"""
        return self.start[5]

    @cached_property
    def most_workload_pods(self) -> int:
        """Most further pods on VPC addresses: by max pods beside the daemonsets, and by addresses. [pods]"""
        # An expression may give any number, and a table holds an entry for each pod.
        max_pods = min(self.max_pods, MOST_PODS)
        return max(min(max_pods - self.start[4], self.room.addresses - self.daemon_pods), 0)

    def demand(self, vpc_pods: int) -> int:
        """Addresses one node takes where its pods' addresses are: other ENIs, trunk, pool. [addresses]"""
        slots, enis = slots_and_enis(self.limits, self.settings, self.max_pods, vpc_pods)
        trunk: int = self.limits.trunk
        return enis - 1 + trunk + slots * self.unit

    def demand_at_home(self, vpc_pods: int) -> int:
        """The part of it on the trunk and the primary ENI, which are in the node's own subnet. [addresses]"""
        trunk: int = self.limits.trunk
        return trunk + self.primary_slots(vpc_pods) * self.unit

    def primary_slots(self, vpc_pods: int) -> int:
        """Secondary IPs or prefixes on the primary ENI, which is filled first. [slots]"""
        slots, _ = slots_and_enis(self.limits, self.settings, self.max_pods, vpc_pods)
        k: int = self.limits.k
        return 0 if self.limits.idle_primary else min(slots, k)

    def further_enis(self, vpc_pods: int) -> tuple[int, ...]:
        """Secondary IPs or prefixes on each ENI beside the primary, filled one after the other. [slots]"""
        slots, enis = slots_and_enis(self.limits, self.settings, self.max_pods, vpc_pods)
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
        key = (self.limits, self.settings, self.max_pods, self.daemon_pods, self.most_workload_pods)
        return _demand_table(*key)

    @cached_property
    def home_table(self) -> tuple[int, ...]:
        """``demand_at_home`` with the daemonsets and 0, 1, … workload pods. [addresses]"""
        return tuple(self.demand_at_home(self.daemon_pods + q) for q in range(self.most_workload_pods + 1))

    @cached_property
    def further_table(self) -> tuple[int, ...]:
        """What the further ENIs take. [addresses]"""
        return tuple(a - h for a, h in zip(self.demand_table, self.home_table, strict=True))


@lru_cache(maxsize=20_000)
def _demand_table(limits: NodeLimits, settings: CniSettings, max_pods: int, daemons: int, most: int) -> tuple[int, ...]:
    unit = PREFIX_SIZE if settings.prefix else 1
    pairs = (slots_and_enis(limits, settings, max_pods, daemons + q) for q in range(most + 1))
    return tuple(enis - 1 + limits.trunk + slots * unit for slots, enis in pairs)


@dataclass(frozen=True)
class GroupShape:
    """A node group of the plan with the shapes of its types, the expected one first.

    ``choices`` are the subnets for further ENIs by the node's subnet, where discovery has a choice.
    """

    group: NodeGroup
    types: tuple[TypeShape, ...]
    platform: GroupPlatform
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def first(self) -> TypeShape:
        return self.types[0]

    @property
    def node_addresses(self) -> int:
        """Addresses each node takes of its own subnet beside its pods': primary and unmanaged ENIs. [addresses]"""
        return 1 + self.group.unmanaged_enis

    @cached_property
    def most_workload_pods(self) -> int:
        return max(t.most_workload_pods for t in self.types)

    @cached_property
    def branch_enis(self) -> int:
        return max(t.room.branch_enis for t in self.types)

    @cached_property
    def largest_eni(self) -> int:
        return max(t.largest_eni for t in self.types)

    @cached_property
    def home_range(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Fewest and most addresses at home, as ``thriftiest`` and ``hungriest`` have them of all. [addresses]"""
        tables = [t.home_table for t in self.types]
        return _envelope(tables, most=False), _envelope(tables, most=True)

    @cached_property
    def further_range(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The same of the further ENIs. [addresses]"""
        tables = [t.further_table for t in self.types]
        return _envelope(tables, most=False), _envelope(tables, most=True)

    @cached_property
    def hungriest(self) -> tuple[int, ...]:
        """Most addresses of any type with at most 0, 1, … workload pods; never falls. [addresses]"""
        return _envelope([t.demand_table for t in self.types], most=True)

    @cached_property
    def thriftiest(self) -> tuple[int, ...]:
        """Fewest addresses of any type that holds at least so many. [addresses]"""
        return _envelope([t.demand_table for t in self.types], most=False)


@lru_cache(maxsize=20_000)
def _cached_envelope(tables: tuple[tuple[int, ...], ...], most: bool) -> tuple[int, ...]:
    length = max(map(len, tables))
    pick = max if most else min
    values = [pick(t[q] for t in tables if q < len(t)) for q in range(length)]
    order = range(1, length) if most else range(length - 2, -1, -1)
    for q in order:
        values[q] = pick(values[q], values[q - 1] if most else values[q + 1])
    return tuple(values)


def _envelope(tables: Sequence[tuple[int, ...]], most: bool) -> tuple[int, ...]:
    return tables[0] if len(tables) == 1 else _cached_envelope(tuple(tables), most)


def group_shapes(plan: Plan) -> tuple[GroupShape, ...]:
    """All node groups of a plan as shapes."""
    return tuple(group_shape(plan, group) for group in plan.node_groups)


def group_shape(plan: Plan, group: NodeGroup) -> GroupShape:
    """One node group as a shape."""
    if group.fargate:
        return fargate_shape(group, plan.cni.settings)
    settings = group_settings(plan.cni, group)
    platform = group_platform(group, settings)
    daemons = [_daemon_pod(d) for d in daemons_of(plan, group)]
    start = EMPTY
    for pod in daemons:
        start = with_pod(start, pod)
    closed = bool(closed_homes(plan, group))
    types = tuple(
        _type_shape(kind, group, settings, max_pods, cpu, memory_mib * MIB, start, closed)
        for kind, (max_pods, cpu, memory_mib) in zip(group.instance_types, platform.figures, strict=True)
    )
    return GroupShape(group, types, platform, eni_choices(plan, group))


def group_settings(cni: Cni, group: NodeGroup) -> CniSettings:
    """The CNI's settings on a group's nodes. EKS Auto Mode and Windows take none of aws-node's."""
    if group.auto:
        return auto_mode_settings(cni.settings.ipv6)
    return windows_node_settings(cni.windows) if group.windows and not cni.settings.overlay else cni.settings


def gives_prefixes(plan: Plan) -> bool:
    """Whether nodes of any group take /28 prefixes of the subnets; IPv6 pods take none."""
    settings = [group_settings(plan.cni, g) for g in plan.node_groups if not g.fargate]
    return not plan.cni.settings.ipv6 and any(s.prefix for s in settings or [plan.cni.settings])


class FargateShape(TypeShape):
    """A Fargate node: one pod, whose address is the node's own."""

    def demand(self, vpc_pods: int) -> int:  # noqa: ARG002
        return 0

    @cached_property
    def demand_table(self) -> tuple[int, ...]:
        return (0, 0)


def fargate_shape(group: NodeGroup, settings: CniSettings) -> GroupShape:
    """A Fargate profile: as many nodes as pods, no daemonsets, CPU and memory as asked."""
    limits = NodeLimits(serving=0, idle_primary=0, k=1, trunk=0, unmanaged=0, windows=False)
    room = NodeRoom(cpu=UNLIMITED, memory=UNLIMITED * MIB, max_pods=1, addresses=1, branch_enis=0, volumes=0)
    kind = FargateShape(
        group.instance_types[0], replace(settings, prefix=False, cilium=None, overlay=False), limits, 1, room, EMPTY
    )
    platform = GroupPlatform(
        figures=((1, room.cpu, UNLIMITED),),
        own_max_pods=(1,),
        reserved_memory_mib=(0,),
        terms=("Fargate: one pod per node",),
        notes=(f"{group.name}: one address per Fargate pod, evenly over the profile's subnets",),
    )
    return GroupShape(group, (kind,), platform)


def _type_shape(
    kind: InstanceType,
    group: NodeGroup,
    settings: CniSettings,
    max_pods: int,
    cpu: int,
    memory: int,
    start: State,
    closed: bool,
) -> TypeShape:
    settings = effective(settings, kind)
    limits = node_limits(kind, settings, group.unmanaged_enis, group.windows, group.where)
    if closed:
        limits = without_primary(limits)
    addresses = max_pods if settings.spares_subnets else address_capacity(limits, settings)
    branch = (kind.branch_enis or 0) if limits.trunk else 0
    room = NodeRoom(cpu, memory, max_pods, addresses, branch, _volumes(kind, settings))
    return TypeShape(kind, settings, limits, max_pods, room, start)


def _volumes(kind: InstanceType, settings: CniSettings) -> int:
    """EBS volumes that pods can attach with every ENI in use; no limit where nobody states one. [volumes]"""
    if kind.ebs_attachments is None or kind.ebs_shared is None or kind.max_enis is None:
        return UNLIMITED
    enis = min(kind.max_enis, settings.max_eni or kind.max_enis)
    left: int = volumes_left(kind.ebs_attachments, int(kind.ebs_shared), enis)
    return left


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


def workload_kind(plan: Plan, host_network: bool, security_groups: bool) -> str:
    """How a workload's pods get their address; without ENABLE_POD_ENI security groups change nothing."""
    if host_network:
        return HOST
    return BRANCH if security_groups and plan.cni.settings.pod_eni else VPC
