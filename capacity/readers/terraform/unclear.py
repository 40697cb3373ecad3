"""Name the facts of a resource that are stated, and not known or in the wrong place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from capacity.readers.terraform.manifests import is_cni_release
from capacity.readers.values import mapping

if TYPE_CHECKING:
    from capacity.readers.terraform.resource import Resource, Stack

# Facts by type of resource, and the section of the plan that they would be in. Facts with a note of their own are not
# here: blocks of subnets, and user data.
FACTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "aws_eks_cluster": (
        "kubernetes.version",
        (
            "version",
            "vpc_config.subnet_ids",
            "kubernetes_network_config.service_ipv4_cidr",
            "kubernetes_network_config.ip_family",
            "compute_config.enabled",
        ),
    ),
    "aws_eks_node_group": (
        "nodeGroups",
        (
            "scaling_config.min_size",
            "scaling_config.desired_size",
            "scaling_config.max_size",
            "ami_type",
            "update_config.max_unavailable",
            "update_config.max_unavailable_percentage",
            "capacity_type",
            "instance_types",
            "subnet_ids",
        ),
    ),
    "aws_autoscaling_group": (
        "nodeGroups",
        ("min_size", "desired_capacity", "max_size", "mixed_instances_policy", "vpc_zone_identifier"),
    ),
    "aws_launch_template": ("nodeGroups", ("instance_type", "network_interfaces.interface_type")),
    "aws_eks_addon": ("cni.env", ("configuration_values", "addon_version")),
    "helm_release": ("cni.env", ("values", "set")),
    "aws_vpc_ipv4_cidr_block_association": ("vpc.cidrs", ("cidr_block",)),
}


# Names that a type does not have as arguments, and another type or module has: Terraform refuses them.
MISPLACED: dict[str, tuple[str, ...]] = {
    "aws_eks_node_group": (
        *("desired_size", "min_size", "max_size", "desired_capacity", "min_capacity", "max_capacity"),
        *("instance_type", "subnets", "max_unavailable"),
    ),
    "aws_autoscaling_group": ("desired_size", "instance_type", "instance_types", "subnet_ids", "subnets"),
}
NO_FACTS = (".securityGroups", ".region")  # of an ENIConfig, in the values of the CNI
IN_PART = ("instance_types", "subnet_ids", "vpc_zone_identifier")  # have a note of their own if nothing is known


def say_unclear(stack: Stack) -> None:
    """Note, for each resource, its facts that have a value which is not known."""
    for resource in stack.of(*FACTS):
        if resource.type == "helm_release" and not is_cni_release(resource):
            continue
        if resource.type == "aws_eks_addon" and resource.value("addon_name") != "vpc-cni":
            continue
        section, facts = FACTS[resource.type]
        unclear = [f for f in facts if _is_unclear(stack, resource, f)]
        if unclear:
            stack.said.leave_out(resource.address, f"not known: {', '.join(unclear)}", section)


def say_misplaced(stack: Stack) -> None:
    """Note the attributes of a group of nodes that its type does not have."""
    for resource in stack.of(*MISPLACED):
        others = [k for k in MISPLACED[resource.type] if resource.value(k) is not None or resource.unknown_of(k)]
        if others:
            text = f"ignored, not arguments of {resource.type}: {', '.join(others)}"
            stack.said.leave_out(resource.address, text, "nodeGroups")


def _is_unclear(stack: Stack, resource: Resource, fact: str) -> bool:
    if fact in IN_PART and not resource.value(fact):
        return False
    if any(_covers(path, fact) for path in resource.unclear if not path.endswith(NO_FACTS)):
        return True
    return any(stack.references.states(resource, path) for path in _unknown(resource, fact))


def _covers(path: str, fact: str) -> bool:
    return path == fact or fact.startswith(f"{path}.") or path.startswith(f"{fact}.")


def _unknown(resource: Resource, fact: str) -> Iterator[str]:
    """The path of a fact, if a plan marks it as known after apply."""
    here: object = resource.unknown
    for key in fact.split("."):
        here = here[0] if isinstance(here, list) and here else here
        here = mapping(here).get(key)
    if here is True:
        yield fact
