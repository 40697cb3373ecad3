"""Demand of a scenario on a later day, with other replicas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from capacity.cluster.demand import Demand
from capacity.cluster.engine import Engine

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.int32]
    Floats = npt.NDArray[np.floating[Any]]


def growing_demand(engine: Engine, replicas: Sequence[int], scenario: str = "steady") -> Demand:
    """A scenario with the replicas of another day, by the rule of :mod:`capacity.cluster.demand`.

    With the replicas of the scenario it equals the scenario in check. Otherwise autoscaled groups grow as far as their
    pods need, up to their max, and a group with a fixed count keeps it.
    """
    own = engine.demand(scenario)
    return own if tuple(replicas) == own.replicas else grown_demand(engine, replicas, scenario)


def grown_demand(engine: Engine, replicas: Sequence[int], scenario: str) -> Demand:
    """Rule for all days except the first."""
    rule = engine.demand("ceiling" if scenario == "ceiling" else "peak")
    return rule._replace(name=scenario, rule="replicas of the day", replicas=tuple(replicas))


def node_range(engine: Engine, scenario: str) -> list[tuple[int, int | None]]:
    """Fewest and most nodes that each group can have on any day except the first. [nodes]"""
    grown = grown_demand(engine, (), scenario)
    rows = zip(grown.nodes, grown.floor, grown.ceiling, strict=True)
    return [(low, most) if n is None else (n, n) for n, low, most in rows]
