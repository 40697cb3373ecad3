"""`capacity data refresh` against the real AWS client: limits and prices into a cache of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from capacity.catalog.price_lookup import price_per_hour
from capacity.catalog.prices import price, regions
from capacity.catalog.table import load_catalog, packaged_catalog
from capacity.cli.main import app
from capacity.errors import SpecError
from tests.aws.server import Aws

NO_TYPES = b"<DescribeInstanceTypesResponse><instanceTypeSet/></DescribeInstanceTypesResponse>"


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("CAPACITY_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["data", *arguments])


def product(name: str, usd: str, unit: str = "Hrs", region: str = "us-east-1") -> str:
    dimension = {"unit": unit, "pricePerUnit": {"USD": usd}}
    return json.dumps(
        {
            "product": {"attributes": {"instanceType": name, "regionCode": region}},
            "terms": {"OnDemand": {"a": {"priceDimensions": {"b": dimension}}}},
        }
    )


def test_limits_and_prices_go_into_the_cache_alone(aws: Aws, cache: Path) -> None:
    aws.door.price_list = [
        product("m5.large", "0.0960000000"),
        product("c7g.large", "0"),  # reserved hosts and the like cost 0 here: no price
        product("r5.large", "0.2", unit="Quantity"),
        product("t3.micro", "0.0111", region="eu-west-1"),
        product("m5.xlarge", "0.5"),
    ]
    done = run("refresh", "--as-of", "2027-01-02", "-o", "json")
    assert done.exit_code == 0, done.output
    results = json.loads(done.stdout)["results"]
    assert results["instance_types"] > 800
    assert (results["prices"], results["region"], results["date"]) == (2, "us-east-1", "2027-01-02")
    assert aws.door.seen["GetProducts"] == 3  # five entries, two to a page
    assert sorted(p.name for p in cache.iterdir()) == ["eni_limits.csv", "prices.csv"]
    assert price_per_hour("m5.xlarge") == 0.5
    found = price("m5.large")
    assert found is not None
    assert (found.per_hour, found.date, found.source) == (0.096, "2027-01-02", "ec2_cache")
    assert "us-east-1" in regions()

    _limits_that_nodes_read_themselves_stay()


def _limits_that_nodes_read_themselves_stay() -> None:
    """For max ENIs nodeadm's and ipamd's tables win over EC2's answer, cached or not."""
    ours, theirs = packaged_catalog(), load_catalog()
    assert len(theirs) >= len(ours)
    for kind in ours:
        now = theirs.get(kind.name)
        if {"cni", "eks_ami"} <= set(kind.sources):
            assert now.max_enis == kind.max_enis, kind.name
        assert now.branch_enis == kind.branch_enis  # EC2 does not state them


def test_denied_prices_are_said_and_the_limits_kept(aws: Aws) -> None:
    aws.door.pages["DescribeInstanceTypes"] = [NO_TYPES]
    aws.door.denied = {"GetProducts"}
    done = run("refresh")
    assert done.exit_code == 0, done.output
    assert "prices not refreshed: GetProducts was denied" in done.stderr
    assert "0 prices" in done.stdout


def test_prices_need_not_be_asked_for(aws: Aws) -> None:
    aws.door.pages["DescribeInstanceTypes"] = [NO_TYPES]
    assert run("refresh", "--no-prices").exit_code == 0
    assert aws.door.seen["GetProducts"] == 0


def test_denied_limits_change_nothing(aws: Aws, cache: Path) -> None:
    aws.door.denied = {"DescribeInstanceTypes"}
    done = run("refresh")
    assert isinstance(done.exception, SpecError)
    assert "DescribeInstanceTypes was denied" in str(done.exception)
    assert not cache.exists()
