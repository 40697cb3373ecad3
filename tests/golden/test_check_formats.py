"""Whole answers of `check` for CI. ``REWRITE_GOLDEN=1`` writes them anew; read the difference before committing it."""

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


@pytest.mark.parametrize(
    ("output", "file"),
    [("md", "check.md"), ("github", "check.github.txt"), ("junit", "check.junit.xml"), ("sarif", "check.sarif.json")],
)
def test_the_answer_in_full(output: str, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    monkeypatch.setattr(findings, "findings", _findings_shown)
    done = run("check", "plan.yaml", "-q", "-o", output)
    assert done.code == 1
    text = _without_unused_rules(done.stdout) if output == "sarif" else done.stdout
    golden = HERE / "answers" / file
    if os.environ.get("REWRITE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


SHOWN = ("IP001", "IP002", "IP005", "IP006", "IP018")  # a new code elsewhere is no change here
_all_findings = findings.findings


def _findings_shown(result: CheckResult) -> tuple[Finding, ...]:
    return tuple(f for f in _all_findings(result) if f.code in SHOWN)


def _without_unused_rules(text: str) -> str:
    """The log with the rules of its results only."""
    log = json.loads(text)
    run_ = log["runs"][0]
    used = {r["ruleId"] for r in run_["results"]}
    driver = run_["tool"]["driver"]
    driver["rules"] = [r for r in driver["rules"] if r["id"] in used]
    driver["semanticVersion"] = "0"
    for result in run_["results"]:
        del result["ruleIndex"]
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"
