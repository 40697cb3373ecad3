"""Every promise names a test that is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "what-we-promise-when-things-go-wrong.md"
ROWS = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ") and line[2:9] != "promise"]
NAMED = re.compile(r"`((?:tests|benchmarks)/[\w/]+\.(?:py|md)(?:::\w+)*)`")


def test_there_are_promises() -> None:
    assert len(ROWS) > 30


@pytest.mark.parametrize("row", ROWS)
def test_a_promise_names_tests_that_are_there(row: str) -> None:
    named = NAMED.findall(row)
    assert named
    for place in named:
        file, *names = place.split("::")
        assert (ROOT / file).is_file(), file
        inside: list[ast.stmt] = ast.parse((ROOT / file).read_text("utf-8")).body if names else []
        for name in names:
            found = [n for n in inside if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name == name]
            assert found, place
            inside = found[0].body
