"""The closed forms of the pool against ipamd's own steps."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.cni.facade import NodeLimits, pool_of
from capacity.plan.cni_env import CniSettings
from tests.property.ipamd_steps import Node, grown

limits = st.builds(
    lambda **given: NodeLimits(**given),
    serving=st.integers(1, 6),
    idle_primary=st.integers(0, 1),
    k=st.integers(1, 12),
    trunk=st.just(0),
    unmanaged=st.just(0),
    windows=st.just(False),
)
environments = st.builds(
    CniSettings,
    prefix=st.booleans(),
    warm_eni=st.integers(0, 3),
    warm_ip=st.sampled_from([0, 0, 1, 2, 5, 20]),
    minimum_ip=st.sampled_from([0, 0, 1, 7, 20, 60]),
    warm_prefix=st.integers(0, 4),
)


def fields_of(limit: NodeLimits, env: CniSettings, max_pods: int) -> dict[str, Any]:
    """A node of the model, before any pod."""
    return {
        "k": limit.k,
        "limit": limit.serving + limit.idle_primary,
        "idle_primary": bool(limit.idle_primary),
        "prefix": env.prefix,
        "warm_eni": env.warm_eni,
        "warm_ip": env.warm_ip,
        "minimum_ip": env.minimum_ip,
        "warm_prefix": env.warm_prefix,
        "max_pods": max_pods,
    }


def node(limit: NodeLimits, env: CniSettings, max_pods: int) -> Node:
    return Node(**fields_of(limit, env, max_pods))


@settings(max_examples=800, deadline=None)
@given(limits, environments, st.integers(0, 120), st.integers(0, 120))
def test_fresh_node_with_pods_one_by_one(limit: NodeLimits, env: CniSettings, max_pods: int, pods: int) -> None:
    env = replace(env, custom_networking=bool(limit.idle_primary))
    model = grown(node(limit, env, max_pods), pods)
    pool = pool_of(limit, env, max_pods, pods)
    assert pool.lowest == model.addresses
    if env.prefix and env.warm_prefix > 1 and not env.ip_targets:
        return  # the figure is a mean, of pods as they fall: test_prefix_walks.py
    assert (pool.enis, pool.pod_addresses) == (len(model.enis), model.total)
    assert pool.subnet_addresses == model.addresses
    assert pool.pods_without_address == max(pods - model.total, 0)


@settings(max_examples=800, deadline=None)
@given(limits, environments, st.integers(1, 90), st.randoms(use_true_random=False), st.data())
def test_rest_after_growth_and_scale_down_stays_within_the_bounds(
    limit: NodeLimits, env: CniSettings, max_pods: int, rng: random.Random, data: st.DataObject
) -> None:
    env = replace(env, custom_networking=bool(limit.idle_primary))
    most = min(max_pods, limit.serving * limit.k * (16 if env.prefix else 1))
    peak = data.draw(st.integers(0, most))
    left = data.draw(st.integers(0, peak))
    model = grown(node(limit, env, max_pods), peak)
    if model.lost:
        return
    model.remove_pods(peak - left, rng)
    if not model.settle(rng):
        return  # a flapping setting never rests
    pool = pool_of(limit, env, max_pods, left)
    assert model.addresses <= pool.highest


@settings(max_examples=800, deadline=None)
@given(limits, environments, st.integers(1, 90), st.randoms(use_true_random=False))
def test_bursts_and_churn_stay_within_the_bounds(
    limit: NodeLimits, env: CniSettings, max_pods: int, rng: random.Random
) -> None:
    """Pods come and go many at once, on any address, between two steps of a pool that is never at rest."""
    env = replace(env, custom_networking=bool(limit.idle_primary))
    model = node(limit, env, max_pods)
    for _ in range(rng.randint(1, 40)):
        for _ in range(rng.choice([0, 0, 1, 16, max_pods])):
            if model.assigned < min(max_pods, model.total):
                model.add_pod(rng)
        model.step(rng, old=rng.random() < 0.5)
        model.remove_pods(rng.choice([0, 0, 0, 1, max_pods // 2, max_pods]), rng)
    if not model.settle(rng):
        return
    assert model.addresses <= pool_of(limit, env, max_pods, model.assigned).highest
