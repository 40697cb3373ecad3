"""Settings of Cilium's ENI mode as numbers.

The names are from the CiliumNode resource (``spec.ipam``, ``spec.eni``) and the operator's flags.

Source: cilium/cilium@00137987 pkg/ipam/node.go and pkg/aws/eni/node.go, in the function named next to each figure;
Documentation/network/concepts/ipam/eni.rst @0e22bde5. ``docs/explanation/cilium-eni.md`` has them worked by hand.
"""

from __future__ import annotations

from dataclasses import dataclass

from capacity.errors import check_count, check_switch

AGENT = "cilium"  # its DaemonSet, host-network on every node
PRE_ALLOCATE = 8  # pkg/defaults IPAMPreAllocation; 0 is read as this, getPreAllocate
# The router (cilium_host) and the health endpoint use pool addresses: cilium/cilium#22054; daemon/cmd/ipam.go
OWN_ADDRESSES = 2


@dataclass(frozen=True, slots=True)
class CiliumIpam:
    """The operator's settings for the addresses of one node; prefix delegation is ``prefix`` of the CNI settings.

    Attributes
    ----------
    pre_allocate, min_allocate : int
        Addresses to keep free, and the minimum to hold. [addresses]
    max_allocate : int
        Most addresses to hold; 0 for the limit of the type's ENIs. [addresses]
    max_above_watermark : int
        Additional addresses requested when too few are free. [addresses]
    first_interface_index : int
        Index of the first ENI with pod addresses.
    use_primary_address : bool
        A pod can use an ENI's primary address.
    release_excess_ips : bool
        ``--aws-release-excess-ips``: single addresses above the watermarks are released, ENIs never are.
    """

    pre_allocate: int = PRE_ALLOCATE
    min_allocate: int = 0
    max_allocate: int = 0
    max_above_watermark: int = 0
    first_interface_index: int = 0
    use_primary_address: bool = False
    release_excess_ips: bool = False

    def __post_init__(self) -> None:
        for name in ("pre_allocate", "min_allocate", "max_allocate", "max_above_watermark", "first_interface_index"):
            check_count(name, getattr(self, name))
        for name in ("use_primary_address", "release_excess_ips"):
            check_switch(name, getattr(self, name))
