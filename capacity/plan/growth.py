"""The growth of a workload over time, as a plan declares it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import NamedTuple


class GrowthStep(NamedTuple):
    """A change of a workload on one day: exactly one of ``replicas`` (sets), ``add`` or ``factor`` (multiplies)."""

    day: date
    replicas: int | None = None
    add: int | None = None
    factor: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Growth:
    """Growth of a workload's replicas over time; only a forecast uses it.

    Attributes
    ----------
    rate : Fraction
        Compound growth: share per ``period`` (day, week, month, quarter, year).
    stddev : Fraction
        Standard deviation of the growth of one period, independent for each period.
    uncertainty : Fraction
        Standard deviation of ``rate`` itself, constant over time: the uncertainty of the rate.
    start : date or None
        Launch date: no pods before it, and growth starts on it.
    steps : tuple of GrowthStep
        By date.
    weekly : tuple of Fraction
        Factor of each weekday, Monday first; empty if all are 1.
    yearly : tuple of Fraction
        Factor of each month, January first; empty if all are 1.
    """

    rate: Fraction
    period: str
    stddev: Fraction = Fraction(0)
    uncertainty: Fraction = Fraction(0)
    start: date | None = None
    steps: tuple[GrowthStep, ...] = ()
    weekly: tuple[Fraction, ...] = ()
    yearly: tuple[Fraction, ...] = ()
