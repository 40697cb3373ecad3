"""Independent components of a plan, and the engine's results for them at points of growth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from capacity.cluster.engine import Engine
from capacity.cluster.node_state import PodShape, fits, with_pod
from capacity.cluster.scenario import ScenarioState
from capacity.cluster.shape import GroupShape

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.int32]
    Floats = npt.NDArray[np.floating[Any]]


def pods_per_empty_node(shape: GroupShape, pod: PodShape) -> int:
    """Number of pods of one shape that fit on a node next to its DaemonSets. [pods]"""
    room, state, count = shape.first.room, shape.first.start, 0
    while count < room.max_pods and fits(room, state, pod):
        state, count = with_pod(state, pod), count + 1
    return count


@dataclass(frozen=True, slots=True)
class Calibration:
    """Results of the engine at points of growth: shape (n_points, n_groups) each, except ``replicas``.

    ``replicas`` (n_points, n_workloads); ``vpc`` and ``branch`` are workload pods on nodes; ``unplaced`` (n_points,
    n_workloads) are those that are unschedulable; ``first`` is the first result, ``limits`` the fewest and most nodes
    of each group.
    """

    replicas: Floats
    nodes: Ints
    vpc: npt.NDArray[np.int64]
    branch: npt.NDArray[np.int64]
    unplaced: npt.NDArray[np.int64]
    zones: tuple[str, ...]
    first: ScenarioState
    limits: list[tuple[int, int | None]]


def held_nowhere(engine: Engine) -> tuple[str, ...]:
    """Workloads whose pods fit on no node of their groups."""
    loads = enumerate(engine.plan.workloads)
    return tuple(w.name for i, w in loads if (w.replicas or w.max_replicas) and not groups_that_hold(engine, i))


def groups_that_hold(engine: Engine, workload: int) -> list[int]:
    """The groups of a workload whose nodes can hold its pods."""
    pod = engine.pods[workload]
    return [g for g in engine.allowed[workload] if pods_per_empty_node(engine.shapes[g], pod)]


def partition(engine: Engine) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Partition groups and workloads into independent sets."""
    return [(part.groups, part.workloads) for part in engine.load.parts]


def is_mixed(engine: Engine, groups: tuple[int, ...], workloads: tuple[int, ...]) -> bool:
    """Whether a component has several groups or several shapes of pods."""
    return len(groups) > 1 or len({engine.pods[w] for w in workloads}) > 1
