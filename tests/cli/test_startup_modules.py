"""A short answer loads no heavy library: `benchmarks/startup.py` says what that saves."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.startup import EXAMPLE, FORBIDDEN_MODULES, LIST_LOADED_MODULES
from capacity.cli.main import VERBS


@pytest.mark.parametrize("command", ["maxpods m5.large", "maxpods m5.large -o json", "--version", "--help"])
def test_a_short_answer_loads_no_heavy_module(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIST_LOADED_MODULES, *command.split()], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = done.stderr.splitlines()[-1].split()
    assert "capacity.cli.main" in loaded  # the list is of the right process
    assert sorted(FORBIDDEN_MODULES & set(loaded)) == []


# What one kind of answer needs and another does not: each is imported where it is used.
UNUSED = {
    "maxpods m5.large": {
        *("json", "csv", "tomllib", "yaml", "fractions", "decimal"),
        *("capacity.plan.model", "capacity.plan.document", "capacity.advice", "capacity.cluster"),
    },
    "check examples/first-plan.yaml --no-fixes --exit-zero": {
        *("json", "shlex", "ruamel", "jinja2"),
        *(
            "capacity.advice.fixes",
            "capacity.advice.search",
            "capacity.advice.snippets",
            "capacity.cluster.figure_terms",
        ),
        "capacity.plan.yaml_writer",
        *("capacity.pages.fix_page", "capacity.pages.check_comment", "capacity.pages.check_ci"),
        *("capacity.pages.markdown", "capacity.pages.html", "capacity.pages.report_page"),
    },
}


@pytest.mark.parametrize("command", UNUSED)
def test_an_answer_loads_nothing_of_another_kind(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIST_LOADED_MODULES, *command.split()],
        capture_output=True,
        text=True,
        check=False,
        cwd=EXAMPLE.parents[1],
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stderr.splitlines()[-1].split())
    assert sorted(UNUSED[command] & loaded) == []


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_loads_no_heavy_module(verb: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIST_LOADED_MODULES, verb, "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert sorted(FORBIDDEN_MODULES & set(done.stderr.splitlines()[-1].split())) == []
