"""Addresses of every subnet as tables over the pods of each group of nodes, made by the engine's own formulas.

A *component* is a set of node groups that share workloads, with those workloads. Its state is how many nodes
it has and how many of its pods are on VPC addresses; tables give, for each state, what it takes of each
subnet. Two ways to a state:

- one group, pods of one shape: the state is the count of pods, and the tables are exact;
- else: the load, in nodes (the largest share of any resource), gives the nodes; how many nodes a load needs,
  how the pods divide over several groups, and how many have branch ENIs is taken from the engine at points
  along the expected path and interpolated between. Pods are spread evenly over the nodes of a group.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from capacity.cluster.booking import expected_use, held_by_others
from capacity.cluster.demand import Demand
from capacity.cluster.engine import Engine
from capacity.cluster.fleet import Fleet
from capacity.cluster.place import BRANCH, VPC, PodShape, fits, with_pod
from capacity.cluster.scenario import ScenarioState
from capacity.cluster.shape import GroupShape, TypeShape
from capacity.cluster.spread import Slot
from capacity.cni.facade import slots_and_enis
from capacity.plan.constants import PREFIX_SIZE
from capacity.units import ceil_div

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.int32]
    Floats = npt.NDArray[np.floating[Any]]

MOST_STATES = 1_000_000  # pods told apart in a component of one pod shape; of more, a tenth as many steps
MOST_CELLS = 3_000_000  # states × places of a component of mixed pods
FULL_TABLES = 8  # components that have as many as that; more of them share what these would take
FEWEST_STATES = 1_000
MOST_COLUMNS = 256  # counts of pods told apart per count of nodes there: an eighth of a pod per node or less
MOST_STAGES = 1500  # node counts told apart in a component of mixed pods
STEPS_PER_NODE = 32  # of the load
MOST_ADDED_UP = 1 << 30  # addresses that all groups may take of a subnet for a table of 32-bit numbers
MOST_TOLD_APART = 1 << 30  # pods of a component
EDGE_STEPS = 7  # halvings that find where the first pods are unschedulable, to 1 % of the distance of two points
MOST_LOAD_STEPS = 1 << 18


def growing_demand(engine: Engine, replicas: Sequence[int], scenario: str = "steady") -> Demand:
    """A scenario with the replicas of another day, by the rule of :mod:`capacity.cluster.demand`.

    With its own replicas it is the scenario itself, as check has it. Else autoscaled groups grow from there as far
    as their pods need, up to their max, and a group with a fixed count has that.
    """
    own = engine.demand(scenario)
    return own if tuple(replicas) == own.replicas else grown_demand(engine, replicas, scenario)


def grown_demand(engine: Engine, replicas: Sequence[int], scenario: str) -> Demand:
    """The rule for every day but the scenario's own."""
    rule = engine.demand("ceiling" if scenario == "ceiling" else "peak")
    return rule._replace(name=scenario, rule="replicas of the day", replicas=tuple(replicas))


def node_range(engine: Engine, scenario: str) -> list[tuple[int, int | None]]:
    """The fewest and the most nodes that each group may have on any day but the scenario's own. [nodes]"""
    grown = grown_demand(engine, (), scenario)
    rows = zip(grown.nodes, grown.floor, grown.ceiling, strict=True)
    return [(low, most) if n is None else (n, n) for n, low, most in rows]


@dataclass(frozen=True, slots=True)
class GroupTable:
    """What the nodes of one group take, per state.

    Attributes
    ----------
    subnets : tuple of str
    singles, prefixes : ndarray of int32, shape (n_subnets, n_states)
        Addresses outside prefixes, and /28s; None for these where no prefixes are in use.
    """

    subnets: tuple[str, ...]
    singles: Ints
    prefixes: Ints | None

    def used(self, row: int | slice = slice(None)) -> Ints:
        """Addresses of one subnet, or of all, per state."""
        singles = self.singles[row]
        return singles if self.prefixes is None else singles + self.prefixes[row] * PREFIX_SIZE


def group_table(
    engine: Engine, group: int, zone: str, nodes: Ints, vpc: Ints, branch: Ints, first: ScenarioState | None = None
) -> GroupTable:
    """Addresses of a group's nodes with their pods spread evenly, for many states at once.

    Parameters
    ----------
    zone : str
        Where the nodes of a group of spread ``worst`` are.
    nodes, vpc, branch : ndarray of int, shape (n_states,)
        Nodes, and workload pods on VPC addresses and with branch ENIs.
    first : ScenarioState, optional
        Where the further ENIs of other groups are, for a group whose own discovery places.

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
    """The integers in which all groups' addresses of a subnet can be added up: 32 bits, or 64 for millions of nodes."""
    import numpy as np

    per_node = max(shape.first.demand_table) + shape.node_addresses
    most = int(nodes.max(initial=0)) * per_node + int(branch.max(initial=0))
    return np.int32 if most * len(engine.shapes) < MOST_ADDED_UP else np.int64


def _left_by_others(engine: Engine, group: int, first: ScenarioState) -> dict[str, int]:
    """Free addresses of each subnet without a group's nodes, the others as on the first day. [addresses]"""
    without = [replace(g, classes=()) if i == group else g for i, g in enumerate(first.groups)]
    used = expected_use(engine.subnets, without, held_by_others(first.subnets))
    return {name: subnet.usable - used[name] for name, subnet in engine.subnets.items()}


def _pour(
    names: Sequence[str], singles: Ints, prefixes: Ints | None, further: Mapping[Slot, Ints], free: Mapping[str, int]
) -> None:
    """Add further ENIs to the subnets of their choice, by address and emptiest first, place by place."""
    import numpy as np

    held = singles if prefixes is None else singles + PREFIX_SIZE * prefixes
    left = np.array([[free[n]] for n in names], dtype=held.dtype) - held
    for slot, (addresses, blocks) in further.items():
        rows = [names.index(n) for n in slot.choices]
        here = left[rows]
        ordered = np.cumsum(-np.sort(-here, axis=0), axis=0) - addresses
        level = (ordered // np.arange(1, len(rows) + 1)[:, None]).max(axis=0)
        shares = np.maximum(here - level, 0)
        shares[0] += addresses - shares.sum(axis=0)  # less than one each is left over by the rounding
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
    """Addresses in all, and /28s among them, on a node's further ENIs by workload pods: shape (2, n_pods + 1)."""
    import numpy as np

    totals = np.array(shape.further_table + shape.further_table[-1:], dtype=np.int32)
    if not shape.settings.prefix:
        return np.stack([totals, np.zeros_like(totals)])
    return np.stack([totals, _slot_table(shape, at_home=False) - _slot_table(shape, at_home=True)])


def pods_per_empty_node(shape: GroupShape, pod: PodShape) -> int:
    """How many pods of one shape a node holds beside its daemonsets. [pods]"""
    room, state, count = shape.first.room, shape.first.start, 0
    while count < room.max_pods and fits(room, state, pod):
        state, count = with_pod(state, pod), count + 1
    return count


@dataclass(frozen=True, slots=True)
class Calibration:
    """The engine's answers at points of growth: shape (n_points, n_groups) each but ``replicas``.

    ``replicas`` (n_points, n_workloads); ``vpc`` and ``branch`` are workload pods on nodes; ``unplaced``
    (n_points, n_workloads) are those that are unschedulable; ``first`` is the first answer, ``limits`` the fewest
    and most nodes of each group.
    """

    replicas: Floats
    nodes: Ints
    vpc: npt.NDArray[np.int64]
    branch: npt.NDArray[np.int64]
    unplaced: npt.NDArray[np.int64]
    zones: tuple[str, ...]
    first: ScenarioState
    limits: list[tuple[int, int | None]]


def calibrate(engine: Engine, points: Sequence[Sequence[int]], scenario: str = "steady") -> Calibration:
    """Ask the engine at each point, and near where the first pods of each component are unschedulable."""
    import numpy as np

    def fleet(replicas: Sequence[int]) -> Fleet:  # nodes and pods, nothing booked
        return engine.fleet(grown_demand(engine, replicas, scenario))

    first = engine.run(grown_demand(engine, points[0], scenario))
    points = [list(p) for p in points]
    fleets = [fleet(p) for p in points]
    edges = _edges(engine, points, fleets)
    for _ in range(EDGE_STEPS if edges else 0):  # of all components in one go: they have nothing to do with each other
        middle = list(points[0])
        for edge in edges:
            for w, low, high in zip(edge.workloads, edge.low, edge.high, strict=True):
                middle[w] = (low + high) // 2
        points.append(middle)
        fleets.append(fleet(middle))
        edges = [edge.halved(middle, fleets[-1]) for edge in edges]
    groups = range(len(engine.shapes))
    left = [_left_over(f) for f in fleets]
    return Calibration(
        replicas=np.array(points, dtype=float).reshape(len(points), -1),
        nodes=np.array([[f.open_nodes(g) for g in groups] for f in fleets], dtype=np.int32),
        vpc=np.array([[_workload_pods(f, g, VPC) for g in groups] for f in fleets], dtype=np.int64),
        branch=np.array([[_workload_pods(f, g, BRANCH) for g in groups] for f in fleets], dtype=np.int64),
        unplaced=np.array([[row[w] for w in range(len(engine.pods))] for row in left], dtype=np.int64).reshape(
            len(points), -1
        ),
        zones=tuple(max(g.nodes_by_zone, key=lambda z: g.nodes_by_zone[z], default="") for g in first.groups),
        first=first,
        limits=node_range(engine, scenario),
    )


@dataclass(frozen=True, slots=True)
class _Edge:
    """Replicas of a component's workloads between which the first of its pods are unschedulable."""

    workloads: tuple[int, ...]
    able: tuple[int, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]

    def halved(self, middle: Sequence[int], fleet: Fleet) -> _Edge:
        """The half that the edge is in, from what became of the replicas in the middle."""
        here, left = tuple(middle[w] for w in self.workloads), _left_over(fleet)
        return replace(self, high=here) if any(left[w] for w in self.able) else replace(self, low=here)


def _edges(engine: Engine, points: Sequence[Sequence[int]], fleets: Sequence[Fleet]) -> list[_Edge]:
    """Where the components of mixed pods reach the most that their groups hold."""
    left = [_left_over(f) for f in fleets]
    found = []
    for groups, workloads in partition(engine):
        able = tuple(w for w in workloads if _able(engine, w))
        order = sorted(range(len(points)), key=lambda i: sum(points[i][w] for w in workloads))
        short = next((k for k, i in enumerate(order) if any(left[i][w] for w in able)), 0)
        if short and is_mixed(engine, groups, workloads):
            low, high = (tuple(points[order[k]][w] for w in workloads) for k in (short - 1, short))
            found.append(_Edge(workloads, able, low, high))
    return found


def _left_over(fleet: Fleet) -> Counter[int]:
    """Unschedulable pods by workload. [pods]"""
    index = {w.name: i for i, w in enumerate(fleet.plan.workloads)}
    found: Counter[int] = Counter()
    for unplaced in fleet.unplaced():
        found[index[unplaced.workload]] += unplaced.pods
    return found


def _workload_pods(fleet: Fleet, group: int, kind: str) -> int:
    """Pods of a kind in a group, its daemonsets' not counted."""
    index = {VPC: 5, BRANCH: 6}[kind]  # in a node's state
    daemons = fleet.shapes[group].first.start[index]
    return sum(count * (state[index] - daemons) for (_, state), count in fleet.placement.groups[group].classes.items())


def held_nowhere(engine: Engine) -> tuple[str, ...]:
    """Workloads of which no node of their groups holds a pod, however many there are."""
    loads = enumerate(engine.plan.workloads)
    return tuple(w.name for i, w in loads if (w.replicas or w.max_replicas) and not _able(engine, i))


@dataclass(frozen=True, slots=True)
class Component:
    """Node groups that share workloads, their states, and what each state takes.

    Attributes
    ----------
    shares : ndarray of float32, shape (n_resources, n_workloads)
        Of a node, that one pod of each workload takes. For pods of one shape: one row of ones.
    load_steps : float
        Steps of the load per unit; 0 for pods of one shape.
    pods_per_state : int
        Pods of one shape that share a state, the most of them told. [pods]
    stage_of : ndarray of int32, shape (n_steps,)
        Which node counts a load needs.
    columns, column_of : int, ndarray of float32, shape (n_stages,)
        States per stage, and states per pod on a VPC address.
    table : GroupTable
        Of all groups together.
    left_over : ndarray of bool, shape (n_states,)
        Whether pods are unschedulable: the groups are at their most nodes.
    stuck : ndarray of bool, shape (n_states,)
        Whether pods on nodes get no address.
    rank : ndarray of int32, shape (n_states,), or None
        What bounds are made by: the addresses of a state in all. None: its own number.
    nodes : ndarray of int32, shape (n_groups, n_states)
    """

    groups: tuple[int, ...]
    workloads: tuple[int, ...]
    vpc: tuple[int, ...]
    shares: Floats
    load_steps: float
    pods_per_state: int
    stage_of: Ints
    columns: int
    column_of: Floats
    table: GroupTable
    rank: Ints | None
    nodes: Ints
    left_over: npt.NDArray[np.bool_]
    stuck: npt.NDArray[np.bool_]

    @property
    def weights(self) -> Floats:
        """Of each sum that :meth:`states_of` needs, what one pod adds: shape (n_sums, n_workloads)."""
        import numpy as np

        if not self.load_steps:
            return self.shares
        vpc = np.array([[float(i in self.vpc) for i in self.workloads]], dtype=np.float32)
        return np.vstack([self.shares, vpc])

    def states(self, replicas: Sequence[Floats]) -> Ints:
        """The state of each draw on each day, from the replicas of this component's workloads in order."""
        sums = [Sum(row) for row in self.weights]
        for i in sorted(range(len(replicas)), key=lambda i: replicas[i].shape[1]):
            for one in sums:
                one.add(i, replicas[i])
        return self.states_of([one.total for one in sums])

    def states_of(self, sums: Sequence[Floats]) -> Ints:
        """The state of each draw on each day, from the sums over its workloads of weight × replicas."""
        import numpy as np

        if not self.load_steps:
            last = self.table.singles.shape[1] - 1
            pods = sums[0] if self.pods_per_state == 1 else np.ceil(sums[0] / np.float32(self.pods_per_state))
            return np.asarray(np.minimum(pods, last), dtype=np.int32)
        load: Any = sums[0]
        for other in sums[1:-1]:
            load = np.maximum(load, other)
        load = load * np.float32(self.load_steps)
        load += np.float32(1 - 1e-4)  # whole steps, rounded up, but not for a rounding error
        stages = self.stage_of[np.minimum(load, len(self.stage_of) - 1).astype(np.int32)]
        columns = np.minimum(sums[-1] * self.column_of[stages] + np.float32(0.5), self.columns - 1).astype(np.int32)
        return np.asarray(stages * np.int32(self.columns) + columns, dtype=np.int32)


class Sum:
    """Σ weight × replicas of some workloads on each day of each draw, added up one workload at a time.

    What is the same in every draw is added first, so that it costs a column, not a column a draw.
    """

    __slots__ = ("total", "weights")

    def __init__(self, weights: Floats, begin: Floats | None = None) -> None:
        import numpy as np

        self.weights = weights
        self.total: Any = np.zeros((1, 1), dtype=np.float32) if begin is None else begin

    def add(self, workload: int, replicas: Floats) -> None:
        """Add the replicas of one workload, by its number among the weights; the array given is not changed."""
        import numpy as np

        weight = self.weights[workload]
        if not weight:
            return
        part: Any = replicas if weight == 1 else replicas * np.float32(weight)
        if self.total.shape == replicas.shape and self.total.shape[1] > 1:
            np.add(self.total, part, out=self.total)
        else:
            self.total = self.total + part


def components(engine: Engine, points: Calibration, top: Sequence[int]) -> list[Component]:
    """All components of a plan, with tables that reach to ``top`` replicas of each workload."""
    parts = partition(engine)
    share = min(FULL_TABLES / max(len(parts), 1), 1.0)
    return [_component(engine, groups, workloads, points, top, share) for groups, workloads in parts]


def partition(engine: Engine) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Groups and workloads divided into sets that have nothing to do with each other."""
    return [(part.groups, part.workloads) for part in engine.load.parts]


def is_mixed(engine: Engine, groups: tuple[int, ...], workloads: tuple[int, ...]) -> bool:
    """Whether a component has several groups or several shapes of pods."""
    return len(groups) > 1 or len({engine.pods[w] for w in workloads}) > 1


def _component(
    engine: Engine,
    groups: tuple[int, ...],
    workloads: tuple[int, ...],
    points: Calibration,
    top: Sequence[int],
    share: float,
) -> Component:
    """``share``: of the largest tables that a component may have."""
    pods = [engine.pods[w] for w in workloads]
    shape = engine.shapes[groups[0]]
    if not is_mixed(engine, groups, workloads):
        room = pods_per_empty_node(shape, pods[0]) if pods else 0
        most = sum(top[w] for w in workloads)
        return _of_one_shape(engine, groups[0], workloads, pods, room, points, most, int(MOST_STATES * share))
    return _of_mixed_pods(engine, groups, workloads, points, [top[w] for w in workloads], int(MOST_CELLS * share))


def _of_one_shape(
    engine: Engine,
    group: int,
    workloads: tuple[int, ...],
    pods: Sequence[PodShape],
    room: int,
    points: Calibration,
    top: int,
    most_states: int,
) -> Component:
    """State = count of pods; nodes = ⌈pods ÷ pods per node⌉, from the fewest to the most it may have.

    Exact up to ``most_states`` pods; where there may be more, so many pods share a state that a tenth is enough.
    """
    import numpy as np

    shape = engine.shapes[group]
    kind = pods[0].kind if pods else ""
    fewest, most = points.limits[group]
    top = min(top, MOST_TOLD_APART if most is None else most * room + 1)  # nothing changes with more pods on no node
    most_states = max(most_states, FEWEST_STATES)
    step = 1 if top <= most_states else ceil_div(top, max(most_states // 10, FEWEST_STATES))
    asked = np.arange(ceil_div(top, step) + 1, dtype=np.int64) * step
    if not room:  # no node ever holds such a pod
        asked[:] = 0
    needed = np.maximum(ceil_div(asked, max(room, 1)), fewest)
    needed = needed if most is None else np.minimum(needed, most)
    placed = np.minimum(asked, needed * room).astype(np.int32)
    nodes = needed.astype(np.int32)
    none = np.zeros_like(placed)
    table = group_table(
        engine,
        group,
        points.zones[group],
        nodes,
        placed if kind == VPC else none,
        placed if kind == BRANCH else none,
        points.first,
    )
    return Component(
        groups=(group,),
        workloads=workloads,
        vpc=workloads if kind == VPC else (),
        shares=np.ones((1, len(workloads)), dtype=np.float32),
        load_steps=0.0,
        pods_per_state=step,
        stage_of=np.zeros(0, dtype=np.int32),
        columns=0,
        column_of=np.zeros(0, dtype=np.float32),
        table=table,
        rank=None,
        nodes=nodes.reshape(1, -1),
        left_over=placed < asked,
        stuck=_stuck(shape, nodes, placed if kind == VPC else none),
    )


def _stuck(shape: GroupShape, nodes: Ints, vpc: Ints) -> npt.NDArray[np.bool_]:
    """Whether the fullest node has more pods on VPC addresses than its ENIs serve, per state."""
    import numpy as np

    return np.array(ceil_div(vpc, np.maximum(nodes, 1)) > shape.first.most_workload_pods, dtype=np.bool_)


def _of_mixed_pods(
    engine: Engine,
    groups: tuple[int, ...],
    workloads: tuple[int, ...],
    points: Calibration,
    top: Sequence[int],
    most_cells: int,
) -> Component:
    import numpy as np

    shares = _shares(engine, workloads)
    loads = (points.replicas[:, list(workloads)] @ shares.T.astype(float)).max(axis=1)
    highest = max(float((shares @ np.array(top, dtype=float)).max()), float(loads.max()), 1e-6)
    highest = max(min(highest, _load_beyond_all(engine, groups)), float(loads.min()))
    steps = min(float(STEPS_PER_NODE), MOST_LOAD_STEPS / highest)
    grid = np.arange(int(highest * steps) + 2) / steps
    order = np.argsort(loads, kind="stable")
    known = loads[order]
    counts = np.stack([_nodes_of(grid, known, points.nodes[order, g], points.limits[g]) for g in groups])
    able = [w for w in workloads if _able(engine, w)]
    short = points.unplaced[order][:, able].sum(axis=1) > 0
    full = float(known[short].min()) if short.any() else np.inf
    stage_of, first = _stages(counts, max(round(steps), 1), int(np.searchsorted(grid, full)))
    ends = np.append(first[1:], len(grid)) - 1  # last load step of each stage
    places = sum(len(engine.slots[g]) for g in groups)
    columns = int(np.clip(most_cells // (len(first) * places), 32, MOST_COLUMNS))
    vpc = tuple(w for w in workloads if engine.pods[w].kind == VPC and _able(engine, w))
    room = max(_address_room(engine.shapes[g]) for g in groups)
    most = np.maximum(np.ceil((grid[ends] + 1 / steps) * room), 1)
    column_of = np.minimum((columns - 1) / most, 1.0)
    pods = np.arange(columns)[None, :] / column_of[:, None]  # on VPC addresses, of the whole component
    all_vpc = np.maximum(points.vpc[:, list(groups)].sum(axis=1)[order], 1)
    tables, nodes = [], []
    stuck = np.zeros(len(first) * columns, dtype=np.bool_)
    for row, g in enumerate(groups):
        share = np.interp(grid[ends], known, points.vpc[order, g] / all_vpc)
        branch = np.interp(grid[ends], known, points.branch[order, g])
        here = np.repeat(counts[row][ends], columns)
        mine = np.minimum(np.rint(pods * share[:, None]).ravel(), MOST_TOLD_APART).astype(np.int32)
        if short.any():  # what its nodes hold at their most
            mine = np.minimum(mine, np.int32(min(points.vpc[:, g].max(), MOST_TOLD_APART)))
        stuck |= _stuck(engine.shapes[g], here, mine)
        tables.append(
            group_table(
                engine,
                g,
                points.zones[g],
                here,
                mine,
                np.repeat(np.minimum(np.rint(branch), MOST_TOLD_APART), columns).astype(np.int32),
                points.first,
            )
        )
        nodes.append(here)
    table = _together(tables)
    return Component(
        groups=groups,
        workloads=workloads,
        vpc=vpc,
        shares=shares,
        load_steps=steps,
        pods_per_state=1,
        stage_of=stage_of,
        columns=columns,
        column_of=column_of.astype(np.float32),
        table=table,
        rank=_ranks(table.used().sum(axis=0, dtype=np.int64)),
        nodes=np.stack(nodes),
        left_over=np.repeat(grid[first] >= full, columns),
        stuck=stuck,
    )


def _ranks(used: npt.NDArray[np.int64]) -> Ints:
    """Numbers in the order of what the states take, small enough for a table by rank."""
    import numpy as np

    if int(used.max(initial=0)) <= len(used):
        return used.astype(np.int32)
    return np.unique(used, return_inverse=True)[1].astype(np.int32)


def _load_beyond_all(engine: Engine, groups: tuple[int, ...]) -> float:
    """Nodes with which every subnet of the groups is exhausted four times over by their own addresses alone."""
    sizes = [engine.subnets[s.subnet].usable for g in groups for s in engine.slots[g]]
    return 4.0 * max(sizes) * len(sizes)


def _address_room(shape: GroupShape) -> int:
    return max(shape.first.most_workload_pods, 1)


def _able(engine: Engine, workload: int) -> list[int]:
    """The groups of a workload whose nodes can hold its pods."""
    pod = engine.pods[workload]
    return [g for g in engine.allowed[workload] if pods_per_empty_node(engine.shapes[g], pod)]


def _shares(engine: Engine, workloads: tuple[int, ...]) -> Floats:
    """Of each resource of a node, what one pod of each workload takes; resources that never bind left out."""
    import numpy as np

    rows = []
    for w in workloads:
        pod = engine.pods[w]
        able = _able(engine, w)
        if not able:  # no node ever holds such a pod: it takes nothing
            rows.append([0.0] * 6)
            continue
        first = engine.shapes[able[0]].first
        room, start = first.room, first.start
        needs = (
            (pod.cpu, room.cpu - start[2]),
            (pod.memory, room.memory - start[3]),
            (1, room.max_pods - start[4]),
            (pod.kind == VPC, room.addresses - start[5]),
            (pod.kind == BRANCH, room.branch_enis - start[6]),
            (pod.volumes, room.volumes - start[7]),
        )
        rows.append([need / max(have, 1) if need else 0.0 for need, have in needs])
    shares = np.array(rows, dtype=np.float32).T
    kept: list[int] = []
    for r in range(len(shares)):
        rivals = [o for o in range(len(shares)) if o != r and (shares[o] >= shares[r]).all()]
        if not any((shares[o] > shares[r]).any() or o < r for o in rivals):
            kept.append(r)
    return shares[kept]


def _nodes_of(grid: Floats, known: Floats, nodes: Ints, limits: tuple[int, int | None]) -> Ints:
    """Nodes of one group at each load, never falling: the engine's at the known loads, straight between, then on."""
    import numpy as np

    floor, most = limits

    more = nodes > floor
    level = nodes - 0.5  # ⌈…⌉ of it is the engine's count
    if more.any():  # at the floor the need is below it: as much lower as the load is
        last = np.flatnonzero(more)[-1]
        level = np.where(more, level, np.minimum(level, known * level[last] / known[last]))
    level = np.maximum.accumulate(level)
    lines = np.interp(grid, known, level)
    beyond = grid > known[-1]
    if beyond.any() and nodes[-1] > floor:
        lines[beyond] = level[-1] * grid[beyond] / known[-1]
    found = np.maximum(np.ceil(lines - 1e-9), floor)
    return np.asarray(found if most is None else np.minimum(found, most), dtype=np.int32)


def _stages(counts: Ints, node: int, full: int) -> tuple[Ints, Ints]:
    """Which run of equal node counts each load step belongs to, and where each run starts.

    A run ends after the load of one ``node``, though none may be added, and where the nodes are ``full``.
    """
    import numpy as np

    steps = np.arange(counts.shape[1])
    new = np.append(True, (counts[:, 1:] != counts[:, :-1]).any(axis=0)) | (steps % node == 0) | (steps == full)
    first = np.flatnonzero(new)
    if len(first) > MOST_STAGES:
        first = first[np.unique(np.geomspace(1, len(first), MOST_STAGES).astype(int)) - 1]  # near now each node counts
    stage_of = np.searchsorted(first, np.arange(counts.shape[1]), side="right") - 1
    return stage_of.astype(np.int32), first.astype(np.int32)


def _together(tables: Sequence[GroupTable]) -> GroupTable:
    """The tables of several groups over the same states, added up per subnet."""
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
