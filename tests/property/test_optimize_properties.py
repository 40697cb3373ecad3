"""Laws of the node groups to buy, on small random plans."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.advice.judge import check
from capacity.optimize.choices import Choices
from capacity.optimize.open_plan import sketched
from capacity.optimize.optimized import Optimized
from capacity.optimize.optimum import optimize_plan
from capacity.optimize.request import Request

TYPES = ("c6i.large", "c6i.xlarge", "m6i.large", "m6i.2xlarge", "r6i.large", "r6i.xlarge")
pods = st.tuples(st.integers(1, 19), st.integers(1, 24), st.integers(0, 12))
plans = st.lists(pods, min_size=1, max_size=3)
Pods = list[tuple[int, int, int]]


def document(shapes: Pods, length: int | None = None) -> dict[str, Any]:
    """A plan with pods of tenths of a vCPU and quarters of a GiB; with ``length`` in two subnets of that size."""
    made = sketched([(f"w{i}", f"{100 * c}m", f"{256 * m}Mi", n) for i, (c, m, n) in enumerate(shapes)])
    if length is not None:
        subnets = [{"name": z, "zone": f"us-east-1{z}", "cidr": f"10.{'ab'.index(z)}.0.0/{length}"} for z in "ab"]
        made["vpc"] = {"cidrs": ["10.0.0.0/16", "10.1.0.0/16"], "subnets": subnets}
        made["controlPlane"] = {"subnets": ["a", "b"]}
    return made


def answer(shapes: Pods, *, types: tuple[str, ...] = TYPES, length: int | None = None) -> Optimized:
    request = Request(Choices(types=types, arch="x86_64"), effort="thorough", simpler=False)
    return optimize_plan(document(shapes, length), request)


def dollars(found: Optimized) -> float:
    """What the answer costs; without one no money is enough."""
    if found.bought is not None:
        return found.bought.usd_per_hour
    return float("inf") if found.infeasible is not None else 0.0


@settings(max_examples=25, deadline=None)
@given(plans)
def test_bound_packing_and_node_groups_stand_in_this_order(shapes: Pods) -> None:
    found = answer(shapes)
    if found.packed is not None and found.bought is not None:
        assert found.packed.bound <= found.packed.usd_per_hour + 1e-9
        assert found.packed.usd_per_hour <= found.bought.usd_per_hour + 1e-9
        assert found.bought.ok


@settings(max_examples=20, deadline=None)
@given(plans, st.sets(st.sampled_from(TYPES), min_size=1, max_size=4))
def test_more_types_never_cost_more(shapes: Pods, fewer: set[str]) -> None:
    some, every = answer(shapes, types=tuple(sorted(fewer))), answer(shapes)
    assert dollars(every) <= dollars(some) + 1e-9
    if some.packed is not None and every.packed is not None:
        assert every.packed.usd_per_hour <= some.packed.usd_per_hour + 1e-9


@settings(max_examples=20, deadline=None)
@given(plans, st.integers(0, 2), st.integers(1, 5))
def test_more_pods_never_pack_cheaper(shapes: Pods, which: int, more: int) -> None:
    which = which % len(shapes)
    larger = [(c, m, n + more * (i == which)) for i, (c, m, n) in enumerate(shapes)]
    small, large = answer(shapes).packed, answer(larger).packed
    if small is not None and large is not None:
        assert small.usd_per_hour <= large.usd_per_hour + 1e-9


@settings(max_examples=15, deadline=None)
@given(plans, st.integers(21, 26))
def test_a_smaller_subnet_never_costs_less(shapes: Pods, length: int) -> None:
    assert dollars(answer(shapes, length=length)) <= dollars(answer(shapes, length=length + 1)) + 1e-9


@settings(max_examples=20, deadline=None)
@given(plans, st.integers(0, 2), st.integers(1, 5))
def test_more_pods_never_cost_less(shapes: Pods, which: int, more: int) -> None:
    which = which % len(shapes)
    larger = [(c, m, n + more * (i == which)) for i, (c, m, n) in enumerate(shapes)]
    assert dollars(answer(shapes)) <= dollars(answer(larger)) + 1e-9


@settings(max_examples=20, deadline=None)
@given(plans, st.sets(st.integers(0, 2)), st.sets(st.integers(0, 2)))
def test_rules_about_zones_and_nodes_never_cost_less_and_check_keeps_them(
    shapes: Pods, spread: set[int], alone: set[int]
) -> None:
    made = document(shapes)
    for i, workload in enumerate(made["workloads"]):
        if i in spread:
            workload["topologySpread"] = [{"key": "topology.kubernetes.io/zone", "maxSkew": "1"}]
        if i in alone:
            workload["antiAffinity"] = "hostname"
    request = Request(Choices(types=TYPES, arch="x86_64"), effort="thorough", simpler=False)
    bound, free = optimize_plan(made, request), answer(shapes)
    assert dollars(free) <= dollars(bound) + 1e-9
    if bound.bought is None or bound.packed is None:
        return
    assert bound.packed.bound <= bound.packed.usd_per_hour <= bound.bought.usd_per_hour + 1e-9
    for i, p in enumerate(bound.pods):
        if p.alone:
            assert all(pattern.pods[i] <= 1 for pattern in bound.packed.now.patterns)
            mine = [s for s in bound.bought.division if i in s.block]
            assert sum(s.now for s in mine) >= p.now
    plan = bound.bought.result.plan
    states = {s.name: s for s in check(plan).scenarios}
    assert not states["steady"].unplaced
    assert not states["peak"].unplaced
