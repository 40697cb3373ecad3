"""The evidence for the checks of ``capacity doctor``: facts about a cluster, or why they are missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from capacity.advice.node_figures import NodeFigures


@dataclass(frozen=True, slots=True)
class SubnetFacts:
    """Facts about a subnet that the cluster uses.

    Attributes
    ----------
    free : int or None
        Free addresses outside CIDR reservations, as EC2 counts them. [addresses]
    reserved_prefixes : int
        Free /28 blocks reserved for prefixes, in addition to ``free``. [blocks]
    free_blocks : int or None
        /28 blocks that a prefix can use, None if the interfaces are not known. [blocks]
    unexplained : int or None
        Used addresses that no listed interface holds. [addresses]
    leaked : tuple of str
        Leaked interfaces.
    step : int or None
        Most addresses that a node in the subnet allocates in one step. [addresses]
    control_plane, serves_nodes, serves_pods : bool
        Whether the subnet is used by the control plane; by nodes or pods; by pods (with custom networking
        not in the subnets of the nodes).
    nodes : int
        [nodes]
    """

    name: str
    ident: str
    usable: int
    free: int | None
    reserved_prefixes: int
    free_blocks: int | None
    unexplained: int | None
    leaked: tuple[str, ...]
    step: int | None
    control_plane: bool
    serves_nodes: bool
    serves_pods: bool
    nodes: int


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """Facts about a node: interfaces on its default network card, and pod addresses attached, possible and in use.

    ``max_pods`` is the value of the kubelet; ``host_pods`` counts the pods that need no address.
    """

    name: str
    group: str
    instance_type: str
    enis: int | None
    max_enis: int | None
    attached: int | None
    capacity: int | None
    vpc_pods: int | None
    host_pods: int
    max_pods: int | None


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """Facts about a node group: max pods by the rules of EKS, and the pods that its ENIs can address."""

    name: str
    instance_type: str
    max_pods: int
    capacity: int
    host_pods: int


@dataclass(frozen=True, slots=True)
class PathFacts:
    """Facts about one network path through security groups. ``open`` is None if the rules are not known."""

    check: str
    where: str
    open: bool | None
    evidence: str
    command: str


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """Facts about a role and its missing actions; ``conditional`` ones are allowed only under conditions.

    ``missing`` is None if the policies of the role are not known.
    """

    check: str
    name: str
    missing: tuple[str, ...] | None
    conditional: tuple[str, ...]
    reason: str
    command: str


@dataclass(frozen=True, slots=True)
class CniFacts:
    """Facts about the CNI; the environment is None if it is not known."""

    version: str | None
    env: Mapping[str, str] | None
    ip_family: str
    issues: tuple[str, ...]
    contradictions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DnsFacts:
    """Facts about CoreDNS: requested and ready replicas, if Kubernetes was read; issues that the add-on reports."""

    replicas: int | None
    ready: int | None
    status: str | None
    issues: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """Evidence for all checks.

    ``model`` are the nodes in the model and as AWS describes them; ``missing`` gives, by check, why evidence is missing
    and how to collect it.
    """

    cluster: str
    prefix_mode: bool | None
    subnets: tuple[SubnetFacts, ...] = ()
    nodes: tuple[NodeFacts, ...] = ()
    groups: tuple[GroupFacts, ...] = ()
    model: tuple[NodeFigures, ...] = ()
    paths: tuple[PathFacts, ...] = ()
    roles: tuple[RoleFacts, ...] = ()
    cni: CniFacts | None = None
    dns: DnsFacts | None = None
    missing: Mapping[str, tuple[str, str]] = field(default_factory=dict)
