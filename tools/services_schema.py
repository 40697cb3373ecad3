"""The schema of what `capacity services -o json` answers: `results`."""

from __future__ import annotations

from capacity.advice.findings.codes import SEVERITIES
from capacity.plan.service import PROXY_MODES
from capacity.plan.tenants import LOAD_BALANCER_KINDS
from tools.schema_parts import COUNT, INT, NUMBER, TEXT, Schema, list_of, open_object, or_null

TEXTS: Schema = list_of(TEXT)


def services_results() -> Schema:
    """Null is unknown, or not a figure of that mode."""
    return open_object(
        modes={"type": "array", "minItems": 1, "items": _mode()},
        recommendation=open_object(mode={"enum": list(PROXY_MODES)}, why=TEXT, warnings=TEXTS, sources=TEXTS),
        services=COUNT,
        service_ports=COUNT,
        endpoints=COUNT,
        service_cidr=_use(),
        node_ports=_use(),
        namespace=open_object(name=TEXT, services=COUNT, variables=COUNT),
        endpoint_slices=COUNT,
        most_endpoints=COUNT,
        conntrack=or_null(open_object(limit=COUNT, connections=or_null(COUNT), free=or_null(INT))),
        load_balancers=list_of(_balancer()),
        exposure={
            "type": "array",
            "items": open_object(
                name=TEXT, kind=TEXT, balancers=COUNT, addresses=COUNT, usd_per_month=or_null(NUMBER), limited_by=TEXT
            ),
        },
        findings=list_of(_finding()),
        history={
            "type": "array",
            "items": open_object(services=COUNT, rules=COUNT, seconds=COUNT, what=TEXT, source=TEXT),
        },
    )


def _mode() -> Schema:
    return open_object(
        mode={"enum": list(PROXY_MODES)},
        rules=open_object(total=COUNT),
        chains=open_object(total=COUNT),
        elements=or_null({"type": "object"}),
        virtual_servers=or_null(COUNT),
        real_servers=or_null(COUNT),
        partial_sync_rules=COUNT,
        partial_sync_filter_rules=or_null(COUNT),
        growth=open_object(full=or_null(NUMBER), partial=or_null(NUMBER), note=TEXT, source=TEXT),
        published={
            "type": "array",
            "items": open_object(seconds=NUMBER, seconds_low=NUMBER, what=TEXT, date=TEXT, source=TEXT),
        },
        first_packet_ms=open_object(p50=or_null(NUMBER), p99=or_null(NUMBER), source=or_null(TEXT)),
        kernel_memory_mib=or_null(open_object(lowest=NUMBER, highest=NUMBER)),
    )


def _balancer() -> Schema:
    use = open_object(name=TEXT, what=TEXT, used=COUNT, limit=or_null(COUNT), verdict=TEXT)
    return open_object(
        name=TEXT,
        kind={"enum": list(LOAD_BALANCER_KINDS)},
        zones=COUNT,
        addresses=COUNT,
        lowest=COUNT,
        target_type=TEXT,
        target_groups=COUNT,
        targets=or_null(COUNT),
        quotas=list_of(use),
    )


def _use() -> Schema:
    return open_object(usable=or_null(COUNT), used=COUNT, free=or_null(INT))


def _finding() -> Schema:
    return open_object(code=TEXT, severity={"enum": list(SEVERITIES)}, where=TEXT, message=TEXT, fix={"type": "object"})
