"""Computes the pool that Cilium's operator maintains in ENI mode, in closed form.

Every function takes ints or integer arrays of one broadcast shape. The figure is for a new node on which pods start one
by one, with the pool settled after each. Derivation and an example by hand: ``docs/explanation/cilium-eni.md``.

Source: cilium/cilium@00137987 pkg/ipam/node.go (calculateNeededIPs, calculateExcessIPs,
determineMaintenanceAction), pkg/aws/eni/node.go (PrepareIPAllocation, AllocateIPs, CreateInterface),
pkg/aws/ec2/ec2.go @ddfb86f8 (CreateNetworkInterface, parseENI). Conformance: tests/conformance/cilium_stated.csv
and a step-by-step model of the same code, tests/property/test_cilium_against_steps.py.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from capacity.catalog.instance_type import InstanceType
from capacity.cni.api_rates import ASSIGN, ATTACH_ENI, CREATE_ENI, MODIFY_ENI
from capacity.cni.cilium_limits import most_asked, pod_capacity, serving_enis
from capacity.cni.node_limits import EniFigures, NodeLimits, Rest
from capacity.plan.cilium import OWN_ADDRESSES, CiliumIpam
from capacity.plan.cni_env import CniSettings
from capacity.plan.constants import PREFIX_SIZE
from capacity.units import IntLike, ceil_div, larger, smaller


def addresses_wanted(used: IntLike, pre_allocate: IntLike, min_allocate: IntLike, most: IntLike) -> IntLike:
    """The operator's target for a node: addresses in use plus spare ones, within its limits. [addresses]

    Parameters
    ----------
    used : int or ndarray of int
        Addresses in use, including Cilium's two. [addresses]
    pre_allocate, min_allocate : int or ndarray of int
        Addresses to keep free, and the minimum to hold. [addresses]
    most : int or ndarray of int
        Most addresses that it allocates. [addresses]

    Source
    ------
    pkg/ipam/node.go calculateNeededIPs: available + needed.

    Examples
    --------
    >>> addresses_wanted(used=7, pre_allocate=8, min_allocate=0, most=27)  # node_manager_test.go, m5.large
    15
    """
    return smaller(larger(used + pre_allocate, min_allocate), most)


class Ladder(NamedTuple):
    """The growth of one ENI's slots: from the initial slots, step by step, to ``k``. [slots]"""

    first: IntLike
    step: IntLike
    k: IntLike


def climbed(slots: IntLike, ladder: Ladder) -> IntLike:
    """Slots of an ENI that needs ``slots``: the first step at or above, at most ``k``. [slots]

    >>> climbed(5, Ladder(first=2, step=4, k=9)), climbed(8, Ladder(first=2, step=4, k=9))
    (6, 9)
    """
    return smaller(ladder.first + ceil_div(larger(slots - ladder.first, 0), ladder.step) * ladder.step, ladder.k)


def new_eni_slots(short: IntLike, above: IntLike, k: IntLike, unit: IntLike) -> IntLike:
    """Initial slots of a new ENI if ``short`` addresses are missing. [slots]

    At most IPs − 1 *addresses* are requested with it, also with prefixes.

    Source
    ------
    pkg/aws/eni/node.go CreateInterface (toAllocate).

    Examples
    --------
    >>> new_eni_slots(short=8, above=0, k=9, unit=1), new_eni_slots(short=30, above=0, k=9, unit=16)
    (8, 1)
    """
    return ceil_div(smaller(short + above, k), unit)


def first_slots(short: IntLike, above: IntLike, k: IntLike, unit: IntLike, primary: int, new: IntLike) -> IntLike:
    """Slots of the last ENI for a new node's first addresses, with ``short`` of them in it. [slots]

    Parameters
    ----------
    short : int or ndarray of int
        Addresses needed in this ENI. [addresses]
    above : int or ndarray of int
        max-above-watermark. [addresses]
    primary : int
        1 if the primary address of the ENI counts.
    new : int or ndarray of int
        1 if the ENI is created for them, 0 for the node's first ENI.

    Notes
    -----
    If the initial slots of a new ENI are not enough, the rest is requested as for an existing ENI.

    Examples
    --------
    >>> first_slots(short=30, above=0, k=9, unit=16, primary=0, new=1)  # 1 prefix, then another
    2
    """
    brought = new_eni_slots(short, above, k, unit) * new
    missing = short - brought * unit - primary * new
    return smaller(brought + (missing > 0) * ceil_div(larger(missing, 0) + above, unit), k)


def slots_held(wanted: IntLike, at_start: IntLike, limits: NodeLimits, ipam: CiliumIpam, unit: int) -> IntLike:
    """Secondary IPs (unit 1) or prefixes (unit 16) of a node with a target of addresses. [slots]

    Parameters
    ----------
    wanted, at_start : int or ndarray of int
        Target addresses now, and before the first pod. [addresses]

    Notes
    -----
    ENIs are filled one after the other. Each time one address is short, 1 + max-above-watermark are requested, up to
    the limit of the ENI.

    Examples
    --------
    >>> m5_large = NodeLimits(serving=3, idle_primary=0, k=9, trunk=0, unmanaged=0, windows=False)
    >>> slots_held(15, 8, m5_large, CiliumIpam(), unit=1), slots_held(20, 8, m5_large, CiliumIpam(), unit=16)
    (15, 2)
    """
    k, above, primary = limits.k, ipam.max_above_watermark, limits.primary
    room = larger(k * unit + primary, 1)
    wanted, at_start = smaller(wanted, limits.serving * room), smaller(at_start, limits.serving * room)
    start_eni = larger(at_start - 1, 0) // room
    eni = larger(wanted - 1, 0) // room
    created = larger(start_eni > 0, limits.idle_primary) * 1
    begun = first_slots(at_start - start_eni * room, above, k, unit, primary, created)
    brought = new_eni_slots(1, above, k, unit)
    first = brought + (begun - brought) * (eni == start_eni)
    rest = ceil_div(larger(wanted - eni * room - primary, 0), unit)
    return (eni * k + climbed(rest, Ladder(first, ceil_div(1 + above, unit), k))) * (wanted > 0)


def enis_serving(wanted: IntLike, limits: NodeLimits, unit: int) -> IntLike:
    """ENIs with pod addresses on a node with a target of addresses. [ENIs]

    >>> enis_serving(10, NodeLimits(3, 0, 9, 0, 0, windows=False), unit=1)
    2
    """
    room = larger(limits.k * unit + limits.primary, 1)
    return smaller(ceil_div(wanted, room), limits.serving)


# --- the law: what :class:`capacity.cni.node_pool.Law` asks --------------------------------------


def limits_from(
    of: EniFigures,
    settings: CniSettings,
    unmanaged_enis: int = 0,
    *,
    windows: bool = False,  # noqa: ARG001
) -> NodeLimits:
    """Limits of a node from its type's figures; Cilium has no trunks and no Windows nodes.

    Examples
    --------
    >>> from capacity.plan.cilium import CiliumIpam
    >>> limits_from(EniFigures(3, 10), CniSettings(cilium=CiliumIpam(first_interface_index=1))).serving
    2
    """
    ipam = _ipam(settings)
    return NodeLimits(
        serving=serving_enis(of.enis, ipam.first_interface_index, unmanaged_enis),
        idle_primary=int(ipam.first_interface_index > 0),
        k=of.ips_per_eni - 1,
        trunk=0,
        unmanaged=unmanaged_enis,
        windows=False,
        own=OWN_ADDRESSES,
        primary=int(ipam.use_primary_address),
        most=most_asked(of.enis, of.ips_per_eni, _unit(settings), ipam),
    )


def gives_prefixes(on: InstanceType) -> bool:
    """Whether a node of the type gets prefixes: only if EC2 states Nitro, so not on bare metal.

    Source
    ------
    pkg/aws/eni/node.go IsPrefixDelegated.
    """
    return on.hypervisor == "nitro"


def address_capacity(limits: NodeLimits, settings: CniSettings) -> int:
    """Most pods on VPC addresses that the node supports. [pods]"""
    pods: int = pod_capacity(limits.serving, limits.k, _unit(settings), limits.primary, limits.most)
    return pods


def held(limits: NodeLimits, settings: CniSettings, max_pods: IntLike, pods: IntLike) -> tuple[IntLike, IntLike]:  # noqa: ARG001
    """Secondary IPs or prefixes held, and ENIs for pods; max pods does not limit Cilium."""
    ipam, unit = _ipam(settings), _unit(settings)
    wanted = _wanted(limits, ipam, pods)
    at_start = addresses_wanted(0, ipam.pre_allocate, ipam.min_allocate, limits.most)
    slots = slots_held(wanted, at_start, limits, ipam, unit)
    serving = enis_serving(wanted, limits, unit)
    return slots, limits.idle_primary + larger(serving, 1 - limits.idle_primary)


packed = held  # the choice of pod addresses has no effect


def highest(node: Rest) -> IntLike:
    """Most addresses of the settled pool with these pods after any growth and scale-down, without unmanaged ENIs.

    This is an upper bound. ENIs are never detached, and addresses are released only with release of excess, prefixes
    never. So the node holds what it held with its most pods: at most the rest of the last ENI, and at most one address
    fewer than the target plus one request, which is as large as the pods that wait on the node.

    Source
    ------
    pkg/ipam/node.go calculateExcessIPs, determineMaintenanceAction (surgeAllocate), handleIPAllocation;
    pkg/aws/eni/node.go PrepareIPRelease.
    """
    limits, ipam, unit = node.limits, _ipam(node.settings), node.unit
    peak = larger(node.pods, smaller(address_capacity(limits, node.settings), node.max_pods))
    wanted = _wanted(limits, ipam, peak)
    enis = enis_serving(wanted, limits, unit)
    order = wanted - 1 + larger(node.max_pods, 1) + ipam.max_above_watermark
    slots = larger(node.slots, smaller(enis * limits.k, ceil_div(order, unit)))
    if ipam.release_excess_ips and unit == 1:
        slots = larger(node.slots, smaller(slots, _wanted(limits, ipam, node.pods) + ipam.max_above_watermark))
    return limits.idle_primary + larger(enis, 1 - limits.idle_primary) + slots * unit


def start_calls(limits: NodeLimits, settings: CniSettings, slots: int, enis: int, *, look_up: bool) -> Counter[str]:  # noqa: ARG001
    """The fewest EC2 calls, by API, from a new node to one with the given slots and ENIs. [calls]

    These are the operator's calls, without its lookup of all nodes once a minute. Each additional ENI is created with
    its addresses; one call fills the first.

    Source
    ------
    pkg/aws/eni/node.go CreateInterface, AllocateIPs.

    Examples
    --------
    >>> from capacity.plan.cilium import CiliumIpam
    >>> settings = CniSettings(cilium=CiliumIpam())
    >>> sum(start_calls(limits_from(EniFigures(3, 10), settings), settings, slots=15, enis=2, look_up=True).values())
    4
    """
    more = enis - 1
    calls = Counter({CREATE_ENI: more, ATTACH_ENI: more, MODIFY_ENI: more})
    calls[ASSIGN] = int(slots > 0 and not limits.idle_primary)
    return +calls


def _wanted(limits: NodeLimits, ipam: CiliumIpam, pods: IntLike) -> IntLike:
    return addresses_wanted(pods + limits.own, ipam.pre_allocate, ipam.min_allocate, limits.most)


def _ipam(settings: CniSettings) -> CiliumIpam:
    assert settings.cilium is not None, "chosen by law_of"
    return settings.cilium


def _unit(settings: CniSettings) -> int:
    return PREFIX_SIZE if settings.prefix else 1
