"""Questions about the pool whose answer hangs on one comparison."""

from __future__ import annotations

import pytest

from capacity.sim.ipam_store import IpamStore, PoolStats, StoredEni
from capacity.sim.node_setup import NodeSetup, node_setup
from capacity.sim.pool_targets import deletable_eni, room_for_eni, short_of_targets, too_low, too_many
from tests.conformance.ipamd_recordings import LATENCY_MS


def setup(mode: str = "secondary", instance_type: str = "m5.large", **env: str) -> NodeSetup:
    header = {"max_enis": 3, "ipv4_per_eni": 10, "max_pods": 29, "subnet": "10.0.0.0/20", "end": 100}
    header |= {"latency_ms": LATENCY_MS, "mode": mode, "env": env, "instance_type": instance_type}
    return node_setup(header)


def store(unit: int, *enis: tuple[int, int]) -> IpamStore:
    """ENIs of (CIDRs, pods), old and with nothing in cooldown; pods in the lowest addresses."""
    made, pod = IpamStore(unit, 30_000), 0
    for number, (cidrs, pods) in enumerate(enis):
        whole = made.enis
        made.enis = {number: StoredEni(number, 0)}
        for place in range(cidrs):
            made.add_cidr(number, 1_000 * number + unit * place)
        for _ in range(pods):
            pod += 1
            made.place(pod, 0)
        made.enis = whole | made.enis
    return made


def stats(total: int, assigned: int) -> PoolStats:
    return PoolStats(total, assigned)


@pytest.mark.parametrize(("total", "low"), [(28, True), (29, False), (30, False)])
def test_a_pool_of_max_pods_addresses_is_never_low(total: int, low: bool) -> None:
    assert too_low(setup(WARM_ENI_TARGET="1"), stats(total, total)) == low
    assert too_low(setup(WARM_IP_TARGET="1"), stats(total, total)) == low


@pytest.mark.parametrize(("available", "low"), [(8, True), (9, False)])
def test_one_warm_eni_is_its_addresses(available: int, low: bool) -> None:
    assert too_low(setup(WARM_ENI_TARGET="1"), stats(18, 18 - available)) == low


@pytest.mark.parametrize(("available", "low"), [(0, True), (1, False)])
def test_a_target_of_0_is_low_without_addresses(available: int, low: bool) -> None:
    assert too_low(setup(WARM_ENI_TARGET="0"), stats(18, 18 - available)) == low
    assert too_low(setup("prefix", WARM_PREFIX_TARGET="0"), stats(16, 16 - available)) == low


def test_targets_count_whole_prefixes() -> None:
    both = setup("prefix", WARM_IP_TARGET="5", MINIMUM_IP_TARGET="40")
    assert short_of_targets(both, stats(0, 0)) == 3
    assert short_of_targets(both, stats(16, 12)) == 2
    assert too_many(both, store(16, (5, 1)), stats(80, 1)) == 2


@pytest.mark.parametrize(("free_elsewhere", "freed"), [(31, False), (32, True)])
def test_other_enis_keep_whole_prefixes_of_warm_addresses(free_elsewhere: int, freed: bool) -> None:
    """WARM_IP_TARGET=20 is two prefixes, 32 addresses."""
    pool = store(16, (3, 48 - free_elsewhere), (1, 0))
    found = deletable_eni(setup("prefix", WARM_IP_TARGET="20", WARM_PREFIX_TARGET="0"), pool, 100_000)
    assert (found is not None) == freed


@pytest.mark.parametrize(("pods", "freed"), [(17, False), (16, True)])
def test_other_enis_keep_the_warm_prefix_even_with_ip_targets(pods: int, freed: bool) -> None:
    settings = setup("prefix", WARM_IP_TARGET="1", WARM_PREFIX_TARGET="1")
    found = deletable_eni(settings, store(16, (2, pods), (1, 0)), 100_000)
    assert (found is not None) == freed


@pytest.mark.parametrize(("least", "freed"), [("9", True), ("10", False)])
def test_other_enis_keep_the_minimum(least: str, freed: bool) -> None:
    found = deletable_eni(setup(MINIMUM_IP_TARGET=least), store(1, (9, 9), (9, 0)), 100_000)
    assert (found is not None) == freed


@pytest.mark.parametrize(
    ("instance_type", "pod_eni", "room"),
    [("m5.large", "false", True), ("m5.large", "true", False), ("t3.small", "true", True)],
)
def test_a_slot_is_reserved_for_an_awaited_trunk(instance_type: str, pod_eni: str, room: bool) -> None:
    of = setup(instance_type=instance_type, ENABLE_POD_ENI=pod_eni)
    assert room_for_eni(of, store(1, (9, 0), (9, 0))) == room
    attached = store(1, (9, 0), (0, 0))
    attached.enis[1].trunk = True
    assert room_for_eni(of, attached)
