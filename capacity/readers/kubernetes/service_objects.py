"""Read Services, their endpoints, and load balancers of Services and Ingresses from Kubernetes objects.

Annotations: guide of the AWS Load Balancer Controller, pages on the annotations of Services and Ingresses (read
2026-11-30).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from capacity.plan.service import PROTOCOLS, SERVICE_TYPES
from capacity.readers.draft import ServiceDraft, SourceNotes, TenantDraft
from capacity.readers.kubernetes.pod_owners import Key
from capacity.readers.values import items, mapping, path_of, text_of
from capacity.units import some_of

OF_SERVICE = "service.beta.kubernetes.io/aws-load-balancer-"
OF_INGRESS = "alb.ingress.kubernetes.io/"
OF_SLICE = "kubernetes.io/service-name"
SAME_ZONE = ("PreferClose", "PreferSameZone")  # of trafficDistribution
NLB_TYPES = ("nlb", "nlb-ip", "external")
NLB_CLASSES = ("service.k8s.aws/nlb", "eks.amazonaws.com/nlb")
_HOST = re.compile(r"^(?:internal-)?(.+?)-[0-9a-z]+\.")  # NAME-HASH.REGION.elb.amazonaws.com, or NAME-HASH.elb.REGION…


@dataclass
class Balancer:
    """A load balancer of a Service, an Ingress or a group of Ingresses."""

    kind: str
    place: str
    name: str
    subnets: tuple[str, ...] = ()
    objects: int = 1


@dataclass
class SeenServices:
    """Services, labels of pods, endpoints and load balancers seen."""

    services: dict[Key, Mapping[str, Any]] = field(default_factory=dict)
    endpoints: dict[tuple[str, str], int] = field(default_factory=dict)
    labels: dict[Key, Mapping[str, Any]] = field(default_factory=dict)
    balancers: dict[str, Balancer] = field(default_factory=dict)

    def take_service(self, namespace: str, name: str, value: Mapping[str, Any]) -> None:
        """Keep a Service, and its load balancer."""
        spec = mapping(value.get("spec"))
        self.services[("Service", namespace, name)] = spec
        if spec.get("type") == "LoadBalancer":
            notes = _annotations(value, OF_SERVICE)
            kind = "nlb" if notes.get("type") in NLB_TYPES or spec.get("loadBalancerClass") in NLB_CLASSES else "clb"
            self._balancer(kind, f"Service {namespace}/{name}", _host_name(value) or f"{namespace}/{name}", notes)

    def take_ingress(self, namespace: str, name: str, value: Mapping[str, Any]) -> bool:
        """Keep the load balancer of an Ingress; False if it belongs to another controller than AWS's."""
        notes = _annotations(value, OF_INGRESS)
        old = _all_annotations(value).get("kubernetes.io/ingress.class")
        classes = (path_of(value, "spec", "ingressClassName"), old)
        if not notes and not any("alb" in str(c) for c in classes if c):
            return False
        group = text_of(notes.get("group.name"))
        place = f"Ingress group {group}" if group else f"Ingress {namespace}/{name}"
        self._balancer("alb", place, _host_name(value) or group or f"{namespace}/{name}", notes)
        return True

    def take_slice(self, value: Mapping[str, Any]) -> None:
        """Count the ready endpoints of an EndpointSlice; a dual-stack Service has slices of both families."""
        metadata = mapping(value.get("metadata"))
        service = text_of(mapping(metadata.get("labels")).get(OF_SLICE))
        if service is None or value.get("addressType") == "FQDN":
            return
        unready = (False, "false")  # an absent condition counts as ready
        ready = sum(path_of(mapping(e), "conditions", "ready") not in unready for e in items(value.get("endpoints")))
        family = str(value.get("addressType") or "IPv4")
        key = (f"{metadata.get('namespace') or 'default'}/{service}", family)
        self.endpoints[key] = self.endpoints.get(key, 0) + ready

    def take_endpoints(self, namespace: str, name: str, value: Mapping[str, Any]) -> None:
        """Count the addresses of an Endpoints object; slices take precedence."""
        ready = sum(len(items(mapping(s).get("addresses"))) for s in items(value.get("subsets")))
        self.endpoints[(f"{namespace}/{name}", "")] = ready

    def _balancer(self, kind: str, place: str, name: str, notes: Mapping[str, Any]) -> None:
        subnets = tuple(part.strip() for part in str(notes.get("subnets") or "").split(",") if part.strip())
        known = self.balancers.get(place)
        if known is None:
            self.balancers[place] = Balancer(kind, place, name, subnets)
        else:
            known.objects += 1
            known.subnets = known.subnets or subnets


def _all_annotations(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(path_of(value, "metadata", "annotations"))


def _annotations(value: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Annotations of a controller, without their prefix."""
    return {k.removeprefix(prefix): v for k, v in _all_annotations(value).items() if str(k).startswith(prefix)}


def _host_name(value: Mapping[str, Any]) -> str | None:
    """The load balancer's name in AWS, from the hostname in the status."""
    for entry in items(path_of(value, "status", "loadBalancer", "ingress")):
        found = _HOST.match(str(mapping(entry).get("hostname") or ""))
        if found:
            return found[1]
    return None


# --- to a draft ---------------------------------------------------------------------------------


def services_of(seen: SeenServices, workloads: Mapping[str, Key]) -> tuple[ServiceDraft, ...]:
    """The Services as drafts, sorted by name.

    ``workloads``: names of the plan's workloads with their keys. The endpoints are those of the
    EndpointSlices, otherwise the workload whose pods the selector selects.
    """
    by_namespace: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for name, key in workloads.items():
        if key in seen.labels:
            by_namespace.setdefault(key[1], []).append((name, seen.labels[key]))
    return tuple(
        _service(seen, namespace, name, spec, by_namespace.get(namespace, []))
        for (_, namespace, name), spec in sorted(seen.services.items())
    )


def _service(
    seen: SeenServices,
    namespace: str,
    name: str,
    spec: Mapping[str, Any],
    workloads: list[tuple[str, Mapping[str, Any]]],
) -> ServiceDraft:
    kind = str(spec.get("type") or "ClusterIP")
    kind = kind if kind in SERVICE_TYPES else "ClusterIP"
    ports = [mapping(p) for p in items(spec.get("ports"))]
    protocols = {str(p.get("protocol") or "TCP") for p in ports} & set(PROTOCOLS)
    selected = _selected(mapping(spec.get("selector")), workloads)
    headless = spec.get("clusterIP") == "None" and kind == "ClusterIP"
    counted = _counted(seen, f"{namespace}/{name}")
    balanced = kind == "LoadBalancer"
    return ServiceDraft(
        name=f"{namespace}/{name}",
        namespace=namespace,
        type=None if kind == "ClusterIP" else kind,
        headless=headless or None,
        ports=len(ports) if len(ports) > 1 else None,
        protocol=protocols.pop() if len(protocols) == 1 and "TCP" not in protocols else None,
        workload=selected,
        endpoints=None if selected is not None else counted,
        zone_hints=spec.get("trafficDistribution") in SAME_ZONE or None,
        node_ports=False if balanced and spec.get("allocateLoadBalancerNodePorts") in (False, "false") else None,
        external_ips=None if headless else len(items(spec.get("externalIPs"))) or None,
        source_ranges=(len(items(spec.get("loadBalancerSourceRanges"))) or None) if balanced else None,
        external_traffic_policy=_policy(spec.get("externalTrafficPolicy")) if kind != "ExternalName" else None,
        internal_traffic_policy=_policy(spec.get("internalTrafficPolicy")),
        session_affinity="ClientIP" if spec.get("sessionAffinity") == "ClientIP" else None,
    )


def _policy(value: object) -> str | None:
    return "Local" if value == "Local" else None


def _counted(seen: SeenServices, name: str) -> int | None:
    """Ready endpoints of one IP family: those of slices, otherwise of the Endpoints object."""
    slices = [count for (of, family), count in seen.endpoints.items() if of == name and family]
    return max(slices) if slices else seen.endpoints.get((name, ""))


def _selected(selector: Mapping[str, Any], workloads: list[tuple[str, Mapping[str, Any]]]) -> str | None:
    """The only workload of the namespace whose pods the selector selects."""
    if not selector:
        return None
    wanted = selector.items()
    found = [name for name, labels in workloads if wanted <= labels.items()]
    return found[0] if len(found) == 1 else None


def balancers_of(seen: SeenServices, said: SourceNotes) -> Iterator[TenantDraft]:
    """Load balancers as tenants: those whose subnets an annotation names, and a note on the others."""
    unplaced = []
    for balancer in sorted(seen.balancers.values(), key=lambda b: b.place):
        if balancer.subnets:
            yield TenantDraft(balancer.name, balancer.kind, balancer.subnets)
        else:
            unplaced.append(f"{balancer.place} ({balancer.kind.upper()})")
    if unplaced:
        said.leave_out(
            "",
            f"load balancers whose subnets are not in this file: {some_of(unplaced, 3)}: the controller "
            "chooses subnets by tag; capacity import aws counts them, or add them as tenants",
            "tenants",
            elsewhere="aws",
        )
