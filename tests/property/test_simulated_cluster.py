"""Whatever happens to a simulated cluster, its addresses are conserved; at rest it holds what the closed forms say."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import inf
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.cluster.node_state import BRANCH, EMPTY, NodeRoom, PodShape
from capacity.cni.facade import NodeLimits, pool_of
from capacity.plan.cni_env import CniSettings
from capacity.sim import happenings
from capacity.sim.cluster_life import Pace, SimulatedCluster
from capacity.sim.ec2_api import Bucket, Ec2Api
from capacity.sim.ec2_side import EC2_CALLS, AddressSpace
from capacity.sim.members import NodePlace, NodeSource, PodSource
from capacity.sim.node_life import NodeLife
from capacity.sim.node_simulation import setup_of, simulate_node
from capacity.sim.world_inputs import LATENCY_MS, SimulationInputs

SIZES = {26: 64, 25: 128, 24: 256}

node_settings = st.builds(
    CniSettings,
    prefix=st.booleans(),
    custom_networking=st.booleans(),
    warm_eni=st.integers(0, 2),
    warm_ip=st.sampled_from([0, 0, 1, 3, 8]),
    minimum_ip=st.sampled_from([0, 0, 2, 10]),
    warm_prefix=st.integers(0, 2),
)


def cluster_of(
    settings: CniSettings, bits: int, others: int, seed: int, *, trunk: bool, failing: bool
) -> SimulatedCluster:
    """Two zones, two workloads (one on branch ENIs), and an API that throttles and fails."""
    random = Random(seed)
    spaces = [AddressSpace(SIZES[bits], first=4096 * i, name=f"s{i}", random=random) for i in range(2)]
    homes = [AddressSpace(64, first=4096 * (i + 8), name=f"h{i}", random=random) for i in range(2)]
    for space in spaces:
        space.occupy(range(4, space.size), others)
    limits = NodeLimits(
        3 - settings.custom_networking - trunk, int(settings.custom_networking), 6, int(trunk), 0, False
    )
    setup = setup_of(limits, replace(settings, pod_eni=trunk), 20)
    places = tuple(
        NodePlace(f"z{i}", homes[i] if settings.custom_networking else spaces[i], spaces[i]) for i in range(2)
    )
    source = NodeSource("group", setup, NodeRoom(1000, 10**9, 20, 10**9, 9), EMPTY, places, daemons=1, least=1, most=6)
    works = [
        PodSource("web", PodShape(100, 1, 100, 1), (0,), surge=3, unavailable=1),
        PodSource("guarded", PodShape(50, 1, 50, 1, kind=BRANCH), (0,), surge=1),
    ]
    api = Ec2Api(
        LATENCY_MS,
        spread=0.3,
        failing=dict.fromkeys(EC2_CALLS, 0.1) if failing else {},
        buckets=dict.fromkeys(EC2_CALLS, Bucket(10, 1)),
        random=random,
    )
    used = [*spaces, *(homes if settings.custom_networking else ())]
    return SimulatedCluster([source], works, used, api, Pace(node_start=20_000), random)


def holdings(cluster: SimulatedCluster, seen: dict[int, object]) -> Counter[int]:
    """How often EC2 has each address, over all nodes that ever were."""
    held: Counter[int] = Counter()
    for member in cluster.members.values():
        seen[member.number] = member.life.node.ec2
    for ec2 in seen.values():
        for eni in ec2.enis.values():  # type: ignore[attr-defined]
            held.update(eni.own)
            for base in eni.cidrs:
                held.update(range(base, base + ec2.unit))  # type: ignore[attr-defined]
    return held


def check(
    cluster: SimulatedCluster, taken_at_start: int, seen: dict[int, object], branches: dict[int, list[int]]
) -> None:
    held = holdings(cluster, seen)
    for pod in cluster.pods.values():
        if pod.branch:
            branches[pod.number] = pod.branch
    assert all(times == 1 for times in held.values()), "an address is in two places"
    assert all(space.free >= 0 for space in cluster.spaces)
    with_pod: Counter[int] = Counter()
    for member in cluster.members.values():
        node = member.life.node
        store, limit = node.store, node.setup.per_eni
        assert all(len(eni.cidrs) <= limit for eni in store.enis.values())
        assert all(len(eni.cidrs) <= limit for eni in node.ec2.enis.values())
        assert len([e for e in node.ec2.enis.values() if e.attached]) <= node.setup.eni_limit
        assert store.total == sum(len(e.cidrs) for e in store.enis.values()) * store.unit
        assert len(store.pods) == sum(len(c.pods) for e in store.enis.values() for c in e.cidrs.values())
        assert store.empty_cidrs == sum(not c.pods for e in store.enis.values() for c in e.cidrs.values())
        with_pod.update(at for _, _, at in store.pods.values())
        assert {number for number, pod in member.pods.items() if pod.started is not None and pod.on_pool} >= set(
            store.pods
        )
    assert all(times == 1 for times in with_pod.values()), "two pods have one address"
    free = sum(space.free for space in cluster.spaces)
    taken = sum(space.size for space in cluster.spaces) - free - taken_at_start
    live = sum(len(addresses) for addresses in branches.values())
    assert sum(held.values()) <= taken <= sum(held.values()) + live


@settings(max_examples=60, deadline=None)
@given(
    node_settings,
    st.sampled_from(sorted(SIZES)),
    st.integers(0, 20),
    st.integers(0, 10**6),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["rollout", "spot", "managed", "minimal", "karpenter", "zone", "second", "cron", "day"]),
)
def test_addresses_are_conserved_at_every_event(
    targets: CniSettings, bits: int, others: int, seed: int, trunk: bool, failing: bool, what: str
) -> None:
    cluster = cluster_of(targets, bits, others, seed, trunk=trunk, failing=failing)
    start = sum(space.size - space.free for space in cluster.spaces)
    seen: dict[int, object] = {}
    branches: dict[int, list[int]] = {}
    places = cluster.sources[0].places
    for number in range(4):
        cluster.start_node(0, places[number % 2])
    agenda = cluster.agenda
    agenda.run(120_000)
    cluster.create(0, 24)
    cluster.create(1, 5)
    agenda.spawn(happenings.autoscaler(cluster))
    agenda.spawn(happenings.churn(cluster, 4))
    process = {
        "rollout": lambda: happenings.rollout(cluster, 0),
        "spot": lambda: happenings.spot_storm(cluster, 0, 2),
        "managed": lambda: happenings.upgrade_managed(cluster, 0, 2, 1),
        "minimal": lambda: happenings.upgrade_managed(cluster, 0, 0, 2),
        "karpenter": lambda: happenings.upgrade_karpenter(cluster, 0, 1),
        "zone": lambda: happenings.zone_loss(cluster, "z0"),
        "second": lambda: happenings.second_set(cluster, [(0, places[0], 5), (0, places[1], 5)]),
        "cron": lambda: happenings.cron(cluster, 0, 10, 40_000, 15_000),
        "day": lambda: happenings.day(cluster, 0, 4, 30),
    }[what]()
    agenda.spawn(happenings.after(30_000, process))
    done = agenda.done
    for moment in range(agenda.now, agenda.now + 500_000, 250):
        agenda.run(moment)
        if agenda.done != done:
            done = agenda.done
            check(cluster, start, seen, branches)


@settings(max_examples=25, deadline=None)
@given(node_settings, st.integers(1, 20), st.integers(0, 10**6))
def test_the_same_seed_gives_the_same_result(targets: CniSettings, pods: int, seed: int) -> None:
    setup = setup_of(NodeLimits(3, 0, 9, 0, 0, False), replace(targets, custom_networking=False), 29)
    inputs = SimulationInputs(seconds=600, settle_s=300, step_s=60, churn=6)
    first, second = (simulate_node(setup, pods, inputs, seed=seed, subnet_addresses=64) for _ in range(2))
    assert first == second


limits = st.builds(
    lambda serving, idle, k: NodeLimits(serving, idle, k, 0, 0, False),
    st.integers(1, 4), st.integers(0, 1), st.integers(2, 12),
)  # fmt: skip


@settings(max_examples=2000, deadline=None)
@given(limits, node_settings, st.sampled_from([8, 29, 58, 110]), st.integers(0, 40), st.integers(0, 10**6))
def test_at_rest_the_pool_is_that_of_the_closed_forms(
    node: NodeLimits, targets: CniSettings, max_pods: int, pods: int, seed: int
) -> None:
    """Pods one by one in Go's random order, then rest: between lowest and highest, equal where both are equal."""
    targets = replace(targets, custom_networking=bool(node.idle_primary))
    setup = replace(setup_of(node, targets, max_pods), end=inf)
    random = Random(seed)
    space = AddressSpace(65_536, random=random)
    home = AddressSpace(16, first=65_536)
    source = NodeSource(
        "node", setup, NodeRoom(9, 9, 999, 999, 0), EMPTY, (NodePlace("", home if node.idle_primary else space, space),)
    )
    cluster = SimulatedCluster(
        [source], [PodSource("pods", PodShape(0, 0, 0, 0), (0,))], [space, home], Ec2Api(LATENCY_MS), Pace(), random
    )
    cluster.start_node(0, source.places[0], 0)
    cluster.agenda.run(30_000)
    for number in range(1, pods + 1):
        cluster.create(0)
        cluster.agenda.run(30_000 + 30_000 * number)
    cluster.agenda.run(30_000 * (pods + 2) + 600_000)
    (member,) = cluster.members.values()
    store = member.life.node.store
    pool = pool_of(node, targets, max_pods, pods)
    assert pool.lowest <= len(store.enis) + store.total <= pool.highest
    assert len(cluster.waiting) == pool.pods_without_address
    assert isinstance(member.life, NodeLife)


def test_a_node_whose_first_eni_found_no_address_is_ready_when_there_is_room() -> None:
    """Its container starts again after 10, 20, 40 s; nodeInit fails under custom networking if the subnet is full."""
    cluster = cluster_of(CniSettings(custom_networking=True), 26, 0, 1, trunk=False, failing=False)
    cluster.api.buckets = {}
    space = cluster.spaces[0]
    held = space.take(space.free)
    cluster.start_node(0, cluster.sources[0].places[0], 0)
    cluster.agenda.run(60_000)
    assert [member.ready for member in cluster.members.values()] == [False]
    assert 3 <= cluster.api.calls["CreateNetworkInterface"] <= 4
    assert cluster.api.calls["CreateTags"] == 1
    space.release(held)
    cluster.agenda.run(150_000)
    assert [member.ready for member in cluster.members.values()] == [True]


def test_a_drained_node_is_cordoned_but_karpenters_is_not() -> None:
    for cordons in (True, False):
        cluster = cluster_of(CniSettings(), 24, 0, 1, trunk=False, failing=False)
        cluster.sources = [replace(cluster.sources[0], cordons=cordons)]
        cluster.start_node(0, cluster.sources[0].places[0], 0)
        cluster.agenda.run(60_000)
        (member,) = cluster.members.values()
        cluster.drain(member)
        assert (member.open, member.life.node.unschedulable) == (False, cordons)
