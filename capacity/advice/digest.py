"""Summarize a check: one line per subnet over all scenarios, worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from capacity.cluster.check import CheckResult
from capacity.cluster.scenario import LOST, ScenarioState
from capacity.plan.model import Subnet
from capacity.vpc.ledger import VERDICTS, SubnetState, worst

_RANK = {LOST: -1} | {verdict: rank for rank, verdict in enumerate(VERDICTS)}


class SubnetDigest(NamedTuple):
    """One subnet over all scenarios.

    Attributes
    ----------
    used : mapping of str to int
        Addresses held per scenario name, the maximum of its variants. [addresses]
    verdict : str
        The worst of all scenarios; ``lost`` if every scenario loses the subnet's zone.
    state, scenario : SubnetState, str
        The worst scenario and the subnet's state there: the worst verdict, then the fewest free addresses.
    """

    subnet: Subnet
    used: Mapping[str, int]
    verdict: str
    state: SubnetState
    scenario: str


def subnet_digests(result: CheckResult) -> list[SubnetDigest]:
    """Digests of all subnets, worst verdict first, then the smallest free share."""
    found = [_digest(result, i) for i in range(len(result.plan.subnets))]
    return sorted(found, key=lambda d: (-_RANK[d.verdict], d.state.free / d.subnet.usable))


def _digest(result: CheckResult, i: int) -> SubnetDigest:
    subnet = result.plan.subnets[i]
    scenarios = [s for s in result.scenarios if not s.is_lost(subnet)]
    used: dict[str, int] = {}
    for scenario in scenarios:
        used[scenario.name] = max(used.get(scenario.name, 0), scenario.subnets[i].used_total)
    if not scenarios:
        first = result.scenarios[0]
        return SubnetDigest(subnet, used, LOST, first.subnets[i], first.title)

    def verdict(scenario: ScenarioState) -> str:
        return scenario.weighed(scenario.subnets[i].verdict)

    where = min(scenarios, key=lambda s: (-VERDICTS.index(verdict(s)), s.subnets[i].free))
    return SubnetDigest(where.subnets[i].subnet, used, verdict(where), where.subnets[i], where.title)


def telling_scenarios(result: CheckResult, most: int) -> list[str]:
    """Scenario names to show, at most ``most``, in their order: the worst, steady and peak before others."""
    verdicts: dict[str, str] = {}
    for state in result.scenarios:
        verdicts[state.name] = worst([verdicts.get(state.name, "ok"), state.verdict])
    names = list(verdicts)
    ranked = sorted(names, key=lambda n: (n not in ("steady", "peak"), -VERDICTS.index(verdicts[n])))
    kept = set(ranked[:most])
    return [n for n in names if n in kept]


def tally(verdicts: Sequence[str]) -> str:
    """``1 exhausted, 3 tight, 40 ok``; verdicts that do not occur are omitted."""
    counts = [(v, sum(x == v for x in verdicts)) for v in reversed(_RANK)]
    return ", ".join(f"{n:,} {v}" for v, n in counts if n)
