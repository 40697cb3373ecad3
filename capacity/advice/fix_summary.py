"""Sentences about the result of a search for a fix."""

from __future__ import annotations

from capacity.advice.fixes import Fix, Fixes
from capacity.cost.dollar_words import AT_REST, usd_change
from capacity.units import counted


def fix_sentence(fixes: Fixes) -> str:
    """What the search for a fix found: the smallest set that is enough, or the nearest."""
    if fixes.best is not None:
        what = f"{fixes.best.names} makes the verdict ok (checked on the changed plan)"
    elif fixes.partial is not None:
        what = f"{fixes.partial.names} is enough for the addresses (checked on the changed plan), but "
        what += remains_words(fixes.partial)
    elif fixes.nearest is not None:
        what = "no change that was tried makes the verdict ok; "
        what += f"the nearest is {fixes.nearest.names} ({fixes.nearest.verdict})"
    else:
        return NOTHING_HELPS if fixes.tried else "no lever can be applied to this plan."
    found = fixes.found
    assert found is not None
    return f"{what}: {'; '.join(lever.summary for lever in found.levers)}."


def freed_sentence(fix: Fix, most: int) -> str:
    """Largest changes in free addresses, for at most ``most`` subnets; empty if there are none."""
    largest = sorted(fix.frees.items(), key=lambda f: -abs(f[1]))
    told = [f"{name} {change:+,}" for name, change in largest[:most]]
    rest = len(largest) - most
    more = f" and {counted(rest, 'more subnet')}" if rest > 0 else ""
    return f"Free addresses in the worst scenario: {', '.join(told)}{more}." if told else ""


def dollars_sentence(fix: Fix) -> str:
    """Change of the monthly cost; empty if no cost was compared."""
    changes = [change for name, change in fix.usd.items() if name in AT_REST]
    if changes and not any(change != 0 for change in changes):
        return "The cost per month stays the same."
    told = [f"{usd_change(change)} {AT_REST[name]}" for name, change in fix.usd.items() if name in AT_REST]
    return f"Change of the cost per month: {', '.join(told)}." if told else ""


def remains_words(fix: Fix) -> str:
    """Pods that stay unschedulable with a fix, and the limit."""
    return ", ".join(f"{entry} ({REASON_WORDS.get(entry.reason, entry.reason)})" for entry in fix.remains)


NOTHING_HELPS = "no lever that was tried brings the plan closer to ok."
REASON_WORDS = {"max_pods": "max pods", "branch_enis": "branch ENIs", "nodes": "no node can start"}


def stopped_sentence(fixes: Fixes) -> str:
    """Note that the search ended before all sets were checked; empty if it did not."""
    if fixes.interrupted:
        return f"The search was interrupted after {counted(len(fixes.tried), 'set')}: a smaller fix may exist."
    if not fixes.complete:
        return f"The search ended at its limit of checks ({len(fixes.tried):,} sets): a smaller fix may exist."
    return ""
