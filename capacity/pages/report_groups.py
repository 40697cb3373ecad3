"""Sections of the report: the node groups, and what the plan costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from capacity.cluster.scenario import first_and_worst
from capacity.cost.dollar_words import COST_COLUMNS, NOT_INCLUDED, cost_sentence, lines_of, shown_costs
from capacity.node.limit_words import limit_words
from capacity.pages.page import Chart, Items, Section, Table, TableColumn, Text
from capacity.pages.report_blocks import Block
from capacity.units import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from capacity.charts.theme import Theme
    from capacity.node.offer import Offer
    from capacity.pages.report_material import Material

MOST_GROUPS = 10


def groups_section(material: Material) -> Section:
    result = material.result
    steady = first_and_worst(result.scenarios)[0]
    rows = []
    for group, offer in zip(steady.groups, material.offers, strict=True):
        first = group.shape.first
        rows.append(
            {
                "group": group.shape.group.name,
                "type": [t.instance_type.name for t in group.shape.types],
                "ami": f"{group.shape.group.ami}, {group.shape.group.provisioner}",
                "nodes": group.nodes,
                "zones": ", ".join(f"{z} {n}" for z, n in group.nodes_by_zone.items()),
                "pods_per_node": group.pods_per_node,
                "max_pods": first.max_pods,
                "addresses": max((first.demand(c.vpc_pods) for c in group.classes), default=None),
                "binding": limit_words(group.binding),
                "usd_per_pod_month": offer.usd_per_pod_month,
            }
        )
    columns = (
        TableColumn("group", "node group"),
        TableColumn("type", "instance types"),
        TableColumn("ami", "AMI, provisioner"),
        TableColumn("nodes", "nodes"),
        TableColumn("zones", "by zone"),
        TableColumn("pods_per_node", "pods on the busiest node"),
        TableColumn("max_pods", "max pods"),
        TableColumn("addresses", "pod addresses held"),
        TableColumn("binding", "limited by"),
        TableColumn("usd_per_pod_month", "$/pod/month (node full)", 0, 2),
    )
    blocks: list[Block] = [Table(columns, rows, f"Node groups in {steady.title}")] if rows else []
    blocks += [Text(f"Data: {note}.") for note in material.price_notes] if rows else []
    drawn = [o for o in material.offers if any(v is not None for v in o.fits.values())]
    if drawn:
        blocks += [_limits_chart(drawn)]
        blocks += [_price_chart(drawn)] if any(o.usd_per_pod_month is not None for o in drawn) else []
    return Section("node-groups", "Node groups", blocks)


def _limits_chart(offers: Sequence[Offer]) -> Chart:
    some = list(offers[:MOST_GROUPS])
    rest = f" (the first {len(some)} of {len(offers):,} groups)" if len(offers) > len(some) else ""

    def draw(theme: Theme) -> Figure:
        from capacity.charts.nodes import plot_limits

        return plot_limits(some, title=f"Pods of average size per node, by limit{rest}", theme=theme)

    words = "; ".join(
        f"{o.instance_type}: {counted(o.pods or 0, 'average pod')} in addition to DaemonSets, "
        f"limited by {limit_words(o.binding)}"
        for o in some[:5]
        if o.binding
    )
    return Chart("limits", "IPs against CPU and memory", f"{words}.", draw)


def _price_chart(offers: Sequence[Offer]) -> Chart:
    some = list(offers[:MOST_GROUPS])

    def draw(theme: Theme) -> Figure:
        from capacity.charts.nodes import plot_price_per_pod

        return plot_price_per_pod(some, theme=theme)

    priced = [o for o in some if o.usd_per_pod_month is not None]
    words = "; ".join(f"{o.instance_type}: {o.usd_per_pod_month:,.2f} USD per pod per month" for o in priced[:5])
    return Chart("price", "Price per pod", f"{words}.", draw)


def cost_section(material: Material) -> Section:
    """Cost per month, with the terms of every line."""
    cost = material.cost
    if cost is None or not cost.costs:
        return Section("cost", "Cost", [])
    columns = [TableColumn(*c) for c in COST_COLUMNS]
    grids = [Table(columns, lines_of(one), f"Cost, {one.title}", folded=True) for one in shown_costs(cost)]
    return Section("cost", "Cost", [Text(cost_sentence(cost)), *grids, Text(NOT_INCLUDED)])


def sizing_section(material: Material) -> Section:
    """The node groups to buy, in the words of `capacity optimize`."""
    if material.sizing is None:
        return Section("sizing", "Node groups to buy", [])
    from capacity.pages.optimize_blocks import sizing_blocks

    notes = [Items(list(material.sizing.notes), "Assumed:")] if material.sizing.notes else []
    return Section("sizing", "Node groups to buy", [*sizing_blocks(material.sizing), *notes])
