"""Which pods and nodes go when nodes are drained, by hand."""

from __future__ import annotations

import pytest

from capacity.cluster.evict import evicted, shares_to_close
from capacity.cluster.node_state import BRANCH, EMPTY, HOST, NodeState, PodShape, plus

SMALL, BIG = PodShape(100, 0, 100, 0), PodShape(200, 0, 200, 0)
PODS = {"small": SMALL, "big": BIG, "tiny": PodShape(50, 0, 50, 0)}


def node(*pods: PodShape, start: NodeState = EMPTY) -> NodeState:
    for pod in pods:
        start = plus(start, 1, pod.step)
    return start


def test_all_pods_of_a_slot_go_with_all_its_nodes() -> None:
    nodes = [(node(SMALL, BIG), 2)]
    assert evicted({"small": 2, "big": 2, "tiny": 0}, PODS, nodes, EMPTY) == {"small": 2, "big": 2}


def test_daemons_of_the_nodes_are_no_pods_of_workloads() -> None:
    start = node(SMALL)
    assert evicted({"small": 4}, PODS, [(node(SMALL, SMALL, start=start), 1)], start) == {"small": 2}


@pytest.mark.parametrize(
    ("closed", "gone"),
    [
        # 6 small and 2 big: in proportion 1.5 and 0.5 of two pods; the node's CPU tells which they are
        (node(SMALL, SMALL), {"small": 2}),
        (node(SMALL, BIG), {"small": 1, "big": 1}),
        (node(BIG, BIG), {"big": 2}),
        # of four pods 3 and 1; with 500m there is one big one, with 600m there are two
        (node(SMALL, SMALL, SMALL, BIG), {"small": 3, "big": 1}),
        (node(SMALL, SMALL, BIG, BIG), {"small": 2, "big": 2}),
    ],
)
def test_an_exchange_makes_the_requests_those_of_the_closed_nodes(closed: NodeState, gone: dict[str, int]) -> None:
    assert evicted({"small": 6, "big": 2}, PODS, [(closed, 1)], EMPTY) == gone


def test_the_pair_that_is_exchanged_is_found_among_several() -> None:
    # one of each in proportion, 350m; with 450m the small one is a big one
    closed = node(BIG, BIG, PODS["tiny"])
    assert evicted({"small": 3, "big": 3, "tiny": 3}, PODS, [(closed, 1)], EMPTY) == {"big": 2, "tiny": 1}


def test_what_no_exchange_explains_stays_in_proportion() -> None:
    closed = EMPTY._replace(score_cpu=425, cpu=425, pods=3, vpc_pods=3)  # 75m more than one of each
    found = evicted({"small": 3, "big": 3, "tiny": 3}, PODS, [(closed, 1)], EMPTY)
    assert found == {"small": 1, "big": 1, "tiny": 1}


def test_workloads_of_equal_pods_share_an_exchange_by_the_pods_that_they_have_left() -> None:
    kinds = {"small": SMALL, "first": BIG, "second": BIG}
    # in proportion of 6, 2 and 2: 1 small and 1 of the first; the small one is a big one, of which the second has more
    closed = node(BIG, BIG)
    assert evicted({"small": 6, "first": 2, "second": 2}, kinds, [(closed, 1)], EMPTY) == {"first": 1, "second": 1}


def test_pods_of_each_kind_are_counted_apart() -> None:
    kinds = {"web": SMALL, "agent": PodShape(100, 0, 100, 0, HOST), "secure": PodShape(100, 0, 100, 0, BRANCH)}
    nodes = [(node(SMALL, SMALL, kinds["agent"]), 1), (node(kinds["secure"]), 2)]
    home = {"web": 8, "agent": 4, "secure": 4}
    assert evicted(home, kinds, nodes, EMPTY) == {"web": 2, "agent": 1, "secure": 2}


def test_nodes_close_in_proportion_and_the_rest_where_the_next_is_fullest() -> None:
    full, half = node(*[SMALL] * 4), node(SMALL, SMALL)
    # 3 of 4 + 4 + 1: 1.33, 1.33 and 0.33; the next of the first slot is half full, that of the second full
    slots = [[(full, 1), (half, 3)], [(full, 4)], [(half, 1)]]
    assert shares_to_close(3, [4, 4, 1], slots) == [1, 2, 0]
    # equally full: the largest remainder first, then the first slot
    assert shares_to_close(2, [3, 2], [[(full, 3)], [(full, 2)]]) == [1, 1]
    assert shares_to_close(3, [3, 2], [[(full, 3)], [(full, 2)]]) == [2, 1]
    assert shares_to_close(1, [2, 2], [[(full, 2)], [(full, 2)]]) == [1, 0]
    # an even share leaves no rest
    assert shares_to_close(2, [2, 2], [[(half, 2)], [(full, 2)]]) == [1, 1]
