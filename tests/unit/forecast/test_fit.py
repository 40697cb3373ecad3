"""Histories of a known law: does the 80 % interval hold the truth about 80 % of the time?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pytest

from capacity.forecast.fit import EXPONENTIAL, draw, find_steps, fit
from capacity.forecast.from_history import forecast_history, sizes_of
from capacity.forecast.quantile import count_quantiles, day_quantiles, rank
from capacity.forecast.result import INSUFFICIENT, OK, SubnetForecast
from capacity.forecast.series import EPOCH, FREE, USED, DailySeries
from capacity.forecast.span import Horizon

Floats = npt.NDArray[np.float64]
DAY0 = date(2026, 1, 5)
SERIES, PAST, AHEAD, DRAWS = 150, 150, 420, 300


def line(rng: np.random.Generator, t: Floats) -> Floats:
    return 300 + 1.0 * t + rng.normal(0, 8, len(t))


def weekly(rng: np.random.Generator, t: Floats) -> Floats:
    weekday: Floats = np.array([0.0, 5, 8, 6, 2, -20, -25])[t.astype(int) % 7]
    return 300 + 1.0 * t + weekday + rng.normal(0, 6, len(t))


def walk(rng: np.random.Generator, t: Floats) -> Floats:
    return 300 + np.cumsum(rng.normal(1, 5, len(t)))


def compound(rng: np.random.Generator, t: Floats) -> Floats:
    return 200 * 1.05 ** (t / 30) + rng.normal(0, 4, len(t))


# How far the share of hits may be from 0.8. With 150 series its standard error is √(0.8 × 0.2 ÷ 150) = 0.033, so
# 0.1 is three of them. A random walk is the hardest law: whether noise forgets is told by few data, and the
# prior of the fit leans to noise that does.
LAWS: dict[str, tuple[Callable[[np.random.Generator, Floats], Floats], int, float]] = {
    "line": (line, 650, 0.1),
    "weekly": (weekly, 650, 0.1),
    "walk": (walk, 650, 0.12),
    "compound": (compound, 420, 0.12),
}


@pytest.mark.parametrize("law", LAWS)
def test_the_interval_of_the_date_holds_the_truth_in_about_four_of_five(law: str) -> None:
    make, size, tolerance = LAWS[law]
    rng = np.random.default_rng(7)
    t = np.arange(PAST + AHEAD, dtype=float)
    hits = values = 0
    for _ in range(SERIES):
        used = np.round(make(rng, t))
        fitted = fit(np.arange(PAST), used[:PAST], positive=True)
        drawn = draw(fitted, AHEAD, DRAWS, rng)
        short = drawn >= size - 0.5
        first = np.where(short.any(axis=0), short.argmax(axis=0), AHEAD).astype(np.int32)
        low, _, high = (AHEAD if d is None else d for d in day_quantiles(first, AHEAD, (0.1, 0.5, 0.9)))
        came = used[PAST:] >= size
        true = int(came.argmax()) if came.any() else AHEAD
        hits += low <= true <= high
        ordered = np.sort(drawn[29])
        values += bool(ordered[rank(0.1, DRAWS)] <= used[PAST + 29] <= ordered[rank(0.9, DRAWS)])
    assert hits / SERIES == pytest.approx(0.8, abs=tolerance)
    assert values / SERIES == pytest.approx(0.8, abs=tolerance)


def test_the_logarithm_is_told_from_the_count_where_the_data_tell() -> None:
    t = np.arange(500.0)
    rng = np.random.default_rng(1)
    bent = fit(np.arange(500), 200 * 1.05 ** (t / 30) + rng.normal(0, 4, 500), positive=True)
    straight = fit(np.arange(500), 200 + t + rng.normal(0, 4, 500), positive=True)
    assert bent.share(EXPONENTIAL) > 0.99
    assert straight.share(EXPONENTIAL) < 0.01
    assert straight.trend_per_day() == pytest.approx(1.0, abs=0.01)
    assert straight.persistence() < 0.1


def test_quantiles_are_draws() -> None:
    values = np.array([[5, 1, 3, 2, 4], [7, 7, 7, 7, 9]], dtype=np.int32)
    assert count_quantiles(values, (0.2, 0.5, 0.9)).tolist() == [[1, 7], [3, 7], [5, 9]]
    assert day_quantiles(np.array([9, 3, 99, 99], dtype=np.int32), 99, (0.25, 0.5, 0.75)) == [3, 9, None]


# --- from a series to an answer -------------------------------------------------------------


def past(free: object, days: object = None, name: str = "a", usable: int | None = 500, kind: str = FREE) -> DailySeries:
    values = np.asarray(free, dtype=float)
    first = DAY0.toordinal() - EPOCH.toordinal()
    numbers = first + (np.arange(len(values)) if days is None else np.asarray(days, dtype=np.int64))
    return DailySeries(name, numbers, values, kind, usable, len(values))


def forecast(series: DailySeries, days: int = 400, backtest: bool = False) -> SubnetForecast:
    return forecast_history([series], Horizon(series.last, days), {}, paths=500, backtest=backtest).subnets[0]


def test_a_straight_line_gives_its_exact_date() -> None:
    # 400 free, 2 fewer a day: none on day 200
    found = forecast(past(400 - 2.0 * np.arange(60)))
    assert found.date_p10 == found.date_p50 == found.date_p90 == DAY0 + timedelta(days=200)
    assert (found.status, found.probability, found.trend["addresses_per_day"]) == (OK, 1.0, 2.0)


def test_gaps_change_nothing_on_a_straight_line() -> None:
    days = np.array([0, 1, 2, 5, 9, 10, 11, 17, 18, 25, 33, 34, 40, 47, 51, 59])
    found = forecast(past(400 - 2.0 * days, days))
    assert found.date_p50 == DAY0 + timedelta(days=200)


def test_without_a_size_free_addresses_are_enough() -> None:
    found = forecast(past(400 - 2.0 * np.arange(60), usable=None))
    assert found.date_p50 == DAY0 + timedelta(days=200)
    assert (found.usable, found.used_now, found.fan) == (None, None, None)


def test_a_constant_series_never_runs_out() -> None:
    found = forecast(past(np.full(90, 37.0)))
    assert (found.status, found.probability, found.date_p10) == (OK, 0.0, None)
    assert found.note.startswith("does not run out before")


def test_an_enlarged_subnet_does_not_hide_the_trend() -> None:
    t = np.arange(120)
    free = 300 - 2.0 * t + np.where(t >= 70, 250, 0) + np.array([1, 0, -1])[t % 3]
    found = forecast(past(free, usable=600))
    assert found.trend["steps"] == [(DAY0 + timedelta(days=70)).isoformat()]
    assert found.date_p50 is not None
    assert abs((found.date_p50 - (DAY0 + timedelta(days=275))).days) <= 3  # 550 − 2·t = 0


def test_a_weekly_pattern_is_not_a_step() -> None:
    t = np.arange(100)
    assert find_steps(t, np.where(t % 7 < 5, 200.0, 120.0)) == ()


def test_weekdays_are_learnt() -> None:
    t = np.arange(70)
    found = forecast(past(300 - 1.0 * t + np.where((t + 1) % 7 < 2, 40, 0)))
    assert found.trend["weekly"] is True
    assert found.date_p50 is not None
    assert found.date_p50.weekday() < 5  # the busy days, when 40 fewer are free


UNSIZED = "used addresses, but the size of the subnet is not known (--usable a=N, or a plan)"


@pytest.mark.parametrize(
    ("series", "why"),
    [
        (past([5, 4, 3]), "3 days with an observation, at least 14 are required (2026-01-05 to 2026-01-07)"),
        (past([5]), "1 day with an observation, at least 14 are required (2026-01-05 to 2026-01-05)"),
        (
            past([300] * 30, kind=USED, usable=None),
            UNSIZED,
        ),
        (past([300] * 30, kind=USED, usable=200), "300 used addresses in a subnet of 200: the size is wrong"),
        (past([9] * 15, np.arange(15) * 20), "observations on 15 of 281 days, at least a tenth is required"),
    ],
)
def test_too_little_is_said_and_not_guessed(series: DailySeries, why: str) -> None:
    found = forecast(series)
    assert (found.status, found.note) == (INSUFFICIENT, why)
    assert (found.date_p10, found.date_p50, found.date_p90, found.probability, found.fan) == (None,) * 5


def test_nothing_left_today() -> None:
    found = forecast(past([*range(20, 0, -1), 0]))
    assert found.date_p10 == found.date_p90 == DAY0 + timedelta(days=20)
    assert found.note == "no address was free at its last observation"


def test_only_what_was_known_by_then_is_used() -> None:
    series = past(np.append(400 - 2.0 * np.arange(60), np.full(300, 5.0)))
    then = forecast_history([series], Horizon(DAY0 + timedelta(days=59), 300), {}, paths=300).subnets[0]
    assert then.date_p50 == DAY0 + timedelta(days=200)
    before = forecast_history([series], Horizon(DAY0 - timedelta(days=9), 300), {}, paths=300).subnets[0]
    assert (before.status, before.note) == (INSUFFICIENT, "no history up to 2025-12-27")


def test_an_old_history_is_carried_on_to_today_and_says_so() -> None:
    series = past(400 - 2.0 * np.arange(60))
    found = forecast_history([series], Horizon(series.last + timedelta(days=100), 300), {}, paths=300).subnets[0]
    assert found.date_p50 == DAY0 + timedelta(days=200)
    assert found.note == "its last observation is 100 days before 2026-06-13"


def test_subnets_of_the_plan_without_a_history_are_in_the_answer() -> None:
    result = forecast_history([past([9] * 20)], Horizon(DAY0 + timedelta(days=19), 30), {"b": 251}, ["b"])
    assert [(s.name, s.status, s.usable) for s in result.subnets] == [("b", INSUFFICIENT, 251), ("a", OK, 500)]
    assert "not in the plan" in result.notes[0]


def test_sizes_by_name_come_before_the_plan_and_that_before_one_for_all() -> None:
    assert sizes_of([past([1])], None, {"": 251}) == {"a": 251}
    assert sizes_of([past([1])], None, {"": 251, "a": 11}) == {"a": 11}


def test_the_backtest_of_a_known_law_is_near_four_of_five() -> None:
    rng = np.random.default_rng(2)
    t = np.arange(240.0)
    tests = [forecast(past(500 - line(rng, t) / 2), backtest=True).backtest for _ in range(6)]
    coverage = [b.coverage for b in tests if b and b.coverage is not None]
    assert len(coverage) == 6
    assert np.mean(coverage) == pytest.approx(0.8, abs=0.12)  # points of one series stand and fall together
    first = tests[0]
    assert first is not None
    assert (first.origins, first.points) == (8, sum(239 - round(o * 239) for o in np.linspace(0.5, 0.9, 8)))
    assert first.dates > 0
    assert first.date_error_days is not None


def test_a_short_history_has_a_short_backtest() -> None:
    found = forecast(past(400 - 2.0 * np.arange(16)), backtest=True)
    assert found.backtest is not None
    assert (found.backtest.origins, found.backtest.coverage) == (0, None)
