"""The addresses that the model gives each node of a running cluster, and the addresses that the node holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from capacity.units import counted, some_of

MOST_NAMES = 3  # nodes that one sentence names


@dataclass(frozen=True, slots=True)
class NodeFigures:
    """One node in the model and as AWS describes it.

    Attributes
    ----------
    node, group, instance_type : str
        ``group`` is empty if the node belongs to no known node group.
    pods : int or None
        Pods on VPC addresses of its ENIs; None if Kubernetes was not read. [pods]
    held : int
        Addresses that its ENIs hold: primary and secondary addresses, 16 for each prefix. [addresses]
    expected : int or None
        The model's figure for these pods; None if they are not known. [addresses]
    lowest, highest : int
        The bounds of the model: for these pods, or for any number of pods up to max pods. [addresses]
    step : int
        Most addresses that the CNI adds in one step. [addresses]
    trunk : bool
        Whether the model counts a trunk ENI that the node does not have.
    subnet_free : int or None
        Free addresses of the subnet that its pods use. [addresses]
    """

    node: str
    group: str
    instance_type: str
    pods: int | None
    held: int
    expected: int | None
    lowest: int
    highest: int
    step: int = 1
    trunk: bool = False
    subnet_free: int | None = None

    @property
    def off(self) -> bool:
        """Whether the node holds a number of addresses that the model excludes."""
        return not self.lowest <= self.held <= self.highest


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """The nodes of one node group in the model and as AWS describes them."""

    group: str
    nodes: tuple[NodeFigures, ...]

    @property
    def off(self) -> tuple[NodeFigures, ...]:
        """Nodes outside the bounds of the model."""
        return tuple(n for n in self.nodes if n.off)

    @property
    def pods_known(self) -> bool:
        """Whether Kubernetes gave the pods of every node."""
        return all(n.expected is not None for n in self.nodes)

    @property
    def held(self) -> int:
        """Addresses that all its nodes hold. [addresses]"""
        return sum(n.held for n in self.nodes)

    @property
    def expected(self) -> int | None:
        """Addresses of all its nodes in the model; None if the pods are not known. [addresses]"""
        known = [n.expected for n in self.nodes if n.expected is not None]
        return sum(known) if len(known) == len(self.nodes) else None

    @property
    def bounds(self) -> tuple[int, int]:
        """Fewest and most addresses of all its nodes in the model. [addresses]"""
        return sum(n.lowest for n in self.nodes), sum(n.highest for n in self.nodes)


def by_group(nodes: Iterable[NodeFigures]) -> list[GroupFigures]:
    """The figures of each node group, in the order of the nodes."""
    found: dict[str, list[NodeFigures]] = {}
    for node in nodes:
        found.setdefault(node.group, []).append(node)
    return [GroupFigures(name, tuple(mine)) for name, mine in found.items()]


def sentence(group: GroupFigures) -> str:
    """A group's comparison in one line.

    >>> node = NodeFigures("a", "web", "m5.large", 11, held=31, expected=30, lowest=21, highest=30)
    >>> sentence(GroupFigures("web", (node,)))
    'model 30 addresses per node (21 to 30 possible), yours 31; 1 of 1 node off: a (m5.large, 11 pods) holds 31'
    """
    text = f"{model_words(group)}, yours {span([n.held for n in group.nodes])}"
    off = group.off
    if not off:
        return f"{text}; {counted(len(group.nodes), 'node')} in the range"
    names = some_of([f"{n.node} ({_kind(n)}) holds {n.held}" for n in off], MOST_NAMES)
    return f"{text}; {len(off)} of {counted(len(group.nodes), 'node')} off: {names}"


def model_words(group: GroupFigures) -> str:
    """What the model says about one node of a group."""
    low, high = min(n.lowest for n in group.nodes), max(n.highest for n in group.nodes)
    if not group.pods_known:
        return f"model {span([low, high])} addresses per node for any number of pods"
    usual = span([n.expected for n in group.nodes if n.expected is not None])
    return f"model {usual} addresses per node ({span([low, high])} possible)"


def reasons(group: GroupFigures) -> str:
    """The likely reasons why nodes hold more or fewer addresses than the model expects; empty if none differs."""
    return "; ".join(dict.fromkeys(filter(None, (reason(n) for n in (*group.off, *group.nodes)))))


def reason(node: NodeFigures) -> str:
    """The likely reason why a node holds a different number of addresses than the model expects; empty if it does not.

    Source
    ------
    aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/datastore/data_store.go (addresses cool down for 30 s; an ENI with a pod
    on it stays), pkg/ipamd/ipamd.go (settings are read when aws-node starts).
    """
    if node.held > node.highest:
        return "more than possible: settings changed since aws-node started, another CNI version, or ENIs added by hand"
    if node.held < node.lowest:
        return _too_few(node)
    if node.expected is None or node.held == node.expected:
        return ""
    if node.held > node.expected:
        return "more than after a plain start: pods ended, and their addresses still cool down or their ENIs stay"
    return "fewer than after a plain start: pods use addresses that were already warm"


def _too_few(node: NodeFigures) -> str:
    if node.subnet_free is not None and node.subnet_free < node.step:
        return f"too few: the subnet has {node.subnet_free} free, the CNI adds {node.step} at a time"
    if node.trunk and node.held + 1 >= node.lowest:
        return "too few: no trunk ENI yet (the node started before ENABLE_POD_ENI, or has no ENI slot left)"
    return "too few: ENIs of a new node are still attached, EC2 calls fail, or another CNI version"


def span(figures: Sequence[int]) -> str:
    """Smallest and largest of some figures.

    >>> span([3, 1, 2]), span([4, 4])
    ('1 to 3', '4')
    """
    low, high = min(figures), max(figures)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _kind(node: NodeFigures) -> str:
    return node.instance_type if node.pods is None else f"{node.instance_type}, {counted(node.pods, 'pod')}"
