"""A fix: some levers together, what the check says of the plan with them, and what becomes of findings."""

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
    not_ok : int
        Subnets that are not ok and kinds of unschedulable pods, summed over scenarios.
    fault : str
        Why the levers cannot be applied.
    pods : int
        Pods unschedulable or without an address, summed over scenarios. [pods]
    suffices : bool
        Whether nothing is wrong any more but pods that are unschedulable for another reason than addresses.
    remains : tuple of Unplaced
        Those pods.
    why : str
        Why it is the answer, or why it is not.
    judged_in : str
        The scenario that refused it, where it was checked no further; its figures are of the scenarios up to there.
    helped : frozenset of str
        In which parts of the distance from ok it is nearer than the plan as it is.
    known_short, known_pods : bool
        Whether the scenarios in which it was checked show addresses missing, and pods, before the change.
    usd : mapping
        What the plan costs more with it, by scenario: now, at peak, at the ceiling, and in the scenario that refused
        it; None where that is not known. [USD per month]
    commands : tuple of str
        What to paste: that of its levers, the CNI's variables in one command.
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
    helped: frozenset[str] = frozenset()
    known_short: bool = False
    known_pods: bool = False
    usd: Dollars = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Fix {_short(self.names)}: {self.verdict or 'excluded'}, {self.short:,} addresses short>"

    @property
    def names(self) -> str:
        """Its levers in one line."""
        return " + ".join(lever.name for lever in self.levers)

    @property
    def risk(self) -> str:
        """The most that any of its levers disturbs."""
        return max((lever.risk for lever in self.levers), key=RISKS.index)

    @property
    def rank(self) -> Distance:
        """How far from ok the plan is with it."""
        return Distance(VERDICTS.index(self.verdict or "exhausted"), self.not_ok, self.short, self.pods)


@dataclass(frozen=True, slots=True)
class Fixes:
    """What was tried.

    Attributes
    ----------
    best : Fix or None
        The smallest set that makes the verdict ok; None where none was found.
    nearest : Fix or None
        The best of those tried, where none is enough.
    tried : tuple of Fix
        Every set that was checked, single levers first.
    partial : Fix or None
        Where none makes the verdict ok: the smallest set after which only pods remain that are unschedulable for
        another reason than addresses.
    complete : bool
        Whether all sets that come before the answer were checked; else the limit of checks ended the search, or
        somebody did.
    interrupted : bool
        Somebody did.
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
        """Those of one lever."""
        return tuple(f for f in self.tried if len(f.levers) == 1)

    @property
    def answer(self) -> Fix | None:
        """The set to apply: enough, or enough for the addresses."""
        return self.best or self.partial

    @property
    def found(self) -> Fix | None:
        """The answer, or else the nearest."""
        return self.answer or self.nearest


ABOUT_ADDRESSES = ("IP001", "IP002", "IP003", "IP004", "IP006", "IP019")


def with_fix(found: Sequence[Finding], fixes: Fixes | None) -> tuple[Finding, ...]:
    """The findings, those about missing addresses with the patch that mends them all."""
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
    """One patch of several levers; appended lists are joined.

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
    """Whether two levers set one thing to different values: alternatives, not to be taken together."""
    return any(_clashes(several))


def _clashes(several: Sequence[Lever]) -> Iterator[tuple[Lever, str]]:
    """What a lever sets to another value than one before it."""
    known: dict[str, object] = {}
    for lever in several:
        for path, value in lever.patch.items():
            if not path.endswith("[+]") and known.setdefault(path, value) != value:
                yield lever, path


def joined_commands(several: Sequence[Lever], plan: Plan) -> tuple[str, ...]:
    """What to paste for several levers; the CNI's variables, which the add-on takes as a whole, in one command."""
    changes = [lever.env for lever in several if lever.env]
    if len(changes) < 2:
        return tuple(command for lever in several for command in lever.commands)
    own = {line for change in changes for line in env_snippets(change, plan.cni.env, plan.cni.config_map)}
    rest = [command for lever in several for command in lever.commands if command not in own]
    together = {name: value for change in changes for name, value in change.items()}
    return (*env_snippets(together, plan.cni.env, plan.cni.config_map), *rest)


def commands_of(fix: Fix) -> tuple[str, ...]:
    """What to paste for a fix."""
    return fix.commands or tuple(command for lever in fix.levers for command in lever.commands)


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
