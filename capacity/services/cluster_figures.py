"""Figures of all Services together: their addresses, node ports, namespaces, endpoint slices, and conntrack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import NamedTuple

from capacity.plan.service import Service
from capacity.units import ceil_div
from capacity.vpc.quotas import load_quotas, service_addresses

ENDPOINTS_PER_SLICE = 100  # kube-controller-manager --max-endpoints-per-slice; kubernetes.io, EndpointSlices
ADVISED_PER_NAMESPACE = 500  # Services; aws/aws-eks-best-practices@dc0243a scalability/workloads.adoc L19-23
ADVISED_PER_CLUSTER = 1_000  # Services in iptables mode; the same guide, reliability/controlplane.adoc L360-366
BASE_VARIABLES, PORT_VARIABLES = 3, 4  # of a Service; kubernetes/kubernetes pkg/kubelet/envvars/envvars.go
CONNTRACK_MIN, CONNTRACK_PER_CORE = 131_072, 32_768  # kube-proxy's defaults conntrack.min and maxPerCore
CONNTRACK_MOST = 1_048_576  # kubernetes/kubernetes pkg/proxy/conntrack/sysctls.go


class LimitUse(NamedTuple):
    """Use of a limit; ``limit`` and ``free`` are None if the limit is unknown."""

    used: int
    limit: int | None

    @property
    def free(self) -> int | None:
        """Negative if there is not enough."""
        return None if self.limit is None else self.limit - self.used


@dataclass(frozen=True, slots=True)
class ServiceFigures:
    """Services counted over the cluster.

    Attributes
    ----------
    services, addressed, service_ports, endpoints : int
        All Services; those with a cluster IP; their ports; endpoints of proxied Services, by Service.
    service_cidr, node_ports : LimitUse
    namespace : tuple of (str, int)
        The namespace with the most Services, and how many.
    variables : int
        Environment variables that Services add to a container of that namespace. [variables]
    most_endpoints : int
        Endpoints of the largest Service.
    slices : int
        EndpointSlices at least. [slices]
    """

    services: int
    addressed: int
    service_ports: int
    endpoints: int
    service_cidr: LimitUse
    node_ports: LimitUse
    namespace: tuple[str, int]
    variables: int
    most_endpoints: int
    slices: int


def service_figures(services: Iterable[Service], cidr: IPv4Network | None, namespaces: int = 1) -> ServiceFigures:
    """Count the Services of a cluster.

    Parameters
    ----------
    services : iterable of Service
    cidr : IPv4Network or None
        The Service CIDR; None if unknown.
    namespaces : int
        Namespaces over which equal Services without a stated namespace are spread evenly. [namespaces]

    Notes
    -----
    A NodePort is one of 2,768 ports (30000 to 32767) for the whole cluster. The kubelet adds 3 + 4 × ports variables
    of each Service with a cluster IP to the containers of its namespace, unless the pod sets ``enableServiceLinks:
    false``.
    """
    some = list(services)
    by_namespace: Counter[str] = Counter()
    variables: Counter[str] = Counter()
    for service in some:
        by_namespace[service.namespace] += ceil_div(service.count, namespaces)
        if service.shape.proxied:
            each = BASE_VARIABLES + PORT_VARIABLES * service.shape.ports
            variables[service.namespace] += ceil_div(service.count, namespaces) * each
    proxied = [s for s in some if s.shape.proxied]
    fullest = max(by_namespace.items(), key=lambda item: item[1], default=("default", 0))
    addressed = sum(s.count for s in proxied)
    return ServiceFigures(
        services=sum(s.count for s in some),
        addressed=addressed,
        service_ports=sum(s.count * s.shape.ports for s in proxied),
        endpoints=sum(s.count * s.shape.endpoints for s in proxied),
        service_cidr=LimitUse(addressed, None if cidr is None else service_addresses(cidr)),
        node_ports=LimitUse(
            sum(s.count * s.shape.ports for s in proxied if s.shape.node_port)
            + sum(s.count for s in proxied if s.shape.health_check),
            load_quotas()["node_ports"].default,
        ),
        namespace=fullest,
        variables=variables[fullest[0]],
        most_endpoints=max((s.shape.endpoints for s in some), default=0),
        slices=sum(s.count * ceil_div(s.shape.endpoints, ENDPOINTS_PER_SLICE) for s in some),
    )


class Conntrack(NamedTuple):
    """Connections of a node: the kernel's limit that kube-proxy sets, and the demand (None if not given).

    EC2 has a separate allowance of each instance type, which AWS does not publish.
    """

    limit: int
    connections: int | None

    @property
    def free(self) -> int | None:
        return None if self.connections is None else self.limit - self.connections


def conntrack(vcpus: int, new_per_second: float | None = None, lifetime_s: float = 120) -> Conntrack:
    """Connections that a node can track, and how many it would.

    Parameters
    ----------
    vcpus : int
        Of the node. [vCPUs]
    new_per_second : float or None
        New connections through the node. [1/s]
    lifetime_s : float
        Mean time that an entry stays, including 120 s of TIME_WAIT. [s]

    Notes
    -----
    nf_conntrack_max = max(131,072, 32,768 × vCPUs), at most 1,048,576. By Little's law a node holds new connections per
    second × lifetime.

    Source
    ------
    kubernetes/kubernetes pkg/proxy/apis/config/v1alpha1/defaults.go (conntrack.min, maxPerCore), pkg/proxy/conntrack.

    Examples
    --------
    >>> conntrack(2).limit, conntrack(8).limit, conntrack(96).limit, conntrack(8, 1000, 120).connections
    (131072, 262144, 1048576, 120000)
    """
    limit = min(CONNTRACK_MOST, max(CONNTRACK_MIN, CONNTRACK_PER_CORE * vcpus))
    return Conntrack(limit, None if new_per_second is None else round(new_per_second * lifetime_s))
