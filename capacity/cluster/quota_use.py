"""Computes the use of each quota by a checked plan, the maximum over its scenarios."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache

from capacity.cluster.check import CheckResult, engine_of
from capacity.cluster.control_plane import CONTROL_PLANE_ENIS
from capacity.cluster.scenario import GroupState, ScenarioState
from capacity.cni.facade import start_calls as start_calls_of_node
from capacity.plan.discovery import subnet_discovery
from capacity.plan.model import Plan
from capacity.vpc.quotas import QuotaUse, load_quotas, node_nau, tenant_enis, tenant_nau, vpc_use

RUN_INSTANCES = "RunInstances"


def quota_usage(result: CheckResult) -> tuple[QuotaUse, ...]:
    """Every quota of the table that the plan can be checked against, in the table's order.

    Quotas that the plan does not cover are left out: endpoints of a Service, namespaces, peers, routes.
    """
    plan = result.plan
    most: dict[str, tuple[int, str]] = dict(vpc_use(plan))
    beside = _beside(result)
    largest = _largest(result)
    for state in result.scenarios:
        for name, used, where in (*_of_cluster(state, beside), *_of_groups(state)):
            if used > most.get(name, (-1, ""))[0]:
                most[name] = (used, where)
    for name, calls in _scale_up(result, largest).items():
        most[name] = (calls, largest.title)
    if plan.service_count is not None:
        most["cluster_services"] = (plan.service_count, "")
    managed = sum(g.provisioner == "managed" for g in plan.node_groups)
    most["cluster_managed_groups"] = (managed, "")
    return tuple(QuotaUse(quota, *most[name]) for name, quota in load_quotas().items() if name in most)


def _beside(result: CheckResult) -> tuple[int, int]:
    """Network interfaces [ENIs] and address usage [NAU] other than the plan's nodes, with other clusters at peak."""
    plan = result.plan
    interfaces = tenant_enis(plan) + (CONTROL_PLANE_ENIS if plan.control_plane else 0)
    units = tenant_nau(plan)
    engine = engine_of(plan, result.reuse)
    for other in (t.plan for t in plan.tenants if t.plan):
        nodes = node_interfaces(engine.beside(other).at_rest("peak").groups)
        plane = CONTROL_PLANE_ENIS if other.control_plane else 0
        interfaces, units = interfaces + nodes[0] + plane, units + nodes[1]
    return interfaces, units


def _of_cluster(state: ScenarioState, beside: tuple[int, int]) -> Iterator[tuple[str, int, str]]:
    where = state.title
    nodes = sum(g.nodes for g in state.groups)
    pods = sum(c.count * c.pods for g in state.groups for c in g.classes) + state.unplaced_pods
    enis, units = (own + others for own, others in zip(node_interfaces(state.groups), beside, strict=True))
    yield "cluster_nodes", nodes, where
    yield "cluster_pods", pods, where
    yield "region_enis", enis, where
    yield "vpc_nau", units, where
    yield "peered_nau", units, where


def _of_groups(state: ScenarioState) -> Iterator[tuple[str, int, str]]:
    for group in state.groups:
        if group.shape.group.provisioner == "managed":
            yield "managed_group_nodes", group.nodes, f"{group.shape.group.name} in {state.title}"


def node_interfaces(groups: Iterable[GroupState]) -> tuple[int, int]:
    """Network interfaces of all nodes [ENIs], and their network address usage [NAU]."""
    interfaces = units = 0
    for group in groups:
        shape = group.shape.first
        for c in group.classes:
            slots, enis, _ = shape.pool(c.vpc_pods)
            own = enis + shape.limits.trunk + shape.limits.unmanaged
            prefixes = slots if shape.settings.prefix else 0
            if shape.settings.ipv6:
                prefixes = enis  # one /80 each
            nau = node_nau(own, 0 if prefixes else slots, prefixes)
            interfaces += c.count * (own + c.branch_pods)
            units += c.count * (nau + 2 * c.branch_pods)  # one more interface with one address
    return interfaces, units


# --- EC2 calls of a scale-up ----------------------------------------------------------------------


def _largest(result: CheckResult) -> ScenarioState:
    """The first scenario with the most nodes."""
    return max(result.scenarios, key=lambda state: sum(g.nodes for g in state.groups))


def _scale_up(result: CheckResult, largest: ScenarioState) -> dict[str, int]:
    """Calls by quota name if the additional nodes of the largest over the smallest scenario start at the same time."""
    few = min(result.scenarios, key=lambda state: sum(g.nodes for g in state.groups))
    return calls_of_growth(result.plan, few.groups, largest.groups)


def calls_of_growth(plan: Plan, before: Iterable[GroupState], after: Iterable[GroupState]) -> dict[str, int]:
    """The fewest EC2 calls by quota name to start the nodes that one state has more than another. [calls]"""
    calls: Counter[str] = Counter()
    for now, then in zip(before, after, strict=True):
        calls += start_calls(plan, then, max(then.nodes - now.nodes, 0))
    return {_quota_name(api): count for api, count in calls.items()}


def start_calls(plan: Plan, group: GroupState, nodes: int) -> Counter[str]:
    """The fewest EC2 calls by API to start a number of nodes of a group, filled like its fullest. [calls]"""
    shape = group.shape.first
    pods, look_up = group.fullest[0], subnet_discovery(plan.cni)
    one = start_calls_of_node(shape.limits, shape.settings, shape.max_pods, pods, look_up=look_up)
    calls = Counter({api: nodes * count for api, count in one.items()})
    calls[RUN_INSTANCES] = nodes
    return +calls


@cache
def _quota_name(api: str) -> str:
    """``ec2_create_network_interface`` of ``CreateNetworkInterface``."""
    if api == RUN_INSTANCES:
        return "run_instances_resource"
    words = "".join(f"_{c.lower()}" if c.isupper() else c for c in api)
    return f"ec2{words}"
