"""A check as an answer: the JSON contract and the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from capacity.advice.findings.codes import Finding
from capacity.advice.summary import verdict_sentence, waste_sentence
from capacity.cluster.check import CheckResult
from capacity.cluster.runway import Runway, shared_pools
from capacity.cluster.scenario import LOST, GroupState, ScenarioState, first_and_worst
from capacity.cluster.unplaced import unschedulable, without_address
from capacity.cost.dollar_words import COST_COLUMNS, cost_sentence, lines_of, shown_costs, with_costs
from capacity.cost.plan_cost import PlanCost
from capacity.pages.answer import Answer
from capacity.pages.cells import brief
from capacity.pages.page import CodeBlock, Page, Table, TableColumn, Text, Verdict
from capacity.pages.vocabulary import limited_by
from capacity.plan.model import Plan
from capacity.plan.windows import WindowsIpam
from capacity.vpc.ledger import SubnetState

if TYPE_CHECKING:
    from capacity.advice.fixes import Fixes


def answer(
    result: CheckResult,
    found: Sequence[Finding],
    patch: Mapping[str, object] | None = None,
    fixes: Fixes | None = None,
    cost: PlanCost | None = None,
    *,
    explain: bool = False,
) -> Answer:
    """The answer of `check` in every format."""
    results = results_json(result, found)
    if fixes is not None:
        from capacity.pages.fix_page import fixes_json

        results["fixes"] = fixes_json(fixes)
    if cost is not None:
        results = with_costs(results, cost)
    if explain:
        from capacity.cluster.figure_terms import subnet_term

        results["explain"] = [subnet_term(s, state).as_dict() for state in result.scenarios for s in state.subnets]
    return Answer(
        command="check",
        inputs=inputs_of(result) | ({"set": dict(patch)} if patch else {}),
        results=results,
        page=page(result, found, fixes, cost, explain=explain),
        rows=[
            {"scenario": s.name, "variant": s.variant, **row}
            for s in result.scenarios
            for row in (subnet_json(x, s) for x in s.subnets)
        ],
        warnings=result.notes,
    )


def inputs_of(result: CheckResult) -> dict[str, Any]:
    """The inputs of the answer, after defaults."""
    plan = result.plan
    return {
        "plan": plan.file,
        "name": plan.name,
        "region": plan.region,
        "ip_family": plan.kubernetes.ip_family,
        "cni": _cni(plan),
        "min_free": f"{float(100 * plan.checks.min_free):g}%",
        "scenarios": list(dict.fromkeys(s.name for s in result.scenarios)),
    }


def _cni(plan: Plan) -> dict[str, Any]:
    """The CNI's settings; the targets of the VPC CNI only if that is the CNI."""
    cni = plan.cni
    settings, ours = cni.settings, cni.name == "vpc-cni"
    windows = {"windows": _windows(cni.windows)} if ours and any(g.windows for g in plan.node_groups) else {}
    return {
        "name": cni.name,
        "version": cni.version,
        "prefix_delegation": settings.prefix,
        "custom_networking": settings.custom_networking,
        "pod_eni": settings.pod_eni,
        "warm_eni_target": settings.warm_eni if ours else None,
        "warm_ip_target": settings.warm_ip if ours else None,
        "minimum_ip_target": settings.minimum_ip if ours else None,
        "warm_prefix_target": settings.warm_prefix if ours else None,
        "max_eni": settings.max_eni,
        "cilium": None if settings.cilium is None else asdict(settings.cilium),
    } | windows


def _windows(told: WindowsIpam) -> dict[str, Any]:
    """The settings of the VPC resource controller for Windows nodes, after defaults."""
    return {
        "enabled": told.enabled,
        "prefix_delegation": told.prefix,
        "warm_ip_target": told.warm_ip,
        "minimum_ip_target": told.minimum_ip,
        "warm_prefix_target": told.warm_prefix,
    }


def results_json(result: CheckResult, found: Sequence[Finding]) -> dict[str, Any]:
    """``results`` of the JSON answer."""
    return {
        "verdict": result.verdict,
        "scenarios": [scenario_json(s) for s in result.scenarios],
        "runway": [runway_json(r) for r in result.runway],
        "findings": [finding_json(f) for f in found],
    }


def scenario_json(state: ScenarioState) -> dict[str, Any]:
    """One of ``results.scenarios``."""
    return {
        "name": state.name,
        "variant": state.variant,
        "rule": state.rule,
        "verdict": state.verdict,
        "subnets": [subnet_json(s, state) for s in state.subnets],
        "node_groups": [group_json(g) for g in state.groups],
        "unplaced_pods": state.unplaced_pods,
        "pods_without_address": state.pods_without_address,
        "unplaced": [{"workload": u.workload, "pods": u.pods, "reason": u.reason} for u in state.unplaced],
    }


def subnet_json(state: SubnetState, scenario: ScenarioState) -> dict[str, Any]:
    """One of a scenario's ``subnets``; ``lost`` if its zone is lost, because its free addresses are then of no use."""
    subnet = state.subnet
    return {
        "name": subnet.name,
        "zone": subnet.zone,
        "cidr": str(subnet.cidr),
        "total": subnet.total,
        "usable": subnet.usable,
        "used": dict(state.used),
        "free": state.free,
        "free_pct": round(100 * state.free / subnet.usable, 2),
        "free_reserved": state.free_reserved,
        "free_prefixes": state.free_prefixes,
        "used_lowest": state.used_lowest,
        "used_highest": state.used_highest,
        "verdict": state.verdict,
        "lost": scenario.is_lost(subnet),
    }


def group_json(state: GroupState) -> dict[str, Any]:
    """One of a scenario's ``node_groups``."""
    first = state.shape.first
    return {
        "name": state.shape.group.name,
        "instance_type": first.instance_type.name,
        "nodes": state.nodes,
        "nodes_by_zone": dict(state.nodes_by_zone),
        "pods_per_node": state.pods_per_node,
        "max_pods": first.max_pods,
        "binding": state.binding,
        "pods_without_address": state.pods_without_address,
    }


def runway_json(runway: Runway) -> dict[str, Any]:
    """One of ``results.runway``."""
    return {
        "name": runway.subnet,
        "more_nodes": runway.more_nodes,
        "more_pods": runway.more_pods,
        "scenario": "steady",
        "node_group": runway.group,
        "node_addresses": runway.node_addresses,
        "pool": list(runway.pool),
    }


def finding_json(found: Finding) -> dict[str, Any]:
    """One of ``results.findings``."""
    return {
        "code": found.code,
        "severity": found.severity,
        "where": found.where,
        "scenario": found.scenario,
        "message": found.message,
        "fix": dict(found.fix),
    }


def verdict_of(result: CheckResult) -> Verdict:
    """The verdict with its sentence, for every page on a check."""
    return Verdict(result.verdict, verdict_sentence(result).removeprefix(f"{result.verdict.upper()}: "))


def cost_blocks(cost: PlanCost, *, explain: bool = False) -> list[Text | Table]:
    """The cost of the plan; ``explain``: with the terms of every line."""
    page: list[Text | Table] = [Text(sentence)] if (sentence := cost_sentence(cost)) else []
    columns = [TableColumn(*c, rank=max(0, i - 2)) for i, c in enumerate(COST_COLUMNS)]
    return [*page, *(Table(columns, lines_of(one), f"Cost, {one.title}") for one in shown_costs(cost) if explain)]


def page(
    result: CheckResult,
    found: Sequence[Finding],
    fixes: Fixes | None = None,
    cost: PlanCost | None = None,
    *,
    explain: bool = False,
) -> Page:
    """Verdict first, then all scenarios at a glance, steady and the worst in full, runway, fix, findings."""
    blocks: list[Any] = [verdict_of(result), *(cost_blocks(cost, explain=explain) if cost is not None else [])]
    if len(result.scenarios) > 1:
        blocks.append(glance_table(result))
    shown = result.scenarios if explain else first_and_worst(result.scenarios)
    for state in shown:
        blocks.append(replace(subnets_table(state), note=_groups_line(state)))
        if explain:
            from capacity.cluster.figure_terms import subnet_term
            from capacity.trace import lines

            blocks += [CodeBlock("\n".join(lines(subnet_term(s, state))), wrap=True) for s in state.subnets]
    left_out = len(result.scenarios) - len(shown)
    if left_out:
        more = "1 more scenario" if left_out == 1 else f"{left_out} more scenarios"
        blocks.append(Text(f"{more} in full: --scenario NAME, --explain or -o json."))
    blocks += [runway_table(result)] if result.runway else []
    waste = waste_sentence(result)
    blocks += [Text(waste)] if waste else []
    if fixes is not None:
        from capacity.pages.fix_page import fix_blocks

        blocks += fix_blocks(fixes, every_form=explain)
    if found:
        blocks += [
            _findings(found),
            Text("capacity explain CODE shows what a code means; capacity explain SUBNET shows every term."),
        ]
    return Page(blocks)


# --- subnets ----------------------------------------------------------------------------

_SUBNETS = (
    TableColumn("subnet", "subnet"),
    TableColumn("verdict", "verdict"),
    TableColumn("zone", "zone", 3),
    TableColumn("cidr", "CIDR", 4),
    TableColumn("usable", "usable"),
    TableColumn("enis", "nodes+ENIs", 2),
    TableColumn("pods", "pods", 2),
    TableColumn("warm", "warm", 2),
    TableColumn("others", "others", 2),
    TableColumn("free", "free"),
    TableColumn("free_pct", "free %", 1, 1, unit="%"),
    TableColumn("range", "used min–max", 1),
)


def subnet_row(state: SubnetState, scenario: ScenarioState) -> dict[str, Any]:
    """A subnet's ledger for people: its holders in four groups, and ``lost`` if its zone is lost."""
    return {
        "subnet": state.subnet.name,
        "zone": state.subnet.zone,
        "cidr": str(state.subnet.cidr),
        "usable": state.subnet.usable,
        **state.grouped,
        "free": state.free,
        "free_pct": round(100 * state.free / state.subnet.usable, 1),
        "free_prefixes": state.free_prefixes,
        "range": f"{state.used_lowest:,}–{state.used_highest:,}",
        "verdict": state.verdict,
        **scenario.cells_of(state.subnet),
    }


def subnets_table(state: ScenarioState, *, folded: bool = False) -> Table:
    """The subnets of one scenario."""
    columns = list(_SUBNETS)
    if any(s.free_prefixes is not None for s in state.subnets):
        columns.insert(11, TableColumn("free_prefixes", "free /28 ≤", 1))
    rows = [subnet_row(s, state) for s in state.subnets]
    return Table(columns, rows, f"{state.title}: {state.rule}", folded=folded)


_MOST_COLUMNS = 8


def glance_table(result: CheckResult) -> Table:
    """Free addresses of every subnet in every scenario: only the tightest subnets if there are many."""
    states = result.scenarios
    subnets = [s.subnet for s in states[0].subnets]
    least = {
        s.name: min((x.subnets[i].free / s.usable for x in states if not x.is_lost(s)), default=1.0)
        for i, s in enumerate(subnets)
    }
    by_room = sorted(least, key=lambda n: least[n])
    title = "Free addresses"
    names = [s.name for s in subnets]
    if len(subnets) > _MOST_COLUMNS:
        names = by_room[:_MOST_COLUMNS]
        title += f" of the {_MOST_COLUMNS} tightest of {len(subnets):,} subnets (all: -o json)"
    columns = [TableColumn("scenario", "scenario"), TableColumn("verdict", "verdict")]
    columns += [TableColumn(f"subnet {name}", name, by_room.index(name)) for name in names]
    rows = []
    for state in states:
        free = {f"subnet {s.subnet.name}": LOST if state.is_lost(s.subnet) else s.free for s in state.subnets}
        pods = {"unplaced": state.unplaced_pods, "stuck": state.pods_without_address}
        rows.append({"scenario": state.title, "verdict": state.verdict, **free, **pods})
    if any(s.unplaced_pods for s in states):
        columns.append(TableColumn("unplaced", "unschedulable pods"))
    if any(s.pods_without_address for s in states):
        columns.append(TableColumn("stuck", "pods without an address"))
    return Table(columns, rows, title)


def _group_words(g: GroupState) -> str:
    """Number and type of nodes, and how full they are; in a Fargate profile, each pod is a node."""
    nodes = f"{g.shape.group.name} {g.nodes:,} × {g.shape.first.instance_type.name}"
    if g.shape.group.fargate:
        return nodes
    full = f", up to {g.pods_per_node} of {g.shape.first.max_pods} pods"
    return nodes + full + (f", {limited_by(g.binding)}" if g.binding else "")


def _groups_line(state: ScenarioState) -> str:
    parts = [_group_words(g) for g in state.groups]
    pods = [unschedulable(state.unplaced_pods)] if state.unplaced_pods else []
    pods += [without_address(state.pods_without_address)] if state.pods_without_address else []
    return "Nodes: " + "; ".join([*parts, *pods]) + "." if parts else "Nodes: none."


_RUNWAY = (
    TableColumn("subnet", "subnet"),
    TableColumn("more_nodes", "room for: nodes"),
    TableColumn("more_pods", "or pods"),
    TableColumn("node_group", "of node group"),
    TableColumn("node_addresses", "addresses per node"),
)


def runway_table(result: CheckResult) -> Table:
    """Nodes and pods that still fit, per subnet; the title names subnets that share a runway."""
    rows = [
        {
            "subnet": r.subnet,
            "more_nodes": r.more_nodes,
            "more_pods": r.more_pods,
            "node_group": r.group,
            "node_addresses": r.node_addresses,
        }
        for r in result.runway
    ]
    pools = shared_pools(result.runway)
    shared = "".join(
        f"; {', '.join(map(brief, pool))} share additional ENIs: for all of them together" for pool in pools
    )
    return Table(_RUNWAY, rows, f"Runway: what still fits beyond the steady state{shared}")


_FINDINGS = (
    TableColumn("code", "code"),
    TableColumn("severity", "severity"),
    TableColumn("scenario", "scenario", 1),
    TableColumn("message", "finding"),
)


def _findings(found: Sequence[Finding]) -> Table:
    rows = [{"code": f.code, "severity": f.severity, "scenario": f.scenario or "", "message": f.message} for f in found]
    return Table(_FINDINGS, rows, "Findings")
