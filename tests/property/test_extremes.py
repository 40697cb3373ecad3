"""Bounds over all splits of pods against trying every split."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import combinations
from math import floor

from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.cluster.runway import _fill_by_ratio, cost_steps, fill, pods_on_new_nodes
from capacity.cni.extremes import least_addresses, most_addresses, most_in_two


def every_split(table: tuple[int, ...], nodes: int, pods: int) -> tuple[int, int]:
    best = {0: (0, 0)}
    for _ in range(nodes):
        following: dict[int, tuple[int, int]] = {}
        for total, (low, high) in best.items():
            for q, value in enumerate(table):
                old = following.get(total + q, (low + value, high + value))
                following[total + q] = (min(old[0], low + value), max(old[1], high + value))
        best = following
    return best[pods]


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, ...]:
    rises = draw(st.lists(st.sampled_from([0, 0, 0, 1, 2, 15, 16, 17]), min_size=1, max_size=12))
    values = [draw(st.integers(0, 5))]
    for rise in rises:
        values.append(values[-1] + rise)
    return tuple(values)


@settings(max_examples=250, deadline=None)
@given(tables(), st.integers(1, 6), st.data())
def test_least_and_most_are_those_of_the_best_split(table: tuple[int, ...], nodes: int, data: st.DataObject) -> None:
    pods = data.draw(st.integers(0, nodes * (len(table) - 1)))
    assert (least_addresses(table, nodes, pods), most_addresses(table, nodes, pods)) == every_split(table, nodes, pods)


def test_many_nodes_cost_no_more_than_few() -> None:
    table = tuple(1 + 16 * (1 + -(-q // 16)) + q // 40 for q in range(111))
    assert most_addresses(table, 1_000_000, 5_000_000) > least_addresses(table, 1_000_000, 5_000_000) > 0


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(tables(), st.integers(1, 3)), min_size=1, max_size=3), st.integers(0, 80))
def test_runway_fills_nodes_as_well_as_can_be(nodes: list[tuple[tuple[int, ...], int]], budget: int) -> None:
    steps: Counter[tuple[tuple[int, int], ...]] = Counter()
    for table, count in nodes:
        steps[cost_steps(tuple(v - table[0] for v in table))] += count
    best = {0: 0}
    for options, count in steps.items():
        for _ in range(count):
            following: dict[int, int] = {}
            for spent, pods in best.items():
                for cost, more in options:
                    if spent + cost <= budget:
                        following[spent + cost] = max(following.get(spent + cost, 0), pods + more)
            best = following
    assert fill(steps, budget) == max(best.values())
    reached, bound = _fill_by_ratio(steps, budget)
    assert reached <= max(best.values())
    assert bound == floor(most_in_parts(steps, budget))


def most_in_parts(steps: Counter[tuple[tuple[int, int], ...]], budget: int) -> Fraction:
    """Most pods if a node may take a step in part: the lowest of the sums at every price of an address."""
    pairs = [pair for options in steps for pair in combinations(options, 2)]
    prices = {Fraction(0), *(Fraction(p1 - p0, c1 - c0) for (c0, p0), (c1, p1) in pairs)}
    return min(
        price * budget + sum(n * max(p - price * c for c, p in options) for options, n in steps.items())
        for price in prices
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(tables().map(lambda t: tuple(v + 3 for v in t)), min_size=1, max_size=4), st.integers(0, 400))
def test_new_nodes_of_any_kinds_hold_as_many_pods_as_can_be(kinds: list[tuple[int, ...]], budget: int) -> None:
    best = [0] * (budget + 1)
    for spent in range(budget + 1):
        for table in kinds:
            for pods, cost in enumerate(table):
                if cost <= spent:
                    best[spent] = max(best[spent], best[spent - cost] + pods)
    assert pods_on_new_nodes(kinds, budget) == best[budget]


@settings(max_examples=200, deadline=None)
@given(tables(), st.integers(0, 4), st.integers(0, 4), st.data())
def test_the_most_with_a_limit_on_some_nodes_is_that_of_the_best_split(
    table: tuple[int, ...], free: int, limited: int, data: st.DataObject
) -> None:
    cap = len(table) - 1
    pods, limit = data.draw(st.integers(0, (free + limited) * cap)), data.draw(st.integers(0, limited * cap))
    splits = [
        every_split(table, limited, there)[1] + every_split(table, free, elsewhere)[1]
        for there in range(min(limit, pods) + 1)
        for elsewhere in range(min(pods - there, free * cap) + 1)
    ]
    assert most_in_two(table, free, limited, pods, limit) == max(splits)


def test_a_large_limit_is_bounded_within_a_node_and_never_passed() -> None:
    table = (10, *(20,) * 9, *(30,) * 9, *(40,) * 9)
    for free, limited, pods, limit in ((30, 8, 90, 70), (5, 12, 100, 65), (40, 6, 900, 80), (3, 9, 70, 66)):
        exact = max(most_addresses(table, limited, n) + most_addresses(table, free, pods - n) for n in range(limit + 1))
        assert exact <= most_in_two(table, free, limited, pods, limit) <= exact + 20
