"""Read the rules that keep the pods of a workload apart: spread over zones, and at most one on a node.

The scheduler counts the pods that a rule's label selector selects; a rule counts here if it selects the pod itself.
Pods with a port of the node cannot be on one node either.
Source: kubernetes/website concepts/scheduling-eviction, topology-spread-constraints.md and assign-pod-node.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from capacity.plan.constants import ANTI_AFFINITIES, ZONE_TOPOLOGY
from capacity.readers.values import int_of, items, mapping, path_of

HOST = "kubernetes.io/hostname"


@dataclass(frozen=True, slots=True)
class Apart:
    """Rules of one pod; ``others`` are required rules that a plan does not have."""

    zone_skew: int | None = None
    anti_affinity: str | None = None
    others: tuple[str, ...] = ()


def apart_of(spec: Mapping[str, Any], labels: Mapping[str, Any]) -> Apart:
    """Rules of a pod spec with the labels of its pods.

    >>> rule = {"topologyKey": ZONE_TOPOLOGY, "maxSkew": 2, "labelSelector": {"matchLabels": {"app": "web"}}}
    >>> apart_of({"topologySpreadConstraints": [rule]}, {"app": "web"}).zone_skew
    2
    """
    skews: list[int] = []
    others: list[str] = []
    one_per_node = _has_host_port(spec)
    for rule in (mapping(r) for r in items(spec.get("topologySpreadConstraints"))):
        if rule.get("whenUnsatisfiable", "DoNotSchedule") != "DoNotSchedule" or not _selects(rule, labels):
            continue
        if rule.get("topologyKey") == ZONE_TOPOLOGY:
            skews.append(int_of(rule.get("maxSkew"), 1) or 1)
        else:
            others.append(f"topologySpreadConstraints over {rule.get('topologyKey')}")
    for kind, key, selects in _required(spec, labels):
        if kind == "podAntiAffinity" and key == HOST and selects:
            one_per_node = True
        else:
            others.append(f"{kind} over {key}")
    return Apart(min(skews, default=None), ANTI_AFFINITIES[0] if one_per_node else None, tuple(dict.fromkeys(others)))


def _has_host_port(spec: Mapping[str, Any]) -> bool:
    """Whether the pod takes a port of its node; with ``hostNetwork`` the API server makes every port one.

    Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/nodeports; pkg/apis/core/v1/defaults.go
    defaultHostNetworkPorts.
    """
    sidecars = [c for c in map(mapping, items(spec.get("initContainers"))) if c.get("restartPolicy") == "Always"]
    containers = [*map(mapping, items(spec.get("containers"))), *sidecars]
    ports = [mapping(p) for c in containers for p in items(c.get("ports"))]
    return any(int_of(p.get("hostPort"), 1) or spec.get("hostNetwork") is True for p in ports)


def _required(spec: Mapping[str, Any], labels: Mapping[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """Required affinities to pods: kind, topology key, and whether the pod itself is selected."""
    for kind in ("podAffinity", "podAntiAffinity"):
        terms = items(path_of(spec, "affinity", kind, "requiredDuringSchedulingIgnoredDuringExecution"))
        for term in map(mapping, terms):
            yield kind, term.get("topologyKey"), _selects(term, labels)


def _selects(rule: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    return selects(rule.get("labelSelector"), labels)


def selects(selector: object, labels: Mapping[str, Any]) -> bool:
    """Whether a label selector selects a pod; none selects no pod, an empty one every pod.

    >>> selects({"matchLabels": {"app": "web"}}, {"app": "web", "tier": "1"}), selects(None, {})
    (True, False)
    """
    if not isinstance(selector, dict):
        return False
    if any(str(labels.get(k)) != str(v) for k, v in mapping(selector.get("matchLabels")).items()):
        return False
    return all(_expression(mapping(e), labels) for e in items(selector.get("matchExpressions")))


def _expression(expression: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    key, operator = str(expression.get("key")), expression.get("operator")
    there, values = key in labels, [str(v) for v in items(expression.get("values"))]
    if operator == "Exists":
        return there
    if operator == "DoesNotExist":
        return not there
    inside = there and str(labels[key]) in values
    return inside if operator == "In" else operator == "NotIn" and not inside
