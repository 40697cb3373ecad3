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
    assert "- nodes-a: a /24 keeps 9 of 251 free in zone-loss (us-east-1b), less than 30%" in table


def test_what_suffices_is_kept() -> None:
    done = capacity("size", "examples/shop-prod.yaml", "--scenario", "steady", "-o", "json")
    results = json.loads(done.stdout)["results"]
    assert {s["action"] for s in results["subnets"]} == {"keep"}
    assert [results["snippets"][k] for k in ("terraform", "aws", "eksctl", "cloudformation")] == [""] * 4
    shown = capacity("size", "examples/shop-prod.yaml", "--scenario", "steady").stdout
    assert shown.startswith("Every subnet is large enough")


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
        (("--pods", "300"), "error: --type is missing (give --type and --pods or --pod, or a plan)"),
        (("--type", "m5.large"), "error: --pods is missing (give --type and --pods or --pod, or a plan)"),
        (("--nodes", "3", "examples/shop-prod.yaml"), "error: --nodes and PLAN cannot be combined"),
        (("--nodes", "3"), "error: --nodes needs --type and --pods or --pod"),
        (("--pod-cpu", "1"), "error: --pod-cpu needs --type and --pods or --pod"),
        (("--pod-cpu", "1", "examples/shop-prod.yaml"), "error: --pod-cpu and PLAN cannot be combined"),
        ((*SKETCH, "--pod", "a=1,1Gi,2"), "error: --pods and --pod cannot be combined"),
        (
            ("--pod", "a=1,1Gi,2", "--pod-cpu", "1", "--type", "m5.large"),
            "error: --pod-cpu and --pod cannot be combined",
        ),
        ((*SKETCH, "--pod-cpu", "1x"), "error: --pod-cpu: '1x' is not a quantity"),
        ((*SKETCH, "--pod-memory", "-1Gi"), "error: --pod-memory: '-1Gi' is negative"),
        *(
            (("--pod", text, "--type", "m5.large"), f"error: --pod: {text!r} is not NAME=CPU,MEMORY,REPLICAS")
            for text in ("a", "a=1,1Gi", "a=1,1Gi,", "a=1,,3", "=1,1Gi,3", "a=1,1Gi,x", "a=1,1Gi,-3", "a=1,1Gi,3,4")
        ),
        (("--pod", "a=1x,1Gi,3", "--type", "m5.large"), "error: --pod a: '1x' is not a quantity"),
        (
            ("--pod", "a=1,1Gi,3", "--pod", "a=2,1Gi,3", "--type", "m5.large"),
            "error: --pod: duplicate 'a'",
        ),
        ((*SKETCH, "--vpc-cidr", "10.0.0.0/16", "--vpc-cidr", "10.0.1.0/24"), "error: --vpc-cidr: 10.0.1.0/24 over"),
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
        (
            (*SKETCH, "--vpc-cidr", "10.0.0.0/8"),
            "error: --vpc-cidr: '10.0.0.0/8' has a size that AWS does not allow here",
        ),
        ((*SKETCH, "--vpc-cidr", "10.0.0.1/16"), "error: --vpc-cidr: '10.0.0.1/16' has host bits set"),
        (
            (*SKETCH, "--region", "eu west"),
            "error: --region: 'eu west' is not a region (expected",
        ),
        ((*SKETCH, "--snippet", "terrafrom"), "error: --snippet: 'terrafrom' is not one of terraform, aws"),
        ((*SKETCH, "--mode", "both"), "error: --mode: 'both' is not one of secondary, prefix, ipv6"),
        (
            (*SHOP, "--vpc-cidr", "192.168.0.0/16"),
            "error: 192.168.0.0/16 cannot be added to the VPC: a different RFC 1918 range",
        ),
        (("examples/shop-prod.yaml",), "error: no room in the VPC for private-c (/22): 3,072 addresses are needed"),
        (("--pods", "99999", "--type", "m5.large", "--zones", "1"), "error: nodes-a: even a /16"),
    ],
)
def test_one_line_and_exit_2(arguments: tuple[str, ...], message: str) -> None:
    done = capacity("size", *arguments)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(message)


def test_pod_requests_set_the_node_count() -> None:
    # 8 vCPU: 7,910 m allocatable hold 15 pods of 500 m (capacity node says so): 300 ÷ 15 = 20 nodes
    fits = json.loads(capacity("node", "m6i.2xlarge", "--pod-cpu", "500m", "--pod-memory", "1Gi", "-o", "json").stdout)
    assert fits["results"][0]["pods"] == 15
    asked = ("--pods", "300", "--pod-cpu", "500m", "--pod-memory", "1Gi", "--type", "m6i.2xlarge")
    found = json.loads(capacity("size", *asked, "-o", "json").stdout)
    assert (found["inputs"]["nodes"], found["results"]["nodes"]) == (20, 20)
    assert found["inputs"]["workloads"] == [
        {"name": "app", "replicas": 300, "cpu_millicores": 500, "memory_bytes": 2**30}
    ]
    fixed = json.loads(capacity("size", *asked, "--nodes", "20", "-o", "json").stdout)
    assert [s["needed"] for s in found["results"]["subnets"]] == [s["needed"] for s in fixed["results"]["subnets"]]
    same = json.loads(capacity("size", "--pod", "app=500m,1Gi,300", "--type", "m6i.2xlarge", "-o", "json").stdout)
    assert same == found
    page = capacity("size", *asked, "--scenario", "steady").stdout
    assert "for 20 nodes: at least 20% stays free (steady)" in page
    assert "m6i.2xlarge     20  a 7, b 7, c 6" in page


def test_pods_without_requests_are_said_aloud() -> None:
    note = "no --pod-cpu and no --pod-memory: only max pods (29) limits how many pods share a node"
    assert note in capacity("size", *SKETCH).stderr
    assert note not in capacity("size", *SKETCH, "--pod-cpu", "1m").stderr
    assert note not in capacity("size", *SHOP).stderr


def test_the_plan_of_a_sketch_is_whole() -> None:
    shown = capacity("size", *SKETCH, "--scenario", "steady", "--snippet", "plan", "-q").stdout
    plan = shown[shown.index("# plan\n") :]
    checked = json.loads(capacity("check", "-", "-o", "json", stdin=plan.encode()).stdout)
    assert (checked["results"]["verdict"], checked["inputs"]["min_free"]) == ("ok", "30%")
    assert [s["name"] for s in checked["results"]["scenarios"]] == ["steady"]


def test_a_plan_has_its_node_counts_too() -> None:
    found = json.loads(capacity("size", *SHOP, "-o", "json").stdout)
    states = json.loads(capacity("check", SHOP[0], "-o", "json").stdout)["results"]["scenarios"]
    assert [s["node_groups"] for s in found["results"]["scenarios"]] == [s["node_groups"] for s in states]
    assert found["inputs"]["plan"] == SHOP[0]
    assert "for 11 nodes (up to 35 in peak+zone-loss (us-east-1a))" in capacity("size", *SHOP).stdout


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
