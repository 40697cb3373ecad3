"""Computes the most and fewest addresses that identical nodes can hold together with a given total of pods.

``table[q]`` has the addresses of one node with q pods and never decreases. All splits of the pods among the nodes are
covered: a linear relaxation gives a bound, and rounding it usually reaches the bound, which proves it optimal;
otherwise the exact maximum is computed by splitting the nodes in halves.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import floor, gcd
from operator import add

Table = tuple[int, ...]


def most_addresses(table: Table, nodes: int, pods: int) -> int:
    """Largest sum of ``table[q_i]`` over ``nodes`` nodes with the q_i adding up to ``pods``.

    Parameters
    ----------
    table : tuple of int
        Addresses of one node with 0, 1, … pods, never falling. [addresses]
    nodes, pods : int
        ``pods`` is limited to nodes × (len(table) − 1).

    Examples
    --------
    >>> most_addresses((20, 30, 30, 30), nodes=3, pods=3), least_addresses((20, 30, 30, 30), nodes=3, pods=3)
    (90, 70)
    """
    bound, reached = _between(table, nodes, pods)
    return reached if reached == bound else _exact(table, nodes, pods)


def least_addresses(table: Table, nodes: int, pods: int) -> int:
    """The smallest sum, computed as the largest one of the mirrored table."""
    cap = len(table) - 1
    pods = min(pods, nodes * cap)
    return nodes * table[cap] - most_addresses(_mirrored(table), nodes, nodes * cap - pods)


@lru_cache(maxsize=10_000)
def _mirrored(table: Table) -> Table:
    return tuple(table[-1] - v for v in reversed(table))


@lru_cache(maxsize=10_000)
def _hull(table: Table) -> tuple[tuple[int, int], ...]:
    """Vertices of the upper concave hull of the points where the table rises."""
    hull: list[tuple[int, int]] = []
    for point in ((q, v) for q, v in enumerate(table) if q == 0 or v > table[q - 1]):
        while len(hull) > 1 and _cross(hull[-2], hull[-1], point) >= 0:
            hull.pop()
        hull.append(point)
    return tuple(hull)


def _cross(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> int:
    """Positive or 0 if b is on or below the line from a to c."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _between(table: Table, nodes: int, pods: int) -> tuple[int, int]:
    """An upper bound of the largest sum, and a sum that some split reaches."""
    if nodes <= 0:
        return 0, 0
    if pods >= nodes * (len(table) - 1):
        return nodes * table[-1], nodes * table[-1]
    return _relaxed(table, nodes, pods)


def _relaxed(table: Table, nodes: int, pods: int) -> tuple[int, int]:
    """Upper bound by linear relaxation, and a sum that some split reaches."""
    hull = _hull(table)
    index = max(i for i, (q, _) in enumerate(hull) if nodes * q <= pods)
    q, value = hull[index]
    if index == len(hull) - 1:
        return nodes * value, nodes * value
    next_q, next_value = hull[index + 1]
    step, gain, left = next_q - q, next_value - value, pods - nodes * q
    raised, rest = divmod(left, step)
    rise = _rise(table)
    bound = nodes * value + left * gain // (step * rise) * rise
    last = len(table) - 1
    extra = [table[q + rest] - value] if raised < nodes else [0]
    if raised:
        extra.append(table[min(next_q + rest, last)] - next_value)
    return bound, nodes * value + raised * gain + max(extra)


def _exact(table: Table, nodes: int, pods: int) -> int:
    """The exact maximum."""
    return _exact_range(table, nodes, pods, pods)[0]


@lru_cache(maxsize=10_000)
def _exact_range(table: Table, nodes: int, low: int, high: int) -> tuple[int, ...]:
    """The exact maximum with each of ``low`` to ``high`` pods (cached).

    Halves of the nodes are taken together, each with a sum near its share of the pods.
    Any set of parts of at most ``cap`` can be ordered so that every partial sum stays within ``cap``
    of its share (Steinitz), so each half needs to be known only in a window of a few ``cap``.
    """
    cap = len(table) - 1
    wanted = _windows(nodes, low, high, cap)
    known: dict[int, tuple[int, list[int]]] = {}  # nodes -> (first total, best sums from there on)
    for count in sorted(wanted):
        first, last = wanted[count]
        if count == 1:
            known[1] = (first, list(table[first : last + 1]))
            continue
        (from_a, a), (from_b, b) = known[count // 2], known[count - count // 2]
        known[count] = (first, [_best_sum(a, b[::-1], total - from_a - from_b) for total in range(first, last + 1)])
    return tuple(known[nodes][1])


def _best_sum(a: list[int], b_back: list[int], total: int) -> int:
    """Largest a[i] + b[total - i]; ``b_back`` is b from its end."""
    low, high = max(total - len(b_back) + 1, 0), min(total, len(a) - 1)
    start = len(b_back) - 1 - total
    best: int = max(map(add, a[low : high + 1], b_back[start + low : start + high + 1]))
    return best


@lru_cache(maxsize=10_000)
def _rise(table: Table) -> int:
    """The common divisor of the table's increases: whole ENIs in the default mode. [addresses]"""
    return gcd(*(b - a for a, b in pairwise(table))) or 1


def _windows(nodes: int, fewest: int, most: int, cap: int) -> dict[int, tuple[int, int]]:
    """The totals needed for each count of nodes, from all nodes down to one."""
    wanted = {nodes: (fewest, most)}
    for count in _halvings(nodes):
        low, high = wanted[count]
        for half in {count // 2, count - count // 2} if count > 1 else ():
            bottom = max(half * low // count - cap, 0)
            top = min(-(-half * high // count) + cap, half * cap)
            old = wanted.get(half, (bottom, top))
            wanted[half] = (min(old[0], bottom), max(old[1], top))
    return wanted


def _halvings(nodes: int) -> list[int]:
    """Counts that appear when ``nodes`` is halved again and again, largest first."""
    counts, level = [nodes], {nodes}
    while max(level) > 1:
        level = {h for c in level if c > 1 for h in (c // 2, c - c // 2)}
        counts += sorted(level, reverse=True)
    return sorted(set(counts), reverse=True)


# --- nodes of which some have a limit ------------------------------------------------------

SCANNED = 64  # pods up to which every share of the limited nodes is tried


def most_in_two(table: Table, free: int, limited: int, pods: int, limit: int) -> int:
    """Largest sum over ``free`` + ``limited`` nodes with ``pods`` pods, at most ``limit`` of them on the limited ones.

    Parameters
    ----------
    free, limited : int
        [nodes]
    pods, limit : int
        [pods]

    Notes
    -----
    Without the limit all nodes are equal, which gives an upper bound. If the limited nodes gain at least as much by
    their last pod as the free ones by one more, both at their concave hulls, the hulls at the limit are a bound too. A
    split that reaches the bound is optimal. A small limit is tried pod by pod, down from the limit; above that the
    bound is used, which exceeds a reachable split by less than the increase of one node on each side.

    Examples
    --------
    >>> most_in_two((20, 30, 30, 30), free=1, limited=2, pods=3, limit=1)
    80
    """
    whole = most_addresses(table, free + limited, pods)
    if not limited or limit >= min(pods, limited * (len(table) - 1)):
        return whole
    reached = most_addresses(table, limited, limit) + most_addresses(table, free, pods - limit)
    if reached == whole or not free:
        return reached
    bound = min(whole, _bound_of_two(table, free, limited, pods, limit))
    if reached == bound or limit > SCANNED:
        return bound
    return _by_shares(table, free, limited, pods, limit, bound)


def _bound_of_two(table: Table, free: int, limited: int, pods: int, limit: int) -> int:
    """The bound from the hulls at the limit, in whole increases; trivial if more pods there decrease the sum."""
    if not _rises(table, limited, limit, free, pods - limit):
        return (free + limited) * table[-1]
    base = (free + limited) * table[0]
    hulls = _on_hull(table, limited, limit) + _on_hull(table, free, pods - limit) - base
    return base + floor(hulls / _rise(table)) * _rise(table)


def _by_shares(table: Table, free: int, limited: int, pods: int, limit: int, bound: int) -> int:
    """The largest sum over every share of the limited nodes; exact if the bounds of a share leave it open.

    None is more than ``bound``, which a share near the limit mostly reaches.
    """
    best, shares = 0, []
    for there in range(limit, -1, -1):
        most, reached = _between(table, limited, there)
        rest_most, rest_reached = _between(table, free, pods - there)
        best = max(best, reached + rest_reached)
        if best == bound:
            return bound
        shares.append((there, most + rest_most))
    unsure = [there for there, most in shares if most > best]
    if not unsure:
        return best
    first, last = unsure[-1], unsure[0]
    most_there = _best_sums(table, limited, first, last)
    most_rest = _best_sums(table, free, pods - last, pods - first)
    sums = (a + b for a, b in zip(most_there, reversed(most_rest), strict=True))
    return max(best, *sums)


def _best_sums(table: Table, nodes: int, low: int, high: int) -> tuple[int, ...]:
    """Largest sums with ``low`` to ``high`` pods, limited to the pods that fit on the nodes."""
    most = nodes * (len(table) - 1)
    if low >= most:
        return (nodes * table[-1],) * (high - low + 1)
    return _exact_range(table, nodes, low, min(high, most)) + (nodes * table[-1],) * max(high - most, 0)


def _on_hull(table: Table, nodes: int, pods: int) -> Fraction:
    """Sum of a number of nodes at the concave hull, with the pods spread evenly. [addresses]"""
    for (p, u), (q, v) in pairwise(_hull(table)):
        if pods <= nodes * q:
            return nodes * u + Fraction((pods - nodes * p) * (v - u), q - p)
    return Fraction(nodes * table[-1])


def _rises(table: Table, limited: int, limit: int, free: int, rest: int) -> bool:
    """Whether moving a pod from the free nodes to the limited ones, up to the limit, never decreases the hulls' sum."""
    hull = _hull(table)
    gain, pods = next(
        ((v - u, q - p) for (p, u), (q, v) in pairwise(hull) if limited * q >= limit), (0, 1)
    )  # of the last pod there
    other, step = next(((v - u, q - p) for (p, u), (q, v) in pairwise(hull) if free * q > rest), (0, 1))
    return gain * step >= other * pods
