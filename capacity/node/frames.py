"""Applies the formulas to the whole catalog, as DataFrames.

Columns are the keys of the JSON answers; unknown is ``<NA>``. ``vectorised == scalar`` for every type is checked by
tests/property/test_node_properties.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from capacity.catalog.prices import check_region, usd_per_hour
from capacity.cni.facade import gives_prefixes
from capacity.errors import SpecError, check_count, check_kind, check_number
from capacity.node import density, reserved
from capacity.node.allocatable import DEFAULT_KEEP, Keep
from capacity.node.figures import Figures, Interfaces, figures, kubelet_max_pods, limits, reserved_for
from capacity.node.fits import pods_by_count, pods_by_request, volumes_left
from capacity.node.offer import BINDING_ORDER, Daemon, PodAsked, asked, check_daemons, daemons_on, pod_month
from capacity.node.platform import WITH_PREFIXES, WITHOUT_VPC_IPV4, Platform, check_platform
from capacity.plan.constants import MOST_PODS, OVERLAY
from capacity.units import MIB

if TYPE_CHECKING:
    from capacity.catalog.instance_type import InstanceType
    from capacity.catalog.table import Catalog

# Units of the columns of both frames; also in ``frame.attrs["units"]``.
UNITS = {
    "max_enis": "ENIs",
    "usable_enis": "ENIs",
    "ipv4_per_eni": "addresses",
    "ip_capacity": "pods",
    "max_pods_formula": "pods",
    "max_pods_recommended": "pods",
    "max_pods": "pods",
    "max_pods_expression": "pods",
    "branch_enis": "branch ENIs",
    "allocatable_cpu_millicores": "millicores",
    "allocatable_memory_mib": "MiB",
    **{f"fits.{resource}": "pods" for resource in BINDING_ORDER},
    "pods": "pods",
    "stranded_cpu_pct": "%",
    "stranded_memory_pct": "%",
    "usd_per_hour": "USD per hour",
    "usd_per_pod_month": "USD per pod and month",
}
ANY_POD = PodAsked()


@dataclass(frozen=True)
class Masked:
    """Numbers of every type, shape (n_types,), with a mask of the unknown ones."""

    values: Any
    unknown: Any

    def to_array(self) -> Any:
        """As a nullable integer or float array of pandas."""
        unknown = np.broadcast_to(self.unknown, self.values.shape).copy()
        if np.issubdtype(self.values.dtype, np.floating):
            return pd.arrays.FloatingArray(np.where(unknown, 0.0, self.values), unknown)
        return pd.arrays.IntegerArray(np.where(unknown, 0, self.values).astype(np.int64), unknown)


def _column(values: Sequence[int | float | bool | None], dtype: type[Any] = np.int64) -> Masked:
    return Masked(np.array([v or 0 for v in values], dtype=dtype), np.array([v is None for v in values]))


@dataclass(frozen=True)
class _Density:
    """Max pods of every type, with the masks that :func:`capacity.node.maxpods.max_pods` has as None."""

    types: list[InstanceType]
    vcpus: Masked
    of: Interfaces
    got: Figures
    figures_unknown: Any
    expression: Masked
    max_pods: Masked
    recommended: Masked
    reserved_for: Masked


def max_pods_frame(catalog: Catalog, on: Platform) -> pd.DataFrame:
    """Max pods of every type: a row per type in the catalog's order.

    Parameters
    ----------
    catalog : Catalog
    on : Platform
        One mode, AMI and provisioner for all.

    Examples
    --------
    >>> from capacity.catalog.table import load_catalog
    >>> frame = max_pods_frame(load_catalog(), Platform(mode="prefix")).set_index("instance_type")
    >>> int(frame.loc["m5.large", "max_pods_formula"])
    434
    """
    found = _density(catalog, on)
    got, hidden = found.got, found.figures_unknown
    branch = _column([t.branch_enis if on.pod_eni else None for t in found.types])
    data = {
        "instance_type": [t.name for t in found.types],
        "mode": on.mode,
        "custom_networking": on.custom_networking,
        "max_enis": _column([t.max_enis for t in found.types]).to_array(),
        "usable_enis": Masked(got.usable_enis, hidden).to_array(),
        "ipv4_per_eni": _column([t.ipv4_per_eni for t in found.types]).to_array(),
        "ip_capacity": Masked(got.ip_capacity, hidden | (on.mode in WITHOUT_VPC_IPV4)).to_array(),
        "max_pods_formula": Masked(got.formula, hidden | (on.cni == OVERLAY)).to_array(),
        "max_pods_recommended": found.recommended.to_array(),
        "max_pods": found.max_pods.to_array(),
        "max_pods_expression": found.expression.to_array(),
        "branch_enis": branch.to_array(),
        "limited_by": _limited_by(found, on),
    }
    return _with_units(pd.DataFrame(data))


def node_frame(
    catalog: Catalog,
    on: Platform,
    pod: PodAsked = ANY_POD,
    daemons: Sequence[Daemon] = (),
    set_max_pods: int | None = None,
    keep: Keep = DEFAULT_KEEP,
    region: str | None = None,
    node_cost: float = 0.0,
) -> pd.DataFrame:
    """The offer of a node of every type: a row per type, arguments as in :func:`capacity.node.offer.offer`.

    Parameters
    ----------
    region : str, optional
        Region of the on-demand price; without it the price columns are ``<NA>``.
    node_cost : float
        Additional cost of each node. [USD per hour]

    Examples
    --------
    >>> from capacity.catalog.table import load_catalog
    >>> frame = node_frame(load_catalog(), Platform(), PodAsked(cpu=250)).set_index("instance_type")
    >>> int(frame.loc["m5.large", "pods"]), frame.loc["m5.large", "binding"]
    (7, 'cpu')
    """
    if set_max_pods is not None:
        check_count("set_max_pods", set_max_pods, most=MOST_PODS, unit="pods")
    if region is not None:
        check_region("region", region)
    check_number("node_cost", node_cost, unit="USD per hour")
    check_kind("pod", pod, PodAsked, "PodAsked(...)")
    check_kind("keep", keep, Keep, "Keep(...)")
    check_daemons(daemons)
    found = _density(catalog, on)
    pods_max = found.max_pods if set_max_pods is None else _constant(set_max_pods, len(found.types))
    kept = found.reserved_for if set_max_pods is None or on.ami not in ("bottlerocket", "windows") else pods_max
    cpu, memory = _allocatable(found, kept, keep)
    every = daemons_on(on, daemons)
    fits = _fits(found, on, pod, every, pods_max, cpu, memory)
    pods, binding = _bound(fits, asked(pod, on))
    used_cpu = sum(d.cpu for d in every) + pods.values * (pod.cpu or 0)
    used_memory = sum(d.memory for d in every) + pods.values * (pod.memory or 0)
    price = _prices(found.types, region)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_pod = _rounded(pod_month(price.values, node_cost, pods.values), 4)
    memory_bytes = Masked(memory.values * MIB, memory.unknown)
    data = {
        "instance_type": [t.name for t in found.types],
        "ami": on.ami,
        "max_pods": pods_max.to_array(),
        "allocatable_cpu_millicores": cpu.to_array(),
        "allocatable_memory_mib": memory.to_array(),
        **{f"fits.{name}": column.to_array() for name, column in fits.items()},
        "pods": pods.to_array(),
        "binding": binding,
        "stranded_cpu_pct": _left_pct(cpu, used_cpu, pods, pod.cpu).to_array(),
        "stranded_memory_pct": _left_pct(memory_bytes, used_memory, pods, pod.memory).to_array(),
        "usd_per_hour": price.to_array(),
        "usd_per_pod_month": Masked(per_pod, price.unknown | pods.unknown | (pods.values == 0)).to_array(),
    }
    return _with_units(pd.DataFrame(data))


def _with_units(frame: pd.DataFrame) -> pd.DataFrame:
    frame.attrs["units"] = {name: UNITS[name] for name in frame.columns if name in UNITS}
    return frame


def _constant(value: int, length: int) -> Masked:
    return Masked(np.full(length, value, dtype=np.int64), np.zeros(length, dtype=bool))


def _density(catalog: Catalog, on: Platform) -> _Density:
    from capacity.catalog.table import Catalog

    check_kind("catalog", catalog, Catalog, "a Catalog: load_catalog()")
    check_platform(on)
    types = catalog.all()
    enis, ips, vcpus = (_column([getattr(t, n) for t in types]) for n in ("max_enis", "ipv4_per_eni", "vcpus"))
    possible = _column([t.prefixes_possible for t in types])
    given = np.array([gives_prefixes(on.settings, t) for t in types], dtype=np.int64)
    of = Interfaces(
        enis=enis.values,
        ips_per_eni=np.maximum(ips.values, 1),  # unknown ones give 0 addresses, masked below
        vcpus=vcpus.values,
        gives_prefixes=given,
        nitro=_column([t.hypervisor == "nitro" for t in types]).values,
        trunk_slot=_column([t.trunk_slot for t in types]).values,
    )
    hidden = enis.unknown | ips.unknown
    if on.mode in WITH_PREFIXES:
        hidden = hidden | possible.unknown
    if on.mode == "ipv6":
        hidden = hidden | (possible.values == 0)
    got = figures(of, on)
    expression = _expression(of, on, got, hidden)
    by_ami = None if on.expression is None else np.where(expression.unknown, got.standard, expression.values)
    uncapped = vcpus.unknown & (got.formula > density.CAP_SMALL)
    kubelet = np.broadcast_to(kubelet_max_pods(on, got, by_ami), enis.values.shape)
    capped = on.provisioner == "managed" and not on.windows  # Auto Mode caps at 110 for any number of vCPUs
    max_pods = Masked(kubelet, hidden | (uncapped & capped))
    kept = np.broadcast_to(reserved_for(on, got, kubelet, by_ami), enis.values.shape)
    kept_unknown = max_pods.unknown if on.reserves_for_max_pods else hidden
    recommended = Masked(got.recommended, hidden | uncapped)
    return _Density(types, vcpus, of, got, hidden, expression, max_pods, recommended, Masked(kept, kept_unknown))


def _expression(of: Interfaces, on: Platform, got: Figures, hidden: Any) -> Masked:
    """The CEL expression's value: CEL has no arrays, so it is evaluated once for each distinct pair of ENIs and
    addresses.
    """
    values, unknown = np.zeros_like(of.enis), np.ones(of.enis.shape, dtype=bool)
    if on.expression is None or on.ami != "al2023":
        return Masked(values, unknown)
    from capacity.node.max_pods_expression import evaluate_expression

    pairs, index = np.unique(np.stack([of.enis, of.ips_per_eni, got.standard], axis=1), axis=0, return_inverse=True)
    for number, (enis, ips, standard) in enumerate(pairs.tolist()):
        try:
            value = evaluate_expression(on.expression, enis, ips, standard)
        except SpecError:
            continue
        here = index.ravel() == number
        values[here], unknown[here] = value, False
    return Masked(values, unknown | hidden)


def _limited_by(found: _Density, on: Platform) -> Any:
    rules = limits(found.of, on, found.got)
    shape = found.of.enis.shape
    names = np.select([np.broadcast_to(holds, shape) for holds, _ in rules], [name for _, name in rules], "unknown")
    xen = np.array([t.prefixes_possible is False for t in found.types]) & (on.mode == "ipv6")
    without_enis = np.array([t.max_enis is None or t.ipv4_per_eni is None for t in found.types])
    names = np.where(found.figures_unknown, "unknown", names)
    return pd.array(np.where(xen & ~without_enis, "hypervisor", names), dtype="string")


def _allocatable(found: _Density, kept: Masked, keep: Keep) -> tuple[Masked, Masked]:
    """Allocatable CPU [millicores] and memory [MiB] of every type."""
    stated = _column([t.memory_mib for t in found.types])
    arm = _column([t.arch == "arm64" for t in found.types]).values
    vcpus = found.vcpus
    cpu = reserved.allocatable(1000 * vcpus.values, reserved.kube_reserved_cpu(vcpus.values), keep.system_cpu, 0)
    capacity = reserved.memory_capacity_mib(stated.values, arm, keep.overhead_ppm)
    memory_kept = reserved.kube_reserved_memory_mib(kept.values)
    memory = reserved.allocatable(capacity, memory_kept, keep.system_memory_mib, keep.eviction_of(capacity))
    return Masked(cpu, vcpus.unknown), Masked(memory, stated.unknown | kept.unknown)


def _fits(
    found: _Density,
    on: Platform,
    pod: PodAsked,
    daemons: Sequence[Daemon],
    pods_max: Masked,
    cpu: Masked,
    memory: Masked,
) -> dict[str, Masked]:
    resources = asked(pod, on)
    types = found.types
    attachments, shared = _column([t.ebs_attachments for t in types]), _column([t.ebs_shared for t in types])
    enis = found.of.enis if on.max_eni is None else np.minimum(found.of.enis, on.max_eni)
    no_enis = np.array([t.max_enis is None for t in types])
    branch = _column([t.branch_enis if on.pod_eni else None for t in types])
    room_cpu = cpu.values - sum(d.cpu for d in daemons)
    room_memory = memory.values * MIB - sum(d.memory for d in daemons)
    volumes = volumes_left(attachments.values, shared.values, enis)
    addresses = pods_by_count(found.got.ip_capacity, sum(not d.host_network for d in daemons))
    columns = {
        "cpu": Masked(pods_by_request(room_cpu, pod.cpu or 1), cpu.unknown),
        "memory": Masked(pods_by_request(room_memory, pod.memory or 1), memory.unknown),
        "ips": Masked(addresses, found.figures_unknown | (on.mode in WITHOUT_VPC_IPV4)),
        "max_pods": Masked(pods_by_count(pods_max.values, len(daemons)), pods_max.unknown),
        "branch_enis": branch,
        "volumes": Masked(pods_by_request(volumes, pod.volumes or 1), attachments.unknown | shared.unknown | no_enis),
    }
    everything = np.ones(found.of.enis.shape, dtype=bool)
    return {n: c if n in resources else Masked(c.values, everything) for n, c in columns.items()}


def _bound(fits: dict[str, Masked], resources: Sequence[str]) -> tuple[Masked, Any]:
    """The smallest limit and its name; unknown if one of the limits is unknown."""
    stacked = np.stack([fits[name].values for name in resources])
    unknown = np.any([np.broadcast_to(fits[name].unknown, stacked.shape[1:]) for name in resources], axis=0)
    names = np.array(resources)[stacked.argmin(axis=0)]  # the first of equals
    binding = [None if hidden else str(name) for name, hidden in zip(names, unknown, strict=True)]
    return Masked(stacked.min(axis=0), unknown), pd.array(binding, dtype="string")


def _left_pct(room: Masked, used: Any, pods: Masked, request: int | None) -> Masked:
    with np.errstate(divide="ignore", invalid="ignore"):
        share = _rounded(100 * (room.values - used) / room.values, 2)
    return Masked(share, room.unknown | pods.unknown | (room.values == 0) | (request is None))


def _rounded(values: Any, digits: int) -> Any:
    """Round like Python, to the nearest decimal; NumPy multiplies first and is off by one in the last place."""
    return np.array([round(v, digits) for v in values.tolist()])


def _prices(types: Sequence[InstanceType], region: str | None) -> Masked:
    return _column([None if region is None else usd_per_hour(t.name, region) for t in types], np.float64)
