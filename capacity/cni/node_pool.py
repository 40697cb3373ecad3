"""The pool of one node: limits and settings in, every figure of it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from capacity.catalog.instance_type import InstanceType
from capacity.cni import pool
from capacity.errors import SpecError
from capacity.spec.cni_env import CniSettings
from capacity.units import IntLike, ceil_div, larger, smaller


@dataclass(frozen=True, slots=True)
class NodeLimits:
    """What bounds the pool of one node, in plain numbers; of many nodes, in arrays (:mod:`capacity.cni.sweep`).

    Attributes
    ----------
    serving : int or ndarray of int
        ENIs that may serve pods. [ENIs]
    idle_primary : int
        1 where the primary ENI serves none (custom networking).
    k : int or ndarray of int
        Secondary IPs or prefixes per ENI. [slots]
    trunk : int or ndarray of int
        1 where a trunk ENI is attached. [ENIs]
    unmanaged : int
        ENIs that ipamd leaves alone, each with one address of its own. [ENIs]
    windows : bool
        The VPC resource controller serves the node, from one ENI.
    """

    serving: IntLike
    idle_primary: int
    k: IntLike
    trunk: IntLike
    unmanaged: int
    windows: bool


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
        Addresses held for pods: secondary IPs or 16 per prefix. [addresses]
    assigned, warm : int
        Of those, in use by pods and not. [addresses]
    trunk, unmanaged : int
        Further ENIs, one address each. [ENIs]
    subnet_addresses : int
        Everything the node takes from its subnets. [addresses]
    lowest, highest : int
        The same on a fresh node, and the most of any resting state with these pods after growth
        and scale-down. [addresses]
    pods_without_address : int
        Pods that never get one: above capacity, or above MINIMUM_IP_TARGET set alone. [pods]
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


def node_limits(
    instance_type: InstanceType, settings: CniSettings, unmanaged_enis: int = 0, windows: bool = False, where: str = ""
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
    figures = (instance_type.max_enis, instance_type.ipv4_per_eni)
    trunk = (int(instance_type.trunk_slot), int(bool(instance_type.trunking)))
    return limits_from(*figures, *trunk, settings, unmanaged_enis, windows)


def limits_from(
    max_enis: IntLike,
    ipv4_per_eni: IntLike,
    trunk_slot: IntLike,
    trunking: IntLike,
    settings: CniSettings,
    unmanaged_enis: int = 0,
    windows: bool = False,
) -> NodeLimits:
    """The same from an instance type's figures, ints or arrays of one shape.

    Parameters
    ----------
    max_enis, ipv4_per_eni : int or ndarray of int
        ENIs of the default card; addresses of each, the primary included. [ENIs], [addresses]
    trunk_slot, trunking : int or ndarray of int
        1 where ENABLE_POD_ENI keeps a slot for a trunk, and where one comes.

    Examples
    --------
    >>> limits_from(4, 15, 1, 1, CniSettings(pod_eni=True, custom_networking=True)).serving
    2
    """
    k = ipv4_per_eni - 1
    if windows:
        return NodeLimits(serving=1, idle_primary=0, k=k, trunk=0, unmanaged=unmanaged_enis, windows=True)
    slot = int(settings.pod_eni) * trunk_slot
    managed = pool.managed_enis(max_enis, settings.max_eni or max_enis, unmanaged_enis, slot)
    idle = int(settings.custom_networking)
    return NodeLimits(managed - idle, idle, k, slot * trunking, unmanaged_enis, windows=False)


def effective(settings: CniSettings, instance_type: InstanceType) -> CniSettings:
    """The settings as the CNI runs them on this type: prefixes fall back to single IPs off Nitro.

    Raises
    ------
    SpecError
        IPv6 on a type that cannot do prefixes: ipamd does not start.

    Source
    ------
    ipamd.go L2771-2779.
    """
    if not settings.prefix or instance_type.prefixes_possible is not False:
        return settings
    if settings.ipv6:
        raise SpecError(f"{instance_type.name!r} runs on {instance_type.hypervisor}: IPv6 needs Nitro or bare metal")
    from dataclasses import replace

    return replace(settings, prefix=False)


def address_capacity(limits: NodeLimits, settings: CniSettings) -> int:
    """Most pods on VPC addresses that the node can ever serve. [pods]

    With only MINIMUM_IP_TARGET set the pool never grows past it.
    """
    unit = pool.PREFIX_SIZE if settings.prefix else 1
    slots: int = limits.serving * limits.k
    if not limits.windows and settings.minimum_ip and not settings.warm_ip:
        slots = min(slots, ceil_div(settings.minimum_ip, unit))
    return slots * unit


@lru_cache(maxsize=200_000)
def slots_and_enis(limits: NodeLimits, settings: CniSettings, max_pods: int, pods: int) -> tuple[int, int]:
    """Secondary IPs or prefixes held, and ENIs for pods attached, with ``pods`` on VPC addresses. Remembered."""
    slots, enis = held(limits, settings, max_pods, pods)
    return slots, enis


def held(limits: NodeLimits, settings: CniSettings, max_pods: IntLike, pods: IntLike) -> tuple[IntLike, IntLike]:
    """The same for ints or arrays: the formula of :mod:`capacity.cni.pool` that the settings choose."""
    k = limits.k
    if settings.ipv6:
        return 0, 1
    unit = pool.PREFIX_SIZE if settings.prefix else 1
    if limits.windows:
        return pool.windows_slots(pods, unit, k), 1
    if settings.ip_targets:
        slots = pool.slots_by_ip_target(pods, unit, k, settings.warm_ip, settings.minimum_ip, max_pods, limits.serving)
    elif settings.prefix:
        slots = pool.prefixes_by_prefix_target(pods, k, settings.warm_prefix, max_pods, limits.serving)
    else:
        slots = k * pool.enis_by_eni_target(pods, k, settings.warm_eni, max_pods, limits.serving)
    return slots, pool.enis_holding(slots, k, limits.idle_primary)


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
        The catalog has no ENI figures for the type, or the CNI refuses the settings on it.

    Examples
    --------
    >>> from capacity.catalog.table import load_catalog
    >>> pool = node_pool(load_catalog().get("m5.large"), CniSettings(), pods=11, max_pods=29)
    >>> pool.enis, pool.secondary_ips, pool.subnet_addresses
    (3, 27, 30)
    """
    settings = effective(settings, instance_type)
    limits = node_limits(instance_type, settings, unmanaged_enis, windows=os == "windows")
    return pool_of(limits, settings, max_pods, pods)


def pool_of(limits: NodeLimits, settings: CniSettings, max_pods: IntLike, pods: IntLike) -> Pool:
    """The same from limits already worked out, for ints or for arrays of one broadcast shape."""
    node = rest(limits, settings, max_pods, pods)
    return Pool(**{name: figure(node) for name, figure in FIGURES.items()})


class Rest(NamedTuple):
    """A node at rest: what its pool's figures follow from, ints or arrays of one broadcast shape.

    ``slots`` are secondary IPs (``unit`` 1) or prefixes (``unit`` 16), ``enis`` those for pods.
    """

    limits: NodeLimits
    settings: CniSettings
    max_pods: IntLike
    pods: IntLike
    slots: IntLike
    enis: IntLike
    unit: int


def rest(limits: NodeLimits, settings: CniSettings, max_pods: IntLike, pods: IntLike) -> Rest:
    """The node with ``pods`` pods on VPC addresses, its pool settled."""
    slots, enis = held(limits, settings, max_pods, pods)
    return Rest(limits, settings, max_pods, pods, slots, enis, pool.PREFIX_SIZE if settings.prefix else 1)


def _extra(node: Rest) -> IntLike:
    return node.limits.trunk + node.limits.unmanaged


def _total(node: Rest) -> IntLike:
    return node.enis + _addresses(node) + _extra(node)


def _addresses(node: Rest) -> IntLike:
    return node.slots * node.unit if node.unit > 1 else node.slots


def _served(node: Rest) -> IntLike:
    return node.pods if node.settings.ipv6 else smaller(node.pods, _addresses(node))


def _assigned(node: Rest) -> IntLike:
    return 0 if node.settings.ipv6 else _served(node)


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
    "lowest": _total,
    "highest": lambda n: larger(_total(n), _extra(n) + _highest(n)),
    "pods_without_address": lambda n: n.pods - _served(n),
}


def _highest(node: Rest) -> IntLike:
    """Most addresses at rest with these pods after any growth and scale-down, trunk and unmanaged apart.

    Pods may be left one to an ENI or to a prefix, and an ENI with a pod is never freed; single IPs
    are given back down to the target. Where pods come in batches, or many at once before max pods
    stops the growth, one batch of at most one ENI's room may come on top. An outer bound in those
    cases, exact otherwise (``docs/explanation/pool.md``).

    Source
    ------
    data_store.go L1042-1098 (which ENIs may be freed), ipamd.go L2659-2677, L1488-1514.
    """
    limits, settings, max_pods, pods, slots, enis, unit = node
    if settings.ipv6 or limits.windows:
        return enis + slots * unit
    k = limits.k
    cap = limits.serving * k
    peak_slots, _ = held(limits, settings, max_pods, larger(pods, smaller(cap * unit, max_pods)))
    stop = smaller(cap, ceil_div(max_pods, unit) - 1 + k)  # a batch may start one address short of max pods
    in_use = smaller(pods, peak_slots)
    if settings.ip_targets:
        most = slots
        if settings.warm_ip:
            wanted = larger(pods + settings.warm_ip, settings.minimum_ip)
            most = larger(slots, smaller(ceil_div(wanted, unit), stop))
        if settings.prefix:
            most = larger(most, in_use)
    elif settings.prefix:
        target = settings.warm_prefix
        batch = smaller(2 * target - 1 + ceil_div(pods, unit), stop) if target > 1 else slots
        most = larger(larger(slots, batch), smaller(larger(peak_slots, batch), in_use + target))
    else:
        reach = pool.enis_holding(peak_slots, k, limits.idle_primary)
        attached = larger(enis, smaller(reach, 1 + in_use))
        return attached + (attached - limits.idle_primary) * k
    reach = pool.enis_holding(larger(peak_slots, most), k, limits.idle_primary)
    apart = 1 + (in_use + most - smaller(pods, most) if unit == 1 else most)
    return larger(enis, smaller(reach, apart)) + most * unit
