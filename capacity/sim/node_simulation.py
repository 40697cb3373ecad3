"""One node over time under churn, by its settings alone: for `simulate --type` and for the choice of warm targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf
from random import Random

from capacity.cluster.node_state import EMPTY, UNLIMITED, NodeRoom, PodShape
from capacity.cni.facade import NodeLimits
from capacity.errors import check_count
from capacity.plan.cni_env import CniSettings
from capacity.sim import happenings
from capacity.sim.cluster_life import Pace, SimulatedCluster
from capacity.sim.ec2_side import RESERVED_FIRST, AddressSpace
from capacity.sim.members import NodePlace, NodeSource, PodSource
from capacity.sim.node_setup import COOLDOWN_SECONDS, NodeSetup
from capacity.sim.observed import ONE_NODE, Observer, SimulationResult
from capacity.sim.world_inputs import SimulationInputs

LARGEST = 65_536  # addresses of a /16
HOME = "nodes"  # the subnet of the primary ENI under custom networking
POD = PodShape(0, 0, 0, 0)
PARTS = 100


def setup_of(
    limits: NodeLimits,
    settings: CniSettings,
    max_pods: int,
    *,
    discovery: bool = True,
    cooldown_s: int = COOLDOWN_SECONDS,
) -> NodeSetup:
    """The rules of a node whose limits are known."""
    serving, trunk = int(limits.serving), int(limits.trunk)
    enis = serving + limits.idle_primary + trunk + limits.unmanaged
    return NodeSetup(
        settings=settings,
        discovery=discovery,
        cooldown=1000 * cooldown_s,
        eni_limit=enis,
        type_enis=enis,
        per_eni=0 if settings.ipv6 else int(limits.k),
        max_pods=max_pods,
        unmanaged=limits.unmanaged,
        trunk_slot=bool(trunk),
        trunking=bool(trunk),
        end=inf,
        idle_primary=bool(limits.idle_primary),
    )


def simulate_node(
    setup: NodeSetup,
    pods: int,
    inputs: SimulationInputs,
    *,
    seed: int = 1,
    subnet_addresses: int = LARGEST,
    others: int = 0,
    notes: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> SimulationResult:
    """Simulate one node: pods start one by one, the pool settles, then the timeline and its churn start.

    Parameters
    ----------
    pods : int
        Pods with an address of the pool. Each that goes is replaced at once. [pods]
    subnet_addresses, others : int
        Size of the subnet, and addresses of it that others have. [addresses]
    notes : sequence of str
        What of the node is not simulated, for the result.
    """
    check_count("seed", seed)
    random = Random(seed)
    space = AddressSpace(subnet_addresses, name="pods", random=random)
    space.occupy(range(RESERVED_FIRST, subnet_addresses), others)
    spaces, home = [space], space
    if setup.settings.custom_networking:
        home = AddressSpace(16, first=LARGEST, name=HOME)
        spaces.append(home)
    source = NodeSource(
        "node", setup, NodeRoom(UNLIMITED, UNLIMITED, UNLIMITED, UNLIMITED, 0), EMPTY, (NodePlace("", home, space),)
    )
    cluster = SimulatedCluster(
        [source], [PodSource("pods", POD, (0,))], spaces, inputs.api(random), _quick(inputs), random
    )
    cluster.start_node(0, source.places[0], 0)
    settle = round(1000 * inputs.settle_s)
    cluster.agenda.run(settle // 3)
    for number in range(1, pods + 1):
        cluster.create(0)
        cluster.agenda.run(settle // 3 + settle * number // (3 * pods))
    cluster.agenda.run(settle)
    observer = Observer(cluster, {})
    observer.begin()
    cluster.api.buckets, cluster.api.failing = dict(inputs.buckets), dict(inputs.failing)
    cluster.agenda.spawn(observer.every(inputs.step))
    if inputs.churn and pods:
        cluster.agenda.spawn(happenings.churn(cluster, inputs.churn))
    end, complete = settle + round(1000 * inputs.seconds), True
    try:
        for part in range(1, PARTS + 1):
            cluster.agenda.run(settle + (end - settle) * part // PARTS)
            if progress:
                progress(part, PARTS)
    except KeyboardInterrupt:
        complete = False
        observer.sample("interrupted")
    usable = {"pods": subnet_addresses - RESERVED_FIRST - 1, HOME: 16 - RESERVED_FIRST - 1}
    rule = f"{inputs.churn:g} pods per minute are replaced" if inputs.churn else "nothing happens"
    result = observer.result(ONE_NODE, rule, seed, complete=complete, usable=usable, notes=notes)
    return replace(result, subnets=tuple(s for s in result.subnets if s.name == "pods"))


def _quick(inputs: SimulationInputs) -> Pace:
    """The pace with pods that stop immediately: the churn states when an address is released."""
    return replace(inputs.pace, pod_stop=0)
