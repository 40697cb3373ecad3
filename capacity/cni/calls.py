"""Counts the EC2 calls of the CNI for the address pool of one node.

Pods start and stop one by one, with the pool settled after each: this is the most calls for a number of pods. Pods that
start within one step of the pool manager (5 s) share a call. Failed calls, retries and the calls of the VPC resource
controller for trunk and branch ENIs are not counted.

Source: aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go and pkg/awsutils/awsutils.go, lines at each
figure; ``docs/how-to/choose-warm-targets.md`` has an example worked by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from capacity.units import IntLike

ASSIGN_CALLS = 1  # AssignPrivateIpAddresses: single addresses or prefixes, ipamd.go L1135-1147, L1225-1237
UNASSIGN_CALLS = 1  # UnassignPrivateIpAddresses, one per ENI touched, ipamd.go L933
FREE_ENI_CALLS = 3  # Describe-, Detach- and DeleteNetworkInterface, awsutils.go L1428-1551


@dataclass(frozen=True, slots=True)
class CallCosts:
    """EC2 calls of one step under a cluster's settings. [calls]

    Attributes
    ----------
    launch : int
        Start of the CNI on a new node, without its first addresses.
    new_eni : int
        An additional ENI with its addresses or prefixes, created together.
    trunk : int
        Finding a trunk that the VPC resource controller attached.
    """

    launch: int
    new_eni: int
    trunk: int


def call_costs(*, custom_networking: bool, subnet_discovery: bool) -> CallCosts:
    """The calls for the start on a node, an additional ENI and a trunk.

    Notes
    -----
    Start: DescribeNetworkInterfaces and CreateTags, DescribeSubnets with discovery, and
    ModifyNetworkInterfaceAttribute without custom networking (the first refresh of the security groups).
    Additional ENI: CreateNetworkInterface, DescribeInstances, AttachNetworkInterface,
    ModifyNetworkInterfaceAttribute; DescribeSubnets before creating (not for an ENIConfig's subnet)
    and, with discovery, again at its set-up.
    Trunk: DescribeNetworkInterfaces again, and DescribeSubnets with discovery; it has its tags.

    Source
    ------
    ipamd.go L488, L531, L1296, L1570-1625; awsutils.go L677-703, L978-1048, L1125-1221.

    Examples
    --------
    >>> call_costs(custom_networking=False, subnet_discovery=True)
    CallCosts(launch=4, new_eni=6, trunk=2)
    >>> call_costs(custom_networking=True, subnet_discovery=False)
    CallCosts(launch=2, new_eni=4, trunk=1)
    """
    custom, discovery = int(custom_networking), int(subnet_discovery)
    return CallCosts(launch=2 + discovery + (1 - custom), new_eni=4 + (1 - custom) + discovery, trunk=1 + discovery)


def launch_calls(slots: IntLike, enis: IntLike, idle_primary: int, costs: CallCosts, trunk: int = 0) -> IntLike:
    """Calls until a new node without pods holds its warm addresses. [calls]

    Parameters
    ----------
    slots, enis : int or ndarray of int
        Secondary IPs or prefixes held without pods, and ENIs, the primary included.
    idle_primary : int
        1 if the primary ENI has no pod addresses: its room is never filled.
    trunk : int
        1 if a trunk ENI is attached.

    Examples
    --------
    >>> costs = call_costs(custom_networking=False, subnet_discovery=True)
    >>> launch_calls(slots=9, enis=1, idle_primary=0, costs=costs)  # m5.large, default
    5
    """
    fill_primary = ASSIGN_CALLS * (slots > 0) * (1 - idle_primary)
    return costs.launch + trunk * costs.trunk + fill_primary + (enis - 1) * costs.new_eni


def start_calls(slots: Sequence[int], enis: Sequence[int], costs: CallCosts) -> list[int]:
    """Calls when a pod starts, from 0, 1, … pods. [calls]

    Parameters
    ----------
    slots, enis : sequence of int
        Slots and ENIs held with 0 to n pods.

    Returns
    -------
    list of int
        For the first to the nth pod.

    Notes
    -----
    A new ENI is created with its addresses; otherwise one call adds addresses to an ENI, if any are added.

    Source
    ------
    ipamd.go L968-1009 (one step grows one ENI or creates one), L1050-1101.

    Examples
    --------
    >>> start_calls([9, 18, 18], [1, 2, 2], call_costs(custom_networking=False, subnet_discovery=True))
    [6, 0]
    """
    return [
        (after - before) * costs.new_eni + ASSIGN_CALLS * (more > 0 and after == before)
        for (before, after), more in zip(pairwise(enis), _rises(slots), strict=True)
    ]


def stop_calls(slots: Sequence[int], enis: Sequence[int], *, whole_enis: bool) -> list[int]:
    """Most calls after a pod stops, back to 0, 1, … pods; scattered pods can keep ENIs attached. [calls]

    Parameters
    ----------
    whole_enis : bool
        Single addresses by WARM_ENI_TARGET: they are released with their ENI, never before it.

    Source
    ------
    ipamd.go L2659-2677 (what is too much), L892-941, L1488-1514; data_store.go L1042-1098.

    Examples
    --------
    >>> stop_calls([2, 3, 4], [1, 1, 2], whole_enis=False)
    [1, 4]
    """
    each = 0 if whole_enis else UNASSIGN_CALLS
    return [
        fewer_enis * FREE_ENI_CALLS + each * (fewer_slots > 0)
        for fewer_enis, fewer_slots in zip(_rises(enis), _rises(slots), strict=True)
    ]


def _rises(values: Sequence[int]) -> list[int]:
    return [after - before for before, after in pairwise(values)]
