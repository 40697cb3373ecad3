"""`capacity fleet import`: plans of all clusters of several accounts and regions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capacity.cli.options import Quiet
from capacity.units import counted


def import_fleets(
    out_dir: Annotated[
        Path, typer.Option("--out-dir", help="Folder for the plans and their fleet.yaml.", metavar="DIR")
    ],
    profiles: Annotated[
        str | None,
        typer.Option("--profiles", help="Profiles in the AWS configuration files.", metavar="NAME[,NAME...]"),
    ] = None,
    regions: Annotated[
        str | None,
        typer.Option("--regions", help="AWS Regions. Default: the Region of each profile.", metavar="NAME[,NAME...]"),
    ] = None,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Do not exit with 2 because of clusters that cannot be read.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Create plans for all EKS clusters of several accounts and regions, and a fleet.yaml that lists them.

    Read-only calls with your credentials. An account, region or cluster that cannot be read does not stop the others.
    A plan that is already in the folder keeps its values.

    Example: capacity fleet import --profiles shop,search --regions us-east-1,eu-west-1 --out-dir clusters
    """
    from capacity.cli.output import note, notes
    from capacity.errors import CapacityError
    from capacity.fleet.fleet_import import import_fleet

    def listed(text: str | None) -> list[str | None]:
        return [*(part.strip() for part in (text or "").split(",") if part.strip())] or [None]

    found = import_fleet(listed(profiles), listed(regions), out_dir, (lambda _: None) if quiet else note)
    notes(f"error: {line}" for line in found.errors)
    if not found.plans:
        raise CapacityError("no cluster was imported")
    if not quiet:
        note(f"wrote {counted(len(found.plans), 'plan')} and {out_dir / 'fleet.yaml'} (capacity fleet check {out_dir})")
    if found.errors and not keep_going:
        raise typer.Exit(2)
