"""Reads the plan's VPC: its blocks, subnets and CIDR reservations."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from ipaddress import IPv4Network
from typing import NamedTuple

from capacity.plan import keys
from capacity.plan.fields import PRIVATE, Field, items
from capacity.plan.model import Reservation, Subnet
from capacity.plan.reading import Names, Problems, read_block, read_keys, refuse_overlaps
from capacity.plan.sections import PlanSection, kind_of
from capacity.plan.seen import Seen
from capacity.plan.subnet_tags import ROLE_TAG, read_tags


class Vpc(NamedTuple):
    """The blocks and the AWS ID of the plan's VPC."""

    blocks: tuple[IPv4Network, ...]
    id: str | None


def read_vpc(section: Field, subnets: Names, seen: Seen) -> Vpc:
    """Read the blocks of the VPC and its ID; its subnets go to ``subnets``.

    Raises
    ------
    SpecError
        Every problem of blocks and subnets.
    """
    values = read_keys(section, keys.VPC, {"cidrs": _blocks, "subnets": lambda field: field})
    problems = values.problems
    blocks: tuple[IPv4Network, ...] = ()
    with problems:
        blocks = values["cidrs"]
    with problems:
        entries: Field = values["subnets"]
        within = seen.context("subnets", *blocks)
        subnets.read(entries, lambda entry: seen.entry(entry, within, partial(_subnet, entry, blocks)), problems)
        if subnets.complete and not subnets.found:
            entries.fail("is empty (expected at least one subnet)")
        if isinstance(entries.value, list):
            refuse_overlaps(_placed(entries, subnets), problems)
    problems.check()
    return Vpc(blocks, values["id"])


def _placed(entries: Field, subnets: Names) -> Iterator[tuple[IPv4Network, Field]]:
    """The block of every subnet read so far, with its place."""
    left = dict(subnets.found)
    for entry in entries.items() if left else ():
        subnet = left.pop(str(entry.value.get("name")), None) if isinstance(entry.value, PlanSection) else None
        if subnet is not None:
            yield subnet.cidr, entry.child("cidr")


def _blocks(section: Field) -> tuple[IPv4Network, ...]:
    problems = Problems()
    placed: list[tuple[IPv4Network, Field]] = []
    for entry in problems.over(section.items()):
        with problems:
            placed.append((read_block(entry, keys.VPC["cidrs"], PRIVATE), entry))
    refuse_overlaps(placed, problems)
    problems.check()
    if not placed:
        section.fail("is empty (expected the VPC's blocks)")
    return tuple(block for block, _ in placed)


def _subnet(entry: Field, blocks: tuple[IPv4Network, ...]) -> Subnet:
    own = {
        "cidr": lambda field: _cidr(field, blocks),
        "used": lambda field: field,  # limited by the subnet's size
        "reservations": lambda field: field,
        "tags": read_discovery_tags,
    }
    values = read_keys(entry, keys.SUBNET, own)
    used = values.get("used", 0)
    with values.problems:
        if isinstance(used, Field):
            used = used.integer(0, values["cidr"].num_addresses - 5)
    with values.problems:
        values["reservations"] = _reservations(entry.get("reservations"), values["cidr"])
    values.problems.check()
    discovery, clusters = values["tags"] or (None, ())
    return Subnet(
        name=values["name"],
        zone=values["zone"],
        cidr=values["cidr"],
        used=used,
        reservations=values["reservations"],
        discovery=discovery,
        clusters=clusters,
        where=entry.where,
        id=values["id"],
    )


def _cidr(field: Field, blocks: tuple[IPv4Network, ...]) -> IPv4Network:
    cidr = read_block(field, keys.SUBNET["cidr"], blocks or PRIVATE)
    if blocks and not any(cidr.subnet_of(b) for b in blocks):
        field.fail(f"{cidr} is outside the VPC ({', '.join(map(str, blocks[:5]))})")
    return cidr


def _reservations(section: Field | None, subnet: IPv4Network) -> tuple[Reservation, ...]:
    problems = Problems()
    placed: list[tuple[IPv4Network, Field]] = []
    found: list[Reservation] = []
    for entry in problems.over(items(section)):
        with problems:
            found.append(_reservation(entry, subnet))
            placed.append((found[-1].cidr, entry.child("cidr")))
    refuse_overlaps(placed, problems)
    problems.check()
    return tuple(found)


def _reservation(entry: Field, subnet: IPv4Network) -> Reservation:
    key = keys.RESERVATION["cidr"]
    values = read_keys(entry, keys.RESERVATION, {"cidr": lambda field: read_block(field, key, (subnet,))})
    with values.problems:
        cidr = values["cidr"]
        if not cidr.subnet_of(subnet):
            entry.child("cidr").fail(f"{cidr} is outside its subnet {subnet}")
        if values["type"] == "prefix" and cidr.prefixlen > 28:
            entry.child("cidr").fail(f"{cidr} contains no /28 (a reservation of type prefix must be /28 or larger)")
    values.problems.check()
    return Reservation(values["cidr"], values["type"])


def read_discovery_tags(section: Field) -> tuple[bool | None, tuple[str, ...]]:
    """Read the tags of a subnet that affect subnet discovery; other tags are ignored."""
    if not isinstance(section.value, PlanSection):
        section.fail(f"expected a mapping of the subnet's tags, found {kind_of(section.value)}")
    problems = Problems()
    for tag in problems.over(map(section.child, section.value)):
        if isinstance(tag.value, (PlanSection, list)):
            with problems:
                tag.fail(f"expected a tag value as text, found {kind_of(tag.value)}")
    role = section.get(ROLE_TAG)
    if role and not problems.failed:
        with problems:
            role.one_of(("1", "0"))
    problems.check()
    return read_tags(section.value)
