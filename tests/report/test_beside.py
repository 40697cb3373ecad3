"""The report of a proposed change: today beside it in every section, and the figures are those of both checks."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from capacity.pages.page import Chart, Fact, FigureList, Section, Table, TableColumn, Text
from capacity.pages.report_beside import beside, facts_beside, merged
from tests.cli.entry import capacity
from tests.report import plans

CHANGE = ("--set", "cni.env.WARM_IP_TARGET=2", "--set", "cni.env.MINIMUM_IP_TARGET=13")
DAY = ("-q", "--as-of", "2026-11-30")


@cache
def shown() -> str:
    return capacity("report", str(plans.EXAMPLE), *CHANGE, *DAY, "-o", "md").stdout


@cache
def checked(*change: str) -> Any:
    done = capacity("check", str(plans.EXAMPLE), *change, "--no-fixes", "--exit-zero", "-o", "json")
    return json.loads(done.stdout)["results"]


def rows_of(text: str, title: str) -> dict[str, list[str]]:
    lines = text.split(f"**{title}", 1)[1].split("\n")[4:]
    table = [line.strip("| ").split(" | ") for line in lines[: lines.index("")]]
    return {row[0]: row[1:] for row in table}


def test_the_heat_table_has_the_free_shares_of_both_checks() -> None:
    rows = rows_of(shown(), "Free addresses, % of the usable ones")
    sides = checked(), checked(*CHANGE)
    assert len(rows) == len(sides[0]["scenarios"])
    for was, now in zip(*(side["scenarios"] for side in sides), strict=True):
        row = rows[f"{was['name']} ({was['variant']})" if was["variant"] else was["name"]]
        for cell, *states in zip(row, was["subnets"], now["subnets"], strict=False):
            if states[0]["lost"]:
                assert cell == "lost"
                continue
            shares = [f"{round(100 * s['free'] / s['usable'], 1):.1f}".replace("-", "−") for s in states]
            assert cell.rstrip(" ▲✖") == " → ".join(dict.fromkeys(shares))
        verdicts = dict.fromkeys((was["verdict"], now["verdict"]))
        assert row[-1] == " → ".join(verdicts)


def test_the_decision_names_the_change_and_has_three_sides() -> None:
    text = shown()
    sides = rows_of(text, "Before and after")
    assert list(sides) == ["today", "proposed", "with the fix"]
    assert [sides["today"][0], sides["proposed"][0]] == [checked()["verdict"], checked(*CHANGE)["verdict"]]
    assert "Proposed change, compared with the plan without --set: EXHAUSTED → TIGHT: " in text
    assert "With it the plan is still tight: the fix below makes it pass." in text
    assert "- Lowest free share: **2.0%** – today −64.9%; " in text
    assert "Today: Held but unused in steady: " in text


def test_findings_are_new_or_gone() -> None:
    lines = [
        line for line in shown().split("\n") if line.startswith("| warning | IP0") or line.startswith("| error | IP0")
    ]
    told = {(code, line.rpartition(" | ")[2].strip(" |")) for line in lines for code in [line.split(" | ")[1]]}
    assert {("IP001", "gone"), ("IP018", "new"), ("IP006", "")} <= told


def test_every_section_shows_both_sides() -> None:
    sections = {part.split("\n")[0]: part for part in shown().split("\n## ")[1:]}
    same = {"How to reproduce", "What if", "Cost"}  # neither the bill nor the node counts change
    for title, text in sections.items():
        assert title in same or " → " in text or "Today: " in text, title


def test_against_another_plan_is_the_same_as_set(tmp_path: Path) -> None:
    proposed = tmp_path / "proposed.yaml"
    text = plans.EXAMPLE.read_text().replace('WARM_ENI_TARGET: "1"', 'WARM_ENI_TARGET: "1", WARM_IP_TARGET: "2"')
    proposed.write_text(text)
    done = capacity("report", str(proposed), "--against", str(plans.EXAMPLE), *DAY, "-o", "json")
    found = json.loads(done.stdout)["results"]
    compared = json.loads(capacity("compare", str(plans.EXAMPLE), str(proposed), "-o", "json").stdout)["results"]
    assert found["against"]["sentence"] == compared["sentence"]
    assert found["against"]["verdict_before"] == "exhausted"
    numbers = next(t["rows"] for t in found["tables"] if t["title"] == "Free addresses, % of the usable ones")
    assert all(isinstance(row["subnet private-b"], (float, str)) and row["subnet private-b"] != "→" for row in numbers)
    assert any(isinstance(row["subnet private-b"], float) for row in numbers)  # JSON keeps numbers
    text = capacity("report", str(proposed), "--against", str(plans.EXAMPLE), *DAY, "-o", "md").stdout
    assert f"capacity report {proposed} --against {plans.EXAMPLE} " in text


def test_standard_input_is_read_once() -> None:
    done = capacity("report", "-", "--against", "-", stdin=plans.EXAMPLE.read_bytes())
    assert (done.code, done.stderr.strip()) == (2, "error: report: standard input can be read only once (give a file)")


COLUMNS = (TableColumn("subnet", "subnet"), TableColumn("free", "free", 0, 1), TableColumn("verdict", "verdict"))


def table(*rows: tuple[str, float | None, str]) -> Table:
    return Table(COLUMNS, [dict(zip(("subnet", "free", "verdict"), row, strict=True)) for row in rows], name="x")


def test_cells_rows_and_numbers() -> None:
    both = merged(table(("a", -1.0, "ok"), ("b", 2.0, "ok")), table(("a", 3.04, "ok"), ("c", None, "tight")))
    assert [dict(row) for row in both.rows] == [
        {"subnet": "a", "free": "3.0 → −1.0", "verdict": "ok", "change": ""},
        {"subnet": "b", "free": 2.0, "verdict": "ok", "change": "new"},
        {"subnet": "c", "free": None, "verdict": "tight", "change": "gone", "fix": None, "frees": None},
    ]
    same = merged(table(("a", 1.0, "ok")), table(("a", 1.04, "ok")))
    assert same.rows[0]["free"] == 1.0  # the same figure as it is shown
    assert "change" not in [c.key for c in same.columns]


def test_charts_come_in_pairs_unless_they_are_the_same() -> None:
    def draw(_theme: Any) -> Any:
        raise AssertionError

    now, was = Chart("n", "T", "b is full", draw), Chart("n", "T", "a is full", draw)
    pair = beside(Section("s", "S", [now]), Section("s", "S", [was])).blocks
    assert [(b.name, b.title) for b in pair if isinstance(b, Chart)] == [("n-today", "Today: T"), ("n", "Proposed: T")]
    assert beside(Section("s", "S", [now]), Section("s", "S", [now])).blocks == [now]


def test_sentences_are_both_sides_only_where_they_match() -> None:
    now, was = Section("s", "S", [Text("a"), Text("b")]), Section("s", "S", [Text("a"), Text("c")])
    assert beside(now, was).blocks == [Text("a"), Text("Today: c"), Text("Proposed: b")]
    assert beside(now, Section("s", "S", [Text("c")])).blocks == now.blocks
    assert beside(now, None) is now


@pytest.mark.parametrize(("was", "note"), [("1", "n; as today"), ("2", "today 2; n")])
def test_figures_have_the_other_side_in_their_note(was: str, note: str) -> None:
    (fact,) = facts_beside(FigureList([Fact("f", "1", "n")]), FigureList([Fact("f", was)])).facts
    assert fact == Fact("f", "1", note)
