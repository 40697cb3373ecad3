"""Whole answers of `check` for CI. ``REWRITE_GOLDEN=1`` writes them anew; read the difference before committing it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import run
from tests.golden.answer import hold, laid_out

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("output", "file"),
    [
        ("md", "check.md"),
        ("slack", "check.slack.txt"),
        ("github", "check.github.txt"),
        ("junit", "check.junit.xml"),
        ("sarif", "check.sarif.json"),
    ],
)
def test_the_answer_in_full(output: str, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    done = run("check", "plan.yaml", "-q", "-o", output)
    assert done.code == 1
    hold(file, _readable(done.stdout) if output == "sarif" else done.stdout)


def _readable(text: str) -> str:
    log = json.loads(text)
    driver = log["runs"][0]["tool"]["driver"]
    assert driver["semanticVersion"]
    driver["semanticVersion"] = "VERSION"
    return laid_out(log) + "\n"
