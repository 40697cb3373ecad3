"""Growth without randomness: the engine computes every day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from capacity.cluster.engine import Engine
from capacity.cluster.scenario import ScenarioState
from capacity.forecast.calibration import held_nowhere
from capacity.forecast.grown import growing_demand

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Progress = Callable[[int, int], None]  # done, total


@dataclass(frozen=True, slots=True, eq=False)
class DailyFill:
    """Answer of the engine for each day.

    Attributes
    ----------
    used, exhausted : ndarray, shape (days, n_subnets)
        Addresses used, and whether check would call that exhausted. [addresses]
    nodes : ndarray, shape (days, n_groups)
    left_over, stuck : ndarray of bool, shape (days,)
        Whether pods are unschedulable, and whether pods on nodes get no address.
    """

    used: npt.NDArray[np.int64]
    exhausted: npt.NDArray[np.bool_]
    nodes: npt.NDArray[np.int64]
    left_over: npt.NDArray[np.bool_]
    stuck: npt.NDArray[np.bool_]


def daily_fill(
    engine: Engine,
    replicas: npt.NDArray[np.floating[Any]],
    scenario: str = "steady",
    progress: Progress = lambda _done, _total: None,
) -> DailyFill:
    """Compute the engine's answer for each day; days of equal replicas share one.

    Parameters
    ----------
    replicas : ndarray, shape (days, n_workloads)
    progress : callable
        Called with the number of days that are done and the total.
    """
    import numpy as np

    known: dict[tuple[int, ...], ScenarioState] = {}
    states = []
    nowhere = held_nowhere(engine)
    for done, day in enumerate(replicas, 1):
        key = tuple(int(r) for r in day)
        if key not in known:
            known[key] = engine.run(growing_demand(engine, key, scenario))
        states.append(known[key])
        progress(done, len(replicas))
    return DailyFill(
        used=_rows(states, lambda s: [x.used_total for x in s.subnets]),
        exhausted=_rows(states, lambda s: [x.verdict == "exhausted" for x in s.subnets]).astype(np.bool_),
        nodes=_rows(states, lambda s: [g.nodes for g in s.groups]),
        left_over=np.array([any(u.workload not in nowhere for u in s.unplaced) for s in states], dtype=np.bool_),
        stuck=np.array([bool(s.pods_without_address) for s in states], dtype=np.bool_),
    )


def _rows(states: Sequence[ScenarioState], pick: Callable[[ScenarioState], list[Any]]) -> npt.NDArray[np.int64]:
    import numpy as np

    return np.array([pick(s) for s in states], dtype=np.int64).reshape(len(states), -1)
