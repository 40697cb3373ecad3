"""Read node groups from Terraform resources: managed ones, Auto Scaling groups of the cluster, launch templates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from capacity.catalog.table import load_catalog
from capacity.readers.draft import GroupDraft, at, unique
from capacity.readers.efa import efa_tenant
from capacity.readers.node_group import (
    SourceGroup,
    default_types,
    eks_default_ami,
    group_draft,
    say_eniconfig,
    say_fargate,
    say_no_nodes,
    say_taints,
    taint_text,
    with_expression,
)
from capacity.readers.terraform.resource import Resource, Stack, first_block
from capacity.readers.user_data import family_of_user_data, is_node_script, max_pods_in, script_of
from capacity.readers.values import int_of, items, kubernetes_version_of, mapping, text_of


def node_groups(stack: Stack, cluster: Resource | None) -> Iterator[GroupDraft]:
    """Node groups of the cluster; the addresses of their EFA interfaces become holders of the stack."""
    mine = text_of(cluster.value("name")) if cluster else None
    version = kubernetes_version_of(cluster.value("version")) if cluster else None
    taken: list[str] = []
    for resource in stack.of("aws_eks_node_group"):
        stack.said.use(resource.type, resource.address)
        if _is_of_another(stack, resource, mine):
            continue
        yield _counted(stack, resource, _managed(stack, resource, taken, version), taken)
    for resource in stack.of("aws_autoscaling_group"):
        stack.said.use(resource.type, resource.address)
        if _is_of_another(stack, resource, mine):
            continue
        if _is_node_asg(stack, resource):
            yield _counted(stack, resource, _self_managed(stack, resource, taken), taken)
        elif not str(resource.value("name")).startswith("eks-"):
            say_no_nodes(stack.said, resource.address)
    for resource in stack.of("aws_eks_fargate_profile"):
        stack.said.use(resource.type, resource.address)
        spaces = [text_of(mapping(s).get("namespace")) for s in items(resource.value("selector"))]
        say_fargate(stack.said, resource.address, spaces, stack.subnet_names(resource, "subnet_ids"))


def _is_of_another(stack: Stack, resource: Resource, mine: str | None) -> bool:
    """Whether a group is of another cluster of the input, which is noted."""
    other = text_of(resource.value("cluster_name"))
    if not mine or not other or other == mine or len(stack.of("aws_eks_cluster")) < 2:
        return False
    stack.said.leave_out(resource.address, f"a node group of cluster {other}: ignored")
    return True


def _counted(stack: Stack, resource: Resource, group: GroupDraft, taken: list[str]) -> GroupDraft:
    """The group, with its name taken and its EFA interfaces recorded."""
    taken.append(group.name)
    if resource.value("efa") or _has_efa(_launch_template(stack, resource)):
        holder = efa_tenant(group, load_catalog(), stack.said, resource.address)
        stack.holders += [holder] if holder else []
    return group


def _has_efa(template: Resource | None) -> bool:
    """Whether a launch template has EFA interfaces with addresses; those of type ``efa-only`` have none."""
    interfaces = items(template.value("network_interfaces")) if template else []
    return any(mapping(i).get("interface_type") == "efa" for i in interfaces)


def _group_name(resource: Resource, taken: list[str], *keys: str) -> str:
    stated = next((t for k in keys if (t := text_of(resource.value(k)))), None)
    index = "" if resource.index is None or not str(resource.index).strip() else f"-{resource.index}"
    module = resource.module[-1] if resource.module else ""
    inner = re.search(r'\["([^"]+)"\]', module)
    fallback = inner[1] if inner else f"{resource.name}{index}"
    return unique((stated or fallback).rstrip("-"), taken)


def _managed(stack: Stack, resource: Resource, taken: list[str], cluster_version: str | None) -> GroupDraft:
    name = _group_name(resource, taken, "node_group_name", "node_group_name_prefix")
    scaling = mapping(first_block(resource.value("scaling_config")))
    update = mapping(first_block(resource.value("update_config")))
    template = _launch_template(stack, resource)
    types = [t for t in map(text_of, items(resource.value("instance_types"))) if t]
    path = at("nodeGroups", name, "instanceTypes")
    if not types and template is not None and text_of(template.value("instance_type")):
        types = [str(template.value("instance_type"))]
    elif not types and resource.unknown_of("instance_types") == "given":
        stack.said.say(f"{resource.address}.instance_types", "not known", path)
    elif not types and (template is not None or resource.value("launch_template")):
        stack.said.say(resource.address, "the type is in a launch template that is not in this file", path)
    elif not types:
        types = default_types(stack.said, resource.address, name)
    subnets = stack.subnet_names(resource, "subnet_ids") or _likely_subnets(stack, resource, name)
    _say_taints(stack, resource, name)
    say_eniconfig(stack.said, resource.address, name, mapping(resource.value("labels")).items())
    user_data = _user_data(stack, resource, template)
    draft = group_draft(
        SourceGroup(
            name=name,
            provisioner="managed",
            types=types,
            ami=_family(stack, resource, template, cluster_version),
            low=scaling.get("min_size"),
            desired=scaling.get("desired_size"),
            high=scaling.get("max_size"),
            subnets=subnets,
            unavailable_percent=update.get("max_unavailable_percentage"),
            unavailable=update.get("max_unavailable"),
            update_strategy=text_of(update.get("update_strategy")),
            user_data=user_data,
            spot=str(resource.value("capacity_type")).upper() == "SPOT",
        )
    )
    return with_expression(draft, user_data)


def _say_taints(stack: Stack, resource: Resource, name: str) -> None:
    """Note the taints of a managed group: blocks of the resource, or a mapping of the module."""
    stated = resource.value("taint")
    blocks = list(stated.values()) if isinstance(stated, dict) and "effect" not in stated else items(stated)
    taints = map(mapping, blocks or ([stated] if isinstance(stated, dict) and stated else []))
    shown = [taint_text(t.get("key"), t.get("value"), t.get("effect")) for t in taints]
    say_taints(stack.said, resource.address, name, shown)


def _family(stack: Stack, resource: Resource, template: Resource | None, cluster_version: str | None) -> str | None:
    """AMI family: as stated, of the boot script of an own image, else AL2 if that is the default of EKS."""
    stated = text_of(resource.value("ami_type"))
    if stated and stated.upper() != "CUSTOM":
        return stated
    if stated or resource.value("custom_ami") or (template and template.value("image_id")):
        return family_of_user_data(script_of(template.text("user_data"))) if template else None
    version = kubernetes_version_of(resource.value("version")) or cluster_version
    return "al2" if not stack.is_given(resource, "ami_type") and eks_default_ami(version) == "al2" else None


def _user_data(stack: Stack, resource: Resource, template: Resource | None) -> Any:
    """User data of the launch template, or of the module; a note if it is there and not known."""
    found = resource.value("user_data") or (template.value("user_data") if template else None)
    if found is not None or template is None or not template.unknown_of("user_data"):
        return found
    partial = template.partial.get("user_data")
    if partial is None:
        stack.said.say(template.address, "its user data is not known: it can set max pods", "nodeGroups")
        return None
    found = partial.replace("--use-max-pods", "")  # alone it says nothing: the number can be in an unknown part
    if max_pods_in(found) is None:
        stack.said.say(template.address, "its user data is known in part: the rest can set max pods", "nodeGroups")
    return found


def _launch_template(stack: Stack, resource: Resource, *above: str) -> Resource | None:
    """Launch template of a group: by ID or name, or through the configuration."""
    stated = mapping(first_block(resource.value(*above, "launch_template")))
    if "launch_template_specification" in stated:
        stated = mapping(first_block(stated["launch_template_specification"]))
    templates = stack.of("aws_launch_template")
    wanted = {text_of(stated.get(k)) for k in ("id", "name", "launch_template_id", "launch_template_name")} - {None}
    for template in templates:
        if wanted & {text_of(template.value("id")), text_of(template.value("name"))}:
            return template
    prefix = ".".join((*above, "launch_template"))
    for key in ("id", "name", "version", "launch_template_specification.launch_template_id"):
        referred = stack.references.to(resource, f"{prefix}.{key}", "aws_launch_template")
        if referred:
            return referred[0]
    same = [t for t in templates if t.module and t.module == resource.module]
    return same[0] if len(same) == 1 else None


def _likely_subnets(stack: Stack, resource: Resource, name: str) -> list[str]:
    """Subnets of a group if the configuration does not show them: the private subnets, else all."""
    names = list(stack.subnets.values())
    if not names:
        return []
    private = [n for n in names if "private" in n.lower()]
    chosen = private or [n for n in names if not re.search(r"public|intra|database|redshift|elasticache", n.lower())]
    kind = "the private ones" if private else "those not named public"
    path = at("nodeGroups", name, "subnets")
    stack.said.say(resource.address, f"its subnets are not known before apply: assumed {kind}", path)
    stack.assumed.add(path)
    return chosen or names


def _is_node_asg(stack: Stack, resource: Resource) -> bool:
    tags = [mapping(t) for key in ("tag", "tags") for t in items(resource.value(key))]
    keys = [str(t.get("key") or "") for t in tags] + [str(k) for k in mapping(resource.value("tags"))]
    if any(k.startswith(("kubernetes.io/cluster/", "k8s.io/cluster/", "k8s.io/cluster-autoscaler/")) for k in keys):
        return True
    template = _launch_template(stack, resource) or _launch_template(stack, resource, "mixed_instances_policy")
    if template is not None and is_node_script(template.text("user_data")):
        return True
    configuration = _launch_configuration(stack, resource)
    if configuration is not None and is_node_script(configuration.text("user_data")):
        return True
    return any("self_managed" in part or "node" in part for part in resource.module)


def _launch_configuration(stack: Stack, resource: Resource) -> Resource | None:
    name = text_of(resource.value("launch_configuration"))
    for candidate in stack.of("aws_launch_configuration"):
        if name and name in (candidate.value("name"), candidate.value("id")):
            return candidate
    referred = stack.references.to(resource, "launch_configuration", "aws_launch_configuration")
    return referred[0] if referred else None


def _self_managed(stack: Stack, resource: Resource, taken: list[str]) -> GroupDraft:
    name = _group_name(resource, taken, "name", "name_prefix")
    overrides = items(resource.value("mixed_instances_policy", "launch_template", "override"))
    types = [t for t in (text_of(mapping(o).get("instance_type")) for o in overrides) if t]
    template = _launch_template(stack, resource) or _launch_template(stack, resource, "mixed_instances_policy")
    launch = template or _launch_configuration(stack, resource)
    if not types and launch is not None and text_of(launch.value("instance_type")):
        types = [str(launch.value("instance_type"))]
    subnets = stack.subnet_names(resource, "vpc_zone_identifier") or _likely_subnets(stack, resource, name)
    user_data = _user_data(stack, resource, launch)
    draft = group_draft(
        SourceGroup(
            name=name,
            provisioner="self-managed",
            types=types,
            ami=text_of(resource.value("ami_type")) or family_of_user_data(script_of(user_data)),
            low=resource.value("min_size"),
            desired=resource.value("desired_capacity"),
            high=resource.value("max_size"),
            subnets=subnets,
            user_data=user_data,
            spot=_is_spot(resource, launch),
        )
    )
    return with_expression(draft, user_data)


def _is_spot(resource: Resource, launch: Resource | None) -> bool:
    """Whether all instances of an Auto Scaling group are Spot Instances."""
    shares = mapping(first_block(resource.value("mixed_instances_policy", "instances_distribution")))
    base, above = shares.get("on_demand_base_capacity"), shares.get("on_demand_percentage_above_base_capacity")
    if int_of(above) == 0 and not int_of(base):
        return True
    market = mapping(first_block(launch.value("instance_market_options"))) if launch else {}
    return market.get("market_type") == "spot" or bool(launch and text_of(launch.value("spot_price")))
