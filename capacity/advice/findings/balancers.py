"""Findings about load balancers: targets, rules, certificates and security groups against their quotas."""

from __future__ import annotations

from collections.abc import Iterator

from capacity.advice.findings.codes import Finding, finding
from capacity.plan.model import Plan
from capacity.services.load_balancers import load_balancers


def balancer_findings(plan: Plan) -> Iterator[Finding]:
    """A finding for each quota that a load balancer of the plan exceeds at its peak."""
    for balancer in load_balancers(plan):
        for use in balancer.uses:
            if use.verdict not in ("over", "raise"):
                continue
            text = f"{balancer.name} ({balancer.kind.upper()}): {use.used:,} of {use.quota.default:,}: {use.quota.what}"
            severity = "error" if use.verdict == "over" else None
            yield finding("LB001", f"tenants.{balancer.name}", text, severity=severity)
