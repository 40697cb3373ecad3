"""The parts of a simulated cluster: kinds of nodes, places for them, workloads, pods and nodes."""

from __future__ import annotations

from dataclasses import dataclass, field

from capacity.cluster.node_state import EMPTY, VPC, NodeRoom, NodeState, PodShape, fits
from capacity.sim.ec2_side import AddressSpace
from capacity.sim.node_life import NodeLife
from capacity.sim.node_setup import NodeSetup

ANY_POD = PodShape(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class NodePlace:
    """Where a node can be.

    Attributes
    ----------
    home : AddressSpace
        Subnet of its primary ENI.
    pods : AddressSpace
        Subnet of its pods: the same but under custom networking.
    others : tuple of AddressSpace
        Subnets that discovery can choose for additional ENIs, in addition to ``pods``.
    """

    zone: str
    home: AddressSpace
    pods: AddressSpace
    others: tuple[AddressSpace, ...] = ()


@dataclass(frozen=True)
class NodeSource:
    """A node group: what its nodes are and where they start.

    Attributes
    ----------
    daemons : int
        DaemonSet pods with an address of the pool. [pods]
    start : NodeState
        A node with its DaemonSets alone.
    least, most : int, int or None
        Nodes that an autoscaler keeps at least and starts at most. [nodes]
    cordons : bool
        Whether nodes are cordoned before they are drained. Karpenter sets another taint, karpenter.sh/disrupted.
    """

    name: str
    setup: NodeSetup
    room: NodeRoom
    start: NodeState
    places: tuple[NodePlace, ...]
    daemons: int = 0
    least: int = 0
    most: int | None = None
    cordons: bool = True


@dataclass(frozen=True, slots=True)
class PodSource:
    """A workload: its pods and the groups that they may use, by number."""

    name: str
    shape: PodShape
    groups: tuple[int, ...]
    surge: int = 0
    unavailable: int = 0


@dataclass(slots=True, eq=False)
class SimulatedPod:
    """A pod; times in milliseconds.

    Attributes
    ----------
    work : int
        Its workload by number; -1 for a DaemonSet.
    index : int
        Its place among the pods of its workload that were not deleted; -1 if it is not among them.
    branch : list of int
        The address of its branch ENI.
    """

    number: int
    work: int
    shape: PodShape
    created: int
    member: Member | None = None
    bound: int = 0
    started: int | None = None
    gone: bool = False
    index: int = -1
    branch: list[int] = field(default_factory=list)

    @property
    def on_pool(self) -> bool:
        """Whether it has an address of the node's pool."""
        return self.shape.kind == VPC


@dataclass(slots=True, eq=False)
class Member:
    """A node of the cluster, from the start of its instance until that is terminated.

    Attributes
    ----------
    source, place : int, NodePlace
        Its group by number, and where it is.
    state : NodeState
        Sum of its pods.
    open, ready : bool
        Whether pods can be put on it, and whether it ever was ready.
    wake : float
        When its next planned deed is. [ms]
    """

    number: int
    source: int
    place: NodePlace
    life: NodeLife
    state: NodeState = EMPTY
    pods: dict[int, SimulatedPod] = field(default_factory=dict)
    open: bool = False
    ready: bool = False
    gone: bool = False
    idle_since: int = 0
    wake: float = -1


class NodeQueue:
    """The open nodes of a group by their number of pods, those with the fewest first."""

    def __init__(self) -> None:
        self._levels: list[dict[int, Member]] = []
        self._level_of: dict[int, int] = {}
        self._lowest = 0  # no level below has nodes

    def put(self, member: Member) -> None:
        """A node opened, closed, or its pods changed."""
        before = self._level_of.pop(member.number, None)
        if before is not None:
            del self._levels[before][member.number]
        if member.open:
            level = max(member.state.pods, 0)
            while len(self._levels) <= level:
                self._levels.append({})
            self._levels[level][member.number] = member
            self._level_of[member.number] = level
            self._lowest = min(self._lowest, level)

    def pick(self, room: NodeRoom, pod: PodShape) -> Member | None:
        """The node with the fewest pods that has room for one more; None if there is none."""
        levels = self._levels
        while self._lowest < len(levels) and not levels[self._lowest]:
            self._lowest += 1
        for number in range(self._lowest, len(levels)):
            for member in levels[number].values():
                if fits(room, member.state, pod):
                    return member
        return None


def without_pod(state: NodeState, pod: PodShape) -> NodeState:
    """The state of a node after a pod has gone."""
    return NodeState(*(a - b for a, b in zip(state, pod.step, strict=True)))
