"""Addresses held, addresses ready and EC2 calls of a combination of WARM_* and MINIMUM_* targets on given nodes.

A setting is judged by the addresses it holds, the pods that can start immediately, and the EC2 calls it
costs. The figures of a node are the closed forms of :mod:`capacity.cni.node_pool` and
:mod:`capacity.cni.calls`, evaluated for all pod counts together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import accumulate
from math import ceil

from capacity.advice.warm_churn import ChurnFigures, flap_calls_per_hour
from capacity.cni.calls import (
    CallCosts,
    launch_calls,
    start_calls,
    stop_calls,
)
from capacity.cni.node_limits import NodeLimits
from capacity.cni.node_pool import address_capacity, held
from capacity.plan.cni_env import CniSettings
from capacity.plan.constants import PREFIX_SIZE


@dataclass(frozen=True, slots=True)
class WarmTargets:
    """One combination of targets: whole units kept warm, or addresses by WARM_IP_TARGET and MINIMUM_IP_TARGET.

    Attributes
    ----------
    prefix : bool
        Whether the targets are for nodes in prefix mode.
    units : int or None
        WARM_ENI_TARGET, in prefix mode WARM_PREFIX_TARGET; None if addresses are the target.
    warm_ip, minimum_ip : int or None
        None if not set. [addresses]
    """

    prefix: bool
    units: int | None = None
    warm_ip: int | None = None
    minimum_ip: int | None = None

    @property
    def env(self) -> dict[str, str]:
        """CNI variables of the targets."""
        unit = "WARM_PREFIX_TARGET" if self.prefix else "WARM_ENI_TARGET"
        values = {unit: self.units, "WARM_IP_TARGET": self.warm_ip, "MINIMUM_IP_TARGET": self.minimum_ip}
        return {name: str(value) for name, value in values.items() if value is not None}

    @property
    def label(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.env.items())

    def on(self, settings: CniSettings) -> CniSettings:
        """Settings of a node with these targets; a unit target that is not part of them does not change.

        The mode of the node does not change either: a Xen type gets single addresses even with prefix delegation.
        """
        by_address = replace(settings, warm_ip=self.warm_ip or 0, minimum_ip=self.minimum_ip or 0)
        if self.units is None:
            return by_address
        if self.prefix:
            return replace(by_address, warm_prefix=self.units)
        return replace(by_address, warm_eni=self.units)


@dataclass(frozen=True, slots=True)
class NodeKind:
    """A number of nodes with the same number of pods.

    Attributes
    ----------
    population : str
        Scenario in which they are counted: ``steady``, ``peak``, or ``range``.
    group, instance_type : str
    limits : NodeLimits
    settings : CniSettings
        The CNI's settings on this type, including targets.
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
        """Additional pods that the kubelet accepts and the node has addresses for. [pods]"""
        return max(min(self.max_pods - self.host_pods, self.capacity) - self.pods, 0)

    @property
    def unit(self) -> int:
        """Addresses allocated together: 16 in prefix mode. [addresses]"""
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
    """Reason not to use a setting: ``flaps``, ``starves`` or ``void``."""

    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class WarmRow:
    """Figures of one setting on all nodes.

    Attributes
    ----------
    nodes : mapping of str to int
        Per population. [nodes]
    addresses, idle : mapping of str to int
        Per population: held in total, and held for no pod. [addresses]
    instant_least, instant_mean : int, float
        Pods that get a warm address immediately, on the worst node and on average; at most what the
        kubelet accepts. [pods]
    calls_per_start, calls_per_stop : float
        While the pods of a node rise and fall by the swing, one by one. [calls per pod]
    calls_per_launch : float
        From the start of a node until its pods run. [calls per node]
    ready : float
        Share of the pods that come and go that get a warm address immediately, as far as there is room.
    churn : ChurnFigures or None
        Simulated under churn, if that is asked.
    frontier : bool
        Whether no setting of the same mode is as good in addresses, instant pods and calls, and better in one.
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
    churn: ChurnFigures | None = None

    @property
    def costs(self) -> tuple[float, ...]:
        """Objectives to minimize, rounded to 0.1: addresses of the last population, missing instant pods, calls."""
        last = list(self.addresses.values())[-1]
        return last, -round(self.instant_mean, 1), round(self.calls_per_pod, 1), round(self.calls_per_launch, 1)

    @property
    def calls_per_pod(self) -> float:
        """EC2 calls for one pod that starts and one that stops. [calls]"""
        return self.calls_per_start + self.calls_per_stop


# Limits for a recommended setting; the how-to of warm targets explains them.
READY = 0.9  # share of the swing's pods that get an address immediately
MORE_TO_LAUNCH = 1.1  # calls to fill a node, times those of the chart's default
CALLS_PER_POD = 1.0  # for one pod that starts and one that stops
WAITED = 0.01  # share of the pods that wait longer than a second under the stated churn


def is_sound(row: WarmRow, usual: WarmRow) -> bool:
    """Whether a setting can be recommended: no flaw, pods start, few calls; ``usual`` is the chart's default."""
    calls = max(CALLS_PER_POD, usual.calls_per_pod)
    ready = row.ready >= min(READY, usual.ready)
    return (
        not row.flaws
        and ready
        and row.calls_per_launch <= MORE_TO_LAUNCH * usual.calls_per_launch
        and row.calls_per_pod <= calls
        and waits_little(row, usual)
    )


def waits_little(row: WarmRow, usual: WarmRow) -> bool:
    """Whether few pods wait under the stated churn, or no more than with the chart's default; True without churn."""
    if row.churn is None or usual.churn is None:
        return True
    return row.churn.waited <= max(WAITED, usual.churn.waited)


@dataclass(frozen=True, slots=True)
class WarmCurve:
    """One node with one setting and 0, 1, … pods; calls are cumulative. [slots], [ENIs], [calls]"""

    slots: list[int]
    enis: list[int]
    launch: int
    started: list[int]
    stopped: list[int]


@cache
def warm_curve(limits: NodeLimits, settings: CniSettings, costs: CallCosts, max_pods: int, most: int) -> WarmCurve:
    """Closed forms for all pod counts up to ``most``, computed once per kind of node."""
    both = [held(limits, settings, max_pods, pods) for pods in range(most + 1)]
    slots, enis = [int(s) for s, _ in both], [int(e) for _, e in both]
    starts = start_calls(slots, enis, costs)
    stops = stop_calls(slots, enis, whole_enis=not settings.ip_targets and not settings.prefix)
    return WarmCurve(
        slots=slots,
        enis=enis,
        launch=int(launch_calls(slots[0], enis[0], limits.idle_primary, costs, int(limits.trunk))),
        started=list(accumulate(starts, initial=0)),
        stopped=list(accumulate(stops, initial=0)),
    )


@dataclass(frozen=True, slots=True)
class _Load:
    """Nodes of one make with the same number of pods, which varies between ``low`` and ``high``. [pods]"""

    population: str
    nodes: int
    pods: int
    low: int
    high: int
    wanted: int
    free: int


@dataclass(frozen=True, slots=True)
class _Make:
    """Key of nodes that hold the same addresses for the same pods, in any group."""

    limits: NodeLimits
    settings: CniSettings
    max_pods: int
    unit: int
    most: int
    loads: tuple[_Load, ...]


def _makes(kinds: Sequence[NodeKind], swing: Fraction) -> list[_Make]:
    """Nodes by make, each load once: a plan has many groups and few makes."""
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


def warm_rows(
    targets: Sequence[WarmTargets], kinds: Sequence[NodeKind], costs: CallCosts, swing: Fraction
) -> list[WarmRow]:
    """Figures of each setting over all nodes of one mode; ``swing`` is the share of a node's pods that come and go."""
    makes = _makes(kinds, swing)
    return [_row(t, kinds, makes, costs) for t in targets]


def _row(targets: WarmTargets, kinds: Sequence[NodeKind], makes: Sequence[_Make], costs: CallCosts) -> WarmRow:
    """Figures of one setting over all nodes."""
    counts = dict.fromkeys((k.population for k in kinds), 0)
    addresses, idle = dict(counts), dict(counts)
    instant: dict[int, int] = {}
    started = stopped = launched = 0.0
    wanted = served = starving = 0
    for make in makes:
        curve = warm_curve(make.limits, targets.on(make.settings), costs, make.max_pods, make.most)
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
    """Flaws of a setting, regardless of what it saves.

    Source
    ------
    aws/amazon-vpc-cni-k8s@b5218838 ipamd.go L1941-1943 (0 is not set), L2177-2231 (only a minimum),
    L2647-2657 and L2659-2677 (growth at none available, shrinkage at one unit free).
    """
    if targets.minimum_ip and not targets.warm_ip:
        unit = PREFIX_SIZE if targets.prefix else 1
        most = -(-targets.minimum_ip // unit) * unit
        yield Flaw("starves", f"MINIMUM_IP_TARGET alone: a node never serves more than {most} pods")
    if targets.warm_ip == 0 and not targets.minimum_ip:
        other = "WARM_PREFIX_TARGET" if targets.prefix else "WARM_ENI_TARGET"
        yield Flaw("void", f"WARM_IP_TARGET=0 is treated as not set: {other} applies")
    if targets.units == 0:
        yield _flap(targets, kinds, costs)
    if starving and not (targets.minimum_ip and not targets.warm_ip):
        yield Flaw("starves", f"pods without an address on {starving:,} {'node' if starving == 1 else 'nodes'}")


def _flap(targets: WarmTargets, kinds: Sequence[NodeKind], costs: CallCosts) -> Flaw:
    shown = next((k for k in kinds if k.settings.prefix == targets.prefix), kinds[0])
    calls = flap_calls_per_hour(shown.limits, targets.on(shown.settings), costs)
    if targets.prefix:
        rounds = f"a prefix attach/detach loop, about {calls:.0f} EC2 calls per hour"
        hit = sum(k.nodes for k in kinds if k.settings.prefix and k.pods % PREFIX_SIZE == 0)
        where = "with 0, 16, 32, … pods"
    else:
        rounds = f"an ENI attach/detach loop, about {calls:.0f} EC2 calls per hour"
        hit = sum(k.nodes for k in kinds if k.pods and k.pods % int(k.limits.k) == 0)
        steps = sorted({int(k.limits.k) for k in kinds})
        where = f"whose pods exactly fill their ENIs (multiples of {', '.join(map(str, steps))})"
    here = f"{hit:,} here" if hit else "none here"
    return Flaw("flaps", f"nodes {where}: {rounds}; {here}")
