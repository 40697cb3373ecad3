"""The pool as the VPC CNI keeps it: its limits, its settings and which formula of :mod:`capacity.cni.pool` holds.

Source: aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go and pkg/ipamd/datastore/data_store.go.
"""

from __future__ import annotations

from collections import Counter

from capacity.catalog.instance_type import InstanceType
from capacity.cni import pool
from capacity.cni.api_rates import node_start_calls
from capacity.cni.limits import EniFigures, NodeLimits, Rest
from capacity.spec.cni_env import CniSettings
from capacity.units import IntLike, ceil_div, larger, smaller


def limits_from(of: EniFigures, settings: CniSettings, unmanaged_enis: int = 0, windows: bool = False) -> NodeLimits:
    """Limits of a node from its type's figures.

    Examples
    --------
    >>> limits_from(EniFigures(4, 15, 1, 1), CniSettings(pod_eni=True, custom_networking=True)).serving
    2
    """
    k = of.ips_per_eni - 1
    if windows:
        return NodeLimits(serving=1, idle_primary=0, k=k, trunk=0, unmanaged=unmanaged_enis, windows=True)
    slot = int(settings.pod_eni) * of.trunk_slot
    managed = pool.managed_enis(of.enis, settings.max_eni or of.enis, unmanaged_enis, slot)
    idle = int(settings.custom_networking)
    return NodeLimits(managed - idle, idle, k, slot * of.trunking, unmanaged_enis, windows=False)


def gives_prefixes(on: InstanceType) -> bool:
    """Whether a node of the type gets prefixes: not off Nitro and bare metal; unknown is taken as yes.

    Source
    ------
    ipamd.go L2771-2779.
    """
    return on.prefixes_possible is not False


def address_capacity(limits: NodeLimits, settings: CniSettings) -> int:
    """Most pods on VPC addresses that the node can ever serve. [pods]

    With only MINIMUM_IP_TARGET set the pool never grows past it.
    """
    unit = pool.PREFIX_SIZE if settings.prefix else 1
    slots: int = limits.serving * limits.k
    if not limits.windows and settings.minimum_ip and not settings.warm_ip:
        slots = min(slots, ceil_div(settings.minimum_ip, unit))
    return slots * unit


def held(limits: NodeLimits, settings: CniSettings, max_pods: IntLike, pods: IntLike) -> tuple[IntLike, IntLike]:
    """Secondary IPs or prefixes held, and ENIs for pods, by the formula of :mod:`capacity.cni.pool` that holds.

    On a fresh node to which pods come one by one, the pool settled after each.
    """
    k = limits.k
    if settings.ipv6:
        return 0, 1
    unit = pool.PREFIX_SIZE if settings.prefix else 1
    if limits.windows:
        told = settings.windows
        return pool.windows_slots(pods, unit, k, told.warm_ip, told.minimum_ip, told.warm_prefix), 1
    if settings.ip_targets:
        slots = pool.slots_by_ip_target(pods, unit, k, settings.warm_ip, settings.minimum_ip, max_pods, limits.serving)
    elif settings.prefix:
        slots = pool.prefixes_by_prefix_target(pods, k, settings.warm_prefix, max_pods, limits.serving)
    else:
        slots = k * pool.enis_by_eni_target(pods, k, settings.warm_eni, max_pods, limits.serving)
    return slots, pool.enis_holding(slots, k, limits.idle_primary)


def highest(node: Rest) -> IntLike:
    """Most addresses at rest with these pods after any growth and scale-down, trunk and unmanaged apart.

    Pods may be left one to an ENI or to a prefix, and an ENI with a pod is never freed; single IPs
    are given back down to the target. Where pods come in batches, or many at once before max pods
    stops the growth, one batch of at most one ENI's room may come on top. An outer bound in those
    cases, exact otherwise (``docs/explanation/cni-addresses.md``).

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


def start_calls(limits: NodeLimits, settings: CniSettings, slots: int, enis: int, look_up: bool) -> Counter[str]:  # noqa: ARG001
    """The fewest EC2 calls, by API, from a fresh node to one that holds so much. [calls]"""
    return node_start_calls(enis, slots, settings.custom_networking, look_up, settings.ipv6)
