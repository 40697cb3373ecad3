"""A room imports from rows before its own only; those of one row don't know each other; no cycle, lazy ones too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.imports import import_cycles, import_graph, layer_violations

ROOT = Path(__file__).parents[2] / "capacity"

# Innermost first. "" is the package itself (its version), "__main__" only starts the command line.
LAYERS = (
    ",errors<units,brief,extras,files,inert,trace<catalog<plan<cni<node,vpc<cluster<cost<sim,forecast,optimize,services"
    "<advice<charts,readers<pages<fleet<cli,planner<__main__"
)


def test_rooms_import_inward_only() -> None:
    assert layer_violations(import_graph(ROOT), LAYERS) == []


def test_no_import_cycle() -> None:
    assert import_cycles(import_graph(ROOT)) == []


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name, text in {
        "__init__.py": "",
        "low/__init__.py": "",
        "low/a.py": "def lazy():\n    from p.high import b\n",
        "high/__init__.py": "from .b import thing",
        "high/b.py": "from typing import TYPE_CHECKING\nimport p.low.a\nif TYPE_CHECKING:\n    import p.side\n",
        "side.py": "from p import high\n",
    }.items():
        path = tmp_path / "p" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "p"


def test_lazy_imports_count_and_type_only_ones_do_not(package: Path) -> None:
    graph = import_graph(package)
    assert graph["p.low.a"] == {"p.high.b"}
    assert graph["p.high.b"] == {"p.low.a"}
    assert import_cycles(graph) == [["p.high.b", "p.low.a"]]


def test_outward_sideward_and_homeless_modules_are_named(package: Path) -> None:
    graph = import_graph(package)
    assert layer_violations(graph, ",low<high,side") == ["p.low.a -> p.high.b", "p.side -> p.high"]
    assert layer_violations(graph, ",low<high") == ["p.side: room 'side' is in no row", "p.low.a -> p.high.b"]
