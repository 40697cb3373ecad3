"""`capacity services`: what Services cost on each node and in the cluster."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.options import Color, OutFile, Output, Plan, Quiet, Wide, one_of, packed, sink, whole, words
from capacity.errors import SpecError
from capacity.plan.service import (
    AFFINITIES,
    PROTOCOLS,
    PROXY_MODES,
    SERVICE_FAMILIES,
    SERVICE_TYPES,
    TRAFFIC_POLICIES,
)

if TYPE_CHECKING:
    from capacity.pages.answer import Answer
    from capacity.plan.service import Service
    from capacity.services.mode_overview import ServiceQuestion

MODES = (*PROXY_MODES, "all")
MOST_SERVICES, MOST_EACH = 10_000_000, 100_000


def register(app: typer.Typer) -> None:
    app.command("services")(services)


def _number(option: str, what: str) -> typer.models.OptionInfo:
    return typer.Option(option, help=what, metavar="N", show_default=False)  # type: ignore[no-any-return]


def _word(option: str, what: str, allowed: tuple[str, ...]) -> typer.models.OptionInfo:
    told = f"{what}: {', '.join(allowed)}."
    return typer.Option(option, help=told, metavar="WORD", autocompletion=words(*allowed), show_default=False)  # type: ignore[no-any-return]


def services(
    plan: Plan = None,
    number: Annotated[int | None, _number("--services", "Number of identical Services, instead of a plan.")] = None,
    endpoints: Annotated[int | None, _number("--endpoints", "Ready endpoints per Service. Default: 1.")] = None,
    local: Annotated[int | None, _number("--local", "Endpoints per Service on the node. Default: 0.")] = None,
    ports: Annotated[int | None, _number("--ports", "Ports per Service. Default: 1.")] = None,
    kind: Annotated[str | None, _word("--type", "Type", SERVICE_TYPES)] = None,
    protocol: Annotated[str | None, _word("--protocol", "Protocol", PROTOCOLS)] = None,
    affinity: Annotated[str | None, _word("--affinity", "Session affinity", AFFINITIES)] = None,
    external_policy: Annotated[
        str | None, _word("--external-policy", "externalTrafficPolicy", TRAFFIC_POLICIES)
    ] = None,
    internal_policy: Annotated[
        str | None, _word("--internal-policy", "internalTrafficPolicy", TRAFFIC_POLICIES)
    ] = None,
    external_ips: Annotated[int | None, _number("--external-ips", "External IPs per Service. Default: 0.")] = None,
    lb_ips: Annotated[
        int | None, _number("--lb-ips", "Load-balancer IPs per Service. Default: 0 (an ALB or NLB has a hostname).")
    ] = None,
    source_ranges: Annotated[int | None, _number("--source-ranges", "Source ranges per Service. Default: 0.")] = None,
    no_node_ports: Annotated[
        bool, typer.Option("--no-node-ports", help="Load balancers without node ports (allocateLoadBalancerNodePorts).")
    ] = False,
    no_base: Annotated[
        bool, typer.Option("--no-base", help="Count only what the Services add, without kube-proxy's own rules.")
    ] = False,
    namespaces: Annotated[int, _number("--namespaces", "Namespaces that share the Services equally. Default: 1.")] = 1,
    peak: Annotated[bool, typer.Option("--peak", help="Count the endpoints of a plan at maximum replicas.")] = False,
    mode: Annotated[str, _word("--mode", "Modes to show; a single mode is also the mode in use", MODES)] = "all",
    ip_family: Annotated[str | None, _word("--ip-family", "IP family", SERVICE_FAMILIES)] = None,
    service_cidr: Annotated[
        str | None, typer.Option("--service-cidr", help="Service CIDR, such as 172.20.0.0/16.", metavar="CIDR")
    ] = None,
    kubernetes: Annotated[
        str | None, typer.Option("--kubernetes", help="Kubernetes version, such as 1.34.", metavar="VERSION")
    ] = None,
    cni_version: Annotated[
        str | None, typer.Option("--cni-version", help="VPC CNI version, such as 1.23.0.", metavar="VERSION")
    ] = None,
    zones: Annotated[
        int | None, _number("--zones", "Zones of a load balancer. Default: those of the plan, or 2.")
    ] = None,
    region: Annotated[
        str | None, typer.Option("--region", help="AWS Region of the prices. Default: the plan's.", metavar="REGION")
    ] = None,
    vcpus: Annotated[int | None, _number("--vcpus", "vCPUs of a node, for its connection limit.")] = None,
    connections: Annotated[
        int | None, _number("--connections", "New connections per second of a node (with --vcpus).")
    ] = None,
    lifetime: Annotated[
        int, _number("--lifetime", "Seconds that a connection stays in conntrack. Default: 120 (TIME_WAIT).")
    ] = 120,
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Show what Services cost: kube-proxy rules in each mode, update time, addresses and ports.

    The Services come from the plan or from the options. Times are published figures with
    their sources; the growth is measured.

    Examples: capacity services --services 5000 --endpoints 2 ·
    capacity services --services 300 --type LoadBalancer --endpoints 12 --kubernetes 1.34 --cni-version 1.23.0 ·
    capacity services examples/services.yaml --peak ·
    capacity services --services 40 --vcpus 8 --connections 3000
    """
    given = packed(ServicesOptions, locals())
    to = sink(output, out_file, color, quiet=quiet, wide=wide)
    from capacity.cli.output import emit

    emit(_answered(given), to)


@dataclass(frozen=True)
class ServicesOptions:
    """The options of `capacity services` as given, named as its parameters are."""

    plan: Path | None
    number: int | None
    endpoints: int | None
    local: int | None
    ports: int | None
    kind: str | None
    protocol: str | None
    affinity: str | None
    external_policy: str | None
    internal_policy: str | None
    external_ips: int | None
    lb_ips: int | None
    source_ranges: int | None
    no_node_ports: bool
    no_base: bool
    namespaces: int
    peak: bool
    mode: str
    ip_family: str | None
    service_cidr: str | None
    kubernetes: str | None
    cni_version: str | None
    zones: int | None
    region: str | None
    vcpus: int | None
    connections: int | None
    lifetime: int


OF_SERVICE = (
    "endpoints", "local", "ports", "protocol", "affinity", "external_policy", "internal_policy", "external_ips",
    "lb_ips", "source_ranges",
)  # fmt: skip


def _answered(given: ServicesOptions) -> Answer:
    """The Services for the given options."""
    one_of("--mode", given.mode, MODES)
    question, notes, plan = _question(given)
    from capacity.pages.services_page import answer
    from capacity.services.mode_overview import service_overview

    inputs: dict[str, object] = {
        "plan": plan,
        "services": [_told(service) for service in question.services],
        "mode": given.mode,
        "ip_family": question.family,
        "service_cidr": str(question.cidr) if question.cidr else None,
        "kubernetes": question.cluster.kubernetes,
        "cni_version": question.cluster.cni_version,
        "namespaces": question.namespaces,
        "zones": question.zones,
        "region": question.region,
        "peak": given.peak,
        "base": question.base,
    }
    modes = PROXY_MODES if given.mode == "all" else (given.mode,)
    return answer(service_overview(question), inputs, modes, notes)


def _question(given: ServicesOptions) -> tuple[ServiceQuestion, list[str], str | None]:
    """The Services and their cluster, notes, and the plan's file."""
    from capacity.services.mode_overview import ServiceQuestion, question_of_plan

    notes: list[str] = []
    file = None
    if given.number is not None:
        if given.plan is not None:
            raise SpecError("PLAN and --services cannot be combined")
        if given.peak:
            raise SpecError("--peak needs a plan")
        question = ServiceQuestion([_service(given)])
    else:
        _refuse_without_number(given)
        from capacity.plan.parse import find_plan, read_plan

        plan = read_plan(given.plan or find_plan())
        if not plan.services:
            raise SpecError(
                f"{plan.file}: the plan has no 'services' (capacity import kubectl reads them from a cluster; or use "
                "--services N)"
            )
        question, file, notes = question_of_plan(plan, peak=given.peak), plan.file, list(plan.notes)
    return _with_cluster(question, given), notes, file


def _refuse_without_number(given: ServicesOptions) -> None:
    for name in (*OF_SERVICE, "kind"):
        if getattr(given, name) is not None:
            option = "--type" if name == "kind" else f"--{name.replace('_', '-')}"
            raise SpecError(f"{option} needs --services")
    if given.no_node_ports:
        raise SpecError("--no-node-ports needs --services")


def _service(given: ServicesOptions) -> Service:
    """The Services of the options, read as a plan's entry is."""
    from capacity.plan.service import Service, ServiceShape

    number = whole("--services", given.number)
    if number is None or number > MOST_SERVICES:
        raise SpecError(f"--services: {number:,} is out of range (expected at most {MOST_SERVICES:,})")
    kind = _chosen("--type", given.kind, SERVICE_TYPES)
    counts = {name: _each(name, getattr(given, name)) for name in ("endpoints", "local", "ports", "external_ips")}
    counts |= {name: _each(name, getattr(given, name)) for name in ("lb_ips", "source_ranges")}
    endpoints = 1 if counts["endpoints"] is None else counts["endpoints"]
    local = counts["local"] or 0
    if local > endpoints:
        raise SpecError(f"--local: {local:,} is more than the {endpoints:,} endpoints of a Service (--endpoints)")
    if counts["ports"] == 0:
        raise SpecError("--ports: 0 is out of range (expected 1 or more)")
    if (counts["lb_ips"] or counts["source_ranges"]) and kind != "LoadBalancer":
        name = "--lb-ips" if counts["lb_ips"] else "--source-ranges"
        raise SpecError(f"{name} does not apply to a Service of type {kind} (only to LoadBalancer)")
    local_only = _chosen("--external-policy", given.external_policy, TRAFFIC_POLICIES) == "Local"
    shape = ServiceShape(
        ports=counts["ports"] or 1,
        endpoints=endpoints,
        local=local,
        external_ips=counts["external_ips"] or 0,
        lb_ips=counts["lb_ips"] or 0,
        node_port=kind in ("NodePort", "LoadBalancer") and not given.no_node_ports,
        source_ranges=counts["source_ranges"] or 0,
        external_local=local_only,
        internal_local=_chosen("--internal-policy", given.internal_policy, TRAFFIC_POLICIES) == "Local",
        affinity=_chosen("--affinity", given.affinity, AFFINITIES) == "ClientIP",
        health_check=kind == "LoadBalancer" and local_only,
        protocol=_chosen("--protocol", given.protocol, PROTOCOLS),
        proxied=kind != "ExternalName",
    )
    return Service("services", shape, type=kind, count=number)


def _chosen(option: str, value: str | None, allowed: tuple[str, ...]) -> str:
    """The given word, by default the first one."""
    return allowed[0] if value is None else one_of(option, value, allowed)


def _each(name: str, value: int | None) -> int | None:
    option = f"--{name.replace('_', '-')}"
    number = whole(option, value)
    if number is not None and number > MOST_EACH:
        raise SpecError(f"{option}: {number:,} is out of range (expected at most {MOST_EACH:,})")
    return number


def _with_cluster(question: ServiceQuestion, given: ServicesOptions) -> ServiceQuestion:
    """The question with what the options say of the cluster."""
    from capacity.catalog.prices import check_region
    from capacity.services.cluster_figures import conntrack

    if given.connections is not None and given.vcpus is None:
        raise SpecError("--connections needs --vcpus")
    whole("--connections", given.connections)
    if given.region is not None:
        check_region("--region", given.region)
    whole("--lifetime", given.lifetime, 1)
    vcpus = whole("--vcpus", given.vcpus, 1)
    cluster = question.cluster._replace(
        kubernetes=_version("--kubernetes", given.kubernetes, "Kubernetes") or question.cluster.kubernetes,
        cni_version=_version("--cni-version", given.cni_version, "CNI") or question.cluster.cni_version,
        mode=given.mode if given.mode != "all" else question.cluster.mode,
    )
    return replace(
        question,
        cluster=cluster,
        family=question.family if given.ip_family is None else one_of("--ip-family", given.ip_family, SERVICE_FAMILIES),
        cidr=question.cidr if given.service_cidr is None else _cidr(given.service_cidr),
        namespaces=whole("--namespaces", given.namespaces, 1) or 1,
        zones=whole("--zones", given.zones, 1) or question.zones,
        region=given.region or question.region,
        base=not given.no_base,
        conntrack=None if vcpus is None else conntrack(vcpus, given.connections, given.lifetime),
    )


def _version(option: str, text: str | None, of: str) -> str | None:
    from capacity.plan.fields import Field

    return None if text is None else Field(text, "", None, None, option).version(of, "1.34")


def _cidr(text: str) -> IPv4Network:
    from capacity.plan.fields import RFC_1918, Field

    return Field(text, "", None, None, "--service-cidr").cidr(12, 24, RFC_1918)


def _told(service: Service) -> dict[str, object]:
    """A Service in the inputs of JSON."""
    head = {"name": service.name, "namespace": service.namespace, "type": service.type, "count": service.count}
    return head | service.shape._asdict()
