"""Reads a node's prefixes with WARM_PREFIX_TARGET of 2 and more: the mean of walks, from ``data/prefix_walks.csv``.

The CNI requests prefixes until the target is wholly free, and gives a pod the first address of a random walk over the
prefixes. So the figure depends on the placement of pods, and is a mean. ``tools/build_prefix_walks.py`` generates the
table and names the lines of the CNI's code. A row is for one number of prefixes per ENI, because one request never
exceeds one ENI.
"""

from __future__ import annotations

from functools import lru_cache

from capacity.catalog.packaged import data_dir, read_text
from capacity.errors import CatalogError
from capacity.units import IntLike

NAME = "prefix_walks.csv"
HEADER = "slots_per_eni,warm_prefix,prefixes_of_all_walks"
WALKS = 10_000


def walked_prefixes(target: int, sixteens: IntLike, k: IntLike) -> IntLike:
    """Prefixes of a node on which pods started one by one: the mean of 10,000 walks, rounded up. [prefixes]

    Parameters
    ----------
    target : int
        WARM_PREFIX_TARGET, 2 or more. [prefixes]
    sixteens : int or ndarray of int
        Started groups of sixteen pods: the pool grows only with the 1st, 17th, 33rd, … pod.
    k : int or ndarray of int
        Prefixes per ENI.

    Notes
    -----
    Outside the table (more than 768 max pods) a rule applies: beyond the last group (target + sixteens above 48) each
    additional group adds a prefix, as in the long run; a target above 47 uses its maximum, 2 × target - 1 + sixteens.
    An ENI size that no type has uses the next larger one.

    Examples
    --------
    >>> walked_prefixes(3, 2, k=14), walked_prefixes(6, 3, k=14), walked_prefixes(6, 2, k=9)  # 17, 33 and 17 pods
    (7, 13, 9)
    """
    if isinstance(sixteens, int) and isinstance(k, int):
        return _at(target, sixteens, k)
    import numpy as np

    sizes, counts = np.broadcast_arrays(k, sixteens)
    found = np.empty(sizes.shape, dtype=np.int64)
    for size in np.unique(sizes).tolist():
        here = sizes == size
        asked, where = np.unique(counts[here], return_inverse=True)
        found[here] = np.array([_at(target, int(n), size) for n in asked.tolist()], dtype=np.int64)[where]
    return found


@lru_cache(maxsize=100_000)
def _at(target: int, sixteens: int, k: int) -> int:
    """The rounded-up mean for one node."""
    sizes, targets = _listed()
    if target > targets[-1]:
        return 2 * target - 1 + sixteens if sixteens else target
    row = _row(next((size for size in sizes if size >= k), sizes[-1]), target)
    last = len(row) - 1
    return -(-row[min(sixteens, last)] // WALKS) + max(sixteens - last, 0)


@lru_cache(maxsize=1)
def _text() -> str:
    text = read_text(data_dir() / NAME)
    if not text.startswith(HEADER + "\n"):
        raise CatalogError(f"{NAME}: the header is not {HEADER}")
    return text


@lru_cache(maxsize=1)
def _listed() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Prefixes per ENI, and targets, that have rows."""
    keys = [line.split(",", 2)[:2] for line in _text().splitlines()[1:]]
    sizes, targets = ({int(key[column]) for key in keys} for column in (0, 1))
    return tuple(sorted(sizes)), tuple(sorted(targets))


@lru_cache(maxsize=1024)
def _row(k: int, target: int) -> tuple[int, ...]:
    """Prefixes of all walks together with no pods, 1, 17, 33, …; shorter if ENIs of that size have no more room."""
    start = f"\n{k},{target},"
    _, _, rest = _text().partition(start)
    return (WALKS * target, *map(int, rest.partition("\n")[0].split()))
