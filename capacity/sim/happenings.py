"""What happens to a simulated cluster: churn, rollouts, replacements of nodes, a lost zone, growth, recorded events.

Each is a process that yields how long it waits, in milliseconds. What a scenario of ``check`` states as a rule is
played here over time, with the same surge and the same numbers of nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil, cos, pi

from capacity.cluster.node_state import pods_on_empty
from capacity.sim.agenda import Process
from capacity.sim.cluster_life import SimulatedCluster
from capacity.sim.members import Member, NodePlace, SimulatedPod

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
HPA_SYNC = 15 * SECOND  # kube-controller-manager --horizontal-pod-autoscaler-sync-period
AUTOSCALER_SCAN = 10 * SECOND  # cluster-autoscaler --scan-interval
UNNEEDED = 10 * MINUTE  # cluster-autoscaler --scale-down-unneeded-time
SPOT_NOTICE = 120 * SECOND  # between the notice and the interruption of a Spot instance
# node-monitor-grace-period 50 s, and tolerationSeconds 300 of node.kubernetes.io/unreachable
ZONE_EVICTION = 350 * SECOND


def churn(cluster: SimulatedCluster, per_node_minute: float) -> Process:
    """Pods of workloads are replaced at random moments, at a rate per node and minute."""
    while True:
        live = sum(len(pods) for pods in cluster.by_work)
        rate = per_node_minute * max(len(cluster.members), 1)
        yield cluster.random.expovariate(rate) * MINUTE
        if not live:
            continue
        at = int(cluster.random.random() * sum(len(pods) for pods in cluster.by_work))
        for pods in cluster.by_work:
            if at < len(pods):
                cluster.replace(pods[at])
                break
            at -= len(pods)


def churn_of(cluster: SimulatedCluster, work: int, per_minute: float) -> Process:
    """Pods of one workload are replaced at random moments, at a rate over the whole cluster."""
    while True:
        yield cluster.random.expovariate(per_minute) * MINUTE
        pods = cluster.by_work[work]
        if pods:
            cluster.replace(pods[int(cluster.random.random() * len(pods))])


def rollout(cluster: SimulatedCluster, work: int) -> Process:
    """A Deployment replaces its pods: at most ``surge`` more, at most ``unavailable`` not ready."""
    source, ready_after = cluster.works[work], cluster.pace.pod_ready
    old = list(cluster.by_work[work])
    replicas, seen = len(old), {pod.number for pod in old}

    def is_ready(pod: SimulatedPod) -> bool:
        return pod.started is not None and cluster.now - pod.started >= ready_after

    while True:
        old = [pod for pod in old if not pod.gone]
        new = [pod for pod in cluster.by_work[work] if pod.number not in seen]
        ready = sum(map(is_ready, new)) + sum(map(is_ready, old))
        spare = ready - max(replicas - source.unavailable, 0)
        for pod in sorted(old, key=is_ready):
            if not is_ready(pod):
                cluster.delete(pod)
            elif spare > 0:
                spare -= 1
                cluster.delete(pod)
        live = len(cluster.by_work[work])
        cluster.create(work, min(replicas + source.surge - live, replicas - len(new)))
        if len(new) >= replicas and not old:
            return
        yield SECOND


def scale(cluster: SimulatedCluster, work: int, target: int) -> None:
    """Bring a workload to ``target`` pods; the youngest go first."""
    more = target - len(cluster.by_work[work])
    cluster.create(work, max(more, 0))
    for _ in range(-more):
        cluster.delete(cluster.by_work[work][-1])


def ramp(cluster: SimulatedCluster, work: int, target: int, over: int) -> Process:
    """A HorizontalPodAutoscaler brings a workload to its target in equal steps. [ms]"""
    first, steps = len(cluster.by_work[work]), max(over // HPA_SYNC, 1)
    for step in range(1, steps + 1):
        scale(cluster, work, first + round((target - first) * step / steps))
        yield HPA_SYNC


def day(cluster: SimulatedCluster, work: int, low: int, high: int, weekend: float = 1.0) -> Process:
    """A workload follows the hours: ``low`` at midnight, ``high`` at noon, less high on days 6 and 7."""
    start = cluster.now
    while True:
        hours = (cluster.now - start) / HOUR
        top = high if hours // 24 % 7 < 5 else low + weekend * (high - low)
        scale(cluster, work, round(low + (top - low) * (1 - cos(2 * pi * hours / 24)) / 2))
        yield 4 * HPA_SYNC


def cron(cluster: SimulatedCluster, work: int, pods: int, every: int, lasts: int) -> Process:
    """A CronJob: ``pods`` at the same time, each runs for a time. [ms]"""

    def end(batch: list[SimulatedPod]) -> None:
        for pod in batch:
            cluster.delete(pod)

    while True:
        before = len(cluster.by_work[work])
        cluster.create(work, pods)
        cluster.agenda.at(cluster.now + lasts, end, cluster.by_work[work][before:])
        yield every


def autoscaler(cluster: SimulatedCluster) -> Process:
    """Start nodes for pods that no node has room for, and end nodes that had no pods for long."""
    while True:
        for source, count in enumerate(nodes_wanted(cluster)):
            for _ in range(count):
                if place := cluster.place_for(source):
                    cluster.start_node(source, place)
        _remove_unneeded(cluster)
        yield AUTOSCALER_SCAN


def nodes_wanted(cluster: SimulatedCluster) -> list[int]:
    """Nodes to start in each group for the pending pods, in addition to those that are starting. [nodes]"""
    needed = [0.0] * len(cluster.sources)
    for work, queue in enumerate(cluster.pending):
        pods = sum(not pod.gone for pod in queue)
        if pods:
            shape, groups = cluster.works[work].shape, cluster.works[work].groups
            for group in groups:
                source = cluster.sources[group]
                each = pods_on_empty(source.room, source.start, shape)
                if each and _may_grow(cluster, group):
                    needed[group] += pods / each
                    break
    return [
        max(min(ceil(n) - cluster.starting[group], _room(cluster, group)), 0) if n else 0
        for group, n in enumerate(needed)
    ]


def _room(cluster: SimulatedCluster, group: int) -> int:
    most = cluster.sources[group].most
    return 10**6 if most is None else most - len(cluster.nodes_of(group)) - _launching(cluster, group)


def _launching(cluster: SimulatedCluster, group: int) -> int:
    """Instances that are planned but have no ENI yet."""
    return cluster.starting[group] - sum(not member.ready for member in cluster.nodes_of(group))


def _may_grow(cluster: SimulatedCluster, group: int) -> bool:
    most = cluster.sources[group].most
    return most is None or _room(cluster, group) > 0 or cluster.starting[group] > 0


def _remove_unneeded(cluster: SimulatedCluster) -> None:
    for group, source in enumerate(cluster.sources):
        nodes = cluster.nodes_of(group)
        if source.least >= len(nodes) or source.most == source.least:
            continue
        idle = [m for m in nodes if m.open and cluster.now - m.idle_since > UNNEEDED and not _has_work(m)]
        for member in idle[: len(nodes) - source.least]:
            cluster.terminate(member)


def _has_work(member: Member) -> bool:
    return any(pod.work >= 0 for pod in member.pods.values())


def _drained(cluster: SimulatedCluster, nodes: Sequence[Member]) -> Process:
    """Drain nodes, and end them when their pods have stopped."""
    for member in nodes:
        cluster.drain(member)
    yield cluster.pace.pod_stop
    while any(_has_work(member) for member in nodes):
        yield SECOND
    for member in nodes:
        cluster.terminate(member)


def _until_ready(cluster: SimulatedCluster, source: int) -> Process:
    """Wait for all nodes of a group that are starting."""
    while cluster.starting[source] > 0:
        yield SECOND


def upgrade_managed(cluster: SimulatedCluster, source: int, surge: int, at_once: int) -> Process:
    """A managed node group's update: more nodes first (none with ``minimal``), then node by node, then fewer again."""
    old = cluster.nodes_of(source)
    for _ in range(surge):
        if place := cluster.place_for(source):
            cluster.start_node(source, place)
    yield from _until_ready(cluster, source)
    for member in old:
        cluster.cordon(member)
    for at in range(0, len(old), at_once):
        batch = [member for member in old[at : at + at_once] if not member.gone]
        yield from _drained(cluster, batch)
        for member in batch:
            cluster.start_node(source, member.place)
        if not surge:
            yield from _until_ready(cluster, source)
    yield from _until_ready(cluster, source)
    extra = cluster.nodes_of(source)[:surge]
    for member in extra:
        yield from _drained(cluster, [member])


def upgrade_karpenter(cluster: SimulatedCluster, source: int, at_once: int) -> Process:
    """Drift: a share of the nodes at a time, their replacements first."""
    old = cluster.nodes_of(source)
    for at in range(0, len(old), at_once):
        batch = [member for member in old[at : at + at_once] if not member.gone]
        for member in batch:
            cluster.start_node(source, member.place)
        yield from _until_ready(cluster, source)
        yield from _drained(cluster, batch)


def spot_storm(cluster: SimulatedCluster, source: int, count: int) -> Process:
    """Spot instances get their notice together: replacements start, pods move, two minutes later they end."""
    nodes = cluster.nodes_of(source)
    taken = cluster.random.sample(nodes, min(count, len(nodes)))
    for member in taken:
        cluster.start_node(source, member.place)
    for member in taken:
        cluster.drain(member)
    yield SPOT_NOTICE
    for member in taken:
        if not member.gone:
            cluster.terminate(member)


def zone_loss(cluster: SimulatedCluster, zone: str) -> Process:
    """A zone is lost: its nodes start again elsewhere, its pods are created again when they are evicted.

    The addresses of the lost nodes stay in use.
    """
    again: list[int] = []
    cluster.lost_zones.add(zone)
    for member in [m for m in cluster.members.values() if m.place.zone == zone]:
        again += [pod.work for pod in member.pods.values() if pod.work >= 0 and not pod.gone]
        cluster.terminate(member, keep_addresses=True)
        if place := cluster.place_for(member.source):
            cluster.start_node(member.source, place)
    yield ZONE_EVICTION
    for work in again:
        cluster.create(work)


def second_set(cluster: SimulatedCluster, nodes: Iterable[tuple[int, NodePlace, int]]) -> Process:
    """More nodes at the same time, each with a number of pods as soon as it is ready."""
    wanted = list(nodes)
    before = set(cluster.members)
    for source, place, _ in wanted:
        cluster.start_node(source, place)
    while wanted:
        yield SECOND
        for number, member in list(cluster.members.items()):
            if number in before or not member.ready:
                continue
            for entry in wanted:
                if entry[0] == member.source and entry[1] is member.place:
                    wanted.remove(entry)
                    before.add(number)
                    cluster.close(member)  # these pods are its own
                    for _ in range(entry[2]):
                        cluster.create_on(member)
                    break


def recorded(cluster: SimulatedCluster, events: Iterable[tuple[int, str, int, int]]) -> Process:
    """Pods as recorded: (moment, ``add`` or ``delete``, workload, pods). [ms]"""
    start = cluster.now
    for moment, event, work, pods in events:
        yield max(start + moment - cluster.now, 0)
        if event == "add":
            cluster.create(work, pods)
        else:
            for pod in cluster.by_work[work][:pods]:
                cluster.delete(pod)


def after(wait: int, process: Process) -> Process:
    """A process that starts later. [ms]"""
    yield wait
    yield from process
