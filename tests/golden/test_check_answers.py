"""Whole answers of `check` for the examples. ``REWRITE_GOLDEN=1`` writes them anew; read the difference first.

Nothing is left out: every scenario, every finding, the fixes with what to paste. Only the version of the program and
of its data, which change with every release, are words of their own.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import run
from tests.golden.answer import hold, laid_out

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ("shop-prod", "prefix-custom-networking", "ipv6", "security-groups-for-pods", "windows-mixed")
SUFFIX = {"table": "txt"}


@pytest.mark.parametrize("output", ["table", "json", "md"])
@pytest.mark.parametrize("name", NAMES)
def test_the_answer_in_full(name: str, output: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES)
    done = run("check", f"{name}.yaml", "-q", "-o", output, "--exit-zero", "--color", "never")
    assert (done.code, done.stderr) == (0, "")
    hold(f"{name}.{SUFFIX.get(output, output)}", _readable(done.stdout) if output == "json" else done.stdout)


def _readable(text: str) -> str:
    answer = json.loads(text)
    assert answer["version"]
    assert answer["data"]["types"] > 1000
    return laid_out(answer | {"version": "VERSION", "data": "DATE AND TYPES"}) + "\n"
