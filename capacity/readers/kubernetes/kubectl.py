"""Read Kubernetes objects, saved or live: nodes, workloads, pods, autoscalers, the CNI's DaemonSet, ENIConfigs.

Objects are read one by one and only their facts are kept, so a dump of any size needs little memory.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from capacity.catalog.table import load_catalog
from capacity.errors import SpecError
from capacity.readers.decode import file_name
from capacity.readers.detect import detect, refuse
from capacity.readers.draft import (
    DaemonSetDraft,
    PlanDraft,
    SourceNotes,
    WorkloadDraft,
    at,
    unique_names,
)
from capacity.readers.kubernetes.eniconfig import subnets_of_eniconfigs
from capacity.readers.kubernetes.kubectl_command import run_kubectl
from capacity.readers.kubernetes.node_groups import by_group, group_facts, group_of_nodes, say_zones
from capacity.readers.kubernetes.objects import Controller, OwnedPods, SeenObjects
from capacity.readers.kubernetes.pod_owners import Key, with_top_owners
from capacity.readers.kubernetes.requests import admitted, say_devices, say_surge, volumes_of
from capacity.readers.kubernetes.scheduling import GroupLabels, PodFacts, groups_for
from capacity.readers.kubernetes.security_groups import has_branch_interface
from capacity.readers.kubernetes.service_objects import balancers_of, services_of
from capacity.readers.values import text_of

_SYSTEM = "kube-system"


# --- from facts to a draft ------------------------------------------------------------------


def draft_of(snapshot: SeenObjects, source: str) -> PlanDraft:
    """Convert the facts to a draft."""
    said = snapshot.said
    with_top_owners(snapshot)
    catalog = load_catalog()
    grouped = by_group(snapshot.nodes.values())
    ipv6 = snapshot.ipv6 or snapshot.env.get("ENABLE_IPv6") == "true"
    groups = tuple(group_of_nodes(n, nodes, snapshot.env, catalog, said, ipv6=ipv6) for n, nodes in grouped.items())
    facts = [group_facts(n, nodes) for n, nodes in grouped.items()]
    say_zones(grouped, said)
    workloads, daemons = _pod_pieces(snapshot, facts)
    services = services_of(snapshot.services, _workload_keys(snapshot, workloads))
    balancers = tuple(balancers_of(snapshot.services, said))
    pod_subnets = subnets_of_eniconfigs(snapshot.eniconfigs)
    _say_skipped(snapshot)
    regions = Counter(n.region for n in snapshot.nodes.values() if n.region)
    versions = sorted({v for n in snapshot.nodes.values() if (v := _minor(n.kubelet))}, key=lambda v: int(v[2:]))
    if len(versions) > 1:
        said.say("nodes", f"kubelets of versions {', '.join(versions)}: the newest is used", "kubernetes.version")
    return PlanDraft(
        source=source,
        name=_cluster_name(snapshot),
        region=regions.most_common(1)[0][0] if regions else None,
        kubernetes_version=versions[-1] if versions else None,
        ip_family="ipv6" if ipv6 else None,
        cni_version=snapshot.cni_version,
        env=snapshot.env,
        windows=snapshot.windows,
        subnets=pod_subnets,
        pod_subnets=tuple(s.name for s in pod_subnets),
        zones=tuple(sorted({n.zone for n in snapshot.nodes.values() if n.zone})),
        node_groups=groups,
        workloads=workloads,
        daemon_sets=daemons,
        services=services,
        tenants=balancers,
        notes=said.collected(),
    )


def draft_of_objects(objects: Iterable[Any], said: SourceNotes) -> PlanDraft:
    """Draft of decoded objects, such as the manifests in another file."""
    snapshot = SeenObjects(said)
    for value in objects:
        if not snapshot.add("", value):
            said.leave_out("", f"ignored {detect(value)[1]}")
    return draft_of(snapshot, "")


def _minor(kubelet: str) -> str | None:
    found = re.match(r"v?(1\.[0-9]{1,3})\b", kubelet)
    return found[1] if found else None


def _cluster_name(snapshot: SeenObjects) -> str | None:
    labels = ("alpha.eksctl.io/cluster-name", "aws:eks:cluster-name")
    names = sorted({n.labels[k] for n in snapshot.nodes.values() for k in labels if n.labels.get(k)})
    if len(names) > 1:
        text = f"nodes of clusters {', '.join(names)}: a plan is one cluster, import each by itself"
        snapshot.said.say("nodes", text, "metadata.name")
    return names[0] if len(names) == 1 else text_of(snapshot.env.get("CLUSTER_NAME"))


def _pod_pieces(
    snapshot: SeenObjects, groups: Sequence[GroupLabels]
) -> tuple[tuple[WorkloadDraft, ...], tuple[DaemonSetDraft, ...]]:
    """Workloads and DaemonSets, sorted by name, because the order of a dump has no meaning."""
    keys = {**dict.fromkeys(snapshot.controllers), **dict.fromkeys(snapshot.pods)}
    workloads: list[tuple[Key, WorkloadDraft]] = []
    daemons = []
    fargate = static = 0
    for key in sorted(keys, key=lambda k: (k[1], k[2], k[0])):
        pods = snapshot.pods.get(key)
        if key[0] == "Node":
            static += pods.count if pods else 0
        elif pods and pods.fargate == pods.count:
            fargate += pods.count
        elif key[0] == "DaemonSet":
            daemons.append(_daemon(snapshot, key, groups))
        else:
            fargate += pods.fargate if pods else 0
            workload = _workload(snapshot, key, groups)
            if workload is not None:
                workloads.append((key, workload))
    if fargate:
        snapshot.said.say("pods", f"{fargate} on Fargate use an address each: add them as tenants of kind fargate")
    if static:
        snapshot.said.say("pods", f"{static} static pods of nodes are ignored")
    elsewhere = sorted(snapshot.autoscalers.keys() - keys.keys(), key=lambda k: k[1:])
    workloads += [(key, _scaled_elsewhere(snapshot, key)) for key in elsewhere]
    return unique_names(workloads), tuple(daemons)


def _facts(controller: Controller | None, pods: OwnedPods | None, said: SourceNotes, path: str) -> PodFacts:
    """Facts of the controller's template with the requests of its first pod, else those of the pod."""
    template, pod = controller.facts if controller else None, pods.facts if pods else None
    assert template or pod, "every key comes from a controller or from pods, which have facts"
    return admitted(template, pod, said, path) if template and pod else template or pod  # type: ignore[return-value]


def _workload(snapshot: SeenObjects, key: Key, groups: Sequence[GroupLabels]) -> WorkloadDraft | None:
    controller = snapshot.controllers.get(key)
    pods = snapshot.pods.get(key)
    name = f"{key[1]}/{key[2]}"
    facts = _facts(controller, pods, snapshot.said, at("workloads", name))
    on_nodes = pods.count - pods.fargate if pods else 0
    now = controller.replicas if controller and controller.replicas is not None else on_nodes
    most = controller.most if controller else None
    low, scaled, _ = snapshot.autoscalers.get(key, (0, None, ""))
    if scaled is not None:
        most = max(scaled, now)
    if now == 0 and not most:
        return None
    now = max(now, low) if now else now  # an HPA does not change a workload that was scaled to 0
    for rule in facts.apart.others:
        snapshot.said.meet("placement rule", f"{name}: {rule}")
    say_devices(facts, snapshot.said, name)
    one_by_one = key[0] not in ("Deployment", "Rollout") and controller is None
    return WorkloadDraft(
        name=name,
        replicas=now,
        max_replicas=None if most is None or most == now else max(most, now),
        cpu_millicores=facts.cpu_millicores,
        memory_bytes=facts.memory_bytes,
        max_surge=controller.max_surge if controller else 0 if one_by_one else None,
        max_unavailable=controller.max_unavailable if controller else 1 if one_by_one else None,
        host_network=facts.host_network or None,
        security_groups=_has_branch(snapshot, key, facts, pods) or None,
        zone_skew=facts.apart.zone_skew,
        anti_affinity=facts.apart.anti_affinity,
        gpus=facts.gpus or None,
        volumes=volumes_of(facts, snapshot.storage, snapshot.said, at("workloads", name)),
        node_groups=_bound(snapshot, facts, pods, groups, at("workloads", name, "nodeGroups")),
    )


def _has_branch(snapshot: SeenObjects, key: Key, facts: PodFacts, pods: OwnedPods | None) -> bool:
    """Whether each pod has a branch interface: by a request, an annotation, or a SecurityGroupPolicy."""
    stated = facts.branch_eni or bool(pods and pods.branch)
    by_policy = has_branch_interface(facts, key[1], snapshot.policies, snapshot.said)
    return stated or (by_policy and not facts.host_network)


def _workload_keys(snapshot: SeenObjects, workloads: Sequence[WorkloadDraft]) -> dict[str, Key]:
    """Controllers of the plan's workloads by name; a name that two share is left out."""
    names = {w.name for w in workloads}
    found: dict[str, Key] = {}
    shared: set[str] = set()
    for key in (*snapshot.controllers, *snapshot.pods):
        name = f"{key[1]}/{key[2]}"
        if name in names and found.setdefault(name, key) != key:
            shared.add(name)
    return {name: key for name, key in found.items() if name not in shared}


def _scaled_elsewhere(snapshot: SeenObjects, key: Key) -> WorkloadDraft:
    low, most, name = snapshot.autoscalers[key]
    snapshot.said.say(
        f"HPA {key[1]}/{name}",
        f"its {key[0]} {key[2]} is not in this file: only its maximum is known (minimum {low})",
        at("workloads", f"{key[1]}/{key[2]}"),
    )
    return WorkloadDraft(f"{key[1]}/{key[2]}", max_replicas=most)


def _daemon(snapshot: SeenObjects, key: Key, groups: Sequence[GroupLabels]) -> DaemonSetDraft:
    controller, pods = snapshot.controllers.get(key), snapshot.pods.get(key)
    name = key[2] if key[1] == _SYSTEM else f"{key[1]}/{key[2]}"
    facts = _facts(controller, pods, snapshot.said, at("daemonSets", name))
    say_devices(facts, snapshot.said, name)
    if controller and controller.max_surge and not facts.host_network:
        say_surge(controller.max_surge, snapshot.said, at("daemonSets", name))
    return DaemonSetDraft(
        name=name,
        cpu_millicores=facts.cpu_millicores,
        memory_bytes=facts.memory_bytes,
        host_network=facts.host_network or None,
        gpus=facts.gpus or None,
        node_groups=_bound(snapshot, facts, pods, groups, at("daemonSets", name, "nodeGroups")),
    )


def _bound(
    snapshot: SeenObjects, facts: PodFacts, pods: OwnedPods | None, groups: Sequence[GroupLabels], path: str
) -> tuple[str, ...] | None:
    """Groups that match a pod's selector, affinity and tolerations; None for every group."""
    fitting = groups_for(facts, groups)
    if not fitting and groups:
        ran = {snapshot.nodes[n].group for n in (pods.nodes if pods else ()) if n in snapshot.nodes}
        if not ran:
            snapshot.said.say(path, "no node in this file matches its selector, affinity and tolerations", path)
        fitting = [g.name for g in groups if g.name in ran]
    return tuple(fitting) if fitting and len(fitting) < len(groups) else None


def _say_skipped(snapshot: SeenObjects) -> None:
    other = sorted(snapshot.skipped.items())
    if other:
        named = ", ".join(f"{count} {kind}" for kind, count in other[:8])
        snapshot.said.say("", f"ignored, not part of a plan: {named}{' and others' if len(other) > 8 else ''}")


# --- reading --------------------------------------------------------------------------------


def read(paths: Sequence[str]) -> PlanDraft:
    """Read files of Kubernetes objects (``-`` for stdin) as one draft.

    Raises
    ------
    SpecError
        A file cannot be read, or has no Kubernetes object.
    """
    from capacity.readers.kubernetes.stream import stream_file

    names = [file_name(p) for p in paths]
    snapshot = SeenObjects(SourceNotes(names[0] if len(names) == 1 else ""))
    if len(paths) > 1:
        snapshot.counted = set()
    for path in paths:
        _take_all(snapshot, stream_file(path), file_name(path))
    return draft_of(snapshot, f"kubectl {', '.join(names)}")


def _take_all(snapshot: SeenObjects, objects: Iterable[tuple[str, Any]], name: str) -> None:
    taken = False
    foreign: Any = None
    for list_kind, value in objects:
        if snapshot.add(list_kind, value):
            taken = True
        elif foreign is None:
            foreign = value
    if not taken:
        if foreign is None:
            raise SpecError(f"{name}: has no Kubernetes object (an empty list?)")
        raise refuse("kubectl", foreign, name)
    if foreign is not None:
        source, words = detect(foreign)
        cure = f" (capacity import {source} reads it)" if source else ""
        snapshot.said.leave_out("", f"ignored {words}{cure}", elsewhere=source or "")


LIVE_KINDS = "nodes,pods,daemonsets,deployments,statefulsets,replicasets,jobs,cronjobs,hpa"


OPTIONAL_KINDS = {  # with the note if they cannot be listed; without classes, each claim has a note
    "eniconfigs.crd.k8s.amazonaws.com": (
        "ENIConfigs could not be listed (none, or not allowed): they are needed only for custom networking"
    ),
    "securitygrouppolicies.vpcresources.k8s.aws": "",
    "storageclasses": "",
}


def read_live(context: str | None = None, kubectl: str = "kubectl") -> PlanDraft:
    """Read Kubernetes objects of the current kubectl context as one draft, with ``kubectl get`` (read-only).

    Raises
    ------
    SpecError
        kubectl is not installed, or refuses.
    """
    said = SourceNotes("kubectl")
    snapshot = SeenObjects(said)
    _take_all(snapshot, run_kubectl(kubectl, context, ["get", LIVE_KINDS, "-A", "-o", "json"]), "kubectl")
    for kinds, without in OPTIONAL_KINDS.items():
        try:
            _take_all(snapshot, run_kubectl(kubectl, context, ["get", kinds, "-A", "-o", "json"]), "kubectl")
        except SpecError:
            if without:
                said.say("", without)
    return draft_of(snapshot, "kubectl (live)")
