"""Merge drafts of several sources: a later one fills the gaps of an earlier one and never overwrites."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from ipaddress import IPv4Network
from typing import Any, TypeVar

from capacity.readers.draft import (
    PODS_TODAY,
    DaemonSetDraft,
    GroupDraft,
    Note,
    PlanDraft,
    ServiceDraft,
    SubnetDraft,
    TenantDraft,
    WorkloadDraft,
    at,
    key_of,
    renamed_subnets,
)

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
    "services": "services",
    "tenants": "tenants",
}

Piece = TypeVar("Piece", SubnetDraft, GroupDraft, WorkloadDraft, DaemonSetDraft, ServiceDraft, TenantDraft)


def merge(base: PlanDraft, new: PlanDraft) -> PlanDraft:
    """Merge two drafts: ``new`` fills the gaps of ``base``, and every difference becomes a note.

    Subnets match by AWS ID, block or name; entries of other lists match by
    name. The order is that of ``base``, then that of ``new``.
    """
    if base.workloads or new.workloads:
        base, new = without_stand_ins(base), without_stand_ins(new)
    base, new = one_network(base, new)
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
        vpc_prefixes=base.vpc_prefixes or new.vpc_prefixes,
        control_plane=base.control_plane if base.control_plane is not None else new.control_plane,
        notes=tuple(dict.fromkeys((*base.notes, *new.notes, *notes))),
        assumed=base.assumed | new.assumed,
        default_network=base.default_network or (new.default_network and not base.vpc_cidrs),
        **changes,
    )


def one_network(base: PlanDraft, new: PlanDraft) -> tuple[PlanDraft, PlanDraft]:
    """Both drafts, without the default VPC of a tool if the other has another VPC."""
    if not base.vpc_cidrs or not new.vpc_cidrs:
        return base, new
    if base.default_network and (not new.default_network or _zones_assumed(base) > _zones_assumed(new)):
        same = set(base.vpc_cidrs) <= set(new.vpc_cidrs) and not new.default_network
        return (base, new) if same else (without_default_network(base), new)
    if new.default_network and (base.default_network or not set(new.vpc_cidrs) <= set(base.vpc_cidrs)):
        return base, without_default_network(new)
    return base, new


def _zones_assumed(draft: PlanDraft) -> bool:
    return any(path.endswith(".zone") for path in draft.assumed)


def without_default_network(draft: PlanDraft) -> PlanDraft:
    """The draft without the VPC that a tool creates by default, and without all that is in it."""
    made = {s.name for s in draft.subnets if s.id is None}

    def kept(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return tuple(n for n in names or () if n not in made) or None

    tenants = [replace(t, subnets=left) for t in draft.tenants if (left := kept(t.subnets))]
    text = f"{draft.source or 'the source'}: its VPC is only a default, and another source has the VPC: not used"
    return replace(
        draft,
        vpc_cidrs=(),
        subnets=tuple(s for s in draft.subnets if s.name not in made),
        control_plane=kept(draft.control_plane),
        node_groups=tuple(replace(g, subnets=kept(g.subnets)) for g in draft.node_groups),
        tenants=tuple(tenants),
        notes=(*(n for n in draft.notes if not n.path.startswith(("vpc.", "tenants"))), Note(text)),
        assumed=frozenset(path for path in draft.assumed if not path.startswith("vpc.")),
        default_network=False,
    )


def without_stand_ins(draft: PlanDraft) -> PlanDraft:
    """The draft without the tenants that represent pods, because its workloads use these addresses."""
    return replace(draft, tenants=tuple(t for t in draft.tenants if not t.name.startswith(PODS_TODAY)))


def merge_all(drafts: Iterable[PlanDraft]) -> PlanDraft:
    """Merge all drafts; if they differ, the first one takes precedence."""
    merged = PlanDraft()
    for draft in drafts:
        merged = merge(merged, draft)
    return merged


def _settled(base: object, new: object, path: str, source: str, notes: list[Note]) -> Any:
    if base is None or new is None:
        return new if base is None else base
    if base != new:
        notes.append(Note(f"{path}: kept {shown(base)}; {source or 'the later source'} has {shown(new)}", path))
    return base


def shown(value: object) -> str:
    """Text of a value in a message."""
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
                    f"vpc.cidrs: kept {clash}; {source or 'the later source'} has {block}, which overlaps", "vpc.cidrs"
                )
            )
    return tuple(merged)


def _merge_piece(base: Piece, new: Piece, section: str, source: str, notes: list[Note]) -> Piece:
    """Merge one entry of two sources."""
    changes: dict[str, Any] = {}
    for f in fields(base):
        mine, theirs = getattr(base, f.name), getattr(new, f.name)
        if f.name == "name" or theirs is None or mine == theirs:
            continue
        if mine is None:
            changes[f.name] = theirs
        else:
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
    """Name of each new subnet among the known ones, matched by AWS ID, block, or name."""
    by_name = {s.name: s for s in base}
    by_id = {s.id: s.name for s in base if s.id}
    by_cidr = {s.cidr: s.name for s in base if s.cidr}
    names: dict[str, str] = {}
    for subnet in new:
        same = (by_id.get(subnet.id) if subnet.id else None) or (by_cidr.get(subnet.cidr) if subnet.cidr else None)
        namesake = by_name.get(subnet.name)
        if same is None and namesake and namesake.id and subnet.id:
            same = subnet.id  # two subnets with one name: the AWS ID distinguishes them
        names[subnet.name] = same or subnet.name
    return names


def _merge_subnets(
    base: tuple[SubnetDraft, ...], new: tuple[SubnetDraft, ...], source: str, notes: list[Note]
) -> tuple[tuple[SubnetDraft, ...], dict[str, str]]:
    """Merge the subnets of both, and return the names of the new ones."""
    names = merge_subnet_names(base, new)
    renamed = tuple(replace(s, name=names[s.name]) for s in new)
    return _merge_entries(base, renamed, "vpc.subnets", source, notes), names
