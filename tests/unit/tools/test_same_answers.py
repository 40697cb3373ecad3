"""The comparison of two checkouts' answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import same_answers
from tools.mutants import ROOT


def test_commands_cover_every_example_plan_and_need_no_network() -> None:
    found = same_answers.commands(ROOT)
    assert ["check", "examples/shop-prod.yaml", "--exit-zero", "--output", "json", "--quiet"] in found
    assert {c[1] for c in found if c[0] == "size"} == {c[1] for c in found if c[0] == "warm"}
    assert not any("--live" in c or c[0] == "import" for c in found)


def test_lists_of_other_lengths_and_other_kinds_of_values_differ() -> None:
    assert list(same_answers.differences([1, 2], [1])) == [("", [1, 2], [1])]
    assert list(same_answers.differences({"a": 1}, {"a": True})) == [(".a", 1, True)]
    assert list(same_answers.differences({"a": [{"b": None}]}, {"a": [{"b": None}]})) == []


def test_each_checkout_answers_with_its_own_code(tmp_path: Path) -> None:
    for name in ("one", "other"):
        package = tmp_path / name / "capacity" / "cli"
        package.mkdir(parents=True)
        (package.parent / "__init__.py").touch()
        (package / "__init__.py").touch()
        (package / "main.py").write_text(
            f'import typer\napp = typer.Typer()\n\n@app.command()\ndef say():\n    print(\'{{"from": "{name}"}}\')\n'
        )
    folder = tmp_path / "other"  # its code is not that of the first checkout
    assert same_answers.answers(tmp_path / "one", [[]], folder) == [{"from": "one"}]
    assert same_answers.answers(tmp_path / "other", [[], ["--no"]], folder)[1]["exit_code"] == 2


def test_a_difference_is_listed_and_told_by_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {
        "old": {"results": {"pods": 29, "why": "a rule"}, "version": "1"},
        "new": {"results": {"pods": 58, "why": "another rule"}, "version": "2"},
    }
    monkeypatch.setattr(same_answers, "commands", lambda _: [["maxpods", "m5.large"]])
    monkeypatch.setattr(same_answers, "answers", lambda checkout, _asked, _folder: [told[checkout.name]])
    assert same_answers.main(["old", "new"]) == 1
    assert capsys.readouterr().out == (
        "maxpods m5.large\n  .results.pods\n  - 29\n  + 58\n"
        "maxpods m5.large\n  .results.why\n  - a rule\n  + another rule\n"
        "1 command: 0 with the same answer, 1 with another\n"
    )
    assert same_answers.main(["old", "new", "--without-words"]) == 1
    assert same_answers.main(["old", "new", "--ignore", "pods"]) == 1
    assert same_answers.main(["old", "new", "--without-words", "--ignore", "pods"]) == 0
