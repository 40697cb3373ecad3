"""A check as a pull-request comment: verdict, subnets over scenarios, waste, findings, fix, assumptions.

Fewer than 40 lines whatever the size of the plan, and a folded table of levers; what is left out is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from capacity.advice.digest import SubnetDigest, subnet_digests, tally, telling_scenarios
from capacity.advice.findings.codes import SEVERITIES, Finding
from capacity.advice.fix_summary import dollars_sentence, fix_sentence, freed_sentence
from capacity.advice.fixes import Fix, Fixes
from capacity.advice.reasons import CHOSEN
from capacity.advice.summary import verdict_sentence, waste_sentence
from capacity.cluster.check import CheckResult
from capacity.cluster.scenario import LOST
from capacity.cost.dollar_words import cost_sentence
from capacity.cost.plan_cost import PlanCost
from capacity.inert import markdown_code, markdown_text
from capacity.pages.check_ci import message_of
from capacity.pages.fix_page import other_forms, plan_changes, shell_commands, tried_table
from capacity.pages.markdown import markdown_table
from capacity.pages.page import Table, TableColumn
from capacity.plan.cilium_settings import given_settings
from capacity.plan.constants import CILIUM, OVERLAY
from capacity.units import counted

MOST_SUBNETS = 10
MOST_SCENARIOS = 6
MOST_FINDINGS = 6
MOST_NOTES = 4
MOST_CHANGES = 3  # of the plan, and subnets with what is freed
MOST_COMMANDS = 2
MOST_LEVERS = 6  # in the table of what was tried
LONGEST_COMMAND = 160  # characters; one that is cut cannot be pasted


def comment(
    result: CheckResult,
    found: Sequence[Finding],
    patch: Mapping[str, object],
    fixes: Fixes | None = None,
    cost: PlanCost | None = None,
) -> str:
    """The whole comment, with a final line break."""
    return "\n".join(_lines(result, found, patch, fixes, cost)) + "\n"


def _lines(
    result: CheckResult,
    found: Sequence[Finding],
    patch: Mapping[str, object],
    fixes: Fixes | None,
    cost: PlanCost | None,
) -> Iterator[str]:
    yield f"### IP capacity: {markdown_text(title_of(result, patch))}"
    yield ""
    yield f"**{markdown_text(verdict_sentence(result))}**"
    yield ""
    yield from _subnets(result)
    waste = waste_sentence(result)
    if waste:
        yield ""
        yield markdown_text(waste)
    if cost is not None and (sentence := cost_sentence(cost)):
        yield ""
        yield markdown_text(sentence)
    ranked = worst_first(result, found)
    yield from _findings(ranked)
    yield from _fix(ranked) if fixes is None else _tried_fix(fixes)
    yield from _assumptions(result)


def title_of(result: CheckResult, patch: Mapping[str, object]) -> str:
    """The plan, and the data and settings behind its figures."""
    from capacity.catalog.table import data_summary

    plan = result.plan
    targets = ("WARM_ENI_TARGET", "WARM_PREFIX_TARGET", "WARM_IP_TARGET", "MINIMUM_IP_TARGET")
    env = [f"{n}={plan.cni.env[n]}" for n in ("ENABLE_PREFIX_DELEGATION", *targets) if plan.cni.env.get(n) is not None]
    parts = [plan.file, f"data from {data_summary()['date']}"]
    if plan.cni.settings.cni == OVERLAY:
        parts += [f"overlay CNI {plan.cni.version}" if plan.cni.version else "overlay CNI"]
    elif plan.cni.settings.cni == CILIUM:
        parts += [f"Cilium {plan.cni.version}" if plan.cni.version else "Cilium"]
        parts += [f"{name}={value}" for name, value in given_settings(plan.cni.settings).items()]
    else:
        parts += [f"CNI {plan.cni.version}"] if plan.cni.version else []
        parts += env or ["CNI settings of the chart"]
    parts += [f"with {path}={str(value)[:40]}" for path, value in patch.items()]
    return f"{plan.name} ({', '.join(parts)})"


def _subnets(result: CheckResult) -> Iterator[str]:
    """Addresses held per subnet and scenario, the worst first; the rest in one row."""
    digests = subnet_digests(result)
    names = telling_scenarios(result, MOST_SCENARIOS)
    shown = digests[: MOST_SUBNETS if len(digests) > MOST_SUBNETS + 1 else MOST_SUBNETS + 1]
    rest = digests[len(shown) :]
    rows = [
        {"name": f"{d.subnet.name} {d.subnet.cidr}", "zone": d.subnet.zone, "usable": d.subnet.usable}
        | {f"used {n}": d.used.get(n, LOST) for n in names}
        | {"verdict": _verdict(d)}
        for d in shown
    ]
    if rest:
        sums = {f"used {n}": sum(d.used.get(n, 0) for d in rest) for n in names}
        usable = sum(d.subnet.usable for d in rest)
        name = f"{len(rest):,} more subnets"
        rows.append({"name": name, "zone": "", "usable": usable, **sums, "verdict": tally([d.verdict for d in rest])})
    # The verdict comes early: GitHub cuts what is wider than its column.
    columns = [TableColumn(n, h) for n, h in (("name", "subnet"), ("verdict", "verdict"), ("zone", "zone"))]
    columns += [TableColumn("usable", "usable"), *(TableColumn(f"used {n}", n) for n in names)]
    yield from markdown_table(Table(columns, rows)).split("\n")
    hidden = len(dict.fromkeys(s.name for s in result.scenarios)) - len(names)
    more = f" The verdicts include {counted(hidden, 'more scenario')}." if hidden else ""
    yield ""
    yield f"Addresses held; the maximum if a scenario has several variants.{more}"


def _verdict(digest: SubnetDigest) -> str:
    """Verdict in words and figures: ``EXHAUSTED −73 (peak)``."""
    state = digest.state
    if digest.verdict == LOST:
        return f"{LOST} ({digest.scenario})"
    if digest.verdict == "ok":
        return f"ok, {100 * state.free / digest.subnet.usable:.0f}% free at worst"
    if state.free < 0:
        figure = f"−{-state.free:,}"
    elif not state.prefixes_placed:
        figure = "not enough free /28 blocks"
    elif state.used_highest > digest.subnet.usable:
        figure = f"up to {state.used_highest:,} held"
    else:
        figure = f"{100 * state.free / digest.subnet.usable:.0f}% free"
    return f"{digest.verdict.upper()} {figure} ({digest.scenario})"


def worst_first(result: CheckResult, found: Sequence[Finding]) -> list[Finding]:
    """Findings by severity, then in the order of the subnets' table."""
    rank = {f"subnets.{d.subnet.name}": i for i, d in enumerate(subnet_digests(result))}
    return sorted(found, key=lambda f: (-SEVERITIES.index(f.severity), rank.get(f.where, len(rank))))


def _findings(found: Sequence[Finding]) -> Iterator[str]:
    """One line per finding; if there are many, one line per code with the worst finding."""
    if not found:
        return
    yield ""
    codes = Counter((f.code, f.severity) for f in found)
    each = len(found) <= MOST_FINDINGS
    first = found if each else list({(f.code, f.severity): f for f in reversed(found)}.values())[::-1]
    for f in first[:MOST_FINDINGS]:
        places = codes[f.code, f.severity]
        more = "" if each or places == 1 else f" (worst of {places:,})"
        yield f"- **{f.code}** {f.severity}{more}: {markdown_text(message_of(f))}"
    if len(first) > MOST_FINDINGS:
        yield f"- and {', '.join(sorted({f.code for f in first[MOST_FINDINGS:]}))}"


def _fix(found: Sequence[Finding]) -> Iterator[str]:
    """The fix of the worst finding, if there was no search."""
    if not found:
        return
    fix = found[0].fix
    yield ""
    yield f"**Fix** ({found[0].code}): {markdown_text(str(fix.get('summary', '')))}"


def _tried_fix(fixes: Fixes) -> Iterator[str]:
    """The fix that the search found, and why the other levers were not chosen."""
    yield ""
    yield f"**Fix**: {markdown_text(fix_sentence(fixes))}"
    found = fixes.found
    if found is None:
        return
    yield from _found(found)
    yield from _levers(fixes)


def _levers(fixes: Fixes) -> Iterator[str]:
    """The other levers and why they were not chosen, in a folded table."""
    table = tried_table(fixes)
    rows = sorted(table.rows, key=lambda row: (row["why"] != CHOSEN, row["verdict"] != "ok"))
    left = len(rows) - MOST_LEVERS
    yield ""
    more = f" ({counted(left, 'more lever')}: capacity check)" if left > 0 else ""
    yield f"<details><summary>What was tried{more}</summary>"
    yield ""
    yield from markdown_table(Table(table.columns, rows[:MOST_LEVERS])).split("\n")
    yield ""
    yield "</details>"


def _found(found: Fix) -> Iterator[str]:
    """The addresses and cost of a fix, the change of the plan, and the first commands."""
    freed = freed_sentence(found, MOST_CHANGES)
    yield ""
    if freed:
        yield f"- {markdown_text(freed)}"
    if money := dollars_sentence(found):
        yield f"- {markdown_text(money)}"
    yield f"- Trade-off: {markdown_text('; '.join(lever.cost for lever in found.levers))}."
    changes, rest = plan_changes(found, MOST_CHANGES)
    yield f"- In the plan: {', '.join(map(markdown_code, changes))}{f' and {rest:,} more' if rest else ''}"
    commands = shell_commands(found)
    shown = [c for c in commands if len(c) <= LONGEST_COMMAND and "\n" not in c][:MOST_COMMANDS]
    left = len(commands) - len(shown)
    forms = [counted(left, "more command" if shown else "command")] if left else []
    forms += other_forms(found)
    elsewhere = [f"{markdown_code('capacity check --explain')} shows {', '.join(forms)}"] if forms else []
    if commands or forms:
        yield f"- To paste: {'; '.join([*map(markdown_code, shown), *elsewhere])}"


def _assumptions(result: CheckResult) -> Iterator[str]:
    from capacity.catalog.age import limit_notes

    for note in limit_notes():
        yield ""
        yield f"Data: {markdown_text(note)}."
    if not result.notes:
        return
    yield ""
    kept = [markdown_text(n) for n in result.notes[:MOST_NOTES]]
    more = len(result.notes) - len(kept)
    yield f"Assumes: {'; '.join(kept)}{f'; and {more} more' if more else ''}."
