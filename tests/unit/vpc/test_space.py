"""Blocks that may join a VPC, and subnets laid into free space."""

from __future__ import annotations

import random
from ipaddress import IPv4Network as Net

import pytest

from capacity.vpc.cidr_rules import addable, cidr_rules, proposals, range_of
from capacity.vpc.layout import first_free, largest_free, lay_out

TEN, TWELVE, HOME, BENCH, SHARED, PUBLIC = (
    Net("10.40.0.0/16"),
    Net("172.20.0.0/16"),
    Net("192.168.0.0/20"),
    Net("198.19.0.0/20"),
    Net("100.64.0.0/16"),
    Net("203.0.112.0/20"),
)


@pytest.mark.parametrize(
    ("primary", "refused", "allowed"),
    [
        (
            TEN,
            ["172.20.0.0/16", "192.168.0.0/20", "198.19.0.0/16"],
            ["10.41.0.0/16", "100.64.0.0/16", "203.0.112.0/20"],
        ),
        (
            TWELVE,
            ["10.0.0.0/16", "192.168.0.0/20", "172.31.0.0/20", "198.19.4.0/24"],
            ["172.21.0.0/16", "100.100.0.0/16", "203.0.112.0/20"],
        ),
        (
            HOME,
            ["10.0.0.0/16", "172.20.0.0/16", "198.19.4.0/24"],
            ["192.168.16.0/20", "100.64.0.0/16", "203.0.112.0/20"],
        ),
        (BENCH, ["10.0.0.0/16", "172.20.0.0/16", "192.168.0.0/20"], ["100.64.0.0/16", "203.0.112.0/20"]),
        (
            SHARED,
            ["10.0.0.0/16", "172.20.0.0/16", "192.168.0.0/20", "198.19.4.0/24"],
            ["100.65.0.0/16", "203.0.112.0/20"],
        ),
        (
            PUBLIC,
            ["10.0.0.0/16", "172.20.0.0/16", "192.168.0.0/20", "198.19.4.0/24"],
            ["100.65.0.0/16", "203.0.96.0/20"],
        ),
    ],
)
def test_the_table_of_the_vpc_guide(primary: Net, refused: list[str], allowed: list[str]) -> None:
    assert [addable(Net(c), [primary]).verdict for c in refused] == ["no"] * len(refused)
    assert [addable(Net(c), [primary]).verdict for c in allowed] == ["yes"] * len(allowed)


def test_ten_zero_is_closed_only_to_vpcs_in_ten_zero_and_ten_one() -> None:
    assert addable(Net("10.0.4.0/24"), [Net("10.1.0.0/16")]).verdict == "no"
    assert addable(Net("10.0.4.0/24"), [Net("10.2.0.0/16")]).verdict == "yes"
    assert addable(Net("10.0.4.0/24"), [Net("10.2.0.0/16"), Net("10.1.0.0/24")]).verdict == "no"  # any of its blocks
    assert addable(Net("10.1.4.0/24"), [Net("10.0.0.0/16")]).verdict == "yes"


def test_the_primary_block_decides_not_the_secondary() -> None:
    assert addable(Net("10.50.0.0/16"), [TEN, SHARED]).verdict == "yes"
    assert addable(Net("10.50.0.0/16"), [SHARED, Net("100.65.0.0/16")]).verdict == "no"


@pytest.mark.parametrize("cidr", ["169.254.8.0/24", "127.0.0.0/16", "0.0.0.0/16", "224.0.0.0/16", "240.1.0.0/16"])
def test_what_no_vpc_may_have(cidr: str) -> None:
    assert addable(Net(cidr), [TEN]).verdict == "no"


def test_sizes_overlaps_routes_and_the_quota() -> None:
    assert addable(Net("100.64.0.0/15"), [TEN]).reason == "a VPC's block is /16 to /28"
    assert addable(Net("100.64.0.0/29"), [TEN]).verdict == "no"
    assert addable(Net("10.40.8.0/24"), [TEN]).reason == "overlaps 10.40.0.0/16, a block of the VPC"
    assert addable(Net("100.64.8.0/24"), [TEN], peers=[SHARED]).reason == "overlaps 100.64.0.0/16, a peered VPC's block"
    # the guide's own example: a route to 10.0.0.0/24 stops that block and larger ones, not 10.0.0.0/25
    route = [Net("10.0.0.0/24")]
    assert addable(Net("10.0.0.0/24"), [Net("10.2.0.0/16")], routes=route).verdict == "no"
    assert addable(Net("10.0.0.0/23"), [Net("10.2.0.0/16")], routes=route).verdict == "no"
    assert addable(Net("10.0.0.0/25"), [Net("10.2.0.0/16")], routes=route).verdict == "yes"
    four = [TEN, *(Net(f"100.{i}.0.0/16") for i in range(64, 67))]
    assert addable(Net("100.70.0.0/16"), four).verdict == "yes"
    assert addable(Net("100.70.0.0/16"), [*four, Net("100.67.0.0/16")]).verdict == "quota"
    fifty = [TEN, *(Net(f"100.64.{i}.0/24") for i in range(49))]
    assert addable(Net("100.70.0.0/16"), fifty).verdict == "no"


def test_every_rule_names_its_source_and_is_used() -> None:
    assert all(rule.source and rule.reason for rule in cidr_rules())
    for rule in cidr_rules():
        examples = {
            "any": TEN,
            "other": SHARED,
            "10.0.0.0/8": Net("10.1.0.0/16"),
            "198.19.0.0/16": Net("198.19.240.0/24"),
        }
        primary = examples.get(rule.primary) or Net((int(Net(rule.primary).network_address), 24))
        piece = next(
            p for p in rule.refused.subnets(new_prefix=max(rule.refused.prefixlen, 20)) if not p.overlaps(primary)
        )
        assert addable(piece, [primary]).reason == rule.reason


def test_proposals_are_addable_and_new() -> None:
    vpc = [TEN, SHARED]
    for _ in range(3):
        piece = next(proposals(vpc))
        assert addable(piece, vpc).verdict == "yes"
        vpc.append(piece)
    assert [str(c) for c in vpc[2:]] == ["100.65.0.0/16", "100.66.0.0/16", "100.67.0.0/16"]
    assert str(next(proposals([TEN], 22, peers=[Net("100.64.0.0/22")]))) == "100.64.4.0/22"
    assert range_of(Net("198.18.0.0/16")) == "other"


# --- layout -------------------------------------------------------------------------------------


def test_room_to_grow_is_left_where_there_is_room() -> None:
    placed = lay_out({"a": 24, "b": 24}, [Net("10.0.0.0/22")], [])
    assert {n: str(c) for n, c in placed.placed.items()} == {"a": "10.0.0.0/24", "b": "10.0.2.0/24"}
    assert placed.growth_ready == {"a", "b"}
    tight = lay_out({"a": 24, "b": 24, "c": 24}, [Net("10.0.0.0/22")], [])
    assert {n: str(c) for n, c in tight.placed.items()} == {"a": "10.0.0.0/24", "b": "10.0.2.0/24", "c": "10.0.3.0/24"}
    assert tight.growth_ready == {"a"}


def test_pods_go_to_the_last_block_first() -> None:
    blocks = [Net("10.0.0.0/16"), Net("100.64.0.0/16")]
    placed = lay_out({"n": 27, "p": 18}, blocks, [], last_first=["p"]).placed
    assert (str(placed["n"]), str(placed["p"])) == ("10.0.0.0/27", "100.64.0.0/18")
    two = lay_out({"p": 17, "q": 17}, blocks, [], last_first=["p", "q"]).placed  # rather than with room to grow
    assert [str(two[n]) for n in "pq"] == ["100.64.0.0/17", "100.64.128.0/17"]
    three = lay_out({"p": 17, "q": 17, "r": 17}, blocks, [], last_first=["p", "q", "r"]).placed
    assert {str(c.supernet(new_prefix=16)) for c in three.values()} == {"10.0.0.0/16", "100.64.0.0/16"}


def test_without_room_nothing_is_placed() -> None:
    nothing = lay_out({"a": 25, "b": 25, "c": 25}, [Net("10.0.0.0/24")], [])
    assert (dict(nothing.placed), nothing.missing) == ({}, ("c",))


def test_random_layouts_are_aligned_apart_and_inside() -> None:
    rng = random.Random(11)
    blocks = [Net("10.0.0.0/20"), Net("100.64.0.0/21")]
    for _ in range(200):
        held = [rng.choice(list(rng.choice(blocks).subnets(new_prefix=rng.randint(23, 28)))) for _ in range(5)]
        wanted = {str(i): rng.randint(22, 28) for i in range(rng.randint(1, 6))}
        layout = lay_out(wanted, blocks, held)
        cidrs = list(layout.placed.values())
        assert layout.missing or all(layout.placed[n].prefixlen == wanted[n] for n in wanted)
        assert all(any(c.subnet_of(b) for b in blocks) for c in cidrs)
        assert not any(c.overlaps(h) for c in cidrs for h in held)
        assert not any(a.overlaps(b) for i, a in enumerate(cidrs) for b in cidrs[:i])
        for name in layout.growth_ready:
            parent = layout.placed[name].supernet()
            others = [c for n, c in layout.placed.items() if n != name]
            assert not any(parent.overlaps(c) for c in [*held, *others])


def test_first_free_is_the_lowest() -> None:
    rng = random.Random(5)
    block = Net("10.0.0.0/24")
    for _ in range(200):
        held = [rng.choice(list(block.subnets(new_prefix=rng.randint(25, 28)))) for _ in range(rng.randint(0, 6))]
        for length in (25, 26, 27, 28):
            free = [c for c in block.subnets(new_prefix=length) if not any(c.overlaps(h) for h in held)]
            assert first_free(length, [block], held) == (free[0] if free else None)
        sizes = [n for n in range(24, 29) for c in block.subnets(new_prefix=n) if not any(c.overlaps(h) for h in held)]
        largest = largest_free([block], held)
        assert (largest.prefixlen if largest else None) == (min(sizes) if sizes else None)
