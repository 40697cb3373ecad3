"""Laws of a check, and its bounds and runway against trying everything on small clusters."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from capacity.cluster.check import CheckResult, check
from capacity.cluster.engine import Engine
from capacity.cluster.headroom import Takes
from capacity.cluster.scenario import ScenarioState
from capacity.cluster.shape import GroupShape
from capacity.cni.facade import node_pool
from capacity.plan.model import Plan
from tests.fixtures.plans import plan_of

ENVIRONMENTS = (
    "",
    "WARM_ENI_TARGET: 0",
    "WARM_ENI_TARGET: 2",
    "WARM_IP_TARGET: 1, MINIMUM_IP_TARGET: 2",
    "WARM_IP_TARGET: 3",
    "ENABLE_PREFIX_DELEGATION: true",
    "ENABLE_PREFIX_DELEGATION: true, WARM_IP_TARGET: 2",
    "MAX_ENI: 1",
)
ORDER = ("ok", "tight", "exhausted")


def plan(
    nodes: int,
    pods: int,
    env: str,
    zones: int = 2,
    types: str = "m5.large",
    max_pods: int = 29,
    spread: str = "even",
    used: int = 0,
) -> Plan:
    """Pods that request nothing, on one group over zones with a subnet each, every next one half the size."""
    names = ", ".join(f"s{i}" for i in range(zones))
    subnets = "".join(
        f"    - {{name: s{i}, zone: z{i}, cidr: 10.0.{i}.0/{24 + i}, used: {used if i == 0 else 5 * i}}}\n"
        for i in range(zones)
    )
    return plan_of(
        f"""\
apiVersion: capacity/v1
cni: {{env: {{{env}}}}}
vpc:
  cidrs: [10.0.0.0/16]
  subnets:
{subnets}nodeGroups:
  - name: g
    instanceTypes: [{types}]
    nodes: {nodes}
    maxPods: {max_pods}
    subnets: [{names}]
    spread: {spread}
workloads:
  - {{name: w, replicas: {pods}, requests: {{cpu: 0, memory: 0}}}}
"""
    )


def steady(of: Plan) -> ScenarioState:
    return check(of, ["steady"]).scenarios[0]


def worst(verdicts: list[str]) -> str:
    return max(verdicts, key=ORDER.index)


def addresses(shape: GroupShape, kind: int, pods: int) -> int:
    """What one node takes, by the CNI's closed form alone."""
    t = shape.types[kind]
    return int(node_pool(t.instance_type, t.settings, pods, t.max_pods).subnet_addresses)


# --- bounds -----------------------------------------------------------------------------------


def placements(nodes: int, zones: int) -> Iterator[tuple[int, ...]]:
    """Nodes per zone, wherever the odd ones fall."""
    low, high = nodes // zones, -(-nodes // zones)
    for counts in product({low, high}, repeat=zones):
        if sum(counts) == nodes:
            yield counts


def by_trying(shape: GroupShape, nodes: int, pods: int, zones: int) -> tuple[int, int]:
    """Least and most that the group takes of the first zone's subnet, over splits and places, by max pods alone."""
    most = shape.first.max_pods - 2  # aws-node and kube-proxy
    totals = [
        sum(addresses(shape, 0, q) for q in split[: counts[0]])
        for counts in placements(nodes, zones)
        for split in product(range(most + 1), repeat=nodes)
        if sum(split) == pods
    ]
    return min(totals), max(totals)


@settings(max_examples=60)
@given(
    st.integers(1, 3),
    st.integers(0, 6),
    st.sampled_from(ENVIRONMENTS),
    st.integers(1, 3),
    st.sampled_from(["t3.nano", "t3.small", "t3.small, t3.nano"]),
)
def test_bounds_are_those_of_the_best_and_the_worst_split(
    nodes: int, pods: int, env: str, zones: int, types: str
) -> None:
    of = plan(nodes, pods, env, zones, types, max_pods=5)
    result = check(of, ["steady"])
    state = result.scenarios[0]
    assume(not state.unplaced)
    first = state.subnets[0]
    assert (first.used_lowest, first.used_highest) == by_trying(result.shapes[0], nodes, pods, zones)


# --- laws -------------------------------------------------------------------------------------


@settings(max_examples=150)
@given(st.integers(0, 40), st.integers(0, 200), st.sampled_from(ENVIRONMENTS), st.sampled_from(["even", "worst"]))
def test_figures_add_up_and_the_verdict_follows_from_them(nodes: int, pods: int, env: str, spread: str) -> None:
    result = check(plan(nodes, pods, env, 3, "m5.large, t3.small", 11, spread))
    for state in result.scenarios:
        adds_up(state, result)
        reasons = ["exhausted" if u.reason == "addresses" else "tight" for u in state.unplaced]
        reasons += ["exhausted"] if state.pods_without_address else []
        assert state.verdict == worst([s.verdict for s in state.subnets] + reasons)
    beyond = ["tight"] if result.harmful or not pods else []
    assert result.verdict == worst([s.verdict for s in result.scenarios] + beyond)


def adds_up(state: ScenarioState, result: CheckResult) -> None:
    for s in state.subnets:
        assert sum(s.used.values()) + s.free == s.subnet.usable
        assert s.used_lowest <= s.used_total <= s.used_highest
        short = s.free < 0 or not s.prefixes_placed
        tight = Fraction(s.free, s.subnet.usable) < result.plan.checks.min_free
        tight |= s.used_highest > s.subnet.usable and state.name in ("steady", "peak")
        assert s.verdict == ("exhausted" if short else "tight" if tight else "ok")


@settings(max_examples=100)
@given(st.integers(1, 20), st.integers(0, 100), st.sampled_from(ENVIRONMENTS))
def test_more_pods_or_nodes_never_need_fewer_addresses(nodes: int, pods: int, env: str) -> None:
    base = steady(plan(nodes, pods, env))
    more_nodes, more_pods = steady(plan(nodes + 2, pods, env)), steady(plan(nodes, pods + 1, env))
    assume(not base.unplaced and not more_pods.unplaced)
    for more in (more_nodes, more_pods):
        for before, after in zip(base.subnets, more.subnets, strict=True):
            assert after.used_highest >= before.used_highest
    assert sum(s.used_total for s in more_pods.subnets) >= sum(s.used_total for s in base.subnets)


@settings(max_examples=60)
@given(st.integers(1, 30), st.integers(0, 120), st.sampled_from(ENVIRONMENTS))
def test_worst_is_not_better_than_even(nodes: int, pods: int, env: str) -> None:
    even, bad = (steady(plan(nodes, pods, env, 3, spread=spread)) for spread in ("even", "worst"))
    assert min(s.free for s in bad.subnets) <= min(s.free for s in even.subnets)


# --- runway -----------------------------------------------------------------------------------


def most_pods(shape: GroupShape, now: list[int], free: int) -> int:
    """By trying: pods on the nodes there, each filled anyhow; new nodes only once all of those are full."""
    cap = shape.first.most_workload_pods
    cost = [addresses(shape, 0, q) for q in range(cap + 1)]
    best = 0
    for split in product(*(range(q, cap + 1) for q in now)):
        if sum(cost[b] - cost[a] for a, b in zip(now, split, strict=True)) <= free:
            best = max(best, sum(split) - sum(now))
    left = free - sum(cost[cap] - cost[q] for q in now)
    if left < 0:
        return best
    on_new = [0] * (left + 1)  # most pods on new nodes for each budget
    for budget in range(left + 1):
        on_new[budget] = max((on_new[budget - c] + q for q, c in enumerate(cost) if c <= budget), default=0)
    return len(now) * cap - sum(now) + on_new[left]


@settings(max_examples=80)
@given(st.integers(1, 3), st.integers(0, 18), st.sampled_from(ENVIRONMENTS), st.integers(150, 251))
def test_runway_is_the_most_that_fits(nodes: int, pods: int, env: str, used: int) -> None:
    result = check(plan(nodes, pods, env, 1, "t3.small", 8, used=used), ["steady"])
    state, (runway,) = result.scenarios[0], result.runway
    assume(not state.unplaced and not state.pods_without_address)
    (shape,), (subnet,), (group,) = result.shapes, state.subnets, state.groups
    assert runway.more_nodes is not None
    assert runway.node_addresses == addresses(shape, 0, group.fullest[0])
    assert runway.more_nodes * runway.node_addresses <= max(subnet.free, 0)
    assert (runway.more_nodes + 1) * runway.node_addresses > subnet.free  # one node more would not fit
    now = [c.vpc_pods for c in group.classes for _ in range(c.count)]
    assert runway.more_pods == (most_pods(shape, now, subnet.free) if subnet.free >= 0 else 0)


# --- nodes ------------------------------------------------------------------------------------

WORK = st.tuples(st.integers(1, 25), st.sampled_from([50, 130, 250, 600, 900]), st.sampled_from([64, 300, 900, 2500]))


def grown(nodes: str, work: list[tuple[int, int, int]]) -> ScenarioState:
    lines = "".join(
        f"  - {{name: w{i}, replicas: {n}, requests: {{cpu: {cpu}m, memory: {memory}Mi}}}}\n"
        for i, (n, cpu, memory) in enumerate(work)
    )
    return steady(
        plan_of(
            f"""\
apiVersion: capacity/v1
vpc: {{cidrs: [10.0.0.0/16], subnets: [{{name: a, zone: z, cidr: 10.0.0.0/20}}]}}
nodeGroups:
  - {{name: g, instanceTypes: [m5.large], subnets: [a]{nodes}}}
workloads:
{lines}"""
        )
    )


@settings(max_examples=120)
@given(st.lists(WORK, min_size=1, max_size=4))
def test_no_desired_is_the_fewest_nodes_on_which_the_pods_are_placed(work: list[tuple[int, int, int]]) -> None:
    state = grown("", work)
    count = state.groups[0].nodes
    assert state.unplaced == ()
    assert grown(f", nodes: {count}", work).unplaced == ()
    assert grown(f", nodes: {count - 1}", work).unplaced != ()


# --- where a growing group no longer fits ---------------------------------------------------------


@settings(max_examples=80)
@given(st.lists(st.integers(1, 40), min_size=3, max_size=3), st.integers(0, 251), st.sampled_from(["s0", "s1", "s2"]))
def test_the_first_count_that_does_not_fit_is_the_first_one(weights: list[int], room: int, subnet: str) -> None:
    spread = "{" + ", ".join(f"z{i}: {w}" for i, w in enumerate(weights)) + "}"
    result = check(plan(3, 3, "", 3, spread=spread), ["steady"])
    takes = Takes(Engine(result.plan, result.shapes), result.scenarios[0], 0)
    assume(takes.any(subnet))
    by_trying = next((n for n in range(1, 400) if takes.at(subnet, n) > room), None)
    assert takes.first_beyond(subnet, room, 399) == by_trying
