"""The answer of `capacity size`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from capacity.advice.subnet_snippets import KINDS, snippets
from capacity.cli.output import Answer, Table
from capacity.cluster.sizing import SizedSubnet, Sizing


def answer(sizing: Sizing, snippet: str, target: Mapping[str, Any]) -> Answer:
    """Sizes, blocks and snippets in every format."""
    texts = snippets(sizing)
    rows = [_row(s) for s in sizing.subnets]
    plan = sizing.result.plan
    inputs = {
        "plan": None if target else plan.file,
        **target,
        "headroom": f"{float(100 * plan.checks.min_free):g}%",
        "vpc_cidrs": [str(c) for c in plan.vpc_cidrs],
        "scenarios": list(dict.fromkeys(s.name for s in sizing.result.scenarios)),
    }
    results = {
        "verdict": sizing.result.verdict,
        "subnets": rows,
        "added_vpc_cidrs": [str(c) for c in sizing.added_blocks],
        "snippets": texts,
    }
    shown = [k for k in KINDS if snippet in (k, "all") and texts[k]]
    blocks: list[str | Table] = [_sentence(sizing), "", _table(sizing), ""]
    blocks += _why(sizing)
    for name in shown:
        blocks += [f"# {name}", texts[name], ""]
    return Answer("size", inputs, results, blocks, rows, [*sizing.result.notes, *sizing.notes])


def _row(s: SizedSubnet) -> dict[str, Any]:
    return {
        "name": s.name,
        "zone": s.zone,
        "serves": s.serves,
        "needed": f"/{s.needed}",
        "existing": str(s.existing) if s.existing else None,
        "cidr": str(s.cidr),
        "action": "keep" if s.kept else "new",
        "growth_ready": None if s.kept else s.growth_ready,
        "usable": s.tightest.subnet.usable,
        "free_in_tightest": s.tightest.free,
        "tightest_scenario": s.scenario,
        "used_highest": s.tightest.used_highest,
        "prefix_reservations": [str(r) for r in s.reservations],
        "smaller_fails": s.smaller_fails or None,
    }


def _sentence(sizing: Sizing) -> str:
    new = [s for s in sizing.subnets if not s.kept]
    share = float(100 * sizing.result.plan.checks.min_free)
    names = ", ".join(dict.fromkeys(s.name for s in sizing.result.scenarios))
    if not new:
        return f"Every subnet suffices as it is: at least {share:g} % stays free ({names})."
    addresses = sum(s.cidr.num_addresses for s in new)
    kept = len(sizing.subnets) - len(new)
    also = f", {kept} kept" if kept else ""
    return f"{len(new)} new subnets of {addresses:,} addresses{also}: at least {share:g} % stays free ({names})."


def _table(sizing: Sizing) -> Table:
    rows = [
        _row(s)
        | {
            "grows": "–" if s.kept else "yes" if s.growth_ready else "no",
            "tightest": f"{s.tightest.free:,} in {s.scenario}",
            "existing": str(s.existing) if s.existing else "–",
        }
        for s in sizing.subnets
    ]
    columns = [
        ("name", "subnet"),
        ("zone", "zone"),
        ("serves", "serves"),
        ("needed", "needs"),
        ("existing", "has"),
        ("action", "action"),
        ("cidr", "block"),
        ("grows", "room to grow"),
        ("usable", "usable"),
        ("tightest", "fewest free"),
    ]
    if all(s.existing is None for s in sizing.subnets):
        columns = [c for c in columns if c[0] not in ("existing", "action")]
    if any(s.reservations for s in sizing.subnets):
        columns.append(("prefix_reservations", "reserve for prefixes"))
    return Table(columns, rows)


def _why(sizing: Sizing) -> list[str | Table]:
    lines = [f"{s.name}: {s.smaller_fails}" for s in sizing.subnets if s.smaller_fails]
    if not lines:
        return []
    return ["Why not one size smaller:", *lines, ""]
