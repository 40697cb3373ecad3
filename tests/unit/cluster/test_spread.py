"""Nodes over zones and subnets."""

from __future__ import annotations

from fractions import Fraction

import pytest

from capacity.cluster.spread import even_shares, share_range, slot_counts, weighted_shares, zone_ranges, zone_shares


@pytest.mark.parametrize(
    ("count", "places", "shares"), [(0, 3, [0, 0, 0]), (1, 3, [1, 0, 0]), (7, 3, [3, 2, 2]), (6, 3, [2, 2, 2])]
)
def test_even(count: int, places: int, shares: list[int]) -> None:
    assert even_shares(count, places) == shares


def test_weights_give_the_remainder_to_the_largest_fraction() -> None:
    halves = [Fraction(1, 2), Fraction(3, 10), Fraction(1, 5)]
    assert weighted_shares(7, halves) == [4, 2, 1]  # quotas 3.5, 2.1, 1.4
    assert weighted_shares(1, [Fraction(1), Fraction(1)]) == [1, 0]  # a tie goes to the first


def test_worst_puts_all_in_one_zone() -> None:
    assert zone_shares(5, ["a", "b"], "worst", "b") == {"a": 0, "b": 5}
    assert zone_ranges(5, ["a", "b"], "worst", "b") == {"a": (0, 0), "b": (5, 5)}


def test_odd_nodes_may_fall_anywhere() -> None:
    assert zone_ranges(7, ["a", "b", "c"], "even", "") == {"a": (2, 3), "b": (2, 3), "c": (2, 3)}
    assert zone_ranges(6, ["a", "b", "c"], "even", "") == {"a": (2, 2), "b": (2, 2), "c": (2, 2)}
    assert share_range(2, 3, 2) == (1, 2)


def test_pairs_of_node_and_pod_subnets_are_even_in_both() -> None:
    counts = slot_counts(7, ["n1", "n2"], ["p1", "p2", "p3"])
    assert sum(counts.values()) == 7
    by_node = {n: sum(c for (m, _), c in counts.items() if m == n) for n in ("n1", "n2")}
    by_pod = {p: sum(c for (_, q), c in counts.items() if q == p) for p in ("p1", "p2", "p3")}
    assert (by_node, by_pod) == ({"n1": 4, "n2": 3}, {"p1": 3, "p2": 2, "p3": 2})
