"""Snippets for settings: kubectl, AWS CLI, eksctl, Terraform, Karpenter, nodeadm; names are quoted for a shell."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from capacity.advice.snippets.identifiers import placeholder
from capacity.plan.model import NodeGroup, Plan
from capacity.plan.windows import CONFIG_MAP, to_chart_values

NOTHING: Mapping[str, str] = {}


def env_commands(
    change: Mapping[str, str | None], env: Mapping[str, str | None], windows: Mapping[str, str] = NOTHING
) -> tuple[str, ...]:
    """Commands that set CNI variables: kubectl for a self-managed CNI, the AWS CLI for the EKS add-on.

    The values of the add-on are complete: those of the plan, including Windows nodes, with the change.

    Examples
    --------
    >>> for command in env_commands({"WARM_IP_TARGET": "2", "WARM_ENI_TARGET": None}, {}):
    ...     print(command)
    kubectl set env daemonset/aws-node -n kube-system WARM_IP_TARGET=2 WARM_ENI_TARGET-
    aws eks update-addon --cluster-name CLUSTER --addon-name vpc-cni --resolve-conflicts PRESERVE \
--configuration-values '{"env": {"WARM_IP_TARGET": "2"}}'
    """
    if not change:
        return ()
    words = [f"{n}-" if v is None else shlex.quote(f"{n}={v}") for n, v in change.items()]
    values = shlex.quote(json.dumps(_addon_values({**env, **change}, windows)))
    return (
        f"kubectl set env daemonset/aws-node -n kube-system {' '.join(words)}",
        "aws eks update-addon --cluster-name CLUSTER --addon-name vpc-cni --resolve-conflicts PRESERVE "
        f"--configuration-values {values}",
    )


def env_snippets(
    change: Mapping[str, str | None], env: Mapping[str, str | None], windows: Mapping[str, str] = NOTHING
) -> tuple[str, ...]:
    """Snippets that set CNI variables: kubectl, AWS CLI, Terraform's aws_eks_addon, eksctl's addons."""
    return (*env_commands(change, env, windows), *_addon_forms(_addon_values({**env, **change}, windows)))


def _addon_values(env: Mapping[str, str | None], windows: Mapping[str, str]) -> dict[str, Any]:
    """Configuration values of the EKS add-on, which are always complete."""
    variables = {n: v for n, v in env.items() if v is not None}
    return ({"env": variables} if variables else {}) | to_chart_values(windows)


def _addon_forms(values: Mapping[str, Any]) -> Iterator[str]:
    yield f"# Terraform, aws_eks_addon vpc-cni: configuration_values = jsonencode({_hcl(values)})"
    yield f"# eksctl, addons: {{name: vpc-cni, configurationValues: {_single_quoted(json.dumps(values))}}}"


def windows_snippets(
    change: Mapping[str, str], env: Mapping[str, str | None] = NOTHING, windows: Mapping[str, str] = NOTHING
) -> tuple[str, ...]:
    """Snippets that set keys of ConfigMap amazon-vpc-cni for Windows nodes: kubectl, AWS CLI, Terraform, eksctl.

    Source
    ------
    aws/amazon-vpc-cni-k8s@b5218838 charts/aws-vpc-cni/templates/configmap.yaml (the EKS add-on takes the same values).

    >>> print(windows_snippets({"warm-ip-target": "5"})[0])
    kubectl patch configmap amazon-vpc-cni -n kube-system --type merge -p '{"data": {"warm-ip-target": "5"}}'
    """
    patch = shlex.quote(json.dumps({"data": dict(change)}))
    values = _addon_values(env, {**windows, **change})
    return (
        f"kubectl patch configmap {CONFIG_MAP} -n kube-system --type merge -p {patch}",
        "aws eks update-addon --cluster-name CLUSTER --addon-name vpc-cni --resolve-conflicts PRESERVE "
        f"--configuration-values {shlex.quote(json.dumps(values))}",
        *_addon_forms(values),
    )


def max_pods_snippets(name: str, provisioner: str, ami: str, pods: int) -> Iterator[str]:
    """Snippets for max pods of a node group, if its provisioner and AMI accept it; Auto Mode and Fargate do not.

    Source: aws/karpenter-provider-aws EC2NodeClass spec.kubelet.maxPods; awslabs/amazon-eks-ami@81fec2e8 nodeadm
    doc/examples.md L253-254, templates/al2 bootstrap.sh; eksctl pkg/nodebootstrap/al2023.go L62-74; bottlerocket
    settings.kubernetes.max-pods; terraform-aws-modules/terraform-aws-eks docs/user_data.md. EKS enforces its own value
    if the launch template has no AMI ID: aws/aws-eks-best-practices@3a23761, terraform-aws-eks#1770.
    """
    if provisioner in ("auto", "fargate"):
        return
    if provisioner == "karpenter":
        patch = json.dumps({"spec": {"kubelet": {"maxPods": pods}}})
        yield f"kubectl patch ec2nodeclass {shlex.quote(name)} --type merge -p {shlex.quote(patch)}"
        return
    config: dict[str, Any] = {"apiVersion": "node.eks.aws/v1alpha1", "kind": "NodeConfig"}
    config["spec"] = {"kubelet": {"config": {"maxPods": pods}}}
    arguments = f"--use-max-pods false --kubelet-extra-args '--max-pods={pods}'"
    forms = {
        "al2023": (
            f"nodeadm: {json.dumps(config)}",
            'cloudinit_pre_nodeadm = [{ content_type = "application/node.eks.aws", '
            f"content = jsonencode({_hcl(config)}) }}]",
        ),
        "al2": (f"bootstrap.sh: {arguments}", f'bootstrap_extra_args = "{arguments}"'),
        "bottlerocket": (
            f"Bottlerocket, user data: [settings.kubernetes] max-pods = {pods}",
            f'bootstrap_extra_args = "[settings.kubernetes]\\nmax-pods = {pods}"',
        ),
        "windows": (f"EKS bootstrap on Windows: -KubeletExtraArgs '--max-pods={pods}'", ""),
    }
    groups = "managedNodeGroups" if provisioner == "managed" else "nodeGroups"
    yield f"# eksctl, {groups}: {{name: {json.dumps(name, ensure_ascii=False)}, maxPodsPerNode: {pods}}}"
    own, terraform = forms[ami]
    yield f"# {own}"
    needs_ami = provisioner == "managed" and ami in ("al2023", "al2")
    if terraform:
        ami_id = "ami_id = AMI_ID, enable_bootstrap_user_data = true, " if needs_ami else ""
        yield f"# Terraform, module terraform-aws-modules/eks, in the node group: {ami_id}{terraform}"
    if needs_ami:
        yield "# If the launch template has no AMI ID then EKS sets max pods; the ID of the default EKS AMI is enough."


def _hcl(value: Mapping[str, Any]) -> str:
    """HCL object of a mapping of words and numbers."""
    words = {k: _hcl(v) if isinstance(v, Mapping) else json.dumps(v) for k, v in value.items()}
    return f"{{ {', '.join(f'{k} = {v}' for k, v in words.items())} }}"


def reserved_enis_snippet(plan: Plan) -> Iterator[str]:
    """Snippet for Karpenter's setting for an ENI that serves no pods."""
    if any(g.provisioner == "karpenter" for g in plan.node_groups):
        yield "kubectl set env deployment/karpenter -n kube-system RESERVED_ENIS=1"


def eni_config(zone: str, subnet: str) -> str:
    """Snippet for the ENIConfig of a zone; the security groups are placeholders."""
    name, place = json.dumps(zone, ensure_ascii=False), json.dumps(placeholder(subnet), ensure_ascii=False)
    meta = f"metadata: {{name: {name}}}, spec: {{subnet: {place}, securityGroups: [SECURITY-GROUP]}}"
    text = f"{{apiVersion: crd.k8s.amazonaws.com/v1alpha1, kind: ENIConfig, {meta}}}"
    return f"echo {shlex.quote(text)} | kubectl apply -f -"


def minimal_update_snippet(group: NodeGroup) -> str:
    """Snippet for the update strategy of a managed node group."""
    return (
        f"aws eks update-nodegroup-config --cluster-name CLUSTER --nodegroup-name {shlex.quote(group.name)} "
        "--update-config updateStrategy=MINIMAL"
    )


def no_surge_snippet(workload: str) -> str:
    """Snippet for a Deployment that replaces its pods in place."""
    patch = {"spec": {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "25%"}}}}
    return f"kubectl patch deployment {shlex.quote(workload)} --type merge -p {shlex.quote(json.dumps(patch))}"


def ipv6_cluster_snippets(plan: Plan, variables: Mapping[str, str]) -> Iterator[str]:
    """Snippets for a new IPv6 cluster; the settings of the running one do not change.

    Source
    ------
    Amazon EKS user guide, "Deploying an Amazon EKS IPv6 cluster"; eksctl user guide, "IPv6 support" (read 2026-11-25).
    """
    names = plan.control_plane or tuple(dict.fromkeys(n for g in plan.node_groups for n in g.subnets))
    ids = shlex.quote("subnetIds=" + ",".join(placeholder(n) for n in names))
    yield 'aws ec2 associate-vpc-cidr-block --vpc-id "$VPC_ID" --amazon-provided-ipv6-cidr-block'
    yield "# each subnet: aws ec2 associate-subnet-cidr-block --subnet-id SUBNET --ipv6-cidr-block BLOCK/64"
    yield (
        "aws eks create-cluster --name NEW-CLUSTER --role-arn ROLE --kubernetes-network-config ipFamily=ipv6 "
        f"--resources-vpc-config {ids}"
    )
    addons = ", ".join(f"{{name: {n}}}" for n in ("vpc-cni", "coredns", "kube-proxy"))
    yield f"# eksctl: {{kubernetesNetworkConfig: {{ipFamily: IPv6}}, addons: [{addons}], iam: {{withOIDC: true}}}}"
    yield '# Terraform, aws_eks_cluster: kubernetes_network_config { ip_family = "ipv6" }'
    yield "# CloudFormation, AWS::EKS::Cluster: KubernetesNetworkConfig: {IpFamily: ipv6}"
    pairs = " ".join(f"{n}={v}" for n, v in variables.items())
    yield f"# CNI of the new cluster (the EKS add-on sets this itself): {pairs}"


def _single_quoted(text: str) -> str:
    """A YAML scalar in single quotes."""
    return "'" + text.replace("'", "''") + "'"
