"""Subnet discovery on small plans, with figures worked by hand.

m5.large: 3 ENIs of 10 addresses, k = 9. With WARM_ENI_TARGET 1 a node with 1 to 9 pods on VPC addresses holds 2 ENIs,
with 10 to 18 pods 3: 10 addresses on the primary ENI, 10 on each further one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from capacity.advice.findings.rules import findings
from capacity.advice.search import find_fixes
from capacity.cluster.check import CheckResult, check
from capacity.cluster.engine import Engine
from capacity.cluster.figure_terms import explain
from capacity.cluster.group_shapes import group_shapes
from capacity.cluster.headroom import exhaustion, headroom_by_nodes
from capacity.cluster.sizing import size_plan
from capacity.errors import SpecError
from capacity.forecast.group_tables import group_table
from capacity.forecast.grown import growing_demand
from capacity.plan.discovery import eni_choices, tags_of
from capacity.plan.document import parse_yaml
from capacity.plan.model import Plan
from capacity.plan.parse import parse_plan
from capacity.plan.sections import PlanSection
from capacity.plan.versions import version_numbers
from capacity.trace import lines
from tests.fixtures.plans import plan_of

PLAN = """
apiVersion: capacity/v1
cni: {%(cni)s}
vpc:
  cidrs: [10.0.0.0/16, 100.64.0.0/16]
  subnets: [%(subnets)s]
nodeGroups:
  - {name: web, instanceTypes: [m5.large], subnets: %(homes)s, nodes: %(nodes)s%(group)s}
workloads: [{name: app, replicas: %(pods)s%(work)s}]
"""
HOME = "{name: home, zone: z, cidr: 10.0.0.0/24}"
TAGGED = "{name: more, zone: z, cidr: 100.64.0.0/24, tags: {kubernetes.io/role/cni: '1'}}"
CLOSED = "{name: home, zone: z, cidr: 10.0.0.0/24, tags: {kubernetes.io/role/cni: '0'}}"
OURS = "{name: more, zone: z, cidr: 100.64.0.0/24, tags: {kubernetes.io/role/cni: '1', %s/us: shared}}"
TAG = "cni.networking.k8s.aws/cluster"


def text(
    *subnets: str,
    cni: str = "",
    homes: str = "[home]",
    nodes: str = "4",
    pods: int = 40,
    group: str = "",
    work: str = "",
) -> str:
    found = ", ".join(subnets or (HOME, TAGGED))
    values = {"cni": cni, "subnets": found, "homes": homes, "nodes": nodes, "pods": pods, "group": group, "work": work}
    return PLAN % values


def plan(*subnets: str, **parts: object) -> Plan:
    return plan_of(text(*subnets, **parts))  # type: ignore[arg-type]


def steady(of: Plan) -> dict[str, dict[str, int]]:
    (state,) = check(of, ["steady"]).scenarios
    return {s.subnet.name: {h: n for h, n in s.used.items() if n} for s in state.subnets}


# --- which subnets ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subnets", "cni", "choices"),
    [
        ((HOME, TAGGED), "", ("home", "more")),
        ((CLOSED, TAGGED), "", ("more",)),
        ((HOME, TAGGED), "version: 1.17.1", None),
        ((HOME, TAGGED), "version: v1.18.0-eksbuild.1", ("home", "more")),
        ((CLOSED, TAGGED), "version: 1.21.1", ("home", "more")),  # the value counts from 1.22.0 on
        ((CLOSED, TAGGED), "version: 1.22.0", ("more",)),
        ((HOME, TAGGED.replace("'1'", "'0'")), "version: 1.21.1", ("home", "more")),
        ((HOME, TAGGED.replace("'1'", "'0'")), "version: 1.22.0", None),
        ((HOME, TAGGED), "env: {ENABLE_SUBNET_DISCOVERY: 'false'}", None),
        ((HOME, TAGGED.replace("zone: z", "zone: y")), "", None),
        ((HOME.replace("}", ", tags: {kubernetes.io/role/cni: '1'}}"),), "", None),  # nothing to choose
        ((HOME, OURS % TAG), "env: {CLUSTER_NAME: us}", ("home", "more")),
        ((HOME, OURS % TAG), "env: {CLUSTER_NAME: them}", None),
        ((HOME, OURS % TAG), "env: {CLUSTER_NAME: them}, version: 1.22.0", ("home", "more")),
        ((HOME, OURS % TAG), "", ("home", "more")),  # without CLUSTER_NAME nobody looks
        ((HOME, OURS % "kubernetes.io/cluster"), "env: {CLUSTER_NAME: them}", ("home", "more")),
    ],
)
def test_where_a_further_eni_may_be(subnets: tuple[str, ...], cni: str, choices: tuple[str, ...] | None) -> None:
    found = plan(*subnets, cni=cni)
    assert dict(eni_choices(found, found.node_groups[0])) == ({"home": choices} if choices else {})


@pytest.mark.parametrize("group", [", ami: windows", ", provisioner: auto"])
def test_others_than_the_vpc_cni_on_linux_do_not_look_at_tags(group: str) -> None:
    found = plan(group=group)
    assert not eni_choices(found, found.node_groups[0])


def test_cilium_does_not_look_at_tags() -> None:
    found = plan(cni="name: cilium, version: 1.18.4")
    assert not eni_choices(found, found.node_groups[0])
    assert "IP036" not in [f.code for f in findings(check(found, ["steady"]))]


def test_custom_networking_and_ipv6_go_before() -> None:
    custom = plan(cni="env: {AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG: 'true'}", group=", podSubnets: [more]")
    ipv6 = plan_of(text().replace("cni: {}", "kubernetes: {ipFamily: ipv6}"))
    assert not any(eni_choices(p, p.node_groups[0]) for p in (custom, ipv6))


def test_a_closed_home_without_another_subnet_is_refused() -> None:
    with pytest.raises(SpecError, match=r"nodeGroups\[0\]\.subnets: 'home' is closed to pods"):
        plan(CLOSED)


def test_tags_are_written_as_they_were_read() -> None:
    tagged = plan(HOME, OURS % TAG, cni="version: 1.23.1").subnet("more")
    assert tags_of(tagged) == {"kubernetes.io/role/cni": "1", f"{TAG}/us": "shared"}
    assert tags_of(plan().subnet("home")) == {}
    assert version_numbers(plan(cni="version: '1.30'").cni.version) == (1, 30, 0)


# --- what is booked --------------------------------------------------------------------------------


def test_the_primary_stays_and_further_enis_go_to_the_emptiest() -> None:
    # 4 nodes with 10 pods. Home: 251 - 4 * 10 = 211 free, more: 251. 8 ENIs: four to more (211), of two equals the
    # first: home, more, home, more. So home takes 2 of them and more 6.
    used = steady(plan())
    assert used["home"] == {"node_primary": 4, "eni_primary": 2, "assigned": 36 + 0, "warm": 2 * 9}
    assert used["more"] == {"eni_primary": 6, "assigned": 4, "warm": 6 * 9 - 4}


def test_a_closed_home_keeps_the_primary_enis_own_address_only() -> None:
    # The primary serves no pods: 10 pods need 2 additional ENIs, one in use up, the other warm; max pods stays 29.
    result = check(plan(CLOSED, TAGGED), ["steady"])
    used = steady(plan(CLOSED, TAGGED))
    assert used["home"] == {"node_primary": 4}
    assert used["more"] == {"eni_primary": 8, "assigned": 40, "warm": 8 * 9 - 40}
    assert result.shapes[0].first.addresses == 18
    assert result.shapes[0].first.max_pods == 29
    assert any("home is closed to pods by tag" in note for note in result.notes)
    assert "IP007" in [f.code for f in findings(result)]


def test_trunk_and_branch_enis_stay_at_home() -> None:
    used = steady(plan(cni="env: {ENABLE_POD_ENI: 'true'}", pods=8, work=", securityGroups: true"))
    assert used["home"] == {"node_primary": 4, "eni_primary": 4, "warm": 4 * 9, "branch": 8}
    assert used["more"] == {}


def test_prefixes_of_further_enis_go_along() -> None:
    # 100 pods a node and one spare prefix: 8 prefixes, all on the primary (9 slots); 200 pods: 14 = 9 + 5.
    env = "env: {ENABLE_PREFIX_DELEGATION: 'true'}"
    (state,) = check(plan(cni=env, nodes="1", pods=200, group=", maxPods: 250"), ["steady"]).scenarios
    home, more = state.subnets
    assert (home.prefixes, home.used_total) == (9, 1 + 9 * 16)
    assert (more.prefixes, more.used_total) == (5, 1 + 5 * 16)


def test_each_home_has_its_own_choice() -> None:
    # Two homes, two nodes each: 251 - 2 * 10 = 231 free, more 251. The ENIs of home: more, more, home (of equals the
    # first), more: 221, 231, 221. Those of other: other, other (first of equals), more, other: 201 and 211.
    other = HOME.replace("home", "other").replace("10.0.0.0", "10.0.1.0")
    (state,) = check(plan(HOME, other, TAGGED, homes="[home, other]"), ["steady"]).scenarios
    free = {s.subnet.name: s.free for s in state.subnets}
    assert free == {"home": 221, "other": 201, "more": 211}


def test_upgrade_and_zone_loss_book_the_further_enis_again() -> None:
    result = check(plan(nodes="{desired: 4, max: 9}"), ["steady", "upgrade", "blue-green"])
    steady_used, upgrade, twice = ([s.used_total for s in state.subnets] for state in result.scenarios)
    assert sum(twice) == 2 * sum(steady_used)
    assert sum(upgrade) > sum(steady_used)


# --- bounds, runway, curves ------------------------------------------------------------------------


def test_the_highest_is_not_everything_in_one_subnet() -> None:
    (state,) = check(plan(), ["steady"]).scenarios
    home, more = state.subnets
    # Most: 3 ENIs on every node. Level: (211 + 251 - 80) / 2 = 191; more ends at most one ENI of 10 below it.
    # Fewest: 27 and 13 pods on two nodes, none on the others: 4 further ENIs, which bring more down to 211 = home.
    assert (more.used_lowest, more.used_highest) == (251 - 211 - 10, 251 - 191 + 10)
    assert home.used_highest == 40 + 211 - 191 + 10
    assert home.used_lowest == 40


def test_runway_counts_the_zones_subnets() -> None:
    result = check(plan(), ["steady"])
    home, more = result.runway
    # Free: home 191, more 191. Each further node: 10 at home, 20 wherever it is emptiest: 382 // 30 = 12 nodes.
    assert (home.more_nodes, more.more_nodes, home.node_addresses) == (12, 12, 30)
    # Pods: 17 more on each of 4 nodes, 12 new nodes with 27, and with the last 22 addresses one with 2 ENIs and 9.
    assert home.more_pods == more.more_pods == 4 * 17 + 12 * 27 + 9
    assert home.pool == ("home", "more")
    grown = check(plan(nodes="16", pods=160), ["steady"]).scenarios[0]
    assert all(s.free >= 0 for s in grown.subnets)
    assert any(s.free < 0 for s in check(plan(nodes="17", pods=170), ["steady"]).scenarios[0].subnets)


def test_what_is_free_in_a_closed_home_serves_no_pods() -> None:
    # Each node: 1 at home, 2 ENIs of 10 in more. 12 nodes take 240 of its 251; with the 11 left a new node has no pods.
    home, more = check(plan(CLOSED, TAGGED, nodes="12", pods=120), ["steady"]).runway
    assert home.more_pods == more.more_pods == 12 * 8  # 18 places a node, 10 taken
    short = check(plan(CLOSED, TAGGED, nodes="13", pods=130), ["steady"])
    assert [s.free < 0 for s in short.scenarios[0].subnets] == [False, True]
    assert [r.more_pods for r in short.runway] == [0, 0]


def test_no_further_pods_where_a_subnet_of_the_choice_is_short() -> None:
    small = HOME.replace("10.0.0.0/24", "10.0.0.0/27")  # 27 usable, four nodes take 40
    rows = check(plan(small, TAGGED), ["steady"]).runway
    assert [(r.more_nodes, r.more_pods) for r in rows] == [(0, 0), (0, 0)]


def test_exhaustion_and_curves_grow_over_all_subnets_of_the_zone() -> None:
    result = check(plan(nodes="20", pods=200), ["steady"])
    found = exhaustion(result, result.scenarios[0], "home")
    assert found is not None
    assert (found.node, found.most, found.addresses) == (17, 20, 30)  # as the runway above
    curve = headroom_by_nodes(check(plan(), ["steady"]), "web")
    assert curve.subnets == ("home", "more")
    # 17 nodes: 81 and 251 free, 34 ENIs of 10: 17 into more alone, then in turn, home first: -9 and 1.
    assert curve.exhausted_at == (17, 18)
    at = curve.counts.index(4)
    assert [row[at] for row in curve.free] == [191, 191]


def test_a_trace_names_the_further_enis() -> None:
    result = check(plan(), ["steady"])
    said = "\n".join(lines(explain(result, "more", "steady")))
    assert "additional ENIs of web in home, most free addresses first" in said
    assert "additional ENIs: the fewest and the most" in "\n".join(lines(explain(result, "more.bounds", "steady")))
    assert "in the subnet of home, more with the most free addresses" in "\n".join(
        lines(explain(result, "more.runway", "steady"))
    )


def test_the_forecasts_tables_are_the_engines_figures_but_for_one_eni() -> None:
    of = plan(nodes="{min: 1}", pods=30)
    engine = Engine(of, group_shapes(of))
    first = engine.run(growing_demand(engine, (30,)))
    pods = np.array([10, 30, 80, 150, 300], dtype=np.int32)
    states = [engine.run(growing_demand(engine, (int(n),))) for n in pods]
    nodes = np.array([s.groups[0].nodes for s in states], dtype=np.int32)
    table = group_table(engine, 0, "z", nodes, pods, np.zeros_like(pods), first)
    for row, name in enumerate(table.subnets):
        exact = [next(s.used_total for s in state.subnets if s.subnet.name == name) for state in states]
        assert np.abs(table.used(row) - exact).max() <= 10
    assert list(table.used().sum(axis=0)) == [sum(s.used_total for s in state.subnets) for state in states]


# --- size, levers ----------------------------------------------------------------------------------


def test_a_tagged_subnet_is_sized_for_pods() -> None:
    sizing = size_plan(plan(nodes="20", pods=200), scenarios=["steady"])
    assert [(s.name, s.serves) for s in sizing.subnets] == [("home", "nodes"), ("more", "pods")]
    assert sizing.result.verdict == "ok"
    assert sizing.plan.subnet("more").discovery is True


def fixes(of: str) -> tuple[CheckResult, dict[str, object]]:
    document = parse_yaml(of, "plan.yaml")
    assert isinstance(document, PlanSection)
    result = check(parse_plan(document, "plan.yaml"))
    return result, {f.names: f for f in find_fixes(document, result).single}


def test_the_lever_adds_a_tagged_subnet_where_one_is_short() -> None:
    _, tried = fixes(text(HOME, nodes="9", pods=90))
    fix = tried["subnet-discovery"]
    (added,) = fix.patch["vpc.subnets[+]"]  # type: ignore[attr-defined]
    assert added["zone"] == "z"
    assert added["tags"] == {"kubernetes.io/role/cni": "1"}
    assert fix.verdict == "ok"  # type: ignore[attr-defined]
    commands = "\n".join(fix.levers[0].commands)  # type: ignore[attr-defined]
    assert '{"Key": "kubernetes.io/role/cni", "Value": "1"}' in commands


def test_the_lever_takes_a_further_block_where_the_vpc_is_full() -> None:
    full = text(HOME, nodes="9", pods=90).replace("[10.0.0.0/16, 100.64.0.0/16]", "[10.0.0.0/24]")
    _, tried = fixes(full)
    fix = tried["subnet-discovery"]
    assert fix.patch["vpc.cidrs[+]"] == ["100.64.0.0/16"]  # type: ignore[attr-defined]
    assert fix.verdict == "ok"  # type: ignore[attr-defined]
    assert "associate-vpc-cidr-block" in fix.levers[0].commands[0]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "cni", ["version: 1.17.1", "env: {ENABLE_SUBNET_DISCOVERY: 'false'}", "env: {ENABLE_SUBNET_DISCOVERY: '0'}"]
)
def test_the_lever_is_not_offered_where_the_cni_would_not_look(cni: str) -> None:
    _, tried = fixes(text(HOME, nodes="9", pods=90, cni=cni))
    assert "subnet-discovery" not in tried


def test_adding_what_it_says_frees_the_home() -> None:
    before = plan(HOME, nodes="9", pods=90)
    after = replace(before, subnets=plan(HOME, TAGGED).subnets)
    free = [check(p, ["steady"]).scenarios[0].subnets[0].free for p in (before, after)]
    assert free[0] == 251 - 9 * 30
    assert free[1] > free[0] + 60


def test_a_switch_that_is_no_switch_is_said_and_discovery_stays_on() -> None:
    odd = plan(cni="env: {ENABLE_SUBNET_DISCOVERY: maybe}")
    assert "ENABLE_SUBNET_DISCOVERY='maybe' is not a boolean: the CNI uses true" in odd.notes
    assert steady(odd) == steady(plan())
