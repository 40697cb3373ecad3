"""The load of node groups with mixed pods, in nodes, and the nodes that a load needs.

The load is the largest share of any node resource that the pods use. It is counted in equal steps from 0, and steps
with equal node counts are one stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from capacity.cluster.engine import Engine
from capacity.cluster.node_state import BRANCH, VPC, PodShape
from capacity.cluster.shape import TypeShape

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.int32]
    Floats = npt.NDArray[np.floating[Any]]

MOST_STAGES = 1500  # node counts told apart in a component of mixed pods
STEPS_PER_NODE = 32  # of the load
MOST_LOAD_STEPS = 1 << 18


def resource_shares(pods: Sequence[tuple[PodShape, TypeShape | None]]) -> Floats:
    """Share of each node resource that one pod of each workload uses, without resources that are never the limit.

    Parameters
    ----------
    pods : sequence of (PodShape, TypeShape or None)
        A pod of each workload and the node that it runs on; a pod that fits on no node uses nothing.
    """
    import numpy as np

    rows = []
    for pod, node in pods:
        if node is None:
            rows.append([0.0] * 7)
            continue
        room, start = node.room, node.start
        needs = (
            (pod.cpu, room.cpu - start.cpu),
            (pod.memory, room.memory - start.memory),
            (1, room.max_pods - start.pods),
            (pod.kind == VPC, room.addresses - start.vpc_pods),
            (pod.kind == BRANCH, room.branch_enis - start.branch_pods),
            (pod.volumes, room.volumes - start.volumes),
            (pod.gpus, room.gpus - start.gpus),
        )
        rows.append([need / max(have, 1) if need else 0.0 for need, have in needs])
    shares = np.array(rows, dtype=np.float32).T
    kept: list[int] = []
    for r in range(len(shares)):
        rivals = [o for o in range(len(shares)) if o != r and (shares[o] >= shares[r]).all()]
        if not any((shares[o] > shares[r]).any() or o < r for o in rivals):
            kept.append(r)
    return shares[kept]


def load_steps(highest: float) -> tuple[float, Floats]:
    """Steps per node of load, and the loads from 0 to just above the highest."""
    import numpy as np

    steps = min(float(STEPS_PER_NODE), MOST_LOAD_STEPS / highest)
    return steps, np.arange(int(highest * steps) + 2) / steps


def load_beyond_all(engine: Engine, groups: tuple[int, ...]) -> float:
    """Number of nodes whose primary addresses alone exhaust every subnet of the groups four times."""
    sizes = [engine.subnets[s.subnet].usable for g in groups for s in engine.slots[g]]
    return 4.0 * max(sizes) * len(sizes)


def nodes_at(grid: Floats, known: Floats, nodes: Ints, limits: tuple[int, int | None]) -> Ints:
    """Nodes of one group at each load, never decreasing: from the engine at known loads, linear between and beyond."""
    import numpy as np

    floor, most = limits
    more = nodes > floor
    level = nodes - 0.5  # ⌈…⌉ of it is the engine's count
    if more.any():  # at the minimum the need is lower, in proportion to the load
        last = np.flatnonzero(more)[-1]
        level = np.where(more, level, np.minimum(level, known * level[last] / known[last]))
    level = np.maximum.accumulate(level)
    lines = np.interp(grid, known, level)
    beyond = grid > known[-1]
    if beyond.any() and nodes[-1] > floor:
        lines[beyond] = level[-1] * grid[beyond] / known[-1]
    found = np.maximum(np.ceil(lines - 1e-9), floor)
    return np.asarray(found if most is None else np.minimum(found, most), dtype=np.int32)


def stages(counts: Ints, node: int, full: int) -> tuple[Ints, Ints]:
    """Run of equal node counts of each load step, and the start of each run.

    A run ends after the load of one ``node``, even if none can be added, and if the nodes are ``full``.
    """
    import numpy as np

    steps = np.arange(counts.shape[1])
    new = np.append(True, (counts[:, 1:] != counts[:, :-1]).any(axis=0)) | (steps % node == 0) | (steps == full)
    first = np.flatnonzero(new)
    if len(first) > MOST_STAGES:
        kept = np.geomspace(1, len(first), MOST_STAGES).astype(int) - 1  # near the current load each node counts
        first = first[np.unique(kept)]
    stage_of = np.searchsorted(first, np.arange(counts.shape[1]), side="right") - 1
    return stage_of.astype(np.int32), first.astype(np.int32)
