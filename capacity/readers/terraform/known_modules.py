"""Resources of well-known Terraform modules, from the arguments of their calls and their defaults by version.

Sources: terraform-aws-modules/terraform-aws-eks docs/UPGRADE-18.0.md to UPGRADE-21.0.md, and node_groups.tf and
modules/*-node-group/variables.tf at 002be2f (18); terraform-aws-modules/terraform-aws-vpc main.tf at 00ba9a3 and
README "NAT Gateway Scenarios", modules/vpc-endpoints/main.tf at 0211dec; aws-ia/terraform-aws-eks-blueprints-addons
variables.tf at 008225c. All read 2026-11-30.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from capacity.readers.draft import SourceNotes
from capacity.readers.terraform.resource import Resource
from capacity.readers.terraform.scope import MOST_INSTANCES, Called
from capacity.readers.terraform.source_blocks import blocks_of
from capacity.readers.terraform.value import (
    UNKNOWN,
    Open,
    OpenList,
    PartText,
    Unknown,
    is_known,
    known_parts,
    marks_of,
    shown,
    unknown_paths,
)
from capacity.readers.user_data import max_pods_in
from capacity.readers.values import bool_of, items, mapping, text_of

NEWEST_EKS = 21
OLDEST_EKS = 18  # the inputs of older versions have other names
UPDATE_PERCENT = 33  # update_config of version 19 and newer
SELF_MANAGED_TYPE = "m6i.large"  # instance_type of self-managed groups
OLD_INPUTS = frozenset(("node_groups", "worker_groups", "worker_groups_launch_template"))
_OF_OTHER_MODULES = (  # names that older versions, or the other kind of group, have
    *("desired_capacity", "min_capacity", "max_capacity", "asg_desired_capacity", "asg_min_size", "asg_max_size"),
    *("subnets", "kubelet_extra_args", "override_instance_types"),
)
_SUBNET_KINDS = ("private", "public", "intra", "database", "elasticache", "redshift", "outpost")
_NAT_KINDS = ("private", "database", "elasticache", "redshift")  # their longest list decides the number of gateways


@dataclass(frozen=True)
class Call:
    """One instance of a module call.

    Attributes
    ----------
    path : tuple of str
        Names of the calls from the root module to this one, with their keys.
    given : mapping
        Its evaluated arguments.
    version : int or None
        Major version, if the call fixes one.
    """

    path: tuple[str, ...]
    given: dict[str, Any]
    version: int | None
    said: SourceNotes

    @property
    def address(self) -> str:
        return ".".join(f"module.{p}" for p in self.path)

    def made(self, kind: str, name: str, values: dict[str, Any], index: object = None) -> Resource:
        """A resource that the module creates."""
        address = f"{self.address}.{kind}.{name}"
        marks, unclear = marks_of(values), tuple(unknown_paths(values))
        return Resource(address, kind, name, self.path, index, known_parts(values), marks, unclear=unclear)

    def first(self, *names: str) -> Any:
        """Input under its newer or older name."""
        return first_known(self.given, *names)


def first_known(given: dict[str, Any], *names: str) -> Any:
    """Value of the first name that has one; unknown if a name has one that is not known, None if none has one."""
    stated = [given[n] for n in names if given.get(n) is not None]
    return next((v for v in stated if is_known(v)), UNKNOWN if stated else None)


def stated(given: dict[str, Any], name: str, default: Any) -> Any:
    """Value of an input; its default if the input is absent or null."""
    value = given.get(name)
    return default if value is None else value


# --- terraform-aws-vpc ------------------------------------------------------------------------


def vpc(call: Call) -> Called:
    """The VPC, its subnets per zone, its NAT gateways."""
    given = call.given
    if bool_of(given.get("create_vpc")) is False:
        return Called((), Open())
    own = f"{call.address}.vpc_id"
    outputs: dict[str, Any] = {"vpc_id": own, "vpc_cidr_block": given.get("cidr", UNKNOWN)}
    size = {"ipv4_netmask_length": given.get("ipv4_netmask_length")}
    found = [call.made("aws_vpc", "this", {"cidr_block": given.get("cidr"), **size, "id": own})]
    for i, block in enumerate(items(given.get("secondary_cidr_blocks"))):
        found.append(call.made("aws_vpc_ipv4_cidr_block_association", f"this{i}", {"cidr_block": block, "vpc_id": own}))
    if isinstance(given.get("secondary_cidr_blocks"), Unknown):
        call.said.leave_out(f"{call.address}.secondary_cidr_blocks", "not known", "vpc.cidrs")
    for kind in _SUBNET_KINDS:
        made = list(_vpc_subnets(call, kind, own))
        found += made
        outputs[f"{kind}_subnets"] = (
            UNKNOWN if isinstance(given.get(f"{kind}_subnets"), Unknown) else [r.values["id"] for r in made]
        )
        outputs[f"{kind}_subnets_cidr_blocks"] = [r.values.get("cidr_block", UNKNOWN) for r in made]
    found += _nat_gateways(call, outputs["public_subnets"])
    outputs["azs"] = given.get("azs", UNKNOWN)
    return Called(tuple(found), Open(outputs))


def _vpc_subnets(call: Call, kind: str, own: str) -> Iterator[Resource]:
    blocks, zones = call.given.get(f"{kind}_subnets"), items(call.given.get("azs"))
    place = f"{call.address}.{kind}_subnets"
    if isinstance(blocks, Unknown):
        call.said.leave_out(place, "not known", "vpc.subnets")
    if len(items(blocks)) > MOST_INSTANCES:
        call.said.leave_out(place, f"the first {MOST_INSTANCES:,} of {len(items(blocks)):,} are read")
    names = items(call.given.get(f"{kind}_subnet_names"))
    tags = mapping(call.given.get(f"{kind}_subnet_tags"))
    wraps = bool(zones) and not isinstance(call.given.get("azs"), OpenList)
    for i, block in enumerate(items(blocks)[:MOST_INSTANCES]):
        zone = zones[i % len(zones)] if wraps or i < len(zones) else UNKNOWN
        name = text_of(names[i]) if i < len(names) else None
        label = name or (f"{kind}-{zone}" if isinstance(zone, str) else f"{kind}-{i + 1}")
        values = {"cidr_block": block, "availability_zone": zone, "vpc_id": own, "id": f"{place}[{i}]"}
        yield call.made("aws_subnet", f"{kind}[{i}]", {**values, "tags": {**tags, "Name": label}}, i)


def _nat_gateways(call: Call, public: Any) -> Iterator[Resource]:
    """One gateway, one per zone, or as many as the longest list of private subnets; each in the next public subnet."""
    given = call.given
    if not bool_of(given.get("enable_nat_gateway")) or not items(public):
        return
    count = max(len(items(given.get(f"{kind}_subnets"))) for kind in _NAT_KINDS)
    if bool_of(given.get("single_nat_gateway")):
        count = 1
    elif bool_of(given.get("one_nat_gateway_per_az")):
        count = len(items(given.get("azs")))
    for i in range(count):
        subnet = public[i % len(public)]
        yield call.made("aws_nat_gateway", f"this[{i}]", {"subnet_id": subnet, "tags": {"Name": f"nat-{i + 1}"}}, i)


def vpc_endpoints(call: Call) -> Called:
    """Interface endpoints of the submodule vpc-endpoints."""
    if bool_of(call.given.get("create")) is False:
        return Called((), Open())
    endpoints = call.given.get("endpoints")
    if isinstance(endpoints, (Unknown, Open)):
        call.said.leave_out(f"{call.address}.endpoints", "not known", "tenants")
    found = []
    for key, raw in sorted(mapping(endpoints).items()):
        entry = mapping(raw)
        if bool_of(entry.get("create")) is False:
            continue
        shared, own = call.given.get("subnet_ids", []), entry.get("subnet_ids", [])
        tags = mapping(entry.get("tags"))
        known = not isinstance(shared, Unknown) and not isinstance(own, Unknown)
        values = {
            "vpc_endpoint_type": entry.get("service_type", "Interface"),
            "subnet_ids": list(dict.fromkeys([*items(shared), *items(own)])) if known else UNKNOWN,
            "vpc_id": call.given.get("vpc_id"),
            "tags": {"Name": f"endpoint-{key}", **{k: v for k, v in tags.items() if is_known(v)}},
        }
        found.append(call.made("aws_vpc_endpoint", f'this["{key}"]', values, key))
    return Called(tuple(found), Open())


# --- terraform-aws-eks ------------------------------------------------------------------------


def eks(call: Call) -> Called:
    """The cluster, its add-ons, its node groups with the defaults of the module."""
    given = call.given
    if bool_of(given.get("create")) is False:
        return Called((), Open())
    if call.version is not None and call.version < OLDEST_EKS:
        from capacity.readers.terraform.old_eks_module import old_groups

        old = list(old_groups(call))
    else:
        old = []
        for name in sorted(OLD_INPUTS & given.keys()):
            text = f"an input of version {OLDEST_EKS - 1} or older, and the call has no such version: ignored"
            call.said.leave_out(f"{call.address}.{name}", text, "nodeGroups")
    subnets = given.get("subnet_ids", given.get("subnets"))
    cluster = call.first("name", "cluster_name")
    control = given.get("control_plane_subnet_ids")
    network = {
        "service_ipv4_cidr": call.first("service_ipv4_cidr", "cluster_service_ipv4_cidr"),
        "ip_family": call.first("ip_family", "cluster_ip_family"),
    }
    version = call.first("kubernetes_version", "cluster_version")
    values = {
        "name": cluster,
        "version": version,
        "vpc_config": [{"subnet_ids": control if items(control) else subnets}],
        "kubernetes_network_config": [network],
        "compute_config": [call.first("compute_config", "cluster_compute_config")],
    }
    found = [call.made("aws_eks_cluster", "this", values), *old, *_addons(call, call.first("addons", "cluster_addons"))]
    for key, self_managed in (("eks_managed_node_groups", False), ("self_managed_node_groups", True)):
        groups = given.get(key)
        if isinstance(groups, (Unknown, Open)):
            call.said.leave_out(f"{call.address}.{key}", "not known", "nodeGroups")
        defaults = mapping(given.get(f"{key[:-1]}_defaults")) or mapping(given.get(f"{key}_defaults"))
        kind = "self_managed_node_group" if self_managed else "eks_managed_node_group"
        for name, group in mapping(groups).items():
            own = {"subnet_ids": subnets, "name": name, "cluster_version": version, "cluster_name": cluster}
            merged = {**own, **defaults, **mapping(group)}
            inner = Call((*call.path, f'{kind}["{name}"]'), merged, eks_version(call), call.said)
            found += _node_group(inner, self_managed=self_managed, minimum=0 if self_managed else 1)
    for profile, entry in mapping(given.get("fargate_profiles")).items():
        settings = {"subnet_ids": subnets, **mapping(given.get("fargate_profile_defaults")), **mapping(entry)}
        found.append(call.made("aws_eks_fargate_profile", str(profile), _profile(settings)))
    return Called(tuple(found), Open({"cluster_name": cluster, "cluster_version": version}))


def eks_version(call: Call) -> int:
    """Major version of terraform-aws-eks: as fixed, else the newest with the names of its inputs."""
    if call.version is not None:
        return call.version
    old_names = any(key.startswith("cluster_") and key != "cluster_tags" for key in call.given)
    return NEWEST_EKS - 1 if old_names else NEWEST_EKS


def _addons(call: Call, addons: Any) -> Iterator[Resource]:
    """EKS add-ons of a mapping; the name is the key, or ``name``."""
    if isinstance(addons, Open):
        call.said.leave_out(f"{call.address}.addons", "some of their names are not known", "cni.env")
    for key, raw in mapping(addons).items():
        entry = mapping(raw)
        name = text_of(entry.get("name")) or str(key)
        values = {"addon_name": name, "configuration_values": entry.get("configuration_values")}
        if isinstance(raw, Unknown):
            call.said.leave_out(f"{call.address}.addons.{name}", "its configuration is not known", "cni.env")
        yield call.made("aws_eks_addon", str(key), {**values, "addon_version": entry.get("addon_version")})


def managed_group(call: Call) -> Called:
    """The submodule eks-managed-node-group, called by itself."""
    version = eks_version(call)
    inner = Call(call.path, call.given, version, call.said)
    minimum = 1 if version >= NEWEST_EKS else 0
    return Called(tuple(_node_group(inner, self_managed=False, minimum=minimum)), Open())


def self_managed_group(call: Call) -> Called:
    """The submodule self-managed-node-group, called by itself."""
    inner = Call(call.path, call.given, eks_version(call), call.said)
    return Called(tuple(_node_group(inner, self_managed=True, minimum=0)), Open())


def _node_group(call: Call, *, self_managed: bool, minimum: int) -> Iterator[Resource]:
    """A node group of terraform-aws-eks; values that the call does not have are the defaults of the module."""
    given, version = call.given, call.version or NEWEST_EKS
    if bool_of(given.get("create")) is False:
        return
    defaults = {"min_size": minimum, "max_size": 3, "desired_size": 1}
    sizes = {k: stated(given, k, default) for k, default in defaults.items()}
    filled = [f"{k.removesuffix('_size')} {v}" for k, v in defaults.items() if given.get(k) is None]
    if filled:
        call.said.say(call.address, f"sizes that it does not have are the defaults of the module: {', '.join(filled)}")
    _say_other_inputs(call, *(("instance_types",) if self_managed else ("instance_type",)))
    common = {
        "efa": _efa_addresses(given, version),
        "name": given.get("name"),
        "cluster_name": given.get("cluster_name"),
        "ami_type": stated(given, "ami_type", _default_ami(version, self_managed=self_managed)),
        "custom_ami": bool(text_of(given.get("ami_id"))),
        "user_data": _boot_text(call, self_managed=self_managed),
        "version": call.first("kubernetes_version", "cluster_version"),
    }
    if self_managed:
        yield call.made("aws_autoscaling_group", "this", {**common, **_auto_scaling_group(given, sizes)})
        return
    update = [{"max_unavailable_percentage": UPDATE_PERCENT}] if version > OLDEST_EKS else []
    values = {
        **common,
        "node_group_name": common["name"],
        "scaling_config": [sizes],
        "instance_types": given.get("instance_types"),
        "subnet_ids": given.get("subnet_ids"),
        "labels": given.get("labels"),
        "taint": given.get("taints"),
        "capacity_type": given.get("capacity_type"),
        "update_config": update if given.get("update_config") is None else [given["update_config"]],
    }
    yield call.made("aws_eks_node_group", "this", values)


def _say_other_inputs(call: Call, *names: str) -> None:
    """Note the arguments of a group that its module does not have: Terraform ignores keys of a mapping."""
    others = [name for name in (*names, *_OF_OTHER_MODULES) if call.given.get(name) is not None]
    if others:
        call.said.say(
            call.address, f"ignored, not inputs of this module and version: {', '.join(others)}", "nodeGroups"
        )


def _efa_addresses(given: dict[str, Any], version: int) -> bool:
    """Whether the nodes have EFA interfaces with addresses: from 21 on the module's default is ``efa-only`` ones."""
    only = stated(given, "enable_efa_only", version >= NEWEST_EKS)
    return bool(bool_of(given.get("enable_efa_support")) and not bool_of(only))


def _default_ami(version: int, *, self_managed: bool) -> Any:
    """Default of ami_type: AL2023 from 21 on; before, AL2 for self-managed groups, else as EKS has it."""
    if version >= NEWEST_EKS:
        return "AL2023_x86_64_STANDARD"
    return "AL2_x86_64" if self_managed else None


def _auto_scaling_group(given: dict[str, Any], sizes: dict[str, Any]) -> dict[str, Any]:
    policy = mapping(next(iter(blocks_of(given.get("mixed_instances_policy"))), None))
    overrides = items(policy.get("override")) or items(mapping(policy.get("launch_template")).get("override"))
    if not overrides:
        kind = stated(given, "instance_type", SELF_MANAGED_TYPE)
        overrides = [{"instance_type": kind}] if isinstance(kind, str) else []
    return {
        "tags": [{"key": "kubernetes.io/cluster/this"}],
        "min_size": sizes["min_size"],
        "max_size": sizes["max_size"],
        "desired_capacity": sizes["desired_size"],
        "vpc_zone_identifier": given.get("subnet_ids"),
        "mixed_instances_policy": [{"launch_template": [{"override": overrides}]}],
    }


def _boot_text(call: Call, *, self_managed: bool) -> Any:
    """Text that the module puts into the user data, in the order in which the node reads it."""
    given = call.given
    own_image = self_managed or bool_of(given.get("enable_bootstrap_user_data"))
    bottlerocket = "BOTTLEROCKET" in str(given.get("ami_type", "")).upper() or given.get("platform") == "bottlerocket"
    keys = ["pre_bootstrap_user_data", "cloudinit_pre_nodeadm", "cloudinit_post_nodeadm", "post_bootstrap_user_data"]
    if own_image or bottlerocket:
        keys.insert(0, "bootstrap_extra_args")
    texts = []
    for key in keys:
        value = given.get(key)
        parts = [mapping(p).get("content") for p in value] if isinstance(value, list) else [value]
        readable = [shown(p) for p in parts]
        texts += [p for p in readable if isinstance(p, str) and p]
        unsaid = [p for p in parts if isinstance(p, PartText) and not max_pods_in(p.text)]
        if unsaid or any(isinstance(p, Unknown) for p in readable):
            call.said.leave_out(f"{call.address}.{key}", "not known: it can set max pods", "nodeGroups")
    return "\n".join(texts) or None


def fargate_profile(call: Call) -> Called:
    """The submodule fargate-profile, called by itself."""
    return Called((call.made("aws_eks_fargate_profile", "this", _profile(call.given)),), Open())


def _profile(given: dict[str, Any]) -> dict[str, Any]:
    selectors = given.get("selectors")
    chosen = list(selectors.values()) if isinstance(selectors, dict) else selectors  # version 21 has a mapping
    return {"subnet_ids": given.get("subnet_ids"), "selector": chosen}


# --- other modules ----------------------------------------------------------------------------


def blueprints_addons(call: Call) -> Called:
    """EKS add-ons of eks-blueprints-addons; its Helm charts are noted."""
    charts = [k.removeprefix("enable_") for k, v in call.given.items() if k.startswith("enable_") and bool_of(v)]
    for chart in charts:
        call.said.meet("Helm release", f"{call.address} {chart}")
    return Called(tuple(_addons(call, call.given.get("eks_addons", {}))), Open())


def _nothing(call: Call) -> Called:  # noqa: ARG001
    """A module without addresses, nodes or pods."""
    return Called((), Open())


_EKS = "terraform-aws-modules/eks/aws"
KNOWN: dict[tuple[str, str], Callable[[Call], Called]] = {
    ("terraform-aws-modules/vpc/aws", ""): vpc,
    ("terraform-aws-modules/vpc/aws", "modules/vpc-endpoints"): vpc_endpoints,
    (_EKS, ""): eks,
    (_EKS, "modules/eks-managed-node-group"): managed_group,
    (_EKS, "modules/self-managed-node-group"): self_managed_group,
    (_EKS, "modules/fargate-profile"): fargate_profile,
    **{(_EKS, f"modules/{part}"): _nothing for part in ("aws-auth", "karpenter", "_user_data", "hybrid-node-role")},
    ("aws-ia/eks-blueprints-addons/aws", ""): blueprints_addons,
}
_HARMLESS = ("iam", "kms", "s3-bucket", "security-group", "eks-pod-identity", "route53", "acm", "sqs", "sns", "ecr",
             "key-pair", "cloudwatch", "dynamodb-table", "secrets-manager", "ssm-parameter", "eventbridge")  # fmt: skip
HARMLESS = frozenset(f"terraform-aws-modules/{name}/aws" for name in _HARMLESS)
