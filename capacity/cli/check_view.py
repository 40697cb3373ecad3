"""A check as an answer: the JSON contract, and the page a person reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from capacity.advice.findings.codes import Finding
from capacity.advice.summary import verdict_sentence, waste_sentence
from capacity.cli.output import Answer, Table
from capacity.cluster.check import CheckResult
from capacity.cluster.runway import Runway, shared_pools
from capacity.cluster.scenario import LOST, GroupState, ScenarioState, first_and_gravest
from capacity.cluster.unplaced import unschedulable, without_address
from capacity.cost.dollar_words import COST_COLUMNS, cost_sentence, lines_of, shown_costs, with_costs
from capacity.cost.plan_cost import PlanCost
from capacity.plan.model import Plan
from capacity.plan.windows import WindowsIpam
from capacity.vpc.ledger import SubnetState

if TYPE_CHECKING:
    from capacity.advice.fixes import Fixes


def answer(
    result: CheckResult,
    found: Sequence[Finding],
    explain: bool = False,
    patch: Mapping[str, object] | None = None,
    fixes: Fixes | None = None,
    cost: PlanCost | None = None,
) -> Answer:
    """Everything `check` says, in every format."""
    results = results_json(result, found)
    if fixes is not None:
        from capacity.cli.fix_view import fixes_json

        results["fixes"] = fixes_json(fixes)
    page = blocks(result, found, explain, fixes)
    if cost is not None:
        results = with_costs(results, cost)
        page[1:1] = cost_blocks(cost, explain)
    if explain:
        from capacity.cluster.figure_terms import subnet_term

        results["explain"] = [subnet_term(s, state).as_dict() for state in result.scenarios for s in state.subnets]
    return Answer(
        command="check",
        inputs=inputs_of(result) | ({"set": dict(patch)} if patch else {}),
        results=results,
        blocks=page,
        rows=[
            {"scenario": s.name, "variant": s.variant, **row}
            for s in result.scenarios
            for row in (subnet_json(x, s) for x in s.subnets)
        ],
        warnings=result.notes,
    )


def cost_blocks(cost: PlanCost, explain: bool = False) -> list[str | Table]:
    """What the plan costs; ``explain``: with the terms of every line."""
    page: list[str | Table] = [sentence] if (sentence := cost_sentence(cost)) else []
    for one in shown_costs(cost) if explain else ():
        page += ["", Table(COST_COLUMNS, lines_of(one), f"cost, {one.title}")]
    return page


def inputs_of(result: CheckResult) -> dict[str, Any]:
    """What the answer rests on, after defaults."""
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
    """The CNI's settings; with Cilium its own, with another none of the VPC CNI's targets."""
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
    """What the VPC resource controller does on Windows nodes, after defaults."""
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
    """One of a scenario's ``subnets``; ``lost`` where its zone is: what is free there serves nobody."""
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


_SUBNETS = (
    ("name", "subnet"),
    ("zone", "zone"),
    ("cidr", "cidr"),
    ("usable", "usable"),
    ("enis", "nodes+ENIs"),
    ("pods", "pods"),
    ("warm", "warm"),
    ("others", "others"),
    ("free", "free"),
    ("free_pct", "free %"),
    ("range", "used min–max"),
    ("verdict", "verdict"),
)


def blocks(
    result: CheckResult, found: Sequence[Finding], explain: bool, fixes: Fixes | None = None
) -> list[str | Table]:
    """The page: verdict first, then all scenarios at a glance, steady and the worst in full, runway, findings."""
    page: list[str | Table] = [verdict_sentence(result), ""]
    if len(result.scenarios) > 1:
        page += [_glance(result), ""]
    shown = result.scenarios if explain else first_and_gravest(result.scenarios)
    for state in shown:
        page += [_scenario_table(state), _groups_line(state), ""]
        if explain:
            from capacity.cluster.figure_terms import subnet_term
            from capacity.trace import lines

            page += ["\n".join(lines(subnet_term(s, state))) for s in state.subnets] + [""]
    left_out = len(result.scenarios) - len(shown)
    if left_out:
        more = "1 more scenario" if left_out == 1 else f"{left_out} more scenarios"
        page += [f"{more} in full: --scenario NAME, --explain or -o json.", ""]
    page += [_runway_table(result), *_pools(result), ""]
    waste = waste_sentence(result)
    page += [waste, ""] if waste else []
    if fixes is not None:
        from capacity.cli.fix_view import fix_blocks

        page += fix_blocks(fixes, explain)
    if found:
        page += [
            _findings(found),
            "",
            "capacity explain CODE tells what a code means; capacity explain SUBNET shows every term.",
        ]
    return page


_MOST_COLUMNS = 8


def _glance(result: CheckResult) -> Table:
    """Free addresses of every subnet in every scenario: the tightest subnets first where they are many."""
    states = result.scenarios
    subnets = [s.subnet for s in states[0].subnets]
    columns = [("scenario", "scenario"), ("verdict", "verdict")]
    title = "free addresses"
    if len(subnets) > _MOST_COLUMNS:
        least = {
            s.name: min(x.subnets[i].free / s.usable for x in states if not x.is_lost(s)) for i, s in enumerate(subnets)
        }
        names = sorted(least, key=lambda n: least[n])[:_MOST_COLUMNS]
        title += f" of the {_MOST_COLUMNS} tightest of {len(subnets):,} subnets (all: -o json)"
    else:
        names = [s.name for s in subnets]
    columns += [(f"subnet {name}", name) for name in names]
    rows = []
    for state in states:
        free = {f"subnet {s.subnet.name}": LOST if state.is_lost(s.subnet) else s.free for s in state.subnets}
        pods = {"unplaced": state.unplaced_pods, "stuck": state.pods_without_address}
        rows.append({"scenario": state.title, "verdict": state.verdict, **free, **pods})
    if any(s.unplaced_pods for s in states):
        columns.append(("unplaced", "unschedulable pods"))
    if any(s.pods_without_address for s in states):
        columns.append(("stuck", "pods without address"))
    return Table(columns, rows, title)


def _scenario_table(state: ScenarioState) -> Table:
    rows = []
    for s in state.subnets:
        row = subnet_json(s, state) | s.grouped
        share = f"{100 * s.free / s.subnet.usable:5.1f}"  # text of one width: a number would show two decimals
        row |= {"range": f"{s.used_lowest:,}–{s.used_highest:,}", "free_pct": share}
        rows.append(row | state.cells_of(s.subnet))
    columns = list(_SUBNETS)
    if any(s.free_prefixes is not None for s in state.subnets):
        columns.insert(10, ("free_prefixes", "free /28 ≤"))
    return Table(columns, rows, f"{state.title}: {state.rule}")


def _group_words(g: GroupState) -> str:
    """How many nodes of what, and how full; of a Fargate profile each pod is a node."""
    nodes = f"{g.shape.group.name} {g.nodes:,} × {g.shape.first.instance_type.name}"
    if g.shape.group.fargate:
        return nodes
    full = f", up to {g.pods_per_node} of {g.shape.first.max_pods} pods"
    return nodes + full + (f", most used: {g.binding}" if g.binding else "")


def _groups_line(state: ScenarioState) -> str:
    parts = [_group_words(g) for g in state.groups]
    pods = [unschedulable(state.unplaced_pods)] if state.unplaced_pods else []
    pods += [without_address(state.pods_without_address)] if state.pods_without_address else []
    return "nodes: " + "; ".join([*parts, *pods]) if parts else "nodes: none"


def _runway_table(result: CheckResult) -> Table:
    rows = [runway_json(r) for r in result.runway]
    columns = (
        ("name", "subnet"),
        ("more_nodes", "more nodes"),
        ("more_pods", "or more pods"),
        ("node_group", "node group"),
        ("node_addresses", "addresses per node"),
    )
    return Table(columns, rows, "runway: what still fits beyond steady")


def _pools(result: CheckResult) -> list[str]:
    """Subnets whose runway is one and the same: further ENIs go to the emptiest of them."""
    pools = shared_pools(result.runway)
    return [f"{', '.join(pool)} share further ENIs: the rows say what fits in all of them together." for pool in pools]


def _findings(found: Sequence[Finding]) -> Table:
    rows = [{"code": f.code, "severity": f.severity, "scenario": f.scenario or "", "message": f.message} for f in found]
    return Table(
        (("code", "code"), ("severity", "severity"), ("scenario", "scenario"), ("message", "finding")), rows, "findings"
    )
