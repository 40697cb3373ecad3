"""Draft of a plan: the values from a source; None means that the source has no value.

A reader returns a :class:`PlanDraft`. Drafts of several sources become one by :func:`~capacity.readers.merge.merge`:
a later one fills gaps of an earlier one and never overwrites; a difference becomes a note. Remaining gaps are filled by
:mod:`capacity.readers.complete`, which marks each assumption.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, fields, replace
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from capacity.errors import shortened
from capacity.readers.accounting import Account, unread_text

if TYPE_CHECKING:
    from capacity.catalog.table import Catalog


@dataclass(frozen=True, slots=True)
class Note:
    """Note for the user of a plan: what is unknown, was assumed, or differs.

    Attributes
    ----------
    text : str
        One line; starts with the place in the source if there is one (``cluster.yaml managedNodeGroups[2]: …``).
    path : str
        Its place in the plan (``nodeGroups[general].instanceTypes``), empty for the plan as a whole.
    unread : bool
        Whether it names a part of the input that is not in the plan: the reason if nothing is left of a plan.
    elsewhere : str
        The source whose reader reads this part.
    """

    text: str
    path: str = ""
    unread: bool = False
    elsewhere: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", shortened(self.text))


@dataclass(frozen=True, slots=True)
class SubnetDraft:
    """A subnet. ``id`` is the AWS ID, to match it in other sources; ``used`` counts addresses of unmodeled holders.

    ``tags`` are those that subnet discovery reads, as pairs of key and value. ``prefix`` is the prefix length if the
    block is not known, such as one of an IPAM pool.
    """

    name: str
    zone: str | None = None
    cidr: IPv4Network | None = None
    used: int | None = None
    reservations: tuple[tuple[IPv4Network, str], ...] | None = None
    tags: tuple[tuple[str, str], ...] | None = None
    id: str | None = None
    prefix: int | None = None


@dataclass(frozen=True, slots=True)
class GroupDraft:
    """A node group. ``subnets`` and ``pod_subnets`` are names (or ids) of subnets of the same draft.

    ``max_unavailable`` is a count or a percentage as written (``33%``). ``zones`` restrict the subnets until they are
    known; they are not in the plan.
    """

    name: str
    instance_types: tuple[str, ...] | None = None
    ami: str | None = None
    provisioner: str | None = None
    min_nodes: int | None = None
    desired: int | None = None
    max_nodes: int | None = None
    subnets: tuple[str, ...] | None = None
    pod_subnets: tuple[str, ...] | None = None
    max_unavailable: int | str | None = None
    update_strategy: str | None = None
    max_pods: int | None = None
    max_pods_expression: str | None = None
    reserved_enis: int | None = None
    unmanaged_enis: int | None = None
    capacity_type: str | None = None
    limit_cpu_millicores: int | None = None
    limit_memory_bytes: int | None = None
    zones: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class WorkloadDraft:
    """Replicas of one pod shape. ``max_surge`` and ``max_unavailable`` as written: ``1`` or ``25%``.

    ``zone_skew`` is the difference between two zones that its topology spread allows. [pods] ``gpus`` are those of each
    pod, ``volumes`` the EBS volumes that each pod attaches.
    """

    name: str
    replicas: int | None = None
    max_replicas: int | None = None
    cpu_millicores: int | None = None
    memory_bytes: int | None = None
    max_surge: int | str | None = None
    max_unavailable: int | str | None = None
    host_network: bool | None = None
    security_groups: bool | None = None
    node_groups: tuple[str, ...] | None = None
    zone_skew: int | None = None
    anti_affinity: str | None = None
    gpus: int | None = None
    volumes: int | None = None


@dataclass(frozen=True, slots=True)
class DaemonSetDraft:
    """One pod on every node of its groups."""

    name: str
    cpu_millicores: int | None = None
    memory_bytes: int | None = None
    host_network: bool | None = None
    node_groups: tuple[str, ...] | None = None
    gpus: int | None = None


@dataclass(frozen=True, slots=True)
class TenantDraft:
    """A holder of addresses other than nodes; ``kind`` is one of ``data/tenants.csv``; ``addresses`` are per subnet."""

    name: str
    kind: str
    subnets: tuple[str, ...]
    addresses: int | None = None


@dataclass(frozen=True, slots=True)
class ServiceDraft:
    """A Service; None is the default of Kubernetes. ``workload`` is the name of a workload of the same draft."""

    name: str
    namespace: str | None = None
    count: int | None = None
    type: str | None = None
    headless: bool | None = None
    ports: int | None = None
    protocol: str | None = None
    workload: str | None = None
    endpoints: int | None = None
    zone_hints: bool | None = None
    local_endpoints: int | None = None
    node_ports: bool | None = None
    external_ips: int | None = None
    load_balancer_ips: int | None = None
    source_ranges: int | None = None
    node_in_range: bool | None = None
    external_traffic_policy: str | None = None
    internal_traffic_policy: str | None = None
    session_affinity: str | None = None
    health_check_node_port: bool | None = None


@dataclass(frozen=True)
class PlanDraft:
    """Known parts of a plan, in the order of the source.

    Attributes
    ----------
    source : str
        The input, for the head of the plan (``eksctl cluster.yaml``).
    env : mapping of str to str
        The CNI's environment, as far as it is known.
    windows : mapping of str to str
        Keys of ConfigMap amazon-vpc-cni, which only Windows nodes follow.
    vpc_prefixes : tuple of int
        Prefix lengths of the VPC's blocks, if none of the blocks is known.
    zones : tuple of str
        Zones that a source names without naming a subnet in them.
    pod_subnets : tuple of str
        Subnets of the ENIConfigs: the pod subnets of every group without separate ones.
    control_plane : tuple of str or None
        Names of subnets.
    assumed : frozenset of str
        Paths of the plan that hold an assumption (``vpc.subnets[assumed-a]``): open to every later source.
    default_network : bool
        Whether the VPC is only the default of a tool, so that it gives way to a VPC that another source has.
    """

    source: str = ""
    name: str | None = None
    region: str | None = None
    kubernetes_version: str | None = None
    service_cidr: IPv4Network | None = None
    ip_family: str | None = None
    cni_version: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    windows: Mapping[str, str] = field(default_factory=dict)
    vpc_cidrs: tuple[IPv4Network, ...] = ()
    vpc_prefixes: tuple[int, ...] = ()
    subnets: tuple[SubnetDraft, ...] = ()
    zones: tuple[str, ...] = ()
    pod_subnets: tuple[str, ...] = ()
    control_plane: tuple[str, ...] | None = None
    node_groups: tuple[GroupDraft, ...] = ()
    workloads: tuple[WorkloadDraft, ...] = ()
    daemon_sets: tuple[DaemonSetDraft, ...] = ()
    services: tuple[ServiceDraft, ...] = ()
    tenants: tuple[TenantDraft, ...] = ()
    notes: tuple[Note, ...] = ()
    assumed: frozenset[str] = frozenset()
    default_network: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether no part of a plan is known."""
        return not any(
            getattr(self, f.name)
            for f in fields(self)
            if f.name not in ("source", "zones", "notes", "assumed", "default_network")
        )


_NO_PART = ("source", "zones", "notes", "assumed", "default_network")
PODS_TODAY = "pods seen by AWS"  # tenants that represent the pods until a source with workloads replaces them


def at(section: str, name: str, key: str = "") -> str:
    """Path of an entry of a named list, or of one of its fields.

    >>> at("nodeGroups", "general", "maxPods")
    'nodeGroups[general].maxPods'
    """
    return f"{section}[{name}]" + (f".{key}" if key else "")


_NESTED = {
    "min_nodes": "nodes.min",
    "desired": "nodes.desired",
    "max_nodes": "nodes.max",
    "update_strategy": "update.strategy",
    "limit_cpu_millicores": "limits.cpu",
    "limit_memory_bytes": "limits.memory",
    "max_replicas": "replicas.max",
    "zone_skew": "topologySpread",
    "cpu_millicores": "requests.cpu",
    "memory_bytes": "requests.memory",
    "gpus": "requests.gpu",
    "max_surge": "rollingUpdate.maxSurge",
    "external_ips": "externalIPs",
    "load_balancer_ips": "loadBalancerIPs",
}


def key_of(section: str, attribute: str) -> str:
    """Plan key of a field of a draft.

    >>> key_of("nodeGroups", "max_pods"), key_of("nodeGroups", "max_unavailable")
    ('maxPods', 'update.maxUnavailable')
    """
    if attribute == "max_unavailable":
        return ("update" if section == "nodeGroups" else "rollingUpdate") + ".maxUnavailable"
    head, *rest = attribute.split("_")
    return _NESTED.get(attribute, head + "".join(part.capitalize() for part in rest))


def unique_names(named: Iterable[tuple[tuple[str, str, str], WorkloadDraft]]) -> tuple[WorkloadDraft, ...]:
    """Add the kind to the names of workloads that share a name."""
    taken: dict[str, WorkloadDraft] = {}
    for (kind, _, _), workload in named:
        name = workload.name
        if name in taken:
            name = f"{name}-{kind.lower()}"
        taken[name] = replace(workload, name=name)
    return tuple(taken.values())


@dataclass
class SourceNotes:
    """Notes collected while one file is read, each starting with ``file``, and the account of its parts."""

    file: str
    notes: list[Note] = field(default_factory=list)
    account: Account = field(default_factory=Account)

    def say(self, where: str, text: str, path: str = "") -> None:
        """Add a note: place in the source, text, place in the plan."""
        self.notes.append(Note(f"{self._place(where)}: {text}", path))

    def leave_out(self, where: str, text: str, path: str = "", elsewhere: str = "") -> None:
        """Add a note on a part of the input that is not in the plan, or that the reader ``elsewhere`` reads."""
        place = self._place(where)
        self.notes.append(Note(f"{place}: {text}" if place else text, path, unread=True, elsewhere=elsewhere))

    def meet(self, kind: str, place: str) -> None:
        """Record a part of the input. Its kind is a word of :data:`~capacity.readers.accounting.MATTERS`."""
        self.account.meet(kind, place)

    def use(self, kind: str, place: str) -> None:
        """Record that a part is in the plan, or that another note names it."""
        self.account.use(kind, place)

    def collected(self) -> tuple[Note, ...]:
        """All notes, and one for each kind of part that was met, is not in the plan and could matter."""
        place = self._place("")
        unread = [unread_text(kind, places) for kind, places in self.account.unread().items()]
        return (*self.notes, *(Note(f"{place}: {text}" if place else text, unread=True) for text in unread))

    def _place(self, where: str) -> str:
        return f"{self.file} {where}".strip()


@dataclass
class Assumptions:
    """Assumptions made while a draft is completed, with a note on each."""

    catalog: Catalog
    notes: list[Note] = field(default_factory=list)
    assumed: set[str] = field(default_factory=set)

    def assume(self, path: str, text: str) -> None:
        self.assumed.add(path)
        self.notes.append(Note(f"{path}: assumed: {text}", path))

    def say(self, path: str, text: str) -> None:
        self.notes.append(Note(f"{path}: {text}" if path else text, path))


def unique(name: str, taken: Iterable[str]) -> str:
    """``name``, with a number added if it is in use."""
    names = taken if isinstance(taken, Set) else set(taken)
    if name not in names:
        return name
    return next(candidate for i in range(2, len(names) + 3) if (candidate := f"{name}-{i}") not in names)


def renamed_subnets(draft: PlanDraft, names: Mapping[str, str]) -> PlanDraft:
    """The draft with the subnets in ``names`` renamed everywhere."""
    if all(old == new for old, new in names.items()):
        return draft

    def listed(mentioned: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if mentioned is None else tuple(dict.fromkeys(names.get(n, n) for n in mentioned))

    return replace(
        draft,
        control_plane=listed(draft.control_plane),
        pod_subnets=listed(draft.pod_subnets) or (),
        node_groups=tuple(
            replace(g, subnets=listed(g.subnets), pod_subnets=listed(g.pod_subnets)) for g in draft.node_groups
        ),
        tenants=tuple(replace(t, subnets=listed(t.subnets) or ()) for t in draft.tenants),
    )
