"""Writes docs/reference/cli.md from the commands' own --help.

python tools/build_cli_reference.py
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import typer.main
from typer.testing import CliRunner

from capacity.cli import podips
from capacity.cli.main import app

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "cli.md"

HEAD = """\
# Commands

Generated from each command's `--help` by `make docs-reference`; edit the help texts, not this page.
"""


def commands() -> Iterator[tuple[str, ...]]:
    """Every command as words after ``capacity``, groups before their members, in the order of ``--help``."""

    def walk(command: object, trail: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield trail
        for name, member in getattr(command, "commands", {}).items():
            if not member.hidden:
                yield from walk(member, (*trail, name))

    return walk(typer.main.get_command(app), ())


def help_text(words: tuple[str, ...], of: typer.Typer = app, name: str = "capacity") -> str:
    """What ``NAME WORDS --help`` prints on a plain terminal of 80 columns."""
    plain = {"COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1"}
    done = CliRunner().invoke(of, [*words, "--help"], prog_name=name, env=plain)
    if done.exit_code:
        raise RuntimeError(f"{name} {' '.join(words)} --help exits with {done.exit_code}: {done.output}")
    return re.sub(r"[ \t]+$", "", done.stdout, flags=re.M).strip()


def render() -> str:
    parts = [HEAD]
    for words in commands():
        title = " ".join(("capacity", *words))
        parts.append(f"## `{title}`\n\n```text\n$ {title} --help\n{help_text(words)}\n```\n")
    shown = help_text((), podips.app, "kubectl podips")
    parts.append(f"## `kubectl podips`\n\n```text\n$ kubectl podips --help\n{shown}\n```\n")
    return "\n".join(parts)


def main() -> None:
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(render(), encoding="utf-8")
    print(os.path.relpath(PAGE))


if __name__ == "__main__":
    main()
