"""A plan's growth against the engine, day by day, and the tables against the engine, state by state."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest

from capacity.cluster.check import check
from capacity.cluster.engine import Engine
from capacity.cluster.group_shapes import group_shapes
from capacity.errors import SpecError
from capacity.forecast import draws, growth_points
from capacity.forecast.calibration import partition
from capacity.forecast.components import components
from capacity.forecast.grown import growing_demand
from capacity.forecast.growth_points import calibrate
from capacity.forecast.plan_growth import forecast_growth
from capacity.forecast.replicas import replica_paths
from capacity.forecast.span import Horizon
from capacity.plan.constants import PREFIX_SIZE
from capacity.plan.document import parse_yaml
from capacity.plan.model import Plan
from capacity.plan.parse import parse_plan, read_plan

START = date(2026, 12, 1)

HEAD = """
apiVersion: capacity/v1
vpc:
  cidrs: [10.0.0.0/16, 100.64.0.0/16]
  subnets:
    - {name: a, zone: z1, cidr: 10.0.0.0/25, used: 5}
    - {name: b, zone: z2, cidr: 10.0.1.0/25}
    - {name: c, zone: z2, cidr: 10.0.2.0/25, reservations: [{cidr: 10.0.2.64/26, type: prefix}]}
    - {name: pa, zone: z1, cidr: 100.64.0.0/25}
    - {name: pb, zone: z2, cidr: 100.64.1.0/25}
controlPlane: {subnets: [a, b]}
daemonSets: [{name: log, requests: {cpu: 50m}}]
tenants: [{kind: alb, name: web, subnets: [a, b]}]
"""
ONE = "nodeGroups: [{name: g, instanceTypes: [m5.large], nodes: {min: 2}, subnets: [a, b, c]SPREAD}]\n"
GROWING = "workloads: [{name: w, replicas: 10, requests: {cpu: 150m}, growth: {rate: RATE}}]\n"


def plan(text: str) -> Plan:
    return parse_plan(parse_yaml(text, "p.yaml"), "p.yaml")


def shop(certain: bool = False) -> Plan:
    """The example plan, its growth as it is or without uncertainty."""
    read = read_plan("examples/shop-prod.yaml")
    calm = tuple(replace(w, growth=w.growth and replace(w.growth, stddev=Fraction(0))) for w in read.workloads)
    return replace(read, workloads=calm) if certain else read


CALM = shop(certain=True)


class TestCertainGrowth:
    SPAN = Horizon(START, 1100)

    def test_the_date_is_the_first_day_that_check_calls_exhausted(self) -> None:
        result = forecast_growth(CALM, self.SPAN)
        found = {s.name: s.date_p50 for s in result.subnets}
        assert result.exact
        assert found["private-b"] is not None
        replicas = [replica_paths(w.growth, w.replicas, self.SPAN)[:, 0] for w in CALM.workloads]
        open_ended = tuple(
            replace(g, desired=None, min_nodes=max(g.min_nodes, g.desired or 0), max_nodes=None)
            for g in CALM.node_groups
        )
        first: dict[str, date] = {}
        before: list[int] = []
        for day in range(self.SPAN.days + 1):
            now = [int(r[day]) for r in replicas]
            if now == before:
                continue
            before = now
            loads = tuple(replace(w, replicas=n, max_replicas=n) for w, n in zip(CALM.workloads, now, strict=True))
            state = check(replace(CALM, workloads=loads, node_groups=open_ended), ["steady"]).scenarios[0]
            for s in state.subnets:
                if s.free < 0 or not s.prefixes_placed:
                    first.setdefault(s.subnet.name, self.SPAN.on(day))
        assert {n: d for n, d in found.items() if d} == first

    def test_all_quantiles_are_that_date(self) -> None:
        by_name = {s.name: s for s in forecast_growth(CALM, self.SPAN).subnets}
        b, c = by_name["private-b"], by_name["private-c"]
        assert b.date_p10 == b.date_p50 == b.date_p90
        assert (b.probability, c.probability) == (1.0, 0.0)
        assert (c.date_p10, c.date_p90, c.note) == (None, None, f"does not run out before {self.SPAN.end}")

    def test_the_first_day_is_what_check_says_of_now(self) -> None:
        steady = check(CALM, ["steady"]).scenarios[0]
        used = {s.name: s.used_now for s in forecast_growth(CALM, Horizon(START, 1)).subnets}
        assert used == {s.subnet.name: s.used_total for s in steady.subnets}

    def test_by_hand(self) -> None:
        """Pods of 150m on m5.large (1930m): 12 a node. A node takes 20 addresses with up to 9 pods, 30 with more.

        So 18 pods on two nodes take 40, 19 take 50, 20 (ten on each) 60: one more than a /26 has usable. Growing
        from 10 by 100 % a year, pods pass 19 on the first day with 10 × 2^(d ÷ 365) > 19: d > 365 × log2(1.9) = 337.99.
        """
        small = plan(
            "apiVersion: capacity/v1\n"
            "vpc: {cidrs: [10.0.0.0/16], subnets: [{name: a, zone: z1, cidr: 10.0.0.0/26}]}\n"
            "nodeGroups: [{name: g, instanceTypes: [m5.large], subnets: [a]}]\n" + GROWING.replace("RATE", "100%/year")
        )
        a = forecast_growth(small, Horizon(START, 730)).subnets[0]
        assert a.date_p50 == START + timedelta(days=338)
        assert a.fan is not None
        assert a.fan.p50[[0, 337, 338]].tolist() == [30, 50, 60]


class TestUncertainGrowth:
    SPAN = Horizon(START, 1200)

    def test_half_of_the_draws_run_out_about_when_the_certain_growth_does(self) -> None:
        exact = {s.name: s.date_p50 for s in forecast_growth(CALM, self.SPAN).subnets}["private-b"]
        drawn = {s.name: s for s in forecast_growth(shop(), self.SPAN, 2000).subnets}["private-b"]
        assert exact is not None
        assert drawn.date_p10 is not None
        assert drawn.date_p50 is not None
        assert drawn.date_p90 is not None
        assert abs((drawn.date_p50 - exact).days) <= 14  # P10 to P90 is about 90 days
        assert drawn.date_p10 < drawn.date_p50 < drawn.date_p90

    def test_the_same_seed_gives_the_same_answer_and_another_one_nearly(self) -> None:
        dates = [
            [
                (s.date_p10, s.date_p50, s.date_p90, s.probability)
                for s in forecast_growth(shop(), self.SPAN, 600, n).subnets
            ]
            for n in (1, 1, 2)
        ]
        assert dates[0] == dates[1]
        assert dates[0] != dates[2]

    def test_first_days_are_those_of_looking_at_every_day(self) -> None:
        """The bound per block of days never skips a shortage."""
        two = plan(HEAD + ONE.replace("SPREAD", "") + GROWING.replace("RATE", "8%/month, stddev: 20%"))
        engine = Engine(two, group_shapes(two))
        span = Horizon(START, 400)
        growth = two.workloads[0].growth
        points = calibrate(engine, [[10]])
        found = components(engine, points, [900])
        rng = np.random.default_rng(4)
        drawn = replica_paths(growth, 10, span, 300, rng)
        states = [c.states([drawn]) for c in found]
        shares: list[float] = []
        for subnet in draws._subnet_parts(two, points, found):
            every = subnet.short(lambda part: states[part.component])
            every = np.broadcast_to(every, (span.days + 1, 300))  # one value where nothing is in the subnet
            brute = np.where(every.any(axis=0), every.argmax(axis=0), span.days + 1)
            most = [draws._blocks(s) for s in states]
            assert draws._first_days(subnet, states, most, span.days, 300).tolist() == brute.tolist()
            shares.append(float((brute <= span.days).mean()))
        assert 0 < shares[0] < 1  # the test has draws of both kinds

    def test_one_draw_is_still_a_draw(self) -> None:
        one = forecast_growth(shop(), self.SPAN, 1)
        assert (one.exact, one.paths) == (False, 1)

    def test_peak_runs_out_sooner_than_steady(self) -> None:
        steady, peak = (forecast_growth(shop(), self.SPAN, 300, scenario=s).subnets[1] for s in ("steady", "peak"))
        assert peak.date_p50 is not None
        assert steady.date_p50 is not None
        assert peak.date_p50 < steady.date_p50

    @pytest.mark.parametrize("paths_asked", [0, 1_000_001])
    def test_a_number_of_draws_out_of_range(self, paths_asked: int) -> None:
        with pytest.raises(SpecError, match="--paths"):
            forecast_growth(shop(), self.SPAN, paths_asked)

    def test_an_unknown_scenario(self) -> None:
        with pytest.raises(SpecError, match="'rollout' is not one of steady, peak"):
            forecast_growth(shop(), self.SPAN, scenario="rollout")


def test_a_plan_without_growth_stays_as_it_is_and_says_so() -> None:
    still = plan(HEAD + ONE.replace("SPREAD", "") + "workloads: [{name: w, replicas: 10}]\n")
    result = forecast_growth(still, Horizon(START, 30))
    assert [s.probability for s in result.subnets] == [0.0] * 5
    assert any("no workload of the plan has growth" in n for n in result.notes)


def test_what_is_short_today_has_todays_date() -> None:
    full = plan(HEAD + ONE.replace("SPREAD", "") + GROWING.replace("RATE", "1%/month").replace("10,", "900,"))
    a = forecast_growth(full, Horizon(START, 30)).subnets[0]
    assert (a.date_p10, a.note) == (START, "already exhausted in the steady state and in 6 more scenarios")


@pytest.mark.parametrize("stddev", ["", ", stddev: 1%"])
def test_a_pod_that_no_node_holds_takes_nothing_and_is_named(stddev: str) -> None:
    head, small = HEAD + ONE.replace("SPREAD", ""), GROWING.replace("RATE", "5%/month" + stddev)
    large = small.replace("[{name: w", "[{name: big, replicas: 5, requests: {cpu: 64}}, {name: w")
    both, alone = (forecast_growth(plan(head + work), Horizon(START, 30), 50) for work in (large, small))
    assert [s.used_now for s in both.subnets] == [s.used_now for s in alone.subnets]
    assert any("no node fits a pod of big: these pods are not counted" in n for n in both.notes)
    assert both.date_unschedulable == alone.date_unschedulable


def test_growth_beyond_all_bounds_does_not_blur_the_present() -> None:
    mad = GROWING.replace("RATE", "400%/day, stddev: 300%").rstrip("]\n") + ", {name: v, replicas: 5}]\n"
    made = plan(HEAD + ONE.replace("SPREAD", "") + mad)
    engine = Engine(made, group_shapes(made))
    now = engine.run(growing_demand(engine, [10, 5]))
    assert [s.used_now for s in forecast_growth(made, Horizon(START, 365), 50).subnets] == [
        s.used_total for s in now.subnets
    ]


def test_passing_the_groups_maximum_is_said() -> None:
    capped = ONE.replace("{min: 2}", "{min: 2, max: 3}").replace("SPREAD", "")
    result = forecast_growth(plan(HEAD + capped + GROWING.replace("RATE", "20%/month")), Horizon(START, 365))
    reached = result.groups[0].date_max_reached
    assert reached is not None
    assert any(f"g reaches its maximum of 3 nodes by {reached}" in n for n in result.notes)


@pytest.mark.parametrize("stddev", ["", ", stddev: 1%"])
def test_nodes_stop_at_their_maximum_and_pods_beyond_are_unschedulable(stddev: str) -> None:
    """12 pods of 150m a node: 3 nodes hold 36, so the 37th is the first without a node, at 10 × 1.2^(d ÷ 30.4) > 36."""
    capped = ONE.replace("{min: 2}", "{min: 2, max: 3}").replace("SPREAD", "")
    result = forecast_growth(
        plan(HEAD + capped + GROWING.replace("RATE", "20%/month" + stddev)), Horizon(START, 365), 400
    )
    certain = START + timedelta(days=math.floor(365.25 / 12 * math.log(3.6, 1.2)) + 1)
    assert result.date_unschedulable is not None
    assert abs((result.date_unschedulable - certain).days) <= (12 if stddev else 1)  # draws are looked at in steps
    assert result.groups[0].fan.p90[-1] == 3
    assert any(f"pods are unschedulable from {result.date_unschedulable}" in n for n in result.notes)
    full = check(plan(HEAD + capped + GROWING.replace("RATE", "20%/month").replace("10,", "36,")), ["steady"])
    last = [round(float(s.fan.p50[-1])) for s in result.subnets if s.fan]
    assert last == [s.used_total for s in full.scenarios[0].subnets]


@pytest.mark.parametrize("stddev", ["", ", stddev: 1%"])
def test_a_group_with_a_fixed_count_never_grows(stddev: str) -> None:
    fixed = HEAD + ONE.replace("{min: 2}", "2").replace("SPREAD", "")
    result = forecast_growth(plan(fixed + GROWING.replace("RATE", "20%/month" + stddev)), Horizon(START, 365), 200)
    assert {float(n) for n in result.groups[0].fan.p90} == {2.0}
    assert result.groups[0].date_max_reached is None
    assert result.date_unschedulable is not None


def test_pods_above_what_the_enis_serve_are_said() -> None:
    # 40 max pods on m5.large serve 27 addresses; 30 pods on one node: 3 of them have none
    one = HEAD + ONE.replace("{min: 2}", "1").replace("SPREAD", ", maxPods: 40")
    work = "workloads: [{name: w, replicas: 20, growth: {rate: 10%/monthSTD}}]\n"
    for stddev in ("", ", stddev: 1%"):
        result = forecast_growth(plan(one + work.replace("STD", stddev)), Horizon(START, 365), 200)
        assert result.date_without_address is not None
        assert START < result.date_without_address < (result.date_unschedulable or result.end)
        assert any(f"pods on nodes get no address from {result.date_without_address}" in n for n in result.notes)


@pytest.mark.parametrize("scenario", ["steady", "peak", "ceiling"])
@pytest.mark.parametrize("calm", [True, False])
def test_the_first_day_is_the_scenario_as_check_has_it(scenario: str, calm: bool) -> None:
    made = CALM if calm else shop()
    state = check(made, [scenario]).scenarios[0]
    result = forecast_growth(made, Horizon(START, 60), 50, scenario=scenario)
    assert [s.used_now for s in result.subnets] == [s.used_total for s in state.subnets]
    assert [float(g.fan.p10[0]) for g in result.groups] == [float(g.nodes) for g in state.groups]
    short = {s.subnet.name for s in state.subnets if s.verdict == "exhausted"}
    assert {s.name for s in result.subnets if s.date_p90 == START} == short
    assert {s.name for s in result.subnets if scenario in s.exhausted_in} == short
    assert bool(result.already) is (check(made).verdict == "exhausted")
    if state.verdict == "exhausted":
        assert result.already[0].scenario == scenario


# --- tables -----------------------------------------------------------------------------------

LAYOUTS = {
    "default": HEAD + ONE.replace("SPREAD", ""),
    "weights": HEAD + ONE.replace("SPREAD", ", spread: {z1: 0.7, z2: 0.3}"),
    "worst": HEAD + ONE.replace("SPREAD", ", spread: worst"),
    "warm targets": HEAD + "cni: {env: {WARM_IP_TARGET: '3', MINIMUM_IP_TARGET: '8'}}\n" + ONE.replace("SPREAD", ""),
    "prefixes": HEAD + "cni: {env: {ENABLE_PREFIX_DELEGATION: 'true'}}\n" + ONE.replace("SPREAD", ""),
    "custom networking": HEAD
    + "cni: {env: {AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG: 'true'}}\n"
    + ONE.replace("SPREAD", ", podSubnets: [pa, pb]"),
    "fargate": HEAD + "nodeGroups: [{name: g, provisioner: fargate, subnets: [a, b, c]}]\n",
    "host network": HEAD + ONE.replace("SPREAD", ""),
    "branch": HEAD + "cni: {env: {ENABLE_POD_ENI: 'true'}}\n" + ONE.replace("SPREAD", ""),
}
KIND = {"host network": ", hostNetwork: true", "branch": ", securityGroups: true"}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_tables_for_pods_of_one_shape_are_the_engines_answer(layout: str) -> None:
    work = f"workloads: [{{name: w, replicas: 10, requests: {{cpu: 150m}}{KIND.get(layout, '')}}}]\n"
    if layout == "fargate":
        work = work.replace("replicas: 10", "replicas: 10, nodeGroups: [g]")
    made = plan(LAYOUTS[layout] + work)
    engine = Engine(made, group_shapes(made))
    points = calibrate(engine, [[10]])
    (component,) = components(engine, points, [150])
    for pods in [*range(40), 75, 99, 150]:
        want = engine.run(growing_demand(engine, [pods]))
        state = int(component.states([np.array([[pods]], dtype=np.float32)])[0, 0])
        assert component.nodes[0, state] == want.groups[0].nodes
        for subnet in want.subnets:
            taken = prefixes = 0
            if subnet.subnet.name in component.table.subnets:
                row = component.table.subnets.index(subnet.subnet.name)
                taken = int(component.table.used(row)[state])
                prefixes = 0 if component.table.prefixes is None else int(component.table.prefixes[row, state])
            fixed = sum(subnet.used[h] for h in ("control_plane", "load_balancers", "endpoints", "other"))
            assert (taken + fixed, prefixes) == (subnet.used_total, subnet.prefixes)
            assert prefixes == 0 or PREFIX_SIZE * prefixes <= taken


def test_mixed_pods_are_close_to_the_engine() -> None:
    """Several shapes on one group and a workload that may use two: nodes within one, addresses within a few percent."""
    mixed = replace(CALM, workloads=tuple(replace(w, node_groups=()) for w in CALM.workloads))
    for made in (CALM, mixed):
        engine = Engine(made, group_shapes(made))
        base = np.array([w.replicas for w in made.workloads])
        span = Horizon(START, 1100)
        growths = [w.growth for w in made.workloads]
        expected = np.stack([draws._expected(g, int(n), span) for g, n in zip(growths, base, strict=True)], axis=1)
        top = [int(x) for x in expected.max(axis=0) * 1.3]
        points = calibrate(engine, growth_points._points(expected, top, 10))
        found = components(engine, points, top)
        parts = draws._subnet_parts(made, points, found)
        rng = np.random.default_rng(3)
        total_got = total_want = 0
        for day in rng.integers(0, span.days, 60):
            now = [int(x) for x in np.ceil(expected[day] * rng.uniform(0.9, 1.1, len(base)))]
            want = engine.run(growing_demand(engine, now))
            states = [c.states([np.array([[now[w]]], dtype=np.float32) for w in c.workloads]) for c in found]
            for c, state in zip(found, states, strict=True):
                for row, group in enumerate(c.groups):
                    assert abs(int(c.nodes[row][state[0, 0]]) - want.groups[group].nodes) <= 1
            total_got += sum(int(draws._used(p, states)[0, 0]) for p in parts)
            total_want += sum(s.used_total for s in want.subnets)
        assert total_got == pytest.approx(total_want, rel=0.03)


def test_groups_that_share_a_workload_are_one_component() -> None:
    read = read_plan("examples/shop-prod.yaml")
    assert partition(Engine(read, group_shapes(read))) == [((0,), (0, 1, 2)), ((1,), (3,))]
    anywhere = replace(read, workloads=(replace(read.workloads[0], node_groups=()), *read.workloads[1:]))
    assert partition(Engine(anywhere, group_shapes(anywhere))) == [((0, 1), (0, 1, 2, 3))]
