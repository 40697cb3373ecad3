"""Node groups to buy: every answer added up again by other code, and judged by ``check`` of the written plan."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from math import ceil
from typing import Any

import pytest

from capacity.advice.judge import check
from capacity.catalog.price_lookup import price_per_hour
from capacity.catalog.table import load_catalog
from capacity.cost.inputs import CostInputs
from capacity.errors import SpecError
from capacity.node.allocatable import Keep
from capacity.node.offer import PodAsked, offer
from capacity.node.platform import Platform
from capacity.optimize.buy import nodes_of
from capacity.optimize.choices import Choices
from capacity.optimize.open_plan import draft_of, read_document, sketched
from capacity.optimize.optimized import INFEASIBLE, OPTIMAL, TIME_LIMIT, Optimized
from capacity.optimize.optimum import optimize_plan
from capacity.optimize.request import Request
from capacity.units import MIB

WEB_AND_API = sketched([("web", "250m", "512Mi", 120), ("api", "1", "4Gi", 17)])
SMALL = ("c6i.large", "c6i.xlarge", "m6i.large", "m6i.xlarge", "m6i.2xlarge", "r6i.large", "r6i.xlarge")


def bought(document: dict[str, Any], **choices: Any) -> Optimized:
    """The answer with a few types, so that it is quick."""
    given = {"types": SMALL, "arch": "x86_64"} | choices
    return optimize_plan(document, Request(Choices(**given), judge=check, simpler=False))


def in_vpc(block: str, pods: list[tuple[str, str, str, int]], zones: int = 2) -> dict[str, Any]:
    """A plan with one subnet per zone, cut out of a block."""
    from ipaddress import IPv4Network

    pieces = list(IPv4Network(block).subnets(prefixlen_diff=1))[:zones]
    subnets = [{"name": f"s{z}", "zone": f"us-east-1{z}", "cidr": str(c)} for z, c in zip("ab", pieces, strict=False)]
    return sketched(pods) | {
        "vpc": {"cidrs": ["10.0.0.0/16"], "subnets": subnets},
        "controlPlane": {"subnets": [s["name"] for s in subnets]},
    }


def re_added(found: Optimized) -> float:
    """The packing node by node: room from the node room's offer, prices from the price list. [USD per hour]"""
    assert found.packed is not None
    total, placed = 0.0, dict.fromkeys((p.name for p in found.pods), 0)
    for pattern in found.packed.now.patterns:
        name = found.market.candidates[pattern.kind].name
        on = offer(load_catalog().get(name), Platform(), PodAsked(), (), None, Keep(), None, 0.0)
        assert on.allocatable.cpu_millicores is not None
        assert on.allocatable.memory_mib is not None
        assert on.max_pods is not None
        pods = list(zip(found.pods, pattern.pods, strict=True))
        assert sum(p.pod.cpu * n for p, n in pods) <= on.allocatable.cpu_millicores
        assert sum(p.pod.memory * n for p, n in pods) <= on.allocatable.memory_mib * MIB
        assert sum(n for _, n in pods) <= on.max_pods - 2  # aws-node and kube-proxy
        for p, n in pods:
            placed[p.name] += n * pattern.nodes
        each = price_per_hour(name)
        assert each is not None
        total += each * pattern.nodes
    assert placed == {p.name: p.now for p in found.pods}
    return total


def test_the_answer_is_the_written_plan_and_check_is_ok() -> None:
    found = bought(WEB_AND_API)
    assert found.bought is not None
    plan = read_document(found.bought.document, "plan")
    again = check(plan)
    assert again.verdict == "ok"
    assert not any(s.unplaced_pods or s.pods_without_address for s in again.scenarios)
    steady = again["steady"]
    dollars = sum(g.nodes * (price_per_hour(g.shape.first.instance_type.name) or 0) for g in steady.groups)
    assert found.bought.usd_per_hour == pytest.approx(dollars)
    assert found.bought.usd_per_hour == found.bought.usd_steady == found.bought.usd_peak


def test_the_packing_holds_every_pod_and_costs_what_it_says() -> None:
    found = bought(WEB_AND_API, types=())
    assert found.packed is not None
    assert re_added(found) == pytest.approx(found.packed.usd_per_hour)
    assert found.packed.bound <= found.packed.usd_per_hour + 1e-9
    assert found.bought is not None
    assert found.bought.usd_per_hour >= found.packed.usd_per_hour - 1e-9


def test_twelve_pods_by_hand() -> None:
    # 12 × 1 vCPU on c6i.xlarge: 3,920 millicores allocatable, so 3 a node, 4 nodes at $0.17; c6i.large holds 1 each.
    found = bought(sketched([("job", "1", "128Mi", 12)]), types=("c6i.large", "c6i.xlarge"))
    assert found.status == OPTIMAL
    assert found.bought is not None
    assert [(s.candidate.name, s.now) for s in found.bought.division] == [("c6i.xlarge", 4)]
    assert found.bought.usd_per_hour == pytest.approx(4 * 0.17)


def test_daemonsets_take_room_of_every_node() -> None:
    document = sketched([("job", "1", "128Mi", 12)])
    document["daemonSets"] = [{"name": "agent", "requests": {"cpu": "1"}}]
    found = bought(document, types=("c6i.xlarge",))
    assert found.bought is not None
    assert found.bought.nodes(peak=False) == 6  # 2,920 millicores left: 2 a node


def test_hours_at_the_peak_weigh() -> None:
    document = sketched([("job", "1", "128Mi", 12)])
    document["workloads"][0]["replicas"] = {"now": "12", "max": "24"}
    found = bought(document, types=("c6i.xlarge",), peak_hours=Fraction(1, 4))
    assert found.bought is not None
    assert (found.bought.nodes(peak=False), found.bought.nodes(peak=True)) == (4, 8)
    assert found.bought.usd_per_hour == pytest.approx(0.17 * (0.75 * 4 + 0.25 * 8))
    assert found.packed is not None
    assert found.packed.usd_per_hour <= found.bought.usd_per_hour


def test_a_plan_with_subnets_is_limited_by_them() -> None:
    pods = [("web", "250m", "512Mi", 40)]
    roomy, tight = bought(in_vpc("10.0.0.0/16", pods)), bought(in_vpc("10.0.0.0/25", pods))
    assert roomy.bought is not None
    assert tight.status == INFEASIBLE
    assert tight.infeasible is not None
    assert "free in" in tight.infeasible.conflict or "short in" in tight.infeasible.conflict
    assert "larger subnets: s" in tight.infeasible.relaxation


def test_the_relaxation_is_enough() -> None:
    pods = [("web", "250m", "512Mi", 40)]
    document = in_vpc("10.0.0.0/25", pods)
    tight = bought(document)
    assert tight.infeasible is not None
    for entry in document["vpc"]["subnets"]:
        words = tight.infeasible.relaxation.split(f"{entry['name']} /")
        length = int(words[1].split()[0]) if len(words) > 1 else int(entry["cidr"].split("/")[1])
        entry["cidr"] = f"10.{'ab'.index(entry['name'][1])}.0.0/{length}"
        document["vpc"]["cidrs"] = ["10.0.0.0/16", "10.1.0.0/16"]
    assert bought(document).bought is not None


def test_without_subnets_they_are_sized() -> None:
    found = bought(WEB_AND_API)
    assert found.bought is not None
    lengths = [s.cidr.prefixlen for s in found.bought.result.plan.subnets]
    assert all(length > 16 for length in lengths)
    assert found.bought.ok


@pytest.mark.parametrize(
    ("pods", "each"), [(600, 1), (60_000, 2)]
)  # 60,000 pods in two zones: more than a /16 each with a fifth free
def test_without_subnets_there_are_as_many_as_a_zone_needs(pods: int, each: int) -> None:
    document = sketched([("web", "250m", "512Mi", pods)])
    document["checks"] = {"scenarios": ["steady", "zone-loss"]}
    document["cni"] = {"env": {"ENABLE_PREFIX_DELEGATION": "true"}}
    given = Request(Choices(types=("c6i.8xlarge",), arch="x86_64"), judge=check, simpler=False)
    bought = optimize_plan(document, given, zones=2).bought
    assert bought is not None
    assert bought.result.verdict == "ok"
    assert len(bought.result.plan.subnets) == 2 * each
    assert check(read_document(bought.document, "plan")).verdict == "ok"


def test_node_groups_of_a_plan_without_subnets_are_compared() -> None:
    document = sketched([("web", "250m", "512Mi", 40)])
    document["nodeGroups"] = [{"name": "old", "instanceTypes": ["m6i.2xlarge"], "nodes": "5"}]
    document["workloads"][0]["nodeGroups"] = ["old"]
    found = optimize_plan(document, Request(Choices(types=SMALL, arch="x86_64"), judge=check))
    row = next(a for a in found.alternatives if a.name == "the plan's own node groups")
    assert row.usd_per_hour == pytest.approx(5 * 0.384)


def test_groups_that_stay_keep_their_pods(windows_plan: dict[str, Any]) -> None:
    found = bought(windows_plan)
    assert found.bought is not None
    names = [g.name for g in found.bought.result.plan.node_groups]
    assert names[0] == "win"
    assert "general" not in names
    by_name = {w.name: w for w in found.bought.result.plan.workloads}
    assert by_name["iis"].node_groups == ("win",)
    assert set(by_name["web"].node_groups) == set(found.bought.names)
    assert [p.name for p in found.pods] == ["web"]


@pytest.fixture
def windows_plan() -> dict[str, Any]:
    document = in_vpc("10.0.0.0/16", [("web", "250m", "512Mi", 20), ("iis", "1", "1Gi", 4)])
    win = {
        "name": "win",
        "ami": "windows",
        "instanceTypes": ["m5.xlarge"],
        "subnets": ["sa", "sb"],
        "nodes": {"min": "2", "max": "8"},
    }
    general = {"name": "general", "instanceTypes": ["m5.large"], "subnets": ["sa", "sb"]}
    document["nodeGroups"] = [win, general]
    document["workloads"][0]["nodeGroups"] = ["general"]
    document["workloads"][1]["nodeGroups"] = ["win"]
    return document


def test_survival_of_a_zone_needs_no_new_node() -> None:
    document = sketched([("web", "250m", "512Mi", 60), ("api", "1", "4Gi", 9)])
    found = bought(document, survive="zone")
    assert found.bought is not None
    written = found.bought.document
    fixed = [
        g | {"nodes": {"min": str(n), "desired": str(n), "max": str(n)}}
        for g, n in zip(
            written["nodeGroups"], [nodes_of(found.bought.steady, name) for name in found.bought.names], strict=True
        )
    ]
    states = check(read_document(written | {"nodeGroups": fixed}, "plan"), ["zone-loss"]).scenarios
    assert len(states) == 3
    assert not any(s.unplaced_pods for s in states)
    plain = bought(document).bought
    assert plain is not None
    assert found.bought.usd_per_hour > plain.usd_per_hour
    with pytest.raises(SpecError, match="one zone only"):
        optimize_plan(document, Request(Choices(survive="zone")), zones=1)


def test_the_limits_of_the_user_hold() -> None:
    document = sketched([("web", "250m", "512Mi", 60), ("api", "1", "4Gi", 9), ("job", "2", "1Gi", 6)])
    free = bought(document).bought
    assert free is not None
    for limit in ({"max_groups": 1}, {"max_types": 1}, {"max_vcpus": 4}, {"min_nodes": 3}):
        found = bought(document, **limit).bought
        assert found is not None, limit
        assert found.usd_per_hour >= free.usd_per_hour - 1e-9
        division = found.division
        if "max_groups" in limit:
            assert len(division) == 1
        if "max_types" in limit:
            assert len({s.candidate.name for s in division}) == 1
        if "max_vcpus" in limit:
            assert all(s.candidate.vcpus <= 4 for s in division)
        if "min_nodes" in limit:
            assert all(s.now >= 3 for s in division)


@pytest.mark.parametrize(("limit", "cure"), [({"vcpu_quota": 3}, "--vcpu-quota"), ({"max_nodes": 1}, "--max-nodes")])
def test_a_limit_that_is_too_low_is_named_with_what_would_do(limit: dict[str, int], cure: str) -> None:
    document = sketched([("job", "1500m", "1Gi", 9)])
    found = bought(document, max_vcpus=4, **limit)
    assert found.infeasible is not None
    option, number = found.infeasible.relaxation.split()
    assert option == cure
    wider = {name: int(number) for name in limit}
    assert bought(document, max_vcpus=4, **wider).bought is not None


def test_the_quota_counts_the_nodes_that_check_has_at_the_peak() -> None:
    document = sketched([("web", "250m", "512Mi", 60), ("api", "1", "4Gi", 9)])
    document["workloads"][0]["replicas"] = {"now": "30", "max": "60"}
    free = bought(document).bought
    assert free is not None
    for quota in (free.vcpus, free.vcpus - 1, 40, 30, 20):
        found = bought(document, vcpu_quota=quota)
        if found.bought is None:
            assert found.infeasible is not None
            least = int(found.infeasible.relaxation.removeprefix("--vcpu-quota "))
            assert least > quota
            assert bought(document, vcpu_quota=least).bought is not None
        else:
            assert found.bought.vcpus <= quota
            assert found.bought.usd_per_hour >= free.usd_per_hour - 1e-9


def test_no_pods_is_nothing_to_buy() -> None:
    found = bought(sketched([("web", "250m", "512Mi", 0)]))
    assert (found.status, found.bought) == (OPTIMAL, None)
    assert found.packed is not None
    assert found.packed.usd_per_hour == 0


def test_a_pod_larger_than_any_node_is_named() -> None:
    found = bought(sketched([("web", "250m", "512Mi", 3), ("big", "9", "1Gi", 1)]))
    assert found.status == INFEASIBLE
    assert found.infeasible is not None
    assert "a pod of big requests 9 CPU" in found.infeasible.conflict
    assert "7.91 (m6i.2xlarge)" in found.infeasible.conflict


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"types": ("m5.lrage",)}, r"--types: 'm5.lrage' is not a known instance type \(did you mean 'm5.large'\?\)"),
        ({"types": ("m6g.large",)}, "no instance type is allowed: architecture x86_64"),
        ({"types": ("c5.*",), "max_vcpus": 1}, "no instance type is allowed"),
    ],
)
def test_no_allowed_type(choices: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        bought(WEB_AND_API, **choices)


def test_a_region_without_prices_says_so() -> None:
    document = sketched([("web", "250m", "512Mi", 3)], "eu-west-3")
    with pytest.raises(SpecError, match="no known price in eu-west-3"):
        bought(document)
    priced = optimize_plan(
        document, Request(Choices(types=SMALL), CostInputs(price_factor=Fraction(11, 10)), simpler=False)
    )
    assert priced.bought is not None


def test_metal_is_bought_only_where_a_glob_names_it() -> None:
    def names(**choices: Any) -> set[str]:
        draft = draft_of(WEB_AND_API, Choices(**choices))
        from capacity.optimize.request import market_of

        market, _ = market_of(draft, Request(Choices(**choices)))
        return {c.name for c in market.candidates}

    assert not any("metal" in n for n in names(types=("m5.*",)))
    assert "m5.metal" in names(types=("m5.*", "m5.metal"))
    usual = names(arch="x86_64")
    assert "m5.large" in usual
    assert not usual & {"t3.large", "m5.metal", "m4.large", "hpc7a.12xlarge", "g5.xlarge"}
    assert names(types=("m[56]*.large",)) >= {"m5.large", "m6g.large"}


def test_the_architecture_is_said_where_nobody_asked() -> None:
    assert any("images are not assumed to run on arm64" in n for n in bought(WEB_AND_API, arch=None, types=()).notes)
    both = bought(WEB_AND_API, arch=None, types=("m6g.large", "m6i.large"))
    assert any("must support both" in n for n in both.notes)
    assert not any("arm64" in n for n in bought(WEB_AND_API).notes)
    one = bought(WEB_AND_API, arch=None)  # the types named are all of one architecture
    assert one.archs == ("x86_64",)
    assert not any("arm64" in n for n in one.notes)


def test_simpler_choices_are_never_cheaper_and_each_holds() -> None:
    given = Choices(types=(*SMALL, "m6i.8xlarge"), arch="x86_64")
    found = optimize_plan(WEB_AND_API, Request(given, judge=check))
    assert found.bought is not None
    rows = {a.name: a for a in found.alternatives}
    simple = ["one node group of one type", "at most two types", "at most 16 vCPUs per node"]
    for name in simple:
        row = rows[name]
        assert row.usd_per_hour is not None
        assert row.usd_per_hour >= found.bought.usd_per_hour - 1e-9
    assert "prefixes instead of secondary IPs" in rows
    figures = [(p.usd_per_hour, p.addresses, p.nodes(peak=True)) for p in found.frontier]
    assert figures == sorted(figures)
    assert all(p.ok for p in found.frontier)


def test_the_plans_own_groups_are_compared() -> None:
    document = in_vpc("10.0.0.0/16", [("web", "250m", "512Mi", 40)])
    document["nodeGroups"] = [{"name": "old", "instanceTypes": ["m6i.2xlarge"], "subnets": ["sa", "sb"], "nodes": "9"}]
    found = optimize_plan(document, Request(Choices(types=SMALL, arch="x86_64"), judge=check))
    row = next(a for a in found.alternatives if a.name == "the plan's own node groups")
    assert row.usd_per_hour is not None
    assert row.usd_per_hour == pytest.approx(9 * 0.384)
    assert row.nodes == 9
    assert found.bought is not None
    assert found.bought.usd_per_hour < row.usd_per_hour


def test_own_groups_that_must_be_there_to_be_compared() -> None:
    given = Request(Choices(types=SMALL, arch="x86_64"), judge=check, simpler=False, current=True)
    with pytest.raises(SpecError, match="--current: the plan has no node groups to compare with"):
        optimize_plan(WEB_AND_API, given)
    document = in_vpc("10.0.0.0/16", [("web", "250m", "512Mi", 40)])
    document["nodeGroups"] = [{"name": "old", "instanceTypes": ["m6i.2xlarge"], "subnets": ["sa", "sb"], "nodes": "1"}]
    (row,) = optimize_plan(document, given).alternatives
    assert (row.name, row.note) == ("the plan's own node groups", "1 m6i.2xlarge (check: tight, 9 unschedulable pods)")


def test_headroom_is_room_for_further_pods_and_the_plan_keeps_its_replicas() -> None:
    document = sketched([("job", "1", "128Mi", 12)])
    document["workloads"][0]["replicas"] = {"now": "12", "max": "20"}
    found = bought(document, types=("c6i.xlarge",), headroom=Fraction(1, 4))
    assert found.bought is not None
    assert found.bought.nodes(peak=False) == 5  # 15 pods, 3 a node
    assert found.bought.nodes(peak=True) == 9  # 25 pods
    plan = read_document(found.bought.document, "plan")
    assert [(w.replicas, w.max_replicas) for w in plan.workloads] == [(12, 20)]
    assert check(plan).verdict == "ok"
    with pytest.raises(SpecError, match="headroom: 1100% is out of range"):
        Choices(headroom=Fraction(11))


def test_the_cheaper_cni_mode_is_chosen_and_the_bound_is_that_of_both() -> None:
    document = sketched([("tiny", "5m", "8Mi", 400)])
    given = {"types": ("c6i.large", "c6i.xlarge")}
    secondary, both = bought(document, **given), bought(document, modes=("secondary", "prefix"), **given)
    prefix = bought(document | {"cni": {"env": {"ENABLE_PREFIX_DELEGATION": "true"}}}, **given)
    assert secondary.bought is not None
    assert prefix.bought is not None
    assert both.bought is not None
    assert both.bought.usd_per_hour == min(secondary.bought.usd_per_hour, prefix.bought.usd_per_hour)
    assert both.bought.result.plan.cni.settings.prefix
    assert secondary.packed is not None
    assert prefix.packed is not None
    assert both.packed is not None
    assert both.packed.bound == min(secondary.packed.bound, prefix.packed.bound)
    assert any("set ENABLE_PREFIX_DELEGATION=true" in n for n in both.notes)
    with pytest.raises(SpecError, match="with IPv6 there is no choice"):
        bought(document | {"kubernetes": {"ipFamily": "ipv6"}}, modes=("prefix",))


def test_stopped_the_search_goes_on_to_the_first_answer_that_is_ok() -> None:
    # the cheapest divisions take too many addresses for two /25
    document = in_vpc("10.0.0.0/24", [("web", "250m", "512Mi", 20), ("api", "1", "4Gi", 5)])
    given = Request(Choices(types=SMALL, arch="x86_64"), judge=check, simpler=False, stopped=lambda: True)
    cut = optimize_plan(document, given)
    assert cut.bought is not None
    assert cut.bought.ok


def test_the_cost_of_a_node_is_all_that_is_billed_for_it() -> None:
    document = sketched([("job", "1", "128Mi", 12)])
    given = Request(
        Choices(types=("c6i.xlarge",), arch="x86_64"),
        CostInputs(node_cost=0.01, savings_plan=Fraction(1, 4)),
        simpler=False,
    )
    found = optimize_plan(document, given)
    assert found.bought is not None
    assert found.bought.usd_per_hour == pytest.approx(4 * (0.17 * 0.75 + 0.01))


def test_stopped_at_once_the_bound_is_still_one() -> None:
    given = Request(Choices(types=SMALL, arch="x86_64"), simpler=False)
    whole, cut = optimize_plan(WEB_AND_API, given), optimize_plan(WEB_AND_API, replace(given, stopped=lambda: True))
    assert cut.bought is not None
    assert cut.packed is not None
    assert whole.packed is not None
    assert whole.bought is not None
    assert cut.packed.bound <= whole.packed.usd_per_hour + 1e-9
    assert cut.packed.usd_per_hour >= whole.packed.bound - 1e-9


def test_stopped_at_once_the_packing_costs_no_more_than_the_node_groups() -> None:
    rng = random.Random(7)
    shapes = [
        (f"w{i}", f"{rng.randrange(100, 4000, 10)}m", f"{rng.randrange(128, 16384, 16)}Mi", 200) for i in range(9)
    ]
    document = sketched(shapes)
    document["workloads"][0]["replicas"] = {"now": "150", "max": "260"}
    given = Request(Choices(types=("c6i.*", "m6i.*", "r6i.*"), arch="x86_64"), simpler=False, stopped=lambda: True)
    found = optimize_plan(document, given)
    assert found.bought is not None
    assert found.packed is not None
    assert found.status == TIME_LIMIT
    assert found.packed.bound <= found.packed.usd_per_hour <= found.bought.usd_per_hour + 1e-9
    assert re_added(found) == pytest.approx(found.packed.now.cost)
    assert sum(p.pods[0] * p.nodes for p in found.packed.peak.patterns) == 260


def test_security_groups_need_branch_enis() -> None:
    document = in_vpc("10.0.0.0/16", [("web", "100m", "128Mi", 40)])
    document["cni"] = {"env": {"ENABLE_POD_ENI": "true"}}
    document["workloads"][0]["securityGroups"] = "true"
    found = bought(document, types=("m5.large", "m5.xlarge"))
    assert found.bought is not None
    # an m5.large has 9 branch ENIs, an m5.xlarge 18: either way 40 pods need what five m5.large cost, or more
    most = {"m5.large": 9, "m5.xlarge": 18}
    assert sum(most[s.candidate.name] * s.now for s in found.bought.division) >= 40
    assert found.bought.result["steady"].unplaced_pods == 0


def test_gpu_types_are_compared_where_pods_request_gpus() -> None:
    document = sketched([("infer", "2", "8Gi", 5), ("web", "250m", "512Mi", 10)])
    document["workloads"][0]["requests"]["gpu"] = "1"
    found = optimize_plan(document, Request(judge=check, simpler=False))
    assert found.bought is not None
    gpus = {s.candidate.name: s.candidate.node.instance_type.nvidia_gpus * s.now for s in found.bought.division}
    assert sum(gpus.values()) >= 5
    assert not any(name.startswith(("g6f", "gr6f", "g4ad")) for name in gpus)
    assert found.bought.result["steady"].unplaced == ()
    assert any("NVIDIA GPUs of all models count the same" in n for n in found.notes)
    none = optimize_plan(document, Request(Choices(types=("m5.*",)), simpler=False))
    assert none.infeasible is not None
    assert "a pod of infer requests 1 GPU:" in none.infeasible.conflict


def test_prefixes_leave_fewer_addresses_than_pods_on_small_nodes() -> None:
    document = sketched([("web", "1m", "1Mi", 200)])
    found = bought(document, types=("c6i.large", "m5.large"))
    assert found.bought is not None
    each = 27  # 3 × (10 − 1) + 2, less aws-node and kube-proxy
    assert found.bought.nodes(peak=False) == ceil(200 / each)


def test_pods_spread_over_zones_have_room_for_a_share_in_each() -> None:
    document = sketched([("web", "1", "128Mi", 10)])
    document["workloads"][0]["topologySpread"] = [{"key": "topology.kubernetes.io/zone", "maxSkew": 1}]
    found = bought(document, types=("c6i.xlarge",))
    assert found.bought is not None
    # 10 pods over 3 zones: 4 in one of them, which need 2 nodes of 3 pods each; together 4 nodes would do
    assert found.bought.nodes(peak=False) == 6
    assert found.packed is not None
    zones = found.packed.now.zones
    each = [
        sum(p.pods[0] * p.nodes for p, z in zip(found.packed.now.patterns, zones, strict=True) if z == zone)
        for zone in range(3)
    ]
    assert sorted(each) == [3, 3, 4]
    assert found.packed.usd_per_hour == pytest.approx(4 * 0.17)
    assert found.packed.bound <= found.packed.usd_per_hour


def test_pods_that_share_no_node_have_a_node_each() -> None:
    document = sketched([("web", "100m", "128Mi", 7)])
    document["workloads"][0]["antiAffinity"] = "hostname"
    found = bought(document)
    assert found.bought is not None
    assert found.bought.nodes(peak=False) == 7
    assert found.packed is not None
    assert all(p.pods == (1,) for p in found.packed.now.patterns)
    assert sum(p.nodes for p in found.packed.now.patterns) == 7
