"""The pool of every type × every mode × 1…250 pods by the closed form, against moving the same arrays in memory.

    python -m benchmarks.sweep [RUNS]

One core. Prints a Markdown table for benchmarks/RESULTS.md; nothing here is a test.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import numpy as np

from capacity.catalog.table import load_catalog
from capacity.cni.sweep import FIELDS, TypeArrays, sweep, type_arrays
from capacity.node.frames import max_pods_frame
from capacity.node.platform import Platform
from capacity.plan.cni_env import CniSettings, cni_settings

PREFIX, CUSTOM = {"ENABLE_PREFIX_DELEGATION": "true"}, {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"}
WARM_IP = {"WARM_IP_TARGET": "5", "MINIMUM_IP_TARGET": "10"}
MODES = {
    "secondary IPs, WARM_ENI_TARGET": {},
    "secondary IPs, WARM_IP_TARGET": WARM_IP,
    "secondary IPs, MINIMUM_IP_TARGET": {"MINIMUM_IP_TARGET": "30"},
    "prefixes, WARM_PREFIX_TARGET": PREFIX,
    "prefixes, WARM_IP_TARGET": PREFIX | WARM_IP,
    "custom networking": CUSTOM,
    "custom networking, prefixes": CUSTOM | PREFIX,
    "security groups for pods": {"ENABLE_POD_ENI": "true"},
    "IPv6 (types that have it)": PREFIX | {"ENABLE_IPv6": "true"},
}
PODS = np.arange(1, 251, dtype=np.int32)
FOUR = ("enis", "pod_addresses", "subnet_addresses", "pods_without_address")
Work = tuple[TypeArrays, CniSettings, np.ndarray[tuple[int], np.dtype[np.int32]]]


def quickest_s(work: Callable[[], object], runs: int) -> float:
    """Time of the quickest run: the others had to share the machine. [s]"""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def recommended(arrays: TypeArrays, settings: CniSettings) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """Max pods of each type in the arrays as EKS gives them to a managed node group. [pods]"""
    on = Platform(
        mode="ipv6" if settings.ipv6 else "prefix" if settings.prefix else "secondary",
        custom_networking=settings.custom_networking,
        pod_eni=settings.pod_eni,
    )
    column = max_pods_frame(load_catalog(), on).set_index("instance_type")["max_pods_recommended"]
    return column.loc[list(arrays.names)].fillna(110).to_numpy(dtype=np.int32)


def row(name: str, states: int, columns: int, seconds: float, bound_s: float) -> str:
    """A line of the table: how long, how many states a second, and against writing the same arrays."""
    rate = states / seconds / 1e6
    return f"| {name} | {columns} | {seconds * 1e3:.2f} | {rate:,.0f} | {bound_s * 1e3:.2f} | {seconds / bound_s:.2f} |"


def main() -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    arrays = type_arrays(load_catalog())
    able = type_arrays(kind for kind in load_catalog() if kind.prefixes_possible is not False)
    every: list[Work] = []
    for env in MODES.values():
        settings, _ = cni_settings(env)
        of = able if settings.ipv6 else arrays
        every.append((of, settings, recommended(of, settings)))
    # No two rows alike: nothing can be worked out once for several types.
    apart = [(of, settings, np.arange(len(of.names), dtype=np.int32) + 20) for of, settings, _ in every]
    print(f"sweep, {len(arrays.names):,} types × {len(PODS)} pod counts, {runs} runs, NumPy {np.__version__}\n")
    print("| mode | columns | ms | million states/s | copy of the same arrays, ms | ÷ copy |")
    print("|---|---:|---:|---:|---:|---:|")

    def measure(name: str, columns: tuple[str, ...], work: list[Work]) -> None:
        grids = [sweep(of, s, PODS, m, columns=columns) for of, s, m in work]
        copies = [{c: g[c].copy() for c in columns} for g in grids]

        def answer() -> None:
            for (of, settings, max_pods), grid in zip(work, grids, strict=True):
                sweep(of, settings, PODS, max_pods, columns=columns, out=grid)

        def move() -> None:
            for grid, copy in zip(grids, copies, strict=True):
                for column in columns:
                    np.copyto(grid[column], copy[column])

        states = sum(grid.states for grid in grids)
        print(row(name, states, len(columns), quickest_s(answer, runs), quickest_s(move, runs)))

    for name, one in zip(MODES, every, strict=True):
        measure(name, FOUR, [one])
    measure("**all modes**", FOUR, every)
    measure("all modes, addresses alone", ("subnet_addresses",), every)
    measure("all modes, every figure", FIELDS, every)
    measure("all modes, no two rows alike", ("subnet_addresses",), apart)
    measure("all modes, no two rows alike", FOUR, apart)


if __name__ == "__main__":
    main()
