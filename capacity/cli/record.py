"""`capacity record`: keep a history of how full the subnets are."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.options import Color, OutFile, Output, Quiet, Wide, sink
from capacity.errors import SpecError

if TYPE_CHECKING:
    from capacity.forecast.history import FillSnapshot

_AGE = re.compile(r"^([0-9]{1,5}) ?(d|w|mo|y)$")
OLDEST_DAYS = 200 * 365  # times are of the years 2000 to 2199
_AGE_DAYS = {"d": 1, "w": 7, "mo": 30, "y": 365}  # for pruning, where a day more or less does not matter


def register(app: typer.Typer) -> None:
    app.command("record")(record)


def record(
    source: Annotated[
        Path | None,
        typer.Argument(
            help="Plan file, or saved output of aws ec2 describe-subnets. Default: capacity.yaml in this folder or a "
            "parent.",
            metavar="[SOURCE]",
        ),
    ] = None,
    into: Annotated[Path, typer.Option("--into", help="History file, created if missing.", metavar="FILE")] = Path(
        "history.db"
    ),
    time: Annotated[
        str | None,
        typer.Option(
            "--time", help="Time of the snapshot (ISO 8601, UTC without a zone). Default: now.", metavar="TIME"
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="List the snapshots in the history and record nothing.")] = False,
    prune: Annotated[
        str | None,
        typer.Option("--prune", help="Also delete snapshots older than 90d, 26w, 18mo, 2y.", metavar="AGE"),
    ] = None,
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Record free addresses in a history file that forecast can read.

    The history is one SQLite file. Several jobs can write at the same time. A job that is killed, or fails on a full
    disk, does not change the file. A plan is recorded as its steady scenario, with address owners, nodes and pods.

    Examples: capacity record plan.yaml --into history.db · capacity record subnets.json --prune 2y ·
    capacity record --list -o csv
    """
    to = sink(output, out_file, color, quiet=quiet, wide=wide)
    age = _age(prune) if prune else None
    if show and (source or time):
        raise SpecError("--list records nothing: a source and --time do not apply")
    from capacity.cli.output import emit
    from capacity.forecast import history
    from capacity.pages.record_page import answer

    now = datetime.now(UTC)
    keep_from = now - age if age else None
    snapshot, dropped = None, 0
    if not show:
        snapshot = _snapshot(source, _moment(time) if time else now)
        dropped = history.record(into, snapshot, keep_from)
    elif keep_from:
        dropped = history.prune(into, keep_from)
    emit(answer(into, snapshot, dropped, history.snapshots(into)), to)


def _snapshot(source: Path | None, time: datetime) -> FillSnapshot:
    from capacity.files import input_name, read_bytes
    from capacity.forecast.snapshot import parse_describe_subnets, snapshot_of_plan
    from capacity.plan.document import parse_plan_file
    from capacity.plan.parse import find_plan, parse_plan

    file = source or find_plan()
    name, data = input_name(file), read_bytes(file)
    saved = parse_describe_subnets(data, name, time)
    return saved or snapshot_of_plan(parse_plan(parse_plan_file(data, name).document, name), time)


def _moment(text: str) -> datetime:
    from capacity.forecast.series import parse_time

    return parse_time(text, "--time")[0]


def _age(text: str) -> timedelta:
    match = _AGE.match(text.strip())
    if not match or not int(match[1]):
        raise SpecError(f"--prune: {text!r} is not an age (expected something like 90d, 26w, 18mo or 2y)")
    days = int(match[1]) * _AGE_DAYS[match[2]]
    if days > OLDEST_DAYS:
        raise SpecError(f"--prune: {text!r} is longer than a history can be (at most {OLDEST_DAYS // 365} years)")
    return timedelta(days=days)
