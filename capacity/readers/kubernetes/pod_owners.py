"""Find the owner that a pod is counted at, through ReplicaSets and Jobs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from capacity.readers.values import items, mapping

if TYPE_CHECKING:
    from capacity.readers.kubernetes.objects import OwnedPods, SeenObjects

Key = tuple[str, str, str]  # kind, namespace, name

_HASH = re.compile(r"-[0-9a-z]{8,10}$")  # of a pod template, at the end of the name of a ReplicaSet
_MINUTE = re.compile(r"-[0-9]{8,10}$")  # of the schedule, at the end of the name of a CronJob's Job


def owner_of(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Controller among the owners of an object, else the first owner."""
    return _controller(mapping(value.get("metadata")))


def _controller(metadata: Mapping[str, Any]) -> Mapping[str, Any] | None:
    owners = items(metadata.get("ownerReferences"))
    if not owners:
        return None
    return mapping(next((o for o in owners if mapping(o).get("controller") in (True, "true")), owners[0]))


def key_of(owner: Mapping[str, Any], namespace: str) -> Key:
    """Key of an owner, which is in the namespace of what it owns."""
    return (str(owner.get("kind") or ""), namespace, str(owner.get("name") or ""))


def pod_owner(metadata: Mapping[str, Any]) -> Key:
    """Direct owner of a pod; its own name if it has none."""
    namespace = str(metadata.get("namespace") or "default")
    owner = _controller(metadata)
    annotations = mapping(metadata.get("annotations"))
    if "kubernetes.io/config.mirror" in annotations:
        return ("Node", namespace, "static")
    if owner is None:
        if annotations.get("kubernetes.io/config.source") == "file":
            return ("Node", namespace, "static")
        stem = metadata.get("generateName")
        return ("Pod", namespace, str(stem).rstrip("-") if stem else str(metadata.get("name") or "unnamed"))
    kind, name = str(owner.get("kind") or ""), str(owner.get("name") or "")
    labels = mapping(metadata.get("labels"))
    if kind == "ReplicaSet":
        stamp = labels.get("pod-template-hash") or labels.get("rollouts-pod-template-hash")
        return ("ReplicaSet" if stamp or _HASH.search(name) else "OwnReplicaSet", namespace, name)
    return (kind, namespace, name)


def with_top_owners(objects: SeenObjects) -> None:
    """Count pods at the owner of their ReplicaSet or Job, which is a Deployment, Rollout, CronJob or another object.

    The owner is that of the object in the input. If the object is not in the input, its name tells the owner's name,
    and the kind is that of a controller or autoscaler with this name.
    """
    moved: dict[Key, OwnedPods] = {}
    for key, controller in objects.below.items():
        objects.controllers.setdefault(key, controller)
    for key, pods in objects.pods.items():
        top = _top_owner(objects, key)
        if key in objects.services.labels:
            objects.services.labels.setdefault(top, objects.services.labels[key])
        known = moved.get(top)
        if known is None:
            moved[top] = pods
        else:
            known.add(pods)
    objects.pods = moved


def _top_owner(objects: SeenObjects, key: Key) -> Key:
    kind, namespace, name = key
    if kind == "OwnReplicaSet":
        kind = "ReplicaSet"
    for _ in range(5):
        above = objects.owners.get((kind, namespace, name))
        if above is None:
            break
        kind, namespace, name = above
        key = above
    stem = name.rpartition("-")[0]
    if (kind, namespace, name) in objects.controllers or not stem:
        return (kind, namespace, name)
    if kind == "ReplicaSet" and key[0] != "OwnReplicaSet":
        return _named_like(objects, ("Deployment", "Rollout"), namespace, stem)
    if kind == "Job" and _MINUTE.search(name):
        return ("CronJob", namespace, stem)
    return (kind, namespace, name)


def _named_like(objects: SeenObjects, kinds: tuple[str, ...], namespace: str, name: str) -> Key:
    """Controller or autoscaler's target of one of the kinds with this name; the first kind if there is none."""
    known = [k for k in kinds if (k, namespace, name) in objects.controllers]
    known += [k[0] for k in objects.autoscalers if k[1:] == (namespace, name)]
    return (known[0] if known else kinds[0], namespace, name)
