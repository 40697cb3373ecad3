"""All scenarios and the search for a fix on generated plans.

    python -m benchmarks.fixes [GROUPS ...] [--beside FOLDER ...]

``--beside``: sources of other versions, each measured in a process of its own, in turn at each size.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.big_plan import plan_text
from capacity.advice.effort import is_large
from capacity.advice.search import find_fixes
from capacity.cluster.check import check
from capacity.plan.document import parse_yaml
from capacity.plan.parse import parse_plan
from capacity.plan.sections import PlanSection

SIZES = ("5", "50", "150", "500")


def measure(groups: int) -> None:
    """One plan: seconds of its check in all scenarios, and of the search."""
    document = parse_yaml(plan_text(groups, max(groups * 3 // 5, 3), groups * 20), "big.yaml")
    assert isinstance(document, PlanSection)
    plan = parse_plan(document, "big.yaml")
    begin = time.process_time()
    result = check(plan)
    middle = time.process_time()
    fixes = find_fixes(document, result)
    end = time.process_time()
    found = fixes.best.names if fixes.best else "none is enough"
    each = (end - middle) / max(len(fixes.tried), 1)
    size = f"{len(plan.node_groups)} groups, {len(plan.subnets)} subnets, {len(plan.workloads):,} workloads"
    once, search = middle - begin, end - middle
    print(
        f"| {size} | {once:.2f} s ({result.verdict}) | {search:.1f} s | {len(fixes.tried)} | {each:.2f} s "
        f"| {search / once:.0f} | {'with --fixes' if is_large(result) else 'always'} | {found} |"
    )


def measure_in(folder: Path, groups: str) -> None:
    """The same with the sources in a folder, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.fixes", groups]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": "."}, check=True, capture_output=True, text=True
    )
    print(f"| {folder.name} {done.stdout.splitlines()[-1]}", flush=True)


def main() -> None:
    given = sys.argv[1:]
    cut = given.index("--beside") if "--beside" in given else len(given)
    sizes, beside = given[:cut] or SIZES, [Path(name).resolve() for name in given[cut + 1 :]]
    head = "plan | check, all scenarios | search | sets tried | each | search ÷ check | searched | outcome |"
    print(f"| {'sources | ' if beside else ''}{head}")
    print("|---" * (head.count("|") + bool(beside)) + "|")
    for size in sizes:
        if not beside:
            measure(int(size))
        for folder in [*beside, Path.cwd()] if beside else []:
            measure_in(folder, size)


if __name__ == "__main__":
    main()
