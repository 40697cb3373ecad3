"""How answers leave: text that cannot steer a terminal, cells, tables, CSV, Markdown, files, colour."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from capacity.cli.output import Sink, use_color
from capacity.inert import printable
from capacity.pages.answer import Answer, envelope
from capacity.pages.cells import cell
from capacity.pages.csv_rows import flatten, render_csv
from capacity.pages.markdown import markdown_table
from capacity.pages.page import Page, Table, TableColumn, Text
from capacity.pages.terminal import Screen, render_terminal, width
from capacity.pages.written import rendered


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Größe 东京", "Größe 东京"),
        ("a\x1b[31mred", "a\\u001b[31mred"),
        ("we\u202eb", "we\\u202eb"),  # right-to-left override
        ("a\u2028b\x00", "a\\u2028b\\u0000"),
        ("שלום", "שלום"),  # letters that run right to left steer nothing
    ],
)
def test_control_and_direction_characters_are_shown_not_sent(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0, "0"),
        (1234567, "1,234,567"),
        (-73, "-73"),
        (0.0961, "0.0961"),
        (0.5, "0.5"),
        (12.345, "12.35"),
        (True, "yes"),
        (["a", 2, None], "a, 2, –"),
        ("two\nlines", "two lines"),
    ],
)
def test_cells(value: object, shown: str) -> None:
    assert cell(value) == shown


def test_columns_line_up_whatever_the_script() -> None:
    assert [width(t) for t in ("abc", "东京", "e\u0301")] == [3, 4, 1]
    table = Table(
        (TableColumn("name", "name"), TableColumn("n", "count")),
        [{"name": "东京", "n": 5}, {"name": "abcde", "n": 1200}],
        "towns",
    )
    assert render_terminal(Page([table]), Screen()).splitlines() == [
        "towns",
        "name   count",
        "─────  ─────",
        "东京       5",
        "abcde  1,200",
    ]


def test_an_empty_table_keeps_its_head() -> None:
    assert render_terminal(Page([Table((TableColumn("a", "a"),), [])]), Screen()).splitlines() == ["a", "─"]


def test_markdown_escapes_what_would_be_markup() -> None:
    page = markdown_table(Table((TableColumn("a", "a|b"),), [{"a": "<script>|`x`\\"}]))
    assert page.splitlines()[0] == "| a\\|b |"
    assert page.splitlines()[2] == "| &lt;script&gt;\\|\\`x\\`\\\\ |"


def test_csv_is_flat_and_no_formula() -> None:
    rows: list[dict[str, Any]] = [
        {"used": {"warm": 3}, "zones": ["a", "b"]},
        {"used": {"warm": None}, "name": "=1+2", "ok": True},
    ]
    assert flatten(rows[0]) == {"used.warm": 3, "zones": "a;b"}
    assert render_csv(rows) == "used.warm,zones,name,ok\n3,a;b,,\n,,'=1+2,true\n"


ANSWER = Answer(
    "test",
    {"x": 1},
    [{"a": 1}],
    Page([Text("text"), Table((TableColumn("a", "a"),), [{"a": 1}])]),
    [{"a": 1}],
    ["mind"],
)


def test_the_envelope() -> None:
    found = envelope(ANSWER)
    assert list(found) == ["schema", "command", "version", "data", "inputs", "results", "warnings"]
    assert (found["schema"], found["inputs"], found["warnings"]) == ("capacity/1", {"x": 1}, ["mind"])


@pytest.mark.parametrize("output", ["table", "json", "yaml", "csv", "md", "slack"])
def test_every_format_ends_with_one_newline(output: str) -> None:
    text = rendered(ANSWER, output)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


class TestColour:
    @pytest.fixture(autouse=True)
    def plain(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("TERM", "xterm")

    @pytest.mark.parametrize(
        ("sink", "environment", "painted"),
        [
            (Sink(), {}, True),
            (Sink(color="never"), {}, False),
            (Sink(out_file=Path("x")), {}, False),
            (Sink(), {"TERM": "dumb"}, False),
            (Sink(), {"TERM": "dumb", "FORCE_COLOR": "1"}, True),
            (Sink(), {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
            (Sink(color="always"), {"NO_COLOR": "1"}, True),
        ],
    )
    def test_on_a_terminal(
        self, sink: Sink, environment: dict[str, str], painted: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.stdout", Terminal())
        assert use_color(sink) is painted

    def test_into_a_pipe(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdout", io.StringIO())
        assert not use_color(Sink())
