"""Counts EC2 calls by API when nodes start, for the throttling bucket of each API.

EC2 throttles each API separately, so the sum of :mod:`capacity.cni.calls` says little about throttling. This module has
the same calls by name; a test checks that both agree.

Source: aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go L458-672, L1570-1625, pkg/awsutils/awsutils.go L978-1221.
"""

from __future__ import annotations

from collections import Counter

DESCRIBE_ENIS, CREATE_TAGS, DESCRIBE_SUBNETS = "DescribeNetworkInterfaces", "CreateTags", "DescribeSubnets"
MODIFY_ENI, ASSIGN = "ModifyNetworkInterfaceAttribute", "AssignPrivateIpAddresses"
CREATE_ENI, ATTACH_ENI, DESCRIBE_INSTANCES = "CreateNetworkInterface", "AttachNetworkInterface", "DescribeInstances"
ASSIGN_IPV6 = "AssignIpv6Addresses"


def node_start_calls(
    enis: int,
    slots: int,
    *,
    custom_networking: bool = False,
    subnet_discovery: bool = True,
    ipv6: bool = False,
    trunk: int = 0,
) -> Counter[str]:
    """The fewest calls, by API, from a new node to one with the given slots and ENIs. [calls]

    Parameters
    ----------
    enis : int
        Interfaces at the end, including the primary but not trunks. [ENIs]
    slots : int
        Secondary addresses or prefixes at the end.
    trunk : int
        1 if the VPC resource controller attaches a trunk. [ENIs]

    Notes
    -----
    Start: one look at the interfaces and, per interface found, its tags, its subnet (with discovery) and its security
    groups (not with custom networking); one call fills the primary. Each additional interface is created with its
    addresses: create, look up the instance, attach, modify, and its subnets. Pods that start one by one can need more
    AssignPrivateIpAddresses. A trunk adds one more look at the interfaces and, with discovery, at its subnet.
    IPv6: one prefix per interface and no pool.

    Examples
    --------
    >>> node_start_calls(enis=2, slots=18)["CreateNetworkInterface"], sum(node_start_calls(2, 18).values())
    (1, 11)
    """
    calls: Counter[str] = Counter({DESCRIBE_ENIS: 1, CREATE_TAGS: 1})
    calls[DESCRIBE_SUBNETS] += subnet_discovery
    calls[MODIFY_ENI] += not custom_networking
    if ipv6:
        calls[DESCRIBE_ENIS] += enis
        calls[ASSIGN_IPV6] += enis
        return +calls
    calls[DESCRIBE_ENIS] += trunk
    calls[DESCRIBE_SUBNETS] += trunk * subnet_discovery
    calls[ASSIGN] += slots > 0 and not custom_networking
    more = enis - 1
    for api in (CREATE_ENI, DESCRIBE_INSTANCES, ATTACH_ENI, MODIFY_ENI):
        calls[api] += more
    calls[DESCRIBE_SUBNETS] += more * ((not custom_networking) + subnet_discovery)
    return +calls
