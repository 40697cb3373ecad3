"""Node groups of a template: managed ones, and Auto Scaling groups whose instances are nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from capacity.readers.cloudformation.parsed_template import (
    CLUSTERS,
    ParsedTemplate,
    items_of,
    known_text,
    resource_name,
    short_name,
)
from capacity.readers.cloudformation.partial_values import Unresolved
from capacity.readers.draft import GroupDraft, TenantDraft, at, unique
from capacity.readers.efa import template_tenant
from capacity.readers.node_group import (
    SourceGroup,
    default_types,
    eks_default_ami,
    group_draft,
    own_image,
    say_eniconfig,
    say_fargate,
    say_no_nodes,
    say_taints,
    taint_text,
)
from capacity.readers.user_data import (
    ami_of_parameter,
    family_of_user_data,
    is_node_script,
    max_pods_in,
    max_pods_of_user_data,
)
from capacity.readers.values import int_of, items, kubernetes_version_of, mapping, text_of

CDK_FARGATE = "Custom::AWSCDK-EKS-FargateProfile"  # aws/aws-cdk packages/aws-cdk-lib/aws-eks/lib/fargate-profile.ts
UNKNOWN_TEMPLATE: dict[str, Any] = {}


@dataclass(frozen=True)
class NodeGroups:
    """Node groups, and the holders of addresses that their nodes bring along."""

    groups: tuple[GroupDraft, ...]
    holders: tuple[TenantDraft, ...]


def read_node_groups(parsed: ParsedTemplate) -> NodeGroups:
    """All node groups of the templates."""
    groups: list[GroupDraft] = []
    holders: list[TenantDraft] = []
    for name, properties in parsed.of("AWS::EKS::Nodegroup"):
        other = _other_cluster(parsed, properties)
        if other is not None:
            parsed.said.leave_out(name, f"a node group of cluster {other}: ignored")
            continue
        groups.append(_managed(parsed, name, properties, [g.name for g in groups]))
        holders += _interfaces(parsed, name, properties, groups[-1])
    for name, properties in parsed.of("AWS::AutoScaling::AutoScalingGroup"):
        if _is_node_group(parsed, properties):
            groups.append(_self_managed(parsed, name, properties, [g.name for g in groups]))
            holders += _interfaces(parsed, name, properties, groups[-1])
        else:
            say_no_nodes(parsed.said, name)
    for name, properties in parsed.of("AWS::EKS::FargateProfile"):
        spaces = [text_of(s.get("Namespace")) for s in items_of(properties.get("Selectors"))]
        subnets = parsed.subnet_list(parsed.known(name, properties, "Subnets"))
        say_fargate(parsed.said, name, spaces, subnets or ())
    for name, properties in parsed.of(CDK_FARGATE):
        config = mapping(properties.get("Config"))
        parsed.said.use(CDK_FARGATE, name)
        spaces = [text_of(s.get("namespace")) for s in items_of(config.get("selectors"))]
        say_fargate(parsed.said, name, spaces, parsed.subnet_list(config.get("subnets")) or ())
    return NodeGroups(tuple(groups), tuple(holders))


def _other_cluster(parsed: ParsedTemplate, properties: Any) -> str | None:
    """Name of the cluster of a node group, if it is not the one of the plan."""
    clusters = [(name, mapping(c).get("Name")) for name, c in parsed.of(*CLUSTERS)]
    wanted = properties.get("ClusterName")
    wanted = resource_name(wanted) or text_of(wanted)
    return next((name for name, stated in clusters[1:] if wanted is not None and wanted in (name, stated)), None)


def _managed(parsed: ParsedTemplate, name: str, properties: Any, taken: list[str]) -> GroupDraft:
    label = unique(text_of(properties.get("NodegroupName")) or short_name(name), taken)
    path = at("nodeGroups", label)
    scaling = parsed.known(name, properties, "ScalingConfig")
    update = mapping(parsed.known(name, properties, "UpdateConfig", path=f"{path}.update"))
    launch = _launch(parsed, properties)
    settings = launch or UNKNOWN_TEMPLATE
    labels = parsed.known(name, properties, "Labels", path=path)
    say_eniconfig(parsed.said, name, label, mapping(labels).items())
    taints = items_of(parsed.known(name, properties, "Taints", path=path))
    shown = [taint_text(t.get("Key"), t.get("Value"), t.get("Effect")) for t in taints]
    say_taints(parsed.said, name, label, shown)
    draft = group_draft(
        SourceGroup(
            name=label,
            provisioner="managed",
            types=_managed_types(parsed, name, properties, launch, label),
            ami=text_of(parsed.known(name, properties, "AmiType", path=f"{path}.ami"))
            or _image_family(settings)
            or _default_family(parsed, name, properties, launch),
            low=_size(parsed, name, scaling, "MinSize", path),
            desired=_size(parsed, name, scaling, "DesiredSize", path),
            high=_size(parsed, name, scaling, "MaxSize", path),
            subnets=parsed.subnet_list(parsed.known(name, properties, "Subnets", path=f"{path}.subnets")),
            unavailable_percent=update.get("MaxUnavailablePercentage"),
            unavailable=update.get("MaxUnavailable"),
            update_strategy=(text_of(update.get("UpdateStrategy")) or "").lower(),
            user_data=known_text(settings.get("UserData")),
            spot=text_of(parsed.known(name, properties, "CapacityType", path=path)) == "SPOT",
        )
    )
    if settings.get("ImageId") is None:
        return draft
    _say_unknown_image(parsed, name, draft)
    return _with_image(parsed, name, draft, settings)


def _default_family(parsed: ParsedTemplate, name: str, properties: Any, launch: Any) -> str | None:
    """AL2 where it is EKS's default: below Kubernetes 1.30, if neither the group nor a launch template has an image."""
    if "AmiType" in properties or launch is None or launch.get("ImageId") is not None:
        return None
    _, cluster = next(parsed.of(*CLUSTERS), ("", {}))
    version = kubernetes_version_of(properties.get("Version")) or kubernetes_version_of(mapping(cluster).get("Version"))
    if eks_default_ami(version) != "al2":
        return None
    text = f"no AmiType: EKS uses AL2 with Kubernetes {version}"
    parsed.said.say(name, text, at("nodeGroups", short_name(name), "ami"))
    return "al2"


def _managed_types(parsed: ParsedTemplate, name: str, properties: Any, launch: Any, label: str) -> Sequence[str]:
    """Types of a managed group: its own, those of its launch template, else EKS's default."""
    path = at("nodeGroups", label, "instanceTypes")
    stated = parsed.known(name, properties, "InstanceTypes", path=path)
    types = _types(parsed, name, stated if isinstance(stated, list) else [stated], path)
    if types or "InstanceTypes" in properties:
        return types
    if launch is None:
        parsed.said.say(f"{name}.LaunchTemplate", "its instance type is not in this template", path)
        return ()
    if launch.get("InstanceRequirements") is not None:
        parsed.said.say(f"{name}.LaunchTemplate", "InstanceRequirements: EC2 chooses among the types: not known", path)
        return ()
    if "InstanceType" in launch:
        own = parsed.known(name, launch, "InstanceType", path=path)
        return [own] if text_of(own) else []
    return default_types(parsed.said, name, label)


def _with_image(parsed: ParsedTemplate, name: str, draft: GroupDraft, settings: Any) -> GroupDraft:
    """A managed group whose launch template has the image: EKS does not set its max pods."""
    script = known_text(settings.get("UserData"))
    number, expression = max_pods_of_user_data(script)
    number = number or max_pods_in(script)
    if number or expression:
        return replace(draft, max_pods=number, max_pods_expression=expression)
    return own_image(draft, parsed.said, name)


def _size(parsed: ParsedTemplate, name: str, properties: object, key: str, path: str) -> object:
    return parsed.known(name, properties, key, path=f"{path}.nodes")


def _types(parsed: ParsedTemplate, name: str, stated: Sequence[Any], path: str) -> list[str]:
    types = []
    for entry in stated:
        if isinstance(entry, Unresolved):
            parsed.said.say(f"{name} instance types", entry.why, path)
        elif isinstance(entry, str):
            types += [t.strip() for t in entry.split(",") if text_of(t)]
        elif isinstance(entry, list):
            types += _types(parsed, name, entry, path)
    return types


def _launch(parsed: ParsedTemplate, properties: Any) -> Any:
    """Data of a group's launch template or launch configuration; empty if it has none, None if it is elsewhere."""
    mixed = mapping(mapping(properties.get("MixedInstancesPolicy")).get("LaunchTemplate"))
    stated = mapping(mixed.get("LaunchTemplateSpecification")) or mapping(properties.get("LaunchTemplate"))
    keys = ("LaunchTemplateId", "LaunchTemplateName", "Id", "Name", "Version")
    wanted = {resource_name(v) for k in keys if (v := stated.get(k))}
    templates = dict(parsed.of("AWS::EC2::LaunchTemplate"))
    for name, template in templates.items():
        given = template.get("LaunchTemplateName")
        same = isinstance(given, str) and given in (stated.get("LaunchTemplateName"), stated.get("Name"))
        if name in wanted or same:
            return mapping(template.get("LaunchTemplateData"))
    if stated and len(templates) == 1:
        return mapping(next(iter(templates.values())).get("LaunchTemplateData"))
    configuration = resource_name(properties.get("LaunchConfigurationName"))
    for name, launch in parsed.of("AWS::AutoScaling::LaunchConfiguration"):
        if name == configuration:
            return launch
    return None if stated or properties.get("LaunchConfigurationName") is not None else {}


def _image_family(launch: Any) -> str | None:
    """AMI family of a launch template: by the parameter that has its image, else by its boot script."""
    image = launch.get("ImageId")
    by_image = ami_of_parameter(image.ssm) if isinstance(image, Unresolved) else None
    return by_image or family_of_user_data(known_text(launch.get("UserData")))


def _is_node_group(parsed: ParsedTemplate, properties: Any) -> bool:
    for tag in items_of(properties.get("Tags")):
        key = tag.get("Key")
        text = key.text or key.why if isinstance(key, Unresolved) else known_text(key)
        if "kubernetes.io/cluster" in text or "k8s.io/cluster" in text or isinstance(key, Unresolved):
            return True
    return is_node_script(known_text((_launch(parsed, properties) or {}).get("UserData")))


def _self_managed(parsed: ParsedTemplate, name: str, properties: Any, taken: list[str]) -> GroupDraft:
    label = unique(text_of(properties.get("AutoScalingGroupName")) or short_name(name), taken)
    path = at("nodeGroups", label)
    launch = _launch(parsed, properties) or UNKNOWN_TEMPLATE
    policy = parsed.known(name, properties, "MixedInstancesPolicy", path=f"{path}.instanceTypes")
    mixed = mapping(mapping(policy).get("LaunchTemplate"))
    overrides = [mapping(o).get("InstanceType") for o in items(mixed.get("Overrides"))]
    types = _types(parsed, name, overrides, f"{path}.instanceTypes")
    if not types:
        own = parsed.known(name, launch, "InstanceType", path=f"{path}.instanceTypes")
        types = [str(own)] if text_of(own) else []
    script = known_text(launch.get("UserData"))
    draft = group_draft(
        SourceGroup(
            name=label,
            provisioner="self-managed",
            types=types,
            ami=_image_family(launch),
            low=_size(parsed, name, properties, "MinSize", path),
            desired=_size(parsed, name, properties, "DesiredCapacity", path),
            high=_size(parsed, name, properties, "MaxSize", path),
            subnets=parsed.subnet_list(parsed.known(name, properties, "VPCZoneIdentifier", path=f"{path}.subnets")),
            user_data=script,
            spot=_is_spot(mapping(policy), launch),
        )
    )
    if launch.get("ImageId") is not None:
        _say_unknown_image(parsed, name, draft)
    return replace(draft, max_pods_expression=max_pods_of_user_data(script)[1])


def _say_unknown_image(parsed: ParsedTemplate, name: str, draft: GroupDraft) -> None:
    if draft.ami is None:
        text = "neither the image nor the boot script shows the AMI family: assumed al2023"
        parsed.said.say(name, text, at("nodeGroups", draft.name, "ami"))


def _is_spot(policy: Any, launch: Any) -> bool:
    distribution = mapping(policy.get("InstancesDistribution"))
    base, above = distribution.get("OnDemandBaseCapacity"), distribution.get("OnDemandPercentageAboveBaseCapacity")
    if int_of(above) == 0 and not int_of(base):
        return True
    return mapping(launch.get("InstanceMarketOptions")).get("MarketType") == "spot"


def _interfaces(parsed: ParsedTemplate, name: str, properties: Any, group: GroupDraft) -> list[TenantDraft]:
    """Holder of the addresses of interfaces that a launch template has on additional network cards."""
    launch = _launch(parsed, properties) or {}
    holder = template_tenant(group, items_of(launch.get("NetworkInterfaces")), parsed.said, name)
    return [holder] if holder else []
