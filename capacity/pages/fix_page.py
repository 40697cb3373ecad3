"""Fixes as blocks of a page, and as JSON."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from capacity.advice.dollars import first_change
from capacity.advice.fix_summary import dollars_sentence, fix_sentence, remains_words, stopped_sentence
from capacity.advice.fixes import Fix, Fixes, commands_of
from capacity.cost.dollar_words import AT_REST, usd_change
from capacity.inert import printable
from capacity.pages.page import CodeBlock, Items, Table, TableColumn, Text
from capacity.units import counted

LONGEST = 100  # characters of a change where a whole answer must stay short


def fixes_json(fixes: Fixes) -> dict[str, Any]:
    """``results.fixes``: the smallest set that is enough, the nearest if there is none, and all sets tried."""
    return {
        "best": _fix_json(fixes.best),
        "partial": _fix_json(fixes.partial),
        "nearest": _fix_json(fixes.nearest),
        "complete": fixes.complete,
        "tried": [_fix_json(f) for f in fixes.tried],
    }


def _fix_json(fix: Fix | None) -> dict[str, Any] | None:
    if fix is None:
        return None
    return {
        "levers": [lever.name for lever in fix.levers],
        "summary": "; ".join(lever.summary for lever in fix.levers),
        "risk": fix.risk,
        "verdict": fix.verdict,
        "why": fix.why,
        "judged_in": fix.judged_in,
        "judged_at": fix.judged_at,
        "frees": dict(fix.frees),
        "short": fix.short,
        "not_ok": fix.not_ok,
        "usd_per_month_change": dict(fix.usd),
        "cost": [lever.cost for lever in fix.levers],
        "source": [lever.source for lever in fix.levers],
        "patch": dict(fix.patch),
        "commands": all_commands(fix),
        "fault": fix.fault,
        "remains": [{"workload": u.workload, "pods": u.pods, "reason": u.reason} for u in fix.remains],
    }


def fix_blocks(fixes: Fixes, *, every_form: bool = False) -> list[Text | Items | CodeBlock | Table]:
    """The smallest set that is enough with what to paste, and every single lever with its own verdict.

    ``every_form``: not only the shell's commands but Terraform, CloudFormation and the like too.
    """
    if not fixes.tried:
        return []
    page: list[Text | Items | CodeBlock | Table] = []
    page.append(changes_block(fixes))
    found = fixes.found
    if found is not None:
        page += [Text(money)] if (money := dollars_sentence(found)) else []
        settings = set_options(found)
        shell, forms = shell_commands(found), other_forms(found)
        page += [CodeBlock("\n".join(settings), "To try it, add to the command", "sh")] if settings else []
        commands = all_commands(found) if every_form else shell
        page += [CodeBlock("\n".join(commands), "To paste", "sh")] if commands else []
        more = [f"--explain shows it for {', '.join(forms)} too."] if forms and not every_form else []
        more += ["capacity check --fix-out FILE writes the plan with the fix."] if fixes.answer else []
        page += [Text(" ".join(more))] if more else []
    page += [Text(stopped)] if (stopped := stopped_sentence(fixes)) else []
    return [*page, tried_table(fixes)]


def set_options(fix: Fix) -> list[str]:
    """The options that apply a fix to the command that found it."""
    return [f"--set {shlex.quote(f'{path}={_value(value)}')}" for path, value in fix.patch.items()]


def changes_block(fixes: Fixes) -> Text | Items:
    """The headline with each change of the fix and its trade-off."""
    if fixes.found is None:
        return Text(headline(fixes))
    changes = [f"{lever.summary} (trade-off: {lever.cost})" for lever in fixes.found.levers]
    return Items(changes, f"{headline(fixes)}:")


def headline(fixes: Fixes) -> str:
    """The fix in one line, and that it was checked."""
    if fixes.best is not None:
        return f"Fix: {fixes.best.names} makes this plan pass (re-checked)"
    if fixes.partial is not None:
        left = remains_words(fixes.partial)
        return f"Fix: {fixes.partial.names} is enough for the addresses (re-checked); {left}"
    if fixes.nearest is not None:
        near = fixes.nearest
        return f"Fix: no tested change makes this plan pass; the closest is {near.names} ({near.verdict})"
    return f"Fix: {fix_sentence(fixes)}"


_TRIED = (
    TableColumn("lever", "lever"),
    TableColumn("risk", "disrupts", 1),
    TableColumn("verdict", "verdict"),
    TableColumn("not_ok", "subnets not ok", 2),
    TableColumn("frees", "least free by subnet", 3),
    TableColumn("usd", "$ per month", 2),
    TableColumn("why", "why, or why not"),
)


def tried_table(fixes: Fixes) -> Table:
    """Each lever alone, and the fix if it is a set, with its verdict and the reason for or against it."""
    found = fixes.found
    shown = [*fixes.single, *([found] if found is not None and len(found.levers) > 1 else [])]
    rows = [
        {
            "lever": f.names,
            "risk": f.risk,
            "verdict": f.verdict or "does not apply",
            "not_ok": f.not_ok,
            "frees": _frees(f),
            "usd": dollars_of(f),
            "why": f.why,
        }
        for f in shown
    ]
    sets = len(fixes.tried) - len(fixes.single)
    title = "Each lever alone, re-checked"
    return Table(
        _TRIED, rows, title + (f"; {counted(sets, 'combination')} also tried (-o json lists all)" if sets else "")
    )


def all_commands(fix: Fix) -> list[str]:
    """The commands to paste; forms that are not commands as shell comments."""
    return list(commands_of(fix))


def shell_commands(fix: Fix) -> list[str]:
    """The commands that a shell can run."""
    return [command for command in all_commands(fix) if not command.startswith("#")]


def other_forms(fix: Fix) -> list[str]:
    """The tools in the comments: each comment starts with the tool's name and a colon or comma."""
    names = (re.match(r"# (\w[\w. ]*)[,:]", command) for command in all_commands(fix))
    return list(dict.fromkeys(found[1] for found in names if found))


def _frees(fix: Fix) -> str:
    """The largest changes of free addresses."""
    largest = sorted(fix.frees.items(), key=lambda f: -abs(f[1]))[:3]
    return fix.fault or ", ".join(f"{name} {change:+,}" for name, change in largest) or "no change"


def dollars_of(fix: Fix) -> str:
    """The change in cost, with the scenario if it is not steady."""
    scenario, change = first_change(fix.usd)
    if not scenario:
        return ""
    return usd_change(change) + (f" {AT_REST.get(scenario, f'in {scenario}')}" if scenario != "steady" else "")


def plan_changes(fix: Fix, most: int) -> tuple[list[str], int]:
    """Changes of the plan in the form of ``--set``, in a few short lines, and the number left out."""
    lines = [printable(f"{path}={_value(value)}") for path, value in fix.patch.items()]
    shown = [line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…" for line in lines[:most]]
    return shown, len(lines) - len(shown)


def _value(value: object) -> str:
    """A value of a patch as YAML in one line."""
    if value is None:
        return "null"
    return json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
