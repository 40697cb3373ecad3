"""Checks one plan of a fleet: its row, and what the answers across clusters need of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from capacity.advice.findings.codes import Finding
from capacity.advice.judge import check_with_findings
from capacity.cluster.check import CheckResult, engine_of
from capacity.cluster.control_plane import CONTROL_PLANE_ENIS
from capacity.cluster.engine import Engine
from capacity.cluster.other_clusters import OWN
from capacity.cluster.quota_use import calls_of_growth, node_interfaces
from capacity.cluster.scenario import GroupState, ScenarioState, tightest
from capacity.cost.bill import plan_cost
from capacity.cost.inputs import CostInputs
from capacity.fleet.subject import Subject
from capacity.fleet.unit import Row
from capacity.fleet.vcpus import vcpu_quota
from capacity.plan.locate import anchor_of
from capacity.plan.model import Plan
from capacity.plan.tenants import tenant_kinds
from capacity.vpc.quotas import nau_of_tenants, tenant_interfaces

OF_CLUSTER = "load_balancers"  # holder of tenants that belong to one cluster; other tenants can be in several plans


def check_row(subject: Subject, options: Mapping[str, Any]) -> Row:
    """The verdict of one plan, with the clusters in its subnets as tenants.

    ``options``: ``scenarios`` (names, or None for those of the plan) and ``full`` (whether the row has the whole
    answer of `capacity check`).
    """
    result, found = check_with_findings(subject.plan, options.get("scenarios") or None, subject.reuse)
    row = row_of(result, found)
    if options.get("full"):
        from capacity.pages.check_page import results_json

        row["check"] = results_json(result, found)
    return row


def row_of(result: CheckResult, found: Sequence[Finding]) -> Row:
    """The row of a check and its findings."""
    plan = result.plan
    cost = plan_cost(result, CostInputs())
    engine = engine_of(plan, result.reuse)
    steady, peak = engine.at_rest("steady"), engine.at_rest("peak")
    monthly = {name: one.usd_per_month for name in ("steady", "peak") if (one := cost.cost(name)) is not None}
    return {
        "name": plan.name,
        "account": plan.account,
        "region": plan.region,
        "vpc": plan.vpc_id,
        "verdict": result.verdict,
        "tightest": tightest_json(result),
        "usd_per_month": monthly.get("steady"),
        "usd_per_month_peak": monthly.get("peak"),
        "nodes": steady.nodes,
        "nodes_peak": peak.nodes,
        "shares_with": [t.name for t in plan.tenants if t.plan],
        "findings": [finding_row(plan, f) for f in found],
        "error": None,
        "usage": {
            "steady": _usage(plan, steady),
            "peak": _usage(plan, peak),
            "tenants": _tenants(plan),
            "subnets": _subnets(engine, steady, peak),
            "worst": _worst(result),
            "upgrade_calls": _upgrade_calls(result, steady),
        },
    }


def tightest_json(result: CheckResult) -> dict[str, Any] | None:
    """The subnet with the smallest free share in a scenario that counts in full; None if there is none."""
    firm = [state for state in result.scenarios if not state.advisory]
    found = tightest(firm or result.scenarios)
    if found is None:
        return None
    state, subnet = found
    return {
        "subnet": subnet.subnet.name,
        "scenario": state.title,
        "free": subnet.free,
        "free_pct": round(100 * subnet.free / subnet.subnet.usable, 2),
    }


def finding_row(plan: Plan, found: Finding) -> dict[str, Any]:
    """A finding with its place: a line, or a path to look for in the file."""
    at = anchor_of(plan, found.where)
    return {
        "code": found.code,
        "severity": found.severity,
        "where": found.where,
        "scenario": found.scenario,
        "message": found.message,
        "at": at,
    }


def _usage(plan: Plan, state: ScenarioState) -> dict[str, Any]:
    """Nodes, network interfaces [ENIs], address usage [NAU] and vCPUs of the cluster's nodes in a state."""
    enis, nau = node_interfaces(state.groups)
    return {
        "nodes": state.nodes,
        "enis": enis + (CONTROL_PLANE_ENIS if plan.control_plane else 0),
        "nau": nau,
        "vcpus": dict(sorted(_vcpus(state.groups).items())),
    }


def _vcpus(groups: Iterable[GroupState]) -> Counter[str]:
    """vCPUs by the quota that limits them. [vCPU]"""
    found: Counter[str] = Counter()
    for state in groups:
        group, kind = state.shape.group, state.shape.first.instance_type
        quota = vcpu_quota(kind.name, group.capacity_type)
        if not group.fargate and kind.vcpus and quota:
            found[quota] += state.nodes * kind.vcpus
    return +found


def _tenants(plan: Plan) -> dict[str, Any]:
    """Load balancers, which belong to the cluster, and the interfaces of the others, which several plans can have."""
    kinds = tenant_kinds()
    own = [t for t in plan.tenants if not t.plan and kinds[t.kind].holder == OF_CLUSTER]
    others = [t for t in plan.tenants if not t.plan and kinds[t.kind].holder != OF_CLUSTER]
    return {
        "enis": tenant_interfaces(own),
        "enis_of_others": tenant_interfaces(others),
        "nau": nau_of_tenants(own),
        "nau_of_others": nau_of_tenants(others),
        "kinds": dict(sorted(Counter(t.kind for t in own).items())),
    }


def _subnets(engine: Engine, steady: ScenarioState, peak: ScenarioState) -> dict[str, list[int]]:
    """By subnet: this cluster's own addresses in steady and at peak, and others' that only this plan counts."""
    beside: Counter[str] = Counter()
    for extra in engine.neighbours("steady"):
        beside[extra.subnet] += extra.addresses
    at_peak = {s.subnet.name: _own(s.used) for s in peak.subnets}
    return {
        s.subnet.name: [
            _own(s.used),
            at_peak[s.subnet.name],
            s.used_total - _own(s.used) - beside[s.subnet.name],
            s.subnet.usable,
        ]
        for s in steady.subnets
    }


def _own(used: Mapping[str, int]) -> int:
    return sum(used[holder] for holder in OWN)


def _worst(result: CheckResult) -> dict[str, list[Any]]:
    """By subnet: the worst verdict, and the scenario with the fewest free addresses with these."""
    found: dict[str, list[Any]] = {}
    order = ("ok", "tight", "exhausted")
    for state in result.scenarios:
        for s in state.left:
            verdict = state.weighed(s.verdict)
            known = found.get(s.subnet.name)
            rank = (-order.index(verdict), s.free)
            if known is None or rank < (-order.index(known[0]), known[2]):
                found[s.subnet.name] = [verdict, state.title, s.free]
    return found


def _upgrade_calls(result: CheckResult, steady: ScenarioState) -> dict[str, int] | None:
    """The fewest EC2 calls to start the nodes that an upgrade adds, by quota; None without such a scenario."""
    upgrade = next((s for s in result.scenarios if s.name == "upgrade"), None)
    return None if upgrade is None else calls_of_growth(result.plan, steady.groups, upgrade.groups)


def findings_by_severity(findings: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Number of findings by severity."""
    counts = Counter(str(f["severity"]) for f in findings)
    return {severity: counts[severity] for severity in ("error", "warning", "info")}
