"""Checks of a changed plan inside a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from capacity.advice.judge import check
from capacity.cluster.check import CheckResult
from capacity.spec.document import Section
from capacity.spec.patch import parse_patched
from capacity.spec.plan import ScenarioSpec


class Trials:
    """Checks of one plan with changes."""

    def __init__(
        self, document: Section, result: CheckResult, scenarios: Sequence[str | ScenarioSpec] | None = None
    ) -> None:
        self.document = document
        self.result = result
        self.scenarios = scenarios

    def check(self, patch: Mapping[str, object]) -> CheckResult:
        """The check of the plan with a patch."""
        return check(parse_patched(self.document, patch, self.result.plan.file), self.scenarios)
