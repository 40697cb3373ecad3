"""Read address holders other than nodes from Terraform resources: gateways, endpoints, load balancers, instances."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import TYPE_CHECKING

from capacity.readers.draft import TenantDraft, unique
from capacity.readers.values import int_of, items, mapping, text_of

if TYPE_CHECKING:
    from capacity.readers.terraform.resource import Resource, Stack

_ONE_EACH = {
    "aws_nat_gateway": ("natGateway", "subnet_id"),
    "aws_vpc_endpoint": ("vpcEndpoint", "subnet_ids"),
    "aws_lb": ("alb", "subnets"),
    "aws_alb": ("alb", "subnets"),
    "aws_elb": ("clb", "subnets"),
    "aws_efs_mount_target": ("efs", "subnet_id"),
    "aws_ec2_transit_gateway_vpc_attachment": ("transitGateway", "subnet_ids"),
}
_COUNTED = ("aws_instance", "aws_network_interface", "aws_lambda_function", "aws_ecs_service")


def holders(stack: Stack) -> Iterator[TenantDraft]:
    """Tenants of the resources whose subnets are in the plan; the others stay unread in the account."""
    taken: set[str] = set()
    for resource in stack.of(
        *_ONE_EACH, "aws_instance", "aws_network_interface", "aws_lambda_function", "aws_ecs_service"
    ):
        tenant = _tenant(stack, resource)
        if tenant is None:
            continue
        name = unique(tenant.name, taken)
        taken.add(name)
        yield TenantDraft(name, tenant.kind, tenant.subnets, tenant.addresses)


def _tenant(stack: Stack, resource: Resource) -> TenantDraft | None:
    if resource.type in _ONE_EACH:
        return _one_each(stack, resource)
    if resource.type == "aws_lambda_function":
        return _function(stack, resource)
    if resource.type == "aws_ecs_service":
        return _ecs_service(stack, resource)
    return _instance_or_interface(stack, resource)


def _label(resource: Resource) -> str:
    tags = mapping(resource.value("tags"))
    return text_of(tags.get("Name")) or text_of(resource.value("name")) or resource.address


def _planned(stack: Stack, resource: Resource, *keys: str) -> list[str]:
    """Names of the subnets of an attribute that are in the plan."""
    return [s for s in stack.subnet_names(resource, *keys) if s in stack.subnets.values()]


def _one_each(stack: Stack, resource: Resource) -> TenantDraft | None:
    """A holder with an interface in each of its subnets."""
    kind, key = _ONE_EACH[resource.type]
    stack.said.use(resource.type, resource.address)
    if resource.type == "aws_vpc_endpoint" and resource.value("vpc_endpoint_type") != "Interface":
        return None
    form = str(resource.value("load_balancer_type"))
    if form == "gateway":
        return None
    subnets = _planned(stack, resource, key) or _mapped(stack, resource)
    if not subnets:
        known = stack.subnet_names(resource, key)
        why = "its subnets are not those of the plan" if known else "its subnets are not known before apply"
        stack.said.leave_out(resource.address, f"{why}: ignored", "tenants")
        return None
    return TenantDraft(_label(resource), "nlb" if form == "network" else kind, tuple(subnets))


def _mapped(stack: Stack, resource: Resource) -> list[str]:
    """Subnets of the subnet_mapping blocks of a load balancer."""
    ids = [text_of(mapping(b).get("subnet_id")) for b in items(resource.value("subnet_mapping"))]
    names = [stack.ids[i] for i in ids if i in stack.ids]
    return list(dict.fromkeys(names)) or _planned(stack, resource, "subnet_mapping", "subnet_id")


def _instance_or_interface(stack: Stack, resource: Resource) -> TenantDraft | None:
    """An instance or interface with its primary and secondary addresses."""
    subnets = _planned(stack, resource, "subnet_id")
    if not subnets:
        return None  # an instance whose interface is a separate resource, or a subnet that is not known
    stack.said.use(resource.type, resource.address)
    listed = len(items(resource.value("private_ips")))
    count = int_of(resource.value("private_ips_count"))
    more = len(items(resource.value("secondary_private_ips")))
    addresses = max(listed, 1 + more if count is None else 1 + count)
    kind = "ec2" if resource.type == "aws_instance" else "other"
    return TenantDraft(_label(resource), kind, tuple(subnets[:1]), addresses)


def _function(stack: Stack, resource: Resource) -> TenantDraft | None:
    """A function in a VPC; functions with the same subnets and security groups share their interfaces."""
    inside = resource.value("vpc_config")
    if not inside:
        stack.said.use(resource.type, resource.address)
        return None
    subnets = _planned(stack, resource, "vpc_config", "subnet_ids")
    if not subnets:
        return None
    stack.said.use(resource.type, resource.address)
    groups = tuple(sorted(map(str, items(resource.value("vpc_config", "security_group_ids")))))
    same = (tuple(sorted(subnets)), groups)
    if same in stack.functions:
        return None
    stack.functions.add(same)
    return TenantDraft(_label(resource), "lambda", tuple(subnets))


def _ecs_service(stack: Stack, resource: Resource) -> TenantDraft | None:
    """Tasks with an interface each, spread over the subnets of the service."""
    subnets = _planned(stack, resource, "network_configuration", "subnets")
    tasks = int_of(resource.value("desired_count"))
    if not subnets or not tasks:
        return None
    stack.said.use(resource.type, resource.address)
    each = ceil(tasks / len(subnets))
    if tasks % len(subnets):
        text = f"{tasks} tasks in {len(subnets)} subnets: {each} addresses in each"
        stack.said.say(resource.address, text, "tenants")
    return TenantDraft(_label(resource), "other", tuple(subnets), each)
