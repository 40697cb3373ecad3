"""`capacity import aws` against the real AWS client and a server on loopback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from capacity.catalog.table import load_catalog
from capacity.cli.main import app
from capacity.cluster.check import check
from capacity.errors import CapacityError, SpecError
from capacity.plan.parse import read_plan
from capacity.readers.aws import client as aws_client
from capacity.readers.aws.aws_cluster import parse_cluster
from capacity.readers.aws.client import MOST_ATTEMPTS, Caller
from capacity.readers.aws.draft import aws_draft
from capacity.readers.aws.fetch import fetch_answers
from capacity.readers.complete import complete
from capacity.readers.existing_plan import render
from tests.aws.server import Aws
from tests.aws.world import World


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["import", "aws", *arguments])


def imported(path: Path, *arguments: str) -> dict[str, Any]:
    """The plan of `shop`, as YAML sees it."""
    done = run("--cluster", "shop", "--out-file", str(path), *arguments)
    assert done.exit_code == 0, done.output
    plan: dict[str, Any] = yaml.safe_load(path.read_text())
    return plan


def test_the_plan_of_a_cluster(world: World, tmp_path: Path) -> None:
    plan = imported(tmp_path / "plan.yaml")
    assert plan["metadata"]["name"] == "shop"
    assert plan["metadata"]["annotations"]["capacity/subnet-ids"] == world.subnets
    assert plan["kubernetes"] == {"version": "1.34", "serviceCidr": "172.20.0.0/16"}
    assert plan["cni"] == {"version": "1.19.0", "env": {"WARM_ENI_TARGET": "1"}}
    assert plan["vpc"]["cidrs"] == ["10.0.0.0/16", "100.64.0.0/16"]
    assert [s["name"] for s in plan["vpc"]["subnets"]] == ["private-a", "data-a", "private-b"]
    assert plan["controlPlane"] == {"subnets": ["private-a", "private-b"]}
    custom, general = plan["nodeGroups"]
    assert general == {
        "name": "general",
        "instanceTypes": ["m5.large"],
        "ami": "bottlerocket",
        "provisioner": "managed",
        "nodes": {"min": 1, "desired": 2, "max": 6},
        "subnets": ["private-a", "private-b"],
    }
    assert (custom["instanceTypes"], custom["ami"], custom["maxPods"]) == (["m5.xlarge"], "al2", 40)  # by its template
    assert {(t["kind"], t["name"], *t["subnets"]): t["addresses"] for t in plan["tenants"]} == {
        ("alb", "web", "private-a", "private-b"): 1,
        ("cluster", "other", "private-a"): 11,  # node and its ENI of 10
        ("ec2", "instances outside the cluster", "data-a"): 1,
        ("leakedEni", "leaked ENIs", "private-a"): 5,
        ("rds", "rds", "data-a"): 1,
    }


def test_the_steady_state_of_the_plan_has_todays_free_count(tmp_path: Path) -> None:
    import boto3

    imported(tmp_path / "plan.yaml")
    (steady,) = check(read_plan(tmp_path / "plan.yaml"), ["steady"]).scenarios
    described = boto3.client("ec2").describe_subnets()["Subnets"]
    by_name = {t["Value"]: s for s in described for t in s.get("Tags", [])}
    assert {s.subnet.name: s.free for s in steady.subnets} == {
        name: by_name[name]["AvailableIpAddressCount"] for name in ("private-a", "private-b", "data-a")
    }


def test_twice_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "1.yaml", tmp_path / "2.yaml"
    imported(first)
    imported(second)
    assert first.read_bytes() == second.read_bytes()


def test_no_secret_and_no_foreign_variable_is_copied(tmp_path: Path) -> None:
    imported(tmp_path / "plan.yaml")
    text = (tmp_path / "plan.yaml").read_text()
    assert "s3cret" not in text
    assert "PROXY" not in text


def test_a_hand_of_throttling_is_waited_out(aws: Aws, waits: list[float]) -> None:
    aws.door.throttled = {"DescribeNetworkInterfaces": 3, "DescribeNodegroup": 2, "DescribeAutoScalingGroups": 1}
    answers = fetch_answers(Caller(aws_client.open_session()), "shop")
    assert answers.gaps == ()
    assert aws.door.seen["DescribeNetworkInterfaces"] == 4  # three refused, one answered
    assert len(waits) >= 6
    assert all(0 <= wait <= 20 for wait in waits)


def test_endless_throttling_is_said(aws: Aws) -> None:
    aws.door.throttled = {"DescribeInstances": 1000}
    (gap,) = fetch_answers(Caller(aws_client.open_session()), "shop").gaps
    assert aws.door.seen["DescribeInstances"] == MOST_ATTEMPTS
    assert (gap.kind, gap.actions) == ("instances", ("ec2:DescribeInstances",))
    assert f"throttled {MOST_ATTEMPTS} times (Throttling)" in gap.reason


DENIABLE = {
    "DescribeNetworkInterfaces": "ec2:DescribeNetworkInterfaces",
    "DescribeInstances": "ec2:DescribeInstances",
    "DescribeVpcs": "ec2:DescribeVpcs",
    "GetSubnetCidrReservations": "ec2:GetSubnetCidrReservations",
    "ListNodegroups": "eks:ListNodegroups",
    "DescribeNodegroup": "eks:DescribeNodegroup",
    "DescribeAddon": "eks:DescribeAddon",
    "DescribeLaunchTemplateVersions": "ec2:DescribeLaunchTemplateVersions",
    "DescribeAutoScalingGroups": "autoscaling:DescribeAutoScalingGroups",
    "DescribeLoadBalancers": "elasticloadbalancing:DescribeLoadBalancers",
}


@pytest.mark.parametrize("operation", DENIABLE)
def test_a_denied_call_is_named_and_the_rest_is_imported(aws: Aws, operation: str) -> None:
    aws.door.denied = {operation}
    answers = fetch_answers(Caller(aws_client.open_session()), "shop")
    gap = answers.gaps[0]
    assert DENIABLE[operation] in gap.actions
    assert f"{operation} was denied" in gap.reason
    draft = aws_draft(parse_cluster(answers, "shop"))
    assert any(gap.line == n.text for n in draft.notes)
    render(complete(draft))  # reads it as `check` would


def test_the_note_of_a_denied_call_reaches_the_user(aws: Aws) -> None:
    aws.door.denied = {"DescribeInstances"}
    done = run("--cluster", "shop")
    assert done.exit_code == 0
    assert "note: not known: which instances are nodes of which cluster (DescribeInstances was denied" in done.stderr


@pytest.mark.parametrize("operation", ["DescribeCluster", "DescribeSubnets"])
def test_nothing_is_written_where_the_cluster_or_its_subnets_are_denied(
    aws: Aws, tmp_path: Path, operation: str
) -> None:
    aws.door.denied = {operation}
    done = run("--cluster", "shop", "--out-file", str(tmp_path / "plan.yaml"))
    assert isinstance(done.exception, CapacityError)
    assert f"{operation} was denied" in str(done.exception)
    assert not (tmp_path / "plan.yaml").exists()


def test_without_interfaces_the_free_count_still_holds(aws: Aws, tmp_path: Path) -> None:
    aws.door.denied = {"DescribeNetworkInterfaces"}
    plan = imported(tmp_path / "plan.yaml")
    assert "tenants" not in plan
    (steady,) = check(read_plan(tmp_path / "plan.yaml"), ["steady"]).scenarios
    assert {s.subnet.name: s.free for s in steady.subnets}["private-a"] == 251 - 29  # 11 + 11 + 1 + 1 + 5 held


def test_another_name_gets_the_nearest() -> None:
    done = run("--cluster", "shoop")
    assert isinstance(done.exception, SpecError)
    assert str(done.exception) == "--cluster: no cluster 'shoop' in us-east-1 (did you mean 'shop'?)"


def test_the_only_cluster_needs_no_name(aws: Aws, tmp_path: Path) -> None:
    done = run("--out-file", str(tmp_path / "plan.yaml"))
    assert done.exit_code == 0, done.output
    assert aws.door.seen["ListClusters"] == 1


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "no usable AWS credentials"),
        (("AWS_REGION", "AWS_DEFAULT_REGION"), "no region is set"),
    ],
)
def test_no_credentials_or_region_is_one_line(
    monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...], message: str
) -> None:
    for name in missing:
        monkeypatch.delenv(name)
    done = run("--cluster", "shop")
    assert isinstance(done.exception, CapacityError)
    assert message in str(done.exception)
    assert "\n" not in str(done.exception)


def test_an_unknown_profile_is_one_line() -> None:
    done = run("--cluster", "shop", "--profile", "nobody")
    assert isinstance(done.exception, SpecError)
    assert "nobody" in str(done.exception)


def test_drift_against_the_imported_plan(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    imported(path)
    assert run("--cluster", "shop", "--diff", str(path), "--exit-code").exit_code == 0
    path.write_text(path.read_text().replace("max: 6", "max: 9"))
    done = run("--cluster", "shop", "--diff", str(path), "--exit-code", "-o", "json")
    assert done.exit_code == 1
    (difference,) = json.loads(done.stdout)["results"]["differences"]
    assert (difference["path"], difference["plan"], difference["reality"]) == (
        "nodeGroups[general].nodes.max",
        "9",
        "6",
    )


PAGE = """<DescribeNetworkInterfacesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><networkInterfaceSet>{}\
</networkInterfaceSet>{}</DescribeNetworkInterfacesResponse>"""
ENI = """<item><networkInterfaceId>eni-{0:017x}</networkInterfaceId><subnetId>{1}</subnetId><status>in-use</status>\
<description>RDSNetworkInterface</description><privateIpAddress>{2}</privateIpAddress><privateIpAddressesSet><item>\
<privateIpAddress>{2}</privateIpAddress><primary>true</primary></item></privateIpAddressesSet></item>"""


def test_empty_pages_and_many_pages(aws: Aws, world: World) -> None:
    """An empty first page with a token is not the end."""
    subnet = world.subnets["private-a"]
    aws.door.pages["DescribeNetworkInterfaces"] = [
        PAGE.format("", "<nextToken>a</nextToken>").encode(),
        PAGE.format(ENI.format(1, subnet, "10.0.0.50"), "<nextToken>b</nextToken>").encode(),
        PAGE.format(ENI.format(2, subnet, "10.0.0.51"), "").encode(),
    ]
    answers = fetch_answers(Caller(aws_client.open_session()), "shop")
    assert [i["PrivateIpAddress"] for i in answers.of("interfaces")] == ["10.0.0.50", "10.0.0.51"]
    assert aws.door.seen["DescribeNetworkInterfaces"] == 3


def test_ten_thousand_interfaces(aws: Aws, world: World) -> None:
    subnet = world.subnets["private-a"]
    pages = []
    for start in range(0, 10_000, 1000):
        items = "".join(ENI.format(n, subnet, f"10.0.{n // 256}.{n % 256}") for n in range(start, start + 1000))
        token = f"<nextToken>{start}</nextToken>" if start < 9000 else ""
        pages.append(PAGE.format(items, token).encode())
    aws.door.pages["DescribeNetworkInterfaces"] = pages
    found = parse_cluster(fetch_answers(Caller(aws_client.open_session()), "shop"), "shop", load_catalog())
    assert len(found.interfaces) == 10_000
    assert next(a for a in found.accounts if a.name == "private-a").owners == {"rds": 10_000}


def test_the_command_is_on_the_page() -> None:
    command = typer.main.get_command(app)
    assert "aws" in command.commands["import"].commands  # type: ignore[attr-defined]
