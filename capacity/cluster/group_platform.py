"""Computes max pods and allocatable of a node group with the formulas of :mod:`capacity.node`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from capacity.catalog.instance_type import InstanceType
from capacity.node.allocatable import allocatable_of
from capacity.node.density import AUTO_MAX_PODS
from capacity.node.maxpods import MaxPods, max_pods
from capacity.node.offer import reserved_pods
from capacity.node.platform import WITH_PREFIXES, Platform, as_run
from capacity.plan.cni_env import CniSettings
from capacity.plan.constants import CILIUM, OVERLAY
from capacity.plan.model import NodeGroup


@dataclass(frozen=True, slots=True)
class GroupPlatform:
    """The properties of a group's nodes before any pod runs on them.

    Attributes
    ----------
    figures : tuple of (int, int, int)
        Per type: max pods, allocatable CPU [millicores], allocatable memory [MiB].
    own_max_pods : tuple of int
        Per type, if it were the only type of the group. [pods]
    reserved_memory_mib : tuple of int
        Per type, kube-reserved. [MiB]
    terms : tuple of str
        How max pods was computed.
    notes : tuple of str
        Assumptions to show.
    """

    figures: tuple[tuple[int, int, int], ...]
    own_max_pods: tuple[int, ...]
    reserved_memory_mib: tuple[int, ...]
    terms: tuple[str, ...]
    notes: tuple[str, ...]


def platform_of(group: NodeGroup, settings: CniSettings) -> Platform:
    """The group and the CNI's settings as a :class:`Platform`; Windows uses only the prefix switch."""
    windows = group.windows
    mode = "secondary"
    if settings.prefix:
        mode = "prefix"
    if settings.ipv6 and not windows:
        mode = "ipv6"
    if settings.cni == OVERLAY:
        mode = OVERLAY
    return Platform(
        mode=mode,
        custom_networking=settings.custom_networking and not windows,
        pod_eni=settings.pod_eni and not windows,
        max_eni=settings.max_eni,
        reserved_enis=group.reserved_enis,
        ami=group.ami,
        provisioner=group.provisioner,
        expression=group.max_pods_expression,
        cilium=settings.cilium,
    )


def group_platform(group: NodeGroup, settings: CniSettings) -> GroupPlatform:
    """Max pods and allocatable per type of a group.

    Managed groups have one max pods for all types, the smallest; a value set by the user applies to all.
    """
    on = platform_of(group, settings)
    rows = [_row(kind, on) for kind in group.instance_types]
    own = tuple(_known(row.max_pods) for row in rows)
    counts = _max_pods(group, own)
    left = [
        _allocatable(kind, reserved_pods(row.reserved_for, on, pods))
        for kind, row, pods in zip(group.instance_types, rows, counts, strict=True)
    ]
    return GroupPlatform(
        figures=tuple(
            (pods, _known(a.cpu_millicores), _known(a.memory_mib)) for pods, a in zip(counts, left, strict=True)
        ),
        own_max_pods=own,
        reserved_memory_mib=tuple(_known(a.kube_reserved_memory_mib) for a in left),
        terms=_terms(group, on, own),
        notes=_notes(group, on, rows),
    )


def own_max_pods(group: NodeGroup, settings: CniSettings, kinds: Sequence[InstanceType]) -> list[int]:
    """Max pods of a group if all nodes had one type, for each given type; a value set by the user applies to all.
    [pods]
    """
    if group.max_pods is not None:
        return [group.max_pods for _ in kinds]
    on = platform_of(group, settings)
    return [_known(_row(kind, on).max_pods) for kind in kinds]


@lru_cache(maxsize=4096)
def _row(kind: InstanceType, on: Platform) -> MaxPods:
    return max_pods(kind, as_run(on, kind))


def _known(value: int | None) -> int:
    assert value is not None, "the plan's parser refuses types without figures"
    return value


def _max_pods(group: NodeGroup, own: tuple[int, ...]) -> tuple[int, ...]:
    if group.max_pods is not None:
        return tuple(group.max_pods for _ in own)
    return tuple(min(own) for _ in own) if group.provisioner == "managed" else own


_allocatable = lru_cache(maxsize=4096)(allocatable_of)


def _terms(group: NodeGroup, on: Platform, own: tuple[int, ...]) -> tuple[str, ...]:
    if group.max_pods is not None:
        return (f"set to {group.max_pods} by maxPods",)
    if group.windows:
        return ("Windows: the kubelet's default of 110",)
    names = ", ".join(f"{k.name} {n}" for k, n in zip(group.instance_types, own, strict=True))
    if group.auto:
        rule = f"EKS Auto Mode: at most {AUTO_MAX_PODS}"
    elif group.provisioner == "managed":
        prefix = " × 16" if on.mode in WITH_PREFIXES and on.cni != CILIUM else ""
        enis = "(ENIs − 1 for custom networking)" if on.custom_networking else "ENIs"
        rule = f"EKS: {enis} × (IPs − 1){prefix} + 2, capped at 110 (250 above 30 vCPUs)"
        rule += ", the smallest of the types"
    elif group.provisioner == "karpenter":
        enis = f"(ENIs − {group.reserved_enis} reserved)" if group.reserved_enis else "ENIs"
        rule = f"Karpenter: {enis} × (IPs − 1) + 2"
    else:
        rule = "the AMI: ENIs × (IPs − 1) + 2, or its maxPodsExpression"
    return (rule, names)


def _notes(group: NodeGroup, on: Platform, rows: list[MaxPods]) -> tuple[str, ...]:
    notes = []
    if on.cni == CILIUM:
        where = (
            "evenly over the zone's podSubnets (Cilium chooses the one with the most free addresses)"
            if group.pod_subnets
            else "in the node's subnet (Cilium uses others when it is full)"
        )
        notes.append(f"{group.name}: Cilium's additional ENIs are counted {where}")
    if on.cni == OVERLAY and group.max_pods is None and not group.windows:
        notes.append(
            f"{group.name}: max pods is computed from ENIs, which an overlay CNI does not need: set maxPods to "
            "the kubelet's value"
        )
    if group.max_pods is None and group.provisioner == "managed" and not group.windows:
        notes.append("EKS sets max pods of managed node groups: AWS's formula, capped at 110 or 250")
    if group.auto:
        notes.append(
            f"{group.name}: Auto Mode assigns prefixes; AWS does not publish how many stay spare, one is assumed"
        )
    if group.provisioner != "karpenter":
        notes.append("memory capacity is Karpenter's estimate: 7.5% less than EC2 states")
    if group.max_pods_expression is not None:
        notes += [w for row in rows for w in row.warnings if "expression" in w]
    return tuple(notes)
