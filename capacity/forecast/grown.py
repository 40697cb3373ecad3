"""What a cluster asks for on another day: the demand of a scenario with other replicas."""

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
