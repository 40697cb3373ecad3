"""Cilium's ENI mode: its settings in plain numbers.

The names are those of the CiliumNode resource (``spec.ipam``, ``spec.eni``) and of the operator's flags.

Source: cilium/cilium@00137987 pkg/ipam/node.go and pkg/aws/eni/node.go, the function named at each figure;
Documentation/network/concepts/ipam/eni.rst @0e22bde5. ``docs/explanation/cilium-eni.md`` works them by hand.
"""

from __future__ import annotations

from dataclasses import dataclass

AGENT = "cilium"  # its daemonset, on the host's network of every node
PRE_ALLOCATE = 8  # pkg/defaults IPAMPreAllocation; 0 is read as this, getPreAllocate
OWN_ADDRESSES = (
    2  # router (cilium_host) and health endpoint take pool addresses, cilium/cilium#22054; daemon/cmd/ipam.go
)


@dataclass(frozen=True, slots=True)
class CiliumIpam:
    """What the operator is told about the addresses of one node; prefix delegation is the CNI settings' ``prefix``.

    Attributes
    ----------
    pre_allocate, min_allocate : int
        Addresses kept free, and held at least. [addresses]
    max_allocate : int
        Addresses at which it stops asking for more, 0 for what the type's ENIs hold. [addresses]
    max_above_watermark : int
        Asked for on top whenever addresses are short. [addresses]
    first_interface_index : int
        Index of the first ENI that serves pods.
    use_primary_address : bool
        A pod may have an ENI's own address.
    release_excess_ips : bool
        ``--aws-release-excess-ips``: single addresses beyond the watermarks are given back, ENIs never are.
    """

    pre_allocate: int = PRE_ALLOCATE
    min_allocate: int = 0
    max_allocate: int = 0
    max_above_watermark: int = 0
    first_interface_index: int = 0
    use_primary_address: bool = False
    release_excess_ips: bool = False
