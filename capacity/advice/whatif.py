"""Precompute what-if answers (more nodes, other CNI settings) for a page that only looks them up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from capacity.cluster.check import CheckResult, check_result
from capacity.cluster.demand import Demand, steady
from capacity.cluster.engine import Engine
from capacity.cluster.group_shapes import group_shapes
from capacity.cluster.scenario import ScenarioState
from capacity.cni.on_node import own_cni
from capacity.errors import SpecError, check_count, check_each
from capacity.plan.constants import AT_REST
from capacity.plan.model import Plan
from capacity.units import ceil_div

PERCENTS = (25, 50, 75, 100, 125, 150, 175, 200, 225, 250, 275, 300, 350, 400)
LEAST_REACH = 200  # the last position, if the plan allows fewer nodes. [% of steady]
MOST_FURTHER = 24  # additional positions, each checked in every mode
TARGETS = ("WARM_ENI_TARGET", "WARM_IP_TARGET", "MINIMUM_IP_TARGET", "WARM_PREFIX_TARGET", "ENABLE_PREFIX_DELEGATION")


@dataclass(frozen=True, slots=True)
class Mode:
    """CNI mode: its label and variables (empty: the settings of the plan)."""

    name: str
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of one position of the slider in one mode.

    Attributes
    ----------
    nodes, pods : int
        [nodes], requested replicas [pods]
    free : tuple of int
        Per subnet; negative is a shortfall. [addresses]
    verdicts : tuple of str
        Per subnet.
    verdict : str
    unplaced_pods : int
        [pods]
    warm : int
        Addresses held that no pod uses, over all subnets. [addresses]
    """

    nodes: int
    pods: int
    free: tuple[int, ...]
    verdicts: tuple[str, ...]
    verdict: str
    unplaced_pods: int
    warm: int


class Least(NamedTuple):
    """The tightest subnet of an outcome: name, free addresses and their share. [addresses, %]"""

    name: str
    free: int
    share: float


@dataclass(frozen=True, slots=True, repr=False)
class WhatIf:
    """Results by mode and position.

    Attributes
    ----------
    now, most : int
        Positions of the plan itself, and of the most nodes that it allows.
    usable : tuple of int
        Per subnet. [addresses]
    """

    modes: tuple[Mode, ...]
    percents: tuple[int, ...]
    now: int
    most: int
    subnets: tuple[str, ...]
    usable: tuple[int, ...]
    outcomes: tuple[tuple[Outcome, ...], ...]

    def note(self, position: int) -> str:
        """What the position is in the plan: ``now``, ``ceiling`` or nothing."""
        return {self.now: "now", self.most: "ceiling"}.get(position, "") if self.now != self.most else ""

    def tightest(self, outcome: Outcome) -> Least | None:
        """The subnet with the smallest free share; None without subnets."""
        shares = (Least(n, f, 100 * f / u) for n, f, u in zip(self.subnets, outcome.free, self.usable, strict=True))
        return min(shares, key=lambda least: least.share, default=None)

    def __repr__(self) -> str:
        ends = f"{self.percents[0]} to {self.percents[-1]}%"
        return f"<WhatIf: {len(self.modes)} modes, {ends} of steady, {len(self.subnets)} subnets>"


def what_if(result: CheckResult, percents: Sequence[int] = PERCENTS) -> WhatIf:
    """Check ``steady`` with scaled nodes and replicas, in several CNI modes.

    Every position runs the engine of the check with the nodes of each group and the replicas of each workload at a
    percentage of steady, rounded up; node maxima do not apply. The last position has the most nodes that the plan
    allows (peak or ceiling), or is 200% if that is more: positions beyond it are left out, others up to it are added.

    Parameters
    ----------
    percents : sequence of int
        Positions, 100 among them. [% of steady]

    Raises
    ------
    SpecError
        A position below 1, or without 100.
    """
    check_result(result)
    check_each("percents", percents, object, "a list of percentages, such as [50, 100, 200]")
    for percent in percents:
        check_count("percents", percent, 1)
    if 100 not in percents:
        raise SpecError("percents does not include 100 (expected 100, the plan itself, and others)")
    base = steady(result.plan, result.shapes)
    ours = Engine(result.plan, result.shapes)
    start = ours.at_rest("steady")
    nodes = tuple(g.nodes for g in start.groups)
    now, most = sum(nodes), _most_nodes(ours)
    reach = max(ceil_div(100 * most, now), 100) if now else 100
    positions = sorted(
        {reach, *(p for p in percents if p <= max(reach, LEAST_REACH)), *_further(now, most, percents[-1])}
    )
    pods_per_node = max((c.vpc_pods for g in start.groups for c in g.classes), default=0)
    modes = modes_of(result.plan, pods_per_node)
    rows = []
    for mode in modes:
        plan = with_mode(result.plan, mode)
        engine = Engine(plan, group_shapes(plan))
        rows.append(tuple(_outcome(engine.run(_scaled(base, nodes, p)), base, p) for p in positions))
    return WhatIf(
        modes,
        tuple(positions),
        positions.index(100),
        positions.index(reach),
        tuple(s.name for s in result.plan.subnets),
        tuple(s.subnet.usable for s in start.subnets),
        tuple(rows),
    )


def _most_nodes(engine: Engine) -> int:
    """Nodes of the peak or ceiling of the plan, whichever has more. [nodes]"""
    return max(sum(g.nodes for g in engine.at_rest(name).groups) for name in AT_REST)


def _further(now: int, most: int, last: int) -> list[int]:
    """Positions beyond the last one, in its step, up to the first with ``most`` nodes. [%]

    Each doubles the previous one if there would be more than :data:`MOST_FURTHER`.

    >>> _further(10, 40, 400), _further(10, 86, 400), _further(1, 1000, 400)
    ([], [800, 860], [800, 1600, 3200, 6400, 12800, 25600, 51200, 100000])
    """
    reach = ceil_div(100 * most, now) if now else 0
    if reach <= last:
        return []
    steps = range(2 * last, reach, last)
    if len(steps) < MOST_FURTHER:
        return [*steps, reach]
    return [*(last << doubled for doubled in range(1, (reach // last).bit_length()) if last << doubled < reach), reach]


def modes_of(plan: Plan, pods_per_node: int) -> tuple[Mode, ...]:
    """The mode of the plan, then usual modes that differ from it; none if the VPC CNI manages no node.

    MINIMUM_IP_TARGET is set to the pods of the fullest node, as AWS recommends.
    """
    own = Mode("as planned", {})
    if plan.cni.settings.ipv6 or not own_cni(plan):
        return (own,)
    fill = str(max(pods_per_node, 1))
    ways = (
        Mode("secondary IPs, a spare ENI (WARM_ENI_TARGET=1)", {"ENABLE_PREFIX_DELEGATION": "false"}),
        Mode(
            f"secondary IPs, WARM_IP_TARGET=2 with MINIMUM_IP_TARGET={fill}",
            {"ENABLE_PREFIX_DELEGATION": "false", "WARM_IP_TARGET": "2", "MINIMUM_IP_TARGET": fill},
        ),
        Mode("prefixes, a spare one (WARM_PREFIX_TARGET=1)", {"ENABLE_PREFIX_DELEGATION": "true"}),
        Mode(
            f"prefixes, WARM_IP_TARGET=5 with MINIMUM_IP_TARGET={fill}",
            {"ENABLE_PREFIX_DELEGATION": "true", "WARM_IP_TARGET": "5", "MINIMUM_IP_TARGET": fill},
        ),
    )
    return (own, *(m for m in ways if with_mode(plan, m).cni.settings != plan.cni.settings))


def with_mode(plan: Plan, mode: Mode) -> Plan:
    """The plan with the variables of a mode instead of its warm targets and prefix setting."""
    if not mode.env:
        return plan
    env = {name: value for name, value in plan.cni.env.items() if name not in TARGETS} | dict(mode.env)
    return replace(plan, cni=replace(plan.cni, env=env))


def _scaled(base: Demand, nodes: Sequence[int], percent: int) -> Demand:
    """Nodes and replicas at a percentage, rounded up."""
    return Demand(
        name=f"{percent} %",  # the engine caches fleets by name
        rule=f"nodes and replicas at {percent}% of steady",
        nodes=tuple(ceil_div(n * percent, 100) for n in nodes),
        floor=(0,) * len(nodes),
        ceiling=(None,) * len(nodes),
        replicas=tuple(ceil_div(r * percent, 100) for r in base.replicas),
    )


def _outcome(state: ScenarioState, base: Demand, percent: int) -> Outcome:
    return Outcome(
        nodes=sum(g.nodes for g in state.groups),
        pods=sum(ceil_div(r * percent, 100) for r in base.replicas),
        free=tuple(s.free for s in state.subnets),
        verdicts=tuple(s.verdict for s in state.subnets),
        verdict=state.verdict,
        unplaced_pods=state.unplaced_pods,
        warm=sum(s.used["warm"] for s in state.subnets),
    )
