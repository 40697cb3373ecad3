"""The pages of the findings say what the program says."""

from __future__ import annotations

from tools.build_finding_pages import FOLDER, pages


def test_the_pages_are_current() -> None:
    assert {p.name: p.read_text(encoding="utf-8") for p in FOLDER.glob("*.md")} == pages()
