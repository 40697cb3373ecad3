"""Security groups and roles: who reaches whom, who may do what."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from capacity.readers.aws.answers import AwsAnswers
from capacity.readers.aws.aws_cluster import parse_cluster
from capacity.readers.aws.paths import ANY, Side, reachable
from capacity.readers.aws.roles import built_in, decoded_policy, judged, required_actions, role_facts

NODES = Side(frozenset({"sg-n"}), frozenset({167772170}), "nodes")  # 10.0.0.10
OTHER = Side(frozenset({"sg-o"}), frozenset({167772426}), "other")  # 10.0.1.10
OPEN = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]


def rule(low: int = 443, high: int = 443, protocol: str = "tcp", **peer: Any) -> dict[str, Any]:
    return {"IpProtocol": protocol, "FromPort": low, "ToPort": high, **peer}


def groups(into: list[dict[str, Any]], out: list[dict[str, Any]] | None = None) -> dict[str, dict[str, Any]]:
    """Rules of `other`, and the egress of the nodes."""
    return {
        "sg-n": {"GroupId": "sg-n", "IpPermissions": [], "IpPermissionsEgress": OPEN if out is None else out},
        "sg-o": {"GroupId": "sg-o", "IpPermissions": into, "IpPermissionsEgress": []},
    }


PEER: dict[str, Any] = {"UserIdGroupPairs": [{"GroupId": "sg-n"}]}


@pytest.mark.parametrize(
    ("rules", "state"),
    [
        ([rule(**PEER)], True),
        ([rule(protocol="6", **PEER)], True),
        ([rule(0, 65535, **PEER)], True),
        ([{"IpProtocol": "-1", **PEER}], True),
        ([rule(IpRanges=[{"CidrIp": "10.0.0.0/24"}])], True),
        ([rule(IpRanges=[{"CidrIp": "10.0.1.0/24"}])], False),  # another subnet's block
        ([rule(IpRanges=[{"CidrIp": "nonsense"}])], False),
        ([rule(444, 500, **PEER)], False),
        ([rule(protocol="udp", **PEER)], False),
        ([rule(UserIdGroupPairs=[{"GroupId": "sg-x"}])], False),
        ([], False),
        ([rule(PrefixListIds=[{"PrefixListId": "pl-1"}])], None),  # what it holds is not known
    ],
)
def test_ingress(rules: list[dict[str, Any]], state: bool | None) -> None:
    assert reachable(NODES, OTHER, "tcp", (443,), groups(rules))[0] is state


def test_egress_counts_too() -> None:
    found, why = reachable(NODES, OTHER, "tcp", (443,), groups([rule(**PEER)], out=[]))
    assert found is False
    assert "no egress rule of sg-n" in why


def test_groups_that_are_not_listed_are_unknown() -> None:
    assert reachable(NODES, OTHER, "tcp", (443,), {"sg-n": groups([])["sg-n"]})[0] is None


def test_rules_of_several_groups_add_up() -> None:
    both = Side(frozenset({"sg-o", "sg-p"}), OTHER.addresses, "other")
    rules = groups([]) | {"sg-p": {"GroupId": "sg-p", "IpPermissions": [rule(**PEER)]}}
    assert reachable(NODES, both, "tcp", (443,), rules)[0] is True


def test_some_port_is_enough_where_the_port_is_not_known() -> None:
    assert reachable(NODES, OTHER, "tcp", (ANY,), groups([rule(30000, 32767, **PEER)]))[0] is True


def test_a_balancer_without_a_group_is_seen_by_its_addresses() -> None:
    bare = Side(frozenset(), frozenset({167772170}), "NLB front")
    assert reachable(bare, OTHER, "tcp", (ANY,), groups([rule(IpRanges=[{"CidrIp": "10.0.0.0/8"}])]))[0] is True
    found, why = reachable(bare, OTHER, "tcp", (ANY,), groups([]))
    assert found is None
    assert "client addresses" in why


# --- roles ----------------------------------------------------------------------------------


def policy(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}]}


@pytest.mark.parametrize(
    ("documents", "allowed", "conditional"),
    [
        ([policy("ec2:CreateTags")], True, False),
        ([policy("ec2:*")], True, False),
        ([policy("EC2:createtag?")], True, False),
        ([policy("*")], True, False),
        ([{"Statement": {"Effect": "Allow", "Action": "ec2:CreateTags"}}], True, False),
        ([{"Statement": [{"Effect": "Allow", "NotAction": ["iam:*"]}]}], True, False),
        ([{"Statement": [{"Effect": "Allow", "NotAction": ["ec2:*"]}]}], False, False),
        ([policy("ec2:CreateTag")], False, False),
        ([policy("ec2:CreateTags", Condition={"StringEquals": {"a": "b"}})], False, True),
        ([policy("*"), {"Statement": [{"Effect": "Deny", "Action": "ec2:Create*"}]}], False, False),
        ([policy("*"), {"Statement": [{"Effect": "Deny", "Action": "*", "Condition": {"x": 1}}]}], True, False),
        ([{}], False, False),
    ],
)
def test_what_a_policy_allows(documents: list[dict[str, Any]], allowed: bool, conditional: bool) -> None:
    plain, bound = judged(documents, ["ec2:CreateTags"])
    assert ("ec2:CreateTags" in plain, "ec2:CreateTags" in bound) == (allowed, conditional)


def test_policies_come_url_encoded_from_the_api() -> None:
    assert decoded_policy(quote(json.dumps(policy("a:B")))) == policy("a:B")
    assert decoded_policy("no json") == {}
    assert decoded_policy(None) == {}


def test_the_cnis_own_policy_is_enough_for_ipv4_and_not_for_ipv6() -> None:
    own = [built_in("AmazonEKS_CNI_Policy")]
    ipv4, ipv6 = required_actions("cni", "ipv4"), required_actions("cni", "ipv6")
    assert len(ipv4) == 13
    assert judged(own, ipv4)[0] == set(ipv4)
    assert set(ipv6) - judged(own, ipv6)[0] == {"ec2:AssignIpv6Addresses"}
    assert built_in("AdministratorAccess") == {}


def facts(role: dict[str, Any] | None, *policies: dict[str, Any], **addon: Any) -> Any:
    items: dict[str, Any] = {
        "cluster": ({"name": "shop", "resourcesVpcConfig": {"vpcId": "vpc-1"}},),
        "nodegroups": ({"nodegroupName": "g", "clusterName": "shop", "nodeRole": "arn:aws:iam::1:role/n"},),
        "addons": ({"addonName": "vpc-cni", "clusterName": "shop", **addon},),
        "policies": policies,
    }
    if role:
        items["roles"] = (role,)
    return role_facts(parse_cluster(AwsAnswers(items=items)))


def attached(*names: str, account: str = "aws") -> list[dict[str, str]]:
    return [{"PolicyName": n, "PolicyArn": f"arn:aws:iam::{account}:policy/{n}"} for n in names]


def test_roles_by_their_policies() -> None:
    role = {"RoleName": "n", "AttachedManagedPolicies": attached("AmazonEKS_CNI_Policy"), "RolePolicyList": []}
    cni, nodes = facts(role)
    assert (cni.check, cni.missing) == ("iam-cni", ())
    assert nodes.missing == ("ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
    assert "AmazonEC2ContainerRegistryPullOnly" in nodes.command


def test_a_policy_without_its_text_is_unknown() -> None:
    role = {"RoleName": "n", "AttachedManagedPolicies": attached("ours", account="1"), "RolePolicyList": []}
    cni, _ = facts(role)
    assert cni.missing is None
    assert "the text of ours is not in the input" in cni.reason
    text = {
        "Arn": "arn:aws:iam::1:policy/ours",
        "PolicyVersionList": [{"IsDefaultVersion": True, "Document": policy("*")}],
    }
    assert [r.missing for r in facts(role, text)] == [(), ()]


def test_the_cnis_own_role_and_pod_identity() -> None:
    cni, nodes = facts(None, serviceAccountRoleArn="arn:aws:iam::1:role/path/cni")
    assert (cni.name, nodes.name) == ("cni", "n")
    assert cni.missing is None
    (cni, _) = facts(None, podIdentityAssociations=["arn:x"])
    assert "Pod Identity" in cni.reason
