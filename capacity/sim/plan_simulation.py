"""Simulates a scenario of a plan: the pools settle first, then the timeline starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import ceil
from random import Random

from capacity.cluster.control_plane import CONTROL_PLANE_UPDATE
from capacity.cluster.events import KARPENTER_BUDGET, NOT_UPDATED, surge_nodes, unavailable_nodes
from capacity.cluster.spread import even_shares
from capacity.errors import SpecError, check_count, check_kind, check_word
from capacity.plan.constants import AT_REST
from capacity.plan.model import Plan
from capacity.plan.scenario_spec import ScenarioSpec
from capacity.plan.scenarios import scenario_option
from capacity.sim import happenings
from capacity.sim.cluster_life import SimulatedCluster
from capacity.sim.ec2_side import SubnetFull
from capacity.sim.members import NodePlace
from capacity.sim.observed import Observer, SimulationResult
from capacity.sim.plan_cluster import PlanCluster, plan_cluster
from capacity.sim.world_inputs import SimulationInputs
from capacity.units import counted

WEEKENDS = {"day": 1.0, "week": 0.3}  # how far workloads go towards their maximum on days 6 and 7, by curve
PARTS = 200  # a simulation reports its progress so often
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class RecordedPods:
    """Pods that come and go as recorded: (moment [ms], ``add`` or ``delete``, workload, pods)."""

    events: tuple[tuple[int, str, str, int], ...]


@dataclass(frozen=True)
class CronDemand:
    """A CronJob in addition to the plan's workloads: pods of the shape of one of them. Times in seconds."""

    workload: str
    pods: int
    every_s: float
    lasts_s: float


def simulate(
    plan: Plan,
    scenario: str | ScenarioSpec = "steady",
    inputs: SimulationInputs | None = None,
    *,
    seed: int = 1,
    cron: Sequence[CronDemand] = (),
    recorded: RecordedPods | None = None,
    curve: str | None = None,
    progress: Progress | None = None,
) -> SimulationResult:
    """Simulate a scenario of a plan over time.

    The nodes and pods of the scenario's state (``steady``, ``peak`` or ``ceiling``) are started and their pools settle;
    then the timeline starts, and with it what the scenario does. The same seed gives the same result.

    Parameters
    ----------
    scenario : str or ScenarioSpec
        A scenario of ``check``: ``rollout``, ``peak+zone-loss``, ``burst:nodes=20``.
    cron, recorded : sequence of CronDemand, RecordedPods
        Pods that come and go besides the scenario.
    curve : {'day', 'week'}, optional
        Workloads follow the hours from midnight on: current replicas at night, the maximum at noon; with ``week`` days
        6 and 7 reach 30% of the way.

    Raises
    ------
    SpecError
        The plan has nothing to simulate, or an option names what it does not have.
    """
    check_kind("plan", plan, Plan, "a Plan, as returned by read_plan")
    check_count("seed", seed)
    inputs = inputs or SimulationInputs()
    scenario = scenario_option(scenario, plan) if isinstance(scenario, str) else scenario
    random = Random(seed)
    base = next((name for name in ("ceiling", "peak") if name in scenario.parts), "steady")
    # A growing scenario starts from today's pods; one that combines peak with an event starts from the peak.
    grown = base != "steady" and not set(scenario.parts) - set(AT_REST)
    built = plan_cluster(plan, "steady" if grown else base, inputs, random)
    named = scenario.zone is not None
    if "zone-loss" in scenario.parts and not named:
        scenario = replace(scenario, zone=built.largest_zone)
    play = Play(built, scenario, inputs, named)
    observer = Observer(built.cluster, {s.name: s.zone for s in plan.subnets})
    agenda = built.cluster.agenda
    complete = True
    try:
        play.settle()
        observer.begin()
        built.cluster.api.buckets, built.cluster.api.failing = dict(inputs.buckets), dict(inputs.failing)
        agenda.spawn(observer.every(inputs.step))
        rules = play.begin(base if grown else None, cron, recorded) + play.follow(curve)
        end = observer.start + round(1000 * inputs.seconds)
        for part in range(1, PARTS + 1):
            agenda.run(observer.start + (end - observer.start) * part // PARTS)
            if progress:
                progress(part, PARTS)
    except KeyboardInterrupt:
        if not observer.samples:
            raise
        complete, rules = False, []
        observer.sample("interrupted")
    usable = {s.name: s.usable for s in plan.subnets}
    return observer.result(
        title(scenario), "; ".join(rules), seed, complete=complete, usable=usable, notes=(*plan.notes, *built.notes)
    )


def title(scenario: ScenarioSpec) -> str:
    """The scenario's name with its zone."""
    return f"{scenario.name} ({scenario.zone})" if scenario.zone else scenario.name


@dataclass
class Play:
    """One scenario on a cluster."""

    built: PlanCluster
    scenario: ScenarioSpec
    inputs: SimulationInputs
    named_zone: bool

    @property
    def cluster(self) -> SimulatedCluster:
        return self.built.cluster

    def settle(self) -> None:
        """Start the nodes, place the pods, and let the pools settle."""
        cluster, settle = self.cluster, round(1000 * self.inputs.settle_s)
        for source, places in enumerate(self.built.nodes):
            for place, count in places:
                for _ in range(count):
                    cluster.start_node(source, place, 0)
        cluster.agenda.run(settle // 3)
        for work, replicas in enumerate(self.built.replicas):
            cluster.create(work, replicas)
        cluster.agenda.run(settle)

    def begin(self, grow_to: str | None, cron: Sequence[CronDemand], recorded: RecordedPods | None) -> list[str]:
        """Start everything that happens; returns what it is, in words."""
        cluster = self.cluster
        rules = []
        cluster.agenda.spawn(happenings.autoscaler(cluster))
        if self.inputs.churn:
            cluster.agenda.spawn(happenings.churn(cluster, self.inputs.churn))
            rules.append(f"{self.inputs.churn:g} pods per node and minute are replaced")
        else:
            rules += self._churn_of_plan()
        for job in cron:
            work = self._work(job.workload, "--cron")
            process = happenings.cron(cluster, work, job.pods, round(1000 * job.every_s), round(1000 * job.lasts_s))
            cluster.agenda.spawn(process)
            rules.append(f"{job.pods} pods of {job.workload} every {job.every_s:g} s, for {job.lasts_s:g} s each")
        if recorded:
            events = [(at, event, self._work(name, "--events"), pods) for at, event, name, pods in recorded.events]
            cluster.agenda.spawn(happenings.recorded(cluster, events))
            rules.append(f"{len(events):,} recorded events")
        if grow_to:
            rules.append(self._grow(grow_to))
        return rules + [_PLAYED[part](self) for part in self.scenario.parts if part not in AT_REST]

    def _churn_of_plan(self) -> list[str]:
        """The churn that workloads of the plan state."""
        rules = []
        for work, workload in enumerate(self.built.plan.workloads):
            if workload.churn and self.cluster.works[work].groups:
                self.cluster.agenda.spawn(happenings.churn_of(self.cluster, work, workload.churn))
                rules.append(f"{60 * workload.churn:g} pods of {workload.name} per hour are replaced")
        return rules

    def follow(self, curve: str | None) -> list[str]:
        """Autoscalers follow the hours of a day, or of a week; returns that in words."""
        if curve is None:
            return []
        check_word("curve", curve, tuple(WEEKENDS))
        for work, workload in enumerate(self.built.plan.workloads):
            if self.cluster.works[work].groups:
                low, high = workload.replicas, workload.max_replicas
                self.cluster.agenda.spawn(happenings.day(self.cluster, work, low, high, WEEKENDS[curve]))
        return [f"workloads follow a {curve}: current replicas at midnight, the maximum at noon"]

    def _work(self, name: str, option: str) -> int:
        names = [work.name for work in self.cluster.works]
        if name not in names:
            raise SpecError(f"{option}: there is no workload {name!r} (expected one of {', '.join(names)})")
        return names.index(name)

    def _grow(self, to: str) -> str:
        ramp = round(1000 * self.inputs.ramp_s)
        demand = self.built.engine.demand(to)
        for work, replicas in enumerate(demand.replicas):
            if self.cluster.works[work].groups:
                self.cluster.agenda.spawn(happenings.ramp(self.cluster, work, replicas, ramp))
        if to == "ceiling":
            for source, group in enumerate(self.built.groups):
                nodes = self.built.engine.at_rest(to).groups[group].nodes
                for _ in range(nodes - len(self.cluster.nodes_of(source))):
                    if place := self.cluster.place_for(source):
                        self.cluster.start_node(source, place)
        return f"workloads grow to their maximum in {self.inputs.ramp_s / 60:g} min; nodes start as pods need them"

    def _sources(self) -> Iterator[int]:
        for source, kind in enumerate(self.cluster.sources):
            if self.scenario.group in (None, kind.name):
                yield source

    def rollout(self) -> str:
        cluster, spec = self.cluster, self.scenario
        works = [w for w, work in enumerate(cluster.works) if spec.workload in (None, work.name)]
        works = [w for w in works if cluster.by_work[w]]
        if spec.mode == "one" and works and not spec.workload:
            works = [max(works, key=lambda w: cluster.works[w].surge)]
        for work in works:
            cluster.agenda.spawn(happenings.rollout(cluster, work))
        names = ", ".join(cluster.works[w].name for w in works) or "no workload"
        return f"{names} rolls out" if len(works) == 1 else f"{names} roll out at the same time"

    def upgrade(self) -> str:
        cluster = self.cluster
        self._control_plane()
        said = []
        for source in self._sources():
            group = self.built.engine.shapes[self.built.groups[source]].group
            nodes = len(cluster.nodes_of(source))
            if not nodes or group.provisioner in NOT_UPDATED:
                continue
            if group.provisioner in ("karpenter", "auto"):
                at_once = ceil(KARPENTER_BUDGET * nodes)
                process = happenings.upgrade_karpenter(cluster, source, at_once)
                said.append(f"{group.name}: {at_once} at a time, replacements first")
            else:
                at_once, zones = unavailable_nodes(group, nodes), {p.zone for p in cluster.sources[source].places}
                minimal = (self.scenario.strategy or group.update_strategy) == "minimal"
                surge = 0 if minimal else surge_nodes(len(zones), at_once)
                process = happenings.upgrade_managed(cluster, source, surge, at_once)
                more = f"+ {counted(surge, 'node')}" if surge else "no more nodes first"
                said.append(f"{group.name}: {more}, {at_once} at a time")
            cluster.agenda.spawn(process)
        return f"node update: {'; '.join(said) or 'no nodes to update'}"

    def _control_plane(self) -> None:
        """The control plane's additional interfaces during its update."""
        names = self.built.plan.control_plane or ()
        spaces = {space.name: space for space in self.cluster.spaces}
        for name, count in zip(names, even_shares(CONTROL_PLANE_UPDATE, len(names)) if names else [], strict=True):
            with suppress(SubnetFull):
                spaces[name].take(count)

    def zone_loss(self) -> str:
        zone = self.scenario.zone
        assert zone is not None
        nodes = sum(member.place.zone == zone for member in self.cluster.members.values())
        self.cluster.agenda.spawn(happenings.zone_loss(self.cluster, zone))
        chosen = "" if self.named_zone else " (the zone with the most nodes; zone-loss:zone=Z chooses another)"
        lost = f"{zone}{chosen} is lost with {counted(nodes, 'node')}"
        return f"{lost}, which start again elsewhere; its addresses stay in use"

    def burst(self) -> str:
        source, pods = self._fullest()
        nodes: list[tuple[int, NodePlace, int]] = []
        counts = {id(p): 0 for p in self.cluster.sources[source].places}
        places = list(self.cluster.sources[source].places)
        if self.scenario.spread in ("worst", "one"):
            rank = (lambda p: p.pods.free) if self.scenario.spread == "worst" else (lambda p: -p.pods.free)
            places = [min(places, key=rank)]
        for number in range(self.scenario.nodes):
            place = places[number % len(places)]
            counts[id(place)] += 1
            nodes.append((source, place, pods))
        self.cluster.agenda.spawn(happenings.second_set(self.cluster, nodes))
        name = self.cluster.sources[source].name
        return f"{counted(self.scenario.nodes, 'more node')} of {name} at the same time, {counted(pods, 'pod')} each"

    def _fullest(self) -> tuple[int, int]:
        """The group of the node with the most pods on its pool, and how many workload pods that has."""
        chosen = set(self._sources())
        counts = [
            (sum(pod.work >= 0 for pod in member.pods.values()), -member.source)
            for member in self.cluster.members.values()
            if member.source in chosen
        ]
        if not counts:
            raise SpecError("burst: no node group has nodes to add")
        pods, source = max(counts)
        return -source, pods

    def blue_green(self) -> str:
        chosen = set(self._sources())
        nodes = [
            (member.source, member.place, sum(pod.work >= 0 for pod in member.pods.values()))
            for member in self.cluster.members.values()
            if member.source in chosen
        ]
        self.cluster.agenda.spawn(happenings.second_set(self.cluster, nodes))
        return f"a second set of {counted(len(nodes), 'node')} with the same pods starts next to the first"

    def spot_storm(self) -> str:
        taken = 0
        for source in self._sources():
            count = ceil(self.scenario.share * len(self.cluster.nodes_of(source)))
            taken += count
            self.cluster.agenda.spawn(happenings.spot_storm(self.cluster, source, count))
        return f"{counted(taken, 'node')} get an interruption notice of 2 min; replacements start immediately"


_PLAYED: dict[str, Callable[[Play], str]] = {
    "rollout": Play.rollout,
    "upgrade": Play.upgrade,
    "zone-loss": Play.zone_loss,
    "burst": Play.burst,
    "blue-green": Play.blue_green,
    "spot-storm": Play.spot_storm,
}
