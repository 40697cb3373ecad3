"""Cost, addresses and nodes: the purchases that no other purchase beats in all three, and the search for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from math import isfinite
from typing import TypeVar

from capacity.optimize.buy import Buying, Division, Purchase, purchase
from capacity.optimize.choices import ADDRESSES, COST, NODES, Choices
from capacity.optimize.divide import Blocks
from capacity.optimize.divisions import Found, expected, ranked
from capacity.optimize.market import Market
from capacity.optimize.request import Request

CHECKED = {"quick": 6, "normal": 10, "thorough": 24}  # further divisions that are checked, at most
MOST_POINTS = 6  # of the frontier that are shown
# What a node and an address cost beside their price, in mean prices per node and per address of the cheapest purchase.
NODE_WEIGHTS = (0.1, 1.0, 10.0)
ADDRESS_WEIGHTS = (0.1, 1.0, 10.0)
SINGLE_TYPES = 12  # types of which the nodes for all pods are counted

Figures = tuple[float, int, int]
T = TypeVar("T")


def explored(buying: Buying, market: Market, found: Found, request: Request) -> Found:
    """Continue the search for fewer addresses and fewer nodes; if it finds a cheaper purchase, that is the answer."""
    choices, stopped = request.choices, request.stopped
    if found.bought is None or stopped():
        return found
    tried, best = list(found.tried), found.bought
    known = {_key(p.division) for p in tried}
    for division in _promising(buying, market, found, choices, CHECKED[request.effort]):
        if stopped():
            break
        if _key(division) in known:
            continue
        one = purchase(buying, division)
        tried.append(one)
        if buying.accepts(one) and one.usd_per_hour < best.usd_per_hour - 1e-9:
            best = one
    return Found(best, found.nearest, tuple(tried))


def frontier(bought: Purchase, others: Iterable[Purchase]) -> tuple[Purchase, ...]:
    """A few of the purchases that no other beats in dollars, addresses and nodes together, cheapest first.

    The purchases with the lowest cost, the fewest addresses and the fewest nodes are always included. ``bought``
    represents all of its groups.
    """
    mine = _key(bought.division)
    rest = (p for p in others if _key(p.division) != mine)
    return tuple(few(undominated([bought, *rest], _figures), _figures, MOST_POINTS))


def _figures(p: Purchase) -> Figures:
    return p.figures


OBJECTIVES: dict[str, Callable[[Purchase], tuple[float, ...]]] = {
    COST: lambda p: p.figures,
    ADDRESSES: lambda p: (p.addresses, *p.figures),
    NODES: lambda p: (p.nodes(peak=True), *p.figures),
}


def undominated(things: Iterable[T], of: Callable[[T], Figures]) -> list[T]:
    """Purchases that no other equals or beats in all three figures, cheapest first; of equal ones the first.

    >>> undominated([(1.0, 9, 9), (2.0, 5, 9), (2.0, 9, 9)], lambda figures: figures)
    [(1.0, 9, 9), (2.0, 5, 9)]
    """
    kept: list[T] = []
    for thing in sorted(things, key=of):
        mine = of(thing)
        if not any(all(a <= b for a, b in zip(of(k), mine, strict=True)) for k in kept):
            kept.append(thing)
    return kept


def few(things: Sequence[T], of: Callable[[T], Figures], most: int) -> list[T]:
    """At most that number of purchases, in their order: the lowest of each figure, then those farthest from the
    selected ones.

    >>> few([(1.0, 9, 9), (1.1, 8, 9), (5.0, 5, 9), (9.0, 1, 9)], lambda figures: figures, 3)
    [(1.0, 9, 9), (5.0, 5, 9), (9.0, 1, 9)]
    """
    if len(things) <= most:
        return list(things)
    rows = [of(t) for t in things]
    low = [min(r[i] for r in rows) for i in range(3)]
    span = [max(r[i] for r in rows) - low[i] or 1 for i in range(3)]
    places = [tuple((r[i] - low[i]) / span[i] for i in range(3)) for r in rows]
    numbers = range(len(rows))
    chosen = {min(numbers, key=lambda n, i=i: (rows[n][i], rows[n])) for i in range(3)}  # type: ignore[misc]
    while len(chosen) < most:

        def distance(n: int) -> float:
            return min(sum((a - b) ** 2 for a, b in zip(places[n], places[c], strict=True)) for c in chosen)

        chosen.add(max((n for n in numbers if n not in chosen), key=lambda n: (distance(n), -n)))
    return [things[n] for n in sorted(chosen)]


def _key(division: Division) -> tuple[tuple[tuple[int, ...], str], ...]:
    """A key of a division that does not depend on the nodes that the check added."""
    return tuple(sorted((s.block, s.candidate.name) for s in division))


def _promising(buying: Buying, market: Market, found: Found, choices: Choices, most: int) -> list[Division]:
    """A few divisions whose expected figures no other division beats."""
    assert found.bought is not None
    blocks = Blocks(market, buying.pods, buying.rules)
    listed = ranked(_with_weights(blocks, found, found.bought), buying.rules, choices)

    def forecast(division: Division) -> Figures:
        held = sum(blocks.addresses(s.block, s.candidate, s.peak) for s in division)
        return expected(division, buying.rules), held, sum(s.peak for s in division)

    return few(undominated([found.bought.division, *listed], forecast), forecast, most)


def _with_weights(blocks: Blocks, found: Found, best: Purchase) -> Iterator[Division]:
    """The groups that were tried, each on the type that is cheapest if an address or a node has an additional cost.
    Also all pods in one group.
    """
    market, rules = blocks.market, blocks.rules
    groupings = dict.fromkeys(tuple(s.block for s in p.division) for p in found.tried)
    groupings[(tuple(range(len(blocks.pods))),)] = None
    yield from _single_types(blocks)
    mean = best.usd_per_hour / max(best.nodes(peak=True), 1)
    by_name = {c.name: c for c in market.candidates}
    for node, address in product((0.0, *NODE_WEIGHTS), (0.0, *ADDRESS_WEIGHTS)):
        dearer = replace(rules, usd_per_address=address * best.usd_per_hour / max(best.addresses, 1))
        weighed = blocks.priced([c.price + node * mean for c in market.candidates], dearer)
        for grouping in groupings:
            chosen = [weighed.best(block) for block in grouping]
            if all(s is not None for s in chosen):
                yield tuple(replace(s, candidate=by_name[s.candidate.name]) for s in chosen if s is not None)


def _single_types(blocks: Blocks) -> Iterator[Division]:
    """All pods in one group: the types with the lowest cost, the fewest addresses or the fewest nodes by the sums of
    the requests.
    """
    everything, candidates = tuple(range(len(blocks.pods))), blocks.market.candidates
    dollars = blocks.by_sums(everything)
    nodes = blocks.priced([1.0] * len(candidates), replace(blocks.rules, usd_per_address=0.0)).by_sums(everything)
    by_sums: dict[int, Figures] = {}
    for k, candidate in enumerate(candidates):
        if isfinite(dollars[k]):
            number = round(nodes[k])
            by_sums[k] = (float(dollars[k]), blocks.addresses(everything, candidate, number), number)
    for k in few(undominated(by_sums, by_sums.__getitem__), by_sums.__getitem__, SINGLE_TYPES):
        sized = blocks.on(everything, candidates[k])
        if sized is not None:
            yield (sized,)
