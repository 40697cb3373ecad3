"""Check changed plans in a search: completely, or up to the first scenario that is not ok."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from capacity.advice.distance import is_ok
from capacity.advice.judge import check, judged
from capacity.advice.places import Refusal, RefusalPlace, first_refusal, places_of, refusal
from capacity.cluster.alternatives import harmful_types
from capacity.cluster.check import CheckResult, engine_of, has_pods, run_scenario, singles
from capacity.cluster.engine import Engine
from capacity.cluster.parts import independent
from capacity.cluster.scenario import ScenarioState
from capacity.errors import SpecError
from capacity.plan.model import Plan, Workload
from capacity.plan.parse import parse_patched, parse_plan
from capacity.plan.patch import apply_patch
from capacity.plan.scenario_spec import ScenarioSpec
from capacity.plan.sections import PlanSection
from capacity.plan.seen import Seen
from capacity.vpc.ledger import VERDICTS, worst

Goal = Callable[[ScenarioState], bool]
AT_REST = ("steady", "peak")
WORKLOADS, GROUPS = "workloads", "nodeGroups"
KEPT_WORKLOADS, KEPT_GROUPS = 4, 20_000
KEPT_PLACES = 4  # places that refused most recently, which are checked before the whole plan


class Trials:
    """Checks of one plan with changes.

    Scenarios that are likely to refuse a change cheaply come first: those that are not ok in the unchanged plan,
    of these the steady states first, then the worst.
    """

    def __init__(
        self, document: PlanSection, result: CheckResult, scenarios: Sequence[str | ScenarioSpec] | None = None
    ) -> None:
        self.document = document
        self.result = result
        self.scenarios = scenarios
        self._seen = Seen(document)
        self._changed: list[tuple[list[tuple[str, object]], list[object]]] = []
        self._known: list[tuple[Mapping[str, object], tuple[Workload, ...]]] = []
        self._states = {(s.name, s.variant): s for s in result.scenarios}
        self._specs = sorted(_single(result.plan, result.specs), key=self._worth)
        self._places: list[RefusalPlace] = []

    def check(self, patch: Mapping[str, object]) -> CheckResult:
        """Check the plan with a patch."""
        plan = parse_patched(self.document, patch, self.result.plan.file)
        return check(plan, self.scenarios, self.result.reuse)

    def first_refusal(self, patch: Mapping[str, object], goal: Goal) -> Refusal | tuple[CheckResult, str]:
        """The first thing found wrong with a patch, looked for first in the places that refused earlier ones.

        As :meth:`quick` if only a whole scenario can tell, or if nothing is wrong.
        """
        plan = self._plan(patch)
        for place in self._places:
            found = refusal(plan, place, self.result.reuse)
            if found and (goal is is_ok or found.lacks_addresses):
                self._recall(place)
                return found
        return self._until(plan, goal, partial(first_refusal, pods_count=goal is is_ok))

    def _recall(self, *places: RefusalPlace) -> None:
        alone = [place for place in places if independent(place.spec)]
        self._places = list(dict.fromkeys((*alone, *self._places)))[:KEPT_PLACES]

    def quick(self, patch: Mapping[str, object], goal: Goal) -> tuple[CheckResult, str]:
        """Check the plan with a patch up to the first scenario that misses a goal; return that scenario's title too.

        Without runways.
        """
        found = self._until(self._plan(patch), goal, lambda engine, spec: run_scenario(engine, spec)[0])
        assert not isinstance(found, Refusal)
        return found

    def _until(
        self, plan: Plan, goal: Goal, state_of: Callable[[Engine, ScenarioSpec], ScenarioState | Refusal]
    ) -> Refusal | tuple[CheckResult, str]:
        """Check a changed plan up to the first scenario that misses a goal or is refused."""
        engine = engine_of(plan, self.result.reuse)
        states: list[ScenarioState] = []
        known = set(self._specs)
        for spec in (*self._specs, *(s for s in _single(plan, self.result.specs) if s not in known)):
            found = state_of(engine, spec)
            if isinstance(found, Refusal):
                self._recall(found.place)
                return found
            states.append(found)
            if not goal(found):
                verdict = worst([s.verdict for s in states])
                self._recall(*places_of(spec, found))
                refused = CheckResult(plan, engine.shapes, verdict, tuple(states), (), (), tuple(self._specs))
                return refused, found.title
        return self._closed(engine, states), ""

    def _closed(self, engine: Engine, states: Sequence[ScenarioState]) -> CheckResult:
        """Complete check without runways; its states are in the usual order."""
        place = {s: i for i, s in enumerate(_single(engine.plan, self.result.specs))}
        keys = {(s.name, s.zone or ""): i for s, i in place.items()}
        ordered = tuple(sorted(states, key=lambda s: keys[s.name, s.variant]))
        verdict = worst([s.verdict for s in ordered])
        harmful = harmful_types(engine, self.result.specs, run_scenario) if verdict != "exhausted" else ()
        verdict = worst([verdict, "tight" if harmful or not has_pods(engine.plan) else "ok"])
        specs = self.result.specs
        return judged(CheckResult(engine.plan, engine.shapes, verdict, ordered, (), (), specs, harmful))

    def before(self, refused: CheckResult) -> CheckResult:
        """Check of the unchanged plan, in the scenarios up to the one that refused a change."""
        judged_in = {(s.name, s.variant) for s in refused.scenarios}
        states = tuple(s for key, s in self._states.items() if key in judged_in)
        return replace(self.result, scenarios=states, verdict=worst([s.verdict for s in states]))

    def _plan(self, patch: Mapping[str, object]) -> Plan:
        """The plan with a patch; workloads that are unchanged, or changed by an earlier patch, are not read again."""
        if WORKLOADS not in self.document or GROUPS not in self.document:
            return parse_patched(self.document, patch, self.result.plan.file)
        of_pods, of_groups = (
            {path: value for path, value in patch.items() if path.startswith(section)}
            for section in (WORKLOADS, GROUPS)
        )
        rest = {path: value for path, value in patch.items() if path not in of_pods and path not in of_groups}
        try:
            changed = apply_patch(self.document, rest)
            changed[GROUPS] = self._groups(of_groups)
            changed[WORKLOADS] = []
            return replace(self._parsed(changed), workloads=self._workloads(of_pods))
        except SpecError:  # a scenario can name a workload; real errors are reported for the whole plan
            return parse_patched(self.document, patch, self.result.plan.file)

    def _groups(self, patch: Mapping[str, object]) -> list[object]:
        """Node groups with a patch; recent results are kept, up to a total number of groups."""
        changes = list(patch.items())
        found: list[object] = self.document[GROUPS]
        done = 0
        for known, groups in self._changed:  # the largest part of the changes, in order, that was applied before
            if done < len(known) <= len(changes) and changes[: len(known)] == known:
                found, done = groups, len(known)
        if done == len(changes):
            return found
        document = apply_patch(self.document, {})
        document[GROUPS] = found
        found = apply_patch(document, dict(changes[done:]))[GROUPS]
        if len(self._changed) * len(found) < KEPT_GROUPS:
            self._changed.append((changes, found))
            self._seen.keep(found)
        return found

    def _parsed(self, changed: PlanSection) -> Plan:
        return parse_plan(changed, self.result.plan.file, seen=self._seen)

    def _workloads(self, patch: Mapping[str, object]) -> tuple[Workload, ...]:
        """Workloads with a patch; the last few results are kept."""
        if not patch:
            return self.result.plan.workloads
        for known, workloads in self._known:
            if known == patch:
                return workloads
        found = parse_patched(self.document, patch, self.result.plan.file).workloads
        self._known = [(patch, found), *self._known[: KEPT_WORKLOADS - 1]]
        return found

    def _worth(self, spec: ScenarioSpec) -> tuple[bool, bool, int, int]:
        state = self._states.get((spec.name, spec.zone or ""))
        if state is None:
            return True, True, 0, 0
        short = sum(max(-s.free, 0) for s in state.subnets)
        return state.verdict == "ok" or spec.advisory, spec.name not in AT_REST, -VERDICTS.index(state.verdict), -short


def _single(plan: Plan, specs: Sequence[ScenarioSpec]) -> Iterator[ScenarioSpec]:
    """Each scenario once; a lost zone is given by name."""
    for spec in dict.fromkeys(specs):
        yield from singles(plan, spec)
