"""Computes the cost of a plan's load balancers, NAT gateways, interface endpoints and cross-zone traffic."""

from __future__ import annotations

from collections.abc import Iterator

from capacity.cost.inputs import NetworkUse
from capacity.cost.plan_cost import (
    CROSS_ZONE,
    LOAD_BALANCER,
    NAT_GATEWAY,
    NAT_TRAFFIC,
    PUBLIC_IPV4,
    VPC_ENDPOINT,
    CostLine,
)
from capacity.cost.rates import PriceBook
from capacity.plan.model import Plan, Tenant
from capacity.plan.tenants import LOAD_BALANCER_KINDS

PER_MONTH = 1.0  # hours: a price for a GB is paid once


def network_lines(plan: Plan, use: NetworkUse, book: PriceBook) -> Iterator[CostLine]:
    """Lines of the network: hours of load balancers, gateways and endpoints, their public addresses, and traffic.

    Notes
    -----
    A load balancer costs its hours whatever its number of subnets; its capacity units (LCU) depend on traffic and are
    not included. A NAT gateway and an interface endpoint cost hours in each of their subnets. An internet-facing load
    balancer has at least one public IPv4 address in each subnet, a NAT gateway one.
    """
    for tenant in plan.tenants:
        yield from _tenant(tenant, book)
    if use.cross_zone_gb:
        rate = book.of_network_fee("cross-zone-gb", "cross-zone traffic")
        what = f"{use.cross_zone_gb:,g} GB in both directions"
        yield CostLine(CROSS_ZONE, "", what, 2 * use.cross_zone_gb, "GB", rate, PER_MONTH)
    if use.nat_gb:
        rate = book.of_network_fee("nat-gb", "traffic through NAT gateways")
        yield CostLine(NAT_TRAFFIC, "", "processed by NAT gateways", use.nat_gb, "GB", rate, PER_MONTH)


def _tenant(tenant: Tenant, book: PriceBook) -> Iterator[CostLine]:
    kind, zones = tenant.kind, len(tenant.subnets)
    if kind in LOAD_BALANCER_KINDS:
        rate = book.of_network_fee(kind, f"a load balancer ({kind.upper()})")
        yield CostLine(LOAD_BALANCER, tenant.name, f"{kind.upper()}, without capacity units", 1, "load balancer", rate)
    elif kind == "natGateway":
        rate = book.of_network_fee(kind, "a NAT gateway")
        yield CostLine(NAT_GATEWAY, tenant.name, "NAT gateway", zones, "gateway", rate)
    elif kind == "vpcEndpoint":
        rate = book.of_network_fee(kind, "an interface endpoint")
        yield CostLine(VPC_ENDPOINT, tenant.name, "interface endpoint", zones, "zone", rate)
    if tenant.internet_facing or kind == "natGateway":
        rate = book.of_fee("public-ipv4", "a public IPv4 address")
        yield CostLine(PUBLIC_IPV4, tenant.name, "one in each subnet, at least", zones, "address", rate)
