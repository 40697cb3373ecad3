"""The pool of one node: limits and settings in, every figure of it out.

Which CNI keeps the pool is said in one place: :func:`law_of`. What differs between CNIs is a :class:`Law`,
one module each; everything else here, and everybody who asks, is the same for all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from capacity.catalog.instance_type import InstanceType
from capacity.cni import cilium_pool, overlay_pool, vpc_cni
from capacity.cni.node_limits import EniFigures, NodeLimits, Rest
from capacity.errors import SpecError, check_count, check_word
from capacity.plan.cni_env import CniSettings
from capacity.plan.constants import PREFIX_SIZE, SYSTEMS
from capacity.units import IntLike, larger, smaller


@dataclass(frozen=True, slots=True)
class Pool:
    """What one node holds of its subnets; each attribute an int, or an array of many nodes'.

    Attributes
    ----------
    enis : int
        ENIs for pods, the primary included, trunk and unmanaged ones not. [ENIs]
    secondary_ips, prefixes : int
        Attached to them. [addresses], [prefixes]
    pod_addresses : int
        Addresses held for pods: secondary IPs or 16 per prefix, and the ENIs' own where pods may have them. [addresses]
    assigned, warm : int
        Of those, in use by pods and not. [addresses]
    trunk, unmanaged : int
        Further ENIs, one address each. [ENIs]
    subnet_addresses : int
        Everything the node takes from its subnets. [addresses]
    lowest, highest : int
        The same on a fresh node whose pods are packed, and the most of any resting state with these
        pods after growth and scale-down. [addresses]
    pods_without_address : int
        Pods that never get one: above capacity, or above what the settings let the CNI ask for. [pods]
    """

    enis: IntLike
    secondary_ips: IntLike
    prefixes: IntLike
    pod_addresses: IntLike
    assigned: IntLike
    warm: IntLike
    trunk: IntLike
    unmanaged: IntLike
    subnet_addresses: IntLike
    lowest: IntLike
    highest: IntLike
    pods_without_address: IntLike


class Law(Protocol):
    """What a CNI does with the addresses of one node; ints or arrays of one broadcast shape."""

    def limits_from(
        self, of: EniFigures, settings: CniSettings, unmanaged_enis: int = 0, *, windows: bool = False
    ) -> NodeLimits:
        """Limits of a node from its type's figures."""

    def gives_prefixes(self, on: InstanceType) -> bool:
        """Whether a node of the type gets prefixes where the settings ask for them."""

    def address_capacity(self, limits: NodeLimits, settings: CniSettings) -> int:
        """Most pods on VPC addresses that the node can ever serve. [pods]"""

    def held(
        self, limits: NodeLimits, settings: CniSettings, max_pods: IntLike, pods: IntLike
    ) -> tuple[IntLike, IntLike]:
        """Secondary IPs or prefixes held, and ENIs for pods, on a fresh node to which pods come one by one."""

    def packed(
        self, limits: NodeLimits, settings: CniSettings, max_pods: IntLike, pods: IntLike
    ) -> tuple[IntLike, IntLike]:
        """Secondary IPs or prefixes, and ENIs, where the pods take the first free addresses: the fewest."""

    def highest(self, node: Rest) -> IntLike:
        """Most addresses at rest with these pods after any growth and scale-down, trunk and unmanaged apart."""

    def start_calls(
        self, limits: NodeLimits, settings: CniSettings, slots: int, enis: int, *, look_up: bool
    ) -> Counter[str]:
        """The fewest EC2 calls, by API, from a fresh node to one with those slots and ENIs. [calls]"""


LAWS: Mapping[str, Law] = {"vpc-cni": vpc_cni, "cilium": cilium_pool, "overlay": overlay_pool}


def law_of(settings: CniSettings) -> Law:
    """The law of the CNI that runs."""
    return LAWS[settings.cni]


def gives_prefixes(settings: CniSettings, on: InstanceType) -> bool:
    """Whether the CNI that runs gives a node of the type prefixes where its settings ask for them."""
    return law_of(settings).gives_prefixes(on)


def starts_without_serving_eni(settings: CniSettings) -> bool:
    """Whether the CNI starts on a node of which no ENI may serve pods; where not, the node never becomes Ready.

    Source
    ------
    aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go L686-689 (custom networking); cilium/cilium@00137987
    pkg/aws/eni/node.go GetMaximumAllocatableIPv4: the agent's own addresses are of the pool.
    """
    return settings.ipv6 or not (settings.custom_networking or settings.cni == "cilium")


def node_limits(
    instance_type: InstanceType,
    settings: CniSettings,
    unmanaged_enis: int = 0,
    *,
    windows: bool = False,
    where: str = "",
) -> NodeLimits:
    """Limits of one node of a type under the CNI's settings.

    Raises
    ------
    SpecError
        The catalog has no ENI figures for the type.
    """
    if instance_type.max_enis is None or instance_type.ipv4_per_eni is None:
        place = f"{where}: " if where else ""
        raise SpecError(
            f"{place}{instance_type.name!r} has no known ENI figures (network interfaces, addresses per interface)"
        )
    trunk = (int(instance_type.trunk_slot), int(bool(instance_type.trunking)))
    figures = EniFigures(instance_type.max_enis, instance_type.ipv4_per_eni, *trunk)
    return limits_from(figures, settings, unmanaged_enis, windows=windows)


def effective(settings: CniSettings, instance_type: InstanceType) -> CniSettings:
    """The settings as the CNI runs them on this type: where it gives no prefixes it falls back to single IPs.

    Raises
    ------
    SpecError
        IPv6 on a type that cannot do prefixes: ipamd does not start.

    Source
    ------
    aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go L2771-2779.
    """
    if not settings.prefix or gives_prefixes(settings, instance_type):
        return settings
    if settings.ipv6:
        raise SpecError(f"{instance_type.name!r} runs on {instance_type.hypervisor}: IPv6 needs Nitro or bare metal")
    return replace(settings, prefix=False)


def limits_from(of: EniFigures, settings: CniSettings, unmanaged_enis: int = 0, *, windows: bool = False) -> NodeLimits:
    """Limits of a node from the ENI figures of one type, or in arrays of many."""
    return law_of(settings).limits_from(of, settings, unmanaged_enis, windows=windows)


def address_capacity(limits: NodeLimits, settings: CniSettings) -> int:
    """Most pods on VPC addresses that the node can ever serve. [pods]"""
    return law_of(settings).address_capacity(limits, settings)


def carried(
    of: EniFigures, settings: CniSettings, gives: IntLike, unmanaged_enis: IntLike = 0, *, windows: bool = False
) -> tuple[IntLike, IntLike]:
    """ENIs that may serve pods, and the most pods on VPC addresses that they carry, of one type or of many.

    Parameters
    ----------
    gives : int or ndarray of int
        1 where the CNI gives the type prefixes; where it does not, it falls back to single addresses.

    Examples
    --------
    >>> carried(EniFigures(3, 10), CniSettings(prefix=True), gives=1)
    (3, 432)
    >>> carried(EniFigures(3, 10), CniSettings(prefix=True), gives=0)
    (3, 27)
    """
    limits = limits_from(of, settings, unmanaged_enis, windows=windows)
    pods: IntLike = address_capacity(limits, settings)
    if settings.prefix:
        alone = replace(settings, prefix=False)
        single = address_capacity(limits_from(of, alone, unmanaged_enis, windows=windows), alone)
        pods = gives * pods + (1 - gives) * single
    return limits.serving, pods


@lru_cache(maxsize=200_000)
def slots_and_enis(limits: NodeLimits, settings: CniSettings, max_pods: int, pods: int) -> tuple[int, int]:
    """Secondary IPs or prefixes held, and ENIs for pods attached, with ``pods`` on VPC addresses. Remembered."""
    slots, enis = held(limits, settings, max_pods, pods)
    return slots, enis


def start_calls(
    limits: NodeLimits, settings: CniSettings, max_pods: int, pods: int, *, look_up: bool = True
) -> Counter[str]:
    """The fewest EC2 calls, by API, from a fresh node to one with ``pods`` pods on VPC addresses. [calls]

    ``look_up``: the VPC CNI looks for the subnet with most room (ENABLE_SUBNET_DISCOVERY).
    """
    slots, enis = slots_and_enis(limits, settings, max_pods, pods)
    return law_of(settings).start_calls(limits, settings, slots, enis, look_up=look_up)


def held(limits: NodeLimits, settings: CniSettings, max_pods: IntLike, pods: IntLike) -> tuple[IntLike, IntLike]:
    """Secondary IPs or prefixes held, and ENIs for pods attached, of one node or of many in arrays."""
    return law_of(settings).held(limits, settings, max_pods, pods)


def node_pool(
    instance_type: InstanceType,
    settings: CniSettings,
    pods: int,
    max_pods: int,
    unmanaged_enis: int = 0,
    os: str = "linux",
) -> Pool:
    """The pool of one node of a type with ``pods`` pods on VPC addresses.

    Raises
    ------
    SpecError
        The catalog has no ENI figures for the type, the CNI refuses the settings on it, or a count is negative.

    Examples
    --------
    >>> from capacity.catalog.table import load_catalog
    >>> pool = node_pool(load_catalog().get("m5.large"), CniSettings(), pods=11, max_pods=29)
    >>> pool.enis, pool.secondary_ips, pool.subnet_addresses
    (3, 27, 30)
    """
    check_count("pods", pods)
    check_count("max_pods", max_pods)
    check_count("unmanaged_enis", unmanaged_enis)
    check_word("os", os, SYSTEMS)
    settings = effective(settings, instance_type)
    limits = node_limits(instance_type, settings, unmanaged_enis, windows=os == "windows")
    return pool_of(limits, settings, max_pods, pods)


def pods_served(limits: NodeLimits, settings: CniSettings, max_pods: int, pods: int) -> int:
    """Of ``pods`` pods on VPC addresses those that get one; the others stay in ContainerCreating. [pods]"""
    node = _rest(limits, settings, max_pods, pods, *slots_and_enis(limits, settings, max_pods, pods))
    served: int = _served(node)
    return served


def pool_of(limits: NodeLimits, settings: CniSettings, max_pods: IntLike, pods: IntLike) -> Pool:
    """The pool from limits already worked out, for ints or for arrays of one broadcast shape."""
    node = rest(limits, settings, max_pods, pods)
    return Pool(**{name: figure(node) for name, figure in FIGURES.items()})


def rest(limits: NodeLimits, settings: CniSettings, max_pods: IntLike, pods: IntLike) -> Rest:
    """The node with ``pods`` pods on VPC addresses, its pool settled."""
    return _rest(limits, settings, max_pods, pods, *held(limits, settings, max_pods, pods))


def _rest(
    limits: NodeLimits, settings: CniSettings, max_pods: IntLike, pods: IntLike, slots: IntLike, enis: IntLike
) -> Rest:
    return Rest(limits, settings, max_pods, pods, slots, enis, PREFIX_SIZE if settings.prefix else 1)


def _extra(node: Rest) -> IntLike:
    return node.limits.trunk + node.limits.unmanaged


def _total(node: Rest) -> IntLike:
    return node.enis + _attached(node) + _extra(node)


def _attached(node: Rest) -> IntLike:
    return node.slots * node.unit if node.unit > 1 else node.slots


def _lowest(node: Rest) -> IntLike:
    slots, enis = law_of(node.settings).packed(node.limits, node.settings, node.max_pods, node.pods)
    return _total(node._replace(slots=slots, enis=enis))


def _addresses(node: Rest) -> IntLike:
    if not node.limits.primary:
        return _attached(node)
    return _attached(node) + (node.enis - node.limits.idle_primary)


def _served(node: Rest) -> IntLike:
    if node.settings.spares_subnets:
        return node.pods
    own = node.limits.own
    return smaller(node.pods, larger(_addresses(node) - own, 0) if own else _addresses(node))


def _assigned(node: Rest) -> IntLike:
    return 0 if node.settings.spares_subnets else _served(node)


# Each figure of a Pool alone: who asks for one of many nodes does not pay for the others.
FIGURES: Mapping[str, Callable[[Rest], IntLike]] = {
    "enis": lambda n: n.enis,
    "secondary_ips": lambda n: 0 if n.settings.prefix else n.slots,
    "prefixes": lambda n: n.slots if n.settings.prefix else 0,
    "pod_addresses": _addresses,
    "assigned": _assigned,
    "warm": lambda n: _addresses(n) - _assigned(n),
    "trunk": lambda n: n.limits.trunk,
    "unmanaged": lambda n: n.limits.unmanaged,
    "subnet_addresses": _total,
    "lowest": _lowest,
    "highest": lambda n: larger(_total(n), _extra(n) + law_of(n.settings).highest(n)),
    "pods_without_address": lambda n: n.pods - _served(n),
}
