"""A Service as kube-proxy sees it, and the settings of kube-proxy: what the plan says about both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

SERVICE_TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
TRAFFIC_POLICIES = ("Cluster", "Local")  # of externalTrafficPolicy and internalTrafficPolicy
AFFINITIES = ("None", "ClientIP")
PROTOCOLS = ("TCP", "UDP", "SCTP")
PROXY_MODES = ("iptables", "nftables", "ipvs")
SERVICE_FAMILIES = ("ipv4", "ipv6", "dual")


class ServiceShape(NamedTuple):
    """What decides the rules of a Service on one node.

    Attributes
    ----------
    ports : int
        Service ports; kube-proxy writes the rules of each. [ports]
    endpoints : int
        Ready endpoints that this node may send to: all, unless topology hints narrow them. [endpoints]
    local : int
        Those of them on this node. [endpoints]
    external_ips, lb_ips : int
        Addresses of ``externalIPs``, and load-balancer *IPs* of ``status.loadBalancer`` with ipMode VIP. An ALB or
        NLB publishes a hostname, which is neither. [addresses]
    node_port : bool
        Whether each port has a node port.
    source_ranges : int
        Entries of ``loadBalancerSourceRanges``; ``node_in_range``: whether one contains the node's address. [ranges]
    external_local, internal_local : bool
        ``externalTrafficPolicy: Local`` and ``internalTrafficPolicy: Local``.
    affinity : bool
        ``sessionAffinity: ClientIP``.
    health_check : bool
        Whether the Service has a health check node port.
    protocol : {'TCP', 'UDP', 'SCTP'}
    proxied : bool
        False for a headless or ExternalName Service: kube-proxy ignores it.
    """

    ports: int = 1
    endpoints: int = 0
    local: int = 0
    external_ips: int = 0
    lb_ips: int = 0
    node_port: bool = False
    source_ranges: int = 0
    node_in_range: bool = False
    external_local: bool = False
    internal_local: bool = False
    affinity: bool = False
    health_check: bool = False
    protocol: str = "TCP"
    proxied: bool = True


@dataclass(frozen=True, slots=True)
class Service:
    """One or more identical Services of a plan.

    Attributes
    ----------
    count : int
        Number of identical Services. [Services]
    workload : str or None
        The workload whose pods are the endpoints.
    scales : bool
        Whether the number of endpoints follows the workload's replicas.
    zone_hints : bool
        Whether each node has rules only for the endpoints of its zone.
    """

    name: str
    shape: ServiceShape
    namespace: str = "default"
    type: str = "ClusterIP"
    count: int = 1
    workload: str | None = None
    scales: bool = False
    zone_hints: bool = False
    where: str = ""


@dataclass(frozen=True, slots=True)
class KubeProxy:
    """How kube-proxy runs on the nodes, one IP family at a time.

    Attributes
    ----------
    ipv6 : bool
        The family of this rule set.
    pod_range : bool
        Whether kube-proxy can tell pods from other sources (``clusterCIDR``, ``detectLocalMode``).
    masquerade_all : bool
        ``masqueradeAll``.
    localhost_node_ports : bool
        ``iptables.localhostNodePorts``.
    nfacct : bool
        Whether the kernel and kube-proxy count localhost NodePort packets (kube-proxy 1.33 and newer).
    conntrack_liberal : bool
        Whether the kernel setting ``nf_conntrack_tcp_be_liberal`` is 1.
    node_port_ips : int or None
        Node addresses that ``nodePortAddresses`` selects; None for kube-proxy's default. [addresses]
    closing_rule : bool
        Whether a source-range chain ends with a rule that matches nothing (absent in old kube-proxy).
    service_cidr : bool
        Whether kube-proxy knows the Service CIDR.
    node_ips : int
        IPVS: addresses of a node that serve node ports. [addresses]
    """

    ipv6: bool = False
    pod_range: bool = True
    masquerade_all: bool = False
    localhost_node_ports: bool = True
    nfacct: bool = True
    conntrack_liberal: bool = False
    node_port_ips: int | None = None
    closing_rule: bool = True
    service_cidr: bool = True
    node_ips: int = 1


DEFAULT_PROXY = KubeProxy()
