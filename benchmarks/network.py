"""Free /28 blocks from counts, and sizing, in processor time.

    python -m benchmarks.network

Prints Markdown tables for benchmarks/RESULTS.md; nothing here is a test.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from ipaddress import IPv4Network
from pathlib import Path

from benchmarks.big_plan import plan_text
from capacity.cluster.sizing import size_plan
from capacity.errors import InfeasiblePlan
from capacity.plan.document import parse_yaml
from capacity.plan.model import Plan, Subnet
from capacity.plan.parse import parse_plan, read_plan
from capacity.vpc.fragments import fragments_of_counts, fragments_of_list


def seconds(work: Callable[[], object]) -> float:
    """Processor time of one run. [s]"""
    start = time.process_time()
    work()
    return time.process_time() - start


def fragments(length: int, used: int) -> None:
    found = fragments_of_counts(Subnet("s", "z", IPv4Network(f"10.0.0.0/{length}")), used)
    found.likely(Fraction(95, 100))


def listed(length: int, used: int) -> None:
    block = IPv4Network(f"10.0.0.0/{length}")
    step = block.num_addresses // (used + 1)
    taken = [IPv4Network(int(block.network_address) + step * (i + 1)) for i in range(used)]
    fragments_of_list(Subnet("s", "z", block), taken)


def sized(plan: Plan) -> None:
    with suppress(InfeasiblePlan):  # the sizes are found before they are laid out
        size_plan(plan, fresh=True)


def main() -> None:
    print("| subnet | addresses taken | expected and 95 % level | from a list |\n|---|---|---|---|")
    for length in (24, 20, 18, 16):
        used = (1 << (32 - length)) // 16
        times = seconds(lambda: fragments(length, used)), seconds(lambda: listed(length, used))  # noqa: B023
        print(f"| /{length} | {used:,} | {times[0]:.3f} s | {times[1]:.3f} s |")
    print("\n| plan | sizing, all scenarios |\n|---|---|")
    big = parse_plan(parse_yaml(plan_text(500, 60, 300), "big"))
    for name, plan in (("the example", read_plan(Path("examples/shop-prod.yaml"))), ("500 groups, 60 subnets", big)):
        print(f"| {name} | {seconds(lambda: sized(plan)):.2f} s |")  # noqa: B023


if __name__ == "__main__":
    main()
