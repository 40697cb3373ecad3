"""Laws of the scenarios, alone and combined, on plans of every kind."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from capacity.cluster.check import check
from capacity.cluster.scenario import ScenarioState
from capacity.plan.model import Plan
from capacity.plan.scenario_spec import ORDER
from tests.fixtures.plans import plan_of
from tests.property.test_check_properties import adds_up

ENVIRONMENTS = (
    "",
    "WARM_ENI_TARGET: 0",
    "WARM_IP_TARGET: 1, MINIMUM_IP_TARGET: 2",
    "WARM_IP_TARGET: 3",
    "ENABLE_PREFIX_DELEGATION: true",
    "MAX_ENI: 1",
)
EVENTS = ("burst", "blue-green", "rollout", "upgrade", "spot-storm", "zone-loss")
ADD_ONLY = ("burst", "blue-green")  # nodes beside those that are there, which stay as they are
Held = dict[str, dict[str, int]]  # by variant (the lost zone) and subnet [addresses]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """One or two groups over up to three zones of unlike size, with up to three workloads."""
    zones = draw(st.integers(1, 3))
    subnets = [f"{{name: s{i}, zone: z{i}, cidr: 10.0.{4 * i}.0/{draw(st.integers(22, 25))}}}" for i in range(zones)]
    groups = []
    for number in range(draw(st.integers(1, 2))):
        mine = sorted(draw(st.sets(st.integers(0, zones - 1), min_size=1)))
        nodes = draw(st.sampled_from(["", ", nodes: 3", ", nodes: 7", ", nodes: {min: 1, desired: 4, max: 9}"]))
        kind = draw(st.sampled_from(["m5.large", "t3.small", "c5.xlarge"]))
        provisioner = draw(st.sampled_from(["managed", "karpenter", "self-managed"]))
        places = ", ".join(f"s{i}" for i in mine)
        groups.append(
            f"{{name: g{number}, instanceTypes: [{kind}], provisioner: {provisioner}, subnets: [{places}]{nodes}}}"
        )
    work = []
    for number in range(draw(st.integers(1, 3))):
        now, more = draw(st.integers(0, 25)), draw(st.integers(0, 20))
        cpu, memory = draw(st.sampled_from([0, 50, 250, 700])), draw(st.sampled_from([0, 100, 600]))
        surge = draw(st.sampled_from(["25%", "0", "3", "100%"]))
        work.append(
            f"{{name: w{number}, replicas: {{now: {now}, max: {now + more}}}, "
            f"requests: {{cpu: {cpu}m, memory: {memory}Mi}}, rollingUpdate: {{maxSurge: {surge}, maxUnavailable: 1}}}}"
        )
    plane = f"controlPlane: {{subnets: [{', '.join(f's{i}' for i in range(zones))}]}}" if draw(st.booleans()) else ""
    return plan_of(
        f"""\
apiVersion: capacity/v1
cni: {{env: {{{draw(st.sampled_from(ENVIRONMENTS))}}}}}
vpc: {{cidrs: [10.0.0.0/16], subnets: [{", ".join(subnets)}]}}
nodeGroups: [{", ".join(groups)}]
workloads: [{", ".join(work)}]
{plane}
"""
    )


def states(plan: Plan, name: str) -> tuple[ScenarioState, ...]:
    return check(plan, [name]).scenarios


def held(plan: Plan, name: str) -> Held:
    return {s.variant: {x.subnet.name: x.used_total for x in s.subnets} for s in states(plan, name)}


def side_by_side(whole: Held, part: Held) -> list[tuple[dict[str, int], dict[str, int]]]:
    """Each state of the combination beside that of the part: of the same lost zone, or the only one."""
    return [(of, part.get(variant, part.get("", {}))) for variant, of in whole.items()]


@settings(max_examples=60)
@given(plans())
def test_figures_add_up_in_every_scenario(plan: Plan) -> None:
    result = check(plan, [*EVENTS, "peak", "upgrade+zone-loss", "peak+burst+spot-storm"])
    for state in result.scenarios:
        adds_up(state, result)
        for group in state.groups:
            assert sum(group.nodes_by_zone.values()) == group.nodes == sum(c.count for c in group.classes)


@settings(max_examples=80)
@given(plans(), st.sampled_from(EVENTS))
def test_an_event_frees_no_address_of_any_subnet(plan: Plan, event: str) -> None:
    for base, name in (("steady", event), ("peak", f"peak+{event}")):
        for after, before in side_by_side(held(plan, name), held(plan, base)):
            assert all(after[subnet] >= number for subnet, number in before.items())


@settings(max_examples=150)
@given(plans(), st.lists(st.sampled_from(EVENTS), min_size=2, max_size=4, unique=True))
def test_what_happens_on_top_frees_no_address_of_any_subnet(plan: Plan, events: list[str]) -> None:
    events.sort(key=ORDER.index)
    chain = [held(plan, "+".join(events[: n + 1])) for n in range(len(events))]
    for part, whole in pairwise(chain):
        for after, before in side_by_side(whole, part):
            assert all(after[subnet] >= number for subnet, number in before.items())


@settings(max_examples=80)
@given(plans(), st.sampled_from(ADD_ONLY), st.sampled_from(EVENTS))
def test_nodes_beside_the_others_come_on_top_in_each_subnet(plan: Plan, added: str, event: str) -> None:
    assume(added != event)
    for part in (added, event):
        for after, before in side_by_side(held(plan, f"{added}+{event}"), held(plan, part)):
            assert all(after[subnet] >= number for subnet, number in before.items())


@settings(max_examples=60)
@given(plans(), st.sampled_from(["burst:nodes={}", "spot-storm:share={}%"]), st.integers(1, 90))
def test_more_of_an_event_holds_more(plan: Plan, option: str, size: int) -> None:
    less, more = (sum(held(plan, option.format(n))[""].values()) for n in (size, size + 10))
    assert less <= more


@settings(max_examples=40)
@given(plans(), st.integers(0, 60))
def test_a_larger_surge_holds_no_less(plan: Plan, surge: int) -> None:
    def of(pods: int) -> int:
        work = tuple(replace(w, max_surge=pods) for w in plan.workloads)
        return sum(held(replace(plan, workloads=work), "rollout")[""].values())

    assert of(surge) <= of(surge + 5)
