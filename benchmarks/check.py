"""`check` on a large generated plan, against the YAML library's own load of the file, and on one ten times smaller.

    python -m benchmarks.check [RUNS]

One process, the parts in turn so that a slow spell of the machine hits each alike. Prints Markdown tables for
benchmarks/RESULTS.md; nothing here is a test.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from benchmarks.big_plan import plan_text
from capacity.advice.findings.rules import findings
from capacity.cluster.check import check
from capacity.cni.facade import slots_and_enis
from capacity.plan.document import collector_paused, read_document
from capacity.plan.parse import read_plan

SIZES = {"50 groups, 30 subnets, 1,000 workloads": (50, 30, 1_000), "500, 300, 10,000": (500, 300, 10_000)}


def plain_load(path: Path) -> object:
    """The YAML library's own quickest safe load."""
    with path.open("rb") as stream:
        return yaml.load(stream, Loader=yaml.CSafeLoader)


def plain_load_paused(path: Path) -> object:
    """The same with the garbage collector paused, as our own reader pauses it."""
    with collector_paused():
        return plain_load(path)


def seconds(work: Callable[[Path], object], path: Path) -> float:
    """Wall time of one run, garbage of earlier ones collected first. [s]"""
    gc.collect()
    start = time.perf_counter()
    work(path)
    return time.perf_counter() - start


def whole(path: Path, scenarios: Sequence[str] | None = None) -> None:
    """All that `capacity check` does between start and print, nothing remembered from earlier runs."""
    slots_and_enis.cache_clear()
    findings(check(read_plan(path), scenarios))


def steady_and_peak(path: Path) -> None:
    """The same with the two scenarios that every plan has."""
    whole(path, ("steady", "peak"))


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    columns = {
        "library's load": plain_load,
        "the same, collector paused": plain_load_paused,
        "our load, with lines": read_document,
        "read the plan": read_plan,
        "and check steady and peak": steady_and_peak,
        "and check every scenario": whole,
    }
    print(f"check, quickest of {runs} runs, seconds; PyYAML {yaml.__version__} with libyaml\n")
    print("| plan | " + " | ".join(columns) + " | our load ÷ paused | steady and peak beyond paused |")
    print("|---|" + "---:|" * (len(columns) + 2))
    totals = []
    with tempfile.TemporaryDirectory() as folder:
        for name, size in SIZES.items():
            path = Path(folder) / "plan.yaml"
            path.write_text(plan_text(*size))
            whole(path)
            times: dict[str, list[float]] = {column: [] for column in columns}
            for _ in range(runs):
                for column, work in columns.items():
                    times[column].append(seconds(work, path))
            _, library, load, _, total, _ = (min(times[column]) for column in columns)
            totals.append(total)
            cells = " | ".join(f"{min(times[column]):.3f}" for column in columns)
            print(f"| {name} | {cells} | {load / library:.2f} | {total - library:.3f} |")
    print(f"\nTen times the plan takes {totals[1] / totals[0]:.1f} times as long (steady and peak).")


if __name__ == "__main__":
    main()
