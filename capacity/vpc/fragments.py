"""Computes the free /28 blocks of a subnet: exactly from a list of addresses, or as an exact distribution from counts.

A prefix uses 16 contiguous addresses on a /28 boundary, so prefix delegation depends on the number of wholly free
blocks, not on the number of free addresses.

With a count only, the distribution is that of :mod:`capacity.vpc.block_odds`.

Source: awsdocs/amazon-vpc-user-guide subnet-sizing.md L9 (the five addresses); prefixes:
aws/aws-eks-best-practices@dc0243a networking/prefix-mode_linux.adoc L22-26, L75-85.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from ipaddress import IPv4Network
from typing import NamedTuple

from capacity.plan.constants import PREFIX_SIZE
from capacity.plan.model import RESERVED_BY_AWS, Subnet
from capacity.vpc.block_odds import (
    certain_free_blocks,
    expected_free_blocks,
    likely_free_blocks,
    most_free_blocks,
    probability_of_free_blocks,
)
from capacity.vpc.blocks import kept_by_aws, room_of

# One letter per block, in the order of the subnet.
FREE, PARTLY, FULL, KEPT, FREE_RESERVED, EXPLICIT, UNKNOWN = ".", "+", "#", "A", "P", "E", "?"
LEGEND = {
    FREE: "free /28",
    PARTLY: "partly used",
    FULL: "full",
    KEPT: "with addresses that AWS reserves",
    FREE_RESERVED: "reserved for prefixes",
    EXPLICIT: "in an explicit reservation",
    UNKNOWN: "free or not, unknown",
}


# --- addresses known --------------------------------------------------------------------------


def block_map(subnet: Subnet, taken: Iterable[IPv4Network] | None) -> str:
    """One letter per /28 block of a subnet (see ``LEGEND``); ``taken`` None: addresses unknown.

    Parameters
    ----------
    taken : iterable of IPv4Network
        Addresses (/32) and prefixes (/28) in use; addresses outside the subnet are ignored.

    Examples
    --------
    >>> block_map(Subnet("a", "z", IPv4Network("10.0.0.0/25")), [IPv4Network("10.0.0.40/32")])
    'A.+....A'
    """
    first = int(subnet.cidr.network_address)
    held = [0] * (subnet.total // PREFIX_SIZE)
    kept = [0] * len(held)
    for address in kept_by_aws(subnet.cidr):
        kept[(address - first) // PREFIX_SIZE] += 1
    for address in _inside(taken or (), *_usable_range(subnet)):
        held[(address - first) // PREFIX_SIZE] += 1
    reserved = {}
    for reservation in subnet.reservations:
        low, high = int(reservation.cidr.network_address), int(reservation.cidr.broadcast_address)
        reserved.update(
            dict.fromkeys(range((low - first) // PREFIX_SIZE, (high - first) // PREFIX_SIZE + 1), reservation.type)
        )
    known = taken is not None
    return "".join(_letter(h, k, reserved.get(i), known) for i, (h, k) in enumerate(zip(held, kept, strict=True)))


def _usable_range(subnet: Subnet) -> tuple[int, int]:
    """The first and last usable address."""
    return int(subnet.cidr.network_address) + RESERVED_BY_AWS - 1, int(subnet.cidr.broadcast_address) - 1


def _inside(taken: Iterable[IPv4Network], low: int, high: int) -> set[int]:
    """The single addresses of some blocks between ``low`` and ``high``."""
    found: set[int] = set()
    for block in taken:
        found.update(range(max(int(block.network_address), low), min(int(block.broadcast_address), high) + 1))
    return found


def _letter(held: int, kept: int, reserved: str | None, known: bool) -> str:
    if kept:
        return FULL if held + kept == PREFIX_SIZE else KEPT
    if held == PREFIX_SIZE:
        return FULL
    if held:
        return PARTLY
    if reserved is not None:
        return FREE_RESERVED if reserved == "prefix" else EXPLICIT
    return FREE if known else UNKNOWN


# --- both -------------------------------------------------------------------------------------


class Fragments(NamedTuple):
    """The free /28 blocks of a subnet.

    Attributes
    ----------
    taken : int
        Usable addresses in use. [addresses]
    exact : bool
        Whether the addresses are known; otherwise ``free_blocks`` is None and the rest is a distribution.
    free_blocks : int or None
        [blocks]
    expected : Fraction
        Mean number of free blocks; the exact number if known. [blocks]
    certain, most : int
        Free blocks for any positions of the unknown addresses, and for the best positions; the exact number if all are
        known. Always certain <= expected <= most. [blocks]
    ideal : int
        Blocks that as many free addresses could form with every used address in the best position. [blocks]
    letters : str
        The block map.
    whole, rest, singles : int
        Inputs of the distribution: whole blocks that single addresses can break up, addresses outside them, and the
        single addresses in use.
    reserved_free : int
        Additional blocks that no single address can break up, because they are in reservations. [blocks]
    reserved : int
        Free addresses in reservations, part of ``free``. [addresses]
    """

    subnet: Subnet
    taken: int
    exact: bool
    free_blocks: int | None
    expected: Fraction
    certain: int
    most: int
    ideal: int
    letters: str
    whole: int
    rest: int
    singles: int
    reserved_free: int
    reserved: int

    @property
    def free(self) -> int:
        """Free addresses. [addresses]"""
        return self.subnet.usable - self.taken

    @property
    def score(self) -> Fraction | None:
        """Fragmentation: the share of the possible free /28 blocks that scattered addresses break up.

        1 − free blocks ÷ most blocks that as many free addresses could form. 0: none is broken up, 1: all are. None if
        even the best order leaves no block.
        """
        return 1 - self.expected / self.ideal if self.ideal else None

    def probability(self, at_least: int) -> Fraction:
        """Probability that at least ``at_least`` blocks are free (0 or 1 if the addresses are known)."""
        if self.free_blocks is not None:
            return Fraction(int(self.free_blocks >= at_least))
        return probability_of_free_blocks(self.whole, self.rest, self.singles, at_least - self.reserved_free)

    def likely(self, probability: Fraction) -> int:
        """Most blocks that are free with at least this probability. [blocks]"""
        if self.free_blocks is not None:
            return self.free_blocks
        return self.reserved_free + likely_free_blocks(self.whole, self.rest, self.singles, probability)


def fragments_of_list(subnet: Subnet, taken: Iterable[IPv4Network], unlisted: int = 0) -> Fragments:
    """The free blocks if the addresses in use are known.

    Parameters
    ----------
    taken : iterable of IPv4Network
        Addresses and prefixes in use.
    unlisted : int
        Additional single addresses in use that are not in the list: they can be anywhere in the open rest, and the
        answer is then a distribution. [addresses]
    """
    used = list(taken)
    letters = block_map(subnet, used)
    addresses = _inside(used, *_usable_range(subnet))
    in_prefix, in_explicit = (_in_reservations(subnet, addresses, kind) for kind in ("prefix", "explicit"))
    room = room_of(subnet)
    left, whole = letters.count(FREE_RESERVED), letters.count(FREE)
    hidden = max(unlisted, 0)
    spread = _spread(
        whole=whole,
        rest=room.open_addresses - (len(addresses) - in_prefix - in_explicit) - PREFIX_SIZE * whole,
        singles=hidden,
        reserved_blocks=left,
        reserved=room.reserved_prefix - in_prefix + room.explicit - in_explicit,
    )
    explicit_free = room.explicit - in_explicit
    free_for_prefixes = subnet.usable - len(addresses) - hidden - explicit_free
    best = min(room.open_blocks + room.reserved_blocks, max(free_for_prefixes, 0) // PREFIX_SIZE)
    return _fragments(subnet, len(addresses) + hidden, spread, letters, exact=not hidden, ideal=best)


def _in_reservations(subnet: Subnet, addresses: set[int], kind: str) -> int:
    """The number of addresses in reservations of a type. [addresses]"""
    blocks = [(int(r.cidr[0]), int(r.cidr[-1])) for r in subnet.reservations if r.type == kind]
    return sum(low <= address <= high for low, high in blocks for address in addresses)


def fragments_of_counts(subnet: Subnet, singles: int, prefixes: int = 0) -> Fragments:
    """The free blocks if only counts are known.

    Prefixes are in reservations of type prefix first, then in whole blocks; the single addresses can be anywhere in the
    open rest. Counts that exceed the subnet leave no block.
    """
    room = room_of(subnet)
    in_reservation = min(prefixes, room.reserved_blocks)
    outside = min(prefixes - in_reservation, room.open_blocks)
    spread = _spread(
        whole=room.open_blocks - outside,
        rest=room.open_addresses - PREFIX_SIZE * room.open_blocks,
        singles=singles,
        reserved_blocks=room.reserved_blocks - in_reservation,
        reserved=room.reserved_prefix - PREFIX_SIZE * in_reservation + room.explicit,
    )
    return _fragments(subnet, singles + PREFIX_SIZE * prefixes, spread, block_map(subnet, None), exact=False, ideal=0)


class _Spread(NamedTuple):
    """The possible positions of single addresses, and the blocks that they cannot reach."""

    whole: int
    rest: int
    singles: int
    safe: int
    reserved: int
    overflows: bool


def _spread(whole: int, rest: int, singles: int, reserved_blocks: int, reserved: int) -> _Spread:
    """Spread single addresses over the open part; if there are more, the rest is in reservations that covered them
    already.

    This is possible because a reservation can be created over addresses in use. The open part is then full, and the
    rest is assumed to be equally likely anywhere in the reservations.

    Source: awsdocs/amazon-vpc-user-guide subnet-cidr-reservation.md L3-14.
    """
    beyond = singles - (PREFIX_SIZE * whole + rest)
    if beyond <= 0:
        return _Spread(whole, rest, singles, reserved_blocks, reserved, overflows=False)
    inside = min(beyond, reserved)
    return _Spread(
        reserved_blocks, reserved - PREFIX_SIZE * reserved_blocks, inside, 0, reserved - inside, overflows=True
    )


def _fragments(subnet: Subnet, taken: int, spread: _Spread, letters: str, exact: bool, ideal: int) -> Fragments:
    whole, rest, singles, safe = spread.whole, spread.rest, spread.singles, spread.safe
    most = safe + most_free_blocks(whole, rest, singles)
    if spread.overflows:  # the open part is full
        letters = letters.translate({ord(x): FULL for x in (FREE, UNKNOWN, PARTLY)})
        letters = letters.replace(FREE_RESERVED, UNKNOWN)
    elif not exact:
        letters = letters.replace(FREE, UNKNOWN)
    return Fragments(
        subnet=subnet,
        taken=taken,
        exact=exact,
        free_blocks=safe + whole if exact else None,
        expected=safe + expected_free_blocks(whole, rest, singles),
        certain=safe + (whole if exact else certain_free_blocks(whole, singles)),
        most=most,
        ideal=max(ideal, most),
        letters=letters,
        whole=whole,
        rest=rest,
        singles=singles,
        reserved_free=safe,
        reserved=spread.reserved,
    )
