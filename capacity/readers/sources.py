"""Sources of an import: the module that reads each, and the error for a file of another kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from capacity.errors import SpecError
from capacity.readers.decode import Loaded, read_documents
from capacity.readers.detect import WANTED, detect, list_items, refuse
from capacity.readers.draft import PlanDraft
from capacity.readers.merge import merge_all

Reader = Callable[[Sequence[str]], PlanDraft]


@dataclass(frozen=True)
class FileSource:
    """Kind of file: the module with ``read(paths) -> PlanDraft``, and a line of help."""

    name: str
    module: str
    help: str
    example: str


FILE_SOURCES = {
    s.name: s
    for s in (
        FileSource(
            "kubectl",
            "capacity.readers.kubernetes.kubectl",
            "Kubernetes objects: nodes, pods, workloads, HPAs, aws-node, ENIConfigs (JSON or YAML).",
            "kubectl get nodes,pods,daemonsets,deployments,statefulsets,hpa -A -o json | capacity import kubectl -",
        ),
        FileSource(
            "terraform",
            "capacity.readers.terraform.source",
            "Terraform: `terraform show -json` of a plan or state, a state file, or .tf text (less complete).",
            "terraform show -json tfplan | capacity import terraform -",
        ),
        FileSource(
            "eksctl",
            "capacity.readers.eksctl.cluster_config",
            "An eksctl ClusterConfig, with the defaults of eksctl.",
            "capacity import eksctl cluster.yaml --out-file capacity.yaml",
        ),
        FileSource(
            "cloudformation",
            "capacity.readers.cloudformation.template",
            "A CloudFormation template, YAML or JSON; functions are resolved if the template allows.",
            "capacity import cloudformation template.yaml",
        ),
        FileSource(
            "karpenter",
            "capacity.readers.karpenter",
            "Karpenter NodePools and EC2NodeClasses (or the older Provisioner).",
            "capacity import karpenter nodepools.yaml --into capacity.yaml",
        ),
        FileSource(
            "helm",
            "capacity.readers.helm",
            "Helm values of the aws-vpc-cni chart.",
            "capacity import helm values.yaml --into capacity.yaml",
        ),
        FileSource(
            "files",
            "capacity.readers.any_source",
            "Files and folders of any of these sources, detected by content; the word files can be left out.",
            "capacity import cluster.yaml nodepools.yaml answers/ --out-file capacity.yaml",
        ),
    )
}


def read_source(source: str, paths: Sequence[str]) -> PlanDraft:
    """Read the files as one draft.

    Raises
    ------
    SpecError
        A file cannot be read, or is of another kind: the message names the source that reads it.
    """
    read: Reader = import_module(FILE_SOURCES[source].module).read
    return read(paths)


def documents_of(source: str, paths: Sequence[str], parse: Callable[[Any, str], PlanDraft]) -> PlanDraft:
    """Parse and merge the documents of one kind in the files; a note names the others.

    Raises
    ------
    SpecError
        A file without a document of this kind.
    """
    drafts = []
    for path in paths:
        loaded = read_documents(path)
        fitting, others = sort_out(source, loaded)
        if not fitting:
            raise refuse_all(source, loaded, path)
        drafts += [parse(doc.value, doc.file) for doc in fitting]
        drafts += [left_out(doc) for doc in others]
    return merge_all(drafts)


def sort_out(source: str, loaded: Sequence[Loaded]) -> tuple[list[Loaded], list[Loaded]]:
    """Documents that the source reads, and the others; lists are expanded."""
    fitting: list[Loaded] = []
    others: list[Loaded] = []
    for doc in loaded:
        for value in list_items(doc.value):
            (fitting if detect(value)[0] == source else others).append(Loaded(value, doc.file))
    return fitting, others


def refuse_all(source: str, loaded: Sequence[Loaded], path: str) -> SpecError:
    """Error for a file without documents of this source."""
    if not loaded:
        return SpecError(f"{path}: has no document (expected {WANTED[source]})")
    return refuse(source, loaded[0].value, loaded[0].file)


def left_out(doc: Loaded) -> PlanDraft:
    """Note on a document of another source."""
    from capacity.readers.draft import Note

    source, words = detect(doc.value)
    cure = f" (capacity import {source} reads it)" if source in FILE_SOURCES else ""
    return PlanDraft(notes=(Note(f"{doc.file}: ignored {words}{cure}", unread=True, elsewhere=source or ""),))
