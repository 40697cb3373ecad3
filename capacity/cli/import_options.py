"""Options common to all sources of `capacity import`, and the destination of the plan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.options import sink
from capacity.cli.output import Sink

if TYPE_CHECKING:
    from capacity.readers.draft import PlanDraft
    from capacity.readers.sources import FileSource

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
        help="yaml: the plan (default). table, json, csv, md or slack: what was found, with its notes.",
        metavar="FORMAT",
    ),
]


@dataclass(frozen=True)
class Target:
    """The destination of an import: a new plan, an existing plan, or a comparison."""

    into: Path | None
    diff: Path | None
    exit_code: bool
    to: Sink


@dataclass(frozen=True)
class ImportOptions:
    """The common options of all sources as given, named as their parameters are."""

    into: Path | None
    diff: Path | None
    exit_code: bool
    output: str | None
    out_file: Path | None
    color: str
    quiet: bool
    wide: bool


def source_help(source: FileSource) -> str:
    """The help page of a source that reads files."""
    what = source.help[:1].lower() + source.help[1:] if source.help.startswith(("A ", "An ", "Files ")) else source.help
    return f"Create a plan from {what}\n\nExample: {source.example}"


def target(given: ImportOptions) -> Target:
    """The destination; contradictory options are refused before anything is read."""
    from capacity.errors import SpecError

    if given.into and given.diff:
        raise SpecError("--into and --diff cannot be combined")
    if given.exit_code and not given.diff:
        raise SpecError("--exit-code needs --diff PLAN")
    output = given.output or ("table" if given.diff else "yaml")
    to = sink(output, given.out_file, given.color, quiet=given.quiet, wide=given.wide)
    return Target(given.into, given.diff, given.exit_code, to)


def targets(given: ImportOptions, contexts: Sequence[str]) -> list[tuple[str | None, Target]]:
    """Each kubectl context with the destination of its plan: a file in the folder --out-file if there are several."""
    from capacity.errors import SpecError

    if len(contexts) < 2:
        return [(contexts[0] if contexts else None, target(given))]
    folder = given.out_file
    if given.into or given.diff or folder is None or not folder.is_dir():
        raise SpecError("several --context are several plans: give a folder for them with --out-file FOLDER")
    names = [re.sub(r"[^\w.-]+", "-", c.rpartition("/")[2] or c) for c in contexts]
    if len(set(names)) < len(names):
        raise SpecError(f"two of the contexts have the same file name: {', '.join(names)} (run the command for each)")
    suffix = given.output or "yaml"
    files = [folder / f"{name}.{suffix}" for name in names]
    return [(c, target(replace(given, out_file=file))) for c, file in zip(contexts, files, strict=True)]


def finish(draft: PlanDraft, where: Target) -> None:
    """Write the imported plan, or compare it with an existing one."""
    from capacity.cli.import_show import show_drift, show_plan

    if where.diff:
        if show_drift(draft, where.diff, where.to) and where.exit_code:
            raise typer.Exit(1)
    else:
        show_plan(draft, where.into, where.to)
