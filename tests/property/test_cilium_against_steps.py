"""The closed forms of Cilium's pool against its operator's own steps."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from capacity.cni.facade import address_capacity, pool_of, start_calls
from capacity.cni.node_limits import EniFigures
from capacity.cni.node_pool import limits_from
from capacity.plan.cilium import CiliumIpam
from capacity.plan.cni_env import CniSettings
from tests.property.cilium_steps import Node, grown

figures = st.tuples(st.integers(1, 6), st.integers(2, 12), st.integers(0, 2))  # ENIs, addresses of each, excluded ENIs


@st.composite
def chosen(draw: st.DrawFn) -> CniSettings:
    first = draw(st.integers(0, 3))  # from 2 on only what Cilium itself takes for the limit, see serving_enis
    primary = draw(st.booleans()) if first else False
    ipam = CiliumIpam(
        pre_allocate=draw(st.sampled_from([1, 2, 5, 8, 8, 20, 40])),
        min_allocate=draw(st.sampled_from([0, 0, 0, 1, 10, 30, 70])),
        max_allocate=draw(st.sampled_from([0, 0, 0, 5, 12, 33, 500])) if first < 2 else 0,
        max_above_watermark=draw(st.sampled_from([0, 0, 0, 1, 3, 7, 20])),
        first_interface_index=first,
        use_primary_address=primary,
        release_excess_ips=draw(st.booleans()),
    )
    return CniSettings(prefix=draw(st.booleans()) and not primary, cilium=ipam)


def possible(shape: tuple[int, int, int], env: CniSettings) -> bool:
    """The node's first ENI is not an excluded one, and the first index is one that the type has."""
    return shape[2] < shape[0] and env.cilium is not None and env.cilium.first_interface_index < shape[0]


def stepped(shape: tuple[int, int, int], env: CniSettings) -> Node:
    ipam = env.cilium
    assert ipam is not None
    return Node(
        adapters=shape[0],
        ipv4=shape[1],
        first_index=ipam.first_interface_index,
        use_primary=ipam.use_primary_address,
        prefix=env.prefix,
        pre_allocate=ipam.pre_allocate,
        min_allocate=ipam.min_allocate,
        max_allocate=ipam.max_allocate,
        above=ipam.max_above_watermark,
        release=ipam.release_excess_ips,
        excluded=shape[2],
    )


@settings(max_examples=1200, deadline=None)
@given(figures, chosen(), st.integers(0, 120))
def test_fresh_node_with_pods_one_by_one(shape: tuple[int, int, int], env: CniSettings, pods: int) -> None:
    assume(possible(shape, env))
    limits = limits_from(EniFigures(shape[0], shape[1]), env, shape[2])
    model = grown(stepped(shape, env), pods)
    pool = pool_of(limits, env, 110, pods)
    assert (pool.enis, pool.pod_addresses) == (len(model.enis), model.available)
    assert pool.subnet_addresses == pool.lowest == model.subnet_addresses
    assert pool.pods_without_address == min(max(pods + 2 - model.available, 0), pods)
    assert pool.assigned + pool.warm == model.available


@settings(max_examples=800, deadline=None)
@given(figures, chosen())
def test_capacity_is_what_a_full_node_serves(shape: tuple[int, int, int], env: CniSettings) -> None:
    assume(possible(shape, env))
    model = grown(stepped(shape, env), 1500)
    capacity = address_capacity(limits_from(EniFigures(shape[0], shape[1]), env, shape[2]), env)
    ipam = env.cilium
    assert ipam is not None
    beyond = ipam.max_above_watermark + ipam.use_primary_address  # asked for on top of the limit, and not counted
    assert capacity <= max(model.used - 2, 0) <= capacity + max(16 * (beyond > 0) * env.prefix, 0) + beyond
    if not beyond:
        assert capacity == max(model.used - 2, 0)


@settings(max_examples=1000, deadline=None)
@given(figures, chosen(), st.integers(1, 90), st.randoms(use_true_random=False), st.data())
def test_rest_after_growth_and_scale_down_stays_within_the_bound(
    shape: tuple[int, int, int], env: CniSettings, max_pods: int, rng: random.Random, data: st.DataObject
) -> None:
    """Pods come in bursts that wait together, which makes the operator order more, and leave at random."""
    assume(possible(shape, env))
    limits = limits_from(EniFigures(shape[0], shape[1]), env, shape[2])
    peak = data.draw(st.integers(0, min(max_pods, address_capacity(limits, env))))
    left = data.draw(st.integers(0, peak))
    model = grown(stepped(shape, env), 0)
    assume(not model.lost)
    while model.used < peak + 2:
        for _ in range(min(rng.randint(1, 30), peak + 2 - model.used)):
            if model.used < model.available:
                model.use()
        model.settle(pending=rng.randint(0, max_pods))
    for _ in range(peak - left):
        model.free(rng)
    assert model.rest(pending=rng.randint(0, max_pods))
    assert model.subnet_addresses <= pool_of(limits, env, max_pods, left).highest


@pytest.mark.parametrize("release", [False, True])
@pytest.mark.parametrize("above", [0, 1, 7])
@pytest.mark.parametrize("pre_allocate", [1, 8])
@pytest.mark.parametrize("shape", [(1, 60, 0), (2, 30, 0), (3, 12, 1)])
def test_the_bound_is_reached(shape: tuple[int, int, int], pre_allocate: int, above: int, release: bool) -> None:
    """All pods come one by one, and while one address is short for the last, as many wait as the node may run."""
    ipam = CiliumIpam(pre_allocate=pre_allocate, max_above_watermark=above, release_excess_ips=release)
    env = CniSettings(cilium=ipam)
    limits = limits_from(EniFigures(shape[0], shape[1]), env, shape[2])
    reached = set()
    for max_pods in range(1, address_capacity(limits, env) + 1):
        model = grown(stepped(shape, env), max_pods - 1)
        model.use()
        if model.needed() == 1:
            reached.add(max_pods)
        model.settle(pending=max_pods)
        for left in range(max_pods, -1, -1):
            assert model.rest(pending=max_pods)
            highest = pool_of(limits, env, max_pods, left).highest
            released_further = release and model.used + pre_allocate <= above  # down to what a node holds at least
            assert model.subnet_addresses <= highest
            if max_pods in reached and not released_further:
                assert model.subnet_addresses == highest, (max_pods, left)
            if left:
                model.free(random.Random(left))
    assert len(reached) >= (address_capacity(limits, env) - pre_allocate) // (1 + above)


@settings(max_examples=300, deadline=None)
@given(figures, chosen(), st.integers(0, 60))
def test_calls_are_the_fewest_that_the_steps_could_make(
    shape: tuple[int, int, int], env: CniSettings, pods: int
) -> None:
    assume(possible(shape, env))
    limits = limits_from(EniFigures(shape[0], shape[1]), env, shape[2])
    stepped_calls = Counter(grown(stepped(shape, env), pods).calls)
    fewest = start_calls(limits, env, 110, pods)
    assert all(fewest[api] <= stepped_calls[api] for api in fewest)
    assert fewest["CreateNetworkInterface"] == stepped_calls["CreateNetworkInterface"]


@settings(max_examples=300, deadline=None)
@given(figures, chosen())
def test_arrays_answer_as_numbers_do(shape: tuple[int, int, int], env: CniSettings) -> None:
    limits = limits_from(EniFigures(shape[0], shape[1]), env, shape[2])
    pods = np.arange(80)
    many = pool_of(limits, env, 58, pods)
    for name in ("enis", "pod_addresses", "subnet_addresses", "highest", "pods_without_address"):
        column = np.broadcast_to(getattr(many, name), pods.shape)
        assert column.tolist() == [getattr(pool_of(limits, env, 58, n), name) for n in range(80)], name
