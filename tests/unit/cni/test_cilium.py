"""Cilium's ENI mode in plans: what is booked, what is refused, what is said and what is not offered. By hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from capacity.advice.findings.rules import findings
from capacity.advice.levers.offered import levers
from capacity.advice.warm import warm_for_plan
from capacity.advice.whatif import modes_of
from capacity.catalog.table import load_catalog
from capacity.cluster.check import check
from capacity.cluster.quota_use import quota_usage, start_calls
from capacity.cni.facade import node_pool
from capacity.cni.sweep import sweep
from capacity.errors import SpecError
from capacity.node.maxpods import max_pods
from capacity.node.platform import Platform
from capacity.plan.cilium import CiliumIpam
from capacity.plan.cilium_settings import all_settings, cilium_settings
from capacity.plan.model import Plan
from tests.fixtures.plans import FULL_CILIUM, plan_of

CATALOG = load_catalog()
M5_LARGE = CATALOG.get("m5.large")  # 3 ENIs of 10 addresses


def plan(
    cilium: str = "firstInterfaceIndex: 1", group: str = "podSubnets: [pods]", more: str = "", work: str = ""
) -> Plan:
    return plan_of(f"""\
apiVersion: capacity/v1
cni:
  name: cilium
  cilium: {{{cilium}}}
vpc:
  cidrs: [10.0.0.0/24, 100.64.0.0/24]
  subnets:
    - {{name: nodes, zone: z1, cidr: 10.0.0.0/25}}
    - {{name: pods, zone: z1, cidr: 100.64.0.0/24}}
nodeGroups:
  - {{name: web, instanceTypes: [m5.large], subnets: [nodes], nodes: 2, {group}}}
{more}
workloads: [{{name: app, replicas: 10{work}}}]
""")


def held(of: Plan, subnet: str, scenario: str = "steady") -> dict[str, int]:
    state = next(s for s in check(of, [scenario]).scenarios[0].subnets if s.subnet.name == subnet)
    return {holder: n for holder, n in state.used.items() if n}


def replace_type(of: Plan, name: str) -> Plan:
    return replace(of, node_groups=tuple(replace(g, instance_types=(CATALOG.get(name),)) for g in of.node_groups))


class TestBooking:
    def test_pods_on_their_own_subnet(self) -> None:
        # 5 pods a node: 5 + 2 of Cilium's own + 8 free = 15 addresses = 9 + 6 on two ENIs beside the primary
        assert held(plan(), "pods") == {"eni_primary": 4, "assigned": 10, "warm": 20}
        assert held(plan(), "nodes") == {"node_primary": 2}

    def test_where_its_own_two_have_no_room_no_pod_has_an_address(self) -> None:
        # t3.micro: 2 ENIs of 2 addresses, the first serves none: one address, and Cilium itself wants two
        small = replace_type(plan(more="daemonSets: [{name: log}]"), "t3.micro")
        assert held(small, "pods") == {"eni_primary": 2, "warm": 2}

    def test_all_on_the_nodes_subnet(self) -> None:
        # from index 0: 9 on the primary, 6 on one more ENI
        got = held(plan("firstInterfaceIndex: 0", "maxPods: 20"), "nodes")
        assert got == {"node_primary": 2, "eni_primary": 2, "assigned": 10, "warm": 20}

    def test_prefixes(self) -> None:
        # 15 addresses: one /28 a node, on one ENI
        result = check(plan("firstInterfaceIndex: 1, prefixDelegation: true"), ["steady"])
        pods = result.scenarios[0].subnets[1]
        assert (pods.prefixes, pods.used["warm"], pods.used["eni_primary"]) == (2, 22, 2)

    def test_pods_beyond_the_addresses_are_stuck(self) -> None:
        # a node: 18 addresses less 2 = 16 pods
        of = plan(work="", group="podSubnets: [pods], maxPods: 29")
        result = check(plan_of_replicas(of, 40), ["steady"])
        assert (result.scenarios[0].unplaced, result.scenarios[0].pods_without_address) == ((), 8)

    def test_fargate_beside_it_takes_one_address_a_pod(self) -> None:
        more = "  - {name: serverless, provisioner: fargate, subnets: [nodes]}"
        of = plan(more=more, work=", nodeGroups: [serverless]")
        assert held(of, "nodes") == {"node_primary": 2, "assigned": 10}
        assert quota_usage(check(of))

    def test_auto_mode_keeps_its_own_settings(self) -> None:
        of = plan("firstInterfaceIndex: 0", "provisioner: auto")
        assert held(of, "nodes") == {"node_primary": 2, "assigned": 10, "warm": 54}  # 2 × (2 × 16) − 10

    def test_the_agent_replaces_aws_node(self) -> None:
        shape = check(plan(), ["steady"]).shapes[0].first
        assert (shape.start[4], shape.start[5]) == (2, 0)  # cilium and kube-proxy, host-network
        notes = check(plan(), ["steady"]).notes
        assert any("cilium and kube-proxy run on every node" in n for n in notes)
        assert any("can replace kube-proxy" in n for n in notes)


def plan_of_replicas(of: Plan, replicas: int) -> Plan:
    return replace(of, workloads=(replace(of.workloads[0], replicas=replicas, max_replicas=replicas),))


class TestAdvice:
    def test_nothing_of_the_vpc_cni_is_offered(self) -> None:
        result = check(plan(), ["steady", "peak"])
        names = {lever.name for lever in levers(result)}
        assert "pre-allocate" in names
        assert names.isdisjoint({"warm-targets", "prefix-delegation", "custom-networking"})
        assert not any("cni.env" in path for lever in levers(result) for path in lever.patch)
        assert [m.name for m in modes_of(result.plan, 5)] == ["as planned"]
        with pytest.raises(SpecError, match=r"VPC CNI: with Cilium, change cni\.cilium\.preAllocate"):
            warm_for_plan(result.plan)

    def test_the_lever_only_where_more_is_kept(self) -> None:
        result = check(plan("firstInterfaceIndex: 1, preAllocate: 2"), ["steady"])
        assert "pre-allocate" not in {lever.name for lever in levers(result)}

    def test_max_pods_above_the_addresses_is_a_finding(self) -> None:
        found = {f.code: f.message for f in findings(check(plan(), ["steady"]))}
        # EKS gives 3 × 9 + 2 = 29; 27 beside cilium and kube-proxy, but 2 × 9 − 2 = 16 addresses
        assert "allows 29 pods (2 host-network), but has addresses for only 16" in found["IP007"]

    def test_bare_metal_has_no_prefixes_with_cilium(self) -> None:
        of = plan("firstInterfaceIndex: 1, prefixDelegation: true")
        metal = replace(of.node_groups[0], instance_types=(CATALOG.get("m5.metal"),))
        codes = {f.code: f.message for f in findings(check(replace(of, node_groups=(metal,)), ["steady"]))}
        assert "m5.metal is not a Nitro type for Cilium" in codes["IP011"]

    def test_security_groups_for_pods_are_not_there(self) -> None:
        found = {f.code: f.message for f in findings(check(plan(work=", securityGroups: true"), ["steady"]))}
        assert "Cilium does not support them" in found["IP013"]

    def test_calls_of_a_starting_node_are_the_operators(self) -> None:
        result = check(plan(), ["steady"])
        calls = start_calls(result.plan, result.scenarios[0].groups[0], 1)
        assert dict(calls) == {
            "CreateNetworkInterface": 2,
            "AttachNetworkInterface": 2,
            "ModifyNetworkInterfaceAttribute": 2,
            "RunInstances": 1,
        }


class TestReading:
    def test_every_setting_is_read(self) -> None:
        settings = plan_of(FULL_CILIUM).cni.settings
        assert settings.prefix
        assert settings.cilium == CiliumIpam(6, 20, 200, 2, 1, use_primary_address=False, release_excess_ips=True)
        assert all_settings(settings)["maxAllocate"] == 200

    @pytest.mark.parametrize(
        ("cilium", "group", "message"),
        [
            ("preAlocate: 8", "", r"cni\.cilium\.preAlocate: unknown key \(did you mean 'preAllocate'\?\)"),
            ("firstInterfaceIndex: 16", "", r"firstInterfaceIndex: 16 is out of range \(expected 0 to 15\)"),
            ("minAllocate: -1", "", r"cni\.cilium\.minAllocate: -1 is out of range"),
            (
                "usePrimaryAddress: true, firstInterfaceIndex: 1, prefixDelegation: true",
                "",
                "together are not modelled",
            ),
            ("preAllocate: 8", "podSubnets: [pods]", r"podSubnets: requires cni\.cilium\.firstInterfaceIndex 1"),
            (
                "firstInterfaceIndex: 1",
                "podSubnets: [pods], ami: windows",
                r"ami: Cilium does not run on Windows nodes",
            ),
            ("preAllocate: 8", "ami: windows", r"nodeGroups\[0\]\.ami: Cilium does not run on Windows nodes"),
        ],
    )
    def test_what_cannot_be_is_refused(self, cilium: str, group: str, message: str) -> None:
        with pytest.raises(SpecError, match=message):
            plan(cilium, group)

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("name: cilium\n", "name: cilum\n", r"cni\.name: 'cilum' is not one of vpc-cni, cilium"),
            ("name: cilium\n", "name: vpc-cni\n", r"cni\.cilium: requires 'name: cilium' next to it"),
            (
                "name: cilium\n",
                "name: cilium\n  env: {WARM_IP_TARGET: '2'}\n",
                r"cni\.env: applies to the VPC CNI; for Cilium",
            ),
            ("ipFamily: ipv4", "ipFamily: ipv6", r"cni\.name: ipFamily ipv6 with Cilium's ENI mode is not modelled"),
        ],
    )
    def test_the_two_cnis_are_kept_apart(self, old: str, new: str, message: str) -> None:
        assert old in FULL_CILIUM
        with pytest.raises(SpecError, match=message):
            plan_of(FULL_CILIUM.replace(old, new, 1))

    def test_pre_allocate_0_is_the_default_and_said(self) -> None:
        settings, notes = cilium_settings({"preAllocate": 0})
        assert settings.cilium == CiliumIpam()
        assert notes[0] == "preAllocate 0: Cilium uses its default, 8"

    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ({}, "releaseExcessIps is off, so a node keeps every address it ever held"),
            ({"releaseExcessIps": True}, "ENIs stay attached"),
            ({"releaseExcessIps": True, "prefixDelegation": True}, "prefixes are assumed to be kept"),
        ],
    )
    def test_the_assumption_about_what_is_given_back_is_said(self, values: dict[str, int | bool], said: str) -> None:
        assert said in cilium_settings(values)[1][-1]


class TestMaxPods:
    @pytest.mark.parametrize(
        ("kind", "mode", "ipam", "usable", "addresses", "formula", "limited_by"),
        [
            ("m5.large", "secondary", CiliumIpam(), 3, 25, 27, "enis"),  # 3 × 9 less 2
            ("m5.large", "secondary", CiliumIpam(first_interface_index=1), 2, 16, 18, "enis"),
            ("m5.large", "prefix", CiliumIpam(first_interface_index=1), 2, 286, 288, "recommended-cap"),
            ("m5.large", "secondary", CiliumIpam(max_allocate=10), 3, 8, 10, "max-allocate"),
            ("m5.large", "secondary", CiliumIpam(max_allocate=500), 3, 25, 27, "enis"),
            ("m5.large", "secondary", CiliumIpam(first_interface_index=3), 0, 0, 2, "no-enis"),
            ("m5.metal", "prefix", CiliumIpam(), 15, 733, 735, "hypervisor"),  # 15 × 49 less 2
            ("m5.large", "secondary", CiliumIpam(first_interface_index=1, use_primary_address=True), 2, 16, 18, "enis"),
        ],
    )
    def test_by_hand(
        self, kind: str, mode: str, ipam: CiliumIpam, usable: int, addresses: int, formula: int, limited_by: str
    ) -> None:
        row = max_pods(CATALOG.get(kind), Platform(mode=mode, cilium=ipam))
        assert (row.usable_enis, row.ip_capacity, row.max_pods_formula) == (usable, addresses, formula)
        assert row.limited_by == limited_by

    def test_the_kubelet_gets_what_it_gets_with_the_vpc_cni_as_it_comes(self) -> None:
        ours = max_pods(M5_LARGE, Platform(mode="prefix", cilium=CiliumIpam(first_interface_index=1)))
        assert ours.max_pods == max_pods(M5_LARGE, Platform()).max_pods == 29

    def test_karpenters_reserved_enis_are_the_same_that_serve_no_pods(self) -> None:
        on = Platform(reserved_enis=1, provisioner="karpenter", cilium=CiliumIpam(first_interface_index=1))
        row = max_pods(M5_LARGE, on)
        assert (row.usable_enis, row.max_pods) == (2, 20)

    @pytest.mark.parametrize(
        "other", [{"custom_networking": True}, {"pod_eni": True}, {"max_eni": 2}, {"ami": "windows"}, {"mode": "ipv6"}]
    )
    def test_what_is_the_vpc_cnis_is_refused(self, other: dict[str, object]) -> None:
        with pytest.raises(SpecError, match="Cilium"):
            Platform(cilium=CiliumIpam(), **other)  # type: ignore[arg-type]


def test_a_sweep_gives_prefixes_where_cilium_does() -> None:
    settings, _ = cilium_settings({"prefixDelegation": True})
    kinds = [CATALOG.get(n) for n in ("m5.large", "m5.metal", "m4.large")]
    grid = sweep(kinds, settings, [0, 12, 30], 110, columns=("prefixes", "secondary_ips", "subnet_addresses"))
    for i, kind in enumerate(kinds):
        for j, pods in enumerate((0, 12, 30)):
            one = node_pool(kind, settings, pods, 110)
            for name in ("prefixes", "secondary_ips", "subnet_addresses"):
                assert grid[name][i, j] == getattr(one, name), (kind.name, pods, name)
    assert grid["prefixes"][:, 1].tolist() == [2, 0, 0]
