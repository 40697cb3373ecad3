"""Section of the report: the free share of every subnet in every scenario, on one screen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from capacity.cluster.scenario import LOST, ScenarioState, tightest
from capacity.pages.check_page import runway_table, subnet_row
from capacity.pages.page import Plot, Section, Table, TableColumn
from capacity.pages.report_blocks import Block
from capacity.pages.report_material import subnets_by_room
from capacity.vpc.ledger import VERDICTS

if TYPE_CHECKING:
    from capacity.cluster.check import CheckResult
    from capacity.pages.report_material import Material

MOST_COLUMNS = 12


def free_share_section(material: Material) -> Section:
    """One row per scenario, the worst first, and what still fits; empty if there is no subnet."""
    table, result = free_share_table(material.result), material.result
    blocks: list[Block] = [table] if table.rows and len(table.columns) > 2 else []
    blocks += [_room_table(material)] if result.runway else []
    return Section("free-share", "Free share by scenario", blocks)


def _room_table(material: Material) -> Table:
    """The runway of the subnets, the tightest first."""
    table = runway_table(material.result)
    return replace(table, rows=sorted(table.rows, key=lambda row: material.order.index(row["subnet"])), name="Runway")


def free_share_table(result: CheckResult) -> Table:
    """The free share of the subnets in percent, each cell with its verdict; of many subnets only the tightest."""
    names = _subnets(result)
    rows: list[dict[str, Any]] = []
    levels: dict[tuple[int, str], str] = {}
    for number, state in enumerate(sorted(result.scenarios, key=worst_first)):
        row: dict[str, Any] = {"scenario": state.title, "verdict": state.verdict}
        for name in names:
            told, key = subnet_row(state.subnet(name), state), f"subnet {name}"
            row[key], levels[number, key] = told["free_pct"], told["verdict"]
        rows.append(row)
    shares = [TableColumn(f"subnet {name}", name, 0, 1, unit="%") for name in names]
    columns = [TableColumn("scenario", "scenario"), *shares, TableColumn("verdict", "verdict")]
    plot = Plot("scenario", tuple(c.key for c in shares))
    total = len(result.plan.subnets)
    which = f" of the {len(names)} tightest of {total:,} subnets" if len(names) < total else ""
    note = (
        "▲ tight (less than the minimum free, or, in steady and peak, the worst-case placement of pods does not fit); "
        f"✖ exhausted; {LOST}: the subnet's zone is lost in the scenario. {_stages(result)}"
    ).rstrip()
    return Table(
        columns, rows, f"Free addresses{which}, % of the usable ones", note, levels=levels, name="Free share", plot=plot
    )


def _stages(result: CheckResult) -> str:
    """Why a scenario counts as worse or better than its row."""
    told = []
    short = [s for s in result.scenarios if any(x.verdict == "exhausted" for x in s.subnets if s.is_lost(x.subnet))]
    if short:
        told.append("A subnet that is short before its zone is lost counts as exhausted.")
    if any(s.advisory and any(x.verdict == "exhausted" for x in s.left) for s in result.scenarios):
        told.append("The ceiling counts as at most tight unless the plan names it.")
    return " ".join(told)


def worst_first(state: ScenarioState) -> tuple[int, float]:
    """The key that sorts scenarios by verdict, then by the free share of the tightest subnet."""
    found = tightest([state])
    return -VERDICTS.index(state.verdict), found[1].free / found[1].subnet.usable if found else 1.0


def _subnets(result: CheckResult) -> list[str]:
    """The names of the subnets to show, in the order of the plan."""
    shown = subnets_by_room(result)[:MOST_COLUMNS]
    return [s.name for s in result.plan.subnets if s.name in shown]
