"""Every notebook runs from top to bottom with the public API alone, and shows its charts."""

from __future__ import annotations

import ast
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
import pytest
from matplotlib.figure import Figure

import capacity
import capacity.charts
import capacity.sim

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
PUBLIC = {
    "capacity": set(capacity.__all__),
    "capacity.charts": set(capacity.charts.__all__),
    "capacity.sim": set(capacity.sim.__all__),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the examples to run in, as from the root of the repository."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def cells(path: Path) -> Iterator[str]:
    notebook = jupytext.read(path)
    yield from (cell.source for cell in notebook.cells if cell.cell_type == "code")


def run(source: str, names: dict[str, Any]) -> Any:
    """What a cell shows: the value of its last expression."""
    lines = [line for line in source.split("\n") if not line.startswith("%")]
    tree = ast.parse("\n".join(lines))
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if isinstance(last, ast.Expr) else None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_it_runs_and_shows_charts(path: Path, folder: Path) -> None:
    before = sorted(p.name for p in folder.iterdir())
    names: dict[str, Any] = {"__name__": "__main__"}
    figures = [shown for shown in (run(source, names) for source in cells(path)) if isinstance(shown, Figure)]
    assert figures
    for figure in figures:
        out = io.BytesIO()
        figure.savefig(out, dpi=40)
        assert out.getvalue().startswith(b"\x89PNG")
    assert sorted(p.name for p in folder.iterdir()) == before  # it leaves nothing behind


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_it_uses_the_public_api_alone(path: Path) -> None:
    for source in cells(path):
        tree = ast.parse("\n".join(line for line in source.split("\n") if not line.startswith("%")))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("capacity"):
                assert {a.name for a in node.names} <= PUBLIC[node.module or ""]
            elif isinstance(node, ast.Import):
                assert all(a.name == "capacity" for a in node.names if a.name.startswith("capacity"))
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "capacity":
                assert node.attr in PUBLIC["capacity"]


def test_one_in_a_real_kernel(folder: Path) -> None:
    """The text becomes a notebook whose charts are pictures."""
    from nbclient import NotebookClient

    notebook = jupytext.read(ROOT / "notebooks" / "design_review.py")
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    pictures = [
        o for c in notebook.cells if c.cell_type == "code" for o in c.outputs if "image/png" in o.get("data", {})
    ]
    assert len(pictures) == 4
