"""Tables of the addresses of one group in each subnet over its nodes and pods, by the engine's formulas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from capacity.cluster.booking import expected_use, held_by_others
from capacity.cluster.engine import Engine
from capacity.cluster.scenario import ScenarioState
from capacity.cluster.shape import GroupShape, TypeShape
from capacity.cluster.spread import Slot
from capacity.cni.facade import slots_and_enis
from capacity.plan.constants import PREFIX_SIZE

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.int32]
    Floats = npt.NDArray[np.floating[Any]]


MOST_ADDED_UP = 1 << 30  # most addresses of all groups in a subnet for a table of 32-bit numbers


@dataclass(frozen=True, slots=True)
class GroupTable:
    """Addresses of the nodes of one group, per state.

    Attributes
    ----------
    subnets : tuple of str
    singles, prefixes : ndarray of int32, shape (n_subnets, n_states)
        Addresses outside prefixes, and /28s; the latter None if no prefixes are in use.
    """

    subnets: tuple[str, ...]
    singles: Ints
    prefixes: Ints | None

    def used(self, row: int | slice = slice(None)) -> Ints:
        """Addresses in one subnet, or in all, per state."""
        singles = self.singles[row]
        return singles if self.prefixes is None else singles + self.prefixes[row] * PREFIX_SIZE


def group_table(
    engine: Engine, group: int, zone: str, nodes: Ints, vpc: Ints, branch: Ints, first: ScenarioState | None = None
) -> GroupTable:
    """Addresses of a group's nodes with their pods spread evenly, for many states together.

    Parameters
    ----------
    zone : str
        Zone of the nodes of a group with spread ``worst``.
    nodes, vpc, branch : ndarray of int, shape (n_states,)
        Nodes, and workload pods on VPC addresses and with branch ENIs.
    first : ScenarioState, optional
        State with the additional ENIs of other groups, for a group that uses subnet discovery.

    Notes
    -----
    Of v pods on n nodes each node has ⌊v ÷ n⌋ and the first v mod n in subnet order one more, as the scheduler
    leaves identical pods on identical nodes. Then each place adds count × ``demand_table[pods per node]``.
    """
    import numpy as np

    shape = engine.shapes[group]
    slots = engine.slots[group]
    kind = _wide_enough(engine, shape, nodes, branch)
    nodes, vpc, branch = (a.astype(kind, copy=False) for a in (nodes, vpc, branch))
    counts = _counts(engine, group, zone, nodes, {slot: i for i, slot in enumerate(slots)})
    names = tuple(dict.fromkeys(n for s in slots for n in s.subnets))
    singles = np.zeros((len(names), len(nodes)), dtype=kind)
    further = {slot: np.zeros((2, len(nodes)), dtype=kind) for slot in slots if slot.choices}
    whole = _node_tables(shape.first, at_home=False)
    home = _node_tables(shape.first, at_home=True) if further else whole
    per_further = _further_tables(shape.first) if further else None
    prefixes = np.zeros_like(singles) if whole[1] is not None else None
    pods, pods_over = np.divmod(vpc, np.maximum(nodes, 1))
    enis, enis_over = np.divmod(branch, np.maximum(nodes, 1))
    pods = np.minimum(pods, len(whole[0]) - 2)
    before = np.zeros(len(nodes), dtype=kind)
    for slot, count in zip(slots, counts, strict=True):
        more = np.clip(pods_over - before, 0, count)
        per_single, per_prefix = home if slot in further else whole
        served = names.index(slot.address_subnet)
        singles[names.index(slot.subnet)] += count * kind(shape.node_addresses)
        singles[served] += count * per_single[pods] + more * (per_single[pods + 1] - per_single[pods])
        if branch.any():
            singles[served] += count * enis + np.clip(enis_over - before, 0, count)
        if prefixes is not None and per_prefix is not None:
            prefixes[served] += count * per_prefix[pods] + more * (per_prefix[pods + 1] - per_prefix[pods])
        if slot in further and per_further is not None:
            further[slot] += count * per_further[:, pods]
            further[slot] += more * (per_further[:, pods + 1] - per_further[:, pods])
        before += count
    if further:
        assert first is not None
        _pour(names, singles, prefixes, further, _left_by_others(engine, group, first))
    return GroupTable(names, singles, prefixes)


def _wide_enough(engine: Engine, shape: GroupShape, nodes: Ints, branch: Ints) -> type[np.signedinteger[Any]]:
    """Integer type for sums of all groups' addresses in a subnet: 32 bits, or 64 for millions of nodes."""
    import numpy as np

    per_node = max(shape.first.demand_table) + shape.node_addresses
    most = int(nodes.max(initial=0)) * per_node + int(branch.max(initial=0))
    return np.int32 if most * len(engine.shapes) < MOST_ADDED_UP else np.int64


def _left_by_others(engine: Engine, group: int, first: ScenarioState) -> dict[str, int]:
    """Free addresses of each subnet without the nodes of a group, the others as on the first day. [addresses]"""
    without = [replace(g, classes=()) if i == group else g for i, g in enumerate(first.groups)]
    used = expected_use(engine.subnets, without, held_by_others(first.subnets))
    return {name: subnet.usable - used[name] for name, subnet in engine.subnets.items()}


def _pour(
    names: Sequence[str], singles: Ints, prefixes: Ints | None, further: Mapping[Slot, Ints], free: Mapping[str, int]
) -> None:
    """Add additional ENIs to the subnet with the most free addresses, address by address, place by place."""
    import numpy as np

    held = singles if prefixes is None else singles + PREFIX_SIZE * prefixes
    left = np.array([[free[n]] for n in names], dtype=held.dtype) - held
    for slot, (addresses, blocks) in further.items():
        rows = [names.index(n) for n in slot.choices]
        here = left[rows]
        ordered = np.cumsum(-np.sort(-here, axis=0), axis=0) - addresses
        level = (ordered // np.arange(1, len(rows) + 1)[:, None]).max(axis=0)
        shares = np.maximum(here - level, 0)
        shares[0] += addresses - shares.sum(axis=0)  # remainder of the rounding, less than one each
        left[rows] -= shares
        if prefixes is not None:
            whole = shares * blocks // np.maximum(addresses, 1)
            whole[0] += blocks - whole.sum(axis=0)
            prefixes[rows] += whole
            shares = shares - PREFIX_SIZE * whole
        singles[rows] += shares


def _counts(engine: Engine, group: int, zone: str, nodes: Ints, row: Mapping[Slot, int]) -> Ints:
    """Nodes in each place, by the group's spread rule: shape (n_slots, n_states)."""
    import numpy as np

    distinct, at = np.unique(nodes, return_inverse=True)
    counts = np.zeros((len(row), len(distinct)), dtype=nodes.dtype)
    for column, n in enumerate(distinct):
        for slot, count in engine.places(group, int(n), zone):
            counts[row[slot], column] = count
    return counts[:, at]


def _node_tables(shape: TypeShape, at_home: bool) -> tuple[Ints, Ints | None]:
    """Single addresses and /28s of one node with 0, 1, … workload pods, the last twice; by the CNI's formulas.

    ``at_home``: only those on the trunk and the primary ENI.
    """
    import numpy as np

    table = shape.home_table if at_home else shape.demand_table
    totals = np.array(table + table[-1:], dtype=np.int32)
    if not shape.settings.prefix:
        return totals, None
    slots = _slot_table(shape, at_home)
    return totals - np.int32(PREFIX_SIZE) * slots, slots


def _slot_table(shape: TypeShape, at_home: bool) -> Ints:
    """/28s of one node in all or on its primary ENI, by workload pods, the last twice."""
    import numpy as np

    pods = [*range(len(shape.demand_table)), len(shape.demand_table) - 1]
    with_daemons = [shape.daemon_pods + q for q in pods]
    if at_home:
        return np.array([shape.primary_slots(q) for q in with_daemons], dtype=np.int32)
    held = [slots_and_enis(shape.limits, shape.settings, shape.max_pods, q)[0] for q in with_daemons]
    return np.array(held, dtype=np.int32)


def _further_tables(shape: TypeShape) -> Ints:
    """Total addresses and /28s on the additional ENIs of a node by workload pods: shape (2, n_pods + 1)."""
    import numpy as np

    totals = np.array(shape.further_table + shape.further_table[-1:], dtype=np.int32)
    if not shape.settings.prefix:
        return np.stack([totals, np.zeros_like(totals)])
    return np.stack([totals, _slot_table(shape, at_home=False) - _slot_table(shape, at_home=True)])


def together(tables: Sequence[GroupTable]) -> GroupTable:
    """Sum of the tables of several groups over the same states, per subnet."""
    import numpy as np

    names = tuple(dict.fromkeys(n for t in tables for n in t.subnets))
    kind = np.result_type(*(t.singles for t in tables))
    singles = np.zeros((len(names), tables[0].singles.shape[1]), dtype=kind)
    prefixes = None if all(t.prefixes is None for t in tables) else np.zeros_like(singles)
    for t in tables:
        for i, name in enumerate(t.subnets):
            singles[names.index(name)] += t.singles[i]
            if prefixes is not None and t.prefixes is not None:
                prefixes[names.index(name)] += t.prefixes[i]
    return GroupTable(names, singles, prefixes)
