"""Sections of the report: the subnets, and every scenario."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from capacity.advice.summary import waste_sentence
from capacity.cluster.group_shapes import gives_prefixes
from capacity.cluster.scenario import ScenarioState, first_and_worst, tightest
from capacity.pages.cells import brief
from capacity.pages.check_page import subnets_table
from capacity.pages.page import Chart, Plot, Section, Table, TableColumn, Text
from capacity.pages.report_blocks import Block
from capacity.pages.report_free_share import worst_first
from capacity.vpc.ledger import SubnetState

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from capacity.charts.theme import Theme
    from capacity.cluster.check import CheckResult
    from capacity.cluster.headroom import HeadroomCurve
    from capacity.pages.report_material import Material

MOST_BLOCK_MAPS = 2
_HOLDERS = Plot("subnet", ("pods", "warm", "enis", "others", "free"), stacked=True)


def subnets_section(material: Material) -> Section:
    """Who holds the addresses in steady and in the worst scenario, and how much more fits."""
    result = material.result
    states = first_and_worst(result.scenarios)
    blocks: list[Block] = [_states_chart(state) for state in states if state.left]
    blocks += [_full_table(state) for state in states]
    waste = waste_sentence(result)
    blocks += [Text(waste)] if waste else []
    blocks += [_headroom_chart(i, curve, material.order) for i, curve in enumerate(material.headroom, 1)]
    blocks += [Text(material.left_out)] if material.left_out else []
    blocks += _block_maps(result)
    return Section("subnets", "Subnets", blocks)


def _full_table(state: ScenarioState, *, folded: bool = False) -> Table:
    """The subnets of one scenario, the tightest first, lost ones last; its rule is the note."""
    table = subnets_table(state, folded=folded)
    rows = sorted(table.rows, key=lambda row: _room(row["free"], row["usable"]))
    note = f"{state.rule[:1].upper()}{state.rule[1:]}."
    return replace(table, rows=rows, title=f"{state.title}: {_told(state)}", note=note, name=state.title, plot=_HOLDERS)


def _room(free: int | str, usable: int) -> float:
    return free / usable if isinstance(free, int) else float("inf")


def _told(state: ScenarioState) -> str:
    """The verdict of a scenario and its tightest subnet: ``exhausted, private-b 43 addresses short``."""
    found = tightest([state])
    if found is None:
        return state.verdict
    least = found[1]
    room = f"{least.free:,} of {least.subnet.usable:,} free" if least.free >= 0 else f"{-least.free:,} short"
    return f"{state.verdict}, {brief(least.subnet.name)} {room}"


def _states_chart(state: ScenarioState) -> Chart:
    def draw(theme: Theme) -> Figure:
        from capacity.charts.subnets import plot_subnet_states

        return plot_subnet_states(state, theme=theme)

    parts = [
        f"{brief(s.subnet.name)} " + (f"{s.free:,} free" if s.free >= 0 else f"{-s.free:,} short")
        for s in sorted(state.left, key=lambda s: s.free / s.subnet.usable)[:5]
    ]
    name = "subnets-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in state.title.lower())[:60]
    return Chart(name, f"Use of addresses: {state.title}", "; ".join(parts) + ".", draw)


def _headroom_chart(number: int, curve: HeadroomCurve, order: Sequence[str]) -> Chart:
    def draw(theme: Theme) -> Figure:
        from capacity.charts.subnets import plot_headroom

        return plot_headroom(curve, order=order, theme=theme)

    ends = [(e, n) for n, e in zip(curve.subnets, curve.exhausted_at, strict=True) if e is not None]
    words = "; ".join(f"{brief(name)} is full at {end:,} {brief(curve.what)}" for end, name in sorted(ends)[:4])
    title = f"Free addresses by number of {brief(curve.what)} ({curve.rule})"
    return Chart(f"headroom-{number}", title, f"{words or 'No subnet is full'}.", draw)


def _block_maps(result: CheckResult) -> list[Block]:
    """In prefix mode the /28s of the subnets with the least room."""
    if not gives_prefixes(result.plan):
        return []
    state = first_and_worst(result.scenarios)[0]
    holding = sorted((s for s in state.subnets if s.prefixes), key=lambda s: s.free / s.subnet.usable)
    return [_block_chart(i, s) for i, s in enumerate(holding[:MOST_BLOCK_MAPS], 1)]


def _block_chart(number: int, state: SubnetState) -> Chart:
    def draw(theme: Theme) -> Figure:
        from capacity.charts.subnets import plot_blocks
        from capacity.vpc.block_map import packed_blocks

        return plot_blocks(packed_blocks(state), theme=theme)

    words = f"{state.prefixes:,} prefixes; at most {state.free_prefixes or 0:,} additional /28 blocks are free."
    return Chart(f"blocks-{number}", f"/28 blocks of {state.subnet.name}", words, draw)


def scenarios_section(material: Material) -> Section:
    """Every scenario in one line, the worst first, and its subnets folded."""
    states = sorted(material.result.scenarios, key=worst_first)
    columns = [
        TableColumn("scenario", "scenario"),
        TableColumn("verdict", "verdict"),
        TableColumn("nodes", "nodes that hold addresses"),
        TableColumn("least", "tightest subnet"),
        TableColumn("free", "free in it"),
    ]
    columns += [TableColumn("unplaced", "unschedulable pods")] if any(s.unplaced_pods for s in states) else []
    columns += [TableColumn("stuck", "pods without an address")] if any(s.pods_without_address for s in states) else []
    columns.append(TableColumn("rule", "rule"))
    blocks: list[Block] = [Table(columns, [_scenario_row(s) for s in states], "All scenarios", name="Scenarios")]
    full = first_and_worst(material.result.scenarios)
    blocks += [_full_table(s, folded=True) for s in states if s not in full]
    return Section("scenarios", "Scenarios", blocks)


def _scenario_row(state: ScenarioState) -> dict[str, Any]:
    found = tightest([state])
    least = found[1] if found else None
    return {
        "scenario": state.title,
        "verdict": state.verdict,
        "nodes": state.nodes,
        "least": None if least is None else least.subnet.name,
        "free": None if least is None else least.free,
        "unplaced": state.unplaced_pods,
        "stuck": state.pods_without_address,
        "rule": state.rule,
    }
