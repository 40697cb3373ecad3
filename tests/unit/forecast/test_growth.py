"""Replicas along time, worked by hand, and the growth of a plan as it is read."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from capacity.errors import SpecError
from capacity.forecast.replicas import replica_paths, season_factors
from capacity.forecast.span import Horizon, parse_horizon
from capacity.plan.document import parse_yaml
from capacity.plan.growth import Growth, GrowthStep
from capacity.plan.parse import parse_plan

START = date(2027, 1, 1)  # a Friday
MONTH4 = Growth(Fraction(4, 100), "month")


def pods(growth: Growth | None, now: int, days: int, *at: int) -> list[int]:
    path = replica_paths(growth, now, Horizon(START, days))[:, 0]
    return [int(path[d]) for d in at]


def test_compound_growth_rounds_up() -> None:
    # 48 × 1.04^(d ÷ 30.4167): d = 0: 48; 1: 48.06; 365: 48 × 1.04^12 = 76.85; 730: 48 × 1.04^24 = 123.04
    assert pods(MONTH4, 48, 730, 0, 1, 365, 730) == [48, 49, 77, 124]


def test_a_whole_number_is_not_rounded_up() -> None:
    assert pods(Growth(Fraction(1), "year"), 50, 730, 0, 365, 730) == [50, 100, 200]


def test_shrinking_and_constant() -> None:
    assert pods(Growth(Fraction(-1, 2), "year"), 64, 730, 0, 365, 730) == [64, 32, 16]
    assert pods(None, 7, 9, 0, 9) == [7, 7]


def test_steps_add_multiply_and_set_and_growth_goes_on_from_there() -> None:
    growth = Growth(
        Fraction(1),
        "year",
        steps=(
            GrowthStep(date(2027, 1, 1), add=1000),  # day 0: in the replicas already
            GrowthStep(date(2028, 1, 1), add=20),  # day 365: 10 × 2 + 20 = 40
            GrowthStep(date(2028, 12, 31), factor=Fraction(1, 2)),  # day 730: 40 × 2 ÷ 2 = 40
            GrowthStep(date(2029, 12, 31), replicas=3),  # day 1095
        ),
    )
    assert pods(growth, 10, 1460, 0, 364, 365, 729, 730, 1094, 1095, 1460) == [10, 20, 40, 80, 40, 80, 3, 6]


def test_a_step_never_goes_below_zero() -> None:
    growth = Growth(Fraction(0), "month", steps=(GrowthStep(date(2027, 1, 3), add=-9),))
    assert pods(growth, 5, 4, 1, 2, 4) == [5, 0, 0]


def test_no_pods_before_the_launch_and_growth_counts_from_it() -> None:
    growth = Growth(Fraction(1), "year", start=date(2027, 1, 11))
    assert pods(growth, 10, 400, 0, 9, 10, 375) == [0, 0, 10, 20]
    assert pods(Growth(Fraction(1), "year", start=date(2020, 1, 1)), 10, 365, 0, 365) == [10, 20]


def test_a_mad_rate_stops_at_what_a_plan_may_say() -> None:
    mad = Growth(Fraction(4), "day", stddev=Fraction(3), steps=(GrowthStep(date(2027, 6, 1), factor=Fraction(900)),))
    drawn = replica_paths(mad, 5, Horizon(START, 3650), 50, np.random.default_rng(1))
    assert drawn[-1].max() == pytest.approx(10_000_000, rel=1e-6)
    assert pods(Growth(Fraction(4), "day"), 5, 3650, 3650) == [10_000_000]


def test_seasons_multiply() -> None:
    half = Fraction(1, 2)
    weekly = (Fraction(1),) * 5 + (half, half)
    yearly = (Fraction(1),) + (Fraction(2),) + (Fraction(1),) * 10
    growth = Growth(Fraction(0), "month", weekly=weekly, yearly=yearly)
    # day 0 Friday 1 January: 10; day 1 Saturday: 5; day 31 Monday 1 February: 20; day 36 Saturday 6 February: 10
    assert pods(growth, 10, 40, 0, 1, 31, 36) == [10, 5, 20, 10]
    factors = season_factors(growth, Horizon(START, 1))
    assert factors is not None
    assert factors.tolist() == [1.0, 0.5]


def test_draws_have_the_median_and_the_spread_that_the_plan_says() -> None:
    growth = Growth(Fraction(4, 100), "month", stddev=Fraction(1, 100))
    drawn = replica_paths(growth, 10_000, Horizon(START, 365), 20_000, np.random.default_rng(1))
    assert (drawn[0] == 10_000).all()
    assert np.median(drawn[365]) == pytest.approx(10_000 * 1.04**12, rel=0.002)
    # twelve independent months: σ of the logarithm = √12 × 0.01 ÷ 1.04 = 3.33 %
    assert np.log(drawn[365]).std() == pytest.approx(12**0.5 * 0.01 / 1.04, rel=0.03)


def test_an_uncertain_rate_is_one_draw_for_the_whole_time() -> None:
    growth = Growth(Fraction(4, 100), "month", uncertainty=Fraction(1, 100))
    drawn = replica_paths(growth, 100_000, Horizon(START, 365), 20_000, np.random.default_rng(1))
    # twelve times the same error: σ = 12 × 0.01 ÷ 1.04 = 11.5 %
    assert np.log(drawn[365]).std() == pytest.approx(12 * 0.01 / 1.04, rel=0.03)
    middle = np.log(drawn[182] / 100_000) / 182
    assert np.allclose(np.log(drawn[365] / 100_000) / 365, middle, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("90d", "2027-04-01"),
        ("2w", "2027-01-15"),
        ("18mo", "2028-07-01"),
        ("1 year", "2028-01-01"),
        ("2y", "2029-01-01"),
    ],
)
def test_horizons(text: str, end: str) -> None:
    assert parse_horizon(text, START).end.isoformat() == end


@pytest.mark.parametrize("text", ["", "18", "18 moons", "0d", "11y", "-3d", "9999y", "1e3d"])
def test_not_a_horizon(text: str) -> None:
    with pytest.raises(SpecError, match="--horizon"):
        parse_horizon(text, START)


def test_a_horizon_from_the_last_of_a_month_ends_on_the_last_of_a_shorter_one() -> None:
    assert parse_horizon("1mo", date(2027, 1, 31)).end == date(2027, 2, 28)


# --- in the plan ----------------------------------------------------------------------------

PLAN = """
apiVersion: capacity/v1
vpc:
  cidrs: [10.0.0.0/16]
  subnets: [{name: a, zone: z1, cidr: 10.0.0.0/24}]
nodeGroups: [{name: g, instanceTypes: [m5.large], subnets: [a]}]
workloads: [{name: w, replicas: 1, growth: GROWTH}]
"""


def read(growth: str) -> Any:
    return parse_plan(parse_yaml(PLAN.replace("GROWTH", growth), "p.yaml"), "p.yaml").workloads[0].growth


def test_growth_as_before() -> None:
    assert read("{rate: 4%/month, stddev: 1%}") == Growth(Fraction(1, 25), "month", Fraction(1, 100))


def test_everything_a_growth_can_say() -> None:
    growth = read(
        "{rate: 10%/year, uncertainty: 2%, from: 2027-02-01, "
        "steps: [{date: 2027-09-01, factor: 150%}, {date: 2027-03-01, add: -4}, {date: 2027-05-01, replicas: 8}], "
        "season: {weekly: {sat: 0.5}, yearly: {dec: 1.8}}}"
    )
    assert (growth.rate, growth.period, growth.uncertainty) == (Fraction(1, 10), "year", Fraction(1, 50))
    assert growth.start == date(2027, 2, 1)
    assert [s.day.month for s in growth.steps] == [3, 5, 9]
    assert (growth.steps[0].add, growth.steps[1].replicas, growth.steps[2].factor) == (-4, 8, Fraction(3, 2))
    assert growth.weekly == (1, 1, 1, 1, 1, Fraction(1, 2), 1)
    assert growth.yearly[11] == Fraction(9, 5)


def test_steps_alone_need_no_rate() -> None:
    assert read("{steps: [{date: 2027-03-01, add: 4}]}").rate == 0


@pytest.mark.parametrize(
    ("growth", "message"),
    [
        ("{}", r"p\.yaml:7 workloads\[0\]\.growth: is empty"),
        ("{stddev: 1%}", r"growth\.stddev: requires a rate"),
        ("{rate: 4%/month, from: soon}", r"growth\.from: 'soon' is not a date \(expected YYYY-MM-DD\)"),
        ("{steps: [{date: 2027-01-01}]}", r"steps\[0\]: expected exactly one of replicas, add and factor"),
        ("{steps: [{date: 2027-01-01, add: 1, factor: 2}]}", r"steps\[0\]: expected exactly one"),
        ("{steps: [{add: 1}]}", r"steps\[0\]: the key 'date' is missing"),
        ("{steps: [{date: 2027-01-01, add: 1}, {date: 2027-01-01, add: 2}]}", "duplicate step on 2027-01-01"),
        ("{steps: [{date: 2027-01-01, factor: 1001}]}", r"factor: '1001' is out of range"),
        ("{season: {weekly: {sun: -1}}}", r"season\.weekly\.sun"),
        ("{season: {weekly: {sunday: 1}}}", r"unknown key \(did you mean 'sun'\?\)"),
        ("{season: {monthly: {}}}", "unknown key"),
        ("{rate: 4%/month, until: 2027-01-01}", "unknown key"),
    ],
)
def test_a_growth_that_is_wrong(growth: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read(growth)
