"""Subnet discovery over random zones: nothing is lost, bounds hold, more room never harms."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network

from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.cluster.check import check
from capacity.cluster.further_enis import emptiest_first, water_level
from capacity.cluster.scenario import ScenarioState
from capacity.plan.model import Plan
from tests.fixtures.plans import plan_of

PLAN = """\
apiVersion: capacity/v1
cni: {{version: 1.23.1, env: {{ {env} }} }}
vpc:
  cidrs: [10.0.0.0/16, 100.64.0.0/16]
  subnets: [{subnets}]
nodeGroups: [{groups}]
workloads: [{work}]
"""
ENVS = (
    "",
    "WARM_IP_TARGET: '2', MINIMUM_IP_TARGET: '10'",
    "ENABLE_PREFIX_DELEGATION: 'true'",
    "ENABLE_PREFIX_DELEGATION: 'true', WARM_IP_TARGET: '5'",
    "ENABLE_POD_ENI: 'true'",
)
TYPES = ("m5.large", "m5.xlarge", "c5.4xlarge")


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """One or two zones, each with a home or two, tagged or not, and up to three subnets for further ENIs."""
    subnets: list[str] = []
    homes: list[str] = []
    for zone in ("z1", "z2")[: draw(st.integers(1, 2))]:
        count = draw(st.integers(1, 2))
        tagged = draw(st.integers(0, 3))
        for i in range(count + tagged):
            home = i < count
            tags = draw(st.sampled_from(("", "'1'", "'0'") if tagged else ("", "'1'"))) if home else "'1'"
            name = f"{zone}-{i}"
            homes += [name] if home else []
            base = len(subnets)
            cidr = f"10.0.{8 * base}.0/{draw(st.integers(22, 25))}"
            tag = f", tags: {{kubernetes.io/role/cni: {tags}}}" if tags else ""
            subnets.append(f"{{name: {name}, zone: {zone}, cidr: {cidr}, used: {draw(st.integers(0, 100))}{tag}}}")
    groups, work = [], []
    for g in range(draw(st.integers(1, 2))):
        types = ", ".join(draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=2, unique=True)))
        low = draw(st.integers(1, 12))
        spread = draw(st.sampled_from(("even", "worst")))
        groups.append(
            f"{{name: g{g}, instanceTypes: [{types}], subnets: [{', '.join(homes)}], spread: {spread}, "
            f"nodes: {{min: {low}, desired: {low}, max: {low + 6}}}}}"
        )
        branch = draw(st.booleans())
        work.append(
            f"{{name: w{g}, replicas: {draw(st.integers(0, 60))}, nodeGroups: [g{g}], securityGroups: {branch}}}"
        )
    text = PLAN.format(
        env=draw(st.sampled_from(ENVS)), subnets=", ".join(subnets), groups=", ".join(groups), work=", ".join(work)
    )
    return plan_of(text)


@given(plans())
@settings(max_examples=150)
def test_nothing_is_lost_and_the_bounds_hold(plan: Plan) -> None:
    for state in check(plan, ["steady", "peak", "upgrade", "burst:nodes=4"]).scenarios:
        for s in state.subnets:
            assert s.used_total + s.free == s.subnet.usable
            assert s.used_lowest <= s.used_total <= s.used_highest
        assert sum(sum(s.used.values()) for s in state.subnets) == demand(plan, state)


def demand(plan: Plan, state: ScenarioState) -> int:
    """What all nodes take, by the pool of each alone."""
    nodes = sum(
        c.count * (g.shape.node_addresses + g.shape.first.demand(c.vpc_pods) + c.branch_pods)
        for g in state.groups
        for c in g.classes
    )
    return nodes + sum(s.used for s in plan.subnets)


@given(plans(), st.sampled_from(("upgrade", "burst:nodes=5", "blue-green", "spot-storm")))
@settings(max_examples=60)
def test_an_event_only_adds_to_what_a_zone_holds(plan: Plan, event: str) -> None:
    held: list[dict[str, int]] = []
    for name in ("steady", event):
        zones = dict.fromkeys((s.zone for s in plan.subnets), 0)
        for s in check(plan, [name]).scenarios[0].subnets:
            zones[s.subnet.zone] += s.used_total
        held.append(zones)
    assert all(held[1][zone] >= held[0][zone] for zone in held[0])


@given(plans())
@settings(max_examples=100)
def test_a_further_subnet_frees_the_others_but_for_one_eni(plan: Plan) -> None:
    groups = tuple(replace(g, spread="even") for g in plan.node_groups)  # else the worst zone may be another
    plan = replace(plan, node_groups=groups)
    more = replace(plan.subnets[0], name="more", cidr=IPv4Network("100.64.0.0/22"), used=0, discovery=True)
    before, after = (check(p, ["steady"]) for p in (plan, replace(plan, subnets=(*plan.subnets, more))))
    eni = max(s.first.largest_eni for s in after.shapes)
    free = {s.subnet.name: s.free for s in before.scenarios[0].subnets}
    for s in after.scenarios[0].subnets:
        assert s.free >= free.get(s.subnet.name, s.free) - eni


@given(st.lists(st.integers(-200, 500), min_size=1, max_size=5), st.integers(1, 60), st.integers(0, 80))
def test_counted_at_once_is_one_by_one(free: list[int], size: int, count: int) -> None:
    left, got = list(free), [0] * len(free)
    for _ in range(count):
        at = max(range(len(left)), key=lambda i: left[i])
        left[at] -= size
        got[at] += 1
    assert emptiest_first(free, size, count) == got


@given(st.lists(st.integers(-200, 500), min_size=1, max_size=5), st.integers(0, 2000))
def test_the_level_holds_what_is_poured(free: list[int], addresses: int) -> None:
    low, high = water_level(free, addresses)
    assert sum(max(f - low, 0) for f in free) >= addresses >= sum(max(f - high, 0) for f in free)
    assert high - low <= 1


@given(
    st.lists(st.integers(0, 500), min_size=1, max_size=4), st.integers(0, 500), st.integers(1, 40), st.integers(0, 60)
)
def test_of_equal_enis_a_further_subnet_takes_and_never_gives(free: list[int], new: int, size: int, count: int) -> None:
    alone = emptiest_first(free, size, count)
    shared = emptiest_first([*free, new], size, count)
    assert all(b <= a for a, b in zip(alone, shared, strict=False))
