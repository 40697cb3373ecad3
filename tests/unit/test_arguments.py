"""The library refuses nonsense where it is given, with the name of the argument and the nearest valid word."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

import capacity
from capacity.errors import did_you_mean

NAN, INFINITE = float("nan"), float("inf")
EXAMPLE = Path(__file__).parents[2] / "examples" / "shop-prod.yaml"
M5 = capacity.load_catalog().get("m5.large")
ON = capacity.Platform()


@cache
def plan() -> capacity.Plan:
    return capacity.read_plan(EXAMPLE)


@cache
def result() -> capacity.CheckResult:
    return capacity.check(plan(), ["steady", "peak"])


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (
            lambda: capacity.Platform(provisioner="karpentr"),
            "provisioner: 'karpentr' is not one of managed, self-managed, karpenter, auto (did you mean 'karpenter'?)",
        ),
        (
            lambda: capacity.Platform(ami="al2032"),
            "ami: 'al2032' is not one of al2023, al2, bottlerocket, windows (did you mean 'al2023'?)",
        ),
        (
            lambda: capacity.Platform(mode="prefixes"),
            "mode: 'prefixes' is not one of secondary, prefix, ipv6, overlay (did you mean 'prefix'?)",
        ),
        (lambda: capacity.Platform(reserved_enis=-1), "reserved_enis: -1 is less than 0"),
        (lambda: capacity.Platform(max_eni=0), "max_eni: 0 is less than 1"),
        (lambda: capacity.Platform(host_pods=-1), "host_pods: -1 is less than 0"),
        (lambda: capacity.CniSettings(warm_eni=-2), "warm_eni: -2 is less than 0"),
        (lambda: capacity.CniSettings(warm_ip=-1), "warm_ip: -1 is less than 0"),
        (lambda: capacity.CniSettings(minimum_ip=-1), "minimum_ip: -1 is less than 0"),
        (lambda: capacity.CniSettings(warm_prefix=-1), "warm_prefix: -1 is less than 0"),
        (lambda: capacity.CniSettings(max_eni=0), "max_eni: 0 is less than 1"),
        (lambda: capacity.PodAsked(cpu=-5), "cpu: -5 is less than 0"),
        (lambda: capacity.PodAsked(memory=0.5), "memory: 0.5 is not a whole number of bytes"),  # type: ignore[arg-type]
        (lambda: capacity.PodAsked(volumes=-1), "volumes: -1 is less than 0"),
        (lambda: capacity.Daemon("agent", cpu=-1), "daemonset agent: cpu: -1 is less than 0"),
        (lambda: capacity.node_pool(M5, capacity.CniSettings(), pods=-3, max_pods=29), "pods: -3 is less than 0"),
        (lambda: capacity.node_pool(M5, capacity.CniSettings(), pods=3, max_pods=-1), "max_pods: -1 is less than 0"),
        (
            lambda: capacity.node_pool(M5, capacity.CniSettings(), pods=True, max_pods=29),
            "pods: True is not a whole number",
        ),
        (
            lambda: capacity.node_pool(M5, capacity.CniSettings(), 3, 29, os="windos"),
            "os: 'windos' is not one of linux, windows (did you mean 'windows'?)",
        ),
        (lambda: capacity.CniSettings(prefix="false"), "prefix: 'false' is neither True nor False"),  # type: ignore[arg-type]
        (
            lambda: capacity.cni_settings({"WARM_IP_TARGET": 2}),  # type: ignore[dict-item]
            "WARM_IP_TARGET: 2 is not text (expected '2')",
        ),
        (
            lambda: capacity.cni_settings({}, ip_family="ipv5"),
            "ip_family: 'ipv5' is not one of ipv4, ipv6 (did you mean 'ipv6'?)",
        ),
        (lambda: capacity.cilium_settings({"preAllocate": True}), "preAllocate: True is not a whole number"),
        (lambda: capacity.cilium_settings({"usePrimaryAddress": 1}), "usePrimaryAddress: 1 is neither True nor False"),
        (lambda: capacity.Keep(system_cpu=-1), "system_cpu: -1 is less than 0"),
        (lambda: capacity.Keep(overhead_ppm=0.075), "overhead_ppm: 0.075 is not a whole number of millionths"),  # type: ignore[arg-type]
        (
            lambda: capacity.Keep(eviction_share=Fraction(3, 2)),
            "eviction_share: Fraction(3, 2) is out of range (expected 0 to 1)",
        ),
        (lambda: capacity.offer(M5, ON, set_max_pods=-1), "set_max_pods: -1 is less than 0"),
        (lambda: capacity.offer(M5, ON, set_max_pods=1.5), "set_max_pods: 1.5 is not a whole number of pods"),  # type: ignore[arg-type]
        (lambda: capacity.offer(M5, ON, ip_capacity=-1), "ip_capacity: -1 is less than 0"),
        (lambda: capacity.offer(M5, ON, price=NAN), "price: nan is not a finite number"),
        (lambda: capacity.offer(M5, ON, price=True), "price: True is not a number of USD per hour"),
        (lambda: capacity.offer(M5, ON, node_cost=-0.1), "node_cost: -0.1 is out of range (expected 0 or more)"),
        (
            lambda: capacity.node_frame(capacity.load_catalog(), ON, node_cost=INFINITE),
            "node_cost: inf is not a finite number",
        ),
        (lambda: capacity.node_frame(capacity.load_catalog(), ON, set_max_pods=-1), "set_max_pods: -1 is less than 0"),
        (lambda: capacity.shape_map(M5, ON, [NAN], [1]), "cpu_millicores: nan is not a whole number"),  # type: ignore[list-item]
        (lambda: capacity.request_grid(0), "points: 0 is less than 1"),
        (
            lambda: capacity.check({}),  # type: ignore[arg-type]
            "plan: {} is a dict (expected a Plan or the path of its file)",
        ),
        (
            lambda: capacity.check(plan(), "peak"),
            "scenarios: 'peak' is one text (expected a list of names: ['peak'])",
        ),
        (
            lambda: capacity.find_fixes(plan()),  # type: ignore[arg-type]
            "plan: <Plan shop-prod: 3 subnets, 2 node groups, 4 workloads> is a Plan (expected the path of the plan's "
            "file: a fix changes what it says)",
        ),
        (
            lambda: capacity.findings(plan()),  # type: ignore[arg-type]
            "result: <Plan shop-prod: 3 subnets, 2 node groups, 4 workloads> is a Plan (expected a CheckResult, as "
            "check gives)",
        ),
        (
            lambda: capacity.compare(result(), plan()),  # type: ignore[arg-type]
            "after: <Plan shop-prod: 3 subnets, 2 node groups, 4 workloads> is a Plan (expected a CheckResult, as "
            "check gives)",
        ),
        (
            lambda: result()[1],  # type: ignore[index]
            "scenario: 1 is an int (expected its name, such as 'peak'; by position: .scenarios[0])",
        ),
        (lambda: capacity.headroom_by_nodes(result(), "general", most=0), "most: 0 is less than 1"),
        (
            lambda: capacity.headroom_by_nodes(result(), "genral"),
            "there is no node group 'genral' in the plan (did you mean 'general'?)",
        ),
        (lambda: capacity.headroom_by_pods(result(), parts=3), "parts: 3 is less than 4"),
        (lambda: capacity.headroom_by_pods(result(), most_factor=0), "most_factor: 0 is less than 1"),
        (lambda: capacity.what_if(result(), [-5, 100]), "percents: -5 is less than 1"),
        (
            lambda: capacity.what_if(result(), [50]),
            "percents: 100 is not among them (expected the plan as it is, and others)",
        ),
        (lambda: capacity.warm_for_plan(plan(), swing=NAN), "swing: nan is not a finite number"),
        (lambda: capacity.warm_for_plan(plan(), swing=2), "swing: 2 is out of range (expected 0 to 1)"),
        (
            lambda: capacity.warm_for_type(M5, range(0), {}, ON),
            "pods: range(0, 0) is no range of counts (expected something like range(8, 31))",
        ),
        (lambda: capacity.warm_for_type(M5, range(8, 9), {}, ON, by_hand=0), "by_hand: 0 is less than 1"),
        (lambda: capacity.size_plan(plan(), headroom=1.5), "headroom: 1.5 is out of range (expected 0 to 1)"),
        (
            lambda: capacity.forecast_growth(plan(), "18mo"),  # type: ignore[arg-type]
            "span: '18mo' is a str (expected a Horizon, as parse_horizon gives)",
        ),
    ],
)
def test_an_argument_without_sense_is_refused(made: Callable[[], object], said: str) -> None:
    with pytest.raises(capacity.SpecError) as caught:
        made()
    assert str(caught.value) == said


def test_the_least_that_makes_sense_is_accepted() -> None:
    capacity.Platform(reserved_enis=0, max_eni=1, host_pods=0)
    capacity.CniSettings(warm_eni=0, warm_ip=0, minimum_ip=0, warm_prefix=0, max_eni=1)
    capacity.PodAsked(cpu=0, memory=0, volumes=0)
    assert capacity.node_pool(M5, capacity.CniSettings(), pods=0, max_pods=0).assigned == 0


def test_a_plan_is_checked_by_its_path_and_asked_by_name() -> None:
    result = capacity.check(str(EXAMPLE))
    assert result == capacity.check(EXAMPLE) == capacity.check(capacity.read_plan(EXAMPLE))
    assert result["peak"].subnet("private-b").free == -43
    assert result["peak"].group("general").nodes == result.scenarios[1].groups[0].nodes
    assert result["zone-loss (us-east-1b)"].lost_zones == ("us-east-1b",)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda r: r["paek"], "scenario 'paek' was not checked (did you mean 'peak'?) (checked: steady, peak, "),
        (lambda r: r["zone-loss"], "scenario 'zone-loss' has several variants (checked: zone-loss (us-east-1a), "),
        (lambda r: r["peak"].subnet("private-d"), "there is no subnet 'private-d' (did you mean 'private-"),
        (lambda r: r["peak"].group("genral"), "there is no node group 'genral' (did you mean 'general'?)"),
    ],
)
def test_a_name_that_a_result_lacks_is_refused(asked: Callable[[capacity.CheckResult], object], said: str) -> None:
    with pytest.raises(capacity.SpecError) as caught:
        asked(capacity.check(EXAMPLE))
    assert str(caught.value).startswith(said)


def test_results_show_themselves_in_a_line() -> None:
    result = capacity.check(EXAMPLE)
    assert repr(result) == f"<CheckResult of shop-prod: exhausted, {len(result.scenarios)} scenarios>"
    assert repr(result["peak"]) == "<ScenarioState peak: exhausted, 3 subnets>"


def test_every_result_shows_itself_in_one_short_line() -> None:
    fixes = capacity.find_fixes(EXAMPLE, result(), ["steady", "peak"])
    assert fixes.best is not None
    shown = [
        plan(),
        result(),
        result()["peak"],
        result()["peak"].subnet("private-b"),
        result()["peak"].group("general"),
        result().runway[0],
        capacity.findings(result())[0],
        capacity.explain(result(), "private-b", "peak"),
        capacity.compare(result(), result()),
        fixes,
        fixes.best,
        fixes.tried[-1],
        capacity.size_plan(plan(), 0.1, ["steady"]),
        capacity.warm_for_plan(plan()),
        capacity.headroom_by_nodes(result(), "general"),
        capacity.what_if(result(), [100]),
        capacity.forecast_growth(plan(), capacity.parse_horizon("1mo", date(2026, 11, 25)), paths=2),
        capacity.offer(M5, ON),
        capacity.sweep([M5], capacity.CniSettings(), [1], 29),
        capacity.load_catalog(),
        capacity.snapshot_of_plan(plan(), datetime(2026, 11, 30, tzinfo=UTC)),
        capacity.diagnose(capacity.saved_evidence(EXAMPLE.parent / "aws-answers"))[0],
    ]
    long = {type(x).__name__: repr(x) for x in shown if len(repr(x)) >= 120 or "\n" in repr(x)}
    assert long == {}
    assert repr(fixes.best) == "<Fix warm-targets + lower-max-pods: ok, 0 addresses short>"
    assert repr(result()["peak"].subnet("private-b")) == "<SubnetState private-b: exhausted, -43 of 251 free>"


def test_results_keep_what_they_were_worked_out_from() -> None:
    assert result().plan is plan()
    assert [spec.name for spec in result().specs] == ["steady", "peak"]
    assert capacity.find_fixes(EXAMPLE, result(), ["steady", "peak"]).result is result()
    assert capacity.warm_for_plan(plan()).plan is plan()
    sizing = capacity.size_plan(plan(), 0.1, ["steady"])
    assert sizing.result.plan is sizing.plan
    assert sizing.plan.checks.min_free == Fraction(1, 10)  # not the binary number next to 0.1


def test_only_a_near_name_is_meant() -> None:
    assert did_you_mean("stedy", ["steady", "peak"]) == " (did you mean 'steady'?)"
    assert did_you_mean("xyz", ["steady", "peak"]) == ""
