"""One mapping of a node group: what each field means, and the same group out of every source."""

from __future__ import annotations

from typing import Any

import pytest

from capacity.catalog.table import load_catalog
from capacity.readers.aws.answers import Sorter
from capacity.readers.aws.groups import parse_groups
from capacity.readers.cloudformation.template import parse_cloudformation
from capacity.readers.draft import GroupDraft, SourceNotes
from capacity.readers.eksctl.cluster_config import parse_eksctl
from capacity.readers.node_group import EKS_DEFAULT_TYPE, SourceGroup, default_types, group_draft
from capacity.readers.terraform.source import parse_terraform
from capacity.readers.user_data import ami_of

WHOLE = GroupDraft(
    name="general",
    instance_types=("m5.large", "c5.large"),
    ami="bottlerocket",
    provisioner="managed",
    min_nodes=2,
    desired=3,
    max_nodes=9,
    subnets=("subnet-a", "subnet-b"),
    max_unavailable="25%",
)
TYPES, SUBNETS = ["m5.large", "c5.large"], ["subnet-a", "subnet-b"]


def eksctl() -> GroupDraft:
    group = {
        "name": "general",
        "instanceTypes": TYPES,
        "amiFamily": "Bottlerocket",
        "minSize": "2",
        "desiredCapacity": 3,
        "maxSize": 9,
        "subnets": SUBNETS,
        "updateConfig": {"maxUnavailablePercentage": 25},
    }
    return parse_eksctl({"metadata": {"name": "x"}, "managedNodeGroups": [group]}).node_groups[0]


def terraform() -> GroupDraft:
    values = {
        "node_group_name": "general",
        "instance_types": TYPES,
        "ami_type": "BOTTLEROCKET_x86_64",
        "scaling_config": [{"min_size": 2, "desired_size": "3", "max_size": 9}],
        "subnet_ids": SUBNETS,
        "update_config": [{"max_unavailable_percentage": "25"}],
    }
    return parse_terraform({"resources": {"aws_eks_node_group": {"this": values}}}).node_groups[0]


def cloudformation() -> GroupDraft:
    properties = {
        "NodegroupName": "general",
        "InstanceTypes": TYPES,
        "AmiType": "BOTTLEROCKET_ARM_64",
        "ScalingConfig": {"MinSize": 2, "DesiredSize": 3, "MaxSize": "9"},
        "Subnets": SUBNETS,
        "UpdateConfig": {"MaxUnavailablePercentage": 25},
    }
    return parse_cloudformation(
        {"Resources": {"Group": {"Type": "AWS::EKS::Nodegroup", "Properties": properties}}}
    ).node_groups[0]


def aws() -> GroupDraft:
    group = {
        "nodegroupName": "general",
        "clusterName": "x",
        "instanceTypes": TYPES,
        "amiType": "BOTTLEROCKET_x86_64_NVIDIA",
        "scalingConfig": {"minSize": 2, "desiredSize": 3, "maxSize": 9},
        "subnets": SUBNETS,
        "updateConfig": {"maxUnavailablePercentage": 25},
    }
    sorter = Sorter()
    assert sorter.add({"nodegroup": group}, "answer")
    return parse_groups(sorter.done(), "x", {s: s for s in SUBNETS}, load_catalog()).drafts[0]


@pytest.mark.parametrize("read", [eksctl, terraform, cloudformation, aws])
def test_every_source_gives_the_same_group(read: Any) -> None:
    assert read() == WHOLE


def drawn(**stated: Any) -> GroupDraft:
    return group_draft(SourceGroup("g", "managed", **stated))


def test_what_is_not_stated_is_unknown() -> None:
    assert drawn() == GroupDraft("g", provisioner="managed")
    assert drawn(types=[None, ""], subnets=[], update_strategy="") == drawn()


@pytest.mark.parametrize(
    ("percent", "count", "meant"),
    [
        (1, None, "1%"),
        ("100", None, "100%"),
        (33, 2, "33%"),  # the percentage counts where both are stated
        (0, 2, 2),
        (101, 2, 2),
        (None, 100, 100),
        (None, 101, None),
        (None, 0, None),
        ("a third", "2", 2),
    ],
)
def test_unavailable_nodes_of_an_update(percent: object, count: object, meant: object) -> None:
    assert drawn(unavailable_percent=percent, unavailable=count).max_unavailable == meant


def test_sizes_are_whole_numbers_of_nodes() -> None:
    group = drawn(low="0", desired=True, high="-1")
    assert (group.min_nodes, group.desired, group.max_nodes) == (0, None, None)


def test_types_and_subnets_count_once_in_their_order() -> None:
    group = drawn(types=["c5.large", "m5.large", "c5.large"], subnets=["b", "a", "b"])
    assert (group.instance_types, group.subnets) == (("c5.large", "m5.large"), ("b", "a"))


def test_stated_max_pods_go_before_those_of_the_boot_script() -> None:
    script = "/etc/eks/bootstrap.sh x --kubelet-extra-args '--max-pods=58'"
    assert drawn(user_data=script).max_pods == 58
    assert drawn(max_pods=110, user_data=script).max_pods == 110
    assert drawn(max_pods=0, user_data=script).max_pods == 58


def test_the_type_that_eks_takes_is_said() -> None:
    said = SourceNotes("f.tf")
    assert default_types(said, "aws_eks_node_group.x", "x") == [EKS_DEFAULT_TYPE]
    assert [(n.text, n.path) for n in said.notes] == [
        ("f.tf aws_eks_node_group.x: no instance type: EKS uses t3.medium", "nodeGroups[x].instanceTypes")
    ]


@pytest.mark.parametrize(
    ("amis", "family"),
    [
        ("AL2_x86_64 AL2_x86_64_GPU AL2_ARM_64 amazon-linux-2", "al2"),
        ("AL2023_x86_64_STANDARD AL2023_ARM_64_NVIDIA AmazonLinux2023", "al2023"),
        ("BOTTLEROCKET_x86_64_FIPS Bottlerocket", "bottlerocket"),
        ("WINDOWS_CORE_2019_x86_64 WINDOWS_FULL_2022_x86_64 WindowsServer2022CoreContainer", "windows"),
    ],
)
def test_ami_types_of_eks_and_families_of_eksctl(amis: str, family: str) -> None:
    assert {ami_of(a) for a in amis.split()} == {family}


def test_other_amis_are_unknown() -> None:
    assert {ami_of(a) for a in ("CUSTOM", "Ubuntu2204", "", None)} == {None}
