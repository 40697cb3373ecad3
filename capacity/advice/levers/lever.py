"""A lever: one change to a plan, and what several of them look at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from capacity.plan.model import NodeGroup, Plan

# What a change disturbs, the least first. An answer is sought in this order.
RISKS = ("settings", "nodes", "subnets", "architecture", "new cluster")
_GROUP = re.compile(r'nodeGroups\[("(?:[^"\\]|\\.)*"|[^\]]*)\]\.')

GUIDE = "aws/aws-eks-best-practices@dc0243a networking"


@dataclass(frozen=True, slots=True)
class Lever:
    """One change.

    Attributes
    ----------
    name : str
        As ``docs/reference/levers.md`` calls it.
    summary : str
        What is changed, in one line.
    patch : mapping
        Path in the plan to value, as ``--set`` takes them.
    cost : str
        What it costs or risks.
    source : str
    commands : tuple of str
        What to paste.
    risk : str
        What it disturbs, one of :data:`RISKS`.
    milder : tuple of Lever
        The same change by less, preferred first. None of them is enough where this one is not, so they are tried
        only where it is.
    targets : (int, int) or None
        WARM_IP_TARGET and MINIMUM_IP_TARGET with it, 0 without one; None where it is not about them.
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

    @property
    def last(self) -> bool:
        """Named only where no set of the others is enough: it means a new cluster."""
        return self.risk == RISKS[-1]

    @property
    def groups(self) -> tuple[str, ...]:
        """The node groups that it changes, in the order of its patch."""
        import json

        named = [found[1] for found in map(_GROUP.match, self.patch) if found]
        return tuple(dict.fromkeys(json.loads(n) if n.startswith('"') else n for n in named))

    @property
    def env(self) -> dict[str, str | None]:
        """The CNI's variables that it changes."""
        start = "cni.env."
        return {p.removeprefix(start): _text(v) for p, v in self.patch.items() if p.startswith(start)}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def own_cni(plan: Plan) -> list[NodeGroup]:
    """Groups whose addresses the VPC CNI's settings decide: none with another CNI."""
    return [g for g in plan.node_groups if is_own_cni(plan, g)]


def is_own_cni(plan: Plan, group: NodeGroup) -> bool:
    """Whether the VPC CNI's settings decide the addresses of a group."""
    settings = plan.cni.settings
    return settings.cilium is None and not (settings.overlay or group.fargate or group.auto or group.windows)


def env(plan: Plan, change: Mapping[str, str | None]) -> tuple[dict[str, object], tuple[str, ...]]:
    """A change of the CNI's variables as a patch of the plan, and what to paste for it."""
    from capacity.advice.snippets.settings import env_snippets

    return {f"cni.env.{name}": value for name, value in change.items()}, env_snippets(
        change, plan.cni.env, plan.cni.config_map
    )
