"""The answer of `capacity services`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from capacity.advice.findings.codes import Finding
from capacity.advice.findings.kube_proxy import service_findings
from capacity.catalog.prices import DEFAULT_REGION
from capacity.cost.dollar_words import usd
from capacity.pages.answer import Answer
from capacity.pages.page import Items, Page, Table, TableColumn, Text
from capacity.plan.service import PROXY_MODES
from capacity.services.cluster_figures import ADVISED_PER_CLUSTER, ADVISED_PER_NAMESPACE, LimitUse
from capacity.services.load_balancers import LoadBalancer
from capacity.services.mode_choice import SOURCES
from capacity.services.mode_overview import ServiceOverview
from capacity.services.times import (
    FIRST_PACKET_SOURCE,
    GROWTH,
    GROWTH_NOTES,
    GROWTH_SOURCE,
    MOST_MEASURED,
    TALK,
    TALK_NOTE,
    TALK_SOURCE,
    first_packet,
    kernel_memory_mib,
    published,
    times_longer,
)
from capacity.units import counted
from capacity.vpc.quotas import load_quotas

MOST_TIMES = 3  # published durations of a mode that the page shows; JSON has all
SENT = {"iptables": "{:,} nat rules", "nftables": "{:,} operations", "ipvs": "{:,} virtual servers visited"}


def answer(
    overview: ServiceOverview, inputs: Mapping[str, Any], modes: Sequence[str] = PROXY_MODES, notes: Sequence[str] = ()
) -> Answer:
    """The Services of a cluster in every format."""
    found = tuple(service_findings(overview))
    results = {
        "modes": [_mode(overview, mode) for mode in modes],
        "recommendation": {
            "mode": overview.choice.mode,
            "why": overview.choice.why,
            "warnings": list(overview.choice.warnings),
            "sources": list(SOURCES),
        },
        **_figures(overview),
        "load_balancers": [_balancer(b) for b in overview.question.balancers],
        "exposure": [choice._asdict() for choice in overview.choices],
        "findings": [_finding(f) for f in found],
        "history": _history(),
    }
    rows = [_flat(mode) for mode in results["modes"]]
    page = Page(_blocks(overview, modes, found))
    return Answer("services", dict(inputs), results, page, rows, [*notes, *_notes(overview)], dated=False)


def _mode(overview: ServiceOverview, mode: str) -> dict[str, Any]:
    """One mode, as JSON."""
    services = overview.figures.services
    growth, packet = GROWTH[mode], first_packet(mode, services)
    memory = kernel_memory_mib(overview.sets.rules(mode)) if mode != "ipvs" else None
    return {
        "mode": mode,
        **overview.sets.figures(mode),
        "partial_sync_rules": overview.partial[mode],
        "partial_sync_filter_rules": overview.sets.iptables.filter_rules if mode == "iptables" else None,
        "growth": {**growth._asdict(), "note": GROWTH_NOTES[mode], "source": GROWTH_SOURCE},
        "published": [
            {
                "seconds": time.seconds_low if time.seconds_low == time.seconds_high else time.seconds_high,
                "seconds_low": time.seconds_low,
                "what": time.what,
                "date": time.date,
                "source": time.source,
            }
            for time in published(mode, services)
        ],
        "first_packet_ms": {**packet._asdict(), "source": FIRST_PACKET_SOURCE if packet.p50 is not None else None},
        "kernel_memory_mib": None if memory is None else {"lowest": memory[0], "highest": memory[1]},
    }


def _figures(overview: ServiceOverview) -> dict[str, Any]:
    """Figures of the cluster, as JSON."""
    figures, tracked = overview.figures, overview.question.conntrack
    return {
        "services": figures.services,
        "service_ports": figures.service_ports,
        "endpoints": figures.endpoints,
        "service_cidr": _use(figures.service_cidr),
        "node_ports": _use(figures.node_ports),
        "namespace": {"name": figures.namespace[0], "services": figures.namespace[1], "variables": figures.variables},
        "endpoint_slices": figures.slices,
        "most_endpoints": figures.most_endpoints,
        "conntrack": None
        if tracked is None
        else {"limit": tracked.limit, "connections": tracked.connections, "free": tracked.free},
    }


def _balancer(balancer: LoadBalancer) -> dict[str, Any]:
    names = ("name", "kind", "zones", "addresses", "lowest", "target_type", "target_groups", "targets")
    uses = [
        {"name": u.quota.name, "what": u.quota.what, "used": u.used, "limit": u.quota.default, "verdict": u.verdict}
        for u in balancer.uses
    ]
    return {name: getattr(balancer, name) for name in names} | {"quotas": uses}


def _use(use: LimitUse) -> dict[str, int | None]:
    return {"usable": use.limit, "used": use.used, "free": use.free}


def _finding(found: Finding) -> dict[str, Any]:
    return {
        "code": found.code,
        "severity": found.severity,
        "where": found.where,
        "message": found.message,
        "fix": dict(found.fix),
    }


def _history() -> list[dict[str, Any]]:
    """The figures of 2017."""
    return [{**time._asdict(), "what": TALK_NOTE, "source": TALK_SOURCE} for time in TALK]


def _flat(mode: Mapping[str, Any]) -> dict[str, Any]:
    """A row of CSV: totals only."""
    rules, chains, elements = mode["rules"], mode["chains"], mode["elements"] or {}
    return {
        "mode": mode["mode"],
        "rules": rules["total"],
        "chains": chains["total"],
        "elements": elements.get("named", elements.get("entries")),
        "virtual_servers": mode["virtual_servers"],
        "real_servers": mode["real_servers"],
        "partial_sync_rules": mode["partial_sync_rules"],
        "growth_full": mode["growth"]["full"],
        "growth_partial": mode["growth"]["partial"],
        "first_packet_p50_ms": mode["first_packet_ms"]["p50"],
        "first_packet_p99_ms": mode["first_packet_ms"]["p99"],
    }


def _notes(overview: ServiceOverview) -> list[str]:
    if overview.figures.services > MOST_MEASURED:
        return [f"first packet above {MOST_MEASURED:,} Services: extrapolated from upstream's chart"]
    return []


# --- the page -----------------------------------------------------------------------------------


def _blocks(overview: ServiceOverview, modes: Sequence[str], found: Sequence[Finding]) -> list[Text | Table | Items]:
    blocks = service_blocks(overview, modes)
    if found:
        blocks.append(
            Items([f"{f.code} {f.severity}: {f.message}" for f in found], "Findings (capacity explain CODE):")
        )
    blocks.append(Text(_told_history()))
    return blocks


def service_blocks(overview: ServiceOverview, modes: Sequence[str] = PROXY_MODES) -> list[Text | Table | Items]:
    """The figures of Services as blocks: without findings, and without the figures of 2017."""
    notes = [Items(overview.choice.warnings, "Notes on the modes:")] if overview.choice.warnings else []
    return [
        Text(_sentence(overview)),
        Text(f"Recommended mode: {overview.choice.mode}: {overview.choice.why}."),
        *notes,
        _mode_table(overview, modes),
        _times(overview, modes),
        _limits(overview),
        *balancer_blocks(overview),
    ]


def _sentence(overview: ServiceOverview) -> str:
    figures, sets = overview.figures, overview.sets
    family = {"ipv4": "", "ipv6": ", IPv6", "dual": ", dual stack"}[overview.question.family]
    return (
        f"{counted(figures.services, 'Service')} with {counted(figures.endpoints, 'endpoint')}{family}: on each node "
        f"{sets.iptables.rules:,} rules in iptables mode, {sets.nftables.rules:,} in nftables mode, or "
        f"{sets.ipvs.virtual_servers:,} virtual and {sets.ipvs.real_servers:,} real servers in IPVS mode."
    )


def _mode_table(overview: ServiceOverview, modes: Sequence[str]) -> Table:
    rows = [_shown(overview, _mode(overview, mode)) for mode in modes]
    columns = [
        TableColumn("mode", "mode"),
        TableColumn("rules", "rules"),
        TableColumn("chains", "chains", 1),
        TableColumn("elements", "elements", 2),
        TableColumn("servers", "virtual + real servers", 2),
        TableColumn("sent", "sent per change"),
        TableColumn("doubled", "twice the Services: full / partial sync", 1),
        TableColumn("packet", "first packet p50 / p99", 1),
        TableColumn("memory", "kernel memory", 3),
    ]
    note = (
        "Elements: of named maps and sets (nftables), of ipsets (IPVS). Sent per change: one Service gets one more "
        "endpoint; iptables mode also sends the filter table."
    )
    return Table(columns, rows, "On each node", note)


def _shown(overview: ServiceOverview, mode: Mapping[str, Any]) -> dict[str, Any]:
    flat, name = _flat(mode), mode["mode"]
    growth, packet, memory = GROWTH[name], mode["first_packet_ms"], mode["kernel_memory_mib"]
    servers = flat["virtual_servers"]
    return {
        "mode": name,
        "rules": flat["rules"],
        "chains": flat["chains"],
        "elements": "–" if flat["elements"] is None else f"{flat['elements']:,}",
        "servers": "–" if servers is None else f"{servers:,} + {flat['real_servers']:,}",
        "sent": SENT[name].format(overview.partial[name]),
        "doubled": "not measured"
        if growth.full is None or growth.partial is None
        else f"× {times_longer(growth.full):.1f} / × {times_longer(growth.partial):.1f}",
        "packet": "not published" if packet["p50"] is None else f"{packet['p50']:g} / {packet['p99']:g} ms",
        "memory": "–" if memory is None else f"{memory['lowest']:,g}–{memory['highest']:,g} MiB",
    }


def _times(overview: ServiceOverview, modes: Sequence[str]) -> Table:
    """Published durations nearest to the number of Services."""
    rows = [
        {
            "mode": mode,
            "seconds": f"{time.seconds_low:g} s"
            if time.seconds_low == time.seconds_high
            else f"{time.seconds_low:g}–{time.seconds_high:g} s",
            "what": time.what,
            "source": f"{time.source} ({time.date})",
        }
        for mode in modes
        for time in published(mode, overview.figures.services)[:MOST_TIMES]
    ]
    columns = [
        TableColumn("mode", "mode"),
        TableColumn("seconds", "published"),
        TableColumn("what", "what"),
        TableColumn("source", "source", 1),
    ]
    return Table(
        columns, rows, "Published times, the nearest number of Services first", "The times depend on the machine."
    )


def _limits(overview: ServiceOverview) -> Table:
    figures, tracked = overview.figures, overview.question.conntrack
    name, most = figures.namespace
    cidr = overview.question.cidr
    tested = load_quotas()["service_endpoints"].default
    rows = [
        _limit(f"addresses of the Service CIDR{f' {cidr}' if cidr else ''}", figures.service_cidr),
        _limit("node ports (30000 to 32767)", figures.node_ports),
        _limit(f"Services of namespace {name}, recommended", LimitUse(most, ADVISED_PER_NAMESPACE)),
        _limit("Services in iptables mode, recommended", LimitUse(figures.services, ADVISED_PER_CLUSTER)),
        _limit("environment variables that they add to a container", LimitUse(figures.variables, None)),
        _limit("endpoints of the largest Service, tested", LimitUse(figures.most_endpoints, tested)),
        _limit("EndpointSlices of 100 endpoints, at least", LimitUse(figures.slices, None)),
    ]
    if tracked is not None:
        use = LimitUse(tracked.connections or 0, tracked.limit)
        rows.append(_limit("tracked connections of a node (nf_conntrack_max)", use))
    columns = [
        TableColumn("what", "limit"),
        TableColumn("used", "used"),
        TableColumn("limit", "of"),
        TableColumn("free", "free"),
    ]
    note = "EC2 also limits the tracked connections of an instance; AWS does not publish the allowance. Watch "
    return Table(columns, rows, "In the cluster", note + "conntrack_allowance_available." if tracked else "")


def balancer_blocks(overview: ServiceOverview) -> list[Table]:
    """Load balancers of the plan, and ways to expose the Services."""
    tables = []
    if overview.question.balancers:
        rows = [
            {**_balancer(b), "fullest": _fullest(b), "targets": "no maximum" if b.targets is None else f"{b.targets:,}"}
            for b in overview.question.balancers
        ]
        columns = [
            TableColumn("name", "load balancer"),
            TableColumn("kind", "kind"),
            TableColumn("zones", "subnets", 1),
            TableColumn("lowest", "addresses ≥", 1),
            TableColumn("addresses", "counted"),
            TableColumn("targets", "targets at peak"),
            TableColumn("fullest", "closest quota", 1),
        ]
        tables.append(Table(columns, rows, "Load balancers"))
    if overview.choices:
        rows = [
            {**c._asdict(), "usd": "not known" if c.usd_per_month is None else usd(c.usd_per_month)}
            for c in overview.choices
        ]
        columns = [
            TableColumn("name", "LoadBalancer Services as"),
            TableColumn("balancers", "load balancers"),
            TableColumn("addresses", "addresses"),
            TableColumn("usd", "USD per month"),
            TableColumn("limited_by", "more than one for", 1),
        ]
        note = f"In {overview.question.zones} zones; hours only, without capacity units (LCU) and traffic."
        if any(c.usd_per_month is None for c in overview.choices):
            where = f"in {overview.question.region}" if overview.question.region else "without a region"
            note += f" The prices {where} are not known, only those in {DEFAULT_REGION}."
        tables.append(Table(columns, rows, "One load balancer for each Service, or a shared one", note))
    return tables


def _fullest(balancer: LoadBalancer) -> str:
    """The quota with the largest share in use."""
    use = max(balancer.uses, key=lambda u: u.share or 0.0)
    return f"{use.used:,} of {use.quota.default:,} ({use.quota.what.split(' of ')[0].lower()})"


def _limit(what: str, use: LimitUse) -> dict[str, Any]:
    return {"what": what, "used": use.used, "limit": use.limit, "free": use.free}


def _told_history() -> str:
    told = " and ".join(f"{t.services:,} Services = {t.rules:,} rules = {_duration(t.seconds)}" for t in TALK)
    return f"In 2017: {told} ({TALK_SOURCE}): {TALK_NOTE}."


def _duration(seconds: int) -> str:
    return f"{seconds / 3600:g} h" if seconds >= 3600 else f"{seconds / 60:g} min"
