"""Figures of Services over a cluster, worked by hand."""

from __future__ import annotations

from ipaddress import IPv4Network

from capacity.plan.service import KubeProxy, Service, ServiceShape
from capacity.services.cluster_figures import conntrack, service_figures
from capacity.services.ipvs import IpvsTally, ipvs_rules, ipvs_service
from capacity.services.mode_choice import Cluster, mode_choice
from capacity.services.times import first_packet, kernel_memory_mib, published, talk_seconds, times_longer

WEB = Service("web", ServiceShape(ports=2, endpoints=250, node_port=True, health_check=True), "shop", "LoadBalancer")
API = Service("api", ServiceShape(endpoints=101), "shop", count=3)
DB = Service("db", ServiceShape(endpoints=3, proxied=False), "data")


def test_a_mix_of_services() -> None:
    figures = service_figures([WEB, API, DB], IPv4Network("172.20.0.0/24"))
    assert (figures.services, figures.addressed, figures.service_ports) == (5, 4, 5)
    assert figures.endpoints == 250 + 3 * 101
    assert (figures.service_cidr.used, figures.service_cidr.limit, figures.service_cidr.free) == (4, 252, 248)
    assert figures.node_ports == (3, 2768)  # two ports and the health check
    assert figures.namespace == ("shop", 4)
    assert figures.variables == (3 + 4 * 2) + 3 * (3 + 4)
    assert figures.most_endpoints == 250
    assert figures.slices == 3 + 3 * 2 + 1


def test_namespaces_share_the_services() -> None:
    figures = service_figures([Service("x", ServiceShape(endpoints=1), count=10)], None, namespaces=3)
    assert figures.namespace == ("default", 4)
    assert figures.variables == 4 * 7
    assert figures.service_cidr.free is None


def test_no_services() -> None:
    figures = service_figures([], None)
    assert (figures.services, figures.most_endpoints, figures.slices, figures.namespace) == (0, 0, 0, ("default", 0))


def test_connections() -> None:
    assert conntrack(4).limit == 131_072  # 4 × 32,768
    assert conntrack(5).limit == 163_840
    assert conntrack(33).limit == 1_048_576  # at most
    assert conntrack(4, 500.5, 10).connections == 5005
    assert conntrack(4, 2000, 120).free == 131_072 - 240_000
    assert conntrack(4).free is None


class TestMode:
    def choice(self, services: int, cluster: Cluster = Cluster()) -> tuple[str, str]:  # noqa: B008 (frozen)
        figures = service_figures([Service("x", ServiceShape(endpoints=1), count=services)], None)
        choice = mode_choice(figures, cluster)
        return choice.mode, " ".join(choice.warnings)

    def test_by_number_and_version(self) -> None:
        assert self.choice(1000)[0] == "iptables"
        assert self.choice(1001)[0] == "nftables"
        assert self.choice(1001, Cluster("1.32"))[0] == "iptables"
        assert self.choice(1001, Cluster("1.33", "1.22.9"))[0] == "iptables"
        assert self.choice(1001, Cluster("1.33", "1.23.0"))[0] == "nftables"
        assert self.choice(1001, Cluster("1.33", "1.1.0", cni="cilium"))[0] == "nftables"

    def test_what_nftables_needs_is_said_if_the_version_is_unknown(self) -> None:
        figures = service_figures([Service("x", ServiceShape(endpoints=1), count=1001)], None)
        needs = "it requires EKS 1.33 and VPC CNI 1.23.0"
        assert needs in mode_choice(figures, Cluster()).why
        assert needs not in mode_choice(figures, Cluster("1.34")).why

    def test_never_ipvs(self) -> None:
        mode, warnings = self.choice(5000, Cluster("1.30", mode="ipvs"))
        assert mode == "iptables"
        assert "deprecated since Kubernetes 1.35" in warnings
        assert "has no IPVS mode" in self.choice(5, Cluster("1.43", mode="ipvs"))[1]
        assert "has no IPVS mode" not in self.choice(5, Cluster("1.42", mode="ipvs"))[1]

    def test_warnings(self) -> None:
        assert "10,000 Services: 3 min 14 s" in self.choice(5001)[1]
        assert "10,000 Services: 3 min 14 s" not in self.choice(5000)[1]
        assert "planned as the default" in self.choice(5, Cluster("1.37"))[1]
        assert "planned as the default" not in self.choice(5, Cluster("1.36"))[1]
        assert "which requires EKS 1.33" in self.choice(5, Cluster("1.32", mode="nftables"))[1]
        assert "DSR" in self.choice(101, Cluster(windows=True))[1]
        assert "DSR" not in self.choice(100, Cluster(windows=True))[1]


class TestTimes:
    def test_the_nearest_first_and_those_without_a_number_last(self) -> None:
        assert published("nftables", 6000)[0].services == 5006
        assert published("nftables", 60_000)[0].services == 44_128
        assert published("iptables", 10)[-1].services is None
        assert published("ipvs", 10) == []

    def test_first_packet(self) -> None:
        assert first_packet("iptables", 30_000) == (0.285, 0.716)  # the chart has 0.274 and 0.715
        assert first_packet("iptables", 10) == (0.014, 0.041)
        assert first_packet("nftables", 1) == first_packet("nftables", 30_000)
        assert first_packet("ipvs", 1) == (None, None)

    def test_memory_growth_and_2017(self) -> None:
        assert kernel_memory_mib(1024) == (0.4, 0.7)
        assert times_longer(2.0) == 4
        assert times_longer(1.0, 3) == 3
        assert round(talk_seconds(80_000) / 60) == 57


class TestIpvsRules:
    def test_rules_in_the_table_filter(self) -> None:
        assert ipvs_rules(IpvsTally()).filter == 10
        assert ipvs_rules(IpvsTally(outside_ranges=2)).filter == 12
        some = IpvsTally(load_balancer_fw=1, load_balancer_source_cidr=2, load_balancer_source_ip=1)
        assert ipvs_rules(some).filter == 13

    def test_rules_in_the_table_nat(self) -> None:
        assert ipvs_rules(IpvsTally(loop_back=5)).nat == 8
        assert ipvs_rules(IpvsTally(load_balancer=1, load_balancer_local=1)).nat == 7 + 2 + 1
        assert ipvs_rules(IpvsTally(external_ip=1, external_ip_local=1)).nat == 7 + 3 + 2
        assert ipvs_rules(IpvsTally(node_port_tcp=1, node_port_udp=1, node_port_sctp=1)).nat == 7 + 3
        three = IpvsTally(node_port_local_tcp=1, node_port_local_udp=1, node_port_local_sctp=1)
        assert ipvs_rules(three).node_port_chain == 3 + 1

    def test_a_load_balancer_with_source_ranges(self) -> None:
        shape = ServiceShape(ports=2, endpoints=1, lb_ips=2, source_ranges=3)
        tally = ipvs_service(shape, KubeProxy())
        assert (tally.outside_ranges, tally.load_balancer_fw, tally.load_balancer_source_cidr) == (4, 4, 12)
        inside = ipvs_service(shape._replace(node_in_range=True), KubeProxy())
        assert (inside.outside_ranges, inside.load_balancer_source_ip) == (0, 4)
        assert tally.ipset["IPVS_IPS"] == 3
