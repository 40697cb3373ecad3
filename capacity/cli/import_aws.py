"""`capacity import aws`: a plan from a live cluster, or from saved answers of the AWS CLI."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from capacity.cli.aws_options import Cluster, Folder, Profile, Region, cluster_found
from capacity.cli.import_options import Diff, ExitCode, Format, ImportOptions, Into, finish, target
from capacity.cli.options import Color, OutFile, Quiet, Wide, packed

if TYPE_CHECKING:
    pass


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
    """Create a plan from an EKS cluster and its VPC: live (read-only, your credentials), or from saved answers.

    Every address of every subnet is accounted for. Notes list what AWS does not report. The exact IAM policy
    is in the documentation (reference: IAM policy).

    Examples: capacity import aws --cluster shop --out-file capacity.yaml · capacity import aws --from answers/ ·
    capacity import aws --cluster shop --diff capacity.yaml --exit-code
    """
    where = target(packed(ImportOptions, locals()))
    found = cluster_found(cluster, region, profile, folder)
    from capacity.readers.aws.draft import aws_draft

    source = f"AWS answers in {folder.name or folder}" if folder else "AWS"
    finish(aws_draft(found, source), where)
