"""`capacity size` as typed: answers in every format, and one clear line for what does not go."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
import yaml

from tests.cli.entry import capacity

SKETCH = ("--pods", "300", "--nodes", "15", "--type", "m5.large", "--headroom", "30%")
SHOP = ("examples/shop-prod.yaml", "--vpc-cidr", "100.64.0.0/22")


def test_json() -> None:
    done = capacity("size", *SKETCH, "-o", "json")
    answer = json.loads(done.stdout)
    assert (done.code, done.stderr) == (0, "")
    assert answer["inputs"]["headroom"] == "30%"
    results = answer["results"]
    assert results["verdict"] == "ok"
    assert [(s["name"], s["needed"], s["cidr"], s["action"]) for s in results["subnets"]] == [
        ("nodes-a", "/23", "10.0.0.0/23", "new"),
        ("nodes-b", "/23", "10.0.4.0/23", "new"),
        ("nodes-c", "/23", "10.0.8.0/23", "new"),
    ]
    assert set(results["snippets"]) == {"terraform", "aws", "eksctl", "cloudformation", "plan"}


def test_other_formats() -> None:
    rows = list(csv.DictReader(io.StringIO(capacity("size", *SKETCH, "-o", "csv").stdout)))
    assert [row["cidr"] for row in rows] == ["10.0.0.0/23", "10.0.4.0/23", "10.0.8.0/23"]
    assert yaml.safe_load(capacity("size", *SKETCH, "-o", "yaml").stdout)["command"] == "size"
    page = capacity("size", *SKETCH, "-o", "md").stdout
    assert "| subnet | zone |" in page
    assert "```hcl\nresource" in page
    table = capacity("size", *SKETCH).stdout
    assert "- nodes-a: a /24 keeps 9 of 251 free in zone-loss (us-east-1b), less than 30 %" in table


def test_what_suffices_is_kept() -> None:
    done = capacity("size", "examples/shop-prod.yaml", "--scenario", "steady", "-o", "json")
    results = json.loads(done.stdout)["results"]
    assert {s["action"] for s in results["subnets"]} == {"keep"}
    assert [results["snippets"][k] for k in ("terraform", "aws", "eksctl", "cloudformation")] == [""] * 4
    shown = capacity("size", "examples/shop-prod.yaml", "--scenario", "steady").stdout
    assert shown.startswith("Every subnet suffices as it is")


@pytest.mark.parametrize("what", ["terraform", "aws", "eksctl", "cloudformation", "plan"])
def test_one_snippet_or_all_or_none(what: str) -> None:
    assert f"# {what}\n" in capacity("size", *SHOP, "--snippet", what).stdout
    assert f"# {what}\n" in capacity("size", *SHOP, "--snippet", "all").stdout
    assert "# " not in capacity("size", *SHOP, "--snippet", "none").stdout


def test_the_plan_from_stdin() -> None:
    with open("examples/shop-prod.yaml", "rb") as stream:
        done = capacity("size", "-", "--vpc-cidr", "100.64.0.0/22", "-o", "json", stdin=stream.read())
    assert json.loads(done.stdout)["results"]["added_vpc_cidrs"] == ["100.64.0.0/22"]


def test_custom_networking_puts_pods_into_the_second_block() -> None:
    done = capacity("size", *SKETCH, "--custom-networking", "--mode", "prefix", "-o", "json")
    subnets = json.loads(done.stdout)["results"]["subnets"]
    assert {s["serves"]: s["cidr"].split(".")[0] for s in subnets} == {"nodes": "10", "pods": "100"}
    assert all(s["prefix_reservations"] for s in subnets if s["serves"] == "pods")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--pods", "300"), "error: --type is missing (give both, or a plan)"),
        (("--type", "m5.large"), "error: --pods is missing (give both, or a plan)"),
        (("--nodes", "3", "examples/shop-prod.yaml"), "error: --nodes and PLAN exclude each other"),
        (("--nodes", "3"), "error: --nodes needs --pods and --type"),
        ((*SKETCH, "--zones", "7"), "error: --zones: 7 is out of range (expected 1 to 6)"),
        ((*SKETCH, "--headroom", "100%"), "error: --headroom: '100%' is out of range (expected 0% to less than 100%)"),
        (
            (*SKETCH, "--headroom", "lots"),
            "error: --headroom: 'lots' is not a percentage (expected something like 20%)",
        ),
        (("--pods", "-4", "--type", "m5.large"), "error: --pods: -4 is out of range (expected 0 or more)"),
        (
            ("--pods", "9", "--type", "m5.lrage"),
            "error: --type: 'm5.lrage' is not a known instance type (did you mean 'm5.large'",
        ),
        ((*SKETCH, "--vpc-cidr", "10.0.0.0/8"), "error: --vpc-cidr: '10.0.0.0/8' has a size AWS does not allow here"),
        ((*SKETCH, "--vpc-cidr", "10.0.0.1/16"), "error: --vpc-cidr: '10.0.0.1/16' has host bits set"),
        (
            (*SKETCH, "--region", "eu west"),
            "error: --region: 'eu west' is not a region (expected",
        ),
        ((*SKETCH, "--snippet", "terrafrom"), "error: --snippet: 'terrafrom' is not one of terraform, aws"),
        ((*SKETCH, "--mode", "both"), "error: --mode: 'both' is not one of secondary, prefix, ipv6"),
        ((*SHOP, "--vpc-cidr", "192.168.0.0/16"), "error: 192.168.0.0/16 cannot join the VPC: another RFC 1918 range"),
        (("examples/shop-prod.yaml",), "error: no room in the VPC for private-c (/22): 3,072 addresses are wanted"),
        (("--pods", "99999", "--type", "m5.large", "--zones", "1"), "error: nodes-a: even a /16"),
    ],
)
def test_one_line_and_exit_2(arguments: tuple[str, ...], message: str) -> None:
    done = capacity("size", *arguments)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(message)


TWINS = """
apiVersion: capacity/v1
region: us-east-1
vpc:
  cidrs: [10.8.0.0/16]
  subnets:
    - {name: nodes-2-1, zone: us-east-1a, cidr: 10.8.0.0/26}
    - {name: nodes-21, zone: us-east-1b, cidr: 10.8.1.0/26}
nodeGroups:
  - {name: "a]=b", instanceTypes: [m5.large], nodes: {min: 2, desired: 8, max: 16}, subnets: [nodes-2-1, nodes-21]}
workloads:
  - {name: "w \\"1\\"", replicas: 150, requests: {cpu: 100m, memory: 128Mi}}
"""


def test_two_names_that_one_identifier_would_fit_make_two_resources(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(TWINS)
    found = json.loads(capacity("size", str(plan), "--fresh", "-o", "json").stdout)["results"]["snippets"]
    resources = yaml.safe_load(found["cloudformation"])["Resources"]
    assert [r["Properties"]["Tags"][0]["Value"] for r in resources.values()] == ["nodes-2-1", "nodes-21"]
    assert found["terraform"].count('resource "aws_subnet"') == 2


def test_settings_and_fixes_reach_names_with_brackets(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(TWINS)
    changed = capacity("check", str(plan), "--exit-zero", "--set", 'nodeGroups["a]=b"].nodes.max=99', "-o", "json")
    assert changed.code == 0
    out = tmp_path / "fixed.yaml"
    done = capacity("check", str(plan), "--scenario", "steady", "--fix-out", str(out), "--exit-zero")
    assert (done.code, "nodeGroups" in done.stdout) == (0, True), done.stderr
    fixed = yaml.safe_load(out.read_text())
    assert fixed["nodeGroups"][0]["name"] == "a]=b"
    assert fixed != yaml.safe_load(TWINS)
