"""EC2's API as the nodes of an account see it: latency, failures, and a token bucket for each action.

One :class:`Ec2Api` is shared by all nodes. Times in milliseconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from math import exp
from random import Random
from typing import NamedTuple

THROTTLED, FAILED = "throttled", "failed"
# aws/amazon-vpc-cni-k8s@b5218838 pkg/awsutils/awssession/session.go: at most 10 tries of the standard retryer of the
# SDK for Go v2, whose pause is random up to 2, 4, 8 … s, at most 20 s (aws/retry/jitter_backoff.go).
MOST_TRIES = 10
LONGEST_PAUSE = 20_000
# aws/aws-sdk-go-v2 aws/retry/standard.go: each client pays for retries; one that succeeds gets its price back.
RETRY_TOKENS, RETRY_PRICE, NO_RETRY_GAIN = 500, 5, 1
THROTTLED_ANSWER = 20  # an error comes back at once


class Bucket(NamedTuple):
    """Tokens of an action: the most that wait, and how many come each second."""

    size: float
    per_second: float


class CallFailed(Exception):
    """EC2 answered a call with an error that is not about addresses."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(slots=True)
class Ec2Api:
    """The API of one account in one Region.

    Attributes
    ----------
    latency : mapping of str to int
        Of each action. [ms]
    spread : float
        Sigma of the latencies' lognormal distribution around those values; 0: all are equal.
    failing : mapping of str to float
        Share of the calls of an action that fail.
    buckets : mapping of str to Bucket
        Token buckets by action; an action without one is never throttled.
    random : Random or None
        Needed with a spread, failures or buckets.
    calls, throttled : Counter
        Calls so far by action, and those that were throttled.
    throttled_seconds : set of int
        Seconds in which a call was throttled.
    tokens : dict
        Of each action the tokens left, and since when.
    """

    latency: Mapping[str, int]
    spread: float = 0.0
    failing: Mapping[str, float] = field(default_factory=dict)
    buckets: Mapping[str, Bucket] = field(default_factory=dict)
    random: Random | None = None
    calls: Counter[str] = field(default_factory=Counter)
    throttled: Counter[str] = field(default_factory=Counter)
    throttled_seconds: set[int] = field(default_factory=set)
    tokens: dict[str, tuple[float, int]] = field(default_factory=dict)

    def send(self, kind: str, now: int) -> tuple[int, str | None]:
        """Time until the answer, and its error: ``throttled``, ``failed`` or None. [ms]"""
        self.calls[kind] += 1
        if self.random is None:
            return self.latency[kind], None
        if kind in self.buckets and not self._token(kind, now):
            self.throttled[kind] += 1
            self.throttled_seconds.add(now // 1000)
            return THROTTLED_ANSWER, THROTTLED
        wait = self.latency[kind]
        if self.spread:
            wait = round(wait * exp(self.random.gauss(0.0, self.spread)))
        share = self.failing.get(kind, 0.0)
        return wait, FAILED if share and self.random.random() < share else None

    def _token(self, kind: str, now: int) -> bool:
        bucket = self.buckets[kind]
        left, since = self.tokens.get(kind, (bucket.size, now))
        left = min(left + (now - since) * bucket.per_second / 1000, bucket.size)
        given = left >= 1
        self.tokens[kind] = left - given, now
        return given

    def pauses(self) -> Iterator[Callable[[], int]]:
        """One for each try: the pause before the next. [ms]"""
        return (partial(self._pause, number) for number in range(MOST_TRIES))

    def _pause(self, number: int) -> int:
        assert self.random is not None
        return round(self.random.random() * min(2000 << number, LONGEST_PAUSE))
