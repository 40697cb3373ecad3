"""Fixes: sets of levers, the check of the plan with them, and the findings they resolve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from capacity.advice.distance import Distance
from capacity.advice.dollars import Dollars
from capacity.advice.findings.codes import Finding
from capacity.advice.levers.lever import RISKS, Lever
from capacity.advice.snippets.settings import env_snippets
from capacity.cluster.check import CheckResult
from capacity.cluster.unplaced import Unplaced
from capacity.errors import SpecError
from capacity.plan.model import Plan
from capacity.vpc.ledger import VERDICTS


def _short(names: str) -> str:
    return names if len(names) <= 50 else names[:49] + "…"


@dataclass(frozen=True, slots=True, repr=False)
class Fix:
    """A set of levers and the check of the plan with them.

    Attributes
    ----------
    patch : mapping
        All changes, in the form of ``--set``.
    verdict : str or None
        None if the levers cannot be combined; ``fault`` says why.
    frees : mapping
        Addresses freed by subnet, in the subnet's worst scenario before and after; only subnets of both
        plans. [addresses]
    short : int
        Addresses still missing over all subnets and scenarios. [addresses]
    not_ok : int
        Subnets that are not ok and kinds of unschedulable pods, summed over scenarios.
    fault : str
        Why the levers cannot be applied.
    pods : int
        Pods unschedulable or without an address, summed over scenarios. [pods]
    suffices : bool
        Whether the only problem left is pods that are unschedulable for reasons other than addresses.
    remains : tuple of Unplaced
        Those pods.
    why : str
        Why the set is the answer, or why not.
    judged_in : str
        The scenario that refused the set and ended its check; the figures cover the scenarios up to it.
    judged_at : str
        The subnet or workload that refused the set there, if the rest of the plan was not checked: the figures are
        those of this place alone.
    helped : frozenset of str
        Parts of the distance from ok in which it is better than the unchanged plan.
    known_short, known_pods : bool
        Whether the checked scenarios miss addresses, or have unschedulable pods, before the change.
    usd : mapping
        Cost increase by scenario: now, at peak, at the ceiling, and in the scenario that refused it;
        None if not known. [USD per month]
    commands : tuple of str
        Commands of all levers, with the CNI's variables in one command.
    """

    levers: tuple[Lever, ...]
    patch: Mapping[str, object]
    verdict: str | None
    frees: Mapping[str, int]
    short: int
    not_ok: int
    fault: str = ""
    pods: int = 0
    suffices: bool = False
    remains: tuple[Unplaced, ...] = ()
    why: str = ""
    commands: tuple[str, ...] = ()
    judged_in: str = ""
    judged_at: str = ""
    helped: frozenset[str] = frozenset()
    known_short: bool = False
    known_pods: bool = False
    usd: Dollars = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Fix {_short(self.names)}: {self.verdict or 'excluded'}, {self.short:,} addresses short>"

    @property
    def names(self) -> str:
        """Names of the levers in one line."""
        return " + ".join(lever.name for lever in self.levers)

    @property
    def risk(self) -> str:
        """Highest risk of its levers."""
        return max((lever.risk for lever in self.levers), key=RISKS.index)

    @property
    def rank(self) -> Distance:
        """Distance of the changed plan from ok."""
        return Distance(VERDICTS.index(self.verdict or "exhausted"), self.not_ok, self.short, self.pods)


@dataclass(frozen=True, slots=True, repr=False)
class Fixes:
    """Result of a search for a fix.

    Attributes
    ----------
    best : Fix or None
        The smallest set that makes the verdict ok; None if none was found.
    nearest : Fix or None
        The best set that was tried, if none is enough.
    tried : tuple of Fix
        Every set that was checked, single levers first.
    partial : Fix or None
        If no set makes the verdict ok: the smallest set after which the only problem left is pods that are
        unschedulable for reasons other than addresses.
    complete : bool
        Whether all sets before the answer were checked; if not, the limit of checks or an interrupt ended
        the search.
    interrupted : bool
    Whether an interrupt ended the search.
    result : CheckResult or None
        The check of the plan as it was.
    """

    best: Fix | None
    nearest: Fix | None
    tried: tuple[Fix, ...]
    partial: Fix | None = None
    complete: bool = True
    interrupted: bool = False
    result: CheckResult | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        found = f"best {_short(self.best.names)}" if self.best else "none is enough"
        return f"<Fixes: {found}, {len(self.tried)} tried>"

    @property
    def single(self) -> tuple[Fix, ...]:
        """Sets of a single lever."""
        return tuple(f for f in self.tried if len(f.levers) == 1)

    @property
    def answer(self) -> Fix | None:
        """Set to apply: enough, or enough for the addresses."""
        return self.best or self.partial

    @property
    def found(self) -> Fix | None:
        """The answer, or the nearest set."""
        return self.answer or self.nearest


ABOUT_ADDRESSES = ("IP001", "IP002", "IP003", "IP004", "IP006", "IP019")


def with_fix(found: Sequence[Finding], fixes: Fixes | None) -> tuple[Finding, ...]:
    """The findings; those about missing addresses get the patch that fixes them all."""
    best = fixes.answer if fixes else None
    if best is None:
        return tuple(found)
    commands = list(commands_of(best))

    def mended(entry: Finding) -> Finding:
        frees = best.frees.get(entry.where.removeprefix("subnets."))
        fix = {"summary": "; ".join(lever.summary for lever in best.levers), "patch": dict(best.patch)}
        return replace(entry, fix=fix | {"commands": commands, "frees": frees})

    return tuple(mended(f) if f.code in ABOUT_ADDRESSES else f for f in found)


def merged(several: Sequence[Lever]) -> dict[str, object]:
    """Merge the patches of several levers into one; appended lists are joined.

    Raises
    ------
    SpecError
        Two levers set one path to different values.
    """
    for lever, path in _clashes(several):
        raise SpecError(f"{lever.name} and another lever both set {path}")
    patch: dict[str, object] = {}
    for lever in several:
        patch = after(patch, lever.patch)
    return patch


def conflict(several: Sequence[Lever]) -> bool:
    """Whether two levers set one thing to different values: such levers are alternatives."""
    return any(_clashes(several))


def _clashes(several: Sequence[Lever]) -> Iterator[tuple[Lever, str]]:
    """Paths that a lever sets to a different value than an earlier lever."""
    known: dict[str, object] = {}
    for lever in several:
        for path, value in lever.patch.items():
            if not path.endswith("[+]") and known.setdefault(path, value) != value:
                yield lever, path


def joined_commands(several: Sequence[Lever], plan: Plan) -> tuple[str, ...]:
    """Commands of several levers, with all CNI variables in one command: the add-on replaces them as a whole."""
    changes = [lever.env for lever in several if lever.env]
    if len(changes) < 2:
        return tuple(command for lever in several for command in lever.commands)
    own = {line for change in changes for line in env_snippets(change, plan.cni.env, plan.cni.config_map)}
    rest = [command for lever in several for command in lever.commands if command not in own]
    together = {name: value for change in changes for name, value in change.items()}
    return (*env_snippets(together, plan.cni.env, plan.cni.config_map), *rest)


def commands_of(fix: Fix) -> tuple[str, ...]:
    """Commands of a fix."""
    return fix.commands or tuple(command for lever in fix.levers for command in lever.commands)


def after(first: Mapping[str, object], then: Mapping[str, object]) -> dict[str, object]:
    """Combine two patches: lists that both append are joined; for values that both set the second wins."""
    joined = dict(first)
    for path, value in then.items():
        if path.endswith("[+]") and path in joined:
            both = (joined[path], value)
            joined[path] = [item for part in both for item in (part if isinstance(part, list) else [part])]
        else:
            joined[path] = value
    return joined


def least_free(result: CheckResult) -> dict[str, int]:
    """Fewest free addresses of each subnet, over all scenarios. [addresses]"""
    found: dict[str, int] = {}
    for scenario in result.scenarios:
        for state in scenario.left:
            found[state.subnet.name] = min(found.get(state.subnet.name, state.free), state.free)
    return found
