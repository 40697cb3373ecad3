"""Options that every source of `capacity import` has, and where its plan goes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.options import sink
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
