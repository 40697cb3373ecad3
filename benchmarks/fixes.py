"""All scenarios and the search for a fix on generated plans: python -m benchmarks.fixes [GROUPS]."""

from __future__ import annotations

import sys
import time

from benchmarks.big_plan import plan_text
from capacity.advice.fixes import find_fixes
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
    print(
        f"{groups:>4} groups: check {middle - begin:.2f} s ({result.verdict}), "
        f"search {end - middle:.1f} s for {len(fixes.tried)} checks ({each:.2f} s each): {found}"
    )


def main() -> None:
    for groups in [int(sys.argv[1])] if len(sys.argv) > 1 else (5, 50, 500):
        measure(groups)


if __name__ == "__main__":
    main()
