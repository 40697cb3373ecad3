"""A lever: one change to a plan, and what several of them look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from capacity.advice.snippets import env_snippets
from capacity.spec.plan import NodeGroup, Plan

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
    last : bool
        Named only where no set of the others is enough: it means a new cluster.
    """

    name: str
    summary: str
    patch: Mapping[str, object]
    cost: str
    source: str
    commands: tuple[str, ...] = ()
    last: bool = False


def own_cni(plan: Plan) -> list[NodeGroup]:
    """Groups whose addresses the VPC CNI's settings decide: none with another CNI."""
    return [g for g in plan.node_groups if is_own_cni(plan, g)]


def is_own_cni(plan: Plan, group: NodeGroup) -> bool:
    """Whether the VPC CNI's settings decide the addresses of a group."""
    settings = plan.cni.settings
    return settings.cilium is None and not (settings.overlay or group.fargate or group.auto or group.windows)


def env(plan: Plan, change: Mapping[str, str | None]) -> tuple[dict[str, object], tuple[str, ...]]:
    """A change of the CNI's variables as a patch of the plan, and what to paste for it."""
    return {f"cni.env.{name}": value for name, value in change.items()}, env_snippets(
        change, plan.cni.env, plan.cni.config_map
    )
