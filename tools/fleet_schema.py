"""The schema of the answers of ``capacity fleet``."""

from __future__ import annotations

from capacity.optimize.optimized import STATUSES
from tools.schema_parts import COUNT, INT, NUMBER, TEXT, VERDICT, Schema, list_of, open_object, or_null

LINE = or_null(COUNT)
BOOLEAN: Schema = {"type": "boolean"}
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}


def fleet_results() -> Schema:
    """``results`` of ``capacity fleet check``."""
    tightest = open_object(subnet=TEXT, scenario=TEXT, free=INT, free_pct=NUMBER)
    cluster = open_object(
        plan=TEXT,
        name=or_null(TEXT),
        verdict=or_null(VERDICT),
        tightest=or_null(tightest),
        usd_per_month=or_null(NUMBER),
        error=or_null(TEXT),
    )
    user = open_object(plan=TEXT, name=TEXT, used=INT, used_peak=INT)
    shared = open_object(
        id=or_null(TEXT),
        name=TEXT,
        cidr=TEXT,
        zone=TEXT,
        vpc=or_null(TEXT),
        clusters=list_of(user),
        usable=COUNT,
        other=INT,
        used=INT,
        used_peak=INT,
        free=INT,
        free_peak=INT,
        verdict=VERDICT,
        worst=or_null(open_object(plan=TEXT, scenario=TEXT, free=INT)),
    )
    vpc = open_object(
        id=TEXT,
        account=or_null(TEXT),
        region=or_null(TEXT),
        cidrs=list_of(TEXT),
        clusters=COUNT,
        subnets=COUNT,
        usable=COUNT,
        used=INT,
        used_peak=INT,
        free=INT,
        free_peak=INT,
        next_block=or_null(open_object(cidr=TEXT, source={"enum": ["free", "new"]})),
    )
    quota = open_object(
        account=or_null(TEXT),
        account_name=or_null(TEXT),
        region=or_null(TEXT),
        vpc=or_null(TEXT),
        name=TEXT,
        what=TEXT,
        unit=TEXT,
        used=COUNT,
        limit=or_null(COUNT),
        limit_source=or_null({"enum": ["default", "fleet"]}),
        verdict={"enum": ["ok", "raise", "over", "unknown"]},
        where=TEXT,
        clusters=COUNT,
        biggest=list_of(open_object(plan=TEXT, used=COUNT)),
    )
    finding = open_object(
        code=TEXT,
        severity={"enum": ["error", "warning", "info"]},
        where=TEXT,
        message=TEXT,
        plan=or_null(TEXT),
        line=LINE,
    )
    return open_object(
        verdict=or_null(VERDICT),
        clusters=list_of(cluster),
        shared_subnets=list_of(shared),
        vpcs=list_of(vpc),
        quotas=list_of(quota),
        findings=list_of(finding),
        runs_out_first=list_of(open_object(plan=TEXT, name=TEXT, verdict=VERDICT)),
    )


def fleet_forecast_results() -> Schema:
    """``results`` of ``capacity fleet forecast``."""
    first: dict[str, Schema] = {
        "subnet": TEXT,
        "date_p10": or_null(TEXT),
        "date_p50": or_null(TEXT),
        "date_p90": or_null(TEXT),
        "probability_within_horizon": or_null(SHARE),
    }
    subnet = open_object(
        name=TEXT,
        date_p10=or_null(TEXT),
        date_p50=or_null(TEXT),
        date_p90=or_null(TEXT),
        probability_within_horizon=or_null(SHARE),
    )
    return open_object(
        clusters=_clusters(
            vpc=or_null(TEXT), grows=BOOLEAN, first=or_null(open_object(**first)), subnets=list_of(subnet)
        ),
        runs_out_first=list_of(open_object(**_named(), **first)),
    )


def fleet_simulate_results() -> Schema:
    """``results`` of ``capacity fleet simulate``; figures are null where the plan is not simulated."""
    first: dict[str, Schema] = {"subnet": TEXT, "exhausted_at": NUMBER, "exhausted_share": SHARE}
    figures = ("pods_started", "pods_waited", "pods_never_started", "pods_unschedulable", "delay_p99_s", "ec2_calls")
    return open_object(
        clusters=_clusters(
            vpc=or_null(TEXT),
            not_simulated=or_null(TEXT),
            first=or_null(open_object(**first)),
            summary=or_null({"type": "object"}),
            **dict.fromkeys(figures, or_null(NUMBER)),
        ),
        runs_out_first=list_of(open_object(**_named(), **first)),
    )


def fleet_optimize_results() -> Schema:
    """``results`` of ``capacity fleet optimize``; dollars are null where nothing can be bought or has no price."""
    return open_object(
        clusters=_clusters(
            status={"enum": list(STATUSES)},
            usd_per_month=or_null(NUMBER),
            usd_per_month_current=or_null(NUMBER),
            current=or_null(TEXT),
            saves_usd_per_month=or_null(NUMBER),
            node_groups=list_of({"type": "object"}),
            infeasible=or_null({"type": "object"}),
        ),
        usd_per_month=NUMBER,
        saves_usd_per_month=NUMBER,
    )


def _named() -> dict[str, Schema]:
    return {"plan": TEXT, "name": TEXT, "account": or_null(TEXT), "region": or_null(TEXT)}


def _clusters(**answer: Schema) -> Schema:
    """One entry per plan: its answer, or the error of a plan that could not be answered."""
    answered = open_object(**_named(), **answer, shares_with=list_of(TEXT), error={"type": "null"})
    return list_of({"anyOf": [answered, open_object(plan=TEXT, name={"type": "null"}, error=TEXT)]})
