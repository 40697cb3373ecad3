"""Packings against brute force, and laws that hold for every one of them."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.optimize.pack import EFFORTS, pack
from capacity.optimize.problem import NodeChoice, Problem, Shape, check_packing

shape_demands = st.tuples(st.integers(0, 9), st.integers(0, 9), st.just(1))
kind_rooms = st.tuples(st.integers(4, 24), st.integers(4, 24), st.integers(1, 8))


@st.composite
def problems(draw: st.DrawFn, pods: int = 3) -> Problem:
    """Up to three shapes of up to three pods; the first kind holds at least one pod of each."""
    shapes = tuple(
        Shape(f"s{i}", draw(shape_demands), draw(st.integers(0, pods)), draw(st.sampled_from([None, None, 1, 2])))
        for i in range(draw(st.integers(1, 3)))
    )
    prices = st.integers(1, 60).map(lambda cents: cents / 100)
    kinds = [NodeChoice("k0", (24, 24, draw(st.integers(1, 8))), draw(prices))]
    kinds += [NodeChoice(f"k{i}", draw(kind_rooms), draw(prices)) for i in range(1, draw(st.integers(1, 4)))]
    return Problem(shapes, tuple(kinds))


def least_cost(problem: Problem) -> float:
    """By dynamic programming over all that is left to place: the cheapest node for some of it, and the rest."""
    rooms = [(kind.room, kind.price) for kind in problem.kinds]
    demands = [shape.demand for shape in problem.shapes]
    most = [
        shape.replicas if shape.per_node is None else min(shape.replicas, shape.per_node) for shape in problem.shapes
    ]

    @lru_cache(None)
    def node(pods: tuple[int, ...]) -> float:
        need = [sum(d[r] * n for d, n in zip(demands, pods, strict=True)) for r in range(3)]
        return min(
            (price for room, price in rooms if all(n <= r for n, r in zip(need, room, strict=True))), default=9e9
        )

    @lru_cache(None)
    def least(left: tuple[int, ...]) -> float:
        if not any(left):
            return 0.0
        choices = product(*(range(min(n, m) + 1) for n, m in zip(left, most, strict=True)))
        return min(
            node(pods) + least(tuple(a - b for a, b in zip(left, pods, strict=True))) for pods in choices if any(pods)
        )

    return least(tuple(shape.replicas for shape in problem.shapes))


@settings(max_examples=60, deadline=None)
@given(problems())
def test_a_tiny_packing_is_the_cheapest_there_is(problem: Problem) -> None:
    least = least_cost(problem)
    packing = pack(problem, EFFORTS["normal"])
    check_packing(problem, packing.patterns)
    assert packing.cost == pytest.approx(least, abs=1e-6)
    assert packing.bound == pytest.approx(least, abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(problems(), st.sampled_from(sorted(EFFORTS)))
def test_no_effort_states_a_bound_above_the_least_cost(problem: Problem, effort: str) -> None:
    least = least_cost(problem)
    packing = pack(problem, EFFORTS[effort])
    check_packing(problem, packing.patterns)
    assert packing.bound <= least + 1e-6 <= packing.cost + 2e-6


@settings(max_examples=25, deadline=None)
@given(problems(pods=40))
def test_a_stopped_search_still_places_every_pod_and_its_bound_holds(problem: Problem) -> None:
    stopped = pack(problem, EFFORTS["thorough"], lambda: True)
    finished = pack(problem, EFFORTS["normal"])
    check_packing(problem, stopped.patterns)
    check_packing(problem, finished.patterns)
    assert stopped.bound <= finished.cost + 1e-6
    assert finished.bound <= stopped.cost + 1e-6


@settings(max_examples=25, deadline=None)
@given(problems(pods=12), st.integers(0, 2))
def test_more_replicas_never_lower_the_bound_below_what_fewer_cost_at_least(problem: Problem, number: int) -> None:
    number %= len(problem.shapes)
    counts = [shape.replicas + 3 * (i == number) for i, shape in enumerate(problem.shapes)]
    fewer = pack(problem, EFFORTS["normal"])
    more = pack(problem.with_counts(counts), EFFORTS["normal"])
    assert fewer.bound <= more.cost + 1e-6


@settings(max_examples=25, deadline=None)
@given(problems(pods=12))
def test_a_packing_depends_on_its_input_alone(problem: Problem) -> None:
    again = Problem(problem.shapes, problem.kinds)
    assert pack(problem, EFFORTS["normal"]) == pack(again, EFFORTS["normal"])
