"""Bounds of the scenarios in which nodes drain or are lost: no legal placement passes them, and they are near.

Small plans are tried in full. On larger ones a cluster is played pod by pod: any node drains, its pods land on any
open node with room, and what finds none starts a node as the scenario says.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from capacity.cluster.check import check
from capacity.cluster.engine import Engine
from capacity.cluster.events import KARPENTER_BUDGET, surge_nodes, surge_pods, unavailable_nodes
from capacity.cluster.group_shapes import group_shapes
from capacity.cluster.node_state import NodeState, PodShape, fits, with_pod
from capacity.cluster.shape import GroupShape
from capacity.plan.model import Plan
from tests.fixtures.plans import plan_of

# --- small plans in full ----------------------------------------------------------------------

ONE_SUBNET = """\
apiVersion: capacity/v1
cni: {{env: {{{env}}}}}
vpc: {{cidrs: [10.0.0.0/16], subnets: [{{name: a, zone: z, cidr: 10.0.0.0/20}}]}}
nodeGroups:
  - {{name: g, instanceTypes: [t3.small], maxPods: {max_pods}, subnets: [a],
     nodes: {{min: 1, desired: {nodes}, max: 40}},
     update: {{maxUnavailable: {unavailable}, strategy: {strategy}}}}}
workloads: [{{name: w, replicas: {pods}, requests: {{cpu: 0, memory: 0}}}}]
"""


def splits(pods: int, nodes: int, most: int) -> Iterator[tuple[int, ...]]:
    """All ways to split pods among nodes that are alike, fullest first."""
    if not nodes:
        if not pods:
            yield ()
        return
    for first in range(min(pods, most), -1, -1):
        for rest in splits(pods - first, nodes - 1, min(first, most)):
            yield (first, *rest)


def landings(open_nodes: tuple[int, ...], pods: int, most: int) -> set[tuple[int, ...]]:
    """All ways in which so many more pods may land on open nodes, as sorted counts."""
    found = {open_nodes}
    for _ in range(pods):
        found = {
            tuple(sorted((*nodes[:i], nodes[i] + 1, *nodes[i + 1 :])))
            for nodes in found
            for i in range(len(nodes))
            if nodes[i] < most
        }
    return found


def every_outcome(shape: GroupShape, nodes: int, pods: int, drained: int, added: int) -> tuple[int, int]:
    """Fewest and most addresses over all splits, all nodes that may drain, and all landings."""
    first = shape.first
    most = first.most_placed_pods
    table = [shape.node_addresses + v for v in first.placed(first.demand_table)]
    totals = set()
    for split in splits(pods, nodes, most):
        for gone in set(_subsets(split, drained)):
            stay = list(split)
            for held in gone:
                stay.remove(held)
            for end in landings((*sorted(stay), *(0,) * added), sum(gone), most):
                totals.add(sum(table[n] for n in (*gone, *end)))
    return min(totals), max(totals)


def _subsets(split: Sequence[int], size: int) -> Iterator[tuple[int, ...]]:
    if not size:
        yield ()
        return
    for i, first in enumerate(split):
        for rest in _subsets(split[i + 1 :], size - 1):
            yield (first, *rest)


@settings(max_examples=60)
@given(
    st.integers(1, 3),
    st.integers(0, 10),
    st.integers(1, 2),
    st.sampled_from(["default", "minimal"]),
    st.integers(5, 9),
    st.sampled_from(["", "WARM_ENI_TARGET: 0", "WARM_IP_TARGET: 1", "ENABLE_PREFIX_DELEGATION: true"]),
)
@example(2, 9, 1, "default", 9, "")
@example(3, 8, 2, "default", 6, "WARM_IP_TARGET: 1")
def test_an_upgrade_of_one_group_is_bounded_by_all_its_outcomes(
    nodes: int, pods: int, unavailable: int, strategy: str, max_pods: int, env: str
) -> None:
    plan = plan_of(
        ONE_SUBNET.format(
            env=env, max_pods=max_pods, nodes=nodes, unavailable=unavailable, strategy=strategy, pods=pods
        )
    )
    (state,) = check(plan, ["upgrade"]).scenarios
    (group,), (subnet,) = state.groups, state.subnets
    drained = min(unavailable, nodes)
    added = group.nodes - nodes
    most = group.shape.first.most_placed_pods
    assume(pods <= most * nodes and pods <= most * (nodes - drained + added))
    low, high = every_outcome(group.shape, nodes, pods, drained, added)
    full = group.shape.node_addresses + group.shape.first.demand_table[-1]
    assert low - drained * full <= subnet.used_lowest <= low
    assert high <= subnet.used_highest <= high + drained * full
    if strategy == "default" and not env:  # whole ENIs: to the last address
        assert (subnet.used_lowest, subnet.used_highest) == (low, high)


# --- the situations that were wrong -------------------------------------------------------------


def one_group(nodes: str, pods: int, subnets: str, group: str = "", kind: str = "m5.large") -> Plan:
    names = ", ".join(part.split("name: ")[1].split(",")[0] for part in subnets.split("}, {"))
    return plan_of(
        f"""\
apiVersion: capacity/v1
vpc: {{cidrs: [10.0.0.0/16], subnets: [{subnets}]}}
nodeGroups: [{{name: web, instanceTypes: [{kind}], subnets: [{names}], nodes: {nodes}{group}}}]
workloads: [{{name: app, replicas: {pods}}}]
checks: {{minFree: 1%}}
"""
    )


def test_the_node_that_drains_may_hold_every_pod_and_they_may_land_apart() -> None:
    subnets = "{name: left, zone: z1, cidr: 10.0.0.0/25, used: 28}"
    (state,) = check(one_group("{min: 2, desired: 2, max: 4}", 14, subnets), ["upgrade"]).scenarios
    (subnet,) = state.subnets
    # The drained node with all 14: 3 ENIs, 30. Its pods on the other three as 1 + 1 + 12: 20 + 20 + 30.
    assert subnet.used_highest == 28 + 30 + 20 + 20 + 30
    assert subnet.used_lowest == 28 + 3 * 10 + 30  # an empty one drains, one node holds all 14, two are new
    assert subnet.verdict == "ok"


def test_the_node_that_drains_may_be_empty() -> None:
    subnets = "{name: left, zone: z1, cidr: 10.0.0.0/24}"
    (state,) = check(one_group("{min: 2, desired: 2, max: 4}", 19, subnets), ["upgrade"]).scenarios
    assert state.subnets[0].used_lowest == 3 * 10 + 30


def test_a_spot_storm_may_take_all_nodes_of_one_zone() -> None:
    subnets = "{name: left, zone: z1, cidr: 10.0.0.0/25}, {name: right, zone: z2, cidr: 10.0.1.0/25}"
    plan = one_group("{min: 2, desired: 8, max: 12}", 40, subnets, ", maxPods: 11")
    (state,) = check(plan, ["spot-storm:share=50%"]).scenarios
    # 4 + 4 nodes of at most 9 pods, 20 addresses each: all four of a zone are interrupted and start there again.
    assert [s.used_highest for s in state.subnets] == [8 * 20, 8 * 20]
    # Four nodes hold at least 40 − 4 × 9 = 4 pods before: one of them two ENIs.
    assert [s.used_lowest for s in state.subnets] == [3 * 10 + 20] * 2


def test_burst_nodes_are_as_full_as_the_fullest_may_be() -> None:
    subnets = "{name: left, zone: z1, cidr: 10.0.0.0/23}"
    (state,) = check(one_group("2", 20, subnets), ["burst:nodes=3"]).scenarios
    # All 20 on one node: 30 and 10, or 19 and 1: 30 and 20; three more nodes with up to 20 pods each.
    assert state.subnets[0].used_highest == 30 + 30 + 3 * 30
    assert state.subnets[0].used_lowest == 10 + 30 + 3 * 30  # the fullest of two holds 10 at least


# --- larger plans, played -----------------------------------------------------------------------


@dataclass
class Node:
    group: int
    zone: str
    subnet: str
    state: NodeState
    pods: list[int] = field(default_factory=list)
    open: bool = True


class Cluster:
    """A cluster played pod by pod; ``rng`` decides whatever the model leaves open."""

    def __init__(self, plan: Plan, base: str, seed: int) -> None:
        self.plan, self.rng = plan, random.Random(seed)
        self.shapes = group_shapes(plan)
        self.engine = Engine(plan, self.shapes)
        self.fleet = self.engine.fleet(self.engine.demand(base))
        self.nodes: list[Node] = []
        self.lost: set[str] = set()
        self.taste = self.rng.choice(["any", "full", "empty", "subnet"])
        self.favourite = self.rng.choice(plan.subnets).name
        for group in range(len(self.shapes)):
            self.start(group, self.fleet.open_nodes(group))
        self.legal = all(self._settle(group) for group in range(len(self.shapes)))

    def _settle(self, group: int) -> bool:
        """The pods of a group on its nodes in any way."""
        pods = Counter[int]()
        for (at, _), home in self.fleet.placement.homes.items():
            for name, number in home.items() if at == group else ():
                pods[next(i for i, w in enumerate(self.plan.workloads) if w.name == name)] += number
        order = list(pods.elements())
        self.rng.shuffle(order)
        order.sort(key=lambda w: -self.engine.pods[w].cpu - self.engine.pods[w].memory)
        return all(self._land(work, [n for n in self.nodes if n.group == group]) for work in order)

    def _land(self, work: int, nodes: Sequence[Node]) -> bool:
        pod: PodShape = self.engine.pods[work]
        fitting = [n for n in nodes if n.open and fits(self.shapes[n.group].first.room, n.state, pod)]
        if not fitting:
            return False
        if self.taste == "full":
            node = max(fitting, key=lambda n: n.state.pods)
        elif self.taste == "empty":
            node = min(fitting, key=lambda n: n.state.pods)
        elif self.taste == "subnet":
            node = min(fitting, key=lambda n: n.subnet != self.favourite)
        else:
            node = self.rng.choice(fitting)
        node.state = with_pod(node.state, pod)
        node.pods.append(work)
        return True

    def open_in(self, group: int) -> list[Node]:
        return [n for n in self.nodes if n.group == group and n.open]

    def start(self, group: int, count: int, anywhere: bool = False) -> None:
        """Nodes one by one where the group has the fewest, of equals anywhere; or in any zone."""
        spec = self.plan.node_groups[group]
        zones = [z for z in dict.fromkeys(self.plan.subnet(n).zone for n in spec.subnets) if z not in self.lost]
        for _ in range(count if zones else 0):
            here = self.open_in(group)
            by_zone = {z: sum(n.zone == z for n in here) for z in zones}
            zone = self.rng.choice([z for z in zones if anywhere or by_zone[z] == min(by_zone.values())])
            subnets = [n for n in spec.subnets if self.plan.subnet(n).zone == zone]
            held = {name: sum(n.subnet == name for n in here) for name in subnets}
            subnet = self.rng.choice([n for n in subnets if held[n] == min(held.values())])
            self.nodes.append(Node(group, zone, subnet, self.shapes[group].first.start))

    def drain(self, group: int, count: int, among: Sequence[Node] | None = None) -> list[int]:
        nodes = list(self.open_in(group) if among is None else among)
        self.rng.shuffle(nodes)
        how = self.rng.choice(["any", "full", "empty", "zone", "subnet"])
        if how == "full":
            nodes.sort(key=lambda n: -n.state.pods)
        elif how == "empty":
            nodes.sort(key=lambda n: n.state.pods)
        elif how == "zone":
            nodes.sort(key=lambda n: n.zone)
        elif how == "subnet":
            nodes.sort(key=lambda n: n.subnet != self.favourite)
        moved = []
        for node in nodes[:count]:
            node.open = False
            moved += node.pods
        return moved

    def place(self, pods: Sequence[int], may_grow: Sequence[int]) -> None:
        for work in sorted(pods):
            allowed = self.engine.allowed[work]
            if self._land(work, [n for n in self.nodes if n.group in allowed]):
                continue
            for group in (g for g in allowed if g in may_grow):
                first, most = self.shapes[group].first, self.shapes[group].most_nodes
                fit = fits(first.room, first.start, self.engine.pods[work])
                if fit and (most is None or len(self.open_in(group)) < most):
                    self.start(group, 1)
                    if self._land(work, [n for n in self.nodes if n.group in allowed]):
                        break

    # --- events ---

    def rollout(self) -> None:
        pods = [
            i
            for i, (w, n) in enumerate(zip(self.plan.workloads, self.fleet.replicas, strict=True))
            for _ in range(surge_pods(w, n) if n else 0)
        ]
        self.place(pods, range(len(self.shapes)))

    def upgrade(self) -> None:
        for group, shape in enumerate(self.shapes):
            before = self.open_in(group)
            if not before or shape.group.provisioner == "self-managed":
                continue
            if shape.group.provisioner == "karpenter":
                drained = added = ceil(KARPENTER_BUDGET * len(before))
                self.start(group, added, anywhere=True)
            else:
                at_once = unavailable_nodes(shape.group, len(before))
                zones = {self.plan.subnet(n).zone for n in shape.group.subnets}
                added = 0 if shape.group.update_strategy == "minimal" else surge_nodes(len(zones), at_once)
                drained = min(at_once, len(before))
                self.start(group, added)
            self.place(self.drain(group, drained, before), [group])

    def spot_storm(self) -> None:
        moved = []
        groups = range(len(self.shapes))
        for group in groups:
            taken = ceil(0.3 * len(self.open_in(group)) - 1e-9)
            moved += self.drain(group, taken)
            self.start(group, taken, anywhere=self.rng.random() < 0.7)
        self.place(moved, groups)

    def zone_loss(self, zone: str) -> None:
        self.lost.add(zone)
        moved = []
        for group in range(len(self.shapes)):
            gone = [n for n in self.open_in(group) if n.zone == zone]
            moved += self.drain(group, len(gone), gone)
            self.start(group, len(gone))
        self.place(moved, range(len(self.shapes)))

    def used(self) -> Counter[str]:
        found = Counter({s.name: s.used for s in self.plan.subnets})
        for node in self.nodes:
            shape = self.shapes[node.group]
            found[node.subnet] += (
                shape.node_addresses + shape.first.demand(node.state.vpc_pods) + node.state.branch_pods
            )
        return found


def play(plan: Plan, scenario: str, variant: str, seed: int) -> Counter[str] | None:
    cluster = Cluster(plan, "peak" if "peak" in scenario else "steady", seed)
    if not cluster.legal:
        return None
    for event in ("rollout", "upgrade", "spot-storm", "zone-loss"):
        if event not in scenario.split("+"):
            continue
        if event == "zone-loss":
            cluster.zone_loss(variant)
        else:
            getattr(cluster, event.replace("-", "_"))()
    return cluster.used()


@st.composite
def clusters(draw: st.DrawFn) -> Plan:
    zones = draw(st.integers(1, 3))
    twice = draw(st.booleans())
    names = [f"s{i}" for i in range(zones * (2 if twice else 1))]
    subnets = [f"{{name: {n}, zone: z{i % zones}, cidr: 10.0.{4 * i}.0/22}}" for i, n in enumerate(names)]
    groups = []
    for number in range(draw(st.integers(1, 2))):
        kind = draw(st.sampled_from(["m5.large", "t3.small", "c5.xlarge"]))
        provisioner = draw(st.sampled_from(["managed", "managed", "karpenter", "self-managed"]))
        nodes = draw(st.integers(1, 6))
        more = draw(st.sampled_from([0, 2, 6]))
        unavailable, strategy = draw(st.integers(1, 4)), draw(st.sampled_from(["default", "minimal"]))
        update = f", update: {{maxUnavailable: {unavailable}, strategy: {strategy}}}"
        groups.append(
            f"{{name: g{number}, instanceTypes: [{kind}], provisioner: {provisioner}, subnets: [{', '.join(names)}], "
            f"nodes: {{min: 1, desired: {nodes}, max: {nodes + more}}}{update if provisioner == 'managed' else ''}}}"
        )
    work = []
    for number in range(draw(st.integers(1, 3))):
        now, more = draw(st.integers(0, 25)), draw(st.integers(0, 10))
        cpu, memory = draw(st.sampled_from([0, 50, 250, 700])), draw(st.sampled_from([0, 100, 600]))
        only = f", nodeGroups: [g{draw(st.integers(0, len(groups) - 1))}]" if draw(st.booleans()) else ""
        pods = ", securityGroups: true" if draw(st.integers(0, 4)) == 0 else ""
        work.append(
            f"{{name: w{number}, replicas: {{now: {now}, max: {now + more}}}, "
            f"requests: {{cpu: {cpu}m, memory: {memory}Mi}}, "
            f"rollingUpdate: {{maxSurge: {draw(st.sampled_from(['25%', '3']))}, maxUnavailable: 1}}{only}{pods}}}"
        )
    environment = draw(
        st.sampled_from(["", "WARM_IP_TARGET: 2", "ENABLE_PREFIX_DELEGATION: true", "ENABLE_POD_ENI: true"])
    )
    return plan_of(
        f"""\
apiVersion: capacity/v1
cni: {{env: {{{environment}}}}}
vpc: {{cidrs: [10.0.0.0/16], subnets: [{", ".join(subnets)}]}}
nodeGroups: [{", ".join(groups)}]
workloads: [{", ".join(work)}]
"""
    )


EVENTS = (
    *("upgrade", "spot-storm", "zone-loss", "upgrade+zone-loss", "rollout+upgrade", "peak+zone-loss"),
    *("spot-storm+zone-loss", "rollout+upgrade+spot-storm"),
)


@settings(max_examples=250, deadline=None)
@given(
    clusters(),
    st.sampled_from(EVENTS),
    st.integers(0, 10**6),
)
def test_no_legal_outcome_passes_the_bounds(plan: Plan, scenario: str, seed: int) -> None:
    for state in check(plan, [scenario]).scenarios:
        for turn in range(6):
            used = play(plan, scenario, state.variant, seed + turn)
            if used is None:
                continue
            for subnet in state.subnets:
                assert subnet.used_lowest <= used[subnet.subnet.name] <= subnet.used_highest, (scenario, state.variant)
