"""Verbs that are imported when they are used: one line of help each in a table, the rest in their modules."""

from __future__ import annotations

import importlib
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import typer
import typer.main
from typer.core import TyperGroup

from capacity.cli.help_format import HelpContext


class Verb(NamedTuple):
    """The module of a verb and its line in the list of verbs.

    ``module`` is a module of ``capacity.cli`` with ``register(app)``; ``summary`` is the first sentence of the
    command's own help, repeated here so that ``capacity --help`` imports no verb.
    """

    module: str
    summary: str


class LazyCommands(Mapping[str, Any]):
    """The commands by name; one is built when it is looked up."""

    def __init__(self, verbs: Mapping[str, Verb]) -> None:
        self._verbs = verbs
        self._built: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._built:
            self._built[name] = _command(name, self._verbs[name].module)
        return self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._verbs)

    def __len__(self) -> int:
        return len(self._verbs)

    def __contains__(self, name: object) -> bool:
        return name in self._verbs


def _command(name: str, module: str) -> Any:
    """The command that ``capacity.cli.MODULE`` registers under ``name``."""
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
    importlib.import_module(f"capacity.cli.{module}").register(app)
    command = typer.main.get_group(app).commands[name]
    for one in (command, *getattr(command, "commands", {}).values()):
        one.short_help = " ".join((one.help or "").split("\n\n")[0].split())  # whole, where click would cut it
        one.help = with_examples(one.help or "")
        one.context_class = HelpContext
    return command


EXAMPLE_WIDTH = 74  # columns, so that an example fits 80 with its indent


def with_examples(text: str) -> str:
    """A help text whose last paragraph, ``Examples: A · B``, becomes one line for each example.

    A long example continues on the next line after a backslash, as a shell reads it.

    >>> print(with_examples("Sorts. Examples: sort a · sort b").replace(chr(8), ""))
    Sorts.
    <BLANKLINE>
    <BLANKLINE>
    Examples:
      sort a
      sort b
    """
    head, *examples = re.split(r"\s*Examples?: ", text, maxsplit=1)
    if not examples:
        return text
    commands = " ".join(examples[0].split()).split(" · ")
    lines = [" \\\n      ".join(_folded(c)) for c in commands]
    kept = "\b"  # click keeps the lines of a paragraph that starts with it
    return f"{head}\n\n{kept}\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def _folded(command: str) -> list[str]:
    """A command line in pieces that fit; an option stays with its value."""
    held = re.sub(r"( -{1,2}[\w-]+) (?=[^-\s])", "\\1\0", command)
    pieces = textwrap.wrap(held, EXAMPLE_WIDTH, break_long_words=False, break_on_hyphens=False)
    return [piece.replace("\0", " ") for piece in pieces]


def lazy_group(verbs: Mapping[str, Verb]) -> type[TyperGroup]:
    """A group class whose members are ``verbs``."""

    class LazyGroup(TyperGroup):
        context_class = HelpContext

        def __init__(self, **attrs: Any) -> None:
            super().__init__(**{**attrs, "commands": LazyCommands(verbs)})

        def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (the base class's signature)
            return list(verbs)

        def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
            with formatter.section("Commands"):
                formatter.write_dl([(name, verb.summary) for name, verb in verbs.items()])

    return LazyGroup
