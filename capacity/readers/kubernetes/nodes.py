"""Nodes of a cluster as node groups, and the kubelet's figures beside ours."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from capacity.catalog.table import Catalog
from capacity.cluster.group_platform import group_platform
from capacity.cni.facade import settings_on
from capacity.errors import SpecError
from capacity.plan.model import Cni, NodeGroup
from capacity.readers.common import Findings, ami_of
from capacity.readers.decode import int_of, items, mapping, path_of
from capacity.readers.draft import GroupDraft, at
from capacity.readers.kubernetes.scheduling import GroupFacts
from capacity.units import MIB, counted, parse_cpu, parse_memory

# label -> whose nodes carry it
GROUP_LABELS = (
    ("eks.amazonaws.com/nodegroup", "managed"),
    ("alpha.eksctl.io/nodegroup-name", "self-managed"),
    ("karpenter.sh/nodepool", "karpenter"),
    ("karpenter.sh/provisioner-name", "karpenter"),
    ("kops.k8s.io/instancegroup", "self-managed"),
    ("node.kubernetes.io/nodegroup", "self-managed"),
)
_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
MEMORY_TOLERANCE_MIB = 16  # kernels of one AMI differ by a few MiB


@dataclass(frozen=True, slots=True)
class NodeFacts:
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


def node_facts(raw: Mapping[str, Any], said: Findings) -> NodeFacts | None:
    """A node of the cluster's VPC, None for those whose pods take no address that a group books."""
    metadata = mapping(raw.get("metadata"))
    name = str(metadata.get("name") or "")
    labels = {str(k): str(v) for k, v in mapping(metadata.get("labels")).items()}
    compute = labels.get("eks.amazonaws.com/compute-type", "")
    if compute == "fargate" or name.startswith("fargate-") or compute == "hybrid":
        return None
    if any(key in labels for key in _CONTROL_PLANE):
        said.say(f"node {name}", "is a control-plane node, not of EKS: left out")
        return None
    kind = labels.get("node.kubernetes.io/instance-type") or labels.get("beta.kubernetes.io/instance-type")
    group, provisioner = _group_of(labels, kind)
    status, info = mapping(raw.get("status")), mapping(path_of(raw, "status", "nodeInfo"))
    capacity, allocatable = mapping(status.get("capacity")), mapping(status.get("allocatable"))
    return NodeFacts(
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


def _cpu(text: Any) -> int | None:
    try:
        return None if text is None else parse_cpu(text)
    except SpecError:
        return None


def _mib(text: Any) -> int | None:
    try:
        return None if text is None else parse_memory(text) // MIB
    except SpecError:
        return None


def by_group(nodes: Iterable[NodeFacts]) -> dict[str, list[NodeFacts]]:
    """Nodes by the name of their group, groups in alphabetic order."""
    groups: defaultdict[str, list[NodeFacts]] = defaultdict(list)
    for node in nodes:
        groups[node.group].append(node)
    return {name: groups[name] for name in sorted(groups)}


def group_facts(name: str, nodes: list[NodeFacts]) -> GroupFacts:
    """Labels and taints of a group, to tell which pods it takes."""
    labels: defaultdict[str, set[str]] = defaultdict(set)
    for node in nodes:
        for key, value in node.labels.items():
            labels[key].add(value)
    taints = set(nodes[0].taints).intersection(*(n.taints for n in nodes[1:]))
    return GroupFacts(name, {k: frozenset(v) for k, v in labels.items()}, tuple(sorted(taints)))


def group_draft(
    name: str, nodes: list[NodeFacts], env: Mapping[str, str], ipv6: bool, catalog: Catalog, said: Findings
) -> GroupDraft:
    """A group as its nodes show it; what the kubelet says differently from our formulas is noted."""
    types = Counter(n.instance_type for n in nodes if n.instance_type)
    amis = Counter(n.ami for n in nodes if n.ami)
    draft = GroupDraft(
        name=name,
        instance_types=tuple(t for t, _ in sorted(types.items(), key=lambda item: (-item[1], item[0]))) or None,
        ami=amis.most_common(1)[0][0] if amis else None,
        provisioner=nodes[0].provisioner,
        desired=len(nodes),
    )
    if any(n.labels.get("eks.amazonaws.com/compute-type") == "auto" for n in nodes):
        said.say(f"group {name}", "EKS Auto Mode: its max pods and reserves are AWS's own", at("nodeGroups", name))
    return replace(draft, max_pods=_compare(draft, nodes, env, ipv6, catalog, said))


def _cni(env: Mapping[str, str], ipv6: bool) -> Cni | None:
    try:
        return Cni(env=env, ip_family="ipv6" if ipv6 else None)
    except SpecError:
        return None


def _compare(
    draft: GroupDraft,
    nodes: list[NodeFacts],
    env: Mapping[str, str],
    ipv6: bool,
    catalog: Catalog,
    said: Findings,
) -> int | None:
    """The kubelets' max pods where they differ from ours; every difference becomes a note."""
    cni = _cni(env, ipv6)
    real = Counter(n.max_pods for n in nodes if n.max_pods)
    path = at("nodeGroups", draft.name, "maxPods")
    if cni is None or not real:
        return None
    ours: dict[str, tuple[int, int, int]] = {}
    for kind in draft.instance_types or ():
        figures = _our_figures(draft, kind, cni, catalog)
        if figures is not None:
            ours[kind] = figures
    _compare_memory_and_cpu(draft, nodes, ours, said)
    wrong = Counter((n.instance_type, n.max_pods) for n in nodes if _differs(n, ours))
    if not wrong:
        return None
    for (seen, pods), count in sorted(wrong.items(), key=str):
        formula = ours[seen or ""][0]
        said.say(f"{counted(count, 'node')} of {draft.name}", f"{seen}: kubelet max pods {pods}, ours {formula}", path)
    chosen = real.most_common(1)[0][0]
    if len(real) > 1:
        said.say(f"nodes of {draft.name}", f"kubelets differ ({_spread(real)}): maxPods set to {chosen}", path)
    return chosen


def _spread(real: Counter[int]) -> str:
    return ", ".join(f"{count} with {pods}" for pods, count in sorted(real.items()))


def _differs(node: NodeFacts, ours: Mapping[str, tuple[int, int, int]]) -> bool:
    known = ours.get(node.instance_type or "")
    return known is not None and node.max_pods is not None and node.max_pods != known[0]


def _our_figures(draft: GroupDraft, kind: str, cni: Cni, catalog: Catalog) -> tuple[int, int, int] | None:
    """Max pods, allocatable CPU and memory that our formulas give. [pods], [millicores], [MiB]"""
    from capacity.readers.complete import type_problem

    if type_problem(kind, catalog, cni.settings.ipv6):
        return None
    group = NodeGroup(
        name=draft.name,
        instance_types=(catalog.get(kind),),
        subnets=(),
        ami=draft.ami or "al2023",
        provisioner=draft.provisioner or "managed",
    )
    return group_platform(group, settings_on(cni, group)).figures[0]


def _compare_memory_and_cpu(
    draft: GroupDraft, nodes: list[NodeFacts], ours: Mapping[str, tuple[int, int, int]], said: Findings
) -> None:
    """One note per type whose allocatable is not ours, with the figures of its most modest node."""
    path = at("nodeGroups", draft.name, "instanceTypes")
    for kind, (_, cpu, memory) in ours.items():
        mine = [n for n in nodes if n.instance_type == kind]
        least_cpu = min((n.cpu_millicores for n in mine if n.cpu_millicores), default=None)
        if least_cpu is not None and least_cpu != cpu:
            said.say(f"nodes of {draft.name}", f"{kind}: allocatable CPU {least_cpu}m, ours {cpu}m", path)
        least = min((n for n in mine if n.memory_mib), key=lambda n: n.memory_mib or 0, default=None)
        if least is not None and least.memory_mib and abs(least.memory_mib - memory) > MEMORY_TOLERANCE_MIB:
            kept = ""
            if least.memory_capacity_mib:
                kept = f" (capacity {least.memory_capacity_mib} MiB, kept from pods "
                kept += f"{least.memory_capacity_mib - least.memory_mib} MiB)"
            text = f"{kind}: allocatable memory {least.memory_mib} MiB{kept}, ours {memory} MiB"
            said.say(f"nodes of {draft.name}", text, path)
