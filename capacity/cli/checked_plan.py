"""A plan named on the command line, read, changed by ``--set`` and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capacity.advice.findings.codes import Finding
    from capacity.advice.fixes import Fixes
    from capacity.cluster.check import CheckResult
    from capacity.cost.inputs import CostInputs
    from capacity.plan.document import PlanFile


@dataclass(frozen=True, eq=False, repr=False)
class Checked:
    """A plan file, what it was changed and checked with, and the result.

    Attributes
    ----------
    scenarios : list of str or None
        The scenarios given on the command line; None for those of the plan.
    patch : mapping
        The changes of ``--set``.
    """

    file: PlanFile
    scenarios: list[str] | None
    patch: Mapping[str, object]
    prices: CostInputs
    result: CheckResult
    findings: tuple[Finding, ...]


def checked_plan(
    path: Path | None, settings: list[str] | None, scenarios: list[str] | None, prices: CostInputs
) -> Checked:
    """Read the named plan, or the nearest capacity.yaml; apply ``--set`` to it, and check it."""
    from capacity.advice.judge import check_with_findings
    from capacity.plan.document import read_plan_file
    from capacity.plan.parse import find_plan, parse_patched
    from capacity.plan.patch import parse_settings

    patch = parse_settings(settings or ())
    file = read_plan_file(path or find_plan())
    result, found = check_with_findings(parse_patched(file.document, patch, file.name), scenarios)
    return Checked(file, scenarios, patch, prices, result, found)


def check_changed(checked: Checked, patch: Mapping[str, object]) -> CheckResult:
    """The check of the plan with more changes, in the same scenarios."""
    from capacity.advice.fixes import after
    from capacity.advice.judge import check_with_findings
    from capacity.plan.parse import parse_patched

    plan = parse_patched(checked.file.document, after(checked.patch, patch), checked.file.name)
    return check_with_findings(plan, checked.scenarios)[0]


def _search(checked: Checked, quiet: bool) -> Fixes:
    """Try levers, alone and in sets, on a plan whose verdict is not ok."""
    from capacity.advice.search import find_fixes
    from capacity.cli.progress import progress
    from capacity.plan.patch import apply_patch

    document = apply_patch(checked.file.document, checked.patch)
    with progress("searching for a fix", quiet=quiet) as tell:
        return find_fixes(document, checked.result, checked.scenarios, tell, checked.prices)


def search_fixes(checked: Checked) -> Fixes | None:
    """The fix search of other verbs: None if the verdict is ok or the plan is too large to search by default."""
    from capacity.advice.effort import is_large

    return None if checked.result.verdict == "ok" or is_large(checked.result) else _search(checked, quiet=False)
