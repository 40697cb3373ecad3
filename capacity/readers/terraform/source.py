"""Read Terraform: the JSON of a plan or state (`terraform show -json`), a state file, or .tf text.

Field names: hashicorp/terraform docs/internals/json-format; resources of hashicorp/aws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from capacity.errors import SpecError
from capacity.readers.cni_addon import CniValues, addon_values, cni_version_of, with_pod_subnets
from capacity.readers.decode import parse_documents
from capacity.readers.draft import PlanDraft, SourceNotes
from capacity.readers.helm import overlaid
from capacity.readers.merge import merge
from capacity.readers.terraform.commands import say_commands
from capacity.readers.terraform.groups import node_groups
from capacity.readers.terraform.hcl import Configuration, read_hcl, read_json_syntax
from capacity.readers.terraform.holders import holders
from capacity.readers.terraform.manifests import is_cni_release, release_values, with_manifests
from capacity.readers.terraform.resource import References, Resource, Stack, first_block, resources_of, unwrapped_plan
from capacity.readers.terraform.source_blocks import Inputs, is_json_syntax
from capacity.readers.terraform.unclear import say_misplaced, say_unclear
from capacity.readers.terraform.vpc_resources import subnet_drafts, vpc_blocks, vpc_prefixes, vpc_resource
from capacity.readers.values import (
    block_of,
    bool_of,
    ip_family_of,
    items,
    kubernetes_version_of,
    mapping,
    path_of,
    region_of_zone,
    text_of,
)


def parse_terraform(document: dict[str, Any], file: str = "", inputs: Inputs | None = None) -> PlanDraft:
    """Convert a decoded plan or state, or a document of JSON syntax, to a draft."""
    if is_json_syntax(document):
        return _draft_of_configuration(read_json_syntax(document, file), inputs)
    resources = resources_of(document, file)
    plan = unwrapped_plan(document)
    references = References(path_of(plan, "configuration", "root_module"), resources)
    return draft_of(Stack(resources, references, SourceNotes(file), region=_provider_region(plan)), inputs)


def _draft_of_configuration(found: Configuration, inputs: Inputs | None) -> PlanDraft:
    return draft_of(Stack(found.resources, References(None, []), found.said, region=found.region), inputs)


def draft_of(stack: Stack, inputs: Inputs | None = None) -> PlanDraft:
    """Convert resources to a draft."""
    said = stack.said
    for resource in stack.resources:
        if resource.managed:
            said.meet(resource.type, resource.address)
    say_unclear(stack)
    say_misplaced(stack)
    say_commands(stack)
    cluster = _cluster(stack)
    vpc = vpc_resource(stack, cluster, inputs.vpc if inputs else None)
    blocks = vpc_blocks(stack, vpc)
    subnets = subnet_drafts(stack, vpc)
    network = mapping(first_block(cluster.value("kubernetes_network_config"))) if cluster else {}
    cni, cni_version = _cni(stack)
    subnets, pod_subnets = with_pod_subnets(subnets, cni.pod_subnets)
    draft = PlanDraft(
        source=f"terraform {said.file}".strip(),
        name=text_of(cluster.value("name")) if cluster else None,
        region=_region(stack),
        kubernetes_version=kubernetes_version_of(cluster.value("version")) if cluster else None,
        service_cidr=block_of(network.get("service_ipv4_cidr")),
        ip_family=ip_family_of(network.get("ip_family")),
        cni_version=cni_version,
        env=cni.env,
        windows=cni.windows,
        vpc_cidrs=blocks,
        vpc_prefixes=vpc_prefixes(stack, vpc, blocks),
        subnets=subnets,
        pod_subnets=pod_subnets,
        control_plane=tuple(stack.subnet_names(cluster, "vpc_config", "subnet_ids")) or None if cluster else None,
        node_groups=tuple(node_groups(stack, cluster)),
        tenants=(*holders(stack), *stack.holders),
        assumed=frozenset(stack.assumed),
    )
    draft = with_manifests(stack, draft)
    return replace(draft, notes=tuple(dict.fromkeys((*said.collected(), *draft.notes))))


def _cluster(stack: Stack) -> Resource | None:
    clusters = stack.of("aws_eks_cluster")
    if not clusters:
        return None
    names = [str(g.value("cluster_name")) for g in stack.of("aws_eks_node_group")]
    chosen = max(clusters, key=lambda c: (names.count(str(c.value("name"))), bool(c.value("vpc_config", "subnet_ids"))))
    if len(clusters) > 1:
        others = ", ".join(f"{c.address} ({c.value('name')})" for c in clusters if c is not chosen)
        text = f"{len(clusters)} clusters: a plan is one cluster, {chosen.address} is used, {others} ignored"
        stack.said.leave_out("", text, "metadata.name")
    if bool_of(mapping(first_block(chosen.value("compute_config"))).get("enabled")):
        stack.said.say(chosen.address, "EKS Auto Mode runs separate nodes, which are not in this file")
    return chosen


def _region(stack: Stack) -> str | None:
    """Region of a zone, of an ARN, or of the provider."""
    for resource in stack.of("aws_subnet", "aws_default_subnet", managed=False):
        region = region_of_zone(text_of(resource.value("availability_zone")))
        if region:
            return region
    for resource in stack.of("aws_eks_cluster", "aws_vpc", "aws_eks_node_group", managed=False):
        arn = str(resource.value("arn")).split(":")
        if len(arn) > 4 and arn[3]:
            return arn[3]
    return stack.region


def _provider_region(plan: Any) -> str | None:
    """Region of the aws provider of a plan: a constant, or the value of a variable."""
    providers = mapping(path_of(plan, "configuration", "provider_config"))
    for provider in (mapping(p) for p in providers.values()):
        if provider.get("name") != "aws" or provider.get("alias"):
            continue
        region = mapping(path_of(provider, "expressions", "region"))
        name = str(next(iter(items(region.get("references"))), "")).removeprefix("var.")
        return text_of(region.get("constant_value")) or text_of(path_of(plan, "variables", name, "value"))
    return None


# --- the CNI ----------------------------------------------------------------------------------

_OWN_PODS = frozenset(("vpc-cni", "kube-proxy", "eks-pod-identity-agent"))  # without pod addresses of their own


def _cni(stack: Stack) -> tuple[CniValues, str | None]:
    """Settings of the CNI: of its add-on, else of its chart."""
    for addon in stack.of("aws_eks_addon"):
        if addon.value("addon_name") in _OWN_PODS:
            stack.said.use(addon.type, addon.address)
    for addon in stack.of("aws_eks_addon"):
        if addon.value("addon_name") == "vpc-cni":
            values = addon_values(addon.value("configuration_values"), stack.said, addon.address, stack.ids)
            return values, cni_version_of(addon.value("addon_version"))
    for release in stack.of("helm_release"):
        if is_cni_release(release):
            stack.said.use(release.type, release.address)
            return _chart(stack, release)
    return CniValues(), None


def _chart(stack: Stack, release: Resource) -> tuple[CniValues, str | None]:
    """Settings of the chart: its values files one over the other, as Helm merges them."""
    merged: dict[str, Any] = {}
    for part in release_values(release):
        try:
            documents = parse_documents(part, release.address) if isinstance(part, str) else [part]
        except SpecError:
            stack.said.leave_out(f"{release.address}.values", "is neither JSON nor YAML: ignored", "cni.env")
            continue
        for document in documents:
            merged = overlaid(merged, mapping(document))
    values = addon_values(merged, stack.said, f"{release.address}.values", stack.ids)
    return values, cni_version_of(path_of(merged, "image", "tag"))


# --- reading ----------------------------------------------------------------------------------


def read(paths: Sequence[str], inputs: Inputs | None = None) -> PlanDraft:
    """Read plans and states (JSON), or .tf files and folders, as one draft."""
    from capacity.readers.sources import documents_of

    code = [p for p in paths if p.endswith((".tf", ".tf.json", ".tfvars", ".tfvars.json", ".hcl")) or Path(p).is_dir()]
    documents = [p for p in paths if p not in code]
    drafts = []
    if documents:
        drafts.append(documents_of("terraform", documents, lambda value, file: parse_terraform(value, file, inputs)))
    if code:
        drafts.append(_draft_of_configuration(read_hcl(code, inputs), inputs))
    return drafts[0] if len(drafts) == 1 else merge(*drafts)
