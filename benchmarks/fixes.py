"""All scenarios and the search for a fix on generated plans: python -m benchmarks.fixes [GROUPS]."""

from __future__ import annotations

import sys
import time

from benchmarks.big_plan import plan_text
from capacity.advice.search import find_fixes, is_large
from capacity.cluster.check import check
from capacity.spec.document import Section, parse_yaml
from capacity.spec.parse import parse_plan


def measure(groups: int) -> None:
    """One plan: seconds of its check in all scenarios, and of the search."""
    document = parse_yaml(plan_text(groups, max(groups * 3 // 5, 3), groups * 20), "big.yaml")
    assert isinstance(document, Section)
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


def main() -> None:
    print("| plan | check, all scenarios | search | checks in it | each | search ÷ check | searched | outcome |")
    print("|---|---|---|---|---|---|---|---|")
    for groups in [int(sys.argv[1])] if len(sys.argv) > 1 else (5, 50, 150, 500):
        measure(groups)


if __name__ == "__main__":
    main()
