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
    "maxpods": Verb("maxpods", "How many pods fit on a node, in every CNI mode, and why."),
    "node": Verb("node", "What is left for pods on a node, how many of this pod fit, what limits them, what it costs."),
    "check": Verb("check", "Will we run out of IPs? Per subnet and scenario, with a verdict for CI."),
    "subnets": Verb("subnets", "Fill, owners and free /28 blocks of subnets, and how fragmented they are."),
    "size": Verb("size", "The smallest subnets that carry a plan in all scenarios, allocated from free VPC space."),
    "optimize": Verb("optimize", "The cheapest node groups that carry the workloads without running out of addresses."),
    "compare": Verb(
        "compare",
        "What changes between two plans, or if one plan is changed: per scenario and subnet, nodes, findings, runway.",
    ),
    "warm": Verb(
        "warm",
        "Which WARM_* and MINIMUM_* settings: addresses held against pods that start at once and EC2 calls.",
    ),
    "forecast": Verb("forecast", "When does each subnet run out, and how confident is that?"),
    "record": Verb("record", "Append a snapshot of free addresses to a history that forecast can read."),
    "report": Verb(
        "report", "The design-review document: verdict, subnets, scenarios, findings with fixes, charts, sources."
    ),
    "init": Verb("init", "Write a commented plan to start from."),
    "import": Verb(
        "import_all", "Make a plan from what you have: a cluster, its manifests, or its infrastructure code. Read-only."
    ),
    "doctor": Verb(
        "doctor",
        "What is wrong with the network of a cluster: addresses, ENI limits, security groups, IAM, CNI, CoreDNS.",
    ),
    "explain": Verb("explain", "Where a figure comes from, term by term, or what a finding's code means."),
    "data": Verb(
        "data", "The data behind every answer: its sources, age, self-check, and the user's own newer figures."
    ),
}

DEBUG = "CAPACITY_DEBUG"
LONGEST_ERROR = 200  # characters: of an error nobody thought of, which may hold a whole file
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO))

app = typer.Typer(
    name="capacity",
    cls=lazy_group(VERBS),
    help="Pod-IP capacity planner for Amazon EKS: how many pods fit, and will we run out of addresses?",
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


def run() -> None:
    """Entry point of the installed command.

    Exit codes: 0 answered · 1 `check` or `doctor` found bad news · 2 bad usage, plan or data · 70 an error of ours ·
    130 interrupted. A reader that closes the pipe early changes nothing about the code.
    """
    try:
        _open_closed_streams()
        code = _exit_code()
    except KeyboardInterrupt:  # while an error was being said
        code = INTERRUPTED
    _leave(code)


def _exit_code() -> int:
    try:
        app(standalone_mode=True)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 2
        if code == INTERRUPTED:  # click has caught the signal
            note("interrupted")
        return code
    except CapacityError as error:
        notes(f"error: {line}" for line in error.lines)
        return 2
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


def _unforeseen(error: Exception) -> int:
    """One line of an error that nobody thought of; a full disk under typer's own texts is none."""
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
    """The traceback, for those who ask for it."""
    if os.environ.get(DEBUG):
        import traceback

        notes(line for part in traceback.format_exception(error) for line in part.rstrip("\n").split("\n"))


def _open_closed_streams() -> None:
    """A stream that the caller has closed (``>&-``) has no reader: give it an end that takes, or holds, nothing.

    Otherwise Python has no such stream at all, and the next file that is opened takes its number.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 (as long as we run)


def _leave(code: int) -> None:
    """Flush what is left; a closed pipe is not an error of ours."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # closed, or full and said already
            to_nowhere(stream)
    sys.exit(code)
