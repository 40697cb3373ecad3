"""What all clusters of an account, a region and a VPC use of the quotas, by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from capacity.fleet.fleet_file import FleetFile
from capacity.fleet.quota_rows import quota_rows

NO_FLEET = FleetFile()


def cluster(
    plan: str,
    vpc: str | None = "vpc-1",
    *,
    account: str | None = "1",
    region: str | None = "us-east-1",
    enis: int = 0,
    nau: int = 0,
    tenants: Mapping[str, Any] = {},
    vcpus: Mapping[str, int] = {},
    calls: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """The row of one plan."""
    none = {"enis": 0, "enis_of_others": 0, "nau": 0, "nau_of_others": 0, "kinds": {}}
    usage = {
        "peak": {"enis": enis, "nau": nau, "vcpus": vcpus},
        "tenants": none | dict(tenants),
        "upgrade_calls": calls,
    }
    return {"plan": plan, "account": account, "region": region, "vpc": vpc, "usage": usage}


def used(rows: list[dict[str, Any]], fleet: FleetFile = NO_FLEET) -> dict[tuple[str | None, str], int]:
    """Use by VPC (None for the region) and quota."""
    return {(row["vpc"], row["name"]): row["used"] for row in quota_rows(rows, fleet)}


def test_the_use_of_the_clusters_of_a_region_adds_up() -> None:
    rows = [
        cluster("a", enis=3, nau=10, vcpus={"vcpus_standard": 8}),
        cluster("b", "vpc-2", enis=4, nau=20, vcpus={"vcpus_standard": 4}),
    ]
    assert used(rows) == {
        (None, "region_clusters"): 2,
        (None, "region_enis"): 7,
        (None, "vcpus_standard"): 12,
        ("vpc-1", "vpc_nau"): 10,
        ("vpc-2", "vpc_nau"): 20,
    }


def test_the_use_of_the_clusters_of_a_vpc_adds_up() -> None:
    assert used([cluster("a", nau=10), cluster("b", nau=20)])["vpc-1", "vpc_nau"] == 30


def test_load_balancers_add_up_by_kind() -> None:
    mine = {"enis": 4, "nau": 4, "kinds": {"alb": 2, "nlb": 1}}
    found = used([cluster("a", enis=1, nau=1, tenants=mine), cluster("b", enis=1, nau=1, tenants=mine)])
    assert (found[None, "region_albs"], found[None, "region_nlbs"]) == (4, 2)
    assert (None, "region_clbs") not in found
    assert (found[None, "region_enis"], found["vpc-1", "vpc_nau"]) == (10, 10)


def test_other_tenants_of_a_vpc_count_once_with_the_largest_number() -> None:
    few, many = ({"enis_of_others": n, "nau_of_others": 10 * n} for n in (2, 5))
    rows = [cluster("a", enis=1, nau=1, tenants=few), cluster("b", enis=1, nau=1, tenants=many)]
    found = used(rows)
    assert (found[None, "region_enis"], found["vpc-1", "vpc_nau"]) == (2 + 5, 2 + 50)
    apart = used([cluster("a", enis=1, nau=1, tenants=few), cluster("b", "vpc-2", enis=1, nau=1, tenants=many)])
    assert (apart[None, "region_enis"], apart["vpc-1", "vpc_nau"], apart["vpc-2", "vpc_nau"]) == (2 + 7, 21, 51)


def test_tenants_of_plans_without_a_vpc_id_are_those_of_different_vpcs() -> None:
    rows = [cluster(name, None, enis=1, nau=9, tenants={"enis_of_others": 3}) for name in "ab"]
    assert used(rows) == {(None, "region_clusters"): 2, (None, "region_enis"): 8}


def test_calls_of_simultaneous_upgrades() -> None:
    rows = [cluster("a", calls={"ec2_create_tags": 3}), cluster("b", calls={"ec2_create_tags": 4}), cluster("c")]
    (row,) = (row for row in quota_rows(rows, NO_FLEET) if row["name"] == "ec2_create_tags")
    assert (row["used"], row["clusters"]) == (7, 2)
    assert row["where"] == "all clusters upgrade at the same time"


def test_peers_count_together_with_what_they_share() -> None:
    others = {"nau_of_others": 5}
    rows = [
        cluster("a", "vpc-1", nau=10, tenants=others),
        cluster("b", "vpc-2", nau=20, tenants=others),
        cluster("c", "vpc-3", nau=40),
    ]
    fleet = FleetFile(peerings=(("vpc-1", "vpc-2"), ("vpc-2", "vpc-3"), ("vpc-3", "vpc-elsewhere")))
    found = used(rows, fleet)
    assert {vpc: found[vpc, "peered_nau"] for vpc in ("vpc-1", "vpc-2", "vpc-3")} == {
        "vpc-1": 15 + 25,
        "vpc-2": 15 + 25 + 40,
        "vpc-3": 40 + 25,
    }
    places = {row["vpc"]: row["where"] for row in quota_rows(rows, fleet) if row["name"] == "peered_nau"}
    assert places["vpc-1"] == "peak, with 1 peered VPC"
    assert places["vpc-2"] == "peak, with 2 peered VPCs"
    alone = FleetFile(peerings=(("vpc-1", "vpc-elsewhere"),))
    assert not any(name == "peered_nau" for _, name in used(rows, alone))


@pytest.mark.parametrize(
    ("nau", "verdict"),
    [(64_000, "ok"), (64_001, "raise"), (256_000, "raise"), (256_001, "over")],
)
def test_the_default_the_most_that_aws_allows_and_the_verdict(nau: int, verdict: str) -> None:
    (row,) = (row for row in quota_rows([cluster("a", nau=nau)], NO_FLEET) if row["name"] == "vpc_nau")
    assert (row["verdict"], row["limit"], row["limit_source"]) == (verdict, 64_000, "default")


def test_the_applied_quota_of_the_fleet_replaces_the_default() -> None:
    fleet = FleetFile(limits={("1", "us-east-1", "region_enis"): 6}, account_names={"1": "shop"})
    rows = quota_rows([cluster("a", enis=7)], fleet)
    row = next(row for row in rows if row["name"] == "region_enis")
    assert (row["limit"], row["limit_source"], row["verdict"]) == (6, "fleet", "raise")
    assert row["account_name"] == "shop"


def test_a_quota_without_a_known_limit_is_unknown() -> None:
    row = next(
        row for row in quota_rows([cluster("a", vcpus={"spot_vcpus_standard": 8})], NO_FLEET) if "vcpus" in row["name"]
    )
    assert (row["limit"], row["limit_source"], row["verdict"]) == (None, None, "unknown")


def test_the_three_clusters_with_the_largest_use_are_named() -> None:
    rows = [cluster(name, enis=enis) for name, enis in (("d", 5), ("a", 1), ("c", 9), ("b", 5))]
    row = next(row for row in quota_rows(rows, NO_FLEET) if row["name"] == "region_enis")
    assert row["biggest"] == [{"plan": "c", "used": 9}, {"plan": "b", "used": 5}, {"plan": "d", "used": 5}]
    assert row["clusters"] == 4


def test_the_region_comes_before_its_vpcs_and_quotas_keep_the_order_of_their_table() -> None:
    rows = [cluster("b", "vpc-2", enis=1, nau=1), cluster("a", "vpc-1", enis=1, nau=1)]
    fleet = FleetFile(peerings=(("vpc-1", "vpc-2"),))
    found = [(row["vpc"], row["name"]) for row in quota_rows(rows, fleet)]
    assert sorted(found[:2]) == [(None, "region_clusters"), (None, "region_enis")]
    assert found[2:] == [(vpc, name) for vpc in ("vpc-1", "vpc-2") for name in ("vpc_nau", "peered_nau")]


def test_rows_are_in_the_order_of_accounts_and_regions_the_unknown_ones_first() -> None:
    places = [("2", "us-east-1"), ("1", "us-west-2"), ("1", "eu-west-1"), ("1", None), (None, "us-east-1")]
    rows = [cluster(f"p{i}", None, account=account, region=region) for i, (account, region) in enumerate(places)]
    assert [(row["account"], row["region"]) for row in quota_rows(rows, NO_FLEET)] == places[::-1]
