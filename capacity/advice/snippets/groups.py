"""Snippets that change the subnets, type or size of node groups, for each provisioner.

Names and values are JSON, which is also valid YAML, and arguments are quoted for a shell. Lines that are not
commands are shell comments, so that all lines can be pasted together.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from ipaddress import IPv4Network
from itertools import count

from capacity.advice.snippets.identifiers import placeholder
from capacity.advice.snippets.subnets import aws_cli_of, cloudformation_of, hcl, terraform_of
from capacity.plan.model import NodeGroup, Subnet


def new_subnets_snippets(new: Sequence[Subnet], added_blocks: Sequence[IPv4Network] = ()) -> Iterator[str]:
    """Snippets for new subnets and the VPC blocks they need: AWS CLI, Terraform, CloudFormation."""
    yield from aws_cli_of(new, added_blocks, variables=False)
    yield from _comment("Terraform", terraform_of(new, added_blocks))
    for name, entry in cloudformation_of(new, added_blocks).items():
        yield f"# CloudFormation, Resources: {{{name}: {_flow(entry)}}}"


def group_subnets_snippets(group: NodeGroup, names: Sequence[str], taken: Collection[str]) -> Iterator[str]:
    """Snippets for the subnets of a group's nodes; ``taken`` are the names of the plan's groups.

    Notes
    -----
    The subnets of a managed group or Fargate profile cannot change, so a second one is created.

    Source
    ------
    EKS API UpdateNodegroupConfig (labels, taints, scaling, update and repair only, read 2026-11-25);
    aws/karpenter-provider-aws EC2NodeClass spec.subnetSelectorTerms; EC2 Auto Scaling VPCZoneIdentifier.
    """
    ids, second = [placeholder(n) for n in names], second_name(group.name, taken)
    quoted = " ".join(map(shlex.quote, ids))
    if group.provisioner in ("karpenter", "auto"):
        kind = "ec2nodeclass" if group.provisioner == "karpenter" else "nodeclass.eks.amazonaws.com"
        patch = _flow({"spec": {"subnetSelectorTerms": [{"id": i} for i in ids]}})
        yield f"kubectl patch {kind} {shlex.quote(group.name)} --type merge -p {shlex.quote(patch)}"
    elif group.fargate:
        yield (
            f"aws eks create-fargate-profile --cluster-name CLUSTER --fargate-profile-name {shlex.quote(second)} "
            f"--pod-execution-role-arn ROLE --selectors namespace=NAMESPACE --subnets {quoted}"
        )
    elif group.provisioner == "self-managed":
        yield (
            f"aws autoscaling update-auto-scaling-group --auto-scaling-group-name {shlex.quote(group.name)} "
            f"--vpc-zone-identifier {shlex.quote(','.join(ids))}"
        )
    else:
        types = " ".join(shlex.quote(k.name) for k in group.instance_types)
        yield f"{_create(second)} --instance-types {types} --subnets {quoted}"
        yield f"# eksctl, managedNodeGroups: {_flow({'name': second, 'subnets': ids})}"
        yield f"# Terraform, aws_eks_node_group: subnet_ids = [{', '.join(map(hcl, ids))}]"
        yield f"# CloudFormation, AWS::EKS::Nodegroup: {_flow({'Subnets': ids})}"


def group_type_snippets(
    group: NodeGroup, kinds: Sequence[str], taken: Collection[str], nodes: Mapping[str, int] | None = None
) -> Iterator[str]:
    """Snippets for the instance types of a group, and node counts if given; ``taken`` are the plan's group names.

    Source
    ------
    EKS API UpdateNodegroupConfig takes no instance type (read 2026-11-25): a second group; Karpenter NodePool
    spec.template.spec.requirements; EC2 CreateLaunchTemplateVersion.
    """
    name, second = shlex.quote(group.name), second_name(group.name, taken)
    if group.provisioner in ("karpenter", "auto"):
        label = "node.kubernetes.io/instance-type"
        entry = {"key": label, "operator": "In", "values": list(kinds)}
        yield f"# Karpenter, NodePool {_flow(group.name)}: in spec.template.spec.requirements: {_flow(entry)}"
    elif group.provisioner == "self-managed":
        data = shlex.quote(_flow({"InstanceType": kinds[0]}))
        yield (
            f"aws ec2 create-launch-template-version --launch-template-name {name} --source-version '$Latest' "
            f"--launch-template-data {data}"
        )
    else:
        ids = " ".join(shlex.quote(placeholder(n)) for n in group.subnets)
        size = ",".join(f"{k}Size={n}" for k, n in (nodes or {}).items())
        scaling = f" --scaling-config {size}" if size else ""
        yield f"{_create(second)} --instance-types {' '.join(map(shlex.quote, kinds))} --subnets {ids}{scaling}"
        kind: dict[str, object] = {"instanceType": kinds[0]} if len(kinds) == 1 else {"instanceTypes": list(kinds)}
        eksctl: dict[str, object] = {"name": second} | kind
        eksctl |= {"desiredCapacity" if k == "desired" else f"{k}Size": n for k, n in (nodes or {}).items()}
        yield f"# eksctl, managedNodeGroups: {_flow(eksctl)}"
        yield f"# Terraform, aws_eks_node_group: instance_types = [{', '.join(map(hcl, kinds))}]"
        yield f"# CloudFormation, AWS::EKS::Nodegroup: {_flow({'InstanceTypes': list(kinds)})}"


def group_size_snippets(group: NodeGroup, nodes: Mapping[str, int], vcpus: int) -> Iterator[str]:
    """Snippets for the node counts of a group (``min``, ``desired``, ``max``); ``vcpus`` are those of a node.

    Source
    ------
    EKS API UpdateNodegroupConfig scalingConfig; EC2 Auto Scaling UpdateAutoScalingGroup; Karpenter NodePool
    spec.limits (read 2026-11-30).
    """
    name = shlex.quote(group.name)
    if group.provisioner in ("karpenter", "auto"):
        most = nodes.get("max", nodes.get("desired", 0))
        limits = _flow({"limits": {"cpu": most * vcpus}})
        yield f"# Karpenter, NodePool {_flow(group.name)}: in spec, for {most:,} nodes of this type: {limits}"
    elif group.provisioner == "self-managed":
        size = " ".join(f"{_ASG_SIZES[k]} {n}" for k, n in nodes.items())
        yield f"aws autoscaling update-auto-scaling-group --auto-scaling-group-name {name} {size}"
    else:
        size = ",".join(f"{k}Size={n}" for k, n in nodes.items())
        yield f"aws eks update-nodegroup-config --cluster-name CLUSTER --nodegroup-name {name} --scaling-config {size}"
        entry: dict[str, object] = {"name": group.name}
        entry |= {"desiredCapacity" if k == "desired" else f"{k}Size": n for k, n in nodes.items()}
        yield f"# eksctl, managedNodeGroups: {_flow(entry)}"
        sizes = ", ".join(f"{k}_size = {n}" for k, n in nodes.items())
        yield f"# Terraform, aws_eks_node_group: scaling_config {{ {sizes} }}"
        scaling = {"ScalingConfig": {f"{k.title()}Size": n for k, n in nodes.items()}}
        yield f"# CloudFormation, AWS::EKS::Nodegroup: {_flow(scaling)}"


_ASG_SIZES = {"min": "--min-size", "desired": "--desired-capacity", "max": "--max-size"}


def _create(name: str) -> str:
    return f"aws eks create-nodegroup --cluster-name CLUSTER --nodegroup-name {shlex.quote(name)} --node-role ROLE"


def second_name(name: str, taken: Collection[str]) -> str:
    """Name of the replacement group; no group has it and no other replacement gets it.

    >>> second_name("web", ["web"]), second_name("web", ["web", "web-2", "web-3"])
    ('web-2', 'web-4')
    """
    return next(free for n in count(2) if (free := f"{name}-{n}") not in taken)


def _flow(value: object) -> str:
    """JSON on one line."""
    return json.dumps(value, ensure_ascii=False)


def _comment(title: str, text: str) -> Iterator[str]:
    """A block of lines as comments, without empty lines."""
    if text:
        yield f"# {title}:"
        yield from (f"#   {line}" for line in text.split("\n") if line)
