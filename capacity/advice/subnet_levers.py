"""Levers that bring more addresses: subnets in free space of the VPC, or of a further block."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from fractions import Fraction
from ipaddress import IPv4Network
from math import ceil

from capacity.advice.lever import GUIDE, Lever, env, own_cni
from capacity.advice.snippets import eni_config, reserved_enis_snippet
from capacity.advice.subnet_snippets import tagged_subnets
from capacity.cluster.check import CheckResult
from capacity.spec.discovery import ROLE_TAG, places_by_tag
from capacity.spec.plan import RESERVED_BY_AWS, Plan
from capacity.vpc.cidr_rules import proposals
from capacity.vpc.layout import first_free

POD_SUBNETS = 4  # a /16 is cut into so many pod subnets, one per zone
SIZES = (26, 25, 24, 23, 22, 21, 20, 19, 18)


def larger_subnets(result: CheckResult) -> Iterator[Lever]:
    """A further subnet for nodes in each zone that is not ok, in free space of the VPC: a subnet cannot be resized."""
    plan = result.plan
    needed: dict[str, int] = {}
    used = {n for g in plan.node_groups for n in (g.pod_subnets or g.subnets)}
    for scenario in result.scenarios:
        for state in scenario.subnets:
            if state.subnet.name in used and state.verdict != "ok":
                lack = max(state.used_highest, state.used_total) - state.subnet.usable
                lack = max(lack, ceil(plan.checks.min_free * state.subnet.usable) - state.free, 1)
                needed[state.subnet.zone] = max(needed.get(state.subnet.zone, 0), lack + state.used_total)
    busy = [s.cidr for s in plan.subnets]
    taken = {s.name for s in plan.subnets}
    added: dict[str, tuple[str, IPv4Network]] = {}
    for zone, addresses in needed.items():
        share = 1 - plan.checks.min_free
        length = next((n for n in SIZES if (2 ** (32 - n) - 5) * share >= addresses), SIZES[-1])
        block = first_free(length, plan.vpc_cidrs, busy)
        if block is None:
            return
        busy.append(block)
        added[zone] = (_free_name(f"more-{zone}", taken), block)
    if not added:
        return
    patch: dict[str, object] = {
        "vpc.subnets[+]": [{"name": n, "zone": z, "cidr": str(b)} for z, (n, b) in added.items()]
    }
    for group in plan.node_groups:
        key, names = ("podSubnets", group.pod_subnets) if group.pod_subnets else ("subnets", group.subnets)
        kept = [n for n in names if plan.subnet(n).zone not in added]
        mine = dict.fromkeys(plan.subnet(n).zone for n in names)
        new = [added[z][0] for z in mine if z in added]
        if new:
            patch[f"nodeGroups[{group.name}].{key}"] = [*kept, *new]
    blocks = ", ".join(f"{b} in {z}" for z, (_, b) in added.items())
    yield Lever(
        name="larger-subnets",
        summary=f"move the nodes to larger subnets in free space of the VPC: {blocks}",
        patch=patch,
        cost="takes address space of the VPC; nodes are replaced to move; route tables and tags to be set",
        source=f"{GUIDE}/ip-optimization-strategies.adoc L26, L48",
        commands=tuple(
            f"aws ec2 create-subnet --vpc-id VPC --availability-zone {shlex.quote(z)} --cidr-block {b}"
            for z, (_, b) in added.items()
        ),
    )


def subnet_discovery(result: CheckResult) -> Iterator[Lever]:
    """A further subnet for pods in each zone that is not ok, tagged so that the CNI finds it; nodes stay.

    In free space of the VPC, or else in a further block of 100.64.0.0/10.
    """
    plan = result.plan
    if not places_by_tag(plan.cni):
        return
    needed = {zone: n for zone in _zones_of_own(plan) if (n := _missing_in(result, zone))}
    busy, taken = [s.cidr for s in plan.subnets], {s.name for s in plan.subnets}
    added: dict[str, tuple[str, IPv4Network]] = {}
    blocks = list(plan.vpc_cidrs)
    for zone, addresses in needed.items():
        length = next((n for n in SIZES if 2 ** (32 - n) - RESERVED_BY_AWS >= addresses), SIZES[-1])
        block = first_free(length, blocks, busy)
        if block is None and (more := next(iter(proposals(blocks)), None)) is not None:
            blocks.append(more)
            block = first_free(length, [more], busy)
        if block is None:
            return
        busy.append(block)
        added[zone] = (_free_name(f"pods-{zone}", taken), block)
    if not added:
        return
    joined = blocks[len(plan.vpc_cidrs) :]
    patch: dict[str, object] = {"vpc.cidrs[+]": [str(b) for b in joined]} if joined else {}
    patch["vpc.subnets[+]"] = [
        {"name": n, "zone": z, "cidr": str(b), "tags": {ROLE_TAG: "1"}} for z, (n, b) in added.items()
    ]
    where = ", ".join(f"{b} in {z}" for z, (_, b) in added.items())
    yield Lever(
        name="subnet-discovery",
        summary=f"add subnets for pods that the CNI finds by their tag {ROLE_TAG}=1: {where}",
        patch=patch,
        cost="only new ENIs go there: nodes that run keep theirs; route tables and network ACLs to be set",
        source=f"{GUIDE}/ip-optimization-strategies.adoc L69-81",
        commands=tagged_subnets([(n, z, b) for z, (n, b) in added.items()], joined),
    )


def _zones_of_own(plan: Plan) -> list[str]:
    """Zones with nodes whose addresses the VPC CNI's settings decide."""
    return list(dict.fromkeys(plan.subnet(n).zone for g in own_cni(plan) for n in g.subnets))


def _missing_in(result: CheckResult, zone: str) -> int:
    """Addresses that a further subnet of a zone should have for its others to be ok; 0 where they are. [addresses]

    ENIs go to the emptiest subnet until all are equally empty, so that a subnet takes half of what it has more than
    the others: twice what is missing. An ENI more for the bound, which is one above.
    """
    plan = result.plan
    used = {n for g in own_cni(plan) for n in g.subnets if plan.subnet(n).zone == zone}
    most = 0
    for scenario in result.scenarios:
        for state in scenario.subnets:
            if state.subnet.name in used and state.verdict != "ok":
                usable = state.subnet.usable
                kept = ceil(plan.checks.min_free * usable)
                lack = max(kept - state.free, state.used_highest - usable, 1)
                most = max(most, 2 * lack + max(state.free, 0))
    eni = max((s.largest_eni for s in result.shapes if s.group in own_cni(plan)), default=0)
    return most and ceil((most + 2 * eni) / (1 - min(plan.checks.min_free, Fraction(9, 10))))


def custom_networking(plan: Plan) -> Iterator[Lever]:
    """Pods on subnets of a secondary block of 100.64.0.0/10, one per zone of the groups."""
    settings = plan.cni.settings
    zones = list(dict.fromkeys(plan.subnet(n).zone for g in own_cni(plan) for n in g.subnets))
    windows = any(g.windows for g in plan.node_groups)
    if settings.custom_networking or settings.ipv6 or windows or not zones or len(zones) > POD_SUBNETS:
        return
    block = next(iter(proposals(plan.vpc_cidrs)), None)
    if block is None:
        return
    pieces = dict(zip(zones, block.subnets(prefixlen_diff=POD_SUBNETS.bit_length() - 1), strict=False))
    taken = {s.name for s in plan.subnets}
    names = {zone: _free_name(f"pods-{zone}", taken) for zone in zones}
    patch, commands = env(plan, {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"})
    patch["vpc.cidrs[+]"] = [str(block)]
    patch["vpc.subnets[+]"] = [{"name": names[z], "zone": z, "cidr": str(pieces[z])} for z in zones]
    for group in own_cni(plan):
        mine = dict.fromkeys(plan.subnet(n).zone for n in group.subnets)
        patch[f"nodeGroups[{group.name}].podSubnets"] = [names[z] for z in mine]
        if group.provisioner == "karpenter":
            patch[f"nodeGroups[{group.name}].reservedEnis"] = max(group.reserved_enis, 1)
    yield Lever(
        name="custom-networking",
        summary=f"put pods on subnets of {block}, one per zone, by custom networking",
        patch=patch,
        cost="the primary ENI serves no pods: lower max pods; new nodes beside the old; an ENIConfig per zone",
        source=f"{GUIDE}/custom-networking.adoc L29-130",
        commands=(
            f"aws ec2 associate-vpc-cidr-block --vpc-id VPC --cidr-block {block}",
            *commands,
            *(eni_config(z, names[z]) for z in zones),
            *reserved_enis_snippet(plan),
        ),
    )


def _free_name(wanted: str, taken: set[str]) -> str:
    """The name, or with a number where a subnet has it already."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}-{number}", number + 1
    taken.add(name)
    return name
