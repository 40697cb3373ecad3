"""Facts of a cluster and its network as sources write them: blocks, versions, tags of subnet discovery, names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Any

from capacity.plan.discovery import CLUSTER_TAG, ROLE_TAG
from capacity.readers.values import text_of


def discovery_tags(tags: Mapping[str, Any]) -> tuple[tuple[str, str], ...] | None:
    """Those of a subnet's tags that the VPC CNI's discovery reads: it only asks whether the role is "0" or not.

    >>> discovery_tags({"Name": "pods", "kubernetes.io/role/cni": "1"})
    (('kubernetes.io/role/cni', '1'),)
    """
    role = "" if tags.get(ROLE_TAG) == "" else text_of(tags.get(ROLE_TAG))
    found = [] if role is None else [(ROLE_TAG, "0" if role == "0" else "1")]
    found += sorted((key, text_of(value) or "shared") for key, value in tags.items() if key.startswith(CLUSTER_TAG))
    return tuple(found) or None


def block_of(value: Any) -> IPv4Network | None:
    """An IPv4 block, host bits dropped, or None where the value is none."""
    if not isinstance(value, str) or "/" not in value or ":" in value:
        return None
    try:
        return IPv4Network(value.strip(), strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        return None


def kubernetes_version_of(value: Any) -> str | None:
    """``1.34`` out of a version as people write it, None where it is none (``latest``, a placeholder)."""
    found = re.match(r"v?([0-9]+\.[0-9]+)", text_of(value) or "")
    return found[1] if found else None


def unique(name: str, taken: Iterable[str]) -> str:
    """``name``, with a number where it is taken."""
    names = taken if isinstance(taken, Set) else set(taken)
    if name not in names:
        return name
    return next(candidate for i in range(2, len(names) + 3) if (candidate := f"{name}-{i}") not in names)


def ip_family_of(value: Any) -> str | None:
    """``ipv4`` or ``ipv6`` in any case, else None."""
    family = (text_of(value) or "").lower()
    return family if family in ("ipv4", "ipv6") else None
