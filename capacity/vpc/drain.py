"""Which nodes to replace so that whole /28 blocks of a subnet come free."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from capacity.plan.model import Subnet
from capacity.vpc.blocks import BLOCK, kept_by_aws

MOST_NODES = 10  # of one list: beyond it a subnet of its own is the better advice
Span = tuple[int, int]  # first and last address


@dataclass(frozen=True, slots=True)
class Drain:
    """One step: these nodes gone, so many more whole blocks are free. [blocks]"""

    nodes: tuple[str, ...]
    blocks: int


def drains(
    subnet: Subnet, by_node: Mapping[str, Sequence[Span]], others: Iterable[Span], most: int = MOST_NODES
) -> tuple[Drain, ...]:
    """Nodes in the order in which their going frees blocks soonest.

    A block comes free when nothing but nodes that go holds addresses in it. Each step takes the fewest nodes
    that free a further block; of those the ones that free most, then those with the fewest addresses. So the
    first steps are the cheapest ones; for many blocks together another choice may need fewer nodes.

    Parameters
    ----------
    by_node : mapping
        Addresses and prefixes of each node in the subnet.
    others : iterable
        What holds addresses there and stays.
    most : int
        Nodes at the most. [nodes]
    """
    held = _holders(subnet, by_node, others)
    size = {node: sum(high - low + 1 for low, high in spans) for node, spans in by_node.items()}
    steps: list[Drain] = []
    left = most
    while held:
        fewest = min(map(len, held.values()))
        if fewest > left:
            break
        # No block has fewer holders, so that a candidate frees just those that it holds alone.
        frees = Counter(nodes for nodes in held.values() if len(nodes) == fewest)
        best = min(frees, key=lambda nodes: (-frees[nodes], sum(size[n] for n in nodes), sorted(nodes)))
        steps.append(Drain(tuple(sorted(best)), frees[best]))
        held = {block: nodes - best for block, nodes in held.items() if not nodes <= best}
        left -= fewest
    return tuple(steps)


def _holders(
    subnet: Subnet, by_node: Mapping[str, Sequence[Span]], others: Iterable[Span]
) -> dict[int, frozenset[str]]:
    """For each block that only nodes hold addresses in: which nodes."""
    closed = {address // BLOCK for address in kept_by_aws(subnet.cidr)}
    explicit = [(int(r.cidr[0]), int(r.cidr[-1])) for r in subnet.reservations if r.type == "explicit"]
    for span in (*others, *explicit):
        closed.update(_blocks(span))
    held: dict[int, set[str]] = {}
    for node, spans in by_node.items():
        for block in {b for span in spans for b in _blocks(span)} - closed:
            held.setdefault(block, set()).add(node)
    return {block: frozenset(nodes) for block, nodes in held.items()}


def _blocks(span: Span) -> range:
    return range(span[0] // BLOCK, span[1] // BLOCK + 1)
