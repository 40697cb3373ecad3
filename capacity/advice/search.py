"""The smallest set of levers that is enough, found by checking the changed plan with the same engine.

The space
---------
Every lever alone, in each of its sizes; pairs of which one helped alone; threes of levers that each helped. Levers that
set one thing to different values are alternatives and not put together; a new cluster is tried alone only.

The order
---------
What disturbs least comes first (:data:`~capacity.advice.lever.RISKS`, of a set the most that any of its levers
disturbs), of these the set of fewest levers, of these the first in the order of
:data:`~capacity.advice.levers.FACTORIES`. The first set that is enough is the answer, in the mildest size and for the
fewest node groups that are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from capacity.advice.distance import addresses_suffice, distance_of, remaining
from capacity.advice.fixes import Fix, Fixes, conflict, joined_commands, least_free, merged
from capacity.advice.lever import RISKS, Lever
from capacity.advice.levers import lever_for, levers
from capacity.advice.reasons import with_reasons
from capacity.advice.trial import Trials
from capacity.cluster.check import CheckResult
from capacity.errors import SpecError
from capacity.spec.document import Section, collector_paused
from capacity.spec.plan import ScenarioSpec

MOST_TOGETHER = 3  # levers in one set
FEWEST_CHECKS, MOST_CHECKS = 40, 150  # in a search
SEARCH = 2_000_000  # workloads and places for nodes that the scenarios of all checks may go through
PLACE = 5  # a group in a subnet takes as long as so many workloads (benchmarks/RESULTS.md)
MOST_TRIMS = 12  # checks that look for groups which need no change

Tell = Callable[[int, int], None]
Enough = Callable[[Fix], bool]


@collector_paused()
def find_fixes(
    document: Section,
    result: CheckResult,
    scenarios: Sequence[str | ScenarioSpec] | None = None,
    tell: Tell | None = None,
) -> Fixes:
    """The smallest set of levers with which the plan is ok, each tried by a check of the changed plan.

    Parameters
    ----------
    document : Section
        The plan as read.
    result : CheckResult
        Its check.
    tell : callable, optional
        Called before each check with those done and the most there may be.

    Notes
    -----
    Space and order are the module's. Where no set makes the verdict ok, the first set after which only pods remain that
    are unschedulable for another reason than addresses is the partial answer. An interrupt ends the search: what was
    found until then is the answer.
    """
    search = _Search(document, result, scenarios, tell)
    interrupted = False
    try:
        search.run()
    except KeyboardInterrupt:
        interrupted = True
    return with_reasons(search.outcome(interrupted), result)


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


def is_ok(fix: Fix) -> bool:
    """Whether the plan is ok with it."""
    return fix.verdict == "ok"


class _Search:
    """One search: what was tried, and what was found."""

    def __init__(
        self,
        document: Section,
        result: CheckResult,
        scenarios: Sequence[str | ScenarioSpec] | None,
        tell: Tell | None,
    ) -> None:
        self.result = result
        self.before = distance_of(result)
        self.was = least_free(result)
        self.trials = Trials(document, result, scenarios)
        self.tell = tell
        self.most = most_checks(result)
        self.checks = 0
        self.tried: list[Fix] = []
        self.best: Fix | None = None
        self.partial: Fix | None = None
        self.complete = False

    def run(self) -> None:
        """Try the space in its order."""
        offered = levers(self.result)
        for lever in offered:
            self.tried.append(self._alone(lever))
        self.best = self._first(is_ok, offered)
        if self.best is None and not addresses_suffice(self.result):
            self.partial = self._first(_suffices, offered)
        self.complete = self.checks < self.most
        if self.best is not None:
            self.best = self._refined(self.best, is_ok)
        elif self.partial is not None:
            self.partial = self._refined(self.partial, _suffices)

    def outcome(self, interrupted: bool) -> Fixes:
        """What was found so far."""
        best, partial = self.best, self.partial
        if interrupted and best is None:
            best = min((f for f in self.tried if is_ok(f)), key=_place, default=None)
        known = [f for f in self.tried if f.verdict is not None]
        nearest = min(known, key=lambda f: (f.rank, len(f.levers)), default=None)
        nearest = nearest if best is None and partial is None else None
        return Fixes(best, nearest, tuple(self.tried), partial, self.complete and not interrupted, interrupted)

    # --- the space in its order -----------------------------------------------------------

    def _alone(self, lever: Lever) -> Fix:
        """A lever in its mildest size that is enough; the strongest where none is."""
        fix = self.check((lever,))
        milder = (self.check((m,)) for m in lever.milder) if is_ok(fix) or _suffices(fix) else iter(())
        return next((m for m in milder if is_ok(m) == is_ok(fix) and _suffices(m) == _suffices(fix)), fix)

    def _first(self, enough: Enough, offered: Sequence[Lever]) -> Fix | None:
        """The first set of the space that is enough; sets tried before are not tried again."""
        known = {_names(f.levers): f for f in self.tried}
        alone = list(zip(offered, (f for f in self.tried if len(f.levers) == 1), strict=True))
        for risk in RISKS:
            single = next((f for _, f in alone if f.risk == risk and enough(f)), None)
            if single is not None:
                return single
            for several in self._sets(alone, risk):
                fix = known.get(_names(several))
                if fix is None:
                    if self.checks >= self.most:
                        break
                    fix = self.check(several)
                    self.tried.append(fix)
                if enough(fix):
                    return fix
        return None

    def _sets(self, alone: Sequence[tuple[Lever, Fix]], risk: str) -> Iterator[tuple[Lever, ...]]:
        """Sets of two levers or more that disturb so much."""
        most = RISKS.index(risk)
        pool = [(x, f) for x, f in alone if f.verdict is not None and RISKS.index(x.risk) <= most and not x.last]
        helped = {x.name for x, f in pool if self.before.helped_by(f.rank)}
        for size in range(2, MOST_TOGETHER + 1):
            for several in combinations((x for x, _ in pool), size):
                helping = sum(x.name in helped for x in several)
                if helping < (1 if size == 2 else size) or all(RISKS.index(x.risk) < most for x in several):
                    continue
                if not conflict(several):
                    yield several

    # --- made smaller ---------------------------------------------------------------------

    def _refined(self, fix: Fix, enough: Enough) -> Fix:
        """The same levers, each in its mildest size and for the fewest groups that are enough."""
        for place, lever in enumerate(fix.levers):
            for milder in lever.milder if len(fix.levers) > 1 else ():
                tried = self.check((*fix.levers[:place], milder, *fix.levers[place + 1 :]))
                if enough(tried):
                    fix = tried
                    break
        return self._trimmed(fix, enough)

    def _trimmed(self, fix: Fix, enough: Enough) -> Fix:
        groups = list(dict.fromkeys(g for lever in fix.levers for g in lever.groups))
        if not 1 < len(groups) <= MOST_TRIMS:
            return fix
        for group in groups:
            rest = [g for g in groups if g != group]
            fewer = self._without(fix, group, rest)
            tried = self.check(fewer) if rest and fewer and fewer != fix.levers else None
            if tried is not None and enough(tried):
                fix, groups = tried, rest
        return fix

    def _without(self, fix: Fix, group: str, rest: Sequence[str]) -> tuple[Lever, ...]:
        """The levers for fewer groups; nothing where one cannot be."""
        found: list[Lever] = []
        for lever in fix.levers:
            if group not in lever.groups:
                found.append(lever)
                continue
            made = next(iter(lever_for(self.result, lever.name, rest, found)), None)
            if made is None or group in made.groups:
                return ()
            found.append(made)
        return tuple(found)

    # --- one check ------------------------------------------------------------------------

    def check(self, several: tuple[Lever, ...]) -> Fix:
        """What the plan is with some levers."""
        if self.tell is not None:
            self.tell(self.checks, max(self.most, self.checks + 1))
        self.checks += 1
        try:
            patch = merged(several)
            changed = self.trials.check(patch)
        except SpecError as error:
            return Fix(several, {}, None, {}, 0, 0, str(error))
        far, now = distance_of(changed), least_free(changed)
        frees = {name: now[name] - free for name, free in self.was.items() if name in now and now[name] != free}
        return Fix(
            levers=several,
            patch=patch,
            verdict=changed.verdict,
            frees=frees,
            short=far.short,
            not_ok=far.not_ok,
            pods=far.pods,
            suffices=addresses_suffice(changed),
            remains=remaining(changed),
            commands=joined_commands(several, self.result.plan),
        )


def _names(several: Sequence[Lever]) -> tuple[str, ...]:
    return tuple(lever.name for lever in several)


def _suffices(fix: Fix) -> bool:
    return fix.suffices


def _place(fix: Fix) -> tuple[int, int]:
    return RISKS.index(fix.risk), len(fix.levers)
