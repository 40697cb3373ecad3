"""Runs the engine at points of the expected growth, between which the tables of mixed pods interpolate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from capacity.cluster.engine import Engine
from capacity.cluster.fleet import Fleet
from capacity.cluster.node_state import BRANCH, VPC
from capacity.forecast.calibration import Calibration, groups_that_hold, is_mixed, partition
from capacity.forecast.grown import grown_demand, node_range

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.floating[Any]]

EDGE_STEPS = 7  # bisection steps that find where the first pods are unschedulable, to 1% of the distance of two points


def calibrate(engine: Engine, points: Sequence[Sequence[int]], scenario: str = "steady") -> Calibration:
    """Run the engine at each point, and near the first unschedulable pods of each component."""
    import numpy as np

    def fleet(replicas: Sequence[int]) -> Fleet:  # nodes and pods without addresses
        return engine.fleet(grown_demand(engine, replicas, scenario))

    first = engine.run(grown_demand(engine, points[0], scenario))
    points = [list(p) for p in points]
    fleets = [fleet(p) for p in points]
    edges = _edges(engine, points, fleets)
    for _ in range(EDGE_STEPS if edges else 0):  # for all components together, because they are independent
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
    """Range of a component's replicas that contains the first unschedulable pods."""

    workloads: tuple[int, ...]
    able: tuple[int, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]

    def halved(self, middle: Sequence[int], fleet: Fleet) -> _Edge:
        """Half of the range with the edge, from the result in the middle."""
        here, left = tuple(middle[w] for w in self.workloads), _left_over(fleet)
        return replace(self, high=here) if any(left[w] for w in self.able) else replace(self, low=here)


def _edges(engine: Engine, points: Sequence[Sequence[int]], fleets: Sequence[Fleet]) -> list[_Edge]:
    """Edges at which components of mixed pods reach the capacity of their groups."""
    left = [_left_over(f) for f in fleets]
    found = []
    for groups, workloads in partition(engine):
        able = tuple(w for w in workloads if groups_that_hold(engine, w))
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
    of = attrgetter({VPC: "vpc_pods", BRANCH: "branch_pods"}[kind])
    daemons = of(fleet.shapes[group].first.start)
    return sum(count * (of(state) - daemons) for (_, state), count in fleet.placement.groups[group].classes.items())


CALIBRATION_WORK = 3000  # places of nodes × workloads × points at which the engine runs


CALIBRATION_POINTS = (5, 24)  # at least, at most


def calibrated(engine: Engine, expected: npt.NDArray[Any], top: Sequence[int], scenario: str) -> Calibration:
    """The engine's answers along the expected growth; one is enough if no component mixes pods."""
    work = sum(map(len, engine.slots)) * max(len(engine.plan.workloads), 1)
    fewest, most = CALIBRATION_POINTS
    rows = _points(expected, top, min(max(CALIBRATION_WORK // work, fewest), most) if work else fewest)
    return calibrate(engine, rows if any(is_mixed(engine, *p) for p in partition(engine)) else rows[:1], scenario)


def _points(expected: Floats, top: Sequence[int], count: int) -> list[list[int]]:
    """Replicas at which the engine runs: along the expected path, then in proportion up to the top."""
    import numpy as np

    days = np.unique(np.rint(np.linspace(0, len(expected) - 1, count)).astype(int))
    last = expected.max(axis=0)
    ratio = max((t / m for t, m in zip(top, last, strict=True) if m), default=1.0)
    beyond = [np.ceil(np.minimum(last * f, top)) for f in np.geomspace(1, ratio, max(count // 2, 2))]
    rows = {tuple(int(x) for x in row): None for row in (*expected[days], *beyond)}
    return [list(row) for row in rows]
