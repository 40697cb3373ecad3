"""Results that the chart tests draw, from the engine and by hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from capacity.advice.judge import check as judge
from capacity.catalog.prices import price_per_hour
from capacity.catalog.table import load_catalog
from capacity.charts.cost_frontier import plot_frontier
from capacity.charts.forecast import plot_forecast
from capacity.charts.nodes import plot_limits, plot_modes, plot_price_per_pod
from capacity.charts.packed_nodes import plot_packed_nodes
from capacity.charts.subnets import plot_blocks, plot_headroom, plot_subnet_states
from capacity.charts.theme import LIGHT, Theme
from capacity.charts.trade import WarmChoice, plot_warm_tradeoff
from capacity.cluster.check import CheckResult, check
from capacity.cluster.headroom import headroom_by_nodes, headroom_by_pods
from capacity.forecast.result import Fan, SubnetForecast
from capacity.node.maxpods import MaxPods, max_pods
from capacity.node.offer import Offer, PodAsked, offer
from capacity.node.platform import Platform
from capacity.node.shape_map import request_grid, shape_map
from capacity.optimize.choices import Choices
from capacity.optimize.open_plan import sketched
from capacity.optimize.optimized import Optimized
from capacity.optimize.optimum import optimize_plan
from capacity.optimize.request import Request
from capacity.plan.parse import read_plan
from capacity.units import MIB
from capacity.vpc.block_map import packed_blocks

EXAMPLE = Path(__file__).parents[2] / "examples" / "shop-prod.yaml"
TYPES = ("m5.large", "m6i.xlarge", "c6i.2xlarge")
MODES = (("secondary", False), ("secondary", True), ("prefix", False), ("ipv6", False))


@cache
def result() -> CheckResult:
    return check(read_plan(EXAMPLE), ["steady", "peak"])


@cache
def prefix_result() -> CheckResult:
    plan = read_plan(EXAMPLE)
    env = {**plan.cni.env, "ENABLE_PREFIX_DELEGATION": "true"}
    return check(replace(plan, cni=replace(plan.cni, env=env)), ["steady", "peak"])


def offers() -> list[Offer]:
    catalog, pod = load_catalog(), PodAsked(cpu=250, memory=512 * MIB)
    return [offer(catalog.get(n), Platform(), pod, price=price_per_hour(n, "us-east-1")) for n in TYPES]


def mode_rows() -> list[MaxPods]:
    catalog = load_catalog()
    return [max_pods(catalog.get(n), Platform(mode=m, custom_networking=c)) for n in TYPES for m, c in MODES]


def choices() -> list[WarmChoice]:
    return [
        WarmChoice("WARM_ENI_TARGET=1", 900, 20, 0.6),
        WarmChoice("WARM_IP_TARGET=2 MINIMUM_IP_TARGET=10", 300, 2, 1.9),
        WarmChoice("WARM_IP_TARGET=5", 400, 5),
        WarmChoice("WARM_PREFIX_TARGET=1", 1000, 16, 0.1),
    ]


def forecast() -> SubnetForecast:
    dates = tuple(dt.date(2026, 1, 1) + dt.timedelta(days=7 * i) for i in range(52))
    low, middle, high = (
        np.array([start + step * i for i in range(52)], float) for start, step in ((90, 1), (100, 4), (110, 6))
    )
    fan = Fan(dates, low, middle, high)
    when = (dt.date(2026, 6, 20), dt.date(2026, 9, 20), None)
    return SubnetForecast("private-b", "growth", "ok", 251, 100, *when, 0.7, fan)


@cache
def purchase(many: bool = False) -> Optimized:
    """Node groups for three workloads, or for seven with names of every length and script."""
    pods = [("web", "250m", "512Mi", 150), ("api", "1", "2Gi", 20), ("jobs", "500m", "6Gi", 18)]
    if many:
        names = ("x", "données-à-l'étranger", "検索", "a-service-with-a-name-that-is-very-long-indeed", "$y$", "b", "c")
        pods = [(name, f"{200 + 150 * i}m", f"{4096 >> i}Mi", 10 + 3 * i) for i, name in enumerate(names)]
    document = sketched(pods)
    document["daemonSets"] = [{"name": "agent", "requests": {"cpu": "200m", "memory": "512Mi"}}]
    types = ("m5a.*", "r5a.2xlarge", "c6a.*", "i3en.3xlarge", "d3.4xlarge")
    request = Request(Choices(types=types, arch="x86_64", max_vcpus=48), effort="quick", judge=judge)
    return optimize_plan(document, request)


def figures(theme: Theme = LIGHT) -> dict[str, Any]:
    """Every chart by name, as a function that draws it."""
    from capacity.charts.bottleneck import plot_bottleneck_map

    kind = load_catalog().get("m5.large")
    peak = next(s for s in result().scenarios if s.name == "peak")
    block = prefix_result().scenarios[0].subnets[1]
    return {
        "limits": lambda **to: plot_limits(offers(), theme=theme, **to),
        "price": lambda **to: plot_price_per_pod(offers(), theme=theme, **to),
        "modes": lambda **to: plot_modes(mode_rows(), theme=theme, **to),
        "bottleneck": lambda **to: plot_bottleneck_map(
            shape_map(kind, Platform(), *request_grid(33)), theme=theme, **to
        ),
        "subnets": lambda **to: plot_subnet_states(peak, theme=theme, **to),
        "headroom-nodes": lambda **to: plot_headroom(headroom_by_nodes(result(), "general"), theme=theme, **to),
        "headroom-pods": lambda **to: plot_headroom(headroom_by_pods(result()), theme=theme, **to),
        "blocks": lambda **to: plot_blocks(packed_blocks(block), theme=theme, **to),
        "warm": lambda **to: plot_warm_tradeoff(choices(), theme=theme, **to),
        "packed-nodes": lambda **to: plot_packed_nodes(purchase(), theme=theme, **to),
        "frontier": lambda **to: plot_frontier(purchase(), theme=theme, **to),
        "forecast": lambda **to: plot_forecast(forecast(), theme=theme, **to),
    }
