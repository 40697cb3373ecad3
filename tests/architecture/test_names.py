"""A name says one thing: no two rooms have a module or a class of one name, unless they do the same job."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2] / "capacity"

# A verb of the command and what it calls, or one subject seen by findings, levers, charts and readers.
SAME_JOB = {"__init__", "__main__", "facade"}
SAME_JOB |= {"check", "compare", "doctor", "forecast", "maxpods", "warm"}
SAME_JOB |= {"files", "frames", "groups", "nodes", "subnets", "types"}


def rooms_by_name(root: Path) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Rooms in which a module, and in which a public class, of a name is."""
    modules, classes = defaultdict(set), defaultdict(set)
    for path in root.rglob("*.py"):
        parts = path.relative_to(root).parts
        room = parts[0] if len(parts) > 1 else ""
        modules[path.stem].add(room)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                classes[node.name].add(room)
    return modules, classes


def several(rooms: dict[str, set[str]], allowed: set[str]) -> dict[str, list[str]]:
    return {name: sorted(where) for name, where in rooms.items() if len(where) > 1 and name not in allowed}


def test_no_two_rooms_share_a_module_name() -> None:
    assert several(rooms_by_name(ROOT)[0], SAME_JOB) == {}


def test_no_two_rooms_share_a_class_name() -> None:
    assert several(rooms_by_name(ROOT)[1], set()) == {}


def test_a_shared_name_is_found(tmp_path: Path) -> None:
    for name, text in {"a/trace.py": "class Load: ...", "b/trace.py": "", "c/d/load.py": "class Load: ..."}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    modules, classes = rooms_by_name(tmp_path)
    assert several(modules, SAME_JOB) == {"trace": ["a", "b"]}
    assert several(classes, set()) == {"Load": ["a", "c"]}
