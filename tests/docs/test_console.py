"""The runner of console blocks sees a difference where there is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.console import Step, complaints, same, steps


def test_a_block_is_read_as_commands_with_their_output() -> None:
    text = "$ capacity maxpods \\\n    m5.large\n29\n\n$ echo $?\n0\n$ true\n"
    assert steps(text) == [
        Step("capacity maxpods \\\n    m5.large", "29\n"),
        Step("echo $?", "0"),
        Step("true", ""),
    ]


def test_output_without_a_command_is_refused() -> None:
    with pytest.raises(ValueError, match="starts with"):
        steps("29\n$ capacity\n")


def test_what_matches_and_what_does_not(tmp_path: Path) -> None:
    assert complaints([Step("printf 'a\\nb\\nc\\n'", "a\n...\nc")], tmp_path) == []
    assert "it prints:\nb" in complaints([Step("echo b", "a")], tmp_path)[0]
    assert "exit code 3, and the block shows no output" in complaints([Step("(exit 3)", "")], tmp_path)[0]
    assert "stopped after 0 of 1" in complaints([Step("exit 3", "")], tmp_path)[0]


def test_the_exit_code_carries_over_to_the_next_command(tmp_path: Path) -> None:
    assert complaints([Step("echo no; (exit 3)", "no"), Step("echo $?", "3"), Step("true", "")], tmp_path) == []


def test_dots_stand_for_any_lines_and_trailing_blanks_do_not_count() -> None:
    assert same("a  \n...\nz\n", "a\nb\nc\nz   \n\n")
    assert not same("a\n...\nz", "a\nb\n")
