"""The planner page's door to the library: the name of a call and its arguments as JSON in, JSON text out.

It runs where there are no compiled packages (Pyodide in a browser). An answer of a command is the text that
``capacity … -o json`` prints, written by the same functions. Everything of a plan is in its text: no file is read but
the plans of tenants and the files of an import, which the page puts into the worker's own file system.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from inspect import signature
from typing import TYPE_CHECKING, Any

from capacity.advice.findings.codes import Finding
from capacity.advice.fixes import Fixes, after, with_fix
from capacity.advice.judge import check_with_findings
from capacity.cluster.check import CheckResult
from capacity.cost.bill import plan_cost
from capacity.cost.inputs import CostInputs
from capacity.errors import CapacityError, SpecError
from capacity.pages import check_page
from capacity.pages.answer import Answer
from capacity.pages.written import rendered
from capacity.plan.document import PlanFile, parse_plan_file
from capacity.plan.parse import parse_patched, parse_plan
from capacity.plan.patch import apply_patch, parse_settings, patched_text

if TYPE_CHECKING:
    from capacity.node.platform import Platform

NAME = "plan.yaml"  # of a plan that has no other name
LARGEST_TEXT = 512 * 1024  # characters of a plan; the browser takes seconds to read a larger one
WORKLOADS = "app"  # the workload of a plan started from a few numbers

Tell = Callable[[int, int], Any]


def answer(call: str, request: str, tell: Tell | None = None) -> str:
    """The answer of one of :data:`CALLS` for a JSON object of its arguments.

    Bad input is an answer too: ``{"error", "line", "errors"}``, with the line in the plan if it is known.

    Parameters
    ----------
    tell : callable, optional
        Called by a search before each check, with the checks done and the maximum.

    Examples
    --------
    >>> answer("check", '{"text": "apiVersion: capacity/v2"}')[:44]
    '{"error": "plan.yaml:1 apiVersion: \\'capacity'
    """
    try:
        given = json.loads(request)
        called = CALLS[call]
        return called(**given, tell=tell) if "tell" in signature(called).parameters else called(**given)
    except CapacityError as error:
        return _json(_error_json(error))
    except ModuleNotFoundError as error:  # in the browser: what is compiled is not there
        what = "maxPodsExpression" if error.name == "celpy" else f"the Python package {error.name}"
        return _json({"error": f"the page cannot use {what}: run the command instead", "line": None, "errors": []})
    except RecursionError:
        return _json({"error": f"{NAME}: nested too deeply", "line": None, "errors": []})


def _error_json(error: CapacityError) -> dict[str, Any]:
    several = error.errors if isinstance(error, SpecError) else ()
    notes = [str(note) for note in getattr(error, "__notes__", ())]
    found = [{"message": str(e), "line": e.line} for e in several]
    return {
        "error": "\n".join([*error.lines, *notes]),
        "line": next((e["line"] for e in found if e["line"] is not None), None),
        "errors": found,
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


# --- a plan, checked --------------------------------------------------------------------


@dataclass(frozen=True)
class _Checked:
    """A plan's text with the changes to it, its check and its findings."""

    file: PlanFile
    patch: dict[str, object]
    scenarios: list[str] | None
    result: CheckResult
    findings: tuple[Finding, ...]

    def answer(self, fixes: Fixes | None = None) -> Answer:
        found = with_fix(self.findings, fixes)
        cost = plan_cost(self.result, CostInputs())
        made = check_page.answer(self.result, found, self.patch, fixes, cost)

        def comment() -> str:
            from capacity.pages import check_comment

            return check_comment.comment(self.result, found, self.patch, fixes, cost)

        return replace(made, texts={"md": comment})


def _file(text: str, name: str) -> PlanFile:
    if len(text) > LARGEST_TEXT:
        raise SpecError(f"{name}: more than {LARGEST_TEXT // 1024} KB, too large for the page (use capacity check)")
    return parse_plan_file(text.encode("utf-8", "surrogatepass"), name)


def _checked(text: str, name: str, settings: Sequence[str], scenarios: Sequence[str] | None) -> _Checked:
    return _cached(text, name, tuple(settings), None if scenarios is None else tuple(scenarios))


@lru_cache(maxsize=2)
def _cached(text: str, name: str, settings: tuple[str, ...], scenarios: tuple[str, ...] | None) -> _Checked:
    patch = parse_settings(settings)
    file = _file(text, name)
    named = None if scenarios is None else list(scenarios)
    result, found = check_with_findings(parse_patched(file.document, patch, file.name), named)
    return _Checked(file, patch, named, result, found)


# --- answers of commands ----------------------------------------------------------------


def check(text: str, name: str = NAME, settings: Sequence[str] = (), scenarios: Sequence[str] | None = None) -> str:
    """``capacity check PLAN --no-fixes -o json``."""
    return rendered(_checked(text, name, settings, scenarios).answer(), "json")


def comment(text: str, name: str = NAME, settings: Sequence[str] = (), scenarios: Sequence[str] | None = None) -> str:
    """``capacity check PLAN --no-fixes -o md``, as a JSON string."""
    return _json(rendered(_checked(text, name, settings, scenarios).answer(), "md"))


def fixes(
    text: str,
    name: str = NAME,
    settings: Sequence[str] = (),
    scenarios: Sequence[str] | None = None,
    tell: Tell | None = None,
) -> str:
    """``capacity check PLAN --fixes -o json``."""
    from capacity.advice.search import find_fixes

    checked = _checked(text, name, settings, scenarios)
    if checked.result.verdict == "ok":
        return rendered(checked.answer(), "json")
    document = apply_patch(checked.file.document, checked.patch)
    found = find_fixes(document, checked.result, checked.scenarios, tell, CostInputs())
    return rendered(checked.answer(found), "json")


def explain(text: str, what: str, name: str = NAME, settings: Sequence[str] = (), scenario: str | None = None) -> str:
    """``capacity explain WHAT PLAN -o json``; a finding code needs no plan."""
    from capacity.advice.findings.codes import codes
    from capacity.pages.explain_page import code_answer, figure_answer

    if what in codes():
        return rendered(code_answer(what), "json")
    file = _file(text, name)
    plan = parse_patched(file.document, parse_settings(settings), file.name)
    return rendered(figure_answer(what, plan, scenario), "json")


def warm(text: str, name: str = NAME, settings: Sequence[str] = (), swing: str = "25%") -> str:
    """``capacity warm PLAN -o json``."""
    from capacity.advice.warm import warm_for_plan
    from capacity.pages.warm_page import answer as warm_answer
    from capacity.pages.warm_page import plan_inputs
    from capacity.units import parse_percent

    file, patch = _file(text, name), parse_settings(settings)
    plan = parse_patched(file.document, patch, file.name)
    found = warm_for_plan(plan, parse_percent(swing, "--swing"))
    return rendered(warm_answer(found, plan_inputs(plan, patch, swing), everything=False, explain=False), "json")


def size(text: str, name: str = NAME, scenarios: Sequence[str] | None = None) -> str:
    """``capacity size PLAN -o json``."""
    from capacity.cluster.sizing import size_plan
    from capacity.pages.size_page import answer as size_answer

    file = _file(text, name)
    return rendered(size_answer(size_plan(parse_plan(file.document, file.name), None, scenarios), "terraform"), "json")


def compare(
    before: str,
    text: str,
    names: Sequence[str] = (NAME, NAME),
    settings: Sequence[str] = (),
    scenarios: Sequence[str] | None = None,
    settings_before: Sequence[str] = (),
) -> str:
    """``capacity compare BEFORE AFTER -o json``; the pinned plan of the page can have changes too."""
    from capacity.advice.compare import compare as compare_checks
    from capacity.pages.compare_page import answer as compare_answer

    first = _checked(before, names[0], settings_before, scenarios)
    second = _checked(text, names[1], settings, scenarios)
    costs = plan_cost(first.result, CostInputs()), plan_cost(second.result, CostInputs())
    return rendered(compare_answer(compare_checks(first.result, second.result), second.patch, costs), "json")


def _platform(mode: str | None, custom_networking: bool, pod_eni: bool, ami: str) -> Platform:
    from capacity.node.platform import Platform

    return Platform(mode or "secondary", custom_networking, pod_eni, ami=ami)


def maxpods(
    types: Sequence[str], mode: str | None = None, *, custom_networking: bool = False, pod_eni: bool = False,
    ami: str = "al2023",
) -> str:  # fmt: skip
    """``capacity maxpods TYPE… -o json``."""
    from capacity.catalog.table import load_catalog
    from capacity.node.maxpods import max_pods_rows
    from capacity.node.platform import modes_of
    from capacity.pages.maxpods_page import MaxPodsView, inputs_of
    from capacity.pages.maxpods_page import answer as maxpods_answer

    platform = _platform(mode, custom_networking, pod_eni, ami)
    kinds = [load_catalog().get(name) for name in dict.fromkeys(types)]
    rows = max_pods_rows(kinds, platform, modes_of(platform) if mode is None else (mode,))
    return rendered(maxpods_answer(rows, kinds, MaxPodsView(platform), inputs_of(platform, mode), ()), "json")


def node(types: Sequence[str], cpu: str | None = None, memory: str | None = None) -> str:
    """``capacity node TYPE… --pod-cpu CPU --pod-memory MEMORY -o json``."""
    from capacity.catalog.table import load_catalog
    from capacity.node.offer import PodAsked
    from capacity.pages.node_offers import OfferInputs, offers_answer
    from capacity.plan.cni_env import cni_settings
    from capacity.units import parse_cpu, parse_memory

    pod = PodAsked(
        None if cpu is None else parse_cpu(cpu, "--pod-cpu"),
        None if memory is None else parse_memory(memory, "--pod-memory"),
    )
    kinds = [load_catalog().get(name) for name in dict.fromkeys(types)]
    settings, notes = cni_settings({}, "--env")
    given = OfferInputs(_platform(None, custom_networking=False, pod_eni=False, ami="al2023"), settings, pod)
    return rendered(offers_answer(given, kinds, notes=notes), "json")


def import_files(paths: Sequence[str], into: str | None = None) -> str:
    """``capacity import FILE… -o json`` as ``answer``, and the plan as ``text``; ``into`` is a plan's path."""
    from capacity.pages.import_page import found_answer
    from capacity.readers.imported import imported
    from capacity.readers.sources import read_source

    made = imported(read_source("files", list(paths)), into)
    return _json({"answer": rendered(found_answer(made.whole, None), "json"), "text": made.text})


# --- what only the page asks ------------------------------------------------------------


def live(text: str, name: str = NAME, settings: Sequence[str] = (), scenarios: Sequence[str] | None = None) -> str:
    """The answer of :func:`check` as text, with the verdict's sentence: what is shown while somebody types."""
    from capacity.pages.planner_page import sentence_json

    checked = _checked(text, name, settings, scenarios)
    return _json({"answer": rendered(checked.answer(), "json"), **sentence_json(checked.result)})


def extras(
    text: str,
    name: str = NAME,
    settings: Sequence[str] = (),
    scenarios: Sequence[str] | None = None,
    scenario: int = 0,
) -> str:
    """The sliders of a plan, and the /28 blocks of its subnets in one scenario, by its place."""
    from capacity.pages.planner_page import maps_json, sliders_json

    checked = _checked(text, name, settings, scenarios)
    states = checked.result.scenarios
    document = apply_patch(checked.file.document, checked.patch)
    return _json(
        {
            "sliders": sliders_json(checked.result.plan, document),
            "maps": maps_json(checked.result, states[min(scenario, len(states) - 1)]),
            "groups": [g.name for g in checked.result.plan.node_groups],
        }
    )


def curve(
    text: str,
    group: str | None = None,
    name: str = NAME,
    settings: Sequence[str] = (),
    scenarios: Sequence[str] | None = None,
) -> str:
    """The headroom by nodes of a group, or by pods without one."""
    from capacity.cluster.headroom import headroom_by_nodes, headroom_by_pods
    from capacity.pages.planner_page import curve_json

    result = _checked(text, name, settings, scenarios).result
    return _json(curve_json(headroom_by_pods(result) if group is None else headroom_by_nodes(result, group)))


def applied(text: str, patch: dict[str, object], name: str = NAME, settings: Sequence[str] = ()) -> str:
    """The plan's text with the changes written into it, comments and order kept."""
    return _json({"text": patched_text(_file(text, name), after(parse_settings(settings), patch))})


def split(text: str, subnet: str, name: str = NAME) -> str:
    """The plan's text with a subnet split into halves."""
    from capacity.advice.subnet_split import split_patch

    file = _file(text, name)
    patch = split_patch(parse_plan(file.document, file.name), file.document, subnet)
    return _json({"text": patched_text(file, patch)})


def join(text: str, subnet: str, name: str = NAME) -> str:
    """The plan's text with a subnet joined with the other half of its parent block."""
    from capacity.advice.subnet_split import join_patch

    file = _file(text, name)
    patch = join_patch(parse_plan(file.document, file.name), file.document, subnet)
    return _json({"text": patched_text(file, patch)})


def start(
    pods: int, kind: str, cpu: str | None = None, memory: str | None = None, zones: int = 3, mode: str = "secondary",
    vpc_cidr: str | None = None,
) -> str:  # fmt: skip
    """A plan from five figures, with the smallest subnets: ``size --pods … --type … --snippet plan``.

    ``mode`` is secondary, prefix or custom (custom networking: pods in subnets of 100.64.0.0/16).
    """
    from capacity.cluster.sizing import size_plan
    from capacity.pages.size_page import answer as size_answer
    from capacity.plan.fields import Field
    from capacity.plan.sketch import POD_BLOCK, VPC_BLOCK, PodAsk, SketchOptions, sketch_document

    env: dict[str, dict[str, str | None]] = {
        "secondary": {},
        "prefix": {"ENABLE_PREFIX_DELEGATION": "true", "ENABLE_IPv6": "false"},
        "custom": {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"},
    }
    blocks = [vpc_cidr or VPC_BLOCK, *([POD_BLOCK] if mode == "custom" else [])]
    document = sketch_document([PodAsk(WORKLOADS, pods, cpu, memory)], kind, zones, None, SketchOptions(env[mode]))
    cidrs = tuple(Field(block, "", None, None, "VPC block").cidr(16, 28) for block in blocks)
    plan = replace(parse_plan(document, "command line"), vpc_cidrs=cidrs)
    sized = size_answer(size_plan(plan, fresh=True), "plan", document)
    return _json({"answer": rendered(sized, "json"), "text": sized.results["snippets"]["plan"]})


def types() -> str:
    """The names of all instance types."""
    from capacity.catalog.table import load_catalog

    return _json(load_catalog().names())


CALLS: dict[str, Callable[..., str]] = {
    called.__name__: called
    for called in (
        check, comment, fixes, explain, warm, size, compare, maxpods, node, import_files,
        live, extras, curve, applied, split, join, start, types,
    )
}  # fmt: skip
