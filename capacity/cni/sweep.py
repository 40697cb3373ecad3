"""Computes the pools of many types and pod counts with the functions for one node, on arrays.

The formulas are those of :mod:`capacity.cni.node_pool` and :mod:`capacity.cni.pool`; this module only handles the
arrays. Few of the catalog's types differ in the relevant figures (ENIs, addresses per ENI, max pods, trunk), so each
distinct row is computed once, in blocks that stay in the CPU cache, and then copied to all types that share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from capacity.catalog.instance_type import InstanceType, check_type
from capacity.cni import cilium_pool, vpc_cni
from capacity.cni.node_limits import EniFigures, Rest
from capacity.cni.node_pool import FIGURES, limits_from, rest
from capacity.errors import SpecError, check_count, check_each, check_kind, check_switch, named_kind, shortened
from capacity.plan.cni_env import CniSettings, check_settings
from capacity.plan.constants import CILIUM

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Ints = npt.NDArray[np.int32]
    AnyInts = npt.NDArray[np.integer[Any]]

FIELDS = tuple(FIGURES)
UNITS = {
    "enis": "ENIs",
    "secondary_ips": "addresses",
    "prefixes": "prefixes",
    "pod_addresses": "addresses",
    "assigned": "addresses",
    "warm": "addresses",
    "trunk": "ENIs",
    "unmanaged": "ENIs",
    "subnet_addresses": "addresses",
    "lowest": "addresses",
    "highest": "addresses",
    "pods_without_address": "pods",
}
BLOCK_STATES = 16_384  # states computed together: a few int32 arrays of that length fit in a core's cache
WORTH_A_BLOCK = 2_048  # states on average; below, the calls cost more than dividing by one number saves
MOST = 1_000_000  # largest pod count, max pods and target; above every node's room, and safe in int32


@dataclass(frozen=True, slots=True, eq=False)
class TypeArrays:
    """Figures of instance types as arrays of shape (n_types,).

    Attributes
    ----------
    names : tuple of str
    max_enis : ndarray of int32
        ENIs of the default network card. [ENIs]
    ipv4_per_eni : ndarray of int32
        Addresses per ENI, including the primary. [addresses]
    trunk_slot, trunking, prefixes : ndarray of int32
        1 if ENABLE_POD_ENI reserves a slot, if a trunk is attached, if the VPC CNI gives prefixes.
    left_out : tuple of str
        Types with unknown ENI figures, which are not in the arrays.
    nitro : ndarray of int32 or None
        1 if Cilium gives prefixes; None: as for the VPC CNI.
    """

    names: tuple[str, ...]
    max_enis: Ints
    ipv4_per_eni: Ints
    trunk_slot: Ints
    trunking: Ints
    prefixes: Ints
    left_out: tuple[str, ...] = ()
    nitro: Ints | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PoolGrid:
    """Pools of types × pod counts.

    Attributes
    ----------
    names : tuple of str
        Types, the rows.
    pods : ndarray of int32, shape (n_pods,)
        Pods on VPC addresses, the columns. [pods]
    columns : mapping of str to ndarray of int32, shape (n_types, n_pods)
        Attributes of :class:`~capacity.cni.node_pool.Pool` by name; units in :data:`UNITS`.
    """

    names: tuple[str, ...]
    pods: Ints
    columns: Mapping[str, Ints]

    def __repr__(self) -> str:
        return f"<PoolGrid {len(self.names):,} types x {len(self.pods):,} pod counts: {', '.join(self.columns)[:60]}>"

    def __getitem__(self, field: str) -> Ints:
        return self.columns[field]

    @property
    def states(self) -> int:
        """Types × pod counts."""
        return len(self.names) * len(self.pods)


def type_arrays(types: Iterable[InstanceType]) -> TypeArrays:
    """The figures for the pool, of a catalog or any types.

    Examples
    --------
    >>> from capacity.catalog.table import load_catalog
    >>> type_arrays(load_catalog().match("m5.*large")).max_enis[:3].tolist()
    [3, 4, 4]
    """
    import numpy as np

    if isinstance(types, str) or not isinstance(types, Iterable):
        cure = 'instance types, such as [load_catalog().get("m5.large")]'
        raise SpecError(f"types: {types!r} is {named_kind(types)} (expected {cure})")
    known, left_out = [], []
    for kind in types:
        check_type(kind, "types")
        if kind.max_enis is None or kind.ipv4_per_eni is None:
            left_out.append(kind.name)
        else:
            known.append(kind)
    return TypeArrays(
        names=tuple(t.name for t in known),
        max_enis=np.array([t.max_enis for t in known], dtype=np.int32),
        ipv4_per_eni=np.array([t.ipv4_per_eni for t in known], dtype=np.int32),
        trunk_slot=np.array([t.trunk_slot for t in known], dtype=np.int32),
        trunking=np.array([bool(t.trunking) for t in known], dtype=np.int32),
        prefixes=np.array([vpc_cni.gives_prefixes(t) for t in known], dtype=np.int32),
        nitro=np.array([cilium_pool.gives_prefixes(t) for t in known], dtype=np.int32),
        left_out=tuple(left_out),
    )


def sweep(
    types: TypeArrays | Iterable[InstanceType],
    settings: CniSettings,
    pods: Sequence[int] | AnyInts,
    max_pods: int | Sequence[int] | AnyInts,
    *,
    columns: Sequence[str] = ("enis", "pod_addresses", "subnet_addresses", "pods_without_address"),
    unmanaged_enis: int = 0,
    windows: bool = False,
    out: PoolGrid | None = None,
) -> PoolGrid:
    """The pool of every type with every pod count.

    Parameters
    ----------
    types : TypeArrays or iterable of InstanceType
        A :class:`~capacity.catalog.table.Catalog` too. For many sweeps, create the arrays once with
        :func:`type_arrays`.
    pods : array of int, shape (n_pods,)
        Pods on VPC addresses. [pods]
    max_pods : int or array of int, shape (n_types,)
        Max pods of each type in the arrays, at which growth stops. [pods]
    columns : sequence of str
        Which attributes of :class:`~capacity.cni.node_pool.Pool` to compute; :data:`FIELDS` names all.
    out : PoolGrid, optional
        An earlier result of the same shape and columns, which is overwritten.

    Raises
    ------
    SpecError
        A count that is negative or above a million, arrays whose lengths differ, a column that does not exist,
        or IPv6 with a type that does not support prefixes.

    Examples
    --------
    >>> from capacity.catalog.table import load_catalog
    >>> grid = sweep(load_catalog().match("m5.*large"), CniSettings(), [0, 11, 30], max_pods=110)
    >>> grid["subnet_addresses"].tolist()[:2]
    [[10, 30, 30], [15, 30, 60]]
    """
    import numpy as np

    check_settings(settings)
    check_count("unmanaged_enis", unmanaged_enis, most=MOST)
    check_each("columns", columns, str, "names of columns, such as ['enis']")
    if out is not None:
        _check_grid("out", out)
    check_switch("windows", windows)
    settings = _bounded(settings)
    arrays = _arrays_for(settings, types if isinstance(types, TypeArrays) else type_arrays(types))
    unknown = [c for c in columns if c not in FIELDS]
    if unknown:
        raise SpecError(f"columns: {unknown[0]!r} is not one of {', '.join(FIELDS)}")
    counts = _counts("pods", pods)
    limit = _counts("max_pods", max_pods)
    if len(limit) not in (1, len(arrays.names)):
        raise SpecError(f"max_pods: expected one number or {len(arrays.names)}, found {len(limit)}")
    limit = np.broadcast_to(limit, (len(arrays.names),))
    grid = _room(arrays.names, counts, columns, out)
    if not grid.states:
        return grid
    _fill(grid, arrays, limit, settings, unmanaged_enis, windows)
    return grid


def _arrays_for(settings: CniSettings, arrays: TypeArrays) -> TypeArrays:
    """The figures of the types with these settings.

    Raises
    ------
    SpecError
        IPv6 with a type that does not support prefixes.
    """
    import numpy as np

    if settings.cni == CILIUM and arrays.nitro is not None:
        return replace(arrays, prefixes=arrays.nitro)
    if settings.ipv6 and not arrays.prefixes.all():
        refused = arrays.names[int(np.argmin(arrays.prefixes))]
        raise SpecError(f"{refused!r} does not support prefixes: IPv6 needs Nitro or bare metal")
    return arrays


def _fill(
    grid: PoolGrid, arrays: TypeArrays, limit: Ints, settings: CniSettings, unmanaged_enis: int, windows: bool
) -> None:
    """Compute each distinct row once, block by block, and copy it to all types that share it."""
    import numpy as np

    counts, columns = grid.pods, grid.columns
    first, owner = _distinct(arrays, limit)
    tables = {c: np.empty((len(first), len(counts)), dtype=np.int32) for c in columns}
    for begin, end in _blocks(arrays, first, len(counts)):
        rows = first[begin:end]
        mode = settings if arrays.prefixes[rows[0]] else replace(settings, prefix=False)
        node = _block(arrays, rows, limit, mode, counts, unmanaged_enis, windows)
        for column, table in tables.items():
            table[begin:end] = FIGURES[column](node)
    for column, table in tables.items():
        np.take(table, owner, axis=0, out=columns[column], mode="clip")  # mode: no buffer for out


def _check_grid(what: str, value: object) -> None:
    check_kind(what, value, PoolGrid, "a PoolGrid, as returned by sweep")


def pool_frame(grid: PoolGrid) -> pd.DataFrame:
    """One row per type and pod count, indexed by ``instance_type`` and ``pods``; int32 columns of the grid.

    The units are in ``frame.attrs["units"]``.

    Examples
    --------
    >>> from capacity.catalog.table import load_catalog
    >>> grid = sweep(load_catalog().match("m5.large"), CniSettings(warm_ip=2), [5, 10], max_pods=29)
    >>> pool_frame(grid).loc[("m5.large", 10), "subnet_addresses"]
    np.int32(14)
    """
    _check_grid("grid", grid)
    import pandas as pd

    index = pd.MultiIndex.from_product([grid.names, grid.pods], names=["instance_type", "pods"])
    frame = pd.DataFrame({name: values.ravel() for name, values in grid.columns.items()}, index=index)
    frame.attrs["units"] = {name: UNITS[name] for name in grid.columns}
    return frame


def _counts(name: str, values: int | Sequence[int] | AnyInts) -> Ints:
    """Whole numbers from 0 to a million as int32."""
    import numpy as np

    given = np.asarray(values)
    if given.size == 0:
        return np.empty(0, dtype=np.int32)
    if given.ndim > 1 or given.dtype.kind not in "iu":
        raise SpecError(f"{name}: {shortened(repr(values))} (expected a whole number or a row of whole numbers)")
    if given.min() < 0 or given.max() > MOST:
        raise SpecError(f"{name}: expected counts from 0 to {MOST:,}, found {given.min()} to {given.max()}")
    return np.atleast_1d(given).astype(np.int32, copy=False)


def _bounded(settings: CniSettings) -> CniSettings:
    """Targets limited to a million, which already means everything that a node can hold."""
    targets = {t: min(getattr(settings, t), MOST) for t in ("warm_eni", "warm_ip", "minimum_ip", "warm_prefix")}
    max_eni = None if settings.max_eni is None else min(settings.max_eni, MOST)
    ipam = settings.cilium
    if ipam is not None:
        numbers = ("pre_allocate", "min_allocate", "max_allocate", "max_above_watermark", "first_interface_index")
        ipam = replace(ipam, **{n: min(getattr(ipam, n), MOST) for n in numbers})
    return replace(settings, **targets, max_eni=max_eni, cilium=ipam)


def _room(names: tuple[str, ...], pods: Ints, columns: Sequence[str], out: PoolGrid | None) -> PoolGrid:
    """Arrays for the result: new ones, or those of ``out``."""
    import numpy as np

    shape = (len(names), len(pods))
    if out is None:
        return PoolGrid(names, pods, {c: np.empty(shape, dtype=np.int32) for c in columns})
    missing = [c for c in columns if c not in out.columns or out.columns[c].shape != shape]
    if missing:
        raise SpecError(f"out: has no column {missing[0]!r} of shape {shape}")
    return PoolGrid(names, pods, {c: out.columns[c] for c in columns})


def _distinct(arrays: TypeArrays, max_pods: Any) -> tuple[Any, Any]:
    """First row of each distinct set of figures, and the set of each type.

    The sets are ordered by the values that a block shares: prefixes possible or not, addresses per ENI.
    """
    import numpy as np

    key = np.zeros(len(arrays.names), dtype=np.int64)
    for figure in (
        arrays.prefixes,
        arrays.ipv4_per_eni,
        arrays.trunk_slot,
        arrays.trunking,
        max_pods,
        arrays.max_enis,
    ):
        key = key * (int(figure.max()) + 1) + figure
    _, first, owner = np.unique(key, return_index=True, return_inverse=True)
    return first, owner


def _blocks(arrays: TypeArrays, first: Any, n_pods: int) -> Iterator[tuple[int, int]]:
    """Ranges of distinct rows to compute together: they share whether prefixes are possible.

    If it is faster, they also share the addresses per ENI: NumPy divides an array by a number several times
    faster than by an array, but each block costs about forty calls.
    """
    import numpy as np

    prefixes, addresses = (np.flatnonzero(np.diff(f[first])) + 1 for f in (arrays.prefixes, arrays.ipv4_per_eni))
    edges = np.union1d(prefixes, addresses)
    if len(first) * n_pods < WORTH_A_BLOCK * (len(edges) + 1):
        edges = prefixes
    most_rows = max(BLOCK_STATES // n_pods, 1)
    for begin, end in pairwise([0, *edges.tolist(), len(first)]):
        for start in range(begin, end, most_rows):
            yield start, min(start + most_rows, end)


def _block(
    arrays: TypeArrays, rows: Any, max_pods: Any, settings: CniSettings, pods: Ints, unmanaged_enis: int, windows: bool
) -> Rest:
    """The settled pools of some rows × all pod counts, by the formulas of one node."""
    figures = (arrays.max_enis, arrays.ipv4_per_eni, arrays.trunk_slot, arrays.trunking)
    enis, addresses, slot, trunking = (f[rows, None] for f in figures)
    divisor = int(addresses[0, 0]) if (addresses == addresses[0]).all() else addresses
    limits = limits_from(EniFigures(enis, divisor, slot, trunking), settings, unmanaged_enis, windows=windows)
    return rest(limits, settings, max_pods[rows, None], pods[None, :])
