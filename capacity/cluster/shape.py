"""The shape of one node of a group: its room for pods, its DaemonSets and its addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from capacity.catalog.instance_type import InstanceType
from capacity.cluster.group_platform import GroupPlatform
from capacity.cluster.node_state import (
    NodeRoom,
    NodeState,
)
from capacity.cni.facade import (
    NodeLimits,
    pods_served,
    slots_and_enis,
)
from capacity.node.reserved import memory_capacity_mib
from capacity.plan.cni_env import CniSettings
from capacity.plan.constants import MOST_PODS, PREFIX_SIZE
from capacity.plan.model import NodeGroup
from capacity.units import MIB


@dataclass(frozen=True)
class TypeShape:
    """One instance type as a node of a group.

    Attributes
    ----------
    settings : CniSettings
        The settings as the CNI applies them on this type.
    room : NodeRoom
        Room for all pods of the node, as the scheduler sees it.
    addresses : int
        Most pods on VPC addresses by its ENIs; the scheduler of a Linux node does not consider it. [pods]
    start : tuple
        State of a node with only its DaemonSets (see :mod:`capacity.cluster.place`).
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
        """A key that is equal for equal types."""
        return hash((self.limits, self.settings, self.max_pods, self.room, self.start))

    @property
    def daemon_pods(self) -> int:
        """DaemonSet pods on VPC addresses. [pods]"""
        return self.start.vpc_pods

    @property
    def host_pods(self) -> int:
        """Host-network DaemonSet pods. [pods]"""
        return self.start.pods - self.start.vpc_pods

    @cached_property
    def most_workload_pods(self) -> int:
        """Most additional pods with a VPC address: limited by max pods minus DaemonSets, and by addresses. [pods]"""
        return max(min(self.most_placed_pods, self.addresses - self.daemon_pods), 0)

    @cached_property
    def most_placed_pods(self) -> int:
        """Most additional pods that the scheduler can put on a node, with or without an address. [pods]"""
        # An expression can give any number, and a table has an entry for each pod.
        most = min(self.max_pods, MOST_PODS) - self.start.pods
        return max(min(most, self.room.addresses - self.daemon_pods), 0)

    @cached_property
    def _pools(self) -> dict[int, tuple[int, int, int]]:
        """Pools by pods on VPC addresses, filled by :meth:`pool`; at most one entry per pod count."""
        return {}

    def pool(self, vpc_pods: int) -> tuple[int, int, int]:
        """Secondary IPs or prefixes held, ENIs for pods, and pods that get an address (cached)."""
        found = self._pools.get(vpc_pods)
        if found is None:
            key = self.limits, self.settings, self.max_pods, vpc_pods
            found = self._pools[vpc_pods] = (*slots_and_enis(*key), pods_served(*key))
        return found

    def served(self, vpc_pods: int) -> int:
        """The number of pods that get a VPC address; the others are stuck in ContainerCreating. [pods]"""
        return self.pool(vpc_pods)[2]

    def demand(self, vpc_pods: int) -> int:
        """Addresses of one node in the subnet of its pods: other ENIs, trunk, pool. [addresses]"""
        slots, enis, _ = self.pool(vpc_pods)
        trunk: int = self.limits.trunk
        return enis - 1 + trunk + slots * self.unit

    def demand_at_home(self, vpc_pods: int) -> int:
        """The part of :meth:`demand` on the trunk and the primary ENI, which are in the node's subnet. [addresses]"""
        trunk: int = self.limits.trunk
        return trunk + self.primary_slots(vpc_pods) * self.unit

    def primary_slots(self, vpc_pods: int) -> int:
        """Secondary IPs or prefixes on the primary ENI, which is filled first. [slots]"""
        return _on_primary(self.limits, self.pool(vpc_pods)[0])

    def further_enis(self, vpc_pods: int) -> tuple[int, ...]:
        """Secondary IPs or prefixes on each additional ENI, filled one after the other. [slots]"""
        slots, enis, _ = self.pool(vpc_pods)
        left, k = slots - self.primary_slots(vpc_pods), self.limits.k
        return tuple(max(min(left - i * k, k), 0) for i in range(enis - 1))

    @property
    def largest_eni(self) -> int:
        """Addresses of a full ENI, including its primary. [addresses]"""
        k: int = self.limits.k
        return 1 + k * self.unit

    @cached_property
    def demand_table(self) -> tuple[int, ...]:
        """``demand`` with the DaemonSets and 0, 1, … workload pods. [addresses]"""
        return _demand_table(*self._table_key)

    @property
    def _table_key(self) -> tuple[NodeLimits, CniSettings, int, int, int]:
        """The key of the tables below."""
        return self.limits, self.settings, self.max_pods, self.daemon_pods, self.most_workload_pods

    def placed(self, table: tuple[int, ...]) -> tuple[int, ...]:
        """A table of addresses by workload pods, extended to the most that can be placed; the excess gets none."""
        return table + table[-1:] * (self.most_placed_pods - self.most_workload_pods)

    @cached_property
    def home_table(self) -> tuple[int, ...]:
        """``demand_at_home`` with the DaemonSets and 0, 1, … workload pods. [addresses]"""
        return _home_table(*self._table_key)

    @cached_property
    def further_table(self) -> tuple[int, ...]:
        """Addresses of the additional ENIs. [addresses]"""
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
    """The number of secondary IPs or prefixes that are on the primary ENI. [slots]"""
    k: int = limits.k
    return 0 if limits.idle_primary else min(slots, k)


@dataclass(frozen=True)
class GroupShape:
    """A node group of the plan with the shapes of its types, the expected one first.

    Attributes
    ----------
    group : NodeGroup
        The group, with its types in that order.
    choices : mapping
        The subnets for additional ENIs by the node's subnet, if discovery has a choice.
    why : str
        Why the first type is the expected one; empty if it is the only type.
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
        """Most nodes of the group: its maximum, and the limits of its NodePool. [nodes]

        Karpenter starts no node whose capacity would exceed a limit in total.

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
        """Addresses of each node in its subnet without those of pods: primary and unmanaged ENIs. [addresses]"""
        return 1 + self.group.unmanaged_enis


class FargateShape(TypeShape):
    """A Fargate node: one pod, which uses the node's address."""

    def demand(self, vpc_pods: int) -> int:  # noqa: ARG002
        return 0

    def served(self, vpc_pods: int) -> int:
        return vpc_pods

    @cached_property
    def demand_table(self) -> tuple[int, ...]:
        return (0, 0)
