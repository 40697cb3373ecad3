"""One change to a plan, with its cost, its risk and its source."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from capacity.cluster.check import CheckResult

# What a change disrupts, least first. The search tries changes in this order.
RISKS = ("settings", "nodes", "subnets", "architecture", "new cluster")
_GROUP = re.compile(r'nodeGroups\[("(?:[^"\\]|\\.)*"|[^\]]*)\]\.')

GUIDE = "aws/aws-eks-best-practices@dc0243a networking"


@dataclass(frozen=True, slots=True)
class Lever:
    """One change to a plan.

    Attributes
    ----------
    name : str
        Name in ``docs/reference/levers.md``.
    summary : str
        The change, in one line.
    patch : mapping
        Paths in the plan and their values, in the form of ``--set``.
    cost : str
        Cost or risk of the change.
    source : str
    commands : tuple of str
        Commands to paste.
    risk : str
        What it disrupts, one of :data:`RISKS`.
    milder : tuple of Lever
        Smaller sizes of the change, preferred first. If this one is not enough, none of them is, so they are tried
        only if it is.
    targets : (int, int) or None
        WARM_IP_TARGET and MINIMUM_IP_TARGET after the change, 0 if not set; None if the lever does not change them.
    complete : callable or None
        Adds what depends on the changed plan, given the check of that plan. The search completes only its answer.
    """

    name: str
    summary: str
    patch: Mapping[str, object]
    cost: str
    source: str
    commands: tuple[str, ...] = ()
    risk: str = "settings"
    milder: tuple[Lever, ...] = ()
    targets: tuple[int, int] | None = None
    complete: Callable[[CheckResult], Lever] | None = field(default=None, compare=False, repr=False)

    @property
    def last(self) -> bool:
        """Whether the lever is tried last, if no set of others is enough: it requires a new cluster."""
        return self.risk == RISKS[-1]

    @property
    def groups(self) -> tuple[str, ...]:
        """Node groups that the lever changes, in the order of its patch."""
        import json

        named = [found[1] for found in map(_GROUP.match, self.patch) if found]
        return tuple(dict.fromkeys(json.loads(n) if n.startswith('"') else n for n in named))

    @property
    def env(self) -> dict[str, str | None]:
        """CNI variables that the lever changes."""
        start = "cni.env."
        return {p.removeprefix(start): _text(v) for p, v in self.patch.items() if p.startswith(start)}


def _text(value: object) -> str | None:
    return None if value is None else str(value)
