"""What an optimized plan says, as blocks of a page: of `capacity optimize`, and of the report's section on sizing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from capacity.cost.dollar_words import usd
from capacity.node.limit_words import limit_words
from capacity.optimize.buy import Purchase
from capacity.optimize.choices import COST
from capacity.optimize.compare import OWN_GROUPS
from capacity.optimize.mean_node import MeanNode, mean_nodes, resource_words
from capacity.optimize.optimized import OPTIMAL, TIME_LIMIT, Optimized, Packed
from capacity.optimize.rows import alternative_rows, extra_pct, frontier_rows, group_rows, month, subnet_rows
from capacity.pages.page import Chart, Table, TableColumn, Text
from capacity.units import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from capacity.charts.theme import Theme

MOST_GROUPS = 8  # node groups that are drawn
NOT_INCLUDED = (
    "Prices cover the nodes to buy only. The control plane, kept node groups, volumes and traffic are the same "
    "with any of them (capacity check shows the whole cost)."
)
Block = Text | Table | Chart


def sizing_blocks(found: Optimized) -> list[Block]:
    """What to buy, how close that is to the best, what limits it, and what other choices cost."""
    return list(_blocks(found))


def _blocks(found: Optimized) -> Iterator[Block]:
    bought, packed = found.bought, found.packed
    if found.infeasible is not None:
        yield Text(f"No node groups pass the check: {found.infeasible.conflict}.")
        yield Text(f"Smallest change: {found.infeasible.relaxation}.")
        return
    if bought is None or packed is None:
        yield Text("There are no pods: nothing to buy.")
        return
    yield Text(_sentence(found, bought))
    yield from _against_own(found, bought)
    yield Text(_how_close(found, bought, packed))
    yield _group_table(found)
    yield from _nodes_chart(found)
    if found.alternatives:
        yield _alternative_table(found)
    yield from _frontier_blocks(found)
    yield _subnet_table(bought)
    yield Text(NOT_INCLUDED)


def _sentence(found: Optimized, bought: Purchase) -> str:
    groups = counted(len(bought.names), "node group")
    now, peak = bought.nodes(peak=False), bought.nodes(peak=True)
    nodes = counted(now, "node") + (f" ({peak:,} at the peak)" if peak != now else "")
    money = f"{_monthly(bought.usd_per_hour)} per month"
    if bought.usd_steady != bought.usd_peak:
        hours = f"{float(100 * found.rules.peak_hours):g}% of the hours"
        money += f" ({_monthly(bought.usd_steady)} now, {_monthly(bought.usd_peak)} at the peak, {hours})"
    names = ", ".join(dict.fromkeys(s.name for s in bought.result.scenarios))
    check = f"check of the plan with them is {bought.result.verdict}"
    if bought.result.verdict == "ok":
        outcome = f"{check}: every pod has a node and an address in {names}."
    else:
        outcome = (
            f"{check}: every pod has a node in {names}, but one VPC cannot hold these addresses. They are counted, "
            "not limited."
        )
    room = found.choices.headroom
    spare = f" with room for {float(100 * room):g}% more pods" if room else ""
    return f"Buy {nodes} in {groups}{spare}: {money}. {outcome}"


def _against_own(found: Optimized, bought: Purchase) -> Iterator[Text]:
    """What the answer saves or costs more than the plan's own node groups."""
    own = next((a.usd_per_hour for a in found.alternatives if a.name == OWN_GROUPS), None)
    if own is None:
        return
    saved = (month(own) or 0.0) - (month(bought.usd_per_hour) or 0.0)
    share = f" ({abs(saved) / (month(own) or 1.0):.1%})" if own else ""
    words = f"{usd(abs(saved))} per month{share} {'less' if saved > 0 else 'more'} than" if saved else "as much as"
    choices = found.choices
    lacks = (["the headroom"] if choices.headroom else []) + (["room for a lost zone"] if choices.survive else [])
    unlike = f" These are counted as they are, without {' and '.join(lacks)}." if lacks else ""
    yield Text(f"That is {words} the plan's own node groups ({_monthly(own)}).{unlike}")


def _how_close(found: Optimized, bought: Purchase, packed: Packed) -> str:
    """The bound, the packing and the answer, in the order of their prices."""
    bound = _monthly(min(packed.bound, packed.usd_per_hour))
    words = [f"No placement of these pods on these types costs less than {bound} per month (proven lower bound)."]
    if found.status == OPTIMAL:
        words.append("A perfect packing reaches it.")
    else:
        stopped = " when the search was stopped" if found.status == TIME_LIMIT else ""
        gap = f"a gap of {100 * packed.gap:.2f}%"
        words.append(f"The best packing found{stopped} costs {_monthly(packed.usd_per_hour)}, {gap}.")
    if found.choices.minimize != COST:
        why = f"because they are those with the fewest {found.choices.minimize}, not with the fewest dollars."
    else:
        why = _why_more(found, bought)
    over = extra_pct(bought.usd_per_hour, packed.usd_per_hour) or 0.0
    if over <= 0:
        return " ".join([*words, "The node groups cost no more than this packing."])
    words.append(f"The node groups cost {over:,.2f}% more than the packing, {why}")
    return " ".join(words)


def _why_more(found: Optimized, bought: Purchase) -> str:
    karpenter = found.draft.template.provisioner == "karpenter"
    cures = [f"more node groups than {len(bought.names)} (--max-groups)"] if _groups_limited(found, bought) else []
    cures += [] if karpenter else ["Karpenter, which packs pods onto the nodes it starts,"]
    saving = f" {' or '.join(cures)} can save part of it." if cures else ""
    zone = "they have room for a lost zone, and " if found.choices.survive else ""
    return f"because {zone}the scheduler spreads pods and does not pack them.{saving[:2].upper()}{saving[2:]}"


def _groups_limited(found: Optimized, bought: Purchase) -> bool:
    """Whether the number of groups is what the choices allow."""
    return len(bought.names) == found.choices.max_groups and len(found.pods) > len(bought.names)


def _monthly(usd_per_hour: float) -> str:
    return usd(month(usd_per_hour) or 0.0)


def _extra_words(extra: float | None) -> str | None:
    """The difference in cost from the answer."""
    if extra is None:
        return None
    return "same" if not extra else f"{'+' if extra > 0 else '−'}{abs(extra):,.2f}%"


def _group_table(found: Optimized) -> Table:
    rows = [
        row
        | {
            "type": row["instance_types"][0],
            "by_zone": "+".join(str(n) for n in row["nodes_by_zone"].values()),
            "pods": ", ".join(f"{n:,} {name}" for name, n in row["pods_per_node"].items()),
            "month": _monthly(row["usd_per_hour"]),
            "limit": limit_words(row["binding"]),
        }
        for row in group_rows(found)
    ]
    columns = (
        TableColumn("name", "node group"),
        TableColumn("type", "type"),
        TableColumn("month", "USD per month"),
        TableColumn("nodes", "nodes"),
        TableColumn("by_zone", "by zone", 3),
        TableColumn("nodes_peak", "at peak"),
        TableColumn("nodes_max", "max", 3),
        TableColumn("pods", "pods per node"),
        TableColumn("limit", "limited by"),
        TableColumn("stranded_cpu_pct", "unused CPU %", 2, 1),
        TableColumn("stranded_memory_pct", "unused memory %", 2, 1),
        TableColumn("stranded_addresses", "unused addresses", 3),
        TableColumn("subnet_addresses", "addresses", 1),
    )
    return Table(columns, rows, "Node groups to create")


def _nodes_chart(found: Optimized) -> Iterator[Chart]:
    nodes = mean_nodes(found)
    if not nodes:
        return

    def draw(theme: Theme) -> Figure:
        from capacity.charts.packed_nodes import plot_packed_nodes

        return plot_packed_nodes(nodes, theme=theme)

    yield Chart("packed-nodes", "What a node of each group holds", _nodes_words(nodes[:MOST_GROUPS]), draw, wide=True)


def _nodes_words(nodes: Sequence[MeanNode]) -> str:
    return " ".join(
        f"{n.group} ({n.nodes:,} × {n.instance_type}): "
        + ", ".join(f"{100 * u.share:.0f}% of {resource_words(u.resource)}" for u in n.uses)
        + (f"; limited by {limit_words(n.binding)}." if n.binding else ".")
        for n in nodes
    )


def _alternative_table(found: Optimized) -> Table:
    rows = [
        row
        | {
            "month": None if row["usd_per_month"] is None else usd(row["usd_per_month"]),
            "extra": _extra_words(row["extra_pct"]),
        }
        for row in alternative_rows(found)
    ]
    columns = (
        TableColumn("name", "choice"),
        TableColumn("month", "USD per month"),
        TableColumn("extra", "against this answer"),
        TableColumn("subnet_addresses", "addresses"),
        TableColumn("nodes", "nodes"),
        TableColumn("note", "node types"),
    )
    return Table(columns, rows, "What other choices cost (addresses and nodes at the peak)")


def _frontier_blocks(found: Optimized) -> Iterator[Block]:
    points = frontier_rows(found)
    if len(points) < 2:
        if points:
            yield Text("No other node groups were found that use fewer addresses or fewer nodes.")
        return
    rows = [
        row
        | {
            "month": usd(row["usd_per_month"]),
            "extra": "this answer" if row["bought"] else _extra_words(row["extra_pct"]),
            "fewest": ", ".join("dollars" if word == COST else word for word in row["least"]),
        }
        for row in points
    ]
    columns = (
        TableColumn("month", "USD per month"),
        TableColumn("extra", "against this answer"),
        TableColumn("subnet_addresses", "addresses"),
        TableColumn("nodes", "nodes"),
        TableColumn("fewest", "fewest"),
        TableColumn("mix", "node types"),
    )
    note = "Each row passes check. --minimize addresses or --minimize nodes makes the row with the fewest the answer."
    yield Table(columns, rows, "Trade-off of cost, addresses and nodes (at the peak)", note)

    def draw(theme: Theme) -> Figure:
        from capacity.charts.cost_frontier import plot_frontier

        return plot_frontier(points, theme=theme)

    yield Chart("frontier", "Trade-off of cost, addresses and nodes", _frontier_words(rows), draw, wide=True)


def _frontier_words(rows: Sequence[dict[str, Any]]) -> str:
    return (
        "; ".join(f"{r['month']}: {r['subnet_addresses']:,} addresses, {counted(r['nodes'], 'node')}" for r in rows)
        + "."
    )


def _subnet_table(bought: Purchase) -> Table:
    rows = [{"name": name, **row} for name, row in subnet_rows(bought).items()]
    columns = (
        TableColumn("name", "subnet"),
        TableColumn("zone", "zone"),
        TableColumn("cidr", "block"),
        TableColumn("usable", "usable"),
        TableColumn("used_steady", "used now"),
        TableColumn("used_peak", "at peak"),
        TableColumn("least_free", "least free"),
        TableColumn("least_free_in", "in"),
    )
    return Table(columns, rows, "Addresses by subnet")
