"""EC2 calls of a node's pool, by hand after section by section of ipamd's code."""

from __future__ import annotations

import pytest

from capacity.catalog.table import load_catalog
from capacity.cni.calls import (
    CallCosts,
    call_costs,
    launch_calls,
    start_calls,
    stop_calls,
)
from capacity.cni.node_pool import held, node_limits
from capacity.plan.cni_env import CniSettings

DEFAULT = call_costs(custom_networking=False, subnet_discovery=True)


def figures(name: str, settings: CniSettings, max_pods: int, pods: int) -> tuple[list[int], list[int], int]:
    limits = node_limits(load_catalog().get(name), settings)
    both = [held(limits, settings, max_pods, n) for n in range(pods + 1)]
    return [int(s) for s, _ in both], [int(e) for _, e in both], limits.idle_primary


def launched(name: str, settings: CniSettings, pods: int, costs: CallCosts = DEFAULT, max_pods: int = 110) -> int:
    """From a fresh node until so many pods run."""
    slots, enis, idle = figures(name, settings, max_pods, pods)
    trunk = node_limits(load_catalog().get(name), settings).trunk
    return int(launch_calls(slots[0], enis[0], idle, costs, trunk) + sum(start_calls(slots, enis, costs)))


@pytest.mark.parametrize(
    ("custom", "discovery", "eni", "start", "trunk"),
    [
        (False, True, 6, 4, 2),  # Create, DescribeInstances, Attach, Modify + DescribeSubnets twice
        (False, False, 5, 3, 1),
        (True, True, 5, 3, 2),
        (True, False, 4, 2, 1),
    ],
)
def test_a_further_eni_and_the_start(custom: bool, discovery: bool, eni: int, start: int, trunk: int) -> None:
    assert call_costs(custom_networking=custom, subnet_discovery=discovery) == CallCosts(
        launch=start, new_eni=eni, trunk=trunk
    )


class TestLaunch:
    def test_fresh_node_with_the_defaults(self) -> None:
        assert launched("m5.large", CniSettings(), 0) == 5  # 4 to start, 1 AssignPrivateIpAddresses

    def test_fresh_node_with_custom_networking(self) -> None:
        settings = CniSettings(custom_networking=True)
        costs = call_costs(custom_networking=True, subnet_discovery=True)
        assert launched("m5.large", settings, 0, costs) == 8  # 3 to start, 5 for the ENI that serves pods

    def test_a_trunk_is_looked_at_and_its_subnet_looked_up(self) -> None:
        assert launched("m5.large", CniSettings(pod_eni=True), 0) == 5 + 2
        assert launched("m5.large", CniSettings(pod_eni=True, max_eni=1), 0) == 5  # no slot, no trunk
        assert launched("t3.small", CniSettings(pod_eni=True), 0) == 5  # a type without trunks

    @pytest.mark.parametrize(("pods", "warm"), [(0, 1), (9, 1), (10, 1), (27, 1), (0, 2), (30, 2)])
    def test_whole_enis_by_the_formula(self, pods: int, warm: int) -> None:
        k = 29  # c5.4xlarge: 8 ENIs of 30 addresses
        expected = 1 + 6 * (-(-pods // k) + warm - 1) + 4
        assert launched("c5.4xlarge", CniSettings(warm_eni=warm), pods, max_pods=234) == expected

    def test_a_minimum_saves_the_calls_of_its_pods(self) -> None:
        few = CniSettings(warm_ip=2)
        # 4 + 1 to start with two addresses; pods 1 to 7 fill the nine of the first ENI, the 8th makes a second
        # ENI (6 calls), and pods 9 and 10 take one call each
        assert launched("m5.large", few, 10, max_pods=29) == 5 + 7 + 6 + 2
        # with the minimum: 9 addresses in one call, a second ENI with the other 3, then nothing more
        assert launched("m5.large", CniSettings(warm_ip=2, minimum_ip=12), 10, max_pods=29) == 5 + 6

    def test_prefixes_come_sixteen_at_a_time(self) -> None:
        settings = CniSettings(prefix=True)
        assert launched("m5.large", settings, 40) == 5 + 3  # pods 1, 17 and 33 each ask for one more


class TestOnePodMoreOrLess:
    def test_single_addresses_cost_a_call_each_way(self) -> None:
        slots, enis, _ = figures("m5.large", CniSettings(warm_ip=1), 29, 5)
        assert start_calls(slots, enis, DEFAULT) == [1, 1, 1, 1, 1]
        assert stop_calls(slots, enis, whole_enis=False) == [1, 1, 1, 1, 1]

    def test_whole_enis_cost_only_where_one_fills_up(self) -> None:
        slots, enis, _ = figures("m5.large", CniSettings(), 29, 12)
        assert start_calls(slots, enis, DEFAULT) == [6, *[0] * 8, 6, 0, 0]  # pods 1 and 10
        assert stop_calls(slots, enis, whole_enis=True) == [3, *[0] * 8, 3, 0, 0]

    def test_below_the_minimum_pods_come_and_go_for_nothing(self) -> None:
        slots, enis, _ = figures("m5.large", CniSettings(warm_ip=2, minimum_ip=9), 29, 7)
        assert sum(start_calls(slots, enis, DEFAULT)) == sum(stop_calls(slots, enis, whole_enis=False)) == 0
