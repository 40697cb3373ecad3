"""The schema of the answers of ``capacity fleet``."""

from __future__ import annotations

from tools.schema_parts import COUNT, INT, NUMBER, TEXT, VERDICT, Schema, open_object, or_null

LINE = or_null(COUNT)


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
        clusters=_list(user),
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
        cidrs=_list(TEXT),
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
        biggest=_list(open_object(plan=TEXT, used=COUNT)),
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
        clusters=_list(cluster),
        shared_subnets=_list(shared),
        vpcs=_list(vpc),
        quotas=_list(quota),
        findings=_list(finding),
        runs_out_first=_list(open_object(plan=TEXT, name=TEXT, verdict=VERDICT)),
    )


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}
