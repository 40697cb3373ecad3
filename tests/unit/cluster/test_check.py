"""A check worked by hand: placement, zones, holders, bounds, verdict, runway.

m5.large: 3 ENIs of 10 addresses (k = 9), max pods 29, 1930m and 6903 Mi allocatable. SMALL puts ten web pods
(250m, 512Mi) and log-agent on three of them in two zones.
"""

from __future__ import annotations

import pytest

from capacity.cluster.check import CheckResult, check
from capacity.cluster.scenario import ScenarioState
from capacity.errors import SpecError
from capacity.vpc.ledger import SubnetState
from tests.fixtures.plans import plan_of, small


def steady(*exchanges: tuple[str, str]) -> ScenarioState:
    return named(check(small(*exchanges)), "steady")


def named(result: CheckResult, name: str) -> ScenarioState:
    return next(s for s in result.scenarios if s.name == name)


def held(state: SubnetState) -> dict[str, int]:
    """Holders that hold something."""
    return {holder: n for holder, n in state.used.items() if n}


NODES = "nodes: {min: 1, desired: 3, max: 6}"
TWO_SUBNETS = "{name: b, zone: us-east-1b, cidr: 10.0.1.0/24}"


class TestSteady:
    def test_holders(self) -> None:
        a, b = steady().subnets
        # a: two nodes with 4 + 1 and 3 + 1 pods on addresses, 1 + ⌈5 ÷ 9⌉ = 2 ENIs each: 18 addresses for pods
        assert held(a) == {
            "node_primary": 2,
            "eni_primary": 2,
            "assigned": 9,
            "warm": 27,
            "control_plane": 2,  # 4 over two subnets
            "load_balancers": 8,
            "other": 10,
        }
        # b: one node with 3 + 1
        assert held(b) == {
            "node_primary": 1,
            "eni_primary": 1,
            "assigned": 4,
            "warm": 14,
            "control_plane": 2,
            "load_balancers": 8,
        }
        assert (a.free, b.free) == (251 - 60, 251 - 30)

    def test_bounds(self) -> None:
        a, b = steady().subnets
        # a, lowest: one of the three nodes, without web pods: 20; the control plane elsewhere; 8 + 10 beside
        # a, highest: two nodes, nine pods on one (1 + ⌈10 ÷ 9⌉ = 3 ENIs, 30), one on the other (20); 4 + 8 + 10
        assert (a.used_lowest, a.used_highest) == (38, 72)
        assert (b.used_lowest, b.used_highest) == (28, 62)

    def test_nodes(self) -> None:
        (group,) = steady().groups
        assert (group.nodes, group.nodes_by_zone) == (3, {"us-east-1a": 2, "us-east-1b": 1})
        assert group.pods_per_node == 7  # aws-node, kube-proxy, log-agent, four web
        assert group.binding == "cpu"  # 2800m of 5790m, 19 of 87 pods, 5 Gi of 20 Gi

    def test_runway(self) -> None:
        a, b = check(small()).runway
        # free 191 and 221 ÷ 20 addresses of a node filled like the fullest (5 pods on addresses)
        assert (a.more_nodes, b.more_nodes) == (9, 11)
        # a: the two nodes take 26 − 4 and 26 − 3 more for 10 addresses each; 171 left: five full nodes
        # (30 each, 26 web pods), and 21 more hold a node of 20 with up to 8 web pods
        assert a.more_pods == 22 + 23 + 5 * 26 + 8
        assert b.more_pods == 23 + 7 * 26 + 0  # 211 = 7 × 30 + 1


class TestDemand:
    def test_no_desired_is_the_fewest_nodes_that_hold_the_pods(self) -> None:
        # 1930m − 50m of log-agent: seven pods of 250m to a node
        exchanges = [(NODES, "nodes: {min: 1, max: 6}")]
        for replicas, nodes in ((0, 1), (7, 1), (8, 2), (14, 2), (15, 3), (42, 6)):
            assert steady(*exchanges, ("replicas: 10", f"replicas: {replicas}")).groups[0].nodes == nodes
        over = steady(*exchanges, ("replicas: 10", "replicas: 43"))
        assert (over.groups[0].nodes, over.unplaced_pods, over.unplaced[0].reason) == (6, 1, "cpu")

    @pytest.mark.parametrize(
        ("pods", "nodes"),
        [(10, 3), (21, 3), (22, 4), (42, 6), (43, 6)],  # from desired 3, seven pods to a node, up to max 6
    )
    def test_peak_grows_from_desired_as_far_as_the_pods_need(self, pods: int, nodes: int) -> None:
        peak = named(check(small(("replicas: 10", f"replicas: {{now: 10, max: {pods}}}"))), "peak")
        assert (peak.groups[0].nodes, peak.unplaced_pods) == (nodes, max(pods - 42, 0))
        assert sum(c.count * (c.pods - 3) for c in peak.groups[0].classes) == min(pods, 42)

    def test_peak_of_a_fixed_count_has_that_count(self) -> None:
        exchanges = (NODES, "nodes: 3"), ("replicas: 10", "replicas: {now: 1, max: 30}")
        peak = named(check(small(*exchanges)), "peak")
        assert (peak.groups[0].nodes, peak.unplaced_pods) == (3, 9)

    def test_ceiling_is_every_autoscaled_group_at_its_max(self) -> None:
        result = check(small(("replicas: 10", "replicas: {now: 10, max: 15}")), ["ceiling"])
        assert (result.scenarios[0].groups[0].nodes, result.scenarios[0].verdict) == (6, "ok")
        fixed = check(small((NODES, "nodes: 3")))
        assert "ceiling" not in {s.name for s in fixed.scenarios}  # no group is autoscaled

    @pytest.mark.parametrize(
        ("limits", "nodes"),
        [
            ("{cpu: 8}", 4),  # 2 vCPUs each
            ("{cpu: 9}", 4),
            ("{cpu: 7900m}", 3),
            ("{memory: 22731Mi}", 3),  # 8192 Mi less 7.5 %, rounded up: 7577 each
            ("{memory: 22730Mi}", 2),
            ("{cpu: 8, memory: 22731Mi}", 3),
        ],
    )
    def test_limits_of_a_nodepool_are_its_max(self, limits: str, nodes: int) -> None:
        group = (NODES, f"provisioner: karpenter\n    limits: {limits}")
        result = check(small(group, ("replicas: 10", "replicas: 100")), ["peak", "ceiling"])
        assert [s.groups[0].nodes for s in result.scenarios] == [nodes, nodes]
        assert result.scenarios[0].verdict == "tight"  # the rest is unschedulable

    def test_limits_are_for_karpenter_only(self) -> None:
        with pytest.raises(SpecError, match=r"limits.*Karpenter and Auto Mode only \(use nodes.max\)"):
            small((NODES, f"{NODES}\n    limits: {{cpu: 8}}"))

    def test_no_max_is_as_many_as_needed_at_the_peak(self) -> None:
        plan = small((NODES, "nodes: {desired: 3}"), ("replicas: 10", "replicas: {now: 10, max: 71}"))
        assert named(check(plan), "peak").groups[0].nodes == 11  # ⌈71 ÷ 7⌉
        plan = small((NODES, "nodes: {desired: 3}"), ("replicas: 10", "replicas: {now: 10, max: 11}"))
        assert named(check(plan), "peak").groups[0].nodes == 3  # never fewer than now

    def test_pods_beyond_the_nodes_are_unplaced_never_extra_nodes(self) -> None:
        state = steady(("replicas: 10", "replicas: 30"))
        assert (state.groups[0].nodes, state.unplaced_pods, state.verdict) == (3, 9, "tight")

    def test_no_nodes(self) -> None:
        state = steady((NODES, "nodes: 0"))
        assert (state.unplaced[0].reason, state.unplaced_pods, state.verdict) == ("nodes", 10, "tight")
        assert state.groups[0].binding is None
        assert [r.more_nodes for r in check(small((NODES, "nodes: 0"))).runway] == [None, None]

    def test_want_of_addresses_is_exhaustion(self) -> None:
        # MINIMUM_IP_TARGET alone: a node never serves more than 4, log-agent included
        # three nodes with 4 + 1, 3 + 1 and 3 + 1 pods on addresses
        state = steady(("WARM_ENI_TARGET", "MINIMUM_IP_TARGET"), ('"1"', '"4"'))
        assert (state.unplaced_pods, state.pods_without_address, state.verdict) == (0, 1, "exhausted")
        assert all(s.verdict == "ok" for s in state.subnets)

    @pytest.mark.parametrize("nodes", ["{min: 0, max: 30}", "4"])
    def test_the_linux_scheduler_does_not_know_addresses(self, nodes: str) -> None:
        # t3.medium, custom networking: (3 − 1) × (6 − 1) = 10 addresses, max pods 17 by Karpenter, two on the host's
        # network: 15 pods on each of 4 nodes, 5 without an address. No node is added for them: nothing is Pending.
        state = named(check(plan_of(OVERCOMMITTED.replace("NODES", nodes))), "steady")
        (group,) = state.groups
        assert (group.nodes, group.pods_per_node, group.pods_without_address) == (4, 17, 4 * 5)
        assert (state.unplaced, state.pods_without_address, state.verdict) == ((), 20, "exhausted")
        assert [s.verdict for s in state.subnets] == ["ok", "ok"]  # subnets keep their own
        assert state.subnets[1].used["assigned"] == 40

    def test_pods_of_a_drained_node_are_stuck_once(self) -> None:
        before, after = check(plan_of(OVERCOMMITTED.replace("NODES", "4")), ["steady", "upgrade"]).scenarios
        assert (before.pods_without_address, after.pods_without_address) == (20, 20)

    def test_the_lowest_counts_pods_bunched_on_a_node_that_cannot_address_them(self) -> None:
        # 20 pods on two nodes: 15 and 5 hold two ENIs of 6 (primary apart) and one, 10 and 10 hold two each
        text = OVERCOMMITTED.replace("NODES", "2").replace("replicas: 60", "replicas: 20")
        pods = named(check(plan_of(text)), "steady").subnets[1]
        assert (pods.used_lowest, pods.used_total, pods.used_highest) == (24, 24, 24)  # one ENI in use, one warm
        text = text.replace("nodeGroups", 'kubernetes: {version: "1.34"}\nnodeGroups').replace(
            'CFG: "true"', 'CFG: "true", WARM_IP_TARGET: "1", MINIMUM_IP_TARGET: "1"'
        )
        pods = named(check(plan_of(text)), "steady").subnets[1]
        # 10 + 10: 2 × (2 + 10) = 24; 15 + 5: 12 + (2 + 6) = 20
        assert (pods.used_lowest, pods.used_total, pods.used_highest) == (20, 24, 24)

    def test_want_of_max_pods_is_not(self) -> None:
        state = steady(("ami: al2023", "ami: al2023\n    maxPods: 6"))  # three for web beside the daemonsets
        assert (state.unplaced_pods, state.unplaced[0].reason, state.verdict) == (1, "max_pods", "tight")


class TestPlacement:
    def test_workloads_go_in_plan_order(self) -> None:
        two = ("daemonSets:", "  - {name: late, replicas: 100, requests: {cpu: 1}}\ndaemonSets:")
        state = steady(two)
        assert [u.workload for u in state.unplaced] == ["late"]

    def test_a_workload_without_groups_may_use_all(self) -> None:
        plan = small(
            ("    nodeGroups: [general]\n", ""),
            ("workloads:", "  - {name: big, instanceTypes: [m5.4xlarge], nodes: 1, subnets: [a]}\nworkloads:"),
        )
        groups = {g.shape.group.name: g for g in named(check(plan), "steady").groups}
        # Score of an m5.large with one web pod: (500m ÷ 1930m + 1112 Mi ÷ 6903 Mi) ÷ 2 = 0.21; of the m5.4xlarge
        # with all ten (2750m ÷ 15890m + 5720 Mi ÷ some 57,000 Mi) ÷ 2 = 0.14
        assert [groups["big"].pods_per_node, groups["general"].pods_per_node] == [3 + 10, 3]

    def test_a_daemonset_of_that_name_replaces_the_implied_one(self) -> None:
        state = steady(("daemonSets:\n", "daemonSets:\n  - {name: aws-node, hostNetwork: true, requests: {cpu: 1}}\n"))
        (group,) = state.groups
        # 1930m less log-agent's 50m and aws-node's 1000m: three web pods to a node, one is left over
        assert (group.pods_per_node, state.unplaced_pods) == (3 + 3, 1)
        assert {c.state[2] for c in group.classes} == {1050 + 3 * 250}

    def test_aws_node_named_for_one_group_still_runs_on_the_others(self) -> None:
        plan = small(
            ("workloads:", "  - {name: other, instanceTypes: [m5.large], nodes: 1, subnets: [a]}\nworkloads:"),
            ("daemonSets:\n", "daemonSets:\n  - {name: aws-node, hostNetwork: true, nodeGroups: [other]}\n"),
        )
        assert {s.group.name: s.first.start[4] for s in check(plan).shapes} == {"general": 3, "other": 3}

    def test_aws_node_without_host_network_is_said(self) -> None:
        plan = small(("daemonSets:\n", "daemonSets:\n  - {name: aws-node}\n"))
        assert any("aws-node has no hostNetwork: true" in n for n in check(plan).notes)


class TestKindsOfPods:
    def test_host_network_pods_take_no_address(self) -> None:
        a, b = steady(("replicas: 10", "replicas: 10\n    hostNetwork: true")).subnets
        assert (a.used["assigned"], b.used["assigned"]) == (2, 1)  # log-agent
        assert (a.used_lowest, a.used_highest) == (20 + 18, 40 + 22)

    def test_branch_pods_take_an_eni_and_an_address_each(self) -> None:
        plan = (
            ('WARM_ENI_TARGET: "1"', "ENABLE_POD_ENI: true"),
            ("m5.large", "m6i.large"),  # trunk-capable, 9 branch ENIs
            ("replicas: 10", "replicas: 10\n    securityGroups: true"),
        )
        a, b = steady(*plan).subnets
        assert (a.used["branch"], b.used["branch"]) == (7, 3)
        # one log-agent each: the primary ENI and a warm one of the two left beside the trunk
        assert (a.used["assigned"], a.used["eni_primary"], a.used["warm"]) == (2, 2 * 2, 2 * 17)
        # lowest: one node and all ten pods elsewhere (18 slots); highest: both nodes and all ten
        assert (a.used_lowest, a.used_highest) == (21 + 18, 2 * 21 + 10 + 22)

    def test_without_enable_pod_eni_they_are_ordinary(self) -> None:
        assert steady(("replicas: 10", "replicas: 10\n    securityGroups: true")).subnets == steady().subnets

    def test_more_branch_pods_than_branch_enis(self) -> None:
        state = steady(
            ('WARM_ENI_TARGET: "1"', "ENABLE_POD_ENI: true"),
            ("m5.large", "m6i.large"),
            ("replicas: 10", "replicas: 30\n    securityGroups: true"),
            ("cpu: 250m", "cpu: 10m"),
            ("memory: 512Mi", "memory: 10Mi"),
        )
        assert (state.unplaced_pods, state.unplaced[0].reason, state.verdict) == (3, "branch_enis", "tight")

    def test_fargate_pods_are_assigned(self) -> None:
        plan = small(("kind: alb", "kind: fargate, addresses: 5"))
        assert named(check(plan), "steady").subnets[1].used["assigned"] == 4 + 5


class TestZones:
    @pytest.mark.parametrize(
        ("spread", "nodes", "by_zone"),
        [
            ("even", 7, (4, 3)),
            ("{us-east-1a: 1, us-east-1b: 3}", 7, (2, 5)),  # 1.75 and 5.25: the remainder to the larger fraction
            ("{us-east-1a: 1}", 7, (7, 0)),
            ("{us-east-1a: 50%, us-east-1b: 0.5}", 3, (2, 1)),  # a tie goes in plan order
        ],
    )
    def test_spread(self, spread: str, nodes: int, by_zone: tuple[int, int]) -> None:
        state = steady((NODES, f"nodes: {nodes}\n    spread: {spread}"))
        assert tuple(state.groups[0].nodes_by_zone.values()) == by_zone

    def test_worst_takes_the_zone_that_is_exhausted_first(self) -> None:
        for old, new, zone in (
            ("used: 10", "used: 100", "us-east-1a"),
            (TWO_SUBNETS, TWO_SUBNETS.replace("/24", "/25"), "us-east-1b"),
        ):
            state = steady((NODES, "nodes: 3\n    spread: worst"), (old, new))
            assert {z: n for z, n in state.groups[0].nodes_by_zone.items() if n} == {zone: 3}

    def test_a_zone_with_two_subnets(self) -> None:
        more = ("{name: b,", "{name: a2, zone: us-east-1a, cidr: 10.0.2.0/24}\n    - {name: b,")
        state = steady((NODES, "nodes: 7"), more, ("    subnets: [a, b]", "    subnets: [a, a2, b]"))
        # four in zone a, two to each subnet; three in zone b
        assert [s.used["node_primary"] for s in state.subnets] == [2, 2, 3]


class TestControlPlane:
    @pytest.mark.parametrize(
        ("subnets", "expected", "lowest", "highest"),
        [("[a]", [4, 0], [2, 0], [4, 0]), ("[b, a]", [2, 2], [0, 0], [4, 4])],
    )
    def test_four_enis(self, subnets: str, expected: list[int], lowest: list[int], highest: list[int]) -> None:
        state = steady(
            ("controlPlane: {subnets: [a, b]}", f"controlPlane: {{subnets: {subnets}}}"), (NODES, "nodes: 0")
        )
        assert [s.used["control_plane"] for s in state.subnets] == expected
        base = (18, 8)
        assert [s.used_lowest - b for s, b in zip(state.subnets, base, strict=True)] == lowest
        assert [s.used_highest - b for s, b in zip(state.subnets, base, strict=True)] == highest

    def test_uneven_shares_go_in_order(self) -> None:
        third = ("{name: b,", "{name: c, zone: us-east-1c, cidr: 10.0.2.0/24}\n    - {name: b,")
        state = steady(third, ("controlPlane: {subnets: [a, b]}", "controlPlane: {subnets: [b, c, a]}"))
        assert {s.subnet.name: s.used["control_plane"] for s in state.subnets} == {"b": 2, "c": 1, "a": 1}


CUSTOM = """\
apiVersion: capacity/v1
cni:
  env: {AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG: "true", ENABLE_PREFIX_DELEGATION: "true", ENABLE_POD_ENI: "true"}
vpc:
  cidrs: [10.0.0.0/16, 100.64.0.0/16]
  subnets:
    - {name: nodes, zone: us-east-1a, cidr: 10.0.0.0/26}
    - {name: pods, zone: us-east-1a, cidr: 100.64.0.0/24}
nodeGroups:
  - {name: g, instanceTypes: [m6i.large], nodes: 2, subnets: [nodes], podSubnets: [pods], unmanagedEnis: 1}
workloads:
  - {name: web, replicas: 20}
  - {name: own, replicas: 3, securityGroups: true}
"""


def test_custom_networking_books_all_but_the_nodes_own_addresses_on_the_pod_subnet() -> None:
    """m6i.large: 3 ENIs; one unmanaged and the trunk leave the primary, which serves no pods."""
    state = named(check(plan_of(CUSTOM)), "steady")
    nodes, pods = state.subnets
    assert held(nodes) == {"node_primary": 2, "eni_primary": 2}  # the unmanaged ENIs
    assert (state.pods_without_address, state.unplaced_pods) == (20, 0)
    # without the unmanaged ENI one ENI is left for pods: 1 + ⌈10 ÷ 16⌉ = 2 prefixes on it
    state = named(check(plan_of(CUSTOM.replace(", unmanagedEnis: 1", ""))), "steady")
    nodes, pods = state.subnets
    assert held(nodes) == {"node_primary": 2}
    assert held(pods) == {"eni_primary": 2 * 2, "assigned": 20, "warm": 2 * 32 - 20, "branch": 3}  # ENI and trunk
    assert pods.prefixes == 4
    assert (pods.free, pods.free_prefixes) == (251 - 71, 11)


def test_ipv6_pods_take_no_ipv4_address() -> None:
    a, _ = steady(("ipFamily: ipv4", "ipFamily: ipv6")).subnets
    assert held(a) == {"node_primary": 2, "control_plane": 2, "load_balancers": 8, "other": 10}
    assert a.free_prefixes is None
    assert (a.used_lowest, a.used_highest) == (1 + 18, 2 + 22)
    first = check(small(("ipFamily: ipv4", "ipFamily: ipv6"))).runway[0]
    assert (first.more_nodes, first.node_addresses) == (229, 1)  # 251 − 22


class TestSeveralTypes:
    """A managed on-demand group tries its types in order; elsewhere the cheapest is expected."""

    def test_a_managed_on_demand_group_uses_the_first(self) -> None:
        result = check(small(("[m5.large]", "[m5.large, m5.4xlarge]")))
        assert named(result, "steady").subnets == steady().subnets  # bounds too
        assert any("general: the figures use m5.large, the first of its 2 types" in n for n in result.notes)

    @pytest.mark.parametrize("extra", ["capacityType: spot", "provisioner: karpenter", "provisioner: self-managed"])
    def test_elsewhere_the_order_means_nothing(self, extra: str) -> None:
        # us-east-1: m5.large 0.096, c5.xlarge 0.17. Ten pods of 250m beside the daemonsets: two m5.large (7 each),
        # one c5.xlarge: 0.192 against 0.17.
        group = (NODES, f"nodes: {{min: 0, max: 9}}\n    {extra}")
        for types in ("[m5.large, c5.xlarge]", "[c5.xlarge, m5.large]"):
            result = check(small(group, ("[m5.large]", types)))
            assert named(result, "steady").groups[0].shape.first.instance_type.name == "c5.xlarge"
            assert any("the figures use c5.xlarge, the lowest nodes × price of its 2 types" in n for n in result.notes)

    def test_ties_go_to_fewer_nodes_and_then_to_the_name(self) -> None:
        # m5.xlarge is twice an m5.large in size and price: 7 and 15 pods of 250m; 14 pods are two or one
        group = (NODES, "provisioner: karpenter")
        many = ("replicas: 10", "replicas: 14")
        result = check(small(group, many, ("[m5.large]", "[m5.large, m5.xlarge]")))
        assert result.shapes[0].first.instance_type.name == "m5.xlarge"
        result = check(small(group, many, ("[m5.large]", "[m5d.large, m5ad.large]")))  # other prices
        assert result.shapes[0].first.instance_type.name == "m5ad.large"

    def test_without_regional_prices_those_of_us_east_1_are_used_and_said(self) -> None:
        group = (NODES, "provisioner: karpenter")
        result = check(
            small(group, ("region: us-east-1", "region: eu-north-1"), ("[m5.large]", "[m5.large, m5a.large]"))
        )
        assert any("us-east-1 prices, eu-north-1 has none" in n for n in result.notes)

    def test_another_type_that_runs_out_makes_the_plan_tight(self) -> None:
        # prefixes: an i3.large is a Xen type with 3 ENIs of 10 and addresses for 27 of 98 pods
        result = check(plan_of(BROAD))
        assert result.verdict == "tight"
        assert {s.verdict for s in result.scenarios} == {"ok"}
        assert [(h.group, h.instance_type) for h in result.harmful] == [("io", "i3.large")]
        turned = check(plan_of(BROAD.replace("[c5.large, i3.large]", "[i3.large, c5.large]")))
        assert (turned.verdict, turned.harmful) == (result.verdict, result.harmful)
        assert check(plan_of(BROAD.replace(", i3.large", ""))).verdict == "ok"


BROAD = """\
apiVersion: capacity/v1
region: us-east-1
cni: {env: {ENABLE_PREFIX_DELEGATION: "true"}}
vpc: {cidrs: [10.0.0.0/16], subnets: [{name: a, zone: us-east-1a, cidr: 10.0.0.0/20}]}
nodeGroups:
  - {name: io, provisioner: karpenter, maxPods: 100, instanceTypes: [c5.large, i3.large], subnets: [a]}
workloads: [{name: web, replicas: 196, requests: {cpu: 10m, memory: 10Mi}}]
"""

OVERCOMMITTED = """\
apiVersion: capacity/v1
cni: {env: {AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG: "true"}}
vpc:
  cidrs: [10.0.0.0/16]
  subnets:
    - {name: nodes, zone: us-east-1a, cidr: 10.0.0.0/24}
    - {name: pods, zone: us-east-1a, cidr: 10.0.4.0/22}
nodeGroups:
  - name: g
    instanceTypes: [t3.medium]
    provisioner: karpenter
    nodes: NODES
    subnets: [nodes]
    podSubnets: [pods]
workloads:
  - {name: web, replicas: 60, requests: {cpu: 10m, memory: 10Mi}}
"""


class TestVerdict:
    def test_a_plan_without_pods_is_tight(self) -> None:
        result = check(small(("replicas: 10", "replicas: 0")))
        assert result.verdict == "tight"
        assert {s.verdict for s in result.scenarios} == {"ok"}

    def test_the_ceiling_counts_as_at_most_tight_unless_it_is_named(self) -> None:
        # zone a: 80 + 8 + 2 beside two nodes of 20 now, 13 at the ceiling: 90 + 260 of 251
        plan = small((NODES, "nodes: {min: 1, desired: 3, max: 26}"), ("used: 10", "used: 80"))
        result = check(plan)
        ceiling = named(result, "ceiling")
        assert (ceiling.verdict, result.verdict) == ("tight", "tight")
        assert ceiling.subnets[0].verdict == "exhausted"  # a subnet keeps its own verdict
        assert check(plan, ["ceiling"]).verdict == "exhausted"

    @pytest.mark.parametrize(("free", "refused"), [((4, 4), True), ((5, 4), True), ((5, 5), False)])
    def test_an_update_needs_five_free_in_two_zones(self, free: tuple[int, int], refused: bool) -> None:
        # /27: 27 usable, two X-ENIs in each, which are not free
        used = [27 - 2 - n for n in free]
        result = check(plan_of(UPDATE.format(*used)), ["upgrade"])
        (state,) = result.scenarios
        assert dict(state.update_room) == {"x": free[0], "y": free[1]}
        assert (state.refused, state.verdict == "exhausted") == (refused, refused)

    def test_an_upper_bound_beyond_the_subnet_is_tight_at_rest_only(self) -> None:
        plan = small(("used: 10", "used: 118"), ("replicas: 10", "replicas: 70"), ('"1"', '"1"'))
        states = check(plan, ["steady", "blue-green", "ceiling"]).scenarios
        beyond = [s.subnets[0].used_highest > s.subnets[0].subnet.usable for s in states]
        enough = [s.subnets[0].free >= s.subnets[0].subnet.usable / 5 for s in states]
        assert [b for b, e in zip(beyond, enough, strict=True) if e]
        for state, b, e in zip(states, beyond, enough, strict=True):
            if e:
                assert state.subnets[0].verdict == ("tight" if b and state.name == "steady" else "ok")


UPDATE = """\
apiVersion: capacity/v1
vpc:
  cidrs: [10.0.0.0/16]
  subnets:
    - {{name: x, zone: us-east-1a, cidr: 10.0.0.0/27, used: {}}}
    - {{name: y, zone: us-east-1b, cidr: 10.0.0.32/27, used: {}}}
    - {{name: n, zone: us-east-1a, cidr: 10.0.4.0/22}}
controlPlane: {{subnets: [x, y]}}
nodeGroups: [{{name: g, instanceTypes: [m5.large], nodes: 2, subnets: [n]}}]
workloads: [{{name: web, replicas: 6}}]
checks: {{minFree: 0%}}
"""


TWO_GROUPS = """\
apiVersion: capacity/v1
vpc: {{cidrs: [10.0.0.0/16], subnets: [{{name: a, zone: us-east-1a, cidr: 10.0.0.0/18}}]}}
nodeGroups:
  - {{name: one, instanceTypes: [m5.large], nodes: {{min: 1, max: 500}}, subnets: [a]}}
  - {{name: two, instanceTypes: [m5.large], nodes: {{min: 1, max: 500}}, subnets: [a]}}
workloads: [{{name: web, replicas: {}}}]
"""


@pytest.mark.parametrize(
    ("pods", "nodes"), [(54, [1, 1]), (55, [2, 1]), (540, [19, 1]), (541, [20, 1]), (1000, [37, 1])]
)
def test_the_first_group_that_may_grow_starts_the_fewest_nodes(pods: int, nodes: list[int]) -> None:
    # 27 pods on each (29 max pods, two of them aws-node and kube-proxy), the first 27 on the one node of the other.
    state = named(check(plan_of(TWO_GROUPS.format(pods)), ["steady"]), "steady")
    assert [g.nodes for g in state.groups] == nodes
    assert not state.unplaced


def test_scenarios_asked_for_come_in_order_and_once() -> None:
    result = check(small(), ["peak", "steady", "peak"])
    assert [s.name for s in result.scenarios] == ["peak", "steady"]
    assert len(result.runway) == 2  # from steady, asked for or not


def test_the_plan_takes_the_worst_verdict() -> None:
    plan = small(("used: 10", "used: 150"))  # 191 − 140 = 51 of 251 free now; six nodes at the ceiling: 31
    result = check(plan, ["steady", "ceiling"])
    assert [s.verdict for s in result.scenarios] == ["ok", "tight"]
    assert result.verdict == "tight"


def test_windows_pods_stay_in_the_nodes_subnet_under_custom_networking() -> None:
    group = "  - {name: win, ami: windows, instanceTypes: [m5.large], nodes: 1, subnets: [nodes]}\nworkloads:\n"
    work = "  - {name: dotnet, replicas: 4, nodeGroups: [win]}\n"
    text = CUSTOM.replace("workloads:\n", group + work).replace("replicas: 20}", "replicas: 20, nodeGroups: [g]}")
    state = named(check(plan_of(text)), "steady")
    # besides the two Linux nodes: the node's own address, four pods and one address to spare; prefixes are Linux's
    assert held(state.subnets[0]) == {"node_primary": 3, "eni_primary": 2, "assigned": 4, "warm": 1}
    with pytest.raises(SpecError, match="Windows nodes cannot run in an IPv6 cluster"):
        small(("ami: al2023", "ami: windows"), ("ipFamily: ipv4", "ipFamily: ipv6"))
