"""`capacity report`: the design-review document."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.check import Plan, Scenario
from capacity.cli.cost_options import (
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
from capacity.cli.options import Color, Quiet, Set, one_of, sink
from capacity.cli.output import FORMATS

if TYPE_CHECKING:
    from capacity.cli.output import Sink
    from capacity.cluster.check import CheckResult
    from capacity.pages.page import Page
    from capacity.pages.report_page import Material

DOCUMENTS = ("html", "md", "xlsx")
REPORT_FORMATS = (*DOCUMENTS, *(f for f in FORMATS if f not in DOCUMENTS))


def register(app: typer.Typer) -> None:
    app.command("report")(report)


def report(
    plan: Plan = None,
    scenario: Scenario = None,
    settings: Set = None,
    output: Annotated[
        str, typer.Option("-o", "--output", help="html, md, xlsx, table, json, yaml or csv.", metavar="FORMAT")
    ] = "html",
    out_file: Annotated[
        Path | None,
        typer.Option(
            "--out-file",
            help="Where to write. Without it html and xlsx go to report.html and report.xlsx here, the rest to stdout; "
            "- is stdout.",
            metavar="PATH",
        ),
    ] = None,
    charts: Annotated[
        Path | None,
        typer.Option("--charts", help="Also write every chart as PNG and SVG into this folder.", metavar="DIR"),
    ] = None,
    alerts: Annotated[
        Path | None,
        typer.Option(
            "--alerts",
            help="Also write Prometheus rules and a Grafana dashboard into this folder, thresholds from the runway.",
            metavar="DIR",
        ),
    ] = None,
    theme: Annotated[
        str, typer.Option("--theme", metavar="NAME", help="light or dark, of the charts in --charts.")
    ] = "light",
    horizon: Annotated[str, typer.Option("--horizon", help="How far the forecast looks.", metavar="TIME")] = "18mo",
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="First day of the forecast instead of today.", metavar="DATE")
    ] = None,
    price_file: PriceFile = None,
    price_factor: PriceFactor = None,
    savings_plan: SavingsPlan = None,
    spot_discount: SpotDiscount = None,
    per_node_cost: PerNodeCost = 0.0,
    public_ipv4: PublicIpv4 = None,
    control_plane_tier: Tier = "standard",
    color: Color = "auto",
    quiet: Quiet = False,
) -> None:
    """The design-review document: verdict, subnets, scenarios, findings with fixes, charts, sources.

    The HTML file loads nothing from anywhere, prints, and works without JavaScript. Exit 0 whatever the verdict.

    Examples: capacity report examples/shop-prod.yaml · capacity report -o md --charts charts > review.md ·
    capacity report -o xlsx --out-file fleet.xlsx
    """
    import hashlib

    to = sink(output, out_file, color, quiet, REPORT_FORMATS)
    one_of("--theme", theme, ("light", "dark"))
    day = parse_day("--as-of", as_of)
    from capacity.advice.fixes import with_fix
    from capacity.cli.check import plan_file, run, search_fixes
    from capacity.pages.report_material import gather
    from capacity.pages.report_page import report_page
    from capacity.plan.patch import parse_settings

    patch = parse_settings(settings or ())
    prices = cost_inputs(
        price_file, price_factor, savings_plan, spot_discount, per_node_cost, public_ipv4, control_plane_tier
    )
    read = plan_file(plan)
    result, _ = run(read, scenario, patch)
    command = _command(result, scenario, settings, cost_words(prices, price_file), horizon, day)
    material = gather(result, command, day, hashlib.sha256(read.data).hexdigest(), horizon, prices=prices)
    fixes = search_fixes(read, result, scenario, patch, prices)
    page = report_page(replace(material, findings=with_fix(material.findings, fixes)))
    if charts is not None:
        _write_charts(page, charts, theme)
    if alerts is not None:
        _write_alerts(result, alerts)
    _write(page, material, to, charts)


def _write(page: Page, material: Material, to: Sink, charts: Path | None) -> None:
    """The document to its file or stdout; what html and xlsx were called where nobody named them goes to stderr."""
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
        put(_text(page, material, to.output, charts, path), path)
    if path is not None and not to.quiet:
        note(f"{page.verdict.level}: wrote {path}")


def _text(page: Page, material: Material, output: str, charts: Path | None, path: Path | None) -> str:
    if output == "html":
        from capacity.pages.html import render_html

        return render_html(page, material.version)
    from capacity.inert import log_text
    from capacity.pages.markdown import render_markdown

    return log_text(render_markdown(page, _relative(charts, path) if charts else ""))


def _relative(charts: Path, document: Path | None) -> str:
    """The charts' folder as seen from the document (from here, where that goes to stdout)."""
    import os.path

    return Path(os.path.relpath(charts, document.parent if document else ".")).as_posix()


def _write_charts(page: Page, folder: Path, theme: str) -> None:
    from capacity.charts.files import png_bytes, svg_text
    from capacity.charts.theme import THEMES
    from capacity.files import write_file

    _make_folder(folder, "--charts")
    chosen, place = THEMES[theme], f"--charts {str(folder)!r}"
    for chart in page.charts():
        figure = chart.draw(chosen)
        write_file(folder / f"{chart.name}.png", png_bytes(figure, chosen), place)
        write_file(folder / f"{chart.name}.svg", svg_text(figure, chosen), place)


def _write_alerts(result: CheckResult, folder: Path) -> None:
    from capacity.advice.findings.thresholds import node_thresholds
    from capacity.errors import SpecError
    from capacity.files import write_file
    from capacity.pages.alerts import dashboard_json, rules_manifest, rules_yaml

    if result.plan.cni.name != "vpc-cni":
        named = {"cilium": "Cilium", "overlay": "an overlay"}[result.plan.cni.name]
        raise SpecError(f"--alerts: the rules rest on metrics of the VPC CNI, and the plan's CNI is {named}")
    _make_folder(folder, "--alerts")
    thresholds, place = node_thresholds(result), f"--alerts {str(folder)!r}"
    write_file(folder / "capacity-rules.yaml", rules_yaml(result, thresholds), place)
    write_file(folder / "capacity-prometheusrule.yaml", rules_manifest(result, thresholds), place)
    write_file(folder / "capacity-dashboard.json", dashboard_json(result, thresholds), place)


def _make_folder(folder: Path, option: str) -> None:
    from capacity.errors import SpecError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpecError(f"{option} {str(folder)!r}: {error.strerror}") from error


def _command(
    result: CheckResult,
    scenarios: list[str] | None,
    settings: list[str] | None,
    prices: list[str],
    horizon: str,
    day: date,
) -> str:
    """The command line that makes the same report again."""
    import shlex

    from capacity.files import PIPE, STDIN

    named = [part for s in scenarios or () for part in ("--scenario", s)]
    named += [part for s in settings or () for part in ("--set", s)]
    plan = "-" if result.plan.file in (STDIN, PIPE) else result.plan.file
    return shlex.join(["capacity", "report", plan, *named, *prices, "--horizon", horizon, "--as-of", day.isoformat()])
