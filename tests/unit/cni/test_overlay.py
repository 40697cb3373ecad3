"""CNIs with a network of their own: pods take no address of the VPC, nodes one each."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from capacity import cilium_settings
from capacity.advice.findings.rules import findings
from capacity.advice.levers.offered import levers
from capacity.advice.warm import warm_for_plan
from capacity.advice.whatif import modes_of
from capacity.catalog.table import load_catalog
from capacity.cluster.check import check
from capacity.cluster.group_shapes import group_shapes
from capacity.cluster.typical import group_offers
from capacity.cni.node_pool import node_pool
from capacity.cni.sweep import sweep
from capacity.errors import SpecError
from capacity.node.frames import max_pods_frame, node_frame
from capacity.node.maxpods import max_pods
from capacity.node.offer import offer
from capacity.node.platform import Platform
from capacity.plan.cni_env import CniSettings
from capacity.plan.cni_names import which_name
from capacity.plan.constants import AMIS, CNIS
from capacity.plan.model import Plan
from capacity.plan.overlay import AGENTS
from tests.fixtures.plans import plan_of

CATALOG = load_catalog()
OVERLAY = CniSettings(overlay=True)


def plan(cni: str = "name: overlay", group: str = "maxPods: 110", work: str = "replicas: 60", more: str = "") -> Plan:
    return plan_of(
        f"""\
apiVersion: capacity/v1
cni: {{{cni}}}
vpc:
  cidrs: [10.20.0.0/16]
  subnets:
    - {{name: a, zone: ap-south-1a, cidr: 10.20.0.0/25}}
    - {{name: b, zone: ap-south-1b, cidr: 10.20.0.128/25, tags: {{kubernetes.io/role/cni: "0"}}}}
controlPlane: {{subnets: [a, b]}}
nodeGroups:
  - {{name: g, instanceTypes: [t3a.small], nodes: 2, subnets: [a, b], {group}}}
workloads:
  - {{name: w, {work}, requests: {{cpu: 1m, memory: 1Mi}}}}
{more}"""
    )


class TestNode:
    @pytest.mark.parametrize("pods", [0, 1, 37, 250])
    def test_one_address_whatever_runs_on_it(self, pods: int) -> None:
        pool = node_pool(CATALOG.get("m5.large"), OVERLAY, pods, max_pods=250)
        assert (pool.subnet_addresses, pool.lowest, pool.highest, pool.enis) == (1, 1, 1, 1)
        assert (pool.pod_addresses, pool.warm, pool.pods_without_address) == (0, 0, 0)

    def test_unmanaged_enis_come_on_top(self) -> None:
        assert node_pool(CATALOG.get("m5.large"), OVERLAY, 9, 29, unmanaged_enis=1).subnet_addresses == 2

    def test_many_at_once_are_the_same(self) -> None:
        grid = sweep(CATALOG.match("m5.*"), OVERLAY, [0, 5, 99], max_pods=110)
        assert np.all(grid.columns["subnet_addresses"] == 1)
        assert np.all(grid.columns["pods_without_address"] == 0)

    def test_max_pods_are_the_kubelets_and_no_eni_bounds_the_rest(self) -> None:
        # t3a.micro: 2 ENIs of 2 addresses, 2 × 1 + 2 = 4; m5.24xlarge has 96 vCPUs
        small, large = (max_pods(CATALOG.get(n), Platform(mode="overlay")) for n in ("t3a.micro", "m5.24xlarge"))
        assert (small.max_pods, small.max_pods_recommended, small.ip_capacity) == (4, 110, None)
        assert (large.max_pods, large.max_pods_recommended, large.max_pods_formula) == (250, 250, None)
        assert (small.usable_enis, small.limited_by, small.warnings) == (0, "recommended-cap", ())
        karpenter = max_pods(CATALOG.get("m5.large"), Platform(mode="overlay", provisioner="karpenter"))
        assert karpenter.max_pods == 29

    def test_by_hand_they_bound_the_pods(self) -> None:
        got = offer(CATALOG.get("t3a.small"), Platform(mode="overlay"), set_max_pods=100)
        assert (got.pods, got.binding, got.fits["ips"]) == (98, "max_pods", None)

    @pytest.mark.parametrize("ami", AMIS)
    def test_the_whole_catalog_is_the_same_type_by_type(self, ami: str) -> None:
        on = Platform(mode="overlay", ami=ami)
        frame = max_pods_frame(CATALOG, on).set_index("instance_type")
        pods = node_frame(CATALOG, on).set_index("instance_type")["pods"]
        for kind in CATALOG.match("t3*.*") + CATALOG.match("m7g.*"):
            row = asdict(max_pods(kind, on))
            for name in ("max_pods", "max_pods_recommended", "usable_enis", "limited_by"):
                assert frame.loc[kind.name, name] == row[name], (kind.name, name)
            assert frame.loc[kind.name, ["ip_capacity", "max_pods_formula"]].isna().all()
            assert pods[kind.name] == offer(kind, on).pods


class TestPlan:
    def test_nodes_alone_are_booked(self) -> None:
        result = check(plan(), ["steady"])
        (state,) = result.scenarios
        for subnet in state.subnets:
            held = {k: v for k, v in subnet.used.items() if v}
            assert held == {"node_primary": 1, "control_plane": 2}  # one of two nodes, two of four ENIs
            assert (subnet.used_lowest, subnet.used_highest) == (1, 5)
            assert subnet.free_prefixes is None
        assert (result.verdict, state.unplaced_pods) == ("ok", 0)
        assert state.groups[0].pods_per_node == 32  # 30, the agent and kube-proxy

    def test_max_pods_that_nobody_set_are_said(self) -> None:
        result = check(plan(group="provisioner: managed"), ["steady"])  # t3a.small: 2 × 3 + 2 = 8
        assert result.shapes[0].first.max_pods == 8
        assert any("set maxPods to the kubelet's value" in note for note in result.notes)
        assert not any("set maxPods" in note for note in check(plan(), ["steady"]).notes)

    @pytest.mark.parametrize("agent", AGENTS)
    def test_the_agent_is_counted_once(self, agent: str) -> None:
        named = f"daemonSets:\n  - {{name: {agent}, hostNetwork: true}}\n"
        assert group_shapes(plan(more=named))[0].first.start[4] == group_shapes(plan())[0].first.start[4] == 2

    def test_nothing_is_offered_that_changes_no_address(self) -> None:
        result = check(plan(work="replicas: {now: 60, max: 400}"), ["steady", "peak"])
        names = {lever.name for lever in levers(result)}
        assert names.isdisjoint({"warm-targets", "pre-allocate", "prefix-delegation", "custom-networking", "ipv6"})
        assert "lower-max-pods" not in names
        assert [m.name for m in modes_of(result.plan, 5)] == ["as planned"]
        with pytest.raises(SpecError, match="there are no warm targets to set"):
            warm_for_plan(result.plan)
        assert "IP007" not in {f.code for f in findings(result)}

    def test_security_groups_for_pods_are_not_there(self) -> None:
        found = {f.code: f.message for f in findings(check(plan(work="replicas: 4, securityGroups: true"), ["steady"]))}
        assert "an overlay CNI does not support them" in found["IP013"]

    def test_the_reports_limits_name_no_addresses(self) -> None:
        (got,) = group_offers(check(plan(), ["steady"]))
        assert (got.fits["ips"], got.fits["max_pods"]) == (None, 108)

    def test_fargate_pods_still_take_an_address_each(self) -> None:
        group = "maxPods: 110}\n  - {name: f, provisioner: fargate, subnets: [a]"
        of = plan(group=group, work="replicas: 4, nodeGroups: [f]")
        assert check(of, ["steady"]).scenarios[0].subnets[0].used["assigned"] == 4

    def test_windows_nodes_too_take_their_own_only(self) -> None:
        shape = group_shapes(plan(group="ami: windows"))[0].first
        assert (shape.room.addresses, shape.max_pods, shape.demand(50)) == (110, 110, 0)

    @pytest.mark.parametrize(
        ("cni", "said"),
        [
            ("name: overlay, env: {WARM_IP_TARGET: '2'}", "cni.env: has no effect with an overlay CNI"),
            ("name: overlay, cilium: {preAllocate: 2}", "cni.cilium: has no effect with an overlay CNI"),
            ("name: overlay, windows: {}", "cni.windows: has no effect with an overlay CNI"),
            ("name: calico", "expected 'overlay' for Calico with VXLAN or IP-in-IP, 'vpc-cni' if it only enforces"),
            ("name: flannel", "'flannel' is not one of vpc-cni, cilium, overlay (expected 'overlay')"),
            ("name: aws-node", "expected 'vpc-cni'"),
        ],
    )
    def test_what_is_refused(self, cni: str, said: str) -> None:
        with pytest.raises(SpecError) as caught:
            plan(cni)
        assert said in str(caught.value)

    def test_pod_subnets_have_no_meaning(self) -> None:
        with pytest.raises(SpecError, match=r"podSubnets: has no effect with an overlay CNI"):
            plan(group="podSubnets: [a, b]")


def test_every_name_leads_to_one_that_works() -> None:
    for given in ("calico", "Tigera", "weave", "canal", "cilium-eni", "cluster-pool", "amazon-vpc-cni"):
        assert any(f"'{name}'" in which_name(given) for name in CNIS), given


def test_cilium_with_the_primary_address_of_the_first_eni_is_counted_without_it() -> None:
    # t3.small: 3 × (4 − 1) = 9 addresses, two of them Cilium's own
    settings, notes = cilium_settings({"usePrimaryAddress": True})
    assert settings == cilium_settings({})[0]
    assert notes[0].startswith("usePrimaryAddress is treated as off with firstInterfaceIndex 0")
    row = max_pods(CATALOG.get("t3.small"), Platform(cilium=settings.cilium))
    assert (row.ip_capacity, row.max_pods_formula) == (7, 9)
