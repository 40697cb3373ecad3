"""Versions of the CNI and of Kubernetes as numbers, and the first CNI versions with a mode."""

from __future__ import annotations

import re

Version = tuple[int, int, int]

# Of the VPC CNI: prefix delegation and IPv6; best-practices guide @dc0243a prefix-mode_linux.adoc L18, L89
PREFIX_SINCE, IPV6_SINCE = (1, 9, 0), (1, 10, 1)

_NUMBERS = re.compile(r"v?([0-9]{1,4})\.([0-9]{1,4})(?:\.([0-9]{1,4}))?")


def version_numbers(text: str | None) -> Version | None:
    """Numbers of a version; None if there is none, or the text does not begin with one.

    >>> version_numbers("v1.18.5-eksbuild.1"), version_numbers("1.34"), version_numbers("latest")
    ((1, 18, 5), (1, 34, 0), None)
    """
    found = _NUMBERS.match(text or "")
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None
