"""Which nodes to replace for whole /28 blocks."""

from __future__ import annotations

from fractions import Fraction
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from capacity.advice.subnet_advice import advice
from capacity.plan.model import Reservation, Subnet
from capacity.vpc.drain import Drain, drains
from capacity.vpc.fill import SubnetFill
from capacity.vpc.fragments import fragments_of_list

SUBNET = Subnet("a", "z", IPv4Network("10.0.0.0/25"))  # blocks .0 (AWS), .16 … .96, .112 (AWS)


def at(*last: int) -> list[tuple[int, int]]:
    return [(int(IPv4Address(f"10.0.0.{n}")),) * 2 for n in last]


def test_the_node_that_frees_most_goes_first() -> None:
    nodes = {"i-1": at(20, 36), "i-2": at(52), "i-3": at(53, 70)}
    assert drains(SUBNET, nodes, ()) == (Drain(("i-1",), 2), Drain(("i-3",), 1), Drain(("i-2",), 1))


def test_a_block_of_two_nodes_needs_both() -> None:
    assert drains(SUBNET, {"i-1": at(20), "i-2": at(21)}, ()) == (Drain(("i-1", "i-2"), 1),)


def test_what_stays_or_is_closed_frees_nothing() -> None:
    assert drains(SUBNET, {"i-1": at(20)}, at(31)) == ()
    assert drains(SUBNET, {"i-1": at(5, 120)}, ()) == ()  # AWS's own addresses spoil both blocks
    closed = Subnet("a", "z", SUBNET.cidr, reservations=(Reservation(IPv4Network("10.0.0.16/28"), "explicit"),))
    assert drains(closed, {"i-1": at(20)}, ()) == ()
    assert drains(SUBNET, {f"i-{n}": at(20 + n) for n in range(11)}, (), most=10) == ()
    ten = {f"i-{n}": at(20 + n) for n in range(10)}
    assert drains(SUBNET, ten, (), most=10) == (Drain(tuple(sorted(ten)), 1),)
    assert drains(SUBNET, {}, ()) == ()


SPANS = st.dictionaries(
    st.sampled_from(["i-1", "i-2", "i-3", "i-4"]), st.lists(st.integers(4, 126), min_size=1, max_size=6).map(set)
)


def free_blocks(taken: list[tuple[int, int]]) -> int:
    return fragments_of_list(SUBNET, [IPv4Network(low) for low, _ in taken]).free_blocks or 0


@given(SPANS, st.sets(st.integers(4, 126), max_size=4))
def test_each_step_frees_what_it_says_and_the_first_is_the_cheapest(
    held: dict[str, set[int]], staying: set[int]
) -> None:
    nodes = {name: at(*addresses) for name, addresses in held.items()}
    others = at(*staying)
    steps = drains(SUBNET, nodes, others)
    gone: set[str] = set()

    def free_without(leaving: set[str]) -> int:
        return free_blocks([*others, *(span for name, spans in nodes.items() if name not in leaving for span in spans)])

    for step in steps:
        before = free_without(gone)
        gone |= set(step.nodes)
        assert free_without(gone) == before + step.blocks
    assert free_without(set(nodes)) == free_without(gone)  # nothing is left to be gained
    if steps:
        fewer = [set(c) for n in range(1, len(steps[0].nodes)) for c in combinations(nodes, n)]
        assert all(free_without(c) == free_without(set()) for c in fewer)
        same = [set(c) for c in combinations(nodes, len(steps[0].nodes))]
        assert max(map(free_without, same)) == free_without(set()) + steps[0].blocks


def test_the_advice_names_nodes_until_there_is_room() -> None:
    nodes = {"i-1": at(20, 36), "i-2": at(52), "i-3": at(53, 70), "i-4": at(90, 100)}
    taken = [IPv4Network(low) for spans in nodes.values() for low, _ in spans]
    fill = SubnetFill("a", "z", fragments_of_list(SUBNET, taken), {}, drains=drains(SUBNET, nodes, ()))
    assert fill.fragments.free_blocks == 0
    (line,) = [x for x in advice(fill, fill.wanted(3), Fraction(1)) if "replacing" in x]
    assert line.startswith("replacing nodes frees 4 /28 blocks: i-1 (2 free), then i-4 (2 free); reserve")
    (line,) = [x for x in advice(fill, None, Fraction(1)) if "replacing" in x]
    assert "i-3 (1 free)" in line
    (line,) = [x for x in advice(fill, fill.wanted(7), Fraction(1)) if "replacing" in x]
    assert "1 still missing" in line
