"""What kube-proxy sends to the kernel after one change: a partial sync."""

from __future__ import annotations

from collections.abc import Iterable

from capacity.plan.service import KubeProxy, ServiceShape
from capacity.services.iptables import iptables_base, iptables_service
from capacity.services.ipvs import ipvs_service
from capacity.services.nftables import nftables_service
from capacity.services.traffic import Traffic, external_rules, traffic

NO_SERVICE = ServiceShape(proxied=False)


def iptables_partial_sync(
    services: Iterable[tuple[ServiceShape, int]], changed: Iterable[ServiceShape], proxy: KubeProxy
) -> int:
    """nat rules that a partial sync sends: the base, what leads to each Service, and the changed Services in full.

    Parameters
    ----------
    services : iterable of (ServiceShape, int)
        All Services after the change, with how many there are of each.
    changed : iterable of ServiceShape
        The changed ones among them.

    Returns
    -------
    int
        Rules of the table nat; the table filter is always sent as a whole. [rules]

    Notes
    -----
    It still grows with the number of Services. A full sync (at the start, after a failure, when a node's labels change,
    and once an hour) sends every rule.

    Source
    ------
    kubernetes/kubernetes pkg/proxy/iptables/proxier.go, ``syncProxyRules``; KEP-3453 (MinimizeIPTablesRestore).
    Conformance: tests/conformance/kube_proxy_rules.csv

    Examples
    --------
    >>> one = ServiceShape(endpoints=1)
    >>> iptables_partial_sync([(one, 3)], [one], KubeProxy())  # 5 + 3 * 1 + (5 - 1)
    12
    """
    sent = iptables_base(proxy).nat_rules
    sent += sum(count * iptables_service(shape, proxy).dispatch for shape, count in services)
    for shape in changed:
        tally = iptables_service(shape, proxy)
        sent += tally.nat_rules - tally.dispatch
    return sent


def iptables_chains_sent(changed: Iterable[ServiceShape], proxy: KubeProxy, gone_endpoints: int = 0) -> int:
    """nat chains that a partial sync names: the base, those of the changed Services, and a gone endpoint's. [chains]

    >>> iptables_chains_sent([ServiceShape(endpoints=1)], KubeProxy())
    6
    """
    return (
        iptables_base(proxy).nat_chains + sum(iptables_service(s, proxy).nat_chains for s in changed) + gone_endpoints
    )


def nftables_operations(before: ServiceShape, after: ServiceShape, proxy: KubeProxy) -> int:
    """Operations of the transaction that changes one Service; ``NO_SERVICE`` is one that does not exist.

    Returns
    -------
    int
        Add and flush for each chain of the changed Service, its rules, its affinity sets, the map and set elements that
        come or go, and a flush for each chain that it no longer needs. [operations]

    Notes
    -----
    Independent of the other Services. Before each sync kube-proxy lists all chains and sets of the table, which does
    grow with them.

    Source
    ------
    kubernetes/kubernetes pkg/proxy/nftables/proxier.go at b0f823e6, ``syncProxyRules``.
    Conformance: tests/conformance/kube_proxy_rules.csv

    Examples
    --------
    >>> nftables_operations(NO_SERVICE, ServiceShape(endpoints=1), KubeProxy())
    10
    >>> nftables_operations(ServiceShape(endpoints=1), ServiceShape(endpoints=2), KubeProxy())
    12
    """
    if before == after:
        return 0
    new, old = nftables_service(after, proxy), nftables_service(before, proxy)
    written = 2 * new.chains + new.rules + new.affinity_sets
    gone = sum(max(0, was - now) for was, now in zip(_chains(before, proxy), _chains(after, proxy), strict=True))
    elements = sum(abs(was - now) for was, now in zip(_elements(before), _elements(after), strict=True))
    return written + gone + elements + max(0, old.affinity_sets - new.affinity_sets)


def ipvs_calls(services: Iterable[tuple[ServiceShape, int]], proxy: KubeProxy) -> int:
    """Virtual servers that each sync visits through netlink, whatever changed. [virtual servers]

    Source
    ------
    kubernetes/kubernetes pkg/proxy/ipvs/proxier.go, ``syncProxyRules`` and ``syncService``.
    """
    return sum(count * ipvs_service(shape, proxy).virtual_servers for shape, count in services)


def _chains(shape: ServiceShape, proxy: KubeProxy) -> tuple[int, ...]:
    """Chains of a Service in nftables mode by kind. [chains]"""
    if not shape.proxied:
        return (0, 0, 0, 0, 0)
    used = traffic(shape)
    kinds = (
        used.cluster > 0,
        used.local > 0,
        external_rules(shape, used, proxy) > 0,
        shape.lb_ips > 0 and shape.source_ranges > 0,
        used.reached,
    )
    return tuple(shape.ports * kind for kind in kinds)


def _elements(shape: ServiceShape) -> tuple[int, ...]:
    """Elements of a Service by map: cluster-ips, those with endpoints, those without, firewall-ips. [elements]"""
    if not shape.proxied:
        return (0, 0, 0, 0)
    used: Traffic = traffic(shape)
    addresses = shape.external_ips + shape.lb_ips + shape.node_port
    with_endpoints = used.internal + addresses * used.any_endpoints
    without = (not used.internal) + addresses * (not used.external)
    firewall = shape.lb_ips if shape.source_ranges else 0
    return (1, shape.ports * with_endpoints, shape.ports * without, shape.ports * firewall)
