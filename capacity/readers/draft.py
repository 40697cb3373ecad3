"""A plan in the making: what a source says, where None means that it does not say.

A reader returns a :class:`PlanDraft`. Drafts of several sources become one by :func:`merge`: the later one fills
what the earlier left open and never overwrites; a difference becomes a note. What is still open at the end is
filled by :mod:`capacity.readers.complete`, which marks each assumption.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from ipaddress import IPv4Network
from typing import Any, TypeVar

from capacity.errors import shortened


@dataclass(frozen=True, slots=True)
class Note:
    """Something a reader of the plan must know: what is unknown, was assumed, or differs.

    Attributes
    ----------
    text : str
        One line; begins with the place in the source where there is one (``cluster.yaml managedNodeGroups[2]: …``).
    path : str
        Place in the plan it is about (``nodeGroups[general].instanceTypes``), empty for the plan as a whole.
    """

    text: str
    path: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", shortened(self.text))


@dataclass(frozen=True, slots=True)
class SubnetDraft:
    """A subnet. ``id`` is AWS's, to recognise it in another source; ``used`` is taken by what is not modelled.

    ``tags`` are those that subnet discovery reads, as pairs of key and value.
    """

    name: str
    zone: str | None = None
    cidr: IPv4Network | None = None
    used: int | None = None
    reservations: tuple[tuple[IPv4Network, str], ...] | None = None
    tags: tuple[tuple[str, str], ...] | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class GroupDraft:
    """A node group. ``subnets`` and ``pod_subnets`` are names (or ids) of subnets of the same draft.

    ``max_unavailable`` is a count or a percentage as written (``33%``). ``labels`` and ``taints`` are used to tell
    which workloads fit; they are not written into the plan.
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
    labels: Mapping[str, str] | None = None
    taints: tuple[tuple[str, str, str], ...] | None = None


@dataclass(frozen=True, slots=True)
class WorkloadDraft:
    """Replicas of one pod shape. ``max_surge`` and ``max_unavailable`` as written: ``1`` or ``25%``."""

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


@dataclass(frozen=True, slots=True)
class DaemonSetDraft:
    """One pod on every node of its groups."""

    name: str
    cpu_millicores: int | None = None
    memory_bytes: int | None = None
    host_network: bool | None = None
    node_groups: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class TenantDraft:
    """Something beside nodes in some subnets; ``kind`` is one of ``data/tenants.csv``; ``addresses`` per subnet."""

    name: str
    kind: str
    subnets: tuple[str, ...]
    addresses: int | None = None


@dataclass(frozen=True)
class PlanDraft:
    """What is known of a plan. Order is kept as the source has it.

    Attributes
    ----------
    source : str
        What it was read from, for the head of the plan (``eksctl cluster.yaml``).
    env : mapping of str to str
        The CNI's environment as far as it is stated.
    windows : mapping of str to str
        Keys of ConfigMap amazon-vpc-cni, which only Windows nodes follow.
    zones : tuple of str
        Zones that a source names without naming a subnet in them.
    pod_subnets : tuple of str
        Subnets of the ENIConfigs: the pod subnets of every group that has none of its own.
    control_plane : tuple of str or None
        Names of subnets.
    assumed : frozenset of str
        Paths of the plan that hold an assumption (``vpc.subnets[assumed-a]``): open to every later source.
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
    subnets: tuple[SubnetDraft, ...] = ()
    zones: tuple[str, ...] = ()
    pod_subnets: tuple[str, ...] = ()
    control_plane: tuple[str, ...] | None = None
    node_groups: tuple[GroupDraft, ...] = ()
    workloads: tuple[WorkloadDraft, ...] = ()
    daemon_sets: tuple[DaemonSetDraft, ...] = ()
    tenants: tuple[TenantDraft, ...] = ()
    notes: tuple[Note, ...] = ()
    assumed: frozenset[str] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether nothing of a plan is known."""
        return not any(
            getattr(self, f.name) for f in fields(self) if f.name not in ("source", "zones", "notes", "assumed")
        )


Piece = TypeVar("Piece", SubnetDraft, GroupDraft, WorkloadDraft, DaemonSetDraft, TenantDraft)

SCALARS = {
    "region": "region",
    "kubernetes_version": "kubernetes.version",
    "service_cidr": "kubernetes.serviceCidr",
    "ip_family": "kubernetes.ipFamily",
    "cni_version": "cni.version",
}
ENTRIES = {
    "node_groups": "nodeGroups",
    "workloads": "workloads",
    "daemon_sets": "daemonSets",
    "tenants": "tenants",
}
SILENT = frozenset(("labels", "taints"))  # help to bind pods to groups, are not part of a plan
PODS_TODAY = "pods seen by AWS"  # tenants that stand for the pods until a source with workloads takes their place


def at(section: str, name: str, key: str = "") -> str:
    """The path of an entry of a list of named things, or of one of its fields.

    >>> at("nodeGroups", "general", "maxPods")
    'nodeGroups[general].maxPods'
    """
    return f"{section}[{name}]" + (f".{key}" if key else "")


_NESTED = {
    "min_nodes": "nodes.min",
    "desired": "nodes.desired",
    "max_nodes": "nodes.max",
    "update_strategy": "update.strategy",
    "max_replicas": "replicas.max",
    "cpu_millicores": "requests.cpu",
    "memory_bytes": "requests.memory",
    "max_surge": "rollingUpdate.maxSurge",
}


def key_of(section: str, attribute: str) -> str:
    """Where the plan writes a field of a piece.

    >>> key_of("nodeGroups", "max_pods"), key_of("nodeGroups", "max_unavailable")
    ('maxPods', 'update.maxUnavailable')
    """
    if attribute == "max_unavailable":
        return ("update" if section == "nodeGroups" else "rollingUpdate") + ".maxUnavailable"
    head, *rest = attribute.split("_")
    return _NESTED.get(attribute, head + "".join(part.capitalize() for part in rest))


def merge(base: PlanDraft, new: PlanDraft) -> PlanDraft:
    """Two drafts as one: ``new`` fills what ``base`` leaves open, and every difference becomes a note.

    Subnets are the same where their AWS id, their block or their name is; entries of the other lists where their
    name is. The order is that of ``base``, then that of ``new``.
    """
    if base.workloads or new.workloads:
        base, new = without_stand_ins(base), without_stand_ins(new)
    notes: list[Note] = []
    subnets, names = _merge_subnets(base.subnets, new.subnets, new.source, notes)
    new = renamed_subnets(new, names)
    changes: dict[str, Any] = {"subnets": subnets}
    for attribute, path in SCALARS.items():
        changes[attribute] = _settled(getattr(base, attribute), getattr(new, attribute), path, new.source, notes)
    for attribute, path in ENTRIES.items():
        changes[attribute] = _merge_entries(getattr(base, attribute), getattr(new, attribute), path, new.source, notes)
    return replace(
        base,
        source=" + ".join(dict.fromkeys(s for s in (base.source, new.source) if s)),
        name=base.name or new.name,
        env=_merge_words(base.env, new.env, "cni.env", new.source, notes),
        windows=_merge_words(base.windows, new.windows, "cni.windows", new.source, notes),
        pod_subnets=tuple(dict.fromkeys((*base.pod_subnets, *new.pod_subnets))),
        zones=tuple(dict.fromkeys((*base.zones, *new.zones))),
        vpc_cidrs=_merge_blocks(base.vpc_cidrs, new.vpc_cidrs, new.source, notes),
        control_plane=base.control_plane if base.control_plane is not None else new.control_plane,
        notes=tuple(dict.fromkeys((*base.notes, *new.notes, *notes))),
        assumed=base.assumed | new.assumed,
        **changes,
    )


def without_stand_ins(draft: PlanDraft) -> PlanDraft:
    """The draft without the tenants that stand for pods: workloads book these now."""
    return replace(draft, tenants=tuple(t for t in draft.tenants if not t.name.startswith(PODS_TODAY)))


def merge_all(drafts: Iterable[PlanDraft]) -> PlanDraft:
    """All drafts as one, the first one's word weighing most."""
    merged = PlanDraft()
    for draft in drafts:
        merged = merge(merged, draft)
    return merged


def _settled(base: Any, new: Any, path: str, source: str, notes: list[Note]) -> Any:
    if base is None or new is None:
        return new if base is None else base
    if base != new:
        notes.append(Note(f"{path}: kept {shown(base)}; {source or 'the later source'} says {shown(new)}", path))
    return base


def shown(value: Any) -> str:
    """A value in a message."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(shown(v) for v in value) + "]"
    return str(value)


def _merge_words(
    base: Mapping[str, str], new: Mapping[str, str], path: str, source: str, notes: list[Note]
) -> dict[str, str]:
    merged = dict(base)
    for name, value in new.items():
        merged[name] = _settled(merged.get(name), value, f"{path}.{name}", source, notes)
    return merged


def _merge_blocks(
    base: tuple[IPv4Network, ...], new: tuple[IPv4Network, ...], source: str, notes: list[Note]
) -> tuple[IPv4Network, ...]:
    merged = list(base)
    for block in new:
        clash = next((b for b in merged if b.overlaps(block)), None)
        if clash is None:
            merged.append(block)
            if base:
                notes.append(Note(f"vpc.cidrs: {block} added from {source or 'the later source'}", "vpc.cidrs"))
        elif clash != block:
            notes.append(
                Note(
                    f"vpc.cidrs: kept {clash}; {source or 'the later source'} says {block}, which overlaps", "vpc.cidrs"
                )
            )
    return tuple(merged)


def _merge_piece(base: Piece, new: Piece, section: str, source: str, notes: list[Note]) -> Piece:
    """One entry known from two sources."""
    changes: dict[str, Any] = {}
    for f in fields(base):
        mine, theirs = getattr(base, f.name), getattr(new, f.name)
        if f.name == "name" or theirs is None or mine == theirs:
            continue
        if mine is None:
            changes[f.name] = theirs
        elif f.name not in SILENT:
            _settled(mine, theirs, at(section, base.name, key_of(section, f.name)), source, notes)
    return replace(base, **changes) if changes else base


def _merge_entries(
    base: tuple[Piece, ...], new: tuple[Piece, ...], section: str, source: str, notes: list[Note]
) -> tuple[Piece, ...]:
    merged = {entry.name: entry for entry in base}
    for entry in new:
        known = merged.get(entry.name)
        merged[entry.name] = entry if known is None else _merge_piece(known, entry, section, source, notes)
    return tuple(merged.values())


def merge_subnet_names(base: tuple[SubnetDraft, ...], new: tuple[SubnetDraft, ...]) -> dict[str, str]:
    """What each new subnet is called among the known ones: the same by AWS's id, by block, or by name."""
    by_name = {s.name: s for s in base}
    by_id = {s.id: s.name for s in base if s.id}
    by_cidr = {s.cidr: s.name for s in base if s.cidr}
    names: dict[str, str] = {}
    for subnet in new:
        same = (by_id.get(subnet.id) if subnet.id else None) or (by_cidr.get(subnet.cidr) if subnet.cidr else None)
        namesake = by_name.get(subnet.name)
        if same is None and namesake and namesake.id and subnet.id:
            same = subnet.id  # two subnets of one name: AWS's id tells them apart
        names[subnet.name] = same or subnet.name
    return names


def _merge_subnets(
    base: tuple[SubnetDraft, ...], new: tuple[SubnetDraft, ...], source: str, notes: list[Note]
) -> tuple[tuple[SubnetDraft, ...], dict[str, str]]:
    """The subnets of both, and what the new ones are called among them."""
    names = merge_subnet_names(base, new)
    renamed = tuple(replace(s, name=names[s.name]) for s in new)
    return _merge_entries(base, renamed, "vpc.subnets", source, notes), names


def renamed_subnets(draft: PlanDraft, names: Mapping[str, str]) -> PlanDraft:
    """The draft with every mention of a subnet in ``names`` replaced."""
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


def unique_names(named: Iterable[tuple[tuple[str, str, str], WorkloadDraft]]) -> tuple[WorkloadDraft, ...]:
    """Workloads of different kinds and one name told apart by their kind."""
    taken: dict[str, WorkloadDraft] = {}
    for (kind, _, _), workload in named:
        name = workload.name
        if name in taken:
            name = f"{name}-{kind.lower()}"
        taken[name] = replace(workload, name=name)
    return tuple(taken.values())
