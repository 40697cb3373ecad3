"""The same simulation with many seeds, on several processes: the results do not depend on how many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import nan, pi, sqrt, tan
from statistics import NormalDist, fmean, stdev

from capacity.sim.observed import SimulationResult, merged, quantile

LEVEL = 0.95  # of the confidence intervals

MEASURES: Mapping[str, Callable[[SimulationResult], float | None]] = {
    "delay_p50_s": lambda r: r.delay(50),
    "delay_p90_s": lambda r: r.delay(90),
    "delay_p99_s": lambda r: r.delay(99),
    "delay_max_s": lambda r: r.longest,
    "pods_started": lambda r: r.started,
    "pods_waited": lambda r: r.waited,
    "pods_never_started": lambda r: r.never + r.still_waiting,
    "pods_unschedulable": lambda r: r.pending,
    "ec2_calls": lambda r: r.total_calls,
    "throttled_calls": lambda r: sum(r.throttled.values()),
    "throttled_s": lambda r: r.throttled_s,
    "launch_failures": lambda r: r.launch_failures,
}


@dataclass(frozen=True, slots=True)
class Interval:
    """Mean of a measure over the seeds, with its 95% confidence interval, and the range.

    ``low`` and ``high`` are None with a single seed.
    """

    mean: float
    low: float | None
    high: float | None
    least: float
    most: float


@dataclass(frozen=True)
class Distribution:
    """Simulations of one scenario with several seeds, in the order of the seeds.

    Attributes
    ----------
    measures : mapping of str to Interval
        Of :data:`MEASURES`; one without a value in every simulation is left out.
    exhausted : mapping of str to float
        Share of the simulations in which a subnet runs out.
    """

    results: tuple[SimulationResult, ...]
    measures: Mapping[str, Interval]
    exhausted: Mapping[str, float]

    @property
    def first(self) -> SimulationResult:
        """The one with the first seed: its timeline is shown."""
        return self.results[0]

    def delay(self, percent: float) -> float | None:
        """The wait that ``percent`` of the pods of all simulations do not exceed. [s]"""
        return quantile(merged(r.delays for r in self.results), percent)


def distribution(results: Sequence[SimulationResult]) -> Distribution:
    """Several simulations together."""
    found = {}
    for name, measure in MEASURES.items():
        values = [value for result in results if (value := measure(result)) is not None]
        if len(values) == len(results):
            found[name] = interval(values)
    names = [subnet.name for subnet in results[0].subnets]
    out = {
        name: fmean(any(s.name == name and s.exhausted_at is not None for s in r.subnets) for r in results)
        for name in names
    }
    return Distribution(tuple(results), found, out)


def interval(values: Sequence[float]) -> Interval:
    """Mean, Student's 95% confidence interval of it, and range.

    >>> interval([1, 2, 3, 4, 5])
    Interval(mean=3.0, low=1.037, high=4.963, least=1, most=5)
    """
    mean = fmean(values)
    if len(values) < 2:
        return Interval(mean, None, None, min(values), max(values))
    half = student(len(values) - 1) * stdev(values) / sqrt(len(values))
    return Interval(mean, round(mean - half, 3), round(mean + half, 3), min(values), max(values))


def student(degrees: int, level: float = LEVEL) -> float:
    """Two-sided quantile of Student's distribution: exact for 1 and 2 degrees, else Cornish–Fisher's expansion.

    >>> [round(student(n), 3) for n in (1, 2, 4, 9, 1000)]
    [12.706, 4.303, 2.776, 2.262, 1.962]
    """
    if degrees < 1:
        return nan
    p = (1 + level) / 2
    if degrees == 1:
        return tan(pi * (p - 0.5))
    if degrees == 2:
        return (2 * p - 1) * sqrt(2 / (4 * p * (1 - p)))
    z, n = NormalDist().inv_cdf(p), degrees
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * n**4)
    )


def over_seeds(
    play: Callable[[int], SimulationResult],
    seeds: Sequence[int],
    jobs: int,
    progress: Callable[[int, int], None] | None = None,
) -> Distribution:
    """Play one simulation with each seed on ``jobs`` processes; an interruption keeps those that are done.

    ``play`` is picklable: a function of a module, or a ``partial`` of one.
    """
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    done: list[SimulationResult] = []

    def keep(result: SimulationResult) -> None:
        done.append(result)
        if progress:
            progress(len(done), len(seeds))

    try:
        if jobs == 1 or len(seeds) == 1:
            for seed in seeds:
                keep(play(seed))
                if not done[-1].complete:
                    break
        else:
            with ProcessPoolExecutor(min(jobs, len(seeds)), mp_context=get_context("spawn")) as pool:
                try:
                    for result in pool.map(play, seeds):
                        keep(result)
                except KeyboardInterrupt:
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
    except KeyboardInterrupt:
        if not done:
            raise
    whole = [result for result in done if result.complete]
    return distribution(whole or done)
