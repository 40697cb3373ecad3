"""The pool of one node: limits and settings in, every figure of it out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from capacity.catalog.instance_type import InstanceType
from capacity.cni import pool
from capacity.errors import SpecError
from capacity.spec.cni_env import CniSettings
from capacity.units import ceil_div


@dataclass(frozen=True, slots=True)
class NodeLimits:
    """What bounds the pool of one node, in plain numbers.

    Attributes
    ----------
    serving : int
        ENIs that may serve pods. [ENIs]
    idle_primary : int
        1 where the primary ENI serves none (custom networking).
    k : int
        Secondary IPs or prefixes per ENI. [slots]
    trunk : int
        1 where a trunk ENI is attached. [ENIs]
    unmanaged : int
        ENIs that ipamd leaves alone, each with one address of its own. [ENIs]
    windows : bool
        The VPC resource controller serves the node, from one ENI.
    """

    serving: int
    idle_primary: int
    k: int
    trunk: int
    unmanaged: int
    windows: bool


@dataclass(frozen=True, slots=True)
class Pool:
    """What one node holds of its subnets.

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

    enis: int
    secondary_ips: int
    prefixes: int
    pod_addresses: int
    assigned: int
    warm: int
    trunk: int
    unmanaged: int
    subnet_addresses: int
    lowest: int
    highest: int
    pods_without_address: int


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
    k = instance_type.ipv4_per_eni - 1
    if windows:
        return NodeLimits(serving=1, idle_primary=0, k=k, trunk=0, unmanaged=unmanaged_enis, windows=True)
    slot = settings.pod_eni and instance_type.trunk_slot
    limit = instance_type.max_enis
    managed = pool.managed_enis(limit, settings.max_eni or limit, unmanaged_enis, int(slot))
    idle = int(settings.custom_networking)
    attached = int(slot and bool(instance_type.trunking))
    return NodeLimits(managed - idle, idle, k, attached, unmanaged_enis, windows=False)


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
    slots = limits.serving * limits.k
    if not limits.windows and settings.minimum_ip and not settings.warm_ip:
        slots = min(slots, ceil_div(settings.minimum_ip, unit))
    return slots * unit


@lru_cache(maxsize=200_000)
def slots_and_enis(limits: NodeLimits, settings: CniSettings, max_pods: int, pods: int) -> tuple[int, int]:
    """Secondary IPs or prefixes held, and ENIs for pods attached, with ``pods`` on VPC addresses."""
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


def pool_of(limits: NodeLimits, settings: CniSettings, max_pods: int, pods: int) -> Pool:
    """The same from limits already worked out."""
    slots, enis = slots_and_enis(limits, settings, max_pods, pods)
    unit = pool.PREFIX_SIZE if settings.prefix else 1
    extra = limits.trunk + limits.unmanaged
    total = enis + slots * unit + extra
    served = pods if settings.ipv6 else min(pods, slots * unit)
    assigned = 0 if settings.ipv6 else served
    return Pool(
        enis=enis,
        secondary_ips=0 if settings.prefix else slots,
        prefixes=slots if settings.prefix else 0,
        pod_addresses=slots * unit,
        assigned=assigned,
        warm=slots * unit - assigned,
        trunk=limits.trunk,
        unmanaged=limits.unmanaged,
        subnet_addresses=total,
        lowest=total,
        highest=max(total, extra + _highest(limits, settings, max_pods, pods)),
        pods_without_address=pods - served,
    )


def _highest(limits: NodeLimits, settings: CniSettings, max_pods: int, pods: int) -> int:
    """Most addresses at rest with these pods after any growth and scale-down, trunk and unmanaged apart.

    Pods may be left one to an ENI or to a prefix, and an ENI with a pod is never freed; single IPs
    are given back down to the target. Where pods come in batches, or many at once before max pods
    stops the growth, one batch of at most one ENI's room may come on top. An outer bound in those
    cases, exact otherwise (``docs/explanation/pool.md``).

    Source
    ------
    data_store.go L1042-1098 (which ENIs may be freed), ipamd.go L2659-2677, L1488-1514.
    """
    slots, enis = slots_and_enis(limits, settings, max_pods, pods)
    if settings.ipv6 or limits.windows:
        return enis + slots * (pool.PREFIX_SIZE if settings.prefix else 1)
    unit, k = (pool.PREFIX_SIZE if settings.prefix else 1), limits.k
    cap = limits.serving * k
    peak_slots, _ = slots_and_enis(limits, settings, max_pods, max(pods, min(cap * unit, max_pods)))
    stop = min(cap, ceil_div(max_pods, unit) - 1 + k)  # a batch may start one address short of max pods
    in_use = min(pods, peak_slots)
    if settings.ip_targets:
        most = (
            min(ceil_div(max(pods + settings.warm_ip, settings.minimum_ip), unit), stop) if settings.warm_ip else slots
        )
        most = max(slots, most)
        if settings.prefix:
            most = max(most, in_use)
    elif settings.prefix:
        target = settings.warm_prefix
        batch = min(max(2 * target - 1, 1) + ceil_div(pods, unit), stop) if target > 1 else slots
        most = max(slots, batch, min(max(peak_slots, batch), in_use + target))
    else:
        reach = pool.enis_holding(peak_slots, k, limits.idle_primary)
        attached = max(enis, min(reach, 1 + in_use))
        return attached + (attached - limits.idle_primary) * k
    reach = pool.enis_holding(max(peak_slots, most), k, limits.idle_primary)
    apart = 1 + (in_use + most - min(pods, most) if unit == 1 else most)
    return max(enis, min(reach, apart)) + most * unit
