"""Quotas and tested limits, and network address usage (NAU)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from ipaddress import IPv4Network
from typing import NamedTuple

from capacity.catalog.packaged import data_dir, read_rows
from capacity.plan.model import Plan, Tenant
from capacity.plan.tenants import tenant_kinds

COLUMNS = ("name", "what", "default", "most", "adjustable", "unit", "scope", "source")
SERVICES_TAKEN = 2  # kubernetes and kube-dns have one address each


class Quota(NamedTuple):
    """One row of ``data/quotas.csv``.

    Attributes
    ----------
    default : int or None
        The default value; None if no source states it.
    most : int or None
        The highest value after an increase; None if unknown or unlimited.
    adjustable : str
        ``yes``, ``no``, how in words, or empty for limits that are not quotas.
    scope : str
        The scope that it applies to.
    """

    name: str
    what: str
    default: int | None
    most: int | None
    adjustable: str
    unit: str
    scope: str
    source: str


class QuotaUse(NamedTuple):
    """A plan's use of a quota.

    Attributes
    ----------
    used : int
        Use in ``quota.unit``, in the scope with the most.
    where : str
        The scenario, group or zone of the use; empty for the whole plan.
    """

    quota: Quota
    used: int
    where: str = ""

    @property
    def verdict(self) -> str:
        """``ok``, ``raise`` (above the default, an increase is enough), ``over`` or ``unknown``."""
        if self.quota.default is None:
            return "unknown"
        if self.used <= self.quota.default:
            return "ok"
        if self.quota.adjustable == "no" or (self.quota.most is not None and self.used > self.quota.most):
            return "over"
        return "raise"

    @property
    def share(self) -> float | None:
        """Share of the default; None if that is unknown."""
        return self.used / self.quota.default if self.quota.default else None


@cache
def load_quotas() -> Mapping[str, Quota]:
    """All quotas by name."""
    rows = read_rows(data_dir() / "quotas.csv", *COLUMNS)
    return {
        row["name"]: Quota(
            name=row["name"],
            what=row["what"],
            default=int(row["default"]) if row["default"] else None,
            most=int(row["most"]) if row["most"] else None,
            adjustable=row["adjustable"],
            unit=row["unit"],
            scope=row["scope"],
            source=row["source"],
        )
        for row in rows
    }


def service_addresses(cidr: IPv4Network) -> int:
    """Services that fit in a Service CIDR, in addition to kubernetes and kube-dns. [services]

    Notes
    -----
    2^(32−n) − 2: the first and the last address are not assigned; minus the two Services of every cluster.

    Source
    ------
    kubernetes/kubernetes pkg/registry/core/service/ipallocator (the size of a range minus network and broadcast
    address); sizes: awsdocs/amazon-eks-user-guide@4d52b4d create-cluster.adoc L122-130.

    Examples
    --------
    >>> [service_addresses(IPv4Network(f"172.16.0.0/{n}")) for n in (24, 20, 16, 12)]
    [252, 4092, 65532, 1048572]
    """
    return cidr.num_addresses - 2 - SERVICES_TAKEN


def node_nau(enis: int, single_addresses: int, prefixes: int) -> int:
    """Network address usage of an instance's interfaces. [NAU]

    Parameters
    ----------
    enis : int
        Its network interfaces, the primary included. [ENIs]
    single_addresses : int
        Secondary addresses; the primary address of each interface is not included. [addresses]
    prefixes : int
        /28s: one unit each, not 16.

    Notes
    -----
    One unit per address, per interface beyond the first, and per prefix.

    Source
    ------
    awsdocs/amazon-vpc-user-guide@06e98d9 network-address-usage.md.

    Examples
    --------
    m5.large in the default mode, all three ENIs full; with prefixes for 110 pods on one ENI.

    >>> node_nau(enis=3, single_addresses=27, prefixes=0), node_nau(enis=1, single_addresses=0, prefixes=7)
    (32, 8)
    """
    return enis + single_addresses + prefixes + max(enis - 1, 0)


def tenant_nau(plan: Plan) -> int:
    """Network address usage of the plan's tenants, if AWS's table lists their kinds. [NAU]"""
    return nau_of_tenants(plan.tenants)


def nau_of_tenants(tenants: Iterable[Tenant]) -> int:
    """Network address usage of some tenants, as :func:`tenant_nau` counts it. [NAU]"""
    total = 0
    for tenant in tenants:
        kind = tenant_kinds()[tenant.kind]
        units = {"subnet": len(tenant.subnets), "tenant": 1, "address": tenant.addresses * len(tenant.subnets)}
        total += (kind.nau or 0) * units.get(kind.nau_per, 0)
    return total


def tenant_enis(plan: Plan) -> int:
    """Lower bound of the network interfaces of the plan's tenants: one per stated address. [ENIs]

    Load balancers count one per subnet unless the plan sets their addresses: the default of their kind is room for
    growth, not interfaces.
    """
    return tenant_interfaces(t for t in plan.tenants if not t.plan)  # clusters are counted from their nodes


def tenant_interfaces(tenants: Iterable[Tenant]) -> int:
    """Network interfaces of some tenants, as :func:`tenant_enis` counts them. [ENIs]"""
    total = 0
    for tenant in tenants:
        kind = tenant_kinds()[tenant.kind]
        reserve = kind.enis is not None and tenant.addresses == kind.addresses
        total += len(tenant.subnets) * (kind.enis or 0 if reserve else tenant.addresses)
    return total


def vpc_use(plan: Plan) -> dict[str, tuple[int, str]]:
    """The quotas that the plan's network itself uses: number and place by quota name."""
    kinds = [tenant.kind for tenant in plan.tenants]
    found = {
        "vpc_ipv4_blocks": (len(plan.vpc_cidrs), ""),
        "vpc_subnets": (len(plan.subnets), ""),
        "vpc_interface_endpoints": (kinds.count("vpcEndpoint"), ""),
        "region_albs": (kinds.count("alb"), ""),
        "region_nlbs": (kinds.count("nlb"), ""),
        "region_clbs": (kinds.count("clb"), ""),
    }
    zone_of = {s.name: s.zone for s in plan.subnets}
    gateways: dict[str, int] = {}
    for tenant in plan.tenants:
        if tenant.kind == "natGateway":
            for name in tenant.subnets:
                gateways[zone_of[name]] = gateways.get(zone_of[name], 0) + 1
    fullest = max(gateways, key=lambda zone: gateways[zone], default="")
    found["zone_nat_gateways"] = (gateways.get(fullest, 0), fullest)
    return found
