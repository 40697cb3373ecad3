"""`capacity data`: how old the data is, whether it is whole, and how to renew it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capacity.cli.options import Color, OutFile, Output, Quiet, sink
from capacity.cli.output import Answer, Table, emit, notes
from capacity.errors import SpecError

if TYPE_CHECKING:
    from capacity.catalog.cache import LayerStatus
    from capacity.catalog.status import DataStatus
    from capacity.catalog.verify import Check

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
) -> None:
    """Sources, dates, checksums, and what is not known."""
    to = sink(output, out_file, color, quiet)
    day = parse_day("--as-of", as_of)
    from capacity.catalog.cache import layer_status
    from capacity.catalog.status import data_status

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
) -> None:
    """Ask EC2 for the limits of every instance type, and the Pricing API for prices, into your own cache.

    --prices reads the region's file of the public price list instead (hundreds of megabytes, read as they arrive).
    Read-only: ec2:DescribeInstanceTypes and pricing:GetProducts, with your credentials. The installed package is
    not touched; deleting the cache folder undoes it. --as-of dates saved answers.

    Examples: capacity data refresh --region eu-central-1 · capacity data refresh --prices --region eu-central-1 ·
    capacity data refresh --from types.json --as-of 2026-11-25
    """
    to = sink(output, out_file, color, quiet)
    day = parse_day("--as-of", as_of)
    from capacity.cli.data_refresh import refreshed, refreshed_prices

    if prices:
        given = {"--from": source, "--profile": profile, "--as-of": as_of}
        emit(refreshed_prices(region, [name for name, value in given.items() if value is not None], quiet), to)
    else:
        emit(refreshed(source, region, profile, prices is None, day), to)


@app.command()
def diff(
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
) -> None:
    """What your cache and overrides change against the packaged data, figure by figure."""
    to = sink(output, out_file, color, quiet)
    from capacity.cli.data_refresh import diff_answer

    emit(diff_answer(), to)


@app.command()
def verify(
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
) -> None:
    """Check the packaged data against itself, offline.

    Exit code 2 if a check fails.
    """
    to = sink(output, out_file, color, quiet)
    from capacity.catalog.verify import verify as run_checks

    checks = run_checks()
    emit(verify_answer(checks), to)
    failures = [f"error: {check.name}: {line}" for check in checks for line in check.failures]
    notes(failures)
    if failures:
        raise typer.Exit(2)


def status_answer(now: DataStatus, layers: Sequence[LayerStatus] = ()) -> Answer:
    """The state of the data as an answer to print; ``layers`` lie over the package."""
    lying = [layer_row(layer, now.as_of) for layer in layers]
    files = [{"name": f.name, "rows": f.rows, "checksum_ok": f.fault is None} for f in now.files]
    sources = [source_row(s) for s in now.sources]
    prices = [
        {"region": p.region, "currency": p.currency, "prices": p.prices, "date": p.date, "age_days": p.age_days}
        for p in now.prices
    ]
    unknown = list(now.without_eni_figures)
    results = {
        "date": now.date,
        "age_days": now.age_days,
        "types": now.types,
        "files": files,
        "sources": sources,
        "prices": prices,
        "without_eni_figures": unknown,
    }
    lying_blocks: list[str | Table] = []
    if lying:
        results["layers"] = lying
        lying_blocks = ["", Table(_LAYER_COLUMNS, lying, "Over the package, the later the stronger")]
    return Answer(
        command="data status",
        inputs={"as_of": now.as_of.isoformat()},
        results=results,
        blocks=[
            f"{now.types:,} instance types, limits of {now.date} ({age(now.age_days, now.as_of)})\n",
            Table(_FILE_COLUMNS, files, "Data files"),
            "",
            Table(_SOURCE_COLUMNS, sources, "Sources"),
            "",
            Table(_PRICE_COLUMNS, prices, "On-demand prices"),
            f"\nNo ENI figures for {len(unknown)} types: {', '.join(unknown)}",
            *lying_blocks,
        ],
        rows=[
            *({"kind": "file", **row} for row in files),
            *({"kind": "source", **row} for row in sources),
            *({"kind": "prices", **row} for row in prices),
            *({"kind": "layer", **row} for row in lying),
        ],
        warnings=[f.fault for f in now.files if f.fault],
        dated=False,
    )


_FILE_COLUMNS = (("name", "file"), ("rows", "rows"), ("checksum_ok", "checksum ok"))
_SOURCE_COLUMNS = (
    ("name", "key"),
    ("title", "source"),
    ("date", "date"),
    ("age_days", "age, days"),
    ("types", "types"),
)
_PRICE_COLUMNS = (
    ("region", "region"),
    ("currency", "currency"),
    ("prices", "prices"),
    ("date", "date"),
    ("age_days", "age, days"),
)


_LAYER_COLUMNS = (
    ("name", "layer"),
    ("holds", "holds"),
    ("rows", "rows"),
    ("date", "date"),
    ("age_days", "age, days"),
    ("path", "file"),
)


def layer_row(layer: LayerStatus, day: dt.date) -> dict[str, Any]:
    """One layer with its age; overrides have no date."""
    age = (day - dt.date.fromisoformat(layer.date)).days if layer.date else None
    return {
        "name": layer.name,
        "holds": layer.holds,
        "rows": layer.rows,
        "date": layer.date or None,
        "age_days": age,
        "path": layer.path,
    }


def source_row(entry: Any) -> dict[str, Any]:
    """One source with its age and how many types cite it."""
    source = entry.source
    return {
        "name": source.key,
        "title": source.title,
        "origin": source.origin,
        "path": source.path,
        "version": source.version,
        "licence": source.licence,
        "date": source.date.isoformat() if source.date else None,
        "age_days": entry.age_days,
        "types": entry.types,
    }


def age(days: int, day: dt.date) -> str:
    """``1 day old on 2026-10-28``, ``28 days old on …``, ``3 days after …``."""
    count = f"{abs(days):,} day{'' if abs(days) == 1 else 's'}"
    return f"{count} old on {day}" if days >= 0 else f"{count} after {day}"


def verify_answer(checks: list[Check]) -> Answer:
    """What the self-check looked at and found, as an answer to print."""
    rows = [
        {"check": c.name, "checked": c.checked, "failed": len(c.failures), "passed": not c.failures, "what": c.what}
        for c in checks
    ]
    failed = sum(len(c.failures) for c in checks)
    total = sum(c.checked for c in checks)
    verdict = f"{total:,} figures checked, " + (f"{failed:,} failures" if failed else "all right")
    listed = [{**row, "failures": c.failures} for row, c in zip(rows, checks, strict=True)]
    columns = (("check", "check"), ("checked", "checked"), ("failed", "failed"), ("what", "what holds"))
    return Answer(
        command="data verify",
        inputs={},
        results={"passed": failed == 0, "checked": total, "failed": failed, "checks": listed},
        blocks=[Table(columns, rows), "\n" + verdict],
        rows=rows,
        dated=False,
    )
