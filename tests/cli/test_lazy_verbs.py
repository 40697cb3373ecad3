"""The table of verbs: each is there, says what its own help says, and is imported only when it is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

import capacity.cli
from benchmarks.startup import LIST_LOADED_MODULES
from capacity.cli.main import VERBS, app


@pytest.mark.parametrize("verb", VERBS)
def test_the_summary_is_the_first_of_the_verbs_own_help(verb: str) -> None:
    command = typer.main.get_command(app).commands[verb]  # type: ignore[attr-defined]
    first = " ".join(command.help.split("\n\n")[0].split())
    assert first == VERBS[verb].summary or first.startswith(VERBS[verb].summary + " ")
    assert command.name == verb


def test_no_module_with_a_verb_is_left_out() -> None:
    folder = Path(capacity.cli.__file__).parent
    with_verb = {path.stem for path in folder.glob("*.py") if "\ndef register(" in path.read_text(encoding="utf-8")}
    assert with_verb == {verb.module for verb in VERBS.values()}


def test_the_list_of_verbs_is_whole_and_imports_none_of_them() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIST_LOADED_MODULES, "--help"], capture_output=True, text=True, check=True
    )
    said = " ".join(done.stdout.split())
    for name, verb in VERBS.items():
        assert f"{name} {verb.summary}" in said
    loaded = set(done.stderr.splitlines()[-1].split())
    assert {f"capacity.cli.{verb.module}" for verb in VERBS.values()} & loaded == set()


def test_a_verb_imports_no_other_verb() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIST_LOADED_MODULES, "maxpods", "m5.large"], capture_output=True, text=True, check=True
    )
    loaded = set(done.stderr.splitlines()[-1].split())
    assert {verb for verb in VERBS if f"capacity.cli.{VERBS[verb].module}" in loaded} == {"maxpods"}


def test_a_mistyped_verb_gets_the_nearest() -> None:
    done = CliRunner().invoke(app, ["chek", "plan.yaml"])
    assert done.exit_code == 2
    assert "No such command 'chek'. Did you mean 'check'?" in done.output


def test_a_verb_with_verbs_of_its_own() -> None:
    done = CliRunner().invoke(app, ["data", "-h"])
    assert done.exit_code == 0
    assert "status" in done.output
    assert "verify" in done.output
