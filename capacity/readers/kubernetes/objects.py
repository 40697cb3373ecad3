"""Collect facts from Kubernetes objects one by one, so that a dump of any size needs little memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from capacity.plan.overlay import AGENTS
from capacity.plan.windows import CONFIG_MAP, of_config_map
from capacity.readers.accounting import why_it_matters
from capacity.readers.cni_addon import cni_environment, cni_version_of
from capacity.readers.detect import detect
from capacity.readers.draft import SourceNotes
from capacity.readers.kubernetes.api_groups import is_kind_of_kubernetes, kind_with_group
from capacity.readers.kubernetes.eniconfig import eniconfig_subnet
from capacity.readers.kubernetes.kube_node import KubeNode, node_facts
from capacity.readers.kubernetes.pod_owners import Key, key_of, owner_of, pod_owner
from capacity.readers.kubernetes.scheduling import PodFacts, pod_facts, template_facts
from capacity.readers.kubernetes.service_objects import SeenServices
from capacity.readers.kubernetes.storage import storage_class
from capacity.readers.values import int_of, items, mapping, path_of

CONTROLLERS = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout")
ONE_BY_ONE = ("StatefulSet",)  # replaced one pod at a time, never more than replicas
KEDA_MOST = 100  # default of maxReplicaCount; kedacore/keda-docs, ScaledObject and ScaledJob spec


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

    def add(self, more: OwnedPods) -> None:
        """Count the pods of another owner here too."""
        self.count += more.count
        self.fargate += more.fargate
        self.branch = self.branch or more.branch
        self.nodes.update(more.nodes)


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
    services: SeenServices = field(default_factory=SeenServices)
    skipped: Counter[str] = field(default_factory=Counter)
    ipv6: bool = False
    owners: dict[Key, Key] = field(default_factory=dict)  # of ReplicaSets and Jobs in the input
    below: dict[Key, Controller] = field(default_factory=dict)  # what the owned ReplicaSets and Jobs run, by owner
    policies: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)  # SecurityGroupPolicies
    storage: dict[str, str] = field(default_factory=dict)  # provisioner of each storage class
    counted: set[str] | None = None  # pods by UID or name, for use if an input can repeat another

    def add(self, list_kind: str, value: object) -> bool:
        """Add one object; False if it is not a Kubernetes object."""
        if not isinstance(value, dict):
            return False
        kind = value.get("kind") or kind_in(list_kind, value)
        kind = kind if isinstance(kind, str) else str(kind)
        take = _TAKERS.get(kind)
        if take is None or not is_kind_of_kubernetes(kind, value):
            source = detect(value)[0]
            if source == "karpenter" or (source != "kubectl" and not list_kind):
                return False
            self._leave_out(kind or "object without a kind", value)
            return True
        take(self, kind, value)
        return True

    def _leave_out(self, kind: str, value: Mapping[str, Any]) -> None:
        """Record an object that is not read: by name if it could matter, else only its kind."""
        kind = kind_with_group(kind, value)
        if why_it_matters(kind):
            self.said.meet(kind, "/".join(_named(value)))
        else:
            self.skipped[kind] += 1


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
        return "ScaledObject" if "triggers" in spec else "HorizontalPodAutoscaler"
    if "template" in spec:
        return "StatefulSet" if "serviceName" in spec else "Deployment" if "replicas" in spec else "DaemonSet"
    return ""


def _named(value: Mapping[str, Any]) -> tuple[str, str]:
    metadata = mapping(value.get("metadata"))
    return _readable(metadata.get("namespace"), "default"), _readable(metadata.get("name"), "unnamed")


def _readable(name: object, absent: str) -> str:
    """A name, also of a template that was not rendered: without its marks."""
    text = str(name or "")
    return (re.sub(r"[^\w.:-]+", "-", text).strip("-.") if "{{" in text or "${" in text else text) or absent


def _take_node(objects: SeenObjects, _: str, value: Mapping[str, Any]) -> None:
    node = node_facts(value, objects.said)
    if node is not None:
        objects.nodes[node.name] = node


def _take_controller(objects: SeenObjects, kind: str, value: Mapping[str, Any]) -> None:
    namespace, name = _named(value)
    owner = owner_of(value)
    spec = mapping(value.get("spec"))
    replicas = int_of(spec.get("replicas"))
    if replicas is None and spec.get("replicas") is not None:
        text = f"replicas {spec['replicas']!r} is not a number: assumed 1; render a template first (helm template)"
        objects.said.say(f"{kind} {namespace}/{name}", text)
    if owner is not None and kind == "ReplicaSet":
        above = objects.owners[(kind, namespace, name)] = key_of(owner, namespace)
        _add_below(objects, above, 1 if replicas is None else replicas, spec)
        return
    facts = template_facts(spec.get("template"), spec.get("volumeClaimTemplates"))
    controller = Controller(1 if replicas is None else replicas, facts)
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
    objects.services.labels[(kind, namespace, name)] = mapping(path_of(spec, "template", "metadata", "labels"))


def _count(value: object) -> int | str | None:
    """Value of a Kubernetes IntOrString: a count, or a percentage as text."""
    number = int_of(value)
    if number is not None:
        return number
    text = str(value or "").strip()
    return text if re.fullmatch(r"[0-9]{1,3}%", text) else None


def _take_daemon_set(objects: SeenObjects, _: str, value: Mapping[str, Any]) -> None:
    namespace, name = _named(value)
    spec = mapping(path_of(value, "spec", "template", "spec"))
    surge = _count(path_of(value, "spec", "updateStrategy", "rollingUpdate", "maxSurge"))
    objects.controllers[("DaemonSet", namespace, name)] = Controller(facts=pod_facts(spec), max_surge=surge)
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


def _take_config_map(objects: SeenObjects, _: str, value: Mapping[str, Any]) -> None:
    """Read settings of the VPC resource controller for Windows nodes; other ConfigMaps are not read."""
    if _named(value) == ("kube-system", CONFIG_MAP):
        objects.windows = of_config_map(mapping(value.get("data")))
    else:
        objects.skipped["ConfigMap"] += 1


def _take_job(objects: SeenObjects, _: str, value: Mapping[str, Any]) -> None:
    """A Job: the pods that it runs now, or will run; none if it has ended or is suspended."""
    namespace, name = _named(value)
    owner = owner_of(value)
    if owner is not None:
        objects.owners[("Job", namespace, name)] = key_of(owner, namespace)
    spec = mapping(value.get("spec"))
    wanted = _job_pods(spec, mapping(value.get("status")))
    if wanted and owner is not None:
        _add_below(objects, key_of(owner, namespace), wanted, spec)
    elif wanted:
        facts = template_facts(spec.get("template"))
        objects.controllers[("Job", namespace, name)] = Controller(wanted, facts, 0, 1)


def _add_below(objects: SeenObjects, owner: Key, pods: int, spec: Mapping[str, Any]) -> None:
    """Count the pods of a ReplicaSet or Job for its owner, for use if the owner is not in the input."""
    known = objects.below.get(owner)
    if known is None and pods:
        facts = template_facts(spec.get("template"))
        one_by_one = (0, 1) if owner[0] in ("CronJob", "ScaledJob") else (None, None)
        objects.below[owner] = Controller(pods, facts, *one_by_one)
    elif known is not None:
        known.replicas = (known.replicas or 0) + pods


_ENDED = ("Complete", "Failed")


def _job_pods(spec: Mapping[str, Any], status: Mapping[str, Any]) -> int:
    """Pods of a Job at the same time; kubernetes/website, concepts/workloads/controllers/job.md."""
    ended = any(
        mapping(c).get("type") in _ENDED and str(mapping(c).get("status", "True")) == "True"
        for c in items(status.get("conditions"))
    )
    if ended or spec.get("suspend") in (True, "true"):
        return 0
    active = int_of(status.get("active"))
    if active is not None:
        return active
    parallel, completions = int_of(spec.get("parallelism")), int_of(spec.get("completions"))
    wanted = 1 if parallel is None else parallel
    return wanted if completions is None else max(0, min(wanted, completions - (int_of(status.get("succeeded")) or 0)))


def _take_scaled_job(objects: SeenObjects, _: str, value: Mapping[str, Any]) -> None:
    """A ScaledJob of KEDA: at most maxReplicaCount Jobs at the same time, each with its parallel pods."""
    namespace, name = _named(value)
    job = mapping(path_of(value, "spec", "jobTargetRef"))
    most = int_of(path_of(value, "spec", "maxReplicaCount"))
    parallel = int_of(job.get("parallelism"))
    facts = template_facts(job.get("template"))
    pods = (KEDA_MOST if most is None else most) * (1 if parallel is None else parallel)
    objects.controllers[("ScaledJob", namespace, name)] = Controller(None, facts, 0, 1, pods)


def _take_cron_job(objects: SeenObjects, _: str, value: Mapping[str, Any]) -> None:
    namespace, name = _named(value)
    spec = mapping(value.get("spec"))
    if spec.get("suspend") in (True, "true"):
        return
    job = mapping(path_of(spec, "jobTemplate", "spec"))
    facts = template_facts(job.get("template"))
    parallel, completions = int_of(job.get("parallelism")), int_of(job.get("completions"))
    most = min(1 if parallel is None else parallel, parallel or 1 if completions is None else completions)
    objects.controllers[("CronJob", namespace, name)] = Controller(None, facts, 0, 1, most)


def _take_autoscaler(objects: SeenObjects, kind: str, value: Mapping[str, Any]) -> None:
    """An HPA, or a ScaledObject of KEDA, which creates an HPA with the same maximum."""
    namespace, name = _named(value)
    spec = mapping(value.get("spec"))
    target = mapping(spec.get("scaleTargetRef"))
    scaled = kind == "ScaledObject"
    low = int_of(spec.get("minReplicaCount" if scaled else "minReplicas"))
    most = int_of(spec.get("maxReplicaCount" if scaled else "maxReplicas"))
    if low is None:
        low = 0 if scaled else 1
    if scaled and most is None:
        most = KEDA_MOST
    key = (str(target.get("kind") or "Deployment"), namespace, str(target.get("name") or name))
    known_low, known_most, known_name = objects.autoscalers.get(key, (low, most, name))
    objects.autoscalers[key] = (max(low, known_low), most if known_most is None else known_most, known_name)


def _take_policy(objects: SeenObjects, kind: str, value: Mapping[str, Any]) -> None:
    """A SecurityGroupPolicy: it is in the plan if it selects workloads by their labels, which is known at the end."""
    objects.policies[_named(value)] = mapping(value.get("spec"))
    objects.said.meet(kind, "/".join(_named(value)))


def _take_service(objects: SeenObjects, _: str, value: Mapping[str, Any]) -> None:
    objects.services.take_service(*_named(value), value)


def _take_ingress(objects: SeenObjects, kind: str, value: Mapping[str, Any]) -> None:
    if not objects.services.take_ingress(*_named(value), value):
        objects.skipped[f"{kind} of another controller"] += 1


def _take_pod(objects: SeenObjects, _: str, value: Mapping[str, Any]) -> None:
    """Count a live pod under its owner; only the first pod of an owner is read in detail."""
    status = mapping(value.get("status"))
    if status.get("phase") in ("Succeeded", "Failed"):
        return
    metadata, spec = mapping(value.get("metadata")), mapping(value.get("spec"))
    key = pod_owner(metadata)
    if objects.counted is not None:
        known = str(metadata.get("uid") or f"{key[1]}/{metadata.get('name')}")
        if known in objects.counted:
            return
        objects.counted.add(known)
    pods = objects.pods.get(key)
    if pods is None:
        pods = objects.pods[key] = OwnedPods(facts=template_facts(value))
        objects.services.labels.setdefault(key, mapping(metadata.get("labels")))
        if key[0] == "DaemonSet" and key[2] == "aws-node" and not objects.env:
            _take_cni(objects, spec)
    pods.count += 1
    node = spec.get("nodeName")
    if "eks.amazonaws.com/fargate-profile" in mapping(metadata.get("labels")) or str(node).startswith("fargate-"):
        pods.fargate += 1
    elif isinstance(node, str):
        pods.nodes[node] += 1
    if "vpc.amazonaws.com/pod-eni" in mapping(metadata.get("annotations")):
        pods.branch = True
    if not objects.ipv6 and ":" in str(status.get("podIP")):
        objects.ipv6 = True


_TAKERS: dict[str, Callable[[SeenObjects, str, Mapping[str, Any]], None]] = {
    **dict.fromkeys(CONTROLLERS, _take_controller),
    "Node": _take_node,
    "Pod": _take_pod,
    "DaemonSet": _take_daemon_set,
    "Job": _take_job,
    "CronJob": _take_cron_job,
    "HorizontalPodAutoscaler": _take_autoscaler,
    "ScaledObject": _take_autoscaler,
    "ScaledJob": _take_scaled_job,
    "ENIConfig": lambda seen, _, value: seen.eniconfigs.update(eniconfig_subnet(value, seen.said)),
    "SecurityGroupPolicy": _take_policy,
    "StorageClass": lambda seen, _, value: seen.storage.update(storage_class(value)),
    "ConfigMap": _take_config_map,
    "Service": _take_service,
    "Ingress": _take_ingress,
    "EndpointSlice": lambda seen, _, value: seen.services.take_slice(value),
    "Endpoints": lambda seen, _, value: seen.services.take_endpoints(*_named(value), value),
}
