"""Free /28 blocks: by hand, by counting every subset, block by block, by simulation."""

from __future__ import annotations

import random
from fractions import Fraction
from ipaddress import IPv4Network
from itertools import combinations
from math import comb

import pytest

from capacity.plan.constants import PREFIX_SIZE
from capacity.plan.model import Reservation, Subnet
from capacity.vpc.block_odds import (
    certain_free_blocks,
    expected_free_blocks,
    likely_free_blocks,
    most_free_blocks,
    probability_of_free_blocks,
)
from capacity.vpc.blocks import most_free_prefixes
from capacity.vpc.fragments import Fragments, block_map, fragments_of_counts, fragments_of_list
from capacity.vpc.reservations import reservation_for


def subnet(cidr: str, *reservations: str) -> Subnet:
    """A subnet; a reservation is ``CIDR:type``."""
    parsed = tuple(Reservation(IPv4Network(r.split(":")[0]), r.split(":")[1]) for r in reservations)
    return Subnet("a", "zone-a", IPv4Network(cidr), reservations=parsed)


def hosts(*addresses: str) -> list[IPv4Network]:
    return [IPv4Network(a) for a in addresses]


# --- counts: exact ----------------------------------------------------------------------------


def by_every_subset(whole: int, rest: int, taken: int) -> dict[int, int]:
    """How many of all sets of addresses leave 0, 1, … blocks free."""
    found: dict[int, int] = {}
    for chosen in combinations(range(PREFIX_SIZE * whole + rest), taken):
        free = whole - len({a // PREFIX_SIZE for a in chosen if a < PREFIX_SIZE * whole})
        found[free] = found.get(free, 0) + 1
    return found


def by_blocks(whole: int, rest: int) -> list[list[int]]:
    """Sets by number of addresses and of free blocks, one block after the other (no inclusion-exclusion)."""
    size = PREFIX_SIZE * whole + rest
    table = [[comb(rest, n)] + [0] * whole for n in range(size + 1)]
    for _ in range(whole):
        after = [[0] * (whole + 1) for _ in range(size + 1)]
        for n in range(size + 1):
            for free in range(whole + 1):
                if ways := table[n][free]:
                    if free < whole:
                        after[n][free + 1] += ways
                    for here in range(1, min(PREFIX_SIZE, size - n) + 1):
                        after[n + here][free] += ways * comb(PREFIX_SIZE, here)
        table = after
    return table


@pytest.mark.parametrize(
    ("whole", "rest", "taken"),
    [(1, 0, 1), (1, 0, 7), (1, 2, 4), (1, 1, 16), (2, 0, 3), (2, 3, 3), (2, 27, 2), (2, 27, 3), (3, 2, 3), (0, 11, 4)],
)
def test_the_distribution_is_that_of_all_subsets(whole: int, rest: int, taken: int) -> None:
    found = by_every_subset(whole, rest, taken)
    total = sum(found.values())
    assert expected_free_blocks(whole, rest, taken) == Fraction(sum(f * n for f, n in found.items()), total)
    for k in range(whole + 2):
        at_least = sum(n for f, n in found.items() if f >= k)
        assert probability_of_free_blocks(whole, rest, taken, k) == Fraction(at_least, total)
    assert (min(found), max(found)) == (certain_free_blocks(whole, taken), most_free_blocks(whole, rest, taken))


def test_the_distribution_is_that_of_counting_block_by_block() -> None:
    whole, rest = 6, 27  # a /25: eight blocks, two of them spoilt
    for taken, ways in enumerate(by_blocks(whole, rest)):
        total = comb(PREFIX_SIZE * whole + rest, taken)
        assert sum(ways) == total
        assert expected_free_blocks(whole, rest, taken) == Fraction(sum(f * n for f, n in enumerate(ways)), total)
        for k in range(whole + 1):
            assert probability_of_free_blocks(whole, rest, taken, k) == Fraction(sum(ways[k:]), total)


def test_worked_by_hand() -> None:
    # /26: 59 open addresses, two whole blocks. Two addresses taken: each block is free with
    # (43/59)(42/58) = 903/1711, both with (27/59)(26/58) = 351/1711, so at least one with 2·903/1711 − 351/1711.
    assert expected_free_blocks(2, 27, 2) == 2 * Fraction(903, 1711)
    assert probability_of_free_blocks(2, 27, 2, 2) == Fraction(351, 1711)
    assert probability_of_free_blocks(2, 27, 2, 1) == Fraction(1455, 1711)
    assert likely_free_blocks(2, 27, 2, Fraction(85, 100)) == 1  # 1455/1711 = 85.04 %
    assert likely_free_blocks(2, 27, 2, Fraction(86, 100)) == 0


@pytest.mark.parametrize("percent", [1, 50, 95, 99.99, 100])
def test_the_likely_number_is_the_last_that_is_likely_enough(percent: float) -> None:
    level = Fraction(str(percent)) / 100
    for whole, rest in ((1, 0), (2, 27), (14, 27), (62, 27), (9, 42)):
        for taken in range(0, 16 * whole + rest + 1, 7):
            k = likely_free_blocks(whole, rest, taken, level)
            assert probability_of_free_blocks(whole, rest, taken, k) >= level
            assert probability_of_free_blocks(whole, rest, taken, k + 1) < level


@pytest.mark.parametrize(("cidr", "used"), [("10.0.0.0/20", 300), ("10.0.0.0/20", 900), ("10.0.0.0/18", 2500)])
def test_a_simulation_agrees_on_large_subnets(cidr: str, used: int) -> None:
    place = subnet(cidr)
    counted = fragments_of_counts(place, used)
    rng = random.Random(20_261_125)
    addresses = range(4, place.total - 1)
    runs = 400
    found = []
    for _ in range(runs):
        spoilt = {a // PREFIX_SIZE for a in rng.sample(addresses, used)} | {0, place.total // PREFIX_SIZE - 1}
        found.append(place.total // PREFIX_SIZE - len(spoilt))
    mean = sum(found) / runs
    spread = (sum((f - mean) ** 2 for f in found) / (runs - 1)) ** 0.5
    assert abs(mean - float(counted.expected)) < 4 * spread / runs**0.5
    for k in (round(mean) - 3, round(mean), round(mean) + 3):
        share, chance = sum(f >= k for f in found) / runs, float(counted.probability(k))
        assert abs(share - chance) < 4 * (chance * (1 - chance) / runs) ** 0.5 + 1e-9


def test_never_better_with_more_addresses_or_more_blocks_wanted() -> None:
    whole, rest = 14, 27
    for k in range(1, 15):
        chances = [probability_of_free_blocks(whole, rest, n, k) for n in range(0, 252, 5)]
        assert chances == sorted(chances, reverse=True)
    for n in (0, 3, 20, 100, 251):
        chances = [probability_of_free_blocks(whole, rest, n, k) for k in range(17)]
        assert chances == sorted(chances, reverse=True)
        assert all(0 <= c <= 1 for c in chances)
        assert sum(chances[1:]) == expected_free_blocks(whole, rest, n)  # the mean is the sum of its tail


def test_empty_and_full_subnets() -> None:
    empty, full = fragments_of_counts(subnet("10.0.0.0/24"), 0), fragments_of_counts(subnet("10.0.0.0/24"), 251)
    assert (float(empty.expected), empty.certain, empty.most, empty.score) == (14.0, 14, 14, Fraction(0))
    assert (float(full.expected), full.most, full.score, full.probability(1)) == (0.0, 0, None, Fraction(0))
    over = fragments_of_counts(subnet("10.0.0.0/24"), 300)
    assert (over.free, float(over.expected)) == (-49, 0.0)
    assert fragments_of_counts(subnet("10.0.0.0/28"), 0).most == 0
    assert fragments_of_counts(subnet("10.0.0.0/27"), 0).most == 0


@pytest.mark.parametrize("used", [0, 10, 27, 28, 44, 100, 236, 251])
def test_the_most_is_the_bound_that_check_prints(used: int) -> None:
    place = subnet("10.0.0.0/24")
    assert fragments_of_counts(place, used).most == most_free_prefixes(place, place.usable - used)


# --- reservations and prefixes ------------------------------------------------------------------


def test_single_addresses_never_lie_in_a_reservation() -> None:
    place = subnet("10.0.0.0/24", "10.0.0.64/26:prefix", "10.0.0.200/32:explicit")
    # 4 blocks reserved, block 12 holds the explicit address: 16 − 2 − 4 − 1 = 9 whole blocks left
    counted = fragments_of_counts(place, 50)
    assert (counted.whole, counted.rest, counted.reserved_free) == (9, 27 + 15, 4)
    assert counted.probability(4) == 1
    assert counted.certain == 4
    assert counted.expected == 4 + expected_free_blocks(9, 42, 50)


def test_prefixes_fill_the_reservation_first() -> None:
    place = subnet("10.0.0.0/24", "10.0.0.64/26:prefix")
    assert fragments_of_counts(place, 0, prefixes=3).reserved_free == 1
    six = fragments_of_counts(place, 20, prefixes=6)
    assert (six.reserved_free, six.whole, six.taken) == (0, 8, 20 + 96)


# --- lists --------------------------------------------------------------------------------------


def test_the_map_of_a_list() -> None:
    place = subnet("10.0.0.0/24", "10.0.0.128/27:prefix", "10.0.0.160/28:explicit")
    taken = hosts("10.0.0.9/32", "10.0.0.32/28", "10.0.0.50/32", "10.0.0.51/32", "10.0.0.130/32", "10.9.0.0/16")
    assert block_map(place, taken) == "A.#+....+PE....A"
    found = fragments_of_list(place, taken)
    assert (found.taken, found.free_blocks, found.reserved_free) == (1 + 16 + 2 + 1, 10, 1)
    assert found.probability(10) == 1
    assert found.probability(11) == 0
    assert block_map(place, None) == "A???????PPE????A"


def test_the_five_that_aws_keeps_are_not_counted_as_taken() -> None:
    place = subnet("10.0.0.0/28")
    assert fragments_of_list(place, hosts("10.0.0.0/28")).taken == 11
    assert block_map(place, hosts("10.0.0.0/28")) == "#"
    assert block_map(place, []) == "A"


def test_the_score_of_a_list() -> None:
    # Sixteen addresses, one in each block: none free of the 14 that 235 packed addresses leave.
    place = subnet("10.0.0.0/24")
    scattered = fragments_of_list(place, hosts(*(f"10.0.0.{16 * i + 5}/32" for i in range(16))))
    assert (scattered.free_blocks, scattered.ideal, scattered.score) == (0, 14, Fraction(1))
    packed = fragments_of_list(place, hosts(*(f"10.0.0.{i}/32" for i in range(4, 20))))
    assert (packed.free_blocks, packed.ideal, packed.score) == (13, 14, Fraction(1, 14))


def test_a_list_is_one_of_the_cases_that_counts_average() -> None:
    place, rng = subnet("10.0.0.0/25"), random.Random(7)
    counted = fragments_of_counts(place, 9)
    for _ in range(200):
        chosen = rng.sample(range(4, 127), 9)
        listed = fragments_of_list(place, hosts(*(f"10.0.0.{a}/32" for a in chosen)))
        assert listed.free_blocks is not None
        assert counted.certain <= listed.free_blocks <= counted.most
        assert (listed.ideal, listed.taken) == (counted.most, counted.taken)


# --- the reservation that makes it certain ------------------------------------------------------


def advice(found: Fragments, blocks: int) -> tuple[str | None, list[str]]:
    got = reservation_for(found, blocks)
    return (str(got.single) if got.single else None), [str(p) for p in got.pieces]


def test_the_smallest_reservation() -> None:
    empty = fragments_of_list(subnet("10.0.0.0/24"), [])
    assert advice(empty, 1) == ("10.0.0.16/28", ["10.0.0.16/28"])
    assert advice(empty, 2) == ("10.0.0.32/27", ["10.0.0.32/27"])  # the first /27 holds AWS's addresses
    assert advice(empty, 5) == ("10.0.0.0/25", ["10.0.0.16/28", "10.0.0.64/26"])
    assert advice(empty, 7)[0] == "10.0.0.0/25"
    assert advice(empty, 14) == (
        None,  # the whole subnet would leave no interface an address of its own
        ["10.0.0.16/28", "10.0.0.32/27", "10.0.0.64/26", "10.0.0.128/26", "10.0.0.192/27", "10.0.0.224/28"],
    )
    assert advice(empty, 15) == (None, [])
    assert advice(empty, 0) == (None, [])


def test_a_reservation_may_cover_addresses_in_use() -> None:
    found = fragments_of_list(subnet("10.0.0.0/24"), hosts("10.0.0.40/32", "10.0.0.100/32", "10.0.0.150/32"))
    assert found.letters == "A.+...+..+.....A"
    # .64/26 and .192/26 hold three free blocks each; .48 to .95 are three too, but no CIDR of four blocks has them
    assert advice(found, 3) == ("10.0.0.64/26", ["10.0.0.16/28", "10.0.0.64/27"])


def test_pieces_hold_exactly_as_many_free_blocks() -> None:
    rng = random.Random(3)
    place = subnet("10.0.0.0/23")
    for _ in range(50):
        taken = hosts(*(str(place.cidr[a]) + "/32" for a in rng.sample(range(4, 511), rng.randint(0, 40))))
        found = fragments_of_list(place, taken)
        assert found.free_blocks is not None
        for wanted in range(1, found.free_blocks + 1):
            got = reservation_for(found, wanted)
            assert sum(p.num_addresses for p in got.pieces) == PREFIX_SIZE * wanted
            assert not any(p.overlaps(t) for p in got.pieces for t in taken)
            assert all(p.subnet_of(place.cidr) for p in got.pieces)
            if got.single is None:
                half = place.total // PREFIX_SIZE // 2  # neither half has so many
                letters = found.letters
                assert max(letters[:half].count("."), letters[half:].count(".")) < wanted
            else:
                first = (int(got.single[0]) - int(place.cidr[0])) // PREFIX_SIZE
                inside = found.letters[first : first + got.single.num_addresses // PREFIX_SIZE]
                assert inside.count(".") >= wanted
        assert reservation_for(found, found.free_blocks + 1).single is None


def test_from_counts_each_address_may_spoil_another_block() -> None:
    counted = fragments_of_counts(subnet("10.0.0.0/24"), 3)
    got = reservation_for(counted, 4)  # 4 + 3 blocks
    assert str(got.single) == "10.0.0.0/25"
    assert sum(p.num_addresses for p in got.pieces) == 7 * PREFIX_SIZE
    assert reservation_for(counted, 12).single is None  # 15 of 14
