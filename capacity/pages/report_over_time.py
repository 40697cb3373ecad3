"""Section of the report: scenarios over time, if the report was asked to simulate some."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from capacity.pages.page import Section, Text

if TYPE_CHECKING:
    from capacity.pages.page import Table
    from capacity.pages.report_blocks import Block
    from capacity.pages.report_material import Material
    from capacity.sim.facade import Distribution


def over_time_section(material: Material) -> Section:
    """How long pods wait, when subnets run out and how many EC2 calls it takes, for each simulated scenario."""
    blocks: list[Block] = []
    for number, (asked, found) in enumerate(material.simulations.items(), 1):
        blocks += _blocks(asked, found, number, known=material.result.notes)
    return Section("over-time", "Address pools over time", blocks)


def _blocks(asked: str, found: Distribution, number: int, known: tuple[str, ...]) -> Iterator[Block]:
    """One scenario. ``asked``: its name on the command line; ``known``: notes that the report shows elsewhere."""
    from capacity.pages.simulate_page import calls_table, charts, delay_table, subnet_table
    from capacity.sim.facade import sentence, span

    result = found.first
    rule = f": {result.rule}" if result.rule else ""
    seeds = f"seeds {result.seed} to {found.results[-1].seed}"
    yield Text(f"{result.title}: {sentence(found)}")
    yield Text(
        f"{span(result.seconds)}, {seeds}{rule}. For the timeline: capacity simulate --scenario "
        f"{asked} --seeds {len(found.results)}."
    )
    yield _named(delay_table(found), "Pod waits", result.title)
    subnets, note = subnet_table(found), f"Free addresses and times of seed {result.seed}."
    columns = [column for column in subnets.columns if column.key != "zone"]  # the report has the zones elsewhere
    yield _named(replace(subnets, columns=columns, note=note), "Subnets over time", result.title)
    calls = calls_table(result)
    yield _named(replace(calls, note=calls.note or f"Calls of seed {result.seed}."), "EC2 calls", result.title)
    for chart in charts(result):
        yield chart._replace(name=f"{chart.name}-{number}")
    yield from (Text(f"{note[:1].upper()}{note[1:]}.") for note in result.notes if note not in known)


def _named(table: Table, name: str, title: str) -> Table:
    """The table with the scenario in its title, and in the name by which a spreadsheet and a comparison know it."""
    return replace(table, title=f"{table.title}: {title}", name=f"{name}: {title}")
