"""Check a plan with its findings: a finding of severity error makes it exhausted, even with enough addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from capacity.advice.findings import rules as rules
from capacity.advice.findings.codes import Finding
from capacity.cluster.check import CheckResult
from capacity.cluster.check import check as check_addresses
from capacity.cluster.reuse import Reuse
from capacity.errors import check_kind
from capacity.plan.document import collector_paused
from capacity.plan.model import Plan
from capacity.plan.parse import read_plan
from capacity.plan.scenario_spec import ScenarioSpec


def check(
    plan: Plan | Path | str, scenarios: Sequence[str | ScenarioSpec] | None = None, reuse: Reuse | None = None
) -> CheckResult:
    """Answer "will we run out of IPs?" for a plan.

    Parameters
    ----------
    plan : Plan, Path or str
        A plan, or the path of its file.
    scenarios : sequence of str or ScenarioSpec, optional
        Names (``peak``, ``upgrade+zone-loss``, ``burst:nodes=20``); by default those of the plan, or if it
        names none, all scenarios for which the plan has input.
    reuse : Reuse, optional
        Intermediate results of checks of similar plans, from a check's result.

    Raises
    ------
    SpecError
        A scenario or scenario option does not exist, or the file is not a plan.

    Notes
    -----
    A finding of severity error says that something cannot work (EKS refuses an update, AWS a block): the plan is
    then exhausted, even if every subnet has addresses.
    """
    check_kind("plan", plan, (Plan, Path, str), "a Plan or the path of its file")
    return judged(check_addresses(plan if isinstance(plan, Plan) else read_plan(plan), scenarios, reuse))


def judged(result: CheckResult) -> CheckResult:
    """Apply the findings of severity error to a check by addresses."""
    return result if result.verdict == "exhausted" else _judged(result, rules.errors(result))


@collector_paused()
def check_with_findings(
    plan: Plan, scenarios: Sequence[str | ScenarioSpec] | None = None, reuse: Reuse | None = None
) -> tuple[CheckResult, tuple[Finding, ...]]:
    """Apply the findings of severity error to a check, and return the findings too."""
    result = check_addresses(plan, scenarios, reuse)
    found = rules.findings(result)
    return (result if result.verdict == "exhausted" else _judged(result, found)), found


def _judged(result: CheckResult, found: Sequence[Finding]) -> CheckResult:
    blocked = tuple(f"{f.message} ({f.code})" for f in found if f.severity == "error")
    return replace(result, verdict="exhausted", blocked=blocked) if blocked else result
