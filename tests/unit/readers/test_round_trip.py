"""Ten plans, written by the snippets as files of each tool and imported again: the same node groups and subnets."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from capacity.advice.snippets import subnets as subnet_snippets
from capacity.advice.snippets.identifiers import logical_ids, placeholder, terraform_names
from capacity.advice.snippets.purchase import purchase_file
from capacity.plan.document import parse_yaml
from capacity.plan.model import Plan
from capacity.plan.parse import parse_plan
from capacity.readers.draft import PlanDraft
from capacity.readers.imported import read_cloudformation, read_eksctl, read_files, read_terraform

# Zones, blocks of the subnets, and groups: type, AMI, nodes (min, desired, max), zones of its subnets
PLANS: dict[str, tuple[list[str], str, list[tuple[str, str, tuple[int, int, int], str]]]] = {
    "one group": (["a"], "10.0.0.0/24", [("m6i.large", "al2023", (1, 2, 3), "a")]),
    "three zones": (["a", "b", "c"], "10.0.0.0/20", [("m6i.large", "al2023", (3, 3, 9), "abc")]),
    "arm": (["a", "b"], "10.1.0.0/22", [("m7g.xlarge", "al2023", (0, 2, 4), "ab")]),
    "bottlerocket": (["a", "b"], "10.2.0.0/19", [("c7i.2xlarge", "bottlerocket", (2, 2, 2), "ab")]),
    "bottlerocket on arm": (["b", "c"], "172.16.0.0/24", [("c7g.large", "bottlerocket", (1, 1, 5), "bc")]),
    "al2": (["a", "b"], "10.3.0.0/26", [("t3.medium", "al2", (1, 1, 2), "ab")]),
    "two groups": (
        ["a", "b"],
        "10.4.0.0/21",
        [("m5.large", "al2023", (1, 2, 3), "ab"), ("r5.4xlarge", "al2023", (0, 0, 10), "b")],
    ),
    "a group per zone": (
        ["a", "b", "c"],
        "10.5.0.0/23",
        [("m6a.large", "al2023", (1, 1, 4), zone) for zone in "abc"],
    ),
    "large": (["a", "b", "c", "d"], "10.64.0.0/18", [("m6i.24xlarge", "al2023", (10, 40, 400), "abcd")]),
    "several families": (
        ["a", "b", "c"],
        "100.64.0.0/20",
        [
            ("m6i.large", "al2023", (2, 4, 8), "abc"),
            ("c6g.xlarge", "bottlerocket", (0, 1, 20), "ac"),
            ("i4i.large", "al2", (3, 3, 3), "b"),
        ],
    ),
}


def blocks(first: str, count: int) -> list[IPv4Network]:
    block = IPv4Network(first)
    size = block.num_addresses
    return [IPv4Network((int(block.network_address) + i * size, block.prefixlen)) for i in range(count)]


def plan_of(name: str, provisioner: str) -> Plan:
    zones, first, groups = PLANS[name]
    subnets = [
        {"name": f"nodes-{z}", "zone": f"eu-west-1{z}", "cidr": str(b)}
        for z, b in zip(zones, blocks(first, len(zones)), strict=True)
    ]
    document = {
        "apiVersion": "capacity/v1",
        "metadata": {"name": "shop"},
        "region": "eu-west-1",
        "vpc": {"cidrs": [str(IPv4Network(first).supernet(new_prefix=16))], "subnets": subnets},
        "nodeGroups": [
            {
                "name": f"group-{i}",
                "instanceTypes": [kind],
                "ami": ami,
                "provisioner": provisioner,
                "nodes": {"min": low, "desired": desired, "max": most},
                "subnets": [f"nodes-{z}" for z in where],
            }
            for i, (kind, ami, (low, desired, most), where) in enumerate(groups)
        ],
    }
    return parse_plan(parse_yaml(yaml.safe_dump(document), "plan"), "plan")


def groups_file(form: str, plan: Plan) -> str:
    return purchase_file(form, {}, plan, [g.name for g in plan.node_groups])


def vpc_section(plan: Plan) -> dict[str, Any]:
    """The snippet for eksctl's vpc, with an ID for each placeholder."""
    sized = [SimpleNamespace(name=s.name, zone=s.zone, cidr=s.cidr, kept=False, serves="nodes") for s in plan.subnets]
    sizing: Any = SimpleNamespace(plan=plan, subnets=sized, added_blocks=[])
    text = subnet_snippets.eksctl(sizing)
    for subnet in plan.subnets:
        text = text.replace(f"<id of {subnet.name}>", id_of(subnet.name))
    section: dict[str, Any] = yaml.safe_load(text)["vpc"]
    return section


def id_of(name: str) -> str:
    return f"subnet-0{name.encode().hex()}"


def compared(draft: PlanDraft) -> tuple[Any, Any]:
    names = {s.id: s.name for s in draft.subnets if s.id}
    groups = {
        g.name: (g.instance_types, g.ami, g.provisioner, tuple(names.get(s, s) for s in g.subnets or ()))
        for g in draft.node_groups
    }
    return groups, {(s.name, s.zone, s.cidr) for s in draft.subnets}


def wanted(plan: Plan) -> tuple[Any, Any]:
    groups = {g.name: ((g.instance_types[0].name,), g.ami, g.provisioner, g.subnets) for g in plan.node_groups}
    return groups, {(s.name, s.zone, s.cidr) for s in plan.subnets}


def sizes(draft: PlanDraft) -> list[tuple[int | None, ...]]:
    return [(g.min_nodes, g.desired, g.max_nodes) for g in draft.node_groups]


def wanted_sizes(plan: Plan) -> list[tuple[int | None, ...]]:
    return [(g.min_nodes, g.desired, g.max_nodes) for g in plan.node_groups]


@pytest.mark.parametrize("provisioner", ["managed", "self-managed"])
@pytest.mark.parametrize("name", PLANS)
def test_eksctl(tmp_path: Path, name: str, provisioner: str) -> None:
    plan, file = plan_of(name, provisioner), tmp_path / "cluster.yaml"
    text = groups_file("eksctl", plan)
    for subnet in plan.subnets:
        text = text.replace(placeholder(subnet.name), subnet.name)  # the key of the subnet
    file.write_text(yaml.safe_dump({**yaml.safe_load(text), "vpc": vpc_section(plan)}))
    found = read_eksctl(file).found
    assert compared(found) == wanted(plan)
    assert sizes(found) == wanted_sizes(plan)
    assert found.name == plan.name


@pytest.mark.parametrize("name", PLANS)
def test_terraform(tmp_path: Path, name: str) -> None:
    plan, file = plan_of(name, "managed"), tmp_path / "main.tf"
    text = groups_file("terraform", plan)
    for subnet, word in terraform_names(s.name for s in plan.subnets).items():
        text = text.replace(f'"{placeholder(subnet)}"', f"aws_subnet.{word}.id")
    vpc = f'resource "aws_vpc" "x" {{\n  cidr_block = "{plan.vpc_cidrs[0]}"\n}}\n'
    made = subnet_snippets.terraform_of(plan.subnets).replace("var.vpc_id", "aws_vpc.x.id")
    file.write_text(f"{vpc}{made}\n{text}")
    found = read_terraform(file).found
    assert compared(found) == wanted(plan)
    assert sizes(found) == wanted_sizes(plan)
    assert found.vpc_cidrs == plan.vpc_cidrs


@pytest.mark.parametrize("name", PLANS)
def test_cloudformation(tmp_path: Path, name: str) -> None:
    plan, file = plan_of(name, "managed"), tmp_path / "template.yaml"
    resources = yaml.safe_load(groups_file("cloudformation", plan))["Resources"]
    words = {placeholder(s): {"Ref": word} for s, word in logical_ids(s.name for s in plan.subnets).items()}
    for group in resources.values():
        group["Properties"]["Subnets"] = [words[s] for s in group["Properties"]["Subnets"]]
    vpc = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": str(plan.vpc_cidrs[0])}}
    parameters = {"VpcId": vpc, **subnet_snippets.cloudformation_of(plan.subnets), **resources}
    file.write_text(yaml.safe_dump({"Resources": parameters}))
    found = read_cloudformation(file).found
    assert compared(found) == wanted(plan)
    assert sizes(found) == wanted_sizes(plan)
    assert found.vpc_cidrs == plan.vpc_cidrs


@pytest.mark.parametrize("provisioner", ["karpenter", "auto"])
@pytest.mark.parametrize("name", PLANS)
def test_karpenter(tmp_path: Path, name: str, provisioner: str) -> None:
    plan = plan_of(name, provisioner)
    text = groups_file("karpenter", plan)
    for subnet in plan.subnets:
        text = text.replace(placeholder(subnet.name), id_of(subnet.name))
    (tmp_path / "pools.yaml").write_text(text)
    cluster = {"apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig", "metadata": {"name": "shop"}}
    (tmp_path / "cluster.yaml").write_text(yaml.safe_dump({**cluster, "vpc": vpc_section(plan)}))
    found = read_files(tmp_path).found
    groups, subnets = compared(found)
    expected, expected_subnets = wanted(plan)
    assert subnets == expected_subnets
    if provisioner == "auto":  # AWS's own node class: neither AMI nor subnets are in the file
        expected = {n: (types, None, own, ()) for n, (types, _, own, _) in expected.items()}
    assert groups == expected
    for group, own in zip(found.node_groups, plan.node_groups, strict=True):
        vcpus = own.instance_types[0].vcpus or 0
        assert (group.limit_cpu_millicores or 0) == 1000 * vcpus * (own.max_nodes or 0)
