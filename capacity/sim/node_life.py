"""Drives ipamd's steps on one node, and skips the loops that change nothing.

The pool loop has no fixed grid while calls run, but between calls its period is exactly 5 s. So while the store has
what EC2 has, the next loop that can do anything is known from the pool and a few timers: the node rests until then, or
until the first loop after a pod came or went. What the skipped loops would have left behind, the time of their last
reconciliation, is computed when the node wakes. :mod:`capacity.sim.node_replay` and
:mod:`capacity.sim.cluster_life` drive nodes by this module alone.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from itertools import count
from math import inf

from capacity.errors import SpecError
from capacity.sim.ec2_api import CallFailed, Ec2Api
from capacity.sim.ec2_side import AddressSpace, Ec2Eni, Ec2Side, SubnetFull
from capacity.sim.ipam_store import IpamStore
from capacity.sim.node_setup import ReplaySetup
from capacity.sim.pool_manager import (
    DECREASE_INTERVAL,
    INSUFFICIENT_WAIT,
    LOOP_SLEEP,
    RECONCILE_INTERVAL,
    growable,
    in_step,
    initialise,
    reconcile,
    update,
)
from capacity.sim.pool_targets import deletable_from, extra_enis, room_for_eni, too_low, too_many
from capacity.sim.simulated_node import SimulatedNode

LOOP = 2 * LOOP_SLEEP
# The kubelet's back-off before it starts a container again: doubled each time (pkg/kubelet/kubelet.go) [ms]
RESTART, LONGEST_RESTART = 10_000, 300_000


@dataclass(frozen=True, slots=True)
class Finished:
    """A part of ipamd's work that has ended: ``init``, ``update`` or ``reconcile``, and when it began."""

    event: str
    began: int


class Resting:
    """Nothing will change by itself for a while."""


REST = Resting()


def new_node(setup: ReplaySetup) -> SimulatedNode:
    """A node that just started: the primary ENI without secondary addresses, and the unmanaged ENIs.

    Under custom networking both have their addresses in another subnet than pods.

    Raises
    ------
    SpecError
        The subnet has no address for them.
    """
    ec2 = Ec2Side(AddressSpace(setup.subnet_size, setup.used_by_others), setup.unit, setup.per_eni)
    try:
        for number in range(1 + setup.unmanaged):
            own = [] if setup.settings.custom_networking else ec2.space.take(1)
            ec2.add(Ec2Eni(own, managed=number == 0))
    except SubnetFull:
        raise SpecError("header: subnet_used_by_others leaves no address for the node's own ENIs") from None
    return SimulatedNode(setup, ec2, IpamStore(setup.unit, setup.cooldown), Ec2Api(setup.latency))


def lifetime(node: SimulatedNode) -> Generator[int | Finished | Resting, None, None]:
    """Initialisation, then the loop until its next turn would start at or after the end (ipamd.go L786-793).

    If initialisation fails, ipamd exits and the kubelet starts its container again after a back-off; a replayed node
    then never gets ready. After :data:`REST` the node goes on at the start of an update. An IPv6 node has no pool
    (ipamd.go L771-780).
    """
    for number in count():
        try:
            yield from initialise(node)
        except CallFailed:
            node.ready = False
        if node.ready:
            break
        if node.setup.end < inf:
            yield max(int(node.setup.end) - node.now, 0)
            return
        node.forget()
        yield min(RESTART << min(number, 5), LONGEST_RESTART)
    yield Finished("init", 0)
    while node.setup.settings.ipv6:
        yield REST
    while node.now < node.setup.end:
        if can_rest(node):
            start = node.now
            yield REST
            _reconciled_while_resting(node, start)
        else:
            yield LOOP_SLEEP
        began = node.now
        yield from update(node)
        yield Finished("update", began)
        yield LOOP_SLEEP
        began = node.now
        yield from reconcile(node)
        yield Finished("reconcile", began)


def can_rest(node: SimulatedNode) -> bool:
    """Whether only pods, or a timer of :func:`next_change`, can change what the next loops do."""
    return not (node.setup.trunking and node.awaits_trunk) and in_step(node)


def next_change(node: SimulatedNode) -> float:
    """When an update would do something if no pod comes or goes; never is infinite. [ms]"""
    setup, store, stats = node.setup, node.store, node.stats
    at = inf
    if setup.settings.ipv6:
        return at
    if too_low(setup, stats):
        if node.provisions and (room_for_eni(setup, store) or growable(node)):
            at = node.last_insufficient + INSUFFICIENT_WAIT + 1
    elif too_many(setup, store, stats):
        at = node.last_decrease + DECREASE_INTERVAL + 1
    if len(store.enis) > 1 and node.provisions and extra_enis(setup, store, stats):
        at = min(at, *(deletable_from(setup, store, eni) for eni in store.enis.values()))
    return at


def _reconciled_while_resting(node: SimulatedNode, start: int) -> None:
    """Set the last action to that of the loops skipped from ``start`` on: their reconciliations changed nothing."""
    skipped = (node.now - LOOP_SLEEP - start) // LOOP
    if skipped <= 0:
        return
    first, last = start + LOOP, start + skipped * LOOP
    if node.awaits_trunk:
        node.last_action = last
        return
    loops = max(0, (node.last_action + RECONCILE_INTERVAL - first) // LOOP + 1)
    at = first + loops * LOOP
    period = RECONCILE_INTERVAL + LOOP
    if at <= last:
        node.last_action = at + (last - at) // period * period


@dataclass(slots=True)
class NodeLife:
    """A node and its place in time.

    Attributes
    ----------
    due : float
        When ipamd goes on; infinite after its end. [ms]
    resting_since : int or None
        Start of the loop in which it rests. [ms]
    """

    node: SimulatedNode
    due: float = 0
    resting_since: int | None = None
    steps: Generator[int | Finished | Resting, None, None] = field(init=False)

    def __post_init__(self) -> None:
        self.steps = lifetime(self.node)

    def advance(self) -> Finished | None:
        """Go on at ``due``; returns the part that ended with it."""
        node = self.node
        node.now = int(self.due)
        self.resting_since = None
        for step in self.steps:
            if type(step) is int:
                self.due += step
                return None
            if step is REST:
                self.resting_since = node.now
                self.due = self._wake(node.now)
                return None
            assert isinstance(step, Finished)
            return step
        self.due = inf
        return None

    def pods_changed(self) -> None:
        """Pods came or went at ``node.now``: a resting node may have to wake at another loop."""
        if self.resting_since is not None:
            self.due = self._wake(self.node.now)

    def _wake(self, now: int) -> float:
        """The first update after ``now`` that can do something; at the latest that of the last loop."""
        assert self.resting_since is not None
        start, end = self.resting_since, self.node.setup.end
        change = next_change(self.node)
        loop: float = max((now - LOOP_SLEEP - start) // LOOP + 1, 0)
        if change > now:
            loop = max(loop, -((start + LOOP_SLEEP - change) // LOOP)) if change < inf else inf
        if end < inf:
            loop = min(loop, (end - 1 - start) // LOOP)
        return start + LOOP_SLEEP + loop * LOOP
