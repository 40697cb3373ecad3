"""Read one node of a cluster: its group, type, AMI family, and the figures of the kubelet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from capacity.errors import SpecError
from capacity.readers.draft import SourceNotes
from capacity.readers.user_data import ami_of
from capacity.readers.values import int_of, items, mapping, path_of
from capacity.units import MIB, parse_cpu, parse_memory

# label -> provisioner of the nodes with it
GROUP_LABELS = (
    ("eks.amazonaws.com/nodegroup", "managed"),
    ("alpha.eksctl.io/nodegroup-name", "self-managed"),
    ("karpenter.sh/nodepool", "karpenter"),
    ("karpenter.sh/provisioner-name", "karpenter"),
    ("kops.k8s.io/instancegroup", "self-managed"),
    ("node.kubernetes.io/nodegroup", "self-managed"),
)

CAPACITY_LABELS = (  # managed groups, Karpenter, eksctl
    "eks.amazonaws.com/capacityType",
    "karpenter.sh/capacity-type",
    "alpha.eksctl.io/instance-lifecycle",
    "node-lifecycle",
)
_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


@dataclass(frozen=True, slots=True)
class KubeNode:
    """One node. Allocatable in millicores and MiB."""

    name: str
    group: str
    provisioner: str
    instance_type: str | None
    zone: str | None
    region: str | None
    ami: str | None
    kubelet: str
    max_pods: int | None
    cpu_millicores: int | None
    memory_mib: int | None
    memory_capacity_mib: int | None
    labels: Mapping[str, str]
    taints: tuple[tuple[str, str, str], ...]
    spot: bool = False


def node_facts(raw: Mapping[str, Any], said: SourceNotes) -> KubeNode | None:
    """Read a node of the cluster's VPC; None for nodes whose pods use no addresses of a group."""
    metadata = mapping(raw.get("metadata"))
    name = str(metadata.get("name") or "")
    labels = {str(k): str(v) for k, v in mapping(metadata.get("labels")).items()}
    compute = labels.get("eks.amazonaws.com/compute-type", "")
    if compute == "fargate" or name.startswith("fargate-") or compute == "hybrid":
        return None
    if any(key in labels for key in _CONTROL_PLANE):
        said.say(f"node {name}", "is a control-plane node, not of EKS: ignored")
        return None
    kind = labels.get("node.kubernetes.io/instance-type") or labels.get("beta.kubernetes.io/instance-type")
    group, provisioner = _group_of(labels, kind)
    status, info = mapping(raw.get("status")), mapping(path_of(raw, "status", "nodeInfo"))
    capacity, allocatable = mapping(status.get("capacity")), mapping(status.get("allocatable"))
    return KubeNode(
        name=name,
        group=group,
        provisioner=provisioner,
        instance_type=kind,
        zone=labels.get("topology.kubernetes.io/zone") or labels.get("failure-domain.beta.kubernetes.io/zone"),
        region=labels.get("topology.kubernetes.io/region") or labels.get("failure-domain.beta.kubernetes.io/region"),
        ami=_ami(str(info.get("osImage") or ""), str(info.get("operatingSystem") or "")),
        kubelet=str(info.get("kubeletVersion") or ""),
        max_pods=int_of(capacity.get("pods"), 1) or int_of(allocatable.get("pods"), 1),
        cpu_millicores=_cpu(allocatable.get("cpu")),
        memory_mib=_mib(allocatable.get("memory")),
        memory_capacity_mib=_mib(capacity.get("memory")),
        labels=labels,
        taints=tuple(
            (str(t.get("key") or ""), str(t.get("value") or ""), str(t.get("effect") or ""))
            for t in map(mapping, items(path_of(raw, "spec", "taints")))
            if not str(t.get("key") or "").startswith("node.kubernetes.io/")
        ),
        spot=any(labels.get(key, "").lower() == "spot" for key in CAPACITY_LABELS),
    )


def _group_of(labels: Mapping[str, str], kind: str | None) -> tuple[str, str]:
    for label, provisioner in GROUP_LABELS:
        if labels.get(label):
            return labels[label], provisioner
    return f"nodes-{kind or 'unknown'}", "self-managed"


def _ami(image: str, system: str) -> str | None:
    if system.lower() == "windows":
        return "windows"
    return ami_of(image.replace("Amazon Linux ", "AmazonLinux").split(".")[0].replace(" ", ""))


def _cpu(text: object) -> int | None:
    try:
        return None if text is None else parse_cpu(text)
    except SpecError:
        return None


def _mib(text: object) -> int | None:
    try:
        return None if text is None else parse_memory(text) // MIB
    except SpecError:
        return None
