"""Read Kubernetes objects that another tool applies, such as the manifests in Terraform or of the CDK."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from capacity.readers.detect import detect
from capacity.readers.draft import PlanDraft, SourceNotes
from capacity.readers.karpenter import parse_karpenter
from capacity.readers.merge import merge
from capacity.readers.values import mapping, path_of, text_of


def with_applied(draft: PlanDraft, documents: Sequence[Any], file: str, planned: Mapping[str, str]) -> PlanDraft:
    """Add decoded objects to a draft; ``planned`` has the names of its subnets by the IDs that ENIConfigs have."""
    pools: list[Any] = []
    objects: list[Any] = []
    pod_subnets: list[str] = []
    for document in documents:
        subnet = _planned_subnet(document, planned)
        if detect(document)[0] == "karpenter":
            pools.append(document)
        elif subnet is not None:
            pod_subnets.append(subnet)
        else:
            objects.append(document)
    draft = replace(draft, pod_subnets=tuple(dict.fromkeys((*draft.pod_subnets, *pod_subnets))))
    if objects:
        from capacity.readers.kubernetes.kubectl import draft_of_objects

        draft = merge(draft, draft_of_objects(objects, SourceNotes(file)))
    return merge(draft, replace(parse_karpenter(pools, file), source="")) if pools else draft


def _planned_subnet(document: Any, planned: Mapping[str, str]) -> str | None:
    """Name of an ENIConfig's subnet, if the subnet is in the same file."""
    if mapping(document).get("kind") != "ENIConfig":
        return None
    return planned.get(text_of(path_of(document, "spec", "subnet")) or "")
