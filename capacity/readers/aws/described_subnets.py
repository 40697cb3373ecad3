"""Read saved output of `aws ec2 describe-subnets`: the free addresses of subnets as AWS counts them."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from typing import Any

from capacity.advice.pod_room import RunningSubnet
from capacity.errors import SpecError
from capacity.plan.model import RESERVED_BY_AWS
from capacity.plan.subnet_tags import ROLE_TAG
from capacity.readers.aws.addresses import subnet_names
from capacity.readers.decode import file_name, read_data
from capacity.readers.values import count, objects, tags, text

_CALL = "aws ec2 describe-subnets --output json"


def read_described_subnets(path: str) -> tuple[tuple[RunningSubnet, bool], ...]:
    """IPv4 subnets of one VPC with their free addresses, and whether a tag opens each to pods of other subnets.

    Raises
    ------
    SpecError
        Not what the call prints, or subnets of several VPCs, whose addresses could be the same.
    """
    name = file_name(path)
    try:
        document: Any = json.loads(read_data(path))
    except (ValueError, RecursionError) as error:
        raise SpecError(f"{name}: not JSON (expected the output of {_CALL})") from error
    if not isinstance(document, dict) or "Subnets" not in document:
        raise SpecError(f"{name}: has no Subnets (expected the output of {_CALL})")
    listed = objects(document, "Subnets", name)
    vpcs = sorted({text(s, "VpcId") for s in listed if text(s, "VpcId")})
    if len(vpcs) > 1:
        raise SpecError(
            f"{name}: subnets of {len(vpcs)} VPCs ({', '.join(vpcs[:3])}): add --filters Name=vpc-id,Values="
        )
    names = subnet_names(listed)
    found = []
    for item in listed:
        ident, free = text(item, "SubnetId"), count(item, "AvailableIpAddressCount")
        if not text(item, "CidrBlock"):
            continue  # IPv6 only
        try:
            cidr = IPv4Network(text(item, "CidrBlock"))
        except ValueError as error:
            raise SpecError(
                f"{name}: {ident or 'a subnet'}: {text(item, 'CidrBlock')!r} is not an IPv4 block"
            ) from error
        if not ident or free is None:
            raise SpecError(f"{name}: {ident or cidr}: no SubnetId or AvailableIpAddressCount (expected {_CALL})")
        usable = cidr.num_addresses - RESERVED_BY_AWS
        subnet = RunningSubnet(ident, names[ident], text(item, "AvailabilityZone"), str(cidr), usable, free)
        found.append((subnet, tags(item).get(ROLE_TAG) == "1"))
    if not found:
        raise SpecError(f"{name}: no IPv4 subnet in it")
    return tuple(found)
