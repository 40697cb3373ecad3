"""The CNI's add-on of a template, and the other holders of addresses that it creates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from capacity.readers.cloudformation.parsed_template import HOLDERS, ParsedTemplate, items_of, short_name
from capacity.readers.cloudformation.partial_values import Pieces, ToResource
from capacity.readers.cni_addon import CniValues, addon_values, cni_version_of, is_cni_chart
from capacity.readers.draft import SubnetDraft, TenantDraft, unique
from capacity.readers.values import int_of, items, mapping

CDK_CHART = "Custom::AWSCDK-EKS-HelmChart"  # aws/aws-cdk packages/aws-cdk-lib/aws-eks/lib/helm-chart.ts


def cni_of(parsed: ParsedTemplate) -> tuple[CniValues, str | None]:
    """Settings of the vpc-cni add-on or of its chart, and the version; other add-ons are accounted for."""
    found: tuple[CniValues, str | None] = CniValues(), None
    for name, properties in parsed.of("AWS::EKS::Addon"):
        addon = properties.get("AddonName")
        if addon == "vpc-cni":
            given = parsed.known(name, properties, "ConfigurationValues", path="cni.env")
            version = parsed.known(name, properties, "AddonVersion")
            text, subnets = with_made_up_ids(parsed, given)
            values = addon_values(text, parsed.said, f"{name}.ConfigurationValues", subnets)
            found = values, cni_version_of(version) if isinstance(version, str) else None
        elif addon not in ("coredns", "kube-proxy"):  # in every cluster
            parsed.said.meet("add-on", str(addon) if isinstance(addon, str) else name)
    for name, properties in parsed.of(CDK_CHART):
        chart = parsed.known(name, properties, "Chart")
        if isinstance(chart, str) and is_cni_chart(chart):
            text, subnets = with_made_up_ids(parsed, parsed.known(name, properties, "Values", path="cni.env"))
            found = addon_values(text, parsed.said, f"{name}.Values", subnets), None
            parsed.said.use(CDK_CHART, name)
    return found


def with_made_up_ids(parsed: ParsedTemplate, value: object, first: int = 0) -> tuple[object, dict[str, str]]:
    """A text with a made-up ID for each subnet that it refers to, and the name of the subnet of each."""
    if not isinstance(value, Pieces):
        return value, {}
    names: dict[str, str] = {}
    words = []
    for part in value.parts:
        if isinstance(part, ToResource):
            made_up = f"subnet-ref-{first + len(names)}"
            names[made_up] = parsed.subnets.get(part.name, part.name)
            words.append(made_up)
        else:
            words.append(part)
    return "".join(words), names


def joined_subnets(
    subnets: tuple[SubnetDraft, ...], pods: tuple[SubnetDraft, ...]
) -> tuple[tuple[SubnetDraft, ...], tuple[str, ...]]:
    """All subnets, and the names of those for pods, which can be resources of the template."""
    there = {s.name for s in subnets}
    return (*subnets, *(p for p in pods if p.name not in there)), tuple(p.name for p in pods)


def tenants_of(parsed: ParsedTemplate) -> Iterator[TenantDraft]:
    """Holders of addresses in subnets of the templates."""
    taken: list[str] = []
    for name, properties in parsed.of(*HOLDERS):
        kind, keys = HOLDERS[parsed.resources[name][0]]
        if not _holds(kind, properties):
            continue
        if properties.get("Type") == "network":
            kind = "nlb"
        subnets = parsed.subnet_list(_subnets(parsed, name, properties, keys))
        placed = tuple(s for s in subnets or () if s in parsed.subnets.values())
        if placed:
            taken.append(unique(short_name(name), taken))
            yield TenantDraft(taken[-1], kind, placed, _addresses(kind, properties))
        else:
            parsed.said.leave_out(name, f"its subnets are not in this template: no tenant of kind {kind}", "tenants")


def _holds(kind: str, properties: Any) -> bool:
    """Whether the resource has interfaces in subnets at all."""
    if kind == "vpcEndpoint":
        return bool(properties.get("VpcEndpointType") == "Interface")
    return kind != "lambda" or bool(mapping(properties.get("VpcConfig")).get("SubnetIds"))


def _subnets(parsed: ParsedTemplate, name: str, properties: Any, keys: tuple[str, ...]) -> Any:
    """Value of the property with the subnets; a load balancer or an instance can have them in a list of mappings."""
    for section in ("SubnetMappings", "NetworkInterfaces"):
        nested = [entry.get("SubnetId") for entry in items_of(properties.get(section)) if entry.get("SubnetId")]
        if nested:
            return nested
    return parsed.known(name, properties, *keys, path="tenants")


def _addresses(kind: str, properties: Any) -> int | None:
    """Addresses of an instance with more than one; None for the usual number of its kind."""
    if kind != "ec2":
        return None
    interfaces = items_of(properties.get("NetworkInterfaces")) or [{}]
    count = sum(
        max(len(items(i.get("PrivateIpAddresses"))), 1) + (int_of(i.get("SecondaryPrivateIpAddressCount")) or 0)
        for i in interfaces
    )
    return count if count > 1 else None
