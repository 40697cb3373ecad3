"""`capacity check`: will we run out of IPs?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.checked_plan import Checked, _search, checked_plan
from capacity.cli.cost_options import (
    CostOptions,
    PerNodeCost,
    PriceFactor,
    PriceFile,
    PublicIpv4,
    SavingsPlan,
    SpotDiscount,
    Tier,
    cost_inputs,
    with_network,
)
from capacity.cli.options import Color, Explain, OutFile, Plan, Quiet, Scenario, Set, Wide, one_of, packed, sink, words
from capacity.cli.output import FORMATS
from capacity.errors import CapacityError, SpecError
from capacity.plan.constants import TIERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from capacity.advice.fixes import Fixes
    from capacity.advice.simulated_use import SimulatedUse
    from capacity.cli.output import Sink
    from capacity.pages.answer import Answer


CI_FORMATS = (*FORMATS, "github", "junit", "sarif")
Output = Annotated[
    str,
    typer.Option(
        "-o",
        "--output",
        help="table, json, yaml, csv, md, slack, github, junit or sarif.",
        metavar="FORMAT",
        autocompletion=words(*CI_FORMATS),
    ),
]

FailOn = Annotated[
    str, typer.Option("--fail-on", help="error: exit 1 if exhausted. warning: also if tight.", metavar="LEVEL")
]
ExitZero = Annotated[bool, typer.Option("--exit-zero", help="Exit 0 regardless of the verdict.")]
FixesOption = Annotated[
    bool | None,
    typer.Option(
        "--fixes/--no-fixes",
        help="Search for the smallest change that makes the plan pass. Very large plans: only with --fixes.",
        show_default=False,
    ),
]
FixOut = Annotated[
    Path | None, typer.Option("--fix-out", help="Write the plan with the fix to this file.", metavar="PATH")
]


Simulate = Annotated[
    bool,
    typer.Option(
        "--simulate",
        help="Also simulate every scenario over time: how many addresses each subnet holds at most.",
    ),
]


def register(app: typer.Typer) -> None:
    app.command("check")(check)


def check(
    plan: Plan = None,
    scenario: Scenario = None,
    settings: Set = None,
    fail_on: FailOn = "error",
    exit_zero: ExitZero = False,
    fixes: FixesOption = None,
    fix_out: FixOut = None,
    price_file: PriceFile = None,
    price_factor: PriceFactor = None,
    savings_plan: SavingsPlan = None,
    spot_discount: SpotDiscount = None,
    per_node_cost: PerNodeCost = 0.0,
    public_ipv4: PublicIpv4 = None,
    control_plane_tier: Tier = TIERS[0],
    simulate: Simulate = False,
    network_cost: Annotated[
        bool, typer.Option("--network-cost", help="Count load balancers, NAT gateways and endpoints in the cost too.")
    ] = False,
    cross_zone_gb: Annotated[
        float, typer.Option("--cross-zone-gb", help="Traffic between zones, for --network-cost.", metavar="GB/MONTH")
    ] = 0.0,
    nat_gb: Annotated[
        float, typer.Option("--nat-gb", help="Traffic through NAT gateways, for --network-cost.", metavar="GB/MONTH")
    ] = 0.0,
    explain: Explain = False,
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Check whether subnets run out of IPs, per scenario, with a verdict for CI.

    Exit 0: every scenario fits. Exit 1: a subnet runs out (with --fail-on warning, also if one is tight).
    Exit 2: the plan cannot be read.

    Examples: capacity check examples/shop-prod.yaml · capacity check -o json | jq .results.verdict ·
    capacity check --scenario peak --fail-on warning ·
    capacity check --set cni.env.WARM_IP_TARGET=2 --set nodeGroups.general.nodes.max=30
    """
    given = packed(CheckOptions, locals())
    to = sink(output, out_file, color, CI_FORMATS, quiet=quiet, wide=wide)
    one_of("--fail-on", fail_on, ("error", "warning"))
    from capacity.cli.output import emit

    prices = cost_inputs(packed(CostOptions, locals()))
    prices = with_network(prices, cross_zone_gb, nat_gb, counted=network_cost)
    try:
        checked = checked_plan(given.plan, given.settings, given.scenario, prices)
        prices.check_groups(checked.result.plan)
    except CapacityError as error:
        if to.output == "github" and to.out_file is None:
            _annotate(error)
        raise
    uses = _simulated(checked, quiet=quiet) if simulate else ()
    fixes_found = _fixes(checked, given, to)
    emit(_answered(checked, given, fixes_found, uses), to)
    if fixes_found is not None and fixes_found.interrupted:
        raise typer.Exit(130)  # the best fix found before the interrupt is printed
    bad = ("exhausted",) if given.fail_on == "error" else ("exhausted", "tight")
    if checked.result.verdict in bad and not given.exit_zero:
        raise typer.Exit(1)


@dataclass(frozen=True, eq=False, repr=False)
class CheckOptions:
    """The options of `capacity check` as given, named as its parameters are."""

    plan: Path | None
    scenario: list[str] | None
    settings: list[str] | None
    fail_on: str
    exit_zero: bool
    fixes: bool | None
    fix_out: Path | None
    explain: bool


def _simulated(checked: Checked, *, quiet: bool) -> tuple[SimulatedUse, ...]:
    from capacity.advice.simulated_use import simulated_use
    from capacity.cli.progress import progress

    with progress("simulating", quiet=quiet) as tell:
        return simulated_use(checked.result, tell)


def _answered(
    checked: Checked, given: CheckOptions, fixes: Fixes | None, uses: tuple[SimulatedUse, ...] = ()
) -> Answer:
    """The answer in every format; the findings name the fix, if there is one."""
    from capacity.cost.bill import plan_cost
    from capacity.pages.check_page import answer

    result, found = checked.result, checked.findings
    if fixes is not None:
        from capacity.advice.fixes import with_fix

        found = with_fix(found, fixes)
    if uses:
        from capacity.advice.simulated_use import with_simulated

        found = with_simulated(found, uses)
    cost = plan_cost(result, checked.prices)

    def comment() -> str:
        from capacity.pages import check_comment

        return check_comment.comment(result, found, checked.patch, fixes, cost)

    def message() -> str:
        from capacity.pages.check_message import message_page
        from capacity.pages.slack import render_slack

        return render_slack(message_page(result, found, checked.patch, fixes, cost))

    def for_ci(form: str) -> str:
        from capacity.pages import check_ci

        if form == "junit":
            return check_ci.junit(result, given.fail_on, fixes)
        return check_ci.github(result, found, fixes) if form == "github" else check_ci.sarif(result, found, fixes)

    texts: dict[str, Callable[[], str]] = {form: partial(for_ci, form) for form in ("github", "junit", "sarif")}
    if not given.explain:  # the terms of every figure do not fit into a comment
        texts |= {"md": comment, "slack": message}
    answered = replace(answer(result, found, checked.patch, fixes, cost, explain=given.explain), texts=texts)
    return _with_uses(answered, uses) if uses else answered


def _with_uses(answered: Answer, uses: tuple[SimulatedUse, ...]) -> Answer:
    """The answer with what the scenarios hold over time."""
    from capacity.pages.page import Page
    from capacity.pages.simulated_use_page import simulated_json, simulated_table

    blocks = [*answered.page.blocks]
    blocks.insert(1, simulated_table(uses))
    results = {**answered.results, "simulated": simulated_json(uses)}
    return replace(answered, page=Page(blocks, answered.page.title), results=results)


def _fixes(checked: Checked, given: CheckOptions, to: Sink) -> Fixes | None:
    """The fix search, its plan written to ``--fix-out``; None if no search is needed or allowed."""
    from capacity.advice.effort import is_large
    from capacity.cli.output import note

    if given.fix_out is not None:
        return _written(checked, given.fix_out, to.quiet)
    if checked.result.verdict == "ok" or to.output == "csv" or given.fixes is False:  # CSV cannot show a fix
        return None
    if given.fixes is None and is_large(checked.result):
        if not to.quiet:
            note("note: the plan is too large to search for fixes by default; --fixes searches (it can take a minute)")
        return None
    return _search(checked, to.quiet)


def _written(checked: Checked, fix_out: Path, quiet: bool) -> Fixes:
    """The fix search, with the plan that contains the fix written to ``fix_out``."""
    if checked.result.verdict == "ok":
        raise SpecError(f"--fix-out: nothing to fix, the verdict is ok ({str(fix_out)!r} was not written)")
    found = _search(checked, quiet)
    if found.answer is None:
        raise SpecError(f"--fix-out: no fix makes the verdict ok ({str(fix_out)!r} was not written)")
    from capacity.advice.fixes import after
    from capacity.plan.patch import write_patched

    write_patched(checked.file, after(checked.patch, found.answer.patch), fix_out)
    return found


def _annotate(error: CapacityError) -> None:
    """Print each error of a plan as an annotation of its line; the messages follow on stderr."""
    from capacity.cli.output import write_stdout
    from capacity.pages.check_ci import annotation_of

    write_stdout("".join(map(annotation_of, error.lines)))
