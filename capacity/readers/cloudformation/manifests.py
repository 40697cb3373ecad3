"""Read Kubernetes objects that the CDK applies: the custom resource of ``cluster.add_manifest``."""

from __future__ import annotations

from typing import Any

from capacity.errors import SpecError
from capacity.readers.applied import with_applied
from capacity.readers.cloudformation.holders import with_made_up_ids
from capacity.readers.cloudformation.parsed_template import ParsedTemplate, known_text
from capacity.readers.decode import parse_documents
from capacity.readers.detect import list_items
from capacity.readers.draft import PlanDraft
from capacity.readers.values import mapping

MANIFEST = "Custom::AWSCDK-EKS-KubernetesResource"  # aws/aws-cdk packages/aws-cdk-lib/aws-eks/lib/k8s-manifest.ts


def with_manifests(parsed: ParsedTemplate, draft: PlanDraft) -> PlanDraft:
    """Add the objects of the templates' manifests; one that cannot be read stays unread in the account."""
    documents: list[Any] = []
    planned: dict[str, str] = {}
    for name, properties in parsed.of(MANIFEST):
        text, names = with_made_up_ids(parsed, properties.get("Manifest"), len(planned))
        try:
            found = parse_documents(text if isinstance(text, str) else known_text(text), name)
        except SpecError:
            continue
        if not found:
            continue
        parsed.said.use(MANIFEST, name)
        planned |= names
        objects = [inner for document in found for inner in list_items(document)]
        documents += [o for o in objects if not _is_aws_auth(o)]
    return with_applied(draft, documents, parsed.said.file, planned)


def _is_aws_auth(document: Any) -> bool:
    """If the object is the ConfigMap of IAM roles, which the CDK writes for every cluster."""
    found = mapping(document)
    return found.get("kind") == "ConfigMap" and mapping(found.get("metadata")).get("name") == "aws-auth"
