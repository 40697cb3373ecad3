"""Answers of AWS that are partial: without subnets, without a cluster, errors, archives, and other spellings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from capacity.errors import SpecError
from capacity.readers.aws.aws_cluster import AwsCluster, parse_cluster, with_unread
from capacity.readers.aws.draft import aws_draft
from capacity.readers.aws.folder import read_folder
from capacity.readers.complete import complete
from capacity.readers.draft import PlanDraft

GROUP = {
    "nodegroupName": "app",
    "clusterName": "shop",
    "scalingConfig": {"minSize": 2, "maxSize": 9, "desiredSize": 3},
    "instanceTypes": ["m6i.large"],
    "subnets": ["subnet-0a", "subnet-0b"],
    "amiType": "AL2023_x86_64_STANDARD",
}
SUBNET = {
    "SubnetId": "subnet-0a",
    "VpcId": "vpc-1",
    "CidrBlock": "10.0.0.0/24",
    "AvailabilityZone": "us-west-2-lax-1a",
    "AvailableIpAddressCount": 250,
}


def instance(ident: str, **tags: str) -> dict[str, Any]:
    return {
        "InstanceId": ident,
        "InstanceType": "t3.large",
        "VpcId": "vpc-1",
        "SubnetId": "subnet-0a",
        "State": {"Name": "running"},
        "Tags": [{"Key": k, "Value": v} for k, v in tags.items()],
    }


def folder(path: Path, *documents: object, **texts: str) -> Path:
    for i, document in enumerate(documents):
        (path / f"{i}.json").write_text(json.dumps(document))
    for name, text in texts.items():
        (path / name.replace("_", ".")).write_text(text)
    return path


def found(path: Path, cluster: str = "") -> AwsCluster:
    return parse_cluster(with_unread(read_folder(path), cluster), cluster)


def drafted(path: Path) -> PlanDraft:
    return aws_draft(found(path), "saved")


def said(draft: PlanDraft) -> str:
    return "\n".join(n.text for n in draft.notes)


# --- node groups ----------------------------------------------------------------------------------


@pytest.mark.parametrize("described", [[], [SUBNET]])
def test_a_group_keeps_subnets_that_are_not_described(tmp_path: Path, described: list[Any]) -> None:
    draft = drafted(folder(tmp_path, {"nodegroup": GROUP}, *({"Subnets": [s]} for s in described)))
    (group,) = draft.node_groups
    assert (group.min_nodes, group.desired, group.max_nodes) == (2, 3, 9)
    assert group.subnets == ("subnet-0a", "subnet-0b")
    missing = "subnet-0b" if described else "subnet-0a, subnet-0b"
    assert f"its subnets {missing} are not in the input" in said(draft)
    whole = complete(draft)
    assert {s.name for s in whole.subnets} == {"subnet-0a", "subnet-0b"}
    assert "vpc.subnets[subnet-0b].cidr" in whole.assumed
    assert draft.region == ("us-west-2" if described else None)  # of a Local Zone


def test_pod_subnets_that_are_not_described(tmp_path: Path) -> None:
    values = {
        "env": {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"},
        "eniConfig": {"create": True, "subnets": {"us-west-2-lax-1a": {"id": "subnet-0p"}}},
    }
    addon = {"addonName": "vpc-cni", "clusterName": "shop", "configurationValues": json.dumps(values)}
    group = {**GROUP, "subnets": ["subnet-0a"]}
    draft = drafted(folder(tmp_path, {"nodegroup": group}, {"addon": addon}, {"Subnets": [SUBNET]}))
    assert draft.node_groups[0].pod_subnets == ("subnet-0p",)
    assert [(s.name, s.zone) for s in draft.subnets] == [
        ("subnet-0a", "us-west-2-lax-1a"),
        ("subnet-0p", "us-west-2-lax-1a"),
    ]
    assert "vpc.subnets[subnet-0p].cidr" in complete(draft).assumed


def test_a_group_without_a_type_has_that_of_eks(tmp_path: Path) -> None:
    template = {"LaunchTemplateId": "lt-1", "VersionNumber": 1, "LaunchTemplateData": {}}
    group = {**GROUP, "instanceTypes": [], "launchTemplate": {"id": "lt-1", "version": "1"}, "capacityType": "SPOT"}
    draft = drafted(folder(tmp_path, {"nodegroup": group}, {"LaunchTemplateVersions": [template]}))
    assert draft.node_groups[0].instance_types == ("t3.medium",)
    assert draft.node_groups[0].capacity_type == "spot"
    assert "app: no instance type: EKS uses t3.medium" in said(draft)


def test_names_that_differ_in_case_are_two_groups(tmp_path: Path) -> None:
    other = {**GROUP, "nodegroupName": "App", "instanceTypes": ["c6i.large"]}
    draft = drafted(folder(tmp_path, {"nodegroup": GROUP}, {"nodegroup": other}))
    assert {g.name: g.instance_types for g in complete(draft).node_groups} == {
        "app": ("m6i.large",),
        "App": ("c6i.large",),
    }


# --- instances ------------------------------------------------------------------------------------


def test_an_instance_without_a_cluster_is_an_address(tmp_path: Path) -> None:
    answers = {"Reservations": [{"Instances": [instance("i-1", Name="Bastion")]}]}
    draft = drafted(folder(tmp_path, answers, {"Subnets": [SUBNET]}))
    assert draft.node_groups == ()
    assert [s.used for s in draft.subnets] == [1]


def test_the_tags_of_the_nodes_name_the_cluster(tmp_path: Path) -> None:
    nodes = [instance("i-1", **{"kubernetes.io/cluster/shop": "owned"}), instance("i-2", Name="Bastion")]
    path = folder(tmp_path, {"Reservations": [{"Instances": nodes}]}, {"Subnets": [SUBNET]})
    assert found(path).name == "shop"
    (group,) = drafted(path).node_groups
    assert (group.desired, group.instance_types) == (1, ("t3.large",))


@pytest.mark.parametrize(
    "documents",
    [
        [{"nodegroup": GROUP}, {"nodegroup": {**GROUP, "nodegroupName": "b", "clusterName": "other"}}],
        [{"Reservations": [{"Instances": [instance(f"i-{c}", **{"eks:cluster-name": c}) for c in ("shop", "other")]}]}],
    ],
)
def test_nodes_of_several_clusters_need_a_name(tmp_path: Path, documents: list[Any]) -> None:
    path = folder(tmp_path, *documents, {"Subnets": [SUBNET]})
    with pytest.raises(SpecError, match="several clusters in the input: choose one"):
        found(path)
    assert found(path, "shop").name == "shop"


# --- files ----------------------------------------------------------------------------------------

DENIED = "\nAn error occurred (UnauthorizedOperation) when calling the DescribeSubnets operation: You are not\n"


def test_errors_and_archives_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    path = folder(
        tmp_path,
        {"nodegroup": GROUP},
        {"__type": "AccessDeniedException", "message": "no"},
        {"Code": "ExpiredToken", "Message": "old"},
        subnets_txt=DENIED,
        readme_md="# notes",
    )
    (path / "all.json.gz").write_bytes(b"\x1f\x8b\x08\x00\x00")
    answers = read_folder(path)
    assert len(answers.of("nodegroups")) == 1
    assert answers.notes == (
        "1.json: a saved error (AccessDeniedException), not output of a command",
        "2.json: a saved error (ExpiredToken), not output of a command",
        "all.json.gz is compressed: gunzip it first (then run the same command)",
        "subnets.txt is a saved error (UnauthorizedOperation of DescribeSubnets), not output of a command",
        "not output of the AWS CLI, ignored: readme.md",
    )


def test_only_errors_are_the_reason_for_the_refusal(tmp_path: Path) -> None:
    folder(tmp_path, a_txt=DENIED, b_txt=DENIED)
    with pytest.raises(
        SpecError, match=r"a.txt is a saved error \(UnauthorizedOperation of DescribeSubnets\)"
    ) as caught:
        read_folder(tmp_path)
    assert caught.value.__notes__ == [
        "b.txt is a saved error (UnauthorizedOperation of DescribeSubnets), not output of a command"
    ]


def small(value: Any) -> Any:
    """A document as some programs save it, with small first letters."""
    if isinstance(value, dict):
        return {k[:1].lower() + k[1:]: small(v) for k, v in value.items()}
    return [small(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("spelling", ["small", "bare", "yaml"])
def test_other_spellings_of_the_same_answers(tmp_path: Path, spelling: str) -> None:
    node = instance("i-1", **{"kubernetes.io/cluster/shop": "owned"})
    documents: list[Any] = [{"Subnets": [SUBNET]}, {"Reservations": [{"Instances": [node]}]}]
    if spelling == "small":
        path = folder(tmp_path, *map(small, documents))
    elif spelling == "bare":
        path = folder(tmp_path, small([SUBNET]), small([node]))
    else:
        path = folder(tmp_path, **{f"a{i}_yaml": yaml.safe_dump(d) for i, d in enumerate(documents)})
    answers = read_folder(path)
    assert [s["SubnetId"] for s in answers.of("subnets")] == ["subnet-0a"]
    assert drafted(path).node_groups[0].desired == 1


def test_lists_of_other_programs_are_no_answers(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="holds no output of the AWS CLI"):
        read_folder(folder(tmp_path, {"subnets": [{"name": "a"}], "policies": ["x"], "instances": [1]}))
