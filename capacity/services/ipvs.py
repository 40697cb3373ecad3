"""The virtual servers, real servers, ipset entries and rules of kube-proxy in IPVS mode, on one node and for one
IP family.
"""

from __future__ import annotations

from typing import NamedTuple

from capacity.plan.service import KubeProxy, ServiceShape
from capacity.services.traffic import traffic


class IpvsTally(NamedTuple):
    """What one or more Services add: virtual and real servers, bound addresses, and entries by ipset.

    The names are those of the sets, without ``KUBE-``: ``cluster_ip`` is KUBE-CLUSTER-IP. ``outside_ranges`` are
    load-balancer IPs with source ranges that leave the node out, which have a rule each.
    """

    virtual_servers: int = 0
    real_servers: int = 0
    bound_addresses: int = 0
    outside_ranges: int = 0
    cluster_ip: int = 0
    loop_back: int = 0
    external_ip: int = 0
    external_ip_local: int = 0
    load_balancer: int = 0
    load_balancer_local: int = 0
    load_balancer_fw: int = 0
    load_balancer_source_cidr: int = 0
    load_balancer_source_ip: int = 0
    node_port_tcp: int = 0
    node_port_udp: int = 0
    node_port_sctp: int = 0
    node_port_local_tcp: int = 0
    node_port_local_udp: int = 0
    node_port_local_sctp: int = 0
    health_check: int = 0

    @property
    def ipset(self) -> dict[str, int]:
        """Entries by set, without empty sets. [entries]"""
        entries = {name.upper(): getattr(self, name) for name in self._fields[4:]}
        entries["IPVS_IPS"] = self.bound_addresses
        return {name: count for name, count in entries.items() if count}

    @property
    def entries(self) -> int:
        """Entries of all sets. [entries]"""
        return sum(self.ipset.values())


class IpvsRules(NamedTuple):
    """iptables rules and chains in IPVS mode: they depend on which sets have entries, not on how many.

    ``services_chain`` and ``node_port_chain`` are the rules of KUBE-SERVICES and KUBE-NODE-PORT, in both tables.
    """

    nat: int
    filter: int
    chains: int
    services_chain: int
    node_port_chain: int


IPVS_CHAINS = 11
IPVS_SETS = 17


def ipvs_service(shape: ServiceShape, proxy: KubeProxy) -> IpvsTally:
    """What kube-proxy sets up for one Service, all its ports.

    Notes
    -----
    A port has a virtual server for its cluster IP, each external IP, each load-balancer IP, and (with a node port) each
    node address. Virtual servers remain when there is no endpoint. With ``externalTrafficPolicy: Local`` the external
    ones have the node's own endpoints, or all endpoints if the node has none.

    Source
    ------
    kubernetes/kubernetes pkg/proxy/ipvs/proxier.go, ``syncProxyRules`` and ``syncEndpoint`` (text of about 1.33).
    Conformance: tests/conformance/kube_proxy_rules.csv

    Examples
    --------
    >>> ipvs_service(ServiceShape(endpoints=3, node_port=True), KubeProxy())[:2]
    (2, 6)
    """
    if not shape.proxied:
        return IpvsTally()
    used = traffic(shape)
    node_port = shape.node_port and proxy.node_ips > 0
    outside = shape.external_ips + shape.lb_ips + (proxy.node_ips if shape.node_port else 0)
    of_cluster_ip = (shape.local or used.cluster) if shape.internal_local else used.cluster
    of_outside = (shape.local or used.cluster) if shape.external_local else used.cluster
    ranged = shape.lb_ips if shape.source_ranges else 0
    ports, local = shape.ports, shape.external_local
    entries = ports * (proxy.node_ips if shape.protocol == "SCTP" else 1) * node_port
    of_node_ports = {f"node_port_{shape.protocol.lower()}": entries}
    if local:
        of_node_ports[f"node_port_local_{shape.protocol.lower()}"] = entries
    return IpvsTally(
        virtual_servers=ports * (1 + outside),
        real_servers=ports * (of_cluster_ip + outside * of_outside),
        bound_addresses=1 + shape.external_ips + shape.lb_ips,
        outside_ranges=0 if shape.node_in_range else ports * ranged,
        cluster_ip=ports,
        loop_back=ports * shape.local,
        external_ip=0 if local else ports * shape.external_ips,
        external_ip_local=ports * shape.external_ips if local else 0,
        load_balancer=ports * shape.lb_ips,
        load_balancer_local=ports * shape.lb_ips if local else 0,
        load_balancer_fw=ports * ranged,
        load_balancer_source_cidr=ports * ranged * shape.source_ranges,
        load_balancer_source_ip=ports * ranged if shape.node_in_range else 0,
        # kube-proxy leaves a port before this step if no node address serves its node port
        health_check=int(shape.health_check and (node_port or not shape.node_port)),
        **of_node_ports,
    )


def ipvs_rules(tally: IpvsTally) -> IpvsRules:
    """The iptables rules of IPVS mode for the sets of all Services; the 9 jumps in built-in chains are not counted.

    Notes
    -----
    nat has 7 rules without any Service. A set that has entries adds: cluster IPs 2, external IPs 3, external IPs with
    policy Local 2, load-balancer IPs 2, those with policy Local 1, each set of node ports 1, local endpoints 1.
    filter has 10, and one each for the sets of source ranges.

    Source
    ------
    kubernetes/kubernetes pkg/proxy/ipvs/proxier.go, ``writeIptablesRules`` (text of about 1.33).
    Conformance: tests/conformance/kube_proxy_rules.csv

    Examples
    --------
    >>> ipvs_rules(IpvsTally()).nat, ipvs_rules(IpvsTally(cluster_ip=900)).nat
    (7, 9)
    """
    services = (
        2
        + 2 * (tally.cluster_ip > 0)
        + 3 * (tally.external_ip > 0)
        + 2 * (tally.external_ip_local > 0)
        + 2 * (tally.load_balancer > 0)
    )
    ports = sum(
        count > 0
        for count in (
            tally.node_port_tcp,
            tally.node_port_udp,
            tally.node_port_sctp,
            tally.node_port_local_tcp,
            tally.node_port_local_udp,
            tally.node_port_local_sctp,
        )
    )
    others = 5 + (tally.load_balancer_local > 0) + (tally.loop_back > 0)
    ranges = (tally.load_balancer_fw > 0) + (tally.load_balancer_source_cidr > 0) + (tally.load_balancer_source_ip > 0)
    return IpvsRules(
        nat=services + ports + others,
        filter=10 + ranges + tally.outside_ranges,
        chains=IPVS_CHAINS,
        services_chain=services,
        node_port_chain=ports + 1,
    )
