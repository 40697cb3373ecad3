"""What the network interfaces of a node can carry under Cilium's ENI mode.

Every function takes ints or integer arrays of one broadcast shape.
Source: cilium/cilium@00137987, file at each function.
"""

from __future__ import annotations

from capacity.plan.cilium import OWN_ADDRESSES, CiliumIpam
from capacity.units import IntLike, ceil_div, larger, smaller


def serving_enis(enis: IntLike, first_index: IntLike, unmanaged: IntLike) -> IntLike:
    """ENIs that can serve pods. [ENIs]

    Parameters
    ----------
    enis : int or ndarray of int
        ENIs of the default network card. [ENIs]
    first_index : int or ndarray of int
        Index of the first ENI that serves pods.
    unmanaged : int or ndarray of int
        ENIs that Cilium leaves alone by their tags. [ENIs]

    Notes
    -----
    min(ENIs - first index, ENIs - unmanaged - 1 idle primary where the first index is not 0), at least 0. From
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
    """Addresses at which Cilium stops asking for more: max-allocate, or what the ENIs hold. [addresses]

    ``unit`` is 16 with prefix delegation, else 1. The ENIs' own addresses are not counted, not even with
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
    """Whether max-allocate, and not the ENIs that serve pods, bounds the node's addresses.

    >>> stopped_by_max_allocate(serving=2, k=9, unit=1, of=CiliumIpam(max_allocate=17))
    True
    """
    return (of.max_allocate > 0) & (of.max_allocate < serving * k * unit)


def pod_capacity(serving: IntLike, k: IntLike, unit: IntLike, primary: IntLike, most: IntLike) -> IntLike:
    """Most pods that can have an address: all the ENIs hold or Cilium asks for, less its own two. [pods]

    Parameters
    ----------
    serving : int or ndarray of int
        ENIs that serve pods. [ENIs]
    k : int or ndarray of int
        Secondary IPs or prefixes per ENI. [slots]
    unit : int or ndarray of int
        Addresses of a slot: 16 for a prefix, 1 for a secondary IP. [addresses]
    primary : int
        1 where pods may have the ENIs' own addresses.
    most : int or ndarray of int
        Addresses at which Cilium stops asking. [addresses]

    Notes
    -----
    What max-above-watermark may add beyond max-allocate is not counted.

    Examples
    --------
    >>> pod_capacity(serving=3, k=14, unit=1, primary=0, most=42)
    40
    """
    return larger(smaller(serving * (k * unit + primary), ceil_div(most, unit) * unit) - OWN_ADDRESSES, 0)
