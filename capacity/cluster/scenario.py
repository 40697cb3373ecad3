"""What a scenario says: every subnet's ledger, every group's nodes, the pods that found none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from capacity.cluster.node_state import NodeState
from capacity.cluster.shape import GroupShape
from capacity.cluster.spread import Slot
from capacity.cluster.unplaced import Unplaced
from capacity.errors import SpecError, did_you_mean
from capacity.plan.model import Subnet
from capacity.vpc.ledger import VERDICTS, SubnetState

_T = TypeVar("_T")

LOST = "lost"  # what tables print instead of what is free in a lost zone
FREE_CELLS = ("free", "free_pct", "free_prefixes", "verdict")  # columns that say what is free


@dataclass(frozen=True, slots=True)
class NodeClass:
    """Identical nodes of a group in one place: how many, and their pods by kind."""

    slot: Slot
    count: int
    pods: int
    vpc_pods: int
    branch_pods: int
    state: NodeState


@dataclass(frozen=True, slots=True)
class Batch:
    """Nodes of a group that came together, for the bounds.

    Attributes
    ----------
    count : int
        [nodes]
    zones : mapping of str to (int, int)
        Fewest and most of them in each zone, over where the odd ones may fall. [nodes]
    subnet : str or None
        The one subnet all of them are in, where that is certain.
    started : bool
        They started empty while something happened: they hold only pods that moved or came on top.
    anywhere : bool
        Any share of a zone's nodes may be in one of its subnets; else they are even over these.
    grown : bool
        They started because pods found no room.
    filled : ((int, int), (int, int)) or None
        They run with pods that are no part of the group's others: fewest and most on VPC addresses, and on branch
        ENIs, of each. [pods]
    """

    count: int
    zones: Mapping[str, tuple[int, int]]
    subnet: str | None = None
    started: bool = False
    anywhere: bool = False
    grown: bool = False
    filled: tuple[tuple[int, int], tuple[int, int]] | None = None


class PodRange(NamedTuple):
    """Pods of one kind (on VPC addresses, or on branch ENIs) of a group while something happens. [pods]

    Attributes
    ----------
    before : int
        On its nodes before anything happened.
    least, most : int
        Fewest and most on its open nodes afterwards.
    started : int
        Most on nodes that started since.
    closed : tuple of int
        Most on the nodes of each closing, in its order.
    """

    before: int
    least: int
    most: int
    started: int = 0
    closed: tuple[int, ...] = ()


class Turnover(NamedTuple):
    """What happened to a group's nodes, for the bounds.

    Attributes
    ----------
    vpc, branch : PodRange
        Workload pods on VPC addresses, and on branch ENIs.
    closings : tuple of (int, str or None)
        Nodes that were drained or lost, and their zone where that is certain: then it is lost with all its nodes.
    """

    vpc: PodRange
    branch: PodRange
    closings: tuple[tuple[int, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class GroupState:
    """A node group in one scenario.

    Attributes
    ----------
    nodes : int
        All that hold addresses, those being replaced included. [nodes]
    nodes_by_zone : dict of str to int
    classes : tuple of NodeClass
    binding : str or None
        What stops the next pod of this group's kind of load; None without nodes.
    turnover : Turnover
        What happened to them, for the bounds.
    batches : tuple of Batch
        The same nodes as they came.
    pods_without_address : int
        Pods on its nodes for which the ENIs have no address: stuck in ContainerCreating. [pods]
    """

    shape: GroupShape
    nodes: int
    nodes_by_zone: dict[str, int]
    classes: tuple[NodeClass, ...]
    binding: str | None
    turnover: Turnover
    batches: tuple[Batch, ...] = ()
    pods_without_address: int = 0

    def __repr__(self) -> str:
        return f"<GroupState {self.shape.group.name}: {self.nodes:,} nodes, up to {self.pods_per_node} pods each>"

    @property
    def pods_per_node(self) -> int:
        """Pods on the fullest node, daemonsets and host-network pods included. [pods]"""
        return max((c.pods for c in self.classes), default=0)

    @property
    def fullest(self) -> tuple[int, int]:
        """VPC and branch pods of the node that takes the most addresses."""
        return max(((c.vpc_pods, c.branch_pods) for c in self.classes), key=sum, default=(0, 0))

    def full_node(self, *, at_home: bool, with_pods: bool) -> int:
        """Addresses that one more node takes in a subnet, filled like the group's fullest. [addresses]

        ``at_home``: its own are there; ``with_pods``: its pods' are.
        """
        vpc_pods, branch = self.fullest
        own = self.shape.node_addresses if at_home else 0
        return own + (self.shape.first.demand(vpc_pods) + branch if with_pods else 0)


@dataclass(frozen=True, slots=True)
class ScenarioState:
    """The answer of one scenario.

    Attributes
    ----------
    variant : str
        What tells several of one name apart, such as the lost zone.
    lost_zones : tuple of str
        Zones that are lost: what is free there serves nobody.
    update_room : mapping of str to int
        Addresses free in each cluster subnet when the control-plane update starts; empty without one. [addresses]
    refused : bool
        Whether EKS refuses that update for want of addresses.
    advisory : bool
        Nobody asked for this scenario by name: it counts as at most tight.
    """

    name: str
    rule: str
    verdict: str
    subnets: tuple[SubnetState, ...]
    groups: tuple[GroupState, ...]
    unplaced: tuple[Unplaced, ...]
    variant: str = ""
    lost_zones: tuple[str, ...] = ()
    update_room: Mapping[str, int] = field(default_factory=dict)
    refused: bool = False
    advisory: bool = False

    def is_lost(self, subnet: Subnet) -> bool:
        """Whether a subnet is in a lost zone: its free addresses serve nobody."""
        return subnet.zone in self.lost_zones

    def weighed(self, verdict: str) -> str:
        """A verdict in this scenario as it counts: at most tight where nobody asked for the scenario by name."""
        return "tight" if self.advisory and verdict == "exhausted" else verdict

    def cells_of(self, subnet: Subnet) -> dict[str, str]:
        """Cells of a table's row for a subnet that stand instead of its figures; none where it is not lost."""
        return dict.fromkeys(FREE_CELLS, LOST) if self.is_lost(subnet) else {}

    def subnet(self, name: str) -> SubnetState:
        """A subnet's ledger by its name.

        Raises
        ------
        SpecError
            No such subnet, with the nearest name.
        """
        return _named("subnet", name, {s.subnet.name: s for s in self.subnets})

    def group(self, name: str) -> GroupState:
        """The nodes of a group by its name.

        Raises
        ------
        SpecError
            No such node group, with the nearest name.
        """
        return _named("node group", name, {g.shape.group.name: g for g in self.groups})

    def __repr__(self) -> str:
        return f"<ScenarioState {self.title}: {self.verdict}, {len(self.subnets)} subnets>"

    @property
    def left(self) -> tuple[SubnetState, ...]:
        """The subnets that are not lost."""
        return tuple(s for s in self.subnets if not self.is_lost(s.subnet))

    @property
    def title(self) -> str:
        """Name and variant, for people."""
        return f"{self.name} ({self.variant})" if self.variant else self.name

    @property
    def unplaced_pods(self) -> int:
        """Pods that found no node. [pods]"""
        return sum(u.pods for u in self.unplaced)

    @property
    def pods_without_address(self) -> int:
        """Pods on nodes whose ENIs have no address for them. [pods]"""
        return sum(g.pods_without_address for g in self.groups)


def _named(what: str, name: str, known: Mapping[str, _T]) -> _T:
    """The entry of a name.

    Raises
    ------
    SpecError
        There is none; the nearest is named.
    """
    if name not in known:
        raise SpecError(f"there is no {what} {name!r}{did_you_mean(name, known)}")
    return known[name]


def first_and_gravest(scenarios: Sequence[ScenarioState]) -> list[ScenarioState]:
    """Steady (or the first), and the one with the worst verdict; of equals the one that leaves a subnet the least."""
    first = next((s for s in scenarios if s.name == "steady"), scenarios[0])
    gravest = min(scenarios, key=lambda s: (-VERDICTS.index(s.verdict), min((x.free for x in s.left), default=0)))
    return [first] if gravest is first else [first, gravest]
