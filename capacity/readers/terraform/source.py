"""Read Terraform: the JSON of a plan or state (`terraform show -json`), a state file, or .tf text.

Field names: hashicorp/terraform docs/internals/json-format; resources of hashicorp/aws.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from capacity.errors import SpecError
from capacity.readers.cni_addon import addon_environment, cni_version_of
from capacity.readers.decode import parse_documents
from capacity.readers.detect import detect
from capacity.readers.draft import PlanDraft, SourceNotes, TenantDraft, unique
from capacity.readers.karpenter import parse_karpenter
from capacity.readers.kubernetes.eniconfig import eniconfig_subnet, subnets_of_eniconfigs
from capacity.readers.merge import merge
from capacity.readers.terraform.groups import node_groups
from capacity.readers.terraform.resource import References, Resource, Stack, first_block, resources_of, unwrapped_plan
from capacity.readers.terraform.vpc_resources import subnet_drafts, vpc_blocks, vpc_resource
from capacity.readers.values import (
    block_of,
    bool_of,
    ip_family_of,
    items,
    kubernetes_version_of,
    mapping,
    path_of,
    text_of,
)


def parse_terraform(document: dict[str, Any], file: str = "") -> PlanDraft:
    """Convert a decoded plan or state to a draft."""
    resources = resources_of(document, file)
    configuration = path_of(unwrapped_plan(document), "configuration", "root_module")
    return draft_of(resources, References(configuration, resources), SourceNotes(file))


def draft_of(resources: list[Resource], references: References, said: SourceNotes) -> PlanDraft:
    """Convert resources to a draft."""
    stack = Stack(resources, references, said)
    cluster = _cluster(stack)
    vpc = vpc_resource(stack, cluster)
    subnets = subnet_drafts(stack, vpc)
    network = mapping(first_block(cluster.value("kubernetes_network_config"))) if cluster else {}
    env, cni_version = _cni(stack)
    draft = PlanDraft(
        source=f"terraform {said.file}".strip(),
        name=text_of(cluster.value("name")) if cluster else None,
        region=_region(stack),
        kubernetes_version=kubernetes_version_of(cluster.value("version")) if cluster else None,
        service_cidr=block_of(network.get("service_ipv4_cidr")),
        ip_family=ip_family_of(network.get("ip_family")),
        cni_version=cni_version,
        env=env,
        vpc_cidrs=vpc_blocks(stack, vpc),
        subnets=subnets,
        control_plane=tuple(stack.subnet_names(cluster, "vpc_config", "subnet_ids")) or None if cluster else None,
        node_groups=tuple(node_groups(stack, cluster)),
        tenants=tuple(_tenants(stack)),
        notes=tuple(said.notes),
    )
    return _with_manifests(stack, draft)


def _cluster(stack: Stack) -> Resource | None:
    clusters = stack.of("aws_eks_cluster")
    if not clusters:
        return None
    names = [str(g.value("cluster_name")) for g in stack.of("aws_eks_node_group")]
    chosen = max(clusters, key=lambda c: names.count(str(c.value("name"))))
    if len(clusters) > 1:
        stack.said.say(
            "", f"{len(clusters)} clusters: a plan is one cluster, {chosen.address} is used", "metadata.name"
        )
    if bool_of(mapping(first_block(chosen.value("compute_config"))).get("enabled")):
        stack.said.say(chosen.address, "EKS Auto Mode runs separate nodes, which are not in this file")
    return chosen


def _region(stack: Stack) -> str | None:
    """Region of a zone, or of an ARN."""
    for resource in stack.of("aws_subnet", "aws_default_subnet"):
        zone = re.match(r"([a-z]{2}(?:-[a-z]+)+-[0-9])[a-z]$", str(resource.value("availability_zone")))
        if zone:
            return zone[1]
    for resource in stack.of("aws_eks_cluster", "aws_vpc", "aws_eks_node_group"):
        arn = str(resource.value("arn")).split(":")
        if len(arn) > 4 and arn[3]:
            return arn[3]
    return None


# --- the CNI, tenants, manifests --------------------------------------------------------------


def _cni(stack: Stack) -> tuple[dict[str, str], str | None]:
    for addon in stack.of("aws_eks_addon"):
        if addon.value("addon_name") == "vpc-cni":
            env = addon_environment(addon.value("configuration_values"), stack.said, f"{addon.address}")
            return env, cni_version_of(addon.value("addon_version"))
    for release in stack.of("helm_release"):
        if "vpc-cni" in str(release.value("chart")):
            merged: dict[str, str] = {}
            for text in items(release.value("values")):
                merged |= addon_environment(text, stack.said, f"{release.address}.values")
            return merged, None
    return {}, None


def _tenants(stack: Stack) -> Iterator[TenantDraft]:
    kinds = {
        "aws_nat_gateway": ("natGateway", "subnet_id"),
        "aws_vpc_endpoint": ("vpcEndpoint", "subnet_ids"),
        "aws_lb": ("alb", "subnets"),
        "aws_alb": ("alb", "subnets"),
        "aws_elb": ("clb", "subnets"),
        "aws_efs_mount_target": ("efs", "subnet_id"),
    }
    taken: list[str] = []
    for resource in stack.of(*kinds):
        kind, key = kinds[resource.type]
        if resource.type == "aws_vpc_endpoint" and resource.value("vpc_endpoint_type") != "Interface":
            continue
        if str(resource.value("load_balancer_type")) == "network":
            kind = "nlb"
        elif str(resource.value("load_balancer_type")) == "gateway":
            continue
        subnets = [s for s in stack.subnet_names(resource, key) if s in stack.subnets.values()]
        label = text_of(mapping(resource.value("tags")).get("Name")) or text_of(resource.value("name"))
        if not subnets:
            stack.said.say(resource.address, "its subnets are not known before apply: ignored", "tenants")
            continue
        name = unique(label or resource.address, taken)
        taken.append(name)
        yield TenantDraft(name, kind, tuple(subnets))


def _with_manifests(stack: Stack, draft: PlanDraft) -> PlanDraft:
    """Add ENIConfigs and Karpenter objects that Terraform applies as manifests."""
    pools: list[Any] = []
    said = SourceNotes(stack.said.file)
    pod_subnets: dict[str, str] = {}
    for resource in stack.of("kubectl_manifest", "kubernetes_manifest"):
        body = resource.value("yaml_body") or resource.value("manifest")
        try:
            documents = parse_documents(body, resource.address) if isinstance(body, str) else [body]
        except SpecError:
            stack.said.say(resource.address, "its manifest cannot be read: ignored")
            continue
        for document in documents:
            if detect(document)[0] == "karpenter":
                pools.append(document)
            elif mapping(document).get("kind") == "ENIConfig":
                pod_subnets |= eniconfig_subnet(document, said)
    if pools:
        draft = merge(draft, parse_karpenter(pools, stack.said.file))
    subnets = subnets_of_eniconfigs(pod_subnets)
    configured = PlanDraft(subnets=subnets, pod_subnets=tuple(s.name for s in subnets), notes=tuple(said.notes))
    return merge(draft, configured)


def read(paths: Sequence[str]) -> PlanDraft:
    """Read plans and states (JSON), or .tf files and folders, as one draft."""
    from capacity.readers.sources import documents_of

    text = [p for p in paths if p.endswith((".tf", ".tfvars", ".hcl")) or Path(p).is_dir()]
    json_files = [p for p in paths if p not in text]
    drafts = []
    if json_files:
        drafts.append(documents_of("terraform", json_files, parse_terraform))
    if text:
        from capacity.readers.terraform.hcl import read_hcl

        said, resources = read_hcl(text)
        drafts.append(draft_of(resources, References(None, []), said))
    return drafts[0] if len(drafts) == 1 else merge(*drafts)
