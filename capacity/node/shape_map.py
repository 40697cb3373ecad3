"""Computes the limit of one node over a grid of pod shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from capacity.catalog.instance_type import InstanceType
from capacity.errors import SpecError, check_count, check_each
from capacity.node.fits import pods_by_request
from capacity.node.offer import BINDING_ORDER, Daemon, PodAsked, daemons_on, offer
from capacity.node.platform import Platform
from capacity.units import MIB

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MOST_POINTS = 1_000  # of each axis


@dataclass(frozen=True, slots=True, eq=False)
class ShapeMap:
    """Pods per node and the limit for every pair of requests.

    Attributes
    ----------
    cpu_millicores : ndarray of int64, shape (n_cpu,)
    memory_bytes : ndarray of int64, shape (n_memory,)
    limits : tuple of str
        Names of the limits; ties go to the first.
    pods : ndarray of int64, shape (n_memory, n_cpu)
        [pods]
    binding : ndarray of int64, shape (n_memory, n_cpu)
        Index into ``limits``.
    """

    instance_type: str
    cpu_millicores: npt.NDArray[np.int64]
    memory_bytes: npt.NDArray[np.int64]
    limits: tuple[str, ...]
    pods: npt.NDArray[np.int64]
    binding: npt.NDArray[np.int64]


def shape_map(
    of: InstanceType,
    on: Platform,
    cpu_millicores: Sequence[int],
    memory_bytes: Sequence[int],
    daemons: Sequence[Daemon] = (),
    set_max_pods: int | None = None,
) -> ShapeMap:
    """The limit of a node over pod shapes; every cell equals :func:`capacity.node.offer.offer`.

    Raises
    ------
    SpecError
        A request below 1, or a type with unknown figures.

    Examples
    --------
    >>> from capacity.catalog.table import load_catalog
    >>> found = shape_map(load_catalog().get("m5.large"), Platform(), [50, 250], [128 * MIB])
    >>> found.pods.tolist(), [found.limits[i] for i in found.binding[0]]
    ([[27, 7]], ['max_pods', 'cpu'])
    """
    import numpy as np

    for name, requests in (("cpu_millicores", cpu_millicores), ("memory_bytes", memory_bytes)):
        check_each(name, requests, object, "a list of requests")
        for request in requests:
            check_count(name, request)
    cpu, memory = np.asarray(cpu_millicores, dtype=np.int64), np.asarray(memory_bytes, dtype=np.int64)
    if cpu.size == 0 or memory.size == 0 or cpu.min() < 1 or memory.min() < 1:
        raise SpecError("a pod shape needs requests of at least 1m CPU and 1 byte of memory")
    # The counts that do not depend on requests, and the room that is divided by the requests.
    base = offer(of, on, PodAsked(), daemons, set_max_pods)
    left = base.allocatable
    if base.pods is None or left.cpu_millicores is None or left.memory_mib is None:
        raise SpecError(f"{of.name!r}: the figures for a map are not known")
    every = daemons_on(on, daemons)
    room_cpu = left.cpu_millicores - sum(d.cpu for d in every)
    room_memory = left.memory_mib * MIB - sum(d.memory for d in every)
    shape = (memory.size, cpu.size)
    counts = {name: np.full(shape, value) for name, value in base.fits.items() if value is not None}
    counts["cpu"] = np.broadcast_to(pods_by_request(room_cpu, cpu)[None, :], shape)
    counts["memory"] = np.broadcast_to(pods_by_request(room_memory, memory)[:, None], shape)
    limits = tuple(n for n in BINDING_ORDER if n in counts)
    stacked = np.stack([counts[n] for n in limits])
    return ShapeMap(of.name, cpu, memory, limits, stacked.min(axis=0), stacked.argmin(axis=0))


def request_grid(points: int = 49) -> tuple[list[int], list[int]]:
    """CPU requests from 50m to 8 cores and memory requests from 64 MiB to 32 GiB, evenly spaced on a log scale.

    >>> cpu, memory = request_grid(3)
    >>> cpu, [m // MIB for m in memory]
    ([50, 632, 8000], [64, 1448, 32768])
    """
    check_count("points", points, 1, most=MOST_POINTS)
    import numpy as np

    cpu = np.geomspace(50, 8000, points).round().astype(np.int64)
    memory = (np.geomspace(64, 32768, points) * MIB).round().astype(np.int64)
    return cpu.tolist(), memory.tolist()
