"""Read the VPC and the subnets from Terraform resources."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from capacity.errors import SpecError, did_you_mean
from capacity.plan.model import RESERVED_BY_AWS
from capacity.readers.draft import SubnetDraft, at, unique
from capacity.readers.values import block_of, bool_of, discovery_tags, int_of, items, mapping, prefix_of, text_of
from capacity.units import counted

if TYPE_CHECKING:
    from capacity.readers.terraform.resource import Resource, Stack


def vpc_resource(stack: Stack, cluster: Resource | None, wanted: str | None = None) -> Resource | None:
    """VPC of the cluster; of several ``wanted``, else the one with the cluster's subnets, else with the most subnets.

    Raises
    ------
    SpecError
        No VPC has the ID, name or address ``wanted``.
    """
    vpcs = stack.of("aws_vpc", "aws_default_vpc") or stack.of("aws_vpc", managed=False)
    if wanted is not None:
        return _wanted(vpcs, wanted)
    if len(vpcs) < 2:
        return vpcs[0] if vpcs else None
    subnets = stack.of("aws_subnet", "aws_default_subnet")
    owners = [vpc_of_resource(stack, s, vpcs) for s in subnets]
    stated = str(cluster.value("vpc_config", "vpc_id")) if cluster else ""
    ids = [str(i) for i in items(cluster.value("vpc_config", "subnet_ids"))] if cluster else []
    referred = {
        r.address for k in ("aws_subnet", "aws_default_subnet")
        for r in (stack.references.to(cluster, "vpc_config.subnet_ids", k) if cluster else [])
    }  # fmt: skip
    mine = [s for s in subnets if str(s.value("id")) in ids or s.address in referred]
    holding = [vpc_of_resource(stack, s, vpcs) for s in mine]

    def weight(vpc: Resource) -> tuple[bool, int, int]:
        return (bool(stated) and stated == str(vpc.value("id")), holding.count(vpc), owners.count(vpc))

    chosen = max(vpcs, key=weight)
    others = ", ".join(v.address for v in vpcs if v is not chosen)
    text = f"{len(vpcs)} VPCs: {chosen.address} is used, the subnets of {others} are ignored (--vpc chooses)"
    stack.said.say("", text, "vpc.cidrs")
    unplaced = [s.address for s, owner in zip(subnets, owners, strict=True) if owner is None]
    if unplaced:
        stack.said.say("", f"their VPC is not known: {', '.join(unplaced[:4])}: used as subnets of {chosen.address}")
    return chosen


def _wanted(vpcs: Sequence[Resource], wanted: str) -> Resource:
    for vpc in vpcs:
        name = text_of(mapping(vpc.value("tags")).get("Name"))
        if wanted in (vpc.value("id"), name, vpc.address):
            return vpc
    known = [str(n) for v in vpcs for n in (v.value("id"), mapping(v.value("tags")).get("Name"), v.address) if n]
    found = f"found {', '.join(v.address for v in vpcs)}" if vpcs else "there is none"
    raise SpecError(f"--vpc {wanted!r}: no VPC with this ID, name or address{did_you_mean(wanted, known)} ({found})")


def vpc_of_resource(stack: Stack, subnet: Resource, vpcs: Sequence[Resource]) -> Resource | None:
    """VPC of a subnet or block: by ID, through the configuration, in the same module, or by its block."""
    stated = subnet.value("vpc_id")
    if stated:
        return next((v for v in vpcs if v.value("id") == stated), None)
    referred = stack.references.to(subnet, "vpc_id", "aws_vpc") or stack.references.to(
        subnet, "vpc_id", "aws_default_vpc"
    )
    if referred:
        return next((v for v in vpcs if v in referred), None)
    same = [v for v in vpcs if v.module == subnet.module]
    if len(same) == 1:
        return same[0]
    block = block_of(subnet.value("cidr_block"))
    around = [v for v in vpcs if block and any(block.subnet_of(b) for b in _own_blocks(v))]
    return around[0] if len(around) == 1 else None


def _own_blocks(vpc: Resource) -> list[IPv4Network]:
    """Blocks of a VPC in its own attributes: the primary one, and the associated ones of a data source."""
    more = [mapping(a) for a in items(vpc.value("cidr_block_associations"))]
    associated = [a.get("cidr_block") for a in more if a.get("state") in (None, "", "associated")]
    found = [block_of(text) for text in (vpc.value("cidr_block"), *associated)]
    return list(dict.fromkeys(b for b in found if b))


def vpc_blocks(stack: Stack, vpc: Resource | None) -> tuple[IPv4Network, ...]:
    found = _own_blocks(vpc) if vpc else []
    if vpc and vpc.managed and not found:
        stack.said.say(vpc.address, "its block is not known before apply", "vpc.cidrs")
    more = [block_of(e.value("cidr_block")) for e in _associations(stack, vpc)]
    return tuple(dict.fromkeys([*found, *(b for b in more if b)]))


def _associations(stack: Stack, vpc: Resource | None) -> list[Resource]:
    """Associations of more blocks with the VPC."""
    vpcs = stack.of("aws_vpc", "aws_default_vpc")
    extras = stack.of("aws_vpc_ipv4_cidr_block_association")
    return [e for e in extras if vpc is None or vpc_of_resource(stack, e, vpcs) in (vpc, None)]


def vpc_prefixes(stack: Stack, vpc: Resource | None, blocks: Sequence[IPv4Network]) -> tuple[int, ...]:
    """Prefix lengths of blocks of IPAM pools, if no block of the VPC is known; otherwise they are noted."""
    found = []
    for resource in (*([vpc] if vpc else []), *_associations(stack, vpc)):
        size = prefix_of(resource.value("ipv4_netmask_length"))
        if size is None or block_of(resource.value("cidr_block")):
            continue
        if blocks:
            text = f"a /{size} of an IPAM pool, not known before apply: not in the plan"
            stack.said.leave_out(resource.address, text, "vpc.cidrs")
        found.append(size)
    return () if blocks else tuple(found)


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
    _say_taken(stack, resource, block, path)
    real = (
        identity if identity and identity.startswith("subnet-") else None
    )  # .tf text has resource addresses instead of IDs
    zone, size = text_of(resource.value("availability_zone")), prefix_of(resource.value("ipv4_netmask_length"))
    return SubnetDraft(name, zone, block, tags=discovery_tags(tags), id=real, prefix=size)


def _say_taken(stack: Stack, resource: Resource, block: IPv4Network | None, path: str) -> None:
    """Note the addresses that were in use when a data source was read: nodes and pods are among them, so they are not
    counted.
    """
    free = int_of(resource.value("available_ip_address_count"))
    if block is not None and free is not None and (taken := block.num_addresses - RESERVED_BY_AWS - free) > 0:
        text = f"{counted(taken, 'address was', 'addresses were')} taken when this was read: not booked, because nodes "
        stack.said.say(resource.address, text + "and pods can hold them (capacity import aws books the others)", path)
