"""Every address of a subnet accounted for, free /28s included."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.readers.aws.addresses import SubnetAccount, free_blocks, parse_subnets, reserved_unused
from capacity.readers.aws.answers import AwsAnswers
from capacity.readers.aws.owners import parse_interfaces
from capacity.vpc.blocks import kept_by_aws
from tests.unit.readers.test_aws_owners import attached, eni

CLUSTER = {"name": "shop", "resourcesVpcConfig": {"vpcId": "vpc-1"}}


def subnet(free: Any, ident: str = "subnet-1", cidr: str = "10.0.0.0/24", **fields: Any) -> dict[str, Any]:
    return {
        "SubnetId": ident,
        "VpcId": "vpc-1",
        "CidrBlock": cidr,
        "AvailabilityZone": "us-east-1a",
        "AvailableIpAddressCount": free,
    } | fields


def account(
    item: dict[str, Any], *enis: dict[str, Any], reservations: tuple[dict[str, Any], ...] = ()
) -> SubnetAccount:
    answers = AwsAnswers(items={"subnets": (item,), "interfaces": enis, "reservations": reservations})
    (found,) = parse_subnets(answers, parse_interfaces(answers), CLUSTER)
    return found


PREFIXES = eni(2, Ipv4Prefixes=[{"Ipv4Prefix": "10.0.0.128/28"}], **attached("i-0a", 1))


def test_aws_count_is_reproduced() -> None:
    found = account(subnet(233), eni(1), PREFIXES)  # 251 - 1 - (1 + 16)
    assert (found.usable, found.held, found.expected_free, found.difference) == (251, 18, 233, 0)
    assert found.note(interfaces_known=True) is None
    assert found.free_blocks == 13  # 16 less the first (with .10 and .11), the last, and .128/28


def test_a_difference_is_named() -> None:
    missing = account(subnet(230), eni(1), PREFIXES)
    assert missing.difference == 3
    assert missing.taken == 21
    assert "3 addresses are in use that no listed interface holds" in (missing.note(interfaces_known=True) or "")
    assert missing.note(interfaces_known=False) is None  # nothing was listed at all: another note says so
    more = account(subnet(240), eni(1), PREFIXES)
    assert more.difference == -7
    assert "hold 7 addresses more than AWS counts" in (more.note(interfaces_known=True) or "")


def test_more_free_than_the_block_has() -> None:
    found = account(subnet(4091))
    assert "AWS reports 4091 free, more than the 251" in (found.note(interfaces_known=True) or "")
    assert (found.difference, found.taken) == (0, 0)  # what cannot be is not booked


def test_an_unknown_count_is_no_difference() -> None:
    found = account(subnet(None), eni(1))
    assert (found.reported_free, found.difference) == (None, 0)


def test_reservations_that_aws_counts_as_taken_explain_themselves() -> None:
    reserved = {
        "SubnetCidrReservationId": "scr-1",
        "SubnetId": "subnet-1",
        "Cidr": "10.0.0.128/26",
        "ReservationType": "prefix",
    }
    found = account(subnet(185), eni(1), PREFIXES, reservations=(reserved,))  # 233 - (64 - 16 in use)
    assert found.reserved_unused == 48
    assert found.counts_reservations
    assert (found.difference, found.taken, found.open_free) == (0, 18, 185)
    assert (found.reserved_prefixes, found.reserved_kept) == (3, 0)
    assert found.reservations == ((IPv4Network("10.0.0.128/26"), "prefix"),)


RESERVED = {
    "SubnetCidrReservationId": "scr-2",
    "SubnetId": "subnet-1",
    "Cidr": "10.0.0.192/26",  # with .255, which AWS keeps: 63 usable, three blocks
    "ReservationType": "prefix",
}


@pytest.mark.parametrize("reported", [187, 186, 185 + 2, 250, 200])
def test_a_reservation_is_not_used_space(reported: int) -> None:
    """251 - 1 held - 63 reserved = 187; with AWS's own address 186; up to 250 where the count includes them."""
    found = account(subnet(reported), eni(1), reservations=(RESERVED,))
    assert (found.reserved_unused, found.reserved_prefixes, found.reserved_kept) == (63, 3, 1)
    assert (found.difference, found.taken, found.open_free) == (0, 1, 187)
    assert found.note(interfaces_known=True) is None
    assert found.counts_reservations == (reported < 250)


@pytest.mark.parametrize(("reported", "difference"), [(185, 2), (100, 87), (251, -1)])
def test_what_a_reservation_does_not_explain_is_named(reported: int, difference: int) -> None:
    found = account(subnet(reported), eni(1), reservations=(RESERVED,))
    assert found.difference == difference
    assert found.taken == 1 + max(difference, 0)  # the list is evidence: never less than what it holds
    assert "63 reserved and unused" in (found.note(interfaces_known=True) or "")


def test_reservations_without_the_interfaces_are_an_assumption() -> None:
    found = account(subnet(180), reservations=(RESERVED,))
    assert (found.taken, found.open_free) == (8, 180)  # 251 - 63 - 180
    assert "assumed unused" in (found.note(interfaces_known=False) or "")


def test_names_are_the_tags_where_they_tell_apart() -> None:
    def named(name: str) -> list[dict[str, str]]:
        return [{"Key": "Name", "Value": name}]

    answers = AwsAnswers(
        items={
            "subnets": (
                subnet(1, "subnet-1", "10.0.0.0/28", Tags=named("a")),
                subnet(1, "subnet-2", "10.0.0.16/28", Tags=named("twin")),
                subnet(1, "subnet-3", "10.0.0.32/28", Tags=named("twin")),
                subnet(1, "subnet-4", "10.0.0.48/28", Tags=named("\x1b[31mred")),
                subnet(1, "subnet-5", "10.0.0.64/28", VpcId="vpc-2", Tags=named("elsewhere")),
            )
        }
    )
    found = parse_subnets(answers, (), CLUSTER)
    assert [a.name for a in found] == ["a", "subnet-2", "subnet-3", "subnet-4"]


@given(
    st.integers(20, 28).map(lambda n: IPv4Network(f"10.0.0.0/{n}")),
    st.lists(st.integers(0, 4095), max_size=40),
    st.lists(st.integers(0, 255), max_size=10),
)
def test_free_blocks_against_a_plain_count(cidr: IPv4Network, singles: list[int], prefixes: list[int]) -> None:
    first, size = int(cidr.network_address), cidr.num_addresses
    spans = [(first + s % size, first + s % size) for s in singles]
    spans += [(first + 16 * (p % (size // 16)), first + 16 * (p % (size // 16)) + 15) for p in prefixes]
    taken = set(kept_by_aws(cidr)) | {a for low, high in spans for a in range(low, high + 1)}
    plain = sum(all(first + 16 * b + i not in taken for i in range(16)) for b in range(size // 16))
    assert free_blocks(cidr, (), spans) == plain


@pytest.mark.parametrize(("kind", "blocks"), [("prefix", 14), ("explicit", 10)])
def test_only_explicit_reservations_are_closed_to_prefixes(kind: str, blocks: int) -> None:
    cidr, reserved = IPv4Network("10.0.0.0/24"), [(IPv4Network("10.0.0.128/26"), kind)]
    assert free_blocks(cidr, reserved, ()) == blocks
    assert reserved_unused(cidr, reserved, ()) == 64
