"""`capacity import terraform`: a plan from Terraform's JSON output, or from its configuration and variables."""

from __future__ import annotations

from typing import Annotated

import typer

from capacity.cli.import_options import (
    Diff,
    ExitCode,
    Files,
    Format,
    ImportOptions,
    Into,
    finish,
    source_help,
    target,
)
from capacity.cli.options import Color, OutFile, Quiet, Wide, packed

Variables = Annotated[
    list[str] | None,
    typer.Option("--var", help="Value of a variable of the configuration. Repeatable.", metavar="NAME=VALUE"),
]
VarFiles = Annotated[
    list[str] | None,
    typer.Option("--var-file", help="File of variable values, as for terraform plan. Repeatable.", metavar="FILE"),
]
Vpc = Annotated[
    str | None,
    typer.Option("--vpc", help="The VPC, if there are several: its ID, name or address.", metavar="VPC"),
]


def add_source(group: typer.Typer) -> None:
    """Add the source to `capacity import`."""
    from capacity.readers.sources import FILE_SOURCES

    group.command("terraform", help=source_help(FILE_SOURCES["terraform"]))(terraform)


def terraform(
    files: Files,
    var: Variables = None,
    var_file: VarFiles = None,
    vpc: Vpc = None,
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
    from capacity.readers.terraform.source import read
    from capacity.readers.terraform.source_blocks import Inputs

    finish(read(files, Inputs(tuple(var or ()), tuple(var_file or ()), vpc)), where)
