"""The `capacity` command: verbs, exit codes, and what happens to errors."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from capacity.cli.lazy import Verb, lazy_group
from capacity.cli.output import note, write_stdout
from capacity.errors import CapacityError

# Verb -> its module in capacity/cli, imported when the verb is used, and the first sentence of its help.
VERBS = {
    "maxpods": Verb("maxpods", "How many pods fit on a node, in every CNI mode, and why."),
    "node": Verb(
        "node", "What is left for pods on a node, how many of this pod fit, which resource binds, what it costs."
    ),
    "check": Verb("check", "Will we run out of IPs? Per subnet and scenario, with a verdict for CI."),
    "size": Verb("size", "The smallest subnets that carry a plan in all scenarios, laid into free VPC space."),
    "compare": Verb(
        "compare",
        "What changes between two plans, or if one plan is changed: per scenario and subnet, nodes, findings, runway.",
    ),
    "warm": Verb(
        "warm",
        "Which WARM_* and MINIMUM_* settings: addresses held against pods that start at once and EC2 calls.",
    ),
    "forecast": Verb("forecast", "When does each subnet run out, and how surely?"),
    "record": Verb("record", "Append a snapshot of free addresses to a history that forecast can read."),
    "report": Verb(
        "report", "The design-review document: verdict, subnets, scenarios, findings with fixes, charts, sources."
    ),
    "import": Verb(
        "import_all", "Make a plan from what you have: a cluster, its manifests, or its infrastructure code. Read-only."
    ),
    "doctor": Verb(
        "doctor",
        "What is wrong with the network of a cluster: addresses, ENI limits, security groups, IAM, CNI, CoreDNS.",
    ),
    "explain": Verb("explain", "Where a figure comes from, term by term, or what a finding's code means."),
    "data": Verb("data", "The packaged data: its sources, age and self-check."),
}

INTERRUPTED = 130  # 128 + SIGINT, as shells count

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

    Exit codes: 0 answered · 1 `check` found that it runs out · 2 bad usage, plan or data ·
    130 interrupted. A reader that closes the pipe early changes nothing about the code.
    """
    code = 0
    try:
        app(standalone_mode=True)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 2
        if code == INTERRUPTED:  # click has caught the signal
            note("interrupted")
    except CapacityError as error:
        note(f"error: {error}")
        code = 2
    except BrokenPipeError:
        code = 0
    except KeyboardInterrupt:
        note("interrupted")
        code = INTERRUPTED
    except RecursionError:
        note("error: the input is nested too deeply")
        code = 2
    _leave(code)


def _leave(code: int) -> None:
    """Flush what is left; a closed pipe is not an error of ours."""
    try:
        sys.stdout.flush()
    except OSError:  # closed, or full and said already
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
