"""Read Kubernetes objects that Terraform applies: manifests, resources of the kubernetes provider, Helm releases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from capacity.errors import SpecError
from capacity.readers.applied import with_applied
from capacity.readers.cni_addon import is_cni_chart
from capacity.readers.decode import parse_documents
from capacity.readers.detect import list_items
from capacity.readers.draft import PlanDraft
from capacity.readers.terraform.source_blocks import blocks_of
from capacity.readers.values import items, mapping, text_of

if TYPE_CHECKING:
    from capacity.readers.terraform.resource import Resource, Stack

MANIFESTS = ("kubectl_manifest", "kubernetes_manifest", "k8s_manifest")
_KINDS = {
    "deployment": "Deployment",
    "stateful_set": "StatefulSet",
    "daemonset": "DaemonSet",
    "daemon_set": "DaemonSet",
    "replication_controller": "ReplicationController",
    "pod": "Pod",
    "job": "Job",
    "cron_job": "CronJob",
    "horizontal_pod_autoscaler": "HorizontalPodAutoscaler",
    "service": "Service",
    "ingress": "Ingress",
}
_LISTS = {
    "container": "containers",
    "init_container": "initContainers",
    "toleration": "tolerations",
    "topology_spread_constraint": "topologySpreadConstraints",
    "match_expressions": "matchExpressions",
    "node_selector_term": "nodeSelectorTerms",
    "env": "env",
}
_TEXT_MAPS = frozenset(("labels", "annotations", "node_selector", "requests", "limits", "match_labels", "overhead"))


def with_manifests(stack: Stack, draft: PlanDraft) -> PlanDraft:
    """Add what the manifests of a file contain to a draft."""
    documents = []
    for resource, document in _documents(stack):
        stack.said.use(resource.type, resource.address)
        documents.append(document)
    return with_applied(draft, documents, stack.said.file, stack.ids)


def _documents(stack: Stack) -> Iterator[tuple[Resource, Any]]:
    """Objects of the manifests, and of the resources of the kubernetes provider."""
    for resource in stack.resources:
        if not resource.managed:
            continue
        if resource.type in MANIFESTS:
            body = resource.text("yaml_body") or resource.value("manifest")
            for document in _decoded(stack, resource, body):
                yield resource, document
        elif resource.type.startswith("kubernetes_"):
            document = kubernetes_object(resource.type, resource.values)
            if document is not None:
                yield resource, document


def _decoded(stack: Stack, resource: Resource, body: object) -> list[Any]:
    """Documents of a manifest; one that is not known or cannot be read stays unread in the account."""
    if isinstance(body, dict):
        return list_items(body)
    if not isinstance(body, str) or not body.strip():
        return []
    try:
        return [inner for d in parse_documents(body, resource.address) for inner in list_items(d)]
    except SpecError:
        stack.said.use(resource.type, resource.address)
        stack.said.leave_out(resource.address, "its manifest cannot be read: ignored")
        return []


# --- resources of the kubernetes provider -----------------------------------------------------


def kubernetes_object(kind: str, values: object) -> dict[str, Any] | None:
    """Object that a resource of the kubernetes provider creates; None if the kind runs no pods.

    >>> kubernetes_object("kubernetes_pod_v1", {"metadata": [{"name": "a"}], "spec": [{"node_name": "n"}]})["spec"]
    {'nodeName': 'n'}
    """
    name = re.sub(r"_v[0-9]+(?:beta[0-9]+)?$", "", kind.removeprefix("kubernetes_"))
    if name not in _KINDS:
        return None
    body = mapping(values)
    return {
        "apiVersion": "v1",
        "kind": _KINDS[name],
        "metadata": _one(body.get("metadata")),
        "spec": _one(body.get("spec")),
    }


def _one(value: object) -> Any:
    blocks = blocks_of(value)
    return _object(blocks[0]) if blocks else {}


def _object(block: object) -> Any:
    """Fields of a block in the spelling of the API: single blocks become objects, lists of blocks lists."""
    made: dict[str, Any] = {}
    for key, value in mapping(block).items():
        if value is None or value == []:
            continue
        name = _LISTS.get(key) or _camel(key)
        if key in _TEXT_MAPS:
            made[name] = value if isinstance(value, dict) else next(iter(items(value)), None)
        elif key in ("pod_affinity", "pod_anti_affinity"):
            rules = mapping(next(iter(blocks_of(value)), None))
            made[name] = {_camel(k): [_object(b) for b in blocks_of(v)] for k, v in rules.items() if v}
        elif key in _LISTS:
            made[name] = [_object(b) if isinstance(b, dict) else b for b in blocks_of(value)]
        elif isinstance(value, dict):
            made[name] = _object(value)
        elif isinstance(value, list) and isinstance(value[0], dict):
            made[name] = _object(value[0]) if len(value) == 1 else [_object(b) for b in value]
        else:
            made[name] = value
    return made


def _camel(key: str) -> str:
    head, *rest = key.split("_")
    return head + "".join(part.capitalize() for part in rest)


# --- Helm releases ----------------------------------------------------------------------------


def is_cni_release(resource: Resource) -> bool:
    """Whether a Helm release is of the chart aws-vpc-cni."""
    return is_cni_chart(str(resource.value("chart")))


def release_values(resource: Resource) -> list[Any]:
    """Values of a Helm release, later ones override: the documents of ``values``, then the ``set`` blocks."""
    found: list[Any] = list(items(resource.value("values")))
    for block in (mapping(b) for b in blocks_of(resource.value("set"))):
        name = text_of(block.get("name"))
        if name and block.get("value") is not None:
            keys = [k.replace("\\.", ".") for k in re.split(r"(?<!\\)\.", name)]
            value: Any = str(block["value"])
            for key in reversed(keys):
                value = {key: value}
            found.append(value)
    return found
