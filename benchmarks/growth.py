"""Peak memory and processor time of whole commands on plans of ten times and a hundred times the size.

    python -m benchmarks.growth [CASE…]

Each row is one process of the command, measured by the kernel (`wait4`): nothing of this script is in it. Cases are
`forecast` (uncertain growth of ever more workloads), `report` (200 subnets, 100 groups), `check` (500 and 5,000
groups) and `counts` (ten million replicas, the most that a plan may say, in every command). Prints Markdown tables for
benchmarks/RESULTS.md; nothing here is a test.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.big_plan import plan_text

MOST_MIB = 512  # of a forecast or report of a large plan
MOST_REPLICAS = 10_000_000


@dataclass(frozen=True)
class Measured:
    """One process: its exit code, peak resident set and user + system time."""

    code: int
    peak_mib: float
    cpu_s: float


def measured(arguments: list[str]) -> Measured:
    """``python -m capacity`` with these arguments, its answers thrown away."""
    process = subprocess.Popen(
        [sys.executable, "-m", "capacity", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)  # the child is gone: Popen need not wait for it
    peak = used.ru_maxrss / 1024 if sys.platform != "darwin" else used.ru_maxrss / 1024 / 1024
    return Measured(process.returncode, peak, used.ru_utime + used.ru_stime)


def growing_plan(groups: int, workloads: int, subnets: int) -> str:
    """Workloads that grow at an uncertain rate, each on one group of three subnets of its own choice."""
    lines = ["apiVersion: capacity/v1", "metadata: {name: growing}", "vpc:"]
    lines += ["  cidrs: [" + ", ".join(f"10.{b}.0.0/16" for b in range(subnets // 16 + 1)) + "]", "  subnets:"]
    for i in range(subnets):
        lines.append(f"    - {{name: s{i}, zone: us-east-1{'abc'[i % 3]}, cidr: 10.{i // 16}.{i % 16 * 16}.0/20}}")
    lines.append("nodeGroups:")
    types = ("m5.large", "m5.xlarge", "c6i.2xlarge")
    for i in range(groups):
        own = ", ".join(f"s{(3 * i + z) % subnets}" for z in range(3))
        nodes = "{min: 1, desired: 3, max: 60}"
        lines.append(f"  - {{name: g{i}, instanceTypes: [{types[i % 3]}], nodes: {nodes}, subnets: [{own}]}}")
    lines.append("workloads:")
    for i in range(workloads):
        lines.append(
            f"  - {{name: w{i}, replicas: {{now: 5, max: 10}}, requests: {{cpu: {50 + 50 * (i % 2)}m, memory: 64Mi}}"
            f", nodeGroups: [g{i % groups}], growth: {{rate: 4%/month, stddev: 1%}}}}"
        )
    return "\n".join(lines) + "\n"


def many_pods(nodes: str, growth: str = "") -> str:
    """One workload of the most replicas, on one group."""
    return f"""\
apiVersion: capacity/v1
metadata: {{name: many}}
vpc:
  cidrs: [10.0.0.0/16]
  subnets:
    - {{name: private-a, zone: us-east-1a, cidr: 10.0.0.0/18}}
    - {{name: private-b, zone: us-east-1b, cidr: 10.0.64.0/18}}
nodeGroups: [{{name: general, instanceTypes: [m5.large], nodes: {{{nodes}}}, subnets: [private-a, private-b]}}]
workloads:
  - {{name: web, replicas: {MOST_REPLICAS}, requests: {{cpu: 250m, memory: 512Mi}}{growth}}}
"""


# --- cases ----------------------------------------------------------------------------------------

Row = tuple[str, list[str], str]  # what it is, the command with PLAN for the file, the plan


def forecasts() -> Iterator[Row]:
    for workloads in (25, 250, 2500):
        yield f"`forecast`, {workloads:,} workloads, 5 groups", ["forecast", "PLAN"], growing_plan(5, workloads, 6)
    yield "`forecast`, 400 workloads, 100 groups", ["forecast", "PLAN"], growing_plan(100, 400, 200)


def reports() -> Iterator[Row]:
    for form in ("md", "html"):
        command = ["report", "PLAN", "-o", form, "--out-file", "OUT"]
        yield f"`report -o {form}`, 200 subnets, 100 groups, 400 workloads", command, growing_plan(100, 400, 200)


def checks() -> Iterator[Row]:
    for groups in (500, 5000):
        what = f"`check`, {groups:,} groups, {groups * 3 // 50} subnets, {2 * groups:,} workloads"
        yield what, ["check", "PLAN", "--exit-zero"], plan_text(groups, groups * 3 // 50, 2 * groups)


def counts() -> Iterator[Row]:
    growth = ", growth: {rate: 4%/month, stddev: 1%}"
    for name, plan in {
        "as many nodes as they need": many_pods("min: 2", growth),
        "at most 20 nodes": many_pods("min: 2, max: 20", growth),
        "ten million nodes": many_pods(f"min: {MOST_REPLICAS}, max: {MOST_REPLICAS}", growth),
    }.items():
        for command in (
            ["check", "PLAN", "--fixes", "--exit-zero"],
            ["forecast", "PLAN"],
            ["size", "PLAN"],
            ["warm", "PLAN"],
            ["compare", "PLAN", "--set", "cni.env.WARM_IP_TARGET=3"],
            ["explain", "private-a", "PLAN"],
            ["report", "PLAN", "-o", "md", "--out-file", "OUT"],
        ):
            yield f"`{command[0]}`, {name}", command, plan
    node = ["node", "m5.large", "--pod-cpu", "250m", "--pods", str(MOST_REPLICAS)]
    yield "`node --pods`", node, ""


CASES: dict[str, Callable[[], Iterator[Row]]] = {
    "forecast": forecasts,
    "report": reports,
    "check": checks,
    "counts": counts,
}


def main() -> None:
    for case in sys.argv[1:] or CASES:
        print("\n| | exit | peak, MiB | processor time, s |\n|---|---:|---:|---:|")
        with tempfile.TemporaryDirectory() as place:
            path, out = Path(place) / "plan.yaml", Path(place) / "out"
            for what, command, plan in CASES[case]():
                path.write_text(plan)
                words = [{"PLAN": str(path), "OUT": str(out)}.get(word, word) for word in command]
                found = measured(words)
                mark = " (too much)" if found.peak_mib > MOST_MIB and case in ("forecast", "report") else ""
                print(f"| {what} | {found.code} | {found.peak_mib:.0f}{mark} | {found.cpu_s:.1f} |", flush=True)


if __name__ == "__main__":
    main()
