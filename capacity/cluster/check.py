"""Checks a plan: its scenarios, their verdicts, and the runway of its subnets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from capacity.cluster.alternatives import HarmfulType, harmful_types
from capacity.cluster.booking import Counted
from capacity.cluster.engine import Engine
from capacity.cluster.events import EVENTS, NOT_UPDATED
from capacity.cluster.fleet import Fleet
from capacity.cluster.group_shapes import implied_daemons, network_daemons
from capacity.cluster.parts import independent, part_of
from capacity.cluster.reuse import Reuse
from capacity.cluster.runway import Runway, runways
from capacity.cluster.scenario import ScenarioState
from capacity.cluster.shape import GroupShape
from capacity.errors import SpecError, check_each, check_kind, did_you_mean
from capacity.plan.constants import CILIUM
from capacity.plan.discovery import closed_of
from capacity.plan.document import collector_paused
from capacity.plan.model import Plan
from capacity.plan.scenario_spec import ScenarioSpec
from capacity.plan.scenarios import scenario_option
from capacity.vpc.ledger import worst

_T = TypeVar("_T")


@dataclass(frozen=True, repr=False)
class CheckResult:
    """The result of ``check``.

    Attributes
    ----------
    verdict : str
        The worst of all scenarios: ``ok``, ``tight`` or ``exhausted``.
    scenarios : tuple of ScenarioState
        In the requested order.
    runway : tuple of Runway
        One per subnet, from ``steady``.
    notes : tuple of str
        Assumptions that affect the answer, to show with it.
    specs : tuple of ScenarioSpec
        The requested scenarios, so that a changed plan can be checked in the same ones.
    harmful : tuple of HarmfulType
        Allowed types that would exhaust the plan; empty if it is already exhausted.
    blocked : tuple of str
        Messages of findings of severity error: problems that no number of addresses resolves.
    reuse : Reuse
        Cached results for checks of similar plans.
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
        """A scenario by its name, or by name and variant if it has several: ``zone-loss (us-east-1a)``.

        Raises
        ------
        SpecError
            The plan was not checked in that scenario, or in several variants of it.
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
    """The addresses, nodes and pods of a plan in each scenario, before the findings of
    :func:`capacity.advice.judge.check`.

    Raises
    ------
    SpecError
        An unknown scenario or option.
    """
    if isinstance(scenarios, str):
        raise SpecError(f"scenarios: {scenarios!r} is a single string (expected a list of names: [{scenarios!r}])")
    if scenarios is not None:
        check_each("scenarios", scenarios, (str, ScenarioSpec), "a list of names, such as ['steady', 'peak']")
    if reuse is not None:
        check_kind("reuse", reuse, Reuse, "the reuse of an earlier result")
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
    """The engine of a plan, with cached results of other engines."""
    return Engine(plan, reuse.shapes(plan), reuse)


def nodes_in(
    plan: Plan, specs: Sequence[ScenarioSpec], groups: Collection[str], reuse: Reuse
) -> list[tuple[str, dict[str, int]]]:
    """Nodes of some groups outside lost zones, in some scenarios by name, without the rest of a check. [nodes]"""
    part = part_of(plan, [i for i, g in enumerate(plan.node_groups) if g.name in groups], reuse.load(plan))
    whole, reduced = engine_of(plan, reuse), engine_of(part, reuse) if part else None
    found = []
    for spec in dict.fromkeys(specs):
        engine = reduced if reduced is not None and independent(spec) else whole
        nodes = [(i, s.group.name) for i, s in enumerate(engine.shapes) if s.group.name in groups]
        fleets = [fleet_after(engine, single)[0] for single in singles(plan, spec)]
        found += [(spec.name, {name: fleet.nodes_left(i) for i, name in nodes}) for fleet in fleets]
    return found


def has_pods(plan: Plan) -> bool:
    """Whether any workload has a replica, now or at its maximum; without one there is no verdict."""
    return any(w.max_replicas for w in plan.workloads)


def default_scenarios(plan: Plan, shapes: Sequence[GroupShape]) -> list[ScenarioSpec]:
    """The scenarios that a plan supports without options."""
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
    """The states of one scenario: a single one, or one per lost zone."""
    return [_state(engine, single) for single in singles(engine.plan, spec)]


def singles(plan: Plan, spec: ScenarioSpec) -> list[ScenarioSpec]:
    """The scenario itself, or one scenario per zone if it loses any zone."""
    if "zone-loss" in spec.parts and spec.zone is None:
        return [replace(spec, zone=zone) for zone in zones_with_nodes(plan)]
    return [spec]


def _state(engine: Engine, spec: ScenarioSpec) -> ScenarioState:
    if not set(spec.parts) & EVENTS.keys():
        state = engine.at_rest(_base(spec))
        return _counted(state if state.name == spec.name else replace(state, name=spec.name), spec)
    fleet, rule = fleet_after(engine, spec)
    return _counted(engine.settle(spec.name, rule, fleet, variant_of(spec)), spec)


def state_unless(
    engine: Engine, spec: ScenarioSpec, refused: Callable[[Fleet, Counted], _T | None]
) -> ScenarioState | _T:
    """The state of a scenario that loses at most one zone, or what is wrong there.

    Parameters
    ----------
    refused : callable
        Finds what is wrong with the fleet after the events and its counted addresses, before every subnet is settled;
        None if it finds nothing.
    """
    if set(spec.parts) & EVENTS.keys():
        fleet, rule = fleet_after(engine, spec)
        counted = engine.count(fleet)
        found = refused(fleet, counted)
        return found or _counted(engine.settle(spec.name, rule, fleet, variant_of(spec), counted), spec)
    base = _base(spec)
    fleet = engine.fleet(engine.demand(base))
    counted = engine.count(fleet)
    found = refused(fleet, counted)
    if found:
        return found
    engine.at_rest(base, counted)  # kept, because several scenarios start from it
    return _state(engine, spec)


def _base(spec: ScenarioSpec) -> str:
    return next((name for name in ("ceiling", "peak") if name in spec.parts), "steady")


def fleet_after(engine: Engine, spec: ScenarioSpec) -> tuple[Fleet, str]:
    """The nodes and pods after the events of a scenario that loses at most one zone, and the assumptions."""
    base = _base(spec)
    fleet = engine.fleet(engine.demand(base)).copy()
    rules = [] if base == "steady" else [f"from {base}"]
    for part in spec.parts:
        if part in EVENTS:
            rules.append(EVENTS[part](engine, fleet, spec))
            fleet.at_rest = False
    return fleet, "; ".join(rules)


def _counted(state: ScenarioState, spec: ScenarioSpec) -> ScenarioState:
    """The state as it counts for the plan: a scenario that was not requested by name is at most tight."""
    if not spec.advisory:
        return state
    state = replace(state, advisory=True)
    return replace(state, verdict=state.weighed(state.verdict))


def variant_of(spec: ScenarioSpec) -> str:
    """The variant that distinguishes scenarios of the same name."""
    return spec.zone if "zone-loss" in spec.parts and spec.zone else ""


def _closed_homes(plan: Plan, shape: GroupShape) -> Iterator[str]:
    group, closed = shape.group, closed_of(plan, shape.choices)
    if closed:
        text = (
            f"{group.name}: {', '.join(closed[:4])} is closed to pods by tag, so primary ENIs there have no "
            "pod addresses"
        )
        text += "; max pods does not change automatically" if group.max_pods is None else ""
        yield text + ("; assumed for all nodes of the group" if len(closed) < len(group.subnets) else "")


def assumptions(plan: Plan, shapes: Sequence[GroupShape]) -> list[str]:
    """The assumptions for values that the plan does not set."""
    notes = [note for shape in shapes for note in shape.platform.notes]
    notes += [f"{s.group.name}: the figures use {s.first.instance_type.name}, {s.why}" for s in shapes if s.why]
    if not plan.tenants:
        notes.append("the plan has no tenants: no addresses are counted for load balancers, endpoints or NAT gateways")
    notes += [note for shape in shapes for note in _closed_homes(plan, shape)]
    if any(s.clusters for s in plan.subnets) and not plan.cni.env.get("CLUSTER_NAME"):
        notes.append(
            "subnets have cluster tags, but cni.env has no CLUSTER_NAME: like the CNI, capacity treats every "
            "tagged subnet as this cluster's"
        )
    implied = dict.fromkeys(n for g in plan.node_groups for n in implied_daemons(plan, g))
    if implied:
        verb = "runs" if len(implied) == 1 else "run"
        which = "every Linux node" if any(g.windows for g in plan.node_groups) else "every node"
        notes.append(f"{' and '.join(implied)} {verb} on {which} (host network, no resource requests)")
    if plan.cni.settings.cni == CILIUM and "kube-proxy" in implied:
        notes.append("Cilium can replace kube-proxy: every node then runs one pod fewer than counted")
    own = [d.name for d in plan.daemon_sets if d.name in network_daemons(plan) and not d.host_network]
    notes += [f"{name} has no hostNetwork: true in the plan, so each of its pods has an address" for name in own]
    return list(dict.fromkeys(notes))


def check_result(value: object, what: str = "result") -> None:
    """Refuse a value that is not a :class:`CheckResult`."""
    check_kind(what, value, CheckResult, "a CheckResult, as returned by check")
