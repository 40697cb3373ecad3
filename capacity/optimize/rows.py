"""An answer of ``capacity optimize`` as plain rows: ``results`` of its JSON, and the columns of its DataFrames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from capacity.optimize.buy import Purchase, nodes_of
from capacity.optimize.choices import TO_MINIMIZE
from capacity.optimize.compare import mix
from capacity.optimize.optimized import INFEASIBLE, Alternative, Optimized, Packed, check_optimized
from capacity.optimize.pack import Packing
from capacity.optimize.unused import Filling, fillings
from capacity.units import HOURS_PER_MONTH

if TYPE_CHECKING:
    import pandas as pd


def month(usd_per_hour: float | None) -> float | None:
    """Dollars per month, to the cent, from an hourly figure as printed: with nine decimals. [USD per month]

    >>> month(0.7275), month(0.72749999999999)
    (531.08, 531.08)
    """
    return None if usd_per_hour is None else round(round(usd_per_hour, 9) * HOURS_PER_MONTH, 2)


def results_json(found: Optimized, *, nodes: bool) -> dict[str, Any]:
    """``results``."""
    bought = found.bought
    best = bought.usd_per_hour if bought else 0.0 if found.status != INFEASIBLE else None
    failed = found.infeasible
    return {
        "status": found.status,
        "usd_per_hour": best,
        "usd_per_month": month(best),
        "usd_per_month_steady": month(bought.usd_steady) if bought else month(best),
        "usd_per_month_peak": month(bought.usd_peak) if bought else month(best),
        "verdict": bought.result.verdict if bought else None,
        "node_groups": group_rows(found),
        "ips_by_subnet": subnet_rows(bought) if bought else {},
        "packing": None if found.packed is None else _packing_json(found, found.packed, nodes=nodes),
        "over_packing_pct": extra_pct(best, found.packed.usd_per_hour if found.packed else None),
        "alternatives": alternative_rows(found),
        "frontier": frontier_rows(found),
        "infeasible": None if failed is None else {"conflict": failed.conflict, "relaxation": failed.relaxation},
    }


def group_rows(found: Optimized) -> list[dict[str, Any]]:
    """The node groups to create."""
    bought = found.bought
    if bought is None:
        return []
    filled = fillings(bought, found.pods)
    return [_group_row(bought, i, filled[name], found) for i, name in enumerate(bought.names)]


def _group_row(bought: Purchase, number: int, filling: Filling, found: Optimized) -> dict[str, Any]:
    sized, name = bought.division[number], bought.names[number]
    now, peak = nodes_of(bought.steady, name), nodes_of(bought.peak, name)
    group = next(g for g in bought.result.plan.node_groups if g.name == name)
    return {
        "name": name,
        "instance_types": [sized.candidate.name],
        "nodes": now,
        "nodes_by_zone": bought.steady.group(name).nodes_by_zone,
        "nodes_peak": peak,
        "nodes_max": group.max_nodes,
        "workloads": [found.pods[i].name for i in sized.block],
        "pods_per_node": filling.pods_per_node,
        "max_pods": sized.candidate.node.max_pods,
        "binding": filling.binding,
        "usd_per_hour": round(sized.candidate.price * found.rules.weighed(now, peak), 9),
        "usd_per_node_hour": sized.candidate.price,
        "stranded_cpu_pct": filling.stranded_cpu_pct,
        "stranded_memory_pct": filling.stranded_memory_pct,
        "stranded_addresses": filling.stranded_addresses,
        "subnet_addresses": filling.addresses,
    }


def subnet_rows(bought: Purchase) -> dict[str, Any]:
    """Addresses in use in each subnet in the steady state, and the scenario with the fewest free addresses."""
    found = {}
    for state in bought.steady.subnets:
        name = state.subnet.name
        tightest = min(bought.result.scenarios, key=lambda s: s.subnet(name).free)
        found[name] = {
            "zone": state.subnet.zone,
            "cidr": str(state.subnet.cidr),
            "usable": state.subnet.usable,
            "used_steady": state.used_total,
            "used_peak": bought.peak.subnet(name).used_total,
            "least_free": tightest.subnet(name).free,
            "least_free_in": tightest.title,
        }
    return found


def _packing_json(found: Optimized, packed: Packed, *, nodes: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "usd_per_hour": packed.usd_per_hour,
        "lower_bound_usd_per_hour": round(min(packed.bound, packed.usd_per_hour), 9),
        "gap_pct": round(100 * packed.gap, 4),
    }
    if nodes:
        row["nodes"] = list(_nodes(found, packed.now))
        if packed.peak is not packed.now:
            row["nodes_peak"] = list(_nodes(found, packed.peak))
    return row


def _nodes(found: Optimized, packing: Packing) -> Iterator[dict[str, Any]]:
    """Equal nodes, zone by zone; if the zone does not matter to the packing, nodes go to the zones in turn."""
    draft = found.draft
    zones = list(dict.fromkeys(draft.plan.subnet(n).zone for n in draft.template.subnets))
    turn = 0
    for number, pattern in enumerate(packing.patterns):
        pods = {p.name: n for p, n in zip(found.pods, pattern.pods, strict=True) if n}
        if packing.zones:
            counts = {zones[packing.zones[number]]: pattern.nodes}
        else:
            each, more = divmod(pattern.nodes, len(zones))
            counts = dict.fromkeys(zones, each)
            for _ in range(more):
                counts[zones[turn % len(zones)]] += 1
                turn += 1
        kind = found.market.candidates[pattern.kind].name
        yield from ({"type": kind, "zone": zone, "count": n, "pods": pods} for zone, n in counts.items() if n)


def alternative_rows(found: Optimized) -> list[dict[str, Any]]:
    """The alternatives, with their additional cost over the answer."""
    best = found.bought.usd_per_hour if found.bought else None
    return [_alternative_row(a, best) for a in found.alternatives]


def frontier_rows(found: Optimized) -> list[dict[str, Any]]:
    """The purchases that no other beats in dollars, addresses and nodes together.

    ``least`` names the figures in which no other purchase is lower; ``bought`` is True for the answer.
    """
    check_optimized(found)
    best = found.bought.usd_per_hour if found.bought else None
    low = [min((p.figures[i] for p in found.frontier), default=0) for i in range(len(TO_MINIMIZE))]
    return [
        {
            "usd_per_month": month(p.usd_per_hour),
            "extra_pct": extra_pct(p.usd_per_hour, best),
            "subnet_addresses": p.addresses,
            "nodes": p.nodes(peak=True),
            "mix": mix(p),
            "least": [w for w, mine, least in zip(TO_MINIMIZE, p.figures, low, strict=True) if mine <= least],
            "bought": p is found.bought,
        }
        for p in found.frontier
    ]


def _alternative_row(a: Alternative, best: float | None) -> dict[str, Any]:
    return {
        "name": a.name,
        "usd_per_month": month(a.usd_per_hour),
        "extra_pct": extra_pct(a.usd_per_hour, best),
        "nodes": a.nodes,
        "subnet_addresses": a.addresses,
        "note": a.note,
    }


def extra_pct(figure: float | None, best: float | None) -> float | None:
    """The additional cost over another figure. [percent]"""
    return None if figure is None or not best else round(100 * (figure / best - 1), 2)


def node_groups_frame(found: Optimized) -> pd.DataFrame:
    """The node groups to create, one row each, with the columns of the JSON."""
    check_optimized(found)
    return _frame(group_rows(found), "name")


def alternatives_frame(found: Optimized) -> pd.DataFrame:
    """Simpler and other choices with their cost, one row each."""
    check_optimized(found)
    return _frame(alternative_rows(found), "name")


def frontier_frame(found: Optimized) -> pd.DataFrame:
    """Trade-off of cost, addresses and nodes, cheapest first."""
    return _frame(frontier_rows(found))


def _frame(rows: list[dict[str, Any]], index: str | None = None) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(rows)
    return frame.set_index(index) if index and len(frame) else frame
