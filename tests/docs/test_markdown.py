"""README.md and docs/**/*.md: commands and Python blocks are executed, links lead somewhere."""

from __future__ import annotations

import doctest
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.docs.console import complaints, steps
from tests.docs.markdown import REPO, Block, anchors, blocks, links, pages

PAGES = pages()
BLOCKS = [block for page in PAGES for block in blocks(page)]
CONSOLE = [
    block
    for block in BLOCKS
    if block.language == "console" and re.search(r"^\$ .*\b(capacity|kubectl-podips)\b", block.text, re.M)
]
PYTHON = [page for page in PAGES if any(block.language in ("python", "pycon") for block in blocks(page))]
SHELL = [block for block in BLOCKS if block.language in ("", "sh", "bash", "shell")]


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a copy of examples/, as a reader's checkout would look; the current folder of the test."""
    shutil.copytree(REPO / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("block", CONSOLE, ids=str)
def test_a_console_block_shows_what_its_commands_print(block: Block, sandbox: Path) -> None:
    found = complaints(steps(block.text), sandbox)
    if found:
        pytest.fail("\n".join(found), pytrace=False)  # an assert would cut the two outputs short


@pytest.mark.parametrize("page", PYTHON, ids=lambda page: str(page.relative_to(REPO)))
def test_the_python_blocks_of_a_page_run_in_order(page: Path, sandbox: Path) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page):
        if block.language not in ("python", "pycon"):
            continue
        if block.text.startswith(">>>"):
            run_doctest(block, names)
        else:
            # the blank lines in front make a traceback name the page's own line
            exec(compile("\n" * block.line + block.text, str(page), "exec"), names)
    assert sandbox.exists()


def run_doctest(block: Block, names: dict[str, Any]) -> None:
    test = doctest.DocTestParser().get_doctest(block.text, names, str(block), str(block.path), block.line)
    report: list[str] = []
    failed, _ = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append, clear_globs=False)
    names.update(test.globs)
    assert not failed, "".join(report)


def test_no_capacity_command_hides_in_a_block_that_is_not_executed() -> None:
    assert [str(block) for block in SHELL if re.search(r"^\s*(\$ )?capacity ", block.text, re.M)] == []


def test_relative_links_lead_to_files_and_headings() -> None:
    dead = []
    for page in PAGES:
        for target in links(page):
            name, _, fragment = target.partition("#")
            path = (page.parent / name).resolve() if name else page
            if not path.exists() or (fragment and path.suffix == ".md" and fragment not in anchors(path)):
                dead.append(f"{page.relative_to(REPO)}: {target}")
    assert dead == []


def test_the_readme_shows_commands() -> None:
    assert REPO / "README.md" in {block.path for block in CONSOLE}
