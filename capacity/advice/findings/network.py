"""Findings about the VPC as such: quotas, and blocks that may not join it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from capacity.advice.findings.codes import Finding, finding
from capacity.cluster.check import CheckResult
from capacity.cluster.quota_use import quota_usage
from capacity.plan.model import Plan
from capacity.vpc.cidr_rules import addable
from capacity.vpc.quotas import QuotaUse

# Peers are not in the plan: its own usage says nothing that `vpc_nau` does not.
LEFT_OUT = ("peered_nau",)


def network_findings(result: CheckResult) -> Iterator[Finding]:
    """All of them."""
    # What only the autoscalers could reach is no error: nobody asked for that scenario by name.
    firm = tuple(s for s in result.scenarios if not s.advisory)
    over = {use.quota.name for use in quota_usage(replace(result, scenarios=firm)) if use.verdict == "over"}
    for use in quota_usage(result):
        if use.verdict in ("raise", "over") and use.quota.name not in LEFT_OUT:
            yield finding("IP027", "vpc", _of_quota(use), severity="error" if use.quota.name in over else None)
    yield from _blocks(result.plan)


def _of_quota(use: QuotaUse) -> str:
    quota = use.quota
    where = f" ({use.where})" if use.where else ""
    limit = f"{quota.default:,}" + (" by default" if quota.adjustable else "")
    raised = f", {quota.most:,} at most" if quota.most is not None and quota.most != quota.default else ""
    return f"{quota.what}: {use.used:,} {quota.unit}{where}, {limit}{raised}"


def _blocks(plan: Plan) -> Iterator[Finding]:
    for i, cidr in enumerate(plan.vpc_cidrs):
        verdict = addable(cidr, plan.vpc_cidrs[:i])
        if i and verdict.verdict == "no":
            text = f"{cidr} may not join a VPC whose primary block is {plan.vpc_cidrs[0]} (the first of vpc.cidrs)"
            yield finding("IP028", "vpc.cidrs", f"{text}: {verdict.reason}")
