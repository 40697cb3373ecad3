"""What a simulation shows: samples over time, pod-start delays, EC2 calls, and when each subnet first ran out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from capacity.sim.agenda import Process
from capacity.sim.cluster_life import DELAY_STEP, SimulatedCluster
from capacity.sim.ec2_side import AddressSpace

SECOND = 1000
QUANTILES = (50, 90, 99)
ONE_NODE = "one node"  # title of a simulation without a plan
LONG_WAIT = 1.0  # a pod waits if its address took longer [s]


@dataclass(frozen=True, slots=True)
class Sample:
    """The cluster at one moment.

    Attributes
    ----------
    t : float
        Since the start of the timeline. [s]
    event : str
        ``sample``, or what happened then.
    nodes, enis : int
        Ready nodes, and ENIs in the stores of all of them.
    assigned, cooling, total : int
        Addresses of the pools with a pod, in cooldown, and in all. [addresses]
    waiting, pending : int
        Pods on a node without an address, and pods that no node has room for. [pods]
    subnet_free, free_prefixes : mapping of str to int
        Free addresses and wholly free /28 blocks of each subnet.
    ec2_calls : int
        So far, throttled ones included. [calls]
    """

    t: float
    event: str
    nodes: int
    enis: int
    assigned: int
    cooling: int
    total: int
    waiting: int
    pending: int
    subnet_free: Mapping[str, int]
    free_prefixes: Mapping[str, int]
    ec2_calls: int

    @property
    def available(self) -> int:
        """Addresses of the pools without a pod, cooling ones included."""
        return self.total - self.assigned


@dataclass(frozen=True, slots=True)
class SubnetOutcome:
    """A subnet over the whole time.

    Attributes
    ----------
    usable : int
        Addresses but for AWS's five.
    lowest_free, lowest_prefixes : int
        The fewest free addresses and /28 blocks in any sample.
    exhausted_at : float or None
        When EC2 first refused addresses or a block of it. [s]
    """

    name: str
    zone: str
    usable: int
    lowest_free: int
    lowest_prefixes: int
    exhausted_at: float | None


@dataclass(frozen=True)
class SimulationResult:
    """One simulation.

    Attributes
    ----------
    title : str
        What was played.
    seconds : float
        Length of the timeline; shorter than asked for if it was interrupted.
    delays : mapping of int to int
        Pods by seconds × 100 that they waited for an address on their node.
    never, lost_waiting, pending : int
        Pods deleted without having had an address, pods still waiting for one at the end, and pods that no node has
        room for at the end. [pods]
    calls, throttled : mapping of str to int
        EC2 calls by action, and those that were throttled.
    throttled_s : int
        Seconds in which a call was throttled.
    launch_failures : int
        Instances that found no address for their primary ENI.
    decisions : sequence of (float, str)
        What the pool manager of one node decided, and why. [s]
    """

    title: str
    rule: str
    seed: int
    seconds: float
    complete: bool
    timeline: Sequence[Sample]
    subnets: Sequence[SubnetOutcome]
    delays: Mapping[int, int]
    never: int
    still_waiting: int
    pending: int
    calls: Mapping[str, int]
    throttled: Mapping[str, int]
    throttled_s: int
    launch_failures: int
    decisions: Sequence[tuple[float, str]] = ()
    notes: Sequence[str] = ()

    @property
    def started(self) -> int:
        """Pods that got an address."""
        return sum(self.delays.values())

    @property
    def waited(self) -> int:
        """Pods that waited longer than a second for it."""
        return sum(pods for delay, pods in self.delays.items() if seconds_of(delay) > LONG_WAIT)

    @property
    def longest(self) -> float | None:
        """The longest wait. [s]"""
        return seconds_of(max(self.delays)) if self.delays else None

    def delay(self, percent: float) -> float | None:
        """The wait that ``percent`` of the started pods do not exceed; None without pods. [s]"""
        return quantile(self.delays, percent)

    @property
    def total_calls(self) -> int:
        """EC2 calls."""
        return sum(self.calls.values())

    @property
    def calls_per_hour(self) -> float:
        """EC2 calls per hour."""
        return 3600 * self.total_calls / self.seconds if self.seconds else 0.0

    def __repr__(self) -> str:
        return f"<SimulationResult {self.title}: {self.seconds:,.0f} s, {self.started:,} pods started>"


def seconds_of(delay: int) -> float:
    """A counted delay in seconds."""
    return delay * DELAY_STEP / SECOND


def quantile(delays: Mapping[int, int], percent: float) -> float | None:
    """The smallest delay that at least ``percent`` of the pods do not exceed. [s]

    >>> quantile({0: 90, 100: 10}, 90), quantile({0: 90, 100: 10}, 91)
    (0.0, 1.0)
    """
    delay = at_percent(delays, percent)
    return None if delay is None else seconds_of(delay)


def at_percent(counts: Mapping[int, int], percent: float) -> int | None:
    """The smallest of counted values that at least ``percent`` of them do not exceed; None without any.

    >>> at_percent({3: 90, 7: 10}, 90), at_percent({3: 90, 7: 10}, 91), at_percent({}, 50)
    (3, 7, None)
    """
    rank = ceil(percent * sum(counts.values()) / 100)
    for value in sorted(counts):
        rank -= counts[value]
        if rank <= 0:
            return value
    return None


@dataclass
class Observer:
    """Samples a cluster from ``start`` on."""

    cluster: SimulatedCluster
    zones: Mapping[str, str]
    start: int = 0
    samples: list[Sample] = field(default_factory=list)

    def begin(self) -> None:
        """Forget what happened so far: the timeline starts now."""
        cluster = self.cluster
        self.start = cluster.now
        cluster.delays.clear()
        cluster.api.calls.clear()
        cluster.never = cluster.launch_failures = 0
        cluster.log.clear()
        for pod in cluster.waiting:
            pod.bound = cluster.now
        for space in cluster.spaces:
            space.refused_at = None

    def every(self, step: int) -> Process:
        """A sample now and after each step. [ms]"""
        while True:
            self.sample("sample")
            yield step

    def sample(self, event: str) -> None:
        """Keep the cluster as it is."""
        cluster = self.cluster
        members = [member for member in cluster.members.values() if member.ready]
        stores = [member.life.node.store for member in members]
        self.samples.append(
            Sample(
                t=(cluster.now - self.start) / SECOND,
                event=event,
                nodes=len(members),
                enis=sum(len(store.enis) for store in stores),
                assigned=sum(len(store.pods) for store in stores),
                cooling=sum(store.cooling(cluster.now) for store in stores),
                total=sum(store.total for store in stores),
                waiting=len(cluster.waiting),
                pending=sum(not pod.gone for queue in cluster.pending for pod in queue),
                subnet_free={space.name: space.free for space in cluster.spaces},
                free_prefixes={space.name: space.free_blocks for space in cluster.spaces},
                ec2_calls=sum(cluster.api.calls.values()),
            )
        )

    def result(
        self, title: str, rule: str, seed: int, *, complete: bool, usable: Mapping[str, int], notes: Iterable[str]
    ) -> SimulationResult:
        """All of it."""
        cluster, api = self.cluster, self.cluster.api
        return SimulationResult(
            title=title,
            rule=rule,
            seed=seed,
            seconds=(cluster.now - self.start) / SECOND,
            complete=complete,
            timeline=tuple(self.samples),
            subnets=tuple(self._outcome(space, usable[space.name]) for space in cluster.spaces),
            delays=dict(sorted(cluster.delays.items())),
            never=cluster.never,
            still_waiting=len(cluster.waiting),
            pending=sum(not pod.gone for queue in cluster.pending for pod in queue),
            calls={kind: api.calls[kind] for kind in sorted(api.calls)},
            throttled={kind: api.throttled[kind] for kind in sorted(api.throttled)},
            throttled_s=sum(second * SECOND >= self.start for second in api.throttled_seconds),
            launch_failures=cluster.launch_failures,
            decisions=tuple(((at - self.start) / SECOND, text) for at, text in cluster.log),
            notes=tuple(notes),
        )

    def _outcome(self, space: AddressSpace, usable: int) -> SubnetOutcome:
        at = space.refused_at
        return SubnetOutcome(
            name=space.name,
            zone=self.zones.get(space.name, ""),
            usable=usable,
            lowest_free=min((s.subnet_free[space.name] for s in self.samples), default=space.free),
            lowest_prefixes=min((s.free_prefixes[space.name] for s in self.samples), default=space.free_blocks),
            exhausted_at=None if at is None else (at - self.start) / SECOND,
        )


def merged(delays: Iterable[Mapping[int, int]]) -> Counter[int]:
    """Delays of several simulations together."""
    found: Counter[int] = Counter()
    for one in delays:
        found.update(one)
    return found
