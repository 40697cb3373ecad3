"""Pages on a terminal: tables fit, numbers stay whole, what is left out is named, the verdict stands out."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.pages.cells import cell
from capacity.pages.page import CodeBlock, Items, Page, Table, TableColumn, Text, Verdict
from capacity.pages.terminal import Screen, render_terminal, width, wrapped

NAMES = st.text("abcdefg-", min_size=1, max_size=12).filter(lambda t: t.strip("-") == t)
SENTENCES = st.lists(NAMES, min_size=1, max_size=12).map(" ".join)
NUMBERS = st.one_of(st.integers(-(10**9), 10**9), st.none(), st.floats(-1e6, 1e6).map(lambda f: round(f, 2)))


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Columns of numbers, names and sentences, some of which may be left out."""
    kinds = draw(st.lists(st.sampled_from([NUMBERS, NAMES, SENTENCES]), min_size=1, max_size=9))
    ranks = [draw(st.integers(0, 4)) for _ in kinds]
    columns = [TableColumn(f"k{i}", draw(SENTENCES), rank) for i, rank in enumerate(ranks)]
    rows = [{f"k{i}": draw(kind) for i, kind in enumerate(kinds)} for _ in range(draw(st.integers(1, 4)))]
    return Table(columns, rows, draw(SENTENCES))


def show(table: Table, **screen: Any) -> str:
    return render_terminal(Page([table]), Screen(**screen))


def body(text: str) -> list[str]:
    """The lines below the rule."""
    lines = text.split("\n")
    return lines[1 + next(i for i, line in enumerate(lines) if line.startswith("─")) :]


@given(tables(), st.integers(40, 160))
def test_a_table_fits_and_no_number_is_split(table: Table, columns: int) -> None:
    text = show(table, width=columns)
    numbers = [cell(v) for row in table.rows for v in row.values() if isinstance(v, (int, float))]
    kept = [c for c in table.columns if not c.rank]
    if sum(_cut_width(table, c) for c in kept) + 2 * (len(kept) - 1) <= columns:
        assert max(map(width, text.split("\n"))) <= columns
    for token in re.findall(r"(?<![\w.,-])-?\d[\d,.]*", "\n".join(body(text)).split("Not shown")[0]):
        assert token in numbers


def _cut_width(table: Table, column: TableColumn) -> int:
    """No column needs more than its longest number, or 16 for words."""
    cells = [cell(row[column.key]) for row in table.rows]
    return max(16, *(len(c) for c in cells if c[-1:].isdigit()), 0)


@given(tables(), st.integers(40, 160))
def test_a_column_that_is_not_there_is_named(table: Table, columns: int) -> None:
    text = " ".join(show(table, width=columns).split())
    for column in table.columns:
        heading = " ".join(column.heading.split())
        in_head = all(word in text for word in re.split(r"[ -]", heading) if len(word) <= 16)
        assert in_head
    assert "Not shown" not in show(table, width=columns, wide=True)
    assert "Not shown" not in show(table)


@given(tables())
def test_the_highest_rank_goes_first(table: Table) -> None:
    for columns in range(40, 160, 20):
        text = " ".join(show(table, width=columns).split())
        gone = re.search(r"Not shown: (.*) \(--wide", text)
        if gone:
            left_out = gone[1].split(", ")
            kept = [c.rank for c in table.columns if c.heading not in left_out]
            assert max(c.rank for c in table.columns if c.heading in left_out) >= max(kept, default=0)


WIDE = Table(
    [
        TableColumn("name", "subnet"),
        TableColumn("cidr", "CIDR", 2),
        TableColumn("free", "free"),
        TableColumn("why", "finding"),
    ],
    [{"name": "private-a", "cidr": "10.40.0.0/23", "free": -1234, "why": "is short of addresses in " * 3}],
    "Subnets",
    "A note that is longer than the terminal is wide, and so wraps at a word.",
)


def test_a_narrow_terminal() -> None:
    assert show(WIDE, width=50).split("\n") == [
        "Subnets",
        "subnet       free  finding",
        "─────────  ──────  ───────────────────────────────",
        "private-a  -1,234  is short of addresses in is",
        "                   short of addresses in is short",
        "                   of addresses in",
        "Not shown: CIDR (--wide shows every column).",
        "A note that is longer than the terminal is wide,",
        "and so wraps at a word.",
        "",
    ]


def test_headings_wrap_before_columns_go() -> None:
    table = Table([TableColumn("a", "addresses per node"), TableColumn("b", "or more pods", 1)], [{"a": 30, "b": 360}])
    assert show(table, width=40).split("\n")[0] == "addresses per node  or more pods"
    narrow = Table([*table.columns, TableColumn("c", "and a further heading")], [{"a": 30, "b": 360, "c": 1}])
    lines = show(narrow, width=40).split("\n")
    assert lines[: len(lines) - 3][-1].split()[-1] == "heading"  # a short heading stands on the rule
    assert "Not shown" not in "\n".join(lines)
    assert len(lines) > 4


@pytest.mark.parametrize(
    ("text", "limit", "lines"),
    [
        ("67 of 507 addresses (13.2 %), less", 26, ["67 of 507 addresses", "(13.2 %), less"]),
        ("10.40.0.0/23,", 4, ["10.40.0.0/23,"]),
        ("1,234,567,890,123,456", 4, ["1,234,567,890,123,456"]),
        ("a-very-long-name-of-a-subnet", 16, ["a-very-long-", "name-of-a-subnet"]),
        ("x" * 40, 16, ["x" * 16, "x" * 16, "x" * 8]),
        ("东京 东京", 5, ["东京", "东京"]),
        ("", 5, [""]),
    ],
)
def test_wrapping(text: str, limit: int, lines: list[str]) -> None:
    assert wrapped(text, limit) == lines


def test_a_command_is_never_wrapped() -> None:
    command = "kubectl set env daemonset/aws-node -n kube-system WARM_IP_TARGET=4 MINIMUM_IP_TARGET=17"
    assert f"  {command}\n" in render_terminal(Page([CodeBlock(command, "To paste")]), Screen(width=40))


def test_lists_hang() -> None:
    text = render_terminal(Page([Items(["one two three four five six seven eight"], "Why:")]), Screen(width=40))
    assert text == "Why:\n- one two three four five six seven\n  eight\n"


class TestVerdict:
    @pytest.mark.parametrize(("level", "tone"), [("ok", "32"), ("tight", "33"), ("exhausted", "31")])
    def test_bold_and_in_colour(self, level: str, tone: str) -> None:
        page = Page([Verdict(level, "so it is."), Text("More.")])
        first = render_terminal(page, Screen(paint=True)).split("\n")[0]
        assert first == f"\033[1;{tone}m{level.upper()}: so it is.\033[0m"

    def test_readable_without_colour(self) -> None:
        assert render_terminal(Page([Verdict("tight", "so it is.")]), Screen()) == "TIGHT: so it is.\n"

    def test_a_verdict_in_a_cell(self) -> None:
        table = Table([TableColumn("v", "verdict")], [{"v": "exhausted"}, {"v": "as planned"}])
        text = show(table, paint=True)
        assert "\033[31mexhausted\033[0m" in text
        assert text.count("\033[0m") == 1

    def test_a_change_has_the_colour_of_the_later_verdict(self) -> None:
        table = Table([TableColumn("v", "verdict")], [{"v": "exhausted → tight"}, {"v": "tight → ok"}])
        text = show(table, paint=True)
        assert "\033[33mexhausted → tight\033[0m" in text
        assert "\033[32mtight → ok\033[0m" in text


class TestWidths:
    CELL = "WARM_IP_TARGET=2 MINIMUM_IP_TARGET=13"

    @pytest.mark.parametrize("rank", [0, 1])
    def test_a_whole_column_is_left_out_rather_than_wrapped(self, rank: int) -> None:
        columns = [TableColumn("n", "name"), TableColumn("s", "setting", rank, whole=True)]
        text = show(Table(columns, [{"n": "a", "s": self.CELL}]), width=44)
        assert self.CELL in text
        narrow = show(Table(columns, [{"n": "a", "s": self.CELL}]), width=30)
        assert ("Not shown: setting" in narrow) == (rank == 1)

    def test_text_of_middle_length_takes_two_lines_if_there_is_room(self) -> None:
        columns = [TableColumn("f", "frees"), TableColumn("why", "why")]
        rows = [{"f": "private-a +72, private-b +72", "why": "also enough, but disrupts more (new cluster)"}]
        lines = show(Table(columns, rows), width=60).splitlines()
        assert [line.split("  ")[0] for line in lines[2:]] == ["private-a +72,", "private-b +72"]


def test_a_negative_number_has_a_hyphen_and_a_formula_its_minus() -> None:
    told = Page([Text("Free: −43, change −$3.00, 3 × (10 − 1)")])
    assert render_terminal(told, Screen()) == "Free: -43, change -$3.00, 3 × (10 − 1)\n"


def test_one_long_name_among_short_ones_leaves_room_for_other_columns() -> None:
    columns = [TableColumn("lever", "lever"), TableColumn("risk", "disrupts", 1), TableColumn("why", "why")]
    names = ["warm-targets", "ipv6", "rebalance", "warm-targets + lower-max-pods + rebalance"]
    why = "also enough, but disrupts more (architecture)"
    rows = [{"lever": name, "risk": "architecture", "why": why} for name in names]
    text = show(Table(columns, rows, ""), width=66)
    assert "Not shown" not in text
    assert "rebalance" in text
    assert max(map(width, text.split("\n"))) <= 66
