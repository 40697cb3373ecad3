"""Warm targets as an answer: the JSON contract and the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from capacity.advice.compare import Comparison
from capacity.advice.warm import Recommendation, WarmAnswer, explain_row
from capacity.advice.warm_churn import ChurnFigures
from capacity.advice.warm_rows import NodeKind, WarmRow
from capacity.advice.warm_words import rule
from capacity.pages.answer import Answer
from capacity.pages.page import CodeBlock, Page, Table, TableColumn, Text
from capacity.plan.model import Plan
from capacity.sim.sim_words import span
from capacity.trace import lines


def plan_inputs(plan: Plan, patch: Mapping[str, object], swing: str) -> dict[str, Any]:
    """The inputs of the answer for a plan."""
    told: dict[str, Any] = {"plan": plan.file, "name": plan.name, "env": dict(plan.cni.env)}
    return told | ({"set": dict(patch)} if patch else {}) | {"swing": swing}


def answer(found: WarmAnswer, inputs: Mapping[str, Any], *, everything: bool, explain: bool) -> Answer:
    """The answer of `warm` in every format."""
    rows = [row_json(r, found) for r in found.rows]
    terms = {"explain": [_terms_json(found, r) for r in _explained(found)]} if explain else {}
    return Answer(
        command="warm",
        inputs=inputs,
        results={
            "nodes": [_kind_json(k) for k in found.kinds],
            "settings": rows,
            "recommendation": _recommendation_json(found.recommendation),
            **terms,
        },
        page=Page(list(_blocks(found, everything, explain))),
        rows=[{k: v for k, v in row.items() if k != "flaws"} | {"flaws": _flaws(row)} for row in rows],
        warnings=found.notes,
    )


def row_json(row: WarmRow, found: WarmAnswer) -> dict[str, Any]:
    """One setting. ``addresses`` and ``idle`` are sums over the nodes of a population; null is "not set"."""
    targets, best = row.targets, found.recommendation
    return {
        "setting": targets.label,
        "prefix_delegation": targets.prefix,
        "warm_eni_target": None if targets.prefix else targets.units,
        "warm_prefix_target": targets.units if targets.prefix else None,
        "warm_ip_target": targets.warm_ip,
        "minimum_ip_target": targets.minimum_ip,
        "addresses": dict(row.addresses),
        "idle": dict(row.idle),
        "addresses_per_node": {p: round(n / row.nodes[p], 2) for p, n in row.addresses.items()},
        "instant_pods_least": row.instant_least,
        "instant_pods_mean": round(row.instant_mean, 2),
        "ready_pct": round(100 * row.ready, 1),
        "calls_per_start": round(row.calls_per_start, 2),
        "calls_per_stop": round(row.calls_per_stop, 2),
        "calls_per_launch": round(row.calls_per_launch, 2),
        "flaws": [{"kind": f.kind, "reason": f.reason} for f in row.flaws],
        "efficient": row.frontier,
        "current": row is found.current,
        "recommended": best is not None and row is best.row,
    } | ({"churn": _churn_json(row.churn)} if row.churn else {})


def _churn_json(figures: ChurnFigures) -> dict[str, Any]:
    return {
        "delay_p50_s": figures.delay_p50_s,
        "delay_p90_s": figures.delay_p90_s,
        "delay_p99_s": figures.delay_p99_s,
        "waited_pct": round(100 * figures.waited, 2),
        "calls_per_hour": round(figures.calls_per_hour, 1),
        "simulated_hours": round(figures.hours, 3),
    }


def _flaws(row: Mapping[str, Any]) -> str:
    return "; ".join(f"{f['kind']}: {f['reason']}" for f in row["flaws"])


def _kind_json(kind: NodeKind) -> dict[str, Any]:
    return {
        "population": kind.population,
        "node_group": kind.group or None,
        "instance_type": kind.instance_type,
        "nodes": kind.nodes,
        "pods": kind.pods,
        "other_pods": kind.host_pods,
        "max_pods": kind.max_pods,
    }


def _recommendation_json(best: Recommendation | None) -> dict[str, Any] | None:
    if best is None:
        return None
    return {
        "setting": best.row.targets.label,
        "rule": best.rule,
        "change": dict(best.change),
        "patch": best.patch,
        "commands": list(best.commands),
        "verdict_before": best.comparison.before.verdict if best.comparison else None,
        "verdict_after": best.comparison.after.verdict if best.comparison else None,
        "frees": list(_frees(best.comparison)) if best.comparison else [],
    }


def _frees(comparison: Comparison) -> Iterator[dict[str, Any]]:
    """The difference of the two checks, per scenario and subnet."""
    for scenario in comparison.scenarios:
        for s in scenario.subnets:
            assert s.before, "a CNI setting does not add a subnet"
            assert s.after, "or remove one"
            yield {
                "scenario": scenario.name,
                "variant": scenario.variant,
                "subnet": s.name,
                "free_before": s.before.free,
                "free_after": s.after.free,
                "frees": s.free_change,
                "verdict_before": s.before.verdict,
                "verdict_after": s.after.verdict,
            }


# --- the page ---------------------------------------------------------------------------


def _explained(found: WarmAnswer) -> list[WarmRow]:
    """The current setting and the recommended one."""
    best = found.recommendation
    return [found.current] if best is None or best.row is found.current else [found.current, best.row]


def _terms_json(found: WarmAnswer, row: WarmRow) -> dict[str, Any]:
    nodes = [_kind_json(kind) | {"terms": [term.as_row() for term in terms]} for kind, terms in explain_row(found, row)]
    return {"setting": row.targets.label, "nodes": nodes}


def _terms_text(found: WarmAnswer, row: WarmRow) -> Iterator[str]:
    for kind, terms in explain_row(found, row):
        group = f" of {kind.group}" if kind.group else ""
        yield f"{row.targets.label}: one {kind.instance_type}{group} with {kind.pods} pods on VPC addresses"
        for term in terms:
            yield from lines(term, depth=1)


MOST_SHOWN = 8  # efficient settings of the plan's own mode in addition to the recommended and the current one
MOST_OF_THE_OTHER_MODE = 4


def _blocks(found: WarmAnswer, everything: bool, explain: bool) -> Iterator[Text | Table | CodeBlock]:
    yield Text("\n".join(_sentences(found)))
    yield from _tables(found, everything)
    if explain:
        yield CodeBlock("\n".join(line for row in _explained(found) for line in _terms_text(found, row)), wrap=True)
    best = found.recommendation
    if best is not None and best.comparison is not None:
        yield _frees_table(best.comparison)
    if best is not None and best.commands:
        yield CodeBlock(
            "\n".join(best.commands), "To paste (self-managed CNI, or the EKS add-on; replace CLUSTER)", "sh"
        )
    yield Text(
        "addresses: held on the subnets. idle: not used by a pod. immediate starts: pods that get a "
        "warm address without waiting, on the worst node and on average. EC2 calls: per pod start, per pod stop, and "
        "to fill a new node with pods that start one by one (at most)."
    )
    if found.churn and found.current.churn:
        hours = found.current.churn.hours
        source = f" ({found.churn.source})" if found.churn.source else ""
        yield Text(
            f"Simulated: {found.churn.per_minute:.3g} pods per minute are replaced on each node{source}, "
            f"{span(3600 * hours)} per setting and node, after the pool came to rest. A pod waits if its address takes "
            "longer than a second; a pod without one at first is tried again after 10 to 15 s, as the kubelet does."
        )


def _sentences(found: WarmAnswer) -> Iterator[str]:
    best, current = found.recommendation, found.current
    for flaw in current.flaws:
        yield f"The current setting {flaw.kind}: {flaw.reason}."
    if best is None:
        yield f"No recommendation: no setting satisfies the rule ({rule(prefix=current.targets.prefix)})."
        return
    if best.row is current:
        yield f"Keep {current.targets.label}."
        yield f"Rule: {best.rule}."
        return
    population = list(current.addresses)[-1]
    was, now = current.addresses[population], best.row.addresses[population]
    held = f"{now:,} instead of {was:,} addresses in {population}"
    if population == "range":
        nodes = current.nodes[population]
        held = f"{now / nodes:.1f} instead of {was / nodes:.1f} addresses per node"
    yield f"Set {best.row.targets.label}: {held}."
    yield f"Rule: {best.rule}."
    if best.comparison:
        yield f"Check with this setting: {best.comparison.sentence}"


def _tables(found: WarmAnswer, everything: bool) -> Iterator[Text | Table]:
    """A table per mode: the recommended and the current setting first, then the efficient ones by addresses held."""
    columns, per_node = _columns(found), list(found.current.addresses) == ["range"]
    hidden = 0
    for prefix in dict.fromkeys(r.targets.prefix for r in found.rows):
        rows = sorted((r for r in found.rows if r.targets.prefix == prefix), key=_order)
        first = [r for r in (_best_row(found), found.current) if r is not None and r.targets.prefix == prefix]
        first = list({id(r): r for r in first}.values())
        own = prefix == found.current.targets.prefix
        rest = [r for r in rows if all(r is not f for f in first)]
        shown = [*first, *(rest if everything else _frontier(rest, MOST_SHOWN if own else MOST_OF_THE_OTHER_MODE))]
        hidden += len(rows) - len(shown)
        yield Table(columns, [_table_row(r, found, per_node) for r in shown], _title(found, prefix))
    if hidden:
        yield Text(
            f"{hidden} of {len(found.rows)} settings are not shown: they are less efficient, or between the rows shown "
            "(--all shows them)."
        )


def _columns(found: WarmAnswer) -> list[TableColumn]:
    """Columns: addresses of each population (the largest has the lowest rank), immediate starts, and EC2 calls."""
    populations = list(found.current.addresses)
    per_node = populations == ["range"]
    columns = [TableColumn("setting", "setting", whole=True), TableColumn("remark", "")]
    for p in populations:
        rank = 0 if p == populations[-1] else 2
        columns += [TableColumn(f"held_{p}", "addresses per node" if per_node else f"addresses {p}", rank, 1)]
        columns += [TableColumn(f"idle_{p}", "idle per node" if per_node else f"idle {p}", rank + 2, 1)]
    return [
        *columns,
        TableColumn("at_once", "immediate starts (worst / mean)"),
        TableColumn("calls_per_start", "calls per start", 1, 2),
        TableColumn("calls_per_stop", "calls per stop", 3, 2),
        TableColumn("calls_per_launch", "calls per new node", 1, 1),
        *(_CHURN_COLUMNS if found.churn else ()),
    ]


_CHURN_COLUMNS = (
    TableColumn("waited_pct", "pods that wait %", 0, 1),
    TableColumn("p99", "P99 wait"),
    TableColumn("calls_per_hour", "calls per hour and node", 1, 0),
)


def _best_row(found: WarmAnswer) -> WarmRow | None:
    return None if found.recommendation is None else found.recommendation.row


def _order(row: WarmRow) -> tuple[bool, int, float]:
    return bool(row.flaws), _held(row), row.instant_mean


def _held(row: WarmRow) -> int:
    return list(row.addresses.values())[-1]


def _frontier(rows: list[WarmRow], most: int) -> list[WarmRow]:
    """Efficient settings with more immediate starts for more addresses; at most ``most``, spread evenly."""
    steps: list[WarmRow] = []
    for row in rows:  # by addresses held
        if row.frontier and (not steps or row.instant_mean > steps[-1].instant_mean):
            steps.append(row)
    if len(steps) <= most:
        return steps
    return [steps[i * (len(steps) - 1) // (most - 1)] for i in range(most)]


def _title(found: WarmAnswer, prefix: bool) -> str:
    """The mode, the pods per node, and what changing the mode means."""
    own = prefix == found.current.targets.prefix
    counts = [k.pods for k in (found.kinds if own else found.other_kinds)]
    pods = f"{min(counts)}" if len(set(counts)) == 1 else f"{min(counts)} to {max(counts)}"
    mode = "Prefix delegation" if prefix else "Secondary addresses"
    change = "" if own else " (a mode change requires new nodes and different max pods)"
    return f"{mode}, {pods} pods on VPC addresses per node{change}"


def _table_row(row: WarmRow, found: WarmAnswer, per_node: bool) -> dict[str, Any]:
    cells: dict[str, Any] = {"setting": row.targets.label}
    for p, held in row.addresses.items():
        cells[f"held_{p}"] = held / row.nodes[p] if per_node else held
        cells[f"idle_{p}"] = row.idle[p] / row.nodes[p] if per_node else row.idle[p]
    return cells | {
        "at_once": f"{row.instant_least} / {row.instant_mean:.1f}",
        "calls_per_start": float(row.calls_per_start),
        "calls_per_stop": float(row.calls_per_stop),
        "calls_per_launch": float(row.calls_per_launch),
        "remark": ", ".join(_remarks(row, found)),
        **_churn_cells(row.churn),
    }


def _churn_cells(figures: ChurnFigures | None) -> dict[str, Any]:
    if figures is None:
        return {}
    p99 = figures.delay_p99_s
    return {
        "waited_pct": 100 * figures.waited,
        "p99": None if p99 is None else span(p99),
        "calls_per_hour": figures.calls_per_hour,
    }


def _remarks(row: WarmRow, found: WarmAnswer) -> Iterator[str]:
    best = found.recommendation
    if best is not None and row is best.row:
        yield "recommended"
    if row is found.current:
        yield "now"
    yield from (f"{f.kind.upper()}: {f.reason}" for f in row.flaws)


def _frees_table(comparison: Comparison) -> Table:
    """What the change frees per subnet: steady and peak, and the minimum and maximum over all scenarios."""
    cells: dict[str, dict[str, Any]] = {}
    for f in _frees(comparison):
        row = cells.setdefault(f["subnet"], {"subnet": f["subnet"], "all": []})
        row["all"].append(f["frees"])
        if f["scenario"] in ("steady", "peak"):
            row[f["scenario"]] = f"{f['frees']:+,}"
            row[f"{f['scenario']}_free"] = f["free_after"]
    rows = [{**row, "least": f"{min(row['all']):+,}", "most": f"{max(row['all']):+,}"} for row in cells.values()]
    columns = (
        TableColumn("subnet", "subnet"),
        TableColumn("steady", "steady"),
        TableColumn("steady_free", "free in steady", 2),
        TableColumn("peak", "peak"),
        TableColumn("peak_free", "free in peak", 2),
        TableColumn("least", "min", 1),
        TableColumn("most", "max", 1),
    )
    return Table(columns, rows, "Addresses freed (difference between the two checks; min and max over all scenarios)")
