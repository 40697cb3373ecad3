"""One word for one thing: limits as every page names them."""

from __future__ import annotations

import re
from collections.abc import Sequence

LIMITS = {
    "ips": "pod addresses",
    "addresses": "addresses",
    "cpu": "CPU",
    "memory": "memory",
    "max_pods": "max pods",
    "branch_enis": "branch ENIs",
    "volumes": "EBS volumes",
    "enis": "ENIs",
    "recommended-cap": "AWS's cap",
    "hypervisor": "Xen",
}


def limit_words(binding: str | None) -> str | None:
    """A limit's name as people say it; a name of its own for one that is not known here.

    >>> limit_words("max_pods"), limit_words("enis"), limit_words(None)
    ('max pods', 'ENIs', None)
    """
    return binding and LIMITS.get(binding, binding.replace("_", " "))


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
        lines += group if len(group) <= 3 else [f"{group[0]} (and {len(group) - 1} more types alike)"]
    return lines


def _kind(text: str) -> str:
    """The warning with the type's name and every number masked, to group repeats."""
    name, _, rest = text.partition(" ")
    return re.sub(r"\d[\d,.]*", "0", rest if "." in name else text)
