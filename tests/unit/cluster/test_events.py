"""Scenarios on small plans, with figures worked by hand.

m5.large: 3 ENIs of 10 addresses, k = 9. With WARM_ENI_TARGET 1 and 1 to 9 pods on VPC addresses a node
holds 2 ENIs: 2 + 18 = 20 addresses; with none 1 ENI: 1 + 9 = 10; with 10 to 18 pods 3 ENIs: 30.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from capacity.cluster.check import CheckResult, check
from capacity.cluster.scenario import ScenarioState
from capacity.errors import SpecError
from capacity.plan.document import parse_yaml
from capacity.plan.parse import parse_plan, read_plan

EXAMPLE = Path(__file__).parents[3] / "examples" / "shop-prod.yaml"

PLAN = """
apiVersion: capacity/v1
vpc:
  cidrs: [10.0.0.0/16]
  subnets:
    - {name: a, zone: z1, cidr: 10.0.0.0/22}
    - {name: b, zone: z2, cidr: 10.0.4.0/22}
    - {name: c, zone: z3, cidr: 10.0.8.0/22}
nodeGroups:
  - {name: web, instanceTypes: [m5.large], subnets: [a, b, c], nodes: {desired: 6, max: 20}, %s}
workloads:
  - {name: app, replicas: {now: 30, max: 60}, rollingUpdate: {maxSurge: 25%%}}
%s
"""


def run(*scenarios: str, group: str = "ami: al2023", more: str = "") -> CheckResult:
    plan = parse_plan(parse_yaml(PLAN % (group, more), "plan.yaml"), "plan.yaml")
    return check(plan, scenarios)


def only(result: CheckResult) -> ScenarioState:
    (state,) = result.scenarios
    return state


def used(state: ScenarioState) -> list[int]:
    return [s.subnet.usable - s.free for s in state.subnets]


def holder(state: ScenarioState, name: str) -> list[int]:
    return [s.used[name] for s in state.subnets]


def test_steady_is_five_pods_on_each_of_two_nodes_in_three_zones() -> None:
    state = only(run("steady"))
    assert used(state) == [40, 40, 40]  # 2 nodes * (2 ENIs + 18 addresses)
    assert holder(state, "assigned") == [10, 10, 10]


def test_rollout_adds_the_surge_to_pods_that_stay() -> None:
    state = only(run("rollout"))  # ceil(25 % of 30) = 8 pods on 6 nodes
    assert sum(holder(state, "assigned")) == 38
    assert used(state) == [40, 40, 40]  # at most 7 pods a node: 2 ENIs still
    assert "8 surge pods" in state.rule


def test_rollout_starts_nodes_up_to_max_where_pods_do_not_fit() -> None:
    # CPU of 300m: 1930m allocatable hold 6; 36 fit on 6 nodes, 38 need a seventh, where zones are even: in a.
    plan = PLAN.replace("replicas: {now: 30, max: 60},", "replicas: {now: 30, max: 60}, requests: {cpu: 300m},")
    state = only(check(parse_plan(parse_yaml(plan % ("ami: al2023", ""), "p"), "p"), ["rollout"]))
    assert [g.nodes for g in state.groups] == [7]
    assert state.unplaced_pods == 0
    assert used(state) == [60, 40, 40]


def test_default_update_adds_twice_the_zones_and_drains_one_node() -> None:
    state = only(run("upgrade"))
    # 6 surge nodes, 2 a zone. 5 pods of the drained node run on 5 of them (20 addresses each) beside it.
    assert state.groups[0].nodes == 12
    assert holder(state, "node_primary") == [4, 4, 4]
    assert sum(holder(state, "assigned")) == 35
    assert sum(used(state)) == 6 * 20 + 5 * 20 + 10


def test_a_large_max_unavailable_decides_the_surge() -> None:
    state = only(run("upgrade", group="update: {maxUnavailable: 50%}"))
    assert state.groups[0].nodes == 12  # max(2 * 3 zones, 3) = 6
    assert sum(holder(state, "assigned")) == 30 + 15  # three nodes drain
    many = only(run("upgrade", group="update: {maxUnavailable: 100}"))
    assert many.groups[0].nodes == 6 + 100  # nodes are added for all of maxUnavailable, though only six can drain
    assert sum(holder(many, "assigned")) == 30 + 30
    assert "web + 100 nodes, 6 draining" in many.rule


def test_minimal_update_adds_no_nodes() -> None:
    state = only(run("upgrade", group="update: {strategy: minimal}"))
    assert state.groups[0].nodes == 6
    assert sum(holder(state, "assigned")) == 35
    assert sum(used(state)) == 6 * 20  # 6 pods at most on the other five


def test_karpenter_replaces_a_tenth_of_its_nodes() -> None:
    state = only(run("upgrade", group="provisioner: karpenter"))
    assert state.groups[0].nodes == 7  # ceil(10 % of 6)


def test_upgrade_books_five_more_addresses_for_the_control_plane() -> None:
    state = only(run("upgrade", more="controlPlane: {subnets: [a, b]}"))
    assert holder(state, "control_plane") == [2 + 3, 2 + 2, 0]
    assert state.subnets[0].used_highest - state.subnets[2].used_highest == 4 + 5


def test_zone_loss_moves_nodes_and_pods_and_frees_nothing() -> None:
    states = run("zone-loss").scenarios
    assert [s.variant for s in states] == ["z1", "z2", "z3"]
    lost = states[0]
    assert used(lost) == [40, 60, 60]  # a third node in b and c, each with 5 of the 10 pods
    assert sum(holder(lost, "assigned")) == 40
    assert [s.groups[0].nodes for s in states] == [8, 8, 8]


def test_a_group_in_one_zone_cannot_move() -> None:
    result = run("zone-loss:zone=z1", group="spread: {z1: 1}")
    state = only(result)
    assert state.groups[0].nodes_by_zone == {"z1": 6, "z2": 3, "z3": 3}
    alone = PLAN.replace("subnets: [a, b, c]", "subnets: [a]") % ("ami: al2023", "")
    state = only(check(parse_plan(parse_yaml(alone, "p"), "p"), ["zone-loss"]))
    assert state.unplaced_pods == 30
    assert state.verdict == "tight"


@pytest.mark.parametrize(("spread", "nodes"), [("even", [4, 3, 3]), ("one", [2, 2, 6]), ("worst", [6, 2, 2])])
def test_burst(spread: str, nodes: list[int]) -> None:
    # a has 100 addresses taken, c is the emptiest.
    plan = PLAN.replace("cidr: 10.0.0.0/22}", "cidr: 10.0.0.0/22, used: 100}")
    plan = plan.replace("cidr: 10.0.4.0/22}", "cidr: 10.0.4.0/22, used: 50}")
    state = only(
        check(parse_plan(parse_yaml(plan % ("ami: al2023", ""), "p"), "p"), [f"burst:nodes=4,spread={spread}"])
    )
    assert holder(state, "node_primary") == nodes
    assert used(state) == [n * 20 + u for n, u in zip(nodes, (100, 50, 0), strict=True)]
    assert all(s.used_lowest <= s.subnet.usable - s.free <= s.used_highest for s in state.subnets)


def test_blue_green_doubles_the_group() -> None:
    assert used(only(run("blue-green"))) == [80, 80, 80]


def test_spot_storm_replaces_a_share_at_once() -> None:
    state = only(run("spot-storm"))  # ceil(30 % of 6) = 2 nodes with 10 pods
    assert state.groups[0].nodes == 8
    assert sum(holder(state, "assigned")) == 40
    assert sum(used(state)) == 8 * 20  # 10 pods on two empty nodes first: 5 each


def test_combined_scenarios_only_add() -> None:
    both = only(run("upgrade+zone-loss:zone=z1"))
    upgrade = only(run("upgrade"))
    assert all(x >= y for x, y in zip(used(both), used(upgrade), strict=True))
    assert both.name == "upgrade+zone-loss"
    assert both.variant == "z1"


def test_nodes_beside_the_others_restart_when_their_zone_is_lost() -> None:
    both = only(run("burst+zone-loss:nodes=3,zone=z1"))  # one node each in a, b and c, then a is lost
    assert used(both) == [3 * 20, 2 * 20 + 20 + 20 + 20, 2 * 20 + 20 + 20]  # a's three start again: two in b, one in c
    twice = only(run("zone-loss+blue-green:zone=z1"))
    assert used(twice) == [80, 4 * 20 + 2 * 20, 4 * 20 + 2 * 20]


def test_peak_is_the_base_where_it_is_named() -> None:
    state = only(run("peak+rollout"))
    assert sum(holder(state, "assigned")) == 60 + 15
    assert state.rule.startswith("from peak; ")


def test_all_that_the_plan_can_feed_by_default() -> None:
    plan = parse_plan(parse_yaml(PLAN % ("ami: al2023", ""), "p"), "p")
    assert list(dict.fromkeys(s.name for s in check(plan).scenarios)) == [
        "steady",
        "peak",
        "ceiling",
        "rollout",
        "upgrade",
        "zone-loss",
        "peak+rollout",
        "peak+zone-loss",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("burts", "--scenario: 'burts' is not one of .*did you mean 'burst'"),
        ("burst:nodes=0", "--scenario burst.nodes: .*expected .*1 to 100,000"),
        ("burst:node=3", "--scenario burst.node: unknown key .*did you mean 'nodes'"),
        ("spot-storm:share=0%", "--scenario spot-storm.share: '0%' is out of range"),
        ("blue-green:group=wep", "--scenario blue-green.group: 'wep' is not one of web "),
        ("zone-loss:zone=z9", "--scenario zone-loss.zone: 'z9' is not one of z1, z2, z3"),
        ("upgrade+", "--scenario: '' is not one of"),
        ("peak+zone-loss+peak", "--scenario: duplicate 'peak' in 'peak.zone-loss.peak'"),
    ],
)
def test_bad_scenarios(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        run(text)


MODES = """
apiVersion: capacity/v1
vpc:
  cidrs: [10.0.0.0/16]
  subnets: [{name: a, zone: z1, cidr: 10.0.0.0/24}, {name: b, zone: z2, cidr: 10.0.1.0/24}]
nodeGroups:
  - {name: fp, provisioner: fargate, subnets: [a, b]}
  - {name: auto, provisioner: auto, instanceTypes: [m5.large], subnets: [a, b], nodes: 2}
  - {name: disks, instanceTypes: [m5.large], subnets: [a, b], nodes: 1}
workloads:
  - {name: web, replicas: {now: 5, max: 11}, nodeGroups: [fp]}
  - {name: x, replicas: 20, nodeGroups: [auto]}
  - {name: db, replicas: 14, volumes: 2, nodeGroups: [disks]}
"""


def modes(text: str = MODES, scenario: str = "steady") -> ScenarioState:
    return only(check(parse_plan(parse_yaml(text, "p"), "p"), [scenario]))


def test_a_fargate_pod_takes_one_address_and_no_more() -> None:
    by_group = {g.shape.group.name: g for g in modes().groups}
    assert by_group["fp"].nodes == 5
    assert by_group["fp"].nodes_by_zone == {"z1": 3, "z2": 2}
    without = modes(MODES.replace("{now: 5, max: 11}", "0"))
    assert [x - y for x, y in zip(used(modes()), used(without), strict=True)] == [3, 2]
    assert {g.shape.group.name: g.nodes for g in modes(scenario="peak").groups}["fp"] == 11
    assert {g.shape.group.name: g.nodes for g in modes(scenario="rollout").groups}["fp"] == 5 + 2


def test_auto_mode_hands_out_prefixes_and_runs_no_pods_of_its_own() -> None:
    group = next(g for g in modes().groups if g.shape.group.name == "auto")
    assert group.shape.first.max_pods == 110
    assert group.shape.first.start[4] == 0
    assert group.pods_per_node == 10
    assert group.shape.first.demand(10) + 1 == 1 + 2 * 16  # one prefix used, one spare


def test_volumes_share_slots_with_enis() -> None:
    state = modes()  # m5.large: 27 attachments - root - 2 additional ENIs = 24: 12 pods of two volumes
    assert [(u.workload, u.pods, u.reason) for u in state.unplaced] == [("db", 2, "volumes")]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("subnets: [a, b]}\n  - {name: auto", "subnets: [a, b], nodes: 3}\n  - {name: auto", "nodes: does not apply"),
        (
            "nodeGroups: [fp]",
            "nodeGroups: [fp, auto]",
            "'fp' is a Fargate profile: its pods cannot also run on other groups",
        ),
        ("nodeGroups: [fp]", "nodeGroups: [fp], hostNetwork: true", "'fp' is a Fargate profile: host-network"),
        ("nodeGroups: [fp]", "nodeGroups: [fp], volumes: 1", "'fp' is a Fargate profile: EBS volumes"),
    ],
)
def test_what_fargate_refuses(old: str, new: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        modes(MODES.replace(old, new))


def test_conservation_in_every_scenario() -> None:
    names = ["steady", "peak", "rollout", "upgrade", "zone-loss", "burst", "blue-green", "spot-storm"]
    result: Any = run(*names, "upgrade+zone-loss", "rollout+burst+spot-storm")
    for state in result.scenarios:
        for s in state.subnets:
            assert sum(s.used.values()) + s.free == s.subnet.usable
            assert s.used_lowest <= sum(s.used.values()) <= s.used_highest


def test_one_node_and_one_pod_are_no_plurals() -> None:
    one = PLAN.replace("desired: 6", "desired: 3").replace("now: 30", "now: 3")
    result = check(parse_plan(parse_yaml(one % ("ami: al2023", ""), "plan.yaml"), "plan.yaml"), ["zone-loss"])
    assert "its 1 node starts again" in result.scenarios[0].rule
    assert "its 1 pod moves there" in result.scenarios[0].rule
    assert only(run("burst:nodes=1")).rule.startswith("1 more node of web")


def test_nodes_that_can_start_for_moved_pods_have_started_since() -> None:
    result = check(read_plan(EXAMPLE), ["peak+zone-loss"])
    for state in result.scenarios:
        kept = [zone for zone in ("us-east-1a", "us-east-1b", "us-east-1c") if zone not in state.variant]
        (batch,) = [b for b in state.group("general").batches if b.grown and b.anywhere]
        assert (batch.count, dict(batch.zones), batch.started) == (6, dict.fromkeys(kept, (0, 6)), True)
