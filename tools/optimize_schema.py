"""The schema of what `capacity optimize -o json` answers: `results`."""

from __future__ import annotations

from capacity.optimize.choices import TO_MINIMIZE
from capacity.optimize.market import RESOURCES
from capacity.optimize.optimized import STATUSES
from capacity.plan.constants import GROUP_FORMS
from tools.schema_parts import COUNT, INT, NUMBER, TEXT, VERDICT, Schema, list_of, open_object, or_null

DOLLARS: Schema = {"type": "number", "minimum": 0}
PERCENT: Schema = {"type": "number", "minimum": 0, "maximum": 100}
COUNTS: Schema = {"type": "object", "additionalProperties": COUNT}


def optimize_results() -> Schema:
    """Null dollars and an empty list of node groups mean that nothing can be bought; `infeasible` says why."""
    infeasible = open_object(conflict=TEXT, relaxation=TEXT)
    results = open_object(
        status={"enum": list(STATUSES)},
        usd_per_hour=or_null(DOLLARS),
        usd_per_month=or_null(DOLLARS),
        usd_per_month_steady=or_null(DOLLARS),
        usd_per_month_peak=or_null(DOLLARS),
        verdict=or_null(VERDICT),
        node_groups=list_of(_group()),
        ips_by_subnet={"type": "object", "additionalProperties": _subnet()},
        packing=or_null(_packing()),
        over_packing_pct=or_null(NUMBER),
        alternatives=list_of(_alternative()),
        frontier=list_of(_point()),
        infeasible=or_null(infeasible),
    )
    results["properties"]["written"] = open_object(form={"enum": list(GROUP_FORMS)}, text=TEXT)
    return results


def _group() -> Schema:
    """A node group to create: nodes at steady state, at the peak and at most; what a node holds at the peak."""
    return open_object(
        name=TEXT,
        instance_types={"type": "array", "items": TEXT, "minItems": 1},
        nodes=COUNT,
        nodes_by_zone=COUNTS,
        nodes_peak=COUNT,
        nodes_max=or_null(COUNT),
        workloads=list_of(TEXT),
        pods_per_node=COUNTS,
        max_pods=COUNT,
        binding=or_null({"enum": ["ips", "nodes", "enis", *RESOURCES]}),
        usd_per_hour=DOLLARS,
        usd_per_node_hour=DOLLARS,
        stranded_cpu_pct=or_null(PERCENT),
        stranded_memory_pct=or_null(PERCENT),
        stranded_addresses=COUNT,
        subnet_addresses=COUNT,
    )


def _subnet() -> Schema:
    return open_object(
        zone=TEXT, cidr=TEXT, usable=COUNT, used_steady=COUNT, used_peak=COUNT, least_free=INT, least_free_in=TEXT
    )


def _packing() -> Schema:
    """The perfect placement; its nodes only with `--nodes`, those at the peak only where replicas change."""
    packing = open_object(usd_per_hour=DOLLARS, lower_bound_usd_per_hour=DOLLARS, gap_pct=PERCENT)
    node = open_object(type=TEXT, zone=TEXT, count={"type": "integer", "minimum": 1}, pods=COUNTS)
    packing["properties"] |= {"nodes": list_of(node), "nodes_peak": list_of(node)}
    return packing


def _alternative() -> Schema:
    """Another choice and its cost against the answer; null dollars where it is not possible, and `note` says why."""
    return open_object(
        name=TEXT,
        usd_per_month=or_null(DOLLARS),
        extra_pct=or_null(NUMBER),
        nodes=or_null(COUNT),
        subnet_addresses=or_null(COUNT),
        note=TEXT,
    )


def _point() -> Schema:
    """A purchase that no other beats in dollars, addresses and nodes at once."""
    return open_object(
        usd_per_month=DOLLARS,
        extra_pct=or_null(NUMBER),
        subnet_addresses=COUNT,
        nodes=COUNT,
        mix=TEXT,
        least=list_of({"enum": list(TO_MINIMIZE)}),
        bought={"type": "boolean"},
    )
