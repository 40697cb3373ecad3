"""A plan as a simulated cluster: its subnets with what others hold in them, its node groups, its workloads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf
from random import Random

from capacity.cluster.check import engine_of
from capacity.cluster.engine import Engine
from capacity.cluster.events import surge_pods
from capacity.cluster.node_state import PodShape
from capacity.cluster.reuse import Reuse
from capacity.cluster.scenario import GroupState, ScenarioState
from capacity.cluster.shape import GroupShape
from capacity.cluster.spread import Slot
from capacity.errors import SpecError
from capacity.plan.cni_env import CniSettings, parse_env_switch, subnet_discovery_switch
from capacity.plan.constants import CILIUM, OVERLAY
from capacity.plan.model import Plan, Subnet, Workload
from capacity.sim.cluster_life import SimulatedCluster
from capacity.sim.ec2_side import RESERVED_FIRST, AddressSpace
from capacity.sim.members import NodePlace, NodeSource, PodSource
from capacity.sim.node_setup import MULTI_NIC, NO_PROVISIONING, NodeSetup, cooldown_seconds, manages_unschedulable
from capacity.sim.world_inputs import SimulationInputs
from capacity.vpc.ledger import GROUPS

NOT_SIMULATED = {
    CILIUM: "Cilium manages the addresses of these nodes: only the VPC CNI is simulated (check and node cover Cilium)",
    OVERLAY: "pods have addresses of an overlay network, none of the subnets: there is nothing to simulate",
}


class NotSimulated(SpecError):
    """The plan is valid, but has no pool of the VPC CNI over time; ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"simulate: {reason}")
        self.reason = reason


@dataclass(frozen=True)
class PlanCluster:
    """A plan's cluster before anything runs on it.

    Attributes
    ----------
    base : ScenarioState
        The state of ``check`` that it starts from.
    groups : tuple of int
        Of each simulated group its number in the plan.
    nodes : tuple of Counter
        Of each simulated group the nodes by place.
    replicas : tuple of int
        Pods of each workload. [pods]
    """

    cluster: SimulatedCluster
    plan: Plan
    engine: Engine
    base: ScenarioState
    groups: tuple[int, ...]
    nodes: tuple[tuple[tuple[NodePlace, int], ...], ...]
    replicas: tuple[int, ...]
    notes: tuple[str, ...]

    @property
    def largest_zone(self) -> str:
        """The zone with the most nodes; among equals the first in the plan."""
        counts: Counter[str] = Counter()
        for places in self.nodes:
            for place, count in places:
                counts[place.zone] += count
        return max(counts, key=lambda zone: counts[zone])


def check_simulated(settings: CniSettings, env: Mapping[str, str | None]) -> None:
    """Refuse what has no pool of the VPC CNI over time.

    Raises
    ------
    NotSimulated
        Another CNI, or one whose variables leave the pool to somebody else.
    """
    if settings.cni in NOT_SIMULATED:
        raise NotSimulated(NOT_SIMULATED[settings.cni])
    for name in NO_PROVISIONING:
        if parse_env_switch(name, env.get(name))[0]:
            raise NotSimulated(f"with {name} the CNI does not change its pool: there is nothing to simulate")


def plan_cluster(plan: Plan, base: str, inputs: SimulationInputs, random: Random) -> PlanCluster:
    """The cluster of a plan in the state ``steady``, ``peak`` or ``ceiling``."""
    env = dict(plan.cni.env)
    check_simulated(plan.cni.settings, env)
    engine = engine_of(plan, Reuse())
    state = engine.at_rest(base)
    spaces = {subnet.name: address_space(subnet, random) for subnet in plan.subnets}
    groups = tuple(i for i, shape in enumerate(engine.shapes) if is_simulated(shape))
    notes = [
        f"{shape.group.name}: {_why_static(shape)}; its addresses stay as in check"
        for i, shape in enumerate(engine.shapes)
        if i not in groups
    ]
    notes += notes_on(plan.cni.settings, env)
    _occupy(state, spaces, groups)
    sources, nodes = [], []
    for i in groups:
        places = {slot: node_place(slot, spaces) for slot in engine.slots[i]}
        counts = _nodes_by_slot(state.groups[i])
        sources.append(node_source(plan, engine.shapes[i], tuple(places.values()), base))
        nodes.append(tuple((places[slot], counts[slot]) for slot in places))
    works, replicas = [], []
    for w, workload in enumerate(plan.workloads):
        mine = tuple(groups.index(g) for g in engine.allowed[w] if g in groups)
        works.append(pod_source(workload, engine.pods[w], mine))
        replicas.append(engine.demand(base).replicas[w] if mine else 0)
    if not groups:
        raise NotSimulated("the plan has no node group whose nodes run the VPC CNI")
    cluster = SimulatedCluster(sources, works, list(spaces.values()), inputs.api(random), inputs.pace, random)
    return PlanCluster(cluster, plan, engine, state, groups, tuple(nodes), tuple(replicas), tuple(notes))


def notes_on(settings: CniSettings, env: Mapping[str, str | None]) -> list[str]:
    """What of a CNI's settings is simulated in part only."""
    notes = []
    if settings.ipv6:
        notes.append("IPv6: each node gets one prefix when it starts; it has no pool, and no pod waits for an address")
    if parse_env_switch(MULTI_NIC, env.get(MULTI_NIC))[0]:
        notes.append(f"{MULTI_NIC}: the default network card is simulated, other cards are left out")
    return notes


def is_simulated(shape: GroupShape) -> bool:
    """Whether a group's nodes run ipamd."""
    return not (shape.group.fargate or shape.group.windows or shape.first.settings.cni in NOT_SIMULATED)


def _why_static(shape: GroupShape) -> str:
    if shape.group.fargate:
        return "Fargate pods have no pool"
    return "the VPC resource controller serves Windows nodes" if shape.group.windows else "its CNI is not simulated"


def address_space(subnet: Subnet, random: Random) -> AddressSpace:
    """A subnet of the plan with its reservations; single addresses are picked at random, as EC2 does."""
    first = int(subnet.cidr.network_address)
    space = AddressSpace(subnet.total, first=first, name=subnet.name, random=random)
    for reservation in subnet.reservations:
        at = int(reservation.cidr.network_address) - first
        if reservation.type == "prefix":
            space.keep_for_prefixes(range(at, at + reservation.cidr.num_addresses))
        else:
            space.occupy(range(at, at + reservation.cidr.num_addresses))
    return space


def _occupy(state: ScenarioState, spaces: dict[str, AddressSpace], groups: Sequence[int]) -> None:
    """What the simulation does not move: tenants, the control plane, ``used``, and groups without a pool.

    It lies in one piece at the start of each subnet, as ``check`` counts free prefixes.
    """
    fixed: Counter[str] = Counter()
    for ledger in state.subnets:
        fixed[ledger.subnet.name] += sum(ledger.used[holder] for holder in GROUPS["others"])
    for i, group in enumerate(state.groups):
        if i not in groups:
            for c in group.classes:
                fixed[c.slot.subnet] += c.count * group.shape.node_addresses
                fixed[c.slot.address_subnet] += c.count * (group.shape.first.demand(c.vpc_pods) + c.branch_pods)
    for name, count in fixed.items():
        space = spaces[name]
        space.occupy(range(RESERVED_FIRST, space.size), count)


def _nodes_by_slot(group: GroupState) -> Counter[Slot]:
    counts: Counter[Slot] = Counter()
    for c in group.classes:
        counts[c.slot] += c.count
    return counts


def node_place(slot: Slot, spaces: dict[str, AddressSpace]) -> NodePlace:
    """A place of check as one of the simulation."""
    home = spaces[slot.subnet]
    if slot.choices:
        names = [slot.subnet] if slot.subnet in slot.choices else []
        names += [name for name in slot.choices if name not in names]
        return NodePlace(slot.zone, home, spaces[names[0]], tuple(spaces[name] for name in names[1:]))
    return NodePlace(slot.zone, home, spaces[slot.address_subnet])


def node_setup_of(shape: GroupShape, env: dict[str, str | None]) -> NodeSetup:
    """The rules of one group's nodes."""
    on = shape.first
    kind, settings, limits = on.instance_type, on.settings, on.limits
    limit = kind.max_enis
    assert limit is not None  # a plan with such a type is refused by check
    return NodeSetup(
        settings=settings,
        discovery=subnet_discovery_switch(env)[0],
        cooldown=1000 * cooldown_seconds(env),
        eni_limit=min(limit, settings.max_eni or limit),
        type_enis=limit,
        per_eni=0 if settings.ipv6 else int(limits.k),
        max_pods=on.max_pods,
        unmanaged=limits.unmanaged,
        trunk_slot=settings.pod_eni and kind.trunk_slot,
        trunking=settings.pod_eni and bool(kind.trunking),
        end=inf,
        idle_primary=bool(limits.idle_primary),
        manages_unschedulable=manages_unschedulable(env),
    )


def node_source(plan: Plan, shape: GroupShape, places: tuple[NodePlace, ...], base: str) -> NodeSource:
    """A node group of the plan."""
    group = shape.group
    fixed = not group.autoscaled and base != "ceiling"
    return NodeSource(
        name=group.name,
        setup=node_setup_of(shape, dict(plan.cni.env)),
        room=shape.first.room,
        start=shape.first.start,
        places=places,
        daemons=shape.first.daemon_pods,
        least=group.min_nodes,
        most=group.min_nodes if fixed else shape.most_nodes,
        cordons=group.provisioner not in ("karpenter", "auto"),
    )


def pod_source(workload: Workload, shape: PodShape, groups: tuple[int, ...]) -> PodSource:
    """A workload of the plan, with what its rolling update allows: surge rounded up, unavailable rounded down."""
    most = workload.max_unavailable
    unavailable = most if isinstance(most, int) else int(most * workload.replicas)
    surge = surge_pods(workload, workload.replicas)
    if not surge and not unavailable:
        unavailable = 1  # the API allows no rolling update without either
    return PodSource(workload.name, shape, groups, ceil(surge), unavailable)
