"""Read node groups of terraform-aws-eks 17 and older: its inputs have the names of Auto Scaling groups.

Sources: terraform-aws-modules/terraform-aws-eks local.tf at 00f216b, modules/node_groups/locals.tf at 02bba23, and
pull request 1129 (``instance_types`` from 14 on). Read 2026-11-30.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from capacity.readers.terraform.value import UNKNOWN, Open, OpenList, Unknown, shown
from capacity.readers.values import bool_of, items, mapping, text_of

if TYPE_CHECKING:
    from capacity.readers.terraform.known_modules import Call
    from capacity.readers.terraform.resource import Resource

FIRST_WITH_SEVERAL_TYPES = 14
_DEFAULTS = {
    "asg_min_size": 1,
    "asg_desired_capacity": 1,
    "asg_max_size": 3,
    "instance_type": "m4.large",
    "override_instance_types": ["m5.large", "m5a.large", "m5d.large", "m5ad.large"],
}
_SCRIPTS = ("pre_userdata", "bootstrap_extra_args", "kubelet_extra_args", "additional_userdata")


def old_groups(call: Call) -> Iterator[Resource]:
    """Managed groups of ``node_groups``, self-managed ones of ``worker_groups…``, with the module's defaults."""
    given = call.given
    shared = {**_DEFAULTS, "subnets": given.get("subnets"), **mapping(given.get("workers_group_defaults"))}
    for name in ("node_groups", "worker_groups", "worker_groups_launch_template"):
        if isinstance(given.get(name), (Unknown, Open, OpenList)):
            call.said.leave_out(f"{call.address}.{name}", "not known", "nodeGroups")
    for key, raw in mapping(given.get("node_groups")).items():
        yield _managed(call, str(key), shared, {**mapping(given.get("node_groups_defaults")), **mapping(raw)})
    for i, raw in enumerate(items(given.get("worker_groups"))):
        yield _workers(call, i, "workers", {**shared, **mapping(raw)}, mixed=False)
    for i, raw in enumerate(items(given.get("worker_groups_launch_template"))):
        mixed = "override_instance_types" in mapping(raw)
        yield _workers(call, i, "workers_launch_template", {**shared, **mapping(raw)}, mixed=mixed)


def _managed(call: Call, key: str, shared: dict[str, Any], group: dict[str, Any]) -> Resource:
    several = call.version is None or call.version >= FIRST_WITH_SEVERAL_TYPES
    types = group.get("instance_types") if several else _as_list(group.get("instance_type"))
    if several and group.get("instance_type") is not None:
        text = "ignored, not inputs of this module and version: instance_type"
        call.said.say(f"{call.address}.node_groups.{key}", text, "nodeGroups")
    sizes = {
        "min_size": group.get("min_capacity", shared["asg_min_size"]),
        "desired_size": group.get("desired_capacity", shared["asg_desired_capacity"]),
        "max_size": group.get("max_capacity", shared["asg_max_size"]),
    }
    values = {
        "node_group_name": group.get("name", group.get("name_prefix", key)),
        "scaling_config": [sizes],
        "instance_types": [shared["instance_type"]] if types is None else types,
        "ami_type": group.get("ami_type"),
        "subnet_ids": group.get("subnets", shared["subnets"]),
        "capacity_type": group.get("capacity_type"),
        "update_config": [group["update_config"]] if group.get("update_config") else [],
        "taint": group.get("taints"),
        "version": call.given.get("cluster_version"),
        "user_data": _script(call, {**shared, **group}) if bool_of(group.get("create_launch_template")) else None,
    }
    return call.made("aws_eks_node_group", f'workers["{key}"]', values, key)


def _workers(call: Call, index: int, kind: str, group: dict[str, Any], *, mixed: bool) -> Resource:
    types = group["override_instance_types"] if mixed else _as_list(group["instance_type"])
    values = {
        "name": f"{call.given.get('cluster_name') or 'workers'}-{text_of(group.get('name')) or index}",
        "tags": [{"key": "kubernetes.io/cluster/this"}],
        "min_size": group["asg_min_size"],
        "max_size": group["asg_max_size"],
        "desired_capacity": group["asg_desired_capacity"],
        "vpc_zone_identifier": group["subnets"],
        "ami_type": "WINDOWS" if group.get("platform") == "windows" else "AL2_x86_64",
        "mixed_instances_policy": [{"launch_template": [{"override": _overrides(types)}]}],
        "user_data": _script(call, group),
    }
    return call.made("aws_autoscaling_group", f"{kind}[{index}]", values, index)


def _as_list(value: Any) -> Any:
    return None if value is None else value if isinstance(value, Unknown) else [value]


def _overrides(types: Any) -> Any:
    return UNKNOWN if isinstance(types, Unknown) else [{"instance_type": t} for t in items(types)]


def _script(call: Call, group: dict[str, Any]) -> Any:
    """Text that the module puts into the boot script; a note if a part of it is not known."""
    texts = [group.get(key) for key in _SCRIPTS]
    if any(isinstance(t, Unknown) for t in texts):
        call.said.leave_out(
            f"{call.address}.kubelet_extra_args", "not known in full: it can set max pods", "nodeGroups"
        )
    return "\n".join(t for t in map(shown, texts) if isinstance(t, str) and t) or None
