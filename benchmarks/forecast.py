"""How long a forecast of 10,000 draws takes, against numpy drawing the same random numbers.

    python benchmarks/forecast.py [RUNS]

10 growing workloads, 30 subnets, 730 days, in three layouts: each workload's node group with three subnets of
its own; ten node groups that all use all subnets; two groups that any workload may use. The bound is drawn in
the same run, in the same chunks and precision, in turn with the forecast. Prints a Markdown table for
benchmarks/RESULTS.md; nothing here is a test.
"""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np

from capacity.forecast.draws import CHUNK
from capacity.forecast.plan_growth import forecast_growth
from capacity.forecast.span import Horizon
from capacity.plan.model import Plan
from capacity.plan.parse import read_plan

PATHS, DAYS, WORKLOADS, SUBNETS = 10_000, 730, 10, 30
TYPES = ("m5.large", "m5.xlarge", "m6i.xlarge", "c6i.2xlarge", "r6i.xlarge")


def plan_text(layout: str) -> str:
    """The plan as YAML; ``own``, ``shared`` or ``any``."""
    zones = ["us-east-1a", "us-east-1b", "us-east-1c"]
    names = [f"s{i}" for i in range(SUBNETS)]
    lines = ["apiVersion: capacity/v1", "metadata: {name: bench}", "vpc:", "  cidrs: [10.0.0.0/16]", "  subnets:"]
    lines += [
        f"    - {{name: s{i}, zone: {zones[i % 3]}, cidr: 10.0.{2 * i}.0/23, used: {7 * i}}}" for i in range(SUBNETS)
    ]
    groups = 2 if layout == "any" else WORKLOADS
    lines.append("nodeGroups:")
    for g in range(groups):
        mine = names[3 * g : 3 * g + 3] if layout == "own" else names
        lines.append(
            f"  - {{name: g{g}, instanceTypes: [{TYPES[g % 5]}], nodes: {{min: 3}}, subnets: [{', '.join(mine)}]}}"
        )
    lines.append("workloads:")
    for w in range(WORKLOADS):
        where = "" if layout == "any" else f", nodeGroups: [g{w}]"
        cpu = 100 + 50 * (w % 4)
        lines.append(
            f"  - {{name: w{w}, replicas: {60 + 20 * w}, requests: {{cpu: {cpu}m, memory: 256Mi}}"
            f", growth: {{rate: {3 + w % 3}%/month, stddev: 2%}}{where}}}"
        )
    return "\n".join(lines) + "\n"


def draw_s() -> float:
    """Processor time numpy takes for the standard normals alone: one per draw, day and workload. [s]"""
    rng = np.random.default_rng(1)
    start = time.process_time()
    for first in range(0, PATHS, CHUNK):
        for _ in range(WORKLOADS):
            rng.standard_normal((DAYS + 1, min(CHUNK, PATHS - first)), dtype=np.float32)
    return time.process_time() - start


def forecast_s(plan: Plan) -> float:
    """Processor time of the whole forecast, tables included. [s]"""
    start = time.process_time()
    forecast_growth(plan, Horizon(date(2027, 1, 1), DAYS), PATHS)
    return time.process_time() - start


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"forecast, {runs} runs, Python {sys.version.split()[0]}, numpy {np.__version__}\n")
    print("| layout | forecast, s | numpy's draws, s | ratio, median (min–max) |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for layout in ("own", "shared", "any"):
            file = Path(folder) / f"{layout}.yaml"
            file.write_text(plan_text(layout))
            plan = read_plan(file)
            forecast_s(plan)
            pairs = [(forecast_s(plan), draw_s()) for _ in range(runs)]
            ratios = [f / d for f, d in pairs]
            times, bounds = (statistics.median(column) for column in zip(*pairs, strict=True))
            print(
                f"| {layout} | {times:.2f} | {bounds:.2f} | "
                f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}) |"
            )
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\npeak memory of the process: {peak_mib:.0f} MiB")


if __name__ == "__main__":
    main()
