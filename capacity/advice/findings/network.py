"""Findings about the VPC: quotas, and CIDR blocks that cannot be associated with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from capacity.advice.findings.codes import Finding, finding
from capacity.cluster.check import CheckResult
from capacity.cluster.quota_use import quota_usage
from capacity.plan.model import Plan
from capacity.vpc.cidr_rules import addable
from capacity.vpc.quotas import QuotaUse

# Peered VPCs are not in the plan: for the VPC alone, `vpc_nau` has the same count.
LEFT_OUT = ("peered_nau",)


def network_findings(result: CheckResult) -> Iterator[Finding]:
    """All findings about the VPC."""
    # A quota that only a scenario chosen by default exceeds is not an error.
    firm = tuple(s for s in result.scenarios if not s.advisory)
    every = quota_usage(result)
    asked = every if len(firm) == len(result.scenarios) else quota_usage(replace(result, scenarios=firm))
    over = {use.quota.name for use in asked if use.verdict == "over"}
    for use in every:
        if use.verdict in ("raise", "over") and use.quota.name not in LEFT_OUT:
            yield finding("IP027", "vpc", _of_quota(use), severity="error" if use.quota.name in over else None)
    yield from _blocks(result.plan)


def _of_quota(use: QuotaUse) -> str:
    quota = use.quota
    where = f" ({use.where})" if use.where else ""
    limit = f"{quota.default:,}" + (" by default" if quota.adjustable else "")
    raised = f", at most {quota.most:,}" if quota.most is not None and quota.most != quota.default else ""
    return f"{quota.what}: {use.used:,} {quota.unit}{where}, {limit}{raised}"


def _blocks(plan: Plan) -> Iterator[Finding]:
    for i, cidr in enumerate(plan.vpc_cidrs):
        verdict = addable(cidr, plan.vpc_cidrs[:i])
        if i and verdict.verdict == "no":
            text = f"{cidr} cannot be associated with a VPC whose primary block is {plan.vpc_cidrs[0]}"
            text += " (the first of vpc.cidrs)"
            yield finding("IP028", "vpc.cidrs", f"{text}: {verdict.reason}")
