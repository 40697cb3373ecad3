"""The first notebook: cells that jupytext reads, run in order, with the public names only."""

from __future__ import annotations

import re
from typing import Any

import jupytext
import pytest

import capacity
from tests.docs.markdown import REPO

PATH = REPO / "notebooks" / "first_steps.py"


def test_its_cells_run_in_order(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(REPO)
    cells = jupytext.read(PATH).cells
    assert {cell.cell_type for cell in cells} == {"markdown", "code"}
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, str(PATH), "exec"), names)
    assert "free in steady: 82 before, 114 after" in capsys.readouterr().out


def test_it_uses_public_names_only() -> None:
    source = PATH.read_text(encoding="utf-8")
    assert set(re.findall(r"\bcapacity\.(\w+)", source)) <= set(capacity.__all__)
    assert not re.search(r"^(from capacity|import capacity\.)", source, re.M)
