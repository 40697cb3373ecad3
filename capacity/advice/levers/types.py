"""The lever that changes what nodes are: another instance type of the same architecture."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from capacity.advice.levers.lever import Lever, is_own_cni
from capacity.advice.snippets.groups import group_type_snippets
from capacity.catalog.instance_type import InstanceType
from capacity.catalog.prices import price
from capacity.catalog.table import load_catalog
from capacity.cluster.check import CheckResult
from capacity.cluster.group_platform import own_max_pods
from capacity.cluster.scenario import GroupState, ScenarioState, first_and_gravest
from capacity.cluster.shape import GroupShape
from capacity.cni.facade import settings_on
from capacity.cni.node_pool import FIGURES, effective, node_limits, rest
from capacity.plan.cni_env import CniSettings
from capacity.plan.model import NodeGroup, Plan
from capacity.plan.patch import entry
from capacity.units import ceil_div

MOST_LARGER = 2  # a type of more than twice the vCPUs or memory is another design, not another type
ANYWHERE = ""  # no group has no name
LIFTED = ("addresses", "max_pods")  # what another type's network interfaces can lift
# Families (or all that start with one letter) with disks or accelerators that neither a letter d after the
# generation nor the catalog tells.
DEVICE_FAMILIES = ("c1", "c3", "d", "f", "h", "i", "m1", "m2", "m3", "r3", "trn2u", "x1", "x1e")


def instance_type(result: CheckResult, only: Collection[str]) -> Iterator[Lever]:
    """Another type whose nodes take fewest addresses for the pods they carry, or that has room for all of them."""
    plan = result.plan
    scenario = first_and_gravest(result.scenarios)[-1]
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
            summary=f"nodes of another type: {', '.join(words)}",
            patch=patch,
            cost="; ".join((*dict.fromkeys(costs), "all nodes are replaced; is the type sold in every zone?")),
            source="data/eni_limits.csv; aws/aws-eks-best-practices@dc0243a scalability/data-plane.adoc L44-50",
            commands=tuple(commands),
        )


def drop_types(result: CheckResult, only: Collection[str]) -> Iterator[Lever]:
    """The types without those that run out, in groups that may get several."""
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
        cost="fewer types to choose from when one is out of stock; nodes of a dropped type are replaced",
        source="karpenter.sh/docs/concepts/nodepools (spec.template.spec.requirements, read 2026-11-30)",
        commands=tuple(
            c for n, s in changed.items() for c in group_type_snippets(s.group, kept[n], result.plan.group_names)
        ),
    )


def _kept(result: CheckResult, shape: GroupShape) -> list[str]:
    """Names of the types, in plan order, that do not run out; all of them where none does."""
    name = shape.group.name
    bad = {h.instance_type for h in result.harmful if h.group == name}
    if any(g.pods_without_address for s in result.scenarios for g in s.groups if g.shape == shape):
        bad = {k.instance_type.name for k in shape.types if k.max_pods - k.host_pods > k.addresses}
    spec = next(g for g in result.plan.node_groups if g.name == name)
    return [k.name for k in spec.instance_types if k.name not in bad]


def price_difference(old: str, new: str, region: str | None) -> str:
    """What a node-hour costs more or less, in words; what is unknown is said.

    >>> price_difference("m5.large", "m5.xlarge", "us-east-1")
    '+0.0960 USD per node-hour for m5.xlarge (us-east-1, on demand)'
    >>> price_difference("m5.large", "m5.xlarge", None)
    'price of m5.xlarge against m5.large unknown: the plan names no region'
    """
    if region is None:
        return f"price of {new} against {old} unknown: the plan names no region"
    was, now = price(old, region), price(new, region)
    if was is None or now is None or was.currency != now.currency:
        unknown = " and ".join(n for n, p in ((old, was), (new, now)) if p is None) or "both in one currency"
        return f"price difference unknown: no price of {unknown} in {region}"
    change = f"{now.per_hour - was.per_hour:+.4f} {now.currency}"
    return f"{change} per node-hour for {new} ({region}, on demand)"


# --- which type -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Carried:
    """What the nodes of a group carry: VPC pods and how many nodes have so many; most pods of all kinds on one."""

    vpc_pods: tuple[int, ...]
    nodes: tuple[int, ...]
    most: int


def _better(plan: Plan, state: GroupState, lifted: Mapping[str, int], *, volumes: bool) -> InstanceType | None:
    """The type to change to; None where none is better than what the group has. ``volumes``: some pods have any."""
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
    """Price for the order of ties, the unknown last. [currency per hour]"""
    found = price(name, region) if region else None
    return float("inf") if found is None else found.per_hour


def _lifted(plan: Plan, scenario: ScenarioState) -> dict[str, int]:
    """Pods that another type may have room for, without a node for want of addresses or max pods, by group. [pods]

    Those that may run in any group stand under :data:`ANYWHERE`; a group's own daemonsets under the group.
    """
    groups = {w.name: w.node_groups or (ANYWHERE,) for w in plan.workloads}
    groups |= {f"daemonsets on {g.name}": (g.name,) for g in plan.node_groups}
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
    """Addresses that the group's nodes would take, by type; None where a node cannot carry its pods. [addresses]"""
    settings = settings_on(plan.cni, group)
    max_pods = own_max_pods(group, settings, kinds)
    return [_taken(group, settings, kind, most, carried) for kind, most in zip(kinds, max_pods, strict=True)]


def _taken(group: NodeGroup, settings: CniSettings, kind: InstanceType, max_pods: int, carried: _Carried) -> int | None:
    """Addresses of the group's nodes were they of a type; None where one cannot carry its pods. [addresses]"""
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
    """Addresses that one node takes; None where it has none for some of its pods. [addresses]"""
    own = effective(settings, kind)
    node = rest(node_limits(kind, own, unmanaged), own, max_pods, vpc_pods)
    return None if FIGURES["pods_without_address"](node) else int(FIGURES["subnet_addresses"](node))


def _candidates(shape: GroupShape, *, volumes: bool) -> list[InstanceType]:
    """Types that can stand in for a group's: as much of everything, no more than twice the size."""
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
    """Of the whole catalog; plain types only, and burstable ones for burstable ones."""

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
    """Burstable and flex types promise a share of their vCPUs only."""
    return (kind.family.startswith("t") and kind.family[1:2].isdigit()) or kind.family.endswith("-flex")


def has_devices(kind: InstanceType) -> bool:
    """Whether a node has GPUs, accelerators or disks of its own, which another type would lose.

    The catalog does not state disks; EC2's names do: a letter d after the generation, or a family made for them.

    Source
    ------
    Amazon EC2 user guide, "Amazon EC2 instance type naming conventions" (read 2026-11-25).
    """
    if kind.gpus is None or kind.accelerators is None or kind.gpus or kind.accelerators:
        return True
    after = kind.family.lstrip("abcdefghijklmnopqrstuvwxyz").lstrip("0123456789")
    made_for_it = kind.family in DEVICE_FAMILIES or kind.family[:1] in DEVICE_FAMILIES
    return made_for_it or "d" in after.partition("-")[0]
