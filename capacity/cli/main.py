"""The `capacity` command: verbs, exit codes, and what happens to errors."""

from __future__ import annotations

import errno
import os
import sys
from typing import Annotated

import typer

from capacity.cli.exit_codes import INTERRUPTED, UNFORESEEN
from capacity.cli.lazy import Verb, lazy_group
from capacity.cli.output import cannot_write, note, notes, to_nowhere, write_stdout
from capacity.errors import CapacityError

# Verb -> its module in capacity/cli, imported when the verb is used, and the first sentence of its help.
VERBS = {
    "maxpods": Verb("maxpods", "Show how many pods fit on a node in each CNI mode, and why."),
    "node": Verb("node", "Show allocatable resources of a node, how many pods fit, the limit, and the cost."),
    "check": Verb("check", "Check whether subnets run out of IPs, per scenario, with a verdict for CI."),
    "subnets": Verb("subnets", "Show usage, owners, free /28 blocks and fragmentation of subnets."),
    "size": Verb("size", "Calculate the smallest subnets for a plan, allocated from free VPC space."),
    "optimize": Verb("optimize", "Choose the cheapest node groups for the workloads, within address limits."),
    "services": Verb(
        "services", "Show what Services cost: kube-proxy rules in each mode, update time, addresses and ports."
    ),
    "compare": Verb(
        "compare",
        "Compare two plans, or a plan before and after a change.",
    ),
    "warm": Verb(
        "warm",
        "Recommend WARM_* and MINIMUM_* settings: addresses held, immediate pod starts, EC2 calls.",
    ),
    "simulate": Verb(
        "simulate",
        "Simulate the address pools over time: how long pods wait, EC2 calls, and when subnets run out.",
    ),
    "forecast": Verb("forecast", "Forecast when each subnet runs out, and how confident the date is."),
    "record": Verb("record", "Record free addresses in a history file that forecast can read."),
    "report": Verb("report", "Write a design-review report: verdict, subnets, scenarios, findings, fixes, charts."),
    "fleet": Verb("fleets", "Answer for many clusters at the same time, with shared subnets counted together."),
    "init": Verb("init", "Create a commented plan to start from."),
    "import": Verb("import_", "Create a plan from a cluster, its manifests, or its infrastructure code. Read-only."),
    "doctor": Verb(
        "doctor",
        "Troubleshoot the network of a cluster: addresses, ENI limits, security groups, IAM, CNI, CoreDNS.",
    ),
    "explain": Verb("explain", "Explain a figure term by term, or the meaning of a finding code."),
    "completion": Verb(
        "completion",
        "Print the completion script of a shell: commands, options, and names from the plan complete with Tab.",
    ),
    "data": Verb("data", "Show, verify and refresh the packaged data: sources, age, checksums."),
}

DEBUG = "CAPACITY_DEBUG"
LONGEST_ERROR = 200  # characters: of an error nobody thought of, which may hold a whole file
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO))

app = typer.Typer(
    name="capacity",
    cls=lazy_group(VERBS),
    help="Pod-IP capacity planner for Amazon EKS: how many pods fit, and whether addresses run out.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from capacity import __version__

        write_stdout(f"capacity {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Pod-IP capacity planner for Amazon EKS."""


def run(command: typer.Typer = app) -> None:
    """Entry point of an installed command, `capacity` by default.

    Exit codes: 0 answered · 1 `check` or `doctor` found bad news · 2 bad usage, plan or data · 70 an error of ours ·
    130 interrupted. A reader that closes the pipe early changes nothing about the code.
    """
    try:
        _open_closed_streams()
        code = _exit_code(command)
    except KeyboardInterrupt:  # while an error was being said
        code = INTERRUPTED
    _leave(code)


def _exit_code(command: typer.Typer) -> int:
    try:
        command(standalone_mode=True)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 2
        if code == INTERRUPTED:  # click has caught the signal
            note("interrupted")
        return code
    except CapacityError as error:
        return _refused(error)
    except ModuleNotFoundError as error:
        from capacity.extras import missing_extra

        missing = missing_extra(error)
        return _unforeseen(error) if missing is None else _refused(missing)
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:  # before or after the command itself: typer answers those within
        note("interrupted")
        return INTERRUPTED
    except RecursionError as error:
        _say_where(error)
        note("error: the input is nested too deeply")
        return 2
    except Exception as error:
        return _unforeseen(error)
    return 0


def _refused(error: CapacityError) -> int:
    """A line for each problem, and the error's notes."""
    notes(f"error: {line}" for line in error.lines)
    notes(f"note: {text}" for text in getattr(error, "__notes__", ()))
    return 2


def _unforeseen(error: Exception) -> int:
    """One line for an unexpected error; a full disk while typer prints is not one."""
    if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
        note(f"error: {cannot_write(error)}")
        return 2
    _say_where(error)
    from capacity import __version__

    said = " ".join(f"{type(error).__name__}: {error}".split())
    note(
        f"error: unexpected {said[:LONGEST_ERROR]}{'…' if len(said) > LONGEST_ERROR else ''} (a bug in capacity "
        f"{__version__}, no verdict: please report this line and the command; {DEBUG}=1 shows the traceback)"
    )
    return UNFORESEEN


def _say_where(error: Exception) -> None:
    """The traceback, if it is requested."""
    if os.environ.get(DEBUG):
        import traceback

        notes(line for part in traceback.format_exception(error) for line in part.rstrip("\n").split("\n"))


def _open_closed_streams() -> None:
    """Replace a stream that the caller has closed (``>&-``) with the null device.

    Otherwise Python has no such stream, and the next file that is opened gets its number.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 (as long as we run)


def _leave(code: int) -> None:
    """Flush the streams; a closed pipe is not an error."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # closed, or full and said already
            to_nowhere(stream)
    sys.exit(code)
