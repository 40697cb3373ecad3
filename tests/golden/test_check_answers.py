"""Whole answers of `check` for the examples. ``REWRITE_GOLDEN=1`` writes them anew; read the difference first."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from capacity.advice.findings import rules as findings
from capacity.advice.findings.codes import Finding
from capacity.cluster.check import CheckResult
from tests.cli.command import run

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
NAMES = ("shop-prod", "prefix-custom-networking", "ipv6", "security-groups-for-pods", "windows-mixed")
SHOWN = ("IP001", "IP002", "IP004", "IP005", "IP006", "IP007", "IP014")  # a new code elsewhere is no change here
SUFFIX = {"table": "txt"}
_all_findings = findings.findings


def _findings_shown(result: CheckResult) -> tuple[Finding, ...]:
    return tuple(f for f in _all_findings(result) if f.code in SHOWN)


@pytest.mark.parametrize("output", ["table", "json", "md"])
@pytest.mark.parametrize("name", NAMES)
def test_the_answer_in_full(name: str, output: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES)
    monkeypatch.setattr(findings, "findings", _findings_shown)
    wanted = ("--scenario", "steady", "--scenario", "peak")
    done = run("check", f"{name}.yaml", *wanted, "-q", "-o", output, "--exit-zero", "--color", "never")
    assert done.code == 0
    text = _without_version(done.stdout) if output == "json" else done.stdout
    golden = HERE / "answers" / f"{name}.{SUFFIX.get(output, output)}"
    if os.environ.get("REWRITE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def _without_version(text: str) -> str:
    """The envelope without what changes with each release of program and data."""
    answer = json.loads(text)
    del answer["version"], answer["data"]
    for found in answer["results"]["findings"]:
        found["fix"] = {"summary": found["fix"]["summary"]}  # levers have tests of their own
    return json.dumps(answer, indent=1, ensure_ascii=False) + "\n"
