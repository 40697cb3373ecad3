"""The schema of the answers of ``kubectl podips``."""

from __future__ import annotations

from capacity.advice.pod_room import LEVELS
from tools.schema_parts import COUNT, TEXT, VERDICT, Schema, list_of, open_object, or_null

LEVEL: Schema = {"enum": list(LEVELS)}


def podips_results() -> Schema:
    """``results`` of ``kubectl podips``."""
    zone = open_object(
        zone=TEXT,
        nodes=COUNT,
        pods=COUNT,
        max_pods=or_null(COUNT),
        vpc_pods=COUNT,
        addresses=or_null(COUNT),
        more_pods=or_null(COUNT),
    )
    subnet = open_object(
        subnet=TEXT,
        verdict=VERDICT,
        zone=TEXT,
        cidr=TEXT,
        usable=COUNT,
        free=COUNT,
        nodes=COUNT,
        vpc_pods=COUNT,
        to_fill=or_null(COUNT),
        more_nodes=or_null(COUNT),
    )
    cluster = open_object(
        context=TEXT,
        verdict=LEVEL,
        nodes=COUNT,
        pods=COUNT,
        vpc_pods=COUNT,
        more_pods=or_null(COUNT),
        first_limit=or_null(TEXT),
        nodes_by_limit={"type": "object", "additionalProperties": COUNT},
        pending_pods=COUNT,
        pods_without_address=COUNT,
        fargate_pods=COUNT,
        branch_eni_pods=COUNT,
        zones=list_of(zone),
        subnets=list_of(subnet),
        notes=list_of(TEXT),
    )
    return open_object(
        verdict=or_null(LEVEL),
        clusters=list_of(cluster),
        failed=list_of(open_object(context=TEXT, error=TEXT)),
    )
