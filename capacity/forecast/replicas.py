"""Replicas of a workload over time: compound growth, its uncertainty, steps, seasons and launch dates."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp, log1p, sqrt
from typing import TYPE_CHECKING, Any

from capacity.forecast.span import DAYS_PER, Horizon
from capacity.plan.growth import Growth, GrowthStep

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Paths = npt.NDArray[np.floating[Any]]

MOST_PODS = 10_000_000  # of one workload; draws are limited to this
MOST_LOG = 30.0  # of a growth factor; e^30 is beyond MOST_PODS, and its square within float32
SLACK = {"float64": 1e-9, "float32": 1e-6}  # rounding error that does not round a whole number up


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
    growth: Growth | None, now: int, span: Horizon, paths: int = 1, rng: np.random.Generator | None = None
) -> Paths:
    """Whole number of pods of one workload on each day of ``span``.

    Parameters
    ----------
    now : int
        Replicas on day 0, on a day whose season's factor is 1. [pods]
    paths : int
        Draws. Only a growth with ``stddev`` or ``uncertainty`` uses them; any other gives one column.
    rng : numpy.random.Generator, optional
        Required if the growth is random.

    Returns
    -------
    ndarray of float, shape (days + 1, paths) or (days + 1, 1)
        Rounded up, as the Horizontal Pod Autoscaler does: desired = ⌈current × load ratio⌉. At most ten million,
        the limit in a plan.

    Source
    ------
    kubernetes.io/docs, Horizontal Pod Autoscaling, "Algorithm details" (read 2026-11-25).

    Examples
    --------
    >>> from datetime import date
    >>> from fractions import Fraction
    >>> growth = Growth(Fraction(1, 10), "year")
    >>> replica_paths(growth, 100, Horizon(date(2027, 1, 1), 730))[[0, 1, 365, 730], 0].tolist()
    [100.0, 101.0, 110.0, 121.0]
    """
    import numpy as np

    days = span.days
    if growth is None:
        return np.full((days + 1, 1), float(now))
    noise = _noise(growth, span, paths, rng) if is_random(growth) else np.zeros((days + 1, 1))
    pods = _grown(noise, growth, now, span)
    season = season_factors(growth, span)
    if season is not None:
        pods *= season[:, None]
    result: Paths = np.ceil(pods, out=pods)
    return result


def launch_day(growth: Growth, span: Horizon) -> int:
    """First day with pods, 0 if they run already. [days]"""
    return max(span.index(growth.start), 0) if growth.start else 0


def _noise(growth: Growth, span: Horizon, paths: int, rng: np.random.Generator | None) -> Paths:
    """Log growth of a draw beyond its rate on each day; 0 until the launch."""
    import numpy as np

    assert rng is not None
    _, daily, unsure = log_rate(growth)
    first, days = launch_day(growth, span), span.days
    if growth.stddev:
        noise = rng.standard_normal((days + 1, paths), dtype=np.float32)
        noise *= np.float32(daily)
    else:
        noise = np.zeros((days + 1, paths), dtype=np.float32)
    if growth.uncertainty:
        noise += rng.standard_normal(paths, dtype=np.float32) * np.float32(unsure)
    noise[: first + 1] = 0
    for day in range(first + 1, days + 1):  # row by row: half the time of numpy's cumsum over the columns
        np.add(noise[day], noise[day - 1], out=noise[day])
    return noise


def _grown(noise: Paths, growth: Growth, now: int, span: Horizon) -> Paths:
    """Pods before seasons and rounding, written over ``noise``: between steps, level × rate × noise.

    Slightly less, so that a whole number is not rounded up because of its last digit.
    """
    import numpy as np

    mean, first, wild = log_rate(growth)[0], launch_day(growth, span), _may_overflow(growth, now, span)
    since = np.maximum(np.arange(span.days + 1) - first, 0)
    level: Any = float(now)
    begin, anchor = 0, noise[0].copy()
    for day, step in [*coming_steps(growth, span), (span.days + 1, None)]:
        if step:
            last = noise[day].copy()
            grown = np.exp(np.minimum(last - anchor + mean * (since[day] - since[begin]), MOST_LOG))
        part = noise[begin:day]
        if begin:
            part -= anchor
        if wild:
            np.minimum(part, MOST_LOG, out=part)
        np.exp(part, out=part)
        rate = np.exp(np.minimum(mean * (since[begin:day] - since[begin]), MOST_LOG)) * (1 - SLACK[noise.dtype.name])
        part *= (rate if begin else rate * level).astype(noise.dtype)[:, None]
        if begin:
            part *= level
        if wild:
            np.minimum(part, MOST_PODS, out=part)
        if step:
            level = np.minimum(_stepped(level * grown, step), MOST_PODS)
            begin, anchor = day, last
    noise[:first] = 0
    return noise


def _may_overflow(growth: Growth, now: int, span: Horizon) -> bool:
    """Whether a draw can come near the limit of pods, within eight standard deviations."""
    mean, daily, unsure = log_rate(growth)
    most = max(mean, 0) * span.days + 8 * (daily * sqrt(span.days) + unsure * span.days)
    return bool(growth.steps) or most > MOST_LOG or now * exp(most) > MOST_PODS


def _stepped(level: Any, step: GrowthStep) -> Any:
    """Level after a step, never below 0."""
    import numpy as np

    if step.replicas is not None:
        return np.full_like(level, step.replicas)
    if step.factor is not None:
        return level * level.dtype.type(step.factor)
    return np.maximum(level + (step.add or 0), 0)


def coming_steps(growth: Growth, span: Horizon) -> Iterator[tuple[int, GrowthStep]]:
    """Steps after day 0 and within the span; earlier ones are in the current replicas."""
    for step in growth.steps:
        if 0 < span.index(step.day) <= span.days:
            yield span.index(step.day), step


def season_factors(growth: Growth, span: Horizon) -> npt.NDArray[np.float64] | None:
    """Weekday factor times month factor of each day; None if the plan has no season."""
    import numpy as np

    if not growth.weekly and not growth.yearly:
        return None
    weekly = growth.weekly or (1,) * 7
    yearly = growth.yearly or (1,) * 12
    days = (span.on(d) for d in range(span.days + 1))
    return np.array([float(weekly[day.weekday()] * yearly[day.month - 1]) for day in days])
