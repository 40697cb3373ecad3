"""Options that every verb shares, declared once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from capacity.cli.output import FORMATS, Sink
from capacity.cli.tab_completion import complete_scenario, complete_setting
from capacity.errors import SpecError, check_word

Options = TypeVar("Options")
MOST = 2**31 - 1  # what the kubelet and the CNI can hold


def words(*allowed: str) -> Callable[[str], list[str]]:
    """Shell completion of an option that takes one of a few words."""

    def complete(incomplete: str) -> list[str]:
        return [word for word in allowed if word.startswith(incomplete)]

    return complete


Output = Annotated[
    str,
    typer.Option(
        "-o", "--output", help="table, json, yaml, csv, md or slack.", metavar="FORMAT", autocompletion=words(*FORMATS)
    ),
]
OutFile = Annotated[
    Path | None, typer.Option("--out-file", help="Write the output to this file (- for stdout).", metavar="PATH")
]
Color = Annotated[
    str,
    typer.Option(
        "--color",
        help="auto, always or never. NO_COLOR is respected.",
        metavar="WHEN",
        autocompletion=words("auto", "always", "never"),
    ),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print no notes or warnings to stderr.")]
Wide = Annotated[bool, typer.Option("--wide", help="Show every column and do not wrap lines.")]
Explain = Annotated[bool, typer.Option("--explain", help="Show the terms of each figure and their sources.")]

Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="Change a value of the plan, such as cni.env.WARM_IP_TARGET=2 (null deletes it). Repeatable.",
        metavar="PATH=VALUE",
        autocompletion=complete_setting,
    ),
]

Plan = Annotated[
    Path | None,
    typer.Argument(
        help="Plan file, YAML or JSON (- for stdin). Default: capacity.yaml in this folder or a parent.",
        metavar="[PLAN]",
    ),
]
Scenario = Annotated[
    list[str] | None,
    typer.Option(
        "--scenario",
        help="Check only this scenario. Repeatable.",
        metavar="NAME",
        autocompletion=complete_scenario,
    ),
]


def packed(kind: type[Options], given: Mapping[str, Any]) -> Options:
    """A command's parameters as its dataclass of options, whose fields have the same names."""
    return kind(**{f.name: given[f.name] for f in fields(kind)})  # type: ignore[arg-type]  # a dataclass


def one_of(option: str, value: str, allowed: tuple[str, ...]) -> str:
    """``value`` if it is allowed, otherwise an error with the nearest allowed value."""
    check_word(option, value, allowed)
    return value


def sink(
    output: str,
    out_file: Path | None,
    color: str,
    formats: tuple[str, ...] = FORMATS,
    *,
    quiet: bool,
    wide: bool = False,
) -> Sink:
    """The output options, checked before any work is done."""
    return Sink(
        output=one_of("--output", output, formats),
        out_file=out_file,
        color=one_of("--color", color, ("auto", "always", "never")),
        quiet=quiet,
        wide=wide,
    )


def whole(option: str, value: int | None, low: int = 0) -> int | None:
    """Check that a number is in range; None if it was not given."""
    if value is not None and not low <= value <= MOST:
        limit = f"{low} or more" if value < low else f"at most {MOST}"
        raise SpecError(f"{option}: {value} is out of range (expected {limit})")
    return value
