"""`capacity import`: create a plan from existing files or a cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from capacity.cli import import_terraform
from capacity.cli.aws_options import Cluster, Folder, Profile, Region, cluster_found
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
    targets,
)
from capacity.cli.options import Color, OutFile, Quiet, Wide, packed


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


_OWN_COMMANDS = ("files", "kubectl", "terraform")  # sources with options of their own


def _register_file_sources() -> None:
    from capacity.readers.sources import FILE_SOURCES

    for source in FILE_SOURCES.values():
        if source.name == "files":
            app.command("files", help=source_help(source))(files)
        elif source.name not in _OWN_COMMANDS:
            app.command(source.name, help=source_help(source))(_command(source.name))


def _command(source: str) -> Callable[..., None]:
    """The command for a source that reads files and has only the common options."""

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


def files(
    files: Files,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", help="Name of the EKS cluster, if the output of AWS has several.", metavar="NAME"),
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
    where = target(packed(ImportOptions, locals()))
    from capacity.readers.any_source import read

    finish(read(files, cluster or ""), where)


@app.command()
def kubectl(
    files: Annotated[
        list[str] | None, typer.Argument(help="Saved objects, JSON or YAML (- for stdin).", metavar="[FILE…]")
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Read from the cluster in the current kubectl context.")] = False,
    context: Annotated[
        list[str] | None,
        typer.Option(
            "--context",
            help="With --live: kubectl context. Repeatable: one plan for each, into the folder --out-file.",
            metavar="NAME",
        ),
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

    given = packed(ImportOptions, locals())
    if live == bool(files) or (context and not live):
        raise SpecError("give files (- for stdin), or --live to read from the cluster; --context needs --live")
    from capacity.readers.kubernetes.kubectl import read, read_live

    for name, where in targets(given, context or []):
        finish(read_live(name) if live else read(files or []), where)


_register_file_sources()
import_terraform.add_source(app)


@app.command()
def aws(
    cluster: Cluster = None,
    region: Region = None,
    profile: Profile = None,
    folder: Folder = None,
    into: Into = None,
    diff: Diff = None,
    exit_code: ExitCode = False,
    output: Format = None,
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Create a plan from an EKS cluster and its VPC: live (read-only, your credentials), or from saved output.

    Every address of every subnet is accounted for. Notes list what AWS does not report. The exact IAM policy
    is in the documentation (reference: IAM policy).

    Examples: capacity import aws --cluster shop --out-file capacity.yaml · capacity import aws --from answers/ ·
    capacity import aws --cluster shop --diff capacity.yaml --exit-code
    """
    where = target(packed(ImportOptions, locals()))
    found = cluster_found(cluster, region, profile, folder)
    from capacity.readers.aws.compared import with_comparison
    from capacity.readers.aws.draft import aws_draft

    source = f"AWS output in {folder.name or folder}" if folder else "AWS"
    finish(with_comparison(aws_draft(found, source), found), where)


def register(parent: typer.Typer) -> None:
    """Add the verb to the command line."""
    parent.add_typer(app)
