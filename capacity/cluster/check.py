"""The check of a plan: its scenarios, their verdicts, and how far the subnets reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from capacity.cluster.demand import peak, steady
from capacity.cluster.engine import Engine
from capacity.cluster.events import EVENTS
from capacity.cluster.runway import Runway, runways
from capacity.cluster.scenario import ScenarioState
from capacity.cluster.shape import GroupShape, group_shapes, implied_daemons, network_daemons
from capacity.spec.discovery import closed_homes
from capacity.spec.document import collector_paused
from capacity.spec.plan import NodeGroup, Plan, ScenarioSpec
from capacity.spec.scenarios import scenario_option
from capacity.vpc.ledger import worst


@dataclass(frozen=True)
class CheckResult:
    """Everything ``check`` found out about a plan.

    Attributes
    ----------
    verdict : str
        The worst of all scenarios: ``ok``, ``tight`` or ``exhausted``.
    scenarios : tuple of ScenarioState
        In the order asked for.
    runway : tuple of Runway
        One per subnet, from ``steady``.
    notes : tuple of str
        Assumptions that moved the answer, to be said with it.
    specs : tuple of ScenarioSpec
        What was asked for, so that a changed plan can be checked in the same.
    """

    plan: Plan
    shapes: tuple[GroupShape, ...]
    verdict: str
    scenarios: tuple[ScenarioState, ...]
    runway: tuple[Runway, ...]
    notes: tuple[str, ...]
    specs: tuple[ScenarioSpec, ...] = ()


@collector_paused()
def check(plan: Plan, scenarios: Sequence[str | ScenarioSpec] | None = None) -> CheckResult:
    """Answer "will we run out of IPs?" for a plan.

    Parameters
    ----------
    scenarios : sequence of str or ScenarioSpec, optional
        Names (``peak``, ``upgrade+zone-loss``, ``burst:nodes=20``); without it those of the plan, and
        where it names none, all that the plan can feed.

    Raises
    ------
    SpecError
        A scenario or an option of one that does not exist.
    """
    shapes = group_shapes(plan)
    engine = Engine(plan, shapes)
    specs = [scenario_option(s, plan) if isinstance(s, str) else s for s in scenarios or ()]
    specs = specs or list(plan.checks.scenarios) or default_scenarios(plan)
    states = tuple(state for spec in dict.fromkeys(specs) for state in run_scenario(engine, spec))
    return CheckResult(
        plan=plan,
        shapes=shapes,
        verdict=worst([s.verdict for s in states]),
        scenarios=states,
        runway=runways(engine.run(steady(plan))),
        notes=(*plan.notes, *assumptions(plan, shapes)),
        specs=tuple(specs),
    )


def default_scenarios(plan: Plan) -> list[ScenarioSpec]:
    """What a plan can feed without options of its own."""
    names = ["steady", "peak"]
    if any(w.replicas and w.max_surge for w in plan.workloads):
        names.append("rollout")
    if any(g.provisioner not in ("self-managed", "fargate") for g in plan.node_groups) or plan.control_plane:
        names.append("upgrade")
    if len(zones_with_nodes(plan)) > 1:
        names.append("zone-loss")
    return [ScenarioSpec(name) for name in names]


def zones_with_nodes(plan: Plan) -> list[str]:
    """Zones in which some node group has a subnet, in the order of the subnets."""
    named = {name for group in plan.node_groups for name in group.subnets}
    return list(dict.fromkeys(s.zone for s in plan.subnets if s.name in named))


def run_scenario(engine: Engine, spec: ScenarioSpec) -> list[ScenarioState]:
    """The states of one scenario: one, or one per lost zone."""
    if "zone-loss" in spec.parts and spec.zone is None:
        zones = zones_with_nodes(engine.plan)
        return [state for zone in zones for state in run_scenario(engine, replace(spec, zone=zone))]
    base = (peak if "peak" in spec.parts else steady)(engine.plan)
    events = [part for part in spec.parts if part in EVENTS]
    if not events:
        return [replace(engine.run(base), name=spec.name)]
    fleet = engine.fleet(base).copy()
    rules = [EVENTS[part](engine, fleet, spec) for part in events]
    if base.name == "peak":
        rules.insert(0, "from peak")
    return [engine.settle(spec.name, "; ".join(rules), fleet, variant_of(spec))]


def variant_of(spec: ScenarioSpec) -> str:
    """What tells this one of several scenarios of its name."""
    return spec.zone if "zone-loss" in spec.parts and spec.zone else ""


def _closed_homes(plan: Plan, group: NodeGroup) -> Iterator[str]:
    closed = closed_homes(plan, group)
    if closed:
        text = f"{group.name}: {', '.join(closed[:4])} closed to pods by tag, so primary ENIs there serve none"
        text += "; max pods does not follow by itself" if group.max_pods is None else ""
        yield text + ("; counted so for all nodes of the group" if len(closed) < len(group.subnets) else "")


def assumptions(plan: Plan, shapes: Sequence[GroupShape]) -> list[str]:
    """What was assumed because the plan does not say it."""
    notes = [note for shape in shapes for note in shape.platform.notes]
    if not plan.tenants:
        notes.append("no tenants in the plan: no addresses are booked for load balancers, endpoints or NAT gateways")
    notes += [note for group in plan.node_groups for note in _closed_homes(plan, group)]
    if any(s.clusters for s in plan.subnets) and not plan.cni.env.get("CLUSTER_NAME"):
        notes.append(
            "subnets have cluster tags, but cni.env has no CLUSTER_NAME: as the CNI then does, all are taken as ours"
        )
    implied = dict.fromkeys(n for g in plan.node_groups for n in implied_daemons(plan, g))
    if implied:
        verb = "runs" if len(implied) == 1 else "run"
        which = "every Linux node" if any(g.windows for g in plan.node_groups) else "every node"
        notes.append(f"{' and '.join(implied)} {verb} on {which}, on the node's address, with requests of 0")
    if plan.cni.settings.cilium is not None and "kube-proxy" in implied:
        notes.append("Cilium can replace kube-proxy: then one pod less runs on every node than is counted")
    own = [d.name for d in plan.daemon_sets if d.name in network_daemons(plan) and not d.host_network]
    notes += [f"{name} is without hostNetwork: true in the plan: an address is counted for each" for name in own]
    return list(dict.fromkeys(notes))
