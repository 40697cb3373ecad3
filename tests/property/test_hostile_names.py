"""As many resources out as subnets in, whatever they are called: every snippet is read back in its own language."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Sequence
from ipaddress import IPv4Network
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hcl2
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.advice.snippets import subnets as subnet_snippets
from capacity.advice.snippets.groups import group_subnets_snippets, new_subnets_snippets
from capacity.advice.snippets.identifiers import logical_ids, shell_variables, terraform_names
from capacity.advice.snippets.subnets import aws_cli_of, cloudformation_of, reservation_snippets, terraform_of
from capacity.catalog.table import load_catalog
from capacity.errors import SpecError
from capacity.plan.document import parse_json, parse_yaml
from capacity.plan.fields import Field
from capacity.plan.model import NodeGroup, Reservation, Subnet
from capacity.plan.parse import parse_plan
from capacity.plan.patch import apply_patch, entry, parse_settings
from capacity.readers.terraform.source import read as read_terraform

KNOWN = (
    "private-1-1",
    "private-11",
    "private 11",
    "a]b",
    "a[0]",
    '"',
    "'",
    '"]',
    "a=b",
    "0",
    "+",
    "[+]",
    "***",
    "___",
    "%",
    "${x}",
    "$${x}",
    "%{x}",
    "$(id)",
    "`id`",
    "a,b",
    "ID",
    "PATH",
    "path",
    "VPC_ID",
    "_",
    "-",
    "--help",
    "#",
    "# a",
    "a: b",
    "- a",
    "null",
    "true",
    "1.0",
    "{}",
    "&a",
    "*a",
    "!x",
    "|",
    ">",
    "私",
    "子",
    "é",
    "e\u0301",
    "\u200d",
    "\u202e",
    "\u00a0",
    "\ufeff",
    "\U0001f600",
    "<b>",
    "a\\",
    "\\",
    "a/b",
    "~",
    "=",
    "@x",
    "::error::",
    "a  b",
    "x" * 253,
    "Subnet",
    "SUBNET",
    "subnet",
    "subnet_2",
    "subnetx2",
)


def allowed(name: str) -> bool:
    """Whether a plan takes the name: control characters and line ends are refused there, with a reason."""
    try:
        Field(name, "name", None, None, "").name()
    except SpecError:
        return False
    return True


NAMES = st.one_of(
    st.sampled_from(KNOWN), st.text(min_size=1, max_size=30), st.text(alphabet="a1-_ ]\"'$,{", min_size=1, max_size=6)
).filter(allowed)
LISTS = st.lists(NAMES, min_size=1, max_size=6, unique=True)


def subnets(names: Sequence[str]) -> list[Subnet]:
    found = []
    for i, name in enumerate(names):
        cidr = IPv4Network(f"10.0.{i}.0/24")
        reserved = (Reservation(IPv4Network(f"10.0.{i}.64/26"), "prefix"),)
        found.append(Subnet(name, "us-east-1a", cidr, reservations=reserved))
    return found


@given(LISTS)
def test_identifiers_are_distinct_and_legal(names: list[str]) -> None:
    for make, form in (
        (terraform_names, r"[A-Za-z_][A-Za-z0-9_]*"),
        (shell_variables, r"[A-Za-z_][A-Za-z0-9_]*"),
        (logical_ids, r"[A-Za-z0-9]{1,255}"),
    ):
        words = make(names)
        assert list(words) == names
        assert len(set(words.values())) == len(names)
        assert all(re.fullmatch(form, word) for word in words.values())
    assert not {"PATH", "VPC_ID", "IFS", "path", "_"} & set(shell_variables(names).values())


@settings(max_examples=25)
@given(LISTS)
def test_terraform(names: list[str]) -> None:
    blocks = hcl2.loads(terraform_of(subnets(names), [IPv4Network("10.0.0.0/16")]) + "\n")["resource"]
    kinds = [(kind.strip('"'), name.strip('"')) for b in blocks for kind, inner in b.items() for name in inner]
    assert len(set(kinds)) == len(kinds)
    assert sum(kind == "aws_subnet" for kind, _ in kinds) == len(names)
    assert sum(kind == "aws_ec2_subnet_cidr_reservation" for kind, _ in kinds) == len(names)


def test_terraform_by_our_own_reader(tmp_path: Path) -> None:
    names = [name for name in KNOWN if allowed(name)]
    path = tmp_path / "main.tf"
    vpc = 'variable "vpc_id" {}\nresource "aws_vpc" "x" {\n  cidr_block = "10.0.0.0/16"\n}\n'
    path.write_text(vpc + terraform_of(subnets(names)).replace("var.vpc_id", "aws_vpc.x.id") + "\n", "utf-8")
    draft = read_terraform([str(path)])
    assert sorted(str(s.cidr) for s in draft.subnets) == sorted(str(s.cidr) for s in subnets(names))


@given(LISTS)
def test_cloudformation(names: list[str]) -> None:
    sizing: Any = SimpleNamespace(
        plan=SimpleNamespace(subnet={s.name: s for s in subnets(names)}.__getitem__),
        subnets=[SimpleNamespace(name=n, kept=False) for n in names],
        added_blocks=[IPv4Network("10.0.0.0/16")],
    )
    found = yaml.safe_load(subnet_snippets.cloudformation(sizing))["Resources"]
    made = [r for r in found.values() if r["Type"] == "AWS::EC2::Subnet"]
    assert [r["Properties"]["Tags"][0]["Value"] for r in made] == names
    assert len(cloudformation_of(subnets(names))) == len(names)


@given(LISTS)
def test_eksctl_and_the_plan(names: list[str]) -> None:
    new = subnets(names)
    sized = [SimpleNamespace(name=s.name, zone=s.zone, cidr=s.cidr, kept=False, serves="nodes") for s in new]
    plan = SimpleNamespace(
        subnet={s.name: s for s in new}.__getitem__, subnets=new, vpc_cidrs=[IPv4Network("10.0.0.0/16")]
    )
    sizing: Any = SimpleNamespace(plan=plan, subnets=sized, added_blocks=[])
    private = yaml.safe_load(subnet_snippets.eksctl(sizing))["vpc"]["subnets"]["private"]
    assert list(private) == names
    text = "apiVersion: capacity/v1\nregion: us-east-1\n" + subnet_snippets.plan_yaml(sizing)
    assert [s.name for s in parse_plan(parse_yaml(text, "plan"), "plan").subnets] == names


@given(LISTS)
def test_the_words_of_a_shell(names: list[str]) -> None:
    lines = aws_cli_of(subnets(names))
    assert all("\n" not in line for line in lines)
    variables = [line.split("=$(", 1)[0] for line in lines if "create-subnet " in line]
    assert len(set(variables)) == len(names)
    reserved = [shlex.split(line)[4] for line in lines if "create-subnet-cidr-reservation" in line]
    assert reserved == [f"${word}" for word in variables]
    new = [*new_subnets_snippets(subnets(names))]
    made = [shlex.split(line) for line in new if not line.startswith("#")]
    tags = [json.loads(words[words.index("--tag-specifications") + 1])[0]["Tags"][0]["Value"] for words in made]
    assert tags == names
    assert sum(line.startswith("# CloudFormation") for line in new) == len(names)
    held = [*reservation_snippets({n: [IPv4Network("10.0.0.0/26")] for n in names})]
    resources = [line for line in held if 'resource "aws_ec2_subnet_cidr_reservation"' in line]
    assert len(set(resources)) == len(resources) == len(names)


def test_a_real_shell_calls_once_per_subnet(tmp_path: Path) -> None:
    names = [name for name in KNOWN if allowed(name)]
    log = tmp_path / "log"
    fake = f"""aws() {{ printf '%s\\0' "$@" 'END' >>{shlex.quote(str(log))}; echo subnet-1; }}\nVPC_ID=vpc-1\n"""
    script = fake + "\n".join(aws_cli_of(subnets(names))) + "\n"
    subprocess.run(["bash", "-euc", script], check=True, capture_output=True, cwd=tmp_path)
    calls = [call.split("\0")[:-1] for call in log.read_text("utf-8").split("END\0")[:-1]]
    created = [c for c in calls if c[1] == "create-subnet"]
    assert all(c[2:4] == ["--vpc-id", "vpc-1"] for c in created)
    assert [json.loads(c[c.index("--tag-specifications") + 1])[0]["Tags"][0]["Value"] for c in created] == names
    reserved = [c for c in calls if c[1] == "create-subnet-cidr-reservation"]
    assert len(reserved) == len(names)
    assert all(c[c.index("--subnet-id") + 1] == "subnet-1" for c in reserved)


@given(LISTS, st.sampled_from(("managed", "self-managed", "karpenter", "auto", "fargate")))
def test_the_subnets_of_a_group(names: list[str], provisioner: str) -> None:
    group = NodeGroup(
        name=names[0], instance_types=(load_catalog().get("m5.large"),), subnets=(), provisioner=provisioner
    )
    for line in group_subnets_snippets(group, names, ()):
        if line.startswith("#"):
            assert "\n" not in line
            continue
        words = shlex.split(line)
        if provisioner in ("karpenter", "auto"):
            assert len(json.loads(words[-1])["spec"]["subnetSelectorTerms"]) == len(names)
        elif provisioner == "self-managed":
            assert len(words[-1].split(",")) == len(names)
        else:
            assert len(words[words.index("--subnets") + 1 :]) == len(names)


@given(LISTS, st.data())
def test_a_path_reaches_every_name(names: list[str], data: st.DataObject) -> None:
    entries = [{"name": n, "nodes": {"max": "1"}} for n in names]
    document = parse_json(json.dumps({"nodeGroups": entries}), "plan")
    name = data.draw(st.sampled_from(names))
    path = entry("nodeGroups", name, "nodes.max")
    assert path.isprintable()
    changed: Any = apply_patch(document, parse_settings([f"{path}=7"]))
    assert {g["name"]: g["nodes"]["max"] for g in changed["nodeGroups"]} == {
        n: "7" if n == name else "1" for n in names
    }


@pytest.mark.parametrize("bad", ["a\nb", "a\r", "\x1b[31m", "\x00", "a\x85b", "a\u2028b", " ", ""])
def test_the_plan_refuses_what_no_line_can_hold(bad: str) -> None:
    assert not allowed(bad)
