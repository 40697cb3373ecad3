"""The cheapest node groups for one plan of a fleet, with the clusters in its subnets at their peak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from capacity.cluster.check import engine_of
from capacity.fleet.subject import Subject, document_of
from capacity.fleet.unit import Row
from capacity.plan.patch import apply_patch
from capacity.plan.sections import PlanSection


def optimize_row(subject: Subject, options: Mapping[str, Any]) -> Row:
    """What to buy, and what it saves against the plan's own node groups.

    ``options``: ``types``, ``arch``, ``max_vcpus`` and ``effort``, as of `capacity optimize`.
    """
    from capacity.advice.nodes_to_buy import optimize_plan
    from capacity.optimize.choices import Choices
    from capacity.optimize.compare import OWN_GROUPS
    from capacity.optimize.request import Request
    from capacity.optimize.rows import results_json

    plan = subject.plan
    choices = Choices(types=tuple(options["types"]), arch=options["arch"], max_vcpus=options["max_vcpus"])
    request = Request(choices, effort=options["effort"], simpler=False, current=True)
    found = optimize_plan(_document(subject), request, file=subject.text.file)
    results = results_json(found, nodes=False)
    own = next((a for a in results["alternatives"] if a["name"] == OWN_GROUPS), None)
    now = own["usd_per_month"] if own else None
    best = results["usd_per_month"]
    return {
        "name": plan.name,
        "account": plan.account,
        "region": plan.region,
        "status": results["status"],
        "usd_per_month": best,
        "usd_per_month_current": now,
        "current": own["note"] if own else None,
        "saves_usd_per_month": None if best is None or now is None else round(now - best, 2),
        "node_groups": results["node_groups"],
        "infeasible": results["infeasible"],
        "shares_with": [t.name for t in plan.tenants if t.plan],
        "error": None,
    }


def _document(subject: Subject) -> PlanSection:
    """The plan's document, in which each cluster with a plan is a tenant with its addresses at peak, by subnet."""
    document = document_of(subject.text)
    kept = [t for t in document.get("tenants") or [] if not (isinstance(t, dict) and t.get("plan") is not None)]
    engine = engine_of(subject.plan, subject.reuse)
    tenants = [
        {"kind": "cluster", "name": f"{i} in {extra.subnet}", "subnets": [extra.subnet], "addresses": extra.addresses}
        for i, extra in enumerate(engine.neighbours("peak"), 1)
        if extra.addresses
    ]
    return apply_patch(document, {"tenants": [*kept, *tenants]})
