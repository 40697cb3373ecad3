"""What the scenarios of a check hold over time, as JSON and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from capacity.advice.simulated_use import SimulatedUse
from capacity.pages.page import Table, TableColumn


def simulated_json(uses: Sequence[SimulatedUse]) -> list[dict[str, Any]]:
    """``results.simulated`` of `check --simulate`."""
    return [asdict(use) for use in uses]


def simulated_table(uses: Sequence[SimulatedUse]) -> Table:
    """The most that is held at the same time: P5, P50 and P95 of the simulations."""
    rows = [{**asdict(use), "out": f"{use.exhausted_share:.0%}"} for use in uses]
    columns = (
        TableColumn("scenario", "scenario"),
        TableColumn("subnet", "subnet"),
        TableColumn("usable", "usable", 1),
        TableColumn("used_p5", "P5", 1),
        TableColumn("used_p50", "P50"),
        TableColumn("used_p95", "P95"),
        TableColumn("out", "runs out in"),
    )
    number = uses[0].simulations if uses else 0
    levels = {(n, "out"): "exhausted" for n, use in enumerate(uses) if use.exhausted_share}
    return Table(columns, rows, f"Most addresses held at the same time, {number} simulations", levels=levels)
