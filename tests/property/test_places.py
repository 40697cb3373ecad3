"""A place of a plan, checked without the rest, has the figures that it has in the whole plan."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.big_plan import plan_text
from capacity.advice.places import RefusalPlace, _part, first_refusal, places_of, refusal
from capacity.cluster.check import CheckResult, check, engine_of, run_scenario, singles
from capacity.cluster.scenario import ScenarioState
from capacity.plan.document import parse_yaml
from capacity.plan.model import Plan
from capacity.plan.parse import parse_patched, parse_plan
from capacity.plan.scenario_spec import ScenarioSpec
from capacity.plan.sections import PlanSection

NAMES = ("steady", "peak", "ceiling", "zone-loss", "peak+zone-loss")
PATCHES: tuple[dict[str, object], ...] = (
    {},
    {"cni.env.WARM_IP_TARGET": "2", "cni.env.MINIMUM_IP_TARGET": "8"},
    {"cni.env.ENABLE_PREFIX_DELEGATION": "true"},
    {"nodeGroups[g0].nodes": {"min": 1}},
    {"nodeGroups[g1].maxPods": 9, "nodeGroups[g2].instanceTypes": ["m5.xlarge"]},
    {f"workloads[w{i}].nodeGroups": [f"g{i % 3}", f"g{i % 3 + 1}"] for i in range(6)},
    {"cni.env.AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"}
    | {f"nodeGroups[g{i}].podSubnets": [f"s{3 * (i % 6) + z}" for z in range(3)] for i in range(9)},
)
DISCOVERY: dict[str, object] = {f"vpc.subnets[s{i}].tags": {"kubernetes.io/role/cni": "1"} for i in range(0, 18, 2)} | {
    "cni.env.ENABLE_SUBNET_DISCOVERY": "true"
}


def _document(seed: int, groups: int = 9, subnets: int = 18) -> PlanSection:
    document = parse_yaml(plan_text(groups, subnets, 60, seed=seed), "plan.yaml")
    assert isinstance(document, PlanSection)
    return document


def _subnet_figures(state: ScenarioState, name: str) -> tuple[object, ...]:
    subnet = state.subnet(name)
    return subnet.verdict, subnet.free, dict(subnet.used), subnet.used_lowest, subnet.used_highest, subnet.prefixes


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), patch=st.sampled_from(PATCHES))
def test_a_place_has_the_figures_of_the_whole_plan(seed: int, patch: dict[str, object]) -> None:
    plan = parse_patched(_document(seed), patch, "plan.yaml")
    result = check(plan, NAMES)
    compared = 0
    for spec, state in _states(plan, result):
        for place in (RefusalPlace(spec, subnet=s.name) for s in plan.subnets):
            part = _part(plan, place, result.reuse)
            if part is not None:
                (alone,) = run_scenario(engine_of(part, result.reuse), spec)
                assert _subnet_figures(alone, place.subnet) == _subnet_figures(state, place.subnet)
                compared += 1
        for entry in state.unplaced:
            found = refusal(plan, RefusalPlace(spec, workload=entry.workload), result.reuse)
            pods = sum(u.pods for u in state.unplaced if u.workload == entry.workload)
            assert found is None or (found.pods, found.verdict) == (pods, state.weighed("tight"))
    assert compared


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_place_that_refused_a_plan_refuses_it_again(seed: int) -> None:
    plan = parse_plan(_document(seed), "plan.yaml")
    result = check(plan, NAMES)
    for spec, state in _states(plan, result):
        for place in places_of(spec, state):
            found = refusal(plan, place, result.reuse)
            assert (found is None) == (_part(plan, place, result.reuse) is None)
            if found is not None:
                assert found.title == state.title
                assert found.verdict != "ok"
                subnets = [s for s in state.subnets if s.subnet.name == place.subnet]
                assert found.short == sum(max(-s.free, 0) for s in subnets)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), patch=st.sampled_from((*PATCHES, DISCOVERY)), pods_count=st.booleans())
def test_the_first_refusal_is_in_the_state_of_the_scenario(
    seed: int, patch: dict[str, object], pods_count: bool
) -> None:
    plan = parse_patched(_document(seed), patch, "plan.yaml")
    result = check(plan, (*NAMES, "rollout"))
    for spec, state in _states(plan, result):
        found = first_refusal(engine_of(plan, result.reuse), spec, pods_count=pods_count)
        emptiest = min(s.free for s in state.subnets)
        short = any(s.verdict != "ok" for s in state.subnets if s.free == emptiest)
        pods = any(pods_count or u.reason == "addresses" for u in state.unplaced)
        if isinstance(found, ScenarioState):
            assert not short
            assert not pods
            assert found == state
        elif found.place.subnet:
            subnet = state.subnet(found.place.subnet)
            assert (found.verdict, found.short) == (state.weighed(subnet.verdict), max(-subnet.free, 0))
            assert (subnet.free, found.title) == (emptiest, state.title)
        else:
            assert found.pods == sum(u.pods for u in state.unplaced if u.workload == found.place.workload) > 0


def test_a_place_that_is_ok_refuses_nothing() -> None:
    plan = parse_plan(_document(3), "plan.yaml")
    result = check(plan, NAMES)
    for spec, state in _states(plan, result):
        for subnet in state.subnets:
            if subnet.verdict == "ok":
                assert refusal(plan, RefusalPlace(spec, subnet=subnet.subnet.name), result.reuse) is None


@pytest.mark.parametrize(
    "patch",
    [{"nodeGroups[g0].spread": "worst"}, {"vpc.subnets[s0].tags": {"kubernetes.io/role/cni": "1"}}],
    ids=["worst zone", "subnet discovery"],
)
def test_a_subnet_that_depends_on_the_whole_plan_is_not_checked_alone(patch: dict[str, object]) -> None:
    plan = parse_patched(_document(3), patch, "plan.yaml")
    result = check(plan, ["steady"])
    (spec,) = result.specs
    assert all(_part(plan, RefusalPlace(spec, subnet=s.name), result.reuse) is None for s in plan.subnets)


def _states(plan: Plan, result: CheckResult) -> list[tuple[ScenarioSpec, ScenarioState]]:
    """The states of a check, each with its scenario; a lost zone is named."""
    specs = {(single.name, single.zone or ""): single for spec in result.specs for single in singles(plan, spec)}
    return [(specs[state.name, state.variant], state) for state in result.scenarios]
