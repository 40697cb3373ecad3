"""Facts that a reader once dropped: devices and volumes of pods, taints, Spot, other clusters, exports, templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from capacity.readers.any_source import read as read_any
from capacity.readers.aws.answers import Sorter
from capacity.readers.cloudformation.template import read as read_templates
from capacity.readers.complete import complete
from capacity.readers.draft import GroupDraft, PlanDraft, SourceNotes, SubnetDraft, WorkloadDraft
from capacity.readers.eksctl.cluster_config import parse_eksctl
from capacity.readers.existing_plan import parse_base, render
from capacity.readers.karpenter import parse_karpenter
from capacity.readers.kubernetes.kubectl import draft_of_objects
from capacity.readers.terraform.source import read as read_terraform


def said(draft: PlanDraft) -> str:
    return "\n".join(n.text for n in draft.notes)


def kube(*objects: dict[str, Any]) -> PlanDraft:
    return draft_of_objects(objects, SourceNotes("k.yaml"))


def named(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "shop"}, "spec": spec}


def template(*containers: dict[str, Any], labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"labels": labels or {}}, "spec": {"containers": list(containers) or [{"name": "c"}], **spec}}


def asks(**resources: Any) -> dict[str, Any]:
    return {"name": "c", "resources": {"requests": resources}}


def node(name: str, group: str, zone: str, **labels: str) -> dict[str, Any]:
    own = {"eks.amazonaws.com/nodegroup": group, "node.kubernetes.io/instance-type": "m5.large"}
    return {
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": {"name": name, "labels": {**own, "topology.kubernetes.io/zone": zone, **labels}},
        "status": {},
    }


# --- kubectl --------------------------------------------------------------------------------------


def test_gpus_are_read_and_other_devices_noted() -> None:
    draft = kube(
        named("Deployment", "gpu", replicas=2, template=template({"resources": {"limits": {"nvidia.com/gpu": "2"}}})),
        named("Deployment", "efa", replicas=1, template=template(asks(**{"vpc.amazonaws.com/efa": "1"}))),
        named("DaemonSet", "dcgm", template=template(asks(**{"nvidia.com/gpu": 1}))),
    )
    assert {w.name: w.gpus for w in draft.workloads} == {"shop/gpu": 2, "shop/efa": None}
    assert draft.daemon_sets[0].gpus == 1
    assert "1 device request not in the plan (shop/efa: vpc.amazonaws.com/efa)" in said(draft)
    text = render(complete(draft))
    assert "requests: {gpu: 2}" in text
    assert parse_base(text, "p").full.workloads[1].gpus == 2


def test_a_claim_of_an_ebs_class_is_a_volume() -> None:
    claims = [{"spec": {"storageClassName": "gp3"}}, {"spec": {"storageClassName": "shared"}}]
    sets = named("StatefulSet", "db", replicas=3, volumeClaimTemplates=claims, template=template())
    classes = [
        {"kind": "StorageClass", "apiVersion": "v1", "metadata": {"name": n}, "provisioner": p}
        for n, p in (("gp3", "ebs.csi.aws.com"), ("shared", "efs.csi.aws.com"))
    ]
    draft = kube(sets, *classes)
    assert draft.workloads[0].volumes == 1
    assert parse_base(render(complete(draft)), "p").full.workloads[0].volumes == 1
    alone = kube(sets)
    assert alone.workloads[0].volumes is None
    assert "each pod claims 2 volumes (gp3, shared not in this file): set volumes" in said(alone)


def test_a_policy_selects_the_pods_with_branch_interfaces() -> None:
    policy = named("SecurityGroupPolicy", "p", podSelector={"matchLabels": {"app": "web"}})
    web = named("Deployment", "web", replicas=1, template=template(labels={"app": "web"}))
    other = named("Deployment", "other", replicas=1, template=template(labels={"app": "db"}))
    draft = kube(policy, web, other)
    assert {w.name: w.security_groups for w in draft.workloads} == {"shop/web": True, "shop/other": None}
    assert "SecurityGroupPolicy" not in said(draft)
    policy["spec"]["serviceAccountSelector"] = {"matchLabels": {"a": "b"}}
    open_one = kube(policy, web)
    assert open_one.workloads[0].security_groups is None
    assert "1 SecurityGroupPolicy not in the plan (shop/p)" in said(open_one)


def test_larger_requests_of_the_pods_count() -> None:
    """An injected sidecar is in the pods alone."""
    web = named("Deployment", "web", replicas=2, template=template(asks(cpu="250m", memory="256Mi")))
    pod = named("Pod", "web-1", containers=[asks(cpu="250m", memory="256Mi"), asks(cpu="100m")])
    pod["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "web-5d4f8c7b9", "controller": True}]
    draft = kube(web, pod)
    assert (draft.workloads[0].cpu_millicores, draft.workloads[0].memory_bytes) == (350, 256 * 2**20)
    assert "its pods request cpu 350m and memory 256Mi, its template cpu 250m and memory 256Mi" in said(draft)
    pod["spec"]["containers"] = [asks(cpu="1m", memory="1Mi")]
    assert kube(web, pod).workloads[0].cpu_millicores == 250


def test_a_daemon_set_that_surges_is_noted() -> None:
    agent = named("DaemonSet", "a", template=template(), updateStrategy={"rollingUpdate": {"maxSurge": "10%"}})
    assert "maxSurge: during its update, each of 10% of its nodes at a time has one more of its pods" in said(
        kube(agent)
    )
    agent["spec"]["template"]["spec"]["hostNetwork"] = True
    assert "maxSurge" not in said(kube(agent))


def test_spot_nodes_and_zones() -> None:
    spot = {"eks.amazonaws.com/capacityType": "SPOT"}
    draft = kube(
        node("a", "all", "eu-west-1a", **spot),
        node("b", "some", "eu-west-1a", **spot),
        node("c", "some", "eu-west-1b", **{"eks.amazonaws.com/capacityType": "ON_DEMAND"}),
    )
    assert {g.name: g.capacity_type for g in draft.node_groups} == {"all": "spot", "some": None}
    assert "nodes of some: 1 of 2 are Spot Instances: the plan has one capacityType, on-demand" in said(draft)
    assert "nodes of all: 1 node, all in eu-west-1a: its subnets can be in more zones" in said(draft)
    assert "nodes of some: 2 nodes" not in said(draft)


def test_node_subnets_are_assumed_in_all_zones_beside_pod_subnets() -> None:
    """The pod subnets of one zone do not hide the nodes of another."""
    draft = PlanDraft(
        zones=("eu-west-1a", "eu-west-1b"),
        subnets=(SubnetDraft("pods", "eu-west-1a"),),
        pod_subnets=("pods",),
        node_groups=(GroupDraft("g"), GroupDraft("w", ami="windows")),
    )
    plan = complete(draft)
    assert [s.name for s in plan.subnets][:2] == ["assumed-eu-west-1a", "assumed-eu-west-1b"]
    assert plan.node_groups[0].pod_subnets == ("pods", "assumed-pods-eu-west-1b")
    assert plan.node_groups[1].pod_subnets is None
    assert "Windows nodes have no custom networking" in said(plan)
    assert render(plan)


def test_a_template_that_was_not_rendered_is_noted() -> None:
    draft = kube(named("Deployment", '{{ include "web.name" . }}', replicas="{{ .Values.n }}", template=template()))
    assert [(w.name, w.replicas) for w in draft.workloads] == [("shop/include-web.name", 1)]
    assert "replicas '{{ .Values.n }}' is not a number: assumed 1; render a template first" in said(draft)


# --- eksctl and Karpenter ---------------------------------------------------------------------------


def test_spot_ocean_is_noted_and_has_its_types() -> None:
    config = {
        "metadata": {"name": "c", "region": "us-west-2"},
        "spotOcean": {"compute": {"instanceTypes": {"whitelist": ["t3a.large"]}}},
        "nodeGroups": [
            {"name": "one", "spotOcean": {}},
            {"name": "two", "spotOcean": {"compute": {"instanceTypes": ["m5a.large", "c5.large"]}}},
        ],
    }
    draft = parse_eksctl(config, "c.yaml")
    assert [g.instance_types for g in draft.node_groups] == [("t3a.large",), ("m5a.large", "c5.large")]
    assert "nodeGroups[0].spotOcean: Spot Ocean starts its instances" in said(draft)


def test_what_a_launch_template_elsewhere_can_set_is_noted() -> None:
    groups = [{"name": "g", "instanceType": "m5.large", "launchTemplate": {"id": "lt-1", "version": "3"}}]
    draft = parse_eksctl({"metadata": {"name": "c"}, "managedNodeGroups": groups}, "c.yaml")
    assert "lt-1 version 3 is not in this file: its type, AMI, max pods and interfaces are not known" in said(draft)


@pytest.mark.parametrize(
    ("operator", "values", "spot"),
    [
        ("Exists", [], True),
        ("NotIn", ["on-demand"], True),
        ("NotIn", ["spot"], False),
        ("In", ["on-demand"], False),
        ("In", ["spot"], True),
        ("DoesNotExist", [], False),
    ],
)
def test_capacity_types_that_a_pool_allows(operator: str, values: list[str], spot: bool) -> None:
    rules = [
        {"key": "node.kubernetes.io/instance-type", "operator": "In", "values": ["m5.large"]},
        {"key": "karpenter.sh/capacity-type", "operator": operator, "values": values},
    ]
    found = {"kind": "NodePool", "metadata": {"name": "p"}, "spec": {"template": {"spec": {"requirements": rules}}}}
    assert (parse_karpenter([found]).node_groups[0].capacity_type == "spot") is spot


def test_subnets_by_tag_beside_ids_and_unused_classes_are_noted() -> None:
    terms = [{"id": "subnet-0b"}, {"tags": {"team": "ml"}}]
    pool = {"kind": "NodePool", "metadata": {"name": "p"}}
    pool["spec"] = {"template": {"spec": {"nodeClassRef": {"name": "a"}, "requirements": []}}}
    classes = [
        {"kind": "EC2NodeClass", "metadata": {"name": n}, "spec": {"subnetSelectorTerms": terms}} for n in ("a", "b")
    ]
    draft = parse_karpenter([pool, *classes])
    assert "NodePool p: its subnets are subnet-0b and those with tags team=ml; they are not in this file" in said(draft)
    assert "node class b: no NodePool in this file uses it" in said(draft)
    assert "node class a:" not in said(draft)


# --- Terraform --------------------------------------------------------------------------------------

TWO_CLUSTERS = """
module "blue" {
  source = "terraform-aws-modules/eks/aws"
  name   = "blue"
  eks_managed_node_groups = { a = { instance_types = ["m5.large"] } }
}
module "green" {
  source = "terraform-aws-modules/eks/aws"
  name   = "green"
  eks_managed_node_groups = {
    b = { instance_types = ["m6i.large"], taints = { gpu = { key = "gpu", value = "yes", effect = "NO_SCHEDULE" } } }
    c = { instance_types = ["m6i.large"] }
  }
  fargate_profiles = { f = { selectors = [{ namespace = "jobs" }], subnet_ids = ["subnet-0aaaaaaaaaaaaaaa1"] } }
}
"""

WORKERS = """
resource "aws_launch_template" "w" {
  name          = "w"
  instance_type = "m5.large"
  instance_market_options { market_type = "spot" }
  user_data = base64encode("/etc/eks/bootstrap.sh c --use-max-pods false --b64-cluster-ca x")
}
resource "aws_autoscaling_group" "w" {
  name             = "workers"
  desired_capacity = 4
  launch_template { id = aws_launch_template.w.id }
}
"""


def terraform(text: str, folder: Path) -> PlanDraft:
    (folder / "main.tf").write_text(text)
    return read_terraform([str(folder / "main.tf")])


def test_groups_of_another_module_s_cluster_are_left_out(tmp_path: Path) -> None:
    draft = terraform(TWO_CLUSTERS, tmp_path)
    assert (draft.name, [g.name for g in draft.node_groups]) == ("green", ["b", "c"])
    assert "a node group of cluster blue: ignored" in said(draft)
    assert "tainted (gpu=yes:NO_SCHEDULE)" in said(draft)
    assert "each of its pods (namespaces jobs) uses an address of subnet-0aaaaaaaaaaaaaaa1" in said(draft)


def test_workers_of_a_launch_template(tmp_path: Path) -> None:
    group = terraform(WORKERS, tmp_path).node_groups[0]
    assert (group.ami, group.max_pods, group.capacity_type) == ("al2", 110, "spot")


def test_nodeadm_s_expression_of_max_pods(tmp_path: Path) -> None:
    script = 'apiVersion: node.eks.aws/v1alpha1\\nspec:\\n  kubelet:\\n    maxPodsExpression: \\"min(pods, 50)\\"\\n'
    group = terraform(WORKERS.replace("/etc/eks/bootstrap.sh c --use-max-pods false", script), tmp_path).node_groups[0]
    assert group.max_pods is None
    assert group.max_pods_expression == "min(pods, 50)"


# --- CloudFormation ---------------------------------------------------------------------------------

NETWORK = """
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  A: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/20, AvailabilityZone: eu-west-1a}}
  B: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.16.0/20, AvailabilityZone: eu-west-1b}}
Outputs:
  Subnets: {Value: !Join [",", [!Ref A, !Ref B]], Export: {Name: !Sub "${AWS::StackName}-Subnets"}}
  SubnetA: {Value: !Ref A, Export: {Name: shared-subnet-a}}
"""
CLUSTER = """
Parameters: {Network: {Type: String}}
Resources:
  Cluster:
    Type: AWS::EKS::Cluster
    Properties:
      Name: shop
      ResourcesVpcConfig: {SubnetIds: !Split [",", !ImportValue {"Fn::Sub": "${Network}-Subnets"}]}
  Ng:
    Type: AWS::EKS::Nodegroup
    Properties: {ClusterName: !Ref Cluster, Subnets: [!ImportValue shared-subnet-a]}
"""


def templates(folder: Path, **texts: str) -> PlanDraft:
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)
    return read_templates([str(folder / f"{name}.yaml") for name in texts])


def test_templates_import_values_of_each_other(tmp_path: Path) -> None:
    draft = templates(tmp_path, network=NETWORK, cluster=CLUSTER)
    assert draft.control_plane == ("A", "B")
    assert draft.node_groups[0].subnets == ("A",)
    assert "Fn::ImportValue ${Network}-Subnets: the only export in the input that ends so is that of" in said(draft)


def test_an_export_that_two_templates_have_is_not_guessed(tmp_path: Path) -> None:
    draft = templates(tmp_path, one=NETWORK, two=NETWORK.replace("shared-subnet-a", "other"), cluster=CLUSTER)
    assert draft.control_plane is None
    assert "is exported by another stack (${Network}-Subnets)" in said(draft)


def test_a_second_cluster_of_a_template_is_left_out(tmp_path: Path) -> None:
    text = """
Resources:
  One: {Type: AWS::EKS::Cluster, Properties: {Name: one}}
  Two: {Type: AWS::EKS::Cluster, Properties: {Name: two}}
  A: {Type: AWS::EKS::Nodegroup, Properties: {ClusterName: !Ref One}}
  B: {Type: AWS::EKS::Nodegroup, Properties: {ClusterName: two}}
  F:
    Type: AWS::EKS::FargateProfile
    Properties: {Subnets: [subnet-0aaaaaaaaaaaaaaa1], Selectors: [{Namespace: jobs}]}
"""
    draft = templates(tmp_path, t=text)
    assert [g.name for g in draft.node_groups] == ["A"]
    assert "2 clusters: a plan is one cluster, One is used, Two ignored" in said(draft)
    assert "B: a node group of cluster Two: ignored" in said(draft)
    assert "F: each of its pods (namespaces jobs) uses an address of subnet-0aaaaaaaaaaaaaaa1" in said(draft)


# --- AWS --------------------------------------------------------------------------------------------


def test_a_list_of_answers_in_one_file() -> None:
    sorter = Sorter()
    group = {"nodegroup": {"nodegroupName": "own", "clusterName": "c"}}
    assert sorter.add([group, {"Subnets": [{"SubnetId": "subnet-1"}]}, {"what": "else"}], "all.json")
    found = sorter.done()
    assert [len(found.of(kind)) for kind in ("nodegroups", "subnets")] == [1, 1]
    assert found.notes == ("all.json: 1 entry of a list not known: ignored",)


def test_round_trip_of_a_workload_with_devices() -> None:
    plan = PlanDraft(workloads=(WorkloadDraft("w", replicas=1, gpus=1, volumes=2, cpu_millicores=500),))
    text = render(complete(plan))
    assert json.dumps(parse_base(text, "p").full.workloads[0].volumes) == "2"


# --- chosen ENIConfigs, VPCs that exist, Terragrunt ---------------------------------------------------

LABEL = {"k8s.amazonaws.com/eniConfig": "eni-a"}


def test_the_eniconfig_that_a_group_chooses_is_noted(tmp_path: Path) -> None:
    words = "its nodes use ENIConfig eni-a (k8s.amazonaws.com/eniConfig): set podSubnets to its subnet"
    assert words in said(kube(node("a", "g", "eu-west-1a", **LABEL)))
    groups = [{"name": "g", "instanceType": "m5.large", "labels": LABEL}]
    assert words in said(parse_eksctl({"metadata": {"name": "c"}, "managedNodeGroups": groups}))
    pool = {"kind": "NodePool", "metadata": {"name": "p"}, "spec": {"template": {"metadata": {"labels": LABEL}}}}
    assert words in said(parse_karpenter([pool]))
    properties = {"ClusterName": "c", "Labels": LABEL}
    text = json.dumps({"Resources": {"G": {"Type": "AWS::EKS::Nodegroup", "Properties": properties}}})
    assert words in said(templates(tmp_path, t=text))
    text = 'resource "aws_eks_node_group" "g" { labels = { "k8s.amazonaws.com/eniConfig" = "eni-a" } }'
    assert words in said(terraform(text, tmp_path))


def test_control_plane_subnets_are_of_a_vpc_that_exists() -> None:
    config = {"metadata": {"name": "c", "region": "us-west-2"}, "vpc": {"controlPlaneSubnetIDs": ["subnet-1234"]}}
    draft = parse_eksctl(config, "c.yaml")
    assert (draft.vpc_cidrs, draft.subnets, draft.control_plane) == ((), (), ("subnet-1234",))
    assert "vpc.controlPlaneSubnetIDs: subnets of an existing VPC" in said(draft)


def test_the_family_of_a_custom_class_is_that_of_its_script() -> None:
    spec = {"amiFamily": "Custom", "amiSelectorTerms": [{"id": "ami-1"}], "userData": "/etc/eks/bootstrap.sh c"}
    pool = {"kind": "NodePool", "metadata": {"name": "p"}}
    pool["spec"] = {"template": {"spec": {"nodeClassRef": {"name": "a"}}}}
    draft = parse_karpenter([pool, {"kind": "EC2NodeClass", "metadata": {"name": "a"}, "spec": spec}])
    assert draft.node_groups[0].ami == "al2"
    assert "its family is not known" not in said(draft)


def test_terragrunt_in_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "terragrunt.hcl").write_text("inputs = {}\n")
    (tmp_path / "c.yaml").write_text("apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: c}\n")
    assert "terragrunt.hcl: is Terragrunt's: its inputs and its module are not evaluated" in said(
        read_any([str(tmp_path)])
    )


@pytest.mark.parametrize("memory", [".", "1.2.3", "a lot", "9" * 400])
def test_an_odd_memory_of_an_instance_selector_selects_nothing_by_memory(memory: str) -> None:
    groups = [{"name": "g", "instanceSelector": {"vCPUs": 2, "memory": memory}}]
    assert parse_eksctl({"metadata": {"name": "c"}, "managedNodeGroups": groups}).node_groups[0].instance_types
