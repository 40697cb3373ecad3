"""`capacity data`: the age of the data, its checksums, and how to refresh it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from capacity.cli.options import Color, OutFile, Output, Quiet, Wide, sink
from capacity.cli.output import emit, notes
from capacity.errors import SpecError

AsOf = Annotated[
    str | None, typer.Option("--as-of", help="Calculate ages as of this day instead of today.", metavar="DATE")
]
ReadOn = Annotated[
    str | None,
    typer.Option(
        "--as-of", help="Date of the limits, such as the day of saved output. Default: today.", metavar="DATE"
    ),
]

app = typer.Typer(
    name="data",
    help="Show, verify and refresh the packaged data: sources, age, checksums.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(parent: typer.Typer) -> None:
    """Add the verb to the command line."""
    parent.add_typer(app)


def parse_day(option: str, text: str | None) -> dt.date:
    """The day that an option sets; today if it is not given."""
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
    """Show sources, dates, checksums, and unknown limits."""
    to = sink(output, out_file, color, quiet=quiet, wide=wide)
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
            "--from",
            help="Saved output of `aws ec2 describe-instance-types` (file or folder) instead of live calls.",
            metavar="PATH",
        ),
    ] = None,
    region: Annotated[
        str | None, typer.Option("--region", help="AWS Region. Default: the Region of the profile.", metavar="NAME")
    ] = None,
    profile: Annotated[
        str | None, typer.Option("--profile", help="Profile in the AWS configuration files.", metavar="NAME")
    ] = None,
    prices: Annotated[
        bool | None,
        typer.Option(
            "--prices/--no-prices",
            help="--prices: only prices and EKS fees, from AWS's public price lists, without credentials. --no-prices: "
            "only limits. Default: limits and prices, with your credentials.",
            show_default=False,
        ),
    ] = None,
    as_of: ReadOn = None,
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Refresh limits (EC2) and prices (Pricing API) in your cache.

    Needs your credentials and the read-only actions ec2:DescribeInstanceTypes and pricing:GetProducts. --prices
    reads AWS's public price lists of EC2 (hundreds of megabytes, streamed) and EKS for the Region instead: node
    prices, and the fees of control plane, extended support, Auto Mode and Fargate. The installed package does not
    change: delete the cache folder to undo a refresh.

    Examples: capacity data refresh --region eu-central-1 · capacity data refresh --prices --region eu-central-1 ·
    capacity data refresh --from types.json --as-of 2026-11-25
    """
    to = sink(output, out_file, color, quiet=quiet, wide=wide)
    day = parse_day("--as-of", as_of)
    from capacity.cli.data_refresh import refreshed, refreshed_prices

    if prices:
        given = {"--from": source, "--profile": profile, "--as-of": as_of}
        emit(refreshed_prices(region, [name for name, value in given.items() if value is not None], quiet=quiet), to)
    else:
        emit(refreshed(source, region, profile, prices=prices is None, day=day), to)


@app.command()
def diff(
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Show where cache and overrides differ from the packaged data."""
    to = sink(output, out_file, color, quiet=quiet, wide=wide)
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
    """Verify the packaged data offline.

    Exit code 2 if a check fails.
    """
    to = sink(output, out_file, color, quiet=quiet, wide=wide)
    from capacity.catalog.verify import verify as run_checks
    from capacity.pages.data_page import verify_answer

    checks = run_checks()
    emit(verify_answer(checks), to)
    failures = [f"error: {check.name}: {line}" for check in checks for line in check.failures]
    notes(failures)
    if failures:
        raise typer.Exit(2)
