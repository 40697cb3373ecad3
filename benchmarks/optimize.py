"""How close to the bound a packing comes, and how long that takes, against pods, shapes and types.

    python -m benchmarks.optimize [EFFORT]

Plans are drawn with a fixed seed from the product's own market: m, c and r types of generations 5 to 8 with a us-east-1
price, AL2023, Karpenter, five daemonset pods. ``cpu``, ``mem`` and ``mixed`` pods request what their names say, ``ip``
pods next to nothing. Beside each packing stands first-fit decreasing on the best single type. CPU seconds of one
thread. Prints a Markdown table for benchmarks/RESULTS.md; nothing here is a test.
"""

from __future__ import annotations

import random
import resource
import sys
import time

import numpy as np

from capacity.optimize.choices import Choices
from capacity.optimize.market import Market, packing_problem, pods_of
from capacity.optimize.nodes import first_fit
from capacity.optimize.open_plan import Document, draft_of, sketched
from capacity.optimize.pack import EFFORTS, pack
from capacity.optimize.problem import Problem, check_packing
from capacity.optimize.request import Request, market_of

TYPES = tuple(f"{letter}{generation}*" for letter in "mcr" for generation in "5678")
FAMILIES = {  # least and most millicores, MiB
    "cpu": ((500, 4000), (256, 2048)),
    "mem": ((100, 500), (2048, 16384)),
    "mixed": ((100, 4000), (128, 16384)),
    "ip": ((10, 100), (16, 128)),
}
DAEMONS = (("aws-node", 50, 0, True), ("kube-proxy", 100, 0, True), *((f"agent-{i}", 60, 104, False) for i in range(3)))
CASES = (
    ("mixed", 8, 40), ("mixed", 12, 150), ("cpu", 1, 1000), ("mem", 1, 1000), ("ip", 1, 1000),
    ("cpu", 5, 5000), ("mem", 5, 5000), ("mixed", 5, 5000), ("ip", 5, 5000),
    ("mixed", 20, 20_000), ("ip", 20, 20_000), ("mixed", 50, 100_000), ("ip", 50, 100_000),
)  # fmt: skip
SMALL_NODES = ("mixed", 50, 100_000, 16)  # the same on types of at most 16 vCPUs


def plan_of(family: str, shapes: int, pods: int) -> Document:
    """A plan of so many workloads that share the pods unevenly."""
    rng = random.Random(f"{family} {shapes} {pods}")
    (low_cpu, high_cpu), (low_memory, high_memory) = FAMILIES[family]
    weights = [rng.uniform(1, 5) for _ in range(shapes)]
    counts = [max(int(pods * w / sum(weights)), 1) for w in weights]
    counts[0] += pods - sum(counts)
    made = [
        (
            f"w{i}",
            f"{rng.randrange(low_cpu, high_cpu + 1, 10)}m",
            f"{rng.randrange(low_memory, high_memory + 1, 16)}Mi",
            n,
        )
        for i, n in enumerate(counts)
    ]
    document = sketched(made)
    document["daemonSets"] = [
        {"name": name, "hostNetwork": str(host).lower(), "requests": {"cpu": f"{cpu}m", "memory": f"{memory}Mi"}}
        for name, cpu, memory, host in DAEMONS
    ]
    return document


def market_for(document: Document, max_vcpus: int | None = None) -> tuple[Market, Problem]:
    """The types that may be bought, and the packing problem."""
    choices = Choices(types=TYPES, provisioner="karpenter", max_vcpus=max_vcpus)
    draft = draft_of(document, choices)
    market, _ = market_of(draft, Request(choices))
    return market, packing_problem(market, pods_of(draft.plan, draft.workloads), peak=False)


def best_single_type(problem: Problem) -> float:
    """First-fit decreasing on each type alone, of the types with the lowest sums; the cheapest. [USD per hour]"""
    need = problem.counts @ problem.demand
    with np.errstate(divide="ignore", invalid="ignore"):
        nodes = np.ceil(np.where(need > 0, need / np.maximum(problem.room, 1e-9), 0.0)).max(axis=1)
    least = np.where((problem.caps > 0).all(axis=1), nodes * problem.prices, np.inf)
    best = float("inf")
    for kind in np.argsort(least)[:10]:
        if least[kind] < best:
            best = min(best, problem.cost(first_fit(problem, int(kind), problem.counts)))
    return best


def main() -> None:
    """Print the table."""
    effort = sys.argv[1] if len(sys.argv) > 1 else "normal"
    print(f"| plan | types | CPU s, {effort} | USD per hour | above the bound, % | best single type, % | MiB |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for family, shapes, pods, *most in (*CASES, SMALL_NODES):
        market, problem = market_for(plan_of(family, shapes, pods), *most)
        start = time.process_time()
        found = pack(problem, EFFORTS[effort])
        took = time.process_time() - start
        check_packing(problem, found.patterns)
        single = best_single_type(problem) / found.bound - 1
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        limit = f", at most {most[0]} vCPUs" if most else ""
        print(
            f"| {family}, {shapes} × {pods:,}{limit} | {len(market.candidates)} | {took:.1f} | {found.cost:,.4f} "
            f"| {100 * (found.cost / found.bound - 1):.2f} | {100 * single:.1f} | {peak} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
