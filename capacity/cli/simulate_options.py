"""The options of `capacity simulate` about the world around the pools, and how they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.options import words
from capacity.errors import SpecError, did_you_mean

if TYPE_CHECKING:
    from capacity.sim.facade import Bucket, CronDemand, SimulationInputs


def complete_call(incomplete: str) -> list[str]:
    """EC2 calls for options CALL=VALUE."""
    from capacity.sim.ec2_side import ALL_CALLS

    return [f"{kind}=" for kind in ALL_CALLS if kind.startswith(incomplete)]


MOST_SEEDS = 10_000

Seed = Annotated[int, typer.Option("--seed", help="Random seed. The same seed gives the same answer.", metavar="N")]
For = Annotated[str, typer.Option("--for", help="Time to simulate: 90s, 30m, 24h, 7d.", metavar="TIME")]
Step = Annotated[
    str | None,
    typer.Option("--step", help="Interval between two rows of the timeline. Default: 120 intervals.", metavar="TIME"),
]
Churn = Annotated[
    str | None,
    typer.Option(
        "--churn",
        help="Pods that are replaced per node, such as 2/min or 30/h, in addition to the scenario. Default: what the "
        "plan's workloads state (churn).",
        metavar="RATE",
    ),
]
Curve = Annotated[
    str | None,
    typer.Option(
        "--curve",
        help="day or week: replicas follow the time of day, from replicas.now at midnight to replicas.max at noon "
        "(week: less on days 6 and 7).",
        metavar="NAME",
        autocompletion=words("day", "week"),
    ),
]
Cron = Annotated[
    list[str] | None,
    typer.Option(
        "--cron",
        help="A CronJob with pods like those of a workload: WORKLOAD=PODS/EVERY/DURATION, such as web=20/5m/90s. "
        "Repeatable.",
        metavar="JOB",
    ),
]
Latency = Annotated[
    list[str] | None,
    typer.Option(
        "--latency",
        help="Median latency of an EC2 call, such as AttachNetworkInterface=4s. Repeatable.",
        metavar="CALL=TIME",
        autocompletion=complete_call,
    ),
]
LatencySpread = Annotated[
    float | None,
    typer.Option(
        "--latency-spread", help="Standard deviation of the latencies' logarithm (0: all equal).", metavar="SIGMA"
    ),
]
Fail = Annotated[
    list[str] | None,
    typer.Option(
        "--fail",
        help="Share of calls that fail, such as CreateNetworkInterface=5%. Repeatable.",
        metavar="CALL=SHARE",
        autocompletion=complete_call,
    ),
]
BucketOption = Annotated[
    list[str] | None,
    typer.Option(
        "--bucket",
        help="Token bucket of an EC2 call: size and refill, such as AssignPrivateIpAddresses=100/5. Repeatable.",
        metavar="CALL=SIZE/RATE",
        autocompletion=complete_call,
    ),
]
NoThrottling = Annotated[bool, typer.Option("--no-throttling", help="No EC2 call is throttled.")]
NodeStart = Annotated[
    str, typer.Option("--node-start", help="Time from the launch of an instance until its CNI starts.", metavar="TIME")
]
NodeEnd = Annotated[
    str,
    typer.Option(
        "--node-end", help="Time from the termination of an instance until its addresses are free.", metavar="TIME"
    ),
]
PodStop = Annotated[
    str,
    typer.Option("--pod-stop", help="Time from the deletion of a pod until its address is released.", metavar="TIME"),
]
PodReady = Annotated[
    str,
    typer.Option(
        "--pod-ready", help="Time from the assignment of a pod's address until the pod is ready.", metavar="TIME"
    ),
]
Ramp = Annotated[
    str,
    typer.Option("--ramp", help="Time in which workloads grow to their maximum (peak and ceiling).", metavar="TIME"),
]


@dataclass(frozen=True)
class WorldOptions:
    """These options as given, named as the parameters of the command are."""

    length: str
    step: str | None
    churn: str | None
    latency: list[str] | None
    latency_spread: float | None
    fail: list[str] | None
    bucket: list[str] | None
    no_throttling: bool
    node_start: str
    node_end: str
    pod_stop: str
    pod_ready: str
    ramp: str


def inputs_of(given: WorldOptions) -> SimulationInputs:
    """The options as the simulator takes them.

    Raises
    ------
    SpecError
        A value is wrong; the message has the option.
    """
    from capacity.sim.facade import BUCKETS, LATENCY_MS, LATENCY_SPREAD, Pace, SimulationInputs
    from capacity.units import parse_duration, parse_percent

    def milliseconds(text: str, option: str) -> int:
        return round(1000 * parse_duration(text, option))

    if given.no_throttling and given.bucket:
        raise SpecError("--no-throttling contradicts --bucket")
    spread = LATENCY_SPREAD if given.latency_spread is None else given.latency_spread
    if not 0 <= spread <= 3:
        raise SpecError(f"--latency-spread: {spread:g} is out of range (expected 0 to 3)")
    seconds = seconds_of(given.length)
    step = None if given.step is None else parse_duration(given.step, "--step")
    if step is not None and not seconds / 100_000 <= step <= seconds:
        raise SpecError(
            f"--step: {given.step!r} is out of range (expected at most {given.length}, and 100,000 moments)"
        )
    buckets = {**BUCKETS, **{kind: _bucket(text) for kind, text in _by_call(given.bucket, "--bucket")}}
    if given.no_throttling:
        buckets = {}
    failing = {}
    for kind, text in _by_call(given.fail, "--fail"):
        failing[kind] = float(parse_percent(text, "--fail"))
        if failing[kind] > 0.95:
            raise SpecError(f"--fail: {kind}={text} is out of range (expected at most 95%)")
    return SimulationInputs(
        seconds=seconds,
        step_s=step,
        churn=0.0 if given.churn is None else rate(given.churn, "--churn"),
        latency_ms={**LATENCY_MS, **{k: milliseconds(v, "--latency") for k, v in _by_call(given.latency, "--latency")}},
        spread=spread,
        failing=failing,
        buckets=buckets,
        pace=Pace(
            node_start=milliseconds(given.node_start, "--node-start"),
            node_end=milliseconds(given.node_end, "--node-end"),
            pod_stop=milliseconds(given.pod_stop, "--pod-stop"),
            pod_ready=milliseconds(given.pod_ready, "--pod-ready"),
        ),
        ramp_s=parse_duration(given.ramp, "--ramp"),
    )


def seeds_of(first: int, number: int) -> range:
    """The values of ``--seed`` and ``--seeds``."""
    from capacity.cli.options import whole

    whole("--seed", first)
    if not 1 <= number <= MOST_SEEDS:
        raise SpecError(f"--seeds: {number} is out of range (expected 1 to {MOST_SEEDS:,})")
    return range(first, first + number)


def seconds_of(length: str) -> float:
    """The value of ``--for``. [s]"""
    from capacity.units import parse_duration

    seconds = parse_duration(length, "--for")
    if not 1 <= seconds <= 60 * 86_400:
        raise SpecError(f"--for: {length!r} is out of range (expected 1s to 60d)")
    return seconds


def rate(text: str, option: str) -> float:
    """``2/min`` as pods per minute."""
    from capacity.units import parse_rate

    try:
        return parse_rate(text)
    except SpecError as error:
        raise SpecError(f"{option}: {error}") from None


def _by_call(given: Sequence[str] | None, option: str) -> list[tuple[str, str]]:
    from capacity.sim.facade import ALL_CALLS

    found = []
    for text in given or ():
        kind, sign, value = text.partition("=")
        if not sign:
            raise SpecError(f"{option}: {text!r} is not CALL=VALUE")
        if kind not in ALL_CALLS:
            raise SpecError(f"{option}: the CNI makes no call {kind!r}{did_you_mean(kind, ALL_CALLS)}")
        found.append((kind, value))
    return found


def _bucket(text: str) -> Bucket:
    from capacity.sim.facade import Bucket

    size, sign, per_second = text.partition("/")
    try:
        bucket = Bucket(float(size), float(per_second))
    except ValueError:
        bucket = Bucket(0, 0)
    if not sign or not 1 <= bucket.size <= 1e6 or not 0 < bucket.per_second <= 1e6:
        raise SpecError(
            f"--bucket: {text!r} is not SIZE/RATE (expected something like 100/5: 100 tokens, 5 per second)"
        )
    return bucket


def cron_of(given: Sequence[str] | None) -> list[CronDemand]:
    """``web=20/5m/90s``: 20 pods every 5 minutes, each for 90 s."""
    from capacity.sim.facade import CronDemand
    from capacity.units import parse_duration

    found = []
    for text in given or ():
        name, sign, rest = text.rpartition("=")
        parts = rest.split("/")
        if not sign or len(parts) != 3 or not parts[0].isascii() or not parts[0].isdigit() or not int(parts[0]):
            raise SpecError(
                f"--cron: {text!r} is not WORKLOAD=PODS/EVERY/DURATION (expected something like web=20/5m/90s)"
            )
        every, lasts = (parse_duration(part, "--cron") for part in parts[1:])
        if every < 1:
            raise SpecError(f"--cron: {text!r} is out of range (expected every 1s or more)")
        found.append(CronDemand(name, int(parts[0]), every, lasts))
    return found
