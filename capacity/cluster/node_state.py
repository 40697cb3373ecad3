"""The state of one node, the room it has, and the reasons why a pod does not fit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from capacity.plan.model import Requests
from capacity.units import MIB, ceil_div

DEFAULT_CPU_MILLICORES = 100
DEFAULT_MEMORY_BYTES = 200 * MIB

VPC, HOST, BRANCH = "vpc", "host", "branch"
UNLIMITED = 10**9


class NodeState(NamedTuple):
    """The total of the pods on one node, including DaemonSets. Nodes of equal state in one slot are one class.

    Attributes
    ----------
    score_cpu, score_memory : int
        As the scheduler's score counts them: a missing request is not 0. [millicores], [bytes]
    cpu, memory : int
        Requested. [millicores], [bytes]
    pods, vpc_pods, branch_pods : int
        Pods of every kind, on VPC addresses and on branch ENIs. [pods]
    volumes : int
        EBS volumes. [volumes]
    gpus : int
        Requested. [devices]
    marks : int
        One bit for each workload of one pod per node that has its pod here; of several nodes together the sum.
    """

    score_cpu: int
    score_memory: int
    cpu: int
    memory: int
    pods: int
    vpc_pods: int
    branch_pods: int
    volumes: int
    gpus: int = 0
    marks: int = 0


EMPTY = NodeState(0, 0, 0, 0, 0, 0, 0, 0)


def plus(state: NodeState, times: int, more: NodeState, less: NodeState = EMPTY) -> NodeState:
    """A state plus ``times`` the difference of two states.

    >>> plus(EMPTY, 3, NodeState(0, 0, 250, 0, 2, 1, 0, 0), NodeState(0, 0, 50, 0, 1, 0, 0, 0)).cpu
    600
    """
    return NodeState(*(s + times * (m - n) for s, m, n in zip(state, more, less, strict=True)))


@dataclass(frozen=True, slots=True)
class PodShape:
    """One pod: its requests, its values in the scheduler's score, and how it gets its address.

    Attributes
    ----------
    skew : int or None
        Pods by which the zones of its workload may differ; None: no limit. [pods]
    mark : int
        The bit of its workload if a node can have only one of its pods, otherwise 0.
    step : NodeState
        The amount that it adds to the state of its node.
    """

    cpu: int
    memory: int
    score_cpu: int
    score_memory: int
    kind: str = VPC
    volumes: int = 0
    gpus: int = 0
    skew: int | None = None
    mark: int = 0
    step: NodeState = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        vpc, branch = int(self.kind == VPC), int(self.kind == BRANCH)
        step = NodeState(
            self.score_cpu, self.score_memory, self.cpu, self.memory, 1, vpc, branch, self.volumes, self.gpus, self.mark
        )
        object.__setattr__(self, "step", step)

    @property
    def constrained(self) -> bool:
        """Whether it matters which zone or node its workload's other pods are on."""
        return bool(self.mark) or self.skew is not None


def pod_shape(requests: Requests, kind: str = VPC, volumes: int = 0) -> PodShape:
    """The pod of a workload or DaemonSet. CPU in millicores, memory in bytes, EBS volumes."""
    cpu, memory = requests.cpu_millicores, requests.memory_bytes
    return PodShape(
        cpu=cpu or 0,
        memory=memory or 0,
        score_cpu=DEFAULT_CPU_MILLICORES if cpu is None else cpu,
        score_memory=DEFAULT_MEMORY_BYTES if memory is None else memory,
        kind=kind,
        volumes=volumes,
        gpus=requests.gpus,
    )


class NodeRoom(NamedTuple):
    """The scheduler's view of one node, for all its pods including DaemonSets.

    ``cpu`` millicores and ``memory`` bytes allocatable, ``max_pods`` pods, ``branch_enis``, EBS ``volumes``,
    ``gpus``, and ``addresses`` for pods on VPC addresses: on Windows an extended resource
    (``vpc.amazonaws.com/PrivateIPv4Address``), on Linux :data:`UNLIMITED`, because schedulers and autoscalers don't
    consider addresses there.
    """

    cpu: int
    memory: int
    max_pods: int
    addresses: int
    branch_enis: int
    volumes: int = UNLIMITED
    gpus: int = 0


def with_pod(state: NodeState, pod: PodShape) -> NodeState:
    """The state of a node after one more pod."""
    a, b, c, d, e, f, g, h, i, j = state
    p, q, r, s, t, u, v, w, x, y = pod.step
    return NodeState(a + p, b + q, c + r, d + s, e + t, f + u, g + v, h + w, i + x, j + y)


def blockers(room: NodeRoom, state: NodeState, pod: PodShape) -> list[str]:
    """The reasons why a pod does not fit on a node in this state; empty if it fits."""
    found = []
    if pod.kind == VPC and state.vpc_pods >= room.addresses:
        found.append("addresses")
    if pod.kind == BRANCH and state.branch_pods >= room.branch_enis:
        found.append("branch_enis")
    if state.pods >= room.max_pods:
        found.append("max_pods")
    if pod.volumes and state.volumes + pod.volumes > room.volumes:
        found.append("volumes")
    if pod.gpus and state.gpus + pod.gpus > room.gpus:
        found.append("gpus")
    if state.cpu + pod.cpu > room.cpu and pod.cpu:
        found.append("cpu")
    if state.memory + pod.memory > room.memory and pod.memory:
        found.append("memory")
    if state.marks & pod.mark:
        found.append("anti_affinity")
    return found


def fits(room: NodeRoom, state: NodeState, pod: PodShape) -> bool:
    """Whether one more such pod fits; a request of 0 fits even an overcommitted node."""
    _, _, c, d, e, f, g, h, i, marks = state
    cpu, memory, pods, vpc, branch, volumes, gpus = fullest_before(room, pod)
    room_left = c <= cpu and d <= memory and e <= pods and f <= vpc and g <= branch and h <= volumes and i <= gpus
    return room_left and not marks & pod.mark


def fullest_before(room: NodeRoom, pod: PodShape) -> tuple[float, float, float, float, float, float, float]:
    """CPU, memory, pods, VPC pods, branch pods, volumes and GPUs of the fullest node that fits one more such pod."""
    return (
        room.cpu - pod.cpu if pod.cpu else inf,
        room.memory - pod.memory if pod.memory else inf,
        room.max_pods - 1,
        room.addresses - 1 if pod.kind == VPC else inf,
        room.branch_enis - 1 if pod.kind == BRANCH else inf,
        room.volumes - pod.volumes if pod.volumes else inf,
        room.gpus - pod.gpus if pod.gpus else inf,
    )


def pods_on_empty(room: NodeRoom, start: NodeState, pod: PodShape) -> int:
    """Pods of one shape that fit on a node with only its DaemonSets. [pods]"""
    if not fits(room, start, pod):
        return 0
    bounds = [room.max_pods - start.pods]
    bounds += [(room.cpu - start.cpu) // pod.cpu] if pod.cpu else []
    bounds += [(room.memory - start.memory) // pod.memory] if pod.memory else []
    bounds += [(room.volumes - start.volumes) // pod.volumes] if pod.volumes else []
    bounds += [(room.gpus - start.gpus) // pod.gpus] if pod.gpus else []
    bounds += [room.addresses - start.vpc_pods] if pod.kind == VPC else []
    bounds += [room.branch_enis - start.branch_pods] if pod.kind == BRANCH else []
    bounds += [1] if pod.mark else []
    return max(min(bounds), 0)


def nodes_by_sums(room: NodeRoom, start: NodeState, pods: Iterable[tuple[PodShape, int]]) -> int:
    """Fewest nodes for the total requests of the pods; the scheduler can need more. [nodes]

    Each of the shapes fits on an empty node.
    """
    needs = [0, 0, 0, 0, 0]
    for pod, number in pods:
        for i, amount in enumerate((pod.cpu, pod.memory, 1, pod.kind == VPC, pod.gpus)):
            needs[i] += number * amount
    each = (
        room.cpu - start.cpu,
        room.memory - start.memory,
        room.max_pods - start.pods,
        room.addresses - start.vpc_pods,
        room.gpus - start.gpus,
    )
    return max((ceil_div(need, have) for need, have in zip(needs, each, strict=True) if need), default=0)


def nodes_short(room: NodeRoom, start: NodeState, pods: int) -> int:
    """Lower bound of the missing nodes for a number of unschedulable pods, at least one. [nodes]

    The pods would need twice as many nodes even without other pods; half of it keeps the count minimal.
    """
    return max(pods // max(room.max_pods - start.pods, 1) // 2, 1)
