"""Whose is a network interface, and how many addresses does it hold."""

from __future__ import annotations

from typing import Any

import pytest

from capacity.errors import SpecError
from capacity.plan.tenants import tenant_kinds
from capacity.readers.aws.answers import AwsAnswers
from capacity.readers.aws.interface_holders import tenant_of
from capacity.readers.aws.owners import Interface, cluster_of, owner_rules, parse_interfaces
from capacity.vpc.ledger import HOLDERS

NODE_TAG = "node.k8s.amazonaws.com/instance_id"
CLUSTER_TAG = "cluster.k8s.amazonaws.com/name"


def eni(number: int = 1, description: str = "", **fields: Any) -> dict[str, Any]:
    """An interface of one address."""
    return {
        "NetworkInterfaceId": f"eni-{number:017x}",
        "SubnetId": "subnet-1",
        "Status": "in-use",
        "Description": description,
        "PrivateIpAddresses": [{"PrivateIpAddress": f"10.0.0.{number + 9}", "Primary": True}],
    } | fields


def tagged(**named: str) -> list[dict[str, str]]:
    return [{"Key": k, "Value": v} for k, v in named.items()]


def attached(instance: str, device: int, **more: Any) -> dict[str, Any]:
    return {"Attachment": {"InstanceId": instance, "DeviceIndex": device, **more}}


NODES = (
    {"InstanceId": "i-0a", "InstanceType": "m5.large", "Tags": tagged(**{"eks:cluster-name": "shop"})},
    {"InstanceId": "i-0b", "InstanceType": "m5.large", "Tags": tagged(**{"kubernetes.io/cluster/other": "owned"})},
    {"InstanceId": "i-0c", "InstanceType": "m5.large", "Tags": tagged(Name="bastion")},
)


def one(item: dict[str, Any], *others: dict[str, Any]) -> Interface:
    answers = AwsAnswers(items={"interfaces": (item, *others), "instances": NODES})
    return parse_interfaces(answers)[0]


@pytest.mark.parametrize(
    ("fields", "owner", "name"),
    [
        ({"InterfaceType": "trunk"}, "trunk", ""),
        ({"description": "aws-k8s-trunk-eni"}, "trunk", ""),
        ({"InterfaceType": "branch", "description": "aws-k8s-branch-eni"}, "branch", ""),
        ({"description": "aws-k8s-branch-eni"}, "branch", ""),  # an answer from before InterfaceType
        (
            {"InterfaceType": "nat_gateway", "description": "Interface for NAT Gateway nat-0123abcd"},
            "nat_gateway",
            "nat-0123abcd",
        ),
        ({"InterfaceType": "natGateway"}, "nat_gateway", ""),
        (
            {"InterfaceType": "vpc_endpoint", "description": "VPC Endpoint Interface vpce-0123abcd"},
            "endpoint",
            "vpce-0123abcd",
        ),
        ({"InterfaceType": "gateway_load_balancer_endpoint"}, "endpoint", ""),
        ({"InterfaceType": "network_load_balancer", "description": "ELB net/front/50dc"}, "nlb", "front"),
        ({"InterfaceType": "gateway_load_balancer", "description": "ELB gwy/wall/50dc"}, "gwlb", "wall"),
        ({"description": "ELB app/web/50dc6c495c0c9188", "RequesterId": "amazon-elb"}, "alb", "web"),
        ({"description": "ELB a0123456789", "RequesterId": "amazon-elb"}, "clb", "a0123456789"),
        ({"InterfaceType": "lambda", "description": "AWS Lambda VPC ENI-f-1-2"}, "lambda", ""),
        ({"description": "AWS Lambda VPC ENI: 1-2"}, "lambda", ""),
        ({"description": "EFS mount target for fs-0123abcd (fsmt-1)"}, "efs", "fs-0123abcd"),
        ({"InterfaceType": "transit_gateway"}, "transit_gateway", ""),
        ({"description": "RDSNetworkInterface", "RequesterId": "amazon-rds"}, "rds", ""),
        ({"description": "Network interface for DBProxy p", "RequesterId": "amazon-rds"}, "rds", ""),
        ({"description": "ElastiCache sessions-001"}, "elasticache", "sessions-001"),
        ({"description": "ES logs", "RequesterId": "amazon-elasticsearch"}, "opensearch", "logs"),
        ({"description": "DO NOT DELETE - Amazon MSK network interface for cluster arn:aws:kafka:x"}, "msk", ""),
        ({"description": "AWS created network interface for directory d-0123abcd"}, "directory", "d-0123abcd"),
        ({"description": "arn:aws:ecs:us-east-1:1:attachment/2"}, "ecs", ""),
        ({"description": "Amazon EKS shop"}, "control_plane", ""),
        ({"description": "aws-K8S-i-0a", **attached("i-0a", 1)}, "cni_secondary", ""),
        ({"TagSet": tagged(**{NODE_TAG: "i-0a"}), **attached("i-0a", 2)}, "cni_secondary", ""),
        (attached("i-0a", 0), "node_primary", ""),
        # ipamd tags the primary interface of a node as well
        ({"TagSet": tagged(**{NODE_TAG: "i-0a"}), **attached("i-0a", 0)}, "node_primary", ""),
        (attached("i-0a", 1), "unmanaged", ""),
        (attached("i-0c", 0), "instance", "i-0c"),
        ({"description": "aws-K8S-i-0d", "Status": "available"}, "leaked", ""),
        ({"InterfaceType": "branch", "Status": "available"}, "leaked", ""),
        ({"Status": "available"}, "detached", ""),
        ({"description": "something new"}, "unknown", ""),
    ],
)
def test_owners(fields: dict[str, Any], owner: str, name: str) -> None:
    found = one(eni(**fields))
    assert (found.owner, found.name) == (owner, name)


def test_the_cluster_of_an_interface() -> None:
    assert one(eni(description="Amazon EKS other-one")).cluster == "other-one"
    assert one(eni(**attached("i-0a", 0))).cluster == "shop"
    assert one(eni(**attached("i-0b", 0))).cluster == "other"
    tags = tagged(**{NODE_TAG: "i-0e", CLUSTER_TAG: "third"})
    assert one(eni(TagSet=tags, **attached("i-0e", 1))).cluster == "third"  # an instance of another account


def test_a_branch_is_of_its_trunks_cluster() -> None:
    branch = eni(1, InterfaceType="branch", TagSet=tagged(**{"vpcresources.k8s.aws/trunk-eni-id": f"eni-{2:017x}"}))
    trunk = eni(2, InterfaceType="trunk", **attached("i-0a", 2))
    found = one(branch, trunk)
    assert (found.owner, found.cluster, found.instance) == ("branch", "shop", "i-0a")


def test_nodes_of_another_account_are_not_ours() -> None:
    """In a shared VPC the interfaces are listed, but neither their instances nor their tags."""
    found = one(eni(description="aws-K8S-i-0f00", **attached("i-0f00", 1)))
    assert (found.owner, found.cluster) == ("cni_secondary", "clusters of other accounts")
    assert tenant_of(found, "shop") == ("cluster", "clusters of other accounts")


def test_a_primary_is_its_clusters_where_only_the_cnis_interface_tells() -> None:
    """Instances of another account are not listed, but the CNI tags what it adds."""
    tags = tagged(**{NODE_TAG: "i-0e", CLUSTER_TAG: "third"})
    found = one(eni(1, **attached("i-0e", 0)), eni(2, TagSet=tags, **attached("i-0e", 1)))
    assert (found.owner, found.cluster) == ("node_primary", "third")


@pytest.mark.parametrize(
    ("tags", "cluster"),
    [
        ({"eks:cluster-name": "a"}, "a"),
        ({"eks:eks-cluster-name": "b"}, "b"),
        ({"alpha.eksctl.io/cluster-name": "c"}, "c"),
        ({"kubernetes.io/cluster/d": "owned"}, "d"),
        ({"kubernetes.io/cluster/d": "shared"}, ""),  # a subnet or a group that clusters share
        ({"Name": "e"}, ""),
    ],
)
def test_cluster_of(tags: dict[str, str], cluster: str) -> None:
    assert cluster_of(tags) == cluster


def test_a_fresh_interface_is_not_leaked() -> None:
    created = "node.k8s.amazonaws.com/createdAt"
    loose = {"description": "aws-K8S-i-0d", "Status": "available"}
    now = eni(2, **attached("i-0a", 0, AttachTime="2026-11-25T12:00:00+00:00"))
    young = eni(1, TagSet=tagged(**{created: "2026-11-25T11:56:00Z"}), **loose)
    old = eni(1, TagSet=tagged(**{created: "2026-11-25T11:54:00Z"}), **loose)
    assert one(young, now).owner == "detached"  # 4 minutes
    assert one(old, now).owner == "leaked"  # 6 minutes; the CNI itself waits 5


def test_every_address_counts() -> None:
    item = eni(
        PrivateIpAddresses=[
            {"PrivateIpAddress": "10.0.0.10", "Primary": True},
            {"PrivateIpAddress": "10.0.0.11", "Primary": False},
            {"PrivateIpAddress": "10.0.0.12"},
        ],
        Ipv4Prefixes=[{"Ipv4Prefix": "10.0.0.32/28"}, {"Ipv4Prefix": "10.0.0.64/28"}],
    )
    found = one(item)
    assert (found.primary, found.secondary, found.prefixes) == (1, 2, 2)
    assert found.addresses == 35  # 1 + 2 + 2 * 16
    assert found.pod_addresses == 34
    assert found.spans[-1] == (167772224, 167772239)  # 10.0.0.64 to .79


def test_an_answer_cut_down_to_the_first_address() -> None:
    item = eni(PrivateIpAddress="10.0.0.77")
    del item["PrivateIpAddresses"]
    assert one(item).addresses == 1


def test_ipv6_only_interfaces_hold_nothing() -> None:
    assert one(eni(PrivateIpAddresses=[], Ipv6Addresses=[{"Ipv6Address": "2001:db8::1"}])).addresses == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.999"}]},
        {"Ipv4Prefixes": [{"Ipv4Prefix": "10.0.0.1/28"}]},
        {"PrivateIpAddresses": "10.0.0.1"},
        {"PrivateIpAddresses": [3]},
    ],
)
def test_what_is_no_address_is_one_line(fields: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match="eni-00000000000000001"):
        one(eni(**fields))


def test_the_table_is_sound() -> None:
    kinds = tenant_kinds()
    for rule in owner_rules():
        assert rule.interface_type or rule.description or rule.requester or rule.tag
        assert rule.source
        assert rule.what
        assert not rule.kind or rule.kind in kinds
        assert not rule.kind or kinds[rule.kind].holder in HOLDERS
