"""The first screen of the report: what to decide, with the figures of check, forecast and cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from capacity.advice.fix_summary import dollars_sentence
from capacity.cluster.scenario import ScenarioState, tightest
from capacity.cluster.unplaced import unschedulable
from capacity.cost.dollar_words import AT_REST, amount, price_basis, unpriced
from capacity.cost.plan_cost import NODES as NODE_LINES
from capacity.forecast.words import coming_sentence, has_run_out, next_to_run_out
from capacity.pages.cells import brief
from capacity.pages.check_page import subnet_row
from capacity.pages.fix_page import changes_block
from capacity.pages.page import Fact, FigureList, Section, Table, TableColumn, Text
from capacity.pages.report_blocks import Block
from capacity.plan.scenarios import when_words
from capacity.units import counted

if TYPE_CHECKING:
    from capacity.advice.findings.codes import Finding
    from capacity.advice.fixes import Fixes
    from capacity.cluster.check import CheckResult
    from capacity.cost.plan_cost import Cost, PlanCost
    from capacity.forecast.result import ForecastResult, SubnetForecast
    from capacity.pages.report_material import Material
    from capacity.vpc.ledger import SubnetState

SHOWN = {"steady": "now", "peak": "peak"}  # scenarios of the figures "now → peak"
NODES, DOLLARS, LEAST_FREE, RUNS_OUT = "Nodes", "$ per month", "Lowest free share", "Runs out"
NOT_CHECKED = f"not checked: {' and '.join(SHOWN)}"


def about(material: Material) -> FigureList:
    """Date, plan and version, and how much was checked."""
    plan = material.result.plan
    counts = (
        counted(len(plan.subnets), "subnet"),
        counted(len(plan.node_groups), "node group"),
        counted(len(plan.workloads), "workload"),
        counted(len(material.result.scenarios), "scenario"),
        counted(len(material.findings), "finding"),
    )
    facts = [
        Fact("date", material.status.as_of.isoformat()),
        Fact("plan", plan.file or "–"),
        Fact("capacity", material.version),
        Fact("region", plan.region or "not given"),
        Fact("Kubernetes", plan.kubernetes.version or "not given"),
        Fact("checked", ", ".join(counts)),
    ]
    return FigureList(facts)


def key_figures(material: Material) -> FigureList:
    """The four figures that a decision needs."""
    result = material.result
    figures = [least_free(result), runs_out(material.forecast), nodes(result), dollars(material.cost)]
    return FigureList(figures, large=True)


def least_free(result: CheckResult) -> Fact:
    """The smallest free share of a subnet in any scenario."""
    found = tightest(result.scenarios)
    if found is None:
        return Fact(LEAST_FREE, "–", "no subnet is left in any scenario")
    state, subnet = found
    count = counted(abs(subnet.free), "address", "addresses")
    left = f"{count} free" if subnet.free >= 0 else f"{count} short"
    return Fact(LEAST_FREE, _share(found), f"{brief(subnet.subnet.name)}, {state.title}: {left}")


def _share(found: tuple[ScenarioState, SubnetState] | None) -> str:
    """The free share of a subnet as the table of the scenario has it."""
    if found is None:
        return "–"
    state, subnet = found
    return f"{subnet_row(subnet, state)['free_pct']:,.1f}%".replace("-", "−")


def runs_out(found: ForecastResult | None) -> Fact:
    """The date when the next subnet runs out, with P10 and P90."""
    if found is None:
        return Fact(RUNS_OUT, "no forecast", "no workload of the plan has growth")
    said, coming = coming_sentence(found), next_to_run_out(found)
    if found.already:
        return Fact(RUNS_OUT, f"already {found.already[0].when}", said)
    if has_run_out(found):
        return Fact(RUNS_OUT, f"already {when_words(found.scenario)}", said)
    if coming is None:
        return Fact(RUNS_OUT, "not known", said)
    if not coming.probability:
        return Fact(RUNS_OUT, f"not before {found.end}", said)
    if coming.date_p50 is None:
        return Fact(RUNS_OUT, f"after {found.end}", f"{said} {_span(found, coming)}.")
    span = "" if found.exact else f": {_span(found, coming)}"
    return Fact(RUNS_OUT, coming.date_p50.isoformat(), f"{brief(coming.name)}, {when_words(found.scenario)}{span}")


def _span(found: ForecastResult, subnet: SubnetForecast) -> str:
    """``P10 2027-08-01, P90 2027-11-10``."""
    early, late = (day.isoformat() if day else f"after {found.end}" for day in (subnet.date_p10, subnet.date_p90))
    return f"P10 {early}, P90 {late}"


def nodes(result: CheckResult) -> Fact:
    """Nodes now and at peak, in all and by group."""
    states = _checked(result)
    if not states:
        return Fact(NODES, "–", NOT_CHECKED)
    groups = (
        f"{brief(group.name)} {_arrow([f'{s.group(group.name).nodes:,}' for s in states])}"
        for group in result.plan.node_groups
    )
    told = ", ".join(list(groups)[:4]) + (", …" if len(result.plan.node_groups) > 4 else "")
    stuck = states[-1].unplaced_pods
    at_peak = f"{unschedulable(stuck)} {when_words(states[-1].name)}" if stuck else ""
    return Fact(f"{NODES} {_when(states)}", _nodes(result), "; ".join(filter(None, (told, at_peak))))


def _nodes(result: CheckResult) -> str:
    return _arrow([f"{s.nodes:,}" for s in _checked(result)]) or "–"


def dollars(cost: PlanCost | None) -> Fact:
    """Cost per month now and at peak."""
    costs = _priced(cost)
    if not costs:
        return Fact(DOLLARS, "–", NOT_CHECKED)
    missing = unpriced(costs)
    note = [price_basis(costs), f"without a price: {'; '.join(missing)}" if missing else ""]
    return Fact(f"{DOLLARS} {_when(costs)}", _dollars(cost), "; ".join(filter(None, note)))


def _dollars(cost: PlanCost | None) -> str:
    """``not known`` if no node has a price: the rest of the bill alone would mislead."""
    costs = _priced(cost)
    lines = [line for c in costs for line in c.lines if line.item == NODE_LINES]
    if lines and all(line.usd_per_month is None for line in lines):
        return "not known"
    return _arrow([amount(c) for c in costs]) or "–"


def _checked(result: CheckResult) -> list[ScenarioState]:
    return [state for name in SHOWN for state in result.scenarios if state.name == name]


def _priced(cost: PlanCost | None) -> list[Cost]:
    return cost.at_rest(SHOWN) if cost is not None else []


def _when(found: Sequence[ScenarioState | Cost]) -> str:
    """``now → peak``, or the one that was checked; empty if neither was."""
    if not found:
        return ""
    if len(found) == len(SHOWN):
        return " → ".join(SHOWN.values())
    return AT_REST[found[0].name if isinstance(found[0], ScenarioState) else found[0].scenario]


def _arrow(parts: Sequence[str]) -> str:
    return " → ".join(parts)


def decision_section(material: Material) -> Section:
    """The recommended fix with before and after, its cost and risk, and what the reader decides."""
    blocks: list[Block] = [*_change(material), Text(asked(material))]
    fixes = material.fixes
    if fixes is not None and fixes.tried:
        blocks.append(changes_block(fixes))
        found = fixes.found
        if found is not None:
            told = (f"Disrupts: {found.risk}.", dollars_sentence(found), _where(fixes, material.findings))
            blocks.append(Text(" ".join(filter(None, told))))
    if material.fixed is not None or material.today is not None:
        blocks.append(before_and_after(material))
    return Section("decision", "Decision", blocks)


def _change(material: Material) -> list[Block]:
    """What the proposed change does; nothing if the report is of one plan."""
    if material.today is None:
        return []
    from capacity.advice.compare import compare

    told = compare(material.today.result, material.result).sentence
    return [Text(f"Proposed change, compared with {material.today_words}: {told}")]


def before_and_after(material: Material) -> Table:
    """The figures of the plan today, of the proposed one if there is one, and with the fix."""
    today = material.today
    rows = [_side("today", today.result, today.cost)] if today is not None else []
    rows.append(_side("proposed" if today is not None else "today", material.result, material.cost))
    if material.fixed is not None:
        rows.append(_side(f"with the {material.change_words}", material.fixed, material.fixed_cost))
    when = _when(_checked(material.result))
    columns = (
        TableColumn("plan", "plan"),
        TableColumn("verdict", "verdict"),
        TableColumn("least_free", LEAST_FREE.lower()),
        TableColumn("subnet", "in subnet", 2),
        TableColumn("scenario", "in scenario", 1),
        TableColumn("nodes", f"{NODES.lower()} {when}".rstrip()),
        TableColumn("dollars", f"{DOLLARS} {when}".rstrip()),
    )
    return Table(columns, rows, "Before and after, re-checked in every scenario", name="Before and after")


def _side(name: str, result: CheckResult, cost: PlanCost | None) -> dict[str, Any]:
    found = tightest(result.scenarios)
    return {
        "plan": name,
        "verdict": result.verdict,
        "least_free": _share(found),
        "subnet": found[1].subnet.name if found else None,
        "scenario": found[0].title if found else None,
        "nodes": _nodes(result),
        "dollars": _dollars(cost),
    }


def asked(material: Material) -> str:
    """What the reader decides, in one sentence."""
    if material.today is not None:
        return f"Decide whether to make the proposed change. {_asked_of_proposed(material)}".rstrip()
    if material.result.verdict == "ok":
        return _asked_of_ok(material.forecast)
    if material.fixes is None:
        return "Decide which finding to resolve first. capacity check --fixes searches for a fix of a plan this large."
    return _asked_of_fix(material.fixes)


def _asked_of_proposed(material: Material) -> str:
    if material.result.verdict == "ok":
        return ""
    enough = material.fixes is not None and material.fixes.answer is not None
    more = ": the fix below makes it pass" if enough else ""
    return f"With it the plan is still {material.result.verdict}{more}."


def _asked_of_fix(fixes: Fixes) -> str:
    if fixes.answer is None:
        return "Decide on a larger change or a smaller plan: no change that was tested is enough."
    if fixes.best is None:
        return "Decide whether to apply the fix below, and where the pods that stay unschedulable run."
    return "Decide whether to apply the fix below or to make another change."


def _where(fixes: Fixes, findings: Sequence[Finding]) -> str:
    """Where the commands and the changed plan are; empty if no set is enough."""
    if fixes.answer is None:
        return ""
    commands = any(f.fix.get("patch") == fixes.answer.patch for f in findings)
    there = "The section Findings and fixes has the commands; " if commands else ""
    return f"{there}capacity check --fix-out FILE writes the plan with the fix."


def _asked_of_ok(forecast: ForecastResult | None) -> str:
    coming = next_to_run_out(forecast) if forecast is not None else None
    first = coming and (coming.date_p10 or coming.date_p50)
    if coming is None or first is None:
        return "No decision is needed now."
    return f"No change is needed today. Decide on one before {first}: {brief(coming.name)} can run out from then on."
