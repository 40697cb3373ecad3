"""Free /28 blocks: the least is never above the mean, nor the mean above the most, whatever is reserved or taken."""

from __future__ import annotations

from fractions import Fraction
from ipaddress import IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from capacity.plan.model import RESERVED_BY_AWS, Reservation, Subnet
from capacity.vpc.blocks import BLOCK, kept_by_aws, room_of
from capacity.vpc.fragments import Fragments, fragments_of_counts, fragments_of_list

BASE = int(IPv4Network("10.0.0.0/22").network_address)


@st.composite
def subnets(draw: st.DrawFn) -> Subnet:
    """A /22 to /28 with up to four reservations that do not overlap."""
    length = draw(st.integers(22, 28))
    cidr = IPv4Network((BASE, length))
    found: list[Reservation] = []
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(("prefix", "explicit")))
        size = draw(st.integers(length, 28 if kind == "prefix" else 32))
        place = draw(st.integers(0, (1 << (size - length)) - 1))
        block = IPv4Network((BASE + place * (1 << (32 - size)), size))
        if not any(block.overlaps(other.cidr) for other in found):
            found.append(Reservation(block, kind))
    return Subnet("a", "z", cidr, reservations=tuple(found))


def judge(found: Fragments) -> None:
    assert 0 <= found.certain <= found.expected <= found.most <= found.ideal
    assert BLOCK * found.most <= max(found.free, 0)
    assert found.certain <= found.likely(Fraction(95, 100)) <= found.most
    assert found.probability(found.certain) == 1
    assert found.probability(found.most + 1) == 0
    assert 0 <= found.reserved <= max(found.free, 0)
    if found.exact:
        assert found.certain == found.free_blocks == found.expected == found.most
    if found.score is not None:
        assert 0 <= found.score <= 1


@given(subnets(), st.integers(0, 1100), st.integers(0, 70))
def test_of_counts(place: Subnet, singles: int, prefixes: int) -> None:
    room = room_of(place)
    judge(fragments_of_counts(place, singles, min(prefixes, room.reserved_blocks + room.open_blocks)))


@given(
    subnets(),
    st.lists(st.integers(0, 1023), max_size=60),
    st.lists(st.integers(0, 63), max_size=8),
    st.one_of(st.just(0), st.integers(1, 1100)),
)
def test_of_lists(place: Subnet, singles: list[int], prefixes: list[int], unlisted: int) -> None:
    taken = [IPv4Network((BASE + i, 32)) for i in singles] + [IPv4Network((BASE + BLOCK * i, 28)) for i in prefixes]
    found = fragments_of_list(place, taken, unlisted)
    judge(found)
    inside = {int(a) for t in taken for a in t if a in place.cidr} - set(kept_by_aws(place.cidr))
    assert found.taken == len(inside) + unlisted
    assert found.free == place.cidr.num_addresses - RESERVED_BY_AWS - found.taken


@given(subnets(), st.lists(st.integers(0, 1023), max_size=60), st.data())
def test_the_truth_lies_within_the_bounds(place: Subnet, singles: list[int], data: st.DataObject) -> None:
    """Some of the addresses are left out of the list: the blocks that are really free are within what it says."""
    own = set(kept_by_aws(place.cidr))
    taken = sorted({a for i in singles if (a := BASE + i) not in own and IPv4Network(a).subnet_of(place.cidr)})
    closed = [r.cidr for r in place.reservations]
    open_ones = [a for a in taken if not any(IPv4Network(a).subnet_of(c) for c in closed)]
    hidden = set(data.draw(st.lists(st.sampled_from(open_ones), unique=True))) if open_ones else set()
    truth = fragments_of_list(place, [IPv4Network(a) for a in taken]).free_blocks
    guess = fragments_of_list(place, [IPv4Network(a) for a in taken if a not in hidden], len(hidden))
    assert truth is not None
    assert guess.certain <= truth <= guess.most
