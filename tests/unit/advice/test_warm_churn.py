"""Which nodes are simulated under churn, for how long, and the loops of settings whose unit target is 0."""

from __future__ import annotations

import pytest

from capacity.advice.warm_churn import (
    ChurnAsked,
    ChurnLoad,
    churn_figures,
    flap_calls_per_hour,
    hours_for,
    typical_loads,
)
from capacity.cni.calls import call_costs
from capacity.cni.node_limits import NodeLimits
from capacity.plan.cni_env import CniSettings

M5_LARGE = NodeLimits(3, 0, 9, 0, 0, windows=False)


def load(pods: int, nodes: int) -> ChurnLoad:
    return ChurnLoad(M5_LARGE, CniSettings(), 29, pods, nodes)


def test_each_load_stands_for_its_quarters_of_the_nodes() -> None:
    found = typical_loads([load(20, 1), load(5, 6), load(9, 1)])  # 5 is 6 of 8 nodes: three quarters
    assert {(one.pods, one.nodes) for one in found} == {(5, 3), (20, 1)}
    assert typical_loads([load(7, 100)]) == [load(7, 4)]


def test_the_time_is_between_half_an_hour_and_a_day() -> None:
    assert hours_for(ChurnAsked(2.0, 10.0), 10_000, 4) == 0.5
    assert hours_for(ChurnAsked(0.1, 1000.0), 1, 1) == 24.0


@pytest.mark.parametrize(
    ("settings", "custom", "discovery", "calls"),
    [
        (CniSettings(warm_eni=0), False, True, 468),
        (CniSettings(prefix=True, warm_prefix=0), False, True, 236),
        (CniSettings(warm_eni=0), False, False, 425),
    ],
)
def test_rounds_of_a_pool_that_flaps(settings: CniSettings, custom: bool, discovery: bool, calls: int) -> None:
    """As ipamd itself made them in an hour of virtual time, EC2 answering in 0.2 to 0.3 s."""
    costs = call_costs(custom_networking=custom, subnet_discovery=discovery)
    assert round(flap_calls_per_hour(M5_LARGE, settings, costs)) == pytest.approx(calls, abs=12 if not discovery else 0)


def test_a_full_pool_makes_no_pod_wait_and_an_empty_one_makes_all_wait() -> None:
    asked = ChurnAsked(2.0)
    plenty = churn_figures([CniSettings()], [load(9, 1)], asked, 1.0, discovery=True)
    assert (plenty.waited, plenty.delay_p99_s, plenty.calls_per_hour) == (0.0, 0.0, 0.0)
    starved = churn_figures([CniSettings(minimum_ip=3)], [load(9, 1)], asked, 1.0, discovery=True)
    assert starved.waited > 0.9
