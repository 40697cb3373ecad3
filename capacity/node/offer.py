"""What one node offers: allocatable CPU and memory, and how many pods of a shape fit beside its daemonsets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from capacity.catalog.instance_type import InstanceType
from capacity.node import reserved
from capacity.node.density import HOST_NETWORK_PODS
from capacity.node.maxpods import MaxPods, Platform, max_pods
from capacity.units import HOURS_PER_MONTH, MIB, ceil_div

BINDING_ORDER = ("max_pods", "ips", "cpu", "memory", "branch_enis", "volumes")  # ties go to the first
IMPLIED = ("aws-node", "kube-proxy")


@dataclass(frozen=True, slots=True)
class Daemon:
    """A daemonset's pod. CPU in millicores, memory in bytes."""

    name: str
    cpu: int = 0
    memory: int = 0
    host_network: bool = False


@dataclass(frozen=True, slots=True)
class PodAsked:
    """The pod shape asked for; None is "not said". CPU in millicores, memory in bytes."""

    cpu: int | None = None
    memory: int | None = None
    branch: bool = False


@dataclass(frozen=True, slots=True)
class Keep:
    """What is kept from pods beside kube-reserved.

    Attributes
    ----------
    overhead_ppm : int
        VM memory overhead, in millionths of the memory EC2 states.
    system_cpu, system_memory_mib : int
        system-reserved. [millicores], [MiB]
    eviction_mib : int
        memory.available threshold, used where ``eviction_share`` is None. [MiB]
    eviction_share : Fraction or None
        The same as a share of the node's capacity; 100 % switches it off, as in Karpenter.
    """

    overhead_ppm: int = int(reserved.VM_OVERHEAD * 10**6)
    system_cpu: int = 0
    system_memory_mib: int = 0
    eviction_mib: int = reserved.EVICTION_MIB
    eviction_share: Fraction | None = None

    def eviction_of(self, capacity_mib: int) -> int:
        """Eviction threshold on a node of that capacity. [MiB]

        Source
        ------
        aws/karpenter-provider-aws@1d927085 types.go L710-730.

        >>> Keep(eviction_share=Fraction(1, 10)).eviction_of(15155)
        1516
        """
        share = self.eviction_share
        if share is None:
            return self.eviction_mib
        return 0 if share == 1 else ceil_div(capacity_mib * share.numerator, share.denominator)


@dataclass(frozen=True, slots=True)
class Allocatable:
    """CPU and memory of a node and where they go. CPU in millicores, memory in MiB; None where unknown."""

    cpu_millicores: int | None
    memory_mib: int | None
    memory_capacity_mib: int | None
    kube_reserved_cpu: int | None
    kube_reserved_memory_mib: int | None
    eviction_mib: int | None


def allocatable_of(of: InstanceType, reserved_for: int | None, keep: Keep = Keep()) -> Allocatable:
    """Allocatable CPU and memory of a node whose platform reserves memory for ``reserved_for`` pods.

    Examples
    --------
    >>> from capacity.catalog.table import load_catalog
    >>> got = allocatable_of(load_catalog().get("m5.large"), reserved_for=29)
    >>> got.cpu_millicores, got.memory_mib
    (1930, 6903)
    """
    cpu = cpu_kept = memory = capacity = memory_kept = eviction = None
    if of.vcpus is not None:
        cpu_kept = reserved.kube_reserved_cpu(of.vcpus)
        cpu = reserved.allocatable(1000 * of.vcpus, cpu_kept, keep.system_cpu, 0)
    if of.memory_mib is not None:
        capacity = reserved.memory_capacity_mib(of.memory_mib, int(of.arch == "arm64"), keep.overhead_ppm)
        eviction = keep.eviction_of(capacity)
        if reserved_for is not None:
            memory_kept = reserved.kube_reserved_memory_mib(reserved_for)
            memory = reserved.allocatable(capacity, memory_kept, keep.system_memory_mib, eviction)
    return Allocatable(cpu, memory, capacity, cpu_kept, memory_kept, eviction)


@dataclass(frozen=True, slots=True)
class Offer:
    """One node on a platform, filled with pods of the shape asked for.

    Attributes
    ----------
    fits : dict of str to int or None
        Pods of the shape that each resource has room for, after daemonsets; None where not asked or unknown. [pods]
    pods : int or None
        The least of them. [pods]
    binding : str or None
        The resource that sets it.
    stranded_cpu_pct, stranded_memory_pct : float or None
        Share of allocatable left unused by ``pods`` pods and the daemonsets; None without that request. [%]
    usd_per_hour, usd_per_pod_month : float or None
        On-demand, 730 hours a month.
    """

    instance_type: str
    ami: str
    max_pods: int | None
    density: MaxPods
    allocatable: Allocatable
    fits: dict[str, int | None]
    pods: int | None
    binding: str | None
    stranded_cpu_pct: float | None
    stranded_memory_pct: float | None
    usd_per_hour: float | None
    usd_per_pod_month: float | None
    warnings: tuple[str, ...]


def daemons_with_implied(daemons: Sequence[Daemon]) -> tuple[Daemon, ...]:
    """aws-node and kube-proxy on the host's network with requests of 0, unless a daemonset of that name is given."""
    named = {d.name for d in daemons}
    return (*(Daemon(n, host_network=True) for n in IMPLIED if n not in named), *daemons)


def offer(
    of: InstanceType,
    on: Platform,
    pod: PodAsked = PodAsked(),
    daemons: Sequence[Daemon] = (),
    set_max_pods: int | None = None,
    keep: Keep = Keep(),
    price: float | None = None,
) -> Offer:
    """What a node of a type offers to pods of one shape.

    Parameters
    ----------
    set_max_pods : int, optional
        Max pods set by hand. [pods]
    price : float, optional
        On-demand price. [USD per hour]

    Examples
    --------
    >>> from capacity.catalog.table import load_catalog
    >>> got = offer(load_catalog().get("m5.large"), Platform(), PodAsked(cpu=250, memory=512 * 2**20))
    >>> got.pods, got.binding, got.fits["max_pods"]
    (7, 'cpu', 27)
    """
    row = max_pods(of, on)
    pods_max = row.max_pods if set_max_pods is None else set_max_pods
    reserve = set_max_pods if set_max_pods is not None and on.ami in ("bottlerocket", "windows") else row.reserved_for
    left = allocatable_of(of, reserve, keep)
    every = daemons_with_implied(daemons) if not on.windows else tuple(daemons)
    fits = _fits(row, pods_max, left, pod, every, on)
    known = {k: v for k, v in fits.items() if v is not None}
    pods = min(known.values()) if known else None
    binding = min(known, key=lambda k: (known[k], BINDING_ORDER.index(k))) if known else None
    used_cpu = sum(d.cpu for d in every) + (pods or 0) * (pod.cpu or 0)
    used_memory = sum(d.memory for d in every) + (pods or 0) * (pod.memory or 0)
    return Offer(
        instance_type=of.name,
        ami=on.ami,
        max_pods=pods_max,
        density=row,
        allocatable=left,
        fits=fits,
        pods=pods,
        binding=binding,
        stranded_cpu_pct=_left_pct(left.cpu_millicores, used_cpu) if pod.cpu is not None and pods is not None else None,
        stranded_memory_pct=(
            _left_pct(left.memory_mib and left.memory_mib * MIB, used_memory)
            if pod.memory is not None and pods is not None
            else None
        ),
        usd_per_hour=price,
        usd_per_pod_month=round(price * HOURS_PER_MONTH / pods, 4) if price is not None and pods else None,
        warnings=(*_own_warnings(row, set_max_pods, on), *_reserve_warning(of, left)),
    )


def _fits(
    row: MaxPods, pods_max: int | None, left: Allocatable, pod: PodAsked, daemons: Sequence[Daemon], on: Platform
) -> dict[str, int | None]:
    on_vpc = sum(not d.host_network for d in daemons)
    cpu = None if left.cpu_millicores is None else left.cpu_millicores - sum(d.cpu for d in daemons)
    memory = None if left.memory_mib is None else left.memory_mib * MIB - sum(d.memory for d in daemons)
    ips = None if row.ip_capacity is None else max(row.ip_capacity - on_vpc, 0)
    return {
        "cpu": _times(cpu, pod.cpu),
        "memory": _times(memory, pod.memory),
        "ips": None if pod.branch else ips,
        "max_pods": None if pods_max is None else max(pods_max - len(daemons), 0),
        "branch_enis": row.branch_enis if pod.branch and on.pod_eni else None,
        "volumes": None,
    }


def _times(room: int | None, each: int | None) -> int | None:
    """How often a request fits; None where it is not asked, is 0, or the room is unknown."""
    if room is None or not each:
        return None
    return max(room // each, 0)


def _left_pct(room: int | None, used: int) -> float | None:
    return round(100 * (room - used) / room, 2) if room else None


def _own_warnings(row: MaxPods, set_max_pods: int | None, on: Platform) -> tuple[str, ...]:
    """The row's warnings; where max pods is set by hand, that about addresses speaks of the figure set."""
    if set_max_pods is None:
        return row.warnings
    kept = tuple(w for w in row.warnings if "the kubelet accepts" not in w)
    host = 0 if on.windows else HOST_NETWORK_PODS
    found = list(kept)
    if row.ip_capacity is not None and set_max_pods - host > row.ip_capacity:
        most = row.ip_capacity + host
        found.append(
            f"{row.instance_type}: max pods is set to {set_max_pods}, but only {most} can have an address ({row.mode})"
        )
    cap = row.max_pods
    if on.provisioner == "managed" and not on.windows and cap is not None and set_max_pods > cap:
        found.append(
            f"{row.instance_type}: EKS would give {cap} max pods without a custom AMI; the {set_max_pods} set by hand hold only with one"
        )
    return tuple(found)


def _reserve_warning(of: InstanceType, left: Allocatable) -> tuple[str, ...]:
    """Where kube-reserved passes a tenth or a quarter of the node's memory."""
    kept, memory = left.kube_reserved_memory_mib, of.memory_mib
    if kept is None or not memory or 10 * kept <= memory:
        return ()
    much = "more than a quarter" if 4 * kept > memory else "more than a tenth"
    return (f"{of.name}: {kept:,} of {memory:,} MiB memory is kube-reserved ({100 * kept / memory:.0f} %, {much})",)
