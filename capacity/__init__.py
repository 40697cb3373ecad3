"""Pod-IP capacity planner for Amazon EKS.

The library behind the command of the same name; ``docs/reference/python-api.md`` shows it at work.

    catalog     load_catalog, Catalog, InstanceType, price_per_hour
    max pods    max_pods, max_pods_frame, Platform, MaxPods
    a node      offer, node_frame, PodAsked, Daemon, Keep, Offer
    its pool    node_pool, cni_settings, CniSettings, Pool; many at once: sweep, type_arrays, pool_frame
    a plan      read_plan, parse_plan, check, findings; subnet_frame, group_frame, runway_frame
    errors      CapacityError, SpecError, UnknownInstanceType, CatalogError, InfeasiblePlan, MissingExtra

Names are loaded when they are first used: ``import capacity`` loads neither NumPy nor pandas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capacity.advice.codes import Finding
    from capacity.advice.findings import findings
    from capacity.catalog.instance_type import InstanceType
    from capacity.catalog.prices import price_per_hour
    from capacity.catalog.table import Catalog, load_catalog
    from capacity.cluster.check import CheckResult, check
    from capacity.cluster.frames import group_frame, runway_frame, subnet_frame
    from capacity.cni.node_pool import Pool, node_pool
    from capacity.cni.sweep import PoolGrid, TypeArrays, pool_frame, sweep, type_arrays
    from capacity.errors import (
        CapacityError,
        CatalogError,
        InfeasiblePlan,
        MissingExtra,
        SpecError,
        UnknownInstanceType,
    )
    from capacity.node.frames import max_pods_frame, node_frame
    from capacity.node.maxpods import MaxPods, Platform, max_pods
    from capacity.node.offer import Daemon, Keep, Offer, PodAsked, offer
    from capacity.spec.cni_env import CniSettings, cni_settings
    from capacity.spec.parse import parse_plan, read_plan
    from capacity.spec.plan import Plan

__version__ = "0.1.0"

__all__ = [
    "CapacityError",
    "Catalog",
    "CatalogError",
    "CheckResult",
    "CniSettings",
    "Daemon",
    "Finding",
    "InfeasiblePlan",
    "InstanceType",
    "Keep",
    "MaxPods",
    "MissingExtra",
    "Offer",
    "Plan",
    "Platform",
    "PodAsked",
    "Pool",
    "PoolGrid",
    "SpecError",
    "TypeArrays",
    "UnknownInstanceType",
    "check",
    "cni_settings",
    "findings",
    "group_frame",
    "load_catalog",
    "max_pods",
    "max_pods_frame",
    "node_frame",
    "node_pool",
    "offer",
    "parse_plan",
    "pool_frame",
    "price_per_hour",
    "read_plan",
    "runway_frame",
    "subnet_frame",
    "sweep",
    "type_arrays",
]

# The imports above for those who run the code, not only read it; tests/unit/test_public_api.py holds them together.
_HOMES = {
    "advice.codes": ("Finding",),
    "advice.findings": ("findings",),
    "catalog.instance_type": ("InstanceType",),
    "catalog.prices": ("price_per_hour",),
    "catalog.table": ("Catalog", "load_catalog"),
    "cluster.check": ("CheckResult", "check"),
    "cluster.frames": ("group_frame", "runway_frame", "subnet_frame"),
    "cni.node_pool": ("Pool", "node_pool"),
    "cni.sweep": ("PoolGrid", "TypeArrays", "pool_frame", "sweep", "type_arrays"),
    "errors": ("CapacityError", "CatalogError", "InfeasiblePlan", "MissingExtra", "SpecError", "UnknownInstanceType"),
    "node.frames": ("max_pods_frame", "node_frame"),
    "node.maxpods": ("MaxPods", "Platform", "max_pods"),
    "node.offer": ("Daemon", "Keep", "Offer", "PodAsked", "offer"),
    "spec.cni_env": ("CniSettings", "cni_settings"),
    "spec.parse": ("parse_plan", "read_plan"),
    "spec.plan": ("Plan",),
}


def __getattr__(name: str) -> object:
    """Load a public name on first use (PEP 562)."""
    for module, names in _HOMES.items():
        if name in names:
            from importlib import import_module

            value: object = getattr(import_module(f"{__name__}.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
