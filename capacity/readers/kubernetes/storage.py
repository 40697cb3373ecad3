"""Volumes that each pod claims for itself, and which of them are EBS volumes, which a node can attach a few of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from capacity.readers.values import items, mapping, path_of, text_of

EBS = ("ebs.csi.aws.com", "ebs.csi.eks.amazonaws.com", "kubernetes.io/aws-ebs")  # provisioners
DEFAULT_CLASS = ""  # of a claim without a class
_IS_DEFAULT = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")


def claims_of(spec: Mapping[str, Any], templates: object = None) -> tuple[str, ...]:
    """Storage classes of the volumes that each pod has for itself.

    They are generic ephemeral volumes of its spec, and the ``volumeClaimTemplates`` of a StatefulSet. A claim that pods
    share by name is not one of them.

    >>> claims_of({}, [{"spec": {"storageClassName": "gp3"}}, {"spec": {}}])
    ('gp3', '')
    """
    own = [path_of(v, "ephemeral", "volumeClaimTemplate") for v in items(spec.get("volumes"))]
    claims = [*(c for c in own if isinstance(c, dict)), *items(templates)]
    return tuple(text_of(path_of(c, "spec", "storageClassName")) or DEFAULT_CLASS for c in claims)


def storage_class(value: Mapping[str, Any]) -> dict[str, str]:
    """Provisioner of a StorageClass by its name, and by :data:`DEFAULT_CLASS` if it is the default."""
    name, provisioner = text_of(path_of(value, "metadata", "name")), text_of(value.get("provisioner"))
    if not name or not provisioner:
        return {}
    annotations = mapping(path_of(value, "metadata", "annotations"))
    is_default = any(str(annotations.get(key)) == "true" for key in _IS_DEFAULT)
    return {name: provisioner, **({DEFAULT_CLASS: provisioner} if is_default else {})}


def ebs_volumes(claims: Iterable[str], classes: Mapping[str, str]) -> tuple[int, list[str]]:
    """Number of claims of EBS volumes, and the storage classes whose provisioner is not known.

    >>> ebs_volumes(["gp3", "efs", "own"], {"gp3": "ebs.csi.aws.com", "efs": "efs.csi.aws.com"})
    (1, ['own'])
    """
    wanted = list(claims)
    unknown = [c for c in wanted if c not in classes]
    return sum(classes.get(c) in EBS for c in wanted), [c or "the default class" for c in dict.fromkeys(unknown)]
