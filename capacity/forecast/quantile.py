"""Quantiles of draws; a quantile is always the value of one draw, never a mean of two."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MOST_COUNTED = 1 << 18  # different values of a row, each with a count


def rank(share: float, count: int) -> int:
    """Index of the smallest of ``count`` sorted draws that at least ``share`` of them do not exceed.

    >>> rank(0.1, 10), rank(0.5, 10), rank(0.9, 1)
    (0, 4, 0)
    """
    return max(ceil(share * count - 1e-9) - 1, 0)


def day_quantiles(first_days: npt.NDArray[np.int32], never: int, shares: tuple[float, ...]) -> list[int | None]:
    """Days by which the given shares of the simulations have run out; None if fewer do before ``never``."""
    import numpy as np

    ordered = np.sort(first_days)
    found = [int(ordered[rank(share, len(ordered))]) for share in shares]
    return [None if day >= never else day for day in found]


def count_quantiles(values: npt.NDArray[np.signedinteger[Any]], shares: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Quantiles of each row of whole numbers: shape (n_rows, n_draws) to (n_shares, n_rows).

    Values that are close together are counted, which takes a fifth of the time of sorting; others are sorted.

    >>> import numpy as np
    >>> count_quantiles(np.array([[3, 1, 2], [10**9, 0, 7]]), (0.5, 0.9)).tolist()
    [[2.0, 7.0], [3.0, 1000000000.0]]
    """
    import numpy as np

    result = np.empty((len(shares), len(values)))
    for i, row in enumerate(values):
        low: Any = int(row.min())
        if int(row.max()) - low > MOST_COUNTED:
            result[:, i] = np.sort(row)[[rank(share, row.size) for share in shares]]
            continue
        below = np.cumsum(np.bincount(row - low))
        for j, share in enumerate(shares):
            result[j, i] = low + int(np.searchsorted(below, rank(share, row.size) + 1))
    return result
