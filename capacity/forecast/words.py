"""Summarize a forecast: what is exhausted today, which subnet runs out first, and with which probability."""

from __future__ import annotations

from datetime import date

from capacity.forecast.result import ForecastResult, SubnetForecast
from capacity.plan.constants import AT_REST
from capacity.plan.scenarios import when_words
from capacity.units import counted


def sentence(result: ForecastResult) -> str:
    """Headline of a forecast, with the scenario and everything that check finds exhausted today."""
    return " ".join(filter(None, [already_sentence(result), coming_sentence(result)]))


def already_sentence(result: ForecastResult) -> str:
    """Sentence on what check finds exhausted today; empty if nothing is."""
    if not result.already:
        return ""
    first, *rest = result.already
    more = (
        f" {counted(len(rest), 'more scenario is', 'more scenarios are')} exhausted (capacity check)." if rest else ""
    )
    return f"Already exhausted {first.when}: {first.what}.{more}"


def has_run_out(result: ForecastResult) -> list[SubnetForecast]:
    """The subnets that are full on the first day."""
    return [s for s in result.subnets if s.probability is not None and s.date_p90 == result.start]


def next_to_run_out(result: ForecastResult) -> SubnetForecast | None:
    """The subnet that runs out first after the first day, or is the most likely to; None if no other is forecast."""
    out = has_run_out(result)
    left = [s for s in result.subnets if s.probability is not None and s not in out]
    return min(left, key=_soonest, default=None)


def _soonest(subnet: SubnetForecast) -> tuple[date, date, float]:
    return subnet.date_p50 or date.max, subnet.date_p10 or date.max, -(subnet.probability or 0)


def coming_sentence(result: ForecastResult) -> str:
    """Sentence on the first subnet that runs out from now on."""
    known = [s for s in result.subnets if s.probability is not None]
    if not known:
        return "INSUFFICIENT DATA: no subnet can be forecast."
    when = f"{when_words(result.scenario)}, " if result.scenario in AT_REST else ""
    out = has_run_out(result)
    if out and not result.already:
        return f"{out[0].name} has already run out on {result.start}."
    first = next_to_run_out(result)
    if first is None:
        return ""
    text = f"{when}{_first(result, first, len(known) - len(out) < len(result.subnets))}"
    return text[:1].upper() + text[1:] if when else text


def _first(result: ForecastResult, first: SubnetForecast, others: bool) -> str:
    span = f"between {result.start} and {result.end}"
    if not first.probability:
        draws = "" if result.exact else f" in any of {result.paths:,} simulations"
        if result.already:
            which = "the other subnets have" if others else "every subnet has"
            return f"{which} free addresses until {result.end}{draws}."
        return f"no subnet runs out {span}{draws}."
    if result.exact:
        return f"{first.name} runs out on {first.date_p50}, if the growth is exactly as in the plan."
    if first.date_p50 is None:
        share = percent(first.probability)
        return f"{first.name} is the most likely to run out {span}: in {share} of simulations."
    late = f"and {first.date_p90}" if first.date_p90 else f"and a day after {result.end}"
    return f"{first.name} runs out about {first.date_p50} (between {first.date_p10} {late} in 80% of simulations)."


def percent(share: float) -> str:
    """Share of the simulations as text; nearly all is not shown as all."""
    return "> 99.9%" if 0.9995 <= share < 1 else f"{100 * share:.3g}%"
