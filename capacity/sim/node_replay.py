"""Replays one node's life: what a header and a list of pod events say, line by line.

A line is the state after something happened, in the words of :func:`replay`. Ties of time: ipamd's step comes before a
pod's event of the same millisecond.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from capacity.errors import SpecError, check_count, check_kind, check_number, did_you_mean
from capacity.sim.node_life import NodeLife, new_node
from capacity.sim.node_setup import ReplaySetup, node_setup
from capacity.sim.simulated_node import SimulatedNode

Line = dict[str, Any]

RETRY_PHASE = 37  # a waiting pod is tried this long after the full second [ms]
SECOND = 1000
POD_EVENTS = ("add", "delete")


@dataclass(frozen=True)
class PodEvent:
    """Pods come (``add``) or go (``delete``), or nothing happens (``mark:…``). ``at`` in milliseconds."""

    at: int
    event: str
    pods: tuple[int, ...]


@dataclass
class PodQueue:
    """Pods without an address, first come, first served: the first failure ends a try."""

    node: SimulatedNode
    waiting: deque[int] = field(default_factory=deque)

    def try_all(self) -> list[list[int]]:
        """Pods that get an address now, each with its offset."""
        placed: list[list[int]] = []
        while self.waiting and self.node.ready:
            at = self.node.store.place(self.waiting[0], self.node.now)
            if at is None:
                break
            placed.append([self.waiting.popleft(), at])
        return placed

    def remove(self, pods: Iterable[int]) -> None:
        """Pods go, with or without an address."""
        for pod in pods:
            if pod in self.waiting:
                self.waiting.remove(pod)
            else:
                self.node.store.release(pod, self.node.now)


def replay(header: Mapping[str, object], events: Iterable[Mapping[str, object]]) -> Iterator[Line]:
    """Play ipamd on one node and yield the state after each thing that happened.

    Parameters
    ----------
    header : mapping
        ``max_enis``, ``ipv4_per_eni`` (limits of the type), ``max_pods``, ``subnet`` (CIDR), ``latency_ms`` (per EC2
        call) and ``end`` (seconds; the last pool loop starts before it). Optional: ``mode`` (secondary or prefix),
        ``custom_networking``, ``env`` (the CNI's variables; one that is not set has the code's default),
        ``instance_type`` (needed for ENABLE_POD_ENI), ``unmanaged_enis``, ``subnet_used_by_others`` (``last:N`` the N
        highest addresses, ``every:S:N`` offsets S, 2S … N of them), ``pod_retry_s``, ``ec2_kinds``.
    events : iterable of mapping
        ``t`` (seconds since the start), ``event`` (``add``, ``delete`` or ``mark:…``), ``pods`` (their numbers).

    Yields
    ------
    dict
        ``t``, ``event`` (``init``, ``update``, ``reconcile``, ``retry``, ``end`` or that of a pod event), ``began`` of
        an update or reconciliation, ``pods``, ``placed`` ([pod, offset of its address in the subnet]), ``waiting``
        pods, ``enis`` in ipamd's store, ``per_eni`` ([number, CIDRs, assigned, cooling]), ``total_ips``, ``assigned``,
        ``cooldown``, ``available``, ``ec2_calls`` (so far, by kind), ``subnet_free``. Without content ``pods`` and
        ``placed`` are left out; so are updates and reconciliations after which ENIs, assignments, calls and subnet are
        those of the line before.

    Raises
    ------
    SpecError
        The header or an event is wrong, or a setting is not simulated.

    Source
    ------
    aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd (see :mod:`capacity.sim.pool_manager`).
    """
    setup = node_setup(header)
    return _changes(_lines(setup, PodQueue(new_node(setup)), _pod_events(events, int(setup.end))))


def _changes(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines but for updates and reconciliations that changed nothing; an address that ends its cooldown is none."""
    before: object = None
    for line in lines:
        after = [eni[:3] for eni in line["per_eni"]], line["ec2_calls"], line["subnet_free"]
        if line["event"] not in ("update", "reconcile") or after != before:
            yield line
        before = after


def _lines(setup: ReplaySetup, queue: PodQueue, events: deque[PodEvent]) -> Iterator[Line]:
    """A line for each event, each try that placed a pod, and each part of ipamd's work, in order of time.

    Loops that change nothing are skipped; their lines would be left out.
    """
    node, life = queue.node, NodeLife(queue.node)
    since = -SECOND  # of the last pod event or try
    while True:
        moment = _next_moment(setup.retry, queue, events, since)
        if moment is None or life.due <= moment:
            finished = life.advance()
            if life.due == inf:
                yield _line(setup, queue, "end")
                return
            if finished:
                began = None if finished.event == "init" else finished.began
                yield _line(setup, queue, finished.event, began=began)
            continue
        node.now = since = moment
        if events and events[0].at == moment:
            yield _happen(setup, queue, events.popleft())
        elif placed := queue.try_all():
            yield _line(setup, queue, "retry", placed=placed)
        life.pods_changed()


def _next_moment(retry: int, queue: PodQueue, events: deque[PodEvent], since: int) -> int | None:
    """When pods come, go or try again: a try each ``retry`` ms, but in no second that has an event."""
    event = events[0].at if events else None
    if not queue.waiting:
        return event
    tick = (since - RETRY_PHASE) // retry * retry + retry + RETRY_PHASE
    while tick // SECOND == since // SECOND or (event is not None and tick // SECOND == event // SECOND):
        tick += retry
    return tick if event is None or tick < event else event


def _happen(setup: ReplaySetup, queue: PodQueue, event: PodEvent) -> Line:
    placed: list[list[int]] = []
    if event.event == "add":
        queue.waiting.extend(event.pods)
        placed = queue.try_all()
    elif event.event == "delete":
        queue.remove(event.pods)
    return _line(setup, queue, event.event, pods=event.pods, placed=placed)


def _line(
    setup: ReplaySetup,
    queue: PodQueue,
    event: str,
    *,
    began: int | None = None,
    pods: tuple[int, ...] = (),
    placed: list[list[int]] | None = None,
) -> Line:
    """The state now, keys in the order of :func:`replay`."""
    node = queue.node
    line: Line = {"t": _seconds(node.now), "event": event}
    if began is not None:
        line["began"] = _seconds(began)
    if pods:
        line["pods"] = list(pods)
    if placed:
        line["placed"] = placed
    stats = node.stats
    return line | {
        "waiting": len(queue.waiting),
        "enis": len(node.store.enis),
        "per_eni": [
            [eni.number, len(eni.cidrs), eni.assigned, eni.cooling(node.now, node.store.cooldown)] for eni in node.store
        ],
        "total_ips": stats.total,
        "assigned": stats.assigned,
        "cooldown": node.store.cooling(node.now),
        "available": stats.available,
        "ec2_calls": [node.calls[kind] for kind in setup.calls],
        "subnet_free": node.ec2.space.free,
    }


def _seconds(milliseconds: int) -> int | float:
    whole, rest = divmod(milliseconds, SECOND)
    return milliseconds / SECOND if rest else whole


def _pod_events(events: Iterable[Mapping[str, object]], end: int) -> deque[PodEvent]:
    """The events checked: in order of time, none after ``end``, no pod added twice."""
    found: deque[PodEvent] = deque()
    present: set[int] = set()
    for number, given in enumerate(events, 1):
        where = f"event {number}"
        event = _pod_event(given, where)
        if found and event.at < found[-1].at:
            raise SpecError(f"{where}: t: {given['t']} is before the event above (expected events in order of time)")
        if event.at > end:
            raise SpecError(f"{where}: t: {given['t']} is after the header's end, {_seconds(end)} s")
        if event.event == "add":
            if twice := [pod for pod in event.pods if pod in present or event.pods.count(pod) > 1]:
                raise SpecError(f"{where}: pods: {twice[0]} is there already")
            present.update(event.pods)
        elif event.event == "delete":
            present.difference_update(event.pods)
        found.append(event)
    return found


def _pod_event(event: object, where: str) -> PodEvent:
    check_kind(where, event, Mapping, "a mapping of t, event and pods")
    assert isinstance(event, Mapping)
    check_number(f"{where}: t", event.get("t"), unit="seconds")
    word = str(event.get("event"))
    if word not in POD_EVENTS and not word.startswith("mark:"):
        raise SpecError(f"{where}: event: {word!r} is not add, delete or mark:…{did_you_mean(word, POD_EVENTS)}")
    pods = event.get("pods", ())
    check_kind(f"{where}: pods", pods, (list, tuple), "a list of pod numbers")
    for pod in pods:
        check_count(f"{where}: pods", pod)
    return PodEvent(round(SECOND * float(event["t"])), word, tuple(pods))
