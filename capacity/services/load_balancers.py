"""Load balancers of a plan: addresses, targets and rules against quotas; one for each Service, or a shared one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from capacity.cost.rates import PriceBook
from capacity.plan.model import Balancing, Plan, Tenant
from capacity.plan.tenants import LOAD_BALANCER_KINDS, tenant_kinds
from capacity.units import HOURS_PER_MONTH, ceil_div
from capacity.vpc.quotas import QuotaUse, load_quotas


class LoadBalancer(NamedTuple):
    """A load balancer of a plan at its peak.

    Attributes
    ----------
    zones : int
        Its subnets.
    addresses : int
        Addresses that a check counts for it. [addresses]
    lowest : int
        The fewest that it holds: one in each subnet. [addresses]
    targets : int or None
        Registered targets of all target groups with maximum replicas, or the most nodes; None if nodes have no maximum.
    largest_group : int or None
        Targets of its largest target group.
    uses : tuple of QuotaUse
        Its use of each quota.
    """

    name: str
    kind: str
    zones: int
    addresses: int
    lowest: int
    target_type: str
    target_groups: int
    targets: int | None
    largest_group: int | None
    uses: tuple[QuotaUse, ...]


def load_balancers(plan: Plan) -> tuple[LoadBalancer, ...]:
    """The load balancers among the tenants of a plan.

    Notes
    -----
    With target type ``ip`` each pod of a workload is a target of the workload's target group; with ``instance`` each
    node is, in every target group. Pods that a rolling update adds are not counted.
    """
    replicas = {w.name: w.max_replicas for w in plan.workloads}
    nodes = most_nodes(plan)
    return tuple(_balancer(t, replicas, nodes) for t in plan.tenants if t.kind in LOAD_BALANCER_KINDS)


def most_nodes(plan: Plan) -> int | None:
    """The most nodes of a plan's groups without Fargate profiles; None if a group has no maximum. [nodes]"""
    groups = [g.max_nodes for g in plan.node_groups if not g.fargate]
    return None if None in groups else sum(n or 0 for n in groups)


def _balancer(tenant: Tenant, replicas: Mapping[str, int], nodes: int | None) -> LoadBalancer:
    serves = tenant.balancing or Balancing()
    by_group = [replicas[name] for name in serves.workloads]
    if serves.target_type == "instance":
        targets = None if nodes is None else nodes * len(by_group)
        largest = nodes if by_group else 0
    else:
        targets, largest = sum(by_group), max(by_group, default=0)
    return LoadBalancer(
        name=tenant.name,
        kind=tenant.kind,
        zones=len(tenant.subnets),
        addresses=tenant.addresses * len(tenant.subnets),
        lowest=len(tenant.subnets),
        target_type=serves.target_type,
        target_groups=len(by_group),
        targets=targets,
        largest_group=largest,
        uses=tuple(_uses(tenant, serves, targets, largest)),
    )


def _uses(tenant: Tenant, serves: Balancing, targets: int | None, largest: int | None) -> Iterator[QuotaUse]:
    """Use of the quotas of one load balancer. Targets of an NLB are spread evenly over its zones."""
    quotas, kind, name = load_quotas(), tenant.kind, tenant.name
    figures: list[tuple[str, int | None]] = [("eni_security_groups", serves.security_groups)]
    if kind == "alb":
        figures += [
            ("alb_targets", targets),
            ("alb_target_groups", len(serves.workloads)),
            ("alb_rules", serves.rules),
            ("alb_certificates", serves.certificates),
        ]
    elif kind == "nlb":
        by_zone = None if targets is None else ceil_div(targets, max(1, len(tenant.subnets)))
        figures += [("nlb_targets", targets), ("nlb_zone_targets", by_zone)]
    figures.append(("target_group_targets", largest))
    for quota, used in figures:
        if used is not None:
            yield QuotaUse(quotas[quota], used, name)


# --- one for each Service, or shared -------------------------------------------------------------


class BalancerChoice(NamedTuple):
    """A way to expose Services.

    Attributes
    ----------
    balancers, addresses : int
        Load balancers, and subnet addresses that a check counts for them.
    usd_per_month : float or None
        Their hours, without capacity units and traffic; None if the price is unknown.
    limited_by : str
        What needs more than one shared load balancer; empty if one is enough.
    """

    name: str
    kind: str
    balancers: int
    addresses: int
    usd_per_month: float | None
    limited_by: str = ""


def balancer_choices(services: int, targets: int, zones: int, book: PriceBook) -> tuple[BalancerChoice, ...]:
    """One load balancer for each Service, and a shared group of Ingresses.

    Parameters
    ----------
    services : int
        Services to expose, each with a rule, a target group and a host name of its certificate. [Services]
    targets : int
        Pods behind them at peak (target type ``ip``). [targets]
    zones : int
        Subnets of a load balancer. [zones]

    Notes
    -----
    An Ingress group is one ALB for at most 100 rules, 100 target groups and 1,000 targets (default quotas).

    Examples
    --------
    >>> from capacity.cost.inputs import CostInputs
    >>> book = PriceBook("us-east-1", CostInputs())
    >>> [(c.balancers, c.addresses, c.usd_per_month) for c in balancer_choices(40, 400, 3, book)]
    [(40, 120, 657.0), (40, 960, 657.0), (1, 24, 16.43)]
    """
    quotas = load_quotas()
    needed = {
        name: ceil_div(used, quotas[name].default or 1)
        for name, used in (("alb_rules", services), ("alb_target_groups", services), ("alb_targets", targets))
    }
    shared = max(needed.values(), default=0) if services else 0
    limit = next((name for name, count in needed.items() if count == shared), "") if shared > 1 else ""
    return tuple(
        BalancerChoice(
            name, kind, count, count * zones * tenant_kinds()[kind].addresses, _dollars(kind, count, book), limited
        )
        for name, kind, count, limited in (
            ("an NLB for each Service", "nlb", services, ""),
            ("an ALB for each Service", "alb", services, ""),
            ("a shared Ingress group", "alb", shared, quotas[limit].what if limit else ""),
        )
    )


def _dollars(kind: str, count: int, book: PriceBook) -> float | None:
    each = book.of_network_fee(kind, kind).usd_per_hour
    return None if each is None else round(count * each * HOURS_PER_MONTH + 1e-9, 2)
