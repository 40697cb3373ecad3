"""A check as a message for a channel: verdict, scenarios at a glance, cost, the worst findings, the fix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from capacity.advice.findings.codes import Finding
from capacity.advice.fix_summary import dollars_sentence
from capacity.advice.fixes import Fixes
from capacity.advice.summary import waste_sentence
from capacity.cluster.check import CheckResult
from capacity.cost.dollar_words import cost_sentence
from capacity.cost.plan_cost import PlanCost
from capacity.pages.check_ci import message_of
from capacity.pages.check_comment import MOST_FINDINGS, title_of, worst_first
from capacity.pages.check_page import glance_table, verdict_of
from capacity.pages.fix_page import changes_block, other_forms, set_options, shell_commands
from capacity.pages.page import CodeBlock, Items, Page, Table, Text, Verdict
from capacity.units import counted


def message_page(
    result: CheckResult,
    found: Sequence[Finding],
    patch: Mapping[str, object],
    fixes: Fixes | None = None,
    cost: PlanCost | None = None,
) -> Page:
    """The page of the message."""
    from capacity.catalog.age import limit_notes

    sentences = [cost_sentence(cost) if cost is not None else "", waste_sentence(result) or ""]
    blocks: list[Verdict | Text | Items | CodeBlock | Table] = [verdict_of(result), glance_table(result)]
    blocks += [Text(sentence) for sentence in sentences if sentence]
    blocks += _findings(worst_first(result, found))
    blocks += _fix(fixes) if fixes is not None and fixes.tried else []
    blocks += [Text(f"Data: {note}.") for note in limit_notes()]
    return Page(blocks, f"IP capacity: {title_of(result, patch)}")


def _findings(found: Sequence[Finding]) -> list[Items | Text]:
    if not found:
        return []
    shown = [f"{f.code} {f.severity}: {message_of(f)}" for f in found[:MOST_FINDINGS]]
    rest = found[MOST_FINDINGS:]
    codes = ", ".join(sorted({f.code for f in rest}))
    more = [Text(f"{counted(len(rest), 'more finding')} ({codes}): capacity check.")] if rest else []
    return [Items(shown, "Findings, worst first:"), *more]


def _fix(fixes: Fixes) -> list[Text | Items | CodeBlock]:
    """The fix with its trade-offs and cost, and the option that tries it; commands are for the terminal."""
    blocks: list[Text | Items | CodeBlock] = [changes_block(fixes)]
    found = fixes.found
    if found is None:
        return blocks
    blocks += [Text(money)] if (money := dollars_sentence(found)) else []
    settings = set_options(found)
    blocks += [CodeBlock("\n".join(settings), "To try it, add to the command", "sh")] if settings else []
    commands = len(shell_commands(found))
    forms = [*([counted(commands, "command")] if commands else []), *other_forms(found)]
    return [*blocks, *([Text(f"To paste: capacity check --explain shows {', '.join(forms)}.")] if forms else [])]
