"""Questions about the pool whose answer hangs on one comparison."""

from __future__ import annotations

from dataclasses import replace

import pytest

from capacity.sim.ipam_store import IpamStore, PoolStats, StoredEni
from capacity.sim.node_setup import NodeSetup, node_setup
from capacity.sim.pool_targets import (
    deletable_eni,
    deletable_from,
    extra_enis,
    room_for_eni,
    short_of_targets,
    too_low,
    too_many,
    wanted,
)
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


def test_a_pool_that_holds_both_targets_lacks_nothing() -> None:
    both = setup(WARM_IP_TARGET="5", MINIMUM_IP_TARGET="30")
    assert short_of_targets(both, stats(30, 25)) == 0
    assert not too_low(setup(WARM_IP_TARGET="5"), stats(25, 20))
    assert short_of_targets(both, stats(28, 20)) == 2
    assert short_of_targets(both, stats(30, 27)) == 2


def test_what_is_wanted_of_ec2() -> None:
    assert wanted(setup(WARM_ENI_TARGET="1"), store(1, (9, 9))) == 9
    assert wanted(setup(WARM_IP_TARGET="5"), store(1, (9, 7))) == 3
    by_addresses = setup("prefix", WARM_IP_TARGET="40")
    assert wanted(by_addresses, store(16, (1, 10))) == 3  # 34 addresses
    assert wanted(by_addresses, store(16, (3, 0))) == 1  # never less
    by_prefixes = setup("prefix", WARM_PREFIX_TARGET="3")
    assert wanted(by_prefixes, store(16, (2, 1))) == 2  # one of the two is free
    assert wanted(by_prefixes, store(16, (3, 0))) == 1


@pytest.mark.parametrize(("total", "assigned", "over"), [(20, 3, 10), (20, 7, 8), (10, 8, 0), (9, 0, 0)])
def test_addresses_above_both_targets(total: int, assigned: int, over: int) -> None:
    both = setup(WARM_IP_TARGET="5", MINIMUM_IP_TARGET="10")
    assert too_many(both, store(1, (9, 0)), stats(total, assigned)) == over


@pytest.mark.parametrize(
    ("total", "assigned", "over"),
    [(80, 17, 3), (79, 17, 2), (80, 1, 4), (80, 11, 4), (80, 12, 3), (32, 31, 0)],
)
def test_whole_prefixes_above_the_warm_addresses(total: int, assigned: int, over: int) -> None:
    """With 17 pods and 5 warm addresses 22 are needed, 2 prefixes of 5; 4 prefixes have no pod."""
    settings = setup("prefix", WARM_IP_TARGET="5")
    assert too_many(settings, store(16, (5, 1)), stats(total, assigned)) == over


def test_free_prefixes_above_the_warm_ones() -> None:
    settings = setup("prefix", WARM_PREFIX_TARGET="2")
    found = [too_many(settings, store(16, (cidrs, 1)), stats(16 * cidrs, 1)) for cidrs in (2, 3, 5)]
    assert found == [0, 0, 2]
    assert too_many(setup(WARM_ENI_TARGET="1"), store(1, (9, 0)), stats(9, 0)) == 0


def test_an_eni_may_be_freed_from_one_more_than_the_warm_ones_on() -> None:
    secondary, prefix = setup(WARM_ENI_TARGET="1"), setup("prefix", WARM_PREFIX_TARGET="1")
    full = store(16, (1, 1), (1, 1))
    assert [extra_enis(secondary, store(1, (9, 0), (9, 0)), stats(n, 0)) for n in (17, 18)] == [False, True]
    assert [extra_enis(prefix, full, stats(n, 0)) for n in (287, 288)] == [False, True]  # 2 × 16 × 9
    assert extra_enis(setup(WARM_IP_TARGET="1"), full, stats(0, 0))


def test_an_eni_without_pods_may_be_freed_but_not_the_first_nor_the_trunk() -> None:
    prefix = setup("prefix", WARM_PREFIX_TARGET="1")
    assert not extra_enis(prefix, store(16, (1, 0), (1, 1)), stats(32, 1))
    assert extra_enis(prefix, store(16, (1, 1), (1, 0)), stats(32, 1))
    trunk = store(16, (1, 1), (1, 0))
    trunk.enis[1].trunk = True
    assert not extra_enis(prefix, trunk, stats(32, 1))


@pytest.mark.parametrize(("left", "since"), [(None, 60_000), (10_000, 60_000), (29_999, 60_000), (50_000, 80_001)])
def test_an_eni_is_freed_after_a_minute_and_after_the_cooldown_of_its_addresses(left: int | None, since: int) -> None:
    pool = store(1, (9, 9), (9, 0))
    eni = pool.enis[1]
    if left is not None:
        eni.by_address[0].left = {eni.by_address[0].base: left}
    assert deletable_from(setup(WARM_ENI_TARGET="0"), pool, eni) == since


def test_unmanaged_enis_and_one_trunk_leave_the_rest() -> None:
    pod_eni = setup(ENABLE_POD_ENI="true")
    assert room_for_eni(pod_eni, store(1, (9, 0)))
    assert not room_for_eni(replace(setup(), unmanaged=1), store(1, (9, 0), (9, 0)))
    assert room_for_eni(replace(setup(), unmanaged=1), store(1, (9, 0)))


def test_the_warm_prefix_of_an_eni_without_pods_is_kept() -> None:
    prefix = setup("prefix", WARM_PREFIX_TARGET="1")
    assert deletable_eni(prefix, store(16, (1, 1), (1, 0)), 100_000) is None
    assert deletable_eni(prefix, store(16, (2, 1), (1, 0)), 100_000) is not None


def test_an_eni_is_freed_from_the_first_moment_on() -> None:
    pool = store(1, (9, 9), (9, 0))
    settings = setup(WARM_ENI_TARGET="0")
    assert [deletable_eni(settings, pool, now) is not None for now in (59_999, 60_000)] == [False, True]
    assert deletable_eni(settings, store(1, (9, 0), (9, 1)), 100_000) is None
