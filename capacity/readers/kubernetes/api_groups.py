"""Tell Kubernetes objects from custom resources: the same kind can be in several API groups.

A Node of Longhorn is no node, a Service of Knative no Service, and a Job of Volcano has its pods elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from capacity.readers.accounting import why_it_matters
from capacity.readers.values import int_of, mapping

_GROUPS = {  # of the kinds that other groups have too, with another meaning
    "Node": ("",),
    "Pod": ("",),
    "Service": ("",),
    "Endpoints": ("",),
    "ConfigMap": ("",),
    "Job": ("batch",),
    "CronJob": ("batch",),
    "Ingress": ("networking.k8s.io", "extensions"),
    "StorageClass": ("storage.k8s.io",),
    "HorizontalPodAutoscaler": ("autoscaling",),
    "EndpointSlice": ("discovery.k8s.io",),
}
_COUNTS = ("replicas", "instances", "replicaCount", "parallelism")
_DEPTH = 4  # levels of a custom resource that are searched


def group_of(value: Mapping[str, Any]) -> str | None:
    """API group of an object: empty for the core group, None if the object does not have its version.

    >>> group_of({"apiVersion": "apps/v1"}), group_of({"apiVersion": "v1"})
    ('apps', '')
    """
    version = value.get("apiVersion")
    return version.rpartition("/")[0] if isinstance(version, str) else None


def is_kind_of_kubernetes(kind: str, value: Mapping[str, Any]) -> bool:
    """Whether an object is of the kind that Kubernetes itself has under this name, and no custom resource.

    >>> is_kind_of_kubernetes("Node", {"apiVersion": "longhorn.io/v1beta2"})
    False
    """
    group = group_of(value)
    return group is None or "." not in group or kind not in _GROUPS or group in _GROUPS[kind]


def kind_with_group(kind: str, value: Mapping[str, Any]) -> str:
    """Kind of a custom resource for the account: with its group if it makes nodes or runs pods.

    >>> kind_with_group("Prometheus", {"apiVersion": "monitoring.coreos.com/v1", "spec": {"replicas": 2}})
    'Prometheus of monitoring.coreos.com'
    """
    group = group_of(value) or ""
    named = f"{kind} of {group}"
    if "." not in group or why_it_matters(kind) or (group.endswith(".k8s.io") and "x-k8s.io" not in group):
        return kind
    if _makes_nodes(named) or kind in ("Job", "CronJob") or _runs_pods(value.get("spec"), _DEPTH):
        return named
    return f"{kind} ({group})" if kind in _GROUPS else kind


def _makes_nodes(named: str) -> bool:
    return why_it_matters(named) not in (None, why_it_matters("Pod of example.com"))


def _runs_pods(value: object, depth: int) -> bool:
    here = mapping(value)
    if any(int_of(here.get(key)) for key in _COUNTS) or isinstance(here.get("containers"), list):
        return True
    return depth > 0 and any(_runs_pods(inner, depth - 1) for inner in here.values() if isinstance(inner, dict))
