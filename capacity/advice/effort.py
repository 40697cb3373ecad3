"""Limits of the search for a fix. They depend on plan size, not on time, so every machine gives the same answer."""

from __future__ import annotations

from capacity.cluster.check import CheckResult

FEWEST_CHECKS, MOST_CHECKS = 40, 150  # in a search
SEARCH = 2_000_000  # workloads and places for nodes that the scenarios of all checks may go through
IN_FULL = 20_000  # the same for one check, below which single levers are checked in every scenario
PLACE = 5  # a group in a subnet takes as long as this many workloads (benchmarks/RESULTS.md)


def most_checks(result: CheckResult) -> int:
    """Maximum number of checks of a search. Large plans get fewer, so that a search takes seconds."""
    return min(max(_affordable(result), FEWEST_CHECKS), MOST_CHECKS)


def is_large(result: CheckResult) -> bool:
    """Whether even the minimum number of checks takes long."""
    return _affordable(result) < FEWEST_CHECKS


def _affordable(result: CheckResult) -> int:
    """Number of checks within :data:`SEARCH`."""
    return SEARCH // max(size_of(result), 1)


def size_of(result: CheckResult) -> int:
    """Size of one check: workloads plus places for nodes, over all scenarios."""
    plan = result.plan
    places = sum(len(g.subnets) for g in plan.node_groups)
    return (len(plan.workloads) + PLACE * places) * len(result.scenarios)
