"""The names of limits on every page: one word for one thing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from capacity.node.limit_words import limit_words


def limited_by(binding: str) -> str:
    """``limited by CPU``.

    >>> limited_by("cpu")
    'limited by CPU'
    """
    return f"limited by {limit_words(binding)}"


def merged(warnings: Sequence[str]) -> list[str]:
    """Warnings once each; a kind that more than three types share is one line with their number.

    Two are of one kind where they differ only in the type's name and in numbers.
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
