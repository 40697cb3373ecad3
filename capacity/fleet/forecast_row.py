"""Forecasts one plan of a fleet: when its subnets run out, with the clusters in them at their current size."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from capacity.fleet.subject import Subject
from capacity.fleet.unit import Row


def forecast_row(subject: Subject, options: Mapping[str, Any]) -> Row:
    """The dates of each subnet, and the subnet that runs out first.

    ``options``: ``horizon``, ``as_of`` (a day), ``scenario``, ``paths`` and ``seed``, as of `capacity forecast`.
    """
    from capacity.forecast.plan_growth import forecast_growth
    from capacity.forecast.span import parse_horizon
    from capacity.pages.forecast_page import subnet_json

    plan = subject.plan
    span = parse_horizon(options["horizon"], date.fromisoformat(options["as_of"]))
    found = forecast_growth(plan, span, options["paths"], options["seed"], options["scenario"])
    subnets = [subnet_json(s, fan=False) for s in found.subnets]
    return {
        "name": plan.name,
        "account": plan.account,
        "region": plan.region,
        "vpc": plan.vpc_id,
        "grows": any(w.growth for w in plan.workloads),
        "first": first_out(subnets),
        "subnets": subnets,
        "shares_with": [t.name for t in plan.tenants if t.plan],
        "error": None,
    }


def first_out(subnets: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The subnet that probably runs out first; None if none does within the horizon.

    By the likely date (P50); then the early one (P10), for subnets that run out in fewer than half of the simulations.
    """
    out = [s for s in subnets if s["date_p10"] or s["date_p50"]]
    if not out:
        return None
    late = "9999"
    first = min(
        out, key=lambda s: (s["date_p50"] or late, s["date_p10"] or late, -(s["probability_within_horizon"] or 0))
    )
    return {
        "subnet": first["name"],
        "date_p10": first["date_p10"],
        "date_p50": first["date_p50"],
        "date_p90": first["date_p90"],
        "probability_within_horizon": first["probability_within_horizon"],
    }
