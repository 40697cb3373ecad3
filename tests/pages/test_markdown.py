"""Every verb's Markdown, read by a CommonMark parser with GitHub's tables: what was written is what is rendered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from capacity.inert import printable
from capacity.pages.cells import cell
from capacity.pages.markdown import markdown_table, render_markdown
from capacity.pages.page import CodeBlock, Items, Page, Section, Table, TableColumn, Text, Verdict
from tests.cli.command import run

EXAMPLES = Path(__file__).parents[2] / "examples"
VERBS = (
    "maxpods m5.large m6i.2xlarge --pod-eni --snippet",
    "maxpods m5.large --explain",
    "node m5.large c7g.2xlarge --pod-cpu 250m --pod-memory 512Mi --pods 12",
    "node m5.large --explain",
    "check {examples}/shop-prod.yaml --exit-zero",
    "check {examples}/first-plan.yaml --exit-zero",
    "check {examples}/prefix-custom-networking.yaml --no-fixes --exit-zero --explain",
    "compare {examples}/shop-prod.yaml --set cni.env.WARM_IP_TARGET=2",
    "compare {examples}/first-plan.yaml {examples}/shop-prod.yaml",
    "size {examples}/shop-prod.yaml --vpc-cidr 100.64.0.0/22 --snippet all",
    "warm {examples}/shop-prod.yaml",
    "warm --type m5.large --pods-per-node 8..30 --all --explain",
    "subnets {examples}/shop-prod.yaml --want 4",
    "subnets --from {examples}/aws-answers",
    "forecast {examples}/shop-prod.yaml --paths 200 --as-of 2026-11-30",
    "forecast --history {examples}/history.csv --backtest --paths 200",
    "explain IP001",
    "explain private-b {examples}/shop-prod.yaml",
    "optimize --pod web=250m,512Mi,20 --types m5.large,m5.xlarge --effort quick",
    "import kubectl {examples}/import/objects.yaml",
    "import aws --from {examples}/aws-answers",
    "import kubectl {examples}/import/objects.yaml --diff {examples}/shop-prod.yaml",
    "data status --as-of 2026-11-30",
    "data verify",
    "data diff",
    "doctor --from {examples}/aws-answers --exit-zero",
    "report {examples}/shop-prod.yaml --as-of 2026-11-30",
)
PARSER = MarkdownIt("commonmark").enable("table")


def parsed(text: str) -> list[Token]:
    return PARSER.parse(text)


def outside_code(text: str, tokens: list[Token]) -> Iterator[tuple[int, str]]:
    """Lines that are not in a code block."""
    code = {n for t in tokens if t.type in ("fence", "code_block") and t.map for n in range(*t.map)}
    yield from ((n, line) for n, line in enumerate(text.split("\n")) if n not in code)


def rendered_tables(tokens: list[Token]) -> list[list[list[str]]]:
    """The text of every cell, by table and row."""
    found: list[list[list[str]]] = []
    for i, token in enumerate(tokens):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in ("th_open", "td_open"):
            found[-1][-1].append(shown(tokens[i + 1]))
    return found


def shown(inline: Token) -> str:
    """The text that a reader sees, without the marks that keep it from being a link."""
    assert all(child.type in ("text", "text_special", "code_inline") for child in inline.children or ()), inline.content
    return "".join(child.content for child in inline.children or ()).replace("\u200b", "")


def complaints(text: str) -> list[str]:
    """Where the rendered page is not the one that was written."""
    tokens = parsed(text)
    found = []
    in_tables = {n for t in tokens if t.type == "table_open" and t.map for n in range(*t.map)}
    for number, line in outside_code(text, tokens):
        if line.startswith("|") != (number in in_tables):
            found.append(f"line {number + 1} is not in a table, or in one by mistake: {line[:80]}")
    lines = ["", *text.split("\n")]
    for token in tokens:
        if token.type == "table_open" and token.map and lines[token.map[0]].strip() + lines[token.map[1] + 1].strip():
            found.append(f"no blank line around the table in line {token.map[0] + 1}")
        if token.type == "inline" and any(c.type in ("softbreak", "hardbreak") for c in token.children or ()):
            found.append(f"merged paragraph: {token.content[:80]!r}")
        if token.type == "inline" and any(c.type in ("html_inline", "link_open") for c in token.children or ()):
            found.append(f"markup from text: {token.content[:80]!r}")
        if token.type == "heading_open" and not token.markup.startswith("#"):
            found.append("a line of text above a rule became a heading")
        if token.type == "code_block":
            found.append(f"indented text became code: {token.content[:80]!r}")
        if token.type == "html_block" and not re.fullmatch(r"</?(details|summary)>.*\n?", token.content):
            found.append(f"HTML: {token.content[:80]!r}")
    widths = [{len(row) for row in table} for table in rendered_tables(tokens)]
    found += [f"rows of {w} cells" for w in widths if len(w) > 1]
    written = sum(bool(re.fullmatch(r"\|(-+:?\|)+", line)) for _, line in outside_code(text, tokens))
    if written != len(widths):
        found.append(f"{written} tables written, {len(widths)} rendered")
    return found


@pytest.mark.parametrize("command", VERBS)
def test_it_renders_as_written(command: str) -> None:
    done = run(*command.format(examples=EXAMPLES).split(), "-q", "-o", "md")
    assert done.code == 0, done.stderr
    assert complaints(done.stdout) == []


def test_record_renders_as_written(tmp_path: Path) -> None:
    into = str(tmp_path / "history.db")
    for command in (["record", str(EXAMPLES / "shop-prod.yaml")], ["record", "--list"]):
        done = run(*command, "--into", into, "-q", "-o", "md")
        assert done.code == 0, done.stderr
        assert complaints(done.stdout) == []


def test_the_complaints_see_what_goes_wrong() -> None:
    assert complaints("| a |\n|---|\n| 1 |\nnext\n") != []
    assert complaints("text\n| a |\n|---|\n| 1 |\n\nmore\n") != []
    assert complaints("one\ntwo\n") != []
    assert complaints("one\n---\n") != []
    assert complaints("    four blanks\n") != []
    assert complaints("<b>x</b>\n") != []
    assert complaints("one\n\n| a |\n|---|\n| 1 |\n\ntwo\n") == []


WORDS = st.text(st.sampled_from("ab|`*_~[]()<>&#-+=!$\\:. 1\t\n\u202e東"), min_size=1, max_size=14).filter(str.strip)


@given(st.lists(st.tuples(WORDS, st.one_of(WORDS, st.integers(), st.none())), min_size=1, max_size=4), WORDS, WORDS)
def test_every_cell_is_rendered_as_it_is(rows: list[tuple[str, object]], heading: str, title: str) -> None:
    columns = (TableColumn("a", heading), TableColumn("b", "b"))
    table = Table(columns, [{"a": a, "b": b} for a, b in rows], title, "A note.")
    text = markdown_table(table) + "\n"
    assert complaints(text) == []
    (cells,) = rendered_tables(parsed(text))
    expected: list[tuple[object, ...]] = [(heading, "b"), *rows]
    shown = [[(cell(v).replace("-", "−") if isinstance(v, int) else cell(v)) for v in row] for row in expected]
    assert cells == [[" ".join(printable(v).split(" ")).strip() for v in row] for row in shown]


@given(WORDS, WORDS, st.lists(WORDS, min_size=1, max_size=3))
def test_every_block_stays_a_block(first: str, second: str, items: list[str]) -> None:
    blocks = (Verdict("tight", first), Text(second), Items(items, first), CodeBlock(second, first, "sh"))
    text = render_markdown(Page([*blocks, Section("s", first, blocks)], second))
    kinds = [t.type for t in parsed(text) if t.level == 0 and not t.type.endswith("_close") and t.type != "inline"]
    lines = [line for line in second.split("\n") if line.strip()]
    body = ["paragraph_open"] * (1 + len(lines) + 1) + ["bullet_list_open", "paragraph_open", "fence"]
    assert kinds == ["heading_open", *body, "heading_open", *body]
    assert complaints(text) == []
