"""Computes the offer of a node group's nodes for its typical pod, and the limit reached first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from capacity.catalog.prices import usd_per_hour
from capacity.cluster.check import CheckResult, check_result
from capacity.cluster.group_platform import platform_of
from capacity.cluster.group_shapes import daemons_of
from capacity.cluster.shape import GroupShape
from capacity.cni.facade import settings_on
from capacity.errors import check_kind
from capacity.node.maxpods import max_pods
from capacity.node.offer import Daemon, Offer, PodAsked, offer_from
from capacity.node.platform import as_run
from capacity.plan.model import Plan
from capacity.units import ceil_div


def typical_pod(plan: Plan, group: str) -> PodAsked:
    """The mean requests of the pods that can run on a group, weighted by their replicas, rounded up.

    Workloads that can use any group count for each; a request that no workload sets is None, not 0.

    Examples
    --------
    >>> from capacity.plan.sections import PlanSection
    >>> from capacity.plan.model import Cni, Plan, Requests, Workload
    >>> from capacity.plan.cni_env import CniSettings
    >>> loads = Workload("a", 3, 3, Requests(100)), Workload("b", 1, 1, Requests(500))
    >>> typical_pod(Plan("p", (), (), Cni(), workloads=loads), "any").cpu
    200
    """
    mine = [w for w in plan.workloads if w.replicas and (not w.node_groups or group in w.node_groups)]
    pods = sum(w.replicas for w in mine)
    cpu = sum(w.replicas * (w.requests.cpu_millicores or 0) for w in mine)
    memory = sum(w.replicas * (w.requests.memory_bytes or 0) for w in mine)
    return PodAsked(cpu=ceil_div(cpu, pods) if cpu else None, memory=ceil_div(memory, pods) if memory else None)


def group_offers(result: CheckResult, prices: Mapping[str, float | None] | None = None) -> tuple[Offer, ...]:
    """Every node group's first type, filled with the group's typical pod, named ``group (type)``.

    ``prices``: of a node, by group; None if unknown; by default the on-demand list prices of Linux nodes.
    [USD per hour]
    """
    check_result(result)
    if prices is not None:
        check_kind("prices", prices, Mapping, "a mapping of node groups to prices, such as {'general': 0.096}")
    prices = _list_prices(result) if prices is None else prices
    return tuple(_offer(result, shape, prices.get(shape.group.name)) for shape in result.shapes)


def _list_prices(result: CheckResult) -> dict[str, float | None]:
    region = result.plan.region
    priced = [s for s in result.shapes if region and not (s.group.windows or s.group.fargate)]
    return {s.group.name: usd_per_hour(s.first.instance_type.name, region or "") for s in priced}


def group_daemons(plan: Plan, shape: GroupShape) -> tuple[Daemon, ...]:
    """The DaemonSets of a group in the form of :mod:`capacity.node`."""
    return tuple(
        Daemon(d.name, d.requests.cpu_millicores or 0, d.requests.memory_bytes or 0, d.host_network)
        for d in daemons_of(plan, shape.group)
    )


def _offer(result: CheckResult, shape: GroupShape, price: float | None) -> Offer:
    plan, group, kind = result.plan, shape.group, shape.first.instance_type
    on = platform_of(group, settings_on(plan.cni, group))
    row = max_pods(kind, as_run(on, kind))
    if row.ip_capacity is not None:
        row = replace(row, ip_capacity=shape.first.addresses)
    pod, daemons = typical_pod(plan, group.name), group_daemons(plan, shape)
    found = offer_from(row, pod, daemons, shape.first.max_pods, price=price)
    return replace(found, instance_type=f"{group.name} ({kind.name})")
