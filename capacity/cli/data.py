"""`capacity data`: how old the data is, whether it is whole, and how to renew it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from capacity.cli.options import Color, OutFile, Output, Quiet, Wide, sink
from capacity.cli.output import emit, notes
from capacity.errors import SpecError

AsOf = Annotated[str | None, typer.Option("--as-of", help="Count ages to this day instead of today.", metavar="DATE")]

app = typer.Typer(
    name="data",
    help="The data behind every answer: its sources, age, self-check, and the user's own newer figures.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(parent: typer.Typer) -> None:
    """Add the verb to the command line."""
    parent.add_typer(app)


def parse_day(option: str, text: str | None) -> dt.date:
    """The day an option names; today where it is not given."""
    if text is None:
        from capacity.catalog.age import today

        return today()
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise SpecError(f"{option}: {text!r} is not a date (expected YYYY-MM-DD)") from None


@app.command()
def status(
    as_of: AsOf = None,
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Sources, dates, checksums, and what is not known."""
    to = sink(output, out_file, color, quiet, wide=wide)
    day = parse_day("--as-of", as_of)
    from capacity.catalog.cache import layer_status
    from capacity.catalog.status import data_status
    from capacity.pages.data_page import status_answer

    emit(status_answer(data_status(day), layer_status()), to)


@app.command()
def refresh(
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", help="A saved `aws ec2 describe-instance-types` answer (file or folder): no call.", metavar="PATH"
        ),
    ] = None,
    region: Annotated[
        str | None, typer.Option("--region", help="Region to ask; without it the profile's.", metavar="NAME")
    ] = None,
    profile: Annotated[
        str | None, typer.Option("--profile", help="Profile of the AWS configuration.", metavar="NAME")
    ] = None,
    prices: Annotated[
        bool | None,
        typer.Option(
            "--prices/--no-prices",
            help="--prices: only prices, from AWS's public price list, without credentials. --no-prices: only limits. "
            "Without either both, with your credentials.",
            show_default=False,
        ),
    ] = None,
    as_of: AsOf = None,
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Ask EC2 for the limits of every instance type, and the Pricing API for prices, into your own cache.

    --prices reads the region's file of the public price list instead (hundreds of megabytes, read as they arrive).
    Read-only: ec2:DescribeInstanceTypes and pricing:GetProducts, with your credentials. The installed package is
    not touched; deleting the cache folder undoes it. --as-of dates saved answers.

    Examples: capacity data refresh --region eu-central-1 · capacity data refresh --prices --region eu-central-1 ·
    capacity data refresh --from types.json --as-of 2026-11-25
    """
    to = sink(output, out_file, color, quiet, wide=wide)
    day = parse_day("--as-of", as_of)
    from capacity.cli.data_refresh import refreshed, refreshed_prices

    if prices:
        given = {"--from": source, "--profile": profile, "--as-of": as_of}
        emit(refreshed_prices(region, [name for name, value in given.items() if value is not None], quiet=quiet), to)
    else:
        emit(refreshed(source, region, profile, prices is None, day), to)


@app.command()
def diff(
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """What your cache and overrides change against the packaged data, figure by figure."""
    to = sink(output, out_file, color, quiet, wide=wide)
    from capacity.pages.data_page import diff_answer

    emit(diff_answer(), to)


@app.command()
def verify(
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Check the packaged data against itself, offline.

    Exit code 2 if a check fails.
    """
    to = sink(output, out_file, color, quiet, wide=wide)
    from capacity.catalog.verify import verify as run_checks
    from capacity.pages.data_page import verify_answer

    checks = run_checks()
    emit(verify_answer(checks), to)
    failures = [f"error: {check.name}: {line}" for check in checks for line in check.failures]
    notes(failures)
    if failures:
        raise typer.Exit(2)
