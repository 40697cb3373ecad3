"""Which plans share subnets, and what they disagree about."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from capacity.fleet.plan_facts import NetworkSubnet, PlanFacts
from capacity.fleet.shared import find_sharing


def subnet(
    cidr: str, zone: str = "z1", ident: str | None = None, used: int = 0, kept: str = "", name: str = ""
) -> NetworkSubnet:
    return NetworkSubnet(name or cidr, ident, IPv4Network(cidr), zone, used, kept, "")


def plan(file: str, *subnets: NetworkSubnet, vpc: str | None = "vpc-1", named: tuple[str, ...] = ()) -> PlanFacts:
    return PlanFacts(file, file, None, None, vpc, (), subnets, tuple((n, "") for n in named), "")


ONE, TWO = "10.0.0.0/24", "10.0.1.0/24"


def test_equal_blocks_of_one_vpc_are_shared() -> None:
    found = find_sharing([plan("a", subnet(ONE), subnet(TWO)), plan("b", subnet(TWO, name="mine"))])
    assert found.pools == (((0, 1), (1, 0)),)
    assert found.links[0][0].places == {TWO: "mine"}
    assert found.links[1][0].places == {"mine": TWO}
    assert found.disagreements == ()


@pytest.mark.parametrize("vpcs", [("vpc-1", "vpc-2"), (None, None), ("vpc-1", None)])
def test_equal_blocks_of_other_or_unknown_vpcs_are_not(vpcs: tuple[str | None, str | None]) -> None:
    found = find_sharing([plan("a", subnet(ONE), vpc=vpcs[0]), plan("b", subnet(ONE), vpc=vpcs[1])])
    assert (found.pools, found.links, found.disagreements) == ((), {}, ())


def test_an_id_is_enough() -> None:
    plans = [plan("a", subnet(ONE, ident="subnet-1"), vpc=None), plan("b", subnet(ONE, ident="subnet-1"), vpc="vpc-2")]
    assert find_sharing(plans).pools == (((0, 0), (1, 0)),)


def test_a_plan_that_another_names_shares_equal_blocks_both_ways() -> None:
    found = find_sharing([plan("a", subnet(ONE), vpc=None, named=("b",)), plan("b", subnet(ONE), vpc=None)])
    assert (found.links[0][0].plan, found.links[1][0].plan) == (1, 0)
    assert found.strangers == {}


def test_a_named_plan_without_a_shared_subnet() -> None:
    found = find_sharing([plan("a", subnet(ONE), vpc=None, named=("b",)), plan("b", subnet(TWO), vpc=None)])
    assert found.strangers == {0: "b"}


@pytest.mark.parametrize(
    ("other", "severity", "said", "together"),
    [
        (subnet(ONE, zone="z2"), "error", "zone z1 and z2", False),
        (subnet("10.0.0.0/25", ident="subnet-1"), "error", "10.0.0.0/24 and 10.0.0.0/25", False),
        (subnet("10.0.0.0/25"), "error", "10.0.0.0/24 overlaps 10.0.0.0/25", False),
        (subnet(ONE, ident="subnet-2"), "error", "the IDs subnet-1 and subnet-2", True),
        (subnet(ONE, ident="subnet-1", used=3), "warning", "used: 0 and 3", True),
        (subnet(ONE, ident="subnet-1", kept="10.0.0.0/28 (prefix)"), "warning", "none and 10.0.0.0/28", True),
    ],
)
def test_what_two_plans_disagree_about(other: NetworkSubnet, severity: str, said: str, together: bool) -> None:
    found = find_sharing([plan("a", subnet(ONE, ident="subnet-1")), plan("b", other)])
    assert {d.severity for d in found.disagreements} == {severity}
    assert any(said in d.what for d in found.disagreements)
    assert {(d.first, d.second) for d in found.disagreements} == {((0, 0), (1, 0))}
    assert bool(found.pools) == together


def test_each_plan_that_differs_is_named_once_against_the_first() -> None:
    plans = [plan(f"p{i}", subnet(ONE, zone="z2" if i == 3 else "z1")) for i in range(5)]
    found = find_sharing(plans)
    assert [(d.first, d.second) for d in found.disagreements] == [((0, 0), (3, 0))]
    assert found.pools == (((0, 0), (1, 0), (2, 0), (4, 0)),)


def test_plans_share_through_others() -> None:
    plans = [plan("a", subnet(ONE)), plan("b", subnet(ONE), subnet(TWO)), plan("c", subnet(TWO))]
    found = find_sharing(plans)
    assert [[link.plan for link in found.links[i]] for i in range(3)] == [[1], [0, 2], [1]]


def test_plans_name_files_outside_the_fleet_and_themselves() -> None:
    found = find_sharing([plan("a", subnet(ONE), named=("a", "elsewhere")), plan("b", subnet(TWO))])
    assert (found.links, found.strangers, found.disagreements) == ({}, {}, ())


@pytest.mark.parametrize("vpcs", [(None, None), ("vpc-1", "vpc-2"), ("vpc-1", None), (None, "vpc-2")])
def test_blocks_of_plans_that_name_each_other_must_not_overlap(vpcs: tuple[str | None, str | None]) -> None:
    plans = [
        plan("a", subnet(ONE), vpc=vpcs[0], named=("b",)),
        plan("b", subnet("10.0.0.0/25"), vpc=vpcs[1]),
        plan("another VPC", subnet("10.0.0.0/26"), vpc=None),
    ]
    (found,) = find_sharing(plans).disagreements
    assert (found.first, found.second, found.what) == ((0, 0), (1, 0), "10.0.0.0/24 overlaps 10.0.0.0/25")


def test_shared_subnets_are_in_the_order_of_the_first_plan() -> None:
    found = find_sharing([plan("a", subnet(ONE), subnet(TWO)), plan("b", subnet(TWO), subnet(ONE))])
    assert found.pools == (((0, 0), (1, 1)), ((0, 1), (1, 0)))


def test_of_equal_blocks_the_first_plan_is_named_in_an_overlap() -> None:
    plans = [plan("a", subnet(TWO), subnet(ONE)), plan("b", subnet(ONE)), plan("c", subnet("10.0.0.0/25"))]
    assert [(d.first, d.second) for d in find_sharing(plans).disagreements] == [((0, 1), (2, 0))]


def test_an_overlap_is_found_whatever_the_place_of_the_subnet_in_its_plan() -> None:
    plans = [plan("a", subnet(TWO), subnet(ONE)), plan("b", subnet("10.0.0.0/25"))]
    assert [(d.first, d.second) for d in find_sharing(plans).disagreements] == [((0, 1), (1, 0))]


def test_blocks_overlap_the_largest_around_them() -> None:
    plans = [plan("a", subnet(ONE)), plan("b", subnet("10.0.0.128/25")), plan("c", subnet("10.0.0.192/26"))]
    assert [(d.first, d.second) for d in find_sharing(plans).disagreements] == [((0, 0), (1, 0)), ((0, 0), (2, 0))]


def test_a_different_zone_may_be_the_same_by_another_name() -> None:
    found = find_sharing([plan("a", subnet(ONE)), plan("b", subnet(ONE, zone="z2"))])
    advice = "if the accounts name zones differently, use zone IDs such as use1-az1"
    assert [d.what for d in found.disagreements] == [f"zone z1 and z2 ({advice})"]
    one, other = (plan(name, subnet(cidr, ident="subnet-1"), vpc=None) for name, cidr in (("a", ONE), ("b", TWO)))
    assert [d.what for d in find_sharing([one, other]).disagreements] == ["10.0.0.0/24 and 10.0.1.0/24"]
