"""Computes the offer of one node: allocatable CPU and memory, and the pods that fit next to its DaemonSets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from capacity.catalog.instance_type import InstanceType
from capacity.errors import check_count, check_each, check_kind, check_number, check_switch
from capacity.node.allocatable import DEFAULT_KEEP, Allocatable, Keep, allocatable_of
from capacity.node.figures import never_ready
from capacity.node.fits import pods_by_count, pods_by_request, volumes_left
from capacity.node.maxpods import MaxPods, max_pods
from capacity.node.platform import WITHOUT_VPC_IPV4, Platform
from capacity.units import HOURS_PER_MONTH, MIB

BINDING_ORDER = ("max_pods", "ips", "cpu", "memory", "branch_enis", "volumes")  # ties go to the first


@dataclass(frozen=True, slots=True)
class Daemon:
    """A DaemonSet's pod. CPU in millicores, memory in bytes."""

    name: str
    cpu: int = 0
    memory: int = 0
    host_network: bool = False

    def __post_init__(self) -> None:
        check_kind("DaemonSet: name", self.name, str, "text")
        check_switch(f"DaemonSet {self.name}: host_network", self.host_network)
        check_count(f"DaemonSet {self.name}: cpu", self.cpu, unit="millicores")
        check_count(f"DaemonSet {self.name}: memory", self.memory, unit="bytes")


@dataclass(frozen=True, slots=True)
class PodAsked:
    """The requested pod shape; None is "not set". CPU in millicores, memory in bytes, EBS volumes as a count.

    ``branch``: the pod has its own security groups, so it uses a branch ENI instead of an address of the pool.
    """

    cpu: int | None = None
    memory: int | None = None
    branch: bool = False
    volumes: int | None = None

    def __post_init__(self) -> None:
        for name, unit in (("cpu", "millicores"), ("memory", "bytes"), ("volumes", "volumes")):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name), unit=unit)
        check_switch("branch", self.branch)


@dataclass(frozen=True, slots=True, repr=False)
class Offer:
    """One node on a platform, filled with pods of the requested shape.

    Attributes
    ----------
    fits : dict of str to int or None
        Pods of the shape that fit each resource after DaemonSets; None if not requested or unknown. [pods]
    pods : int or None
        The smallest of ``fits``. [pods]
    binding : str or None
        The resource that limits the pods.
    stranded_cpu_pct, stranded_memory_pct : float or None
        Share of allocatable that ``pods`` pods and the DaemonSets leave unused; None without that request. [%]
    usd_per_hour, usd_per_pod_month : float or None
        On-demand, 730 hours a month.
    pod, daemons : PodAsked, tuple of Daemon
        The shape, and the DaemonSets of the node, including the implied ones.
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
    pod: PodAsked
    daemons: tuple[Daemon, ...]
    warnings: tuple[str, ...]

    @property
    def kind(self) -> InstanceType:
        """The type of the node."""
        return self.density.kind

    @property
    def platform(self) -> Platform:
        """The platform of the node."""
        return self.density.platform

    def __repr__(self) -> str:
        pods = "pods unknown" if self.pods is None else f"{self.pods} pods"
        return f"<Offer {self.instance_type}: {pods}{f', limited by {self.binding}' if self.binding else ''}>"


def daemons_with_implied(daemons: Sequence[Daemon], agents: Sequence[str] = ("aws-node",)) -> tuple[Daemon, ...]:
    """The given DaemonSets, plus the CNI's agent and kube-proxy (host network, no requests) if they are missing."""
    named = {d.name for d in daemons}
    implied = [names[0] for names in (agents, ("kube-proxy",)) if named.isdisjoint(names)]
    return (*(Daemon(n, host_network=True) for n in implied), *daemons)


def offer(
    of: InstanceType,
    on: Platform,
    pod: PodAsked = PodAsked(),
    daemons: Sequence[Daemon] = (),
    set_max_pods: int | None = None,
    keep: Keep = DEFAULT_KEEP,
    price: float | None = None,
    node_cost: float = 0.0,
) -> Offer:
    """The offer of a node of a type for pods of one shape.

    Parameters
    ----------
    set_max_pods : int, optional
        Max pods set by the user. [pods]
    price : float, optional
        On-demand price. [USD per hour]
    node_cost : float
        Additional cost of each node, such as licenses or support. [USD per hour]

    Raises
    ------
    SpecError
        A count or price below 0, a count that is not whole, or a price that is not finite.

    Examples
    --------
    >>> from capacity.catalog.table import load_catalog
    >>> got = offer(load_catalog().get("m5.large"), Platform(), PodAsked(cpu=250, memory=512 * 2**20))
    >>> got.pods, got.binding, got.fits["max_pods"]
    (7, 'cpu', 27)
    """
    if set_max_pods is not None:
        check_count("set_max_pods", set_max_pods, unit="pods")
    if price is not None:
        check_number("price", price, unit="USD per hour")
    check_number("node_cost", node_cost, unit="USD per hour")
    check_kind("pod", pod, PodAsked, "PodAsked(...)")
    check_kind("keep", keep, Keep, "Keep(...)")
    check_daemons(daemons)
    return offer_from(max_pods(of, on), pod, daemons, set_max_pods, keep, price, node_cost)


def check_daemons(value: object) -> None:
    """Refuse what is not a list of :class:`Daemon`."""
    check_each("daemons", value, Daemon, "Daemon(...) for each DaemonSet")


def offer_from(
    row: MaxPods,
    pod: PodAsked,
    daemons: Sequence[Daemon],
    set_max_pods: int | None = None,
    keep: Keep = DEFAULT_KEEP,
    price: float | None = None,
    node_cost: float = 0.0,
) -> Offer:
    """:func:`offer` on a node whose max pods and addresses are known; arguments as there, already checked."""
    of, on = row.kind, row.platform
    pods_max = row.max_pods if set_max_pods is None else set_max_pods
    left = allocatable_of(of, reserved_pods(row.reserved_for, on, set_max_pods), keep)
    every = daemons_on(on, daemons)
    fits = _fits(of, row, pods_max, left, pod, every, on)
    pods, binding = _bound(fits, asked(pod, on))
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
        usd_per_pod_month=round(pod_month(price, node_cost, pods), 4) if price is not None and pods else None,
        pod=pod,
        daemons=every,
        warnings=(*_own_warnings(row, set_max_pods, on, pod, every), *_reserve_warning(of, left)),
    )


def pod_month(price: Any, node_cost: float, pods: Any) -> Any:
    """The monthly cost of one pod on a full node; numbers or arrays of one shape. [USD]

    >>> round(pod_month(0.096, 0.0, 7), 2), round(pod_month(0.096, 0.05, 7), 2)
    (10.01, 15.23)
    """
    return (price + node_cost) * HOURS_PER_MONTH / pods


def daemons_on(on: Platform, daemons: Sequence[Daemon]) -> tuple[Daemon, ...]:
    """All DaemonSets of a node, without the CNI's agent and kube-proxy if these are not pods."""
    if not on.network_pods:
        return tuple(d for d in daemons if d.name not in (*on.agents, "kube-proxy"))
    return daemons_with_implied(daemons, on.agents)


def reserved_pods(reserved_for: int | None, on: Platform, set_max_pods: int | None) -> int | None:
    """Pods that memory is reserved for if max pods can be set by the user. [pods]"""
    return set_max_pods if set_max_pods is not None and on.reserves_for_max_pods else reserved_for


def asked(pod: PodAsked, on: Platform) -> tuple[str, ...]:
    """Resources that limit a pod of this shape, in the order used for ties."""
    branch = pod.branch and on.pod_eni
    limits = {
        "max_pods": True,
        "ips": on.mode not in WITHOUT_VPC_IPV4 and not branch,
        "cpu": bool(pod.cpu),
        "memory": bool(pod.memory),
        "branch_enis": branch,
        "volumes": bool(pod.volumes),
    }
    return tuple(name for name in BINDING_ORDER if limits[name])


def _bound(fits: dict[str, int | None], resources: Sequence[str]) -> tuple[int | None, str | None]:
    """The smallest limit and its name; None if one of the limits is unknown, because it could be smaller."""
    known = {name: value for name in resources if (value := fits[name]) is not None}
    if len(known) < len(resources):
        return None, None
    binding = min(known, key=known.__getitem__)  # the first of equals
    return known[binding], binding


def _fits(
    of: InstanceType,
    row: MaxPods,
    pods_max: int | None,
    left: Allocatable,
    pod: PodAsked,
    daemons: Sequence[Daemon],
    on: Platform,
) -> dict[str, int | None]:
    """Pods of the shape by each resource; None if not requested or unknown."""
    cpu = None if left.cpu_millicores is None else left.cpu_millicores - sum(d.cpu for d in daemons)
    memory = None if left.memory_mib is None else left.memory_mib * MIB - sum(d.memory for d in daemons)
    fits: dict[str, int | None] = {
        "cpu": _times(cpu, pod.cpu),
        "memory": _times(memory, pod.memory),
        "ips": _places(row.ip_capacity, sum(not d.host_network for d in daemons)),
        "max_pods": _places(pods_max, len(daemons)),
        "branch_enis": _places(row.branch_enis, 0),
        "volumes": _times(attachable_volumes(of, on.max_eni), pod.volumes),
    }
    resources = asked(pod, on)
    return {name: value if name in resources else None for name, value in fits.items()}


def attachable_volumes(of: InstanceType, max_eni: int | None) -> int | None:
    """EBS volumes that pods can attach with every ENI in use; None if unknown. [volumes]"""
    if of.ebs_attachments is None or of.ebs_shared is None or of.max_enis is None:
        return None
    enis = of.max_enis if max_eni is None else min(of.max_enis, max_eni)
    left: int = volumes_left(of.ebs_attachments, int(of.ebs_shared), enis)
    return left


def _times(room: int | None, each: int | None) -> int | None:
    """How often a request fits; None if it is not set or 0, or the room is unknown."""
    return None if room is None or not each else pods_by_request(room, each)


def _places(limit: int | None, taken: int) -> int | None:
    return None if limit is None else pods_by_count(limit, taken)


def _left_pct(room: int | None, used: int) -> float | None:
    return round(100 * (room - used) / room, 2) if room else None


def _own_warnings(
    row: MaxPods, set_max_pods: int | None, on: Platform, pod: PodAsked, daemons: Sequence[Daemon]
) -> tuple[str, ...]:
    """The row's warnings, with the address warning computed for the set max pods, these DaemonSets and branch pods."""
    found = [w for w in row.warnings if "the kubelet accepts" not in w]
    pods = row.max_pods if set_max_pods is None else set_max_pods
    host = sum(d.host_network for d in daemons)
    branch = (row.branch_enis or 0) if pod.branch and on.pod_eni else 0
    if never_ready(on, row.usable_enis):
        return tuple(found)
    if row.ip_capacity is not None and pods is not None and pods > row.ip_capacity + host + branch:
        most = row.ip_capacity + host + branch
        word = "the kubelet accepts" if set_max_pods is None else "max pods is set to"
        end = " pods" if set_max_pods is None else ""
        found.append(f"{row.instance_type}: {word} {pods}{end}, but only {most} can have an address ({row.mode})")
    cap = row.max_pods
    if set_max_pods is None or cap is None or on.windows or on.provisioner != "managed" or set_max_pods <= cap:
        return tuple(found)
    found.append(
        f"{row.instance_type}: EKS sets max pods to {cap} without a custom AMI; your value {set_max_pods} takes "
        "effect only with one"
    )
    return tuple(found)


def _reserve_warning(of: InstanceType, left: Allocatable) -> tuple[str, ...]:
    """The warning if kube-reserved is more than a tenth or a quarter of the node's memory."""
    kept, memory = left.kube_reserved_memory_mib, of.memory_mib
    if kept is None or not memory or 10 * kept <= memory:
        return ()
    much = "more than a quarter" if 4 * kept > memory else "more than a tenth"
    return (f"{of.name}: {kept:,} of {memory:,} MiB memory is kube-reserved ({100 * kept / memory:.0f}%, {much})",)
