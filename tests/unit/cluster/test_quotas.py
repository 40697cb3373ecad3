"""Quotas: the table, network address usage, and what a plan uses of each."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network as Net

import pytest

from capacity.catalog.table import load_catalog
from capacity.cluster.check import check
from capacity.cluster.quota_use import _quota_name, quota_usage, start_calls
from capacity.cni.api_rates import node_start_calls
from capacity.cni.calls import call_costs, launch_calls
from capacity.cni.facade import node_limits
from capacity.cni.facade import start_calls as start_calls_of_node
from capacity.plan.cni_env import CniSettings
from capacity.plan.model import Tenant
from capacity.plan.parse import read_plan
from capacity.plan.tenants import tenant_kinds
from capacity.vpc.ledger import HOLDERS
from capacity.vpc.quotas import QuotaUse, load_quotas, node_nau, tenant_enis, tenant_nau
from tests.fixtures.plans import sketch_plan

BLOCKS = [Net("10.0.0.0/16")]


def usage(plan_or_result: object) -> dict[str, tuple[int, str]]:
    result = plan_or_result if hasattr(plan_or_result, "scenarios") else check(plan_or_result)  # type: ignore[arg-type]
    return {use.quota.name: (use.used, use.where) for use in quota_usage(result)}  # type: ignore[arg-type]


def test_the_table() -> None:
    quotas = load_quotas()
    assert len(quotas) > 40
    for quota in quotas.values():
        assert all((quota.source, quota.what, quota.unit, quota.scope))
        assert quota.adjustable in ("yes", "no", "by onboarding", "")
        if quota.default is not None and quota.most is not None:
            assert quota.most >= quota.default
            assert (quota.most == quota.default) == (quota.adjustable == "no")
    assert (quotas["vpc_nau"].default, quotas["vpc_nau"].most) == (64_000, 256_000)
    assert (quotas["peered_nau"].default, quotas["peered_nau"].most) == (128_000, 512_000)
    assert quotas["ec2_create_network_interface"].default is None  # unknown is not 0


@pytest.mark.parametrize(
    ("name", "used", "verdict"),
    [
        ("vpc_ipv4_blocks", 5, "ok"),
        ("vpc_ipv4_blocks", 6, "raise"),
        ("vpc_ipv4_blocks", 51, "over"),
        ("eni_dns_packets", 1025, "over"),
        ("region_enis", 9_999_999, "raise"),
        ("cluster_pods", 150_001, "raise"),
        ("ec2_create_tags", 5, "unknown"),
    ],
)
def test_verdicts(name: str, used: int, verdict: str) -> None:
    use = QuotaUse(load_quotas()[name], used)
    assert use.verdict == verdict
    assert (use.share is None) == (verdict == "unknown")


def test_network_address_usage_by_the_guides_examples() -> None:
    # 5,000 instances with an IPv4 and an IPv6 address: 10,000; the guide counts one per address.
    assert 5_000 * node_nau(enis=1, single_addresses=1, prefixes=0) == 10_000
    # A prefix is one unit, not sixteen; each further interface is one beside its own address.
    assert node_nau(1, 0, 7) == 8
    assert node_nau(3, 27, 0) == 3 + 27 + 2


def test_the_example_by_hand() -> None:
    result = check(read_plan("examples/shop-prod.yaml"), ["steady"])
    found = usage(result)
    steady = result.scenarios[0]
    held = {h: sum(s.used[h] for s in steady.subnets) for h in HOLDERS}
    # secondary mode: every address on an interface, and one more per interface beyond each node's first;
    # 3 NAT gateways and 2 × 3 endpoints of 6 units each.
    addresses = held["node_primary"] + held["eni_primary"] + held["assigned"] + held["warm"]
    assert found["vpc_nau"] == (addresses + held["eni_primary"] + 6 * (3 + 6), "steady")
    # interfaces: nodes', 4 of the control plane, ALB 3, NAT 3, endpoints 6
    assert found["region_enis"] == (held["node_primary"] + held["eni_primary"] + 4 + 3 + 3 + 6, "steady")
    assert found["cluster_nodes"] == (11, "steady")
    assert found["managed_group_nodes"] == (9, "general in steady")
    assert found["cluster_managed_groups"] == (1, "")
    assert found["zone_nat_gateways"] == (1, "us-east-1a")
    assert (found["vpc_subnets"], found["vpc_ipv4_blocks"], found["region_albs"]) == ((3, ""), (1, ""), (1, ""))
    # 92 workload pods and 4 DaemonSet pods on each of 11 nodes
    assert found["cluster_pods"] == (48 + 18 + 12 + 14 + 4 * 11, "steady")


def test_the_scenario_that_uses_most_is_named() -> None:
    found = usage(check(read_plan("examples/shop-prod.yaml")))
    assert found["cluster_nodes"] == (35, "peak+zone-loss (us-east-1a)")


def test_prefixes_use_fewer_units_than_addresses() -> None:
    plain = usage(check(sketch_plan(600, "m5.xlarge", 3, 12, vpc_cidrs=BLOCKS), ["steady"]))
    prefixes = usage(
        check(sketch_plan(600, "m5.xlarge", 3, 12, {"ENABLE_PREFIX_DELEGATION": "true"}, vpc_cidrs=BLOCKS), ["steady"])
    )
    # 50 pods a node: ⌈50 ÷ 14⌉ + 1, at most 4 ENIs of 14: 4 + 56 + 3 = 63; prefixes ⌈50 ÷ 16⌉ + 1 = 5 on one ENI: 6
    assert plain["vpc_nau"][0] == 12 * 63
    assert prefixes["vpc_nau"][0] == 12 * 6


def test_ipv6_nodes() -> None:
    found = usage(check(sketch_plan(300, "m5.large", 3, 12, ip_family="ipv6", vpc_cidrs=BLOCKS), ["steady"]))
    assert found["vpc_nau"][0] == 12 * 2
    assert found["region_enis"][0] == 12 + 4  # the control plane's too
    assert sum(node_start_calls(1, 0, ipv6=True).values()) == 4 + 2


def test_tenants() -> None:
    plan = read_plan("examples/shop-prod.yaml")
    subnets = ("private-a", "private-b")
    tenants = (
        Tenant("nlb", "n", subnets, 1, "load_balancers"),
        Tenant("lambda", "l", subnets, 1, "other"),
        Tenant("alb", "a", subnets, 8, "load_balancers"),
        Tenant("alb", "b", subnets, 20, "load_balancers"),
        Tenant("cluster", "c", subnets, 50, "other"),
        Tenant("ec2", "e", subnets, 7, "other"),
    )
    changed = replace(plan, tenants=tenants)
    assert tenant_nau(changed) == 2 * 6 + 6 + 2 * 7
    # NLB 1, Lambda 1, ALB 1 (its 8 are room to grow), ALB of 20 as said, the cluster's 50 and 7 instances
    assert tenant_enis(changed) == 2 * (1 + 1 + 1 + 20 + 50 + 7)


# --- EC2 calls ------------------------------------------------------------------------------------


@pytest.mark.parametrize("trunk", [0, 1])
@pytest.mark.parametrize("discovery", [True, False])
@pytest.mark.parametrize("custom", [True, False])
@pytest.mark.parametrize(("enis", "slots"), [(1, 0), (1, 9), (2, 18), (4, 40)])
def test_by_name_they_are_as_many_as_in_sum(enis: int, slots: int, custom: bool, discovery: bool, trunk: int) -> None:
    if custom and enis == 1:
        return  # the pool never stays on an idle primary
    calls = node_start_calls(enis, slots, custom_networking=custom, subnet_discovery=discovery, trunk=trunk)
    costs = call_costs(custom_networking=custom, subnet_discovery=discovery)
    total = launch_calls(slots, enis, idle_primary=int(custom), costs=costs, trunk=trunk)
    assert sum(calls.values()) == total


def test_a_scale_up_by_hand() -> None:
    result = check(sketch_plan(300, "m5.large", 3, 15, vpc_cidrs=BLOCKS), ["steady"])
    (group,) = result.scenarios[0].groups
    calls = start_calls(result.plan, group, 10)
    # 20 pods a node, 3 ENIs: 2 further ones of 6 calls, 5 to start: 17 a node
    assert sum(calls.values()) - calls["RunInstances"] == 10 * 17
    assert calls["CreateNetworkInterface"] == calls["AttachNetworkInterface"] == 20
    assert calls["ModifyNetworkInterfaceAttribute"] == 30
    assert calls["DescribeSubnets"] == 50
    assert calls["RunInstances"] == 10


def test_a_node_with_a_trunk_costs_two_calls_more() -> None:
    plain = node_start_calls(1, 9)
    assert node_start_calls(1, 9, trunk=1) - plain == {"DescribeNetworkInterfaces": 1, "DescribeSubnets": 1}
    m5_large = load_catalog().get("m5.large")
    started = [
        sum(start_calls_of_node(node_limits(m5_large, settings), settings, 29, 3).values())
        for settings in (CniSettings(), CniSettings(pod_eni=True))
    ]
    assert started == [11, 13]  # two ENIs for pods either way: the trunk takes the third slot


def test_peak_beyond_steady_starts_at_once() -> None:
    found = usage(check(read_plan("examples/shop-prod.yaml"), ["steady", "peak"]))
    assert found["run_instances_resource"] == (15, "peak")  # 26 − 11 nodes
    assert found["ec2_assign_private_ip_addresses"] == (15, "peak")
    assert all(_quota_name(api) in load_quotas() for api in node_start_calls(2, 4))
    assert all(_quota_name(api) in load_quotas() for api in node_start_calls(1, 0, ipv6=True))


# --- tenants.csv ----------------------------------------------------------------------------------


def test_every_kind_of_tenant_is_whole() -> None:
    kinds = tenant_kinds()
    asked = {
        "alb",
        "nlb",
        "clb",
        "natGateway",
        "vpcEndpoint",
        "efs",
        "rds",
        "elasticache",
        "msk",
        "opensearch",
        "lambda",
    }
    asked |= {"transitGateway", "fargate", "windowsNode", "cluster", "leakedEni", "other"}
    assert asked <= set(kinds)
    for kind in kinds.values():
        assert kind.holder in HOLDERS
        assert all((kind.what, kind.source, kind.growth))
        assert (kind.nau is None) == (kind.nau_per == "")
        assert kind.nau_per in ("", "subnet", "tenant", "address")
    assert (kinds["alb"].addresses, kinds["nlb"].addresses, kinds["natGateway"].addresses) == (8, 1, 1)
