"""Plays address pools over time, with the VPC CNI's own algorithm.

:func:`replay` is one node from recorded events, :func:`simulate_node` one node under churn, :func:`simulate` a scenario
of a plan on all its nodes; :func:`over_seeds` repeats one of them.
"""

from capacity.sim.facade import (
    Distribution,
    Pace,
    SimulationInputs,
    SimulationResult,
    over_seeds,
    replay,
    setup_of,
    simulate,
    simulate_node,
)

__all__ = [
    "Distribution",
    "Pace",
    "SimulationInputs",
    "SimulationResult",
    "over_seeds",
    "replay",
    "setup_of",
    "simulate",
    "simulate_node",
]
