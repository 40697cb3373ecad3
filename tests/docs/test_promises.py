"""Every promise names a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path("docs/explanation/what-we-promise-when-things-go-wrong.md")


def test_every_promise_has_its_test() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ") and line[2:9] != "promise"]
    assert len(rows) > 10
    for row in rows:
        named = re.findall(r"`((?:tests|benchmarks)/[\w/]+\.(?:py|md))(?:::(\w+))?`", row)
        assert named, row
        for file, test in named:
            text = Path(file).read_text("utf-8")
            assert not test or f"def {test}(" in text, f"{file}::{test}"
