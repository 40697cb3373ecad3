"""Texts and settings of which a part is not known: what is known is in the plan, the rest has a note."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from capacity.readers.cloudformation.template import parse_cloudformation
from capacity.readers.decode import parse_documents
from capacity.readers.draft import PlanDraft, SourceNotes
from capacity.readers.eksctl.cluster_config import parse_eksctl
from capacity.readers.karpenter import parse_karpenter
from capacity.readers.kubernetes.kubectl import draft_of_objects
from capacity.readers.terraform.expression import evaluate, evaluate_template
from capacity.readers.terraform.source import read
from capacity.readers.terraform.value import UNKNOWN, Encoded, PartText, known_parts


def terraform(folder: Path, text: str, **files: str) -> PlanDraft:
    for name, other in files.items():
        (folder / name).write_text(other)
    (folder / "main.tf").write_text(text)
    return read([str(folder / "main.tf")] if not files else [str(folder)])


def said(draft: PlanDraft) -> str:
    return "\n".join(n.text for n in draft.notes)


def look(name: str, _scope: object) -> Any:
    return {"known": "a"} if name == "local" else UNKNOWN


# --- Terraform: texts ---------------------------------------------------------------------------


def test_a_text_with_an_unknown_part_has_a_placeholder() -> None:
    found = evaluate_template("x ${local.known} y ${module.m.out} ${1 + module.n}", look)
    assert isinstance(found, PartText)
    assert found.text == "x a y ${module.m.out} ${…}"
    encoded = evaluate('base64encode("${local.known} ${var.x}")', look)
    assert isinstance(encoded, PartText)
    assert encoded.text == "a ${var.x}"


def test_json_with_an_unknown_part_keeps_the_known_parts() -> None:
    found = evaluate("jsonencode({ a = local.known, b = { c = var.x } })", look)
    assert isinstance(found, Encoded)
    assert known_parts(found) == {"a": "a", "b": {}}
    assert evaluate("jsondecode(jsonencode({ a = var.x, b = 2 })).b", look) == 2
    assert evaluate("jsonencode(var.x)", look) is UNKNOWN
    assert evaluate("jsonencode({ a = 1 })", look) == '{"a":1}'


CLASS = """
resource "kubectl_manifest" "class" {
  yaml_body = <<-YAML
    apiVersion: karpenter.k8s.aws/v1
    kind: EC2NodeClass
    metadata: {name: default}
    spec:
      role: ${module.karpenter.node_iam_role_name}
      amiSelectorTerms: [{alias: bottlerocket@latest}]
      kubelet: {maxPods: 61}
      subnetSelectorTerms: [{id: subnet-0aaaaaaaaaaaaaaa1}]
  YAML
}
resource "kubectl_manifest" "pool" {
  yaml_body = <<-YAML
    apiVersion: karpenter.sh/v1
    kind: NodePool
    metadata: {name: default}
    spec:
      limits: {cpu: ${var.limit}}
      template:
        spec:
          nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}
          requirements:
            - {key: node.kubernetes.io/instance-type, operator: In, values: [m6i.large]}
            - key: karpenter.k8s.aws/instance-cpu
              operator: In
              values: ${jsonencode(var.cpus)}
  YAML
}
"""


def test_a_manifest_with_an_unknown_name_is_read(tmp_path: Path) -> None:
    draft = terraform(tmp_path, CLASS)
    (group,) = draft.node_groups
    assert (group.instance_types, group.ami, group.max_pods) == (("m6i.large",), "bottlerocket", 61)
    assert group.subnets == ("subnet-0aaaaaaaaaaaaaaa1",)
    assert "spec.limits.cpu: '${var.limit}' is a placeholder" in said(draft)
    assert "requirements[1].values" in said(draft)
    assert "no type in the catalog" not in said(draft)


ASG = """
resource "aws_launch_configuration" "lc" {
  name_prefix   = "n"
  instance_type = "m5.xlarge"
  user_data     = %s
}
data "template_file" "boot" {
  template = "/etc/eks/bootstrap.sh c --apiserver-endpoint $${url} %s"
  vars     = { url = aws_eks_cluster.other.endpoint }
}
data "cloudinit_config" "boot" {
  part { content = "echo ${var.x}" }
  part { content = "/etc/eks/bootstrap.sh c --kubelet-extra-args --max-pods=33" }
}
resource "aws_autoscaling_group" "g" {
  name                 = "g"
  launch_configuration = aws_launch_configuration.lc.name
  min_size             = 1
  max_size             = 2
  vpc_zone_identifier  = ["subnet-0aaaaaaaaaaaaaaa1"]
}
"""


@pytest.mark.parametrize(
    ("user_data", "arguments", "max_pods", "note"),
    [
        ("data.template_file.boot.rendered", "--kubelet-extra-args --max-pods=44", 44, False),
        ("base64encode(data.template_file.boot.rendered)", "--kubelet-extra-args --max-pods=44", 44, False),
        ("data.cloudinit_config.boot.rendered", "", 33, False),
        ("data.template_file.boot.rendered", "--use-max-pods false", None, True),
        ('"/etc/eks/bootstrap.sh c --use-max-pods false --kubelet-extra-args ${var.args}"', "", None, True),
    ],
)
def test_user_data_with_unknown_parts(
    tmp_path: Path, user_data: str, arguments: str, max_pods: int | None, note: bool
) -> None:
    draft = terraform(tmp_path, ASG % (user_data, arguments))
    (group,) = draft.node_groups
    assert (group.instance_types, group.ami, group.max_pods) == (("m5.xlarge",), "al2", max_pods)
    assert ("known in part" in said(draft)) is note


CUSTOM = """
module "vpc" {
  source          = "terraform-aws-modules/vpc/aws"
  cidr            = "10.7.0.0/16"
  azs             = ["eu-west-1a", "eu-west-1b"]
  private_subnets = ["10.7.0.0/20", "10.7.16.0/20"]
  intra_subnets   = ["10.7.64.0/18", "10.7.128.0/18"]
}
module "eks" {
  source     = "terraform-aws-modules/eks/aws"
  version    = "~> 20.0"
  subnet_ids = module.vpc.private_subnets
  cluster_addons = {
    vpc-cni = {
      configuration_values = jsonencode({
        env = { AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG = "true", %s }
        eniConfig = {
          create  = true
          region  = var.region
          subnets = { for i, az in ["eu-west-1a", "eu-west-1b"] : az => {
            id = module.vpc.intra_subnets[i], securityGroups = [module.eks.node_security_group_id] } }
        }
      })
    }
  }
  eks_managed_node_groups = {
    app = { instance_types = ["m5.large"], min_size = 1, max_size = 2, desired_size = 1
            cloudinit_pre_nodeadm = [{ content = "cluster: ${var.c}\\nkubelet: {config: {maxPods: 70}}" }] }
  }
}
"""


def test_custom_networking_of_the_add_on(tmp_path: Path) -> None:
    """The security group of an ENIConfig is never known before apply, and no reason to lose its subnets."""
    draft = terraform(tmp_path, CUSTOM % 'ENABLE_PREFIX_DELEGATION = "true"')
    assert draft.pod_subnets == ("intra-eu-west-1a", "intra-eu-west-1b")
    assert len(draft.subnets) == 4
    assert draft.env["ENABLE_PREFIX_DELEGATION"] == "true"
    assert draft.node_groups[0].max_pods == 70
    assert "not known" not in said(draft)


def test_an_unknown_setting_of_the_add_on_is_noted(tmp_path: Path) -> None:
    draft = terraform(tmp_path, CUSTOM % "WARM_IP_TARGET = var.warm")
    assert draft.env == {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"}
    assert "not known: configuration_values" in said(draft)


# --- Terraform: modules of every version -----------------------------------------------------------

OLD = """
module "eks" {
  source       = "terraform-aws-modules/eks/aws"
  version      = "%s"
  cluster_name = "old"
  subnets      = ["subnet-0aaaaaaaaaaaaaaa1"]
  workers_group_defaults = { asg_max_size = 7 }
  node_groups_defaults   = { ami_type = "AL2_ARM_64" }
  node_groups = {
    a = { desired_capacity = 2, min_capacity = 2, max_capacity = 4, instance_types = ["m6g.large"] }
    b = { instance_type = "c5.large", capacity_type = "SPOT", subnets = ["subnet-0bbbbbbbbbbbbbbb1"] }
  }
  worker_groups = [
    { name = "w", instance_type = "m5.xlarge", asg_desired_capacity = 3, kubelet_extra_args = "--max-pods=20" },
    { platform = "windows" },
  ]
  worker_groups_launch_template = [{ name = "mix", override_instance_types = ["m5.large", "m5a.large"] }]
}
"""


def test_groups_of_the_module_before_18(tmp_path: Path) -> None:
    draft = terraform(tmp_path, OLD % "17.24.0")
    groups = {g.name: g for g in draft.node_groups}
    assert list(groups) == ["a", "b", "old-w", "old-1", "old-mix"]
    assert [(g.min_nodes, g.desired, g.max_nodes) for g in groups.values()] == [
        *((2, 2, 4), (1, 1, 7), (1, 3, 7), (1, 1, 7), (1, 1, 7))
    ]
    assert [g.instance_types for g in groups.values()] == [
        *(("m6g.large",), ("m4.large",), ("m5.xlarge",), ("m4.large",), ("m5.large", "m5a.large"))
    ]
    assert [g.ami for g in groups.values()] == ["al2", "al2", "al2", "windows", "al2"]
    assert (groups["b"].capacity_type, groups["b"].subnets) == ("spot", ("subnet-0bbbbbbbbbbbbbbb1",))
    assert groups["old-w"].max_pods == 20
    assert "not inputs of this module and version: instance_type" in said(draft)


def test_one_type_of_the_module_before_14(tmp_path: Path) -> None:
    draft = terraform(tmp_path, OLD % "13.2.1")
    assert [g.instance_types for g in draft.node_groups[:2]] == [("m4.large",), ("c5.large",)]


def test_old_inputs_of_a_new_module_are_noted(tmp_path: Path) -> None:
    draft = terraform(tmp_path, OLD % "18.0.0")
    assert not draft.node_groups
    assert "module.eks.worker_groups: an input of version 17 or older" in said(draft)


def test_names_that_a_group_does_not_have_are_noted(tmp_path: Path) -> None:
    group = '{ instance_type = "m5.large", desired_capacity = 4, min_size = 1, max_size = 2, desired_size = 1 }'
    text = f"""
module "eks" {{
  source     = "terraform-aws-modules/eks/aws"
  version    = "20.8.4"
  subnet_ids = ["subnet-0aaaaaaaaaaaaaaa1"]
  eks_managed_node_groups  = {{ a = {group} }}
  self_managed_node_groups = {{ b = {{ instance_types = ["m5.large"], instance_type = "c5.large" }} }}
}}
"""
    draft = terraform(tmp_path, text)
    assert [g.instance_types for g in draft.node_groups] == [("t3.medium",), ("c5.large",)]
    assert "ignored, not inputs of this module and version: instance_type, desired_capacity" in said(draft)
    assert "ignored, not inputs of this module and version: instance_types" in said(draft)


def test_a_merge_conflict_is_named(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="is not valid HCL: it has a merge conflict"):
        terraform(tmp_path, "a = 1\n<<<<<<< HEAD\nb = 2\n=======\nb = 3\n>>>>>>> x\n")


# --- templates of YAML -------------------------------------------------------------------------------


def test_an_expression_in_a_template_does_not_break_its_yaml() -> None:
    text = 'a: ${x == "y" ? "b: c" : "d"}\ngroups: [${sg}, fixed]\nmax: ${max}\n'
    (document,) = parse_documents(text, "t.yaml")
    assert document["groups"] == ["${sg}", "fixed"]
    assert document["max"] == "${max}"
    assert document["a"].startswith("${x == y")


def test_an_unknown_requirement_restricts_nothing() -> None:
    rule = {"key": "karpenter.k8s.aws/instance-family", "operator": "In", "values": ["${family}"]}
    fixed = {"key": "node.kubernetes.io/instance-type", "operator": "In", "values": ["m6i.large", "${type}"]}
    spec = {"template": {"spec": {"requirements": [rule, fixed]}}}
    draft = parse_karpenter(
        [{"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": "p"}, "spec": spec}], "f"
    )
    assert draft.node_groups[0].instance_types == ("m6i.large",)


def test_reservations_of_a_kubelet_are_noted() -> None:
    kubelet = {"kubeReserved": {"cpu": "300m"}, "evictionHard": {"memory.available": "5%"}}
    group = {"name": "a", "instanceType": "m5.large", "kubeletExtraConfig": kubelet}
    config = {"apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig", "metadata": {"name": "c"}}
    assert "not in the plan: kubeReserved, evictionHard" in said(parse_eksctl({**config, "nodeGroups": [group]}))
    class_ = {
        "apiVersion": "karpenter.k8s.aws/v1",
        "kind": "EC2NodeClass",
        "metadata": {"name": "d"},
        "spec": {"kubelet": {"systemReserved": {"memory": "1Gi"}}},
    }
    pool = {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": "p"},
        "spec": {"template": {"spec": {"nodeClassRef": {"name": "d", "kind": "EC2NodeClass"}}}},
    }
    assert "NodePool p: not in the plan: systemReserved" in said(parse_karpenter([class_, pool], "f"))


# --- CloudFormation ------------------------------------------------------------------------------------

NETWORK: dict[str, Any] = {
    "V": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
    "A": {
        "Type": "AWS::EC2::Subnet",
        "Properties": {"CidrBlock": "10.0.0.0/20", "AvailabilityZone": "eu-west-1a", "VpcId": {"Ref": "V"}},
    },
    "B": {
        "Type": "AWS::EC2::Subnet",
        "Properties": {
            "CidrBlock": "10.0.16.0/20",
            "AvailabilityZone": {"Fn::Select": [1, {"Fn::GetAZs": ""}]},
            "VpcId": {"Ref": "V"},
        },
    },
}


def test_the_region_of_one_zone_is_the_region_of_the_template() -> None:
    addon = {
        "Type": "AWS::EKS::Addon",
        "Properties": {
            "AddonName": "vpc-cni",
            "ConfigurationValues": {"Fn::Sub": '{"env":{"WARM_IP_TARGET":"4"},"init":{"r":"${AWS::Region}"}}'},
        },
    }
    draft = parse_cloudformation({"Resources": {**NETWORK, "Cni": addon}})
    assert draft.region == "eu-west-1"
    assert [s.zone for s in draft.subnets] == ["eu-west-1a", "eu-west-1b"]
    assert draft.env == {"WARM_IP_TARGET": "4"}


def test_manifests_of_the_cdk_are_read() -> None:
    def applied(manifest: object) -> dict[str, Any]:
        return {"Type": "Custom::AWSCDK-EKS-KubernetesResource", "Properties": {"Manifest": manifest}}

    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w"}}
    deployment["spec"] = {"replicas": 7, "template": {"spec": {"containers": [{"name": "c"}]}}}
    eni = (
        '[{"apiVersion":"crd.k8s.amazonaws.com/v1alpha1","kind":"ENIConfig","metadata":{"name":"x"},"spec":{"subnet":"'
    )
    auth = [
        '[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"aws-auth"},"data":{"a":"',
        {"Fn::GetAtt": ["R", "Arn"]},
        '"}}]',
    ]
    windows = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "amazon-vpc-cni", "namespace": "kube-system"},
        "data": {"enable-windows-ipam": "true", "warm-ip-target": "3"},
    }
    resources = {
        **NETWORK,
        "App": applied(json.dumps([deployment])),
        "Eni": applied({"Fn::Join": ["", [eni, {"Ref": "B"}, '"}}]']]}),
        "Auth": applied({"Fn::Join": ["", auth]}),
        "Windows": applied(json.dumps([windows])),
        "Url": applied({"Fn::ImportValue": "elsewhere"}),
        "Fargate": {
            "Type": "Custom::AWSCDK-EKS-FargateProfile",
            "Properties": {"Config": {"selectors": [{"namespace": "jobs"}], "subnets": [{"Ref": "A"}]}},
        },
    }
    draft = parse_cloudformation({"Resources": resources})
    assert [(w.name, w.replicas) for w in draft.workloads] == [("default/w", 7)]
    assert draft.pod_subnets == ("B",)
    assert draft.windows["warm-ip-target"] == "3"
    assert "1 Custom::AWSCDK-EKS-KubernetesResource not in the plan (Url)" in said(draft)
    assert "Fargate: each of its pods (namespaces jobs) uses an address of A" in said(draft)


# --- Kubernetes: kinds of other groups --------------------------------------------------------------


def kube(*objects: tuple[str, str, dict[str, Any]]) -> PlanDraft:
    made = [
        {"apiVersion": version, "kind": kind, "metadata": {"name": f"n{i}"}, "spec": spec}
        for i, (version, kind, spec) in enumerate(objects)
    ]
    return draft_of_objects(made, SourceNotes("k.yaml"))


def test_a_kind_of_another_group_is_not_that_of_kubernetes() -> None:
    containers = {"containers": [{"name": "c"}]}
    draft = kube(
        ("longhorn.io/v1beta2", "Node", {"disks": {}}),
        ("serving.knative.dev/v1", "Service", {"template": {"spec": containers}}),
        ("batch.volcano.sh/v1alpha1", "Job", {"tasks": [{"replicas": 6}]}),
        ("apps.kruise.io/v1beta1", "StatefulSet", {"replicas": 3, "template": {"spec": containers}}),
    )
    assert not draft.node_groups
    assert not draft.services
    assert [(w.name, w.replicas) for w in draft.workloads] == [("default/n3", 3)]
    assert "1 Service of serving.knative.dev not in the plan (default/n1): it can run pods" in said(draft)
    assert "1 Job of batch.volcano.sh not in the plan (default/n2): it can run pods" in said(draft)
    assert "ignored, not part of a plan: 1 Node (longhorn.io)" in said(draft)


@pytest.mark.parametrize(
    ("version", "kind", "spec", "why"),
    [
        ("monitoring.coreos.com/v1", "Prometheus", {"replicas": 2}, "it can run pods"),
        ("flink.apache.org/v1beta1", "FlinkDeployment", {"taskManager": {"replicas": 3}}, "it can run pods"),
        ("postgresql.cnpg.io/v1", "Cluster", {"instances": 3}, "it can run pods"),
        ("eks.services.k8s.aws/v1alpha1", "Nodegroup", {"clusterName": "c"}, "it can make nodes"),
        ("eks.aws.upbound.io/v1beta1", "NodeGroup", {"forProvider": {}}, "it can make nodes"),
        ("infrastructure.cluster.x-k8s.io/v1beta2", "AWSManagedMachinePool", {"scaling": {}}, "it can make nodes"),
    ],
)
def test_custom_resources_that_could_matter_are_noted(version: str, kind: str, spec: dict[str, Any], why: str) -> None:
    group = version.rpartition("/")[0]
    assert f"1 {kind} of {group} not in the plan (default/n0): {why}" in said(kube((version, kind, spec)))


def test_custom_resources_without_pods_are_counted_by_kind() -> None:
    assert "ignored, not part of a plan: 1 Certificate" in said(
        kube(("cert-manager.io/v1", "Certificate", {"secretName": "x"}))
    )
