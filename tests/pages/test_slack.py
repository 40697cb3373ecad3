"""A Slack message keeps the figures, mentions nobody, and fits what Slack shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.pages.page import CodeBlock, FigureList, Items, Page, Section, Table, TableColumn, Text, Verdict
from capacity.pages.slack import MESSAGE, MOST_ROWS, SECTION, WIDTH, render_slack
from capacity.pages.terminal import width
from tests.cli.entry import capacity
from tests.pages.printed import EXAMPLES

SHOP = str(EXAMPLES / "shop-prod.yaml")
SENTENCE = "private-b is 43 addresses short: 294 needed & 251 usable"
EVIL = "<!channel> @here <@U123> #general & > https://evil.example www.evil.example"


def parts(message: str) -> list[str]:
    """The parts that a blank line separates; each can be the text of a section block."""
    return message.rstrip("\n").split("\n\n")


def code_lines(message: str) -> list[str]:
    return [line for block in re.findall(r"```\n(.*?)\n```", message, re.S) for line in block.split("\n")]


def unescaped(message: str) -> str:
    return message.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("\u200b", "")


def mentions(message: str) -> list[str]:
    """What Slack could make a mention, a channel link, a URL or an unknown entity of."""
    return re.findall(r"[<>]|[@#](?=\w)|://|www\.|&(?!(?:amp|lt|gt);)", message)


def test_a_page_in_full() -> None:
    table = Table(
        (TableColumn("a", "subnet"), TableColumn("b", "free"), TableColumn("c", "wide", 1)),
        [{"a": "private-us-east-1a", "b": -43, "c": "x" * 40}, {"a": "private-us-east-1b", "b": 12, "c": "y" * 39}],
        "Free addresses",
        "A note.",
    )
    listed = Table(
        (TableColumn("code", "code"), TableColumn("s", "scenario"), TableColumn("f", "finding")),
        [{"code": "IP001", "s": "peak", "f": SENTENCE}],
    )
    page = Page(
        [
            Verdict("exhausted", "private-b < 0"),
            table,
            listed,
            Items(["one", "two"], "List:"),
            FigureList([("nodes", "3", "now")]),  # type: ignore[list-item]  # a Fact is a tuple
            CodeBlock("a `b` && c", "To paste", "sh"),
            Section("s", "Heading", [Text("> quoted\nplain")]),
        ],
        "Title",
    )
    assert render_slack(page) == (
        "*Title*\n\n"
        "*EXHAUSTED*: private-b &lt; 0\n\n"
        "*Free addresses*\n```\nsubnet              free\n──────────────────  ────\nprivate-us-east-1a   -43\n"
        "private-us-east-1b    12\n```\n\n"
        "Not shown: wide (-o md has every column).\nA note.\n\n"
        "• *IP001* scenario: peak · private-b is 43 addresses short: 294 needed &amp; 251 usable\n\n"
        "List:\n• one\n• two\n\n"
        "• nodes: 3 – now\n\n"
        "To paste:\n```\na `b` &amp;&amp; c\n```\n\n"
        "*Heading*\n\n"
        "\u200b&gt; quoted\nplain\n"
    )


@given(st.text(max_size=300), st.text(max_size=80), st.lists(st.text(max_size=50), min_size=1, max_size=4))
def test_no_name_mentions_links_or_opens_markup(sentence: str, title: str, cells: list[str]) -> None:
    columns = tuple(TableColumn(str(i), cell) for i, cell in enumerate(cells))
    table = Table(columns, [{str(i): cell for i, cell in enumerate(cells)}], title)
    message = render_slack(Page([Verdict("ok", sentence), table, Text(sentence), CodeBlock(sentence, title)], title))
    assert mentions(message) == []
    assert message.count("```") % 2 == 0
    assert all(len(part) <= SECTION for part in parts(message))


def test_a_name_that_would_notify_a_channel_is_text() -> None:
    message = render_slack(Page([Verdict("ok", EVIL), Text(EVIL), CodeBlock(EVIL), Items([EVIL], EVIL)], EVIL))
    assert mentions(message) == []
    assert unescaped(message).count(EVIL) == 6


def test_the_limits_are_those_of_slack() -> None:
    assert (SECTION, MESSAGE, WIDTH) == (3_000, 40_000, 60)


def test_no_part_is_longer_than_a_section_and_no_message_longer_than_slack_takes() -> None:
    rows = [{"a": f"private-{i}", "b": i} for i in range(500)]
    table = Table((TableColumn("a", "subnet"), TableColumn("b", "free")), rows, "Subnets")
    message = render_slack(Page([table, Text("long & " * 2_000), Text("&" * 4_000), CodeBlock("x" * 30 + "\n" * 900)]))
    assert all(0 < len(part) <= SECTION for part in message.rstrip("\n").split("\n\n") if part.strip("\n"))
    assert f"{500 - MOST_ROWS} more rows (-o csv has every row)." in message
    assert mentions(message) == []
    longest = render_slack(Page([Text("word " * 500)] * 60))
    assert len(longest) <= MESSAGE
    assert longest.endswith("The message is too long for Slack and is cut here (-o md has everything).\n")
    assert len(longest) > MESSAGE - SECTION


@pytest.mark.parametrize(
    "command",
    [
        ("check", SHOP),
        ("compare", SHOP, "--set", "cni.env.WARM_IP_TARGET=2"),
        ("fleet", "check", str(EXAMPLES / "fleet")),
        ("forecast", SHOP, "--paths", "50", "--as-of", "2026-11-30"),
        ("subnets", SHOP),
        ("maxpods", "m5.large"),
        ("node", "m5.large"),
        ("warm", SHOP),
        ("size", SHOP, "--vpc-cidr", "100.64.0.0/22"),
        ("doctor", "--from", str(EXAMPLES / "aws-answers")),
        ("explain", "IP001"),
        ("import", "kubectl", str(EXAMPLES / "nodes-and-pods.json")),
    ],
    ids=lambda command: " ".join(command[:2]) if command[0] == "fleet" else command[0],
)
def test_the_messages_of_the_verbs_fit_a_screen(command: tuple[str, ...]) -> None:
    done = capacity(*command, "-q", "-o", "slack")
    assert done.code in (0, 1), done.stderr
    assert mentions(done.stdout) == []
    assert all(len(part) <= SECTION for part in parts(done.stdout))
    tables = [block for block in re.findall(r"```\n(.*?)\n```", done.stdout, re.S) if "──" in block]
    assert [line for block in tables for line in block.split("\n") if width(unescaped(line)) > WIDTH] == []


def test_the_message_of_a_check_has_the_figures_of_its_json() -> None:
    message = unescaped(capacity("check", SHOP, "-q", "-o", "slack").stdout)
    found = json.loads(capacity("check", SHOP, "-q", "-o", "json").stdout)["results"]
    rows = [line.split() for line in code_lines(message)]
    names = rows[0][2:]
    states = {f"{s['name']} ({s['variant']})" if s["variant"] else s["name"]: s for s in found["scenarios"]}
    shown = {}
    for row, following in zip(rows, [*rows[1:], []], strict=True):
        if len(row) == 2 + len(names) and row[1] in ("ok", "tight", "exhausted"):
            variant = following[0] if len(following) == 1 else ""
            shown[f"{row[0]} {variant}".strip()] = (row[1], dict(zip(names, row[2:], strict=True)))
    assert shown == {
        title: (s["verdict"], {x["name"]: "lost" if x["lost"] else str(x["free"]) for x in s["subnets"]})
        for title, s in states.items()
    }
    assert message.split("\n\n")[1].startswith(f"*{found['verdict'].upper()}*: ")
    for finding in found["findings"]:
        assert finding["code"] in message
    for path, value in found["fixes"]["best"]["patch"].items():
        assert path in message
        assert str(value) in message or isinstance(value, dict)


def test_the_message_of_a_comparison_has_the_figures_of_its_json() -> None:
    change = ("compare", SHOP, "--set", "cni.env.WARM_IP_TARGET=2", "-q")
    message = unescaped(capacity(*change, "-o", "slack").stdout)
    found = json.loads(capacity(*change, "-o", "json").stdout)["results"]
    (steady,) = [s for s in found["scenarios"] if s["name"] == "steady"]
    for subnet in steady["subnets"]:
        (row,) = [line.split() for line in code_lines(message) if line.startswith(subnet["name"])][:1]
        assert [subnet[k] for k in ("free_before", "free_after")] == list(map(int, row[3:5]))


def test_the_subnet_that_runs_out_stays_in_a_narrow_comparison() -> None:
    message = capacity("compare", SHOP, "--set", "cni.env.WARM_IP_TARGET=2", "-q", "-o", "slack").stdout
    assert "-43 → 73" in message


def test_a_channel_in_a_plan_is_not_notified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = Path(SHOP).read_text(encoding="utf-8").replace("private-b", "'<!here> @channel'")
    (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    done = capacity("check", "plan.yaml", "-q", "-o", "slack")
    assert done.code == 1, done.stderr
    assert mentions(done.stdout) == []
    assert "&lt;!here&gt; @\u200bchannel" in done.stdout


def test_a_report_is_no_message() -> None:
    done = capacity("report", SHOP, "-o", "slack")
    assert (done.code, done.stdout) == (2, "")
    assert "--output" in done.stderr
