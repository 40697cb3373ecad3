"""How far a search for a fix goes in a plan: by its size and not by the clock, so the answer is the same everywhere."""

from __future__ import annotations

from capacity.cluster.check import CheckResult

FEWEST_CHECKS, MOST_CHECKS = 40, 150  # in a search
SEARCH = 2_000_000  # workloads and places for nodes that the scenarios of all checks may go through
IN_FULL = 20_000  # and of one check, for levers alone to be checked in every scenario
PLACE = 5  # a group in a subnet takes as long as so many workloads (benchmarks/RESULTS.md)


def most_checks(result: CheckResult) -> int:
    """How many checks a search may take: fewer of a large plan, so that it stays a matter of seconds."""
    return min(max(_affordable(result), FEWEST_CHECKS), MOST_CHECKS)


def is_large(result: CheckResult) -> bool:
    """Whether even the fewest checks of a search take long."""
    return _affordable(result) < FEWEST_CHECKS


def _affordable(result: CheckResult) -> int:
    """Checks within :data:`SEARCH`."""
    return SEARCH // max(size_of(result), 1)


def size_of(result: CheckResult) -> int:
    """Workloads and places for nodes that one check goes through."""
    plan = result.plan
    places = sum(len(g.subnets) for g in plan.node_groups)
    return (len(plan.workloads) + PLACE * places) * len(result.scenarios)
