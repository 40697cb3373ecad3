"""The natural fix of each kind of failing plan is the one chosen, and the page that lists them is current."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from capacity.advice.judge import check
from capacity.plan.parse import read_plan
from tests.cli.entry import capacity
from tools.build_fix_cases import EACH, KINDS, PAGE, cases, page, searched

CASES = cases()


@pytest.mark.parametrize("name", CASES)
def test_the_natural_fix_is_chosen(name: str) -> None:
    kind, plan = CASES[name]
    verdict, fixes = searched(plan)
    assert verdict != "ok"
    assert fixes.complete
    assert fixes.best is not None
    assert fixes.best.names in kind.natural


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
def test_the_fix_is_written_and_passes(kind: object, tmp_path: Path) -> None:
    plan = next(p for k, p in CASES.values() if k is kind)
    path, mended = tmp_path / "plan.json", tmp_path / "mended.json"
    path.write_text(json.dumps(plan))
    assert capacity("check", str(path), "-q", "--exit-zero", "--fix-out", str(mended)).code == 0
    assert check(read_plan(mended)).verdict == "ok"


def test_the_page_is_what_the_plans_make() -> None:
    assert len(CASES) == EACH * len(KINDS) == 60
    assert PAGE.read_text(encoding="utf-8") == page()
