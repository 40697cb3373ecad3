"""`capacity report`: the design-review document."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.chart_files import Charts, make_folder, relative_to, write_charts
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
    cost_words,
)
from capacity.cli.data import parse_day
from capacity.cli.optimize_flags import Arch, Types, type_globs
from capacity.cli.options import Color, Plan, Quiet, Scenario, Set, one_of, packed, sink
from capacity.cli.output import FORMATS
from capacity.cli.tab_completion import complete_scenario
from capacity.errors import SpecError
from capacity.plan.constants import ARCHS, TIERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from capacity.advice.node_figures import NodeFigures
    from capacity.cli.checked_plan import Checked
    from capacity.cli.output import Sink
    from capacity.cluster.check import CheckResult
    from capacity.optimize.choices import Choices
    from capacity.optimize.optimized import Optimized
    from capacity.pages.page import Page
    from capacity.pages.report_material import Material
    from capacity.plan.model import Plan as ReadPlan
    from capacity.sim.facade import Distribution

DOCUMENTS = ("html", "md", "xlsx")
NEEDS = {"html": "charts", "xlsx": "xlsx"}  # the extra of a document
SIMULATIONS = 5  # seeds of each scenario of --simulate
REPORT_FORMATS = (*DOCUMENTS, *(f for f in FORMATS if f not in (*DOCUMENTS, "slack")))  # no message holds a report

Output = Annotated[
    str, typer.Option("-o", "--output", help="html, md, xlsx, table, json, yaml or csv.", metavar="FORMAT")
]
OutFile = Annotated[
    Path | None,
    typer.Option(
        "--out-file",
        help="File to write (- for stdout). Default: report.html or report.xlsx for these formats, stdout for the "
        "others.",
        metavar="PATH",
    ),
]
Alerts = Annotated[
    Path | None,
    typer.Option(
        "--alerts",
        help="Also write Prometheus rules and a Grafana dashboard to this folder. Thresholds come from the runway.",
        metavar="DIR",
    ),
]
Sizing = Annotated[
    bool,
    typer.Option("--sizing", help="Add the cheapest node groups, as found by capacity optimize; takes a few seconds."),
]
Simulate = Annotated[
    list[str] | None,
    typer.Option(
        "--simulate",
        help=f"Also simulate this scenario over time, as capacity simulate with {SIMULATIONS} seeds: how long pods "
        "wait, subnets that run out, EC2 calls. Repeatable.",
        metavar="NAME",
        autocompletion=complete_scenario,
    ),
]
Against = Annotated[
    Path | None,
    typer.Option(
        "--against",
        help="Current plan: every section shows PLAN next to it, as the proposed change. With --set alone, PLAN "
        "without --set is the current plan.",
        metavar="PLAN",
        show_default=False,
    ),
]
Answers = Annotated[
    Path | None,
    typer.Option(
        "--from",
        help="Folder of saved AWS output, as for capacity doctor: add a table of the addresses that the nodes of the "
        "cluster hold, against the model.",
        metavar="DIR",
    ),
]
Kubectl = Annotated[
    Path | None,
    typer.Option(
        "--kubectl",
        help="With --from: `kubectl get nodes,pods,daemonsets,deployments -A -o json`, saved.",
        metavar="FILE",
    ),
]
Theme = Annotated[str, typer.Option("--theme", metavar="NAME", help="Theme of the charts in --charts: light or dark.")]
Horizon = Annotated[str, typer.Option("--horizon", help="Length of the forecast.", metavar="TIME")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help="First day of the forecast instead of today.", metavar="DATE")
]


def register(app: typer.Typer) -> None:
    app.command("report")(report)


def report(
    plan: Plan = None,
    scenario: Scenario = None,
    settings: Set = None,
    against: Against = None,
    output: Output = "html",
    out_file: OutFile = None,
    charts: Charts = None,
    alerts: Alerts = None,
    theme: Theme = "light",
    sizing: Sizing = False,
    simulate: Simulate = None,
    types: Types = None,
    arch: Arch = None,
    answers: Answers = None,
    kubectl: Kubectl = None,
    horizon: Horizon = "18mo",
    as_of: AsOf = None,
    price_file: PriceFile = None,
    price_factor: PriceFactor = None,
    savings_plan: SavingsPlan = None,
    spot_discount: SpotDiscount = None,
    per_node_cost: PerNodeCost = 0.0,
    public_ipv4: PublicIpv4 = None,
    control_plane_tier: Tier = TIERS[0],
    color: Color = "auto",
    quiet: Quiet = False,
) -> None:
    """Write a design-review report: verdict, subnets, scenarios, findings, fixes, charts.

    The HTML file is self-contained, printable, and works without JavaScript. Exit 0 regardless of the verdict.

    Examples: capacity report examples/shop-prod.yaml · capacity report -o md --charts charts > review.md ·
    capacity report proposed.yaml --against capacity.yaml · capacity report -o xlsx --out-file review.xlsx
    """
    given = packed(ReportOptions, locals())
    to = sink(output, out_file, color, REPORT_FORMATS, quiet=quiet)
    one_of("--theme", theme, ("light", "dark"))
    choices = _choices(given)
    day = parse_day("--as-of", as_of)
    if kubectl is not None and answers is None:
        raise SpecError("--kubectl: give --from as well, the folder of saved AWS output")
    if given.against is not None and str(given.against) == str(given.plan) == "-":
        raise SpecError("report: standard input can be read only once (give a file)")
    from capacity.cli.checked_plan import checked_plan
    from capacity.cli.progress import progress
    from capacity.extras import require_extra
    from capacity.pages.report_page import report_page

    if to.output in NEEDS:
        require_extra(NEEDS[to.output])
    prices = cost_inputs(packed(CostOptions, locals()))
    checked = checked_plan(given.plan, given.settings, given.scenario, prices)
    simulations = _simulated(checked.result.plan, given, quiet=quiet)
    with progress("forecast", quiet=quiet) as tell:
        material = replace(_material(checked, given, day, tell), simulations=simulations)
    if choices is not None:
        material = replace(material, sizing=_sized(checked, choices, quiet))
    if given.answers is not None:
        material = replace(material, nodes=_nodes(given.answers, given.kubectl))
    material = _with_today(_with_fixes(material, checked, given, day), checked, given, day, quiet=quiet)
    page = report_page(material)
    if given.charts is not None:
        write_charts(page, given.charts, given.theme)
    if given.alerts is not None:
        _write_alerts(checked.result, given.alerts)
    _write(page, material, to, given.charts)


@dataclass(frozen=True)
class ReportOptions:
    """The options of `capacity report` as given, named as its parameters are."""

    plan: Path | None
    scenario: list[str] | None
    settings: list[str] | None
    against: Path | None
    charts: Path | None
    alerts: Path | None
    theme: str
    sizing: bool
    simulate: list[str] | None
    types: str | None
    arch: str | None
    answers: Path | None
    kubectl: Path | None
    horizon: str
    price_file: Path | None


def _material(checked: Checked, given: ReportOptions, day: date, tell: Callable[[int, int], None]) -> Material:
    """All results that the report shows, with the command that generates it again."""
    import hashlib

    from capacity.pages.report_material import gather

    command = _command(checked, given, day)
    sha256 = hashlib.sha256(checked.file.data).hexdigest()
    return gather(checked.result, command, day, sha256, given.horizon, checked.prices, tell=tell)


def _with_fixes(material: Material, checked: Checked, given: ReportOptions, day: date) -> Material:
    """The material with the search for a fix, and the check, cost and forecast of the plan with what it found."""
    from capacity.advice.fixes import with_fix
    from capacity.cli.checked_plan import check_changed, search_fixes
    from capacity.cost.bill import plan_cost
    from capacity.pages.report_material import forecast_of

    fixes = search_fixes(checked)
    material = replace(material, findings=with_fix(material.findings, fixes), fixes=fixes)
    if fixes is None or fixes.found is None:
        return material
    fixed = check_changed(checked, fixes.found.patch)
    return replace(
        material,
        fixed=fixed,
        fixed_cost=plan_cost(fixed, checked.prices),
        fixed_forecast=forecast_of(fixed, day, given.horizon),
    )


def _nodes(answers: Path, kubectl: Path | None) -> tuple[NodeFigures, ...]:
    """The nodes of the cluster of saved AWS output, in the model and as AWS describes them."""
    from capacity.readers.aws.doctor import saved_evidence

    found = saved_evidence(answers, kubectl=kubectl).model
    if not found:
        raise SpecError(f"--from {str(answers)!r}: no node whose CNI settings are known (see capacity doctor --from)")
    return found


def _with_today(material: Material, checked: Checked, given: ReportOptions, day: date, *, quiet: bool) -> Material:
    """The material with that of the current plan: of --against, or of the plan without --set."""
    from capacity.pages.report_material import gather, subnets_by_room

    before = _today(checked, given)
    if before is None:
        return material
    found = gather(before, material.command, day, horizon=given.horizon, prices=checked.prices, brief=True)
    order = tuple(dict.fromkeys((*material.order, *subnets_by_room(before))))
    words = before.plan.file if given.against is not None else "the plan without --set"
    try:
        simulations = _simulated(before.plan, given, quiet=quiet)
    except SpecError as error:
        raise SpecError(f"{words}: {error}") from None
    found = replace(found, order=order, simulations=simulations)
    return replace(material, today=found, today_words=words, order=order)


def _today(checked: Checked, given: ReportOptions) -> CheckResult | None:
    from capacity.advice.judge import check_with_findings
    from capacity.plan.document import read_plan_file
    from capacity.plan.parse import parse_plan

    if given.against is None and not checked.patch:
        return None
    file = checked.file if given.against is None else read_plan_file(given.against)
    return check_with_findings(parse_plan(file.document, file.name), checked.scenarios)[0]


def _simulated(plan: ReadPlan, given: ReportOptions, *, quiet: bool) -> Mapping[str, Distribution]:
    """The scenarios of --simulate over time, by their name."""
    if not given.simulate:
        return {}
    from capacity.cli.progress import progress
    from capacity.plan.scenarios import scenario_option
    from capacity.sim.facade import check_simulated, simulate_seeds

    check_simulated(plan.cni.settings, plan.cni.env)
    specs = {name: scenario_option(name, plan, "--simulate") for name in given.simulate}
    seeds, found = range(1, SIMULATIONS + 1), {}
    for name, spec in specs.items():
        with progress(f"simulate {name}", quiet=quiet) as tell:
            found[name] = simulate_seeds(plan, spec, seeds, progress=tell)
    return found


def _choices(given: ReportOptions) -> Choices | None:
    """What the sizing section may choose; None without the section."""
    from capacity.optimize.choices import Choices

    for option, value in (("--types", given.types), ("--arch", given.arch)):
        if value is not None and not given.sizing:
            raise SpecError(f"{option} needs --sizing")
    if not given.sizing:
        return None
    arch = None if given.arch is None else one_of("--arch", given.arch, ARCHS)
    return Choices(types=type_globs(given.types), arch=arch)


def _sized(checked: Checked, choices: Choices, quiet: bool) -> Optimized:
    """The node groups to buy for the plan as it was checked."""
    from capacity.advice.nodes_to_buy import optimize_plan
    from capacity.cli.optimize_stop import stop_when
    from capacity.optimize.request import Request
    from capacity.plan.patch import apply_patch

    choices = replace(choices, scenarios=tuple(checked.scenarios or ()))
    document = apply_patch(checked.file.document, checked.patch)
    with stop_when(None, quiet=quiet) as stopped:
        request = Request(choices, checked.prices, stopped=stopped)
        return optimize_plan(document, request, file=checked.file.name)


def _write(page: Page, material: Material, to: Sink, charts: Path | None) -> None:
    """Write the document to its file or stdout; print the default name of html and xlsx files to stderr."""
    from capacity.cli.output import emit, note, notes, put

    if to.output not in DOCUMENTS:
        from capacity.pages.report_page import answer

        emit(answer(page, material), to)
        return
    if not to.quiet:
        notes(f"warning: {line}" for line in material.result.notes)
    stdout = str(to.out_file) == "-" or (to.out_file is None and to.output == "md")
    path = None if stdout else to.out_file or Path(f"report.{to.output}")
    if to.output == "xlsx":
        from capacity.pages.workbook import workbook_bytes

        put(workbook_bytes(page), path)
    else:
        put(_text(page, material, to, charts, path), path)
    if path is not None and not to.quiet:
        note(f"{page.verdict.level}: wrote {path}")


def _text(page: Page, material: Material, to: Sink, charts: Path | None, path: Path | None) -> str:
    if to.output == "html":
        from capacity.cli.progress import progress
        from capacity.pages.html import render_html

        with progress("charts", quiet=to.quiet) as tell:
            return render_html(page, material.version, tell)
    from capacity.inert import log_text
    from capacity.pages.markdown import render_markdown

    return log_text(render_markdown(page, relative_to(path, charts) if charts else ""))


def _write_alerts(result: CheckResult, folder: Path) -> None:
    from capacity.advice.findings.thresholds import node_thresholds
    from capacity.files import write_file
    from capacity.pages.alerts import dashboard_json, rules_manifest, rules_yaml

    if result.plan.cni.name != "vpc-cni":
        named = {"cilium": "Cilium", "overlay": "an overlay"}[result.plan.cni.name]
        raise SpecError(f"--alerts: the rules need metrics of the VPC CNI, and the CNI of the plan is {named}")
    make_folder(folder, "--alerts")
    thresholds, place = node_thresholds(result), f"--alerts {str(folder)!r}"
    write_file(folder / "capacity-rules.yaml", rules_yaml(result, thresholds), place)
    write_file(folder / "capacity-prometheusrule.yaml", rules_manifest(result, thresholds), place)
    write_file(folder / "capacity-dashboard.json", dashboard_json(result, thresholds), place)


def _command(checked: Checked, given: ReportOptions, day: date) -> str:
    """The command line that generates this report again."""
    import shlex

    from capacity.files import PIPE, STDIN

    named = [part for s in given.scenario or () for part in ("--scenario", s)]
    named += [part for s in given.settings or () for part in ("--set", s)]
    named += ["--against", str(given.against)] if given.against is not None else []
    named += ["--from", str(given.answers)] if given.answers is not None else []
    named += ["--kubectl", str(given.kubectl)] if given.kubectl is not None else []
    named += [part for name in dict.fromkeys(given.simulate or ()) for part in ("--simulate", name)]
    named += ["--sizing"] if given.sizing else []
    named += [part for o, v in (("--types", given.types), ("--arch", given.arch)) if v for part in (o, v)]
    named += cost_words(checked.prices, given.price_file)
    file = checked.result.plan.file
    plan = "-" if file in (STDIN, PIPE) else file
    return shlex.join(["capacity", "report", plan, *named, "--horizon", given.horizon, "--as-of", day.isoformat()])
