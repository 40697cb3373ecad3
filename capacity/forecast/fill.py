"""Growth that is certain: the engine itself answers, day by day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from capacity.cluster.engine import Engine
from capacity.cluster.scenario import ScenarioState
from capacity.forecast.demand import growing_demand
from capacity.vpc.ledger import SubnetState

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Progress = Callable[[int, int], None]  # done, of how many


@dataclass(frozen=True, slots=True, eq=False)
class DailyFill:
    """Addresses used and whether that is too many: shape (days, n_subnets); nodes (days, n_groups)."""

    used: npt.NDArray[np.int32]
    exhausted: npt.NDArray[np.bool_]
    nodes: npt.NDArray[np.int32]
    unplaced: int


def runs_out(state: SubnetState) -> bool:
    """Whether a subnet cannot carry what is booked on it: free < 0, or its prefixes have no room."""
    return state.free < 0 or not state.prefixes_placed


def daily_fill(
    engine: Engine, replicas: npt.NDArray[np.floating[Any]], progress: Progress = lambda _done, _total: None
) -> DailyFill:
    """The engine's answer for each day; days of equal replicas share one.

    Parameters
    ----------
    replicas : ndarray, shape (days, n_workloads)
    progress : callable
        Told how many days are done, and of how many.
    """
    import numpy as np

    known: dict[tuple[int, ...], ScenarioState] = {}
    states = []
    for done, day in enumerate(replicas, 1):
        key = tuple(int(r) for r in day)
        if key not in known:
            known[key] = engine.run(growing_demand(engine, key))
        states.append(known[key])
        progress(done, len(replicas))
    return DailyFill(
        used=_rows(states, lambda s: [x.used_total for x in s.subnets]),
        exhausted=_rows(states, lambda s: [runs_out(x) for x in s.subnets]).astype(np.bool_),
        nodes=_rows(states, lambda s: [g.nodes for g in s.groups]),
        unplaced=max(s.unplaced_pods for s in states),
    )


def _rows(states: Sequence[ScenarioState], pick: Callable[[ScenarioState], list[Any]]) -> npt.NDArray[np.int32]:
    import numpy as np

    return np.array([pick(s) for s in states], dtype=np.int32).reshape(len(states), -1)
