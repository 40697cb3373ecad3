"""All results of a report, from one check: each by one call of the room that works it out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from capacity.report.content import Material

if TYPE_CHECKING:
    from capacity.cluster.check import CheckResult
    from capacity.cluster.headroom import HeadroomCurve
    from capacity.forecast.result import ForecastResult

MOST_GROUP_CURVES = 3  # of the groups with the most nodes
MANY = 20_000  # node groups × subnets beyond which the what-if has fewer positions
HORIZON = "18mo"
FEW_PERCENTS = (50, 75, 100, 150, 200, 300)


def gather(
    result: CheckResult, command: str, as_of: dt.date, plan_sha256: str = "", horizon: str = HORIZON, seed: int = 1
) -> Material:
    """What :func:`capacity.report.content.document` shows.

    Parameters
    ----------
    command : str
        The command line that makes the report again, to be printed in it.
    as_of : datetime.date
        First day of the forecast.
    horizon : str
        How far the forecast looks: ``18mo``.
    """
    from capacity import __version__
    from capacity.advice.findings import findings
    from capacity.advice.whatif import PERCENTS, what_if
    from capacity.catalog.status import data_status
    from capacity.cluster.typical import group_offers

    plan = result.plan
    large = len(plan.node_groups) * len(plan.subnets) >= MANY
    return Material(
        result=result,
        findings=findings(result),
        headroom=curves(result),
        explorer=what_if(result, FEW_PERCENTS if large else PERCENTS) if plan.node_groups else None,
        offers=group_offers(result),
        status=data_status(as_of),
        version=__version__,
        command=command,
        plan_sha256=plan_sha256,
        forecast=_forecast(result, as_of, horizon, seed),
    )


def _forecast(result: CheckResult, as_of: dt.date, horizon: str, seed: int) -> ForecastResult | None:
    """None where no workload grows."""
    if not any(w.growth for w in result.plan.workloads):
        return None
    from capacity.forecast.plan_growth import forecast_growth
    from capacity.forecast.span import parse_horizon

    return forecast_growth(result.plan, parse_horizon(horizon, as_of), seed=seed)


def curves(result: CheckResult) -> list[HeadroomCurve]:
    """Headroom against nodes of the largest groups, then against pods; those that move no subnet are left out."""
    from capacity.cluster.headroom import headroom_by_nodes, headroom_by_pods

    steady = next((s for s in result.scenarios if s.name == "steady"), result.scenarios[0])
    largest = sorted(steady.groups, key=lambda g: -g.nodes)[:MOST_GROUP_CURVES]
    found = [headroom_by_nodes(result, g.shape.group.name) for g in largest if g.nodes]
    if any(w.replicas for w in result.plan.workloads):
        found.append(headroom_by_pods(result))
    return [c for c in found if c.subnets]
