"""A short answer loads no heavy library: `benchmarks/startup.py` says what that saves."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from benchmarks.startup import FORBIDDEN_MODULES, LIST_LOADED_MODULES
from capacity.cli.main import VERBS


@pytest.mark.parametrize("command", ["maxpods m5.large", "maxpods m5.large -o json", "--version", "--help"])
def test_a_short_answer_loads_no_heavy_module(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIST_LOADED_MODULES, *command.split()], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stderr.splitlines()[-1])
    assert "capacity.cli.main" in loaded  # the list is of the right process
    assert sorted(FORBIDDEN_MODULES & set(loaded)) == []


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_loads_no_heavy_module(verb: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIST_LOADED_MODULES, verb, "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert sorted(FORBIDDEN_MODULES & set(json.loads(done.stderr.splitlines()[-1]))) == []
