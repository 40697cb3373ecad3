"""Search for the smallest set of levers that is enough, by checking the changed plan with the same engine.

The space
---------
Every lever alone, in each of its sizes; pairs of which one helped alone; sets of three that each helped. If
addresses are missing, some lever of a set must reduce the shortage alone; if pods are unschedulable or without an
address, some lever must reduce their number. Levers that set one thing to different values are alternatives and are
not combined; a new cluster is tried only alone.

The order
---------
Sets are ordered by what they disrupt (:data:`~capacity.advice.levers.lever.RISKS`, the highest of a set's levers),
then by the number of levers, then by monthly cost, then by the order
of :data:`~capacity.advice.levers.offered.FACTORIES`. Sets of several levers are ordered by the sum of what
their levers cost alone. The first set that is enough is the answer, in the mildest size and for the fewest node
groups that are enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from capacity.advice.distance import addresses_suffice, distance_of, has_addresses, is_ok, remaining
from capacity.advice.dollars import Prices, cost_order, sum_order
from capacity.advice.effort import IN_FULL, most_checks, size_of
from capacity.advice.fixes import Fix, Fixes, conflict, joined_commands, least_free, merged
from capacity.advice.judge import check
from capacity.advice.levers.lever import RISKS, Lever
from capacity.advice.levers.offered import lever_for, levers
from capacity.advice.places import Refusal
from capacity.advice.reasons import with_reasons
from capacity.advice.trial import Goal, Trials
from capacity.cluster.check import CheckResult, check_result
from capacity.cost.inputs import CostInputs
from capacity.errors import SpecError, check_function, check_kind
from capacity.plan.document import collector_paused, read_plan_file, section_of
from capacity.plan.parse import parse_plan
from capacity.plan.scenario_spec import ScenarioSpec
from capacity.plan.sections import PlanSection

MOST_TOGETHER = 3  # levers in one set
MOST_NEAR = 6  # levers that help most, combined into the nearest set
MOST_TRIMS = 12  # checks that find groups which need no change

Tell = Callable[[int, int], None]


@collector_paused()
def find_fixes(
    plan: Mapping[str, Any] | Path | str,
    result: CheckResult | None = None,
    scenarios: Sequence[str | ScenarioSpec] | None = None,
    tell: Tell | None = None,
    prices: CostInputs | None = None,
) -> Fixes:
    """Find the smallest set of levers with which the plan is ok; each set is checked on the changed plan.

    Parameters
    ----------
    plan : mapping, Path or str
        The decoded document of a plan, or the path of its file.
    result : CheckResult, optional
        Check of the plan, if there is one already.
    tell : callable, optional
        Called before each check, and before each lever is computed, with the checks done and the maximum.

    prices : CostInputs, optional
        Prices for the cost of a change; by default on-demand list prices.

    Notes
    -----
    The module describes the space and the order. If no set makes the verdict ok, the partial answer is the first set
    after which the only problem left is pods that are unschedulable for reasons other than addresses. An interrupt ends
    the search; what was found until then is the answer.
    """
    check_kind("plan", plan, (Mapping, Path, str), "the path of the plan file: a fix changes its content")
    if isinstance(plan, Mapping):
        document, name = section_of(plan, ""), ""
    else:
        read = read_plan_file(plan)
        document, name = read.document, read.name
    if result is not None:
        check_result(result)
    if tell is not None:
        check_function("tell", tell)
    result = result or check(parse_plan(document, name), scenarios)
    if not (result.harmful or result.blocked) and all(map(is_ok, result.scenarios)):
        # ok, or a plan without pods, which no change fixes
        return Fixes(None, None, (), result=result)
    search = _Search(document, result, scenarios, tell, Prices(result, prices))
    interrupted = False
    try:
        search.run()
    except KeyboardInterrupt:
        interrupted = True
    return with_reasons(search.outcome(interrupted=interrupted))


class _Search:
    """State of one search: what was tried, and what was found."""

    def __init__(
        self,
        document: PlanSection,
        result: CheckResult,
        scenarios: Sequence[str | ScenarioSpec] | None,
        tell: Tell | None,
        prices: Prices,
    ) -> None:
        self.result = result
        self.before = distance_of(result)
        self.large = size_of(result) > IN_FULL
        self.trials = Trials(document, result, scenarios)
        self.tell = tell
        self.prices = prices
        self.goal: Goal = is_ok
        self.most = most_checks(result)
        self.checks = 0
        self.tried: list[Fix] = []
        self.best: Fix | None = None
        self.partial: Fix | None = None
        self.nearest: Fix | None = None
        self.complete = False
        self._clashes: dict[tuple[str, str], bool] = {}  # of levers by name, each in its strongest size

    def run(self) -> None:
        """Try the sets in their order."""
        offered = levers(self.result, self._say)
        for lever in offered:
            self.tried.append(self._alone(lever))
        self.best = self._first(offered)
        self.complete = self.checks < self.most
        if self.best is not None:
            self.best = self._refined(self.best)
            return
        if not addresses_suffice(self.result):
            self.goal, self.most = has_addresses, self.checks + self.most
            self.partial = self._first(offered)
        if self.partial is not None:
            self.partial = self._refined(self.partial)
        else:
            self.nearest = self._nearest()

    def outcome(self, *, interrupted: bool) -> Fixes:
        """Result of the search so far."""
        best, nearest = self.best, self.nearest
        if interrupted and best is None:
            best = min((f for f in self.tried if f.verdict == "ok"), key=_place, default=None)
        if best is None and self.partial is None and nearest is None:
            nearest = min((f for f in self.tried if f.helped), key=lambda f: f.rank, default=None)
        complete = self.complete and not interrupted
        return Fixes(best, nearest, tuple(self.tried), self.partial, complete, interrupted, self.result)

    def _nearest(self) -> Fix | None:
        """Set of the levers that help most alone, combined as long as each addition helps."""
        alone = sorted((f for f in self.tried if len(f.levers) == 1 and f.helped), key=lambda f: f.rank)
        found: Fix | None = None
        for fix in alone[:MOST_NEAR]:
            several = (*found.levers, *fix.levers) if found is not None else fix.levers
            if len(several) > MOST_TOGETHER or fix.levers[0].last or conflict(several):
                continue
            tried = self.check(several, quick=False)
            if tried.verdict is not None and (found is None or tried.rank < found.rank):
                found = tried
        return found

    # --- the space in its order -----------------------------------------------------------

    def _alone(self, lever: Lever) -> Fix:
        """A lever in its mildest size that is enough, and complete; the strongest if none is."""
        fix = self.check((lever,), quick=self.large)
        return self._completed(self._milder(fix)) if self._enough(fix) else fix

    def _enough(self, fix: Fix) -> bool:
        """Whether a set reaches the goal, in all scenarios."""
        reached = fix.verdict == "ok" if self.goal is is_ok else fix.suffices
        return reached and not fix.judged_in

    def _judged(self, fix: Fix) -> Fix:
        """Check of a set, continued if it was refused for a problem that the goal allows."""
        if not (fix.judged_in and fix.suffices and self.goal is has_addresses):
            return fix
        further = self.check(fix.levers)
        self.tried[self.tried.index(fix)] = further
        return further

    def _first(self, offered: Sequence[Lever]) -> Fix | None:
        """First set of the space that is enough; sets tried before are not tried again."""
        known = {_names(f.levers): f for f in self.tried}
        alone = list(zip(offered, [f for f in self.tried if len(f.levers) == 1], strict=True))
        for risk in RISKS:
            alone = [(x, self._judged(f) if f.risk == risk else f) for x, f in alone]
            singles = [f for _, f in alone if f.risk == risk and self._enough(f)]
            if singles:
                return min(singles, key=lambda f: cost_order(f.usd))
            for several in self._sets(alone, risk):
                fix = known.get(_names(several))
                if fix is None:
                    if self.checks >= self.most:
                        break
                    fix = self.check(several)
                    self.tried.append(fix)
                fix = self._judged(fix)
                if self._enough(fix):
                    return fix
        return None

    def _sets(self, alone: Sequence[tuple[Lever, Fix]], risk: str) -> Iterator[tuple[Lever, ...]]:
        """Sets of two or more levers with a given risk."""
        most = RISKS.index(risk)
        pool = [f for x, f in alone if f.verdict is not None and RISKS.index(x.risk) <= most and not x.last]
        strongest = {x.name: x for x, _ in alone}
        for size in range(2, MOST_TOGETHER + 1):
            for fixes in sorted(combinations(pool, size), key=lambda several: sum_order(f.usd for f in several)):
                helping = sum(bool(f.helped) for f in fixes)
                if helping < (1 if size == 2 else size) or all(RISKS.index(f.risk) < most for f in fixes):
                    continue
                several = tuple(strongest[f.names] for f in fixes)
                if self._may_do(fixes) and not any(self._clash(*pair) for pair in combinations(several, 2)):
                    yield several

    def _clash(self, one: Lever, other: Lever) -> bool:
        """Whether two levers cannot be combined; each pair is compared once."""
        pair = one.name, other.name
        if pair not in self._clashes:
            self._clashes[pair] = conflict((one, other))
        return self._clashes[pair]

    def _may_do(self, fixes: Sequence[Fix]) -> bool:
        """Whether some lever reduces the missing addresses and some the unschedulable pods, if there are any."""
        short = not self.before.short or any("short" in f.helped or not f.known_short for f in fixes)
        pods = not self.before.pods or any("pods" in f.helped or not f.known_pods for f in fixes)
        return short and (pods or self.goal is has_addresses)

    # --- made smaller ---------------------------------------------------------------------

    def _refined(self, fix: Fix) -> Fix:
        """Set of given levers, each in its mildest size and for the fewest groups that are enough, and complete."""
        return self._completed(self._trimmed(self._milder(fix)))

    def _completed(self, fix: Fix) -> Fix:
        """Set of given levers with what depends on the changed plan, if it stays enough."""
        if not any(lever.complete for lever in fix.levers):
            return fix
        changed = self.trials.check(fix.patch)
        tried = self.check(tuple(lever.complete(changed) if lever.complete else lever for lever in fix.levers))
        return tried if self._enough(tried) else fix

    def _milder(self, fix: Fix) -> Fix:
        """Set of given levers, each in its mildest size that is enough."""
        for place, lever in enumerate(fix.levers):
            fix = self._mildest(lever.milder, fix.levers[:place], fix.levers[place + 1 :]) or fix
        return fix

    def _mildest(self, sizes: Sequence[Lever], left: tuple[Lever, ...], right: tuple[Lever, ...]) -> Fix | None:
        """First size that is enough with the other levers. Sizes that hold no less than a refused one are skipped."""
        refused: list[tuple[int, int]] = []
        alone = [m for m in sizes if m.targets and not m.targets[1]]
        known: dict[int, Fix] = {}
        while alone:  # bisect for the largest WARM_IP_TARGET alone that is enough
            middle = alone[len(alone) // 2]
            fix = known[id(middle)] = self.check((*left, middle, *right))
            if self._enough(fix):
                alone = alone[: len(alone) // 2]
            else:
                refused.append(middle.targets or (0, 0))
                alone = alone[len(alone) // 2 + 1 :]
        for size in sizes:
            held = size.targets
            if held and any(held[0] >= warm and held[1] >= least for warm, least in refused):
                continue
            fix = known.get(id(size)) or self.check((*left, size, *right))
            if self._enough(fix):
                return fix
            refused += [held] if held else []
        return None

    def _trimmed(self, fix: Fix) -> Fix:
        groups = list(dict.fromkeys(g for lever in fix.levers for g in lever.groups))
        if not 1 < len(groups) <= MOST_TRIMS:
            return fix
        for group in groups:
            rest = [g for g in groups if g != group]
            fewer = self._without(fix, group, rest)
            tried = self.check(fewer) if rest and fewer and fewer != fix.levers else None
            if tried is not None and self._enough(tried):
                fix, groups = tried, rest
        return fix

    def _without(self, fix: Fix, group: str, rest: Sequence[str]) -> tuple[Lever, ...]:
        """The levers for fewer groups; None if one does not apply to them."""
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

    def _say(self) -> None:
        """Report the progress of the search."""
        if self.tell is not None:
            self.tell(self.checks, max(self.most, self.checks + 1))

    # --- one check ------------------------------------------------------------------------

    def check(self, several: tuple[Lever, ...], *, quick: bool = True) -> Fix:
        """Check the plan with some levers.

        ``quick`` stops at the first scenario that is not ok, for sets of several levers at the first place.
        """
        self._say()
        self.checks += 1
        try:
            patch = merged(several)
            look = self.trials.first_refusal if len(several) > 1 else self.trials.quick
            found = look(patch, self.goal) if quick else (self.trials.check(patch), "")
        except SpecError as error:
            return Fix(several, {}, None, {}, 0, 0, error.lines[0])
        if isinstance(found, Refusal):
            return self._refused(several, patch, found)
        changed, refused_in = found
        before = self.trials.before(changed) if refused_in else self.result
        was, far, old, now = distance_of(before), distance_of(changed), least_free(before), least_free(changed)
        frees = {name: now[name] - free for name, free in old.items() if name in now and now[name] != free}
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
            judged_in=refused_in,
            usd=self.prices.change(changed, refused_in),
            helped=frozenset(n for n, o, w in zip(far._fields, far, was, strict=True) if o < w),
            known_short=bool(was.short),
            known_pods=bool(was.pods),
        )

    def _refused(self, several: tuple[Lever, ...], patch: Mapping[str, object], by: Refusal) -> Fix:
        """A set that one place refused, with the figures of that place."""
        return Fix(
            levers=several,
            patch=patch,
            verdict=by.verdict,
            frees={},
            short=by.short,
            not_ok=1,
            pods=by.pods,
            suffices=not by.lacks_addresses,
            commands=joined_commands(several, self.result.plan),
            judged_in=by.title,
            judged_at=by.where,
        )


def _names(several: Sequence[Lever]) -> tuple[str, ...]:
    return tuple(lever.name for lever in several)


def _place(fix: Fix) -> tuple[int, int]:
    return RISKS.index(fix.risk), len(fix.levers)
