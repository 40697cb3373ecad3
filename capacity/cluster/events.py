"""Applies events to a cluster: rollouts, upgrades, a lost zone, bursts, replacements.

Each event changes a fleet and returns its rule: one line that states the assumptions. Everything that
held an address before the event still holds it; see :mod:`capacity.cluster.fleet`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import ceil

from capacity.cluster.control_plane import CONTROL_PLANE_UPDATE
from capacity.cluster.engine import Engine
from capacity.cluster.fleet import Extra, Fleet
from capacity.cluster.scenario import ScenarioState
from capacity.cluster.spread import even_shares
from capacity.plan.model import NodeGroup, Workload
from capacity.plan.scenario_spec import ScenarioSpec
from capacity.units import counted

# Default disruption budget of a NodePool; karpenter.sh/docs/concepts/disruption ("nodes: 10%"), rounded up.
KARPENTER_BUDGET = Fraction(1, 10)
NOT_UPDATED = ("self-managed", "fargate")  # provisioners whose nodes an upgrade does not replace

Event = Callable[[Engine, Fleet, ScenarioSpec], str]


def surge_pods(workload: Workload, replicas: int) -> int:
    """Pods above its replicas that a rolling update can run: maxSurge, a percentage rounded up. [pods]

    Source
    ------
    kubernetes/kubernetes pkg/controller/deployment/util/deployment_util.go ResolveFenceposts.
    """
    surge = workload.max_surge
    return surge if isinstance(surge, int) else ceil(surge * replicas)


def surge_nodes(zones: int, max_unavailable: int) -> int:
    """Nodes that a managed node group's update adds first: twice its zones, or maxUnavailable if more. [nodes]

    Source
    ------
    awsdocs/amazon-eks-user-guide@4d52b4d nodes/managed-node-update-behavior.adoc L22, L32-37.

    >>> surge_nodes(3, 1), surge_nodes(2, 10)
    (6, 10)
    """
    return max(2 * zones, max_unavailable)


def unavailable_nodes(group: NodeGroup, nodes: int) -> int:
    """Nodes of a managed group that can drain at the same time: maxUnavailable, a percentage rounded up, at most 100.
    [nodes]

    It can be more than the group has; the surge of the update follows it anyway.
    """
    most = group.max_unavailable
    return min(most if isinstance(most, int) else ceil(most * nodes), 100)


def rollout(_engine: Engine, fleet: Fleet, spec: ScenarioSpec) -> str:
    """Add the surge pods of deployments to the pods they replace."""
    surge = {
        w.name: surge_pods(w, n)
        for w, n in zip(fleet.plan.workloads, fleet.replicas, strict=True)
        if n and spec.workload in (None, w.name)
    }
    what = "every deployment rolls out at the same time"
    if spec.workload:
        what = f"{spec.workload} rolls out"
    elif spec.mode == "one" and surge:
        largest = max(surge, key=lambda name: surge[name])
        surge, what = {largest: surge[largest]}, f"one deployment at a time: {largest}, with the most surge pods"
    fleet.place_surge(surge)
    total = sum(surge.values())
    pods = counted(total, "surge pod")
    return f"{what}: {pods} (maxSurge, rounded up) in addition to the old ones; nodes are added for them up to max"


def upgrade(engine: Engine, fleet: Fleet, spec: ScenarioSpec) -> str:
    """Rolling update of the nodes, with the control plane's additional ENIs."""
    fleet.update_room = _update_room(engine, fleet)
    said = [_update_group(fleet, i, spec) for i in _groups(fleet, spec)]
    places = fleet.plan.control_plane or ()
    for name, count in zip(places, even_shares(CONTROL_PLANE_UPDATE, len(places)) if places else [], strict=True):
        why = f"control-plane update: up to {CONTROL_PLANE_UPDATE} additional addresses over {len(places)} subnets"
        fleet.extras.append(Extra(name, "control_plane", count, 0, CONTROL_PLANE_UPDATE, why))
    parts = [s for s in said if s] or ["no nodes to update"]
    plane = f"; control plane + {CONTROL_PLANE_UPDATE}" if places else ""
    return f"old nodes keep their addresses while they drain: {', '.join(_few(parts))}{plane}"


def _update_room(engine: Engine, fleet: Fleet) -> dict[str, int]:
    """Free addresses in each cluster subnet before the update starts, without reservations. [addresses]"""
    places = fleet.plan.control_plane
    if not places:
        return {}
    before = engine.at_rest(fleet.base) if fleet.at_rest else engine.settle("", "", fleet)
    free = {s.subnet.name: s.free - s.free_reserved for s in before.subnets}
    return {name: free[name] for name in places}


def _update_group(fleet: Fleet, group: int, spec: ScenarioSpec) -> str:
    own = fleet.shapes[group].group
    nodes = fleet.open_nodes(group)
    if not nodes or own.provisioner in NOT_UPDATED:
        return ""
    at_once = unavailable_nodes(own, nodes)
    replaced = own.provisioner in ("karpenter", "auto")
    if replaced:
        at_once = added = ceil(KARPENTER_BUDGET * nodes)
    elif (spec.strategy or own.update_strategy) == "minimal":
        added = 0
    else:
        added = surge_nodes(len(fleet.open_zones(group)), at_once)
    drained = min(at_once, nodes)
    fleet.add(group, added, anywhere=replaced)
    moved = fleet.close(group, drained)
    fleet.place_all(moved, [group])
    return f"{own.name} + {counted(added, 'node')}, {drained:,} draining"


def zone_loss(engine: Engine, fleet: Fleet, spec: ScenarioSpec) -> str:
    """Lose a zone: its nodes restart in the other zones and its pods move there, also in other clusters."""
    zone = spec.zone
    assert zone is not None
    fleet.lost.add(zone)
    moved: dict[str, int] = {}
    nodes = 0
    for group in range(len(fleet.shapes)):
        lost = sum(
            n for slot, n in zip(fleet.slots[group], fleet.open_by_slot(group), strict=True) if slot.zone == zone
        )
        for name, pods in fleet.close(group, lost, zone).items():
            moved[name] = moved.get(name, 0) + pods
        fleet.add(group, lost)
        nodes += lost + fleet.restart_beside(group, zone)
    fleet.place_all(moved, range(len(fleet.shapes)))
    others = [t for t in fleet.plan.tenants if t.plan]
    if others:
        event = f"loses {zone}"
        fleet.neighbours = engine.neighbours(fleet.base, lambda other, its: zone_loss(other, its, spec), event)
    too = f", as do those of {', '.join(_few([t.name for t in others]))}" if others else ""
    pods = sum(moved.values())
    start, move = "starts" if nodes == 1 else "start", "moves" if pods == 1 else "move"
    return (
        f"{zone} is lost: its {counted(nodes, 'node')} {start} again in the other zones of their groups and its "
        f"{counted(pods, 'pod')} {move} there{too}; its addresses stay reserved"
    )


def burst(engine: Engine, fleet: Fleet, spec: ScenarioSpec) -> str:
    """Launch nodes at the same time, each filled like the fullest node of its group."""
    groups = [g for g in _groups(fleet, spec) if fleet.open_zones(g)]
    if not groups:
        return "no node group to start nodes in"
    shapes = fleet.shapes
    group = max(groups, key=lambda g: shapes[g].node_addresses + shapes[g].first.demand(fleet.fullest(g).vpc_pods))
    state, kind = fleet.fullest(group), fleet.filled_like_fullest(group)
    zone = subnet = None
    if spec.spread == "worst":

        def outcome(candidate: str) -> ScenarioState:
            trial = fleet.copy()
            trial.add_beside(group, state, trial.shares(group, spec.nodes, kind, candidate))
            return engine.settle("", "", trial)

        zone = engine.worst_zone(group, fleet.open_zones(group), outcome)
    elif spec.spread == "one":
        free = {s.subnet.name: s.free for s in engine.settle("", "", fleet).subnets}
        slots = [s for s in fleet.slots[group] if s.zone not in fleet.lost]
        slot = max(slots, key=lambda s: free[s.subnet])
        zone, subnet = slot.zone, slot.subnet
    fleet.add_beside(group, state, fleet.shares(group, spec.nodes, kind, zone, subnet))
    where = f", all in {subnet}, which has the most free addresses" if subnet else f", all in {zone}" if zone else ""
    name = fleet.shapes[group].group.name
    more = counted(spec.nodes, "more node")
    return f"{more} of {name} at the same time, each filled like its fullest{where or ', evenly over its zones'}"


def blue_green(_engine: Engine, fleet: Fleet, spec: ScenarioSpec) -> str:
    """Add a second set of nodes to each group, with the same pods again."""
    groups = list(_groups(fleet, spec))
    for group in groups:
        fleet.batches[group] += [batch for batch in fleet.batches[group] if not batch.filled]
        for (slot, state), nodes in fleet.placement.groups[group].classes.items():
            fleet.add_beside(group, state, {slot: nodes})
        vpc, branch, every = fleet.before[group]
        fleet.before[group] = (2 * vpc, 2 * branch, 2 * every)
    names = ", ".join(_few([fleet.shapes[g].group.name for g in groups]))
    return f"{names}: a second set of nodes with the same pods runs in addition to the first, which keeps its addresses"


def spot_storm(_engine: Engine, fleet: Fleet, spec: ScenarioSpec) -> str:
    """Replace a share of the nodes at the same time while the old ENIs still hold their addresses."""
    moved: dict[str, int] = {}
    count = 0
    groups = list(_groups(fleet, spec))
    for group in groups:
        taken = ceil(spec.share * fleet.open_nodes(group))
        for name, pods in fleet.close(group, taken).items():
            moved[name] = moved.get(name, 0) + pods
        fleet.add(group, taken)
        count += taken
    fleet.place_all(moved, groups)
    share = f"{float(100 * spec.share):g}%"
    return (
        f"{share} of the nodes of each group ({count:,}) are replaced at the same time; the old ENIs still hold "
        "their addresses"
    )


def _groups(fleet: Fleet, spec: ScenarioSpec) -> Iterable[int]:
    return [i for i, s in enumerate(fleet.shapes) if spec.group in (None, s.group.name) and not s.group.fargate]


def _few(parts: list[str]) -> list[str]:
    return parts if len(parts) <= 4 else [*parts[:3], f"and {len(parts) - 3} more"]


EVENTS: dict[str, Event] = {
    "rollout": rollout,
    "upgrade": upgrade,
    "zone-loss": zone_loss,
    "burst": burst,
    "blue-green": blue_green,
    "spot-storm": spot_storm,
}
