"""A plan's Services and kube-proxy settings, as the overview counts them."""

from __future__ import annotations

import pytest

from capacity.services.mode_overview import question_of_plan, service_overview
from tests.fixtures.plans import plan_of

HEAD = """
apiVersion: capacity/v1
kubernetes: {kubeProxy: {PROXY}}
vpc:
  cidrs: [10.0.0.0/16]
  subnets:
    - {name: a, zone: us-east-1a, cidr: 10.0.0.0/22}
    - {name: b, zone: us-east-1b, cidr: 10.0.4.0/22}
    - {name: c, zone: us-east-1c, cidr: 10.0.8.0/22}
nodeGroups: [{name: g, instanceTypes: [m5.large], nodes: 3, subnets: [a, b, c]}]
workloads: [{name: web, replicas: {now: 10, max: 20}}]
services: [SERVICE]
"""
PORT = "{name: web, type: NodePort, workload: web}"


def rules(service: str, proxy: str = "{}", *, peak: bool = False) -> tuple[int, int, int]:
    """nat and filter rules of iptables mode, and virtual servers of IPVS mode."""
    plan = plan_of(HEAD.replace("{PROXY}", proxy).replace("SERVICE", service))
    sets = service_overview(question_of_plan(plan, peak=peak)).sets
    return sets.iptables.nat_rules, sets.iptables.filter_rules, sets.ipvs.virtual_servers


@pytest.mark.parametrize(
    ("proxy", "counts"),
    [
        ("{}", (5 + 6 + 30, 4, 2)),
        ("{localhostNodePorts: false}", (5 + 5 + 30, 3, 2)),
        ("{countLocalhost: false}", (5 + 5 + 30, 4, 2)),
        ("{podRange: false}", (5 + 5 + 30, 4, 2)),
        ("{podRange: false, masqueradeAll: true}", (5 + 6 + 30, 4, 2)),
        ("{conntrackLiberal: true}", (5 + 6 + 30, 3, 2)),
        ("{nodePortAddresses: 3}", (7 + 6 + 30, 4, 2)),
        ("{nodeIPs: 3}", (5 + 6 + 30, 4, 4)),
        ("{nodeIPs: 0}", (5 + 6 + 30, 4, 1)),
    ],
)
def test_settings_of_kube_proxy(proxy: str, counts: tuple[int, int, int]) -> None:
    assert rules(PORT, proxy) == counts


def test_endpoints_follow_the_workload() -> None:
    assert rules(PORT, peak=True)[0] == 5 + 6 + 3 * 20
    assert rules("{name: web, workload: web, endpoints: 4}", peak=True)[0] == 5 + 2 + 3 * 4


def test_hints_leave_the_endpoints_of_a_zone() -> None:
    """10 endpoints in 3 zones: at most ⌈10 ÷ 3⌉ = 4 in the node's zone."""
    assert rules("{name: web, workload: web, zoneHints: true}")[0] == 5 + 2 + 3 * 4
    assert rules("{name: web, workload: web, zoneHints: true}", peak=True)[0] == 5 + 2 + 3 * 7
    assert rules("{name: web, workload: web, zoneHints: true, localEndpoints: 6}")[0] == 5 + 2 + 3 * 6
    plan = plan_of(HEAD.replace("{PROXY}", "{}").replace("SERVICE", "{name: w, workload: web, zoneHints: true}"))
    assert service_overview(question_of_plan(plan)).figures.endpoints == 10
