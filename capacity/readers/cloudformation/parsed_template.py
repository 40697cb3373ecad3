"""The resources of a template and its nested stacks, with their properties evaluated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from capacity.readers.cloudformation.intrinsics import STACK, Resolver
from capacity.readers.cloudformation.partial_values import Pieces, ToResource, Unresolved
from capacity.readers.draft import SourceNotes
from capacity.readers.values import items, mapping, subnet_id_of

CLUSTERS = ("AWS::EKS::Cluster", "AWSQS::EKS::Cluster", "Custom::AWSCDK-EKS-Cluster")
HOLDERS = {  # kind of tenant, and the property with its subnets
    "AWS::EC2::NatGateway": ("natGateway", ("SubnetId",)),
    "AWS::EC2::VPCEndpoint": ("vpcEndpoint", ("SubnetIds",)),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("alb", ("Subnets",)),
    "AWS::ElasticLoadBalancing::LoadBalancer": ("clb", ("Subnets",)),
    "AWS::EFS::MountTarget": ("efs", ("SubnetId",)),
    "AWS::EC2::Instance": ("ec2", ("SubnetId",)),
    "AWS::Lambda::Function": ("lambda", ("VpcConfig", "SubnetIds")),
    "AWS::Serverless::Function": ("lambda", ("VpcConfig", "SubnetIds")),
    "AWS::EC2::TransitGatewayAttachment": ("transitGateway", ("SubnetIds",)),
    "AWS::EC2::TransitGatewayVpcAttachment": ("transitGateway", ("SubnetIds",)),
    "AWS::DirectoryService::MicrosoftAD": ("directory", ("VpcSettings", "SubnetIds")),
    "AWS::DirectoryService::SimpleAD": ("directory", ("VpcSettings", "SubnetIds")),
}
READ = (  # resources that have a part in a plan, or a note of their own
    *CLUSTERS,
    *HOLDERS,
    *("AWS::EC2::VPC", "AWS::EC2::VPCCidrBlock", "AWS::EC2::Subnet", "AWS::EC2::LaunchTemplate"),
    *("AWS::EKS::Nodegroup", "AWS::EKS::Addon", "AWS::EKS::FargateProfile"),
    *("AWS::AutoScaling::AutoScalingGroup", "AWS::AutoScaling::LaunchConfiguration"),
)
_NO_MACRO = ("AWS::LanguageExtensions", "AWS::Serverless", "AWS::SecretsManager", "AWS::CodeDeployBlueGreen")


@dataclass
class ParsedTemplate:
    """One template with its nested stacks: the resources that it creates, with their properties evaluated.

    Attributes
    ----------
    resources : dict
        Type and properties by name; the name of a resource in a nested stack starts with that of the stack.
    subnets : dict of str to str
        Name in the plan of each subnet.
    """

    said: SourceNotes
    resolvers: Sequence[Resolver]
    resources: dict[str, tuple[str, Any]] = field(default_factory=dict)
    subnets: dict[str, str] = field(default_factory=dict)

    def of(self, *types: str) -> Iterator[tuple[str, Any]]:
        for name, (kind, properties) in self.resources.items():
            if kind in types:
                yield name, properties

    def known(self, name: str, properties: object, *keys: str, path: str = "") -> Any:
        """Value of a property; None with a note if the template does not determine it."""
        here: Any = properties
        for key in keys:
            here = mapping(here).get(key)
            if isinstance(here, (Unresolved, ToResource)):
                break
        if isinstance(here, Unresolved):
            self.said.say(f"{name}.{'.'.join(keys)}", here.why, path)
            return None
        return here

    def subnet_list(self, value: object) -> tuple[str, ...] | None:
        """Names of subnets in a property: resources of the template, or IDs."""
        if isinstance(value, (str, Pieces)):
            value = value.split(",")
        names: list[str] = []
        for entry in value if isinstance(value, list) else [value]:
            logical = resource_name(entry)
            if logical in self.subnets:
                names.append(self.subnets[str(logical)])
            elif isinstance(entry, str) and subnet_id_of(entry.strip()):
                names.append(entry.strip())
            elif isinstance(entry, list) or (isinstance(entry, (str, Pieces)) and len(entry.split(",")) > 1):
                names += self.subnet_list(entry) or ()
        return tuple(dict.fromkeys(names)) or None


def resource_name(value: object) -> str | None:
    """Name of the resource that a value refers to."""
    return value.name if isinstance(value, ToResource) else None


def short_name(name: str) -> str:
    """Logical ID of a resource without its nested stack."""
    return name.rpartition(".")[2]


def known_text(value: object) -> str:
    """Text to search in, of a script of which some parts may not be known."""
    if isinstance(value, (Unresolved, Pieces)):
        return value.text
    return value if isinstance(value, str) else ""


def parse_resources(resolvers: Sequence[Resolver], said: SourceNotes) -> ParsedTemplate:
    """Evaluate the resources of a template and its nested stacks, and account for all of them."""
    parsed = ParsedTemplate(said, resolvers)
    unsure: dict[str, list[str]] = {}
    for resolver in resolvers:
        for name, raw in resolver.resources.items():
            condition = mapping(raw).get("Condition")
            held = True if condition is None else resolver.holds(condition)
            if held is False:
                continue
            full, kind = resolver.scope + str(name), str(mapping(raw).get("Type") or "")
            if isinstance(held, Unresolved) and kind in READ:
                unsure.setdefault(f"the condition {condition} is not known ({held.why})", []).append(full)
            said.meet(kind, full)
            if kind in READ or kind == STACK:
                said.use(kind, full)
            if kind == STACK and str(name) not in resolver.children:
                address = address_text(mapping(mapping(raw).get("Properties")).get("TemplateURL"))
                which = f" ({address[:120]})" if address else ""
                said.leave_out(full, f"a nested stack{which}: import its template too")
            properties = _properties(resolver, said, full, kind, mapping(raw).get("Properties"))
            parsed.resources[full] = (kind, properties)
        for loop, why in resolver.open_loops.items():
            said.leave_out(f"{resolver.scope}{loop}", f"{why}: what it creates is not in the plan")
        for macro in _macros(resolver.template.get("Transform")):
            said.meet("Fn::Transform", macro)
    for why, names in unsure.items():
        said.say("", f"{why}: assumed true for {', '.join(names)}")
    return parsed


def _macros(transform: object) -> Iterator[str]:
    for entry in transform if isinstance(transform, list) else [transform]:
        name = str(mapping(entry).get("Name") or "") if isinstance(entry, dict) else str(entry or "")
        if name and not name.startswith(_NO_MACRO):
            yield name


def _properties(resolver: Resolver, said: SourceNotes, name: str, kind: str, raw: object) -> Any:
    """A resource's properties, evaluated; empty, with a note, where the template does not give them."""
    value = resolver.value(raw)
    added = [key for key in mapping(raw) if key.startswith("Fn::") and key not in resolver.open_loops]
    if kind not in READ:
        return mapping(value)
    if isinstance(value, Unresolved):
        said.say(f"{name}.Properties", value.why)
    elif value is not None and not isinstance(value, dict):
        said.say(f"{name}.Properties", "is not a mapping: ignored")
    for key in added if isinstance(value, dict) else ():
        if not key.startswith("Fn::ForEach::"):
            said.say(f"{name}.Properties.{key}", "is not evaluated: the properties it adds are not known")
    return mapping(value)


def address_text(value: object) -> str:
    """Text of a template's address, or the last text in a function that makes one."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        sub = items(value.get("Fn::Sub"))
        return address_text(sub[0]) if sub else address_text(list(value.values()))
    return next((text for entry in reversed(items(value)) if (text := address_text(entry))), "")


def items_of(value: object) -> list[Any]:
    """Mappings of a list; other values are empty ones."""
    return [mapping(entry) for entry in items(value)]
