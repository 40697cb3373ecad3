"""Levers applied to the plan, checked again by the same engine, and the smallest set of them that is enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from capacity.advice.codes import Finding
from capacity.advice.judge import check
from capacity.advice.levers import Lever, levers
from capacity.cluster.check import CheckResult
from capacity.errors import SpecError
from capacity.spec.document import Section, collector_paused
from capacity.spec.patch import parse_patched
from capacity.spec.plan import ScenarioSpec
from capacity.vpc.ledger import VERDICTS

MOST_TOGETHER = 3  # levers in one set
FEWEST_CHECKS, MOST_CHECKS = 20, 150  # in a search
SEARCH = 1_000_000  # workloads and places for nodes that the scenarios of all checks may go through: some ten seconds
PLACE = 5  # a group in a subnet takes as long as so many workloads (benchmarks/RESULTS.md)


@dataclass(frozen=True, slots=True)
class Fix:
    """Some levers together and what the check says of the plan with them.

    Attributes
    ----------
    patch : mapping
        All changes, as ``--set`` takes them.
    verdict : str or None
        None where the levers exclude each other; ``fault`` says why.
    frees : mapping
        Addresses freed by subnet in the scenario where the subnet has least, before against after;
        subnets of both plans only. [addresses]
    short : int
        What is still missing over all subnets and scenarios. [addresses]
    """

    levers: tuple[Lever, ...]
    patch: Mapping[str, object]
    verdict: str | None
    frees: Mapping[str, int]
    short: int
    not_ok: int
    fault: str = ""

    @property
    def names(self) -> str:
        """Its levers in one line."""
        return " + ".join(lever.name for lever in self.levers)

    @property
    def rank(self) -> tuple[int, int, int]:
        """How far from ok: verdict, subnets and scenarios that are not, addresses short."""
        return (VERDICTS.index(self.verdict or "exhausted"), self.not_ok, self.short)


@dataclass(frozen=True, slots=True)
class Fixes:
    """What was tried.

    Attributes
    ----------
    best : Fix or None
        The smallest set that makes the verdict ok; None where none was found.
    tried : tuple of Fix
        Every set that was checked, single levers first.
    nearest : Fix or None
        The best of those tried, where none is enough.
    """

    best: Fix | None
    nearest: Fix | None
    tried: tuple[Fix, ...]

    @property
    def single(self) -> tuple[Fix, ...]:
        """Those of one lever."""
        return tuple(f for f in self.tried if len(f.levers) == 1)


@collector_paused()
def find_fixes(
    document: Section,
    result: CheckResult,
    scenarios: Sequence[str | ScenarioSpec] | None = None,
    tell: Callable[[int, int], None] | None = None,
) -> Fixes:
    """The smallest set of levers with which the plan is ok, each tried by a check of the changed plan.

    Every lever is tried alone; then pairs of which one helped alone, then threes of those that helped, those that
    disturb least first. So the first that is enough is the smallest, and every smaller set with a lever that helps
    is proven not to be. A lever that means a new cluster is named only where no set of the others is enough.

    Parameters
    ----------
    document : Section
        The plan as read.
    result : CheckResult
        Its check.
    tell : callable, optional
        Called before each check with those done and the most there may be.
    """
    tried: list[Fix] = []
    offered = levers(result)
    most = most_checks(result)
    for candidate in _sets(offered, result, tried, most):
        if tell is not None:
            tell(len(tried), most)
        fix = _tried(candidate, document, result, scenarios)
        tried.append(fix)
        if fix.verdict == "ok" and len(candidate) > 1:
            return Fixes(fix, None, tuple(tried))
        enough = next((f for f in tried if f.verdict == "ok" and not f.levers[0].last), None)
        if len(tried) == len(offered) and enough:
            return Fixes(enough, None, tuple(tried))
    if rebuilt := next((f for f in tried if f.verdict == "ok"), None):
        return Fixes(rebuilt, None, tuple(tried))
    known = [f for f in tried if f.verdict is not None]
    nearest = min(known, key=lambda f: (f.rank, len(f.levers)), default=None)
    return Fixes(None, nearest, tuple(tried))


def _sets(
    offered: Sequence[Lever], result: CheckResult, tried: Sequence[Fix], most: int
) -> Iterator[tuple[Lever, ...]]:
    """Sets of levers to try, ``most`` in all: each alone, pairs with one that helped, threes of those that helped."""
    yield from ((lever,) for lever in offered)
    before = _distance(result)
    known = [f for f in tried if f.verdict is not None and not f.levers[0].last]
    helped = [f.levers[0] for f in known if f.rank < before]
    pairs = [p for p in combinations((f.levers[0] for f in known), 2) if any(lever in helped for lever in p)]
    pairs.sort(key=lambda pair: not all(lever in helped for lever in pair))  # those of two that help before the others
    for several in (*pairs, *(s for size in range(3, MOST_TOGETHER + 1) for s in combinations(helped, size))):
        if len(tried) >= most:
            return
        yield several


def most_checks(result: CheckResult) -> int:
    """How many checks a search may take: fewer of a large plan, so that it stays a matter of seconds."""
    return min(max(_affordable(result), FEWEST_CHECKS), MOST_CHECKS)


def is_large(result: CheckResult) -> bool:
    """Whether even the fewest checks of a search take long."""
    return _affordable(result) < FEWEST_CHECKS


def _affordable(result: CheckResult) -> int:
    """Checks within :data:`SEARCH`: by size and not by the clock, so that the answer is the same everywhere."""
    plan = result.plan
    places = sum(len(g.subnets) for g in plan.node_groups)
    return SEARCH // max((len(plan.workloads) + PLACE * places) * len(result.scenarios), 1)


ABOUT_ADDRESSES = ("IP001", "IP002", "IP003", "IP004", "IP006", "IP019")


def with_fix(found: Sequence[Finding], fixes: Fixes | None) -> tuple[Finding, ...]:
    """The findings, those about missing addresses with the patch that mends them all."""
    best = fixes.best if fixes else None
    if best is None:
        return tuple(found)
    commands = [command for lever in best.levers for command in lever.commands]

    def mended(entry: Finding) -> Finding:
        frees = best.frees.get(entry.where.removeprefix("subnets."))
        fix = {"summary": "; ".join(lever.summary for lever in best.levers), "patch": dict(best.patch)}
        return replace(entry, fix=fix | {"commands": commands, "frees": frees})

    return tuple(mended(f) if f.code in ABOUT_ADDRESSES else f for f in found)


def _distance(result: CheckResult) -> tuple[int, int, int]:
    states = [s for scenario in result.scenarios for s in scenario.subnets]
    not_ok = sum(s.verdict != "ok" for s in states) + sum(len(s.unplaced) for s in result.scenarios)
    return VERDICTS.index(result.verdict), not_ok, sum(max(-s.free, 0) for s in states)


def _tried(
    candidate: tuple[Lever, ...],
    document: Section,
    result: CheckResult,
    scenarios: Sequence[str | ScenarioSpec] | None,
) -> Fix:
    try:
        patch = merged(candidate)
        changed = check(parse_patched(document, patch, result.plan.file), scenarios)
    except SpecError as error:
        return Fix(candidate, {}, None, {}, 0, 0, str(error))
    _, not_ok, short = _distance(changed)
    was, now = least_free(result), least_free(changed)
    frees = {name: now[name] - free for name, free in was.items() if name in now and now[name] != free}
    return Fix(candidate, patch, changed.verdict, frees, short, not_ok)


def merged(several: Sequence[Lever]) -> dict[str, object]:
    """One patch of several levers; appended lists are joined.

    Raises
    ------
    SpecError
        Two levers set one path to different values.
    """
    patch: dict[str, object] = {}
    for lever in several:
        for path, value in lever.patch.items():
            if not path.endswith("[+]") and patch.get(path, value) != value:
                raise SpecError(f"{lever.name} and another lever both set {path}")
        patch = after(patch, lever.patch)
    return patch


def after(first: Mapping[str, object], then: Mapping[str, object]) -> dict[str, object]:
    """Two patches as one: what both append is joined, what both set is the second's."""
    joined = dict(first)
    for path, value in then.items():
        if path.endswith("[+]") and path in joined:
            both = (joined[path], value)
            joined[path] = [item for part in both for item in (part if isinstance(part, list) else [part])]
        else:
            joined[path] = value
    return joined


def least_free(result: CheckResult) -> dict[str, int]:
    """Fewest free addresses of each subnet over all scenarios. [addresses]"""
    found: dict[str, int] = {}
    for scenario in result.scenarios:
        for state in scenario.left:
            found[state.subnet.name] = min(found.get(state.subnet.name, state.free), state.free)
    return found
