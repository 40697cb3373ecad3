"""Node groups to create, as whole files in the form of each provisioner.

Names go into YAML and JSON through their writers. IDs of subnets, roles and the cluster are placeholders that the
reader must fill in. A comment names the workloads of each group: the label is the one that the provisioner sets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from capacity.advice.snippets.identifiers import logical_ids, placeholder, terraform_names
from capacity.advice.snippets.subnets import hcl, yaml_text
from capacity.errors import SpecError
from capacity.plan.model import NodeGroup, Plan

POOL_LABEL = "karpenter.sh/nodepool"
LABELS = {"karpenter": POOL_LABEL, "auto": POOL_LABEL, "managed": "eks.amazonaws.com/nodegroup"}
OWN_LABEL = "node-group"  # of a self-managed group: its label has to be set
# https://eksctl.io/usage/schema/ (amiFamily), EKS API Nodegroup amiType, EC2NodeClass amiSelectorTerms alias
EKSCTL_AMIS = {"al2023": "AmazonLinux2023", "al2": "AmazonLinux2", "bottlerocket": "Bottlerocket"}
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")


def purchase_file(form: str, document: Mapping[str, Any], plan: Plan, names: Sequence[str]) -> str:
    """The bought groups of a plan as one file.

    Raises
    ------
    SpecError
        A form that the groups' provisioner does not have.
    """
    groups = [g for g in plan.node_groups if g.name in names]
    if form == "plan":
        return yaml_text(plain(document)) + "\n"
    _check_form(form, groups)
    makers = {"eksctl": eksctl, "terraform": terraform, "karpenter": karpenter, "cloudformation": cloudformation}
    head = _where_pods_go(plan, groups)
    head += _own_max_pods(groups) if form in ("terraform", "cloudformation") else ""
    return head + makers[form](plan, groups) + "\n"


def _check_form(form: str, groups: Sequence[NodeGroup]) -> None:
    """Karpenter's files are for Karpenter's nodes, the other forms for node groups."""
    own = groups[0].provisioner if groups else "managed"
    pools = own in ("karpenter", "auto")
    if pools != (form == "karpenter"):
        cure = "--as karpenter" if pools else "--provisioner karpenter"
        raise SpecError(f"--as {form}: the nodes are {own} (expected {cure}, or --as plan)")


def plain(value: Any, *, text: bool = False) -> Any:
    """A document in the usual style: numbers and booleans unquoted, but variables of the CNI as text."""
    if isinstance(value, Mapping):
        return {key: plain(inner, text=text or key in ("env", "annotations")) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner, text=text) for inner in value]
    if isinstance(value, str) and not text:
        if _WHOLE.fullmatch(value):
            return int(value)
        return {"true": True, "false": False}.get(value, value)
    return value


def _where_pods_go(plan: Plan, groups: Sequence[NodeGroup]) -> str:
    """A comment for each workload: the node selector that keeps it on its groups."""
    lines = []
    for w in plan.workloads:
        mine = [g for g in groups if g.name in w.node_groups]
        if not mine or len(mine) == len(plan.node_groups):
            continue
        label = LABELS.get(mine[0].provisioner, OWN_LABEL)
        values = " or ".join(json.dumps(g.name) for g in mine)
        lines.append(f"# {json.dumps(w.name)}: nodeSelector or node affinity {label}: {values}\n")
    return "".join(lines)


def _own_max_pods(groups: Sequence[NodeGroup]) -> str:
    """A comment for each group whose max pods are set by hand: the EKS API has no field for it.

    Source: awslabs/amazon-eks-ami nodeadm, NodeConfig spec.kubelet.config (maxPods), in a launch template's user data.
    """
    return "".join(
        f"# {json.dumps(g.name)}: maxPods {g.max_pods} needs a launch template with user data "
        f"(NodeConfig spec.kubelet.config.maxPods: {g.max_pods})\n"
        for g in groups
        if g.max_pods is not None
    )


def _sizes(group: NodeGroup) -> tuple[int, int, int]:
    least, most = group.min_nodes, group.max_nodes or 0
    return least, group.desired if group.desired is not None else least, most


def eksctl(plan: Plan, groups: Sequence[NodeGroup]) -> str:
    """A ClusterConfig with the groups.

    Source: https://eksctl.io/usage/schema/ (managedNodeGroups, nodeGroups; read 2026-11-30).
    """
    section = "managedNodeGroups" if groups[0].provisioner == "managed" else "nodeGroups"
    entries = []
    for g in groups:
        least, desired, most = _sizes(g)
        entry: dict[str, object] = {
            "name": g.name,
            "instanceType": g.instance_types[0].name,
            "amiFamily": EKSCTL_AMIS[g.ami],
            "minSize": least,
            "desiredCapacity": desired,
            "maxSize": most,
            "privateNetworking": True,
            "subnets": [placeholder(n) for n in g.subnets],
        }
        if section == "nodeGroups":
            entry["labels"] = {OWN_LABEL: g.name}
        if g.max_pods is not None:
            entry["maxPodsPerNode"] = g.max_pods
        entries.append(entry)
    return yaml_text(
        {
            "apiVersion": "eksctl.io/v1alpha5",
            "kind": "ClusterConfig",
            "metadata": {"name": plan.name, "region": plan.region or "REGION"},
            section: entries,
        }
    )


def terraform(plan: Plan, groups: Sequence[NodeGroup]) -> str:
    """An ``aws_eks_node_group`` for each group."""
    names = terraform_names(g.name for g in groups)
    blocks = []
    for g in groups:
        least, desired, most = _sizes(g)
        subnets = ", ".join(hcl(placeholder(n)) for n in g.subnets)
        blocks.append(
            f'resource "aws_eks_node_group" "{names[g.name]}" {{\n'
            f"  cluster_name    = {hcl(plan.name)}\n"
            f"  node_group_name = {hcl(g.name)}\n"
            f'  node_role_arn   = "ROLE"\n'
            f"  subnet_ids      = [{subnets}]\n"
            f"  instance_types  = [{hcl(g.instance_types[0].name)}]\n"
            f"  ami_type        = {hcl(ami_type(g))}\n"
            "  scaling_config {\n"
            f"    min_size     = {least}\n    desired_size = {desired}\n    max_size     = {most}\n"
            "  }\n}"
        )
    return "\n\n".join(blocks)


def ami_type(group: NodeGroup) -> str:
    """EKS's name of the AMI for a group's architecture.

    Source: EKS API, CreateNodegroup amiType (read 2026-11-30).
    """
    kind = group.instance_types[0]
    arch, nvidia = "ARM_64" if kind.arch == "arm64" else "x86_64", kind.nvidia_gpus > 0
    if group.ami == "bottlerocket":
        return f"BOTTLEROCKET_{arch}" + ("_NVIDIA" if nvidia else "")
    if group.ami == "al2":
        return f"AL2_{arch}" + ("_GPU" if nvidia and arch == "x86_64" else "")
    return f"AL2023_{arch}_" + ("NVIDIA" if nvidia else "STANDARD")


def cloudformation(plan: Plan, groups: Sequence[NodeGroup]) -> str:
    """An ``AWS::EKS::Nodegroup`` for each group."""
    ids = logical_ids((g.name for g in groups), "NodeGroup")
    resources = {}
    for g in groups:
        least, desired, most = _sizes(g)
        resources[ids[g.name]] = {
            "Type": "AWS::EKS::Nodegroup",
            "Properties": {
                "ClusterName": plan.name,
                "NodegroupName": g.name,
                "NodeRole": "ROLE",
                "Subnets": [placeholder(n) for n in g.subnets],
                "InstanceTypes": [g.instance_types[0].name],
                "AmiType": ami_type(g),
                "ScalingConfig": {"MinSize": least, "DesiredSize": desired, "MaxSize": most},
            },
        }
    return yaml_text({"Resources": resources})


def karpenter(_plan: Plan, groups: Sequence[NodeGroup]) -> str:
    """A NodePool for each group, limited to its most nodes, and its EC2NodeClass.

    Source: aws/karpenter-provider-aws, karpenter.sh/v1 NodePool and karpenter.k8s.aws/v1 EC2NodeClass.
    """
    documents = []
    for g in groups:
        auto = g.provisioner == "auto"
        ref = {"group": "eks.amazonaws.com" if auto else "karpenter.k8s.aws"}
        ref |= {"kind": "NodeClass" if auto else "EC2NodeClass", "name": "default" if auto else g.name}
        kind = g.instance_types[0]
        needs = [
            {"key": "node.kubernetes.io/instance-type", "operator": "In", "values": [kind.name]},
            {"key": "karpenter.sh/capacity-type", "operator": "In", "values": [g.capacity_type]},
        ]
        spec = {
            "template": {"spec": {"nodeClassRef": ref, "requirements": needs}},
            "limits": {"cpu": _sizes(g)[2] * (kind.vcpus or 1)},
        }
        documents.append(
            {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": g.name}, "spec": spec}
        )
        if not auto:
            documents.append(_node_class(g))
    return "\n---\n".join(yaml_text(d) for d in documents)


def _node_class(group: NodeGroup) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "amiSelectorTerms": [{"alias": f"{group.ami}@latest"}],
        "role": "ROLE",
        "subnetSelectorTerms": [{"id": placeholder(n)} for n in group.subnets],
        "securityGroupSelectorTerms": [{"id": "SECURITY-GROUP"}],
    }
    if group.max_pods is not None:
        spec["kubelet"] = {"maxPods": group.max_pods}
    return {
        "apiVersion": "karpenter.k8s.aws/v1",
        "kind": "EC2NodeClass",
        "metadata": {"name": group.name},
        "spec": spec,
    }
