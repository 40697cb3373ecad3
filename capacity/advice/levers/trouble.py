"""Subnets and node groups of a checked plan that are not ok."""

from __future__ import annotations

from capacity.cluster.check import CheckResult
from capacity.cluster.unplaced import daemons_on


def short_subnets(result: CheckResult) -> frozenset[str]:
    """Subnets that are not ok in some scenario."""
    return frozenset(s.subnet.name for scenario in result.scenarios for s in scenario.subnets if s.verdict != "ok")


def troubled_groups(result: CheckResult) -> frozenset[str]:
    """Groups that use a subnet that is not ok, or whose pods are unschedulable or have no address.

    All groups if none is involved in a problem.
    """
    plan, short = result.plan, short_subnets(result)
    found = {g.name for g in plan.node_groups if short.intersection((*g.subnets, *g.pod_subnets))}
    found |= {s.group.name for s in result.shapes if any(short.intersection(c) for c in s.choices.values())}
    found |= {g.shape.group.name for s in result.scenarios for g in s.groups if g.pods_without_address}
    found |= {name for name, _ in unschedulable_in(result)}
    found |= {h.group for h in result.harmful}
    return frozenset(found or (g.name for g in plan.node_groups))


def unschedulable_in(result: CheckResult) -> list[tuple[str, str]]:
    """Groups that could run unschedulable pods, with the limit; each pair once."""
    plan = result.plan
    everywhere = tuple(g.name for g in plan.node_groups if not g.fargate)
    allowed = {w.name: w.node_groups or everywhere for w in plan.workloads}
    allowed |= {daemons_on(g.name): (g.name,) for g in plan.node_groups}
    lacking = dict.fromkeys((u.workload, u.reason) for s in result.scenarios for u in s.unplaced)
    return list(dict.fromkeys((group, reason) for name, reason in lacking for group in allowed[name]))
