"""Read eksctl ClusterConfigs: VPC, node groups, add-ons, and the defaults of eksctl.

Sources: eksctl-io/eksctl@01f9df54 pkg/vpc/vpc.go (the VPC is split into 8 subnets up to 4 zones, into 16 beyond:
public ones first, private ones after), pkg/az/az.go@063105ef (3 zones), pkg/apis defaults (192.168.0.0/16,
m5.large, 2 nodes).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any

from capacity.catalog.instance_type import InstanceType
from capacity.catalog.table import Catalog, load_catalog
from capacity.readers.cni_addon import addon_environment, cni_version_of
from capacity.readers.draft import GroupDraft, Note, PlanDraft, SourceNotes, SubnetDraft, at, unique
from capacity.readers.instance_choice import candidates
from capacity.readers.node_group import SourceGroup, group_draft
from capacity.readers.user_data import ami_of
from capacity.readers.values import (
    block_of,
    bool_of,
    int_of,
    ip_family_of,
    items,
    kubernetes_version_of,
    mapping,
    path_of,
    say_placeholders,
    text_of,
)

DEFAULT_VPC = IPv4Network("192.168.0.0/16")
DEFAULT_TYPE = "m5.large"
DEFAULT_NODES = 2
DEFAULT_ZONES = 3


@dataclass
class _Reading:
    """State while one ClusterConfig is read."""

    config: dict[str, Any]
    said: SourceNotes
    catalog: Catalog
    region: str | None = None
    assumed: set[str] = field(default_factory=set)
    zones_guessed: bool = False
    public: list[SubnetDraft] = field(default_factory=list)
    private: list[SubnetDraft] = field(default_factory=list)

    @property
    def subnets(self) -> list[SubnetDraft]:
        return self.private + self.public


def parse_eksctl(config: dict[str, Any], file: str = "", catalog: Catalog | None = None) -> PlanDraft:
    """Convert a decoded ClusterConfig to a draft."""
    reading = _Reading(config, SourceNotes(file), catalog or load_catalog())
    said = reading.said
    say_placeholders(config, said.say)
    metadata = mapping(config.get("metadata"))
    reading.region = text_of(metadata.get("region"))
    blocks = _network(reading)
    groups = _groups(reading)
    env, cni_version = _cni(config, said)
    network = mapping(config.get("kubernetesNetworkConfig"))
    _other_blocks(config, said)
    return PlanDraft(
        source=f"eksctl {file}".strip(),
        name=text_of(metadata.get("name")),
        region=reading.region,
        kubernetes_version=kubernetes_version_of(metadata.get("version")),
        service_cidr=block_of(network.get("serviceIPv4CIDR")),
        ip_family=ip_family_of(network.get("ipFamily")),
        cni_version=cni_version,
        env=env,
        vpc_cidrs=tuple(blocks),
        subnets=tuple(reading.subnets),
        control_plane=_control_plane(reading),
        node_groups=tuple(groups),
        notes=tuple(said.notes),
        assumed=frozenset(reading.assumed),
    )


# --- network --------------------------------------------------------------------------------


def _network(reading: _Reading) -> list[IPv4Network]:
    """Read the VPC's blocks, and the subnets."""
    vpc = mapping(reading.config.get("vpc"))
    block = block_of(vpc.get("cidr"))
    extra = [b for b in map(block_of, items(vpc.get("extraCIDRs"))) if b]
    given = mapping(vpc.get("subnets"))
    taken: set[str] = set()
    for kind, into in (("private", reading.private), ("public", reading.public)):
        for key, entry in mapping(given.get(kind)).items():
            into.append(_given_subnet(str(key), mapping(entry), kind, taken))
            taken.add(into[-1].name)
    if reading.subnets:
        return [*([block] if block else []), *extra]
    if vpc.get("id"):
        reading.said.say("vpc.id", "the cluster is in an existing VPC: its subnets are not in this file")
        return [*([block] if block else []), *extra]
    if _made_elsewhere(reading.config):
        reading.said.say("", "adds to an existing cluster: its VPC and subnets are not in this file")
        return []
    unknown = block is None and vpc.get("cidr") is not None
    if unknown:
        text = f"assumed: {vpc['cidr']!r} is not a known block: the eksctl default {DEFAULT_VPC} is used"
        reading.said.notes.append(Note(f"vpc.cidrs: {text}", "vpc.cidrs"))
    elif block is None:
        reading.said.say("vpc", f"no cidr: eksctl uses {DEFAULT_VPC}", "vpc.cidrs")
    block = block or DEFAULT_VPC
    _split(reading, block)
    if reading.zones_guessed:
        reading.assumed |= {at("vpc.subnets", s.name, "zone") for s in reading.subnets}
    if unknown:
        reading.assumed |= {"vpc.cidrs", *(at("vpc.subnets", s.name, "cidr") for s in reading.subnets)}
    return [block, *extra]


def _made_elsewhere(config: dict[str, Any]) -> bool:
    """Whether the VPC exists already: subnets by ID, or a file for ``create nodegroup -f`` or ``create addon -f``."""
    metadata = mapping(config.get("metadata"))
    cluster = ("vpc", "availabilityZones", "iam", "cloudWatch", "kubernetesNetworkConfig", "secretsEncryption")
    known = {i for g in _raw_groups(config) for i in items(g.get("subnets")) if str(i).startswith("subnet-")}
    if known:
        return True  # subnets that eksctl is yet to create have no IDs
    only_addons = config.get("addons") and not config.get("nodeGroups") and not config.get("managedNodeGroups")
    return bool(only_addons and not metadata.get("version") and not any(config.get(k) for k in cluster))


def _given_subnet(key: str, entry: Any, kind: str, taken: set[str]) -> SubnetDraft:
    zone = text_of(entry.get("az")) or (key if re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[0-9][a-z]", key) else None)
    name = f"{kind}-{key}" if key == zone or key in taken else key
    identity = text_of(entry.get("id"))
    return SubnetDraft(unique(name, taken), zone, block_of(entry.get("cidr")), id=identity)


def _split(reading: _Reading, block: IPv4Network) -> None:
    """Subnets that eksctl creates."""
    zones = _zones(reading)
    bits = 3 if len(zones) <= 4 else 4
    if block.prefixlen > 28 - bits or len(zones) > 8:
        reading.said.say("vpc.cidr", f"{block} cannot be split into {2 * len(zones)} subnets", "vpc.cidrs")
        return
    parts = list(block.subnets(prefixlen_diff=bits))
    for i, zone in enumerate(zones):
        reading.public.append(SubnetDraft(f"public-{zone}", zone, parts[i]))
        reading.private.append(SubnetDraft(f"private-{zone}", zone, parts[i + len(zones)]))
    reading.said.say("", f"subnets as eksctl creates them: {block} in {2**bits}, public ones first", "vpc.subnets")


def _zones(reading: _Reading) -> list[str]:
    config, said = reading.config, reading.said
    stated = [_zone(z, reading) for z in items(config.get("availabilityZones"))]
    zones = list(dict.fromkeys(z for z in stated if z))
    if zones:
        return zones
    used = [z for g in _raw_groups(config) for z in map(text_of, items(g.get("availabilityZones"))) if z]
    zones = sorted(dict.fromkeys(used))
    letters = iter("abcdefgh")
    while len(zones) < DEFAULT_ZONES:
        zone = f"{reading.region or 'zone-'}{next(letters)}"
        if zone not in zones:
            zones.append(zone)
    reading.zones_guessed = True
    said.say("availabilityZones", f"not set, eksctl chooses {DEFAULT_ZONES} at random: assumed {', '.join(zones)}")
    return zones


def _zone(value: object, reading: _Reading) -> str | None:
    """Name of a zone; for ``${AWS_REGION}a`` only the letter is known."""
    known = text_of(value)
    if known:
        return known
    letter = re.search(r"[}>]([a-h])$", str(value))
    return f"{reading.region or 'zone-'}{letter[1]}" if letter else None


def _control_plane(reading: _Reading) -> tuple[str, ...] | None:
    """Subnets of the control plane: those set for it, else all of the cluster."""
    stated = [text_of(s) for s in items(path_of(reading.config, "vpc", "controlPlaneSubnetIDs"))]
    named = [_subnet_named(reading, s) for s in stated if s]
    return tuple(dict.fromkeys(named or [s.name for s in reading.subnets])) or None


# --- node groups ----------------------------------------------------------------------------


def _raw_groups(config: dict[str, Any]) -> list[Any]:
    return [mapping(g) for key in ("managedNodeGroups", "nodeGroups") for g in items(config.get(key))]


def _groups(reading: _Reading) -> list[GroupDraft]:
    groups: list[GroupDraft] = []
    for key, provisioner in (("managedNodeGroups", "managed"), ("nodeGroups", "self-managed")):
        for i, raw in enumerate(items(reading.config.get(key))):
            group = mapping(raw)
            name = text_of(group.get("name")) or f"{key}-{i + 1}"
            name = unique(name, [g.name for g in groups])
            groups.append(_group(reading, group, name, provisioner, f"{key}[{i}]"))
    return groups


def _group(reading: _Reading, raw: Any, name: str, provisioner: str, where: str) -> GroupDraft:
    said = reading.said
    low, wanted, most = _sizes(raw, said, where, name)
    family = text_of(raw.get("amiFamily"))
    if family and ami_of(family) is None:
        said.say(f"{where}.amiFamily", f"{family} is not supported: assumed al2023", at("nodeGroups", name, "ami"))
    update = mapping(raw.get("updateConfig"))
    if raw.get("spot") is True or raw.get("spot") == "true":
        said.say(where, "spot nodes", at("nodeGroups", name))
    return group_draft(
        SourceGroup(
            name=name,
            provisioner=provisioner,
            types=_types(reading, raw, where, name),
            ami=family,
            low=low,
            desired=wanted,
            high=most,
            subnets=_group_subnets(reading, raw, where, name),
            unavailable_percent=update.get("maxUnavailablePercentage"),
            unavailable=update.get("maxUnavailable"),
            max_pods=raw.get("maxPodsPerNode"),
        )
    )


def _sizes(raw: Any, said: SourceNotes, where: str, name: str) -> tuple[int | None, int | None, int | None]:
    """min, desired and max, with the defaults of eksctl."""
    low, wanted, most = (int_of(raw.get(k)) for k in ("minSize", "desiredCapacity", "maxSize"))
    if low is None and wanted is None and most is None:
        said.say(where, f"no sizes: eksctl uses {DEFAULT_NODES} nodes", at("nodeGroups", name, "nodes"))
    if low is None:
        low = wanted if wanted is not None else DEFAULT_NODES if most is None else min(DEFAULT_NODES, most)
    if wanted is None:
        wanted = low
    if most is None:
        most = max(wanted, low)
    return low, wanted, most


def _types(reading: _Reading, raw: Any, where: str, name: str) -> Sequence[str]:
    said, path = reading.said, at("nodeGroups", name, "instanceTypes")
    stated = [text_of(t) for t in items(raw.get("instanceTypes"))]
    stated += [text_of(t) for t in items(path_of(raw, "instancesDistribution", "instanceTypes"))]
    single = text_of(raw.get("instanceType"))
    types = [t for t in [single, *stated] if t and t != "mixed"]
    if types:
        return types
    selector = mapping(raw.get("instanceSelector"))
    if selector:
        found = candidates(reading.catalog, lambda kind: _selected(kind, selector))
        said.say(f"{where}.instanceSelector", f"{len(found)} types of the catalog match", path)
        return found
    if raw.get("launchTemplate"):
        said.say(f"{where}.launchTemplate", "the type is in the launch template, which is not in this file", path)
        return ()
    if "instanceType" in raw or "instanceTypes" in raw:
        return ()  # a placeholder, already reported
    said.say(where, f"no instanceType: eksctl uses {DEFAULT_TYPE}", path)
    return (DEFAULT_TYPE,)


def _selected(kind: InstanceType, selector: Any) -> bool:
    """Whether a type matches an instanceSelector: vCPUs, memory (GiB without a unit), GPUs, architecture."""
    vcpus, gpus = int_of(selector.get("vCPUs")), int_of(selector.get("gpus"))
    memory = re.match(r"([0-9.]+)\s*(Gi?B?|Mi?B?)?$", str(selector.get("memory") or ""), re.IGNORECASE)
    arch = str(selector.get("cpuArchitecture") or "x86_64").replace("amd64", "x86_64")
    if vcpus is not None and kind.vcpus != vcpus:
        return False
    if gpus is not None and (kind.gpus or 0) != gpus:
        return False
    if memory:
        mib = float(memory[1]) * (1 if (memory[2] or "").lower().startswith("m") else 1024)
        if kind.memory_mib != int(mib):
            return False
    return kind.arch == arch and bool(kind.current_generation) and not kind.bare_metal


def _group_subnets(reading: _Reading, raw: Any, where: str, name: str) -> tuple[str, ...] | None:
    """Names of the group's subnets: listed by alias or ID, those of its zones, else all private or public ones."""
    listed = [text_of(s) for s in items(raw.get("subnets"))]
    named = [_subnet_named(reading, s) for s in listed if s]
    if named:
        return tuple(dict.fromkeys(named))
    private = bool_of(raw.get("privateNetworking")) or bool_of(path_of(reading.config, "privateCluster", "enabled"))
    pool = reading.private if private else reading.public
    pool = pool or reading.subnets
    zones = [_zone(z, reading) for z in items(raw.get("availabilityZones"))]
    chosen = [s.name for s in pool if s.zone in zones] if any(zones) else [s.name for s in pool]
    if any(zones) and not chosen and pool:
        missing = ", ".join(z for z in zones if z)
        said_path = at("nodeGroups", name, "subnets")
        reading.said.say(f"{where}.availabilityZones", f"no subnet of this file is in {missing}", said_path)
    return tuple(chosen) or None


def _subnet_named(reading: _Reading, name: str) -> str:
    for subnet in reading.subnets:
        if name in (subnet.name, subnet.id) or subnet.name == f"private-{name}" or subnet.name == f"public-{name}":
            return subnet.name
    return name


# --- the rest -------------------------------------------------------------------------------


def _cni(config: dict[str, Any], said: SourceNotes) -> tuple[dict[str, str], str | None]:
    env: dict[str, str] = {}
    version = None
    for i, raw in enumerate(items(config.get("addons"))):
        addon = mapping(raw)
        if addon.get("name") == "vpc-cni":
            env = addon_environment(addon.get("configurationValues"), said, f"addons[{i}].configurationValues")
            version = cni_version_of(addon.get("version"))
    return env, version


def _other_blocks(config: dict[str, Any], said: SourceNotes) -> None:
    """Note parts that affect the answer and are not in the plan."""
    told = {
        "autoModeConfig": "EKS Auto Mode runs separate nodes, which are not in this file",
        "karpenter": "Karpenter runs separate nodes: also import its NodePools",
        "outpost": "nodes on an Outpost are treated as in the region",
        "remoteNetworkConfig": "hybrid nodes and their pods use no addresses of the VPC",
        "fargateProfiles": "each Fargate pod uses an address: add them as tenants of kind fargate",
    }
    for key, text in told.items():
        value = config.get(key)
        if value and not (key == "autoModeConfig" and str(mapping(value).get("enabled")).lower() == "false"):
            said.say(key, text)


def read(paths: Sequence[str]) -> PlanDraft:
    """Read ClusterConfig files as one draft."""
    from capacity.readers.sources import documents_of

    return documents_of("eksctl", paths, parse_eksctl)
