"""How far a checked plan is from ok."""

from __future__ import annotations

from typing import NamedTuple

from capacity.cluster.check import CheckResult
from capacity.cluster.scenario import ScenarioState
from capacity.cluster.unplaced import Unplaced
from capacity.vpc.ledger import VERDICTS


class Distance(NamedTuple):
    """Distance of a plan from ok, compared field by field in this order; smaller is better.

    Attributes
    ----------
    verdict : int
        0 for ok, 1 for tight, 2 for exhausted.
    not_ok : int
        Subnets that are not ok and kinds of pods that are unschedulable, summed over scenarios.
    short : int
        Addresses missing, summed over subnets and scenarios. [addresses]
    pods : int
        Pods unschedulable or without an address, summed over scenarios. [pods]
    """

    verdict: int
    not_ok: int
    short: int
    pods: int


def distance_of(result: CheckResult) -> Distance:
    """Distance of a checked plan from ok."""
    states = [s for scenario in result.scenarios for s in scenario.subnets]
    not_ok = sum(s.verdict != "ok" for s in states) + sum(len(s.unplaced) for s in result.scenarios)
    return Distance(
        VERDICTS.index(result.verdict),
        not_ok,
        sum(max(-s.free, 0) for s in states),
        sum(s.unplaced_pods + s.pods_without_address for s in result.scenarios),
    )


def addresses_suffice(result: CheckResult) -> bool:
    """Whether the only problem left is pods that are unschedulable for reasons other than addresses."""
    return all(map(has_addresses, result.scenarios)) and not (result.harmful or result.blocked)


def has_addresses(state: ScenarioState) -> bool:
    """Whether in a scenario every subnet is ok and every scheduled pod has an address."""
    lacking = state.pods_without_address or any(u.reason == "addresses" for u in state.unplaced)
    return not lacking and all(s.verdict == "ok" for s in state.subnets)


def is_ok(state: ScenarioState) -> bool:
    """Whether a scenario is ok."""
    return state.verdict == "ok"


def remaining(result: CheckResult) -> tuple[Unplaced, ...]:
    """Unschedulable pods of each workload, from the scenario with the most of them, with the reason there."""
    most: dict[str, Unplaced] = {}
    for scenario in result.scenarios:
        for entry in scenario.unplaced:
            if entry.workload not in most or entry.pods > most[entry.workload].pods:
                most[entry.workload] = entry
    return tuple(most.values())
