"""Results that the chart tests draw, from the engine and by hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from capacity.catalog.price_lookup import price_per_hour
from capacity.catalog.table import load_catalog
from capacity.charts.cost_frontier import plot_frontier
from capacity.charts.forecast import plot_forecast
from capacity.charts.nodes import plot_limits, plot_modes, plot_price_per_pod
from capacity.charts.packed_nodes import plot_packed_nodes
from capacity.charts.simulation import plot_simulation
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
from capacity.optimize.mean_node import MeanNode, Use
from capacity.plan.parse import read_plan
from capacity.sim import SimulationInputs, SimulationResult, simulate
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


@cache
def simulation() -> SimulationResult:
    return simulate(read_plan(EXAMPLE), "peak", SimulationInputs(seconds=900))


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


def mean_nodes(workloads: tuple[str, ...] = ("web", "api", "jobs")) -> list[MeanNode]:
    """Two node groups, the first limited by memory and the second by max pods."""

    def node(group: str, nodes: int, binding: str, room: tuple[int, ...], pods: dict[str, float]) -> MeanNode:
        demands = [(250, 512 * MIB, 1, 1), (1000, 2048 * MIB, 1, 1), (500, 6144 * MIB, 1, 1)]
        each = {name: demands[i % 3] for i, name in enumerate(workloads)}
        uses = tuple(
            Use(resource, room[i], (200, 512 * MIB, 3, 1)[i], {n: count * each[n][i] for n, count in pods.items()})
            for i, resource in enumerate(("cpu", "memory", "max_pods", "addresses"))
        )
        return MeanNode(group, group.replace("-", "."), nodes, binding, pods, uses)

    first = {
        name: (25.5, 12.0, 9.0)[i % 3] / (1 + i // 3) / (1 + len(workloads) // 4) for i, name in enumerate(workloads)
    }
    return [
        node("m5a-8xlarge", 4, "memory", (31850, 114 * 1024 * MIB, 234, 232), first),
        node("c6a-4xlarge", 1, "max_pods", (15890, 28 * 1024 * MIB, 47, 56), {workloads[0]: 40.0, workloads[1]: 3.0}),
    ]


def frontier() -> list[dict[str, Any]]:
    """Cheapest first; two of them at about the same place."""
    rows = [
        (3962.44, 724, 9, "2 c6a.2xlarge + 7 m5a.4xlarge", ["cost"]),
        (4017.92, 724, 8, "8 m5a.4xlarge", ["nodes"]),
        (9898.8, 604, 10, "10 i3en.3xlarge", []),
        (14585.4, 404, 10, "10 d3.4xlarge", ["addresses"]),
    ]
    keys = ("usd_per_month", "subnet_addresses", "nodes", "mix", "least")
    return [dict(zip(keys, row, strict=True)) | {"bought": i == 0} for i, row in enumerate(rows)]


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
        "packed-nodes": lambda **to: plot_packed_nodes(mean_nodes(), theme=theme, **to),
        "frontier": lambda **to: plot_frontier(frontier(), theme=theme, **to),
        "forecast": lambda **to: plot_forecast(forecast(), theme=theme, **to),
        "simulation": lambda **to: plot_simulation(simulation(), theme=theme, **to),
    }
