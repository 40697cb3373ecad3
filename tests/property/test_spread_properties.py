"""New nodes over places in bulk against one at a time."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from capacity.cluster.spread import even_shares, fewest_first, weighted_shares, zone_ranges

WEIGHTS = st.sampled_from([Fraction(1), Fraction(2), Fraction(1, 3), Fraction(7, 10), Fraction(1000)])
PLACES = st.lists(st.tuples(st.integers(0, 12), WEIGHTS), min_size=1, max_size=5)


@given(st.integers(0, 60), PLACES)
def test_fewest_first_is_one_by_one(count: int, places: list[tuple[int, Fraction]]) -> None:
    have, weights = [h for h, _ in places], [w for _, w in places]
    found = [0] * len(places)
    for _ in range(count):
        at = min(range(len(places)), key=lambda i: (have[i] + found[i] + 1) / weights[i])
        found[at] += 1
    assert fewest_first(count, have, weights) == found


def test_ten_million_nodes_take_no_loop() -> None:
    assert sum(fewest_first(10_000_000, [0, 5_000_000, 3], [Fraction(1), Fraction(1, 3), Fraction(2)])) == 10_000_000


@given(st.integers(0, 500), st.lists(WEIGHTS, min_size=1, max_size=5))
def test_shares_add_up_and_stay_within_where_odd_nodes_may_fall(count: int, weights: list[Fraction]) -> None:
    zones = [f"zone-{i}" for i in range(len(weights))]
    by_weight = weighted_shares(count, weights)
    ranges = zone_ranges(count, zones, dict(zip(zones, weights, strict=True)), "")
    assert sum(by_weight) == count
    assert all(low <= n <= high for n, (low, high) in zip(by_weight, ranges.values(), strict=True))
    even = even_shares(count, len(weights))
    assert sum(even) == count
    assert max(even) - min(even) <= 1
