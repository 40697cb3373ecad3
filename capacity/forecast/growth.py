"""Replicas of a workload along time: compound growth, its uncertainty, steps, seasons and launch dates."""

from __future__ import annotations

from collections.abc import Iterator
from math import log1p, sqrt
from typing import TYPE_CHECKING, Any

from capacity.forecast.span import DAYS_PER, Span
from capacity.spec.plan import Growth, GrowthStep

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Paths = npt.NDArray[np.floating[Any]]

SLACK = {"float64": 1e-9, "float32": 1e-6}  # what rounding may add to a whole number before it counts as more


def is_random(growth: Growth | None) -> bool:
    """Whether two draws of this growth can differ."""
    return growth is not None and bool(growth.stddev or growth.uncertainty)


def log_rate(growth: Growth) -> tuple[float, float, float]:
    """Daily log growth, its standard deviation from day to day, and that of the rate itself (per day).

    Notes
    -----
    One period's factor is log-normal with median 1 + rate, and its standard deviation over its median is
    stddev ÷ (1 + rate) to first order: σ = √ln(1 + (stddev ÷ (1 + rate))²). Over D days a sum of independent
    days has σ ÷ √D each; the rate's own uncertainty is one draw for all days, so ÷ D.

    >>> from fractions import Fraction
    >>> log_rate(Growth(Fraction(4, 100), "month"))[0] * 365 / 12  # ln 1.04
    0.0392...
    """
    days = DAYS_PER[growth.period]
    base = 1 + float(growth.rate)
    daily, unsure = (sqrt(log1p((float(s) / base) ** 2)) for s in (growth.stddev, growth.uncertainty))
    return log1p(float(growth.rate)) / days, daily / sqrt(days), unsure / days


def replica_paths(
    growth: Growth | None, now: int, span: Span, paths: int = 1, rng: np.random.Generator | None = None
) -> Paths:
    """Pods of one workload on each day of ``span``, whole numbers.

    Parameters
    ----------
    now : int
        Replicas on day 0, on a day whose season's factor is 1. [pods]
    paths : int
        Draws. Only a growth with ``stddev`` or ``uncertainty`` uses them; any other gives one column.
    rng : numpy.random.Generator, optional
        Needed where the growth is random.

    Returns
    -------
    ndarray of float, shape (days + 1, paths) or (days + 1, 1)
        Rounded up, as the Horizontal Pod Autoscaler does: desired = ⌈current × load ratio⌉.

    Source
    ------
    kubernetes.io/docs, Horizontal Pod Autoscaling, "Algorithm details" (read 2026-11-25).

    Examples
    --------
    >>> from datetime import date
    >>> from fractions import Fraction
    >>> growth = Growth(Fraction(1, 10), "year")
    >>> replica_paths(growth, 100, Span(date(2027, 1, 1), 730))[[0, 1, 365, 730], 0].tolist()
    [100.0, 101.0, 110.0, 121.0]
    """
    import numpy as np

    days = span.days
    if growth is None:
        return np.full((days + 1, 1), float(now))
    exact = not is_random(growth)
    logs = _log_paths(growth, span, 1 if exact else paths, None if exact else rng)
    pods = _with_steps(logs, growth, now, span)
    season = season_factors(growth, span)
    if season is not None:
        pods *= season[:, None]
    pods *= 1 - SLACK[pods.dtype.name]
    result: Paths = np.ceil(pods, out=pods)
    return result


def launch_day(growth: Growth, span: Span) -> int:
    """First day with pods, 0 where they run already. [days]"""
    return max(span.index(growth.start), 0) if growth.start else 0


def _log_paths(growth: Growth, span: Span, paths: int, rng: np.random.Generator | None) -> Paths:
    """Logarithm of the growth factor on each day; 0 until the launch."""
    import numpy as np

    mean, daily, unsure = log_rate(growth)
    first, days = launch_day(growth, span), span.days
    if rng is None:
        steps = np.maximum(np.arange(days + 1) - first, 0)
        return (mean * steps)[:, None].astype(np.float64)
    if growth.stddev:
        logs = rng.standard_normal((days + 1, paths), dtype=np.float32)
        logs *= np.float32(daily)
        logs += np.float32(mean)
    else:
        logs = np.full((days + 1, paths), mean, dtype=np.float32)
    if growth.uncertainty:
        logs += rng.standard_normal(paths, dtype=np.float32) * np.float32(unsure)
    logs[: first + 1] = 0
    for day in range(first + 1, days + 1):  # row by row: half the time of numpy's cumsum down the columns
        np.add(logs[day], logs[day - 1], out=logs[day])
    return logs


def _with_steps(logs: Paths, growth: Growth, now: int, span: Span) -> Paths:
    """Pods before seasons: the growth since the last step times the level that the step left."""
    import numpy as np

    first, levels = launch_day(growth, span), None
    begin, anchor = 0, logs[0].copy()
    for day, step in [*coming_steps(growth, span), (span.days + 1, None)]:
        level = float(now) if levels is None else levels
        last = logs[day].copy() if step else anchor
        part = logs[begin:day]
        part -= anchor
        np.exp(part, out=part)
        part *= level
        if step:
            levels = _stepped(level * np.exp(last - anchor), step)
        begin, anchor = day, last
    logs[:first] = 0
    return logs


def _stepped(level: Any, step: GrowthStep) -> Any:
    """The level after a step, never below 0."""
    import numpy as np

    if step.replicas is not None:
        return np.full_like(level, step.replicas)
    if step.factor is not None:
        return level * level.dtype.type(step.factor)
    return np.maximum(level + (step.add or 0), 0)


def coming_steps(growth: Growth, span: Span) -> Iterator[tuple[int, GrowthStep]]:
    """Steps after day 0 and within the span; earlier ones are in the replicas of now."""
    for step in growth.steps:
        if 0 < span.index(step.day) <= span.days:
            yield span.index(step.day), step


def season_factors(growth: Growth, span: Span) -> npt.NDArray[np.float64] | None:
    """Weekday's times month's factor of each day; None where the plan has no season."""
    import numpy as np

    if not growth.weekly and not growth.yearly:
        return None
    weekly = growth.weekly or (1,) * 7
    yearly = growth.yearly or (1,) * 12
    days = (span.on(d) for d in range(span.days + 1))
    return np.array([float(weekly[day.weekday()] * yearly[day.month - 1]) for day in days])
