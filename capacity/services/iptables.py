"""The rules and chains of kube-proxy in iptables mode, on one node and for one IP family."""

from __future__ import annotations

from typing import NamedTuple

from capacity.plan.service import KubeProxy, ServiceShape
from capacity.services.traffic import external_rules, masquerade_rules, traffic


class IptablesTally(NamedTuple):
    """Rules and chains of the tables ``nat`` and ``filter``.

    ``dispatch`` are the nat rules among them that every sync sends, also if nothing of the Service changed.
    """

    nat_rules: int = 0
    filter_rules: int = 0
    nat_chains: int = 0
    filter_chains: int = 0
    dispatch: int = 0

    @property
    def rules(self) -> int:
        """Rules of both tables. [rules]"""
        return self.nat_rules + self.filter_rules

    @property
    def chains(self) -> int:
        """Chains of both tables. [chains]"""
        return self.nat_chains + self.filter_chains


def iptables_base(proxy: KubeProxy) -> IptablesTally:
    """What kube-proxy writes without any Service; the 14 jumps in built-in chains are not counted.

    Notes
    -----
    nat: 4 rules in KUBE-POSTROUTING and KUBE-MARK-MASQ, and the rules that lead to node ports: one, or one for each
    node address if ``nodePortAddresses`` selects some. filter: 2 rules of KUBE-FORWARD, the drop of invalid packets
    (unless the kernel is set to be liberal), and the localnet rule of KUBE-FIREWALL (IPv4 with localhost node ports).

    Source
    ------
    kubernetes/kubernetes pkg/proxy/iptables/proxier.go, ``syncProxyRules`` (text of about 1.33).
    Conformance: tests/conformance/kube_proxy_rules.csv

    Examples
    --------
    >>> iptables_base(KubeProxy()).nat_rules, iptables_base(KubeProxy()).filter_rules
    (5, 4)
    """
    node_ports = 1 if proxy.node_port_ips is None else proxy.node_port_ips
    localnet = proxy.localhost_node_ports and not proxy.ipv6
    filters = 2 + (not proxy.conntrack_liberal) + localnet
    return IptablesTally(4 + node_ports, filters, 4, 6, 4 + node_ports)


def iptables_service(shape: ServiceShape, proxy: KubeProxy) -> IptablesTally:
    """What kube-proxy writes for one Service, all its ports.

    Notes
    -----
    A ClusterIP Service with E endpoints has 2 + 3E rules in 1 + E chains for each port: the match of its address, the
    masquerade of traffic from outside the pods, E jumps to endpoints, and two rules in each endpoint's chain. Without
    endpoints it has one reject rule and no chain.

    Source
    ------
    kubernetes/kubernetes pkg/proxy/iptables/proxier.go, ``syncProxyRules`` and ``writeServiceToEndpointRules`` (text
    of about 1.33). Conformance: tests/conformance/kube_proxy_rules.csv

    Examples
    --------
    >>> iptables_service(ServiceShape(endpoints=2), KubeProxy()).rules  # 2 + 3 * 2
    8
    >>> iptables_service(ServiceShape(endpoints=2, node_port=True), KubeProxy()).rules  # 6 + 3 * 2
    12
    """
    if not shape.proxied:
        return IptablesTally()
    used = traffic(shape)
    dispatch = used.internal + _external_dispatch(shape, proxy) * used.any_endpoints
    firewall = used.any_endpoints and shape.lb_ips > 0 and shape.source_ranges > 0
    external = external_rules(shape, used, proxy)
    endpoint_rules = used.cluster + used.local + 2 * used.reached
    if shape.affinity:
        endpoint_rules += used.cluster + used.local
    nat = dispatch + masquerade_rules(used, proxy) + external + endpoint_rules
    if firewall:
        nat += shape.source_ranges + proxy.closing_rule + (shape.lb_ips if shape.node_in_range else 0)
    chains = (external > 0) + firewall + (used.cluster > 0) + (used.local > 0) + used.reached
    refused = (not used.internal) + (0 if used.external else shape.external_ips + shape.lb_ips + shape.node_port)
    filters = refused + (shape.lb_ips if firewall else 0) + shape.health_check
    return IptablesTally(*(shape.ports * each for each in (nat, filters, chains, 0, dispatch)))


def _external_dispatch(shape: ServiceShape, proxy: KubeProxy) -> int:
    """Rules that match the external addresses and the node port of one port. [rules]"""
    counted = proxy.localhost_node_ports and proxy.nfacct and not proxy.ipv6
    return shape.external_ips + shape.lb_ips + (1 + counted if shape.node_port else 0)
