"""Places that refuse a changed plan: one subnet, or the groups of one workload, checked without the rest of the plan.

A subnet's addresses at rest and after the loss of a zone depend only on the groups with nodes or pods there, and on
the groups that share workloads with them. The same holds for unschedulable pods. So a plan reduced to these groups
and their workloads gives the same figures there, and one place that is not ok is enough to refuse the whole plan.

Not so where groups are connected in other ways: another cluster in shared subnets, the zone of a group with spread
``worst``, ENIs whose subnet the CNI chooses (subnet discovery).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from capacity.cluster.check import engine_of, run_scenario, singles
from capacity.cluster.engine import unplaced_verdict
from capacity.cluster.group_shapes import gives_prefixes
from capacity.cluster.reuse import Reuse
from capacity.cluster.scenario import ScenarioState
from capacity.plan.discovery import choices_by_group
from capacity.plan.model import Plan, ScenarioSpec
from capacity.vpc.ledger import worst

SEPARABLE = {"steady", "peak", "ceiling", "zone-loss"}  # parts of scenarios in which groups are independent
LARGEST_SHARE = 2  # a place with more than one in this many groups saves nothing


@dataclass(frozen=True, slots=True)
class Place:
    """A place that refused a plan: in a scenario, a subnet or the groups of a workload."""

    spec: ScenarioSpec
    subnet: str = ""
    workload: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is wrong in one place of a changed plan.

    Attributes
    ----------
    place : Place
    title : str
        Title of the scenario.
    verdict : str
    short : int
        Addresses missing in the subnet. [addresses]
    pods : int
        Unschedulable pods. [pods]
    lacks_addresses : bool
        Whether more than pods that are unschedulable for other reasons is wrong.
    """

    place: Place
    title: str
    verdict: str
    short: int = 0
    pods: int = 0
    lacks_addresses: bool = True

    @property
    def where(self) -> str:
        """Name of the subnet or workload."""
        return self.place.subnet or self.place.workload


def places_of(spec: ScenarioSpec, state: ScenarioState) -> list[Place]:
    """The places that refuse a state most clearly: its tightest subnet, its workload with most unschedulable pods."""
    if not SEPARABLE.issuperset(spec.parts):
        return []
    found = []
    troubled = [s for s in state.subnets if s.verdict != "ok"]
    if troubled:
        found.append(Place(spec, subnet=min(troubled, key=lambda s: s.free).subnet.name))
    if state.unplaced:
        found.append(Place(spec, workload=max(state.unplaced, key=lambda u: u.pods).workload))
    return found


def refusal(plan: Plan, place: Place, reuse: Reuse) -> Refusal | None:
    """What is wrong with a plan in one place; None if nothing is, or if the place depends on the rest of the plan."""
    part = _part(plan, place, reuse)
    if part is None or place.spec not in set(singles(plan, place.spec)):
        return None
    (state,) = run_scenario(engine_of(part, reuse), place.spec)
    return _of_subnet(place, state) if place.subnet else _of_pods(place, state)


def _of_subnet(place: Place, state: ScenarioState) -> Refusal | None:
    subnet = state.subnet(place.subnet)
    if subnet.verdict == "ok":
        return None
    return Refusal(place, state.title, state.weighed(subnet.verdict), short=max(-subnet.free, 0))


def _of_pods(place: Place, state: ScenarioState) -> Refusal | None:
    mine = [u for u in state.unplaced if u.workload == place.workload]
    if not mine:
        return None
    verdict = state.weighed(worst([unplaced_verdict(u) for u in mine]))
    lacks = any(u.reason == "addresses" for u in mine)
    return Refusal(place, state.title, verdict, pods=sum(u.pods for u in mine), lacks_addresses=lacks)


def _part(plan: Plan, place: Place, reuse: Reuse) -> Plan | None:
    """The plan with the groups on which a place depends, and their workloads."""
    if any(t.plan for t in plan.tenants) or any(g.spread == "worst" for g in plan.node_groups):
        return None
    if place.subnet and (any(choices_by_group(plan)) or place.subnet not in {s.name for s in plan.subnets}):
        return None
    load = reuse.load(plan)
    if place.subnet:
        seeds = {i for i, g in enumerate(plan.node_groups) if place.subnet in (*g.subnets, *g.pod_subnets)}
    elif place.workload in load.names:
        seeds = set(load.allowed[load.names.index(place.workload)])
    else:  # a DaemonSet
        return None
    parts = [part for part in load.parts if not seeds.isdisjoint(part.groups)]
    groups, workloads = (_in_order(p.groups for p in parts), _in_order(p.workloads for p in parts))
    if len(groups) * LARGEST_SHARE > len(plan.node_groups):
        return None
    part = replace(
        plan,
        node_groups=tuple(plan.node_groups[i] for i in groups),
        workloads=tuple(plan.workloads[i] for i in workloads),
    )
    return part if gives_prefixes(part) == gives_prefixes(plan) else None


def _in_order(positions: Iterable[Iterable[int]]) -> list[int]:
    return sorted({position for several in positions for position in several})
