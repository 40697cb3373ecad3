"""How a workload grows, as the plan states it: rates, dated steps, seasons."""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction
from functools import partial

from capacity.errors import did_you_mean
from capacity.plan import keys
from capacity.plan.constants import MONTHS, PERIODS, WEEKDAYS
from capacity.plan.fields import Field
from capacity.plan.model import Growth, GrowthStep
from capacity.plan.reading import Problems, Values, read_keys, read_section

_RATE = re.compile(r"^([+-]?[0-9]{1,6}(?:\.[0-9]{1,9})?) ?% ?/ ?([a-z]+)$")


def read_growth(section: Field) -> Growth:
    """A workload's growth: a rate with its spread, dated steps and a season.

    Raises
    ------
    SpecError
        All that is wrong with it.
    """
    values = read_keys(section, keys.GROWTH, {"rate": _rate, "steps": _steps, "season": _season})
    if not section.value:
        section.fail("is empty (expected a rate such as 4%/month, steps, a season or from)")
    for key in ("stddev", "uncertainty"):
        with values.problems:
            if section.get(key) and values["rate"] is None:
                section.child(key).fail("needs the rate that it belongs to (rate: 0%/month where nothing grows)")
    values.problems.check()
    rate, period = values["rate"] or (Fraction(0), "month")
    weekly, yearly = values["season"] or ((), ())
    return Growth(
        rate=rate,
        period=period,
        stddev=values["stddev"],
        uncertainty=values["uncertainty"],
        start=values["from"],
        steps=values["steps"] or (),
        weekly=weekly,
        yearly=yearly,
    )


def _steps(section: Field) -> tuple[GrowthStep, ...]:
    problems = Problems()
    steps: dict[date, GrowthStep] = {}
    for entry in problems.over(section.items()):
        with problems:
            step = _step(entry)
            if step.day in steps:
                entry.child("date").fail(f"a second step on {step.day}")
            steps[step.day] = step
    problems.check()
    return tuple(steps[day] for day in sorted(steps))


def _step(entry: Field) -> GrowthStep:
    values = read_keys(entry, keys.STEP)
    with values.problems:
        if sum(values[key] is not None for key in ("replicas", "add", "factor")) != 1:
            entry.fail("expected exactly one of replicas, add and factor beside the date")
    values.problems.check()
    return GrowthStep(values["date"], values["replicas"], values["add"], values["factor"])


def _season(section: Field) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
    """Factors of the weekdays and of the months; empty where there are none."""
    of_weeks, of_years = partial(read_section, known=keys.WEEKLY), partial(read_section, known=keys.YEARLY)
    values = read_section(section, keys.SEASON, {"weekly": of_weeks, "yearly": of_years})
    return _factors(values["weekly"], WEEKDAYS), _factors(values["yearly"], MONTHS)


def _factors(values: Values | None, names: tuple[str, ...]) -> tuple[Fraction, ...]:
    """One factor per name, 1 where none is given."""
    if values is None:
        return ()
    return tuple(Fraction(1) if values[name] is None else values[name] for name in names)


def _rate(field: Field) -> tuple[Fraction, str]:
    match = _RATE.match(field.text(keys.GROWTH["rate"].most))
    if not match:
        field.fail(f"{field.value!r} is not a rate (expected something like 4%/month)")
    number, period = match.groups()
    if period not in PERIODS:
        field.fail(f"{period!r} is not one of {', '.join(PERIODS)}{did_you_mean(period, PERIODS)}")
    rate = Fraction(number) / 100
    if rate <= -1:
        field.fail(f"{field.value!r} shrinks by everything (expected more than -100%)")
    return rate, period
