"""Places that refuse a changed plan: one subnet, or the groups of one workload, checked without the rest of the plan.

A plan reduced to the groups on which a place depends gives the same figures there (:mod:`capacity.cluster.parts`), and
one place that is not ok is enough to refuse the whole plan. Subnets are not checked alone if the CNI chooses the
subnets of ENIs (subnet discovery), because its choice depends on the free addresses of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from capacity.cluster.booking import Counted
from capacity.cluster.check import engine_of, run_scenario, singles, state_unless, variant_of
from capacity.cluster.engine import Engine, unplaced_verdict
from capacity.cluster.fleet import Fleet
from capacity.cluster.parts import part_of
from capacity.cluster.reuse import Reuse
from capacity.cluster.scenario import ScenarioState, title_of, weighed
from capacity.cluster.unplaced import Unplaced
from capacity.plan.discovery import choices_by_group
from capacity.plan.model import Plan
from capacity.plan.scenario_spec import ScenarioSpec
from capacity.vpc.ledger import SubnetState, worst


@dataclass(frozen=True, slots=True)
class RefusalPlace:
    """A place that refused a plan: in a scenario, a subnet or the groups of a workload."""

    spec: ScenarioSpec
    subnet: str = ""
    workload: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is wrong in one place of a changed plan.

    Attributes
    ----------
    place : RefusalPlace
    verdict : str
    short : int
        Addresses missing in the subnet. [addresses]
    pods : int
        Unschedulable pods. [pods]
    lacks_addresses : bool
        Whether more than pods that are unschedulable for other reasons is wrong.
    """

    place: RefusalPlace
    verdict: str
    short: int = 0
    pods: int = 0
    lacks_addresses: bool = True

    @property
    def title(self) -> str:
        """Title of the scenario."""
        return title_of(self.place.spec.name, variant_of(self.place.spec))

    @property
    def where(self) -> str:
        """Name of the subnet or workload."""
        return self.place.subnet or self.place.workload


def places_of(spec: ScenarioSpec, state: ScenarioState) -> list[RefusalPlace]:
    """The places that refuse a state most clearly: its tightest subnet, its workload with most unschedulable pods."""
    found = []
    troubled = [s for s in state.subnets if s.verdict != "ok"]
    if troubled:
        found.append(RefusalPlace(spec, subnet=min(troubled, key=lambda s: s.free).subnet.name))
    if state.unplaced:
        found.append(RefusalPlace(spec, workload=max(state.unplaced, key=lambda u: u.pods).workload))
    return found


def first_refusal(engine: Engine, spec: ScenarioSpec, *, pods_count: bool) -> Refusal | ScenarioState:
    """The first thing that is wrong with a plan in a scenario, or the scenario's state if only all of it can tell.

    Parameters
    ----------
    pods_count : bool
        Whether unschedulable pods are wrong that lack no addresses.
    """

    def wrong(fleet: Fleet, counted: Counted) -> Refusal | None:
        tightest = counted.tightest if counted.bookings else None
        if tightest is not None and tightest.verdict != "ok":
            return _refused_by_subnet(RefusalPlace(spec, subnet=tightest.subnet.name), tightest)
        unplaced = [u for u in fleet.unplaced() if pods_count or u.reason == "addresses"]
        if not unplaced:
            return None
        worst_off = max(unplaced, key=lambda u: u.pods).workload
        return _refused_by_pods(
            RefusalPlace(spec, workload=worst_off), [u for u in unplaced if u.workload == worst_off]
        )

    return state_unless(engine, spec, wrong)


def refusal(plan: Plan, place: RefusalPlace, reuse: Reuse) -> Refusal | None:
    """What is wrong with a plan in one place; None if nothing is, or if the place depends on the rest of the plan."""
    part = _part(plan, place, reuse)
    if part is None or place.spec not in set(singles(plan, place.spec)):
        return None
    (state,) = run_scenario(engine_of(part, reuse), place.spec)
    return _of_subnet(place, state) if place.subnet else _of_pods(place, state)


def _of_subnet(place: RefusalPlace, state: ScenarioState) -> Refusal | None:
    subnet = state.subnet(place.subnet)
    return None if subnet.verdict == "ok" else _refused_by_subnet(place, subnet)


def _refused_by_subnet(place: RefusalPlace, subnet: SubnetState) -> Refusal:
    return Refusal(place, weighed(subnet.verdict, advisory=place.spec.advisory), short=max(-subnet.free, 0))


def _of_pods(place: RefusalPlace, state: ScenarioState) -> Refusal | None:
    mine = [u for u in state.unplaced if u.workload == place.workload]
    return _refused_by_pods(place, mine) if mine else None


def _refused_by_pods(place: RefusalPlace, mine: Sequence[Unplaced]) -> Refusal:
    verdict = weighed(worst([unplaced_verdict(u) for u in mine]), advisory=place.spec.advisory)
    lacks = any(u.reason == "addresses" for u in mine)
    return Refusal(place, verdict, pods=sum(u.pods for u in mine), lacks_addresses=lacks)


def _part(plan: Plan, place: RefusalPlace, reuse: Reuse) -> Plan | None:
    """The plan with the groups on which a place depends, and their workloads."""
    load = reuse.load(plan)
    if place.workload:
        known = place.workload in load.names  # not a DaemonSet
        return part_of(plan, load.allowed[load.names.index(place.workload)], load) if known else None
    if any(choices_by_group(plan)) or place.subnet not in {s.name for s in plan.subnets}:
        return None
    groups = [i for i, g in enumerate(plan.node_groups) if place.subnet in (*g.subnets, *g.pod_subnets)]
    return part_of(plan, groups, load)
