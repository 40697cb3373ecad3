"""How long a fleet takes: in one process, in two, on Dask with two workers; and how that grows with the plans.

    python -m benchmarks.fleet [PLANS] [LARGEST]

Plans are generated: three clusters in each VPC share its two subnets. The efficiency is that of two cores: the wall
clock of one process divided by twice that of the run, which means something only on a machine that does nothing else.
What else the machine does counts less in the overhead: the processor time of all processes of the run above that of
one process. Dask's start and its scheduler are part of the run; a run of three plans shows how much the start alone
takes. Prints Markdown tables for benchmarks/RESULTS.md. 2,000 and 10,000 plans take about four minutes.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.fixtures.fleets import Cluster, write_fleet

PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
PLANS, LARGEST = 2_000, 10_000
FEW = 3  # plans that take no time beside the start of their run
CORES = 2
RUNS = {"one process": [], "2 processes": ["-j", "2"], "Dask, 2 workers": ["--local-cluster", "-j", "2"]}


class Run(NamedTuple):
    """One run: wall-clock and processor time, most memory of one process, and the answer's digest."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    digest: str


def generate(folder: Path, count: int) -> None:
    """Write plans: sizes differ, and three of them share a VPC."""
    clusters = [
        Cluster(
            f"c{i:05}",
            nodes=1 + i % 7,
            most=2 + i % 7 + i % 5,
            replicas=5 + 3 * (i % 13),
            peak=5 + 3 * (i % 13) + 5 * (i % 7),
            vpc=f"vpc-{i // 3:05}",
            account=f"{i % 9:012}",
        )
        for i in range(count)
    ]
    write_fleet(folder, clusters)


def _adopt() -> None:
    """Become the parent of processes whose parent has ended (Linux), so that their processor time counts."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _reap() -> None:
    """Wait for all processes of a run."""
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def measure(folder: Path, *options: str) -> Run:
    """Run the command on the plans of a folder."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    command = [sys.executable, "-m", "capacity", "fleet", "check", str(folder), "-o", "json", "-q", "--exit-zero"]
    done = subprocess.run([*command, *options], capture_output=True, check=True)
    wall = time.perf_counter() - start
    _reap()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, cpu, after.ru_maxrss * 1024, hashlib.sha256(done.stdout).hexdigest())


def engines(place: Path, count: int) -> Run:
    """Print what each engine takes for the same plans; returns the run of one process."""
    few, many = place / "few", place / f"plans-{count}"
    generate(few, FEW)
    generate(many, count)
    starts = {name: measure(few, *options) for name, options in RUNS.items()}
    runs = {name: measure(many, *options) for name, options in RUNS.items()}
    one = runs["one process"]
    assert len({run.digest for run in runs.values()}) == 1, "the answers differ"
    print(f"{count:,} plans, load average {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores\n")
    print("| run | wall clock | efficiency | processor time | overhead per plan | start alone |")
    print("|---|---|---|---|---|---|")
    for name, run in runs.items():
        share = "" if run is one else f"{one.wall_s / (CORES * run.wall_s):.2f}"
        above = "" if run is one else f"{1000 * (run.cpu_s - one.cpu_s) / count:.2f} ms"
        cells = f"{run.wall_s:.1f} s | {share} | {run.cpu_s:.1f} s | {above} | {starts[name].wall_s:.1f} s"
        print(f"| {name} | {cells} |", flush=True)
    return one


def row(size: int, run: Run) -> None:
    cells = f"{run.wall_s:.1f} s | {run.cpu_s:.1f} s | {1000 * run.cpu_s / size:.1f} ms"
    print(f"| {size:,} | {cells} | {run.peak_bytes / 1e6:,.0f} MB |", flush=True)


def main(count: int, largest: int) -> None:
    _adopt()
    with tempfile.TemporaryDirectory() as place:
        one = engines(Path(place), count)
        print("\n| plans, one process | wall clock | processor time | per plan | most memory |")
        print("|---|---|---|---|---|")
        for size in (count // 10, largest):
            folder = Path(place) / f"growth-{size}"
            generate(folder, size)
            if size > count:
                row(count, one)
            row(size, measure(folder))


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:3]]
    main(*(given + [PLANS, LARGEST][len(given) :]))
