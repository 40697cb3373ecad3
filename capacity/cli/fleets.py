"""`capacity fleet`: the questions of one cluster, for many clusters at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

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
from capacity.cli.options import Color, OutFile, Quiet, Scenario, Set, Wide, one_of, packed, sink, words
from capacity.cli.output import FORMATS

if TYPE_CHECKING:
    from capacity.fleet.run import FleetRun

FLEET_FORMATS = (*FORMATS, "sarif")

Output = Annotated[
    str,
    typer.Option(
        "-o",
        "--output",
        help="table, json, yaml, csv, md or sarif.",
        metavar="FORMAT",
        autocompletion=words(*FLEET_FORMATS),
    ),
]
FailOn = Annotated[
    str, typer.Option("--fail-on", help="error: exit 1 if exhausted. warning: also if tight.", metavar="LEVEL")
]
ExitZero = Annotated[bool, typer.Option("--exit-zero", help="Exit 0 regardless of the verdict.")]
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
    capacity fleet check clusters/ --scheduler tcp://scheduler:8786 --resume finished/
    """
    given = packed(FleetOptions, locals())
    to = sink(output, out_file, color, FLEET_FORMATS, quiet=quiet, wide=wide)
    one_of("--fail-on", fail_on, ("error", "warning"))
    given.check()
    from capacity.cli.output import emit
    from capacity.fleet.across import across
    from capacity.fleet.fleet_page import answer

    run = fleet_run(given, "check", {"scenarios": scenario or None, "full": full})
    found = across(run)
    emit(answer(run, found, _inputs(run, {"scenarios": scenario or None})), to)
    _leave(run, found.verdict, fail_on, exit_zero=exit_zero, keep_going=keep_going)


def fleet_run(given: FleetOptions, question: str, options: dict[str, Any]) -> FleetRun:
    """Answer a question for all plans, with progress."""
    from capacity.cli.progress import rate
    from capacity.fleet.run import run_fleet

    sources = given.sources()
    with given.workforce() as workforce, rate(f"fleet {question}", quiet=given.quiet) as tell:
        return run_fleet(sources, question, options, workforce, tell)


def _inputs(run: FleetRun, options: dict[str, Any]) -> dict[str, Any]:
    fleet = run.sources.fleet
    return {
        "fleet": fleet.file or None,
        "name": fleet.name or None,
        "plans": len(run.rows),
        **options,
    }


def _leave(run: FleetRun, verdict: str, fail_on: str, *, exit_zero: bool, keep_going: bool) -> None:
    """Exit with the code of the worst: a crash, a plan without an answer, the verdict."""
    from capacity.cli.exit_codes import UNFORESEEN

    if any(row.get("crash") for row in run.rows):
        raise typer.Exit(UNFORESEEN)
    if run.broken and not (keep_going and run.answered):
        raise typer.Exit(2)
    bad = ("exhausted",) if fail_on == "error" else ("exhausted", "tight")
    if verdict in bad and not exit_zero:
        raise typer.Exit(1)
