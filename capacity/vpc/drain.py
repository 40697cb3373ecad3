"""Chooses the nodes to replace so that whole /28 blocks of a subnet become free."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from capacity.plan.constants import PREFIX_SIZE
from capacity.plan.model import Subnet
from capacity.vpc.blocks import kept_by_aws

MOST_NODES = 10  # most nodes of one list; above it a dedicated subnet is the better advice
Span = tuple[int, int]  # first and last address


@dataclass(frozen=True, slots=True)
class Drain:
    """One step: the nodes to remove, and the additional whole blocks that become free. [blocks]"""

    nodes: tuple[str, ...]
    blocks: int


def drains(
    subnet: Subnet, by_node: Mapping[str, Sequence[Span]], others: Iterable[Span], most: int = MOST_NODES
) -> tuple[Drain, ...]:
    """Nodes in the order in which their removal frees blocks soonest.

    A block becomes free when only removed nodes hold addresses in it. Each step removes the fewest nodes that free an
    additional block; among those the ones that free the most, then those with the fewest addresses. So the first steps
    are the cheapest; for many blocks together a different choice can need fewer nodes.

    Parameters
    ----------
    by_node : mapping
        Addresses and prefixes of each node in the subnet.
    others : iterable
        Other addresses there, which stay.
    most : int
        Most nodes to remove. [nodes]
    """
    held = _holders(subnet, by_node, others)
    size = {node: sum(high - low + 1 for low, high in spans) for node, spans in by_node.items()}
    steps: list[Drain] = []
    left = most
    while held:
        fewest = min(map(len, held.values()))
        if fewest > left:
            break
        # No block has fewer holders, so a candidate frees only the blocks that it holds alone.
        frees = Counter(nodes for nodes in held.values() if len(nodes) == fewest)
        best = min(frees, key=lambda nodes: (-frees[nodes], sum(size[n] for n in nodes), sorted(nodes)))
        steps.append(Drain(tuple(sorted(best)), frees[best]))
        held = {block: nodes - best for block, nodes in held.items() if not nodes <= best}
        left -= fewest
    return tuple(steps)


def _holders(
    subnet: Subnet, by_node: Mapping[str, Sequence[Span]], others: Iterable[Span]
) -> dict[int, frozenset[str]]:
    """The nodes of each block in which only nodes hold addresses."""
    closed = {address // PREFIX_SIZE for address in kept_by_aws(subnet.cidr)}
    explicit = [(int(r.cidr[0]), int(r.cidr[-1])) for r in subnet.reservations if r.type == "explicit"]
    for span in (*others, *explicit):
        closed.update(_blocks(span))
    held: dict[int, set[str]] = {}
    for node, spans in by_node.items():
        for block in {b for span in spans for b in _blocks(span)} - closed:
            held.setdefault(block, set()).add(node)
    return {block: frozenset(nodes) for block, nodes in held.items()}


def _blocks(span: Span) -> range:
    return range(span[0] // PREFIX_SIZE, span[1] // PREFIX_SIZE + 1)
