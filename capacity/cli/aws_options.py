"""Options that name an EKS cluster, and its answers: live or from a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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


def cluster_found(
    cluster: str | None, region: str | None, profile: str | None, folder: Path | None, *, doctor: bool = False
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
