"""Detect the source of a document from its content alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from capacity.errors import SpecError
from capacity.readers.values import items, mapping

LONGEST_WORD = 63  # characters: a Kubernetes kind is a DNS label
KARPENTER_KINDS = (
    "NodePool",
    "EC2NodeClass",
    "NodeClass",
    "Provisioner",
    "AWSNodeTemplate",
    "NodeClaim",
    "NodeOverlay",
)
_AWS_KEYS = {
    "Subnets": "describe-subnets",
    "NetworkInterfaces": "describe-network-interfaces",
    "InstanceTypes": "describe-instance-types",
    "Reservations": "describe-instances",
    "Vpcs": "describe-vpcs",
    "cluster": "describe-cluster",
    "nodegroup": "describe-nodegroup",
    "AutoScalingGroups": "describe-auto-scaling-groups",
}
WANTED = {
    "eksctl": "an eksctl ClusterConfig",
    "karpenter": "Karpenter NodePools or EC2NodeClasses",
    "cloudformation": "a CloudFormation template",
    "terraform": "Terraform (terraform show -json, a state file or .tf text)",
    "helm": "Helm values of aws-vpc-cni",
    "kubectl": "Kubernetes objects (kubectl get … -o json or yaml)",
    "aws": "saved output of the AWS CLI",
    "plan": "a capacity plan",
}


def detect(value: object) -> tuple[str | None, str]:
    """Source that reads a document (None if there is none), and a description of the document."""
    if isinstance(value, list):
        kinds = {detect(v) for v in value[:20]}
        return kinds.pop() if len(kinds) == 1 and value else (None, "a bare list")
    if not isinstance(value, dict):
        return None, "plain text"
    api, kind = _word(value, "apiVersion"), _word(value, "kind")
    if api.startswith("capacity/"):
        return "plan", "a capacity plan"
    if api.startswith("eksctl.io/"):
        return "eksctl", f"an eksctl {kind or 'configuration'}"
    if api.split("/")[0] in ("karpenter.sh", "karpenter.k8s.aws") or kind in KARPENTER_KINDS:
        return "karpenter", f"a Karpenter {kind}"
    if kind and api:
        return "kubectl", _kubernetes(value, kind)
    return _by_keys(value, kind)


def _word(value: Mapping[str, Any], key: str) -> str:
    """Text of a field that names the document; empty if it is not text."""
    word = value.get(key)
    return _cut(word) if isinstance(word, str) else ""


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_WORD else text[: LONGEST_WORD - 1] + "…"


def _kubernetes(value: dict[str, Any], kind: str) -> str:
    """Description of an object or list: ``a Deployment list``."""
    if kind.endswith("List") and kind != "List":
        return f"a {kind.removesuffix('List')} list"
    if kind == "List" or "items" in value:
        kinds = dict.fromkeys(_word(mapping(i), "kind") or "Kubernetes object" for i in items(value.get("items"))[:50])
        return f"a {', '.join(list(kinds)[:3]) or 'empty'} list"
    return f"a Kubernetes {kind}"


def _by_keys(value: dict[str, Any], kind: str) -> tuple[str | None, str]:
    keys = value.keys()
    if "AWSTemplateFormatVersion" in keys or _has_cfn_resources(value):
        return "cloudformation", "a CloudFormation template"
    if "terraform_version" in keys or (
        "format_version" in keys and keys & {"planned_values", "values", "resource_changes"}
    ):
        return "terraform", "a Terraform plan or state"
    if keys & {"planned_values", "root_module"}:
        return "terraform", "a Terraform plan or state"
    by_type = value.get("resources")
    if isinstance(by_type, dict) and any(str(k).startswith("aws_") for k in by_type):
        return "terraform", "Terraform resources by type"
    if any(k.startswith("aws_") for k in keys) and all(isinstance(v, dict) for v in value.values()):
        return "terraform", "Terraform resources by type"
    answer = value.get("data") if "status_code" in keys and isinstance(value.get("data"), dict) else value
    for key, call in _AWS_KEYS.items():
        if key in mapping(answer):
            return "aws", f"output of aws {call}"
    if kind.endswith("List") or "items" in keys:
        return "kubectl", _kubernetes(value, kind)
    env = mapping(value.get("env"))
    if _is_metrics_helper(value, env):
        return "helm", "Helm values of another chart (cni-metrics-helper)"
    if keys & {"eniConfig", "cniConfig", "enableWindowsIpam", "originalMatchLabels"} or _cni_env(env):
        return "helm", "Helm values of aws-vpc-cni"
    if keys & {"image", "resources", "serviceAccount", "replicaCount", "nodeSelector"} and "metadata" not in keys:
        return "helm", "Helm values of another chart"
    return None, "a mapping with " + (", ".join(_cut(k) for k in sorted(map(str, keys))[:5]) or "no keys")


def _has_cfn_resources(value: dict[str, Any]) -> bool:
    resources = mapping(value.get("Resources"))
    types = [str(mapping(r).get("Type", "")) for r in resources.values()]
    return any("::" in t for t in types)


def _is_metrics_helper(value: Mapping[str, Any], env: Any) -> bool:
    """Whether values are of the chart cni-metrics-helper, whose env has variables of the CNI too.

    Source: aws/amazon-vpc-cni-k8s charts/cni-metrics-helper/values.yaml.
    """
    return "cni-metrics-helper" in (value.get("nameOverride"), value.get("fullnameOverride")) or (
        bool(env.keys() & {"USE_CLOUDWATCH", "USE_PROMETHEUS"})
        and not value.keys() & {"init", "eniConfig", "nodeAgent"}
    )


def _cni_env(env: Any) -> bool:
    from capacity.plan.cni_env import CNI_VARIABLES

    return bool(env.keys() & CNI_VARIABLES)


def refuse(wanted: str, value: object, file: str) -> SpecError:
    """Error for a document that the command does not read, with the command that does."""
    source, words = detect(value)
    if source == "plan":
        cure = ": merge into it with --into"
    elif source is not None and source != wanted:
        cure = f": capacity import {source}"
    else:
        cure = f" (accepted sources: {', '.join(k for k in WANTED if k != 'plan')})"
    return SpecError(f"{file}: this is {words}, not {WANTED[wanted]}{cure}")


def list_items(value: object) -> list[Any]:
    """Objects of a document: itself, or the items of its lists, including nested lists."""
    if isinstance(value, list):
        return [inner for v in value for inner in list_items(v)]
    if isinstance(value, dict) and isinstance(value.get("items"), list) and "spec" not in value:
        return [inner for v in items(value["items"]) for inner in list_items(_of_typed_list(v, value))]
    return [value]


def _of_typed_list(item: object, whole: Mapping[str, Any]) -> object:
    """Item of a list such as NodePoolList, with the kind and version of the list if it has none."""
    kind = _word(whole, "kind")
    if not isinstance(item, dict) or item.get("kind") or not kind.endswith("List") or kind == "List":
        return item
    return {"apiVersion": whole.get("apiVersion"), "kind": kind.removesuffix("List"), **item}
