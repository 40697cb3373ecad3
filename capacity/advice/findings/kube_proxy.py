"""Findings about Services: kube-proxy's mode, node ports, namespaces, endpoints and connections."""

from __future__ import annotations

from collections.abc import Iterator

from capacity.advice.findings.codes import Finding, finding
from capacity.plan.model import Plan
from capacity.plan.versions import version_numbers
from capacity.services.cluster_figures import ADVISED_PER_CLUSTER, ADVISED_PER_NAMESPACE
from capacity.services.mode_choice import IPVS_REMOVED, SLOW_START_ENDPOINTS, SLOW_START_SERVICES
from capacity.services.mode_choice import missing_for_nftables as missing
from capacity.services.mode_overview import ServiceOverview, question_of_plan, service_overview
from capacity.vpc.quotas import load_quotas

MODE = "kubernetes.kubeProxy.mode"


def plan_service_findings(plan: Plan) -> Iterator[Finding]:
    """Findings about the Services of a plan at peak; none if it has no ``services``.

    Without SV008: a check compares the number of Services with every quota (IP027).
    """
    if plan.services:
        overview = service_overview(question_of_plan(plan, peak=True))
        yield from (found for found in service_findings(overview) if found.code != "SV008")


def service_findings(overview: ServiceOverview) -> Iterator[Finding]:
    """All findings about the Services of a cluster."""
    yield from _mode(overview)
    yield from _ports_and_addresses(overview)
    yield from _sizes(overview)


def _mode(overview: ServiceOverview) -> Iterator[Finding]:
    figures, cluster = overview.figures, overview.question.cluster
    version = version_numbers(cluster.kubernetes)
    if cluster.mode == "ipvs":
        gone = version is not None and version >= IPVS_REMOVED
        text = f"kube-proxy runs in IPVS mode with {figures.services:,} Services"
        text += f"; Kubernetes {cluster.kubernetes} has no such mode" if gone else ""
        yield finding("SV002", MODE, text, severity="error" if gone else None)
    if cluster.mode == "nftables" and (what := missing(cluster)):
        yield finding("SV003", MODE, f"kube-proxy runs in nftables mode, which requires {what}")
    if cluster.mode in (None, "iptables") and figures.services > ADVISED_PER_CLUSTER:
        text = (
            f"{figures.services:,} Services create {overview.sets.iptables.rules:,} rules on each node in iptables mode"
        )
        yield finding("SV001", MODE, text)
    slow = figures.services > SLOW_START_SERVICES or figures.endpoints > SLOW_START_ENDPOINTS
    if slow and "nftables" in (cluster.mode, overview.choice.mode):
        text = f"{figures.services:,} Services with {figures.endpoints:,} endpoints: a new node's first sync is slow"
        yield finding("SV004", MODE, text)


def _ports_and_addresses(overview: ServiceOverview) -> Iterator[Finding]:
    ports = overview.figures.node_ports
    if ports.limit is not None and 5 * ports.used > 4 * ports.limit:
        text = f"Services use {ports.used:,} of {ports.limit:,} node ports (30000 to 32767)"
        yield finding("SV005", "services", text, severity="error" if ports.used > ports.limit else None)


def _sizes(overview: ServiceOverview) -> Iterator[Finding]:
    figures, quotas = overview.figures, load_quotas()
    name, services = figures.namespace
    if services > ADVISED_PER_NAMESPACE:
        tested = quotas["namespace_services"].default or 0
        variables = f"{figures.variables:,} environment variables"
        text = f"namespace {name} has {services:,} Services, which add {variables} to each of its containers"
        yield finding("SV006", "services", text, severity="warning" if services > tested else None)
    most = quotas["service_endpoints"].default or 0
    if figures.most_endpoints > most:
        large = [s.name for s in overview.question.services if s.shape.endpoints > most]
        text = f"{', '.join(large[:3])}: {figures.most_endpoints:,} endpoints; Kubernetes is tested with {most:,}"
        yield finding("SV007", "services", text)
    cluster = quotas["cluster_services"].default or 0
    if figures.services > cluster:
        text = f"{figures.services:,} Services; Kubernetes is tested with {cluster:,}"
        yield finding("SV008", "services", text)
    tracked = overview.question.conntrack
    if tracked is not None and tracked.free is not None and tracked.free < 0:
        text = f"a node has {tracked.connections:,} connections, but nf_conntrack_max is {tracked.limit:,}"
        yield finding("SV009", "nodes", text)
