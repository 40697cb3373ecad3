"""Section of the report: the free share of every subnet in every scenario, on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from capacity.cluster.scenario import LOST, ScenarioState, tightest
from capacity.pages.check_page import subnet_row
from capacity.pages.page import Section, Table, TableColumn
from capacity.vpc.ledger import VERDICTS

if TYPE_CHECKING:
    from capacity.cluster.check import CheckResult

MOST_COLUMNS = 12


def free_share_section(result: CheckResult) -> Section:
    """One row per scenario, the worst first; empty if there is no subnet."""
    table = free_share_table(result)
    return Section("free-share", "Free share by scenario", [table] if table.rows and len(table.columns) > 2 else [])


def free_share_table(result: CheckResult) -> Table:
    """The free share of the subnets in percent, each cell with its verdict; of many subnets only the tightest."""
    names = _subnets(result)
    rows: list[dict[str, Any]] = []
    levels: dict[tuple[int, str], str] = {}
    for number, state in enumerate(sorted(result.scenarios, key=_worst_first)):
        row: dict[str, Any] = {"scenario": state.title, "verdict": state.verdict}
        for name in names:
            told, key = subnet_row(state.subnet(name), state), f"subnet {name}"
            row[key], levels[number, key] = told["free_pct"], told["verdict"]
        rows.append(row)
    shares = [TableColumn(f"subnet {name}", name, 0, 1) for name in names]
    columns = [TableColumn("scenario", "scenario"), *shares, TableColumn("verdict", "verdict")]
    total = len(result.plan.subnets)
    which = f" of the {len(names)} tightest of {total:,} subnets" if len(names) < total else ""
    note = (
        "▲ tight (less than the minimum free, or, in steady and peak, the worst-case placement of pods does not fit); "
        f"✖ exhausted; {LOST}: the subnet's zone is lost in the scenario."
    )
    return Table(columns, rows, f"Free addresses{which}, % of the usable ones", note, levels=levels)


def _worst_first(state: ScenarioState) -> tuple[int, float]:
    found = tightest([state])
    return -VERDICTS.index(state.verdict), found[1].free / found[1].subnet.usable if found else 1.0


def _subnets(result: CheckResult) -> list[str]:
    """The names of the subnets to show, in the order of the plan."""
    least: dict[str, float] = {}
    for state in result.scenarios:
        for s in state.left:
            least[s.subnet.name] = min(s.free / s.subnet.usable, least.get(s.subnet.name, 1.0))
    shown = sorted(least, key=lambda name: least[name])[:MOST_COLUMNS]
    return [s.name for s in result.plan.subnets if s.name in shown]
