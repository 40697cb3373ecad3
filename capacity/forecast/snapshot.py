"""Snapshots to record, from a plan or from saved output of `aws ec2 describe-subnets`."""

from __future__ import annotations

import json
from datetime import datetime
from ipaddress import IPv4Network
from typing import Any

from capacity.cluster.check import check
from capacity.errors import SpecError, check_kind
from capacity.forecast.history import FillSnapshot, RecordedFill
from capacity.plan.model import RESERVED_BY_AWS, Plan


def snapshot_of_plan(plan: Plan, time: datetime) -> FillSnapshot:
    """Snapshot of the plan's ``steady``: free addresses and /28s, holders of the others, nodes and pods."""
    check_kind("plan", plan, Plan, "a Plan, as returned by read_plan")
    check_kind("time", time, datetime, "a datetime with its time zone")
    state = check(plan, ["steady"]).scenarios[0]
    return FillSnapshot(
        time=time,
        source=plan.file,
        subnets=tuple(
            RecordedFill(
                name=s.subnet.name,
                free=s.free,
                usable=s.subnet.usable,
                free_prefixes=s.free_prefixes,
                holders={holder: n for holder, n in s.used.items() if n},
            )
            for s in state.subnets
        ),
        nodes=sum(g.nodes for g in state.groups),
        pods=sum(c.count * c.pods for g in state.groups for c in g.classes),
    )


def parse_describe_subnets(data: bytes, name: str, time: datetime) -> FillSnapshot | None:
    """Snapshot of saved output of ``describe-subnets``; None if the file is something else.

    The names of subnets are their Name tags if these are unique, otherwise their IDs. The holders of addresses are
    unknown, so there are no holders, nodes or pods.

    Raises
    ------
    SpecError
        The ``Subnets`` list does not have the format of EC2.
    """
    try:
        if data.lstrip()[:1] != b"{" or b'"Subnets"' not in data:
            return None
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None  # the plan parser reports what is wrong with it
    if not isinstance(document, dict) or not isinstance(document.get("Subnets"), list):
        return None
    try:
        names = _names(document["Subnets"])
        subnets = tuple(_fill(s, n) for s, n in zip(document["Subnets"], names, strict=True))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise SpecError(f"{name}: Subnets does not have the format of aws ec2 describe-subnets --output json") from None
    if not subnets:
        raise SpecError(f"{name}: no subnet in it")
    return FillSnapshot(time, name, subnets)


def _names(subnets: list[dict[str, Any]]) -> list[str]:
    tags = [{t["Key"]: t["Value"] for t in s.get("Tags") or []}.get("Name", "") for s in subnets]
    unique = all(tags) and len(set(tags)) == len(tags)
    return tags if unique else [s["SubnetId"] for s in subnets]


def _fill(subnet: dict[str, Any], name: str) -> RecordedFill:
    free = subnet["AvailableIpAddressCount"]
    if not isinstance(free, int) or isinstance(free, bool) or free < 0:
        raise ValueError(free)
    return RecordedFill(name, free, IPv4Network(subnet["CidrBlock"]).num_addresses - RESERVED_BY_AWS)
