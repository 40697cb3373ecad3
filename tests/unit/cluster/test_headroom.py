"""Headroom curves: against the check, against the runway, and by hand."""

from __future__ import annotations

import itertools
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from capacity.cluster.check import CheckResult, check
from capacity.cluster.headroom import exhaustion, headroom_by_nodes, headroom_by_pods
from capacity.errors import SpecError
from capacity.plan.model import Subnet
from capacity.plan.parse import read_plan

EXAMPLE = Path(__file__).parents[3] / "examples" / "shop-prod.yaml"


@pytest.fixture(scope="module")
def result() -> CheckResult:
    return check(read_plan(EXAMPLE), ["steady", "peak"])


def test_at_the_plans_own_count_it_is_steady(result: CheckResult) -> None:
    curve = headroom_by_nodes(result, "general")
    at = curve.counts.index(9)
    steady = {s.subnet.name: s.free for s in result.scenarios[0].subnets}
    # 3 nodes in each zone, all filled alike in the example: 30 addresses each (2 ENIs of 15).
    assert {n: row[at] for n, row in zip(curve.subnets, curve.free, strict=True)} == steady
    step = curve.free[curve.subnets.index("private-b")]
    assert step[at] - step[at + 3] == 30


def test_exhaustion_is_the_first_count_below_zero(result: CheckResult) -> None:
    curve = headroom_by_nodes(result, "general")
    for row, end in zip(curve.free, curve.exhausted_at, strict=True):
        assert end == next((n for n, free in zip(curve.counts, row, strict=True) if free < 0), None)
    peak = result.scenarios[1]
    found = exhaustion(result, peak, "private-b")
    assert found is not None
    assert found.group == "general"


def test_free_never_rises_with_nodes(result: CheckResult) -> None:
    for group in ("general", "batch"):
        for row in headroom_by_nodes(result, group, most=80).free:
            assert all(a >= b for a, b in itertools.pairwise(row))


def test_by_pods_the_check_at_that_count_agrees(result: CheckResult) -> None:
    curve = headroom_by_pods(result)
    at = curve.counts.index(2 * (48 + 18 + 12 + 14))
    doubled = [replace(w, replicas=2 * w.replicas, max_replicas=2 * w.replicas) for w in result.plan.workloads]
    groups = [replace(g, desired=None, max_nodes=None) for g in result.plan.node_groups]
    plan = replace(result.plan, workloads=tuple(doubled), node_groups=tuple(groups))
    steady = {s.subnet.name: s.free for s in check(plan, ["steady"]).scenarios[0].subnets}
    assert {n: row[at] for n, row in zip(curve.subnets, curve.free, strict=True)} == {
        n: steady[n] for n in curve.subnets
    }


def test_a_subnet_that_no_pod_uses_is_not_in_the_curve_of_pods(result: CheckResult) -> None:
    idle = Subnet("idle", "us-east-1a", IPv4Network("10.40.15.0/24"))
    wider = check(replace(result.plan, subnets=(*result.plan.subnets, idle)), ["steady"])
    assert (
        headroom_by_pods(wider).subnets == headroom_by_pods(result).subnets == ("private-a", "private-b", "private-c")
    )


def test_a_group_that_is_not_there(result: CheckResult) -> None:
    with pytest.raises(SpecError, match="no node group 'gone'"):
        headroom_by_nodes(result, "gone")
    empty = replace(result, plan=replace(result.plan, workloads=()))
    with pytest.raises(SpecError, match="no replicas"):
        headroom_by_pods(empty)
