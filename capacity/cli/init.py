"""`capacity init`: a commented plan to start from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.options import Quiet, one_of
from capacity.cli.output import note
from capacity.errors import SpecError

if TYPE_CHECKING:
    from capacity.cli.init_questions import Answers

EXAMPLES = ("small", "prod", "hybrid")


def register(app: typer.Typer) -> None:
    app.command("init")(init)


def init(
    path: Annotated[
        Path,
        typer.Argument(
            help="File to write (- for stdout). Default: capacity.yaml.", metavar="[PATH]", show_default=False
        ),
    ] = Path("capacity.yaml"),
    example: Annotated[
        str | None,
        typer.Option(
            "--example",
            help="small, prod or hybrid (routable nodes, pods in 100.64.0.0/10). "
            "Without it, init asks a few questions on a terminal.",
            metavar="NAME",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    quiet: Quiet = False,
) -> None:
    """Create a commented plan to start from.

    Examples: capacity init --example small · capacity init --example prod plans/prod.yaml · capacity init
    """
    if example is not None:
        one_of("--example", example, EXAMPLES)
    elif not sys.stdin.isatty():
        raise SpecError(f"--example: one of {', '.join(EXAMPLES)} is required without a terminal")
    stdout = str(path) == "-"
    if not stdout and path.exists() and not force:
        raise SpecError(f"{str(path)!r} already exists (--force replaces it)")
    text = _example(example) if example is not None else _asked()
    text = text.replace("@FILE@", "capacity.yaml" if stdout else str(path))
    if stdout:
        from capacity.cli.output import write_stdout

        write_stdout(text)
        return
    from capacity.files import write_file

    write_file(path, text, repr(str(path)))
    if not quiet:
        note(f"wrote {path}; next: capacity check {path}")


def _example(name: str) -> str:
    from importlib.resources import files

    return (files("capacity.cli") / "plans" / f"{name}.yaml").read_text(encoding="utf-8")


def _asked() -> str:
    """Ask a few questions and return the plan, which is parsed before it is written."""
    from capacity.cli.init_questions import ask, plan_text
    from capacity.plan.document import parse_yaml
    from capacity.plan.parse import parse_plan

    answers: Answers = ask()
    text = plan_text(answers)
    parse_plan(parse_yaml(text, "the new plan"), "the new plan")
    return text
