"""Trade-off of cost, addresses and nodes: what is kept, what is found, and which of it is bought."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.advice.judge import check
from capacity.errors import SpecError
from capacity.optimize.choices import Choices
from capacity.optimize.frontier import few, undominated
from capacity.optimize.open_plan import read_document, sketched
from capacity.optimize.optimized import Optimized
from capacity.optimize.optimum import optimize_plan
from capacity.optimize.request import Request
from capacity.optimize.rows import frontier_rows

TYPES = ("m5a.2xlarge", "m5a.12xlarge", "c6a.xlarge", "d3.4xlarge")
points = st.lists(st.tuples(st.sampled_from((1.0, 2.0, 3.0, 9.0)), st.integers(0, 4), st.integers(0, 4)))
Point = tuple[float, int, int]


def itself(point: Point) -> Point:
    return point


def answer(minimize: str = "cost", *, simpler: bool = True) -> Optimized:
    document = sketched([("web", "250m", "512Mi", 150), ("api", "1", "2Gi", 20)])
    choices = Choices(types=TYPES, arch="x86_64", minimize=minimize)
    return optimize_plan(document, Request(choices, judge=check, simpler=simpler))


@given(points)
def test_kept_are_those_that_no_other_beats(given_points: list[Point]) -> None:
    def beaten(p: Point) -> bool:
        return any(q != p and all(a <= b for a, b in zip(q, p, strict=True)) for q in given_points)

    kept = undominated(given_points, itself)
    assert kept == sorted({p for p in given_points if not beaten(p)})


@given(points, st.integers(3, 6))
def test_of_many_the_least_of_each_figure_stay(given_points: list[Point], most: int) -> None:
    kept = undominated(given_points, itself)
    some = few(kept, itself, most)
    assert some == sorted(some)
    assert len(some) == min(len(kept), most)
    assert set(some) <= set(kept)
    for i in range(3):
        assert min((p[i] for p in some), default=0) == min((p[i] for p in kept), default=0)


def test_every_point_passes_check_and_none_beats_another() -> None:
    found = answer()
    assert len(found.frontier) >= 3
    assert found.frontier[0] is found.bought
    figures = [p.figures for p in found.frontier]
    assert figures == sorted(figures)
    for a, b in product(figures, repeat=2):
        assert a == b or any(x < y for x, y in zip(a, b, strict=True))
    for p in found.frontier:
        again = check(read_document(p.document, "plan"))
        assert again.verdict == "ok"
        assert not any(s.unplaced_pods or s.pods_without_address for s in again.scenarios)
        peak = again["peak"]
        assert p.addresses == sum(s.used_total for s in peak.subnets)
        assert p.nodes(peak=True) == sum(g.nodes for g in peak.groups)


def test_rows_name_what_each_has_least_of() -> None:
    rows = frontier_rows(answer())
    assert [r["bought"] for r in rows] == [True, *[False] * (len(rows) - 1)]
    assert rows[0]["extra_pct"] == 0
    keys = {"cost": "usd_per_month", "addresses": "subnet_addresses", "nodes": "nodes"}
    for word, key in keys.items():
        least = min(r[key] for r in rows)
        assert [word in r["least"] for r in rows] == [r[key] == least for r in rows]


@pytest.mark.parametrize(("minimize", "place"), [("addresses", 1), ("nodes", 2)])
def test_the_fewest_addresses_or_nodes_can_be_the_answer(minimize: str, place: int) -> None:
    cheapest, found = answer(), answer(minimize)
    assert found.bought is not None
    assert found.bought.figures[place] == min(p.figures[place] for p in cheapest.frontier)
    assert found.bought.usd_per_hour == min(
        p.usd_per_hour for p in cheapest.frontier if p.figures[place] == found.bought.figures[place]
    )
    assert [r["bought"] for r in frontier_rows(found)].count(True) == 1
    alone = answer(minimize, simpler=False)
    assert alone.bought is not None
    assert alone.bought.figures == found.bought.figures
    assert alone.frontier == ()


def test_what_to_minimize_is_one_of_three() -> None:
    with pytest.raises(SpecError, match=r"minimize: 'node' is not one of cost, addresses, nodes"):
        Choices(minimize="node")
