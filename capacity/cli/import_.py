"""`capacity import`: a plan from what people already have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from capacity.cli.options import Color, OutFile, Quiet, Wide, packed, sink
from capacity.cli.output import Sink

if TYPE_CHECKING:
    from capacity.readers.draft import PlanDraft

Files = Annotated[list[str], typer.Argument(help="Files to read (- for stdin).", metavar="FILE…")]
Into = Annotated[
    Path | None,
    typer.Option(
        "--into",
        "--onto",
        help="Merge into this plan (- for stdin): add what is missing, keep comments and order.",
        metavar="PLAN",
    ),
]
Diff = Annotated[
    Path | None, typer.Option("--diff", help="Show where this plan differs from the source.", metavar="PLAN")
]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="With --diff: exit 1 if there are differences.")]
Format = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output",
        help="yaml: the plan (default). table, json, csv or md: what was found, with its notes.",
        metavar="FORMAT",
    ),
]


class ImportGroup(TyperGroup):
    """The sources; ``capacity import FILE…`` detects the source of each file."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and _is_of_files(args[0]):
            args = ["files", *args]
        return super().parse_args(ctx, args)


def _is_of_files(word: str) -> bool:
    """Whether a word is a file or an option, and not a misspelled source."""
    if word in ("-h", "--help"):
        return False
    return word.startswith("-") or any(mark in word for mark in "./\\") or Path(word).exists()


app = typer.Typer(
    name="import",
    cls=ImportGroup,
    help="Create a plan from a cluster, its manifests, or its infrastructure code. Read-only.\n\n"
    "capacity import FILE… detects the source of each file; folders can mix sources.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@dataclass(frozen=True)
class Target:
    """Where an import goes: a new plan, an existing one, or a comparison with one."""

    into: Path | None
    diff: Path | None
    exit_code: bool
    to: Sink


@dataclass(frozen=True)
class ImportOptions:
    """The options that every source has, as given, named as its parameters are."""

    into: Path | None
    diff: Path | None
    exit_code: bool
    output: str | None
    out_file: Path | None
    color: str
    quiet: bool
    wide: bool


def target(given: ImportOptions) -> Target:
    """Where the import goes; contradictions are refused before anything is read."""
    from capacity.errors import SpecError

    if given.into and given.diff:
        raise SpecError("--into and --diff exclude each other")
    if given.exit_code and not given.diff:
        raise SpecError("--exit-code needs --diff PLAN")
    output = given.output or ("table" if given.diff else "yaml")
    to = sink(output, given.out_file, given.color, given.quiet, wide=given.wide)
    return Target(given.into, given.diff, given.exit_code, to)


def finish(draft: PlanDraft, where: Target) -> None:
    """Write the plan a draft becomes, or compare it with one."""
    from capacity.cli.import_show import show_drift, show_plan

    if where.diff:
        if show_drift(draft, where.diff, where.to) and where.exit_code:
            raise typer.Exit(1)
    else:
        show_plan(draft, where.into, where.to)


_OWN_COMMANDS = ("kubectl", "terraform")  # sources with options of their own


def _register_file_sources() -> None:
    from capacity.readers.sources import FILE_SOURCES

    for source in FILE_SOURCES.values():
        if source.name not in _OWN_COMMANDS:
            app.command(source.name, help=f"{source.help}\n\nExample: {source.example}")(_command(source.name))


def _command(source: str) -> Callable[..., None]:
    """The command of a source that reads files and has no options of its own."""

    def run(
        files: Files,
        into: Into = None,
        diff: Diff = None,
        exit_code: ExitCode = False,
        output: Format = None,
        out_file: OutFile = None,
        color: Color = "auto",
        quiet: Quiet = False,
        wide: Wide = False,
    ) -> None:
        where = target(packed(ImportOptions, locals()))
        from capacity.readers.sources import read_source

        finish(read_source(source, files), where)

    return run


@app.command()
def kubectl(
    files: Annotated[
        list[str] | None, typer.Argument(help="Saved objects, JSON or YAML (- for stdin).", metavar="[FILE…]")
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Read from the cluster in the current kubectl context.")] = False,
    context: Annotated[
        str | None, typer.Option("--context", help="With --live: kubectl context.", metavar="NAME")
    ] = None,
    into: Into = None,
    diff: Diff = None,
    exit_code: ExitCode = False,
    output: Format = None,
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Create a plan from Kubernetes objects: nodes, pods, workloads, HPAs, aws-node, ENIConfigs (JSON or YAML).

    Examples: kubectl get nodes,pods,daemonsets,deployments,statefulsets,hpa -A -o json | capacity import kubectl - ·
    capacity import kubectl --live --into capacity.yaml
    """
    from capacity.errors import SpecError

    where = target(packed(ImportOptions, locals()))
    if live == bool(files) or (context and not live):
        raise SpecError("give files (- for stdin), or --live to read from the cluster; --context needs --live")
    from capacity.readers.kubernetes.kubectl import read, read_live

    finish(read_live(context) if live else read(files or []), where)


_register_file_sources()
