"""Scheduling of one pod: its requests, and the node groups on which it can run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from capacity.errors import SpecError
from capacity.readers.kubernetes.spreading import Apart, apart_of
from capacity.readers.kubernetes.storage import claims_of
from capacity.readers.values import int_of, items, mapping, path_of
from capacity.units import parse_cpu, parse_memory

Requests = tuple[int | None, int | None]  # millicores, bytes
GPU = "nvidia.com/gpu"
_OF_NODES = ("cpu", "memory", GPU, "vpc.amazonaws.com/pod-eni", "ephemeral-storage")  # in a plan, or not of a type
MOST_BYTES = 2**50  # more than any node has: an error, not a request


@dataclass(frozen=True, slots=True)
class PodFacts:
    """Facts of a pod template or a pod that a plan needs.

    ``devices`` are requested resources that a plan does not have, ``claims`` the storage classes of the pod's own
    volumes.
    """

    cpu_millicores: int | None
    memory_bytes: int | None
    host_network: bool
    branch_eni: bool
    selector: tuple[tuple[str, str], ...]
    affinity: tuple[tuple[tuple[str, str, tuple[str, ...]], ...], ...]
    tolerations: tuple[tuple[str, str, str, str], ...]
    apart: Apart
    gpus: int = 0
    devices: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()


def template_facts(template: object, claim_templates: object = None) -> PodFacts:
    """Read the facts of a pod template, or of a pod."""
    spec = mapping(mapping(template).get("spec"))
    return pod_facts(spec, mapping(path_of(template, "metadata", "labels")), claim_templates)


def pod_facts(
    spec: Mapping[str, Any], labels: Mapping[str, Any] | None = None, claim_templates: object = None
) -> PodFacts:
    """Read the facts of a pod spec, of the labels of its pods, and of a StatefulSet's ``volumeClaimTemplates``."""
    cpu, memory = pod_requests(spec)
    return PodFacts(
        cpu_millicores=cpu,
        memory_bytes=memory,
        host_network=spec.get("hostNetwork") in (True, "true"),
        branch_eni=any(_asks_branch_eni(c) for c in items(spec.get("containers"))),
        selector=tuple(sorted((str(k), str(v)) for k, v in mapping(spec.get("nodeSelector")).items())),
        affinity=_required_affinity(spec),
        tolerations=tuple(_toleration(mapping(t)) for t in items(spec.get("tolerations"))),
        apart=apart_of(spec, labels or {}),
        gpus=_requested(spec, GPU, _whole) or 0,
        devices=_devices(spec),
        claims=claims_of(spec, claim_templates),
        labels=tuple(sorted((str(k), str(v)) for k, v in (labels or {}).items())),
    )


def _whole(text: object) -> int:
    return int_of(text) or 0


def _devices(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Other resources of the containers: extended resources and huge pages."""
    resources = [mapping(mapping(c).get("resources")) for c in items(spec.get("containers"))]
    named = (str(name) for r in resources for key in ("requests", "limits") for name in mapping(r.get(key)))
    return tuple(dict.fromkeys(name for name in named if name not in _OF_NODES))


# --- requests -------------------------------------------------------------------------------


def pod_requests(spec: Mapping[str, Any]) -> Requests:
    """Resources that the scheduler reserves for a pod. [millicores], [bytes]

    The larger of (a) all containers and sidecars together and (b) each init container with the sidecars started
    before it, plus the pod's overhead; requests of the pod as a whole replace both. None if nothing is
    requested. A limit without a request is a request, as the API server makes it.

    Source: kubernetes/kubernetes, staging/src/k8s.io/component-helpers/resource/helpers.go PodRequests.
    """
    return (_requested(spec, "cpu", parse_cpu), _requested(spec, "memory", parse_memory))


def _requested(spec: Mapping[str, Any], resource: str, parse: Callable[[object], int]) -> int | None:
    stated = False
    total = 0
    for container in items(spec.get("containers")):
        amount = _amount(container, resource, parse)
        stated = stated or amount is not None
        total += amount or 0
    sidecars = most = 0
    for container in items(spec.get("initContainers")):
        amount = _amount(container, resource, parse)
        stated = stated or amount is not None
        if mapping(container).get("restartPolicy") == "Always":
            sidecars += amount or 0
        most = max(most, sidecars + (0 if mapping(container).get("restartPolicy") == "Always" else amount or 0))
    whole = _quantity(path_of(spec, "resources", "requests", resource), parse)
    overhead = _quantity(path_of(spec, "overhead", resource), parse)
    if whole is not None:
        return whole + (overhead or 0)
    return max(total + sidecars, most) + (overhead or 0) if stated or overhead is not None else None


def _amount(container: object, resource: str, parse: Callable[[object], int]) -> int | None:
    asked = _quantity(path_of(container, "resources", "requests", resource), parse)
    return asked if asked is not None else _quantity(path_of(container, "resources", "limits", resource), parse)


def _quantity(text: object, parse: Callable[[object], int]) -> int | None:
    if text is None:
        return None
    try:
        amount = parse(text)
    except SpecError:
        return None
    return amount if amount <= MOST_BYTES else None


def _asks_branch_eni(container: object) -> bool:
    resources = mapping(mapping(container).get("resources"))
    return any("vpc.amazonaws.com/pod-eni" in mapping(resources.get(k)) for k in ("requests", "limits"))


# --- where a pod can run --------------------------------------------------------------------


def _required_affinity(spec: Mapping[str, Any]) -> tuple[tuple[tuple[str, str, tuple[str, ...]], ...], ...]:
    rule = path_of(spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    terms = items(mapping(rule).get("nodeSelectorTerms"))
    return tuple(
        tuple(
            (str(e.get("key") or ""), str(e.get("operator") or ""), tuple(map(str, items(e.get("values")))))
            for e in map(mapping, items(mapping(term).get("matchExpressions")))
        )
        for term in terms
    )


def _toleration(raw: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return (
        str(raw.get("key") or ""),
        str(raw.get("operator") or "Equal"),
        str(raw.get("value") or ""),
        str(raw.get("effect") or ""),
    )


@dataclass(frozen=True)
class GroupLabels:
    """Labels of a group's nodes (all values seen), and the taints all of them have."""

    name: str
    labels: Mapping[str, frozenset[str]]
    taints: tuple[tuple[str, str, str], ...]


def groups_for(pod: PodFacts, groups: Iterable[GroupLabels]) -> list[str]:
    """Names of the groups whose nodes can run the pod: labels, required affinity and taints."""
    return [g.name for g in groups if _fits(pod, g)]


def _fits(pod: PodFacts, group: GroupLabels) -> bool:
    if any(value not in group.labels.get(key, ()) for key, value in pod.selector):
        return False
    if pod.affinity and not any(all(_expression(e, group) for e in term) for term in pod.affinity):
        return False
    return all(_tolerated(taint, pod.tolerations) for taint in group.taints if taint[2] != "PreferNoSchedule")


def _expression(expression: tuple[str, str, tuple[str, ...]], group: GroupLabels) -> bool:
    key, operator, values = expression
    there = group.labels.get(key, frozenset())
    if operator == "In":
        return bool(there & set(values))
    if operator == "NotIn":
        return not there or bool(there - set(values))
    if operator == "Exists":
        return bool(there)
    if operator == "DoesNotExist":
        return not there
    if operator in ("Gt", "Lt") and values:
        return any(_beyond(v, values[0], operator) for v in there)
    return True


def _beyond(label: str, bound: str, operator: str) -> bool:
    try:
        return int(label) > int(bound) if operator == "Gt" else int(label) < int(bound)
    except ValueError:
        return False


def _tolerated(taint: tuple[str, str, str], tolerations: tuple[tuple[str, str, str, str], ...]) -> bool:
    key, value, effect = taint
    for name, operator, wanted, for_effect in tolerations:
        if for_effect and for_effect != effect:
            continue
        if operator == "Exists" and name in ("", key):
            return True
        if operator != "Exists" and name == key and wanted == value:
            return True
    return False
