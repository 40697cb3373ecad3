"""Instance types that a plan can use, and their order if a source allows several."""

from __future__ import annotations

import re
from collections.abc import Callable

from capacity.catalog.instance_type import InstanceType
from capacity.catalog.table import Catalog


def catalog_order(kind: InstanceType) -> tuple[bool, bool, int, int, str]:
    """Sort key: common types first, small before large, because `check` uses the first of a list."""
    special = bool(kind.gpus or kind.accelerators)
    return (special, not re.match(r"[cmrt][0-9]", kind.family), kind.vcpus or 0, kind.memory_mib or 0, kind.name)


def candidates(catalog: Catalog, keep: Callable[[InstanceType], bool]) -> list[str]:
    """Names of the usable types that are kept, small ones first."""
    found = [
        kind
        for kind in catalog.all()
        if kind.max_enis and kind.ipv4_per_eni and kind.vcpus and kind.memory_mib and keep(kind)
    ]
    return [kind.name for kind in sorted(found, key=catalog_order)]


def type_problem(name: str, catalog: Catalog, *, ipv6: bool) -> str | None:
    """Reason why a plan cannot use an instance type; None if it can."""
    if name not in catalog:
        return "is not a known instance type"
    kind = catalog.get(name)
    if kind.max_enis is None or kind.ipv4_per_eni is None or kind.vcpus is None or kind.memory_mib is None:
        return "has no published figures for interfaces, addresses, vCPUs or memory"
    if ipv6 and kind.prefixes_possible is False:
        return "cannot run an IPv6 cluster (it is not Nitro)"
    return None
