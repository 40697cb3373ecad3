"""Public functions take a bool by its name: ``f(x, True)`` says nothing to a reader."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2] / "capacity"
ASSERTIONS = {"expect"}  # the condition itself, as of an assert
OVERRIDDEN = {"scan_flow_scalar_non_spaces"}  # of PyYAML


def positional_bools(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.FunctionDef)
            and not node.name.startswith("_")
            and node.name not in ASSERTIONS | OVERRIDDEN
        ):
            for argument in node.args.posonlyargs + node.args.args:
                if argument.annotation is not None and ast.unparse(argument.annotation) == "bool":
                    yield f"{node.name}({argument.arg})"


def test_no_positional_bools() -> None:
    found = [
        f"{path.name}: {bad}"
        for path in sorted(ROOT.rglob("*.py"))
        for bad in positional_bools(ast.parse(path.read_text("utf-8")))
    ]
    assert found == []


def test_a_positional_bool_is_found() -> None:
    text = "def f(a: int, b: bool): ...\ndef g(*, b: bool): ...\ndef _h(b: bool): ..."
    assert list(positional_bools(ast.parse(text))) == ["f(b)"]
