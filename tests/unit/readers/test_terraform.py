"""Terraform: the shapes of its JSON, and expressions of .tf text."""

from __future__ import annotations

from ipaddress import IPv4Network as Net
from pathlib import Path
from typing import Any

import pytest

from capacity.errors import SpecError
from capacity.plan.parse import parse_plan
from capacity.readers.complete import complete
from capacity.readers.existing_plan import plan_section, render
from capacity.readers.terraform.expression import Scope, evaluate
from capacity.readers.terraform.resource import module_of, resources_of
from capacity.readers.terraform.source import parse_terraform, read
from capacity.readers.terraform.value import UNKNOWN, Unknown, known_parts


def look(name: str, _: Scope) -> Any:
    roots = {"local": {"azs": ["a", "b", "c"], "cidr": "10.0.0.0/16"}, "var": {"big": True, "size": 3}}
    return roots.get(name, UNKNOWN)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ('"${local.cidr}"', "10.0.0.0/16"),
        ('"a-${local.azs[1]}"', "a-b"),
        ("var.big ? var.size : 0", 3),
        ('[for v in local.azs : upper(v) if v != "b"]', ["A", "C"]),
        ("{for k, v in local.azs : v => k}", {"a": 0, "b": 1, "c": 2}),
        ("slice(local.azs, 0, 2)", ["a", "b"]),
        ("concat([1], [2, 3])", [1, 2, 3]),
        ("merge({a = 1}, {a = 2, b = 3})", {"a": 2, "b": 3}),
        ('jsonencode({env = {X = "1"}})', '{"env":{"X":"1"}}'),
        ('cidrsubnets("10.0.0.0/16", 4, 8)', ["10.0.0.0/20", "10.0.16.0/24"]),
        ("!var.big || length(local.azs) == 3", True),
        ("local.azs[*]", ["a", "b", "c"]),
        ("try(local.none.y, 5)", 5),
        ('lookup({a = 1}, "b", 9)', 9),
    ],
)
def test_expressions(text: str, value: Any) -> None:
    assert evaluate(text, look) == value


@pytest.mark.parametrize(
    "text",
    ["data.x.y", "module.z.out + 1", "cidrsubnet(data.x.cidr, 4, 1)", "1 / 0", "f(", "", '"open', "(" * 500, "a b"],
)
def test_what_a_file_alone_does_not_tell_is_unknown(text: str) -> None:
    assert evaluate(text, look) is UNKNOWN


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('format("subnet-%02d", 3)', "subnet-03"),
        ('format("%.1f", 2)', "2.0"),
        ('format("%s-%d%%", "a", 5)', "a-5%"),
        ('concat([["a"], ["b"]]...)', ["a", "b"]),
        ("tostring(true)", "true"),
        ("tostring(1.5)", "1.5"),
        ('join(",", [true, false, 2])', "true,false,2"),
        ("-7 % 3", -1),
        ("7 % -3", 1),
        ("7 / 2", 3.5),
        ("6 / 2", 3),
        ("true == 1", False),
        ('"1" == 1', False),
        ("[1, true] == [1, 1]", False),
        ("contains([1], true)", False),
        ("contains([true, 1], 1)", True),
        ('tonumber("1.5")', 1.5),
        ("12345678901234567890", 12345678901234567890),
        ("12345678901234567890 + 1", 12345678901234567891),
        ('toset(["b", "a", "b"])', ["a", "b"]),
        ("distinct([1, true, 1])", ["1", "true"]),
        ('compact(["a", "", null])', ["a"]),
        ("range(3)", [0, 1, 2]),
        ("range(4, 1)", [4, 3, 2]),
        ("range(1, 8, 3)", [1, 4, 7]),
        ("element([1, 2], 3)", 2),
        ('[for k, v in {b = 1, a = 2} : "${k}${v}"]', ["a2", "b1"]),
        ("{for v in [1, 2, 3] : v % 2 => v...}", {"1": [1, 3], "0": [2]}),
        ('jsonencode({b = "<", a = [1, null]})', '{"a":[1,null],"b":"\\u003c"}'),
        ("max(2, 10)", 10),
        ('!"false"', True),
        ("data.x.y && false", False),
        ("data.x.y || true", True),
        ("try([1][5], local.azs[9], 7)", 7),
        ('coalesce(null, "", "c")', "c"),
        ("local.cidr[*]", ["10.0.0.0/16"]),
        ("null[*]", []),
    ],
)
def test_expressions_have_the_values_that_terraform_gives(text: str, value: Any) -> None:
    """Each by the documentation of the function or operator: developer.hashicorp.com/terraform/language (1.9)."""
    found = known_parts(evaluate(text, look))
    assert found == value
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    "text",
    [
        'replace("a.b", "/\\./", "-")',  # a regular expression
        "try(data.x.y, 5)",  # the data source may have it
        "coalesce(data.x.y, 5)",
        'format("%d", 1.5)',
        'format("%s %s", "a")',
        'format("%s", "a", "b")',
        "range(2000)",
        "element([1], -1)",
        "slice([1, 2], -2, 2)",
        "slice([1, 2], 0, 3)",
        "true > 0",
        '"a" && true',
        '"${null}-a"',
        'length("süd")',
        '{for v in ["a", "a"] : v => 1}',
        "{for v in [1] : data.x.y => v}",
        "[for v in [1, 2] : v if data.x.y]",
        "contains([data.x.y], 1)",
        "[data.x.y] == [1]",
        'max("a", 2)',
        'tonumber("a")',
        "zipmap([1, 2], [3])",
    ],
)
def test_what_terraform_refuses_or_a_file_does_not_tell_is_unknown(text: str) -> None:
    assert isinstance(evaluate(text, look), Unknown)


def test_modules_of_an_address() -> None:
    assert module_of('module.eks.module.group["a.b"].aws_eks_node_group.this[0]') == ("eks", 'group["a.b"]')


def resource(kind: str, name: str, values: dict[str, Any]) -> dict[str, Any]:
    return {"address": f"{kind}.{name}", "mode": "managed", "type": kind, "name": name, "values": values}


def test_a_raw_state_and_its_counted_instances() -> None:
    state = {
        "version": 4,
        "terraform_version": "1.9.0",
        "resources": [
            {
                "mode": "managed",
                "type": "aws_subnet",
                "name": "a",
                "instances": [
                    {"index_key": i, "attributes": {"id": f"subnet-{i}", "cidr_block": f"10.0.{i}.0/24"}}
                    for i in range(2)
                ],
            }
        ],
    }
    assert [r.address for r in resources_of(state, "s")] == ["aws_subnet.a[0]", "aws_subnet.a[1]"]
    draft = parse_terraform(state, "s")
    assert [(s.id, str(s.cidr)) for s in draft.subnets] == [("subnet-0", "10.0.0.0/24"), ("subnet-1", "10.0.1.0/24")]


def test_what_is_deleted_is_not_planned_and_targets_come_from_the_prior_state() -> None:
    gone, kept = (resource("aws_subnet", n, {"cidr_block": f"10.0.{i}.0/24"}) for i, n in enumerate(("gone", "kept")))
    plan = {
        "format_version": "1.2",
        "planned_values": {"root_module": {}},
        "prior_state": {"values": {"root_module": {"resources": [gone, kept]}}},
        "resource_changes": [{"address": "aws_subnet.gone", "change": {"actions": ["delete"]}}],
    }
    assert [s.name for s in parse_terraform(plan).subnets] == ["kept"]


def test_of_two_vpcs_the_one_with_the_clusters_subnets_is_taken() -> None:
    resources = [
        resource("aws_vpc", "a", {"id": "vpc-a", "cidr_block": "10.0.0.0/16"}),
        resource("aws_vpc", "b", {"id": "vpc-b", "cidr_block": "10.1.0.0/16"}),
        *(resource("aws_subnet", f"a{i}", {"vpc_id": "vpc-a", "cidr_block": f"10.0.{i}.0/24"}) for i in range(3)),
        resource("aws_subnet", "b", {"id": "subnet-b", "vpc_id": "vpc-b", "cidr_block": "10.1.0.0/24"}),
        resource("aws_eks_cluster", "c", {"name": "c", "vpc_config": [{"subnet_ids": ["subnet-b"]}]}),
    ]
    draft = parse_terraform({"values": {"root_module": {"resources": resources}}})
    assert [str(c) for c in draft.vpc_cidrs] == ["10.1.0.0/16"]
    assert [s.name for s in draft.subnets] == ["b"]


def reservation(name: str, cidr: str | None, kind: str = "prefix", subnet: str = "subnet-1") -> dict[str, Any]:
    values = {"cidr_block": cidr, "reservation_type": kind, "subnet_id": subnet}
    return resource("aws_ec2_subnet_cidr_reservation", name, values)


def test_cidr_reservations_of_subnets() -> None:
    resources = [
        resource("aws_subnet", "a", {"id": "subnet-1", "cidr_block": "10.0.0.0/24"}),
        resource("aws_subnet", "b", {"id": "subnet-2", "cidr_block": "10.0.1.0/24"}),
        reservation("last", "10.0.0.128/25"),
        reservation("first", "10.0.0.16/32", "explicit"),
        reservation("v6", "2001:db8::/80", "explicit"),
        reservation("outside", "10.0.1.0/28"),
        reservation("twice", "10.0.0.192/26", "explicit"),
        reservation("small", "10.0.0.32/29"),
        reservation("odd", "10.0.0.32/28", "soft"),
        reservation("later", None),
        reservation("elsewhere", "10.0.0.32/28", "prefix", "subnet-9"),
    ]
    draft = parse_terraform({"values": {"root_module": {"resources": resources}}})
    expected = ((Net("10.0.0.16/32"), "explicit"), (Net("10.0.0.128/25"), "prefix"))
    assert [(s.name, s.reservations) for s in draft.subnets] == [("a", expected), ("b", None)]
    told = [n.text for n in draft.notes if "aws_ec2_subnet_cidr_reservation" in n.text]
    for name in ("outside", "twice", "small", "odd", "later", "elsewhere"):
        assert sum(f"reservation.{name}: " in text and text.endswith(": ignored") for text in told) == 1
    assert len(told) == 6


def test_a_reservation_of_text_reaches_the_plan(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(
        'resource "aws_vpc" "v" {\n  cidr_block = "10.7.0.0/16"\n}\n'
        'resource "aws_subnet" "s" {\n  vpc_id = aws_vpc.v.id\n  availability_zone = "us-east-1a"\n'
        '  cidr_block = "10.7.0.0/24"\n}\n'
        'resource "aws_ec2_subnet_cidr_reservation" "r" {\n  subnet_id = aws_subnet.s.id\n'
        '  cidr_block = cidrsubnet(aws_subnet.s.cidr_block, 2, 1)\n  reservation_type = "prefix"\n}\n'
    )
    draft = read([str(tmp_path)])
    assert [s.reservations for s in draft.subnets] == [((Net("10.7.0.64/26"), "prefix"),)]
    plan = parse_plan(plan_section(render(complete(draft)), "plan.yaml"), "plan.yaml")
    assert [(str(r.cidr), r.type) for r in plan.subnets[0].reservations] == [("10.7.0.64/26", "prefix")]


def test_an_autoscaling_group_is_a_node_group_by_its_tag() -> None:
    node = {"min_size": 1, "max_size": 4, "desired_capacity": 2, "tag": [{"key": "kubernetes.io/cluster/x"}]}
    template = {
        "id": "lt-1",
        "instance_type": "m5.large",
        "user_data": "IyEvYmluL3NoCi9ldGMvZWtzL2Jvb3RzdHJhcC5zaCB4IC0tbWF4LXBvZHM9NTAK",
    }
    resources = [
        resource("aws_launch_template", "t", template),
        resource("aws_autoscaling_group", "n", {"name": "n", "launch_template": [{"id": "lt-1"}], **node}),
        resource("aws_autoscaling_group", "other", {"name": "o", "min_size": 1, "max_size": 1}),
    ]
    draft = parse_terraform({"values": {"root_module": {"resources": resources}}})
    assert [(g.name, g.instance_types, g.max_nodes, g.max_pods) for g in draft.node_groups] == [
        ("n", ("m5.large",), 4, 50)
    ]
    assert any("aws_autoscaling_group.other" in n.text for n in draft.notes)


def test_manifests_in_terraform_are_read_too() -> None:
    head = "apiVersion: crd.k8s.amazonaws.com/v1alpha1\nkind: ENIConfig\n"
    body = head + "metadata: {name: us-east-1a}\nspec: {subnet: subnet-9}\n"
    draft = parse_terraform(
        {"values": {"root_module": {"resources": [resource("kubectl_manifest", "e", {"yaml_body": body})]}}}
    )
    assert draft.pod_subnets == ("subnet-9",)


def test_a_state_of_terraform_0_11_is_refused() -> None:
    with pytest.raises(SpecError, match=r"0\.11"):
        resources_of({"version": 3, "modules": []}, "old.tfstate")


def test_counted_resources_and_references_of_text(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(
        'variable "kind" {}\n'
        'resource "aws_vpc" "v" {\n  cidr_block = "10.7.0.0/16"\n}\n'
        'resource "aws_subnet" "s" {\n  count = 2\n  vpc_id = aws_vpc.v.id\n'
        "  cidr_block = cidrsubnet(aws_vpc.v.cidr_block, 8, count.index)\n}\n"
        'resource "aws_eks_node_group" "g" {\n  node_group_name = "g"\n  subnet_ids = aws_subnet.s[*].id\n'
        "  instance_types = [var.kind]\n"
        "  scaling_config {\n    min_size = 1\n    max_size = 2\n    desired_size = 1\n  }\n}\n"
    )
    draft = read([str(tmp_path)])
    assert [str(s.cidr) for s in draft.subnets] == ["10.7.0.0/24", "10.7.1.0/24"]
    group = draft.node_groups[0]
    assert (group.subnets, group.instance_types, group.max_nodes) == (("s[0]", "s[1]"), None, 2)


def test_broken_text_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text('resource "aws_vpc" {\n')
    with pytest.raises(SpecError, match=r"a\.tf.*not valid HCL"):
        read([str(tmp_path / "a.tf")])


def test_the_tags_that_subnet_discovery_reads_come_along() -> None:
    tags = {"Name": "pods", "kubernetes.io/role/cni": "1", "cni.networking.k8s.aws/cluster/x": "shared", "team": "a"}
    resources = [
        resource("aws_subnet", "pods", {"cidr_block": "10.0.0.0/24", "tags": tags}),
        resource("aws_subnet", "nodes", {"cidr_block": "10.0.1.0/24", "tags": {"Name": "nodes"}}),
    ]
    pods, nodes = parse_terraform({"values": {"root_module": {"resources": resources}}}).subnets
    assert pods.tags == (("kubernetes.io/role/cni", "1"), ("cni.networking.k8s.aws/cluster/x", "shared"))
    assert nodes.tags is None


@pytest.mark.parametrize(
    "text",
    [
        "element([], 3)",
        "1 / 0",
        'cidrsubnet("10.0.0.0/16", 999999999, 1)',
        'cidrsubnets("10.0.0.0/16", -99999999, 2)',
        'format("%d %s", "a")',
        "[for a in range(9999) : [for b in range(9999) : b]]",
        "slice(5, 1, 2)",
    ],
)
def test_what_has_no_value_or_no_end_is_unknown(text: str) -> None:
    assert evaluate(text, look) is UNKNOWN


def test_braces_in_a_format_are_text() -> None:
    assert evaluate('format("{:>9999999999}-%s-%%", "a")', look) == "{:>9999999999}-a-%"


def test_locals_that_double_themselves_end_soon(tmp_path: Path) -> None:
    doubled = "\n".join(f"  a{i} = [local.a{i + 1}, local.a{i + 1}]" for i in range(60))
    (tmp_path / "main.tf").write_text(
        f'locals {{\n{doubled}\n  a60 = ["x"]\n}}\n'
        'resource "aws_subnet" "s" {\n  cidr_block = "10.0.0.0/24"\n  tags = { Name = jsonencode(local.a0) }\n}\n'
    )
    assert [str(s.cidr) for s in read([str(tmp_path / "main.tf")]).subnets] == ["10.0.0.0/24"]


def test_instances_beyond_the_first_thousand_are_told(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('resource "aws_subnet" "s" {\n  count = 5000\n  cidr_block = "10.0.0.0/24"\n}\n')
    found = read([str(tmp_path / "main.tf")])
    assert len(found.subnets) == 1000
    assert any("the first 1,000 of 5,000 are read" in n.text for n in found.notes)
