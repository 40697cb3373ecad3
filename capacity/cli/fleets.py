"""`capacity fleet`: the questions of one cluster, for many clusters at the same time."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from capacity.cli.data import parse_day
from capacity.cli.fleet_imports import import_fleets
from capacity.cli.fleet_options import (
    ONE_PLAN,
    FleetOptions,
    Jobs,
    KeepGoing,
    LocalCluster,
    MemoryLimit,
    Paths,
    Resume,
    Scheduler,
    TlsCa,
    TlsCert,
    TlsKey,
)
from capacity.cli.fleet_runs import fleet_run, leave, told
from capacity.cli.optimize_flags import Arch, Effort, MaxVcpus, Types
from capacity.cli.options import Color, OutFile, Quiet, Scenario, Set, Wide, one_of, packed, sink, whole, words
from capacity.cli.options import Output as PlainOutput
from capacity.cli.output import FORMATS
from capacity.cli.simulate_options import For, Seed, seconds_of, seeds_of
from capacity.cli.tab_completion import complete_scenario
from capacity.optimize.choices import EFFORT_NAMES
from capacity.plan.constants import ARCHS, AT_REST, SCENARIOS

FLEET_FORMATS = (*FORMATS, "sarif", "html")

Output = Annotated[
    str,
    typer.Option(
        "-o",
        "--output",
        help="table, json, yaml, csv, md, slack, sarif or html.",
        metavar="FORMAT",
        autocompletion=words(*FLEET_FORMATS),
    ),
]
FailOn = Annotated[
    str, typer.Option("--fail-on", help="error: exit 1 if exhausted. warning: also if tight.", metavar="LEVEL")
]
ExitZero = Annotated[bool, typer.Option("--exit-zero", help="Exit 0 regardless of the verdict.")]
ScenarioName = Annotated[
    str,
    typer.Option(
        "--scenario",
        help="What happens: a scenario of check, such as rollout, upgrade or peak+rollout.",
        metavar="NAME",
        autocompletion=complete_scenario,
    ),
]
Horizon = Annotated[str, typer.Option("--horizon", help="Length of the forecast.", metavar="TIME")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help="First day of the forecast instead of today.", metavar="DATE")
]
Full = Annotated[bool, typer.Option("--full", help="JSON and YAML: include the whole answer of check for each plan.")]

app = typer.Typer(
    name="fleet",
    help="Answer for many clusters at the same time, with shared subnets counted together.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(parent: typer.Typer) -> None:
    """Add the verb to the command line."""
    parent.add_typer(app)


@app.command()
def check(
    paths: Paths = None,
    scenario: Scenario = None,
    settings: Set = None,
    fail_on: FailOn = "error",
    exit_zero: ExitZero = False,
    keep_going: KeepGoing = False,
    full: Full = False,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    local_cluster: LocalCluster = False,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    resume: Resume = None,
    memory_limit: MemoryLimit = ONE_PLAN,
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Check whether subnets of any cluster run out of IPs, with shared subnets and quotas.

    Exit 0: every cluster fits. Exit 1: one runs out (with --fail-on warning, also if one is tight). Exit 2: a plan
    cannot be read (not with --keep-going); the others are answered.

    Examples: capacity fleet check clusters/ · capacity fleet check 'teams/*/capacity.yaml' --jobs 8 -o csv ·
    capacity fleet check fleet.yaml -o html --out-file overview.html ·
    capacity fleet check clusters/ --scheduler tcp://scheduler:8786 --resume finished/
    """
    given = packed(FleetOptions, locals())
    to = sink(output, out_file, color, FLEET_FORMATS, quiet=quiet, wide=wide)
    one_of("--fail-on", fail_on, ("error", "warning"))
    given.check()
    from capacity.cli.output import emit
    from capacity.fleet.across import across
    from capacity.fleet.fleet_overview import with_overview
    from capacity.fleet.fleet_page import answer

    run = fleet_run(given, "check", {"scenarios": scenario or None, "full": full})
    found = across(run)
    emit(with_overview(answer(run, found, told(run, {"scenarios": scenario or None})), run, found), to)
    leave(run, found.verdict, fail_on, exit_zero=exit_zero, keep_going=keep_going)


@app.command()
def forecast(
    paths: Paths = None,
    settings: Set = None,
    horizon: Horizon = "18mo",
    as_of: AsOf = None,
    scenario: Annotated[
        str, typer.Option("--scenario", help="steady, peak or ceiling, as in forecast.", metavar="NAME")
    ] = "steady",
    simulations: Annotated[int, typer.Option("--paths", help="Simulations of each cluster.", metavar="N")] = 10_000,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the simulations.", metavar="N")] = 1,
    keep_going: KeepGoing = False,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    local_cluster: LocalCluster = False,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    resume: Resume = None,
    memory_limit: MemoryLimit = ONE_PLAN,
    output: PlainOutput = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Forecast which cluster runs out first, and when.

    Each cluster grows as its plan says; the other clusters in its subnets keep their current size.

    Examples: capacity fleet forecast clusters/ --horizon 3y · capacity fleet forecast -o csv --jobs 8
    """
    given = packed(FleetOptions, locals())
    to = sink(output, out_file, color, quiet=quiet, wide=wide)
    one_of("--scenario", scenario, AT_REST)
    given.check()
    options = {
        "horizon": horizon,
        "as_of": parse_day("--as-of", as_of).isoformat(),
        "scenario": scenario,
        "paths": simulations,
        "seed": seed,
    }
    from capacity.cli.output import emit
    from capacity.fleet.fleet_outlook import forecast_answer

    run = fleet_run(given, "forecast", options)
    emit(forecast_answer(run, told(run, options)), to)
    leave(run, "ok", "error", exit_zero=True, keep_going=keep_going)


@app.command()
def simulate(
    paths: Paths = None,
    settings: Set = None,
    scenario: ScenarioName = "rollout",
    length: For = "30m",
    seed: Seed = 1,
    seeds: Annotated[int, typer.Option("--seeds", help="Simulations of each cluster.", metavar="N")] = 1,
    keep_going: KeepGoing = False,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    local_cluster: LocalCluster = False,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    resume: Resume = None,
    memory_limit: MemoryLimit = ONE_PLAN,
    output: PlainOutput = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Simulate a scenario in each cluster: which one runs out first, and how long pods wait.

    Each cluster is simulated alone; the other clusters in its subnets keep the addresses that they hold at its start.

    Examples: capacity fleet simulate clusters/ --scenario peak · capacity fleet simulate --seeds 20 --jobs 8 -o csv
    """
    given = packed(FleetOptions, locals())
    to = sink(output, out_file, color, quiet=quiet, wide=wide)
    for part in scenario.partition(":")[0].split("+"):
        one_of("--scenario", part, SCENARIOS)
    seeds_of(seed, seeds)
    given.check()
    options = {"scenario": scenario, "seconds": seconds_of(length), "seed": seed, "seeds": seeds}
    from capacity.cli.output import emit
    from capacity.fleet.fleet_simulated import simulate_answer

    run = fleet_run(given, "simulate", options)
    emit(simulate_answer(run, told(run, options)), to)
    leave(run, "ok", "error", exit_zero=True, keep_going=keep_going)


@app.command()
def optimize(
    paths: Paths = None,
    settings: Set = None,
    types: Types = None,
    arch: Arch = None,
    max_vcpus: MaxVcpus = None,
    effort: Effort = "normal",
    keep_going: KeepGoing = False,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    local_cluster: LocalCluster = False,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    resume: Resume = None,
    memory_limit: MemoryLimit = ONE_PLAN,
    output: PlainOutput = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Choose the cheapest node groups for each cluster, and show what they save.

    The other clusters in its subnets count with their addresses at peak. The clusters are optimized one by one: if
    two of them change, check the fleet again.

    Examples: capacity fleet optimize clusters/ --types 'm6i.*,c6i.*' --jobs 8 · capacity fleet optimize -o csv
    """
    given = packed(FleetOptions, locals())
    to = sink(output, out_file, color, quiet=quiet, wide=wide)
    one_of("--effort", effort, EFFORT_NAMES)
    if arch is not None:
        one_of("--arch", arch, ARCHS)
    given.check()
    named = [name.strip() for name in (types or "").split(",") if name.strip()]
    options = {"types": named, "arch": arch, "max_vcpus": whole("--max-vcpus", max_vcpus, 1), "effort": effort}
    from capacity.cli.output import emit
    from capacity.fleet.fleet_outlook import optimize_answer

    run = fleet_run(given, "optimize", options)
    emit(optimize_answer(run, told(run, options)), to)
    leave(run, "ok", "error", exit_zero=True, keep_going=keep_going)


@app.command()
def report(
    out_dir: Annotated[
        Path, typer.Option("--out-dir", help="Folder for index.html and a report of each cluster.", metavar="DIR")
    ],
    paths: Paths = None,
    scenario: Scenario = None,
    settings: Set = None,
    horizon: Horizon = "18mo",
    as_of: AsOf = None,
    keep_going: KeepGoing = False,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    local_cluster: LocalCluster = False,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    resume: Resume = None,
    memory_limit: MemoryLimit = ONE_PLAN,
    quiet: Quiet = False,
) -> None:
    """Write an overview of all clusters that links to a report of each cluster.

    The reports are those of capacity report, with the other clusters in their subnets and without a search for fixes.
    Exit 0 regardless of the verdict.

    Examples: capacity fleet report clusters/ --out-dir review · capacity fleet report fleet.yaml --out-dir review -j 8
    """
    given = packed(FleetOptions, locals())
    given.check()
    day = parse_day("--as-of", as_of).isoformat()
    command = ["capacity", "fleet", "report", *(paths or []), "--out-dir", str(out_dir)]
    command += [part for name in scenario or () for part in ("--scenario", name)]
    command += [part for setting in settings or () for part in ("--set", setting)]
    command += ["--horizon", horizon, "--as-of", day]
    options = {"scenarios": scenario or None, "horizon": horizon, "as_of": day, "command": shlex.join(command)}
    from capacity.cli.output import note, notes
    from capacity.extras import require_extra
    from capacity.fleet.across import across
    from capacity.fleet.fleet_page import verdict_of, warnings_of
    from capacity.fleet.report_files import ReportFiles

    require_extra("charts")

    files = ReportFiles(out_dir)
    run = fleet_run(given, "report", options, files.write)
    found = across(run)
    files.write_index(run, found)
    if not quiet:
        notes(f"warning: {line}" for line in warnings_of(run))
        note(f"{verdict_of(run, found).line}")
        note(f"wrote {out_dir / 'index.html'}")
    leave(run, found.verdict, "error", exit_zero=True, keep_going=keep_going)


app.command("import")(import_fleets)
