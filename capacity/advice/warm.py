"""Which WARM_* and MINIMUM_* targets: every sensible combination on given nodes, and one recommendation.

A setting is judged by the addresses it holds, the pods that can start at once, and the EC2 calls it
costs. The figures of a node are the closed forms of :mod:`capacity.cni.node_pool` and
:mod:`capacity.cni.calls`, taken over all pod counts at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from math import ceil

from capacity.advice.compare import Comparison, compare
from capacity.advice.snippets import env_commands
from capacity.catalog.instance_type import InstanceType
from capacity.cluster.check import CheckResult, check
from capacity.cluster.shape import GroupShape, group_shapes
from capacity.cni.calls import (
    CallCosts,
    call_costs,
    eni_flap_calls_per_hour,
    launch_calls,
    prefix_flap_calls_per_hour,
    start_calls,
    stop_calls,
)
from capacity.cni.limits import NodeLimits
from capacity.cni.node_pool import address_capacity, effective, held, node_limits
from capacity.cni.pool import PREFIX_SIZE
from capacity.cni.trace import Terms, call_terms, pool_terms
from capacity.errors import SpecError
from capacity.node.maxpods import Platform, max_pods
from capacity.spec.cni_env import CniSettings, cni_settings, parse_env_switch
from capacity.spec.plan import Cni, Plan

QUARTER = Fraction(1, 4)  # Kubernetes' default maxSurge: so many pods come at once in a deploy
HOST_PODS = 2  # aws-node and kube-proxy
# What a recommended setting keeps to; the how-to of warm targets says why.
READY = 0.9  # share of the swing's pods that find an address at once
MORE_TO_LAUNCH = 1.1  # calls to fill a node, times those of the chart's default
CALLS_PER_POD = 1.0  # for a pod that comes and one that goes
WORTH = 0.05  # share of the addresses that a change must save
WARM_IPS = (1, 2, 3, 5, 8, 10)  # candidates for WARM_IP_TARGET beside those that the pods suggest


@dataclass(frozen=True, slots=True)
class WarmTargets:
    """One combination: whole units kept warm, or addresses by WARM_IP_TARGET and MINIMUM_IP_TARGET.

    Attributes
    ----------
    prefix : bool
        For nodes in prefix mode.
    units : int or None
        WARM_ENI_TARGET, in prefix mode WARM_PREFIX_TARGET; None where addresses are the target.
    warm_ip, minimum_ip : int or None
        None where not set. [addresses]
    """

    prefix: bool
    units: int | None = None
    warm_ip: int | None = None
    minimum_ip: int | None = None

    @property
    def env(self) -> dict[str, str]:
        """The variables that make it."""
        unit = "WARM_PREFIX_TARGET" if self.prefix else "WARM_ENI_TARGET"
        values = {unit: self.units, "WARM_IP_TARGET": self.warm_ip, "MINIMUM_IP_TARGET": self.minimum_ip}
        return {name: str(value) for name, value in values.items() if value is not None}

    @property
    def label(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.env.items())

    def on(self, settings: CniSettings) -> CniSettings:
        """A node's settings with these targets; a unit target that is not part of them stays as it was.

        The node's own mode stays too: a Xen type gets single addresses under prefix delegation as well.
        """
        by_address = replace(settings, warm_ip=self.warm_ip or 0, minimum_ip=self.minimum_ip or 0)
        if self.units is None:
            return by_address
        if self.prefix:
            return replace(by_address, warm_prefix=self.units)
        return replace(by_address, warm_eni=self.units)


@dataclass(frozen=True, slots=True)
class NodeKind:
    """So many nodes with the same number of pods.

    Attributes
    ----------
    population : str
        What they are counted for: ``steady``, ``peak``, or ``range``.
    group, instance_type : str
    limits : NodeLimits
    settings : CniSettings
        The CNI's own, targets included, on this type.
    max_pods, host_pods, pods : int
        The kubelet's limit; pods without an address from the pool; pods with one. [pods]
    nodes : int
        [nodes]
    """

    population: str
    group: str
    instance_type: str
    limits: NodeLimits
    settings: CniSettings
    max_pods: int
    host_pods: int
    pods: int
    nodes: int

    @property
    def room(self) -> int:
        """Further pods that the kubelet accepts and the node can address. [pods]"""
        return max(min(self.max_pods - self.host_pods, self.capacity) - self.pods, 0)

    @property
    def unit(self) -> int:
        """Addresses that come together: 16 in prefix mode. [addresses]"""
        return PREFIX_SIZE if self.settings.prefix else 1

    @property
    def capacity(self) -> int:
        """Pods that the node's ENIs can address, whatever the targets. [pods]"""
        return address_capacity(self.limits, replace(self.settings, warm_ip=0, minimum_ip=0))

    def swing(self, share: Fraction) -> int:
        """Pods by which this node's count rises and falls, at least one. [pods]"""
        return max(ceil(share * self.pods), 1)


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a setting is not to be used: ``flaps``, ``starves`` or ``void``."""

    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class WarmRow:
    """One setting on all the nodes.

    Attributes
    ----------
    nodes : mapping of str to int
        Per population. [nodes]
    addresses, idle : mapping of str to int
        Per population: held in all, and held for no pod. [addresses]
    instant_least, instant_mean : int, float
        Pods that find a warm address at once, on the worst node and on average; never more than the
        kubelet accepts. [pods]
    calls_per_start, calls_per_stop : float
        While the pods of a node rise and fall by the swing, one by one. [calls per pod]
    calls_per_launch : float
        From a fresh node until its pods run. [calls per node]
    ready : float
        Share of the pods of all nodes' swings that find a warm address at once, as far as there is room.
    frontier : bool
        No setting of the same mode is as good in addresses, instant pods and calls, and better in one.
    """

    targets: WarmTargets
    nodes: Mapping[str, int]
    addresses: Mapping[str, int]
    idle: Mapping[str, int]
    instant_least: int
    instant_mean: float
    calls_per_start: float
    calls_per_stop: float
    calls_per_launch: float
    ready: float
    flaws: tuple[Flaw, ...]
    frontier: bool = False

    @property
    def costs(self) -> tuple[float, ...]:
        """What is to be small, to a tenth: addresses of the last population, missing instant pods, calls."""
        last = list(self.addresses.values())[-1]
        return last, -round(self.instant_mean, 1), round(self.calls_per_pod, 1), round(self.calls_per_launch, 1)

    @property
    def calls_per_pod(self) -> float:
        """For a pod that comes and one that goes. [calls]"""
        return self.calls_per_start + self.calls_per_stop


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The setting to take, and what it does.

    Attributes
    ----------
    change : mapping of str to (str or None)
        Variables to set, None to remove; empty where the present setting is the one.
    comparison : Comparison or None
        The plan's check before and after.
    """

    row: WarmRow
    rule: str
    change: Mapping[str, str | None]
    commands: tuple[str, ...]
    comparison: Comparison | None

    @property
    def patch(self) -> dict[str, object]:
        """The change as a patch of the plan."""
        return {f"cni.env.{name}": value for name, value in self.change.items()}


@dataclass(frozen=True, slots=True)
class WarmAnswer:
    """Every setting on the nodes, the present one, and the recommendation.

    Attributes
    ----------
    kinds, other_kinds : tuple of NodeKind
        The nodes, and the same in the other mode (prefixes instead of single addresses or the reverse).
    current : WarmRow
        The settings as they are.
    """

    kinds: tuple[NodeKind, ...]
    other_kinds: tuple[NodeKind, ...]
    rows: tuple[WarmRow, ...]
    current: WarmRow
    recommendation: Recommendation | None
    swing: Fraction
    costs: CallCosts
    notes: tuple[str, ...]


def explain_row(found: WarmAnswer, row: WarmRow) -> Iterator[tuple[NodeKind, Terms]]:
    """The terms of one setting of the present mode on the fullest node of each group."""
    fullest: dict[str, NodeKind] = {}
    for kind in found.kinds:
        if kind.pods > fullest.get(kind.group, replace(kind, pods=-1)).pods:
            fullest[kind.group] = kind
    for kind in fullest.values():
        settings, swung = row.targets.on(kind.settings), kind.swing(found.swing)
        low, high = max(kind.pods - swung, 0), kind.pods + min(swung, kind.room)
        curve = _curve(kind.limits, settings, found.costs, kind.max_pods, max(kind.max_pods, high))
        terms = pool_terms(kind.limits, settings, kind.max_pods, kind.pods)
        terms.append(("swing", swung, f"{found.swing} of {kind.pods} pods, rounded up, at least 1", ""))
        terms += call_terms(kind.limits, settings, kind.max_pods, kind.pods, found.costs)
        for label, sums in (("coming", curve.started), ("going", curve.stopped)):
            calls = sums[high] - sums[low]
            terms.append((f"calls: {label}", calls, f"{high - low} pods between {low} and {high}, one by one", ""))
        yield kind, terms


# --- who asks ---------------------------------------------------------------------------


def warm_for_plan(plan: Plan, swing: Fraction = QUARTER) -> WarmAnswer:
    """The settings on the nodes of a plan, in steady and in peak.

    Raises
    ------
    SpecError
        No Linux node with pods on VPC addresses, or an IPv6 cluster.
    """
    _refuse_without_targets(plan.cni.settings)
    base = check(plan, ("steady", "peak"))
    own, other = _plan_kinds(base), _other_mode(plan, base)
    if not own:
        raise SpecError(f"{plan.file or 'the plan'}: no Linux node in steady or peak: there is nothing to keep warm")
    notes = [*plan.notes]
    if any(g.windows for g in plan.node_groups):
        notes.append("Windows nodes are left out: their warm targets are the VPC resource controller's")
    answer = _answer(own, other, plan.cni.settings, plan.cni.env, swing, notes)
    best = answer.recommendation
    if best is None or not best.change:
        return answer
    comparison = compare(check(plan), check(with_env(plan, best.change)))
    return replace(answer, recommendation=replace(best, comparison=comparison))


def warm_for_type(
    kind: InstanceType,
    pods: range,
    env: Mapping[str, str | None],
    platform: Platform,
    by_hand: int | None = None,
    swing: Fraction = QUARTER,
) -> WarmAnswer:
    """The settings on one node of a type, over a range of pods on VPC addresses.

    Parameters
    ----------
    pods : range
        Each count weighs the same. [pods]
    by_hand : int, optional
        Max pods set by hand. [pods]

    Raises
    ------
    SpecError
        The type has no known ENI figures, the node cannot run the fewest pods, or IPv6.
    """
    given, notes = cni_settings(env)
    _refuse_without_targets(given)
    if platform.ami == "windows":
        raise SpecError("Windows nodes: their warm targets are the VPC resource controller's, not the CNI's")
    settings = effective(given, kind)
    if settings.prefix != given.prefix:
        notes = [*notes, f"{kind.name} runs on {kind.hypervisor}: it gets single addresses, not prefixes"]
    own = _range_kinds(kind, pods, settings, platform, by_hand)
    if not own:
        most = _range_kinds(kind, range(0, 1), settings, platform, by_hand)[0].room
        raise SpecError(f"{kind.name!r} runs at most {most} pods on VPC addresses under these settings, not {pods[0]}")
    if own[-1].pods < pods[-1]:
        top = own[-1]
        notes = [
            *notes,
            f"{kind.name} runs at most {top.pods} pods on VPC addresses (max pods {top.max_pods}, "
            f"{HOST_PODS} of them on the host's network; {top.capacity} addresses): "
            f"{top.pods + 1} to {pods[-1]} are left out",
        ]
    other: list[NodeKind] = []
    if kind.prefixes_possible is not False:
        flipped = replace(settings, prefix=not settings.prefix)
        other = _range_kinds(kind, pods, flipped, platform, by_hand)
    return _answer(own, other, settings, env, swing, notes)


def with_env(plan: Plan, change: Mapping[str, str | None]) -> Plan:
    """The plan with variables of the CNI set, or removed where None."""
    env = {n: v for n, v in {**plan.cni.env, **change}.items() if change.get(n, "") is not None}
    settings, warnings = cni_settings(env, "", plan.kubernetes.ip_family)
    replaced = set(cni_settings(plan.cni.env, "", plan.kubernetes.ip_family)[1])
    notes = (*(n for n in plan.notes if n not in replaced), *warnings)
    return replace(plan, cni=Cni(plan.cni.version, env, settings), notes=notes)


def _refuse_without_targets(settings: CniSettings) -> None:
    if settings.ipv6:
        raise SpecError("IPv6 nodes hold no IPv4 addresses for pods: there is nothing to keep warm")
    if settings.cilium is not None:
        raise SpecError(
            "WARM_* targets are the VPC CNI's: with Cilium change cni.cilium.preAllocate (capacity compare)"
        )


# --- the nodes --------------------------------------------------------------------------


def _plan_kinds(result: CheckResult, shapes: Mapping[str, GroupShape] | None = None) -> list[NodeKind]:
    """The nodes of steady and peak, with the figures of other shapes where given."""
    counts: dict[NodeKind, int] = {}
    for state in result.scenarios:
        for group in state.groups:
            if group.shape.group.windows:
                continue
            shape = (shapes[group.shape.group.name] if shapes else group.shape).first
            for c in group.classes:
                kind = NodeKind(
                    population=state.name,
                    group=group.shape.group.name,
                    instance_type=shape.instance_type.name,
                    limits=shape.limits,
                    settings=shape.settings,
                    max_pods=shape.max_pods,
                    host_pods=c.pods - c.vpc_pods,
                    pods=c.vpc_pods,
                    nodes=0,
                )
                counts[kind] = counts.get(kind, 0) + c.count
    return [replace(kind, nodes=n) for kind, n in counts.items() if n]


def _other_mode(plan: Plan, result: CheckResult) -> list[NodeKind]:
    """The same nodes and pods with prefixes instead of single addresses, or the other way round."""
    flipped = with_env(plan, {"ENABLE_PREFIX_DELEGATION": "false" if plan.cni.settings.prefix else "true"})
    shapes = {s.group.name: s for s in group_shapes(flipped)}
    kinds = _plan_kinds(result, shapes)
    return kinds if any(k.settings.prefix != plan.cni.settings.prefix for k in kinds) else []


def _range_kinds(
    kind: InstanceType, pods: range, settings: CniSettings, platform: Platform, by_hand: int | None
) -> list[NodeKind]:
    mode = "prefix" if settings.prefix else "secondary"
    most = by_hand if by_hand is not None else max_pods(kind, replace(platform, mode=mode)).max_pods
    limits = node_limits(kind, settings)
    assert most is not None, "node_limits refuses types without ENI figures"
    first = NodeKind("range", "", kind.name, limits, settings, most, HOST_PODS, 0, 1)
    return [replace(first, pods=p) for p in pods if p <= first.room]


# --- the settings -----------------------------------------------------------------------


def candidates(kinds: Sequence[NodeKind], prefix: bool, swing: Fraction) -> list[WarmTargets]:
    """Every sensible combination for these nodes in one mode.

    Whole units 0 to 2; WARM_IP_TARGET 1 to 10 and the swing of the emptiest and the fullest node;
    MINIMUM_IP_TARGET not set, the pods of the fullest node, and with WARM_IP_TARGET on top those of the
    emptiest, the fullest and the nodes at each quarter between, the last also with its swing: then its
    usual pods, and those that come and go, cost no call. And the two that never work: MINIMUM_IP_TARGET
    alone, WARM_IP_TARGET=0.
    """
    counts = _quartiles(kinds)
    swings = sorted({k.swing(swing) for k in (min(kinds, key=_pods), max(kinds, key=_pods))})
    usual = (*counts, counts[-1] + swings[-1])
    rows = [WarmTargets(prefix, units=n) for n in (1, 0, 2)]
    for warm in sorted({*WARM_IPS, *swings}):
        minimums = sorted({counts[-1], *(p + warm for p in usual)} - {0})
        rows += [WarmTargets(prefix, warm_ip=warm, minimum_ip=m) for m in (None, *minimums)]
    rows.append(WarmTargets(prefix, minimum_ip=counts[-1] or 1))
    rows.append(WarmTargets(prefix, warm_ip=0))
    return rows


def _quartiles(kinds: Sequence[NodeKind]) -> list[int]:
    """Pods of the emptiest node, of one at each quarter of the nodes, and of the fullest. [pods]"""
    ordered = sorted(kinds, key=_pods)
    total, seen = sum(k.nodes for k in ordered), 0
    found = [ordered[0].pods]
    for kind in ordered:
        seen += kind.nodes
        while len(found) < 5 and 4 * seen >= len(found) * total:
            found.append(kind.pods)
    return found


def _pods(kind: NodeKind) -> int:
    return kind.pods


def targets_of(settings: CniSettings) -> WarmTargets:
    """The combination that settings hold."""
    if settings.ip_targets:
        return WarmTargets(settings.prefix, warm_ip=settings.warm_ip or None, minimum_ip=settings.minimum_ip or None)
    return WarmTargets(settings.prefix, units=settings.warm_prefix if settings.prefix else settings.warm_eni)


def _answer(
    own: Sequence[NodeKind],
    other: Sequence[NodeKind],
    settings: CniSettings,
    env: Mapping[str, str | None],
    swing: Fraction,
    notes: Sequence[str],
) -> WarmAnswer:
    discovery, _ = parse_env_switch("ENABLE_SUBNET_DISCOVERY", env.get("ENABLE_SUBNET_DISCOVERY"), default=True)
    costs = call_costs(settings.custom_networking, discovery)
    mode = settings.prefix
    present = targets_of(settings)
    asked = list(dict.fromkeys((present, *candidates(own, mode, swing))))
    rows = _rows(asked, own, costs, swing)
    if other:
        rows += _rows(candidates(other, not mode, swing), other, costs, swing)
    return WarmAnswer(
        kinds=tuple(own),
        other_kinds=tuple(other),
        rows=tuple(rows),
        current=rows[0],
        recommendation=_recommend(rows, rows[0], env),
        swing=swing,
        costs=costs,
        notes=tuple(dict.fromkeys(notes)),
    )


@dataclass(frozen=True, slots=True)
class _Curve:
    """One node under one setting, with 0, 1, … pods; calls in sum from none. [slots], [ENIs], [calls]"""

    slots: list[int]
    enis: list[int]
    launch: int
    started: list[int]
    stopped: list[int]


@cache
def _curve(limits: NodeLimits, settings: CniSettings, costs: CallCosts, max_pods: int, most: int) -> _Curve:
    """The closed forms over all pod counts up to ``most``, once for all nodes alike."""
    import numpy as np

    slots, enis = held(limits, settings, max_pods, np.arange(most + 1))
    slots, enis = np.broadcast_to(slots, (most + 1,)), np.broadcast_to(enis, (most + 1,))
    starts = start_calls(slots, enis, costs)
    stops = stop_calls(slots, enis, whole_enis=not settings.ip_targets and not settings.prefix)
    return _Curve(
        slots=slots.tolist(),
        enis=enis.tolist(),
        launch=int(launch_calls(slots[0], enis[0], limits.idle_primary, costs)),
        started=[0, *np.cumsum(starts).tolist()],
        stopped=[0, *np.cumsum(stops).tolist()],
    )


@dataclass(frozen=True, slots=True)
class _Load:
    """Nodes of one make with the same pods; ``low`` to ``high`` is the band in which their pods swing. [pods]"""

    population: str
    nodes: int
    pods: int
    low: int
    high: int
    wanted: int
    free: int


@dataclass(frozen=True, slots=True)
class _Make:
    """Nodes that hold the same with the same pods, whatever their group."""

    limits: NodeLimits
    settings: CniSettings
    max_pods: int
    unit: int
    most: int
    loads: tuple[_Load, ...]


def _makes(kinds: Sequence[NodeKind], swing: Fraction) -> list[_Make]:
    """The nodes by make, each load once: a plan has many groups and few makes."""
    found: dict[tuple[NodeLimits, CniSettings, int], dict[_Load, int]] = {}
    for kind in kinds:
        swung, room = kind.swing(swing), kind.room
        wanted = min(swung, room)
        free = max(kind.max_pods - kind.host_pods - kind.pods, 0)
        low, high = max(kind.pods - swung, 0), kind.pods + wanted
        load = _Load(kind.population, 0, kind.pods, low, high, wanted, free)
        loads = found.setdefault((kind.limits, kind.settings, kind.max_pods), {})
        loads[load] = loads.get(load, 0) + kind.nodes
    return [
        _Make(
            *key,
            unit=PREFIX_SIZE if key[1].prefix else 1,
            most=max(key[2], *(load.high for load in loads)),
            loads=tuple(replace(load, nodes=n) for load, n in loads.items()),
        )
        for key, loads in found.items()
    ]


def _rows(
    targets: Sequence[WarmTargets], kinds: Sequence[NodeKind], costs: CallCosts, swing: Fraction
) -> list[WarmRow]:
    makes = _makes(kinds, swing)
    return _with_frontier([_row(t, kinds, makes, costs) for t in targets])


def _row(targets: WarmTargets, kinds: Sequence[NodeKind], makes: Sequence[_Make], costs: CallCosts) -> WarmRow:
    """One setting over all nodes."""
    counts = dict.fromkeys((k.population for k in kinds), 0)
    addresses, idle = dict(counts), dict(counts)
    instant: dict[int, int] = {}
    started = stopped = launched = 0.0
    wanted = served = starving = 0
    for make in makes:
        curve = _curve(make.limits, targets.on(make.settings), costs, make.max_pods, make.most)
        extra = int(make.limits.trunk) + make.limits.unmanaged
        for load in make.loads:
            nodes, for_pods = load.nodes, curve.slots[load.pods] * make.unit
            warm = max(for_pods - load.pods, 0)
            counts[load.population] += nodes
            addresses[load.population] += nodes * (curve.enis[load.pods] + for_pods + extra)
            idle[load.population] += nodes * warm
            at_once = min(warm, load.free)
            instant[at_once] = instant.get(at_once, 0) + nodes
            wanted += nodes * load.wanted
            served += nodes * min(warm, load.wanted)
            starving += nodes * (for_pods < load.pods)
            moved = max(load.high - load.low, 1)
            started += nodes * (curve.started[load.high] - curve.started[load.low]) / moved
            stopped += nodes * (curve.stopped[load.high] - curve.stopped[load.low]) / moved
            launched += nodes * (curve.launch + curve.started[load.pods])
    nodes = sum(counts.values())
    return WarmRow(
        targets=targets,
        nodes=counts,
        addresses=addresses,
        idle=idle,
        instant_least=min(instant),
        instant_mean=sum(n * count for n, count in instant.items()) / nodes,
        calls_per_start=started / nodes,
        calls_per_stop=stopped / nodes,
        calls_per_launch=launched / nodes,
        ready=served / wanted if wanted else 1.0,
        flaws=tuple(_flaws(targets, kinds, costs, starving)),
    )


def _flaws(targets: WarmTargets, kinds: Sequence[NodeKind], costs: CallCosts, starving: int) -> Iterator[Flaw]:
    """What is wrong with a setting, whatever it saves.

    Source
    ------
    aws/amazon-vpc-cni-k8s@b5218838 ipamd.go L1941-1943 (0 is not set), L2177-2231 (only a minimum),
    L2647-2657 and L2659-2677 (growth at none available, shrinkage at one unit free).
    """
    if targets.minimum_ip and not targets.warm_ip:
        unit = PREFIX_SIZE if targets.prefix else 1
        most = -(-targets.minimum_ip // unit) * unit
        yield Flaw("starves", f"MINIMUM_IP_TARGET alone: no node ever serves more than {most} pods")
    if targets.warm_ip == 0 and not targets.minimum_ip:
        other = "WARM_PREFIX_TARGET" if targets.prefix else "WARM_ENI_TARGET"
        yield Flaw("void", f"WARM_IP_TARGET=0 is read as not set: {other} holds")
    if targets.units == 0:
        yield _flap(targets, kinds, costs)
    if starving and not (targets.minimum_ip and not targets.warm_ip):
        yield Flaw("starves", f"pods without an address on {starving:,} {'node' if starving == 1 else 'nodes'}")


def _flap(targets: WarmTargets, kinds: Sequence[NodeKind], costs: CallCosts) -> Flaw:
    if targets.prefix:
        rounds = f"a prefix taken and given back for ever, some {prefix_flap_calls_per_hour():.0f} EC2 calls an hour"
        hit = sum(k.nodes for k in kinds if k.settings.prefix and k.pods % PREFIX_SIZE == 0)
        where = "with 0, 16, 32, … pods"
    else:
        rounds = f"an ENI made and freed for ever, some {eni_flap_calls_per_hour(costs):.0f} EC2 calls an hour"
        hit = sum(k.nodes for k in kinds if k.pods and k.pods % int(k.limits.k) == 0)
        steps = sorted({int(k.limits.k) for k in kinds})
        where = f"whose pods just fill their ENIs (multiples of {', '.join(map(str, steps))})"
    here = f"{hit:,} here" if hit else "none here"
    return Flaw("flaps", f"nodes {where}: {rounds}; {here}")


# --- the choice -------------------------------------------------------------------------


def _with_frontier(rows: list[WarmRow]) -> list[WarmRow]:
    """The rows of one mode with the efficient ones marked; of equal rows the first."""
    sound = [(i, r.costs) for i, r in enumerate(rows) if not r.flaws]

    def beaten(i: int, costs: tuple[float, ...]) -> bool:
        return any(
            all(a <= b for a, b in zip(other, costs, strict=True)) and (other != costs or j < i)
            for j, other in sound
            if j != i
        )

    return [replace(r, frontier=not r.flaws and not beaten(i, r.costs)) for i, r in enumerate(rows)]


def _recommend(rows: Sequence[WarmRow], current: WarmRow, env: Mapping[str, str | None]) -> Recommendation | None:
    """The fewest addresses among the sound settings of the present mode."""
    prefix = current.targets.prefix
    usual = next(r for r in rows if r.targets == WarmTargets(prefix, units=1))
    calls = max(CALLS_PER_POD, usual.calls_per_pod)
    fit = [
        r
        for r in rows
        if r.targets.prefix == prefix and not r.flaws and r.ready >= min(READY, usual.ready)
        if r.calls_per_launch <= MORE_TO_LAUNCH * usual.calls_per_launch and r.calls_per_pod <= calls
    ]
    if not fit:
        return None
    best = min(fit, key=lambda r: (r.costs[0], sum(r.addresses.values()), *r.costs[1:]))
    if current in fit and current.costs[0] - best.costs[0] < WORTH * current.costs[0]:
        best = current
    change = _change(best.targets, current.targets, env)
    return Recommendation(best, rule(prefix), change, env_commands(change, env), None)


def rule(prefix: bool) -> str:
    """How the recommendation is chosen, in one line."""
    unit = "WARM_PREFIX_TARGET=1" if prefix else "WARM_ENI_TARGET=1"
    more = f"{MORE_TO_LAUNCH - 1:.0%}"
    return (
        "the fewest addresses held of all settings that neither flap nor starve, have an address ready for "
        f"{READY:.0%} of the pods that may come at once, fill a fresh node with at most {more} more EC2 calls than "
        f"{unit}, and need at most one call per pod that comes and goes; where {unit} itself falls short of that, as "
        f"good as it; a change must save {WORTH:.0%}"
    )


def _change(targets: WarmTargets, current: WarmTargets, env: Mapping[str, str | None]) -> dict[str, str | None]:
    """Variables to set and to remove; a unit target that address targets override stays as it is."""
    if targets == current:
        return {}
    wanted = targets.env
    gone = [n for n in ("WARM_IP_TARGET", "MINIMUM_IP_TARGET") if env.get(n) is not None and n not in wanted]
    return {**{n: v for n, v in wanted.items() if env.get(n) != v}, **dict.fromkeys(gone)}
