"""Answers of the simulated EC2 API: latency, failures, token buckets and the pauses between tries."""

from __future__ import annotations

from math import exp
from random import Random

from capacity.sim.ec2_api import FAILED, MOST_TRIES, THROTTLED, Bucket, Ec2Api

LATENCY = {"AssignPrivateIpAddresses": 400, "CreateNetworkInterface": 900}
ASSIGN, CREATE = LATENCY


class Fixed(Random):
    """Always the same values."""

    def __init__(self, share: float, sigmas: float = 0.0) -> None:
        super().__init__(0)
        self.share, self.sigmas = share, sigmas

    def random(self) -> float:
        return self.share

    def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        return mu + self.sigmas * sigma


def test_without_chance_every_call_takes_its_latency() -> None:
    api = Ec2Api(LATENCY, spread=1.0, failing={ASSIGN: 1.0}, buckets={ASSIGN: Bucket(0, 0)})
    assert [api.send(kind, 0) for kind in (ASSIGN, CREATE, ASSIGN)] == [(400, None), (900, None), (400, None)]
    assert api.calls == {ASSIGN: 2, CREATE: 1}
    assert not api.throttled


def test_a_spread_multiplies_the_latency() -> None:
    assert Ec2Api(LATENCY, spread=0.5, random=Fixed(0.0, 1.0)).send(ASSIGN, 0) == (round(400 * exp(0.5)), None)
    assert Ec2Api(LATENCY, spread=0.5, random=Fixed(0.0, -1.0)).send(ASSIGN, 0) == (round(400 * exp(-0.5)), None)
    assert Ec2Api(LATENCY, random=Fixed(0.0, 1.0)).send(ASSIGN, 0) == (400, None)


def test_the_given_share_of_an_actions_calls_fails() -> None:
    failing = {ASSIGN: 0.25}
    assert Ec2Api(LATENCY, failing=failing, random=Fixed(0.24)).send(ASSIGN, 0) == (400, FAILED)
    assert Ec2Api(LATENCY, failing=failing, random=Fixed(0.25)).send(ASSIGN, 0) == (400, None)
    assert Ec2Api(LATENCY, failing=failing, random=Fixed(0.0)).send(CREATE, 0) == (900, None)
    assert Ec2Api(LATENCY, random=Fixed(0.0)).send(CREATE, 0) == (900, None)


def test_a_bucket_is_full_at_first_and_fills_again_to_its_size() -> None:
    api = Ec2Api(LATENCY, buckets={ASSIGN: Bucket(2, 0.5)}, random=Fixed(0.9))
    sent = [api.send(ASSIGN, 5_000)[1] for _ in range(3)]
    assert sent == [None, None, THROTTLED]
    assert api.send(ASSIGN, 6_998) == (20, THROTTLED)  # 0.999 tokens
    assert api.send(ASSIGN, 7_000) == (400, None)  # one token after 2 s, although calls were refused meanwhile
    assert api.send(ASSIGN, 7_001)[1] == THROTTLED
    assert [api.send(ASSIGN, 100_000)[1] for _ in range(3)] == [None, None, THROTTLED]  # no more than 2 are kept
    assert api.throttled == {ASSIGN: 4}
    assert api.throttled_seconds == {5, 6, 7, 100}
    assert api.calls[ASSIGN] == 9


def test_each_action_has_its_bucket() -> None:
    api = Ec2Api(LATENCY, buckets={ASSIGN: Bucket(1, 1), CREATE: Bucket(1, 1)}, random=Fixed(0.9))
    assert [api.send(kind, 0)[1] for kind in (ASSIGN, CREATE, ASSIGN)] == [None, None, THROTTLED]
    free = Ec2Api(LATENCY, buckets={ASSIGN: Bucket(1, 1)}, random=Fixed(0.9))
    assert [free.send(CREATE, 0)[1] for _ in range(5)] == [None] * 5


def test_pauses_double_from_2_s_to_20_s_at_most_and_are_random_below() -> None:
    pauses = [pause() for pause in Ec2Api(LATENCY, random=Fixed(1.0)).pauses()]
    assert pauses == [2_000, 4_000, 8_000, 16_000, *[20_000] * 6]
    assert len(pauses) == MOST_TRIES == 10
    assert [pause() for pause in Ec2Api(LATENCY, random=Fixed(0.25)).pauses()][:5] == [500, 1_000, 2_000, 4_000, 5_000]
