"""The answers of `capacity explain`."""

from __future__ import annotations

from capacity.advice.findings.codes import codes
from capacity.advice.judge import check
from capacity.cluster.figure_terms import explain, scenario_named
from capacity.errors import SpecError, either, nearest_names
from capacity.pages.answer import Answer
from capacity.pages.check_page import inputs_of
from capacity.pages.page import CodeBlock, Page, Text
from capacity.plan.model import Plan
from capacity.trace import lines


def code_answer(code: str) -> Answer:
    """What a finding's code means."""
    known = codes()
    if code not in known:
        raise SpecError(
            f"{code!r} is not a code (did you mean {either(nearest_names(code, known, 2) or list(known)[:1])}?)"
        )
    entry = known[code]
    fields = ("what", "why", "fix", "source")
    texts = [f"{code} · {entry.severity} · {entry.title}"]
    texts += [f"{f.capitalize()}: {getattr(entry, f)}" for f in fields]
    results = {"code": code, "severity": entry.severity, "title": entry.title} | {f: getattr(entry, f) for f in fields}
    return Answer("explain", {"what": code}, results, Page([Text(t) for t in texts]), [results], dated=False)


def figure_answer(what: str, plan: Plan, scenario: str | None) -> Answer:
    """The tree of one figure of a plan."""
    result = check(plan)
    if scenario and scenario_named(result, scenario) is None:  # such as burst:nodes=20, which no plan need name
        result = check(plan, [scenario])
        term = explain(result, what)
    else:
        term = explain(result, what, scenario)
    inputs = inputs_of(result) | {"what": what, "scenario": scenario or result.scenarios[0].name}
    page = Page([CodeBlock("\n".join(lines(term)), wrap=True)])
    return Answer("explain", inputs, term.as_dict(), page, [term.as_dict()], result.notes)
