"""Read an eksctl ClusterConfig as a draft: VPC, node groups, add-ons, and the parts that are not in a plan.

Schema: eksctl.io/v1alpha5 (https://schema.eksctl.io, read 2026-11-30).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from capacity.catalog.table import Catalog, load_catalog
from capacity.readers.cni_addon import CniValues, addon_values, cni_version_of, with_pod_subnets
from capacity.readers.draft import PlanDraft, SourceNotes
from capacity.readers.eksctl.config_reading import ConfigReading
from capacity.readers.eksctl.created_vpc import control_plane, read_network, tenants
from capacity.readers.eksctl.node_groups import node_groups
from capacity.readers.node_group import say_fargate
from capacity.readers.values import (
    block_of,
    bool_of,
    ip_family_of,
    items,
    kubernetes_version_of,
    mapping,
    path_of,
    say_placeholders,
    text_of,
)


def parse_eksctl(config: dict[str, Any], file: str = "", catalog: Catalog | None = None) -> PlanDraft:
    """Convert a decoded ClusterConfig to a draft."""
    reading = ConfigReading(config, SourceNotes(file), catalog or load_catalog())
    said = reading.said
    say_placeholders(config, said.say)
    metadata = mapping(config.get("metadata"))
    reading.region = text_of(metadata.get("region"))
    blocks, creates_vpc = read_network(reading)
    groups, holders = node_groups(reading)
    holders = [*tenants(reading, creates_vpc=creates_vpc), *holders]
    cni, cni_version = _cni(config, said)
    subnets, pod_subnets = with_pod_subnets(reading.subnets, cni.pod_subnets)
    network = mapping(config.get("kubernetesNetworkConfig"))
    _other_blocks(config, said)
    return PlanDraft(
        source=f"eksctl {file}".strip(),
        name=text_of(metadata.get("name")),
        region=reading.region,
        kubernetes_version=kubernetes_version_of(metadata.get("version")),
        service_cidr=block_of(network.get("serviceIPv4CIDR")),
        ip_family=ip_family_of(network.get("ipFamily") or path_of(config, "vpc", "ipFamily")),
        cni_version=cni_version,
        env=cni.env,
        windows=cni.windows,
        vpc_cidrs=tuple(blocks),
        subnets=subnets,
        pod_subnets=pod_subnets,
        control_plane=control_plane(reading),
        node_groups=tuple(groups),
        tenants=tuple(holders),
        notes=said.collected(),
        assumed=frozenset(reading.assumed),
        default_network=creates_vpc and path_of(config, "vpc", "cidr") is None,
    )


def _cni(config: dict[str, Any], said: SourceNotes) -> tuple[CniValues, str | None]:
    found, version = CniValues(), None
    for i, raw in enumerate(items(config.get("addons"))):
        addon = mapping(raw)
        if addon.get("name") == "vpc-cni":
            found = addon_values(addon.get("configurationValues"), said, f"addons[{i}].configurationValues")
            version = cni_version_of(addon.get("version"))
        elif addon.get("name") not in ("coredns", "kube-proxy"):  # in every cluster
            said.meet("add-on", text_of(addon.get("name")) or f"addons[{i}]")
    return found, version


def _other_blocks(config: dict[str, Any], said: SourceNotes) -> None:
    """Note parts that affect the answer and are not in the plan."""
    told = {
        "karpenter": "Karpenter runs separate nodes: also import its NodePools",
        "outpost": "subnets and nodes on the Outpost are treated as in the region",
        "remoteNetworkConfig": "hybrid nodes and their pods use no addresses of the VPC",
    }
    for key, text in told.items():
        value = config.get(key)
        if value:
            said.say(key, text)
    auto = mapping(config.get("autoModeConfig"))
    if bool_of(auto.get("enabled")) is not False and auto:
        pools = ", ".join(map(str, items(auto.get("nodePools")))) or "general-purpose, system"
        said.say("autoModeConfig", f"EKS Auto Mode runs separate nodes ({pools}), which are not in this file")
    for i, profile in enumerate(map(mapping, items(config.get("fargateProfiles")))):
        spaces = [text_of(mapping(s).get("namespace")) for s in items(profile.get("selectors"))]
        place = f"fargateProfiles[{i}] {profile.get('name', '')}".strip()
        say_fargate(said, place, spaces, map(str, items(profile.get("subnets"))))
    if bool_of(path_of(config, "addonsConfig", "disableDefaultAddons")):
        named = [mapping(a).get("name") for a in items(config.get("addons"))]
        if "vpc-cni" not in named:
            text = "disableDefaultAddons: eksctl installs no VPC CNI; the plan assumes the VPC CNI (cni.name)"
            said.say("addonsConfig", text, "cni")


def read(paths: Sequence[str]) -> PlanDraft:
    """Read ClusterConfig files as one draft."""
    from capacity.readers.sources import documents_of

    return documents_of("eksctl", paths, parse_eksctl)
