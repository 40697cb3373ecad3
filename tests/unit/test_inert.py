"""Text of others: nothing in it steers a terminal, commands a CI runner, or links and mentions in Markdown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.inert import log_line, log_text, markdown_code, markdown_text, printable, xml_log

HOSTILE = st.text(alphabet=st.sampled_from(list("#[]:ab \u00a0\u200b\u034f\r\n\t\x1b é")), max_size=30)


def runner_obeys(log: str) -> bool:
    """What the runner looks for in a line: a command at its start, or one of the old form anywhere."""
    for line in re.split(r"\r\n|\r|\n", log):
        seen = re.sub(r"[^\x20-\x7e]", "", line)  # as a comparison that passes over what has no weight
        if "##[" in seen or re.match(r"\s*::[^:]*.*::", seen):
            return True
    return False


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("::error::x", "\\u003a:error::x"),
        ("  ::set-output name=a::b", "  \\u003a:set-output name=a::b"),
        ("a ::error::x", "a ::error::x"),  # no command: something stands before it
        ("::/0", "::/0"),
        ("fe80::1 and ::1", "fe80::1 and ::1"),
        ("a ##[stop-commands]t", "a #\\u0023[stop-commands]t"),
        ("###[x]", "##\\u0023[x]"),
        ("# heading ## [x]", "# heading ## [x]"),
        ("a\n::warning::b\r::debug::c", "a\n\\u003a:warning::b\r\\u003a:debug::c"),
    ],
)
def test_commands_of_githubs_runner_are_spelled(text: str, shown: str) -> None:
    assert log_text(text) == shown


@given(HOSTILE)
def test_no_text_commands_the_runner(text: str) -> None:
    assert not runner_obeys(log_text(text))
    assert "\n" not in log_line(text)
    assert not runner_obeys(log_line(text))
    assert not runner_obeys(xml_log(f"<a>{text.replace('<', '')}</a>"))


@given(st.text())
def test_a_printable_line_is_one_line_and_steers_nothing(text: str) -> None:
    shown = printable(text)
    assert shown.splitlines() in ([], [shown])
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@team", "@&#8203;team"),
        ("me@example.com", "me@&#8203;example.com"),
        ("see #12", "see #&#8203;12"),
        ("http://a.example", "http:&#8203;//a.example"),
        ("HTTPS://a", "HTTPS:&#8203;//a"),
        ("www.a.example", "www&#8203;.a.example"),
        ("[x](y)", "\\[x\\](y)"),
        ("# heading", "\\# heading"),
        ("<img src=x>", "&lt;img src=x&gt;"),
        ("&lt;", "&amp;lt;"),
        ("a|b*c*`d`~~e~~$f$", "a\\|b\\*c\\*\\`d\\`\\~\\~e\\~\\~\\$f\\$"),
        ("_a_ WARM_IP_TARGET", "\\_a\\_ WARM_IP_TARGET"),
        ("a\nb", "a\\\\u000ab"),
        ("10.0.0.0/16, us-east-1a", "10.0.0.0/16, us-east-1a"),
    ],
)
def test_markdown_shows_it_as_it_is(text: str, shown: str) -> None:
    assert markdown_text(text) == shown


@given(st.text())
def test_in_markdown_nothing_is_mentioned_or_linked(text: str) -> None:
    shown = markdown_text(text)
    assert not re.search(r"@\w|#\d|:\/\/(?<!;//)|www\.|(?<!\\)[\[\]<>`]", shown.replace("&#8203;", "\u200b"))


def test_code_cannot_be_ended() -> None:
    assert markdown_code("a`b`\n<c>") == "`ab\\u000a<c>`"
