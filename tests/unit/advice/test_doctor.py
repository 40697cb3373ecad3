"""The doctor's judgements on plain evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from capacity.advice.checkup import check_kinds
from capacity.advice.doctor import diagnose, verdict
from capacity.advice.evidence import (
    CniFacts,
    DnsFacts,
    Evidence,
    GroupFacts,
    NodeFacts,
    PathFacts,
    RoleFacts,
    SubnetFacts,
)

SUBNET = SubnetFacts(
    name="a",
    ident="subnet-1",
    usable=251,
    free=100,
    reserved_prefixes=0,
    free_blocks=5,
    unexplained=0,
    leaked=(),
    step=10,
    control_plane=True,
    serves_nodes=True,
    serves_pods=True,
    nodes=3,
)
NODE = NodeFacts("n", "g", "m5.large", 2, 3, 18, 27, None, 2, None)
CNI = CniFacts("v1.23.1", {}, "ipv4", (), ())


def status(evidence: Evidence, ident: str) -> list[str]:
    return [c.status for c in diagnose(evidence) if c.kind.ident == ident]


def of(**fields: Any) -> Evidence:
    return Evidence(cluster="shop", prefix_mode=False, **fields)


def test_without_evidence_everything_is_unknown_and_nothing_ok() -> None:
    found = diagnose(Evidence("shop", None, missing={"iam-cni": ("denied", "aws iam")}))
    assert [c.kind.ident for c in found] == list(check_kinds())
    assert {c.status for c in found} == {"unknown"}
    assert next((c.evidence, c.command) for c in found if c.kind.ident == "iam-cni") == ("denied", "aws iam")
    assert verdict(found) == "unknown"


@pytest.mark.parametrize(
    ("free", "expected"),
    [(100, "ok"), (51, "ok"), (50, "warn"), (10, "warn"), (9, "fail"), (0, "fail"), (None, "unknown")],
)
def test_free_addresses(free: int | None, expected: str) -> None:
    """A node takes 10 at once; tight is less than a fifth of 251, that is 50.2."""
    assert status(of(subnets=(replace(SUBNET, free=free),)), "subnet-addresses") == [expected]


@pytest.mark.parametrize(("free", "expected"), [(16, "ok"), (15, "warn"), (6, "warn"), (5, "fail"), (None, "unknown")])
def test_room_for_the_control_plane(free: int | None, expected: str) -> None:
    assert status(of(subnets=(replace(SUBNET, free=free),)), "control-plane-addresses") == [expected]


@pytest.mark.parametrize(("blocks", "expected"), [(3, "ok"), (2, "warn"), (0, "fail"), (None, "unknown")])
def test_free_blocks_in_prefix_mode(blocks: int | None, expected: str) -> None:
    evidence = replace(of(subnets=(replace(SUBNET, free_blocks=blocks),)), prefix_mode=True)
    assert status(evidence, "subnet-prefixes") == [expected]
    assert status(replace(evidence, prefix_mode=False), "subnet-prefixes") == ["ok"]
    assert status(replace(evidence, prefix_mode=None), "subnet-prefixes") == ["unknown"]
    nodes_only = replace(SUBNET, free_blocks=0, serves_pods=False)  # custom networking: prefixes come from elsewhere
    assert status(replace(evidence, subnets=(SUBNET, nodes_only)), "subnet-prefixes") == ["ok"]


@pytest.mark.parametrize(("more", "expected"), [(0, "ok"), (4, "warn"), (-4, "warn"), (None, "unknown")])
def test_accounting(more: int | None, expected: str) -> None:
    assert status(of(subnets=(replace(SUBNET, unexplained=more),)), "accounting") == [expected]


def test_leaks() -> None:
    assert status(of(subnets=(replace(SUBNET, leaked=("eni-1",)),)), "leaked-enis") == ["warn"]
    assert status(of(subnets=(SUBNET,)), "leaked-enis") == ["ok"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "ok"),
        ({"enis": 3, "attached": 20}, "ok"),  # the last interface is not full
        ({"enis": 3, "attached": 27}, "warn"),
        ({"enis": 3, "attached": 27, "vpc_pods": 26}, "warn"),
        ({"enis": 3, "attached": 27, "vpc_pods": 27}, "fail"),
        ({"enis": None}, "unknown"),
        ({"max_enis": None, "capacity": None}, "unknown"),
    ],
)
def test_limits_of_nodes(changes: Mapping[str, Any], expected: str) -> None:
    assert status(of(nodes=(replace(NODE, **changes),)), "node-enis") == [expected]


def test_max_pods_of_kubelets_come_before_eks_rules() -> None:
    group = GroupFacts("g", "m5.large", 110, 27, 2)
    assert status(of(groups=(group,)), "max-pods") == ["warn"]
    assert status(of(groups=(group,), nodes=(replace(NODE, max_pods=29),)), "max-pods") == ["ok"]
    assert status(of(groups=(), nodes=(replace(NODE, max_pods=30),)), "max-pods") == ["warn"]
    assert status(of(), "max-pods") == ["unknown"]


@pytest.mark.parametrize(
    ("check", "is_open", "expected"),
    [
        ("sg-node-to-node", True, "ok"),
        ("sg-node-to-node", False, "fail"),
        ("sg-node-to-node", None, "unknown"),
        ("sg-nodes-to-efs", False, "warn"),  # a risk, not an error
    ],
)
def test_paths(check: str, is_open: bool | None, expected: str) -> None:
    assert status(of(paths=(PathFacts(check, "", is_open, "", "aws ec2"),)), check) == [expected]


@pytest.mark.parametrize(
    ("missing", "conditional", "expected"),
    [((), (), "ok"), (("ec2:X",), (), "fail"), ((), ("ec2:X",), "warn"), (None, (), "unknown")],
)
def test_roles(missing: tuple[str, ...] | None, conditional: tuple[str, ...], expected: str) -> None:
    assert status(of(roles=(RoleFacts("iam-cni", "r", missing, conditional, "", ""),)), "iam-cni") == [expected]


@pytest.mark.parametrize(
    ("version", "prefix", "family", "expected"),
    [
        ("v1.23.1-eksbuild.1", False, "ipv4", "ok"),
        ("v1.30.0", False, "ipv4", "ok"),
        ("1.21.0", False, "ipv4", "ok"),
        ("1.20.0", False, "ipv4", "warn"),
        ("1.8.0", True, "ipv4", "fail"),
        ("1.9.0", True, "ipv4", "warn"),
        ("1.10.0", True, "ipv6", "fail"),
        ("main", False, "ipv4", "unknown"),
        (None, False, "ipv4", "unknown"),
    ],
)
def test_versions(version: str | None, prefix: bool, family: str, expected: str) -> None:
    evidence = replace(of(cni=replace(CNI, version=version, ip_family=family)), prefix_mode=prefix)
    assert status(evidence, "cni-version") == [expected]


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, ["ok"]),
        ({"WARM_IP_TARGET": "2", "MINIMUM_IP_TARGET": "10"}, ["ok"]),
        ({"MINIMUM_IP_TARGET": "10"}, ["warn"]),
        ({"WARM_IP_TARGET": "0"}, ["warn"]),
        ({"WARM_ENI_TARGET": "0"}, ["warn"]),
        ({"WARM_ENI_TARGET": "-1"}, ["warn"]),
        ({"WARM_ENI": "1"}, ["warn"]),
        ({"ENABLE_IPv4": "false"}, ["fail"]),
        (None, ["unknown"]),
    ],
)
def test_settings(env: dict[str, str] | None, expected: list[str]) -> None:
    assert status(of(cni=replace(CNI, env=env)), "cni-settings") == expected


def test_what_eks_reports_is_a_failure() -> None:
    assert status(of(cni=replace(CNI, issues=("EKS reports X",))), "cni-settings") == ["fail"]
    assert status(of(cni=replace(CNI, contradictions=("prefixes",))), "cni-settings") == ["warn"]


@pytest.mark.parametrize(
    ("dns", "expected"),
    [
        (DnsFacts(2, 2, None, ()), "ok"),
        (DnsFacts(2, 1, None, ()), "warn"),
        (DnsFacts(1, 1, None, ()), "warn"),
        (DnsFacts(2, 0, None, ()), "fail"),
        (DnsFacts(None, None, "ACTIVE", ()), "ok"),
        (DnsFacts(None, None, "CREATING", ()), "warn"),
        (DnsFacts(None, None, "DEGRADED", ("EKS reports InsufficientNumberOfReplicas",)), "fail"),
    ],
)
def test_coredns(dns: DnsFacts, expected: str) -> None:
    assert status(of(dns=dns), "coredns") == [expected]


def test_every_kind_has_its_texts() -> None:
    for kind in check_kinds().values():
        assert kind.severity in ("error", "warning")
        assert kind.title
        assert kind.why
        assert kind.source


def test_bad_news_come_with_a_command() -> None:
    low = replace(SUBNET, free=3, free_blocks=0, unexplained=2, leaked=("eni-1",))
    evidence = Evidence(
        "shop",
        True,
        subnets=(low,),
        nodes=(replace(NODE, enis=3, attached=27, vpc_pods=27, max_pods=58),),
        cni=CniFacts("1.8.0", {"MINIMUM_IP_TARGET": "10"}, "ipv4", ("x",), ("y",)),
        dns=DnsFacts(1, 0, None, ()),
    )
    bad = [c for c in diagnose(evidence) if c.status in ("fail", "warn")]
    assert len(bad) >= 10
    assert [c.kind.ident for c in bad if not c.command] == []
