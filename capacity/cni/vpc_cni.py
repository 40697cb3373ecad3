"""Computes the pool of the VPC CNI: its limits, and the formula of :mod:`capacity.cni.pool` for its settings.

Source: aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go and pkg/ipamd/datastore/data_store.go.
"""

from __future__ import annotations

from collections import Counter
from functools import reduce

from capacity.catalog.instance_type import InstanceType
from capacity.cni import pool
from capacity.cni.api_rates import node_start_calls
from capacity.cni.node_limits import EniFigures, NodeLimits, Rest
from capacity.plan.cni_env import CniSettings
from capacity.plan.constants import PREFIX_SIZE
from capacity.units import IntLike, ceil_div, larger, smaller


def limits_from(of: EniFigures, settings: CniSettings, unmanaged_enis: int = 0, *, windows: bool = False) -> NodeLimits:
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
    most = settings.max_eni or of.enis
    managed = pool.managed_enis(of.enis, most, unmanaged_enis, slot)
    trunk = slot * of.trunking * pool.trunk_attaches(of.enis, most, unmanaged_enis)
    idle = int(settings.custom_networking)
    return NodeLimits(managed - idle, idle, k, trunk, unmanaged_enis, windows=False)


def gives_prefixes(on: InstanceType) -> bool:
    """Whether a node of the type gets prefixes: only on Nitro and bare metal; unknown counts as yes.

    Source
    ------
    ipamd.go L2771-2779.
    """
    return on.prefixes_possible is not False


def address_capacity(limits: NodeLimits, settings: CniSettings) -> int:
    """Most pods on VPC addresses that the node can ever serve. [pods]

    With only MINIMUM_IP_TARGET set, the pool never exceeds it.
    """
    unit = PREFIX_SIZE if settings.prefix else 1
    slots: int = limits.serving * limits.k
    if not limits.windows and settings.minimum_ip and not settings.warm_ip:
        slots = min(slots, ceil_div(settings.minimum_ip, unit))
    return slots * unit


def held(limits: NodeLimits, settings: CniSettings, max_pods: IntLike, pods: IntLike) -> tuple[IntLike, IntLike]:
    """Secondary IPs or prefixes held, and ENIs for pods, by the formula of :mod:`capacity.cni.pool` for the settings.

    For a new node on which pods start one by one, with the pool settled after each.
    """
    if not _left_to_chance(limits, settings):
        return packed(limits, settings, max_pods, pods)
    slots = pool.prefixes_by_chance(pods, limits.k, settings.warm_prefix, max_pods, limits.serving)
    return slots, pool.enis_holding(slots, limits.k, limits.idle_primary)


def packed(limits: NodeLimits, settings: CniSettings, max_pods: IntLike, pods: IntLike) -> tuple[IntLike, IntLike]:
    """Secondary IPs or prefixes, and ENIs for pods, if each pod uses the first free address: the fewest."""
    k = limits.k
    if settings.ipv6:
        return 0, 1
    unit = PREFIX_SIZE if settings.prefix else 1
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


def _left_to_chance(limits: NodeLimits, settings: CniSettings) -> bool:
    """Whether the node's prefixes depend on the placement of its pods on prefixes."""
    by_prefix_target = settings.prefix and not settings.ip_targets and not settings.ipv6 and not limits.windows
    return by_prefix_target and settings.warm_prefix > 1


def highest(node: Rest) -> IntLike:
    """Most addresses of the settled pool with these pods after any growth and scale-down, without trunk and unmanaged
    ENIs.

    Pods can have started in bursts, and can remain one per ENI or prefix. The bound is exact: a search through all
    states of small nodes finds the same value (``tests/property/test_most_at_rest.py``).

    Source
    ------
    data_store.go L1042-1098 (which ENIs can be freed), ipamd.go L2177-2231, L2659-2677, L1488-1514.
    """
    slots, enis = most_held(node)
    return enis + slots * node.unit


def most_held(node: Rest) -> tuple[IntLike, IntLike]:
    """Secondary IPs or prefixes, and ENIs for pods, of the state with the most addresses."""
    limits, settings, max_pods, pods, slots, enis, unit = node
    if settings.ipv6 or limits.windows:
        return slots, enis
    reach = _reach(node)
    if settings.ip_targets or settings.prefix:
        most = larger(slots, _most_slots(node))
        return most, larger(enis, smaller(reach, _most_enis(node, most)))
    attached = larger(enis, smaller(reach, 1 + pods))
    within_reach = pool.enis_within_reach(unit, limits.k, max_pods, limits.serving)
    return smaller(attached - limits.idle_primary, within_reach) * limits.k, attached


def _reach(node: Rest) -> IntLike:
    """ENIs for pods that the node can ever have, including the primary. [ENIs]"""
    limits = node.limits
    serving = pool.enis_within_reach(node.unit, limits.k, node.max_pods, limits.serving)
    return limits.idle_primary + larger(serving, 1 - limits.idle_primary)


def _most_slots(node: Rest) -> IntLike:
    """Most secondary IPs or prefixes that the node keeps with its pods: its target, or one prefix per pod.

    With only MINIMUM_IP_TARGET set, the pool never changes and has the value of a new node.
    """
    limits, settings, max_pods, pods, slots, _, unit = node
    room = (unit, limits.k, max_pods, limits.serving)
    if not settings.ip_targets:
        target = settings.warm_prefix
        most = pool.most_slots_grown(max(target, 1), target, 0, *room)
        return smaller(most, pods + target)
    if not settings.warm_ip:
        return slots
    warm, least = ceil_div(settings.warm_ip, unit), ceil_div(settings.minimum_ip, unit)
    most = pool.most_slots_grown(warm, max(warm, least), least, *room)
    wanted = larger(ceil_div(pods + settings.warm_ip, unit), least)
    return smaller(most, larger(wanted, pods) if settings.prefix else wanted)


def _most_enis(node: Rest, slots: IntLike) -> IntLike:
    """Most ENIs that ``slots`` keep attached, including the primary, if there were enough at the start. [ENIs]

    An ENI without pods stays if the others are not enough without it: free addresses for WARM_IP_TARGET, addresses for
    MINIMUM_IP_TARGET, wholly free prefixes for WARM_PREFIX_TARGET (IP targets do not disable that). So it must have
    some free slots itself, or none if all together are not enough.
    """
    settings, unit = node.settings, node.unit
    if settings.ip_targets and not settings.warm_ip:
        return node.enis
    in_use = smaller(node.pods, slots)
    free = slots - in_use
    needs = []
    if settings.warm_ip:
        spare = larger(slots * unit - node.pods, 0)
        needs.append(spare // unit - ceil_div(settings.warm_ip, unit) + 1)
    if settings.minimum_ip:
        needs.append(slots - ceil_div(settings.minimum_ip, unit) + 1)
    if settings.prefix and settings.warm_prefix:
        needs.append(free - settings.warm_prefix + 1)
    if not needs:
        return 1 + in_use
    need = reduce(smaller, needs)
    return 1 + in_use + free // larger(need, 1) + (need <= 0) * _reach(node)


def start_calls(limits: NodeLimits, settings: CniSettings, slots: int, enis: int, *, look_up: bool) -> Counter[str]:
    """The fewest EC2 calls, by API, from a new node to one with the given slots and ENIs. [calls]"""
    return node_start_calls(
        enis,
        slots,
        custom_networking=settings.custom_networking,
        subnet_discovery=look_up,
        ipv6=settings.ipv6,
        trunk=limits.trunk,
    )
