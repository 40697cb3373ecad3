"""All findings about a checked plan, with the numbers: every rule of ``data/findings.toml``."""

from __future__ import annotations

from collections.abc import Iterator

from capacity.advice.findings.cluster import cluster_findings
from capacity.advice.findings.codes import SEVERITIES, Finding
from capacity.advice.findings.network import network_findings
from capacity.advice.findings.nodes import node_findings
from capacity.advice.findings.policies import policy_findings
from capacity.advice.findings.subnets import beside_addresses, subnet_findings
from capacity.cluster.check import CheckResult, check_result
from capacity.plan.document import collector_paused
from capacity.plan.model import Plan


@collector_paused()
def findings(result: CheckResult) -> tuple[Finding, ...]:
    """All findings of a check, most severe first, then in order of appearance."""
    check_result(result)
    found = [*subnet_findings(result), *_beside_subnets(result)]
    return tuple(sorted(found, key=lambda f: -SEVERITIES.index(f.severity)))


def errors(result: CheckResult) -> tuple[Finding, ...]:
    """Findings of severity error, for a check that is not exhausted by addresses (so no subnet causes one)."""
    found = (*beside_addresses(result), *_beside_subnets(result))
    return tuple(f for f in found if f.severity == "error")


def _beside_subnets(result: CheckResult) -> Iterator[Finding]:
    """Findings about everything but subnets."""
    yield from cluster_findings(result)
    yield from node_findings(result)
    yield from network_findings(result)
    yield from policy_findings(result.plan)
    yield from _around_services(result.plan)


def _around_services(plan: Plan) -> Iterator[Finding]:
    """Findings about Services and load balancers; their formulas are loaded for plans that have them."""
    if plan.services:
        from capacity.advice.findings.kube_proxy import plan_service_findings

        yield from plan_service_findings(plan)
    if plan.tenants:
        from capacity.advice.findings.balancers import balancer_findings

        yield from balancer_findings(plan)
