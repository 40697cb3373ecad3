"""`capacity forecast`: when does each subnet run out?"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.options import Color, OutFile, Output, Quiet, Wide, one_of, packed, sink, words
from capacity.errors import SpecError
from capacity.plan.constants import AT_REST

if TYPE_CHECKING:
    from capacity.forecast.result import ForecastResult
    from capacity.forecast.series import DailySeries
    from capacity.pages.answer import Answer
    from capacity.plan.model import Plan

PlanFile = Annotated[
    Path | None,
    typer.Argument(
        help="Plan file, YAML or JSON (- for stdin). Default: capacity.yaml in this folder or a parent.",
        metavar="[PLAN]",
    ),
]
History = Annotated[
    list[Path] | None,
    typer.Option(
        "--history",
        help="Past free addresses: CSV, CloudWatch or Prometheus JSON, or a file of capacity record. "
        "Repeatable. PLAN then only gives the sizes of the subnets.",
        metavar="FILE",
    ),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        help="First day of the forecast (YYYY-MM-DD). Default: today; with --history, the last observation.",
        metavar="DATE",
    ),
]
Usable = Annotated[
    list[str] | None,
    typer.Option(
        "--usable",
        help="Usable addresses of a subnet in the history; N alone applies to all. Repeatable.",
        metavar="[NAME=]N",
    ),
]


def register(app: typer.Typer) -> None:
    app.command("forecast")(forecast)


def forecast(
    plan: PlanFile = None,
    history: History = None,
    horizon: Annotated[
        str, typer.Option("--horizon", help="Length of the forecast: 90d, 26w, 18mo, 2y.", metavar="TIME")
    ] = "18mo",
    as_of: AsOf = None,
    scenario: Annotated[
        str,
        typer.Option(
            "--scenario",
            help="steady: replicas.now grows. peak, ceiling: replicas.max grows.",
            metavar="NAME",
            autocompletion=words(*AT_REST),
        ),
    ] = "steady",
    paths: Annotated[int, typer.Option("--paths", help="Simulations.", metavar="N")] = 10_000,
    seed: Annotated[
        int, typer.Option("--seed", help="Random seed. The same seed gives the same answer.", metavar="N")
    ] = 1,
    usable: Usable = None,
    subnet: Annotated[
        str | None,
        typer.Option("--subnet", help="Subnet name for a history file without subnet names.", metavar="NAME"),
    ] = None,
    backtest: Annotated[
        bool,
        typer.Option(
            "--backtest", help="Also forecast from earlier days of the history and compare with what happened."
        ),
    ] = False,
    fan: Annotated[bool, typer.Option("--fan", help="JSON and YAML: include the used addresses per day.")] = False,
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Forecast when each subnet runs out, and how confident the date is.

    Uses the growth of the workloads in the plan, or a history of free addresses. P10, P50 and P90 are the days by
    which 10%, 50% and 90% of the simulations run out; no date means that fewer do within the horizon. The first day
    is the scenario as in check. Node groups grow as their pods need, up to their maximum.

    Examples: capacity forecast examples/shop-prod.yaml --horizon 3y ·
    capacity forecast --history free.csv --backtest · capacity forecast plan.yaml --history history.db -o json
    """
    given = packed(ForecastOptions, locals())
    to = sink(output, out_file, color, quiet=quiet, wide=wide)
    from capacity.cli.output import emit

    emit(_answered(given), to)


@dataclass(frozen=True)
class ForecastOptions:
    """The options of `capacity forecast` as given, named as its parameters are."""

    plan: Path | None
    history: list[Path] | None
    horizon: str
    as_of: str | None
    scenario: str
    paths: int
    seed: int
    usable: list[str] | None
    subnet: str | None
    backtest: bool
    fan: bool
    quiet: bool


def _answered(given: ForecastOptions) -> Answer:
    """The forecast for the given options."""
    one_of("--scenario", given.scenario, AT_REST)
    if given.seed < 0:
        raise SpecError(f"--seed: {given.seed} is negative (expected 0 or more)")
    start = _date(given.as_of)
    read: Plan | None
    from capacity.pages.forecast_page import answer

    if not given.history:
        for option, value in (("--backtest", given.backtest), ("--usable", given.usable), ("--subnet", given.subnet)):
            if value:
                raise SpecError(f"{option}: needs --history")
        read, result = _from_plan(given, start)
    else:
        if given.scenario != "steady":
            raise SpecError("--scenario: a history has no scenarios (it needs the growth in a plan)")
        read, result = _from_history(given, _read_history(given.history, given.subnet), start)
    return answer(result, read, given.horizon, [str(h) for h in given.history or ()], fan=given.fan)


def _from_plan(given: ForecastOptions, start: date | None) -> tuple[Plan, ForecastResult]:
    from capacity.catalog.age import today
    from capacity.cli.progress import progress
    from capacity.forecast.plan_growth import forecast_growth
    from capacity.forecast.span import parse_horizon
    from capacity.plan.parse import find_plan, read_plan

    span = parse_horizon(given.horizon, start or today())
    read = read_plan(given.plan or find_plan())
    with progress("forecast", quiet=given.quiet) as told:
        return read, forecast_growth(read, span, given.paths, given.seed, given.scenario, told)


def _read_history(files: list[Path], subnet: str | None) -> tuple[list[DailySeries], list[str]]:
    """All history files merged, and the assumptions made to read them."""
    from capacity.forecast.formats import read_history
    from capacity.forecast.series import daily_series

    readings = [read_history(file, subnet) for file in files]
    return daily_series(o for r in readings for o in r.observations), [n for r in readings for n in r.notes]


def _from_history(
    given: ForecastOptions, past: tuple[list[DailySeries], list[str]], start: date | None
) -> tuple[Plan | None, ForecastResult]:
    from capacity.cli.progress import progress
    from capacity.forecast.from_history import forecast_history, last_day, sizes_of
    from capacity.forecast.span import parse_horizon
    from capacity.plan.parse import read_plan

    series, notes = past
    read = read_plan(given.plan) if given.plan else None
    span = parse_horizon(given.horizon, start or last_day(series))
    wanted = [s.name for s in read.subnets] if read else []
    known = sizes_of(series, read, _sizes(given.usable or []))
    with progress("forecast", quiet=given.quiet) as told:
        result = forecast_history(
            series, span, known, wanted, given.paths, given.seed, backtest=given.backtest, progress=told
        )
    return read, replace(result, notes=(*notes, *result.notes))


def _sizes(given: list[str]) -> dict[str, int]:
    """``NAME=N`` as a mapping; a number alone is kept under ""."""
    sizes: dict[str, int] = {}
    for text in given:
        name, _, number = text.rpartition("=")
        if not re.fullmatch("[0-9]{1,8}", number) or not 1 <= int(number) <= 10_000_000:
            raise SpecError(f"--usable: {text!r} is not a size (expected NAME=251, or 251 for all)")
        sizes[name] = int(number)
    return sizes


def _date(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SpecError(f"--as-of: {text!r} is not a date (expected YYYY-MM-DD)") from None
