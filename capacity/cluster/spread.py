"""Computes how many nodes of a group are in each zone and subnet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import gcd, lcm
from typing import NamedTuple


class Slot(NamedTuple):
    """A place for nodes: the subnet of the node and, with custom networking, the subnet of its pods.

    ``choices`` are the subnets that subnet discovery can choose for each additional ENI; empty without a choice.
    """

    zone: str
    subnet: str
    pod_subnet: str | None
    choices: tuple[str, ...] = ()

    @property
    def address_subnet(self) -> str:
        """The subnet of its pod addresses; for additional ENIs only if there is no choice."""
        return self.pod_subnet or self.subnet

    @property
    def subnets(self) -> tuple[str, ...]:
        """Every subnet in which a node here can have addresses."""
        return tuple(dict.fromkeys((self.subnet, self.address_subnet, *self.choices)))


class Ground(NamedTuple):
    """The places of a group's nodes: its node subnets and its pod subnets, each with its zone."""

    subnets: tuple[tuple[str, str], ...]
    pod_subnets: tuple[tuple[str, str], ...]

    @property
    def zones(self) -> tuple[str, ...]:
        """Zones in the order of the node subnets."""
        return _zones(self)

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Every place for nodes, in subnet order, without the choices of discovery."""
        return _slots(self)

    def within(self, zone: str) -> tuple[list[str], list[str]]:
        """Node subnets and pod subnets in a zone."""
        return [n for n, z in self.subnets if z == zone], [n for n, z in self.pod_subnets if z == zone]


@lru_cache(maxsize=10_000)
def _zones(ground: Ground) -> tuple[str, ...]:
    return tuple(dict.fromkeys(zone for _, zone in ground.subnets))


@lru_cache(maxsize=10_000)
def _slots(ground: Ground) -> tuple[Slot, ...]:
    zones = dict(ground.subnets)
    found = {pair for zone in ground.zones for pair in slot_pairs(*ground.within(zone))}
    order = {n: i for i, (n, _) in enumerate((*ground.subnets, *ground.pod_subnets))}
    keys = sorted(found, key=lambda k: (order[k[0]], order[k[1]] if k[1] else 0))
    return tuple(Slot(zones[k[0]], *k) for k in keys)


class NodeSpread(NamedTuple):
    """Nodes of a group by slot, and the fewest and most in each zone over all placements. [nodes]"""

    by_slot: tuple[int, ...]
    ranges: Mapping[str, tuple[int, int]]


@lru_cache(maxsize=20_000)
def node_spread(
    ground: Ground, nodes: int, rule: str | tuple[tuple[str, Fraction], ...], worst_zone: str
) -> NodeSpread:
    """Nodes of a group over its slots (cached); ``worst_zone`` gets all with the rule ``worst``."""
    spread = rule if isinstance(rule, str) else dict(rule)
    found: dict[tuple[str, str | None], int] = {}
    for zone, count in zone_shares(nodes, ground.zones, spread, worst_zone).items():
        found.update(slot_counts(count, *ground.within(zone)))
    by_slot = tuple(found.get((s.subnet, s.pod_subnet), 0) for s in ground.slots)
    return NodeSpread(by_slot, zone_ranges(nodes, ground.zones, spread, worst_zone))


def even_shares(count: int, places: int) -> list[int]:
    """``count`` over ``places`` as evenly as whole numbers allow, the remainder to the first.

    >>> even_shares(7, 3)
    [3, 2, 2]
    """
    base, rest = divmod(count, places)
    return [base + (i < rest) for i in range(places)]


def weighted_shares(count: int, weights: Sequence[Fraction] | Sequence[int]) -> list[int]:
    """``count`` by weight, whole numbers or exact fractions, the remainder to the largest fractions, ties in order.

    >>> weighted_shares(10, [Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)])
    [5, 3, 2]
    """
    total = sum(weights)
    quotas = [divmod(count * w, total) for w in weights]
    shares = [int(whole) for whole, _ in quotas]
    rest = sorted(range(len(quotas)), key=lambda i: (-quotas[i][1], i))
    for i in rest[: count - sum(shares)]:
        shares[i] += 1
    return shares


def zone_shares(
    count: int, zones: Sequence[str], spread: str | Mapping[str, Fraction], worst_zone: str
) -> dict[str, int]:
    """Nodes per zone by a group's spread rule; ``worst_zone`` gets all with ``worst``."""
    if spread == "worst":
        return {z: count if z == worst_zone else 0 for z in zones}
    if isinstance(spread, str):
        return dict(zip(zones, even_shares(count, len(zones)), strict=True))
    return dict(zip(zones, weighted_shares(count, [spread[z] for z in zones]), strict=True))


def zone_ranges(
    count: int, zones: Sequence[str], spread: str | Mapping[str, Fraction], worst_zone: str
) -> dict[str, tuple[int, int]]:
    """Fewest and most nodes of each zone over all placements of the remaining nodes."""
    if spread == "worst":
        return {z: (count, count) if z == worst_zone else (0, 0) for z in zones}
    weights = [1] * len(zones) if isinstance(spread, str) else [spread[z] for z in zones]
    return dict(zip(zones, share_limits(count, weights), strict=True))


def share_limits(count: int, weights: Sequence[Fraction | int]) -> list[tuple[int, int]]:
    """Each weight's exact share of ``count``, rounded down and rounded up.

    >>> share_limits(10, [1, 1, 2])
    [(2, 3), (2, 3), (5, 5)]
    """
    total = sum(weights)
    return [(int(count * w // total), int(-(-count * w // total))) for w in weights]


def slot_counts(nodes: int, subnets: Sequence[str], pod_subnets: Sequence[str]) -> dict[tuple[str, str | None], int]:
    """Nodes of one zone spread evenly over its node subnets and, if given, its pod subnets.

    The i-th node uses the i-th subnet of each list, cyclically.

    >>> slot_counts(3, ["a", "b"], [])
    {('a', None): 2, ('b', None): 1}
    """
    pairs = slot_pairs(subnets, pod_subnets)
    return {pair: (nodes - i - 1) // len(pairs) + 1 for i, pair in enumerate(pairs[:nodes])}


def slot_pairs(subnets: Sequence[str], pod_subnets: Sequence[str]) -> list[tuple[str, str | None]]:
    """Pairs of node subnet and pod subnet that the nodes of one zone cycle through, in order."""
    pods: Sequence[str | None] = pod_subnets or [None]
    cycle = len(subnets) * len(pods) // gcd(len(subnets), len(pods))
    return [(subnets[i % len(subnets)], pods[i % len(pods)]) for i in range(cycle)]


def share_range(low: int, high: int, places: int) -> tuple[int, int]:
    """Fewest and most nodes in one of ``places`` equal subnets of a zone with low…high nodes."""
    return low // places, -(-high // places)


def fewest_first(count: int, have: Sequence[int], weights: Sequence[Fraction | int]) -> list[int]:
    """How many of ``count`` new nodes each place gets if each goes to the place with the fewest for its weight, ties in
    order.

    Notes
    -----
    Each goes to the smallest (have + 1) / weight. All such steps up to a level come before any above
    it, so all steps up to the highest level within ``count`` are taken together, and only the rest one by one.
    Weights become whole numbers first: fractions are exact too, but many times slower.

    >>> fewest_first(4, [3, 0, 1], [1] * 3)
    [0, 3, 1]
    """
    scale = lcm(*(w.denominator for w in weights))
    whole = [int(w * scale) for w in weights]
    total, common = sum(whole), lcm(*whole)
    steps = [common // w for w in whole]

    def up_to(level: int) -> list[int]:
        return [max(level * w // total - n, 0) for n, w in zip(have, whole, strict=True)]

    low, high = 0, count + sum(have) + len(have)
    while high - low > 1 and count > 4 * len(have):  # a few are placed one by one
        middle = (low + high) // 2
        low, high = (middle, high) if sum(up_to(middle)) <= count else (low, middle)
    found = up_to(low)
    for _ in range(count - sum(found)):
        at = min(range(len(have)), key=lambda i: (have[i] + found[i] + 1) * steps[i])
        found[at] += 1
    return found
