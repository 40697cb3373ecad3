"""Comparisons at their exact limits, on a node between two steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from math import inf
from random import Random

import pytest

from capacity.plan.cni_env import CniSettings
from capacity.sim.ec2_api import Bucket, CallFailed, Ec2Api
from capacity.sim.ec2_side import ALL_CALLS, Ec2Eni, SubnetFull
from capacity.sim.ipam_store import StoredEni
from capacity.sim.node_life import new_node, next_change
from capacity.sim.node_setup import node_setup
from capacity.sim.pool_manager import increase, initialise, reconcile, update
from capacity.sim.pool_targets import deletable_eni
from capacity.sim.simulated_node import NEVER, SimulatedNode, Steps, call
from tests.conformance.ipamd_recordings import LATENCY_MS

NOW = 1_000_000


def node(env: dict[str, str] | None = None) -> SimulatedNode:
    """A node whose primary ENI has its nine addresses, at rest long since."""
    header = {"max_enis": 4, "ipv4_per_eni": 10, "max_pods": 29, "subnet": "10.0.0.0/24", "end": 2_000}
    fresh = new_node(node_setup(header | {"latency_ms": LATENCY_MS, "env": env or {}}))
    fresh.now = NOW
    fresh.store.enis[0] = StoredEni(0, 0)
    for base in fresh.ec2.assign(0, 9):
        fresh.store.add_cidr(0, base)
    return fresh


def second_eni(of: SimulatedNode, created: int) -> StoredEni:
    number = of.ec2.create(9)
    of.store.enis[number] = StoredEni(number, created)
    of.ec2.enis[number].attached = True
    for base in of.ec2.enis[number].cidrs:
        of.store.add_cidr(number, base)
    return of.store.enis[number]


def place(on: SimulatedNode, pods: int, first: int = 1) -> None:
    for pod in range(first, first + pods):
        assert on.store.place(pod, NOW) is not None


def full_node(env: dict[str, str]) -> SimulatedNode:
    """Five addresses on the primary ENI, each with a pod, and none left in the subnet."""
    full = node(env)
    for base in sorted(full.store.enis[0].cidrs)[5:]:
        full.store.drop_cidr(0, base)
        full.ec2.enis[0].cidrs.remove(base)
    place(full, 5)
    full.ec2.space.take(full.ec2.space.free)
    return full


def play(on: SimulatedNode, steps: Steps, then: Callable[[], object] | None = None) -> list[str]:
    """The EC2 calls of some steps, in order; ``then`` happens while the first call runs."""
    made: list[str] = []
    for milliseconds in steps:
        if then:
            then()
            then = None
        made += (on.calls - Counter(made)).elements()
        on.now += milliseconds
    return made + list((on.calls - Counter(made)).elements())


@pytest.mark.parametrize(("age", "reconciles"), [(60_000, False), (60_001, True)])
def test_reconciliation_needs_more_than_60_seconds(age: int, reconciles: bool) -> None:
    idle = node()
    idle.ec2.add(Ec2Eni(idle.ec2.space.take(1)))
    idle.last_action = NOW - age
    assert bool(list(reconcile(idle))) == reconciles
    assert (idle.last_action == NOW) == reconciles


@pytest.mark.parametrize(("age", "grows"), [(120_000, False), (120_001, True)])
def test_an_increase_needs_more_than_120_seconds(age: int, grows: bool) -> None:
    low = node()
    low.last_insufficient = NOW - age
    assert bool(list(increase(low))) == grows


@pytest.mark.parametrize(("age", "decreases"), [(30_000, False), (30_001, True)])
def test_a_decrease_needs_more_than_30_seconds(age: int, decreases: bool) -> None:
    high = node({"WARM_IP_TARGET": "1"})
    high.last_decrease = NOW - age
    assert bool(list(update(high))) == decreases


@pytest.mark.parametrize(("age", "freed"), [(59_999, False), (60_000, True)])
def test_an_eni_is_old_enough_at_60_seconds(age: int, freed: bool) -> None:
    rich = node()
    second_eni(rich, NOW - age)
    assert (deletable_eni(rich.setup, rich.store, NOW) is not None) == freed


@pytest.mark.parametrize(("age", "freed"), [(30_000, False), (30_001, True)])
def test_an_address_cools_down_for_30_seconds_inclusive(age: int, freed: bool) -> None:
    rich = node()
    eni = second_eni(rich, 0)
    base = min(eni.cidrs)
    eni.cidrs[base].left[base] = NOW - age
    assert (deletable_eni(rich.setup, rich.store, NOW) is not None) == freed


@pytest.mark.parametrize(("left", "known"), [(1, False), (0, True)])
def test_an_address_given_back_is_known_again_after_60_seconds(left: int, known: bool) -> None:
    idle = node()
    base = min(idle.store.enis[0].cidrs)
    idle.freed[base] = NOW + left
    assert list(reconcile(idle)) == ([100] if known else [])
    assert (base in idle.store.enis[0].cidrs) == known
    assert (base in idle.freed) != known


def test_an_eni_with_more_addresses_than_the_store_knows_counts_as_grown() -> None:
    low = node()
    given = set(low.store.enis[0].cidrs)
    for base in sorted(given)[:4]:
        low.store.drop_cidr(0, base)
    assert play(low, increase(low)) == ["AssignPrivateIpAddresses", "DescribeNetworkInterfaces"]
    assert set(low.store.enis[0].cidrs) == given
    assert low.last_action == low.now == NOW + 400


def test_extra_enis_are_judged_by_the_pool_at_the_updates_start() -> None:
    """A pod that goes during the increase would make the first empty ENI one too many."""
    low = node({"WARM_ENI_TARGET": "2"})
    place(low, 9)
    second_eni(low, 0)
    place(low, 1, first=10)
    second_eni(low, 0)
    assert low.stats.available == 17  # below 2 × 9
    calls = play(low, update(low), then=lambda: low.store.release(1, low.now))
    assert "CreateNetworkInterface" in calls
    assert low.stats.available == 27  # 3 × 9
    assert "DetachNetworkInterface" not in calls


def test_without_discovery_a_full_subnet_ends_the_increase() -> None:
    low = full_node({"ENABLE_SUBNET_DISCOVERY": "false", "WARM_IP_TARGET": "1"})
    assert play(low, increase(low)) == ["AssignPrivateIpAddresses"] * 2
    assert low.last_insufficient == low.now
    assert low.last_action == NEVER


def test_with_discovery_a_full_subnet_is_found_full_by_a_new_eni_too() -> None:
    low = full_node({"WARM_IP_TARGET": "1"})
    tries = ["AssignPrivateIpAddresses"] * 2 + ["DescribeSubnets", "CreateNetworkInterface"]
    assert play(low, increase(low)) == tries
    assert low.last_insufficient == low.now
    assert low.last_action == NEVER


def test_a_new_eni_is_for_what_lacks_after_the_failed_calls() -> None:
    """A pod goes meanwhile, so nothing lacks: no ENI, but an action all the same."""
    low = full_node({"WARM_IP_TARGET": "1"})
    calls = play(low, increase(low), then=lambda: low.store.release(1, low.now))
    assert calls == ["AssignPrivateIpAddresses"] * 2
    assert low.last_insufficient == NEVER
    assert low.last_action == low.now


def test_a_failed_eni_takes_no_address() -> None:
    side = node().ec2
    free = side.space.free
    with pytest.raises(SubnetFull):
        side.create(free)
    assert side.space.free == free


def test_a_new_eni_is_an_action() -> None:
    low = node({"WARM_ENI_TARGET": "2"})
    assert play(low, increase(low))[-1] == "DescribeSubnets"
    assert low.last_action == low.now > NOW


@pytest.mark.parametrize(("manages", "grows"), [(False, False), (True, True)])
def test_the_pool_of_a_cordoned_node_does_not_grow(*, manages: bool, grows: bool) -> None:
    """isENIAttachmentAllowed, pkg/ipamd/ipamd.go L955-965; AWS_MANAGE_ENIS_NON_SCHEDULABLE."""
    cordoned = node()
    place(cordoned, 9)
    cordoned.setup, cordoned.unschedulable = replace(cordoned.setup, manages_unschedulable=manages), True
    assert ("CreateNetworkInterface" in play(cordoned, increase(cordoned))) == grows


@pytest.mark.parametrize("cordoned", [False, True])
def test_a_cordoned_node_frees_no_eni(*, cordoned: bool) -> None:
    """tryFreeENI, pkg/ipamd/ipamd.go L855-858."""
    idle = node({"WARM_ENI_TARGET": "0"})
    second_eni(idle, NOW - 100_000)
    idle.unschedulable = cordoned
    assert (next_change(idle) <= NOW) == (not cordoned)
    assert ("DetachNetworkInterface" in play(idle, update(idle))) == (not cordoned)


def test_a_cordoned_node_still_releases_addresses() -> None:
    """decreaseDatastorePool, pkg/ipamd/ipamd.go L836-846, has no such test."""
    idle = node({"WARM_IP_TARGET": "2"})
    idle.unschedulable = True
    assert play(idle, update(idle)) == ["UnassignPrivateIpAddresses"]


def test_ipamd_that_exits_reads_everything_again_but_tags_nothing_twice() -> None:
    """nodeInit, pkg/ipamd/ipamd.go L458-672: TagENI calls EC2 for missing tags only; ages and the back-off are lost."""
    again = node()
    again.ec2.enis[0].tagged = True
    second_eni(again, 0)
    again.last_insufficient = NOW
    again.freed[7] = NOW + 1
    again.forget()
    assert (again.store.enis, again.last_insufficient, again.freed) == ({}, NEVER, {})
    made = play(again, initialise(again))
    assert Counter(made) == {"DescribeNetworkInterfaces": 1, "DescribeSubnets": 2, "ModifyNetworkInterfaceAttribute": 2}
    assert [(eni.created >= NOW, len(eni.cidrs)) for eni in again.store] == [(True, 9), (True, 9)]


def test_an_ipv6_node_gets_one_prefix_and_rests() -> None:
    """assignIPv6Prefix, pkg/ipamd/ipamd.go L1177-1214; the pool manager returns at once, L771-780."""
    fresh = node()
    fresh.store.enis.clear()
    fresh.setup = replace(fresh.setup, settings=CniSettings(ipv6=True))
    fresh.api = Ec2Api(dict.fromkeys(ALL_CALLS, 100))
    assert Counter(play(fresh, initialise(fresh))) == {
        "DescribeNetworkInterfaces": 2,
        "CreateTags": 1,
        "DescribeSubnets": 1,
        "AssignIpv6Addresses": 1,
        "ModifyNetworkInterfaceAttribute": 1,
    }
    assert fresh.ready
    assert next_change(fresh) == inf


def test_the_sdk_pays_for_retries_until_its_quota_is_used() -> None:
    """A retry costs 5 tokens; the one that succeeds gets them back; a call without a retry brings 1."""
    busy = node()
    busy.api = Ec2Api(dict.fromkeys(ALL_CALLS, 100), buckets={"CreateTags": Bucket(1, 0.0)}, random=Random(1))
    play(busy, call(busy, "CreateTags"))
    assert busy.retry_tokens == 500
    with pytest.raises(CallFailed):
        play(busy, call(busy, "CreateTags"))
    assert (busy.retry_tokens, busy.calls["CreateTags"]) == (500 - 9 * 5, 1 + 10)
    busy.retry_tokens = 12
    with pytest.raises(CallFailed):
        play(busy, call(busy, "CreateTags"))
    assert (busy.retry_tokens, busy.calls["CreateTags"]) == (2, 11 + 3)
    play(busy, call(busy, "DescribeSubnets"))
    assert busy.retry_tokens == 3
