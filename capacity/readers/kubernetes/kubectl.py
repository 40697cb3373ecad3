"""Kubernetes objects, saved or live: nodes, workloads, pods, autoscalers, the CNI's daemonset, ENIConfigs.

Objects are taken one by one and only their facts are kept, so a dump of any size is read in little memory.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from capacity.catalog.table import load_catalog
from capacity.errors import SpecError
from capacity.plan.overlay import AGENTS
from capacity.plan.windows import CONFIG_MAP, of_config_map
from capacity.readers.cni_addon import cni_environment, cni_version_of
from capacity.readers.decode import file_name
from capacity.readers.detect import detect, refuse
from capacity.readers.draft import (
    DaemonSetDraft,
    PlanDraft,
    SourceNotes,
    SubnetDraft,
    WorkloadDraft,
    at,
    unique_names,
)
from capacity.readers.kubernetes.nodes import NodeFacts, by_group, group_facts, group_of_nodes, node_facts
from capacity.readers.kubernetes.scheduling import GroupFacts, PodFacts, groups_for, pod_facts
from capacity.readers.values import PLACEHOLDER, int_of, items, mapping, path_of, text_of

Key = tuple[str, str, str]  # kind, namespace, name

CONTROLLERS = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout")
ONE_BY_ONE = ("StatefulSet",)  # replaced one pod at a time, none more than replicas
KINDS = frozenset(
    [
        *CONTROLLERS,
        "Node",
        "Pod",
        "DaemonSet",
        "Job",
        "CronJob",
        "HorizontalPodAutoscaler",
        "ENIConfig",
        "ScaledObject",
        "Service",
        "Ingress",
    ]
)
_SYSTEM = "kube-system"


@dataclass
class _Controller:
    """A controller of pods: how many it wants and what they are. ``facts`` is None where only pods tell."""

    replicas: int | None = None
    facts: PodFacts | None = None
    max_surge: int | str | None = None
    max_unavailable: int | str | None = None
    most: int | None = None


@dataclass
class _Pods:
    """Live pods of one owner: their number, the first one's facts, how many are on Fargate."""

    count: int = 0
    fargate: int = 0
    facts: PodFacts | None = None
    branch: bool = False
    nodes: Counter[str] = field(default_factory=Counter)


@dataclass
class Snapshot:
    """The facts of all objects seen."""

    said: SourceNotes
    nodes: dict[str, NodeFacts] = field(default_factory=dict)
    controllers: dict[Key, _Controller] = field(default_factory=dict)
    pods: dict[Key, _Pods] = field(default_factory=dict)
    autoscalers: dict[Key, tuple[int, int | None, str]] = field(default_factory=dict)
    eniconfigs: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    windows: dict[str, str] = field(default_factory=dict)
    cni_version: str | None = None
    seen: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    ipv6: bool = False
    uids: set[str] = field(default_factory=set)

    def add(self, list_kind: str, value: Any) -> bool:
        """Take one object; False where it is none of Kubernetes' kinds."""
        if not isinstance(value, dict):
            return False
        kind = str(value.get("kind") or "") or kind_in(list_kind, value)
        take = _TAKERS.get(kind)
        if take is None:
            source = detect(value)[0]
            if source == "karpenter" or (source != "kubectl" and not list_kind):
                return False
            self.skipped[kind or "object without a kind"] += 1
            return True
        self.seen[kind] += 1
        take(self, value)
        return True


def kind_in(list_kind: str, value: Mapping[str, Any]) -> str:
    """Kind of an item of a typed list, told from the list or else from its shape."""
    if list_kind.endswith("List") and list_kind != "List":
        return list_kind[: -len("List")]
    spec = mapping(value.get("spec"))
    if "containers" in spec:
        return "Pod"
    if "providerID" in spec or "nodeInfo" in mapping(value.get("status")):
        return "Node"
    if "scaleTargetRef" in spec:
        return "HorizontalPodAutoscaler"
    if "template" in spec:
        return "StatefulSet" if "serviceName" in spec else "Deployment" if "replicas" in spec else "DaemonSet"
    return ""


def _named(value: Mapping[str, Any]) -> tuple[str, str]:
    metadata = mapping(value.get("metadata"))
    return str(metadata.get("namespace") or "default"), str(metadata.get("name") or "unnamed")


# --- taking objects -------------------------------------------------------------------------


def _take_node(snapshot: Snapshot, value: Mapping[str, Any]) -> None:
    node = node_facts(value, snapshot.said)
    if node is not None:
        snapshot.nodes[node.name] = node


def _take_controller(snapshot: Snapshot, value: Mapping[str, Any]) -> None:
    kind = str(value.get("kind") or "Deployment")
    namespace, name = _named(value)
    if kind == "ReplicaSet" and _owner(value) is not None:
        return  # a Deployment's, counted there
    spec = mapping(value.get("spec"))
    replicas = int_of(spec.get("replicas"))
    controller = _Controller(1 if replicas is None else replicas, pod_facts(mapping(path_of(spec, "template", "spec"))))
    if kind in ONE_BY_ONE:
        controller.max_surge = 0
        controller.max_unavailable = _count(path_of(spec, "updateStrategy", "rollingUpdate", "maxUnavailable")) or 1
    elif path_of(spec, "strategy", "type") == "Recreate":
        controller.max_surge, controller.max_unavailable = 0, "100%"
    else:
        rolling = mapping(path_of(spec, "strategy", "rollingUpdate"))
        controller.max_surge, controller.max_unavailable = (
            _count(rolling.get(k)) for k in ("maxSurge", "maxUnavailable")
        )
    snapshot.controllers[(kind, namespace, name)] = controller


def _count(value: Any) -> int | str | None:
    """Kubernetes' IntOrString: a count, or a percentage as text."""
    number = int_of(value)
    if number is not None:
        return number
    text = str(value or "").strip()
    return text if re.fullmatch(r"[0-9]{1,3}%", text) else None


def _take_daemon_set(snapshot: Snapshot, value: Mapping[str, Any]) -> None:
    namespace, name = _named(value)
    spec = mapping(path_of(value, "spec", "template", "spec"))
    snapshot.controllers[("DaemonSet", namespace, name)] = _Controller(facts=pod_facts(spec))
    if name == "aws-node":
        _take_cni(snapshot, spec)
    if name == "cilium":
        _say_cilium(snapshot, spec)
    elif name in AGENTS:
        snapshot.said.say(
            name,
            "where it gives pods addresses of its own network (VXLAN, IP-in-IP), set cni.name: overlay in the plan",
        )


def _say_cilium(snapshot: Snapshot, pod_spec: Mapping[str, Any]) -> None:
    """A cluster on which the Cilium agent runs: its mode stands in a ConfigMap, which is not among what is read."""
    if "cilium-agent" in {mapping(c).get("name") for c in items(pod_spec.get("containers"))}:
        snapshot.said.say(
            "cilium",
            "the Cilium agent runs here, and its settings are not read: where cilium-config says ipam: eni, "
            "set cni.name: cilium and cni.cilium in the plan; where it says cluster-pool, cni.name: overlay",
        )


def _take_cni(snapshot: Snapshot, pod_spec: Mapping[str, Any]) -> None:
    """Environment and version out of the aws-node container; only the CNI's own variables."""
    for raw in items(pod_spec.get("containers")):
        container = mapping(raw)
        if container.get("name") == "aws-node":
            snapshot.env = cni_environment(container.get("env"), snapshot.said, "aws-node env")
            tag = str(container.get("image") or "").rpartition(":")[2]
            snapshot.cni_version = cni_version_of(tag) or snapshot.cni_version


def _take_config_map(snapshot: Snapshot, value: Mapping[str, Any]) -> None:
    """What the VPC resource controller is told about Windows nodes; of other ConfigMaps nothing is read."""
    if _named(value) == ("kube-system", CONFIG_MAP):
        snapshot.windows = of_config_map(mapping(value.get("data")))
    else:
        snapshot.skipped["ConfigMap"] += 1


def _take_job(snapshot: Snapshot, value: Mapping[str, Any]) -> None:
    namespace, name = _named(value)
    if _owner(value) is not None:
        return  # of a CronJob
    spec = mapping(value.get("spec"))
    done = any(mapping(c).get("type") in ("Complete", "Failed") for c in items(path_of(value, "status", "conditions")))
    active = int_of(path_of(value, "status", "active"))
    wanted = 0 if done else active if active is not None else int_of(spec.get("parallelism")) or 1
    if wanted:
        facts = pod_facts(mapping(path_of(spec, "template", "spec")))
        snapshot.controllers[("Job", namespace, name)] = _Controller(wanted, facts, 0, 1)


def _take_cron_job(snapshot: Snapshot, value: Mapping[str, Any]) -> None:
    namespace, name = _named(value)
    spec = mapping(value.get("spec"))
    if spec.get("suspend") in (True, "true"):
        return
    job = mapping(path_of(spec, "jobTemplate", "spec"))
    facts = pod_facts(mapping(path_of(job, "template", "spec")))
    most = int_of(job.get("parallelism")) or 1
    snapshot.controllers[("CronJob", namespace, name)] = _Controller(None, facts, 0, 1, most)


def _take_autoscaler(snapshot: Snapshot, value: Mapping[str, Any]) -> None:
    namespace, name = _named(value)
    spec = mapping(value.get("spec"))
    target = mapping(spec.get("scaleTargetRef"))
    low = int_of(spec.get("minReplicas", spec.get("minReplicaCount")))
    most = int_of(spec.get("maxReplicas", spec.get("maxReplicaCount")))
    if value.get("kind") == "ScaledObject" and most is None:
        most = 100  # KEDA's default for maxReplicaCount
    key = (str(target.get("kind") or "Deployment"), namespace, str(target.get("name") or name))
    snapshot.autoscalers[key] = (1 if low is None else low, most, name)


def _take_eniconfig(snapshot: Snapshot, value: Mapping[str, Any]) -> None:
    name = str(path_of(value, "metadata", "name") or "")
    subnet = text_of(path_of(value, "spec", "subnet"))
    where = f"ENIConfig {name}"
    if subnet is None or PLACEHOLDER.search(name):
        shown = path_of(value, "spec", "subnet")
        snapshot.said.say(where, f"subnet {shown!r} is no id: the pod subnet is not known here")
        return
    if path_of(value, "spec", "vpcId"):
        snapshot.said.say(where, "its pods' subnet is in another VPC: reckoned as in the cluster's")
    snapshot.eniconfigs[name] = subnet


def _take_service(snapshot: Snapshot, value: Mapping[str, Any]) -> None:
    if value.get("kind") == "Ingress" or path_of(value, "spec", "type") == "LoadBalancer":
        snapshot.skipped["load balancer (Service or Ingress)"] += 1


def _take_pod(snapshot: Snapshot, value: Mapping[str, Any]) -> None:
    """Count a live pod under its owner; of the owner's pods only the first is looked at closely."""
    status = mapping(value.get("status"))
    if status.get("phase") in ("Succeeded", "Failed"):
        return
    metadata, spec = mapping(value.get("metadata")), mapping(value.get("spec"))
    key = _pod_owner(metadata)
    pods = snapshot.pods.get(key)
    if pods is None:
        pods = snapshot.pods[key] = _Pods(facts=pod_facts(spec))
        if key[0] == "DaemonSet" and key[2] == "aws-node" and not snapshot.env:
            _take_cni(snapshot, spec)
    pods.count += 1
    node = text_of(spec.get("nodeName"))
    labels, annotations = mapping(metadata.get("labels")), mapping(metadata.get("annotations"))
    if "eks.amazonaws.com/fargate-profile" in labels or (node or "").startswith("fargate-"):
        pods.fargate += 1
    elif node:
        pods.nodes[node] += 1
    if "vpc.amazonaws.com/pod-eni" in annotations:
        pods.branch = True
    if ":" in str(status.get("podIP") or ""):
        snapshot.ipv6 = True


def _owner(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    owners = items(path_of(value, "metadata", "ownerReferences"))
    chosen = next((o for o in owners if mapping(o).get("controller") in (True, "true")), owners[0] if owners else None)
    return mapping(chosen) if chosen is not None else None


def _pod_owner(metadata: Mapping[str, Any]) -> Key:
    """What a pod belongs to: through a ReplicaSet its Deployment, through a Job its CronJob."""
    namespace = str(metadata.get("namespace") or "default")
    owner = _owner({"metadata": metadata})
    if "kubernetes.io/config.mirror" in mapping(metadata.get("annotations")):
        return ("Node", namespace, "static")
    if owner is None:
        if mapping(metadata.get("annotations")).get("kubernetes.io/config.source") == "file":
            return ("Node", namespace, "static")
        stem = metadata.get("generateName")
        return ("Pod", namespace, str(stem).rstrip("-") if stem else str(metadata.get("name") or "unnamed"))
    kind, name = str(owner.get("kind") or ""), str(owner.get("name") or "")
    labels = mapping(metadata.get("labels"))
    if kind == "ReplicaSet":
        stamp = labels.get("pod-template-hash") or labels.get("rollouts-pod-template-hash")
        if stamp and (name.endswith(f"-{stamp}") or re.search(r"-[0-9a-z]{8,10}$", name)):
            return ("Deployment", namespace, name.rpartition("-")[0])
    if kind == "Job" and re.search(r"-[0-9]{8,10}$", name):  # a CronJob's Jobs end in the minute they were due
        return ("CronJob", namespace, name.rpartition("-")[0])
    return (kind, namespace, name)


_TAKERS = {
    **dict.fromkeys(CONTROLLERS, _take_controller),
    "Node": _take_node,
    "Pod": _take_pod,
    "DaemonSet": _take_daemon_set,
    "Job": _take_job,
    "CronJob": _take_cron_job,
    "HorizontalPodAutoscaler": _take_autoscaler,
    "ScaledObject": _take_autoscaler,
    "ENIConfig": _take_eniconfig,
    "ConfigMap": _take_config_map,
    "Service": _take_service,
    "Ingress": _take_service,
}


# --- from facts to a draft ------------------------------------------------------------------


def draft_of(snapshot: Snapshot, source: str) -> PlanDraft:
    """The facts as a draft."""
    said = snapshot.said
    catalog = load_catalog()
    grouped = by_group(snapshot.nodes.values())
    ipv6 = snapshot.ipv6 or snapshot.env.get("ENABLE_IPv6") == "true"
    groups = tuple(group_of_nodes(n, nodes, snapshot.env, ipv6, catalog, said) for n, nodes in grouped.items())
    facts = [group_facts(n, nodes) for n, nodes in grouped.items()]
    workloads, daemons = _pod_pieces(snapshot, facts)
    pod_subnets = _pod_subnets(snapshot)
    _say_skipped(snapshot)
    regions = Counter(n.region for n in snapshot.nodes.values() if n.region)
    versions = sorted({v for n in snapshot.nodes.values() if (v := _minor(n.kubelet))}, key=lambda v: int(v[2:]))
    if len(versions) > 1:
        said.say("nodes", f"kubelets of versions {', '.join(versions)}: the newest is taken", "kubernetes.version")
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
        notes=tuple(said.notes),
    )


def _minor(kubelet: str) -> str | None:
    found = re.match(r"v?(1\.[0-9]{1,3})\b", kubelet)
    return found[1] if found else None


def _cluster_name(snapshot: Snapshot) -> str | None:
    names = {n.labels.get("alpha.eksctl.io/cluster-name") for n in snapshot.nodes.values()} - {None}
    return names.pop() if len(names) == 1 else text_of(snapshot.env.get("CLUSTER_NAME"))


def _pod_subnets(snapshot: Snapshot) -> tuple[SubnetDraft, ...]:
    """The ENIConfigs' subnets; an ENIConfig is named after its zone where nodes find theirs by the zone label."""
    zoned = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9][a-z](?![a-z0-9])")
    found = {}
    for name, subnet in sorted(snapshot.eniconfigs.items()):
        found[subnet] = SubnetDraft(subnet, zone[0] if (zone := zoned.match(name)) else None, id=subnet)
    return tuple(found.values())


def _pod_pieces(
    snapshot: Snapshot, groups: Sequence[GroupFacts]
) -> tuple[tuple[WorkloadDraft, ...], tuple[DaemonSetDraft, ...]]:
    """Workloads and daemonsets, sorted by name: the order of a dump says nothing."""
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
        snapshot.said.say("pods", f"{fargate} on Fargate take an address each: add them as tenants of kind fargate")
    if static:
        snapshot.said.say("pods", f"{static} static pods of nodes are left out")
    elsewhere = sorted(snapshot.autoscalers.keys() - keys.keys(), key=lambda k: k[1:])
    workloads += [(key, _scaled_elsewhere(snapshot, key)) for key in elsewhere]
    return unique_names(workloads), tuple(daemons)


def _facts(controller: _Controller | None, pods: _Pods | None) -> PodFacts:
    """Of the controller's template, else of its first pod."""
    facts = controller.facts if controller and controller.facts else pods.facts if pods else None
    assert facts is not None, "every key comes from a controller or from pods, which have facts"
    return facts


def _workload(snapshot: Snapshot, key: Key, groups: Sequence[GroupFacts]) -> WorkloadDraft | None:
    controller = snapshot.controllers.get(key)
    pods = snapshot.pods.get(key)
    facts = _facts(controller, pods)
    on_nodes = pods.count - pods.fargate if pods else 0
    now = controller.replicas if controller and controller.replicas is not None else on_nodes
    most = controller.most if controller else None
    low, scaled, _ = snapshot.autoscalers.get(key, (0, None, ""))
    if scaled is not None:
        most = max(scaled, now)
    if now == 0 and not most:
        return None
    name = f"{key[1]}/{key[2]}"
    now = max(now, low) if now else now  # an HPA leaves a workload that was scaled to 0 alone
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
        security_groups=(facts.branch_eni or bool(pods and pods.branch)) or None,
        node_groups=_bound(snapshot, facts, pods, groups, at("workloads", name, "nodeGroups")),
    )


def _scaled_elsewhere(snapshot: Snapshot, key: Key) -> WorkloadDraft:
    low, most, name = snapshot.autoscalers[key]
    snapshot.said.say(
        f"HPA {key[1]}/{name}",
        f"its {key[0]} {key[2]} is not in this file: only its maximum is known (minimum {low})",
        at("workloads", f"{key[1]}/{key[2]}"),
    )
    return WorkloadDraft(f"{key[1]}/{key[2]}", max_replicas=most)


def _daemon(snapshot: Snapshot, key: Key, groups: Sequence[GroupFacts]) -> DaemonSetDraft:
    controller, pods = snapshot.controllers.get(key), snapshot.pods.get(key)
    facts = _facts(controller, pods)
    name = key[2] if key[1] == _SYSTEM else f"{key[1]}/{key[2]}"
    return DaemonSetDraft(
        name=name,
        cpu_millicores=facts.cpu_millicores,
        memory_bytes=facts.memory_bytes,
        host_network=facts.host_network or None,
        node_groups=_bound(snapshot, facts, pods, groups, at("daemonSets", name, "nodeGroups")),
    )


def _bound(
    snapshot: Snapshot, facts: PodFacts, pods: _Pods | None, groups: Sequence[GroupFacts], path: str
) -> tuple[str, ...] | None:
    """The groups a pod is bound to by its selector, affinity and the groups' taints; None for every group."""
    fitting = groups_for(facts, groups)
    if not fitting and groups:
        ran = {snapshot.nodes[n].group for n in (pods.nodes if pods else ()) if n in snapshot.nodes}
        if not ran:
            snapshot.said.say(path, "no node of this file fits its selector, affinity and tolerations", path)
        fitting = [g.name for g in groups if g.name in ran]
    return tuple(fitting) if fitting and len(fitting) < len(groups) else None


def _say_skipped(snapshot: Snapshot) -> None:
    balancers = snapshot.skipped.pop("load balancer (Service or Ingress)", 0)
    if balancers:
        text = f"{balancers} Services of type LoadBalancer or Ingresses: their load balancers are not in the plan"
        snapshot.said.say("", f"{text} (capacity import aws counts them)")
    other = sorted(snapshot.skipped.items())
    if other:
        named = ", ".join(f"{count} {kind}" for kind, count in other[:8])
        snapshot.said.say("", f"left out, no part of a plan: {named}{' and others' if len(other) > 8 else ''}")


# --- reading --------------------------------------------------------------------------------


def read(paths: Sequence[str]) -> PlanDraft:
    """Kubernetes objects in files (``-`` for stdin) as one draft.

    Raises
    ------
    SpecError
        A file that cannot be read, or holds no Kubernetes object.
    """
    from capacity.readers.kubernetes.stream import stream_file

    names = [file_name(p) for p in paths]
    snapshot = Snapshot(SourceNotes(names[0] if len(names) == 1 else ""))
    for path in paths:
        _take_all(snapshot, stream_file(path), file_name(path))
    return draft_of(snapshot, f"kubectl {', '.join(names)}")


def _take_all(snapshot: Snapshot, objects: Iterable[tuple[str, Any]], name: str) -> None:
    taken = False
    foreign: Any = None
    for list_kind, value in objects:
        if snapshot.add(list_kind, value):
            taken = True
        elif foreign is None:
            foreign = value
    if not taken:
        if foreign is None:
            raise SpecError(f"{name}: holds no Kubernetes object (an empty list?)")
        raise refuse("kubectl", foreign, name)
    if foreign is not None:
        source, words = detect(foreign)
        cure = f" (capacity import {source} reads it)" if source else ""
        snapshot.said.say("", f"left out {words}{cure}")


LIVE_KINDS = "nodes,pods,daemonsets,deployments,statefulsets,replicasets,jobs,cronjobs,hpa"


def read_live(context: str | None = None, kubectl: str = "kubectl") -> PlanDraft:
    """The same from the cluster that kubectl is configured for: one ``kubectl get``, read-only.

    Raises
    ------
    SpecError
        kubectl is not installed, or refuses.
    """
    said = SourceNotes("kubectl")
    snapshot = Snapshot(said)
    _take_all(snapshot, _run(kubectl, context, ["get", LIVE_KINDS, "-A", "-o", "json"]), "kubectl")
    try:
        _take_all(
            snapshot, _run(kubectl, context, ["get", "eniconfigs.crd.k8s.amazonaws.com", "-o", "json"]), "kubectl"
        )
    except SpecError:
        said.say(
            "", "ENIConfigs could not be listed (none, or not allowed): without custom networking they are not needed"
        )
    return draft_of(snapshot, "kubectl (live)")


def _run(kubectl: str, context: str | None, arguments: list[str]) -> Iterator[tuple[str, Any]]:
    """kubectl's answer, streamed; its own words where it fails."""
    import subprocess
    import tempfile

    from capacity.readers.kubernetes.stream import stream_binary

    command = [kubectl, *(["--context", context] if context else []), *arguments]
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, stdin=subprocess.DEVNULL)
        except OSError as error:
            raise SpecError(f"{kubectl}: cannot be run ({error.strerror or error})") from error
        assert process.stdout is not None, "it was asked for"
        try:
            yield from stream_binary(process.stdout, "kubectl")
        except SpecError:
            if process.wait() == 0:
                raise
        finally:
            process.stdout.close()
            process.wait()
        if process.returncode:
            errors.seek(0)
            lines = errors.read(2000).decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
            raise SpecError(f"kubectl {arguments[0]} {arguments[1]}: {lines[-1]}")
