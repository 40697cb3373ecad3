"""Forecast when each subnet of a history runs out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from capacity.errors import SpecError, check_each, check_function, check_kind, check_switch, did_you_mean
from capacity.forecast.certain import Progress
from capacity.forecast.fit import FEWEST_DAYS, LINEAR, Fit, draw, fit
from capacity.forecast.quantile import day_quantiles, rank
from capacity.forecast.result import (
    INSUFFICIENT,
    OK,
    QUANTILES,
    Backtest,
    Fan,
    ForecastResult,
    SubnetForecast,
    check_paths,
)
from capacity.forecast.series import EPOCH, FREE, DailySeries
from capacity.forecast.span import Horizon
from capacity.plan.model import Plan

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

NONE_LEFT = 0.5  # fewer free addresses than this count as none
STALE_DAYS = 30
FAN_DATES = 53
CHUNK = 1000  # draws processed together
BACKTEST_ORIGINS = 8
BACKTEST_PATHS = 1000
FEWEST_CHECKED = 7  # days after an origin


def forecast_history(
    series: Sequence[DailySeries],
    span: Horizon,
    usable: Mapping[str, int],
    wanted: Sequence[str] = (),
    paths: int = 10_000,
    seed: int = 1,
    *,
    backtest: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> ForecastResult:
    """Forecast when each subnet runs out if its history continues.

    Parameters
    ----------
    usable : mapping of str to int
        Sizes of subnets that override those in the file. [addresses]
    wanted : sequence of str
        Subnets of a plan; those without a history are in the answer as insufficient data.

    Notes
    -----
    Only observations up to ``span.start`` are used. A subnet has run out on the first day on which its free
    addresses round to none.
    """
    _check_series(series)
    check_kind("span", span, Horizon, "a Horizon, as returned by parse_horizon")
    check_kind("usable", usable, Mapping, "a mapping of subnets to sizes, as returned by sizes_of")
    check_each("wanted", wanted, str, "a list of the names of subnets")
    check_function("progress", progress)
    check_switch("backtest", backtest)
    check_paths(paths, seed)
    order = [*wanted, *(s.name for s in series if s.name not in wanted)]
    by_name = {s.name: s for s in series}
    found = []
    for i, name in enumerate(order):
        found.append(_subnet(name, by_name.get(name), span, usable.get(name), paths, seed, backtest))
        progress(i + 1, len(order))
    unknown = [s.name for s in series if wanted and s.name not in wanted]
    more = [f"not in the plan, so their size is from the file: {', '.join(unknown)}"] if unknown else []
    return ForecastResult(
        start=span.start,
        end=span.end,
        paths=paths,
        seed=seed,
        exact=False,
        scenario="history",
        subnets=tuple(found),
        notes=tuple(more),
    )


def sizes_of(series: Sequence[DailySeries], plan: Plan | None, given: Mapping[str, int]) -> dict[str, int]:
    """Usable addresses of subnets: the size given by name, otherwise that of the plan, otherwise the size given for all
    ("").

    Raises
    ------
    SpecError
        A size for a subnet that is neither in a history nor in the plan.
    """
    _check_series(series)
    if plan is not None:
        check_kind("plan", plan, Plan, "a Plan, as returned by read_plan, or None")
    check_kind("given", given, Mapping, "a mapping of subnets to sizes, such as {'private-a': 251}")
    known = {s.name: s.usable for s in plan.subnets} if plan else {}
    names = list(dict.fromkeys([*known, *(s.name for s in series)]))
    for name in given:
        if name and name not in names:
            hint = did_you_mean(name, names) or f" (known: {', '.join(names[:10])})"
            raise SpecError(f"--usable: neither a history nor a plan has {name!r}{hint}")
    if "" in given:
        known = dict.fromkeys(names, given[""]) | known
    return known | {name: size for name, size in given.items() if name}


def _check_series(value: object) -> None:
    check_each("series", value, DailySeries, "a list of DailySeries, as returned by daily_series")


@dataclass(frozen=True, slots=True, eq=False)
class _Past:
    """History as addresses used; if only free ones are known, as minus these."""

    days: npt.NDArray[np.int64]
    used: Floats
    size: int | None

    @property
    def limit(self) -> float:
        """Number of used addresses at which none are free."""
        return (self.size or 0) - NONE_LEFT


def _subnet(
    name: str, series: DailySeries | None, span: Horizon, known: int | None, paths: int, seed: int, backtest: bool
) -> SubnetForecast:
    import numpy as np

    series = series.until(span.start) if series else None
    if series is None:
        return _insufficient(name, known, None, f"no history up to {span.start}")
    size = known if known is not None else series.usable
    past = _past(series, size)
    now = None if size is None else round(float(past.used[-1]))
    missing = _missing(series, size)
    if missing:
        return _insufficient(name, size, now, missing)
    if now is not None and size is not None and now > size:
        return _insufficient(name, size, now, f"{now:,} used addresses in a subnet of {size:,}: the size is wrong")
    start = span.start.toordinal() - EPOCH.toordinal()
    late = start - int(past.days[-1])  # days between the last observation and day 0
    rng = np.random.default_rng((seed, *name.encode()))
    fitted = None if past.used[-1] >= past.limit else fit(past.days, past.used, positive=size is not None)
    first, used = np.zeros(paths, dtype=np.int32), np.empty((0, 0))
    shown = _fan_days(span)
    if fitted:
        used = np.empty((len(shown), paths))
        for begin in range(0, paths, CHUNK):  # memory does not grow with the draws
            here = slice(begin, min(begin + CHUNK, paths))
            drawn = draw(fitted, late + span.days, here.stop - begin, rng)
            first[here] = _first_days(drawn, past.limit, late, span)
            used[:, here] = drawn[late + shown - 1]
    days = day_quantiles(first, span.days + 1, QUANTILES)
    low, mid, high = (None if d is None else span.on(d) for d in days)
    probability = float(np.mean(first <= span.days))
    return SubnetForecast(
        name=name,
        method="history",
        status=OK,
        usable=size,
        used_now=now,
        date_p10=low,
        date_p50=mid,
        date_p90=high,
        probability=probability,
        fan=_fan(used, shown, span) if fitted and size is not None else None,
        note=_words(days, probability, span, late, fitted is None),
        trend=_trend(series, fitted),
        backtest=_backtest(past, seed) if backtest else None,
    )


def _past(series: DailySeries, size: int | None) -> _Past:
    if series.kind == FREE:
        return _Past(series.days, (size or 0) - series.values, size)
    return _Past(series.days, series.values, size)


def _missing(series: DailySeries, size: int | None) -> str:
    """What is missing for a forecast; "" if nothing is missing."""
    if series.kind != FREE and size is None:
        return f"used addresses, but the size of the subnet is not known (--usable {series.name}=N, or a plan)"
    count, span = len(series.days), int(series.days[-1] - series.days[0]) + 1
    if count < FEWEST_DAYS:
        days = "1 day" if count == 1 else f"{count} days"
        return f"{days} with an observation, at least {FEWEST_DAYS} are required ({series.first} to {series.last})"
    if count < span / 10:
        return f"observations on {count} of {span} days, at least a tenth is required"
    return ""


def _insufficient(name: str, size: int | None, now: int | None, why: str) -> SubnetForecast:
    return SubnetForecast(name, "history", INSUFFICIENT, size, now, None, None, None, None, None, why)


def _first_days(drawn: Floats, limit: float, late: int, span: Horizon) -> npt.NDArray[np.int32]:
    """First day of the span without free addresses, never before its start; days + 1 if there is none."""
    import numpy as np

    short = drawn >= limit
    first = np.where(short.any(axis=0), short.argmax(axis=0) + 1 - late, span.days + 1)
    return np.clip(first, 0, span.days + 1).astype(np.int32)


def _fan_days(span: Horizon) -> npt.NDArray[np.int64]:
    import numpy as np

    days = np.rint(np.linspace(1, span.days, min(FAN_DATES, span.days)))
    return np.unique(days.astype(np.int64))


def _fan(used: Floats, days: npt.NDArray[np.int64], span: Horizon) -> Fan:
    """Bands of the addresses used, never below 0."""
    import numpy as np

    rows = np.sort(np.maximum(used, 0), axis=1)
    low, mid, high = (rows[:, rank(q, rows.shape[1])] for q in QUANTILES)
    return Fan(tuple(span.on(int(d)) for d in days), low, mid, high)


def _words(days: Sequence[int | None], probability: float, span: Horizon, late: int, out: bool) -> str:
    old = f"; its last observation is {late} days before {span.start}" if late > STALE_DAYS else ""
    if out:
        return f"no address was free at its last observation{old}"
    if probability == 0:
        return f"does not run out before {span.end}{old}"
    if days[1] is None:
        return f"runs out before {span.end} in {100 * probability:.3g}% of simulations{old}"
    if days[2] is None:
        return f"in {100 * (1 - probability):.3g}% of simulations it does not run out before {span.end}{old}"
    return old.removeprefix("; ")


def _trend(series: DailySeries, fitted: Fit | None) -> dict[str, Any]:
    """Figures of the trend found in the history."""
    found: dict[str, Any] = {
        "first_day": series.first.isoformat(),
        "last_day": series.last.isoformat(),
        "days": len(series.days),
        "observations": series.observations,
    }
    if fitted is not None:
        found |= {
            "addresses_per_day": round(fitted.trend_per_day(), 4),
            "linear": round(fitted.share(LINEAR), 3),
            "persistence": round(fitted.persistence(), 3),
            "weekly": fitted.design.weekly,
            "yearly": fitted.design.yearly,
            "steps": [(EPOCH + timedelta(days=s)).isoformat() for s in fitted.design.steps],
        }
    return found


# --- backtest -------------------------------------------------------------------------------


@dataclass(slots=True)
class _Score:
    inside: int = 0
    points: int = 0
    dates_inside: int = 0
    dates: int = 0


def _backtest(past: _Past, seed: int) -> Backtest:
    """Forecast from earlier days of the history and compare with the later observations.

    From each of up to eight days between half and nine tenths of the history: every later observation against
    P10 and P90 of its day; and, where the forecast falls, the day on which the level is reached that P50 has
    half-way through the rest. A level that was not reached counts as reached after the end: within the
    interval if P90 is later, and without an error in days.
    """
    import numpy as np

    score = _Score()
    errors: list[float] = []
    date_errors: list[float] = []
    origins = [o for o in _origins(past.days) if o + 1 >= FEWEST_DAYS]
    for number, origin in enumerate(origins):
        fitted = fit(past.days[: origin + 1], past.used[: origin + 1], positive=past.size is not None)
        rest_days, rest = past.days[origin + 1 :] - past.days[origin], past.used[origin + 1 :]
        ahead = int(rest_days[-1])
        rng = np.random.default_rng((seed, number))
        drawn = np.sort(draw(fitted, ahead, BACKTEST_PATHS, rng), axis=1)
        low, mid, high = (drawn[rest_days - 1, rank(q, BACKTEST_PATHS)] for q in QUANTILES)
        score.inside += int(((low <= rest) & (rest <= high)).sum())
        score.points += len(rest)
        errors += np.abs(mid - rest).tolist()
        level = drawn[(ahead - 1) // 2, rank(0.5, BACKTEST_PATHS)]
        if level > past.used[origin]:
            paths = draw(fitted, ahead, BACKTEST_PATHS, rng)
            _score_date(score, date_errors, paths >= level, rest_days, rest >= level, ahead)
    return Backtest(
        origins=len(origins),
        points=score.points,
        coverage=score.inside / score.points if score.points else None,
        median_abs_error=float(np.median(errors)) if errors else None,
        dates=score.dates,
        date_coverage=score.dates_inside / score.dates if score.dates else None,
        date_error_days=float(np.median(date_errors)) if date_errors else None,
    )


def _origins(days: npt.NDArray[np.int64]) -> list[int]:
    """Observations to forecast from, at least a week before the end."""
    import numpy as np

    count = len(days)
    wanted = np.unique(np.rint(np.linspace(0.5, 0.9, BACKTEST_ORIGINS) * (count - 1)).astype(int))
    return [int(o) for o in wanted if count - 1 - o >= FEWEST_CHECKED]


def _score_date(score: _Score, errors: list[float], reached: Any, days: Any, came: Any, ahead: int) -> None:
    """Whether the day a level was reached lay within the interval, and how far it was from P50."""
    import numpy as np

    never = ahead + 1
    first = np.where(reached.any(axis=0), reached.argmax(axis=0) + 1, never).astype(np.int32)
    low, mid, high = (never if d is None else d for d in day_quantiles(first, never, QUANTILES))
    true = int(days[came.argmax()]) if came.any() else never
    score.dates += 1
    score.dates_inside += low <= true <= high
    if came.any():
        errors.append(abs(mid - true))


def last_day(series: Sequence[DailySeries]) -> date:
    """Day of the last observation of any series."""
    return max(s.last for s in series)
