"""The names of this room that others use."""

from capacity.sim.cluster_life import Pace
from capacity.sim.ec2_api import Bucket
from capacity.sim.ec2_side import ALL_CALLS, EC2_CALLS
from capacity.sim.monte_carlo import Distribution, Interval, distribution, over_seeds
from capacity.sim.node_replay import replay
from capacity.sim.node_simulation import setup_of, simulate_node
from capacity.sim.observed import Sample, SimulationResult, SubnetOutcome
from capacity.sim.plan_cluster import NotSimulated, check_simulated
from capacity.sim.plan_seeds import simulate_seeds
from capacity.sim.plan_simulation import CronDemand, RecordedPods, simulate
from capacity.sim.recorded_events import read_events
from capacity.sim.sim_words import sentence, span
from capacity.sim.world_inputs import ASSUMED, BUCKETS, LATENCY_MS, LATENCY_SPREAD, SimulationInputs

__all__ = [
    "ALL_CALLS",
    "ASSUMED",
    "BUCKETS",
    "EC2_CALLS",
    "LATENCY_MS",
    "LATENCY_SPREAD",
    "Bucket",
    "CronDemand",
    "Distribution",
    "Interval",
    "NotSimulated",
    "Pace",
    "RecordedPods",
    "Sample",
    "SimulationInputs",
    "SimulationResult",
    "SubnetOutcome",
    "check_simulated",
    "distribution",
    "over_seeds",
    "read_events",
    "replay",
    "sentence",
    "setup_of",
    "simulate",
    "simulate_node",
    "simulate_seeds",
    "span",
]
