"""The check of a plan: its scenarios, their verdicts, and how far the subnets reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from capacity.cluster.alternatives import HarmfulType, harmful_types
from capacity.cluster.engine import Engine
from capacity.cluster.events import EVENTS, NOT_UPDATED
from capacity.cluster.fleet import Fleet
from capacity.cluster.reuse import Reuse
from capacity.cluster.runway import Runway, runways
from capacity.cluster.scenario import ScenarioState
from capacity.cluster.shape import GroupShape, implied_daemons, network_daemons
from capacity.errors import SpecError, check_kind, did_you_mean
from capacity.plan.discovery import closed_of
from capacity.plan.document import collector_paused
from capacity.plan.model import Plan, ScenarioSpec
from capacity.plan.scenarios import scenario_option
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
    harmful : tuple of HarmfulType
        Types that a group may also get and with which the plan would be exhausted; empty where it is so already.
    blocked : tuple of str
        What cannot work whatever the addresses: the messages of findings of severity error.
    reuse : Reuse
        What checks of like plans need not work out again.
    """

    plan: Plan
    shapes: tuple[GroupShape, ...]
    verdict: str
    scenarios: tuple[ScenarioState, ...]
    runway: tuple[Runway, ...]
    notes: tuple[str, ...]
    specs: tuple[ScenarioSpec, ...] = ()
    harmful: tuple[HarmfulType, ...] = ()
    blocked: tuple[str, ...] = ()
    reuse: Reuse = field(default_factory=Reuse, repr=False, compare=False)

    def __getitem__(self, title: str) -> ScenarioState:
        """A scenario by its name, or by name and variant where it has several: ``zone-loss (us-east-1a)``.

        Raises
        ------
        SpecError
            The plan was not checked in such a scenario, or in several variants of it.
        """
        check_kind("scenario", title, str, "its name, such as 'peak'; by position: .scenarios[0]")
        named = [s for s in self.scenarios if title in (s.title, s.name)]
        if len(named) == 1:
            return named[0]
        titles = [s.title for s in named or self.scenarios]
        why = "has several variants" if named else f"was not checked{did_you_mean(title, titles)}"
        raise SpecError(f"scenario {title!r} {why} (checked: {', '.join(titles)})")

    def __repr__(self) -> str:
        return f"<CheckResult of {self.plan.name or 'a plan'}: {self.verdict}, {len(self.scenarios)} scenarios>"


@collector_paused()
def check(plan: Plan, scenarios: Sequence[str | ScenarioSpec] | None = None, reuse: Reuse | None = None) -> CheckResult:
    """The addresses, nodes and pods of a plan in each scenario; :func:`capacity.advice.judge.check` has the last word.

    Raises
    ------
    SpecError
        A scenario or an option of one that does not exist.
    """
    if isinstance(scenarios, str):
        raise SpecError(f"scenarios: {scenarios!r} is one text (expected a list of names: [{scenarios!r}])")
    engine = engine_of(plan, Reuse() if reuse is None else reuse)
    shapes = engine.shapes
    specs = [scenario_option(s, plan) if isinstance(s, str) else s for s in scenarios or ()]
    specs = specs or list(plan.checks.scenarios) or default_scenarios(plan, shapes)
    states = tuple(state for spec in dict.fromkeys(specs) for state in run_scenario(engine, spec))
    verdict = worst([s.verdict for s in states])
    harmful = harmful_types(engine, specs, run_scenario) if verdict != "exhausted" else ()
    return CheckResult(
        plan=plan,
        shapes=shapes,
        verdict=worst([verdict, "tight" if harmful or not has_pods(plan) else "ok"]),
        scenarios=states,
        runway=runways(engine.at_rest("steady")),
        notes=(*plan.notes, *assumptions(plan, shapes)),
        specs=tuple(specs),
        harmful=harmful,
        reuse=engine.reuse,
    )


def engine_of(plan: Plan, reuse: Reuse) -> Engine:
    """A plan made ready, with what others have worked out."""
    return Engine(plan, reuse.shapes(plan), reuse)


def states_of(plan: Plan, specs: Sequence[ScenarioSpec], reuse: Reuse) -> tuple[ScenarioState, ...]:
    """The states of some scenarios, and nothing else of a check."""
    engine = engine_of(plan, reuse)
    return tuple(state for spec in dict.fromkeys(specs) for state in run_scenario(engine, spec))


def nodes_in(plan: Plan, specs: Sequence[ScenarioSpec], reuse: Reuse) -> list[tuple[str, list[int]]]:
    """The nodes of every group outside lost zones in some scenarios by name, and nothing else of a check. [nodes]"""
    engine = engine_of(plan, reuse)
    every = [single for spec in dict.fromkeys(specs) for single in singles(plan, spec)]
    fleets = [(spec.name, fleet_after(engine, spec)[0]) for spec in every]
    return [(name, [fleet.nodes_left(group) for group in range(len(engine.shapes))]) for name, fleet in fleets]


def has_pods(plan: Plan) -> bool:
    """Whether any workload has a replica, now or at its maximum: without one nothing is judged."""
    return any(w.max_replicas for w in plan.workloads)


def default_scenarios(plan: Plan, shapes: Sequence[GroupShape]) -> list[ScenarioSpec]:
    """What a plan can feed without options of its own."""
    rolls = any(w.max_replicas and w.max_surge for w in plan.workloads)
    updates = bool(plan.control_plane) or any(g.provisioner not in NOT_UPDATED for g in plan.node_groups)
    zones = len(zones_with_nodes(plan)) > 1
    fed = {
        "steady": True,
        "peak": True,
        "ceiling": any(s.group.autoscaled and s.most_nodes is not None for s in shapes),
        "rollout": rolls and any(w.replicas for w in plan.workloads),
        "upgrade": updates,
        "zone-loss": zones,
        "peak+rollout": rolls,
        "peak+zone-loss": zones,
    }
    return [ScenarioSpec(name, advisory=name == "ceiling") for name, is_fed in fed.items() if is_fed]


def zones_with_nodes(plan: Plan) -> list[str]:
    """Zones in which some node group has a subnet, in the order of the subnets."""
    named = {name for group in plan.node_groups for name in group.subnets}
    return list(dict.fromkeys(s.zone for s in plan.subnets if s.name in named))


def run_scenario(engine: Engine, spec: ScenarioSpec) -> list[ScenarioState]:
    """The states of one scenario: one, or one per lost zone."""
    return [_state(engine, single) for single in singles(engine.plan, spec)]


def singles(plan: Plan, spec: ScenarioSpec) -> list[ScenarioSpec]:
    """A scenario, or where it loses any zone one for each."""
    if "zone-loss" in spec.parts and spec.zone is None:
        return [replace(spec, zone=zone) for zone in zones_with_nodes(plan)]
    return [spec]


def _state(engine: Engine, spec: ScenarioSpec) -> ScenarioState:
    if not set(spec.parts) & EVENTS.keys():
        state = engine.at_rest(_base(spec))
        return _counted(state if state.name == spec.name else replace(state, name=spec.name), spec)
    fleet, rule = fleet_after(engine, spec)
    return _counted(engine.settle(spec.name, rule, fleet, variant_of(spec)), spec)


def _base(spec: ScenarioSpec) -> str:
    return next((name for name in ("ceiling", "peak") if name in spec.parts), "steady")


def fleet_after(engine: Engine, spec: ScenarioSpec) -> tuple[Fleet, str]:
    """The nodes and pods after the events of a scenario for one zone at most, and what was assumed."""
    base = _base(spec)
    fleet = engine.fleet(engine.demand(base)).copy()
    rules = [] if base == "steady" else [f"from {base}"]
    for part in spec.parts:
        if part in EVENTS:
            rules.append(EVENTS[part](engine, fleet, spec))
            fleet.at_rest = False
    return fleet, "; ".join(rules)


def _counted(state: ScenarioState, spec: ScenarioSpec) -> ScenarioState:
    """The state as it counts for the plan: what nobody asked for by name is at most tight."""
    if not spec.advisory:
        return state
    state = replace(state, advisory=True)
    return replace(state, verdict=state.weighed(state.verdict))


def variant_of(spec: ScenarioSpec) -> str:
    """What tells this one of several scenarios of its name."""
    return spec.zone if "zone-loss" in spec.parts and spec.zone else ""


def _closed_homes(plan: Plan, shape: GroupShape) -> Iterator[str]:
    group, closed = shape.group, closed_of(plan, shape.choices)
    if closed:
        text = f"{group.name}: {', '.join(closed[:4])} closed to pods by tag, so primary ENIs there serve none"
        text += "; max pods does not follow by itself" if group.max_pods is None else ""
        yield text + ("; counted so for all nodes of the group" if len(closed) < len(group.subnets) else "")


def assumptions(plan: Plan, shapes: Sequence[GroupShape]) -> list[str]:
    """What was assumed because the plan does not say it."""
    notes = [note for shape in shapes for note in shape.platform.notes]
    notes += [f"{s.group.name}: the figures use {s.first.instance_type.name}, {s.why}" for s in shapes if s.why]
    if not plan.tenants:
        notes.append("no tenants in the plan: no addresses are booked for load balancers, endpoints or NAT gateways")
    notes += [note for shape in shapes for note in _closed_homes(plan, shape)]
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
