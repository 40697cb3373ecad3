"""Sections of the report: the node groups, and what the plan costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from capacity.cluster.scenario import first_and_worst
from capacity.cost.dollar_words import AT_REST, COST_COLUMNS, NOT_INCLUDED, cost_sentence, lines_of, shown_costs
from capacity.node.limit_words import limit_words
from capacity.pages.page import Chart, Items, Plot, Section, Table, TableColumn, Text
from capacity.pages.report_blocks import Block
from capacity.units import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from capacity.charts.theme import Theme
    from capacity.cluster.scenario import GroupState
    from capacity.cost.plan_cost import Cost
    from capacity.node.offer import Offer
    from capacity.pages.report_material import Material

MOST_GROUPS = 6


_GROUPS = (
    TableColumn("group", "node group"),
    TableColumn("type", "instance types"),
    TableColumn("ami", "AMI and provisioner", 3),
    TableColumn("nodes", "nodes"),
    TableColumn("zones", "by zone", 2),
    TableColumn("pods_per_node", "pods on the busiest node"),
    TableColumn("max_pods", "max pods"),
    TableColumn("addresses", "pod addresses held", 2),
    TableColumn("binding", "limited by"),
)
_FULL = (
    TableColumn("group", "node group"),
    TableColumn("binding", "limit"),
    TableColumn("cpu", "stranded CPU %", 0, 1, unit="%"),
    TableColumn("memory", "stranded memory %", 0, 1, unit="%"),
    TableColumn("usd_per_pod_month", "$/pod/month", 0, 2, unit="$"),
)
_STRANDED = Plot("group", ("cpu", "memory"))


def groups_section(material: Material) -> Section:
    """The groups in steady; what limits their nodes, what that strands, and what they cost."""
    steady = first_and_worst(material.result.scenarios)[0]
    if not steady.groups:
        return Section("node-groups", "Node groups", [])
    rows = [_group_row(group, material) for group in steady.groups]
    dollars = [TableColumn(f"usd {c.scenario}", f"$ {AT_REST[c.scenario]}", 1, 2, unit="$") for c in _costs(material)]
    grid = Table((*_GROUPS, *dollars), rows, f"Node groups in {steady.title}", name="Node groups")
    full = [_full_row(g.shape.group.name, o) for g, o in zip(steady.groups, material.offers, strict=True)]
    note = "A node full of pods of average size. Stranded: what those pods and the DaemonSets leave unused."
    blocks: list[Block] = [grid]
    drawn = [o for o in material.offers if any(v is not None for v in o.fits.values())]
    blocks += [_limits_chart(drawn)] if drawn else []
    blocks.append(
        Table(_FULL, full, "What limits a node, and what a pod costs", note, name="Node limits", plot=_STRANDED)
    )
    blocks += [Text(f"Data: {note}.") for note in material.price_notes]
    return Section("node-groups", "Node groups", blocks)


def _costs(material: Material) -> list[Cost]:
    return material.cost.at_rest(AT_REST) if material.cost is not None else []


def _group_row(group: GroupState, material: Material) -> dict[str, Any]:
    shape = group.shape
    return {
        "group": shape.group.name,
        "type": [t.instance_type.name for t in shape.types],
        "ami": f"{shape.group.ami}, {shape.group.provisioner}",
        "nodes": group.nodes,
        "zones": ", ".join(f"{z} {n}" for z, n in group.nodes_by_zone.items()),
        "pods_per_node": group.pods_per_node,
        "max_pods": shape.first.max_pods,
        "addresses": max((shape.first.demand(c.vpc_pods) for c in group.classes), default=None),
        "binding": limit_words(group.binding),
        **{f"usd {c.scenario}": _dollars(c, shape.group.name) for c in _costs(material)},
    }


def _dollars(cost: Cost, group: str) -> float | None:
    """The nodes of a group per month; None if a price is missing, 0 if there are none. [USD]"""
    lines = [line.usd_per_month for line in cost.lines if line.where == group]
    known = [figure for figure in lines if figure is not None]
    return float(sum(known)) if len(known) == len(lines) else None


def _full_row(group: str, offer: Offer) -> dict[str, Any]:
    return {
        "group": group,
        "binding": limit_words(offer.binding),
        "cpu": offer.stranded_cpu_pct,
        "memory": offer.stranded_memory_pct,
        "usd_per_pod_month": offer.usd_per_pod_month,
    }


def _limits_chart(offers: Sequence[Offer]) -> Chart:
    some = list(offers[:MOST_GROUPS])
    rest = f" (the first {len(some)} of {len(offers):,} groups)" if len(offers) > len(some) else ""
    heading = f"Share of each limit that a full node uses{rest}"

    def draw(theme: Theme) -> Figure:
        from capacity.charts.nodes import plot_limits

        return plot_limits(some, title=heading, theme=theme)

    words = "; ".join(
        f"{o.instance_type}: {counted(o.pods or 0, 'average pod')} in addition to DaemonSets, "
        f"limited by {limit_words(o.binding)}"
        for o in some[:5]
        if o.binding
    )
    return Chart("limits", heading, f"{words}." if words else "No limit is known.", draw)


def cost_section(material: Material) -> Section:
    """Cost per month, with the terms of every line."""
    cost = material.cost
    if cost is None or not cost.costs:
        return Section("cost", "Cost", [])
    grids = [_cost_table(lines_of(one), one.title) for one in shown_costs(cost)]
    return Section("cost", "Cost", [Text(cost_sentence(cost)), *grids, Text(NOT_INCLUDED)])


def _cost_table(lines: Sequence[dict[str, Any]], title: str) -> Table:
    """The lines of a bill, without columns that are empty."""
    columns = [TableColumn(*c) for c in COST_COLUMNS if any(line[c[0]] for line in lines)]
    return Table(columns, lines, f"Cost, {title}", folded=True, name=f"Cost {title}")


def sizing_section(material: Material) -> Section:
    """The node groups to buy, in the words of `capacity optimize`."""
    if material.sizing is None:
        return Section("sizing", "Node groups to buy", [])
    from capacity.pages.optimize_blocks import sizing_blocks

    notes = [Items(list(material.sizing.notes), "Assumed:")] if material.sizing.notes else []
    return Section("sizing", "Node groups to buy", [*sizing_blocks(material.sizing), *notes])
