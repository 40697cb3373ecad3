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
from capacity.plan.cilium import CiliumIpam
from capacity.plan.windows import WindowsIpam

NAN, INFINITE = float("nan"), float("inf")
EXAMPLE = Path(__file__).parents[2] / "examples" / "shop-prod.yaml"
M5 = capacity.load_catalog().get("m5.large")
ON = capacity.Platform()
SPAN = capacity.parse_horizon("90d", date(2026, 11, 25))


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
        (
            lambda: capacity.Platform(custom_networking="false"),  # type: ignore[arg-type]
            "custom_networking: 'false' is neither True nor False",
        ),
        (lambda: capacity.Platform(pod_eni=1), "pod_eni: 1 is neither True nor False"),  # type: ignore[arg-type]
        (
            lambda: capacity.max_pods("m5.xlarge", ON),  # type: ignore[arg-type]
            "instance_type: 'm5.xlarge' is a str (expected an InstanceType: load_catalog().get(\"m5.xlarge\"))",
        ),
        (
            lambda: capacity.max_pods(None, ON),  # type: ignore[arg-type]
            'instance_type: None is a NoneType (expected an InstanceType: load_catalog().get("m5.large"))',
        ),
        (
            lambda: capacity.max_pods(M5, "prefix"),  # type: ignore[arg-type]
            "platform: 'prefix' is a str (expected a Platform, such as Platform(mode='prefix'))",
        ),
        (
            lambda: capacity.offer("m5.large", ON),  # type: ignore[arg-type]
            "instance_type: 'm5.large' is a str (expected an InstanceType: load_catalog().get(\"m5.large\"))",
        ),
        (
            lambda: capacity.node_pool("m5.large", capacity.CniSettings(), pods=3, max_pods=29),  # type: ignore[arg-type]
            "instance_type: 'm5.large' is a str (expected an InstanceType: load_catalog().get(\"m5.large\"))",
        ),
        (
            lambda: capacity.node_pool(M5, {}, pods=3, max_pods=29),  # type: ignore[arg-type]
            "settings: {} is a dict (expected a CniSettings, such as cni_settings({...})[0])",
        ),
        (
            lambda: capacity.shape_map("m5.large", ON, [250], [2**29]),  # type: ignore[arg-type]
            "instance_type: 'm5.large' is a str (expected an InstanceType: load_catalog().get(\"m5.large\"))",
        ),
        (
            lambda: capacity.sweep(["m5.large"], capacity.CniSettings(), [1], 29),  # type: ignore[list-item]
            "types: 'm5.large' is a str (expected an InstanceType: load_catalog().get(\"m5.large\"))",
        ),
        (
            lambda: capacity.sweep("m5.large", capacity.CniSettings(), [1], 29),  # type: ignore[arg-type]
            "types: 'm5.large' is a str (expected instance types, such as [load_catalog().get(\"m5.large\")])",
        ),
        (
            lambda: capacity.sweep(M5, capacity.CniSettings(), [1], 29),  # type: ignore[arg-type]
            f'types: {M5!r} is an InstanceType (expected instance types, such as [load_catalog().get("m5.large")])',
        ),
        (
            lambda: capacity.sweep([M5], None, [1], 29),  # type: ignore[arg-type]
            "settings: None is a NoneType (expected a CniSettings, such as cni_settings({...})[0])",
        ),
        (
            lambda: capacity.sweep([M5], capacity.CniSettings(), [1], 29, unmanaged_enis=-1),
            "unmanaged_enis: -1 is less than 0",
        ),
        (
            lambda: capacity.warm_for_type("m5.large", range(8, 9), {}, ON),  # type: ignore[arg-type]
            "instance_type: 'm5.large' is a str (expected an InstanceType: load_catalog().get(\"m5.large\"))",
        ),
        (
            lambda: capacity.node_frame(capacity.load_catalog(), ON, region="us-east1"),
            "region: 'us-east1' is not a region (did you mean 'us-east-1'?)",
        ),
        (
            lambda: capacity.price_per_hour("m5.large", "Ohio"),
            "region: 'Ohio' is not a region (expected something like us-east-1)",
        ),
        (
            lambda: capacity.node_frame([M5], ON),  # type: ignore[arg-type]
            f"catalog: [{M5!r}] is a list (expected a Catalog: load_catalog())",
        ),
        (
            lambda: capacity.max_pods_frame(capacity.load_catalog(), "prefix"),  # type: ignore[arg-type]
            "platform: 'prefix' is a str (expected a Platform, such as Platform(mode='prefix'))",
        ),
        (lambda: capacity.Platform(reserved_enis=-1), "reserved_enis: -1 is less than 0"),
        (
            lambda: capacity.sweep([M5], capacity.CniSettings(), [1], 29, unmanaged_enis=10**30),
            f"unmanaged_enis: {10**30} is more than 1000000",
        ),
        (
            lambda: capacity.node_frame(capacity.load_catalog(), ON, set_max_pods=100_001),
            "set_max_pods: 100001 is more than 100000",
        ),
        (lambda: capacity.headroom_by_pods(result(), most_factor=1_001), "most_factor: 1001 is more than 1000"),
        (lambda: capacity.headroom_by_pods(result(), parts=1_001), "parts: 1001 is more than 1000"),
        (lambda: capacity.request_grid(1_001), "points: 1001 is more than 1000"),
        (lambda: capacity.warm_for_type(M5, range(8, 9), {}, ON, 100_001), "by_hand: 100001 is more than 100000"),
        (
            lambda: capacity.parse_plan({"apiVersion": {1}}),
            "document: not a decoded JSON or YAML document: Object of type set is not JSON serializable",
        ),
        (
            lambda: capacity.sketched([("web", "250m", "512Mi")]),  # type: ignore[list-item]
            "pods: ('web', '250m', '512Mi') has 3 values (expected 4, as in (\"web\", \"250m\", \"512Mi\", 120))",
        ),
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
        (lambda: capacity.Daemon("agent", cpu=-1), "DaemonSet agent: cpu: -1 is less than 0"),
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
            "scenarios: 'peak' is a single string (expected a list of names: ['peak'])",
        ),
        (
            lambda: capacity.find_fixes(plan()),  # type: ignore[arg-type]
            "plan: <Plan shop-prod: 3 subnets, 2 node groups, 4 workloads> is a Plan (expected the path of the plan "
            "file: a fix changes its content)",
        ),
        (
            lambda: capacity.findings(plan()),  # type: ignore[arg-type]
            "result: <Plan shop-prod: 3 subnets, 2 node groups, 4 workloads> is a Plan (expected a CheckResult, as "
            "returned by check)",
        ),
        (
            lambda: capacity.compare(result(), plan()),  # type: ignore[arg-type]
            "after: <Plan shop-prod: 3 subnets, 2 node groups, 4 workloads> is a Plan (expected a CheckResult, as "
            "returned by check)",
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
            "percents does not include 100 (expected 100, the plan itself, and others)",
        ),
        (lambda: capacity.warm_for_plan(plan(), swing=NAN), "swing: nan is not a finite number"),
        (lambda: capacity.warm_for_plan(plan(), swing=2), "swing: 2 is out of range (expected 0 to 1)"),
        (
            lambda: capacity.warm_for_type(M5, range(0), {}, ON),
            "pods: range(0, 0) is not a range of counts (expected something like range(8, 31))",
        ),
        (lambda: capacity.warm_for_type(M5, range(8, 9), {}, ON, by_hand=0), "by_hand: 0 is less than 1"),
        (lambda: capacity.size_plan(plan(), headroom=1.5), "headroom: 1.5 is out of range (expected 0 to 1)"),
        (
            lambda: capacity.forecast_growth(plan(), "18mo"),  # type: ignore[arg-type]
            "span: '18mo' is a str (expected a Horizon, as returned by parse_horizon)",
        ),
        (lambda: capacity.forecast_growth(plan(), SPAN, paths=1.5), "--paths: 1.5 is not a whole number"),  # type: ignore[arg-type]
        (lambda: capacity.forecast_growth(plan(), SPAN, seed="x"), "--seed: 'x' is not a whole number"),  # type: ignore[arg-type]
        (
            lambda: capacity.forecast_history([], SPAN, {}, paths=0),
            "--paths: 0 is out of range (expected 1 to 1,000,000)",
        ),
        (
            lambda: capacity.Platform(expression=5),  # type: ignore[arg-type]
            "expression: 5 is an int (expected text, such as 'max_pods - 2')",
        ),
        (
            lambda: capacity.Platform(cilium="on"),  # type: ignore[arg-type]
            "cilium: 'on' is a str (expected what cilium_settings(...) gives, or None)",
        ),
        (
            lambda: capacity.CniSettings(cilium=True),  # type: ignore[arg-type]
            "cilium: True is a bool (expected what cilium_settings(...) gives, or None)",
        ),
        (lambda: capacity.CniSettings(windows=None), "windows: None is a NoneType (expected a WindowsIpam)"),  # type: ignore[arg-type]
        (lambda: CiliumIpam(pre_allocate=-1), "pre_allocate: -1 is less than 0"),
        (lambda: CiliumIpam(release_excess_ips=1), "release_excess_ips: 1 is neither True nor False"),  # type: ignore[arg-type]
        (lambda: WindowsIpam(minimum_ip=-1), "minimum_ip: -1 is less than 0"),
        (lambda: WindowsIpam(prefix="yes"), "prefix: 'yes' is neither True nor False"),  # type: ignore[arg-type]
        (
            lambda: capacity.cni_settings("WARM_IP_TARGET=2"),  # type: ignore[arg-type]
            "env: 'WARM_IP_TARGET=2' is a str (expected a mapping of variables to text, such as "
            "{'WARM_IP_TARGET': '2'})",
        ),
        (
            lambda: capacity.cilium_settings("preAllocate=4"),  # type: ignore[arg-type]
            "cilium: 'preAllocate=4' is a str (expected a mapping of settings, such as {'preAllocate': 16})",
        ),
        (
            lambda: capacity.read_patched(EXAMPLE, "cni.env.WARM_IP_TARGET=2"),  # type: ignore[arg-type]
            "patch: 'cni.env.WARM_IP_TARGET=2' is a str (expected a mapping of paths to values, such as "
            "{'cni.env.WARM_IP_TARGET': '2'})",
        ),
        (lambda: capacity.PodAsked(branch="no"), "branch: 'no' is neither True nor False"),  # type: ignore[arg-type]
        (lambda: capacity.Daemon(7), "DaemonSet: name: 7 is an int (expected text)"),  # type: ignore[arg-type]
        (
            lambda: capacity.Daemon("log", host_network="no"),  # type: ignore[arg-type]
            "DaemonSet log: host_network: 'no' is neither True nor False",
        ),
        (
            lambda: capacity.offer(M5, ON, {"cpu": 250}),  # type: ignore[arg-type]
            "pod: {'cpu': 250} is a dict (expected PodAsked(...))",
        ),
        (
            lambda: capacity.offer(M5, ON, daemons=["log"]),  # type: ignore[list-item]
            "daemons: 'log' is a str (expected Daemon(...) for each DaemonSet)",
        ),
        (lambda: capacity.offer(M5, ON, keep=5), "keep: 5 is an int (expected Keep(...))"),  # type: ignore[arg-type]
        (lambda: capacity.CostInputs(savings_plan="28%"), "Savings Plan discount: '28%' is not a number"),  # type: ignore[arg-type]
        (lambda: capacity.CostInputs(price_factor=True), "price factor: True is not a number"),  # type: ignore[arg-type]
        (
            lambda: capacity.CostInputs(prices="prices.csv"),  # type: ignore[arg-type]
            "prices: 'prices.csv' is a str (expected what read_price_file(...) gives, or None)",
        ),
        (
            lambda: capacity.CostInputs(public_ipv4="general"),  # type: ignore[arg-type]
            "public_ipv4: 'general' is a str (expected a tuple of the names of node groups)",
        ),
        (
            lambda: capacity.CostInputs(as_of="2026-11-25"),  # type: ignore[arg-type]
            "as_of: '2026-11-25' is a str (expected a date, or None)",
        ),
        (
            lambda: capacity.plan_cost(result(), 0.28),  # type: ignore[arg-type]
            "inputs: 0.28 is a float (expected CostInputs(...), or None)",
        ),
        (
            lambda: capacity.find_fixes(EXAMPLE, prices=0.28),  # type: ignore[arg-type]
            "prices: 0.28 is a float (expected CostInputs(...), or None)",
        ),
        (
            lambda: capacity.packed_blocks("private-b"),  # type: ignore[arg-type]
            "state: 'private-b' is a str (expected a subnet of a scenario: result['peak'].subnet('a'))",
        ),
        (
            lambda: capacity.diagnose("answers/"),  # type: ignore[arg-type]
            "evidence: 'answers/' is a str (expected what saved_evidence(...) gives)",
        ),
        (
            lambda: capacity.snapshot_of_plan(plan(), date(2026, 11, 25)),  # type: ignore[arg-type]
            "time: datetime.date(2026, 11, 25) is a date (expected a datetime with its time zone)",
        ),
        (lambda: result()["peak"].subnet(5), "subnet: 5 is an int (expected its name)"),  # type: ignore[arg-type]
    ],
)
def test_an_argument_without_sense_is_refused(made: Callable[[], object], said: str) -> None:
    with pytest.raises(capacity.SpecError) as caught:
        made()
    assert str(caught.value) == said


@pytest.mark.parametrize(
    "asked",
    [
        capacity.explain,
        capacity.headroom_by_nodes,
    ],
)
def test_a_question_about_a_check_refuses_what_is_none(asked: Callable[..., object]) -> None:
    with pytest.raises(capacity.SpecError, match=r"^result: 'capacity.yaml' is a str \(expected a CheckResult"):
        asked("capacity.yaml", "general")


@pytest.mark.parametrize(
    "asked",
    [
        capacity.findings,
        capacity.plan_cost,
        capacity.subnet_frame,
        capacity.group_frame,
        capacity.runway_frame,
        capacity.group_offers,
        capacity.headroom_by_pods,
        capacity.what_if,
    ],
)
def test_a_result_is_asked_for_where_a_file_is_given(asked: Callable[..., object]) -> None:
    with pytest.raises(capacity.SpecError, match=r"^result: 'capacity.yaml' is a str \(expected a CheckResult"):
        asked("capacity.yaml")


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
        capacity.max_pods(M5, ON),
        capacity.node_pool(M5, capacity.CniSettings(), pods=30, max_pods=29),
        M5,
        capacity.Platform(
            "prefix", max_eni=3, reserved_enis=1, provisioner="self-managed", expression="max_pods+2" * 9
        ),
        capacity.CniSettings(prefix=True, custom_networking=True, warm_eni=3, warm_ip=40, minimum_ip=50, max_eni=4),
        capacity.cilium_settings({"preAllocate": 8, "minAllocate": 9})[0],
        capacity.sweep([M5], capacity.CniSettings(), [1], 29),
        capacity.load_catalog(),
        capacity.snapshot_of_plan(plan(), datetime(2026, 11, 30, tzinfo=UTC)),
        capacity.diagnose(capacity.saved_evidence(EXAMPLE.parent / "aws-answers"))[0],
    ]
    long = {type(x).__name__: repr(x) for x in shown if len(repr(x)) >= 120 or "\n" in repr(x)}
    assert long == {}
    assert repr(fixes.best) == "<Fix warm-targets + lower-max-pods: ok, 0 addresses short>"
    assert repr(result()["peak"].subnet("private-b")) == "<SubnetState private-b: exhausted, -43 of 251 free>"


def test_a_thing_shows_what_was_given() -> None:
    assert repr(capacity.Platform("prefix", max_eni=2)) == "Platform(mode='prefix', max_eni=2)"
    assert repr(capacity.CniSettings(warm_ip=2)) == "CniSettings(warm_ip=2)"
    assert repr(M5) == "<InstanceType m5.large: 3 ENIs, 10 IPv4 per ENI, 2 vCPUs, 8192 MiB>"
    assert repr(capacity.InstanceType.unlisted("m9.big")) == "<InstanceType m9.big: no figures known>"
    assert repr(capacity.max_pods(M5, ON)) == "<MaxPods m5.large, secondary: 29 max pods, limited by enis>"
    pool = capacity.node_pool(M5, capacity.CniSettings(), pods=30, max_pods=29)
    assert repr(pool) == "<Pool m5.large: 3 ENIs, 30 addresses of its subnets, 3 pods without an address>"


def test_figures_of_a_node_keep_what_they_were_worked_out_from() -> None:
    settings, pod = capacity.CniSettings(prefix=True), capacity.PodAsked(cpu=250)
    row = capacity.max_pods(M5, ON)
    assert (row.kind, row.platform) == (M5, ON)
    pool = capacity.node_pool(M5, settings, pods=3, max_pods=110)
    assert (pool.kind, pool.settings) == (M5, settings)
    found = capacity.offer(M5, ON, pod, [capacity.Daemon("agent", cpu=50)])
    assert (found.kind, found.platform, found.pod) == (M5, ON, pod)
    assert [d.name for d in found.daemons] == ["aws-node", "kube-proxy", "agent"]


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
