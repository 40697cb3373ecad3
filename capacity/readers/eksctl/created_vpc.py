"""The VPC of a ClusterConfig: given subnets, or those that eksctl creates, with NAT gateways and endpoints.

Sources: eksctl-io/eksctl@01f9df54 pkg/vpc/vpc.go SetSubnets, getSubnetNetworkSize (8 parts for up to 4 zones, 16 for
more; public ones first, Local Zones after the others); pkg/az/az.go randomSelectionOfZones (3 zones, 2 in us-east-1);
pkg/cfn/builder/vpc_ipv4.go (private clusters, NAT gateways, subnets of the control plane);
pkg/apis/eksctl.io/v1alpha5/private_cluster.go EndpointServices; pkg/ctl/create/cluster.go (Outposts: one zone).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

from capacity.readers.draft import Note, SubnetDraft, TenantDraft, at, unique
from capacity.readers.eksctl.config_reading import PRIVATE, PUBLIC, ConfigReading
from capacity.readers.values import block_of, bool_of, items, mapping, path_of, region_of_zone, subnet_id_of, text_of

DEFAULT_VPC = IPv4Network("192.168.0.0/16")
DEFAULT_ZONES = 3
FEWEST_ZONES = 2  # in us-east-1
MOST_ZONES = 8
NAT_GATEWAYS = ("HighlyAvailable", "Single", "Disable")
ENDPOINTS = ("ec2", "ecr.api", "ecr.dkr", "sts")  # interface endpoints of a private cluster; that of S3 is a gateway
_OF_A_CLUSTER = (  # sections of a file that creates one
    *("vpc", "availabilityZones", "localZones", "iam", "cloudWatch", "kubernetesNetworkConfig", "secretsEncryption"),
    *("autoModeConfig", "fargateProfiles", "privateCluster", "outpost"),
)
OUTPOST_ENDPOINTS = ("ssm", "ssmmessages", "ec2messages", "secretsmanager")


def read_network(reading: ConfigReading) -> tuple[list[IPv4Network], bool]:
    """Read the VPC's blocks and subnets; return the blocks, and whether eksctl creates the VPC."""
    vpc = mapping(reading.config.get("vpc"))
    block = block_of(vpc.get("cidr"))
    extra = [b for b in map(block_of, items(vpc.get("extraCIDRs"))) if b]
    _given_subnets(reading, mapping(vpc.get("subnets")))
    if reading.subnets:
        return [*([block] if block else []), *extra], False
    if items(vpc.get("controlPlaneSubnetIDs")):
        reading.said.say("vpc.controlPlaneSubnetIDs", "subnets of an existing VPC: the others are not in this file")
        return [*([block] if block else []), *extra], False
    if vpc.get("id"):
        reading.said.say("vpc.id", "the cluster is in an existing VPC: its subnets are not in this file")
        return [*([block] if block else []), *extra], False
    if _made_elsewhere(reading):
        reading.said.say("", "adds to an existing cluster: its VPC and subnets are not in this file")
        return [], False
    unknown = block is None and vpc.get("cidr") is not None
    if unknown:
        text = f"assumed: {vpc['cidr']!r} is not a known block: the eksctl default {DEFAULT_VPC} is used"
        reading.said.notes.append(Note(f"vpc.cidrs: {text}", "vpc.cidrs"))
    elif block is None:
        reading.said.say("vpc", f"no cidr: eksctl uses {DEFAULT_VPC}", "vpc.cidrs")
    block = block or DEFAULT_VPC
    _create_subnets(reading, block)
    if reading.zones_guessed:
        local = {s.name for kind in (PUBLIC, PRIVATE) for s in reading.local[kind]}
        reading.assumed |= {at("vpc.subnets", s.name, "zone") for s in reading.subnets if s.name not in local}
    if unknown:
        reading.assumed |= {"vpc.cidrs", *(at("vpc.subnets", s.name, "cidr") for s in reading.subnets)}
    return [block, *extra], True


def _made_elsewhere(reading: ConfigReading) -> bool:
    """Whether the VPC exists already: groups name its subnets, or the file is for ``create addon -f``."""
    groups = [raw for *_, raw in reading.groups()]
    if any(items(raw.get("subnets")) for raw in groups):
        return True  # eksctl refuses names of subnets that it is yet to create
    return bool(reading.config.get("addons") and not groups and not any(reading.config.get(k) for k in _OF_A_CLUSTER))


def _given_subnets(reading: ConfigReading, given: Any) -> None:
    taken: set[str] = set()
    for kind, into in ((PRIVATE, reading.private), (PUBLIC, reading.public)):
        for number, (key, entry) in enumerate(mapping(given.get(kind)).items(), 1):
            into.append(_given_subnet(text_of(key) or "", number, mapping(entry), kind, taken))
            taken.add(into[-1].name)
            stated = text_of(mapping(entry).get("id"))
            if stated and into[-1].id is None:
                reading.said.say(f"vpc.subnets.{kind}.{key}", f"id {stated!r} is not an ID: not known")


def _given_subnet(key: str, number: int, entry: Any, kind: str, taken: set[str]) -> SubnetDraft:
    """A subnet of the file; its key is its zone or any alias, or a placeholder (empty here)."""
    zone = text_of(entry.get("az")) or (key if region_of_zone(key) else None)
    name = f"{kind}-{key or number}" if not key or key == zone or key in taken else key
    return SubnetDraft(unique(name, taken), zone, block_of(entry.get("cidr")), id=subnet_id_of(entry.get("id")))


def _create_subnets(reading: ConfigReading, block: IPv4Network) -> None:
    """Subnets that eksctl creates."""
    zones = zones_of(reading)
    local = list(dict.fromkeys(z for z in map(text_of, items(reading.config.get("localZones"))) if z))
    total = len(zones) + len(local)
    bits = 3 if total <= 4 else 4
    if block.prefixlen > 28 - bits or total > MOST_ZONES:
        reading.said.say("vpc.cidr", f"{block} cannot be split into {2 * total} subnets", "vpc.cidrs")
        return
    parts = list(block.subnets(prefixlen_diff=bits))
    for i, zone in enumerate([*zones, *local]):
        own = i < len(zones)
        if not reading.is_private:
            public = reading.public if own else reading.local[PUBLIC]
            public.append(SubnetDraft(f"{PUBLIC}-{zone}", zone, parts[i]))
        if own or not reading.is_private:
            private = reading.private if own else reading.local[PRIVATE]
            private.append(SubnetDraft(f"{PRIVATE}-{zone}", zone, parts[i + total]))
    first = "public ones first"
    if reading.is_private:
        first += ", which a private cluster does not have"
    text = f"subnets as eksctl creates them: {block} in {2**bits}, {first}"
    reading.said.say("", text, "vpc.subnets")


def zones_of(reading: ConfigReading) -> list[str]:
    """Zones of the cluster: those of the file, else as many as eksctl chooses."""
    config, said = reading.config, reading.said
    stated = [zone_named(z, reading) for z in items(config.get("availabilityZones"))]
    zones = list(dict.fromkeys(z for z in stated if z))
    if zones:
        return zones
    used = [z for *_, g in reading.groups() for z in map(text_of, items(g.get("availabilityZones"))) if z]
    zones = sorted(dict.fromkeys(used))
    usual = FEWEST_ZONES if reading.region == "us-east-1" else DEFAULT_ZONES
    wanted = len(stated) or (1 if reading.on_outpost else usual)
    letters = iter("abcdefgh")
    while len(zones) < wanted:
        zone = f"{reading.region or 'zone-'}{next(letters)}"
        if zone not in zones:
            zones.append(zone)
    reading.zones_guessed = True
    chosen = "that of the Outpost is used" if reading.on_outpost else f"eksctl chooses {wanted} at random"
    why = "not known" if stated else f"not set, {chosen}"
    said.say("availabilityZones", f"{why}: assumed {', '.join(zones)}", "vpc.subnets")
    return zones


def zone_named(value: object, reading: ConfigReading) -> str | None:
    """Name of a zone; for ``${AWS_REGION}a`` only the letter is known."""
    known = text_of(value)
    if known:
        return known
    letter = re.search(r"[}>]([a-h])$", str(value))
    return f"{reading.region or 'zone-'}{letter[1]}" if letter else None


def control_plane(reading: ConfigReading) -> tuple[str, ...] | None:
    """Subnets of the control plane: those set for it, only private ones in some cases, else all but Local Zones'."""
    stated = [text_of(s) for s in items(path_of(reading.config, "vpc", "controlPlaneSubnetIDs"))]
    named = [reading.subnet_named(s) for s in stated if s]
    private_only = (
        bool_of(path_of(reading.config, "vpc", "controlPlaneOnPrivateSubnets"))
        or bool_of(path_of(reading.config, "autoModeConfig", "enabled"))
        or reading.on_outpost
    )
    own = reading.private if private_only and reading.private else [*reading.private, *reading.public]
    return tuple(dict.fromkeys(named or [s.name for s in own])) or None


# --- other holders of addresses that eksctl creates ---------------------------------------------


def tenants(reading: ConfigReading, *, creates_vpc: bool) -> Iterator[TenantDraft]:
    """NAT gateways of a VPC that eksctl creates, and the endpoints of a private cluster."""
    if creates_vpc and not reading.is_private and reading.public:
        yield from _nat_gateways(reading)
    elif not creates_vpc and path_of(reading.config, "vpc", "nat", "gateway"):
        reading.said.say("vpc.nat", "has no effect: eksctl creates NAT gateways only in a VPC that it creates")
    if reading.is_private:
        yield from _endpoints(reading)


def _nat_gateways(reading: ConfigReading) -> Iterator[TenantDraft]:
    stated = path_of(reading.config, "vpc", "nat", "gateway")
    mode = text_of(stated) or "Single"
    if mode not in NAT_GATEWAYS or (stated is not None and text_of(stated) is None):
        text = f"{stated!r} is none of {', '.join(NAT_GATEWAYS)}: no NAT gateway is in the plan"
        reading.said.say("vpc.nat.gateway", text, "tenants")
        return
    if stated is None:
        reading.said.say("vpc.nat", "not set: eksctl creates one NAT gateway, in the first public subnet", "tenants")
    if mode != "Disable":
        subnets = reading.public if mode == "HighlyAvailable" else reading.public[:1]
        yield TenantDraft("nat-gateway", "natGateway", tuple(s.name for s in subnets))


def _endpoints(reading: ConfigReading) -> Iterator[TenantDraft]:
    """One interface endpoint per service, in one private subnet of each zone."""
    private = mapping(reading.config.get("privateCluster"))
    if bool_of(private.get("skipEndpointCreation")):
        reading.said.say("privateCluster", "skipEndpointCreation: existing endpoints are not in this file", "tenants")
        return
    more = [t for t in map(text_of, items(private.get("additionalEndpointServices"))) if t]
    logging = items(path_of(reading.config, "cloudWatch", "clusterLogging", "enableTypes"))
    services = [*ENDPOINTS, *(OUTPOST_ENDPOINTS if reading.on_outpost else ()), *more, *(["logs"] if logging else [])]
    subnets = tuple({s.zone or s.name: s.name for s in reversed(reading.private)}.values())[::-1]
    if not subnets:
        text = f"interface endpoints for {', '.join(services)}: in the private subnets, which are not in this file"
        reading.said.say("privateCluster", text, "tenants")
        return
    named = list(dict.fromkeys(services))
    text = f"eksctl creates {len(named)} interface endpoints in the private subnets: {', '.join(named)}"
    reading.said.say("privateCluster", text, "tenants")
    for service in named:
        yield TenantDraft(f"endpoint-{service}", "vpcEndpoint", subnets)
