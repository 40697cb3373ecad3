"""A comparison as an answer: the JSON contract and the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from capacity.advice.compare import Comparison, GroupChange, RunwayChange, ScenarioChange, SubnetChange, sentences
from capacity.advice.findings.codes import Finding
from capacity.cluster.scenario import LOST, ScenarioState
from capacity.cost.dollar_words import change_sentence, with_changes
from capacity.cost.plan_cost import PlanCost
from capacity.pages.answer import Answer
from capacity.pages.check_page import finding_json, inputs_of
from capacity.pages.page import Page, Table, TableColumn, Text, Verdict
from capacity.vpc.ledger import VERDICTS, SubnetState


def answer(comparison: Comparison, patch: Mapping[str, object], costs: tuple[PlanCost, PlanCost]) -> Answer:
    """The answer of `compare` in every format."""
    before, after = comparison.before, comparison.after
    return Answer(
        command="compare",
        inputs={"before": inputs_of(before), "after": inputs_of(after), "set": dict(patch)},
        results=with_changes(results_json(comparison), *costs),
        page=Page(list(_blocks(comparison, costs))),
        rows=[
            {"scenario": s.name, "variant": s.variant, **row}
            for s in comparison.scenarios
            for row in map(subnet_json, s.subnets)
        ],
        warnings=list(dict.fromkeys((*before.notes, *after.notes))),
    )


def results_json(comparison: Comparison) -> dict[str, Any]:
    """``results`` of the JSON answer; null on a side that does not have the item."""
    return {
        "verdict_before": comparison.before.verdict,
        "verdict_after": comparison.after.verdict,
        "sentence": comparison.sentence,
        "scenarios": [_scenario_json(s) for s in comparison.scenarios],
        "runway": [_runway_json(r) for r in comparison.runway],
        "findings_gained": [finding_json(f) for f in comparison.gained],
        "findings_lost": [finding_json(f) for f in comparison.lost],
    }


def _scenario_json(change: ScenarioChange) -> dict[str, Any]:
    before, after = change.before, change.after
    return {
        "name": change.name,
        "variant": change.variant,
        "verdict_before": before.verdict if before else None,
        "verdict_after": after.verdict if after else None,
        "nodes_before": change.nodes[0],
        "nodes_after": change.nodes[1],
        "unplaced_pods_before": before.unplaced_pods if before else None,
        "unplaced_pods_after": after.unplaced_pods if after else None,
        "subnets": [subnet_json(s) for s in change.subnets],
        "node_groups": [_group_json(g) for g in change.groups],
    }


def subnet_json(change: SubnetChange) -> dict[str, Any]:
    """One subnet of a scenario, before and after."""

    def side(state: SubnetState | None, suffix: str) -> dict[str, Any]:
        return {
            f"cidr_{suffix}": str(state.subnet.cidr) if state else None,
            f"usable_{suffix}": state.subnet.usable if state else None,
            f"used_{suffix}": state.used_total if state else None,
            f"free_{suffix}": state.free if state else None,
            f"verdict_{suffix}": state.verdict if state else None,
        }

    subnet = (change.after or change.before).subnet  # type: ignore[union-attr]  # one side is always there
    figures = side(change.before, "before") | side(change.after, "after")
    return {
        "name": change.name,
        "zone": subnet.zone,
        **figures,
        "used_change": change.used_change,
        "free_change": change.free_change,
    }


def _group_json(change: GroupChange) -> dict[str, Any]:
    before, after = change.before, change.after
    return {
        "name": change.name,
        "nodes_before": before.nodes if before else None,
        "nodes_after": after.nodes if after else None,
        "pods_per_node_before": before.pods_per_node if before else None,
        "pods_per_node_after": after.pods_per_node if after else None,
        "max_pods_before": before.shape.first.max_pods if before else None,
        "max_pods_after": after.shape.first.max_pods if after else None,
    }


def _runway_json(change: RunwayChange) -> dict[str, Any]:
    before, after = change.before, change.after
    return {
        "name": change.name,
        "more_nodes_before": before.more_nodes if before else None,
        "more_nodes_after": after.more_nodes if after else None,
        "more_pods_before": before.more_pods if before else None,
        "more_pods_after": after.more_pods if after else None,
    }


MOST_IN_FULL = 2  # scenarios shown with all their figures; more are first shown at a glance
MOST_COLUMNS = 6
MOST_ROWS = 30

# --- the page ---------------------------------------------------------------------------

_SUBNETS = (
    TableColumn("name", "subnet"),
    TableColumn("zone", "zone", 3),
    TableColumn("usable", "usable", 1),
    TableColumn("used_before", "used before", 2),
    TableColumn("used_after", "used after", 2),
    TableColumn("free_before", "free before"),
    TableColumn("free_after", "free after"),
    TableColumn("change", "change"),
    TableColumn("verdict", "verdict"),
)
_RUNWAY = (TableColumn("name", "subnet"), TableColumn("nodes", "room for: nodes"), TableColumn("pods", "or pods"))
_FINDINGS = (
    TableColumn("change", ""),
    TableColumn("code", "code"),
    TableColumn("severity", "severity"),
    TableColumn("scenario", "scenario", 1),
    TableColumn("message", "finding"),
)


def _blocks(comparison: Comparison, costs: tuple[PlanCost, PlanCost]) -> Iterator[Verdict | Text | Table]:
    """The verdict of the change first, then what differs; what stays the same is named in one line."""
    before, after = sentences(comparison)
    yield Verdict(comparison.after.verdict, comparison.sentence, named=False)
    yield Text(f"Before: {before}\nAfter: {after}")
    yield from [Text(money)] if (money := change_sentence(*costs)) else []
    changed = [c for c in comparison.scenarios if c.changed]
    shown = changed if len(changed) <= MOST_IN_FULL else _telling(changed)
    if len(changed) > len(shown):
        yield _glance(changed)
    for change in shown:
        yield _scenario_table(change)
    same = [c.title for c in comparison.scenarios if not c.changed]
    if same:
        yield Text(f"Unchanged: {', '.join(same)}.")
    runway = [row for r in comparison.runway if (row := _runway_row(r))]
    if runway:
        yield Table(_RUNWAY, runway, "Runway: what still fits beyond the steady state")
    if comparison.gained or comparison.lost:
        rows = [_finding_row("new", f) for f in comparison.gained[:MOST_ROWS]]
        rows += [_finding_row("gone", f) for f in comparison.lost[:MOST_ROWS]]
        more = len(comparison.gained) + len(comparison.lost) - len(rows)
        yield Table(_FINDINGS, rows, f"Findings{f' ({more} more: -o json)' if more else ''}")


def _telling(changed: list[ScenarioChange]) -> list[ScenarioChange]:
    """Steady, and the scenario that was or is the worst."""
    first = next((c for c in changed if c.name == "steady"), changed[0])
    worst_one = max(changed, key=lambda c: max(VERDICTS.index(s.verdict) for s in (c.before, c.after) if s))
    return [first] if worst_one is first else [first, worst_one]


def _free_pair(change: ScenarioChange, s: SubnetChange) -> Any:
    """Free before and after; ``lost`` on a side on which the subnet's zone is lost."""

    def free(scenario: ScenarioState | None, state: SubnetState | None) -> int | str | None:
        if scenario is None or state is None:
            return None
        return LOST if scenario.is_lost(state.subnet) else state.free

    return _pair(free(change.before, s.before), free(change.after, s.after))


def _glance(changed: list[ScenarioChange]) -> Table:
    """Free addresses per scenario and subnet, before and after; if there are many subnets, those that change most.

    A narrow page keeps the subnets that run out.
    """
    moves: dict[str, int] = {}
    short: set[str] = set()
    for change in changed:
        for s in change.subnets:
            moves[s.name] = max(moves.get(s.name, 0), abs(s.free_change or 0))
            short |= {s.name} if any(state is not None and state.free < 0 for state in (s.before, s.after)) else set()
    by_move = sorted(moves, key=lambda n: (n not in short, -moves[n]))
    names = by_move[:MOST_COLUMNS] if len(moves) > MOST_COLUMNS else list(moves)
    rows = []
    for change in changed:
        verdict = _pair(
            change.before.verdict if change.before else None, change.after.verdict if change.after else None
        )
        cells = {f"subnet {s.name}": _free_pair(change, s) for s in change.subnets}
        rows.append({"scenario": change.title, "verdict": verdict, **cells})
    columns = [TableColumn("scenario", "scenario"), TableColumn("verdict", "verdict")]
    columns += [TableColumn(f"subnet {n}", n, by_move.index(n)) for n in names]
    more = f" ({len(moves) - len(names)} more subnets: -o json)" if len(moves) > len(names) else ""
    return Table(columns, rows, f"Free addresses, before → after{more}")


def _scenario_table(change: ScenarioChange) -> Table:
    state = change.after or change.before
    assert state is not None, "a scenario is in at least one of the two checks"
    side = "" if change.before and change.after else f" [only {'before' if change.before else 'after'}]"
    moved = sorted((s for s in change.subnets if s.changed), key=lambda s: -abs(s.free_change or 0))
    kept = {s.name for s in moved[:MOST_ROWS]} if len(change.subnets) > MOST_ROWS else {s.name for s in change.subnets}
    rows = [_subnet_row(s) for s in change.subnets if s.name in kept]
    more = len(change.subnets) - len(kept)
    left_out = f" ({more} of {len(change.subnets)} subnets that change less: -o json)" if more else ""
    return Table(_SUBNETS, rows, f"{change.title}: {state.rule}{side}{left_out}", _nodes_line(change))


def _subnet_row(change: SubnetChange) -> dict[str, Any]:
    row = subnet_json(change)
    after = change.after
    moved = change.free_change
    if moved is None:
        return row | {
            "usable": row["usable_after"] if after else row["usable_before"],
            "change": "new" if after else "removed",
            "verdict": _pair(row["verdict_before"], row["verdict_after"]),
        }
    return row | {
        "usable": _pair(row["usable_before"], row["usable_after"]),
        "change": f"{moved:+,}" if moved else "±0",
        "verdict": _pair(row["verdict_before"], row["verdict_after"]),
    }


def _nodes_line(change: ScenarioChange) -> str:
    parts = []
    for group in change.groups[:MOST_ROWS]:
        row = _group_json(group)
        if group.before is None or group.after is None:
            parts.append(_one_sided(group))
            continue
        nodes = _pair(row["nodes_before"], row["nodes_after"])
        pods = _pair(row["pods_per_node_before"], row["pods_per_node_after"])
        most = _pair(row["max_pods_before"], row["max_pods_after"])
        parts.append(f"{group.name} {nodes}, up to {pods} pods each (max pods {most})")
    if len(change.groups) > MOST_ROWS:
        parts.append(f"{len(change.groups) - MOST_ROWS} more groups (-o json)")
    was = change.before.unplaced_pods if change.before else None
    now = change.after.unplaced_pods if change.after else None
    unplaced = f"; unschedulable pods: {_pair(was, now)}" if was or now else ""
    return f"Nodes: {'; '.join(parts) or 'none'}{unplaced}."


def _one_sided(group: GroupChange) -> str:
    """A node group that only one of the two plans has."""
    side, state = ("new", group.after) if group.after else ("removed", group.before)
    assert state is not None, "a group is in at least one of the two checks"
    pods = f"up to {state.pods_per_node:,} pods each (max pods {state.shape.first.max_pods:,})"
    return f"{group.name} ({side}) {state.nodes:,}, {pods}"


def _runway_row(change: RunwayChange) -> dict[str, Any] | None:
    """A row for a runway that changes."""
    row = _runway_json(change)
    was, now = (row["more_nodes_before"], row["more_pods_before"]), (row["more_nodes_after"], row["more_pods_after"])
    if was == now:
        return None
    return {"name": change.name, "nodes": _pair(was[0], now[0]), "pods": _pair(was[1], now[1])}


def _finding_row(change: str, found: Finding) -> dict[str, Any]:
    return {
        "change": change,
        "code": found.code,
        "severity": found.severity,
        "scenario": found.scenario or "",
        "message": found.message,
    }


def _pair(before: object, after: object) -> Any:
    """``before → after``, or a single value if nothing changes."""
    if before == after:
        return before

    def shown(value: object) -> str:
        return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)

    return f"{shown(before)} → {shown(after)}"
