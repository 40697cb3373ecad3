"""The highest figure of a pool against every state that a small node can come to.

All that may happen is tried from every state: a pod on any address comes or goes, an ENI with room grows, any free
slots are given back, any ENI that may be freed is freed or is still too young. Of the states at rest the largest must
be the figure, to the address. Prefixes are of two to four addresses here, so that few pods do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import TypeAlias

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from capacity.cni import pool, vpc_cni
from capacity.cni.facade import NodeLimits
from capacity.cni.node_limits import Rest
from capacity.plan.cni_env import CniSettings
from tests.property.ipamd_steps import Eni, Node
from tests.property.test_pool_against_steps import fields_of

Enis: TypeAlias = tuple[tuple[int, ...], ...]  # pods in each slot; the primary first, the others sorted
MOST_STATES = 20_000


class Small(Node):
    """A node with small prefixes, whose ENIs are a value."""

    prefix_size = 16

    @property
    def unit(self) -> int:
        return self.prefix_size if self.prefix else 1


def in_order(enis: list[tuple[int, ...]]) -> Enis:
    first, *others = (tuple(sorted(e)) for e in enis)
    return first, *sorted(others)


def changed(enis: Enis, at: int, slots: tuple[int, ...]) -> Enis:
    return in_order([slots if i == at else e for i, e in enumerate(enis)])


def pods_come_and_go(model: Small, enis: Enis) -> Iterator[Enis]:
    room = model.assigned < model.max_pods
    for at, slots in enumerate(enis):
        for pods in set(slots):
            i = slots.index(pods)
            if pods < model.unit and room:
                yield changed(enis, at, (*slots[:i], pods + 1, *slots[i + 1 :]))
            if pods:
                yield changed(enis, at, (*slots[:i], pods - 1, *slots[i + 1 :]))


def growth(model: Small, enis: Enis) -> Iterator[Enis]:
    if not model.too_low():
        return
    wanted, full = model.wanted(), True
    for at, slots in enumerate(enis):
        if len(slots) < model.k and not (model.idle_primary and at == 0):
            full = False
            yield changed(enis, at, slots + (0,) * min(model.k - len(slots), wanted))
    if full and len(enis) < model.limit:
        yield in_order([*enis, (0,) * min(wanted, model.k)])


def over_of(model: Small) -> int:
    """Free slots to give back."""
    unit, used, slots = model.unit, model.assigned, model.total // model.unit
    if not model.targets():
        return max(model.free_slots - model.warm_prefix, 0) if model.prefix else 0
    if not model.prefix:
        return max(min(model.total - used - model.warm_ip, model.total - model.minimum_ip), 0)
    over = max(min(model.free_slots, slots - -(-(used + model.warm_ip) // unit)), 0)
    return max(min(over, slots - -(-model.minimum_ip // unit)), 0)


def given_back(model: Small, enis: Enis) -> Iterator[Enis]:
    over = min(over_of(model), model.free_slots)
    if over and not model.too_low():
        for fewer in product(*(range(slots.count(0) + 1) for slots in enis)):
            if sum(fewer) == over:
                yield in_order([e[n:] for e, n in zip(map(sorted_tuple, enis), fewer, strict=True)])


def sorted_tuple(slots: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(slots))


def freed(model: Small, enis: Enis) -> Iterator[Enis]:
    available = model.total - model.assigned
    if not model.targets():
        idle = model.prefix and any(not sum(e) for e in enis[1:])
        whole = (model.warm_prefix + 1) * model.unit if model.prefix else model.warm_eni + 1
        if available < whole * model.k and not idle:
            return
    for at, slots in enumerate(enis[1:], start=1):
        if sum(slots):
            continue
        total = model.total - model.unit * len(slots)
        rounded = [-(-n // model.unit) * model.unit for n in (model.warm_ip, model.minimum_ip)]
        if (model.warm_ip and total - model.assigned < rounded[0]) or (model.minimum_ip and total < rounded[1]):
            continue
        if model.prefix and model.warm_prefix and model.free_slots - len(slots) < model.warm_prefix:
            continue
        yield in_order([e for i, e in enumerate(enis) if i != at])


def most_at_rest(model: Small) -> dict[int, int] | None:
    """Most addresses at rest by pods; None where there are too many states."""
    start: Enis = ((),)
    seen, todo = {start}, [start]
    most: dict[int, int] = {}
    while todo:
        enis = todo.pop()
        model.enis = [Eni(list(slots)) for slots in enis]
        moves = [*growth(model, enis), *given_back(model, enis), *freed(model, enis)]
        if not moves:
            most[model.assigned] = max(most.get(model.assigned, 0), model.addresses)
        new = {*moves, *pods_come_and_go(model, enis)} - seen
        seen |= new
        todo += new
        if len(seen) > MOST_STATES:
            return None
    return most


@settings(max_examples=150, deadline=None)
@given(
    st.builds(
        lambda **given: NodeLimits(**given),
        serving=st.integers(1, 3),
        idle_primary=st.integers(0, 1),
        k=st.integers(1, 4),
        trunk=st.just(0),
        unmanaged=st.just(0),
        windows=st.just(False),
    ),
    st.builds(
        CniSettings,
        prefix=st.booleans(),
        warm_eni=st.integers(0, 2),
        warm_ip=st.sampled_from([0, 0, 1, 2, 3, 5, 8]),
        minimum_ip=st.sampled_from([0, 0, 0, 1, 3, 5, 9]),
        warm_prefix=st.integers(0, 4),
    ),
    st.integers(0, 9),
    st.integers(2, 4),
)
def test_the_highest_figure_is_that_of_some_state_at_rest(
    limit: NodeLimits, env: CniSettings, max_pods: int, size: int
) -> None:
    assume(reached(limit, env, max_pods, size))


@pytest.mark.parametrize("serving", [1, 2, 3])
@pytest.mark.parametrize("idle_primary", [0, 1])
@pytest.mark.parametrize("prefix", [False, True])
def test_every_tiny_node_reaches_the_highest_figure(serving: int, idle_primary: int, prefix: bool) -> None:
    for k, max_pods, warm_ip, minimum_ip in product((1, 2, 3), (0, 1, 2, 3, 4), (0, 1, 2, 3), (0, 1, 2, 4)):
        for target in (0, 1, 2, 3) if prefix or not (warm_ip or minimum_ip) else (0,):
            limit = NodeLimits(serving, idle_primary, k, trunk=0, unmanaged=0, windows=False)
            env = CniSettings(
                prefix=prefix, warm_eni=target, warm_prefix=target, warm_ip=warm_ip, minimum_ip=minimum_ip
            )
            reached(limit, env, max_pods, 2)


def reached(limit: NodeLimits, env: CniSettings, max_pods: int, size: int) -> bool:
    """Hold the figure to the largest state at rest for every count of pods; False where there is no such state."""
    env = replace(env, custom_networking=bool(limit.idle_primary))
    model = Small(**fields_of(limit, env, max_pods))
    model.prefix_size = size
    found = most_at_rest(model)
    with pytest.MonkeyPatch.context() as patch:
        for module in (pool, vpc_cni):
            patch.setattr(module, "PREFIX_SIZE", size)
        for pods, most in (found or {}).items():
            slots, enis = vpc_cni.packed(limit, env, max_pods, pods)
            rest = Rest(limit, env, max_pods, pods, slots, enis, model.unit)
            assert vpc_cni.highest(rest) == most, (limit, env, max_pods, pods)
    return bool(found)
