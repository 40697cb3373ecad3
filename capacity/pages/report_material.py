"""All results of a report, from one check."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capacity.catalog.age import limit_notes, price_notes
from capacity.cost.plan_cost import NODES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from capacity.advice.findings.codes import Finding
    from capacity.advice.fixes import Fixes
    from capacity.advice.node_figures import NodeFigures
    from capacity.advice.warm import WarmAnswer
    from capacity.advice.whatif import WhatIf
    from capacity.catalog.status import DataStatus
    from capacity.cluster.check import CheckResult
    from capacity.cluster.headroom import HeadroomCurve
    from capacity.cost.inputs import CostInputs
    from capacity.cost.plan_cost import PlanCost
    from capacity.forecast.certain import Progress
    from capacity.forecast.result import ForecastResult
    from capacity.node.offer import Offer
    from capacity.optimize.optimized import Optimized
    from capacity.plan.model import Plan
    from capacity.sim.facade import Distribution

MOST_GROUP_CURVES = 3  # of the groups with the most nodes
MANY = 10_000  # node groups × subnets (or workloads) beyond which what takes long is left out
LEFT_OUT = (
    "Not in the report of a plan this large: headroom by pods and the warm settings. The what-if has fewer positions."
)
HORIZON = "18mo"
PATHS, FEWEST_PATHS = 10_000, 1_000  # simulations of the forecast: those of capacity forecast, and of a large plan
MOST_DRAWS = 800_000  # simulations × workloads with uncertain growth
FEW_PERCENTS = (50, 75, 100, 150, 200, 300)


@dataclass(frozen=True)
class Material:
    """All results that a report shows; what is None or empty is not shown.

    Attributes
    ----------
    command : str
        The command that generates this report again.
    plan_sha256 : str
        Of the plan file as read; empty if it came from a pipe.
    forecast : ForecastResult or None
        None if no workload grows.
    sizing : Optimized or None
        None unless it was asked for: it takes time.
    fixes : Fixes or None
        The sets of levers that were tried; None if there was no search.
    fixed : CheckResult or None
        The check of the plan with the fix, or with the nearest set; None if there is neither.
    fixed_cost : PlanCost or None
        The cost of that plan.
    fixed_forecast : ForecastResult or None
        The forecast of that plan, over the same days with the same draws.
    nodes : sequence of NodeFigures
        The nodes of the cluster in the model and as AWS describes them; empty if they are not known.
    simulations : mapping of str to Distribution
        The scenarios that were simulated, by their name on the command line; empty unless asked for.
    order : tuple of str
        The subnets in the order of their colors on the whole page: the tightest of any scenario first.
    today : Material or None
        The current plan, if this is a proposed change of it.
    today_words : str
        What that plan is: its file.
    """

    result: CheckResult
    findings: Sequence[Finding]
    headroom: Sequence[HeadroomCurve]
    explorer: WhatIf | None
    offers: Sequence[Offer]
    status: DataStatus
    version: str
    command: str
    plan_sha256: str = ""
    forecast: ForecastResult | None = None
    warm: WarmAnswer | None = None
    left_out: str = ""
    cost: PlanCost | None = None
    sizing: Optimized | None = None
    fixes: Fixes | None = None
    fixed: CheckResult | None = None
    fixed_cost: PlanCost | None = None
    fixed_forecast: ForecastResult | None = None
    nodes: Sequence[NodeFigures] = ()
    simulations: Mapping[str, Distribution] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    today: Material | None = None
    today_words: str = ""

    @property
    def change_words(self) -> str:
        """What the search for a fix found: ``fix``, or ``closest change`` if it is not enough."""
        return "fix" if self.fixes is not None and self.fixes.answer else "closest change"

    @property
    def price_notes(self) -> list[str]:
        """Prices that the report lacks, or that are old."""
        region = self.result.plan.region
        lines = [line for cost in self.cost.costs for line in cost.lines if line.item == NODES] if self.cost else []
        types = [line.what for line in lines if line.rate.usd_per_hour is None or line.rate.region == region]
        return price_notes(list(dict.fromkeys(types)), region, self.status.as_of) if types else []

    @property
    def limit_notes(self) -> list[str]:
        """Whether the limits of the instance types are old."""
        return limit_notes(self.status.as_of)


def subnets_by_room(result: CheckResult) -> tuple[str, ...]:
    """The subnets by their least free share in any scenario, the tightest first."""
    least = {s.name: 1.0 for s in result.plan.subnets}
    for state in result.scenarios:
        for s in state.left:
            least[s.subnet.name] = min(s.free / s.subnet.usable, least[s.subnet.name])
    return tuple(sorted(least, key=lambda name: least[name]))


def gather(
    result: CheckResult,
    command: str,
    as_of: dt.date,
    plan_sha256: str = "",
    horizon: str = HORIZON,
    prices: CostInputs | None = None,
    *,
    brief: bool = False,
    tell: Progress = lambda _done, _total: None,
) -> Material:
    """What :func:`capacity.pages.report_page.report_page` shows.

    Parameters
    ----------
    command : str
        The command line that generates the report again; the report shows it.
    as_of : datetime.date
        First day of the forecast.
    horizon : str
        How far the forecast looks: ``18mo``.
    prices : CostInputs, optional
        Of the cost; by default list prices on demand.
    brief : bool
        Without the what-if and the warm settings, which take long.
    tell : callable
        Called with the number of simulations that are done and the total.
    """
    from capacity import __version__
    from capacity.advice.findings.rules import findings
    from capacity.advice.whatif import PERCENTS, what_if
    from capacity.catalog.status import data_status
    from capacity.cluster.typical import group_offers
    from capacity.cost.bill import node_prices, plan_cost

    plan = result.plan
    large = len(plan.node_groups) * max(len(plan.subnets), len(plan.workloads)) >= MANY
    return Material(
        result=result,
        findings=findings(result),
        headroom=curves(result, large=large),
        explorer=what_if(result, FEW_PERCENTS if large else PERCENTS) if plan.node_groups and not brief else None,
        offers=group_offers(result, node_prices(result, prices)),
        status=data_status(as_of),
        version=__version__,
        command=command,
        plan_sha256=plan_sha256,
        forecast=forecast_of(result, as_of, horizon, tell),
        warm=None if brief else _warm(result, large),
        order=subnets_by_room(result),
        left_out=LEFT_OUT if large else "",
        cost=plan_cost(result, prices),
    )


def _warm(result: CheckResult, large: bool) -> WarmAnswer | None:
    """None if no node keeps IPv4 addresses warm, or if the plan is very large."""
    from capacity.advice.warm import warm_for_plan
    from capacity.errors import SpecError

    if large or not result.plan.node_groups:
        return None
    try:
        return warm_for_plan(result.plan)
    except SpecError:  # IPv6, or no Linux node in steady or peak
        return None


def paths_of(plan: Plan) -> int:
    """Simulations of the report's forecast: fewer if many workloads grow at an uncertain rate."""
    from capacity.forecast.replicas import is_random

    growing = sum(is_random(w.growth) for w in plan.workloads)
    return min(PATHS, max(FEWEST_PATHS, MOST_DRAWS // max(growing, 1)))


def forecast_of(
    result: CheckResult,
    as_of: dt.date,
    horizon: str = HORIZON,
    tell: Progress = lambda _done, _total: None,
) -> ForecastResult | None:
    """The forecast of a checked plan; None if no workload grows."""
    from capacity.forecast.span import parse_horizon

    span = parse_horizon(horizon, as_of)
    if not any(w.growth for w in result.plan.workloads):
        return None
    from capacity.forecast.plan_growth import forecast_growth

    return forecast_growth(result.plan, span, paths_of(result.plan), progress=tell, checked=result)


def curves(result: CheckResult, *, large: bool = False) -> list[HeadroomCurve]:
    """Headroom by nodes of the largest groups, then by pods, without curves that affect no subnet.

    A large plan has no curve by pods, because each of its points places all pods again.
    """
    from capacity.cluster.headroom import headroom_by_nodes, headroom_by_pods

    steady = next((s for s in result.scenarios if s.name == "steady"), result.scenarios[0])
    largest = sorted(steady.groups, key=lambda g: -g.nodes)[:MOST_GROUP_CURVES]
    found = [headroom_by_nodes(result, g.shape.group.name) for g in largest if g.nodes]
    if any(w.replicas for w in result.plan.workloads) and not large:
        found.append(headroom_by_pods(result))
    return [c for c in found if c.subnets]
