"""What a forecast answers, as plain objects and arrays; charts and reports read them as they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

QUANTILES = (0.1, 0.5, 0.9)
OK, INSUFFICIENT = "ok", "insufficient data"


@dataclass(frozen=True, slots=True, eq=False)
class Fan:
    """P10, P50 and P90 along time.

    Attributes
    ----------
    dates : tuple of date
    p10, p50, p90 : ndarray of float, shape (n_dates,)
        Of the addresses used in a subnet, or of the nodes of a group; each date for itself.
    """

    dates: tuple[date, ...]
    p10: npt.NDArray[np.float64]
    p50: npt.NDArray[np.float64]
    p90: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Backtest:
    """How earlier forecasts from the same history would have fared.

    Attributes
    ----------
    origins : int
        Days in the past from which it was forecast anew.
    points, coverage : int, float or None
        Later observations, and the share of them between P10 and P90; 0.8 is right.
    median_abs_error : float or None
        Of P50 against them. [addresses]
    dates, date_coverage, date_error_days : int, float or None, float or None
        Times that a level was reached whose date had been forecast; the share of dates between P10 and P90;
        the median distance of P50.
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
    """When one subnet runs out.

    Attributes
    ----------
    method : str
        ``growth`` (of the plan) or ``history``.
    status : str
        ``ok`` or ``insufficient data``; then every figure that needs a forecast is None.
    usable, used_now : int or None
        [addresses]
    date_p10, date_p50, date_p90 : date or None
        By which it has run out in 10, 50, 90 % of the draws; None where fewer do within the horizon.
    probability : float or None
        Share of draws that run out within the horizon.
    fan : Fan or None
        Addresses used along time.
    note : str
        In words.
    exhausted_in : tuple of str
        Scenarios in which check calls it exhausted today.
    trend : dict
        What a history was found to do; empty for growth.
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
    """Nodes of a group along time, and when half of the draws have all that it may have, its maximum or limits."""

    name: str
    nodes_max: int | None
    fan: Fan
    date_max_reached: date | None


@dataclass(frozen=True, slots=True)
class Already:
    """A scenario that check calls exhausted today: ``when`` in words (``at peak``), and what it lacks, in words."""

    scenario: str
    when: str
    what: str


@dataclass(frozen=True, slots=True)
class ForecastResult:
    """The answer of ``forecast``.

    Attributes
    ----------
    start, end : date
        First and last day looked at.
    paths : int
        Draws; 1 where nothing is random.
    exact : bool
        Whether the engine answered each day itself (nothing random).
    date_unschedulable, date_without_address : date or None
        When half of the draws have pods for which the groups may not start a node, and pods on nodes that get no
        address; None where fewer do within the horizon.
    already : tuple of Already
        What check calls exhausted today, the forecast's own scenario first.
    notes : tuple of str
        Assumptions that moved the answer.
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
        drawn = "exact" if self.exact else f"{self.paths:,} draws"
        return f"<ForecastResult {self.start} to {self.end}: {len(self.subnets)} subnets, {drawn}>"
