"""Read the VPC and the subnets from Terraform resources."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from capacity.readers.draft import SubnetDraft, at, unique
from capacity.readers.values import block_of, bool_of, discovery_tags, items, mapping, text_of

if TYPE_CHECKING:
    from capacity.readers.terraform.resource import Resource, Stack


def vpc_resource(stack: Stack, cluster: Resource | None) -> Resource | None:
    """VPC of the cluster; of several the one with the cluster's subnets, else with the most subnets."""
    vpcs = stack.of("aws_vpc", "aws_default_vpc") or stack.of("aws_vpc", managed=False)
    if len(vpcs) < 2:
        return vpcs[0] if vpcs else None
    owners = [vpc_of_resource(stack, s, vpcs) for s in stack.of("aws_subnet", "aws_default_subnet")]
    stated = str(cluster.value("vpc_config", "vpc_id")) if cluster else ""
    ids = [str(i) for i in items(cluster.value("vpc_config", "subnet_ids"))] if cluster else []
    holding = [
        vpc_of_resource(stack, s, vpcs)
        for s in stack.of("aws_subnet", "aws_default_subnet")
        if str(s.value("id")) in ids
    ]

    def weight(vpc: Resource) -> tuple[bool, int, int]:
        return (bool(stated) and stated == str(vpc.value("id")), holding.count(vpc), owners.count(vpc))

    chosen = max(vpcs, key=weight)
    stack.said.say(
        "", f"{len(vpcs)} VPCs: {chosen.address} is used, the subnets of the others are ignored", "vpc.cidrs"
    )
    return chosen


def vpc_of_resource(stack: Stack, subnet: Resource, vpcs: Sequence[Resource]) -> Resource | None:
    stated = subnet.value("vpc_id")
    if stated:
        return next((v for v in vpcs if v.value("id") == stated), None)
    referred = stack.references.to(subnet, "vpc_id", "aws_vpc") or stack.references.to(
        subnet, "vpc_id", "aws_default_vpc"
    )
    if referred:
        return next((v for v in vpcs if v in referred), None)
    same = [v for v in vpcs if v.module == subnet.module]
    return same[0] if len(same) == 1 else None


def vpc_blocks(stack: Stack, vpc: Resource | None) -> tuple[IPv4Network, ...]:
    found = [block_of(vpc.value("cidr_block"))] if vpc else []
    if vpc and vpc.managed and found == [None]:
        stack.said.say(vpc.address, "its block is not known before apply", "vpc.cidrs")
    vpcs = stack.of("aws_vpc", "aws_default_vpc")
    extras = stack.of("aws_vpc_ipv4_cidr_block_association")
    mine = [e for e in extras if vpc is None or vpc_of_resource(stack, e, vpcs) in (vpc, None)]
    found += [block_of(e.value("cidr_block")) for e in mine]
    return tuple(dict.fromkeys(b for b in found if b))


def subnet_drafts(stack: Stack, vpc: Resource | None) -> tuple[SubnetDraft, ...]:
    vpcs = stack.of("aws_vpc", "aws_default_vpc") or stack.of("aws_vpc", managed=False)
    drafts: dict[str, SubnetDraft] = {}
    ids: set[str] = set()
    managed = stack.of("aws_subnet", "aws_default_subnet")
    hints = [r for r in stack.of("aws_subnet", managed=False) if not r.managed]
    elsewhere = [] if vpcs else _of_other_vpcs(stack, [*managed, *hints])
    for resource in (*managed, *hints):
        owner = vpc_of_resource(stack, resource, vpcs)
        if (len(vpcs) > 1 and owner is not None and owner is not vpc) or resource in elsewhere:
            continue
        draft = _subnet(stack, resource, drafts.keys(), ids)
        if draft is not None:
            drafts[draft.name] = draft
            ids |= {draft.id} if draft.id else set()
    return tuple(_with_reservations(stack, drafts).values())


def _with_reservations(stack: Stack, drafts: dict[str, SubnetDraft]) -> dict[str, SubnetDraft]:
    """Subnets with their CIDR reservations; invalid or partly unknown reservations are noted."""
    found: dict[str, list[tuple[IPv4Network, str]]] = {}
    for resource in stack.of("aws_ec2_subnet_cidr_reservation"):
        block, kind = block_of(resource.value("cidr_block")), text_of(resource.value("reservation_type"))
        names = [n for n in stack.subnet_names(resource, "subnet_id") if n in drafts]
        within = drafts[names[0]].cidr if names else None
        path = at("vpc.subnets", names[0]) if names else "vpc.subnets"
        others = found.setdefault(names[0], []) if names else []
        if ":" in str(resource.value("cidr_block")):
            continue  # of IPv6 addresses, which the plan does not count
        if block is None or within is None:
            stack.said.say(resource.address, "its block or its subnet is not known: ignored", path)
        elif kind not in ("prefix", "explicit") or (kind == "prefix" and block.prefixlen > 28):
            stack.said.say(resource.address, f"{block} cannot be a reservation of type {kind}: ignored", path)
        elif not block.subnet_of(within) or any(block.overlaps(other) for other, _ in others):
            stack.said.say(resource.address, f"{block} is not free in {names[0]} ({within}): ignored", path)
        else:
            others.append((block, kind))
    return {
        name: replace(draft, reservations=tuple(sorted(found[name])) if found.get(name) else None)
        for name, draft in drafts.items()
    }


def _of_other_vpcs(stack: Stack, subnets: list[Resource]) -> list[Resource]:
    """If no VPC is in the file: subnets outside the VPC that most subnets refer to."""
    named = [str(s.value("vpc_id")) for s in subnets if s.value("vpc_id")]
    if len(set(named)) < 2:
        return []
    own = [str(s.value("vpc_id")) for s in subnets if s.type == "aws_subnet"]
    chosen = max(dict.fromkeys(named), key=lambda v: (named.count(v), own.count(v)))
    stack.said.say("", f"subnets of {len(set(named))} VPCs: those of {chosen} are used", "vpc.subnets")
    return [s for s in subnets if s.value("vpc_id") and str(s.value("vpc_id")) != chosen]


def _subnet(stack: Stack, resource: Resource, taken: Set[str], ids: Set[str]) -> SubnetDraft | None:
    identity = text_of(resource.value("id"))
    if identity in ids:
        return None
    block = block_of(resource.value("cidr_block"))
    if bool_of(resource.value("ipv6_native")):
        stack.said.say(resource.address, "has only IPv6 addresses: ignored")
        return None
    tags = mapping(resource.value("tags")) or mapping(resource.value("tags_all"))
    name = unique(text_of(tags.get("Name")) or resource.address.replace("aws_subnet.", ""), taken)
    stack.subnets[resource.address] = name
    if identity:
        stack.ids[identity] = name
    path = at("vpc.subnets", name)
    if block is None:
        stack.said.say(resource.address, "its block is not known before apply", f"{path}.cidr")
    real = (
        identity if identity and identity.startswith("subnet-") else None
    )  # .tf text has resource addresses instead of IDs
    return SubnetDraft(name, text_of(resource.value("availability_zone")), block, tags=discovery_tags(tags), id=real)
