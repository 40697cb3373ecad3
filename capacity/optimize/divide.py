"""Divide workloads over node groups of one type each, so that a scheduler that spreads pods has room for all pods.

A scheduler does not pack: on mixed nodes, the pods of one workload use the room that pods of another need. Pods that
share a group are placed here as ``check`` places them, and nodes are added until no pod is unschedulable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import combinations

import numpy as np

from capacity.cluster.node_state import BRANCH, VPC
from capacity.optimize.market import RESOURCES, BuyableType, Market, Pods, demand_of, holds
from capacity.optimize.problem import Floats
from capacity.optimize.schedulable import schedulable_nodes
from capacity.units import ceil_div

Block = tuple[int, ...]  # numbers of the workloads that share a group
Counted = dict[tuple[Block, str], tuple[int, int] | None]  # nodes of a block on a type, now and at the peak

EXACT = 7  # workloads up to which every division is compared
TRIED = 12  # types placed for a block whose lower bounds are below the best, at most
FEW = 60  # groups up to which nodes are counted to choose the two to be merged; of more, sums decide
NEAR = 3  # divisions with about the fewest dollars by sums, of which the nodes are counted


@dataclass(frozen=True, slots=True)
class Rules:
    """The penalties of nodes in addition to their price, and the limits on the nodes of a group.

    Attributes
    ----------
    peak_hours : Fraction
        Share of the hours at the peak.
    usd_per_address : float
        A penalty, to find mixes that use fewer addresses. [USD per hour]
    min_nodes, max_nodes : int, int or None
        Of a group. [nodes]
    zones : int
        Zones of which one can be lost without new nodes; 0 if that is not required. [zones]
    spread_zones : int
        Zones for pods that must be spread over zones. [zones]
    """

    peak_hours: Fraction
    usd_per_address: float = 0.0
    min_nodes: int = 1
    max_nodes: int | None = None
    zones: int = 0
    spread_zones: int = 1

    def weighed(self, now: float, peak: float) -> float:
        """The mean over the hours."""
        share = float(self.peak_hours)
        return now if now == peak else (1 - share) * now + share * peak

    def nodes(self, needed: int) -> int:
        """Nodes of a group whose pods need this number of nodes. [nodes]"""
        if self.zones > 1 and needed:
            needed += ceil_div(needed, self.zones - 1)
        return max(needed, self.min_nodes)


@dataclass(frozen=True)
class Sized:
    """A block of workloads on nodes of one type.

    Attributes
    ----------
    now, peak : int
        Nodes. [nodes]
    value : float
        Dollars per hour, weighted by hours, with the penalty for addresses.
    """

    block: Block
    candidate: BuyableType
    now: int
    peak: int
    value: float


@dataclass
class Blocks:
    """The cheapest type for each requested block, cached."""

    market: Market
    pods: Sequence[Pods]
    rules: Rules
    _nodes: Counted = field(default_factory=dict)
    stopped: Callable[[], bool] = lambda: False
    _best: dict[Block, Sized | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rooms: Floats = np.array([c.rooms for c in self.market.candidates], dtype=float).reshape(
            -1, len(RESOURCES)
        )
        self._prices = np.array([c.price for c in self.market.candidates])
        self._holds = np.array([[holds(c, p) for p in self.pods] for c in self.market.candidates], dtype=bool).reshape(
            len(self.market.candidates), len(self.pods)
        )
        demands = np.array([demand_of(p.pod) for p in self.pods], dtype=float).reshape(-1, len(RESOURCES))
        self._sums = [demands * np.array([[p.count(peak=peak)] for p in self.pods]) for peak in (False, True)]
        self._own = np.array([c.addresses(0) for c in self.market.candidates], dtype=float)

    def under(self, rules: Rules, names: frozenset[str] | None = None) -> Blocks:
        """A copy with other rules, or with some of the types only; node counts stay cached."""
        market = self.market if names is None else self.market.of(names)
        return Blocks(market, self.pods, rules, self._nodes, self.stopped)

    def priced(self, prices: Sequence[float], rules: Rules) -> Blocks:
        """A copy with other prices of the types and other rules; node counts stay cached."""
        candidates = tuple(replace(c, price=p) for c, p in zip(self.market.candidates, prices, strict=True))
        return Blocks(replace(self.market, candidates=candidates), self.pods, rules, self._nodes, self.stopped)

    def by_sums(self, block: Block) -> Floats:
        """Lower bound of the cost of a block on each type, from the sums of its requests; infinity if a pod does not
        fit.
        """
        rows = list(block)
        counts = [self._nodes_by_sums(sums[rows].sum(axis=0)) for sums in self._sums]
        share = float(self.rules.peak_hours)
        nodes = (1 - share) * counts[0] + share * counts[1]
        values = self._prices * nodes
        if self.rules.usd_per_address:
            vpc = sum(self.pods[i].most for i in block if self.pods[i].pod.kind in (VPC, BRANCH))
            values = values + self.rules.usd_per_address * np.maximum(self._own * counts[1], vpc)
        return np.where(self._holds[:, rows].all(axis=1), values, np.inf)

    def _nodes_by_sums(self, need: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.where(need > 0, np.ceil(need / np.maximum(self._rooms, 1e-9)), 0.0)
        nodes: Floats = each.max(axis=1)
        if self.rules.zones > 1:
            nodes = nodes + np.ceil(nodes / (self.rules.zones - 1))
        return np.maximum(nodes, self.rules.min_nodes)

    def best(self, block: Block) -> Sized | None:
        """The cheapest type for a block; None if no type can run all of its pods."""
        if block not in self._best:
            self._best[block] = self._found(block)
        return self._best[block]

    def _found(self, block: Block) -> Sized | None:
        bounds = self.by_sums(block)
        best: Sized | None = None
        for tried, k in enumerate(np.argsort(bounds, kind="stable"), start=1):
            if not np.isfinite(bounds[k]) or (best is not None and bounds[k] >= best.value - 1e-9):
                break
            sized = self.on(block, self.market.candidates[int(k)])
            if sized is not None and (best is None or sized.value < best.value - 1e-9):
                best = sized
            if best is not None and (tried >= TRIED or self.stopped()):
                break
        return best

    def on(self, block: Block, candidate: BuyableType) -> Sized | None:
        """A block on nodes of a type; None if a pod does not fit, or if more nodes than allowed are needed."""
        counted = self._counted(block, candidate)
        if counted is None:
            return None
        zones = self._zones(block)
        now, peak = (ceil_div(self.rules.nodes(n), zones) * zones for n in counted)
        peak = max(now, peak)
        if self.rules.max_nodes is not None and peak > self.rules.max_nodes:
            return None
        value = candidate.price * self.rules.weighed(now, peak)
        if self.rules.usd_per_address:
            value += self.rules.usd_per_address * self.addresses(block, candidate, peak)
        return Sized(block, candidate, now, peak, value)

    def _counted(self, block: Block, candidate: BuyableType) -> tuple[int, int] | None:
        key = block, candidate.name
        if key not in self._nodes:
            now = peak = self._nodes_for(block, candidate, peak=False)
            if any(self.pods[i].now != self.pods[i].most for i in block):
                peak = self._nodes_for(block, candidate, peak=True)
            self._nodes[key] = None if now is None or peak is None else (now, peak)
        return self._nodes[key]

    def _zones(self, block: Block) -> int:
        """Zones over which some pods of the block must be spread; 1 if no pod must be spread."""
        return self.rules.spread_zones if any(self.pods[i].zoned for i in block) else 1

    def _nodes_for(self, block: Block, candidate: BuyableType, peak: bool) -> int | None:
        """Nodes with which the scheduler places all pods of a block and each pod gets an address. [nodes]

        If pods are spread over zones, each zone has the nodes for an even share of them.
        """
        mine = [self.pods[i] for i in block]
        zones = self._zones(block)
        if not all(holds(candidate, p) for p in mine):
            return None
        wanted = [(p.pod, ceil_div(p.count(peak=peak), zones)) for p in mine]
        nodes = schedulable_nodes(candidate.node, wanted)
        if nodes is None:
            return None
        vpc = sum(count for pod, count in wanted if pod.kind == VPC)
        alone = max((ceil_div(p.count(peak=peak), zones) for p in mine if p.alone), default=0)
        return zones * max(nodes, alone, ceil_div(vpc, candidate.rooms[3]) if vpc else 0)

    def addresses(self, block: Block, candidate: BuyableType, nodes: int) -> int:
        """Subnet addresses of the block's nodes at the peak, with its pods spread evenly. [addresses]"""
        vpc = sum(self.pods[i].most for i in block if self.pods[i].pod.kind == VPC)
        branch = sum(self.pods[i].most for i in block if self.pods[i].pod.kind == BRANCH)
        if not nodes:
            return 0
        each, more = divmod(vpc, nodes)
        return more * candidate.addresses(each + 1) + (nodes - more) * candidate.addresses(each) + branch

    def single_types(self) -> Iterator[tuple[Sized, ...]]:
        """One group of one type for all pods: the types that no other type beats in dollars, addresses and size
        together.
        """
        everything = tuple(range(len(self.pods)))
        sized = [s for c in self.market.candidates if (s := self.on(everything, c)) is not None]
        figures = {id(s): (s.value, self.addresses(s.block, s.candidate, s.peak), -s.peak) for s in sized}
        kept: list[Sized] = []
        for s in sorted(sized, key=lambda s: (*figures[id(s)], s.candidate.name)):
            mine = figures[id(s)]
            if not any(all(a <= b for a, b in zip(figures[id(k)], mine, strict=True)) for k in kept):
                kept.append(s)
                yield (s,)

    # --- divisions ----------------------------------------------------------------------

    def divisions(self, most: int) -> Iterator[tuple[Sized, ...]]:
        """Divisions of all workloads over at most ``most`` groups, from one group to the cheapest number."""
        numbers = tuple(range(len(self.pods)))
        if not numbers:
            return
        if len(numbers) <= EXACT and not self.stopped():
            yield from self._exact(numbers, most)
        else:
            yield from self._merged(most)

    def _exact(self, numbers: Block, most: int) -> Iterator[tuple[Sized, ...]]:
        """The cheapest of all divisions, for each number of groups."""
        subsets = [s for size in range(1, len(numbers) + 1) for s in combinations(numbers, size)]
        best: dict[tuple[Block, int], tuple[float, tuple[Sized, ...]]] = {((), 0): (0.0, ())}
        for subset in subsets:
            for groups in range(1, min(most, len(subset)) + 1):
                found = self._cheapest_with_first(subset, groups, best)
                if found is not None:
                    best[subset, groups] = found
        for groups in range(1, min(most, len(numbers)) + 1):
            if (numbers, groups) in best:
                yield best[numbers, groups][1]

    def _cheapest_with_first(
        self, subset: Block, groups: int, best: dict[tuple[Block, int], tuple[float, tuple[Sized, ...]]]
    ) -> tuple[float, tuple[Sized, ...]] | None:
        """The cheapest division of a set: its first workload shares a group with some others, and the rest is already
        known.
        """
        head, rest = subset[0], subset[1:]
        found: tuple[float, tuple[Sized, ...]] | None = None
        for size in range(len(rest) + 1):
            for others in combinations(rest, size):
                left = tuple(n for n in rest if n not in others)
                known = best.get((left, groups - 1))
                sized = self.best((head, *others)) if known is not None else None
                if known is None or sized is None:
                    continue
                value = known[0] + sized.value
                if found is None or value < found[0] - 1e-9:
                    found = (value, (sized, *known[1]))
        return found

    def _merged(self, most: int) -> Iterator[tuple[Sized, ...]]:
        """Start with one group per workload, and repeatedly merge the two groups that are cheapest together by their
        sums.
        """
        blocks: list[Block] = [(i,) for i in range(len(self.pods))]
        least = {b: float(self.by_sums(b).min(initial=np.inf)) for b in blocks}
        while True:
            if len(blocks) <= most:
                sized = [self.best(b) for b in blocks]
                if all(s is not None for s in sized):
                    yield tuple(s for s in sized if s is not None)
            if len(blocks) == 1:
                return
            pair = self._cheapest_pair(blocks, least)
            if pair is None:
                return
            a, b = pair
            blocks = [x for x in blocks if x not in (a, b)] + [tuple(sorted(a + b))]

    def _cheapest_pair(self, blocks: Sequence[Block], least: dict[Block, float]) -> tuple[Block, Block] | None:
        """The pair whose merger costs least; among the best by sums, the pair with the lowest price."""
        pairs = []
        for a, b in combinations(blocks, 2):
            both = tuple(sorted(a + b))
            if both not in least:
                least[both] = float(self.by_sums(both).min(initial=np.inf))
            if np.isfinite(least[both]):
                pairs.append((least[both] - least[a] - least[b], a, b))
        near = sorted(pairs)[: NEAR if len(blocks) <= FEW and not self.stopped() else 1]
        if not near:
            return None
        if len(near) == 1:
            return near[0][1:]
        return min(((self._more(a, b), a, b) for _, a, b in near))[1:]

    def _more(self, a: Block, b: Block) -> float:
        both, one, other = self.best(tuple(sorted(a + b))), self.best(a), self.best(b)
        return np.inf if both is None or one is None or other is None else both.value - one.value - other.value
