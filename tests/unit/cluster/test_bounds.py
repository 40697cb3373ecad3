"""Bounds of one subnet's nodes, from the batches in which they came."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from capacity.advice.judge import check
from capacity.cluster.bounds import Appetite, Here, _fewest, _most, _nodes_in, _together
from capacity.cluster.scenario import Batch, GroupState, PodRange, Turnover

EXAMPLE = Path(__file__).parents[3] / "examples" / "shop-prod.yaml"


def test_nodes_that_may_be_anywhere_are_all_in_the_only_subnet() -> None:
    group = check(EXAMPLE, ["steady"])["steady"].group("general")
    batch = Batch(3, {"us-east-1a": (3, 3)}, anywhere=True)
    state = replace(group, batches=(batch,))
    assert _nodes_in(state, "us-east-1a", ["private-a"], "private-a").old == (3, 3)
    assert _nodes_in(state, "us-east-1a", ["private-a", "private-d"], "private-a").old == (0, 3)
    even = replace(group, batches=(replace(batch, anywhere=False),))
    assert _nodes_in(even, "us-east-1a", ["private-a", "private-d"], "private-a").old == (1, 2)


def test_a_zone_without_nodes_of_a_batch_has_none_of_them() -> None:
    batch = Batch(3, {"us-east-1a": (3, 3)}, anywhere=True)
    state = replace(steady_group(), batches=(batch,))
    assert _nodes_in(state, "us-east-1b", ["private-b"], "private-b").old == (0, 0)


def test_nodes_that_are_certainly_in_one_subnet_are_in_no_other() -> None:
    batch = Batch(3, {"us-east-1a": (2, 3)}, subnet="private-a", anywhere=True)
    state = replace(steady_group(), batches=(batch,))
    places = ["private-a", "private-d"]
    assert _nodes_in(state, "us-east-1a", places, "private-a").old == (2, 3)
    assert _nodes_in(state, "us-east-1a", places, "private-d").old == (0, 0)


# --- by hand ------------------------------------------------------------------------------------

TABLE = (10, 12, 13)  # addresses of a node with 0, 1 and 2 pods
EACH = Appetite(TABLE, TABLE)
NONE = PodRange(0, 0, 0)


@cache
def steady_group() -> GroupState:
    return check(EXAMPLE, ["steady"])["steady"].group("general")


def group(pods: PodRange, *closings: tuple[int, str | None], old: int = 0, started: int = 0) -> GroupState:
    """A group with nodes from before and nodes started since, all in zone ``a`` or elsewhere."""
    batches = (Batch(old, {"a": (0, old)}), Batch(started, {"a": (0, started)}, started=True))
    return replace(steady_group(), batches=batches, turnover=Turnover(pods, NONE, closings))


@pytest.mark.parametrize(
    ("closings", "pods", "here", "most"),
    [
        # 3 nodes from before and 1 started, 5 pods: two on one node and one on each other, 13 + 3 × 12
        ((), PodRange(5, 5, 5, 1), (3, 1), 49),
        # none may be on the started node: 13 + 13 + 12 on three nodes, and 10 on the empty one
        ((), PodRange(5, 5, 5, 0), (3, 1), 48),
        # 2 of the 3 drain: they hold 3 pods (13 + 12) and the other two 5, as many as fit (13 + 13)
        (((2, None),), PodRange(5, 5, 5, 5, (3,)), (3, 1), 51),
        # more are drained than run here: all 3 are (3 pods: 12 each), the started one stays (13)
        (((4, None),), PodRange(5, 5, 5, 5, (3,)), (3, 1), 49),
        # nodes of another zone are lost: nothing changes here
        (((4, "b"),), PodRange(5, 5, 5, 1, (4,)), (3, 1), 49),
        # this zone is lost with its started node: 4 nodes with 4 pods, 12 each, and no other node
        (((4, "a"),), PodRange(5, 5, 5, 1, (4,)), (3, 1), 48),
        # a second event drains started nodes too: 1 of 3, then 2: (3 pods: 12 + 12 + 12), one from before left (13)
        (((1, None), (2, None)), PodRange(5, 5, 5, 0, (1, 2)), (3, 1), 49),
        # the started node stays after one drain, and holds none of the pods (13 + 10)
        (((2, None),), PodRange(5, 5, 5, 0, (3,)), (3, 1), 48),
        # of two drains the second closes a started node: 12 + 10, 13 on the one from before, 10 + 10 on started ones
        (((1, None), (1, None)), PodRange(5, 5, 5, 0, (0, 1)), (2, 3), 55),
        # nodes that close hold at most two pods each, whatever the events count
        (((1, None),), PodRange(9, 0, 0, 0, (9,)), (1, 0), 13),
    ],
)
def test_most_addresses_after_events(
    closings: tuple[tuple[int, str | None], ...], pods: PodRange, here: tuple[int, int], most: int
) -> None:
    old, started = here
    state = group(pods, *closings, old=old, started=started)
    assert _most(state, Here("a", (0, old), (0, started)), pods, EACH) == most


@pytest.mark.parametrize(
    ("closings", "pods", "all_nodes", "here", "fewest"),
    [
        # 5 pods ran on 3 nodes, 2 of them here: at least 3 here, 13 + 12. One drains: if elsewhere, 4 pods must be here
        # afterwards (13 + 13); if it is one of these two, 1 pod before on it and 2 after on the other (12 + 13)
        (((1, None),), PodRange(5, 4, 4), (3, 0), (2, 0), 25),
        # 3 pods after: 1 before on the closed node and 1 after on the other are 24, but 3 before on both are 25
        (((1, None),), PodRange(5, 3, 3), (3, 0), (2, 0), 25),
        # both nodes here were started since: the closed one held a pod before, and the other holds one after (12 + 12)
        (((1, None),), PodRange(5, 7, 7), (3, 2), (0, 2), 24),
        # this zone is lost: at least 3 of 7 pods ran on its 3 of 5 nodes, 13 + 12 + 10
        (((3, "a"),), PodRange(7, 0, 0), (5, 0), (3, 0), 35),
        (((1, None), (3, "a")), PodRange(7, 0, 0), (5, 0), (3, 0), 35),
        # the other nodes can have held all pods
        (((3, "a"),), PodRange(3, 0, 0), (5, 0), (3, 0), 30),
        # of several events no pod is certain to have run on the nodes that drained
        (((1, None), (1, None)), PodRange(0, 0, 0), (4, 0), (1, 0), 10),
    ],
)
def test_fewest_addresses_after_events(
    closings: tuple[tuple[int, str | None], ...],
    pods: PodRange,
    all_nodes: tuple[int, int],
    here: tuple[int, int],
    fewest: int,
) -> None:
    state = group(pods, *closings, old=all_nodes[0], started=all_nodes[1])
    assert _fewest(state, Here("a", (here[0], here[0]), (here[1], here[1])), pods, EACH) == fewest


STEEP = Appetite((10, 11, 30), (10, 11, 30))  # the second pod of a node needs an additional ENI


@pytest.mark.parametrize(
    ("closings", "pods", "all_nodes", "fewest"),
    [
        # the only node from before drains with both pods; the one started since may be empty: 30 + 10
        (((1, None),), PodRange(2, 0, 0), (1, 1), 40),
        # all 9 nodes from before drain, full; the 9 started since may be empty
        (((9, None),), PodRange(18, 0, 0), (9, 9), 9 * 30 + 9 * 10),
        # 8 of 9 nodes drain, in two events: both pods end on the only node left, and the others may have been empty
        (((4, None), (4, None)), PodRange(0, 2, 2), (9, 0), 30 + 8 * 10),
    ],
)
def test_pods_of_drained_nodes_are_not_spread_over_the_others(
    closings: tuple[tuple[int, str | None], ...], pods: PodRange, all_nodes: tuple[int, int], fewest: int
) -> None:
    old, started = all_nodes
    state = group(pods, *closings, old=old, started=started)
    assert _fewest(state, Here("a", (old, old), (started, started)), pods, STEEP) == fewest


def test_nodes_in_some_subnets_of_a_zone_are_at_most_those_of_the_zone() -> None:
    first, second = Batch(9, {}), Batch(8, {})

    def here(old: int, started: int, one: tuple[int, int], two: tuple[int, int]) -> Here:
        return Here("a", (old, old + 3), (started, started + 4), ((first, *one), (second, *two)))

    places = [here(1, 2, (0, 5), (1, 2)), here(10, 20, (3, 6), (1, 4))]
    every = Here("a", (0, 15), (0, 99), ((first, 4, 7), (second, 3, 8)))
    found = _together("a", places, every)
    assert found == Here("a", (11, 15), (22, 30), ((first, 3, 7), (second, 2, 6)))
    assert _together("a", places[:1], every) == places[0]


LINEAR = Appetite(tuple(range(11)), tuple(range(11)))  # one address for every pod, at most 10 on a node


@pytest.mark.parametrize(
    ("before", "least"), [*product((0, 610, 785, 790, 795, 1000), (0, 605, 795, 800, 810, 815, 1000))]
)
@pytest.mark.parametrize("here", [(0, 40), (10, 30), (40, 0), (60, 5)])
def test_fewest_addresses_for_many_drained_nodes_are_those_of_the_best_count(
    before: int, least: int, here: tuple[int, int]
) -> None:
    """40 nodes drain, any number of them here; each count is tried."""
    old, started, drained = 100, 40, 40
    pods = PodRange(before, least, 1000)
    state = group(pods, (drained, None), old=old, started=started)
    outside = old + started - drained - sum(here)
    first, last = max(drained - (old - here[0]), 0), min(drained, sum(here))
    counts = (max(before - 10 * (old - n), 0) + max(least - 10 * (outside + n), 0) for n in range(first, last + 1))
    held = max(before - 10 * (old - here[0]), 0, min(counts))
    found = _fewest(state, Here("a", (here[0], old), (here[1], started)), pods, LINEAR)
    assert found == min(held, 10 * sum(here))
