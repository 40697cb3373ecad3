"""EC2 calls in closed form against the steps of ipamd's own decisions, counted."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from capacity.cni.calls import (
    ASSIGN_CALLS,
    FREE_ENI_CALLS,
    UNASSIGN_CALLS,
    call_costs,
    launch_calls,
    start_calls,
    stop_calls,
)
from capacity.cni.facade import NodeLimits
from capacity.cni.vpc_cni import packed
from capacity.plan.cni_env import CniSettings
from tests.property.ipamd_steps import Node, grown
from tests.property.test_pool_against_steps import environments, fields_of, limits

COSTS = call_costs(custom_networking=False, subnet_discovery=True)


@dataclass
class Counting(Node):
    """The model, with the calls of each step."""

    calls: int = 0

    def grow(self, rng: random.Random | None = None) -> bool:
        enis = len(self.enis)
        done = super().grow(rng)
        if done:
            self.calls += COSTS.new_eni if len(self.enis) > enis else ASSIGN_CALLS
        return done

    def shrink(self, rng: random.Random) -> bool:
        before = [len(e.slots) for e in self.enis]
        done = super().shrink(rng)
        if len(self.enis) < len(before):
            self.calls += FREE_ENI_CALLS
        elif done:
            touched = sum(len(e.slots) < n for e, n in zip(self.enis, before, strict=True))
            self.calls += UNASSIGN_CALLS * touched
        return done


def counting(limit: NodeLimits, env: CniSettings, max_pods: int) -> Counting:
    return Counting(**fields_of(limit, env, max_pods))


def figures(limit: NodeLimits, env: CniSettings, max_pods: int, pods: int) -> tuple[list[int], list[int]]:
    both = [packed(limit, env, max_pods, n) for n in range(pods + 1)]
    return [int(s) for s, _ in both], [int(e) for _, e in both]


@settings(max_examples=600)
@given(limits, environments, st.integers(0, 120), st.integers(0, 80))
def test_from_a_fresh_node_until_its_pods_run(limit: NodeLimits, env: CniSettings, max_pods: int, pods: int) -> None:
    env = replace(env, custom_networking=bool(limit.idle_primary))
    model = grown(counting(limit, env, max_pods), pods)
    assert isinstance(model, Counting)
    slots, enis = figures(limit, env, max_pods, pods)
    closed = launch_calls(slots[0], enis[0], limit.idle_primary, COSTS) + sum(start_calls(slots, enis, COSTS))
    assert closed == COSTS.launch + model.calls


@settings(max_examples=600)
@given(limits, environments, st.integers(1, 120), st.integers(1, 60), st.randoms(use_true_random=False))
def test_the_last_pod_that_goes_costs_no_more(
    limit: NodeLimits, env: CniSettings, max_pods: int, pods: int, rng: random.Random
) -> None:
    env = replace(env, custom_networking=bool(limit.idle_primary))
    assume(
        env.ip_targets or (env.warm_prefix == 1 if env.prefix else env.warm_eni > 0)
    )  # others flap, or depend on the way
    model = grown(counting(limit, env, max_pods), pods)
    assert isinstance(model, Counting)
    assume(not model.lost and model.total < max_pods)
    last = next(e for e in reversed(model.enis) if sum(e.slots))
    place = max(i for i, n in enumerate(last.slots) if n)
    last.slots[place] -= 1
    model.calls = 0
    assume(model.settle(rng))
    slots, enis = figures(limit, env, max_pods, pods)
    whole = not env.ip_targets and not env.prefix
    assert model.calls <= stop_calls(slots, enis, whole_enis=whole)[-1]


@pytest.mark.parametrize("idle_primary", [0, 1])
@pytest.mark.parametrize("prefix", [False, True])
@pytest.mark.parametrize("targets", [(0, 0), (1, 0), (1, 3), (4, 0), (4, 3), (0, 3)])
def test_the_calls_of_the_last_pod_are_reached(targets: tuple[int, int], prefix: bool, idle_primary: int) -> None:
    """Whichever free addresses go first: in some order an ENI is left empty and goes too."""
    env = CniSettings(
        prefix=prefix,
        warm_ip=targets[0],
        minimum_ip=targets[1],
        warm_eni=1,
        warm_prefix=1,
        custom_networking=bool(idle_primary),
    )
    seen = set()
    for k, pods in product((2, 3, 5), range(1, 25)):
        limit = NodeLimits(3, idle_primary, k, trunk=0, unmanaged=0, windows=False)
        if grown(counting(limit, env, 120), pods).lost:
            break
        bound = stop_calls(*figures(limit, env, 120, pods), whole_enis=not env.ip_targets and not env.prefix)[-1]
        assert max(calls_after_the_last_pod(limit, env, pods, seed) for seed in range(12)) == bound, (k, pods)
        seen.add(bound)
    assert len(seen) > 1 or not targets[0]


def calls_after_the_last_pod(limit: NodeLimits, env: CniSettings, pods: int, seed: int) -> int:
    """Calls until the node rests once the pod that came last has gone."""
    model = grown(counting(limit, env, 120), pods)
    assert isinstance(model, Counting)
    last = next(e for e in reversed(model.enis) if sum(e.slots))
    last.slots[max(i for i, n in enumerate(last.slots) if n)] -= 1
    model.calls = 0
    assert model.settle(random.Random(seed))
    return model.calls
