"""A cluster in virtual time: nodes start and end, pods are put on them, wait for an address, and go.

Nodes run ipamd's own steps (:mod:`capacity.sim.pool_manager`) on subnets and an EC2 API that all of them share. Pods
go to the node with the fewest pods that has room; a pod without an address is tried again by its kubelet.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from random import Random

from capacity.cluster.node_state import BRANCH, VPC, PodShape, with_pod
from capacity.sim.agenda import Agenda
from capacity.sim.ec2_api import Ec2Api
from capacity.sim.ec2_side import AddressSpace, Ec2Eni, Ec2Side, SubnetFull
from capacity.sim.ipam_store import IpamStore
from capacity.sim.members import (
    ANY_POD,
    Member,
    NodePlace,
    NodeQueue,
    NodeSource,
    PodSource,
    SimulatedPod,
    without_pod,
)
from capacity.sim.node_life import NodeLife
from capacity.sim.simulated_node import SimulatedNode

RETRY, RETRY_JITTER = 10_000, 0.5  # kubernetes pkg/kubelet/kubelet.go backOffPeriod, pod_workers.go [ms]
LAUNCH_RETRY = 60_000  # an instance that found no address for its primary ENI is tried again after [ms]
DELAY_STEP = 10  # delays are counted in steps of this length [ms]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things outside the CNI take. [ms]

    Attributes
    ----------
    node_start : int
        From the start of an instance until ipamd starts on it.
    node_end : int
        From the termination of an instance until its addresses are free.
    pod_stop : int
        From the deletion of a pod until its address is released.
    pod_ready : int
        From a pod's address until it is ready.
    """

    node_start: int = 45_000
    node_end: int = 30_000
    pod_stop: int = 5_000
    pod_ready: int = 5_000


class SimulatedCluster:
    """Nodes and pods over time, on subnets and an API that they share.

    Attributes
    ----------
    delays : Counter
        Pods by the time they waited on their node for an address, in steps of :data:`DELAY_STEP`.
    never : int
        Pods that went without ever having had an address.
    lost_zones : set of str
        Zones in which no more nodes start.
    on_start : callable or None
        Called with each pod that got its address.
    """

    def __init__(
        self,
        sources: Sequence[NodeSource],
        works: Sequence[PodSource],
        spaces: Sequence[AddressSpace],
        api: Ec2Api,
        pace: Pace,
        random: Random,
    ) -> None:
        self.sources, self.works, self.spaces, self.api, self.pace = sources, works, spaces, api, pace
        self.random = random
        self.agenda = Agenda()
        self.members: dict[int, Member] = {}
        self.queues = [NodeQueue() for _ in sources]
        self.pods: dict[int, SimulatedPod] = {}
        self.by_work: list[list[SimulatedPod]] = [[] for _ in works]
        self.pending: list[deque[SimulatedPod]] = [deque() for _ in works]
        self.starting = Counter[int]()
        self.waiting: set[SimulatedPod] = set()
        self.delays: Counter[int] = Counter()
        self.never = 0
        self.lost = 0
        self.launch_failures = 0
        self.lost_zones: set[str] = set()
        self.watched: int | None = None
        self.log: list[tuple[int, str]] = []
        self.on_start: Callable[[SimulatedPod], None] | None = None
        self._numbers = 0
        for space in spaces:
            space.clock = lambda: self.agenda.now

    @property
    def now(self) -> int:
        """The moment. [ms]"""
        return self.agenda.now

    # --- nodes

    def start_node(self, source: int, place: NodePlace, ready_in: int | None = None) -> None:
        """Start an instance; pods can be put on it once ipamd is ready.

        Where the subnet has no address for its primary ENI, the group's other places are tried, as EC2 Auto Scaling
        and Karpenter do; if none has, all of them again later.
        """
        self.starting[source] += 1
        self._launch((source, place, ready_in))

    def _launch(self, what: tuple[int, NodePlace, int | None]) -> None:
        source, place, ready_in = what
        group = self.sources[source]
        enis = 1 + group.setup.unmanaged
        if place.home.open < enis:
            self.launch_failures += 1
            place.home.refuse()
            others = [other for other in group.places if other.home.open >= enis and other.zone not in self.lost_zones]
            if not others:
                self.agenda.at(self.now + LAUNCH_RETRY, self._launch, what)
                return
            place = max(others, key=lambda other: other.home.open)
        own = [place.home.take(1) for _ in range(enis)]
        ec2 = Ec2Side(place.pods, group.setup.unit, group.setup.per_eni, others=place.others)
        for number, address in enumerate(own):
            ec2.add(Ec2Eni(address, managed=number == 0, space=place.home))
        store = IpamStore(group.setup.unit, group.setup.cooldown, random=self.random)
        node = SimulatedNode(group.setup, ec2, store, self.api)
        wait = self.pace.node_start if ready_in is None else ready_in
        self._numbers += 1
        member = Member(self._numbers, source, place, NodeLife(node, due=self.now + wait), group.start)
        if self.watched is None:
            self.watched, node.log = member.number, self.log
        self.members[member.number] = member
        self._plan(member)

    def _plan(self, member: Member) -> None:
        due = member.life.due
        if due < inf and (member.wake < self.now or due < member.wake):
            member.wake = due
            self.agenda.at(due, self._wake, member)

    def _wake(self, member: Member) -> None:
        if member.gone or member.wake != self.now:
            return
        member.wake = -1
        if member.life.due <= self.now:
            finished = member.life.advance()
            if finished and finished.event == "init":
                self._opened(member)
        self._plan(member)

    def _opened(self, member: Member) -> None:
        self.starting[member.source] -= 1
        member.open = member.ready = True
        member.idle_since = self.now
        source = self.sources[member.source]
        for _ in range(source.daemons):
            self._bind(self._new_pod(-1, ANY_POD), member)
        self.queues[member.source].put(member)
        self.place_pending()

    def close(self, member: Member) -> None:
        """No more pods on it."""
        member.open = False
        self.queues[member.source].put(member)

    def cordon(self, member: Member) -> None:
        """No more pods on it; ipamd sees its taint, if the group's nodes get one."""
        self.close(member)
        member.life.node.unschedulable = self.sources[member.source].cordons
        member.life.node.now = self.now
        member.life.pods_changed()
        self._plan(member)

    def drain(self, member: Member) -> None:
        """Cordon a node and delete its pods; those of workloads are created again elsewhere."""
        self.cordon(member)
        for pod in list(member.pods.values()):
            if not pod.gone and pod.work >= 0:
                self.replace(pod)

    def terminate(self, member: Member, *, keep_addresses: bool = False) -> None:
        """End an instance: its pods are gone immediately, its addresses free some time later, or never."""
        if not member.ready:
            self.starting[member.source] -= 1
        member.gone, member.life.due = True, inf
        self.close(member)
        del self.members[member.number]
        pods = list(member.pods.values())
        for pod in pods:
            self._forget(pod)
        if not keep_addresses:
            self.agenda.at(self.now + self.pace.node_end, self._instance_gone, (member, pods))

    def _instance_gone(self, what: tuple[Member, list[SimulatedPod]]) -> None:
        member, pods = what
        for pod in pods:
            if pod.branch:
                member.life.node.ec2.space.release(pod.branch)
        member.life.node.ec2.terminate()

    def nodes_of(self, source: int) -> list[Member]:
        """The nodes of a group, in the order they started."""
        return [member for member in self.members.values() if member.source == source]

    def place_for(self, source: int) -> NodePlace | None:
        """Where the next node of a group starts: where it has the fewest; None if no place is left."""
        counts = Counter(id(member.place) for member in self.nodes_of(source))
        places = [place for place in self.sources[source].places if place.zone not in self.lost_zones]
        return min(places, key=lambda place: counts[id(place)], default=None)

    # --- pods

    def _new_pod(self, work: int, shape: PodShape) -> SimulatedPod:
        self._numbers += 1
        pod = SimulatedPod(self._numbers, work, shape, self.now)
        self.pods[pod.number] = pod
        return pod

    def create(self, work: int, count: int = 1) -> None:
        """More pods of a workload."""
        for _ in range(count):
            pod = self._new_pod(work, self.works[work].shape)
            mine = self.by_work[work]
            pod.index = len(mine)
            mine.append(pod)
            if not self._schedule(pod):
                self.pending[work].append(pod)

    def create_on(self, member: Member, work: int = -1) -> SimulatedPod:
        """One more pod on a certain node, whatever its room."""
        pod = self._new_pod(work, self.works[work].shape if work >= 0 else ANY_POD)
        self._bind(pod, member)
        return pod

    def place_pending(self) -> None:
        """Try the pods that no node had room for."""
        for queue in self.pending:
            while queue:
                if queue[0].gone or self._schedule(queue[0]):
                    queue.popleft()
                else:
                    break

    def _schedule(self, pod: SimulatedPod) -> bool:
        best: Member | None = None
        for source in self.works[pod.work].groups:
            member = self.queues[source].pick(self.sources[source].room, pod.shape)
            if member and (best is None or member.state.pods < best.state.pods):
                best = member
        if best is not None:
            self._bind(pod, best)
        return best is not None

    def _bind(self, pod: SimulatedPod, member: Member) -> None:
        pod.member, pod.bound = member, self.now
        member.pods[pod.number] = pod
        if pod.work >= 0:
            member.state = with_pod(member.state, pod.shape)
            if member.open:
                self.queues[member.source].put(member)
        if pod.shape.kind == VPC:
            self._try(pod)
        elif pod.shape.kind == BRANCH:
            self._try_branch(pod)
        else:
            self._started(pod)

    def _try(self, pod: SimulatedPod) -> None:
        """The CNI's ADD for a pod."""
        if pod.gone or pod.started is not None:
            return
        member = pod.member
        assert member is not None
        node = member.life.node
        node.now = self.now
        if member.ready and node.setup.settings.ipv6:
            self._started(pod)
        elif member.ready and node.store.place(pod.number, node.now) is not None:
            self._started(pod)
            member.life.pods_changed()
            self._plan(member)
        else:
            self._retry(pod, self._try)

    def _try_branch(self, pod: SimulatedPod) -> None:
        """A branch ENI for a pod, from the node's subnet of pods; its calls are the controller's."""
        if pod.gone or pod.started is not None:
            return
        assert pod.member is not None
        ec2 = pod.member.life.node.ec2
        try:
            pod.branch = ec2.space.take(1)
        except SubnetFull:
            self._retry(pod, self._try_branch)
        else:
            self._started(pod)

    def _retry(self, pod: SimulatedPod, deed: Callable[[SimulatedPod], None]) -> None:
        self.waiting.add(pod)
        wait = round(RETRY * (1 + RETRY_JITTER * self.random.random()))
        self.agenda.at(self.now + wait, deed, pod)

    def _started(self, pod: SimulatedPod) -> None:
        pod.started = self.now
        self.waiting.discard(pod)
        self.delays[(self.now - pod.bound) // DELAY_STEP] += 1
        if self.on_start:
            self.on_start(pod)

    def delete(self, pod: SimulatedPod) -> None:
        """Delete a pod: its address is released when its containers have stopped."""
        if pod.gone:
            return
        pod.gone = True
        self._uncount(pod)
        if pod.member is None:
            del self.pods[pod.number]
        elif pod.started is None:
            self.never += 1
            self._removed(pod)
        else:
            self.agenda.at(self.now + self.pace.pod_stop, self._removed, pod)

    def replace(self, pod: SimulatedPod) -> None:
        """Delete a pod of a workload and create another."""
        counted = pod.index >= 0
        self.delete(pod)
        if counted:
            self.create(pod.work)

    def _removed(self, pod: SimulatedPod) -> None:
        if pod.number not in self.pods:
            return
        member = pod.member
        assert member is not None
        self._forget(pod)
        if member.gone:
            return
        node = member.life.node
        node.now = self.now
        if pod.shape.kind == VPC:
            node.store.release(pod.number, node.now)
            member.life.pods_changed()
            self._plan(member)
        elif pod.branch:
            node.ec2.space.release(pod.branch)
        if pod.work >= 0:
            member.state = without_pod(member.state, pod.shape)
            if not any(other.work >= 0 for other in member.pods.values()):
                member.idle_since = self.now
            if member.open:
                self.queues[member.source].put(member)
                if any(self.pending):
                    self.place_pending()

    def _forget(self, pod: SimulatedPod) -> None:
        del self.pods[pod.number]
        self.waiting.discard(pod)
        assert pod.member is not None
        del pod.member.pods[pod.number]
        if not pod.gone:  # its node ended under it
            pod.gone = True
            self._uncount(pod)

    def _uncount(self, pod: SimulatedPod) -> None:
        """It is none of its workload's pods any more."""
        if pod.index >= 0:
            mine = self.by_work[pod.work]
            last = mine.pop()
            if last is not pod:
                mine[pod.index] = last
                last.index = pod.index
            pod.index = -1
