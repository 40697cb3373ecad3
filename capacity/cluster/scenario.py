"""The result of a scenario: every subnet's ledger, every group's nodes, and the unschedulable pods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from capacity.cluster.node_state import NodeState
from capacity.cluster.shape import GroupShape
from capacity.cluster.spread import Slot
from capacity.cluster.unplaced import Unplaced
from capacity.errors import SpecError, check_kind, did_you_mean
from capacity.plan.model import Subnet
from capacity.vpc.ledger import VERDICTS, SubnetState

_T = TypeVar("_T")

LOST = "lost"  # printed in tables in place of free addresses in a lost zone
FREE_CELLS = ("free", "free_pct", "free_prefixes", "verdict")  # columns with free addresses


@dataclass(frozen=True, slots=True)
class NodeClass:
    """Identical nodes of a group in one place: their count, and their pods by kind."""

    slot: Slot
    count: int
    pods: int
    vpc_pods: int
    branch_pods: int
    state: NodeState


@dataclass(frozen=True, slots=True)
class Batch:
    """Nodes of a group that started together, for the bounds.

    Attributes
    ----------
    count : int
        [nodes]
    zones : mapping of str to (int, int)
        Fewest and most of them in each zone, over all placements of the remaining ones. [nodes]
    subnet : str or None
        The subnet that all of them are in, if that is certain.
    started : bool
        They started empty during an event: they have only pods that moved or were added.
    anywhere : bool
        Any share of a zone's nodes can be in one of its subnets; otherwise they are spread evenly.
    grown : bool
        They started because pods had no room.
    filled : ((int, int), (int, int)) or None
        They run pods that are separate from the group's others: fewest and most on VPC addresses, and on branch ENIs,
        of each. [pods]
    """

    count: int
    zones: Mapping[str, tuple[int, int]]
    subnet: str | None = None
    started: bool = False
    anywhere: bool = False
    grown: bool = False
    filled: tuple[tuple[int, int], tuple[int, int]] | None = None


class PodRange(NamedTuple):
    """Pods of one kind (on VPC addresses, or on branch ENIs) of a group during events. [pods]

    Attributes
    ----------
    before : int
        Pods on its nodes before any event.
    least, most : int
        Fewest and most on its open nodes afterwards.
    started : int
        Most on nodes started since.
    closed : tuple of int
        Most on the nodes of each closing, in its order.
    """

    before: int
    least: int
    most: int
    started: int = 0
    closed: tuple[int, ...] = ()


class Turnover(NamedTuple):
    """The events of a group's nodes, for the bounds.

    Attributes
    ----------
    vpc, branch : PodRange
        Workload pods on VPC addresses, and on branch ENIs.
    closings : tuple of (int, str or None)
        Nodes that were drained or lost, and their zone if it is certain, because the zone was lost with all its nodes.
    """

    vpc: PodRange
    branch: PodRange
    closings: tuple[tuple[int, str | None], ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class GroupState:
    """A node group in one scenario.

    Attributes
    ----------
    nodes : int
        All nodes that hold addresses, including those being replaced. [nodes]
    nodes_by_zone : dict of str to int
    classes : tuple of NodeClass
    binding : str or None
        The resource that limits the next pod of this group's load; None without nodes.
    turnover : Turnover
        Their events, for the bounds.
    batches : tuple of Batch
        The nodes in the batches in which they started.
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
        """Pods on the fullest node, including DaemonSet and host-network pods. [pods]"""
        return max((c.pods for c in self.classes), default=0)

    @property
    def fullest(self) -> tuple[int, int]:
        """VPC and branch pods of the node that holds the most addresses."""
        return max(((c.vpc_pods, c.branch_pods) for c in self.classes), key=sum, default=(0, 0))

    def full_node(self, *, at_home: bool, with_pods: bool) -> int:
        """Addresses of one more node in a subnet, filled like the group's fullest. [addresses]

        ``at_home``: its node addresses are there; ``with_pods``: its pod addresses are.
        """
        vpc_pods, branch = self.fullest
        own = self.shape.node_addresses if at_home else 0
        return own + (self.shape.first.demand(vpc_pods) + branch if with_pods else 0)


class Roaming(NamedTuple):
    """One bound (fewest or most) of the addresses of additional ENIs of a group's nodes in one zone.

    Attributes
    ----------
    addresses : int
        Addresses of all its nodes in the zone. [addresses]
    by_home : mapping of str to int
        Addresses of the nodes in each node subnet with a choice. [addresses]
    """

    shape: GroupShape
    zone: str
    addresses: int
    by_home: Mapping[str, int]


def weighed(verdict: str, *, advisory: bool) -> str:
    """A verdict as it counts: at most tight in a scenario that was not requested by name."""
    return "tight" if advisory and verdict == "exhausted" else verdict


def title_of(name: str, variant: str) -> str:
    """Name and variant of a scenario, for people."""
    return f"{name} ({variant})" if variant else name


@dataclass(frozen=True, slots=True, repr=False)
class ScenarioState:
    """The result of one scenario.

    Attributes
    ----------
    variant : str
        Distinguishes scenarios of one name, such as by the lost zone.
    lost_zones : tuple of str
        Zones that are lost: free addresses there are of no use.
    update_room : mapping of str to int
        Free addresses in each cluster subnet when the control-plane update starts; empty without one. [addresses]
    refused : bool
        Whether EKS refuses that update because there are too few addresses.
    advisory : bool
        This scenario was not requested by name: it counts as at most tight.
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
        """Whether a subnet is in a lost zone: its free addresses are of no use."""
        return subnet.zone in self.lost_zones

    def weighed(self, verdict: str) -> str:
        """A verdict in this scenario as it counts: at most tight if the scenario was not requested by name."""
        return weighed(verdict, advisory=self.advisory)

    def cells_of(self, subnet: Subnet) -> dict[str, str]:
        """Cells that replace a lost subnet's figures in a table row; empty if it is not lost."""
        return dict.fromkeys(FREE_CELLS, LOST) if self.is_lost(subnet) else {}

    def subnet(self, name: str) -> SubnetState:
        """A subnet's ledger by its name.

        Raises
        ------
        SpecError
            The subnet does not exist; the message has the nearest name.
        """
        return _named("subnet", name, {s.subnet.name: s for s in self.subnets})

    def group(self, name: str) -> GroupState:
        """The nodes of a group by its name.

        Raises
        ------
        SpecError
            The node group does not exist; the message has the nearest name.
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
        return title_of(self.name, self.variant)

    @property
    def nodes(self) -> int:
        """Nodes of all groups that hold addresses. [nodes]"""
        return sum(g.nodes for g in self.groups)

    @property
    def unplaced_pods(self) -> int:
        """Unschedulable pods. [pods]"""
        return sum(u.pods for u in self.unplaced)

    @property
    def pods_without_address(self) -> int:
        """Pods on nodes whose ENIs have no address for them. [pods]"""
        return sum(g.pods_without_address for g in self.groups)


def _named(what: str, name: str, known: Mapping[str, _T]) -> _T:
    """The entry with a name.

    Raises
    ------
    SpecError
        It does not exist; the message has the nearest name.
    """
    check_kind(what, name, str, "its name")
    if name not in known:
        raise SpecError(f"there is no {what} {name!r}{did_you_mean(name, known)}")
    return known[name]


def tightest(scenarios: Iterable[ScenarioState]) -> tuple[ScenarioState, SubnetState] | None:
    """The subnet with the smallest free share in any scenario, and that scenario; None if no subnet is left."""
    left = ((state, subnet) for state in scenarios for subnet in state.left)
    return min(left, key=lambda pair: pair[1].free / pair[1].subnet.usable, default=None)


def first_and_worst(scenarios: Sequence[ScenarioState]) -> list[ScenarioState]:
    """Steady (or the first), and the scenario with the worst verdict; among equals the one with the fewest free
    addresses in a subnet.
    """
    first = next((s for s in scenarios if s.name == "steady"), scenarios[0])
    gravest = min(scenarios, key=lambda s: (-VERDICTS.index(s.verdict), min((x.free for x in s.left), default=0)))
    return [first] if gravest is first else [first, gravest]
