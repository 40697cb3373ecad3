"""Pod-IP capacity planner for Amazon EKS.

The library behind the command of the same name; ``docs/reference/python-api.md`` shows it at work.

    catalog     load_catalog, Catalog, InstanceType, price_per_hour
    max pods    max_pods, max_pods_frame, Platform, MaxPods
    a node      offer, node_frame, PodAsked, Daemon, Keep, Offer
    its pool    node_pool, cni_settings, cilium_settings, CniSettings, Pool; many at once: sweep, type_arrays,
                pool_frame
    what if     headroom_by_nodes, headroom_by_pods, shape_map, request_grid, group_offers, what_if, packed_blocks
    settings    warm_for_plan, warm_for_type
    growth      forecast_growth, forecast_history, parse_horizon, read_history, daily_series, sizes_of;
                a history of your own: snapshot_of_plan, record
    a plan      read_plan, parse_plan, read_patched, write_patched, check, findings, find_fixes, size_plan, compare,
                explain; subnet_frame, group_frame, runway_frame
    readers     capacity.readers: plans from Terraform, kubectl, eksctl, CloudFormation, Karpenter, Helm, AWS
    a cluster   diagnose, saved_evidence
    dollars     plan_cost, CostInputs, read_price_file
    what to buy optimize_plan, sketched, Request, Choices, Optimized, node_group_file, mean_nodes, frontier_rows;
                node_groups_frame, alternatives_frame, frontier_frame
    Services    service_overview, question_of_plan, rule_sets, Service, ServiceShape, ServiceQuestion, KubeProxy
    over time   capacity.sim: replay, the life of one node's pool, event by event
    charts      capacity.charts
    errors      CapacityError, SpecError, UnknownInstanceType, CatalogError, InfeasiblePlan, MissingExtra

Names are loaded when they are first used: ``import capacity`` loads neither NumPy nor pandas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capacity.advice.checkup import Checkup
    from capacity.advice.compare import Comparison, compare
    from capacity.advice.doctor import diagnose
    from capacity.advice.evidence import Evidence
    from capacity.advice.findings.codes import Finding
    from capacity.advice.findings.rules import findings
    from capacity.advice.fixes import Fix, Fixes
    from capacity.advice.judge import check
    from capacity.advice.nodes_to_buy import node_group_file, optimize_plan
    from capacity.advice.search import find_fixes
    from capacity.advice.warm import WarmAnswer, warm_for_plan, warm_for_type
    from capacity.advice.whatif import what_if
    from capacity.catalog.instance_type import InstanceType
    from capacity.catalog.price_lookup import price_per_hour
    from capacity.catalog.table import Catalog, load_catalog
    from capacity.cluster.check import CheckResult
    from capacity.cluster.figure_terms import explain
    from capacity.cluster.frames import group_frame, runway_frame, subnet_frame
    from capacity.cluster.headroom import headroom_by_nodes, headroom_by_pods
    from capacity.cluster.sizing import Sizing, size_plan
    from capacity.cluster.typical import group_offers
    from capacity.cni.node_pool import Pool, node_pool
    from capacity.cni.sweep import PoolGrid, TypeArrays, pool_frame, sweep, type_arrays
    from capacity.cost.bill import plan_cost
    from capacity.cost.inputs import CostInputs
    from capacity.cost.price_file import read_price_file
    from capacity.errors import (
        CapacityError,
        CatalogError,
        InfeasiblePlan,
        MissingExtra,
        SpecError,
        UnknownInstanceType,
    )
    from capacity.forecast.formats import read_history
    from capacity.forecast.from_history import forecast_history, sizes_of
    from capacity.forecast.history import FillSnapshot, record
    from capacity.forecast.plan_growth import forecast_growth
    from capacity.forecast.series import daily_series
    from capacity.forecast.snapshot import snapshot_of_plan
    from capacity.forecast.span import parse_horizon
    from capacity.node.allocatable import Keep
    from capacity.node.frames import max_pods_frame, node_frame
    from capacity.node.maxpods import MaxPods, max_pods
    from capacity.node.offer import Daemon, Offer, PodAsked, offer
    from capacity.node.platform import Platform
    from capacity.node.shape_map import request_grid, shape_map
    from capacity.optimize.choices import Choices
    from capacity.optimize.mean_node import mean_nodes
    from capacity.optimize.open_plan import sketched
    from capacity.optimize.optimized import Optimized
    from capacity.optimize.request import Request
    from capacity.optimize.rows import alternatives_frame, frontier_frame, frontier_rows, node_groups_frame
    from capacity.plan.cilium_settings import cilium_settings
    from capacity.plan.cni_env import CniSettings, cni_settings
    from capacity.plan.model import Plan
    from capacity.plan.parse import parse_plan, read_patched, read_plan
    from capacity.plan.patch import write_patched
    from capacity.plan.service import KubeProxy, Service, ServiceShape
    from capacity.readers.aws.doctor import saved_evidence
    from capacity.services.mode_overview import ServiceQuestion, question_of_plan, service_overview
    from capacity.services.rule_sets import rule_sets
    from capacity.trace import Term
    from capacity.vpc.block_map import packed_blocks

__version__ = "1.0.0"

__all__ = [
    "CapacityError",
    "Catalog",
    "CatalogError",
    "CheckResult",
    "Checkup",
    "Choices",
    "CniSettings",
    "Comparison",
    "CostInputs",
    "Daemon",
    "Evidence",
    "FillSnapshot",
    "Finding",
    "Fix",
    "Fixes",
    "InfeasiblePlan",
    "InstanceType",
    "Keep",
    "KubeProxy",
    "MaxPods",
    "MissingExtra",
    "Offer",
    "Optimized",
    "Plan",
    "Platform",
    "PodAsked",
    "Pool",
    "PoolGrid",
    "Request",
    "Service",
    "ServiceQuestion",
    "ServiceShape",
    "Sizing",
    "SpecError",
    "Term",
    "TypeArrays",
    "UnknownInstanceType",
    "WarmAnswer",
    "alternatives_frame",
    "check",
    "cilium_settings",
    "cni_settings",
    "compare",
    "daily_series",
    "diagnose",
    "explain",
    "find_fixes",
    "findings",
    "forecast_growth",
    "forecast_history",
    "frontier_frame",
    "frontier_rows",
    "group_frame",
    "group_offers",
    "headroom_by_nodes",
    "headroom_by_pods",
    "load_catalog",
    "max_pods",
    "max_pods_frame",
    "mean_nodes",
    "node_frame",
    "node_group_file",
    "node_groups_frame",
    "node_pool",
    "offer",
    "optimize_plan",
    "packed_blocks",
    "parse_horizon",
    "parse_plan",
    "plan_cost",
    "pool_frame",
    "price_per_hour",
    "question_of_plan",
    "read_history",
    "read_patched",
    "read_plan",
    "read_price_file",
    "record",
    "request_grid",
    "rule_sets",
    "runway_frame",
    "saved_evidence",
    "service_overview",
    "shape_map",
    "size_plan",
    "sizes_of",
    "sketched",
    "snapshot_of_plan",
    "subnet_frame",
    "sweep",
    "type_arrays",
    "warm_for_plan",
    "warm_for_type",
    "what_if",
    "write_patched",
]

# The imports above for those who run the code, not only read it; tests/unit/test_public_api.py holds them together.
_HOMES = {
    "advice.findings.codes": ("Finding",),
    "advice.findings.rules": ("findings",),
    "advice.warm": ("WarmAnswer", "warm_for_plan", "warm_for_type"),
    "advice.whatif": ("what_if",),
    "catalog.instance_type": ("InstanceType",),
    "catalog.price_lookup": ("price_per_hour",),
    "catalog.table": ("Catalog", "load_catalog"),
    "advice.checkup": ("Checkup",),
    "advice.doctor": ("diagnose",),
    "advice.evidence": ("Evidence",),
    "cluster.sizing": ("Sizing", "size_plan"),
    "forecast.history": ("FillSnapshot", "record"),
    "forecast.snapshot": ("snapshot_of_plan",),
    "advice.compare": ("Comparison", "compare"),
    "advice.fixes": ("Fix", "Fixes"),
    "advice.judge": ("check",),
    "advice.search": ("find_fixes",),
    "cluster.check": ("CheckResult",),
    "cluster.frames": ("group_frame", "runway_frame", "subnet_frame"),
    "cluster.headroom": ("headroom_by_nodes", "headroom_by_pods"),
    "cluster.figure_terms": ("explain",),
    "trace": ("Term",),
    "cluster.typical": ("group_offers",),
    "cni.node_pool": ("Pool", "node_pool"),
    "cni.sweep": ("PoolGrid", "TypeArrays", "pool_frame", "sweep", "type_arrays"),
    "cost.bill": ("plan_cost",),
    "cost.inputs": ("CostInputs",),
    "cost.price_file": ("read_price_file",),
    "errors": ("CapacityError", "CatalogError", "InfeasiblePlan", "MissingExtra", "SpecError", "UnknownInstanceType"),
    "forecast.formats": ("read_history",),
    "forecast.from_history": ("forecast_history", "sizes_of"),
    "forecast.plan_growth": ("forecast_growth",),
    "forecast.series": ("daily_series",),
    "forecast.span": ("parse_horizon",),
    "node.allocatable": ("Keep",),
    "node.frames": ("max_pods_frame", "node_frame"),
    "node.maxpods": ("MaxPods", "max_pods"),
    "node.platform": ("Platform",),
    "node.offer": ("Daemon", "Offer", "PodAsked", "offer"),
    "node.shape_map": ("request_grid", "shape_map"),
    "advice.nodes_to_buy": ("node_group_file", "optimize_plan"),
    "optimize.choices": ("Choices",),
    "optimize.mean_node": ("mean_nodes",),
    "optimize.open_plan": ("sketched",),
    "optimize.optimized": ("Optimized",),
    "optimize.request": ("Request",),
    "services.mode_overview": ("ServiceQuestion", "question_of_plan", "service_overview"),
    "services.rule_sets": ("rule_sets",),
    "optimize.rows": ("alternatives_frame", "frontier_frame", "frontier_rows", "node_groups_frame"),
    "plan.cilium_settings": ("cilium_settings",),
    "plan.cni_env": ("CniSettings", "cni_settings"),
    "plan.parse": ("parse_plan", "read_patched", "read_plan"),
    "plan.model": ("Plan",),
    "plan.patch": ("write_patched",),
    "plan.service": ("KubeProxy", "Service", "ServiceShape"),
    "readers.aws.doctor": ("saved_evidence",),
    "vpc.block_map": ("packed_blocks",),
}

_ROOMS = ("charts", "readers", "sim")  # whose functions are called by the room's name: capacity.sim.replay


def __getattr__(name: str) -> object:
    """Load a public name on first use (PEP 562)."""
    for module, names in _HOMES.items():
        if name in names:
            from importlib import import_module

            try:
                value: object = getattr(import_module(f"{__name__}.{module}"), name)
            except ModuleNotFoundError as error:  # numpy, where a whole module works on arrays
                raise import_module(f"{__name__}.extras").missing_extra(error) or error from None
            globals()[name] = value
            return value
    if name in _ROOMS:
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
