"""How many more pods fit on the nodes of a running cluster, what stops them first, and whether subnets can feed them.

Kubernetes tells max pods and pods; the type and the CNI's settings tell the addresses that a node's ENIs can hold. The
sizes of subnets are not in Kubernetes: without them, the verdict is ``unknown``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from capacity.node.limit_words import limit_words
from capacity.plan.model import Checks
from capacity.units import counted, some_of

UNKNOWN = "unknown"
LEVELS = ("ok", UNKNOWN, "tight", "exhausted")  # the last one that a cluster has is its verdict
MIN_FREE: Fraction = Checks().min_free  # of a subnet's usable addresses, as in check


@dataclass(frozen=True, slots=True)
class RunningNode:
    """One node of a running cluster.

    Attributes
    ----------
    zone, instance_type : str or None
        None if the node has no such label.
    max_pods : int or None
        As the kubelet reports it. [pods]
    pods, vpc_pods : int
        Pods on the node that have not ended; those that need an address of its ENIs. [pods]
    addresses : int or None
        Most pods on addresses of its ENIs; None if the type or the CNI is unknown. [pods]
    open : bool
        Ready, and not cordoned: new pods can start here.
    subnet : str
        Subnet that its pods use, by ID; empty if unknown.
    to_fill : int or None
        Addresses that the node takes from the subnet until no more pod fits. [addresses]
    full : int or None
        Addresses that such a node holds in the subnet when it is full. [addresses]
    """

    name: str
    zone: str | None
    instance_type: str | None
    max_pods: int | None
    pods: int
    vpc_pods: int
    addresses: int | None
    open: bool = True
    subnet: str = ""
    to_fill: int | None = None
    full: int | None = None

    @property
    def more_pods(self) -> int | None:
        """Pods that still fit: by max pods and, if known, by addresses. None if max pods is unknown. [pods]"""
        if self.max_pods is None:
            return None
        if not self.open:
            return 0
        return max(min([self.max_pods - self.pods, *self._by_address]), 0)

    @property
    def limit(self) -> str | None:
        """What stops additional pods first: ``max_pods`` or ``ips``; None if the addresses or max pods are unknown."""
        if self.max_pods is None or self.addresses is None:
            return None
        return "ips" if self.addresses - self.vpc_pods < self.max_pods - self.pods else "max_pods"

    @property
    def _by_address(self) -> list[int]:
        return [] if self.addresses is None else [self.addresses - self.vpc_pods]


@dataclass(frozen=True, slots=True)
class RunningSubnet:
    """A subnet as AWS describes it. ``free`` is AWS's count: addresses that no interface holds. [addresses]"""

    ident: str
    name: str
    zone: str
    cidr: str
    usable: int
    free: int


@dataclass(frozen=True, slots=True)
class SubnetRoom:
    """A subnet with the nodes whose pods use it.

    ``to_fill``: addresses that these nodes still take until they are full, by the model; None if one is unknown.
    ``largest``: addresses of a full node of the largest kind there; None if one is unknown. ``to_fill_others``: as
    ``to_fill``, of the other clusters that were read. [addresses]
    """

    subnet: RunningSubnet
    nodes: int
    vpc_pods: int
    to_fill: int | None
    largest: int | None = None
    to_fill_others: int | None = 0

    @property
    def left(self) -> int | None:
        """Free addresses when all nodes are full, negative if they cannot be; None if unknown. [addresses]"""
        if self.to_fill is None or self.to_fill_others is None:
            return None
        return self.subnet.free - self.to_fill - self.to_fill_others

    @property
    def more_nodes(self) -> int | None:
        """Full nodes that fit besides, of the largest kind there; None if that is unknown. [nodes]"""
        return None if self.left is None or not self.largest else max(self.left, 0) // self.largest

    @property
    def verdict(self) -> str:
        """``exhausted`` without a free address, ``tight`` if the nodes cannot be filled or less than 20% is free."""
        if self.subnet.free <= 0:
            return "exhausted"
        scarce = Fraction(self.subnet.free, self.subnet.usable) < MIN_FREE
        return "tight" if scarce or (self.left is not None and self.left < 0) else "ok"


@dataclass(frozen=True)
class RunningCluster:
    """What is known of a running cluster.

    Attributes
    ----------
    pending : int
        Pods without a node. [pods]
    waiting : int
        Pods on a node without an address yet. [pods]
    fargate, branch : int
        Pods that use no address of a node's ENIs: on Fargate, and with a branch ENI of their own. [pods]
    subnets : sequence of SubnetRoom
        Empty if they were not given.
    notes : sequence of str
        What is assumed, and what is not known.
    """

    context: str
    nodes: Sequence[RunningNode]
    pending: int = 0
    waiting: int = 0
    fargate: int = 0
    branch: int = 0
    subnets: Sequence[SubnetRoom] = ()
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def pods(self) -> int:
        """Pods on nodes. [pods]"""
        return sum(n.pods for n in self.nodes)

    @property
    def more_pods(self) -> int | None:
        """Pods that still fit on the nodes of today; None if max pods of a node is unknown. [pods]"""
        return total(n.more_pods for n in self.nodes)

    @property
    def limits(self) -> Counter[str]:
        """Nodes by what stops additional pods first."""
        return Counter(n.limit or UNKNOWN for n in self.nodes)

    @property
    def verdict(self) -> str:
        """Exhausted if a subnet is, or if no node has room and pods wait for one; unknown without subnets."""
        if self.nodes and self.more_pods == 0 and self.pending:
            return "exhausted"
        return worst([s.verdict for s in self.subnets] or [UNKNOWN])


def worst(verdicts: Iterable[str]) -> str:
    """The worst of some verdicts.

    >>> worst(["ok", "tight", "unknown"]), worst([])
    ('tight', 'ok')
    """
    return max(verdicts, key=LEVELS.index, default="ok")


def total(values: Iterable[int | None]) -> int | None:
    """Sum of some figures; None if one is unknown.

    >>> total([1, 2]), total([1, None])
    (3, None)
    """
    found = list(values)
    known = [v for v in found if v is not None]
    return sum(known) if len(known) == len(found) else None


def rooms(subnets: Iterable[RunningSubnet], nodes: Sequence[RunningNode]) -> tuple[SubnetRoom, ...]:
    """The subnets that pods of the nodes use, with their nodes."""
    found = []
    for subnet in subnets:
        mine = [n for n in nodes if n.subnet == subnet.ident]
        if mine:
            full = [n.full for n in mine if n.full]
            largest = max(full) if len(full) == len(mine) else None
            pods, to_fill = sum(n.vpc_pods for n in mine), total(n.to_fill for n in mine)
            found.append(SubnetRoom(subnet, len(mine), pods, to_fill, largest))
    return tuple(found)


def sharing(clusters: Sequence[RunningCluster]) -> list[RunningCluster]:
    """The clusters, each with what the others still take from the subnets that they share."""

    def of_others(room: SubnetRoom, own: RunningCluster) -> int | None:
        others = (s for c in clusters if c is not own for s in c.subnets if s.subnet.ident == room.subnet.ident)
        return total(s.to_fill for s in others)

    return [replace(c, subnets=[replace(s, to_fill_others=of_others(s, c)) for s in c.subnets]) for c in clusters]


def short_subnets(cluster: RunningCluster) -> str:
    """Names of the subnets that cannot fill the cluster's nodes; empty if there are none."""
    short = [s.subnet.name for s in cluster.subnets if s.to_fill and s.left is not None and s.left < 0]
    return some_of(short, 3)


def first_limit(cluster: RunningCluster) -> str:
    """What stops additional pods first, in words: the subnets, else the limits of the nodes.

    >>> node = RunningNode("a", None, "m5.large", 29, 12, 10, 27)
    >>> first_limit(RunningCluster("shop", [node, node]))
    'max pods'
    """
    names = short_subnets(cluster)
    if names:
        return f"addresses of {names}"
    told = [(words(limit), count) for limit, count in cluster.limits.most_common()]
    if len(told) == 1:
        return told[0][0]
    return ", ".join(f"{name} on {counted(count, 'node')}" for name, count in told) or UNKNOWN


def words(limit: str) -> str:
    """The name of a node's limit."""
    return UNKNOWN if limit == UNKNOWN else limit_words(limit)


def sentence(cluster: RunningCluster) -> str:
    """How far the cluster is from running out, in one sentence.

    >>> node = RunningNode("a", None, "m5.large", 29, 12, 10, 27)
    >>> sentence(RunningCluster("shop", [node, node]))
    'shop has 24 pods on 2 nodes; 34 more fit before max pods. Free addresses of its subnets are unknown.'
    >>> node = RunningNode("a", None, None, 29, 12, 10, None)
    >>> sentence(RunningCluster("shop", [node]))
    'shop has 12 pods on 1 node; at most 17 more fit, by max pods. Free addresses of its subnets are unknown.'
    """
    if not cluster.nodes:
        return f"{cluster.context} has no node with pods on VPC addresses."
    more = cluster.more_pods
    limit = first_limit(cluster)
    stop = ", by max pods" if limit == UNKNOWN else f" before {limit}"
    most = "at most " if cluster.limits[UNKNOWN] else ""  # by max pods alone, where the addresses are unknown
    fit = "how many more fit is unknown" if more is None else f"{most}{more:,} more fit{stop}"
    if more and (names := short_subnets(cluster)):
        fit = f"the nodes have room for {more:,} more, but {names} cannot give all of them an address"
    elif more == 0:
        fit = f"no more fits: {limit}"
    text = f"{cluster.context} has {counted(cluster.pods, 'pod')} on {counted(len(cluster.nodes), 'node')}; {fit}"
    text += "".join(
        f"; {counted(count, 'pod')} {what}"
        for count, what in ((cluster.pending, "without a node"), (cluster.waiting, "on a node without an address"))
        if count
    )
    if not cluster.subnets:
        return f"{text}. Free addresses of its subnets are unknown."
    tightest = min(cluster.subnets, key=lambda s: Fraction(s.subnet.free, s.subnet.usable))
    at = tightest.subnet
    return f"{text}. Tightest subnet: {at.name} with {at.free:,} of {at.usable:,} addresses free."
