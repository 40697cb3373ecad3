"""Everything about the Services of one cluster: what `capacity services` shows and findings read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network

from capacity.cost.inputs import CostInputs
from capacity.cost.rates import PriceBook
from capacity.errors import check_kind
from capacity.plan.model import Plan
from capacity.plan.service import DEFAULT_PROXY, PROXY_MODES, KubeProxy, Service, ServiceShape
from capacity.services.cluster_figures import Conntrack, ServiceFigures, service_figures
from capacity.services.load_balancers import BalancerChoice, LoadBalancer, balancer_choices, load_balancers
from capacity.services.mode_choice import UNKNOWN, Cluster, ModeChoice, mode_choice
from capacity.services.rule_sets import RuleSets, Shapes, rule_sets, shapes_of
from capacity.services.sync import iptables_partial_sync, ipvs_calls, nftables_operations
from capacity.units import ceil_div

NO_CHANGE = ServiceShape(proxied=False)


@dataclass(frozen=True, slots=True)
class ServiceQuestion:
    """The Services of a cluster, and what else decides their cost.

    Attributes
    ----------
    family : {'ipv4', 'ipv6', 'dual'}
    cidr : IPv4Network or None
        The Service CIDR.
    namespaces : int
        Namespaces over which the Services are spread, if they don't name theirs. [namespaces]
    balancers : tuple of LoadBalancer
        Load balancers of the plan.
    zones : int
        Subnets of a load balancer, one in each zone. [zones]
    node_zones : int
        Zones of the nodes, over which the endpoints of Services with topology hints are spread. [zones]
    base : bool
        Whether kube-proxy's own rules are in the rule sets.
    """

    services: Sequence[Service]
    proxy: KubeProxy = DEFAULT_PROXY
    cluster: Cluster = UNKNOWN
    family: str = "ipv4"
    cidr: IPv4Network | None = None
    namespaces: int = 1
    conntrack: Conntrack | None = None
    balancers: tuple[LoadBalancer, ...] = ()
    zones: int = 2
    region: str | None = None
    node_zones: int = 1
    base: bool = True


@dataclass(frozen=True, slots=True)
class ServiceOverview:
    """The answer: rule sets on each node, what a change sends, cluster figures, and the recommended mode.

    Attributes
    ----------
    changed : ServiceShape
        The most common shape: the partial sync is that of one such Service that gets one more endpoint.
    partial : mapping of str to int
        By mode: nat rules sent (iptables), operations (nftables), virtual servers visited (IPVS).
    """

    question: ServiceQuestion
    sets: RuleSets
    figures: ServiceFigures
    choice: ModeChoice
    changed: ServiceShape
    partial: dict[str, int]

    @property
    def choices(self) -> tuple[BalancerChoice, ...]:
        """Ways to expose the LoadBalancer Services, with prices; none if there are none."""
        return _choices(self.question)


def service_overview(question: ServiceQuestion) -> ServiceOverview:
    """Count and judge the Services of a cluster."""
    check_kind("question", question, ServiceQuestion, "a ServiceQuestion, such as question_of_plan(plan)")
    shapes = shapes_of([_in_zone(service, question.node_zones) for service in question.services])
    figures = service_figures(question.services, question.cidr, question.namespaces)
    changed = max((s for s in shapes if s[0].proxied), key=lambda s: s[1], default=(NO_CHANGE, 0))[0]
    return ServiceOverview(
        question=question,
        sets=rule_sets(shapes, question.proxy, family=question.family, base=question.base),
        figures=figures,
        choice=mode_choice(figures, question.cluster),
        changed=changed,
        partial=dict(zip(PROXY_MODES, _partial(shapes, changed, question), strict=True)),
    )


def _choices(question: ServiceQuestion) -> tuple[BalancerChoice, ...]:
    exposed = [s for s in question.services if s.type == "LoadBalancer"]
    if not exposed:
        return ()
    book = PriceBook(question.region, CostInputs())
    pods = sum(s.count * s.shape.endpoints for s in exposed)
    return balancer_choices(sum(s.count for s in exposed), pods, question.zones, book)


def _partial(shapes: Shapes, changed: ServiceShape, question: ServiceQuestion) -> tuple[int, int, int]:
    """What one more endpoint of a Service sends, in each mode, over the families of the cluster."""
    totals = [0, 0, 0]
    for family in ("ipv4", "ipv6") if question.family == "dual" else (question.family,):
        proxy = replace(question.proxy, ipv6=family == "ipv6")
        more = changed._replace(endpoints=changed.endpoints + changed.proxied)
        after = [(shape, count - (shape == changed)) for shape, count in shapes]
        if changed.proxied:
            after.append((more, 1))
        totals[0] += iptables_partial_sync(after, [more], proxy)
        totals[1] += nftables_operations(changed, more, proxy)
        totals[2] += ipvs_calls(after, proxy)
    return totals[0], totals[1], totals[2]


def _in_zone(service: Service, zones: int) -> Service:
    """The Service as a node sees it: with topology hints the endpoints of one of ``zones``, spread evenly.

    The zone with the most is counted, and at least the node's own endpoints.

    Source
    ------
    kubernetes/kubernetes pkg/proxy/topology.go at 008b3652, ``CategorizeEndpoints``.
    """
    if not service.zone_hints:
        return service
    seen = max(service.shape.local, ceil_div(service.shape.endpoints, zones))
    return replace(service, shape=service.shape._replace(endpoints=seen))


def question_of_plan(plan: Plan, *, peak: bool = False) -> ServiceQuestion:
    """The Services of a plan; with ``peak``, workloads at their maximum replicas.

    Local endpoints stay as stated: they are those of one node.
    """
    check_kind("plan", plan, Plan, "a Plan, as returned by read_plan")
    check_kind("peak", peak, bool, "True or False")
    replicas = {w.name: w.max_replicas for w in plan.workloads} if peak else {}
    services = [
        replace(s, shape=s.shape._replace(endpoints=replicas[s.workload])) if s.scales and s.workload in replicas else s
        for s in plan.services
    ]
    return ServiceQuestion(
        services=services,
        proxy=plan.kubernetes.proxy,
        cluster=Cluster(
            plan.kubernetes.version,
            plan.cni.version,
            plan.cni.name,
            plan.kubernetes.proxy_mode,
            windows=any(g.windows for g in plan.node_groups),
        ),
        family="ipv6" if plan.kubernetes.ip_family == "ipv6" else "ipv4",
        cidr=plan.kubernetes.service_cidr,
        balancers=(balancers := load_balancers(plan)),
        zones=max((b.zones for b in balancers), default=max(2, len({s.zone for s in plan.subnets}))),
        region=plan.region,
        node_zones=len({plan.subnet(name).zone for g in plan.node_groups for name in g.subnets}) or 1,
    )
