"""Computes the addresses that a node's network interfaces support in Cilium's ENI mode.

Every function takes ints or integer arrays of one broadcast shape.
Source: cilium/cilium@00137987, file at each function.
"""

from __future__ import annotations

from capacity.plan.cilium import OWN_ADDRESSES, CiliumIpam
from capacity.units import IntLike, ceil_div, larger, smaller


def serving_enis(enis: IntLike, first_index: IntLike, unmanaged: IntLike) -> IntLike:
    """ENIs that can have pod addresses. [ENIs]

    Parameters
    ----------
    enis : int or ndarray of int
        ENIs of the default network card. [ENIs]
    first_index : int or ndarray of int
        Index of the first ENI with pod addresses.
    unmanaged : int or ndarray of int
        ENIs that Cilium does not manage because of their tags. [ENIs]

    Notes
    -----
    min(ENIs - first index, ENIs - unmanaged - 1 idle primary if the first index is not 0), at least 0. From
    index 2 on a max-allocate beyond the first figure would make Cilium attach ENIs up to the second: not modelled.

    Source
    ------
    pkg/aws/eni/node.go GetMaximumAllocatableIPv4, PrepareIPAllocation (EmptyInterfaceSlots).

    Examples
    --------
    >>> serving_enis(enis=4, first_index=1, unmanaged=0), serving_enis(enis=4, first_index=0, unmanaged=1)
    (3, 3)
    """
    return larger(smaller(enis - first_index, enis - unmanaged - (first_index > 0)), 0)


def most_asked(enis: IntLike, ips_per_eni: IntLike, unit: IntLike, of: CiliumIpam) -> IntLike:
    """Most addresses that Cilium allocates: max-allocate, or the limit of the ENIs. [addresses]

    ``unit`` is 16 with prefix delegation, otherwise 1. Primary addresses are not counted, even with
    use-primary-address.

    Source
    ------
    pkg/ipam/node.go getMaxAllocate; pkg/aws/eni/node.go GetMaximumAllocatableIPv4.

    Examples
    --------
    >>> most_asked(enis=3, ips_per_eni=10, unit=1, of=CiliumIpam(first_interface_index=1))  # m5.large
    18
    """
    return of.max_allocate or larger(enis - of.first_interface_index, 0) * (ips_per_eni - 1) * unit


def stopped_by_max_allocate(serving: IntLike, k: IntLike, unit: IntLike, of: CiliumIpam) -> IntLike:
    """Whether max-allocate, not the ENIs, limits the node's addresses.

    >>> stopped_by_max_allocate(serving=2, k=9, unit=1, of=CiliumIpam(max_allocate=17))
    True
    """
    return (of.max_allocate > 0) & (of.max_allocate < serving * k * unit)


def pod_capacity(serving: IntLike, k: IntLike, unit: IntLike, primary: IntLike, most: IntLike) -> IntLike:
    """Most pods that can have an address: the limit of the ENIs or of Cilium, minus Cilium's two addresses. [pods]

    Parameters
    ----------
    serving : int or ndarray of int
        ENIs with pod addresses. [ENIs]
    k : int or ndarray of int
        Secondary IPs or prefixes per ENI. [slots]
    unit : int or ndarray of int
        Addresses of a slot: 16 for a prefix, 1 for a secondary IP. [addresses]
    primary : int
        1 if pods can use primary addresses of ENIs.
    most : int or ndarray of int
        Most addresses that Cilium allocates. [addresses]

    Notes
    -----
    Addresses that max-above-watermark can add above max-allocate are not counted.

    Examples
    --------
    >>> pod_capacity(serving=3, k=14, unit=1, primary=0, most=42)
    40
    """
    return larger(smaller(serving * (k * unit + primary), ceil_div(most, unit) * unit) - OWN_ADDRESSES, 0)
