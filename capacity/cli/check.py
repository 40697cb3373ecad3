"""`capacity check`: will we run out of IPs?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.cost_options import (
    PerNodeCost,
    PriceFactor,
    PriceFile,
    PublicIpv4,
    SavingsPlan,
    SpotDiscount,
    Tier,
    cost_inputs,
)
from capacity.cli.options import Color, Explain, OutFile, Quiet, Set, Wide, one_of, sink, words
from capacity.cli.output import FORMATS
from capacity.cli.tab_completion import complete_scenario
from capacity.errors import CapacityError, SpecError

if TYPE_CHECKING:
    from collections.abc import Callable

    from capacity.advice.findings.codes import Finding
    from capacity.advice.fixes import Fixes
    from capacity.cli.output import Sink
    from capacity.cluster.check import CheckResult
    from capacity.cost.inputs import CostInputs
    from capacity.cost.plan_cost import PlanCost
    from capacity.plan.document import PlanFile

Plan = Annotated[
    Path | None,
    typer.Argument(
        help="Plan file (YAML or JSON, - for stdin); without it capacity.yaml here or in a folder above.",
        metavar="[PLAN]",
    ),
]
Scenario = Annotated[
    list[str] | None,
    typer.Option(
        "--scenario",
        help="Only this scenario; may be repeated.",
        metavar="NAME",
        autocompletion=complete_scenario,
    ),
]

CI_FORMATS = (*FORMATS, "github", "junit", "sarif")
Output = Annotated[
    str,
    typer.Option(
        "-o",
        "--output",
        help="table, json, yaml, csv, md, github, junit or sarif.",
        metavar="FORMAT",
        autocompletion=words(*CI_FORMATS),
    ),
]


def register(app: typer.Typer) -> None:
    app.command("check")(check)


def check(
    plan: Plan = None,
    scenario: Scenario = None,
    settings: Set = None,
    fail_on: Annotated[
        str, typer.Option("--fail-on", help="error: exit 1 when exhausted. warning: also when tight.", metavar="LEVEL")
    ] = "error",
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 whatever the verdict.")] = False,
    fixes: Annotated[
        bool | None,
        typer.Option(
            "--fixes/--no-fixes",
            help="Look for the smallest change that makes a bad verdict ok (very large plans only with --fixes).",
            show_default=False,
        ),
    ] = None,
    fix_out: Annotated[
        Path | None, typer.Option("--fix-out", help="Write the plan with that change to this file.", metavar="PATH")
    ] = None,
    price_file: PriceFile = None,
    price_factor: PriceFactor = None,
    savings_plan: SavingsPlan = None,
    spot_discount: SpotDiscount = None,
    per_node_cost: PerNodeCost = 0.0,
    public_ipv4: PublicIpv4 = None,
    control_plane_tier: Tier = "standard",
    explain: Explain = False,
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Will we run out of IPs? Per subnet and scenario, with a verdict for CI.

    Exit 0: every scenario fits. Exit 1: some subnet runs out (with --fail-on warning also: is tight).
    Exit 2: the plan cannot be read.

    Examples: capacity check examples/shop-prod.yaml · capacity check -o json | jq .results.verdict ·
    capacity check --scenario peak --fail-on warning ·
    capacity check --set cni.env.WARM_IP_TARGET=2 --set nodeGroups.general.nodes.max=30
    """
    to = sink(output, out_file, color, quiet, CI_FORMATS, wide=wide)
    level = one_of("--fail-on", fail_on, ("error", "warning"))
    from capacity.cli.output import emit
    from capacity.cost.bill import plan_cost
    from capacity.pages.check_page import answer
    from capacity.plan.patch import parse_settings

    patch = parse_settings(settings or ())
    prices = cost_inputs(
        price_file, price_factor, savings_plan, spot_discount, per_node_cost, public_ipv4, control_plane_tier
    )
    try:
        read = plan_file(plan)
        result, found = run(read, scenario, patch)
        prices.check_groups(result.plan)
    except CapacityError as error:
        if to.output == "github" and to.out_file is None:
            _annotate(error)
        raise
    tried = _tried(read, result, scenario, patch, to, fixes, fix_out, prices)
    if tried is not None:
        from capacity.advice.fixes import with_fix

        found = with_fix(found, tried)
    cost = plan_cost(result, prices)
    texts = _texts(result, found, patch, level, tried, cost)
    if explain:
        del texts["md"]  # the terms of every figure do not fit a comment
    emit(replace(answer(result, found, patch, tried, cost, explain=explain), texts=texts), to)
    if tried is not None and tried.interrupted:
        raise typer.Exit(130)  # after the best so far
    bad = ("exhausted",) if level == "error" else ("exhausted", "tight")
    if result.verdict in bad and not exit_zero:
        raise typer.Exit(1)


def plan_file(plan: Path | None) -> PlanFile:
    """The plan that was named, or found, read once."""
    from capacity.plan.document import read_plan_file
    from capacity.plan.parse import find_plan

    return read_plan_file(plan or find_plan())


def run(
    plan: PlanFile, scenarios: list[str] | None, patch: Mapping[str, object]
) -> tuple[CheckResult, tuple[Finding, ...]]:
    """Change, check, judge."""
    from capacity.advice.judge import check_with_findings
    from capacity.plan.patch import parse_patched

    return check_with_findings(parse_patched(plan.document, patch, plan.name), scenarios)


def _tried(
    plan: PlanFile,
    result: CheckResult,
    scenarios: list[str] | None,
    patch: Mapping[str, object],
    to: Sink,
    asked: bool | None,
    fix_out: Path | None,
    prices: CostInputs,
) -> Fixes | None:
    """The smallest change that is enough, written where asked; None where it was not looked for."""
    from capacity.advice.effort import is_large
    from capacity.cli.output import note

    if fix_out is not None:
        return _written(plan, result, scenarios, patch, to.quiet, fix_out, prices)
    if result.verdict == "ok" or to.output == "csv" or asked is False:  # csv has no place for it
        return None
    if asked is None and is_large(result):
        if not to.quiet:
            note("note: no fixes were looked for in a plan this large; --fixes does (it may take a minute)")
        return None
    return _search(plan, result, scenarios, patch, to.quiet, prices)


def _written(
    plan: PlanFile,
    result: CheckResult,
    scenarios: list[str] | None,
    patch: Mapping[str, object],
    quiet: bool,
    fix_out: Path,
    prices: CostInputs,
) -> Fixes:
    """The smallest change that is enough, the plan with it in a file."""
    if result.verdict == "ok":
        raise SpecError(f"--fix-out: nothing to fix, the verdict is ok ({str(fix_out)!r} was not written)")
    found = _search(plan, result, scenarios, patch, quiet, prices)
    if found.answer is None:
        raise SpecError(f"--fix-out: no set of levers makes the verdict ok ({str(fix_out)!r} was not written)")
    from capacity.advice.fixes import after
    from capacity.plan.patch import write_patched

    write_patched(plan, after(patch, found.answer.patch), fix_out)
    return found


def _search(
    plan: PlanFile,
    result: CheckResult,
    scenarios: list[str] | None,
    patch: Mapping[str, object],
    quiet: bool = False,
    prices: CostInputs | None = None,
) -> Fixes:
    """What the levers do to a plan whose verdict is not ok."""
    from capacity.advice.search import find_fixes
    from capacity.cli.progress import progress
    from capacity.plan.patch import apply_patch

    with progress("looking for a fix", quiet) as tell:
        return find_fixes(apply_patch(plan.document, patch), result, scenarios, tell, prices)


def search_fixes(
    plan: PlanFile,
    result: CheckResult,
    scenarios: list[str] | None,
    patch: Mapping[str, object],
    prices: CostInputs | None = None,
) -> Fixes | None:
    """The same for other verbs: None where nothing is wrong, and where the search would take long."""
    from capacity.advice.effort import is_large

    return (
        None if result.verdict == "ok" or is_large(result) else _search(plan, result, scenarios, patch, prices=prices)
    )


def _texts(
    result: CheckResult,
    found: tuple[Finding, ...],
    patch: Mapping[str, object],
    level: str,
    fixes: Fixes | None,
    cost: PlanCost,
) -> dict[str, Callable[[], str]]:
    """The formats that only `check` has."""

    def comment() -> str:
        from capacity.pages import check_comment

        return check_comment.comment(result, found, patch, fixes, cost)

    def for_ci(form: str) -> str:
        from capacity.pages import check_ci

        if form == "junit":
            return check_ci.junit(result, level, fixes)
        return check_ci.github(result, found, fixes) if form == "github" else check_ci.sarif(result, found, fixes)

    return {"md": comment, **{form: partial(for_ci, form) for form in ("github", "junit", "sarif")}}


def _annotate(error: CapacityError) -> None:
    """What is wrong with a plan, each error at its line; the messages follow on stderr."""
    from capacity.cli.output import write_stdout
    from capacity.pages.check_ci import annotation_of

    write_stdout("".join(map(annotation_of, error.lines)))
