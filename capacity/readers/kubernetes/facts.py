"""Facts for the doctor from `kubectl get … -o json`: max pods of kubelets, pods per node, aws-node, CoreDNS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from capacity.errors import SpecError
from capacity.readers.kubernetes.stream import stream_file
from capacity.readers.values import Item, count, objects, section, text

_GONE = ("Succeeded", "Failed")


@dataclass(frozen=True)
class KubernetesFacts:
    """Facts from Kubernetes; None or empty if they were not read.

    Attributes
    ----------
    max_pods : mapping of str to int
        Allocatable pods by instance identifier. [pods]
    names : mapping of str to str
        Node names by instance identifier.
    vpc_pods, host_pods : mapping of str to int
        Pods by node name: with an address of the node's ENIs, and without one (on the host network, or with a branch
        ENI of their own). [pods]
    """

    max_pods: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    vpc_pods: Mapping[str, int] | None = None
    host_pods: Mapping[str, int] = field(default_factory=dict)
    cni_env: Mapping[str, str] | None = None
    cni_version: str | None = None
    dns_replicas: int | None = None
    dns_ready: int | None = None


def parse_kubernetes(entries: Iterable[tuple[str, Item]]) -> KubernetesFacts:
    """Collect facts from kinds and objects one by one; only counts of pods are kept."""
    max_pods: dict[str, int] = {}
    names: dict[str, str] = {}
    vpc: Counter[str] = Counter()
    host: Counter[str] = Counter()
    pods_seen = False
    env = version = None
    replicas = ready = None
    for kind, item in entries:
        name = text(section(item, "metadata"), "name")
        spec, status = section(item, "spec"), section(item, "status")
        if kind == "Node":
            instance = text(spec, "providerID").rsplit("/", 1)[-1]
            pods = count(section(status, "allocatable"), "pods")
            if instance.startswith("i-"):
                names[instance] = name
                if pods is not None:
                    max_pods[instance] = pods
        elif kind == "Pod":
            pods_seen = True
            if text(status, "phase") in _GONE or not text(spec, "nodeName"):
                continue
            (host if needs_no_address(spec) else vpc)[text(spec, "nodeName")] += 1
        elif kind == "DaemonSet" and name == "aws-node":
            env, version = _aws_node(spec)
        elif kind == "Deployment" and name == "coredns":
            replicas = count(spec, "replicas")
            ready = count(status, "readyReplicas") or 0
            replicas = 1 if replicas is None else replicas
    return KubernetesFacts(max_pods, names, vpc if pods_seen else None, host, env, version, replicas, ready)


def streamed(path: str) -> Iterator[tuple[str, Item]]:
    """Stream kinds and objects of a file of any size, ``-`` for standard input.

    Raises
    ------
    SpecError
        Not what ``kubectl`` prints.
    """
    for kind, item in stream_file(path):
        if not isinstance(item, dict):
            continue  # a wrong kind is ignored, as in an import
        own = text(item, "kind") or kind.removesuffix("List")
        if not own:
            raise SpecError(
                f"{path}: not what kubectl prints (kubectl get nodes,pods,daemonsets,deployments -A -o json)"
            )
        yield own, item


def each(documents: Iterable[Item], kind: str = "") -> Iterator[tuple[str, Item]]:
    """Kind and object of each item; items of a typed list get their kind from it."""
    for document in documents:
        own = text(document, "kind") or kind
        if own.endswith("List") and isinstance(document.get("items"), list):
            yield from each(objects(document, "items"), own.removesuffix("List"))
        else:
            yield own, document


BRANCH_ENI = "vpc.amazonaws.com/pod-eni"  # resource; aws/amazon-vpc-resource-controller-k8s pkg/config/type.go


def needs_no_address(pod: Item) -> bool:
    """Whether a pod uses no address of the node's ENIs."""
    if pod.get("hostNetwork") is True:
        return True
    resources = (section(c, "resources") for c in objects(pod, "containers"))
    return any(BRANCH_ENI in section(r, kind) for r in resources for kind in ("requests", "limits"))


def _aws_node(spec: Item) -> tuple[dict[str, str] | None, str | None]:
    """Read environment and version of the aws-node container."""
    pod = section(section(spec, "template"), "spec")
    for container in objects(pod, "containers"):
        if text(container, "name") == "aws-node":
            env = {
                text(e, "name"): text(e, "value") for e in objects(container, "env") if isinstance(e.get("value"), str)
            }
            tag = text(container, "image").rpartition(":")[2]
            return env, tag or None
    return None, None
