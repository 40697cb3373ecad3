"""The rows of `warm` with what a simulation under churn adds to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from capacity.advice.warm_churn import ChurnAsked, ChurnLoad, churn_figures, hours_for, typical_loads
from capacity.advice.warm_rows import NodeKind, WarmRow, WarmTargets


def rows_under_churn(
    rows: Sequence[WarmRow], kinds: Sequence[NodeKind], asked: ChurnAsked | None, settings: int, *, discovery: bool
) -> list[WarmRow]:
    """Rows of one mode with their simulation, if it is asked; ``settings`` are all that share the budget."""
    if asked is None or not rows:
        return list(rows)
    last = [k for k in kinds if k.population == kinds[-1].population and k.nodes]
    loads = typical_loads([ChurnLoad(k.limits, k.settings, k.max_pods, k.pods, k.nodes) for k in last])
    hours = hours_for(asked, settings, len(loads))
    found = []
    for row in rows:
        on = [row.targets.on(load.settings) for load in loads]
        found.append(replace(row, churn=churn_figures(on, loads, asked, hours, discovery=discovery)))
    return found


def usual_row(rows: Sequence[WarmRow], *, prefix: bool) -> WarmRow:
    """The chart's default of a mode."""
    return next(r for r in rows if r.targets == WarmTargets(prefix, units=1))
