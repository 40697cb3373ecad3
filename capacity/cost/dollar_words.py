"""Costs as text and as JSON: every figure of :mod:`capacity.cost.plan_cost`, to the cent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from capacity.catalog.prices import price
from capacity.cost.plan_cost import NODES, Cost, CostLine, PlanCost, difference
from capacity.cost.rates import money
from capacity.units import HOURS_PER_MONTH

AT_REST = {"steady": "now", "peak": "at peak", "ceiling": "at the ceiling"}
MOST_REASONS = 3
NOT_INCLUDED = (
    "Not included: EBS volumes, load balancers, NAT gateways, VPC endpoints, data transfer, logs, support and taxes."
)
COST_COLUMNS = (
    ("item", "item"),
    ("node_group", "node group"),
    ("what", "what"),
    ("terms", "USD per month"),
    ("how", "how"),
    ("source", "source"),
    ("date", "date"),
)


def usd(figure: float) -> str:
    """An amount to the cent.

    >>> usd(12340), usd(-0.5)
    ('$12,340.00', '−$0.50')
    """
    return f"{'−' if figure < 0 else ''}${abs(figure):,.2f}"


def usd_change(figure: float | None) -> str:
    """A difference with its sign, or ``not known``.

    >>> usd_change(12.5), usd_change(-3), usd_change(0), usd_change(None)
    ('+$12.50', '−$3.00', '±$0.00', 'not known')
    """
    if figure is None:
        return "not known"
    return f"{'+' if figure > 0 else '' if figure < 0 else '±'}{usd(figure)}"


def cost_sentence(cost: PlanCost) -> str:
    """The monthly cost of the plan in a few sentences: now, at peak and at the ceiling, if these were checked.

    Lines without a price are named, and the amount is then "at least". Empty if no scenario was checked.
    """
    told = shown_costs(cost)
    if not told:
        return ""
    if len({amount(c) for c in told}) == 1:
        amounts = [f"{amount(told[0])} per month {_and([_when(c) for c in told])}"]
    else:
        amounts = [f"{amount(c)} {'per month ' if not i else ''}{_when(c)}" for i, c in enumerate(told)]
    return " ".join([f"Cost: {', '.join(amounts)}{_basis(told)}.", *_sentences(told, cost.notes)])


def change_sentence(before: PlanCost, after: PlanCost) -> str:
    """The monthly cost or saving of a change in a few sentences; empty if both sides have no scenario in common."""
    pairs = [(was, now) for was in shown_costs(before) if (now := after.cost(was.scenario, was.variant)) is not None]
    if not pairs:
        return ""
    parts = [
        f"{_pair(was, now)} {'per month ' if not i else ''}{_when(was)} ({_changes(difference(was, now))})"
        for i, (was, now) in enumerate(pairs)
    ]
    both = [cost for pair in pairs for cost in pair]
    notes = list(dict.fromkeys((*before.notes, *after.notes)))
    return " ".join([f"Cost: {', '.join(parts)}{_basis(both)}.", *_sentences(both, notes)])


def _changes(figure: float | None) -> str:
    return "change not known" if figure is None else usd_change(figure)


def _pair(before: Cost, after: Cost) -> str:
    was, now = amount(before), amount(after)
    return was if was == now else f"{was} → {now}"


def _sentences(costs: Sequence[Cost], notes: Sequence[str]) -> list[str]:
    """The sentences about lines without a price and about assumptions."""
    missing = unpriced(costs)
    told = [f"Not included: {'; '.join(missing)}."] if missing else []
    return [*told, *(f"{note[:1].upper()}{note[1:]}." for note in notes)]


def amount(cost: Cost) -> str:
    """The cost of a scenario to the cent, with "at least" if a line has no price."""
    return f"{'at least ' if cost.unknown else ''}{usd(cost.known_usd_per_month)}"


def unpriced(costs: Sequence[Cost]) -> list[str]:
    """The lines without a price, grouped by reason."""
    reasons: dict[str, list[str]] = {}
    for cost in costs:
        for line in cost.unknown:
            titles = reasons.setdefault(line.rate.unknown, [])
            if line.title not in titles:
                titles.append(line.title)
    shown = [f"{', '.join(titles)} ({why})" for why, titles in list(reasons.items())[:MOST_REASONS]]
    more = len(reasons) - len(shown)
    return [*shown, *([f"and {more} more without a price"] if more > 0 else [])]


def lines_of(cost: Cost) -> list[dict[str, Any]]:
    """The terms of a cost, one row per line: count × price × hours, and the source of the price."""
    return [_line_json(line) for line in cost.lines]


def terms(line: CostLine) -> str:
    """A line as the product of its terms.

    >>> from capacity.cost.plan_cost import Rate
    >>> terms(CostLine("nodes", "web", "m5.large", 4, "node", Rate(0.096, "pricing", "2026-07-20")))
    '4 × $0.096 × 730 h = $280.32'
    """
    each, total = line.rate.usd_per_hour, line.usd_per_month
    if each is None or total is None:
        return f"not known: {line.rate.unknown}"
    hours = f" × {line.hours:g} h" if line.hours != 1 else ""
    return f"{line.count:,g} × {money(each)}{hours} = {usd(total)}"


def cost_json(cost: PlanCost) -> dict[str, Any]:
    """``results.cost``: the lines of every steady scenario, or of all checked scenarios if none is steady."""
    return {
        "region": cost.region,
        "hours_per_month": HOURS_PER_MONTH,
        "inputs": dict(cost.inputs),
        "scenarios": [
            {"name": c.scenario, "variant": c.variant, **amounts_json(c), "lines": lines_of(c)}
            for c in shown_costs(cost)
        ],
        "notes": list(cost.notes),
    }


def amounts_json(cost: Cost | None) -> dict[str, float | None]:
    """``usd_per_month`` (null if a line has no price), and the sum of the lines with a price."""
    return {
        "usd_per_month": None if cost is None else cost.usd_per_month,
        "usd_per_month_at_least": None if cost is None else cost.known_usd_per_month,
    }


def with_costs(results: dict[str, Any], cost: PlanCost) -> dict[str, Any]:
    """The results of a check with the cost of each scenario, and the lines."""
    scenarios = [
        {**scenario, **amounts_json(cost.cost(scenario["name"], scenario["variant"]))}
        for scenario in results["scenarios"]
    ]
    return {**results, "scenarios": scenarios, "cost": cost_json(cost)}


def with_changes(results: dict[str, Any], before: PlanCost, after: PlanCost) -> dict[str, Any]:
    """The results of a comparison with the cost of each scenario on both sides, and the difference."""

    def told(scenario: Mapping[str, Any]) -> dict[str, Any]:
        key = scenario["name"], scenario["variant"]
        was, now = before.cost(*key), after.cost(*key)
        return {
            **scenario,
            "usd_per_month_before": was.usd_per_month if was else None,
            "usd_per_month_after": now.usd_per_month if now else None,
            "usd_per_month_change": difference(was, now),
        }

    sides = {"before": cost_json(before), "after": cost_json(after)}
    return {**results, "scenarios": [told(s) for s in results["scenarios"]], "cost": sides}


def shown_costs(cost: PlanCost) -> list[Cost]:
    """The steady scenarios, or the first scenario if none of them was checked."""
    return cost.at_rest(AT_REST) or list(cost.costs[:1])


def _and(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _when(cost: Cost) -> str:
    return AT_REST.get(cost.scenario) or f"in {cost.title}"


def _basis(costs: Sequence[Cost]) -> str:
    """The basis in parentheses after an amount; empty if there is none."""
    return f" ({basis})" if (basis := price_basis(costs)) else ""


def price_basis(costs: Sequence[Cost]) -> str:
    """Region and date of the nodes' list prices; empty if none is used."""
    rates = [line.rate for cost in costs for line in cost.lines if line.item == NODES and line.rate.region]
    if not rates:
        return ""
    dates = sorted({rate.date for rate in rates if rate.date})
    span = f" of {' to '.join(dict.fromkeys((dates[0], dates[-1])))}" if dates else ""
    return f"{_and(list(dict.fromkeys(rate.region for rate in rates)))}, prices{span}"


def _line_json(line: CostLine) -> dict[str, Any]:
    return {
        "item": line.item,
        "node_group": line.where or None,
        "what": line.what,
        "count": line.count,
        "unit": line.unit,
        "usd_per_hour": line.rate.usd_per_hour,
        "usd_per_month": line.usd_per_month,
        "terms": terms(line),
        "how": line.rate.how,
        "source": line.rate.source,
        "date": line.rate.date,
    }


def price_difference(old: str, new: str, region: str | None) -> str:
    """Price difference per node-hour in words, or why it is unknown.

    >>> price_difference("m5.large", "m5.xlarge", "us-east-1")
    '+0.0960 USD per node-hour for m5.xlarge (us-east-1, on demand)'
    >>> price_difference("m5.large", "m5.xlarge", None)
    'price difference of m5.xlarge and m5.large unknown: the plan has no region'
    """
    if region is None:
        return f"price difference of {new} and {old} unknown: the plan has no region"
    was, now = price(old, region), price(new, region)
    if was is None or now is None or was.currency != now.currency:
        unknown = " and ".join(n for n, p in ((old, was), (new, now)) if p is None) or "both in one currency"
        return f"price difference unknown: no price for {unknown} in {region}"
    change = f"{now.per_hour - was.per_hour:+.4f} {now.currency}"
    return f"{change} per node-hour for {new} ({region}, on demand)"
