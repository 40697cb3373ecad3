"""How long the simulator takes: one node for a week, and 1,000 nodes for a day with one pod event per node and minute.

    python -m benchmarks.simulate [NODES] [HOURS]

Processor time of one core. Growth: half the nodes and half the hours beside the whole. The bound beside them is what a
vectorised simulator could not avoid: one pool decision of all nodes in numpy, counts alone, for each loop of a day.
Prints Markdown tables for RESULTS.md.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from math import inf
from random import Random
from resource import RUSAGE_SELF, getrusage

import numpy as np

from capacity.cluster.node_state import EMPTY, NodeRoom, PodShape
from capacity.cni.facade import NodeLimits
from capacity.plan.cni_env import CniSettings
from capacity.sim.cluster_life import Pace, SimulatedCluster
from capacity.sim.ec2_api import Ec2Api
from capacity.sim.ec2_side import AddressSpace
from capacity.sim.members import NodePlace, NodeSource, PodSource
from capacity.sim.node_setup import NodeSetup
from capacity.sim.node_simulation import setup_of, simulate_node
from capacity.sim.world_inputs import BUCKETS, LATENCY_MS, SimulationInputs

MINUTE = 60_000
SETTINGS = {
    "WARM_ENI_TARGET=1": CniSettings(),
    "WARM_IP_TARGET=2 MINIMUM_IP_TARGET=10": CniSettings(warm_ip=2, minimum_ip=10),
    "WARM_PREFIX_TARGET=1": CniSettings(prefix=True),
}
LIMITS = NodeLimits(4, 0, 14, 0, 0, windows=False)  # m5.xlarge


def cluster_of(nodes: int, setup: NodeSetup) -> SimulatedCluster:
    """Nodes with 30 pods each, in three /16 subnets, at rest."""
    random = Random(1)
    spaces = [AddressSpace(65_536, first=i * 65_536, name=str(i), random=random) for i in range(3)]
    places = tuple(NodePlace(space.name, space, space) for space in spaces)
    room = NodeRoom(10**9, 10**18, setup.max_pods, 10**9, 0)
    source = NodeSource("nodes", setup, room, EMPTY, places, daemons=1)
    work = PodSource("pods", PodShape(100, 1, 100, 1), (0,))
    api = Ec2Api(LATENCY_MS, 0.3, random=random)
    cluster = SimulatedCluster([source], [work], spaces, api, Pace(node_start=0, pod_stop=0), random)
    for number in range(nodes):
        cluster.start_node(0, places[number % 3], 0)
    cluster.agenda.run(2 * MINUTE)
    cluster.create(0, 30 * nodes)
    cluster.agenda.run(15 * MINUTE)
    cluster.api.buckets = BUCKETS
    return cluster


def pod_events(cluster: SimulatedCluster, nodes: int, events: list[int]) -> Iterator[float]:
    """One event per node and minute: a pod goes, and another comes at the same moment (two events)."""
    gap, moment = 2 * MINUTE / nodes, 0.0
    while True:
        yield int(moment + gap) - int(moment)
        moment += gap
        pods = cluster.by_work[0]
        cluster.replace(pods[int(cluster.random.random() * len(pods))])
        events[0] += 2


def day_of(nodes: int, hours: float, settings: CniSettings) -> tuple[int, float, int]:
    """Pod events, processor time [s] and EC2 calls of the timeline."""
    cluster = cluster_of(nodes, setup_of(LIMITS, settings, 58 if not settings.prefix else 110))
    calls, events = cluster.api.calls.total(), [0]
    start = time.process_time()
    cluster.agenda.spawn(pod_events(cluster, nodes, events))  # type: ignore[arg-type]
    cluster.agenda.run(cluster.now + round(hours * 60 * MINUTE))
    return events[0], time.process_time() - start, cluster.api.calls.total() - calls


def numpy_decision_s(nodes: int) -> float:
    """One pool decision of all nodes as arrays: too low, by how much, room on an ENI, too many. [s]"""
    total, assigned, enis = np.full(nodes, 42), np.full(nodes, 30), np.full(nodes, 3)
    last = np.zeros(nodes)
    runs, best = 200, inf
    for _ in range(runs):
        start = time.perf_counter()
        available = total - assigned
        short = np.maximum(np.maximum(2 - available, 10 - total), 0)
        low = (short > 0) & (total < 58) & (1e6 - last > 120_000)
        over = np.maximum(np.minimum(available - 2, total - 10), 0)
        room = enis * 14 - total
        grow = np.where(low, np.minimum(short, room), 0)
        shrink = np.where(~low & (over > 0) & (1e6 - last > 30_000), over, 0)
        _ = total + grow - shrink
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    nodes = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    hours = float(sys.argv[2]) if len(sys.argv) > 2 else 24.0
    print(f"simulate, Python {sys.version.split()[0]}\n")
    print("| one node, a week, 2 pods replaced per minute | pod starts | s | µs per start |\n|---|---:|---:|---:|")
    inputs = SimulationInputs(seconds=7 * 86_400, churn=2, step_s=3600)
    for name, settings in SETTINGS.items():
        start = time.process_time()
        result = simulate_node(setup_of(LIMITS, settings, 58), 30, inputs)
        took = time.process_time() - start
        print(f"| {name} | {result.started:,} | {took:.2f} | {1e6 * took / result.started:.0f} |", flush=True)
    print("\n| nodes | hours | targets | pod events | EC2 calls | s | µs per event | peak memory, MB |")
    print("|---:|---:|---|---:|---:|---:|---:|---:|")
    for some, long in ((nodes // 2, hours), (nodes, hours / 2), (nodes, hours)):
        for name, settings in SETTINGS.items():
            events, took, calls = day_of(some, long, settings)
            memory = getrusage(RUSAGE_SELF).ru_maxrss // 1024
            row = f"{some:,} | {long:g} | {name} | {events:,} | {calls:,} | {took:.1f} | {1e6 * took / events:.1f}"
            print(f"| {row} | {memory} |", flush=True)
    loops = hours * 3600 / 5
    once = numpy_decision_s(nodes)
    print(f"\nnumpy, one decision of {nodes:,} nodes: {1e6 * once:.0f} µs; {loops:,.0f} loops: {loops * once:.1f} s")


if __name__ == "__main__":
    main()
