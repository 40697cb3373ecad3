"""What a node holds with WARM_PREFIX_TARGET of 2 and more: the mean of walks, from ``data/prefix_walks.csv``.

The CNI asks for so many prefixes that the target is wholly free, and gives a pod the address that its random walk of
the prefixes comes to first. So the figure depends on how the pods fell, and is a mean; the table is made by
``tools/build_prefix_walks.py``, which names the lines of the CNI's code. A row is for one number of prefixes per ENI,
since one request never goes beyond one ENI.
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
    """Prefixes of a node to which pods came one by one: the mean of 10,000 walks, rounded up. [prefixes]

    Parameters
    ----------
    target : int
        WARM_PREFIX_TARGET, 2 or more. [prefixes]
    sixteens : int or ndarray of int
        Begun sixteens of pods: the pool grows with the 1st, 17th, 33rd, … only.
    k : int or ndarray of int
        Prefixes per ENI.

    Notes
    -----
    Outside the table, which is for more than 768 max pods, by rule: beyond the last sixteen (target + sixteens above
    48) each further one adds a prefix, as it does in the long run; a target above 47 takes the most that it can,
    2 × target - 1 + sixteens. A size of ENI that no type has reads as the next larger one.

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
    """The mean rounded up, for one node."""
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
    """Prefixes of all walks together with no pods, 1, 17, 33, …; short where the ENIs of that size hold no more."""
    start = f"\n{k},{target},"
    _, _, rest = _text().partition(start)
    return (WALKS * target, *map(int, rest.partition("\n")[0].split()))
