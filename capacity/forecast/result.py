"""Results of a forecast, as plain objects and arrays for charts and reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from capacity.errors import SpecError, check_count

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

QUANTILES = (0.1, 0.5, 0.9)
MOST_PATHS = 1_000_000
OK, INSUFFICIENT = "ok", "insufficient data"


@dataclass(frozen=True, slots=True, eq=False)
class Fan:
    """P10, P50 and P90 over time.

    Attributes
    ----------
    dates : tuple of date
    p10, p50, p90 : ndarray of float, shape (n_dates,)
        Addresses used in a subnet, or nodes of a group; quantiles of each date separately.
    """

    dates: tuple[date, ...]
    p10: npt.NDArray[np.float64]
    p50: npt.NDArray[np.float64]
    p90: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Backtest:
    """Accuracy of forecasts from earlier days of the same history.

    Attributes
    ----------
    origins : int
        Number of past days from which a forecast was made.
    points, coverage : int, float or None
        Later observations, and the share of them between P10 and P90; 0.8 is ideal.
    median_abs_error : float or None
        Median absolute error of P50. [addresses]
    dates, date_coverage, date_error_days : int, float or None, float or None
        Levels whose date was forecast and that were reached; the share of dates between P10 and P90;
        the median distance from P50.
    """

    origins: int
    points: int
    coverage: float | None
    median_abs_error: float | None
    dates: int
    date_coverage: float | None
    date_error_days: float | None


@dataclass(frozen=True, slots=True)
class SubnetForecast:
    """Forecast of one subnet.

    Attributes
    ----------
    method : str
        ``growth`` (of the plan) or ``history``.
    status : str
        ``ok`` or ``insufficient data``; with the latter, all forecast figures are None.
    usable, used_now : int or None
        [addresses]
    date_p10, date_p50, date_p90 : date or None
        Date by which it has run out in 10%, 50%, 90% of the simulations; None if fewer do within the horizon.
    probability : float or None
        Share of simulations that run out within the horizon.
    fan : Fan or None
        Addresses used over time.
    note : str
    The forecast in words.
    exhausted_in : tuple of str
        Scenarios in which check finds it exhausted today.
    trend : dict
        Trend of a history; empty for growth.
    """

    name: str
    method: str
    status: str
    usable: int | None
    used_now: int | None
    date_p10: date | None
    date_p50: date | None
    date_p90: date | None
    probability: float | None
    fan: Fan | None = None
    note: str = ""
    exhausted_in: tuple[str, ...] = ()
    trend: dict[str, Any] = field(default_factory=dict)
    backtest: Backtest | None = None


@dataclass(frozen=True, slots=True)
class GroupForecast:
    """Nodes of a group over time, and the date when half of the simulations reach its maximum or limits."""

    name: str
    nodes_max: int | None
    fan: Fan
    date_max_reached: date | None


@dataclass(frozen=True, slots=True)
class Already:
    """Scenario that check finds exhausted today: ``when`` (``at peak``) and the reason, both in words."""

    scenario: str
    when: str
    what: str


@dataclass(frozen=True, slots=True, repr=False)
class ForecastResult:
    """Result of ``forecast``.

    Attributes
    ----------
    start, end : date
        First and last day of the forecast.
    paths : int
        Draws; 1 if nothing is random.
    exact : bool
        Whether the engine computed each day (nothing is random).
    date_unschedulable, date_without_address : date or None
        Date when half of the simulations have pods for which the groups cannot start a node, and pods on nodes without
        an address; None if fewer do within the horizon.
    already : tuple of Already
        What check finds exhausted today, the scenario of the forecast first.
    notes : tuple of str
        Assumptions that affect the answer.
    """

    start: date
    end: date
    paths: int
    seed: int
    exact: bool
    scenario: str
    subnets: tuple[SubnetForecast, ...]
    groups: tuple[GroupForecast, ...] = ()
    date_unschedulable: date | None = None
    date_without_address: date | None = None
    already: tuple[Already, ...] = ()
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        drawn = "exact" if self.exact else f"{self.paths:,} simulations"
        return f"<ForecastResult {self.start} to {self.end}: {len(self.subnets)} subnets, {drawn}>"


def check_paths(paths: int, seed: int) -> None:
    """Refuse a count of simulations that is out of range, and a seed that is not a whole number."""
    check_count("--paths", paths)
    if not 1 <= paths <= MOST_PATHS:
        raise SpecError(f"--paths: {paths} is out of range (expected 1 to {MOST_PATHS:,})")
    check_count("--seed", seed)
