"""An optimized plan as an answer: the JSON contract and the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from capacity.advice.snippets.purchase import purchase_file
from capacity.cost.dollar_words import usd
from capacity.cost.inputs import CostInputs
from capacity.node.limit_words import limit_words
from capacity.optimize.buy import Purchase, nodes_of
from capacity.optimize.choices import Choices
from capacity.optimize.compare import OWN_GROUPS, mix
from capacity.optimize.optimized import INFEASIBLE, OPTIMAL, Alternative, Optimized, Packed
from capacity.optimize.pack import Packing
from capacity.optimize.unused import Filling, fillings
from capacity.pages.answer import Answer
from capacity.pages.page import Page, Table, TableColumn, Text
from capacity.units import HOURS_PER_MONTH, counted

LANGUAGES = {"terraform": "hcl"}
NOT_INCLUDED = (
    "Prices cover the nodes to buy only. The control plane, kept node groups, volumes and traffic are the same "
    "with any of them (capacity check shows the whole cost)."
)


def answer(
    found: Optimized, choices: Choices, inputs: CostInputs, *, effort: str, nodes: bool, form: str | None
) -> Answer:
    """Everything `optimize` says, in every format; ``form``: the node groups as a file instead of the page."""
    written = None
    if form is not None and found.bought is not None:
        plan = found.bought.result.plan
        written = purchase_file(form, found.bought.document, plan, found.bought.names)
    results = results_json(found, nodes=nodes)
    if written is not None:
        results["written"] = {"form": form, "text": written}
    warnings = list(found.notes)
    if form is not None and written is None:
        warnings.append(f"--as {form}: there are no node groups to write")
    text = written
    return Answer(
        command="optimize",
        inputs=_inputs(found, choices, inputs, effort),
        results=results,
        page=Page(list(_page(found))),
        rows=results["node_groups"],
        warnings=warnings,
        texts={} if text is None else {"table": lambda: text, "md": lambda: f"```{_language(form)}\n{text}```\n"},
    )


def _language(form: str | None) -> str:
    return LANGUAGES.get(form or "", "yaml")


def _inputs(found: Optimized, choices: Choices, inputs: CostInputs, effort: str) -> dict[str, Any]:
    draft = found.draft
    told = inputs.told()
    return {
        "plan": draft.file,
        "region": draft.plan.region,
        "workloads": [
            {
                "name": p.name,
                "replicas": p.now,
                "max_replicas": p.most,
                "cpu_millicores": p.pod.cpu,
                "memory_bytes": p.pod.memory,
                "gpus": p.pod.gpus,
            }
            for p in found.pods
        ],
        "types": list(choices.types),
        "types_compared": len(found.market.candidates),
        "arch": list(found.archs),
        "provisioner": draft.template.provisioner,
        "ami": draft.template.ami,
        "max_pods": draft.template.max_pods,
        "max_vcpus": choices.max_vcpus,
        "max_types": choices.max_types,
        "max_groups": choices.max_groups,
        "min_nodes": choices.min_nodes,
        "max_nodes": choices.max_nodes,
        "vcpu_quota": choices.vcpu_quota,
        "peak_hours_pct": float(100 * choices.peak_hours),
        "survive": choices.survive,
        "headroom_pct": float(100 * choices.headroom),
        "cni_modes": list(choices.modes),
        "zones": draft.zones,
        "scenarios": list(dict.fromkeys(s.name for s in found.bought.result.scenarios)) if found.bought else [],
        "effort": effort,
        **{key: told[key] for key in ("price_file", "price_factor", "savings_plan_pct", "per_node_cost")},
    }


def month(usd_per_hour: float | None) -> float | None:
    """Dollars of a month, to the cent. [USD per month]"""
    return None if usd_per_hour is None else round(usd_per_hour * HOURS_PER_MONTH, 2)


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
        "node_groups": _groups_json(found) if bought else [],
        "ips_by_subnet": _subnets_json(bought) if bought else {},
        "packing": None if found.packed is None else _packing_json(found, found.packed, nodes=nodes),
        "over_packing_pct": _extra(best, found.packed.usd_per_hour if found.packed else None),
        "alternatives": [_alternative_json(a, best) for a in found.alternatives],
        "frontier": [
            {
                "usd_per_month": month(p.usd_per_hour),
                "subnet_addresses": p.addresses,
                "nodes": p.nodes(peak=True),
                "mix": mix(p),
            }
            for p in found.frontier
        ],
        "infeasible": None if failed is None else {"conflict": failed.conflict, "relaxation": failed.relaxation},
    }


def _groups_json(found: Optimized) -> list[dict[str, Any]]:
    bought = found.bought
    assert bought is not None
    filled = fillings(bought, found.pods)
    return [_group_json(bought, i, filled[name], found) for i, name in enumerate(bought.names)]


def _group_json(bought: Purchase, number: int, filling: Filling, found: Optimized) -> dict[str, Any]:
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


def _subnets_json(bought: Purchase) -> dict[str, Any]:
    """What each subnet holds at rest, and where it has least."""
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
    """Equal nodes, zone by zone; where their zone does not matter to the packing they are dealt in turn."""
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


def _alternative_json(a: Alternative, best: float | None) -> dict[str, Any]:
    return {
        "name": a.name,
        "usd_per_month": month(a.usd_per_hour),
        "extra_pct": _extra(a.usd_per_hour, best),
        "nodes": a.nodes,
        "subnet_addresses": a.addresses,
        "note": a.note,
    }


def _extra(figure: float | None, best: float | None) -> float | None:
    """The additional cost compared with the best, in percent."""
    return None if figure is None or not best else round(100 * (figure / best - 1), 2)


# --- the page -----------------------------------------------------------------------------------


def _page(found: Optimized) -> Iterator[Text | Table]:
    bought, packed = found.bought, found.packed
    if found.infeasible is not None:
        yield Text(f"Nothing can be bought: {found.infeasible.conflict}.")
        yield Text(f"Smallest change: {found.infeasible.relaxation}.")
        return
    if bought is None or packed is None:
        yield Text("There are no pods: nothing to buy.")
        return
    yield Text(_sentence(bought))
    yield from _against_own(found, bought)
    yield _group_table(found)
    yield from _packing_words(found, bought, packed)
    if found.alternatives:
        yield _alternative_table(found, bought)
    yield _subnet_table(bought)
    yield Text(NOT_INCLUDED)


def _sentence(bought: Purchase) -> str:
    groups = counted(len(bought.names), "node group")
    now, peak = bought.nodes(peak=False), bought.nodes(peak=True)
    nodes = counted(now, "node") + (f" ({peak:,} at the peak)" if peak != now else "")
    money = usd(month(bought.usd_per_hour) or 0.0)
    span = ""
    if bought.usd_steady != bought.usd_peak:
        span = f" ({usd(month(bought.usd_steady) or 0.0)} now, {usd(month(bought.usd_peak) or 0.0)} at the peak)"
    names = ", ".join(dict.fromkeys(s.name for s in bought.result.scenarios))
    outcome = f"check of the plan with them is {bought.result.verdict} ({names}): every pod has a node and an address."
    if bought.result.verdict != "ok":
        outcome = (
            f"check of the plan with them is {bought.result.verdict} ({names}): every pod has a node, but one VPC "
            "cannot hold these addresses. They are counted here, not limited."
        )
    return f"{groups}, {nodes}: {money} a month{span}. {outcome}"


def _against_own(found: Optimized, bought: Purchase) -> Iterator[Text]:
    """What the answer saves or costs more than the plan's own node groups."""
    own = next((a.usd_per_hour for a in found.alternatives if a.name == OWN_GROUPS), None)
    if own is None:
        return
    saved = (month(own) or 0.0) - (month(bought.usd_per_hour) or 0.0)
    share = f" ({abs(saved) / (month(own) or 1.0):.1%})" if own else ""
    words = f"{usd(abs(saved))} a month{share} {'less' if saved > 0 else 'more'} than" if saved else "as much as"
    yield Text(f"That is {words} the plan's own node groups ({usd(month(own) or 0.0)}).")


def _group_table(found: Optimized) -> Table:
    rows = []
    for row in _groups_json(found):
        zones = "+".join(str(n) for n in row["nodes_by_zone"].values())
        rows.append(
            row
            | {
                "type": row["instance_types"][0],
                "by_zone": zones,
                "pods": ", ".join(f"{n:,} {name}" for name, n in row["pods_per_node"].items()),
                "month": usd(month(row["usd_per_hour"]) or 0.0),
                "limit": limit_words(row["binding"]),
            }
        )
    columns = (
        TableColumn("name", "node group"),
        TableColumn("type", "type"),
        TableColumn("nodes", "nodes"),
        TableColumn("by_zone", "by zone", 1),
        TableColumn("nodes_peak", "at peak"),
        TableColumn("nodes_max", "max", 1),
        TableColumn("pods", "pods per node"),
        TableColumn("limit", "limited by", 1),
        TableColumn("stranded_cpu_pct", "unused CPU, %", 2, 1),
        TableColumn("stranded_memory_pct", "unused memory, %", 2, 1),
        TableColumn("subnet_addresses", "addresses"),
        TableColumn("month", "USD per month"),
    )
    return Table(columns, rows, "node groups to create")


def _packing_words(found: Optimized, bought: Purchase, packed: Packed) -> Iterator[Text]:
    least, over = month(packed.usd_per_hour) or 0.0, _extra(bought.usd_per_hour, packed.usd_per_hour) or 0.0
    proof = (
        "proven cheapest"
        if found.status == OPTIMAL
        else f"at most {100 * packed.gap:.2f}% above what any placement costs"
    )
    yield Text(f"Perfect packing: {usd(least)} a month, {proof} (lower bound {usd(month(packed.bound) or 0.0)}).")
    if over > 0:
        yield Text(
            f"The node groups cost {over:g}% more, because the scheduler spreads pods and does not pack them. More "
            "node groups (--max-groups), or Karpenter, which packs pods onto the nodes it starts, can save part of "
            "the difference."
        )


def _alternative_table(found: Optimized, bought: Purchase) -> Table:
    rows = []
    for a in found.alternatives:
        row = _alternative_json(a, bought.usd_per_hour)
        extra = row["extra_pct"]
        rows.append(
            row
            | {
                "month": None if a.usd_per_hour is None else usd(row["usd_per_month"]),
                "extra": None if extra is None else f"{extra:+.2f}%",
            }
        )
    columns = (
        TableColumn("name", "choice"),
        TableColumn("month", "USD per month"),
        TableColumn("extra", "against the best"),
        TableColumn("nodes", "nodes at peak"),
        TableColumn("subnet_addresses", "addresses"),
        TableColumn("note", "nodes"),
    )
    return Table(columns, rows, "other choices")


def _subnet_table(bought: Purchase) -> Table:
    rows = [{"name": name, **row} for name, row in _subnets_json(bought).items()]
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
    return Table(columns, rows, "addresses by subnet")
