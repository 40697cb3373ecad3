"""Levers that change instance types: another type of the same architecture, or fewer allowed types."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from capacity.advice.levers.lever import Lever
from capacity.advice.snippets.groups import group_type_snippets
from capacity.catalog.instance_type import InstanceType
from capacity.catalog.prices import price
from capacity.catalog.table import load_catalog
from capacity.cluster.check import CheckResult
from capacity.cluster.group_platform import own_max_pods
from capacity.cluster.scenario import GroupState, ScenarioState, first_and_worst
from capacity.cluster.shape import GroupShape
from capacity.cluster.unplaced import daemons_on
from capacity.cni.facade import settings_on
from capacity.cni.node_pool import FIGURES, effective, node_limits, rest
from capacity.cni.on_node import is_own_cni
from capacity.cost.dollar_words import price_difference
from capacity.plan.cni_env import CniSettings
from capacity.plan.model import NodeGroup, Plan
from capacity.plan.patch import entry
from capacity.units import ceil_div

MOST_LARGER = 2  # a type with more than twice the vCPUs or memory is a different design
ANYWHERE = ""  # no group has no name
LIFTED = ("addresses", "max_pods")  # what another type's network interfaces can lift
# Families (or first letters of families) with disks or accelerators that neither a letter d after the
# generation nor the catalog shows.
DEVICE_FAMILIES = ("c1", "c3", "d", "f", "h", "i", "m1", "m2", "m3", "r3", "trn2u", "x1", "x1e")


def instance_type(result: CheckResult, only: Collection[str]) -> Iterator[Lever]:
    """Change to the type that uses the fewest addresses for the same pods, or that has room for all of them."""
    plan = result.plan
    scenario = first_and_worst(result.scenarios)[-1]
    patch: dict[str, object] = {}
    commands: list[str] = []
    words: list[str] = []
    costs: list[str] = []
    lifted, volumes = _lifted(plan, scenario), any(w.volumes for w in plan.workloads)
    for state in scenario.groups:
        found = _better(plan, state, lifted, volumes=volumes) if state.shape.group.name in only else None
        if found is not None:
            old = state.shape.first.instance_type
            patch[entry("nodeGroups", state.shape.group.name, "instanceTypes")] = [found.name]
            words.append(f"{found.name} instead of {old.name} in {state.shape.group.name}")
            costs.append(price_difference(old.name, found.name, plan.region))
            commands += group_type_snippets(state.shape.group, [found.name], plan.group_names)
    if patch:
        yield Lever(
            risk="nodes",
            name="instance-type",
            summary=f"change the instance type: {', '.join(words)}",
            patch=patch,
            cost="; ".join((*dict.fromkeys(costs), "all nodes are replaced; check that every zone offers the type")),
            source="data/eni_limits.csv; aws/aws-eks-best-practices@dc0243a scalability/data-plane.adoc L44-50",
            commands=tuple(commands),
        )


def drop_types(result: CheckResult, only: Collection[str]) -> Iterator[Lever]:
    """Remove the types that would exhaust the plan, in groups with several types."""
    kept = {s.group.name: _kept(result, s) for s in result.shapes if len(s.types) > 1 and s.group.name in only}
    changed = {s.group.name: s for s in result.shapes if 0 < len(kept.get(s.group.name, ())) < len(s.types)}
    if not changed:
        return
    dropped = {
        n: [k.instance_type.name for k in s.types if k.instance_type.name not in kept[n]] for n, s in changed.items()
    }
    yield Lever(
        risk="nodes",
        name="drop-types",
        summary="; ".join(f"{name} without {', '.join(types)}" for name, types in dropped.items()),
        patch={entry("nodeGroups", name, "instanceTypes"): kept[name] for name in changed},
        cost="fewer types to choose from if EC2 has no capacity for one; nodes of a removed type are replaced",
        source="karpenter.sh/docs/concepts/nodepools (spec.template.spec.requirements, read 2026-11-30)",
        commands=tuple(
            c for n, s in changed.items() for c in group_type_snippets(s.group, kept[n], result.plan.group_names)
        ),
    )


def _kept(result: CheckResult, shape: GroupShape) -> list[str]:
    """Names of the types that do not exhaust the plan, in plan order; all if none is left."""
    name = shape.group.name
    bad = {h.instance_type for h in result.harmful if h.group == name}
    if any(g.pods_without_address for s in result.scenarios for g in s.groups if g.shape == shape):
        bad = {k.instance_type.name for k in shape.types if k.max_pods - k.host_pods > k.addresses}
    spec = next(g for g in result.plan.node_groups if g.name == name)
    return [k.name for k in spec.instance_types if k.name not in bad]


# --- which type -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Carried:
    """Load of a group's nodes: how many nodes have each count of VPC pods, and the most pods on one node."""

    vpc_pods: tuple[int, ...]
    nodes: tuple[int, ...]
    most: int


def _better(plan: Plan, state: GroupState, lifted: Mapping[str, int], *, volumes: bool) -> InstanceType | None:
    """The type to change to; None if no type is better. ``volumes``: whether pods have volumes."""
    shape, group = state.shape, state.shape.group
    old = shape.first.instance_type
    fixed = len(group.instance_types) > 1 or group.max_pods_expression is not None
    if fixed or not is_own_cni(plan, group) or not state.nodes or has_devices(old):
        return None
    carried = _carried(state, ceil_div(lifted.get(group.name, 0) + lifted.get(ANYWHERE, 0), state.nodes))
    kinds = [old, *_candidates(shape, volumes=volumes)]
    addresses = _addresses(plan, group, kinds, carried)
    if addresses[0] is None:
        room = [(n, k) for n, k in zip(addresses, kinds, strict=True) if n is not None]
    else:
        room = [(n, k) for n, k in zip(addresses, kinds, strict=True) if n is not None and n < addresses[0]]
    order = {k.name: i for i, k in enumerate(kinds)}
    best = min(room, key=lambda r: (r[0], _cost(r[1].name, plan.region), order[r[1].name]), default=None)
    return None if best is None else best[1]


def _cost(name: str, region: str | None) -> float:
    """Price that decides between equal types, unknown last. [currency per hour]"""
    found = price(name, region) if region else None
    return float("inf") if found is None else found.per_hour


def _lifted(plan: Plan, scenario: ScenarioState) -> dict[str, int]:
    """Unschedulable pods limited by addresses or max pods, which another type could have room for, by group. [pods]

    Pods that can run in any group are under :data:`ANYWHERE`; DaemonSet pods are under their group.
    """
    groups = {w.name: w.node_groups or (ANYWHERE,) for w in plan.workloads}
    groups |= {daemons_on(g.name): (g.name,) for g in plan.node_groups}
    found: dict[str, int] = {}
    for unplaced in scenario.unplaced:
        for name in groups[unplaced.workload] if unplaced.reason in LIFTED else ():
            found[name] = found.get(name, 0) + unplaced.pods
    return found


def _carried(state: GroupState, extra: int) -> _Carried:
    counts: dict[int, int] = {}
    for c in state.classes:
        counts[c.vpc_pods + extra] = counts.get(c.vpc_pods + extra, 0) + c.count
    return _Carried(tuple(counts), tuple(counts.values()), state.pods_per_node + extra)


def _addresses(plan: Plan, group: NodeGroup, kinds: Sequence[InstanceType], carried: _Carried) -> list[int | None]:
    """Addresses that the group's nodes would use, by type; None if a node cannot run its pods. [addresses]"""
    settings = settings_on(plan.cni, group)
    max_pods = own_max_pods(group, settings, kinds)
    return [_taken(group, settings, kind, most, carried) for kind, most in zip(kinds, max_pods, strict=True)]


def _taken(group: NodeGroup, settings: CniSettings, kind: InstanceType, max_pods: int, carried: _Carried) -> int | None:
    """Addresses of the group's nodes if they had a type; None if one cannot run its pods. [addresses]"""
    if max_pods < carried.most:
        return None
    total = 0
    for pods, nodes in zip(carried.vpc_pods, carried.nodes, strict=True):
        each = _of_node(settings, kind, group.unmanaged_enis, max_pods, pods)
        if each is None:
            return None
        total += nodes * each
    return total


@lru_cache(maxsize=50_000)
def _of_node(settings: CniSettings, kind: InstanceType, unmanaged: int, max_pods: int, vpc_pods: int) -> int | None:
    """Addresses that one node uses; None if some of its pods get none. [addresses]"""
    own = effective(settings, kind)
    node = rest(node_limits(kind, own, unmanaged), own, max_pods, vpc_pods)
    return None if FIGURES["pods_without_address"](node) else int(FIGURES["subnet_addresses"](node))


def _candidates(shape: GroupShape, *, volumes: bool) -> list[InstanceType]:
    """Types that can replace those of a group: at least as large in everything, at most twice the size."""
    old = shape.first.instance_type
    branch = shape.first.room.branch_enis
    return [
        k
        for k in _stand_ins(old)
        if (not branch or (k.trunking and (k.branch_enis or 0) >= branch))
        and (not volumes or (k.ebs_attachments or 0) >= (old.ebs_attachments or 0))
    ]


@lru_cache(maxsize=64)
def _stand_ins(old: InstanceType) -> tuple[InstanceType, ...]:
    """Types of the catalog that can replace a type: without special devices, and burstable only for burstable."""

    def between(new: int | None, least: int | None) -> bool:
        return bool(new and least) and (least or 0) <= (new or 0) <= MOST_LARGER * (least or 0)

    return tuple(
        k
        for k in load_catalog().all()
        if k.name != old.name
        and k.max_enis
        and k.ipv4_per_eni
        and k.arch == old.arch
        and (k.hypervisor, k.bare_metal) == (old.hypervisor, old.bare_metal)
        and between(k.vcpus, old.vcpus)
        and between(k.memory_mib, old.memory_mib)
        and not has_devices(k)
        and (k.current_generation is not False or old.current_generation is False)
        and _shared_cpu(k) <= _shared_cpu(old)
    )


def _shared_cpu(kind: InstanceType) -> bool:
    """Whether a type guarantees only a share of its vCPUs (burstable and flex types)."""
    return (kind.family.startswith("t") and kind.family[1:2].isdigit()) or kind.family.endswith("-flex")


def has_devices(kind: InstanceType) -> bool:
    """Whether a node has GPUs, accelerators or local disks, which another type might not have.

    The catalog has no disks; the names of EC2 show them: a letter d after the generation, or a storage family.

    Source
    ------
    Amazon EC2 user guide, "Amazon EC2 instance type naming conventions" (read 2026-11-25).
    """
    if kind.gpus is None or kind.accelerators is None or kind.gpus or kind.accelerators:
        return True
    after = kind.family.lstrip("abcdefghijklmnopqrstuvwxyz").lstrip("0123456789")
    made_for_it = kind.family in DEVICE_FAMILIES or kind.family[:1] in DEVICE_FAMILIES
    return made_for_it or "d" in after.partition("-")[0]
