"""CloudFormation's functions, and node groups of templates."""

from __future__ import annotations

from typing import Any

import pytest

from capacity.readers.cloudformation.intrinsics import Resolver
from capacity.readers.cloudformation.partial_values import Unresolved
from capacity.readers.cloudformation.template import parse_cloudformation
from capacity.readers.decode import parse_documents

TEMPLATE = {
    "Parameters": {
        "Types": {"Type": "String", "Default": "m5.large,c5.large"},
        "List": {"Type": "CommaDelimitedList", "Default": "a, b"},
        "Empty": {"Type": "String", "Default": ""},
        "Open": {"Type": "String"},
        "Number": {"Type": "Number", "Default": "3"},
    },
    "Mappings": {"M": {"x": {"y": "found"}}},
    "Conditions": {
        "Yes": {"Fn::Equals": [{"Ref": "Number"}, "3"]},
        "No": {"Fn::Not": [{"Condition": "Yes"}]},
        "Both": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]},
        "Any": {"Fn::Or": [{"Fn::Equals": [{"Ref": "Open"}, "1"]}, {"Condition": "Yes"}]},
        "IsEmpty": {"Fn::Equals": [{"Ref": "Empty"}, ""]},
        "Loop": {"Fn::Not": [{"Condition": "Loop"}]},
    },
    "Resources": {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}},
}


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ({"Ref": "Number"}, "3"),
        ({"Ref": "List"}, ["a", "b"]),
        ({"Fn::Select": ["1", {"Fn::Split": [",", {"Ref": "Types"}]}]}, "c5.large"),
        ({"Fn::Sub": "10.${Number}.0.0/16"}, "10.3.0.0/16"),
        ({"Fn::Sub": ["${a}-${!kept}", {"a": {"Ref": "Number"}}]}, "3-${kept}"),
        ({"Fn::Join": ["", ["10.", {"Ref": "Number"}, ".0.0/16"]]}, "10.3.0.0/16"),
        ({"Fn::FindInMap": ["M", "x", "y"]}, "found"),
        ({"Fn::If": ["Yes", 1, 2]}, 1),
        ({"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}, None),
        ({"Fn::If": ["Both", 1, 2]}, 2),
        ({"Fn::If": ["Any", 1, 2]}, 1),
        ({"Fn::If": ["IsEmpty", "kept", "other"]}, "kept"),
        ({"Fn::GetAtt": ["Vpc", "CidrBlock"]}, "10.0.0.0/16"),
        ({"Fn::Cidr": [{"Fn::GetAtt": ["Vpc", "CidrBlock"]}, "2", "8"]}, ["10.0.0.0/24", "10.0.1.0/24"]),
        ({"Fn::Cidr": ["10.0.0.0/16", 2]}, ["10.0.0.0/24", "10.0.1.0/24"]),  # 8 host bits where none are stated
        ({"Fn::Select": [1, {"Fn::GetAZs": "us-east-1"}]}, "us-east-1b"),
    ],
)
def test_functions(raw: Any, value: Any) -> None:
    assert Resolver(TEMPLATE).value(raw) == value


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ({"Ref": "Open"}, "the parameter Open has no default"),
        ({"Ref": "AWS::AccountId"}, "known only in the account"),
        ({"Fn::ImportValue": "net-Subnets"}, "exported by another stack"),
        ({"Fn::Sub": "${AWS::StackName}-x"}, "AWS::StackName is not known"),
        ({"Fn::Select": [9, ["a"]]}, "beyond the list"),
        ({"Fn::If": ["Loop", 1, 2]}, "condition Loop"),
        ({"Fn::Cidr": [{"Fn::GetAtt": ["Vpc", "CidrBlock"]}, 256, 12]}, "more than the block contains"),
        ("{{resolve:ssm:/x}}", "looked up when the stack is created"),
    ],
)
def test_what_the_template_does_not_give_says_why(raw: Any, why: str) -> None:
    value = Resolver(TEMPLATE).value(raw)
    assert isinstance(value, Unresolved)
    assert why in value.why


def test_short_tags_are_the_long_form() -> None:
    document = parse_documents("a: !Sub '${X}'\nb: !GetAtt [A, B]\nc: !GetAtt A.B.C\nd: !If [X, !Ref Y, 1]\n", "t")[0]
    assert document == {
        "a": {"Fn::Sub": "${X}"},
        "b": {"Fn::GetAtt": ["A", "B"]},
        "c": {"Fn::GetAtt": ["A", "B.C"]},
        "d": {"Fn::If": ["X", {"Ref": "Y"}, "1"]},
    }


def test_self_managed_nodes_with_a_launch_template_and_overrides() -> None:
    template = """
Resources:
  Launch:
    Type: AWS::EC2::LaunchTemplate
    Properties:
      LaunchTemplateData: {InstanceType: m5.large, UserData: !Base64 "/etc/eks/bootstrap.sh x --max-pods 40"}
  Nodes:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties:
      MinSize: "1"
      MaxSize: "5"
      VPCZoneIdentifier: [subnet-1, subnet-2]
      LaunchTemplate: {LaunchTemplateId: !Ref Launch, Version: !GetAtt Launch.LatestVersionNumber}
  Other: {Type: AWS::AutoScaling::AutoScalingGroup, Properties: {MinSize: "1", MaxSize: "1"}}
"""
    draft = parse_cloudformation(parse_documents(template, "t")[0], "t.yaml")
    group = draft.node_groups[0]
    assert (group.name, group.min_nodes, group.max_nodes, group.max_pods) == ("Nodes", 1, 5, 40)
    assert (group.instance_types, group.subnets) == (("m5.large",), ("subnet-1", "subnet-2"))
    assert len(draft.node_groups) == 1
    assert any("Other: its instances are not known" in n.text for n in draft.notes)


def test_the_tags_that_subnet_discovery_reads_come_along() -> None:
    properties = {"CidrBlock": "10.0.0.0/24", "Tags": [{"Key": "kubernetes.io/role/cni", "Value": "0"}]}
    resources = {"S": {"Type": "AWS::EC2::Subnet", "Properties": properties}}
    template = {**TEMPLATE, "Resources": {**dict(TEMPLATE["Resources"]), **resources}}  # type: ignore[call-overload]
    (subnet,) = parse_cloudformation(template, "t.yaml").subnets
    assert subnet.tags == (("kubernetes.io/role/cni", "0"),)


# --- what a template leaves open ------------------------------------------------------------------

BASE = """
Parameters: {Stage: {Type: String}}
Conditions: {Live: !Equals [!Ref Stage, live]}
Resources:
  Net: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.9.0.0/16}}
  One: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Net, CidrBlock: 10.9.0.0/24, AvailabilityZone: eu-west-1a}}
  Eks: {Type: AWS::EKS::Cluster, Properties: {Name: c, ResourcesVpcConfig: {SubnetIds: [!Ref One]}}}
  Group:
    Type: AWS::EKS::Nodegroup
    Properties: {ClusterName: !Ref Eks, Subnets: [!Ref One], InstanceTypes: [m5.large], UPDATE}
  Balancer:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties: BALANCER
"""


def noted(balancer: str = "{Subnets: [!Ref One]}", group: str = "Labels: {a: b}") -> tuple[list[str], Any]:
    text = BASE.replace("BALANCER", balancer).replace("UPDATE", group)
    draft = parse_cloudformation(parse_documents(text, "t.yaml")[0], "t.yaml")
    return [n.text for n in draft.notes], draft


@pytest.mark.parametrize(
    ("balancer", "note"),
    [
        (
            "{Fn::Transform: {Name: AWS::Include, Parameters: {Location: 's3://parts/lb.yaml'}}}",
            "t.yaml Balancer.Properties: is inserted by the transform AWS::Include of s3://parts/lb.yaml",
        ),
        (
            "!If [Live, {Subnets: [!Ref One]}, {Type: network}]",
            "t.yaml Balancer.Properties: the parameter Stage has no",
        ),
        ("[x]", "t.yaml Balancer.Properties: is not a mapping: ignored"),
        (
            "{Subnets: [!Ref One], Fn::Transform: {Name: Own}}",
            "t.yaml Balancer.Properties.Fn::Transform: is not evaluated: the properties it adds are not known",
        ),
        ("{Subnets: !If [Live, [!Ref One], []]}", "t.yaml Balancer.Subnets: the parameter Stage has no default"),
    ],
)
def test_properties_that_are_not_known_are_named(balancer: str, note: str) -> None:
    notes, draft = noted(balancer)
    assert any(text.startswith(note) for text in notes), notes
    assert [g.name for g in draft.node_groups] == ["Group"]  # the rest is read as ever


@pytest.mark.parametrize(
    ("group", "place"),
    [
        ("Labels: !If [Live, {a: b}, {}]", "Group.Labels"),
        ("Taints: !If [Live, [], [{Key: a}]]", "Group.Taints"),
        ("UpdateConfig: !If [Live, {MaxUnavailable: 1}, {MaxUnavailable: 2}]", "Group.UpdateConfig"),
        ("AmiType: !Ref Stage", "Group.AmiType"),
        ("ScalingConfig: {MinSize: !Ref Stage}", "Group.MinSize"),
    ],
)
def test_parts_of_a_group_that_are_not_known_are_named(group: str, place: str) -> None:
    notes, draft = noted(group=group)
    assert f"t.yaml {place}: the parameter Stage has no default" in notes
    assert "Unresolved" not in str(draft.node_groups)


@pytest.mark.parametrize(
    "raw",
    [
        {"Fn::Split": ["", "10.0.0.0/16"]},
        {"Fn::Split": [{}, "a"]},
        {"Fn::Join": [{}, ["a"]]},
        {"Fn::ToJsonString": {"a": {"b": {"Ref": "Nowhere"}}}},
        {"Fn::Transform": "x"},
    ],
)
def test_what_cannot_be_evaluated_is_unresolved(raw: Any) -> None:
    assert isinstance(Resolver({}).value(raw), Unresolved)
