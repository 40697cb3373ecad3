"""Which endpoints and chains one service port uses on a node: the same for kube-proxy's three modes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeVar, cast

from capacity.plan.service import KubeProxy, ServiceShape

T = TypeVar("T", bound=tuple[int, ...])


class Traffic(NamedTuple):
    """The endpoints that a service port uses on a node.

    Attributes
    ----------
    accessible : bool
        Whether traffic from outside the cluster can reach it: an external address or a node port.
    any_endpoints : bool
        Whether any node has a ready endpoint.
    internal, external : bool
        Whether traffic to the cluster IP, and to the external addresses, has an endpoint under its traffic policy.
    cluster, local : int
        Endpoints of the chain for policy ``Cluster``, and for policy ``Local``; 0 if the chain does not exist.
    reached : int
        Endpoints with a chain on this node. [endpoints]
    """

    accessible: bool
    any_endpoints: bool
    internal: bool
    external: bool
    cluster: int
    local: int
    reached: int


def traffic(shape: ServiceShape) -> Traffic:
    """The endpoints and chains of one port of a Service.

    Notes
    -----
    Even with ``externalTrafficPolicy: Local`` an accessible Service needs the chain of all endpoints: pods of the node
    that connect to an external address are sent to any endpoint.

    Source
    ------
    kubernetes/kubernetes pkg/proxy/topology.go at 008b3652 (``CategorizeEndpoints``), pkg/proxy/serviceport.go
    (``UsesClusterEndpoints``, ``UsesLocalEndpoints``).

    Examples
    --------
    >>> traffic(ServiceShape(endpoints=3, local=1, node_port=True, external_local=True))[4:]
    (3, 1, 3)
    """
    accessible = shape.node_port or shape.external_ips > 0 or shape.lb_ips > 0
    any_endpoints = shape.endpoints > 0
    uses_cluster = not shape.internal_local or accessible
    uses_local = shape.internal_local or (shape.external_local and accessible)
    cluster = shape.endpoints if uses_cluster else 0
    local = shape.local if uses_local else 0
    return Traffic(
        accessible=accessible,
        any_endpoints=any_endpoints,
        internal=any_endpoints and (shape.local > 0 or not shape.internal_local),
        external=any_endpoints and (shape.local > 0 or not shape.external_local),
        cluster=cluster,
        local=local,
        reached=max(cluster, local),
    )


def external_rules(shape: ServiceShape, used: Traffic, proxy: KubeProxy) -> int:
    """Rules of the chain for external traffic; 0 without one. [rules]

    Policy ``Cluster``: masquerade, and the jump to all endpoints. Policy ``Local``: traffic from pods (if kube-proxy
    knows their range) and from the node itself (masquerade and jump) goes to all endpoints, the rest to the local
    endpoints, if the node has any.

    Source
    ------
    kubernetes/kubernetes pkg/proxy/iptables/proxier.go and pkg/proxy/nftables/proxier.go at b0f823e6,
    ``syncProxyRules``.
    """
    if not (used.any_endpoints and used.accessible):
        return 0
    masquerade = (2 + proxy.pod_range) if shape.external_local else 1
    return masquerade + used.external


def masquerade_rules(used: Traffic, proxy: KubeProxy) -> int:
    """Rules that masquerade traffic to the cluster IP from outside the pods. [rules]"""
    return int(used.internal and (proxy.pod_range or proxy.masquerade_all))


def summed(parts: Iterable[tuple[T, int]], zero: T) -> T:
    """The sum of tallies of one kind, each times its count.

    >>> summed([((1, 2), 3), ((10, 0), 1)], (0, 0))
    (13, 6)
    """
    totals = list(zero)
    for tally, count in parts:
        for place, figure in enumerate(tally):
            totals[place] += figure * count
    return cast(T, getattr(type(zero), "_make", tuple)(totals))
