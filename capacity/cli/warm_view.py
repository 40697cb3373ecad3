"""Warm targets as an answer: the JSON contract, and the page a person reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from capacity.advice.compare import Comparison
from capacity.advice.warm import Recommendation, WarmAnswer, explain_row, rule
from capacity.advice.warm_rows import NodeKind, WarmRow
from capacity.cli.output import Answer, Table
from capacity.trace import lines


def answer(found: WarmAnswer, inputs: Mapping[str, Any], everything: bool, explain: bool) -> Answer:
    """Everything `warm` says, in every format."""
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
        blocks=list(_blocks(found, everything, explain)),
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
            assert s.before, "a setting of the CNI adds no subnet"
            assert s.after, "nor removes one"
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
    """The present setting and the recommended one."""
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


def _blocks(found: WarmAnswer, everything: bool, explain: bool) -> Iterator[str | Table]:
    yield "\n".join(_sentences(found)) + "\n"
    yield from _tables(found, everything)
    if explain:
        yield "\n".join(line for row in _explained(found) for line in _terms_text(found, row)) + "\n"
    best = found.recommendation
    if best is not None and best.comparison is not None:
        yield _frees_table(best.comparison)
        yield ""
    if best is not None and best.commands:
        commands = "\n".join(f"    {c}" for c in best.commands)
        yield f"To paste (self-managed CNI, or the EKS add-on; CLUSTER is yours):\n\n{commands}\n"
    yield (
        "addresses: held on the subnets. idle: of those, for no pod. at once: pods that find a warm address, on the "
        "worst node and on average.\nEC2 calls: for a pod that comes, a pod that goes, and to fill a fresh node, pods "
        "coming one by one (at most)."
    )


def _sentences(found: WarmAnswer) -> Iterator[str]:
    best, current = found.recommendation, found.current
    for flaw in current.flaws:
        yield f"The present setting {flaw.kind}: {flaw.reason}."
    if best is None:
        yield f"No recommendation: no setting satisfies the rule ({rule(current.targets.prefix)})."
        return
    if best.row is current:
        yield f"Keep {current.targets.label}.\nRule: {best.rule}."
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
        yield f"Check with it: {best.comparison.sentence}"


def _tables(found: WarmAnswer, everything: bool) -> Iterator[str | Table]:
    populations = list(found.current.addresses)
    per_node = populations == ["range"]
    columns = [("setting", "setting")]
    for p in populations:
        columns += [(f"held_{p}", "addresses/node" if per_node else f"addresses {p}")]
        columns += [(f"idle_{p}", "idle/node" if per_node else f"idle {p}")]
    columns += [
        ("at_once", "at once"),
        ("calls_per_start", "calls/start"),
        ("calls_per_stop", "calls/stop"),
        ("calls_per_launch", "calls/node"),
        ("remark", "remark"),
    ]
    hidden = 0
    for prefix in dict.fromkeys(r.targets.prefix for r in found.rows):
        rows = [r for r in found.rows if r.targets.prefix == prefix]
        shown = [r for r in rows if everything or _of_interest(r, found)]
        hidden += len(rows) - len(shown)
        shown.sort(key=lambda r: (bool(r.flaws), list(r.addresses.values())[-1], r.instant_mean))
        yield Table(columns, [_table_row(r, found, per_node) for r in shown], _title(found, prefix))
        yield ""
    if hidden:
        yield (
            f"{hidden} of {len(found.rows)} settings are not shown: another one is as good in addresses, pods at "
            "once and calls, or they hold more than two spare units, or starve nodes (--all shows them).\n"
        )


def _title(found: WarmAnswer, prefix: bool) -> str:
    """The mode, the pods per node, and what changing the mode means."""
    own = prefix == found.current.targets.prefix
    counts = [k.pods for k in (found.kinds if own else found.other_kinds)]
    pods = f"{min(counts)}" if len(set(counts)) == 1 else f"{min(counts)} to {max(counts)}"
    mode = "prefix delegation" if prefix else "secondary addresses"
    change = "" if own else " (changing the mode means new nodes and other max pods)"
    return f"{mode}, {pods} pods on VPC addresses per node{change}"


def _of_interest(row: WarmRow, found: WarmAnswer) -> bool:
    best = found.recommendation
    telling = row.targets.units is not None or not row.targets.warm_ip  # whole units, and what never works
    return (
        telling
        or (row.frontier and _held(row) <= _most_held(row, found))
        or row is found.current
        or (best is not None and row is best.row)
    )


def _held(row: WarmRow) -> int:
    return list(row.addresses.values())[-1]


def _most_held(row: WarmRow, found: WarmAnswer) -> int:
    """Addresses of the same mode's most generous whole-unit setting: what holds more is for --all."""
    return max(_held(r) for r in found.rows if r.targets.units is not None and r.targets.prefix == row.targets.prefix)


def _table_row(row: WarmRow, found: WarmAnswer, per_node: bool) -> dict[str, Any]:
    cells: dict[str, Any] = {"setting": row.targets.label}
    for p, held in row.addresses.items():
        cells[f"held_{p}"] = f"{held / row.nodes[p]:.1f}" if per_node else held
        cells[f"idle_{p}"] = f"{row.idle[p] / row.nodes[p]:.1f}" if per_node else row.idle[p]
    return cells | {
        "at_once": f"{row.instant_least} / {row.instant_mean:.1f}",
        "calls_per_start": f"{row.calls_per_start:.2f}",
        "calls_per_stop": f"{row.calls_per_stop:.2f}",
        "calls_per_launch": f"{row.calls_per_launch:.1f}",
        "remark": ", ".join(_remarks(row, found)),
    }


def _remarks(row: WarmRow, found: WarmAnswer) -> Iterator[str]:
    best = found.recommendation
    if best is not None and row is best.row:
        yield "recommended"
    if row is found.current:
        yield "now"
    yield from (f"{f.kind.upper()}: {f.reason}" for f in row.flaws)
    if row.frontier:
        yield "efficient"


def _frees_table(comparison: Comparison) -> Table:
    """What the change frees per subnet: steady and peak, and the least and most over all scenarios."""
    cells: dict[str, dict[str, Any]] = {}
    for f in _frees(comparison):
        row = cells.setdefault(f["subnet"], {"subnet": f["subnet"], "all": []})
        row["all"].append(f["frees"])
        if f["scenario"] in ("steady", "peak"):
            row[f["scenario"]] = f"{f['frees']:+,}"
            row[f"{f['scenario']}_free"] = f["free_after"]
    rows = [{**row, "least": f"{min(row['all']):+,}", "most": f"{max(row['all']):+,}"} for row in cells.values()]
    columns = (
        ("subnet", "subnet"),
        ("steady", "steady"),
        ("steady_free", "free then"),
        ("peak", "peak"),
        ("peak_free", "free then"),
        ("least", "least of all scenarios"),
        ("most", "most"),
    )
    return Table(columns, rows, "what it frees: the difference of two checks")
