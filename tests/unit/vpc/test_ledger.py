"""Booking, reservations, /28 blocks, and the verdict at its boundaries."""

from __future__ import annotations

from fractions import Fraction
from ipaddress import IPv4Network

import pytest

from capacity.plan.model import Reservation, Subnet
from capacity.vpc.blocks import most_free_prefixes, prefixes_fit, room_of
from capacity.vpc.ledger import HOLDERS, Booking, SubnetState, settle, worst


def subnet(cidr: str, *reservations: tuple[str, str]) -> Subnet:
    kept = tuple(Reservation(IPv4Network(c), t) for c, t in reservations)
    return Subnet("a", "us-east-1a", IPv4Network(cidr), reservations=kept)


def settled(
    of: Subnet, singles: int = 0, prefixes: int = 0, min_free: Fraction = Fraction(1, 5), highest: int | None = None
) -> SubnetState:
    booking = Booking(of)
    used = singles + 16 * prefixes
    booking.book("assigned", used, "", (used, used if highest is None else highest))
    booking.prefixes = prefixes
    return settle(booking, min_free, prefix_mode=prefixes > 0)


def test_the_holders_are_a_closed_list() -> None:
    state = settled(subnet("10.0.0.0/24"), 7)
    assert tuple(state.used) == HOLDERS
    assert (state.free, state.used_total) == (244, 7)  # 251 usable


@pytest.mark.parametrize(
    ("used", "verdict"),
    [
        (0, "ok"),
        (40, "ok"),  # /26: 59 usable, 19 free
        (47, "ok"),  # 12 free, 12 ÷ 59 = 20.3 %
        (48, "tight"),  # 11 free, 18.6 %
        (59, "tight"),  # full to the last address is not exhausted
        (60, "exhausted"),  # one short
    ],
)
def test_verdict_by_free_addresses(used: int, verdict: str) -> None:
    assert settled(subnet("10.0.0.0/26"), used).verdict == verdict


def test_exactly_min_free_is_ok() -> None:
    of = subnet("10.0.0.0/28")  # 11 usable
    assert settled(of, 8, min_free=Fraction(3, 11)).verdict == "ok"  # 3 free
    assert settled(of, 8, min_free=Fraction(3, 11) + Fraction(1, 10**12)).verdict == "tight"
    assert settled(of, 11, min_free=Fraction(0)).verdict == "ok"
    assert settled(of, 0, min_free=Fraction(1)).verdict == "ok"
    assert settled(of, 1, min_free=Fraction(1)).verdict == "tight"


def test_an_upper_bound_above_the_subnet_is_tight() -> None:
    assert settled(subnet("10.0.0.0/24"), 10, highest=251).verdict == "ok"
    assert settled(subnet("10.0.0.0/24"), 10, highest=252).verdict == "tight"


def test_free_is_the_shortfall_where_negative() -> None:
    assert settled(subnet("10.0.0.0/28"), 20).free == -9


class TestReservations:
    def test_they_are_free_but_closed_to_single_addresses(self) -> None:
        of = subnet("10.0.0.0/24", ("10.0.0.128/25", "prefix"))
        # The upper half holds the last, kept address: 127 usable there, 124 outside
        state = settled(of, 124, min_free=Fraction(0))
        assert (state.free, state.free_reserved, state.free_open) == (127, 127, 0)
        assert state.verdict == "ok"
        assert settled(of, 125, min_free=Fraction(0)).verdict == "exhausted"

    def test_prefixes_fill_those_of_type_prefix_first(self) -> None:
        of = subnet("10.0.0.0/24", ("10.0.0.128/25", "prefix"))
        # 7 whole blocks there (the eighth holds .255); the eighth prefix goes to the open half
        assert room_of(of).reserved_blocks == 7
        state = settled(of, 100, 7, min_free=Fraction(0))
        assert (state.free, state.free_reserved, state.verdict) == (39, 15, "ok")  # 251 - 100 - 112; 127 - 112
        assert settled(of, 108, 8, min_free=Fraction(0)).verdict == "ok"  # 124 open, 16 of them for a prefix
        assert settled(of, 109, 8, min_free=Fraction(0)).verdict == "exhausted"

    def test_explicit_ones_are_open_to_nothing(self) -> None:
        of = subnet("10.0.0.0/24", ("10.0.0.128/25", "explicit"))
        assert room_of(of).open_blocks == 7  # .16 to .127
        assert settled(of, 0, 7, min_free=Fraction(0)).verdict == "ok"
        assert settled(of, 0, 8, min_free=Fraction(0)).verdict == "exhausted"
        assert settled(of, 0, 7).free_open == 12  # 124 - 112

    def test_a_reservation_of_the_whole_subnet(self) -> None:
        of = subnet("10.0.0.0/24", ("10.0.0.0/24", "prefix"))
        room = room_of(of)
        assert (room.reserved_prefix, room.reserved_blocks, room.open_addresses, room.open_blocks) == (251, 14, 0, 0)


@pytest.mark.parametrize(
    ("cidr", "blocks"),
    # 2^(28 - n) - 2: the first and the last block hold addresses that AWS keeps
    [("10.0.0.0/28", 0), ("10.0.0.0/27", 0), ("10.0.0.0/26", 2), ("10.0.0.0/24", 14), ("10.0.0.0/18", 1022)],
)
def test_blocks_of_an_empty_subnet(cidr: str, blocks: int) -> None:
    of = subnet(cidr)
    assert room_of(of).open_blocks == most_free_prefixes(of, of.usable) == blocks
    assert prefixes_fit(of, blocks, 0)
    assert not prefixes_fit(of, blocks + 1, 0)


def test_free_prefixes_follow_the_free_addresses() -> None:
    of = subnet("10.0.0.0/24")
    assert [most_free_prefixes(of, free) for free in (251, 224, 223, 16, 15, 0, -40)] == [14, 14, 13, 1, 0, 0, 0]
    assert settled(of, 10).free_prefixes is None  # outside prefix mode
    assert settled(of, 10, 2).free_prefixes == 13  # 251 - 42 = 209, ÷ 16


def test_the_worst_verdict() -> None:
    assert worst([]) == "ok"
    assert worst(["ok", "tight", "ok"]) == "tight"
    assert worst(["tight", "exhausted", "ok"]) == "exhausted"


def test_subnets_of_one_name_do_not_slow_each_other_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fleet has thousands of subnets named private-a: each is compared with itself, not with all of the others."""
    compared = 0
    equal = IPv4Network.__eq__

    def counting(self: IPv4Network, other: object) -> bool:
        nonlocal compared
        compared += 1
        return bool(equal(self, other))

    blocks = list(IPv4Network("10.0.0.0/12").subnets(new_prefix=24))[:400]
    monkeypatch.setattr(IPv4Network, "__eq__", counting)
    for _ in range(2):
        for block in blocks:
            room_of(Subnet("private-a", "us-east-1a", IPv4Network(str(block))))
    assert compared < 3 * len(blocks)
