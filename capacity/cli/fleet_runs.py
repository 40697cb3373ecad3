"""Runs a question of `capacity fleet`, and leaves with its exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from capacity.cli.fleet_options import FleetOptions
    from capacity.fleet.run import FleetRun
    from capacity.fleet.unit import Row


def fleet_run(
    given: FleetOptions, question: str, options: dict[str, Any], arrived: Callable[[Row], Row] = lambda row: row
) -> FleetRun:
    """Answer a question for all plans, with progress."""
    from capacity.cli.progress import rate
    from capacity.fleet.run import run_fleet

    sources = given.sources()
    with given.workforce() as workforce, rate(f"fleet {question}", quiet=given.quiet) as tell:
        return run_fleet(sources, question, options, workforce, tell, arrived)


def told(run: FleetRun, options: dict[str, Any]) -> dict[str, Any]:
    """The inputs that the answer shows."""
    fleet = run.sources.fleet
    return {
        "fleet": fleet.file or None,
        "name": fleet.name or None,
        "plans": len(run.rows),
        **options,
    }


def leave(run: FleetRun, verdict: str, fail_on: str, *, exit_zero: bool, keep_going: bool) -> None:
    """Exit with the code of the worst: a crash, a plan without an answer, the verdict."""
    from capacity.cli.exit_codes import UNFORESEEN

    if any(row.get("crash") for row in run.rows):
        raise typer.Exit(UNFORESEEN)
    if run.broken and not (keep_going and run.answered):
        raise typer.Exit(2)
    bad = ("exhausted",) if fail_on == "error" else ("exhausted", "tight")
    if verdict in bad and not exit_zero:
        raise typer.Exit(1)
