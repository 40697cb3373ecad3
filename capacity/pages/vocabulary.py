"""The names of limits on every page: one word for one thing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from capacity.node.limit_words import limit_words


def limited_by(binding: str) -> str:
    """``limited by CPU``.

    >>> limited_by("cpu")
    'limited by CPU'
    """
    return f"limited by {limit_words(binding)}"


def by_zone(counts: Mapping[str, int]) -> str:
    """Counts by zone; zones of one region are named by their letter.

    >>> by_zone({"us-east-1a": 1200, "us-east-1b": 3}), by_zone({"us-east-1a": 3}), by_zone({"us-east-1a": 3, "lax": 1})
    ('a 1,200, b 3', 'us-east-1a 3', 'us-east-1a 3, lax 1')
    """
    of_one_region = len(counts) > 1 and len({zone[:-1] for zone in counts}) == 1
    return ", ".join(f"{zone[-1] if of_one_region else zone} {count:,}" for zone, count in counts.items())


def merged(warnings: Sequence[str]) -> list[str]:
    """Distinct warnings; a kind that more than three types share is one line with their number.

    Two are of one kind if they differ only in the type's name and in numbers.
    """
    kinds: dict[str, list[str]] = {}
    for text in dict.fromkeys(warnings):
        kinds.setdefault(_kind(text), []).append(text)
    lines = []
    for group in kinds.values():
        lines += group if len(group) <= 3 else [f"{group[0]} (and {len(group) - 1} more types)"]
    return lines


def _kind(text: str) -> str:
    """The warning with the type's name and every number masked, to group repeats."""
    name, _, rest = text.partition(" ")
    return re.sub(r"\d[\d,.]*", "0", rest if "." in name else text)
