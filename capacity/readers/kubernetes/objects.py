"""Collect facts from Kubernetes objects one by one, so that a dump of any size needs little memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from capacity.plan.overlay import AGENTS
from capacity.plan.windows import CONFIG_MAP, of_config_map
from capacity.readers.cni_addon import cni_environment, cni_version_of
from capacity.readers.detect import detect
from capacity.readers.draft import SourceNotes
from capacity.readers.kubernetes.eniconfig import eniconfig_subnet
from capacity.readers.kubernetes.kube_node import KubeNode, node_facts
from capacity.readers.kubernetes.scheduling import PodFacts, pod_facts
from capacity.readers.values import int_of, items, mapping, path_of, text_of

Key = tuple[str, str, str]  # kind, namespace, name
CONTROLLERS = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout")
ONE_BY_ONE = ("StatefulSet",)  # replaced one pod at a time, never more than replicas
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


@dataclass
class Controller:
    """A controller of pods: its replicas and pod facts. ``facts`` is None if only its pods are known."""

    replicas: int | None = None
    facts: PodFacts | None = None
    max_surge: int | str | None = None
    max_unavailable: int | str | None = None
    most: int | None = None


@dataclass
class OwnedPods:
    """Live pods of one owner: their number, the first one's facts, how many are on Fargate."""

    count: int = 0
    fargate: int = 0
    facts: PodFacts | None = None
    branch: bool = False
    nodes: Counter[str] = field(default_factory=Counter)


@dataclass
class SeenObjects:
    """The facts of all objects seen."""

    said: SourceNotes
    nodes: dict[str, KubeNode] = field(default_factory=dict)
    controllers: dict[Key, Controller] = field(default_factory=dict)
    pods: dict[Key, OwnedPods] = field(default_factory=dict)
    autoscalers: dict[Key, tuple[int, int | None, str]] = field(default_factory=dict)
    eniconfigs: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    windows: dict[str, str] = field(default_factory=dict)
    cni_version: str | None = None
    seen: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    ipv6: bool = False
    uids: set[str] = field(default_factory=set)

    def add(self, list_kind: str, value: object) -> bool:
        """Add one object; False if it is not a Kubernetes object."""
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
    """Kind of an item of a typed list, from the list or from its keys."""
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


def _take_node(objects: SeenObjects, value: Mapping[str, Any]) -> None:
    node = node_facts(value, objects.said)
    if node is not None:
        objects.nodes[node.name] = node


def _take_controller(objects: SeenObjects, value: Mapping[str, Any]) -> None:
    kind = str(value.get("kind") or "Deployment")
    namespace, name = _named(value)
    if kind == "ReplicaSet" and _owner(value) is not None:
        return  # of a Deployment, counted there
    spec = mapping(value.get("spec"))
    replicas = int_of(spec.get("replicas"))
    controller = Controller(1 if replicas is None else replicas, pod_facts(mapping(path_of(spec, "template", "spec"))))
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
    objects.controllers[(kind, namespace, name)] = controller


def _count(value: object) -> int | str | None:
    """Value of a Kubernetes IntOrString: a count, or a percentage as text."""
    number = int_of(value)
    if number is not None:
        return number
    text = str(value or "").strip()
    return text if re.fullmatch(r"[0-9]{1,3}%", text) else None


def _take_daemon_set(objects: SeenObjects, value: Mapping[str, Any]) -> None:
    namespace, name = _named(value)
    spec = mapping(path_of(value, "spec", "template", "spec"))
    objects.controllers[("DaemonSet", namespace, name)] = Controller(facts=pod_facts(spec))
    if name == "aws-node":
        _take_cni(objects, spec)
    if name == "cilium":
        _say_cilium(objects, spec)
    elif name in AGENTS:
        objects.said.say(
            name,
            "if it gives pods addresses of an overlay network (VXLAN, IP-in-IP), set cni.name: overlay in the plan",
        )


def _say_cilium(objects: SeenObjects, pod_spec: Mapping[str, Any]) -> None:
    """Note that the Cilium agent runs in the cluster: its mode is in a ConfigMap, which is not read."""
    if "cilium-agent" in {mapping(c).get("name") for c in items(pod_spec.get("containers"))}:
        objects.said.say(
            "cilium",
            "the Cilium agent runs here, and its settings are not read: if cilium-config has ipam: eni, "
            "set cni.name: cilium and cni.cilium in the plan; if it has cluster-pool, set cni.name: overlay",
        )


def _take_cni(objects: SeenObjects, pod_spec: Mapping[str, Any]) -> None:
    """Read environment and version of the aws-node container; only CNI variables."""
    for raw in items(pod_spec.get("containers")):
        container = mapping(raw)
        if container.get("name") == "aws-node":
            objects.env = cni_environment(container.get("env"), objects.said, "aws-node env")
            tag = str(container.get("image") or "").rpartition(":")[2]
            objects.cni_version = cni_version_of(tag) or objects.cni_version


def _take_config_map(objects: SeenObjects, value: Mapping[str, Any]) -> None:
    """Read settings of the VPC resource controller for Windows nodes; other ConfigMaps are not read."""
    if _named(value) == ("kube-system", CONFIG_MAP):
        objects.windows = of_config_map(mapping(value.get("data")))
    else:
        objects.skipped["ConfigMap"] += 1


def _take_job(objects: SeenObjects, value: Mapping[str, Any]) -> None:
    namespace, name = _named(value)
    if _owner(value) is not None:
        return  # of a CronJob
    spec = mapping(value.get("spec"))
    done = any(mapping(c).get("type") in ("Complete", "Failed") for c in items(path_of(value, "status", "conditions")))
    active = int_of(path_of(value, "status", "active"))
    wanted = 0 if done else active if active is not None else int_of(spec.get("parallelism")) or 1
    if wanted:
        facts = pod_facts(mapping(path_of(spec, "template", "spec")))
        objects.controllers[("Job", namespace, name)] = Controller(wanted, facts, 0, 1)


def _take_cron_job(objects: SeenObjects, value: Mapping[str, Any]) -> None:
    namespace, name = _named(value)
    spec = mapping(value.get("spec"))
    if spec.get("suspend") in (True, "true"):
        return
    job = mapping(path_of(spec, "jobTemplate", "spec"))
    facts = pod_facts(mapping(path_of(job, "template", "spec")))
    most = int_of(job.get("parallelism")) or 1
    objects.controllers[("CronJob", namespace, name)] = Controller(None, facts, 0, 1, most)


def _take_autoscaler(objects: SeenObjects, value: Mapping[str, Any]) -> None:
    namespace, name = _named(value)
    spec = mapping(value.get("spec"))
    target = mapping(spec.get("scaleTargetRef"))
    low = int_of(spec.get("minReplicas", spec.get("minReplicaCount")))
    most = int_of(spec.get("maxReplicas", spec.get("maxReplicaCount")))
    if value.get("kind") == "ScaledObject" and most is None:
        most = 100  # KEDA's default for maxReplicaCount
    key = (str(target.get("kind") or "Deployment"), namespace, str(target.get("name") or name))
    objects.autoscalers[key] = (1 if low is None else low, most, name)


def _take_service(objects: SeenObjects, value: Mapping[str, Any]) -> None:
    if value.get("kind") == "Ingress" or path_of(value, "spec", "type") == "LoadBalancer":
        objects.skipped["load balancer (Service or Ingress)"] += 1


def _take_pod(objects: SeenObjects, value: Mapping[str, Any]) -> None:
    """Count a live pod under its owner; only the first pod of an owner is read in detail."""
    status = mapping(value.get("status"))
    if status.get("phase") in ("Succeeded", "Failed"):
        return
    metadata, spec = mapping(value.get("metadata")), mapping(value.get("spec"))
    key = _pod_owner(metadata)
    pods = objects.pods.get(key)
    if pods is None:
        pods = objects.pods[key] = OwnedPods(facts=pod_facts(spec))
        if key[0] == "DaemonSet" and key[2] == "aws-node" and not objects.env:
            _take_cni(objects, spec)
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
        objects.ipv6 = True


def _owner(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    owners = items(path_of(value, "metadata", "ownerReferences"))
    chosen = next((o for o in owners if mapping(o).get("controller") in (True, "true")), owners[0] if owners else None)
    return mapping(chosen) if chosen is not None else None


def _pod_owner(metadata: Mapping[str, Any]) -> Key:
    """Owner of a pod: for a ReplicaSet its Deployment, for a Job its CronJob."""
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
    if kind == "Job" and re.search(
        r"-[0-9]{8,10}$", name
    ):  # names of a CronJob's Jobs end with the minute of their schedule
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
    "ENIConfig": lambda seen, value: seen.eniconfigs.update(eniconfig_subnet(value, seen.said)),
    "ConfigMap": _take_config_map,
    "Service": _take_service,
    "Ingress": _take_service,
}
