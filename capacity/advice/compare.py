"""Compare two checks: what a change does to every subnet, scenario, finding and runway."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from capacity.advice.findings.codes import Finding
from capacity.advice.findings.rules import findings
from capacity.advice.summary import verdict_sentence
from capacity.cluster.check import CheckResult, check_result
from capacity.cluster.runway import Runway
from capacity.cluster.scenario import GroupState, ScenarioState
from capacity.units import counted
from capacity.vpc.ledger import SubnetState


@dataclass(frozen=True, slots=True)
class SubnetChange:
    """Change of one subnet in one scenario; None on a side without the subnet."""

    name: str
    before: SubnetState | None
    after: SubnetState | None

    @property
    def free_change(self) -> int | None:
        """Increase of the free addresses; None if one side is missing. [addresses]"""
        return self.after.free - self.before.free if self.before and self.after else None

    @property
    def used_change(self) -> int | None:
        """Increase of the held addresses. [addresses]"""
        return self.after.used_total - self.before.used_total if self.before and self.after else None

    @property
    def changed(self) -> bool:
        if self.before is None or self.after is None:
            return True
        return _figures(self.before) != _figures(self.after)


@dataclass(frozen=True, slots=True)
class GroupChange:
    """Change of one node group in one scenario; None on a side without the group."""

    name: str
    before: GroupState | None
    after: GroupState | None


@dataclass(frozen=True, slots=True)
class ScenarioChange:
    """Change of one scenario; None on the side of a check without it."""

    name: str
    variant: str
    before: ScenarioState | None
    after: ScenarioState | None
    subnets: tuple[SubnetChange, ...]
    groups: tuple[GroupChange, ...]

    @property
    def title(self) -> str:
        return f"{self.name} ({self.variant})" if self.variant else self.name

    @property
    def nodes(self) -> tuple[int | None, int | None]:
        """Number of nodes before and after. [nodes]"""
        return _nodes(self.before), _nodes(self.after)

    @property
    def changed(self) -> bool:
        if self.before is None or self.after is None:
            return True
        was, now = self.before, self.after
        pods = (was.unplaced_pods, was.pods_without_address) == (now.unplaced_pods, now.pods_without_address)
        return (
            not pods
            or was.verdict != now.verdict
            or self.nodes[0] != self.nodes[1]
            or any(s.changed for s in self.subnets)
        )


@dataclass(frozen=True, slots=True)
class RunwayChange:
    """Remaining room of one subnet, before and after."""

    name: str
    before: Runway | None
    after: Runway | None


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """All differences between two checks.

    Attributes
    ----------
    gained, lost : tuple of Finding
        Findings of one side only, compared by code and place. A finding whose severity changed is on
        both sides.
    """

    before: CheckResult
    after: CheckResult
    scenarios: tuple[ScenarioChange, ...]
    runway: tuple[RunwayChange, ...]
    gained: tuple[Finding, ...]
    lost: tuple[Finding, ...]

    def __repr__(self) -> str:
        gone, new = len(self.lost), len(self.gained)
        return f"<Comparison {self.before.verdict} to {self.after.verdict}: {gone} findings gone, {new} new>"

    @property
    def sentence(self) -> str:
        """The verdict of the change, in one line."""
        old, new = self.before.verdict, self.after.verdict
        head = f"{old.upper()} → {new.upper()}" if old != new else f"{new.upper()} before and after"
        return f"{head}: {self._addresses()}; {counted(len(self.lost), 'finding')} gone, {len(self.gained)} new."

    def _addresses(self) -> str:
        """Change of the free addresses in the scenario with the largest change, in words."""
        both = [s for s in self.scenarios if s.before and s.after]
        if not any(s.changed for s in both):
            return "no figures change"
        scenario = max(both, key=lambda s: abs(_free_change(s)))
        change = _free_change(scenario)
        if not change:
            return "the total of free addresses does not change"
        way = "more" if change > 0 else "fewer"
        return f"{counted(abs(change), f'{way} free address', f'{way} free addresses')} in {scenario.title}"


def compare(before: CheckResult, after: CheckResult) -> Comparison:
    """Compare two checks: of two plans, or of one plan before and after a change.

    Raises
    ------
    SpecError
        An argument is not a check.
    """
    for side, checked in (("before", before), ("after", after)):
        check_result(checked, side)
    old, new = {_key(s): s for s in before.scenarios}, {_key(s): s for s in after.scenarios}
    scenarios = tuple(_scenario(key, old.get(key), new.get(key)) for key in dict.fromkeys((*old, *new)))
    runs = ({r.subnet: r for r in before.runway}, {r.subnet: r for r in after.runway})
    was, now = findings(before), findings(after)
    known_before, known_after = {_finding_key(f) for f in was}, {_finding_key(f) for f in now}
    return Comparison(
        before=before,
        after=after,
        scenarios=scenarios,
        runway=tuple(RunwayChange(n, runs[0].get(n), runs[1].get(n)) for n in dict.fromkeys((*runs[0], *runs[1]))),
        gained=tuple(f for f in now if _finding_key(f) not in known_before),
        lost=tuple(f for f in was if _finding_key(f) not in known_after),
    )


def sentences(comparison: Comparison) -> tuple[str, str]:
    """Verdict sentence of each side."""
    return verdict_sentence(comparison.before), verdict_sentence(comparison.after)


def _key(state: ScenarioState) -> tuple[str, str]:
    return state.name, state.variant


def _scenario(key: tuple[str, str], before: ScenarioState | None, after: ScenarioState | None) -> ScenarioChange:
    old = {s.subnet.name: s for s in before.subnets} if before else {}
    new = {s.subnet.name: s for s in after.subnets} if after else {}
    was = {g.shape.group.name: g for g in before.groups} if before else {}
    now = {g.shape.group.name: g for g in after.groups} if after else {}
    return ScenarioChange(
        *key,
        before,
        after,
        tuple(SubnetChange(n, old.get(n), new.get(n)) for n in dict.fromkeys((*old, *new))),
        tuple(GroupChange(n, was.get(n), now.get(n)) for n in dict.fromkeys((*was, *now))),
    )


def _figures(state: SubnetState) -> tuple[object, ...]:
    return state.subnet.cidr, state.used, state.free, state.used_lowest, state.used_highest, state.verdict


def _finding_key(found: Finding) -> tuple[str, str]:
    return found.code, found.where


def _nodes(state: ScenarioState | None) -> int | None:
    return state.nodes if state else None


def _free(states: Iterable[SubnetState | None]) -> int:
    return sum(s.free for s in states if s is not None)


def _free_change(scenario: ScenarioChange) -> int:
    """Change of the total of free addresses, including those of added and removed subnets. [addresses]"""
    return _free(s.after for s in scenario.subnets) - _free(s.before for s in scenario.subnets)


def freed(comparison: Comparison) -> dict[str, dict[str, int]]:
    """Increase of the free addresses of each subnet, by scenario. [addresses]"""
    return {
        scenario.title: {s.name: s.free_change for s in scenario.subnets if s.free_change is not None}
        for scenario in comparison.scenarios
    }
