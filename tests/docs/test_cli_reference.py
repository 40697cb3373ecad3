"""docs/reference/cli.md says what the commands' --help says, and leaves none out."""

from __future__ import annotations

import re

import pytest

from tools.build_cli_reference import PAGE, commands, help_text, render

COMMANDS = list(commands())


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run `make docs-reference`"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_is_on_the_page_and_explains_itself(words: tuple[str, ...]) -> None:
    title = " ".join(("capacity", *words))
    assert f"## `{title}`\n" in PAGE.read_text(encoding="utf-8")
    usage, _, said = help_text(words).partition("\n")
    assert usage.startswith(f"Usage: {title} ")
    assert re.search(r"\w", said.partition("Options:")[0]), "no sentence says what the command is for"


def test_the_commands_are_found() -> None:
    assert {(), ("maxpods",), ("data",), ("data", "verify")} <= set(COMMANDS)
