"""The rules of each mode on one node, by hand, for one IP family and for both."""

from __future__ import annotations

import pytest

from capacity.plan.service import KubeProxy, Service, ServiceShape
from capacity.services.ipvs import IpvsRules
from capacity.services.rule_sets import node_rules, rule_sets, shapes_of

WEB = ServiceShape(endpoints=2, node_port=True)


@pytest.mark.parametrize(
    ("family", "iptables", "nftables", "ipvs"),
    [
        # 3 × (6 + 3 × 2) + 9; 3 × (2 + 2 × 2 + 2) + 23; nat 7 + 2 (cluster IPs) + 1 (node ports), filter 10
        ("ipv4", 45, 47, 20),
        # in IPv6 no rule for localhost: 1 less for each node port, and 1 less in filter
        ("ipv6", 41, 47, 20),
        ("dual", 86, 94, 40),
    ],
)
def test_rules_of_each_mode(family: str, iptables: int, nftables: int, ipvs: int) -> None:
    sets = rule_sets([(WEB, 3)], KubeProxy(), family=family)
    assert (sets.rules("iptables"), sets.rules("nftables"), sets.rules("ipvs")) == (iptables, nftables, ipvs)
    web = [Service("web", WEB, count=3)]
    assert [node_rules(mode, web, family=family) for mode in ("iptables", "nftables", "ipvs")] == [
        iptables,
        nftables,
        ipvs,
    ]


def test_kube_proxy_runs_once_for_each_family() -> None:
    four, dual = (rule_sets([(WEB, 3)], KubeProxy(), family=family) for family in ("ipv4", "dual"))
    assert four.ipvs_rules == IpvsRules(nat=10, filter=10, chains=11, services_chain=4, node_port_chain=2)
    assert dual.ipvs_rules == IpvsRules(nat=20, filter=20, chains=22, services_chain=8, node_port_chain=4)
    assert (four.families, dual.families) == (1, 2)


def test_without_the_rules_of_kube_proxy_itself() -> None:
    alone = rule_sets([(WEB, 3)], KubeProxy(), base=False)
    assert (alone.rules("iptables"), alone.rules("nftables")) == (36, 24)
    both = rule_sets([(WEB, 3)], KubeProxy(), family="dual", base=False)
    assert (both.rules("iptables"), both.rules("nftables")) == (36 + 33, 48)


def test_figures_have_every_total_of_their_mode() -> None:
    dual = rule_sets([(WEB, 3)], KubeProxy(), family="dual")
    iptables, nftables, ipvs = (dual.figures(mode) for mode in ("iptables", "nftables", "ipvs"))
    assert iptables["rules"] == {"nat": 79, "filter": 7, "total": 86}
    assert nftables["rules"] == {"total": 94}
    assert ipvs["rules"] == {"nat": 20, "filter": 20, "total": 40, "services_chain": 8, "node_port_chain": 4}
    assert (ipvs["virtual_servers"], ipvs["real_servers"]) == (12, 24)  # cluster IP and one node address
    elements = ipvs["elements"]
    assert isinstance(elements, dict)
    assert elements["sets"] == 2 * 17


def test_services_of_the_same_shape_are_counted_together() -> None:
    other = ServiceShape(endpoints=1)
    services = [Service("a", WEB, count=3), Service("b", other), Service("c", WEB)]
    assert dict(shapes_of(services)) == {WEB: 4, other: 1}
