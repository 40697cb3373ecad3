"""`capacity explain`: the derivation of a figure, or the reason behind a code."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Annotated

import typer

from capacity.cli.options import Color, OutFile, Quiet, sink, words
from capacity.cli.tab_completion import complete_scenario, complete_subject
from capacity.errors import SpecError

FORMATS = ("table", "json", "yaml", "md", "slack")  # a tree of terms is no table of numbers
EXPLAINING = {"maxpods": "m5.large", "node": "m5.large", "warm": "PLAN", "check": "PLAN"}  # verbs with --explain
_CODE = re.compile(r"^[A-Za-z]{2}[0-9]{3}$")


def register(app: typer.Typer) -> None:
    app.command("explain")(explain)


def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="Finding code (IP001), subnet (private-b), its figure (private-b.warm), node group, or a topic: "
            "security-groups, network-policy, limits, autoscaling, control-plane-price, control-plane-tiers.",
            autocompletion=complete_subject,
        ),
    ],
    plan: Annotated[
        Path | None,
        typer.Argument(help="Plan file. Default: capacity.yaml in this folder or a parent.", metavar="[PLAN]"),
    ] = None,
    plan_option: Annotated[
        Path | None, typer.Option("--plan", help="Plan file, as an option instead of the argument.", metavar="PLAN")
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option(
            "--scenario",
            metavar="NAME",
            help="Scenario to explain. Default: the first one.",
            autocompletion=complete_scenario,
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "-o", "--output", help="table, json, yaml, md or slack.", metavar="FORMAT", autocompletion=words(*FORMATS)
        ),
    ] = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
) -> None:
    """Explain a figure term by term, or the meaning of a finding code.

    Examples: capacity explain IP001 · capacity explain private-b.warm examples/shop-prod.yaml --scenario peak ·
    capacity explain security-groups · capacity explain autoscaling examples/shop-prod.yaml
    """
    if plan is not None and plan_option is not None:
        raise SpecError(f"--plan: the plan is already given ({plan})")
    to = sink(output, out_file, color, FORMATS, quiet=quiet)
    from capacity.cli.output import emit
    from capacity.pages.explain_page import code_answer, figure_answer
    from capacity.pages.topic_page import TOPICS, topic_answer

    named = plan or plan_option
    if _CODE.match(what):
        emit(code_answer(what.upper()), to)
        return
    if what in TOPICS:
        emit(topic_answer(what, named), to)
        return
    from capacity.plan.parse import find_plan, read_plan

    try:
        emit(figure_answer(what, read_plan(named or find_plan()), scenario), to)
    except SpecError as error:
        if meant := _other_command(what, named):
            raise SpecError(meant) from error
        raise


def _other_command(what: str, named: Path | None) -> str:
    """A sentence with the command that explains ``what``, if it is a verb or an instance type; otherwise empty."""
    from capacity.catalog.table import load_catalog

    if what in EXPLAINING:
        command = f"capacity {what} {shlex.quote(str(named or EXPLAINING[what]))} --explain"
        return f"{what!r} is a command, not a figure of a plan: {command}"
    return f"{what!r} is an instance type: capacity maxpods {what} --explain" if what in load_catalog() else ""
