"""The rules, chains, maps and sets of kube-proxy in nftables mode, on one node and for one IP family."""

from __future__ import annotations

from typing import NamedTuple

from capacity.plan.service import KubeProxy, ServiceShape
from capacity.services.traffic import Traffic, external_rules, masquerade_rules, traffic


class NftablesTally(NamedTuple):
    """What the table ``kube-proxy`` contains.

    ``hooked`` are the chains among ``chains`` that the kernel calls itself; ``named`` are elements of named maps and
    sets, ``anonymous`` those inside rules; ``sets`` and ``maps`` are named ones; ``affinity_sets`` hold the clients of
    each endpoint and are filled by traffic.
    """

    rules: int = 0
    chains: int = 0
    hooked: int = 0
    named: int = 0
    anonymous: int = 0
    sets: int = 0
    maps: int = 0
    affinity_sets: int = 0


def nftables_base(proxy: KubeProxy) -> NftablesTally:
    """What kube-proxy writes without any Service.

    Notes
    -----
    16 chains, 8 of them hooked; 23 rules, one of which needs the Service CIDR; the maps service-ips,
    service-nodeports, no-endpoint-services, no-endpoint-nodeports and firewall-ips; the sets cluster-ips and
    nodeport-ips, which has the node addresses that serve node ports (by default the primary address).

    Source
    ------
    kubernetes/kubernetes pkg/proxy/nftables/proxier.go at b0f823e6, ``setupNFTables``.
    Conformance: tests/conformance/kube_proxy_rules.csv

    Examples
    --------
    >>> nftables_base(KubeProxy()).rules, nftables_base(KubeProxy()).chains
    (23, 16)
    """
    node_ips = 1 if proxy.node_port_ips is None else proxy.node_port_ips
    return NftablesTally(22 + proxy.service_cidr, 16, 8, node_ips, int(proxy.service_cidr), 2, 5, 0)


def nftables_service(shape: ServiceShape, proxy: KubeProxy) -> NftablesTally:
    """What kube-proxy writes for one Service, all its ports.

    Notes
    -----
    A ClusterIP Service with E endpoints has 2 + 2E rules in 1 + E chains and 1 map element for each port, and 1 element
    of the set cluster-ips. External addresses and node ports are map elements, not rules. Source ranges make a chain of
    one rule, with or without endpoints.

    Source
    ------
    kubernetes/kubernetes pkg/proxy/nftables/proxier.go at b0f823e6, ``syncProxyRules`` and
    ``writeServiceToEndpointRules``. Conformance: tests/conformance/kube_proxy_rules.csv

    Examples
    --------
    >>> nftables_service(ServiceShape(endpoints=2), KubeProxy())[:4]
    (6, 3, 0, 2)
    """
    if not shape.proxied:
        return NftablesTally()
    used = traffic(shape)
    external = external_rules(shape, used, proxy)
    firewall = shape.lb_ips > 0 and shape.source_ranges > 0
    rules = masquerade_rules(used, proxy) + external + firewall
    rules += (used.cluster > 0) + (used.local > 0) + 2 * used.reached
    if shape.affinity:
        rules += used.cluster + used.local + used.reached
    chains = (external > 0) + firewall + (used.cluster > 0) + (used.local > 0) + used.reached
    anonymous = used.cluster + used.local
    if firewall:
        anonymous += shape.source_ranges + (shape.lb_ips if shape.node_in_range else 0)
    affinity = used.reached if shape.affinity else 0
    named = _map_elements(shape, used) + (shape.lb_ips if firewall else 0)
    ports = shape.ports
    return NftablesTally(
        rules=ports * rules,
        chains=ports * chains,
        named=1 + ports * named,  # the cluster IP is one element for all ports
        anonymous=ports * anonymous,
        affinity_sets=ports * affinity,
    )


def _map_elements(shape: ServiceShape, used: Traffic) -> int:
    """Elements of the maps of addresses and node ports for one port. [elements]

    The cluster IP is in service-ips or in no-endpoint-services. An external address is in both if other nodes have
    endpoints and this one has none under ``externalTrafficPolicy: Local``.
    """
    addresses = shape.external_ips + shape.lb_ips + shape.node_port
    return 1 + addresses * (used.any_endpoints + (not used.external))
