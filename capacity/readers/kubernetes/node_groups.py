"""Convert nodes of a cluster to node groups, and compare the figures of the kubelet with the computed ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from capacity.catalog.table import Catalog
from capacity.cluster.group_platform import group_platform
from capacity.cni.facade import settings_on
from capacity.errors import SpecError
from capacity.plan.model import Cni, NodeGroup
from capacity.readers.draft import GroupDraft, SourceNotes, at
from capacity.readers.kubernetes.kube_node import KubeNode
from capacity.readers.kubernetes.scheduling import GroupLabels
from capacity.readers.node_group import ENI_CONFIG_LABEL, SourceGroup, group_draft, say_eniconfig
from capacity.units import counted

MEMORY_TOLERANCE_MIB = 16  # kernels of one AMI differ by a few MiB


def by_group(nodes: Iterable[KubeNode]) -> dict[str, list[KubeNode]]:
    """Nodes by the name of their group, groups in alphabetic order."""
    groups: defaultdict[str, list[KubeNode]] = defaultdict(list)
    for node in nodes:
        groups[node.group].append(node)
    return {name: groups[name] for name in sorted(groups)}


def group_facts(name: str, nodes: list[KubeNode]) -> GroupLabels:
    """Labels and taints of a group, which decide the pods it can run."""
    labels: defaultdict[str, set[str]] = defaultdict(set)
    for node in nodes:
        for key, value in node.labels.items():
            labels[key].add(value)
    taints = set(nodes[0].taints).intersection(*(n.taints for n in nodes[1:]))
    return GroupLabels(name, {k: frozenset(v) for k, v in labels.items()}, tuple(sorted(taints)))


def group_of_nodes(
    name: str, nodes: list[KubeNode], env: Mapping[str, str], catalog: Catalog, said: SourceNotes, *, ipv6: bool
) -> GroupDraft:
    """Node group of some nodes; notes report where the kubelet differs from the computed figures."""
    types = Counter(n.instance_type for n in nodes if n.instance_type)
    amis = Counter(n.ami for n in nodes if n.ami)
    draft = group_draft(
        SourceGroup(
            name=name,
            provisioner=nodes[0].provisioner,
            types=[t for t, _ in sorted(types.items(), key=lambda item: (-item[1], item[0]))],
            ami=amis.most_common(1)[0][0] if amis else None,
            desired=len(nodes),
            spot=all(n.spot for n in nodes),
        )
    )
    chosen = dict.fromkeys(n.labels[ENI_CONFIG_LABEL] for n in nodes if ENI_CONFIG_LABEL in n.labels)
    say_eniconfig(said, f"nodes of {name}", name, ((ENI_CONFIG_LABEL, label) for label in chosen))
    spot = sum(n.spot for n in nodes)
    if 0 < spot < len(nodes):
        text = f"{spot} of {len(nodes)} are Spot Instances: the plan has one capacityType, on-demand"
        said.say(f"nodes of {name}", text, at("nodeGroups", name, "capacityType"))
    if any(n.labels.get("eks.amazonaws.com/compute-type") == "auto" for n in nodes):
        said.say(f"group {name}", "EKS Auto Mode: AWS sets its max pods and reserves", at("nodeGroups", name))
    return replace(draft, max_pods=_compare(draft, nodes, env, ipv6, catalog, said))


def say_zones(grouped: Mapping[str, list[KubeNode]], said: SourceNotes) -> None:
    """Note the groups whose nodes are not in every zone of the cluster's nodes: its subnets can be in fewer zones."""
    everywhere = {n.zone for nodes in grouped.values() for n in nodes if n.zone}
    for name, nodes in grouped.items():
        zones = sorted({n.zone for n in nodes if n.zone})
        if zones and len(zones) < len(everywhere):
            text = f"{counted(len(nodes), 'node')}, all in {', '.join(zones)}: its subnets can be in more zones"
            said.say(f"nodes of {name}", text, at("nodeGroups", name, "subnets"))


def _cni(env: Mapping[str, str], ipv6: bool) -> Cni | None:
    try:
        return Cni(env=env, ip_family="ipv6" if ipv6 else None)
    except SpecError:
        return None


def _compare(
    draft: GroupDraft,
    nodes: list[KubeNode],
    env: Mapping[str, str],
    ipv6: bool,
    catalog: Catalog,
    said: SourceNotes,
) -> int | None:
    """Max pods of the kubelets if they differ from the computed value; every difference becomes a note."""
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
    strange = sorted({n.instance_type or "unknown" for n in nodes if n.max_pods and n.instance_type not in ours})
    if not wrong and not strange:
        return None
    for (seen, pods), count in sorted(wrong.items(), key=str):
        formula = ours[seen or ""][0]
        said.say(
            f"{counted(count, 'node')} of {draft.name}",
            f"{seen}: kubelet reports max pods {pods}, capacity computes {formula}",
            path,
        )
    chosen = real.most_common(1)[0][0]
    if strange and not wrong:
        text = f"no figures of type {', '.join(strange)}: maxPods is that of the kubelets, {chosen}"
        said.say(f"nodes of {draft.name}", text, path)
    if len(real) > 1:
        said.say(f"nodes of {draft.name}", f"kubelets differ ({_spread(real)}): maxPods set to {chosen}", path)
    return chosen


def _spread(real: Counter[int]) -> str:
    return ", ".join(f"{count} with {pods}" for pods, count in sorted(real.items()))


def _differs(node: KubeNode, ours: Mapping[str, tuple[int, int, int]]) -> bool:
    known = ours.get(node.instance_type or "")
    return known is not None and node.max_pods is not None and node.max_pods != known[0]


def _our_figures(draft: GroupDraft, kind: str, cni: Cni, catalog: Catalog) -> tuple[int, int, int] | None:
    """Computed max pods, allocatable CPU and memory. [pods], [millicores], [MiB]"""
    from capacity.readers.instance_choice import type_problem

    if type_problem(kind, catalog, ipv6=cni.settings.ipv6):
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
    draft: GroupDraft, nodes: list[KubeNode], ours: Mapping[str, tuple[int, int, int]], said: SourceNotes
) -> None:
    """Notes on types whose allocatable differs from the computed one, with the figures of the smallest node."""
    path = at("nodeGroups", draft.name, "instanceTypes")
    for kind, (_, cpu, memory) in ours.items():
        mine = [n for n in nodes if n.instance_type == kind]
        least_cpu = min((n.cpu_millicores for n in mine if n.cpu_millicores), default=None)
        if least_cpu is not None and least_cpu != cpu:
            said.say(
                f"nodes of {draft.name}",
                f"{kind}: kubelet reports allocatable CPU {least_cpu}m, capacity computes {cpu}m",
                path,
            )
        least = min((n for n in mine if n.memory_mib), key=lambda n: n.memory_mib or 0, default=None)
        if least is not None and least.memory_mib and abs(least.memory_mib - memory) > MEMORY_TOLERANCE_MIB:
            kept = ""
            if least.memory_capacity_mib:
                kept = f" (capacity {least.memory_capacity_mib} MiB, kept from pods "
                kept += f"{least.memory_capacity_mib - least.memory_mib} MiB)"
            text = f"{kind}: kubelet reports allocatable memory {least.memory_mib} MiB{kept}, "
            text += f"capacity computes {memory} MiB"
            said.say(f"nodes of {draft.name}", text, path)
