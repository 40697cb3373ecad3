"""CloudFormation templates, also those that eksctl and the CDK generate.

Property names: AWS CloudFormation resource reference of AWS::EC2, AWS::EKS and AWS::AutoScaling (read 2026-11-25).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any

from capacity.readers.cloudformation.intrinsics import Resolver, ToResource, Unresolved
from capacity.readers.cni_addon import addon_environment, cni_version_of
from capacity.readers.draft import GroupDraft, PlanDraft, SourceNotes, SubnetDraft, TenantDraft, at, unique
from capacity.readers.node_group import SourceGroup, default_types, group_draft, say_fargate, say_no_nodes
from capacity.readers.user_data import is_node_script
from capacity.readers.values import (
    block_of,
    bool_of,
    discovery_tags,
    ip_family_of,
    items,
    kubernetes_version_of,
    mapping,
    text_of,
)

CLUSTERS = ("AWS::EKS::Cluster", "AWSQS::EKS::Cluster", "Custom::AWSCDK-EKS-Cluster")
_TENANTS = {
    "AWS::EC2::NatGateway": ("natGateway", "SubnetId"),
    "AWS::EC2::VPCEndpoint": ("vpcEndpoint", "SubnetIds"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("alb", "Subnets"),
    "AWS::ElasticLoadBalancing::LoadBalancer": ("clb", "Subnets"),
    "AWS::EFS::MountTarget": ("efs", "SubnetId"),
}
READ = (  # what else is in a template has no part in a plan
    *CLUSTERS,
    *_TENANTS,
    *("AWS::EC2::VPC", "AWS::EC2::VPCCidrBlock", "AWS::EC2::Subnet", "AWS::EC2::LaunchTemplate"),
    *("AWS::EKS::Nodegroup", "AWS::EKS::Addon", "AWS::EKS::FargateProfile"),
    *("AWS::AutoScaling::AutoScalingGroup", "AWS::AutoScaling::LaunchConfiguration"),
)


@dataclass
class _Template:
    """One template: its resources that are made, their properties evaluated."""

    said: SourceNotes
    resolver: Resolver
    resources: dict[str, tuple[str, Any]] = field(default_factory=dict)
    subnets: dict[str, str] = field(default_factory=dict)  # logical id -> name in the plan

    def of(self, *types: str) -> Iterator[tuple[str, Any]]:
        for name, (kind, properties) in self.resources.items():
            if kind in types:
                yield name, properties

    def known(self, name: str, properties: object, *keys: str, path: str = "") -> Any:
        """A property that is known; what the template does not give is noted and None."""
        here: Any = properties
        for key in keys:
            here = mapping(here).get(key)
            if isinstance(here, (Unresolved, ToResource)):
                break
        if isinstance(here, Unresolved):
            self.said.say(f"{name}.{'.'.join(keys)}", here.why, path)
            return None
        return here


def parse_cloudformation(template: dict[str, Any], file: str = "") -> PlanDraft:
    """A decoded template as a draft."""
    resolver = Resolver(template)
    parsed = _Template(SourceNotes(file), resolver)
    said = parsed.said
    for name, raw in resolver.resources.items():
        condition = mapping(raw).get("Condition")
        if condition is not None and resolver.holds(condition) is False:
            continue
        kind = str(mapping(raw).get("Type") or "")
        if kind == "AWS::CloudFormation::Stack":
            said.say(name, "a nested stack: import its template too")
        parsed.resources[str(name)] = (kind, _properties(parsed, str(name), kind, mapping(raw).get("Properties")))
    vpc = _vpc(parsed)
    subnets = _subnets(parsed, vpc)
    if resolver.zones_guessed:
        said.say("", "zones by Fn::GetAZs: taken in alphabetic order")
    cluster_name, cluster = next(parsed.of(*CLUSTERS), ("", {}))
    network = mapping(parsed.known(cluster_name, _settings(cluster), "KubernetesNetworkConfig"))
    family = parsed.known(cluster_name, network, "IpFamily")
    env, cni_version = _cni(parsed)
    return PlanDraft(
        source=f"cloudformation {file}".strip(),
        name=text_of(parsed.known(cluster_name, _settings(cluster), "Name")) or (cluster_name or None),
        kubernetes_version=kubernetes_version_of(parsed.known(cluster_name, _settings(cluster), "Version")),
        service_cidr=block_of(network.get("ServiceIpv4Cidr")),
        ip_family=ip_family_of(family),
        cni_version=cni_version,
        env=env,
        vpc_cidrs=_blocks(parsed, vpc),
        subnets=subnets,
        control_plane=_control_plane(parsed, cluster_name, _settings(cluster)),
        node_groups=tuple(_groups(parsed)),
        tenants=tuple(_tenants(parsed)),
        notes=tuple(said.notes),
        assumed=frozenset(at("vpc.subnets", s.name, "zone") for s in subnets if resolver.zones_guessed and s.zone),
    )


def _properties(parsed: _Template, name: str, kind: str, raw: object) -> Any:
    """A resource's properties, evaluated; empty, with a note, where the template does not give them."""
    value = parsed.resolver.value(raw)
    added = [key for key in mapping(raw) if key.startswith("Fn::")]
    if kind not in READ:
        return mapping(value)
    if isinstance(value, Unresolved):
        parsed.said.say(f"{name}.Properties", value.why)
    elif value is not None and not isinstance(value, dict):
        parsed.said.say(f"{name}.Properties", "is no mapping: left out")
    for key in added if isinstance(value, dict) else ():
        parsed.said.say(f"{name}.Properties.{key}", "is not evaluated: what it adds is not known")
    return mapping(value)


def _settings(cluster: object) -> Any:
    """A cluster's properties; the CDK's custom resource keeps them one level deeper, in small letters."""
    config = mapping(mapping(cluster).get("Config"))
    if not config:
        return mapping(cluster)
    titled = {k[:1].upper() + k[1:]: v for k, v in config.items()}
    network = {k[:1].upper() + k[1:]: v for k, v in mapping(config.get("resourcesVpcConfig")).items()}
    return {**titled, "ResourcesVpcConfig": network}


# --- network --------------------------------------------------------------------------------


def _vpc(parsed: _Template) -> str | None:
    """The logical id of the VPC; of several the one with most subnets."""
    names = [name for name, _ in parsed.of("AWS::EC2::VPC")]
    if len(names) < 2:
        return names[0] if names else None
    owners = [_name(p.get("VpcId")) for _, p in parsed.of("AWS::EC2::Subnet")]
    chosen = max(names, key=owners.count)
    parsed.said.say("", f"{len(names)} VPCs: {chosen} is taken, the subnets of the others are left out", "vpc.cidrs")
    return chosen


def _name(value: object) -> str | None:
    return value.name if isinstance(value, ToResource) else None


def _blocks(parsed: _Template, vpc: str | None) -> tuple[IPv4Network, ...]:
    found = []
    for name, properties in parsed.of("AWS::EC2::VPC"):
        if name == vpc:
            found.append(block_of(parsed.known(name, properties, "CidrBlock", path="vpc.cidrs")))
    for name, properties in parsed.of("AWS::EC2::VPCCidrBlock"):
        if _name(properties.get("VpcId")) in (vpc, None) and "CidrBlock" in properties:
            found.append(block_of(parsed.known(name, properties, "CidrBlock", path="vpc.cidrs")))
    return tuple(dict.fromkeys(b for b in found if b))


def _subnets(parsed: _Template, vpc: str | None) -> tuple[SubnetDraft, ...]:
    drafts: list[SubnetDraft] = []
    for name, properties in parsed.of("AWS::EC2::Subnet"):
        owner = _name(properties.get("VpcId"))
        if owner is not None and vpc is not None and owner != vpc:
            continue
        if bool_of(properties.get("Ipv6Native")):
            parsed.said.say(name, "has IPv6 addresses only: left out")
            continue
        label = unique(text_of(_tag(properties, "Name")) or name, [d.name for d in drafts])
        parsed.subnets[name] = label
        path = at("vpc.subnets", label)
        block = block_of(parsed.known(name, properties, "CidrBlock", path=f"{path}.cidr"))
        zone = text_of(parsed.known(name, properties, "AvailabilityZone", path=f"{path}.zone"))
        stated = map(mapping, items(parsed.known(name, properties, "Tags", path=path)))
        tags = {key: t.get("Value") for t in stated if (key := text_of(t.get("Key")))}
        drafts.append(SubnetDraft(label, zone, block, tags=discovery_tags(tags)))
    return tuple(drafts)


def _tag(properties: Any, key: str) -> Any:
    for tag in map(mapping, items(properties.get("Tags"))):
        if tag.get("Key") == key:
            return tag.get("Value")
    return None


def _subnet_list(parsed: _Template, value: object) -> tuple[str, ...] | None:
    """Names of subnets in a property: resources of the template, or ids."""
    if isinstance(value, str):
        value = value.split(",")
    names = []
    for entry in value if isinstance(value, list) else [value]:
        logical = _name(entry)
        if logical in parsed.subnets:
            names.append(parsed.subnets[str(logical)])
        elif isinstance(entry, str) and entry.strip().startswith("subnet-"):
            names.append(entry.strip())
        elif isinstance(entry, list):
            names += _subnet_list(parsed, entry) or ()
    return tuple(dict.fromkeys(names)) or None


def _control_plane(parsed: _Template, name: str, cluster: object) -> tuple[str, ...] | None:
    return _subnet_list(parsed, parsed.known(name, cluster, "ResourcesVpcConfig", "SubnetIds", path="controlPlane"))


# --- node groups ----------------------------------------------------------------------------


def _groups(parsed: _Template) -> Iterator[GroupDraft]:
    taken: list[str] = []
    for name, properties in parsed.of("AWS::EKS::Nodegroup"):
        group = _managed(parsed, name, properties, taken)
        taken.append(group.name)
        yield group
    for name, properties in parsed.of("AWS::AutoScaling::AutoScalingGroup"):
        if _is_node_group(parsed, properties):
            group = _self_managed(parsed, name, properties, taken)
            taken.append(group.name)
            yield group
        else:
            say_no_nodes(parsed.said, name)
    for name, _ in parsed.of("AWS::EKS::FargateProfile"):
        say_fargate(parsed.said, name)


def _managed(parsed: _Template, name: str, properties: Any, taken: list[str]) -> GroupDraft:
    label = unique(text_of(properties.get("NodegroupName")) or name, taken)
    path = at("nodeGroups", label)
    scaling = parsed.known(name, properties, "ScalingConfig")
    update = mapping(parsed.known(name, properties, "UpdateConfig", path=f"{path}.update"))
    launch = _launch(parsed, properties)
    stated = parsed.known(name, properties, "InstanceTypes", path=f"{path}.instanceTypes")
    types = _types(parsed, name, stated if isinstance(stated, list) else [stated], f"{path}.instanceTypes")
    if not types and launch:
        own = parsed.known(name, launch, "InstanceType", path=f"{path}.instanceTypes")
        types = [own] if text_of(own) else []
    if not types and "InstanceTypes" not in properties and "LaunchTemplate" not in properties:
        types = default_types(parsed.said, name, label)
    for key in ("Taints", "Labels"):  # not in the plan; noted where they are not known
        parsed.known(name, properties, key, path=path)
    return group_draft(
        SourceGroup(
            name=label,
            provisioner="managed",
            types=types,
            ami=text_of(parsed.known(name, properties, "AmiType", path=f"{path}.ami")),
            low=_size(parsed, name, scaling, "MinSize", path),
            desired=_size(parsed, name, scaling, "DesiredSize", path),
            high=_size(parsed, name, scaling, "MaxSize", path),
            subnets=_subnet_list(parsed, parsed.known(name, properties, "Subnets", path=f"{path}.subnets")),
            unavailable_percent=update.get("MaxUnavailablePercentage"),
            unavailable=update.get("MaxUnavailable"),
            user_data=launch.get("UserData"),
        )
    )


def _size(parsed: _Template, name: str, properties: object, key: str, path: str) -> object:
    return parsed.known(name, properties, key, path=f"{path}.nodes")


def _types(parsed: _Template, name: str, stated: Sequence[Any], path: str) -> list[str]:
    types = []
    for entry in stated:
        if isinstance(entry, Unresolved):
            parsed.said.say(f"{name} instance types", entry.why, path)
        elif isinstance(entry, str):
            types += [t.strip() for t in entry.split(",") if text_of(t)]
        elif isinstance(entry, list):
            types += _types(parsed, name, entry, path)
    return types


def _launch(parsed: _Template, properties: Any) -> Any:
    """The launch template's data or the launch configuration of a group, where it is in the template."""
    mixed = mapping(mapping(properties.get("MixedInstancesPolicy")).get("LaunchTemplate"))
    stated = mapping(mixed.get("LaunchTemplateSpecification")) or mapping(properties.get("LaunchTemplate"))
    keys = ("LaunchTemplateId", "LaunchTemplateName", "Id", "Name", "Version")
    wanted = {_name(v) for k in keys if (v := stated.get(k))}
    templates = dict(parsed.of("AWS::EC2::LaunchTemplate"))
    for name, template in templates.items():
        given = template.get("LaunchTemplateName")
        same = isinstance(given, str) and given in (stated.get("LaunchTemplateName"), stated.get("Name"))
        if name in wanted or same:
            return mapping(template.get("LaunchTemplateData"))
    if stated and len(templates) == 1:
        return mapping(next(iter(templates.values())).get("LaunchTemplateData"))
    configuration = _name(properties.get("LaunchConfigurationName"))
    for name, launch in parsed.of("AWS::AutoScaling::LaunchConfiguration"):
        if name == configuration:
            return launch
    return {}


def _is_node_group(parsed: _Template, properties: Any) -> bool:
    for tag in map(mapping, items(properties.get("Tags"))):
        key = tag.get("Key")
        text = key.why if isinstance(key, Unresolved) else str(key)
        if "kubernetes.io/cluster" in text or "k8s.io/cluster" in text or isinstance(key, Unresolved):
            return True
    return is_node_script(_text(_launch(parsed, properties).get("UserData")))


def _text(value: object) -> str:
    """Text to search in, of a script that may be resolved in parts only."""
    return value if isinstance(value, str) else value.why if isinstance(value, Unresolved) else ""


def _self_managed(parsed: _Template, name: str, properties: Any, taken: list[str]) -> GroupDraft:
    label = unique(text_of(properties.get("AutoScalingGroupName")) or name, taken)
    path = at("nodeGroups", label)
    launch = _launch(parsed, properties)
    policy = parsed.known(name, properties, "MixedInstancesPolicy", path=f"{path}.instanceTypes")
    mixed = mapping(mapping(policy).get("LaunchTemplate"))
    overrides = [mapping(o).get("InstanceType") for o in items(mixed.get("Overrides"))]
    types = _types(parsed, name, overrides, f"{path}.instanceTypes")
    if not types:
        own = parsed.known(name, launch, "InstanceType", path=f"{path}.instanceTypes")
        types = [str(own)] if text_of(own) else []
    return group_draft(
        SourceGroup(
            name=label,
            provisioner="self-managed",
            types=types,
            low=_size(parsed, name, properties, "MinSize", path),
            desired=_size(parsed, name, properties, "DesiredCapacity", path),
            high=_size(parsed, name, properties, "MaxSize", path),
            subnets=_subnet_list(parsed, parsed.known(name, properties, "VPCZoneIdentifier", path=f"{path}.subnets")),
            user_data=_text(launch.get("UserData")),
        )
    )


# --- the CNI and tenants ----------------------------------------------------------------------


def _cni(parsed: _Template) -> tuple[dict[str, str], str | None]:
    for name, properties in parsed.of("AWS::EKS::Addon"):
        if properties.get("AddonName") == "vpc-cni":
            values = parsed.known(name, properties, "ConfigurationValues", path="cni.env")
            version = parsed.known(name, properties, "AddonVersion")
            env = addon_environment(values, parsed.said, f"{name}.ConfigurationValues")
            return env, cni_version_of(version) if isinstance(version, str) else None
    return {}, None


def _tenants(parsed: _Template) -> Iterator[TenantDraft]:
    for name, properties in parsed.of(*_TENANTS):
        resource_type = parsed.resources[name][0]
        kind, key = _TENANTS[resource_type]
        if kind == "vpcEndpoint" and properties.get("VpcEndpointType") != "Interface":
            continue
        if properties.get("Type") == "network":
            kind = "nlb"
        subnets = _subnet_list(parsed, parsed.known(name, properties, key, path="tenants"))
        placed = tuple(s for s in subnets or () if s in parsed.subnets.values())
        if placed:
            yield TenantDraft(name, kind, placed)
        elif not re.match("Fn::", str(properties.get(key))):
            parsed.said.say(name, "its subnets are not in this template: left out", "tenants")


def read(paths: Sequence[str]) -> PlanDraft:
    """Templates in files as one draft."""
    from capacity.readers.sources import documents_of

    return documents_of("cloudformation", paths, parse_cloudformation)
