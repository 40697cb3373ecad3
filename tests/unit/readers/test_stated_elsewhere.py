"""Facts that a configuration states in an unusual place: read, or named in the notes."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from capacity.readers.cloudformation.template import parse_cloudformation
from capacity.readers.complete import complete
from capacity.readers.draft import PlanDraft, SubnetDraft
from capacity.readers.eksctl.cluster_config import parse_eksctl
from capacity.readers.karpenter import parse_karpenter
from capacity.readers.terraform.source import parse_terraform, read


def terraform(folder: Path, text: str) -> PlanDraft:
    (folder / "main.tf").write_text(text)
    return read([str(folder / "main.tf")])


def said(draft: PlanDraft) -> str:
    return "\n".join(n.text for n in draft.notes)


# --- commands of provisioners -------------------------------------------------------------------

NULL = """
resource "aws_vpc" "v" {{ cidr_block = "10.0.0.0/16" }}
resource "null_resource" "n" {{
  provisioner "local-exec" {{
    command = <<-EOT
{command}
    EOT
  }}
}}
"""


@pytest.mark.parametrize(
    ("command", "settings"),
    [
        ("kubectl set env daemonset aws-node -n kube-system WARM_IP_TARGET=5 --kubeconfig <(x)", "WARM_IP_TARGET=5"),
        ("kubectl -n kube-system set env ds/aws-node ENABLE_POD_ENI=true && kubectl get A=b", "ENABLE_POD_ENI=true"),
        (
            'kubectl set env ds aws-node \\\n "WARM_ENI_TARGET=2" MINIMUM_IP_TARGET=',
            "WARM_ENI_TARGET=2, MINIMUM_IP_TARGET=",
        ),
        (
            "kubectl set env ds aws-node AA=1\nkubectl set env ds aws-node BB=${module.m.b}",
            "AA=1, BB=${module.m.b}",
        ),
    ],
)
def test_settings_of_the_cni_in_a_command_are_named(tmp_path: Path, command: str, settings: str) -> None:
    text = said(terraform(tmp_path, NULL.format(command=command)))
    assert f"null_resource.n: not in the plan: its command sets {settings} of aws-node" in text
    assert "local-exec command" not in text


@pytest.mark.parametrize(
    ("command", "noted"),
    [
        ("kubectl apply -f enis/", True),
        ("kubectl --context ${module.eks.name} apply -f enis/", True),
        ("helm upgrade --install x y", True),
        ("aws eks update-addon --addon-name vpc-cni", True),
        ("aws ec2 associate-vpc-cidr-block --vpc-id v", True),
        ("aws eks update-kubeconfig --name ${module.eks.name}", False),
        ("kubectl get nodes; kubectl wait --for=condition=Ready nodes", False),
        ("echo kubectl-apply", False),
    ],
)
def test_a_command_that_can_change_the_cluster_is_counted(tmp_path: Path, command: str, noted: bool) -> None:
    text = said(terraform(tmp_path, NULL.format(command=command)))
    assert ("1 local-exec command not in the plan (null_resource.n): it can change the cluster" in text) is noted


def test_commands_in_the_configuration_of_a_plan() -> None:
    def step(kind: str, command: str) -> dict[str, Any]:
        return {"type": kind, "expressions": {"command": {"constant_value": command}}}

    there = {"address": "null_resource.n", "mode": "managed", "type": "null_resource", "name": "n"}
    steps = [
        step("remote-exec", "kubectl apply -f x"),
        step("local-exec", "kubectl set env ds aws-node WARM_IP_TARGET=5"),
    ]
    plan = {
        "planned_values": {"root_module": {"resources": [{**there, "values": {}}]}},
        "configuration": {"root_module": {"resources": [{**there, "provisioners": steps}]}},
    }
    assert "null_resource.n: not in the plan: its command sets WARM_IP_TARGET=5" in said(parse_terraform(plan))
    del steps[1]
    assert not said(parse_terraform(plan))


# --- attributes of another type -------------------------------------------------------------------


def test_attributes_that_a_node_group_does_not_have_are_named(tmp_path: Path) -> None:
    group = """
resource "aws_eks_node_group" "g" {
  cluster_name   = "c"
  subnet_ids     = ["subnet-0aaaaaaaaaaaaaaa1"]
  instance_type  = "c5.large"
  desired_size   = var.n
  %s
}
"""
    draft = terraform(tmp_path, group % "max_size = 5")
    assert draft.node_groups[0].instance_types == ("t3.medium",)
    assert "ignored, not arguments of aws_eks_node_group: desired_size, max_size, instance_type" in said(draft)
    right = group.replace("instance_type ", "instance_types").replace("desired_size ", "version")
    assert "not arguments" not in said(terraform(tmp_path, right % ""))


def test_guessed_subnets_of_a_group_are_an_assumption(tmp_path: Path) -> None:
    text = """
resource "aws_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "aws_subnet" "private" {
  vpc_id            = aws_vpc.v.id
  cidr_block        = "10.0.0.0/20"
  availability_zone = "eu-west-1a"
}
resource "aws_eks_node_group" "g" {
  node_group_name = "g"
  subnet_ids      = module.other.subnets
  instance_types  = ["m5.large"]
}
"""
    draft = terraform(tmp_path, text)
    assert draft.node_groups[0].subnets == ("private",)
    assert draft.assumed == {"nodeGroups[g].subnets"}


# --- the chart of the CNI in the CDK ----------------------------------------------------------------


def test_values_of_the_cni_chart_that_the_cdk_installs() -> None:
    def chart(name: str, values: object) -> dict[str, Any]:
        return {"Type": "Custom::AWSCDK-EKS-HelmChart", "Properties": {"Chart": name, "Values": values}}

    start = '{"env":{"WARM_IP_TARGET":"5"},"eniConfig":{"create":true,"subnets":{"eu-west-1a":{"id":"'
    resources = {
        "S": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"CidrBlock": "10.0.0.0/20", "AvailabilityZone": "eu-west-1a"},
        },
        "Cni": chart("aws-vpc-cni", {"Fn::Join": ["", [start, {"Ref": "S"}, '"}}}}']]}),
        "Web": chart("ingress-nginx", "{}"),
    }
    draft = parse_cloudformation({"Resources": resources})
    assert draft.env["WARM_IP_TARGET"] == "5"
    assert draft.pod_subnets == ("S",)
    assert [s.name for s in draft.subnets] == ["S"]
    assert "1 Custom::AWSCDK-EKS-HelmChart not in the plan (Web)" in said(draft)


# --- placeholders and settings of node classes -------------------------------------------------------


def test_a_placeholder_has_no_default() -> None:
    config = {
        "apiVersion": "eksctl.io/v1alpha5",
        "kind": "ClusterConfig",
        "metadata": {"name": "c", "region": "eu-west-1"},
        "availabilityZones": ["${A}", "${B}"],
        "managedNodeGroups": [{"name": "a", "instanceType": "m5.large", "minSize": 1, "maxSize": "${N}"}],
        "nodeGroups": [{"name": "b", "instanceType": "m5.large", "desiredCapacity": "${N}"}],
    }
    draft = parse_eksctl(config)
    sizes = [(g.min_nodes, g.desired, g.max_nodes) for g in draft.node_groups]
    assert sizes == [(1, None, None), (None, None, None)]
    assert {s.zone for s in draft.subnets} == {"eu-west-1a", "eu-west-1b"}
    text = said(draft)
    assert "managedNodeGroups[0]: not known: maxSize" in text
    assert "nodeGroups[0]: not known: desiredCapacity" in text
    assert "availabilityZones: not known: assumed eu-west-1a, eu-west-1b" in text
    assert "no sizes" not in text
    assert "random" not in text


def test_prefixes_with_which_a_karpenter_node_starts_are_named() -> None:
    node_class = {
        "apiVersion": "karpenter.k8s.aws/v1",
        "kind": "EC2NodeClass",
        "metadata": {"name": "d"},
        "spec": {"ipPrefixCount": 4},
    }
    pool = {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": "p"},
        "spec": {"template": {"spec": {"nodeClassRef": {"name": "d", "kind": "EC2NodeClass"}}}},
    }
    text = "NodePool p: ipPrefixCount 4: prefixes with which a node's interface starts: not in the plan"
    assert text in said(parse_karpenter([node_class, pool], "f"))


# --- blocks of IPAM pools ------------------------------------------------------------------------------


def test_sizes_of_blocks_of_an_ipam_pool_in_cloudformation() -> None:
    def made(kind: str, **properties: Any) -> dict[str, Any]:
        return {"Type": f"AWS::EC2::{kind}", "Properties": properties}

    vpc = {"Ref": "V"}
    resources = {
        "V": made("VPC", Ipv4IpamPoolId="p", Ipv4NetmaskLength=20),
        "More": made("VPCCidrBlock", VpcId=vpc, Ipv4IpamPoolId="p", Ipv4NetmaskLength="18"),
        "A": made("Subnet", VpcId=vpc, AvailabilityZone="eu-west-1a", CidrBlock={"Fn::GetAtt": ["V", "X"]}),
        "B": made("Subnet", VpcId=vpc, AvailabilityZone="eu-west-1b", Ipv4NetmaskLength=24),
    }
    draft = parse_cloudformation({"Resources": resources})
    assert draft.vpc_prefixes == (20, 18)
    plan = complete(draft)
    assert list(map(str, plan.vpc_cidrs)) == ["10.0.0.0/20", "10.1.0.0/18"]
    assert [str(s.cidr) for s in plan.subnets] == ["10.1.0.0/20", "10.0.0.0/24"]
    resources["V"] = made("VPC", CidrBlock="10.9.0.0/16")
    draft = parse_cloudformation({"Resources": resources})
    assert not draft.vpc_prefixes
    assert "More: a /18 of an IPAM pool, not known: not in the plan" in said(draft)


def test_sizes_of_blocks_of_an_ipam_pool_in_terraform(tmp_path: Path) -> None:
    text = """
resource "aws_vpc_ipam_pool_cidr_allocation" "a" { netmask_length = 18 }
resource "aws_vpc" "v" {
  ipv4_ipam_pool_id   = "p"
  ipv4_netmask_length = 22
  %s
}
resource "aws_vpc_ipv4_cidr_block_association" "more" {
  vpc_id              = aws_vpc.v.id
  ipv4_netmask_length = 19
}
resource "aws_subnet" "s" {
  vpc_id              = aws_vpc.v.id
  ipv4_netmask_length = 26
}
"""
    draft = terraform(tmp_path, text % "")
    assert draft.vpc_prefixes == (22, 19)
    assert draft.subnets[0].prefix == 26
    assert "1 aws_vpc_ipam_pool_cidr_allocation not in the plan" in said(draft)
    draft = terraform(tmp_path, text % 'cidr_block = "10.0.0.0/22"')
    assert not draft.vpc_prefixes
    assert "association.more: a /19 of an IPAM pool, not known before apply" in said(draft)


def test_subnets_of_unknown_size_fit_into_a_small_vpc() -> None:
    subnets = tuple(SubnetDraft(n, "eu-west-1a") for n in "abc")
    draft = PlanDraft(vpc_cidrs=(IPv4Network("10.0.0.0/24"),), subnets=subnets)
    plan = complete(draft)
    assert list(map(str, plan.vpc_cidrs)) == ["10.0.0.0/24"]
    assert [str(s.cidr) for s in plan.subnets] == ["10.0.0.0/26", "10.0.0.64/26", "10.0.0.128/26"]
