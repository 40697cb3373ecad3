"""The notebooks: cells that jupytext reads, run in order, with the public names only."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jupytext
import pytest

import capacity
from tests.docs.markdown import REPO

NOTEBOOKS = sorted((REPO / "notebooks").glob("*.py"))


def test_there_are_notebooks() -> None:
    assert REPO / "notebooks" / "first_steps.py" in NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_its_cells_run_in_order(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(REPO)
    cells = jupytext.read(path).cells
    assert {cell.cell_type for cell in cells} == {"markdown", "code"}
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, str(path), "exec"), names)
    assert capsys.readouterr().out


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_it_uses_public_names_only(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert set(re.findall(r"\bcapacity\.(\w+)", source)) <= set(capacity.__all__)
    assert not re.search(r"^(from capacity|import capacity\.)", source, re.M)
