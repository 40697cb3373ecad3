"""Sections of the report: the subnets, and every scenario."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from capacity.advice.summary import waste_sentence
from capacity.cluster.group_shapes import gives_prefixes
from capacity.cluster.scenario import ScenarioState, first_and_worst, tightest
from capacity.pages.cells import brief
from capacity.pages.check_page import runway_table, subnets_table
from capacity.pages.page import Chart, Section, Table, TableColumn, Text
from capacity.pages.report_blocks import Block
from capacity.vpc.ledger import SubnetState

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from capacity.charts.theme import Theme
    from capacity.cluster.check import CheckResult
    from capacity.cluster.headroom import HeadroomCurve
    from capacity.pages.report_material import Material

MOST_BLOCK_MAPS = 2


def subnets_section(material: Material) -> Section:
    result = material.result
    blocks: list[Block] = []
    for state in first_and_worst(result.scenarios):
        blocks += [_states_chart(state), subnets_table(state)]
    waste = waste_sentence(result)
    blocks += [Text(waste)] if waste else []
    if result.runway:
        blocks.append(runway_table(result))
    blocks += _headroom_charts(material.headroom)
    blocks += [Text(material.left_out)] if material.left_out else []
    blocks += _block_maps(result)
    return Section("subnets", "Subnets", blocks)


def _states_chart(state: ScenarioState) -> Chart:
    def draw(theme: Theme) -> Figure:
        from capacity.charts.subnets import plot_subnet_states

        return plot_subnet_states(state, theme=theme)

    parts = [
        f"{brief(s.subnet.name)} " + (f"{s.free:,} free" if s.free >= 0 else f"{-s.free:,} short")
        for s in sorted(state.left, key=lambda s: s.free / s.subnet.usable)[:5]
    ]
    name = "subnets-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in state.title.lower())[:60]
    return Chart(name, f"Addresses by state: {state.title}", "; ".join(parts) + ".", draw)


def _headroom_charts(curves: Sequence[HeadroomCurve]) -> list[Block]:
    found: list[Block] = []
    for number, curve in enumerate(curves, 1):

        def draw(theme: Theme, curve: HeadroomCurve = curve) -> Figure:
            from capacity.charts.subnets import plot_headroom

            return plot_headroom(curve, theme=theme)

        ends = [(e, n) for n, e in zip(curve.subnets, curve.exhausted_at, strict=True) if e is not None]
        words = "; ".join(f"{brief(name)} is full at {end:,} {brief(curve.what)}" for end, name in sorted(ends)[:4])
        none = "No subnet is full"
        found.append(
            Chart(f"headroom-{number}", f"Headroom by {curve.what}, beyond the steady state", f"{words or none}.", draw)
        )
    return found


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
    states = material.result.scenarios
    rows = []
    for state in states:
        found = tightest([state])
        least = found[1] if found else None
        rows.append(
            {
                "scenario": state.title,
                "verdict": state.verdict,
                "nodes": state.nodes,
                "least": None if least is None else least.subnet.name,
                "free": None if least is None else least.free,
                "unplaced": state.unplaced_pods,
                "stuck": state.pods_without_address,
                "rule": state.rule,
            }
        )
    columns = (
        TableColumn("scenario", "scenario"),
        TableColumn("verdict", "verdict"),
        TableColumn("nodes", "nodes that hold addresses"),
        TableColumn("least", "tightest subnet"),
        TableColumn("free", "free in it"),
        TableColumn("unplaced", "unschedulable pods"),
        TableColumn("stuck", "pods without an address"),
        TableColumn("rule", "rule"),
    )
    blocks: list[Block] = [Table(columns, rows, "All scenarios")]
    full = first_and_worst(material.result.scenarios)
    blocks += [subnets_table(s, folded=True) for s in states if s not in full]
    return Section("scenarios", "Scenarios", blocks)
