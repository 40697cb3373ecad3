"""Which plans are answered in one unit, and that many subnets of one name stay fast to look up."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from capacity.fleet.run import _batches
from capacity.fleet.shared import Link, Sharing
from capacity.plan.model import Subnet


def sharing(*groups: tuple[int, ...]) -> Sharing:
    """Plans that share a subnet, by group."""
    links = {n: tuple(Link(other, {"a": "a"}) for other in group if other != n) for group in groups for n in group}
    return Sharing(pools=(), links=links, disagreements=(), strangers={})


@pytest.mark.parametrize(
    ("groups", "asked", "found"),
    [
        ([], range(9), [[0, 1, 2, 3], [4, 5, 6, 7], [8]]),
        ([(0, 1), (2, 3), (4, 5)], range(6), [[0, 1, 2, 3], [4, 5]]),
        ([(0, 5), (1, 2, 3)], range(6), [[0, 5], [1, 2, 3, 4]]),
        ([(0, 1, 2, 3, 4, 5)], range(8), [[0, 1, 2, 3], [4, 5], [6, 7]]),
        ([(0, 9), (1, 8)], range(3), [[0, 1, 2]]),
    ],
)
def test_groups_are_answered_whole(groups: list[tuple[int, ...]], asked: range, found: list[list[int]]) -> None:
    assert list(_batches(sharing(*groups), asked, 4)) == found


def test_subnets_of_many_plans_with_one_name_have_different_hashes() -> None:
    block = IPv4Network("10.0.0.0/24")
    assert len({hash(Subnet("a", "z", block, where=f"{i}.yaml:6")) for i in range(1000)}) > 990
    assert hash(Subnet("a", "z", block, where="x:1")) == hash(Subnet("a", "z", block, where="x:1"))
