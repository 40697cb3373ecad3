"""How a workload grows, as the plan states it: rates, dated steps, seasons."""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction

from capacity.errors import did_you_mean
from capacity.plan.fields import MOST, Field, items, weight
from capacity.plan.model import Growth, GrowthStep

PERIODS = ("day", "week", "month", "quarter", "year")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MOST_FACTOR = 1000  # of a step or a season: beyond it somebody wrote a percentage as a number
_RATE = re.compile(r"^([+-]?[0-9]{1,6}(?:\.[0-9]{1,9})?) ?% ?/ ?([a-z]+)$")


def read_growth(section: Field | None) -> Growth | None:
    """A workload's growth: a rate with its spread, dated steps and a season; None where the plan has none."""
    if section is None:
        return None
    section.section(("rate", "stddev", "uncertainty", "from", "steps", "season"))
    if not section.value:
        section.fail("is empty (expected a rate such as 4%/month, steps, a season or from)")
    rate, stddev, unsure, start = (section.get(k) for k in ("rate", "stddev", "uncertainty", "from"))
    share, period = _rate(rate) if rate else (Fraction(0), "month")
    for spread in (stddev, unsure):
        if spread and not rate:
            spread.fail("needs the rate that it belongs to (rate: 0%/month where nothing grows)")
    weekly, yearly = _season(section.get("season"))
    return Growth(
        rate=share,
        period=period,
        stddev=stddev.percent() if stddev else Fraction(0),
        uncertainty=unsure.percent() if unsure else Fraction(0),
        start=_date(start) if start else None,
        steps=_steps(section.get("steps")),
        weekly=weekly,
        yearly=yearly,
    )


def _steps(section: Field | None) -> tuple[GrowthStep, ...]:
    steps: dict[date, GrowthStep] = {}
    for entry in items(section):
        entry.section(("date", "replicas", "add", "factor"), required=("date",))
        given = [k for k in ("replicas", "add", "factor") if entry.get(k)]
        if len(given) != 1:
            entry.fail("expected exactly one of replicas, add and factor beside the date")
        day, change = _date(entry.child("date")), entry.child(given[0])
        if day in steps:
            entry.child("date").fail(f"a second step on {day}")
        steps[day] = GrowthStep(
            day,
            replicas=change.integer() if given == ["replicas"] else None,
            add=change.integer(-MOST) if given == ["add"] else None,
            factor=_factor(change) if given == ["factor"] else None,
        )
    return tuple(steps[day] for day in sorted(steps))


def _season(section: Field | None) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
    if section is None:
        return (), ()
    section.section(("weekly", "yearly"))
    return _factors(section.get("weekly"), WEEKDAYS), _factors(section.get("yearly"), MONTHS)


def _rate(field: Field) -> tuple[Fraction, str]:
    match = _RATE.match(field.text(40))
    if not match:
        field.fail(f"{field.value!r} is not a rate (expected something like 4%/month)")
    number, period = match.groups()
    if period not in PERIODS:
        field.fail(f"{period!r} is not one of {', '.join(PERIODS)}{did_you_mean(period, PERIODS)}")
    rate = Fraction(number) / 100
    if rate <= -1:
        field.fail(f"{field.value!r} shrinks by everything (expected more than -100%)")
    return rate, period


def _factors(section: Field | None, names: tuple[str, ...]) -> tuple[Fraction, ...]:
    """One factor per name, 1 where none is given."""
    if section is None:
        return ()
    section.section(names)
    given = {name: section.get(name) for name in names}
    return tuple(_factor(entry) if entry else Fraction(1) for entry in given.values())


def _factor(entry: Field) -> Fraction:
    factor = weight(entry)
    if factor > MOST_FACTOR:
        entry.fail(f"{entry.value!r} is out of range (expected a factor from 0 to {MOST_FACTOR:,}, 1 is as now)")
    return factor


def _date(entry: Field) -> date:
    text = entry.text(40)
    try:
        return date.fromisoformat(text)
    except ValueError:
        entry.fail(f"{text!r} is not a date (expected YYYY-MM-DD)")
