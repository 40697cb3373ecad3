"""`capacity import aws`: a plan from a live cluster, or from saved output of the AWS CLI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.import_ import Diff, ExitCode, Format, ImportOptions, Into, finish, target
from capacity.cli.options import Color, OutFile, Quiet, Wide, packed
from capacity.errors import SpecError

if TYPE_CHECKING:
    from capacity.readers.aws.aws_cluster import AwsCluster

Cluster = Annotated[
    str | None,
    typer.Option("--cluster", help="Name of the EKS cluster. Not needed if there is only one.", metavar="NAME"),
]
Region = Annotated[
    str | None, typer.Option("--region", help="AWS Region. Default: the Region of the profile.", metavar="NAME")
]
Profile = Annotated[
    str | None, typer.Option("--profile", help="Profile in the AWS configuration files.", metavar="NAME")
]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--from",
        help="Folder of saved `aws … --output json` files instead of live calls; file names do not matter.",
        metavar="FOLDER",
    ),
]


def add_source(group: typer.Typer) -> None:
    """Add the source to `capacity import`."""
    group.command("aws")(aws)


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
    from capacity.readers.aws.draft import aws_draft

    source = f"AWS output in {folder.name or folder}" if folder else "AWS"
    finish(aws_draft(found, source), where)


def cluster_found(
    cluster: str | None, region: str | None, profile: str | None, folder: Path | None, doctor: bool = False
) -> AwsCluster:
    """The cluster, read live or from a folder."""
    from capacity.readers.aws.aws_cluster import parse_cluster, with_unread

    if folder is not None:
        if region or profile:
            raise SpecError("--from reads saved output: --region and --profile do not apply")
        from capacity.readers.aws.folder import read_folder

        return parse_cluster(with_unread(read_folder(folder), cluster or "", doctor=doctor), cluster or "")
    from capacity.readers.aws.client import Caller, open_session
    from capacity.readers.aws.fetch import fetch_answers

    return parse_cluster(
        fetch_answers(Caller(open_session(profile, region)), cluster or "", doctor=doctor), cluster or ""
    )
