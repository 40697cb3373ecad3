"""Every AWS call with every fault: a gap that names the call, or one line; an assumption is marked, never a fact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from capacity.cli.main import app
from capacity.plan.parse import read_plan
from capacity.readers.aws import client as aws_client
from tests.aws.server import FAULTS, SLOW_S, Aws

NO_TYPES = b"<DescribeInstanceTypesResponse><instanceTypeSet/></DescribeInstanceTypesResponse>"
MUST = ("DescribeCluster", "DescribeSubnets")
PLAN = (
    "DescribeVpcs",
    "GetSubnetCidrReservations",
    "DescribeNetworkInterfaces",
    "DescribeInstances",
    "ListNodegroups",
    "DescribeNodegroup",
    "DescribeAddon",
    "DescribeAutoScalingGroups",
    "DescribeLaunchTemplateVersions",
    "DescribeLoadBalancers",
)
DOCTOR = ("DescribeSecurityGroups", "ListAttachedRolePolicies", "ListRolePolicies", "GetPolicy", "GetPolicyVersion")
_CLIENTS: dict[Any, Any] = {}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """No long waits, and clients made once: this is hundreds of runs."""
    slow = "slow" in request.node.name
    if slow:
        monkeypatch.setattr(aws_client, "READ_S", SLOW_S / 2)
    monkeypatch.setattr(aws_client, "MOST_ATTEMPTS", 1 if slow else 2)
    monkeypatch.setenv("CAPACITY_CACHE_DIR", str(tmp_path / "cache"))
    made = aws_client.Caller.client

    def client(self: aws_client.Caller, service: str, region: str | None = None) -> Any:
        key = (service, region, slow)
        if key not in _CLIENTS:
            _CLIENTS[key] = made(self, service, region)
        return _CLIENTS[key]

    monkeypatch.setattr(aws_client.Caller, "client", client)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def refused(done: Result, call: str) -> None:
    """One line that names the call, and nothing of the answer."""
    error = done.exception
    assert done.exit_code != 0
    assert "Traceback" not in done.output
    assert isinstance(error, Exception)
    assert type(error).__module__ == "capacity.errors", repr(error)[:300]
    text = str(error)
    assert call in text
    assert "\n" not in text
    assert "<" not in text
    assert len(text) < 500


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", MUST)
def test_what_nothing_works_without_is_one_line(aws: Aws, call: str, fault: str) -> None:
    aws.door.faults = {call: fault}
    refused(run("import", "aws", "--cluster", "shop"), call)
    refused(run("doctor", "--cluster", "shop"), call)


def names_the_gap(call: str, text: str) -> bool:
    """Whether the text says which call was denied, failed, got no response, or an answer that cannot be read."""
    ways = (f"{call} was ", f"{call} failed", f"{call} got no response", f"the response to {call} ")
    return any(way in text for way in ways)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", PLAN)
def test_an_import_says_what_was_not_read(aws: Aws, tmp_path: Path, call: str, fault: str) -> None:
    aws.door.faults = {call: fault}
    done = run("import", "aws", "--cluster", "shop", "--out-file", str(tmp_path / "plan.yaml"))
    if done.exit_code != 0:  # two load balancer APIs of one name that both do not answer
        assert (call, fault) == ("DescribeLoadBalancers", "slow")
        refused(done, call)
        return
    text = (tmp_path / "plan.yaml").read_text()
    assert names_the_gap(call, text)
    read_plan(tmp_path / "plan.yaml")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", [*PLAN, *DOCTOR])
def test_the_doctor_says_unknown(aws: Aws, call: str, fault: str) -> None:
    aws.door.faults = {call: fault}
    done = run("doctor", "--cluster", "shop", "--exit-zero", "-o", "json")
    if done.exit_code != 0:
        assert (call, fault) == ("DescribeLoadBalancers", "slow")
        refused(done, call)
        return
    assert names_the_gap(call, done.output)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_refresh_writes_nothing_or_says_what_it_lacks(aws: Aws, tmp_path: Path, fault: str) -> None:
    aws.door.faults = {"DescribeInstanceTypes": fault}
    aws.door.pages["DescribeInstanceTypes"] = [NO_TYPES]
    refused(run("data", "refresh"), "DescribeInstanceTypes")
    assert not (tmp_path / "cache").exists()
    aws.door.faults = {"GetProducts": fault}
    done = run("data", "refresh")
    assert done.exit_code == 0, done.output
    assert "prices not refreshed: " in done.output
    assert names_the_gap("GetProducts", done.output)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_list_of_clusters(aws: Aws, fault: str) -> None:
    aws.door.faults = {"ListClusters": fault}
    refused(run("import", "aws"), "ListClusters")


# --- an assumption is marked -----------------------------------------------------------------------


def imported(path: Path) -> dict[str, Any]:
    done = run("import", "aws", "--cluster", "shop", "--out-file", str(path))
    assert done.exit_code == 0, done.output
    plan: dict[str, Any] = yaml.safe_load(path.read_text())
    return plan


def test_nothing_is_assumed_where_every_call_is_answered(tmp_path: Path) -> None:
    assert "capacity/assumed" not in imported(tmp_path / "plan.yaml")["metadata"]["annotations"]


@pytest.mark.parametrize(
    ("call", "paths"),
    [
        ("DescribeLaunchTemplateVersions", {"nodeGroups[custom].instanceTypes", "nodeGroups[custom].ami"}),
        ("DescribeVpcs", {"vpc.cidrs"}),
        ("DescribeAddon", {"cni.env"}),
        ("DescribeNetworkInterfaces", {"vpc.subnets[private-a].used", "vpc.subnets[data-a].used"}),
        ("ListNodegroups", {"nodeGroups[general].provisioner", "nodeGroups[general].nodes"}),
    ],
)
@pytest.mark.parametrize("fault", ["denied", "html"])
def test_what_stands_for_a_refused_call_is_an_assumption(
    aws: Aws, tmp_path: Path, call: str, paths: set[str], fault: str
) -> None:
    aws.door.faults = {call: fault}
    plan = imported(tmp_path / "plan.yaml")
    assert paths <= set(plan["metadata"]["annotations"]["capacity/assumed"])
    notes = "\n".join(read_plan(tmp_path / "plan.yaml").notes)
    assert "assumed by the import (not in the source)" in notes
    assert all(f"{path}: assumed: " in (tmp_path / "plan.yaml").read_text() for path in paths)


def test_the_second_slow_call_ends_it(aws: Aws) -> None:
    aws.door.faults = dict.fromkeys(("DescribeVpcs", "DescribeInstances"), "slow")
    done = run("import", "aws", "--cluster", "shop")
    refused(done, "DescribeInstances")
    assert aws.door.seen["DescribeAutoScalingGroups"] == 0
