"""Terraform: the JSON of a plan or state (`terraform show -json`), a state file, or .tf text as second best.

Field names: hashicorp/terraform docs/internals/json-format; resources of hashicorp/aws.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network
from typing import Any

from capacity.errors import SpecError
from capacity.readers.cluster_facts import block_of, discovery_tags, ip_family_of, kubernetes_version_of, unique
from capacity.readers.cni_addon import addon_environment, cni_version_of
from capacity.readers.draft import GroupDraft, PlanDraft, SourceNotes, SubnetDraft, TenantDraft, at
from capacity.readers.merge import merge
from capacity.readers.node_group import SourceGroup, default_types, group_draft, say_fargate, say_no_nodes
from capacity.readers.user_data import is_node_script
from capacity.readers.values import bool_of, items, mapping, path_of, text_of


@dataclass(frozen=True)
class Resource:
    """A resource instance: its values as far as they are known, and the modules it stands in."""

    address: str
    type: str
    name: str
    module: tuple[str, ...]
    index: Any
    values: Any
    unknown: Any = None
    managed: bool = True

    def value(self, *keys: str) -> Any:
        """A value by path; blocks, which come as lists, are entered by themselves."""
        here: Any = self.values
        for key in keys:
            if isinstance(here, list):
                here = here[0] if here else None
            here = mapping(here).get(key)
        return here


# --- the shapes of Terraform's JSON ---------------------------------------------------------


def resources_of(document: dict[str, Any], file: str) -> list[Resource]:
    """Every resource instance of a plan, a state, or a listing by type.

    Raises
    ------
    SpecError
        A state of Terraform 0.11, or a document that holds no resources of these kinds.
    """
    document = _unwrapped(document)
    if isinstance(document.get("modules"), list):
        raise SpecError(
            f"{file}: a state of Terraform 0.11 or older: read it with `terraform show -json` of a newer one"
        )
    if isinstance(document.get("resources"), list):
        return list(_raw_state(document["resources"]))
    if isinstance(document.get("resources"), dict):
        return list(_by_type(document["resources"]))
    if "planned_values" in document or "resource_changes" in document:
        return _planned(document)
    root = path_of(document, "values", "root_module") or document.get("root_module")
    if root is not None:
        return list(_module(root, {}))
    if any(k.startswith("aws_") for k in document):
        return list(_by_type(document))
    return []


def _unwrapped(document: dict[str, Any]) -> dict[str, Any]:
    """Scanners and policies keep a plan under one more key."""
    for key in ("plan", "tfplan", "input", "resource_plan"):
        inner = document.get(key)
        if isinstance(inner, dict) and ("planned_values" in inner or "resource_changes" in inner):
            return inner
    return document


def _planned(document: dict[str, Any]) -> list[Resource]:
    changes = [mapping(c) for c in items(document.get("resource_changes"))]
    unknown = {str(c.get("address")): path_of(c, "change", "after_unknown") for c in changes}
    gone = {str(c.get("address")) for c in changes if path_of(c, "change", "actions") == ["delete"]}
    root = path_of(document, "planned_values", "root_module")
    found = {r.address: r for r in _module(root, unknown)} if root else {}
    for change in changes:
        after = path_of(change, "change", "after")
        address = str(change.get("address"))
        if address not in found and address not in gone and isinstance(after, dict):
            found[address] = _resource(change, after, unknown)
    for resource in _module(path_of(document, "prior_state", "values", "root_module"), {}):
        if resource.address not in found and resource.address not in gone:
            found[resource.address] = resource
    return list(found.values())


def _module(module: Any, unknown: Any, depth: int = 0) -> Iterator[Resource]:
    for raw in items(mapping(module).get("resources")):
        yield _resource(mapping(raw), mapping(mapping(raw).get("values")), unknown)
    for child in items(mapping(module).get("child_modules")) if depth < 60 else ():
        yield from _module(child, unknown, depth + 1)


def _resource(raw: Any, values: Any, unknown: Any) -> Resource:
    address = str(raw.get("address") or "")
    return Resource(
        address=address,
        type=str(raw.get("type") or ""),
        name=str(raw.get("name") or ""),
        module=module_of(address),
        index=raw.get("index"),
        values=values,
        unknown=mapping(unknown).get(address),
        managed=raw.get("mode") != "data" and not re.search(r"(^|\.)data\.", address),
    )


def module_of(address: str) -> tuple[str, ...]:
    """The modules of an address, instance keys left in.

    >>> module_of('module.vpc["a"].module.x.aws_subnet.private[0]')
    ('vpc["a"]', 'x')
    """
    return tuple(re.findall(r'module\.([^.\[]+(?:\[(?:"[^"]*"|[^\]]*)\])?)', address))


def _raw_state(resources: list[Any]) -> Iterator[Resource]:
    for raw in map(mapping, resources):
        prefix = f"{raw['module']}." if raw.get("module") else ""
        for instance in map(mapping, items(raw.get("instances"))):
            index = instance.get("index_key")
            key = "" if index is None else f'["{index}"]' if not str(index).isdigit() else f"[{index}]"
            address = f"{prefix}{raw.get('type')}.{raw.get('name')}{key}"
            yield _resource({**raw, "address": address, "index": index}, mapping(instance.get("attributes")), {})


def _by_type(resources: dict[str, Any]) -> Iterator[Resource]:
    for kind, named in resources.items():
        for name, values in mapping(named).items():
            raw = {"address": f"{kind}.{name}", "type": kind, "name": name}
            yield _resource(raw, mapping(values), {})


# --- references -----------------------------------------------------------------------------


@dataclass
class References:
    """Which resources an expression of the configuration leads to, through variables and outputs of modules."""

    root: Any
    resources: list[Resource]

    def to(self, resource: Resource, key: str, kind: str) -> list[Resource]:
        """The resources of a type that an attribute refers to; of counted ones the one with the same index."""
        module = self._module(resource.module)
        expression = self._expression(module, resource, key)
        texts = [str(r) for r in items(mapping(expression).get("references"))]
        found = self._follow(texts, resource.module, kind, 0)
        by_index = any(t.startswith(("count.", "each.")) for t in texts)
        same = [r for r in found if r.index == resource.index]
        return same if by_index and same else found

    def _module(self, path: Sequence[str]) -> Any:
        module = self.root
        for name in path:
            calls = mapping(mapping(module).get("module_calls"))
            module = mapping(calls.get(name.partition("[")[0])).get("module")
        return mapping(module)

    def _expression(self, module: Any, resource: Resource, key: str) -> Any:
        for raw in map(mapping, items(module.get("resources"))):
            if raw.get("type") == resource.type and raw.get("name") == resource.name:
                here: Any = raw.get("expressions")
                for part in key.split("."):
                    if isinstance(here, list):
                        here = here[0] if here else None
                    here = mapping(here).get(part)
                return here
        return None

    def _follow(self, texts: Iterable[str], path: tuple[str, ...], kind: str, depth: int) -> list[Resource]:
        found: dict[str, Resource] = {}
        for text in texts if depth < 20 else ():
            for resource in self._one(text, path, kind, depth):
                found[resource.address] = resource
        return list(found.values())

    def _one(self, text: str, path: tuple[str, ...], kind: str, depth: int) -> list[Resource]:
        parts = text.split(".")
        if parts[0] == kind and len(parts) > 1:
            name, _, index = parts[1].partition("[")
            wanted = index.rstrip("]").strip('"')
            return [
                r
                for r in self.resources
                if r.type == kind and r.name == name and _same_module(r.module, path) and wanted in ("", str(r.index))
            ]
        if parts[0] == "var" and path and len(parts) > 1:
            call = mapping(mapping(self._module(path[:-1]).get("module_calls")).get(path[-1].partition("[")[0]))
            given = mapping(mapping(call.get("expressions")).get(parts[1]))
            return self._follow(map(str, items(given.get("references"))), path[:-1], kind, depth + 1)
        if parts[0] == "module" and len(parts) > 2:
            inner = (*path, parts[1].partition("[")[0])
            output = mapping(mapping(self._module(inner).get("outputs")).get(parts[2].partition("[")[0]))
            references = items(mapping(output.get("expression")).get("references"))
            return self._follow(map(str, references), inner, kind, depth + 1)
        return []


def _same_module(a: Sequence[str], b: Sequence[str]) -> bool:
    return [x.partition("[")[0] for x in a] == [x.partition("[")[0] for x in b]


# --- from resources to a draft ---------------------------------------------------------------


@dataclass
class _Stack:
    """The resources of one file and what is already known of them."""

    resources: list[Resource]
    references: References
    said: SourceNotes
    subnets: dict[str, str] = field(default_factory=dict)  # address -> name in the plan
    ids: dict[str, str] = field(default_factory=dict)  # AWS id -> name in the plan

    def of(self, *types: str, managed: bool = True) -> list[Resource]:
        return [r for r in self.resources if r.type in types and (r.managed or not managed)]


def parse_terraform(document: dict[str, Any], file: str = "") -> PlanDraft:
    """A decoded plan or state as a draft."""
    resources = resources_of(document, file)
    configuration = path_of(_unwrapped(document), "configuration", "root_module")
    return draft_of(resources, References(configuration, resources), SourceNotes(file))


def draft_of(resources: list[Resource], references: References, said: SourceNotes) -> PlanDraft:
    """Resources as a draft."""
    stack = _Stack(resources, references, said)
    cluster = _cluster(stack)
    vpc = _vpc(stack, cluster)
    subnets = _subnets(stack, vpc)
    network = mapping(_first(cluster.value("kubernetes_network_config"))) if cluster else {}
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
        vpc_cidrs=_blocks(stack, vpc),
        subnets=subnets,
        control_plane=tuple(_subnet_names(stack, cluster, "vpc_config", "subnet_ids")) or None if cluster else None,
        node_groups=tuple(_node_groups(stack, cluster)),
        tenants=tuple(_tenants(stack)),
        notes=tuple(said.notes),
    )
    return _with_manifests(stack, draft)


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value if isinstance(value, dict) else None


def _cluster(stack: _Stack) -> Resource | None:
    clusters = stack.of("aws_eks_cluster")
    if not clusters:
        return None
    names = [str(g.value("cluster_name")) for g in stack.of("aws_eks_node_group")]
    chosen = max(clusters, key=lambda c: names.count(str(c.value("name"))))
    if len(clusters) > 1:
        stack.said.say(
            "", f"{len(clusters)} clusters: a plan is one cluster, {chosen.address} is taken", "metadata.name"
        )
    if bool_of(mapping(_first(chosen.value("compute_config"))).get("enabled")):
        stack.said.say(chosen.address, "EKS Auto Mode runs nodes of its own: they are not in this file")
    return chosen


def _region(stack: _Stack) -> str | None:
    """Of a zone, or of an ARN."""
    for resource in stack.of("aws_subnet", "aws_default_subnet"):
        zone = re.match(r"([a-z]{2}(?:-[a-z]+)+-[0-9])[a-z]$", str(resource.value("availability_zone")))
        if zone:
            return zone[1]
    for resource in stack.of("aws_eks_cluster", "aws_vpc", "aws_eks_node_group"):
        arn = str(resource.value("arn")).split(":")
        if len(arn) > 4 and arn[3]:
            return arn[3]
    return None


# --- network --------------------------------------------------------------------------------


def _vpc(stack: _Stack, cluster: Resource | None) -> Resource | None:
    """The cluster's VPC; of several the one with the cluster's or else most subnets."""
    vpcs = stack.of("aws_vpc", "aws_default_vpc") or stack.of("aws_vpc", managed=False)
    if len(vpcs) < 2:
        return vpcs[0] if vpcs else None
    owners = [_vpc_of(stack, s, vpcs) for s in stack.of("aws_subnet", "aws_default_subnet")]
    stated = str(cluster.value("vpc_config", "vpc_id")) if cluster else ""
    ids = [str(i) for i in items(cluster.value("vpc_config", "subnet_ids"))] if cluster else []
    holding = [
        _vpc_of(stack, s, vpcs) for s in stack.of("aws_subnet", "aws_default_subnet") if str(s.value("id")) in ids
    ]

    def weight(vpc: Resource) -> tuple[bool, int, int]:
        return (bool(stated) and stated == str(vpc.value("id")), holding.count(vpc), owners.count(vpc))

    chosen = max(vpcs, key=weight)
    stack.said.say(
        "", f"{len(vpcs)} VPCs: {chosen.address} is taken, the subnets of the others are left out", "vpc.cidrs"
    )
    return chosen


def _vpc_of(stack: _Stack, subnet: Resource, vpcs: Sequence[Resource]) -> Resource | None:
    stated = subnet.value("vpc_id")
    if stated:
        return next((v for v in vpcs if v.value("id") == stated), None)
    referred = stack.references.to(subnet, "vpc_id", "aws_vpc") or stack.references.to(
        subnet, "vpc_id", "aws_default_vpc"
    )
    if referred:
        return next((v for v in vpcs if v in referred), None)
    same = [v for v in vpcs if v.module == subnet.module]
    return same[0] if len(same) == 1 else None


def _blocks(stack: _Stack, vpc: Resource | None) -> tuple[IPv4Network, ...]:
    found = [block_of(vpc.value("cidr_block"))] if vpc else []
    if vpc and vpc.managed and found == [None]:
        stack.said.say(vpc.address, "its block is not known before apply", "vpc.cidrs")
    vpcs = stack.of("aws_vpc", "aws_default_vpc")
    extras = stack.of("aws_vpc_ipv4_cidr_block_association")
    mine = [e for e in extras if vpc is None or _vpc_of(stack, e, vpcs) in (vpc, None)]
    found += [block_of(e.value("cidr_block")) for e in mine]
    return tuple(dict.fromkeys(b for b in found if b))


def _subnets(stack: _Stack, vpc: Resource | None) -> tuple[SubnetDraft, ...]:
    vpcs = stack.of("aws_vpc", "aws_default_vpc") or stack.of("aws_vpc", managed=False)
    drafts: dict[str, SubnetDraft] = {}
    ids: set[str] = set()
    managed = stack.of("aws_subnet", "aws_default_subnet")
    hints = [r for r in stack.of("aws_subnet", managed=False) if not r.managed]
    elsewhere = [] if vpcs else _of_other_vpcs(stack, [*managed, *hints])
    for resource in (*managed, *hints):
        owner = _vpc_of(stack, resource, vpcs)
        if (len(vpcs) > 1 and owner is not None and owner is not vpc) or resource in elsewhere:
            continue
        draft = _subnet(stack, resource, drafts.keys(), ids)
        if draft is not None:
            drafts[draft.name] = draft
            ids |= {draft.id} if draft.id else set()
    return tuple(_with_reservations(stack, drafts).values())


def _with_reservations(stack: _Stack, drafts: dict[str, SubnetDraft]) -> dict[str, SubnetDraft]:
    """The subnets with their CIDR reservations; one that AWS would refuse, or of which a part is not known, is told."""
    found: dict[str, list[tuple[IPv4Network, str]]] = {}
    for resource in stack.of("aws_ec2_subnet_cidr_reservation"):
        block, kind = block_of(resource.value("cidr_block")), text_of(resource.value("reservation_type"))
        names = [n for n in _subnet_names(stack, resource, "subnet_id") if n in drafts]
        within = drafts[names[0]].cidr if names else None
        path = at("vpc.subnets", names[0]) if names else "vpc.subnets"
        others = found.setdefault(names[0], []) if names else []
        if ":" in str(resource.value("cidr_block")):
            continue  # of IPv6 addresses, which the plan does not count
        if block is None or within is None:
            stack.said.say(resource.address, "its block or its subnet is not known: left out", path)
        elif kind not in ("prefix", "explicit") or (kind == "prefix" and block.prefixlen > 28):
            stack.said.say(resource.address, f"no reservation of {block} is of type {kind}: left out", path)
        elif not block.subnet_of(within) or any(block.overlaps(other) for other, _ in others):
            stack.said.say(resource.address, f"{block} is not free in {names[0]} ({within}): left out", path)
        else:
            others.append((block, kind))
    return {
        name: replace(draft, reservations=tuple(sorted(found[name])) if found.get(name) else None)
        for name, draft in drafts.items()
    }


def _of_other_vpcs(stack: _Stack, subnets: list[Resource]) -> list[Resource]:
    """Where no VPC is in the file: the subnets that are not in the VPC most of them name."""
    named = [str(s.value("vpc_id")) for s in subnets if s.value("vpc_id")]
    if len(set(named)) < 2:
        return []
    own = [str(s.value("vpc_id")) for s in subnets if s.type == "aws_subnet"]
    chosen = max(dict.fromkeys(named), key=lambda v: (named.count(v), own.count(v)))
    stack.said.say("", f"subnets of {len(set(named))} VPCs: those of {chosen} are taken", "vpc.subnets")
    return [s for s in subnets if s.value("vpc_id") and str(s.value("vpc_id")) != chosen]


def _subnet(stack: _Stack, resource: Resource, taken: Set[str], ids: Set[str]) -> SubnetDraft | None:
    identity = text_of(resource.value("id"))
    if identity in ids:
        return None
    block = block_of(resource.value("cidr_block"))
    if bool_of(resource.value("ipv6_native")):
        stack.said.say(resource.address, "has IPv6 addresses only: left out")
        return None
    tags = mapping(resource.value("tags")) or mapping(resource.value("tags_all"))
    name = unique(text_of(tags.get("Name")) or resource.address.replace("aws_subnet.", ""), taken)
    stack.subnets[resource.address] = name
    if identity:
        stack.ids[identity] = name
    path = at("vpc.subnets", name)
    if block is None:
        stack.said.say(resource.address, "its block is not known before apply", f"{path}.cidr")
    real = identity if identity and identity.startswith("subnet-") else None  # .tf text has addresses in place of ids
    return SubnetDraft(name, text_of(resource.value("availability_zone")), block, tags=discovery_tags(tags), id=real)


def _subnet_names(stack: _Stack, resource: Resource, *keys: str) -> list[str]:
    """The subnets an attribute holds: by id, by CIDR in test data, or through the configuration."""
    stated = resource.value(*keys)
    listed = [text_of(s) for s in (items(stated) if isinstance(stated, list) else [stated])]
    names = [stack.ids.get(s, s) for s in listed if s and (s in stack.ids or s.startswith("subnet-") or block_of(s))]
    if not names:
        for kind in ("aws_subnet", "aws_default_subnet"):
            referred = stack.references.to(resource, ".".join(keys), kind)
            names += [stack.subnets[r.address] for r in referred if r.address in stack.subnets]
    return list(dict.fromkeys(names))


# --- node groups ----------------------------------------------------------------------------


def _node_groups(stack: _Stack, cluster: Resource | None) -> Iterator[GroupDraft]:
    mine = text_of(cluster.value("name")) if cluster else None
    taken: list[str] = []
    for resource in stack.of("aws_eks_node_group"):
        other = text_of(resource.value("cluster_name"))
        if mine and other and other != mine and len(stack.of("aws_eks_cluster")) > 1:
            continue
        group = _managed(stack, resource, taken)
        taken.append(group.name)
        yield group
    for resource in stack.of("aws_autoscaling_group"):
        if _is_node_asg(stack, resource):
            group = _self_managed(stack, resource, taken)
            taken.append(group.name)
            yield group
        elif not str(resource.value("name")).startswith("eks-"):
            say_no_nodes(stack.said, resource.address)
    for resource in stack.of("aws_eks_fargate_profile"):
        say_fargate(stack.said, resource.address)


def _group_name(resource: Resource, taken: list[str], *keys: str) -> str:
    stated = next((t for k in keys if (t := text_of(resource.value(k)))), None)
    index = "" if resource.index is None or not str(resource.index).strip() else f"-{resource.index}"
    module = resource.module[-1] if resource.module else ""
    inner = re.search(r'\["([^"]+)"\]', module)
    fallback = inner[1] if inner else f"{resource.name}{index}"
    return unique((stated or fallback).rstrip("-"), taken)


def _managed(stack: _Stack, resource: Resource, taken: list[str]) -> GroupDraft:
    name = _group_name(resource, taken, "node_group_name", "node_group_name_prefix")
    scaling = mapping(_first(resource.value("scaling_config")))
    update = mapping(_first(resource.value("update_config")))
    template = _launch_template(stack, resource)
    types = [t for t in map(text_of, items(resource.value("instance_types"))) if t]
    path = at("nodeGroups", name, "instanceTypes")
    if not types and template is not None and text_of(template.value("instance_type")):
        types = [str(template.value("instance_type"))]
    elif not types and mapping(resource.unknown).get("instance_types") == "given":
        stack.said.say(f"{resource.address}.instance_types", "not known here", path)
    elif not types and (template is not None or resource.value("launch_template")):
        stack.said.say(resource.address, "the type stands in a launch template that is not in this file", path)
    elif not types:
        types = default_types(stack.said, resource.address, name)
    subnets = _subnet_names(stack, resource, "subnet_ids") or _likely_subnets(stack, resource, name)
    return group_draft(
        SourceGroup(
            name=name,
            provisioner="managed",
            types=types,
            ami=text_of(resource.value("ami_type")),
            low=scaling.get("min_size"),
            desired=scaling.get("desired_size"),
            high=scaling.get("max_size"),
            subnets=subnets,
            unavailable_percent=update.get("max_unavailable_percentage"),
            unavailable=update.get("max_unavailable"),
            user_data=template.value("user_data") if template else None,
        )
    )


def _launch_template(stack: _Stack, resource: Resource, *above: str) -> Resource | None:
    """The launch template of a group: by id or name, or through the configuration."""
    stated = mapping(_first(resource.value(*above, "launch_template")))
    if "launch_template_specification" in stated:
        stated = mapping(_first(stated["launch_template_specification"]))
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


def _likely_subnets(stack: _Stack, resource: Resource, name: str) -> list[str]:
    """Where the configuration does not tell: the private subnets, else all."""
    names = list(stack.subnets.values())
    if not names:
        return []
    private = [n for n in names if "private" in n.lower()]
    chosen = private or [n for n in names if not re.search(r"public|intra|database|redshift|elasticache", n.lower())]
    kind = "the private ones" if private else "those not named public"
    stack.said.say(
        resource.address, f"its subnets are not known before apply: taken as {kind}", at("nodeGroups", name, "subnets")
    )
    return chosen or names


def _is_node_asg(stack: _Stack, resource: Resource) -> bool:
    tags = [mapping(t) for key in ("tag", "tags") for t in items(resource.value(key))]
    keys = [str(t.get("key") or "") for t in tags] + [str(k) for k in mapping(resource.value("tags"))]
    if any(k.startswith(("kubernetes.io/cluster/", "k8s.io/cluster/", "k8s.io/cluster-autoscaler/")) for k in keys):
        return True
    template = _launch_template(stack, resource) or _launch_template(stack, resource, "mixed_instances_policy")
    if template is not None and is_node_script(template.value("user_data")):
        return True
    configuration = _launch_configuration(stack, resource)
    if configuration is not None and is_node_script(configuration.value("user_data")):
        return True
    return any("self_managed" in part or "node" in part for part in resource.module)


def _launch_configuration(stack: _Stack, resource: Resource) -> Resource | None:
    name = text_of(resource.value("launch_configuration"))
    for candidate in stack.of("aws_launch_configuration"):
        if name and name in (candidate.value("name"), candidate.value("id")):
            return candidate
    referred = stack.references.to(resource, "launch_configuration", "aws_launch_configuration")
    return referred[0] if referred else None


def _self_managed(stack: _Stack, resource: Resource, taken: list[str]) -> GroupDraft:
    name = _group_name(resource, taken, "name", "name_prefix")
    overrides = items(resource.value("mixed_instances_policy", "launch_template", "override"))
    types = [t for t in (text_of(mapping(o).get("instance_type")) for o in overrides) if t]
    template = _launch_template(stack, resource) or _launch_template(stack, resource, "mixed_instances_policy")
    launch = template or _launch_configuration(stack, resource)
    if not types and launch is not None and text_of(launch.value("instance_type")):
        types = [str(launch.value("instance_type"))]
    subnets = _subnet_names(stack, resource, "vpc_zone_identifier") or _likely_subnets(stack, resource, name)
    return group_draft(
        SourceGroup(
            name=name,
            provisioner="self-managed",
            types=types,
            low=resource.value("min_size"),
            desired=resource.value("desired_capacity"),
            high=resource.value("max_size"),
            subnets=subnets,
            user_data=launch.value("user_data") if launch else None,
        )
    )


# --- the CNI, tenants, manifests --------------------------------------------------------------


def _cni(stack: _Stack) -> tuple[dict[str, str], str | None]:
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


def _tenants(stack: _Stack) -> Iterator[TenantDraft]:
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
        subnets = [s for s in _subnet_names(stack, resource, key) if s in stack.subnets.values()]
        label = text_of(mapping(resource.value("tags")).get("Name")) or text_of(resource.value("name"))
        if not subnets:
            stack.said.say(resource.address, "its subnets are not known before apply: left out", "tenants")
            continue
        name = unique(label or resource.address, taken)
        taken.append(name)
        yield TenantDraft(name, kind, tuple(subnets))


def _with_manifests(stack: _Stack, draft: PlanDraft) -> PlanDraft:
    """ENIConfigs and Karpenter's objects that Terraform applies as manifests."""
    from capacity.readers.decode import parse_documents
    from capacity.readers.detect import detect
    from capacity.readers.kubernetes.karpenter import parse_karpenter
    from capacity.readers.kubernetes.kubectl import Snapshot
    from capacity.readers.kubernetes.kubectl import draft_of as kubernetes_draft

    pools: list[Any] = []
    snapshot = Snapshot(SourceNotes(stack.said.file))
    for resource in stack.of("kubectl_manifest", "kubernetes_manifest"):
        body = resource.value("yaml_body") or resource.value("manifest")
        try:
            documents = parse_documents(body, resource.address) if isinstance(body, str) else [body]
        except SpecError:
            stack.said.say(resource.address, "its manifest cannot be read: left out")
            continue
        for document in documents:
            if detect(document)[0] == "karpenter":
                pools.append(document)
            elif mapping(document).get("kind") == "ENIConfig":
                snapshot.add("", document)
    if pools:
        draft = merge(draft, parse_karpenter(pools, stack.said.file))
    return merge(draft, kubernetes_draft(snapshot, "")) if snapshot.seen else draft
