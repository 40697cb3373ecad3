"""Fit trend, weekly and yearly season and noise of one series, and simulate its future.

The model of addresses used on day t, with φ from 0 (noise that forgets) to nearly 1 (a random walk with drift):

    y(t) = level + trend·t + weekday + yearly waves + steps + u(t),    u(t) = φ·u(t − 1) + e(t)

y is the count itself (growth in addresses per day) or its logarithm (growth in percent). Every combination of that
choice and φ is fitted by generalized least squares and weighted by its restricted likelihood. Simulations use all
combinations in proportion to their weights. In each draw the coefficients and the size of the noise are drawn from
their posterior distribution, and future e(t) are drawn from the residuals e(t) of the past (a residual bootstrap). The
width of the bands therefore includes the uncertainty of the trend.

Source
------
Restricted likelihood of a regression with AR(1) errors: Harville, JASA 72 (1977) 320; near φ = 1: Chen and Deo,
Econometric Theory 25 (2009) 1143. Comparison of count and logarithm on one scale: Box and Cox, JRSS B 26 (1964) 211.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Days = npt.NDArray[np.int64]

FEWEST_DAYS = 14  # with an observation; with fewer, a trend cannot be separated from weekly variation
WEEKLY_DAYS = 35  # five weeks, from which weekday effects are fitted
WEEKLY_COUNT = 3  # observations of each weekday
YEARLY_DAYS = 730
PERSISTENCE = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999)
WALK_PRIOR = 0.2  # prior probability that the noise is a random walk (the last φ)
LINEAR, EXPONENTIAL = "linear", "exponential"
EXPONENTIAL_PRIOR = 0.35  # prior probability: growth in percent needs more evidence than growth in addresses
SINGULAR = 1e-10  # threshold for columns that are nearly combinations of others
LEAST_VARIANCE = 1e-6  # minimum variance, for counts that are exactly on the line
STEP_WINDOW = 7  # days before and after a step whose medians are compared: each weekday once
STEP_SIGMAS = 6.0
LEAST_STEP = 4.0  # addresses


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Columns of the regression; rows can be computed for any days."""

    origin: int
    scale: float
    weekly: bool
    yearly: bool
    steps: tuple[int, ...]

    def rows(self, days: Days) -> Floats:
        """shape (n_days, n_columns): level, trend, six weekdays, four waves, steps."""
        import numpy as np

        t = (days - self.origin) / self.scale
        columns = [np.ones(len(days)), t]
        if self.weekly:
            columns += [(days % 7 == d).astype(float) - (days % 7 == 6) for d in range(6)]
        if self.yearly:
            angle = 2 * np.pi * days / 365.25
            columns += [wave(k * angle) for k in (1, 2) for wave in (np.sin, np.cos)]
        columns += [(days >= s).astype(float) for s in self.steps]
        return np.stack(columns, axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One combination of growth and persistence, fitted."""

    kind: str
    phi: float
    coefficients: Floats
    root: Floats  # of the coefficients' covariance over the variance of e
    variance: float
    residuals: Floats  # e, one per observation
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """All fitted combinations with their weights.

    Attributes
    ----------
    days, used : ndarray, shape (n,)
        The series: day numbers in order, addresses used.
    geometric_mean : float
        Geometric mean of ``used``, which puts logarithms on the scale of counts; 0 if only counts were fitted.
    """

    days: Days
    used: Floats
    design: Design
    geometric_mean: float
    candidates: tuple[Candidate, ...]

    def share(self, kind: str) -> float:
        """Weight of linear or exponential growth."""
        return float(sum(c.weight for c in self.candidates if c.kind == kind))

    def persistence(self) -> float:
        """Mean φ."""
        return float(sum(c.weight * c.phi for c in self.candidates))

    def trend_per_day(self) -> float:
        """Current growth, from the combination with the largest weight. [addresses/day]"""
        import numpy as np

        best = max(self.candidates, key=lambda c: c.weight)
        slope = float(best.coefficients[1]) / self.design.scale
        if best.kind == LINEAR:
            return slope
        return float(np.expm1(slope / self.geometric_mean) * self.used[-1])


def fit(days: Days, used: Floats, *, positive: bool) -> Fit:
    """Fit every combination.

    Parameters
    ----------
    days : ndarray of int
        Day numbers, strictly rising; gaps are allowed.
    used : ndarray of float
        Addresses used on these days. If only free addresses are known, minus these.
    positive : bool
        Whether ``used`` is a count above 0, so that growth in percent is defined.
    """
    import numpy as np

    span = int(days[-1] - days[0])
    design = Design(
        origin=int(days[-1]),
        scale=max(span, 1),
        weekly=_weekdays_known(days, span),
        yearly=span >= YEARLY_DAYS,
        steps=find_steps(days, used),
    )
    rows = design.rows(days)
    possible = positive and bool((used > 0).all()) and float(np.ptp(used)) > 0
    mean = float(np.exp(np.log(used).mean())) if possible else 0.0
    found = [_candidate(LINEAR, phi, days, rows, used) for phi in PERSISTENCE]
    if possible:
        found += [_candidate(EXPONENTIAL, phi, days, rows, mean * np.log(used)) for phi in PERSISTENCE]
    scores = np.array([score + _log_prior(c) for c, score in found])
    weights = np.exp(scores - scores.max())
    weights /= weights.sum()
    kept = tuple(
        Candidate(c.kind, c.phi, c.coefficients, c.root, c.variance, c.residuals, float(w))
        for (c, _), w in zip(found, weights, strict=True)
    )
    return Fit(days, used, design, mean, kept)


def _log_prior(c: Candidate) -> float:
    """Log prior probability of a combination."""
    walk = c.phi == PERSISTENCE[-1]
    memory = WALK_PRIOR if walk else (1 - WALK_PRIOR) / (len(PERSISTENCE) - 1)
    return log(memory) + log(EXPONENTIAL_PRIOR if c.kind == EXPONENTIAL else 1 - EXPONENTIAL_PRIOR)


def _weekdays_known(days: Days, span: int) -> bool:
    import numpy as np

    return span >= WEEKLY_DAYS and int(np.bincount(days % 7, minlength=7).min()) >= WEEKLY_COUNT


def _candidate(kind: str, phi: float, days: Days, rows: Floats, values: Floats) -> tuple[Candidate, float]:
    """Generalised least squares for one φ, and the logarithm of its restricted likelihood."""
    import numpy as np

    gaps = np.diff(days)
    spread = np.append(1.0, -np.expm1(2 * gaps * np.log(phi)) if phi else np.ones(len(gaps))) / (1 - phi * phi)
    pull = phi**gaps

    def whitened(x: Floats) -> Floats:
        later = x[1:] - (pull if x.ndim == 1 else pull[:, None]) * x[:-1]
        root = np.sqrt(spread)
        both = np.concatenate([x[:1], later])
        white: Floats = both / (root if x.ndim == 1 else root[:, None])
        return white

    x, y = whitened(rows), whitened(values)
    sides, sizes, axes = np.linalg.svd(x, full_matrices=False)
    kept = sizes > SINGULAR * sizes[0]
    root: Floats = (axes[kept] / sizes[kept, None]).T
    coefficients: Floats = root @ (sides[:, kept].T @ y)
    residuals = y - x @ coefficients
    freedom = max(len(y) - int(kept.sum()), 1)
    total = max(float(residuals @ residuals), LEAST_VARIANCE * freedom)
    score = -0.5 * (freedom * np.log(total) + 2 * np.log(sizes[kept]).sum() + np.log(spread).sum())
    stretched: Floats = residuals * np.sqrt(len(y) / freedom)
    stretched -= stretched.mean()
    made = Candidate(kind, phi, coefficients, root, total / freedom, stretched, 0.0)
    return made, float(score)


def find_steps(days: Days, used: Floats) -> tuple[int, ...]:
    """Days on which the level changes permanently: an enlarged subnet, a rebuilt cluster.

    A step is a day at which the medians of the seven observations before and after differ by more than six robust
    standard deviations of such differences, and most of it happens from one observation to the next.

    >>> import numpy as np
    >>> find_steps(np.arange(40), np.where(np.arange(40) < 20, 300.0, 120.0) + np.arange(40) % 3)
    (20,)
    """
    import numpy as np

    w = STEP_WINDOW
    if len(used) < 3 * w:
        return ()
    windows = np.median(np.lib.stride_tricks.sliding_window_view(used, w), axis=1)
    change = windows[w:] - windows[:-w]  # change[i] is at observation i + w
    middle = np.median(change)
    scale = 1.4826 * float(np.median(np.abs(change - middle)))
    limit = max(STEP_SIGMAS * scale, LEAST_STEP)
    found: list[int] = []
    left = np.abs(change - middle)
    while left.size and left.max() > limit:
        i = int(left.argmax())
        near = np.arange(max(i + w - 2, 1), min(i + w + 3, len(used)))
        at = int(near[np.abs(np.diff(used))[near - 1].argmax()])
        if abs(used[at] - used[at - 1]) >= 0.5 * abs(change[i]):
            found.append(int(days[at]))
        left[max(i - w, 0) : i + w + 1] = 0
    return tuple(sorted(found))


def draw(fitted: Fit, ahead: int, paths: int, rng: np.random.Generator) -> Floats:
    """Addresses used on the ``ahead`` days after the last observation: shape (ahead, paths)."""
    import numpy as np

    last = int(fitted.days[-1])
    future = fitted.design.rows(np.arange(last + 1, last + ahead + 1))
    here = fitted.design.rows(fitted.days[-1:])[0]
    which = rng.choice(len(fitted.candidates), size=paths, p=_exact([c.weight for c in fitted.candidates]))
    expected = np.empty((ahead, paths))
    noise = np.empty((ahead, paths))
    phi, away = np.empty(paths), np.empty(paths)
    for index in np.unique(which):
        mine = np.flatnonzero(which == index)
        c = fitted.candidates[index]
        freedom = max(len(fitted.days) - len(here), 1)
        size = np.sqrt(freedom / rng.chisquare(freedom, len(mine)))  # over the estimated standard deviation
        spread = c.root @ rng.standard_normal((c.root.shape[1], len(mine))) * np.sqrt(c.variance)
        coefficients = c.coefficients[:, None] + spread * size
        expected[:, mine] = future @ coefficients
        noise[:, mine] = rng.choice(c.residuals, size=(ahead, len(mine))) * size
        phi[mine] = c.phi
        away[mine] = _scaled(fitted, c.kind) - here @ coefficients
    for day in range(ahead):
        away = phi * away + noise[day]
        expected[day] += away
    logs = np.array([c.kind == EXPONENTIAL for c in fitted.candidates])[which]
    if logs.any():
        expected[:, logs] = np.exp(np.minimum(expected[:, logs] / fitted.geometric_mean, 30.0))
    return expected


def _scaled(fitted: Fit, kind: str) -> float:
    """The last observation on the scale of the fit."""
    import numpy as np

    value = float(fitted.used[-1])
    return value if kind == LINEAR else fitted.geometric_mean * float(np.log(value))


def _exact(weights: Sequence[float]) -> Any:
    import numpy as np

    array = np.asarray(weights)
    return array / array.sum()
