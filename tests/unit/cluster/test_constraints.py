"""Topology spread, anti-affinity and GPUs in a check, with figures worked by hand.

m5.large: 1,930 millicores allocatable; aws-node and kube-proxy request nothing here, so a node holds 3 pods of 500m.
"""

from __future__ import annotations

from typing import Any

import pytest

from capacity.cluster.check import CheckResult, check
from capacity.cluster.evict import evicted
from capacity.cluster.node_state import EMPTY, PodShape, with_pod
from capacity.cluster.scenario import ScenarioState
from capacity.cluster.unplaced import Unplaced
from capacity.optimize.open_plan import read_document

ZONE = "topology.kubernetes.io/zone"


def plan(workload: dict[str, Any], *groups: dict[str, Any], zones: str = "abc") -> dict[str, Any]:
    """One workload of pods of 500m on groups of m5.large over zones."""
    subnets = [{"name": z, "zone": f"us-east-1{z}", "cidr": f"10.{i}.0.0/18"} for i, z in enumerate(zones)]
    like = {"instanceTypes": ["m5.large"], "subnets": list(zones)}
    return {
        "apiVersion": "capacity/v1",
        "vpc": {"cidrs": [f"10.{i}.0.0/16" for i in range(len(zones))], "subnets": subnets},
        "nodeGroups": [{"name": f"g{i}", **like, **g} for i, g in enumerate(groups)],
        "workloads": [{"name": "web", "requests": {"cpu": "500m"}, **workload}],
    }


def run(document: dict[str, Any], *scenarios: str) -> CheckResult:
    return check(read_document(document, "plan"), scenarios)


def only(document: dict[str, Any], scenario: str) -> ScenarioState:
    (state,) = run(document, scenario).scenarios
    return state


def by_zone(state: ScenarioState) -> dict[str, int]:
    """Workload pods in each zone; every node has aws-node and kube-proxy."""
    found: dict[str, int] = {}
    for group in state.groups:
        for c in group.classes:
            zone = c.slot.zone[-1]
            found[zone] = found.get(zone, 0) + c.count * (c.pods - 2)
    return found


def spread(skew: int) -> dict[str, Any]:
    return {"topologySpread": [{"key": ZONE, "maxSkew": str(skew)}]}


def test_one_pod_per_node_leaves_the_fourth_of_three_nodes_unscheduled() -> None:
    state = only(plan({"replicas": "4", "antiAffinity": "hostname"}, {"nodes": "3"}), "steady")
    assert state.unplaced == (Unplaced("web", 1, "anti_affinity"),)
    assert state.verdict == "tight"


def test_a_group_grows_by_a_node_for_each_pod_that_shares_none() -> None:
    workload = {"replicas": {"now": "3", "max": "7"}, "antiAffinity": "hostname"}
    state = only(plan(workload, {"nodes": {"desired": "3", "max": "20"}}), "peak")
    assert (state.groups[0].nodes, state.unplaced) == (7, ())


def test_other_pods_share_the_nodes_of_pods_that_do_not_share_with_their_own() -> None:
    document = plan({"replicas": "4", "antiAffinity": "hostname"}, {"nodes": "4"})
    document["workloads"].append({"name": "api", "replicas": "8", "requests": {"cpu": "500m"}})
    document["workloads"].append(
        {"name": "db", "replicas": "4", "requests": {"cpu": "100m"}, "antiAffinity": "hostname"}
    )
    assert only(document, "steady").unplaced == ()


def test_surge_pods_need_nodes_of_their_own() -> None:
    workload = {"replicas": "3", "antiAffinity": "hostname", "rollingUpdate": {"maxSurge": "1"}}
    assert only(plan(workload, {"nodes": "3"}), "rollout").unplaced == (Unplaced("web", 1, "anti_affinity"),)
    grown = only(plan(workload, {"nodes": {"desired": "3", "max": "9"}}), "rollout")
    assert (grown.groups[0].nodes, grown.unplaced) == (4, ())


@pytest.mark.parametrize(("skew", "a", "b"), [(1, 4, 3), (3, 6, 3), (6, 8, 2)])
def test_a_zone_that_is_full_holds_the_others_back(skew: int, a: int, b: int) -> None:
    # three nodes in zone a have room for 9 pods, one in zone b for 3
    uneven = {"nodes": "4", "spread": {"us-east-1a": "3", "us-east-1b": "1"}}
    state = only(plan({"replicas": "10", **spread(skew)}, uneven, zones="ab"), "steady")
    assert by_zone(state) == {"a": a, "b": b}
    assert [(u.pods, u.reason) for u in state.unplaced] == ([(10 - a - b, "topology_spread")] if a + b < 10 else [])


def test_without_a_spread_the_same_pods_all_fit() -> None:
    uneven = {"nodes": "4", "spread": {"us-east-1a": "3", "us-east-1b": "1"}}
    assert only(plan({"replicas": "10"}, uneven, zones="ab"), "steady").unplaced == ()


def test_nodes_are_added_until_each_zone_holds_its_share() -> None:
    growing = {"nodes": {"desired": "1", "max": "30"}}
    # 4 pods in each of three zones need two nodes in each; 12 pods anywhere need four nodes
    assert only(plan({"replicas": "12", **spread(1)}, growing), "peak").groups[0].nodes == 6
    assert only(plan({"replicas": "12"}, growing), "peak").groups[0].nodes == 4


def test_a_group_in_the_wrong_zone_does_not_grow_without_end() -> None:
    fixed, free = {"nodes": "1", "subnets": ["a"]}, {"subnets": ["b"], "provisioner": "karpenter"}
    state = only(plan({"replicas": "20", **spread(1)}, fixed, free, zones="ab"), "peak")
    assert by_zone(state) == {"a": 3, "b": 4}
    assert state.unplaced == (Unplaced("web", 13, "topology_spread"),)
    assert [g.nodes for g in state.groups] == [1, 2]


def test_a_zone_without_nodes_is_no_domain() -> None:
    state = only(plan({"replicas": "3", **spread(1)}, {"nodes": "1"}), "steady")
    assert (by_zone(state), state.unplaced) == ({"a": 3}, ())


def test_a_lost_zone_is_no_domain_and_its_pods_are_spread_over_the_others() -> None:
    workload = {"replicas": "12", **spread(1)}
    for state in run(plan(workload, {"nodes": {"desired": "6", "max": "9"}}), "zone-loss").scenarios:
        assert state.unplaced == ()


def test_gpus_are_room_like_cpu_and_limit_the_group() -> None:
    group = {"instanceTypes": ["g4dn.12xlarge"], "nodes": "2"}  # 4 GPUs each
    state = only(plan({"replicas": "9", "requests": {"cpu": "1", "gpu": "1"}}, group), "steady")
    assert state.unplaced == (Unplaced("web", 1, "gpus"),)
    assert state.groups[0].binding == "gpus"
    amd = {"instanceTypes": ["g4ad.xlarge"], "nodes": "1"}
    assert only(plan({"replicas": "1", "requests": {"gpu": "1"}}, amd), "steady").unplaced_pods == 1
    growing = {"instanceTypes": ["g4dn.xlarge"], "nodes": {"desired": "1", "max": "20"}}
    assert only(plan({"replicas": "9", "requests": {"gpu": "1"}}, growing), "peak").groups[0].nodes == 9


def test_pods_over_zones_are_placed_by_counting() -> None:
    workload = {"replicas": "90000", **spread(1)}
    state = only(plan(workload, {"nodes": "30000"}), "steady")
    assert (by_zone(state), state.unplaced) == ({"a": 30_000, "b": 30_000, "c": 30_000}, ())


def test_the_pods_of_a_drained_node_are_known_by_its_marks() -> None:
    db, web = PodShape(100, 0, 100, 1, mark=1), PodShape(100, 0, 100, 1)
    with_db = with_pod(with_pod(EMPTY, db), web)
    with_web = with_pod(with_pod(EMPTY, web), web)
    home = {"db": 1, "web": 3}
    assert evicted(home, {"db": db, "web": web}, [(with_web, 1)], EMPTY) == {"web": 2}
    assert evicted(home, {"db": db, "web": web}, [(with_db, 1)], EMPTY) == {"db": 1, "web": 1}


def test_bounds_hold_where_a_drained_pod_needs_a_node_of_its_own() -> None:
    workload = {"replicas": "6", "antiAffinity": "hostname"}
    for state in run(plan(workload, {"nodes": {"desired": "6", "max": "12"}}), "upgrade", "zone-loss").scenarios:
        assert state.unplaced == ()
        for subnet in state.subnets:
            assert subnet.used_lowest <= subnet.used_total <= subnet.used_highest
