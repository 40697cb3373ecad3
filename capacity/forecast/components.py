"""Tables of the addresses in every subnet by the pods of each node group, computed with the engine's formulas.

A *component* is a set of node groups that share workloads, with those workloads. Its state is its number of nodes and
the number of its pods on VPC addresses; tables give the addresses that each state uses in each subnet. There are two
kinds of states:

- One group with pods of one shape: the state is the count of pods, and the tables are exact.

- Otherwise: the load, in nodes (the largest share of any resource), decides the nodes. The nodes that a load needs, the
distribution of the pods over several groups, and the pods with branch ENIs come from the engine at points along the
expected path, with interpolation between them. Pods are spread evenly over the nodes of a group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from capacity.cluster.engine import Engine
from capacity.cluster.node_state import BRANCH, VPC, PodShape
from capacity.cluster.shape import GroupShape
from capacity.units import ceil_div

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.int32]
    Floats = npt.NDArray[np.floating[Any]]
from capacity.forecast.calibration import Calibration, groups_that_hold, is_mixed, partition, pods_per_empty_node
from capacity.forecast.group_tables import GroupTable, group_table, together
from capacity.forecast.load_steps import load_beyond_all, load_steps, nodes_at, resource_shares, stages

MOST_STATES = 1_000_000  # pods told apart in a component of one pod shape; of more, a tenth as many steps
MOST_CELLS = 3_000_000  # states × places of a component of mixed pods
FULL_TABLES = 8  # components that have as many as that; more of them share what these would take
FEWEST_STATES = 1_000
MOST_COLUMNS = 256  # counts of pods told apart per count of nodes there: an eighth of a pod per node or less
MOST_TOLD_APART = 1 << 30  # pods of a component


@dataclass(frozen=True, slots=True)
class Component:
    """Node groups that share workloads, their states, and the addresses of each state.

    Attributes
    ----------
    shares : ndarray of float32, shape (n_resources, n_workloads)
        Share of a node that one pod of each workload uses. For pods of one shape: one row of ones.
    load_steps : float
        Steps of the load per unit; 0 for pods of one shape.
    pods_per_state : int
        Pods of one shape that share a state, which has the figures for the most of them. [pods]
    stage_of : ndarray of int32, shape (n_steps,)
        The stage (set of node counts) of each load step.
    columns, column_of : int, ndarray of float32, shape (n_stages,)
        States per stage, and states per pod on a VPC address.
    table : GroupTable
        Table of all groups together.
    left_over : ndarray of bool, shape (n_states,)
        Whether pods are unschedulable: the groups are at their most nodes.
    stuck : ndarray of bool, shape (n_states,)
        Whether pods on nodes get no address.
    rank : ndarray of int32, shape (n_states,), or None
        The order of the states for bounds, by their total addresses. None: by their number.
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
        """Weight of one pod in each sum that :meth:`states_of` needs: shape (n_sums, n_workloads)."""
        import numpy as np

        if not self.load_steps:
            return self.shares
        vpc = np.array([[float(i in self.vpc) for i in self.workloads]], dtype=np.float32)
        return np.vstack([self.shares, vpc])

    def states(self, replicas: Sequence[Floats]) -> Ints:
        """State of each draw on each day, from the replicas of this component's workloads in order."""
        sums = [Sum(row) for row in self.weights]
        for i in sorted(range(len(replicas)), key=lambda i: replicas[i].shape[1]):
            for one in sums:
                one.add(i, replicas[i])
        return self.states_of([one.total for one in sums])

    def states_of(self, sums: Sequence[Floats]) -> Ints:
        """State of each draw on each day, from the sums of weight × replicas over its workloads."""
        import numpy as np

        if not self.load_steps:
            last = self.table.singles.shape[1] - 1
            pods = sums[0] if self.pods_per_state == 1 else np.ceil(sums[0] / np.float32(self.pods_per_state))
            return np.asarray(np.minimum(pods, last), dtype=np.int32)
        load: Any = sums[0]
        for other in sums[1:-1]:
            load = np.maximum(load, other)
        load = load * np.float32(self.load_steps)
        load += np.float32(1 - 1e-4)  # whole steps, rounded up, ignoring rounding errors
        stages = self.stage_of[np.minimum(load, len(self.stage_of) - 1).astype(np.int32)]
        columns = np.minimum(sums[-1] * self.column_of[stages] + np.float32(0.5), self.columns - 1).astype(np.int32)
        return np.asarray(stages * np.int32(self.columns) + columns, dtype=np.int32)


class Sum:
    """Σ weight × replicas of some workloads on each day of each draw, added one workload at a time.

    Values that are equal in every draw are added first, so they need one column instead of one per draw.
    """

    __slots__ = ("total", "weights")

    def __init__(self, weights: Floats, begin: Floats | None = None) -> None:
        import numpy as np

        self.weights = weights
        self.total: Any = np.zeros((1, 1), dtype=np.float32) if begin is None else begin

    def add(self, workload: int, replicas: Floats) -> None:
        """Add the replicas of one workload, by its number among the weights; the given array does not change."""
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
    """All components of a plan, with tables up to ``top`` replicas of each workload."""
    parts = partition(engine)
    share = min(FULL_TABLES / max(len(parts), 1), 1.0)
    return [_component(engine, groups, workloads, points, top, share) for groups, workloads in parts]


def _component(
    engine: Engine,
    groups: tuple[int, ...],
    workloads: tuple[int, ...],
    points: Calibration,
    top: Sequence[int],
    share: float,
) -> Component:
    """``share``: the part of the largest allowed table size that a component can use."""
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

    Exact up to ``most_states`` pods; with more, several pods share a state, so that a tenth of the states is enough.
    """
    import numpy as np

    shape = engine.shapes[group]
    kind = pods[0].kind if pods else ""
    fewest, most = points.limits[group]
    top = min(top, MOST_TOLD_APART if most is None else most * room + 1)  # without nodes, more pods change nothing
    most_states = max(most_states, FEWEST_STATES)
    step = 1 if top <= most_states else ceil_div(top, max(most_states // 10, FEWEST_STATES))
    asked = np.arange(ceil_div(top, step) + 1, dtype=np.int64) * step
    if not room:  # such a pod fits on no node
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

    homes = [groups_that_hold(engine, w) for w in workloads]
    shares = resource_shares(
        [
            (engine.pods[w], engine.shapes[able[0]].first if able else None)
            for w, able in zip(workloads, homes, strict=True)
        ]
    )
    loads = (points.replicas[:, list(workloads)] @ shares.T.astype(float)).max(axis=1)
    highest = max(float((shares @ np.array(top, dtype=float)).max()), float(loads.max()), 1e-6)
    steps, grid = load_steps(max(min(highest, load_beyond_all(engine, groups)), float(loads.min())))
    order = np.argsort(loads, kind="stable")
    known = loads[order]
    counts = np.stack([nodes_at(grid, known, points.nodes[order, g], points.limits[g]) for g in groups])
    able = [w for w, groups_of_it in zip(workloads, homes, strict=True) if groups_of_it]
    short = points.unplaced[order][:, able].sum(axis=1) > 0
    full = float(known[short].min()) if short.any() else np.inf
    stage_of, first = stages(counts, max(round(steps), 1), int(np.searchsorted(grid, full)))
    ends = np.append(first[1:], len(grid)) - 1  # last load step of each stage
    places = sum(len(engine.slots[g]) for g in groups)
    columns = int(np.clip(most_cells // (len(first) * places), 32, MOST_COLUMNS))
    vpc = tuple(w for w in able if engine.pods[w].kind == VPC)
    room = max(max(engine.shapes[g].first.most_workload_pods, 1) for g in groups)
    most = np.maximum(np.ceil((grid[ends] + 1 / steps) * room), 1)
    column_of = np.minimum((columns - 1) / most, 1.0)
    pods = np.arange(columns)[None, :] / column_of[:, None]  # on VPC addresses, of the whole component
    by_stage = _Stages(order, known, grid[ends], counts[:, ends], pods, short=bool(short.any()))
    table, nodes, stuck = _tables_by_stage(engine, groups, points, by_stage)
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
        nodes=nodes,
        left_over=np.repeat(grid[first] >= full, columns),
        stuck=stuck,
    )


class _Stages(NamedTuple):
    """States of groups with mixed pods: stages of the load, and in each a column per count of pods on VPC addresses.

    Attributes
    ----------
    order : ndarray of int, shape (n_points,)
        Calibrated points by their load.
    known : ndarray of float, shape (n_points,)
        Their loads, ascending.
    ends : ndarray of float, shape (n_stages,)
        Highest load of each stage.
    counts : ndarray of int, shape (n_groups, n_stages)
        [nodes]
    pods : ndarray of float, shape (n_stages, n_columns)
        Pods on VPC addresses of all groups together.
    short : bool
        Whether pods are unschedulable at some load: the groups are at their most nodes.
    """

    order: npt.NDArray[np.intp]
    known: Floats
    ends: Floats
    counts: Ints
    pods: Floats
    short: bool


def _tables_by_stage(
    engine: Engine, groups: tuple[int, ...], points: Calibration, of: _Stages
) -> tuple[GroupTable, Ints, npt.NDArray[np.bool_]]:
    """Addresses of all groups together, nodes per group, and whether a node has too many pods, by state."""
    import numpy as np

    columns = of.pods.shape[1]
    all_vpc = np.maximum(points.vpc[:, list(groups)].sum(axis=1)[of.order], 1)
    tables, nodes = [], []
    stuck = np.zeros(of.pods.size, dtype=np.bool_)
    for row, g in enumerate(groups):
        share = np.interp(of.ends, of.known, points.vpc[of.order, g] / all_vpc)
        branch = np.interp(of.ends, of.known, points.branch[of.order, g])
        here = np.repeat(of.counts[row], columns)
        mine = _whole_pods((of.pods * share[:, None]).ravel())
        if of.short:  # capacity of its maximum number of nodes
            mine = np.minimum(mine, np.int32(min(points.vpc[:, g].max(), MOST_TOLD_APART)))
        stuck |= _stuck(engine.shapes[g], here, mine)
        every = np.repeat(_whole_pods(branch), columns)
        tables.append(group_table(engine, g, points.zones[g], here, mine, every, points.first))
        nodes.append(here)
    return together(tables), np.stack(nodes), stuck


def _whole_pods(pods: Floats) -> Ints:
    """Pods rounded to whole numbers, at most as many as the tables tell apart. [pods]"""
    import numpy as np

    return np.minimum(np.rint(pods), MOST_TOLD_APART).astype(np.int32)


def _ranks(used: npt.NDArray[np.int64]) -> Ints:
    """Ranks of the states by the addresses they use, small enough for a table by rank."""
    import numpy as np

    if int(used.max(initial=0)) <= len(used):
        return used.astype(np.int32)
    return np.unique(used, return_inverse=True)[1].astype(np.int32)
