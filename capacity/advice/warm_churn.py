"""What no formula gives about warm targets, by simulation: waits of pods and EC2 calls under churn, and flaps.

Every setting is simulated on the same nodes with the same seed. How long depends on the budget alone, never on the
machine's speed, so the same input gives the same answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from capacity.cni.calls import CallCosts
from capacity.cni.node_limits import NodeLimits
from capacity.plan.cni_env import CniSettings

SECONDS_PER_START = 150e-6  # processor time of a simulated pod start on a usual machine, for the budget
MOST_LOADS = 4  # nodes that are simulated for a setting
LEAST_HOURS, MOST_HOURS = 0.5, 24.0
HOUR = 3600


@dataclass(frozen=True, slots=True)
class ChurnAsked:
    """Pods that are replaced per node and minute, and the processor time for all settings together. [s]

    With 0 pods a plan is simulated under the churn that its workloads state; ``source`` then says so.
    """

    per_minute: float
    budget_s: float = 10.0
    seed: int = 1
    source: str = ""


@dataclass(frozen=True, slots=True)
class ChurnFigures:
    """A setting under churn, over the simulated nodes.

    Attributes
    ----------
    delay_p50_s, delay_p90_s, delay_p99_s : float or None
        Time that pods wait for an address; None if none started. [s]
    waited : float
        Share of the pods that wait longer than a second, those that never start among them.
    calls_per_hour : float
        EC2 calls per node. [calls per hour]
    hours : float
        Simulated time of each node. [h]
    """

    delay_p50_s: float | None
    delay_p90_s: float | None
    delay_p99_s: float | None
    waited: float
    calls_per_hour: float
    hours: float


@dataclass(frozen=True, slots=True)
class ChurnLoad:
    """Nodes to simulate: their limits, settings without targets, max pods and pods, and how many they stand for."""

    limits: NodeLimits
    settings: CniSettings
    max_pods: int
    pods: int
    nodes: int


def hours_for(asked: ChurnAsked, settings: int, loads: int) -> float:
    """Simulated time of one node with one setting, so that all of them fit the budget. [h]

    >>> round(hours_for(ChurnAsked(2.0, budget_s=9.0), 40, 4), 3)
    3.125
    """
    starts = asked.budget_s / SECONDS_PER_START / max(settings * loads, 1)
    return min(max(starts / (60 * asked.per_minute), LEAST_HOURS), MOST_HOURS)


def typical_loads(loads: Sequence[ChurnLoad]) -> list[ChurnLoad]:
    """At most four of the loads, those of the quartiles of the nodes by pods; each stands for its quarter."""
    ordered = sorted(loads, key=lambda load: load.pods)
    nodes = sum(load.nodes for load in ordered)
    found: Counter[ChurnLoad] = Counter()
    for quarter in range(MOST_LOADS):
        at = nodes * (2 * quarter + 1) / (2 * MOST_LOADS)
        for load in ordered:
            at -= load.nodes
            if at < 0:
                found[load] += 1
                break
    return [replace(load, nodes=quarters) for load, quarters in found.items()]


def churn_figures(
    settings: Sequence[CniSettings], loads: Sequence[ChurnLoad], asked: ChurnAsked, hours: float, *, discovery: bool
) -> ChurnFigures:
    """One combination of targets on every load; ``settings`` are those of each load with the targets."""
    from capacity.sim.facade import SimulationInputs, setup_of, simulate_node
    from capacity.sim.observed import LONG_WAIT, quantile, seconds_of

    delays: Counter[int] = Counter()
    starts = never = 0
    calls = 0.0
    inputs = SimulationInputs(seconds=hours * HOUR, step_s=hours * HOUR, churn=asked.per_minute)
    for on, load in zip(settings, loads, strict=True):
        setup = setup_of(load.limits, on, load.max_pods, discovery=discovery)
        result = simulate_node(setup, load.pods, inputs, seed=asked.seed)
        for delay, pods in result.delays.items():
            delays[delay] += load.nodes * pods
        never += load.nodes * (result.never + result.still_waiting)
        starts += load.nodes * (result.started + result.never + result.still_waiting)
        calls += load.nodes * result.calls_per_hour
    slow = never + sum(pods for delay, pods in delays.items() if seconds_of(delay) > LONG_WAIT)
    p50, p90, p99 = (quantile(delays, percent) for percent in (50, 90, 99))
    return ChurnFigures(p50, p90, p99, slow / starts if starts else 0.0, calls / sum(x.nodes for x in loads), hours)


@cache
def flap_calls_per_hour(limits: NodeLimits, settings: CniSettings, costs: CallCosts) -> float:
    """EC2 calls in an hour of a node whose pods exactly fill what it holds: a loop if a unit target is 0.

    Source
    ------
    :mod:`capacity.sim.pool_manager`, with the median latencies of :mod:`capacity.sim.world_inputs`.
    """
    from capacity.sim.facade import SimulationInputs, setup_of, simulate_node

    pods = 16 if settings.prefix else int(limits.k)
    setup = setup_of(limits, settings, 10 * pods + 10, discovery=costs.trunk > 1)
    inputs = SimulationInputs(seconds=HOUR, step_s=HOUR, spread=0.0)
    return simulate_node(setup, pods, inputs).calls_per_hour
