"""Reads the plan's Services and the settings of kube-proxy."""

from __future__ import annotations

from capacity.plan.fields import Field
from capacity.plan.model import Workload
from capacity.plan.reading import Names, read_keys, read_section
from capacity.plan.service import KubeProxy, Service, ServiceShape
from capacity.plan.service_keys import KUBE_PROXY, SERVICE


def read_kube_proxy(section: Field) -> tuple[str | None, KubeProxy]:
    """The mode of kube-proxy (None if not set) and its settings."""
    values = read_section(section, KUBE_PROXY)
    settings = KubeProxy(
        localhost_node_ports=values["localhostNodePorts"],
        masquerade_all=values["masqueradeAll"],
        node_port_ips=values["nodePortAddresses"],
        pod_range=values["podRange"],
        nfacct=values["countLocalhost"],
        conntrack_liberal=values["conntrackLiberal"],
        node_ips=values["nodeIPs"],
    )
    return values["mode"], settings


class ServiceReader:
    """Reads the entries of ``services``; ``workloads`` are the names that they can refer to."""

    def __init__(self, workloads: Names) -> None:
        self._workloads = workloads

    def read(self, entry: Field) -> Service:
        """One entry.

        Raises
        ------
        SpecError
            Every problem found.
        """
        values = read_keys(entry, SERVICE, {"workload": self._workload})
        with values.problems:
            _check_type(entry, values["type"], headless=values["headless"])
        with values.problems:
            workload: Workload | None = values["workload"]
            endpoints = values["endpoints"]
            if endpoints is None:
                endpoints = workload.replicas if workload else 0
            if values["localEndpoints"] > endpoints:
                entry.child("localEndpoints").fail(
                    f"{values['localEndpoints']:,} is more than the Service's {endpoints:,} endpoints"
                )
        values.problems.check()
        kind, local = values["type"], values["externalTrafficPolicy"] == "Local"
        node_ports, health = values["nodePorts"], values["healthCheckNodePort"]
        shape = ServiceShape(
            ports=values["ports"],
            endpoints=endpoints,
            local=values["localEndpoints"],
            external_ips=values["externalIPs"],
            lb_ips=values["loadBalancerIPs"],
            node_port=kind in ("NodePort", "LoadBalancer") if node_ports is None else node_ports,
            source_ranges=values["sourceRanges"],
            node_in_range=values["nodeInRange"],
            external_local=local,
            internal_local=values["internalTrafficPolicy"] == "Local",
            affinity=values["sessionAffinity"] == "ClientIP",
            health_check=(kind == "LoadBalancer" and local) if health is None else health,
            protocol=values["protocol"],
            proxied=kind != "ExternalName" and not values["headless"],
        )
        return Service(
            name=values["name"],
            shape=shape,
            namespace=values["namespace"],
            type=kind,
            count=values["count"],
            workload=workload.name if workload else None,
            scales=workload is not None and values["endpoints"] is None,
            zone_hints=values["zoneHints"],
            where=entry.where,
        )

    def _workload(self, field: Field) -> Workload:
        found: Workload = self._workloads.found[self._workloads.check(field.name(), field)]
        return found


def _check_type(entry: Field, kind: str, *, headless: bool) -> None:
    """Check keys that a type does not have, as the API server does."""
    for key, types in (
        ("nodePorts", ("NodePort", "LoadBalancer")),
        ("externalTrafficPolicy", ("NodePort", "LoadBalancer", "ClusterIP")),
        ("loadBalancerIPs", ("LoadBalancer",)),
        ("sourceRanges", ("LoadBalancer",)),
        ("healthCheckNodePort", ("LoadBalancer",)),
        ("headless", ("ClusterIP",)),
    ):
        field = entry.get(key)
        if field is not None and kind not in types and field.value not in ("false", False, "0", 0):
            field.fail(f"does not apply to a Service of type {kind} (only to {' or '.join(types)})")
    if headless and (ips := entry.get("externalIPs")):
        ips.fail("does not apply to a headless Service")
