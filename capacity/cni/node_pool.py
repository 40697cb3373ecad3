"""Computes every figure of one node's pool from its limits and settings.

:func:`law_of` chooses the rules of the CNI. Rules that differ between CNIs are in a :class:`Law`, one module per CNI;
everything else is common to all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Protocol

from capacity.catalog.instance_type import InstanceType, check_type
from capacity.cni import cilium_pool, overlay_pool, vpc_cni
from capacity.cni.node_limits import EniFigures, NodeLimits, Rest
from capacity.errors import SpecError, check_count, check_word
from capacity.plan.cni_env import CniSettings, check_settings
from capacity.plan.constants import CILIUM, OVERLAY, PREFIX_SIZE, SYSTEMS, VPC_CNI
from capacity.units import IntLike, larger, smaller


@dataclass(frozen=True, slots=True, repr=False)
class Pool:
    """The addresses that one node holds; each attribute is an int, or an array for many nodes.

    Attributes
    ----------
    enis : int
        ENIs for pods, including the primary but not trunk and unmanaged ENIs. [ENIs]
    secondary_ips, prefixes : int
        Secondary IPs and prefixes on these ENIs. [addresses], [prefixes]
    pod_addresses : int
        Addresses held for pods: secondary IPs or 16 per prefix, plus primary addresses if pods can use them.
        [addresses]
    assigned, warm : int
        Pod addresses in use by pods, and the rest. [addresses]
    trunk, unmanaged : int
        Additional ENIs, with one address each. [ENIs]
    subnet_addresses : int
        All addresses that the node holds in its subnets. [addresses]
    lowest, highest : int
        Bounds of ``subnet_addresses``: on a new node with packed pods, and the most of any settled state with these
        pods after growth and scale-down. [addresses]
    kind, settings : InstanceType, CniSettings, or None
        The input of :func:`node_pool`; None if only the limits of the node were given.
    pods_without_address : int
        Pods that never get an address: above capacity, or above the CNI's settings. [pods]
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
    kind: InstanceType | None = field(default=None, compare=False)
    settings: CniSettings | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        name = f" {self.kind.name}" if self.kind else ""
        if not isinstance(self.subnet_addresses, int):
            return f"<Pool{name}: many nodes in arrays>"
        lost = f", {self.pods_without_address:,} pods without an address" if self.pods_without_address else ""
        return f"<Pool{name}: {self.enis} ENIs, {self.subnet_addresses:,} addresses of its subnets{lost}>"


class Law(Protocol):
    """The rules of a CNI for the addresses of one node; ints or arrays of one broadcast shape."""

    def limits_from(
        self, of: EniFigures, settings: CniSettings, unmanaged_enis: int = 0, *, windows: bool = False
    ) -> NodeLimits:
        """Limits of a node from its type's figures."""

    def gives_prefixes(self, on: InstanceType) -> bool:
        """Whether a node of the type gets prefixes if the settings request them."""

    def address_capacity(self, limits: NodeLimits, settings: CniSettings) -> int:
        """Most pods on VPC addresses that the node supports. [pods]"""

    def held(
        self, limits: NodeLimits, settings: CniSettings, max_pods: IntLike, pods: IntLike
    ) -> tuple[IntLike, IntLike]:
        """Secondary IPs or prefixes held, and ENIs for pods, on a new node on which pods start one by one."""

    def packed(
        self, limits: NodeLimits, settings: CniSettings, max_pods: IntLike, pods: IntLike
    ) -> tuple[IntLike, IntLike]:
        """Secondary IPs or prefixes, and ENIs, if the pods use the first free addresses: the fewest."""

    def highest(self, node: Rest) -> IntLike:
        """Most addresses of the settled pool with these pods after any growth and scale-down, without trunk and
        unmanaged ENIs.
        """

    def start_calls(
        self, limits: NodeLimits, settings: CniSettings, slots: int, enis: int, *, look_up: bool
    ) -> Counter[str]:
        """The fewest EC2 calls, by API, from a new node to one with those slots and ENIs. [calls]"""


LAWS: Mapping[str, Law] = {VPC_CNI: vpc_cni, CILIUM: cilium_pool, OVERLAY: overlay_pool}


def law_of(settings: CniSettings) -> Law:
    """The rules of the CNI that runs."""
    return LAWS[settings.cni]


def gives_prefixes(settings: CniSettings, on: InstanceType) -> bool:
    """Whether the CNI gives a node of the type prefixes if its settings request them."""
    return law_of(settings).gives_prefixes(on)


def starts_without_serving_eni(settings: CniSettings) -> bool:
    """Whether the CNI starts on a node without ENIs for pods; if not, the node never becomes Ready.

    Source
    ------
    aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go L686-689 (custom networking); cilium/cilium@00137987
    pkg/aws/eni/node.go GetMaximumAllocatableIPv4: the agent's addresses come from the pool.
    """
    return settings.ipv6 or not (settings.custom_networking or settings.cni == CILIUM)


def node_limits(
    instance_type: InstanceType,
    settings: CniSettings,
    unmanaged_enis: int = 0,
    *,
    windows: bool = False,
    where: str = "",
) -> NodeLimits:
    """Limits of one node of a type with the CNI's settings.

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
    """The settings as the CNI applies them on this type: without prefixes it falls back to single IPs.

    Raises
    ------
    SpecError
        IPv6 on a type that does not support prefixes: ipamd does not start.

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
    """Most pods on VPC addresses that the node supports. [pods]"""
    return law_of(settings).address_capacity(limits, settings)


def carried(
    of: EniFigures, settings: CniSettings, gives: IntLike, unmanaged_enis: IntLike = 0, *, windows: bool = False
) -> tuple[IntLike, IntLike]:
    """ENIs that can have pod addresses, and the most pods on them, of one type or of many.

    Parameters
    ----------
    gives : int or ndarray of int
        1 if the CNI gives the type prefixes; otherwise it falls back to single addresses.

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
    """Secondary IPs or prefixes held, and ENIs for pods attached, with ``pods`` on VPC addresses (cached)."""
    slots, enis = held(limits, settings, max_pods, pods)
    return slots, enis


def start_calls(
    limits: NodeLimits, settings: CniSettings, max_pods: int, pods: int, *, look_up: bool = True
) -> Counter[str]:
    """The fewest EC2 calls, by API, from a new node to one with ``pods`` pods on VPC addresses. [calls]

    ``look_up``: the VPC CNI looks for the subnet with the most free addresses (ENABLE_SUBNET_DISCOVERY).
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
    check_type(instance_type)
    check_settings(settings)
    check_count("pods", pods)
    check_count("max_pods", max_pods)
    check_count("unmanaged_enis", unmanaged_enis)
    check_word("os", os, SYSTEMS)
    run = effective(settings, instance_type)
    limits = node_limits(instance_type, run, unmanaged_enis, windows=os == "windows")
    return replace(pool_of(limits, run, max_pods, pods), kind=instance_type, settings=settings)


def pods_served(limits: NodeLimits, settings: CniSettings, max_pods: int, pods: int) -> int:
    """The number of pods that get a VPC address; the others are stuck in ContainerCreating. [pods]"""
    node = _rest(limits, settings, max_pods, pods, *slots_and_enis(limits, settings, max_pods, pods))
    served: int = _served(node)
    return served


def pool_of(limits: NodeLimits, settings: CniSettings, max_pods: IntLike, pods: IntLike) -> Pool:
    """The pool from given limits, for ints or for arrays of one broadcast shape."""
    node = rest(limits, settings, max_pods, pods)
    return Pool(**{name: figure(node) for name, figure in FIGURES.items()})


def rest(limits: NodeLimits, settings: CniSettings, max_pods: IntLike, pods: IntLike) -> Rest:
    """The settled node with ``pods`` pods on VPC addresses."""
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


# Each figure of a Pool separately, so that one figure of many nodes does not need the others.
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
