"""The front page: its commands run, its picture is there, and every how-to is found by its job."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from PIL import Image

from tests.docs.markdown import REPO, blocks
from tools.build_docs_index import INDEX, JOBS, render
from tools.build_picture import PICTURE, WIDTH
from tools.docs_site import commands

README = REPO / "README.md"
PROJECT = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
COMMANDS = [
    line.partition("#")[0].strip()
    for block in blocks(README)
    if block.language == "sh"
    for line in block.text.splitlines()
    if line.strip()
]
# Runs what the real one would run from the package index, with the package of this environment.
STAND_IN = """#!/bin/sh
set -eu
case "$(basename "$0") $1" in
    "pipx install") test "$2" = "{package}" && test $# = 2 ;;
    "uvx --from") test "$2" = "{package}" && shift 2 && exec "$@" ;;
    *) exit 64 ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """An environment with the installed commands and stand-ins for what needs a package index."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    for name in ("pipx", "uvx"):
        (bin_ / name).write_text(STAND_IN.format(package=PROJECT["name"]))
        (bin_ / name).chmod(0o755)
    path = os.pathsep.join([str(bin_), str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path}


def test_the_first_screen_has_one_line_and_make() -> None:
    top = "\n".join(README.read_text(encoding="utf-8").splitlines()[:45])
    for line in (
        "pipx install eks-pod-capacity",
        "uvx --from eks-pod-capacity capacity check",
        "make plan",
        "make test",
    ):
        assert line in top
        assert line in COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_front_page_runs(command: str, machine: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    shutil.copy(REPO / "examples" / "first-plan.yaml", folder / "capacity.yaml")
    if command.startswith("make "):  # in the clone; what the target would do
        command, folder = command.replace("make ", "make -n "), REPO
    done = subprocess.run(["sh", "-c", command], cwd=folder, env=machine, capture_output=True, text=True, check=False)
    assert done.returncode in ((0, 1) if "check" in command else (0,)), done.stderr
    assert done.stderr == "" or "warning: " in done.stderr


def test_a_wrong_package_or_script_on_the_front_page_is_noticed(machine: dict[str, str], tmp_path: Path) -> None:
    for command in (
        "pipx install eks-pods",
        "uvx --from eks-pod-capacity kapacity check",
        "uvx --from x capacity check",
    ):
        done = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=machine, capture_output=True, check=False)
        assert done.returncode != 0


def test_the_picture_is_small_and_on_both_front_pages() -> None:
    assert PICTURE.stat().st_size < 150_000
    with Image.open(PICTURE) as picture:
        assert picture.width == WIDTH
    for page in (README, INDEX):
        (target,) = re.findall(r"!\[[^\]]{20,}\]\(([^)]+\.png)\)", page.read_text(encoding="utf-8"))
        assert (page.parent / target).resolve() == PICTURE


def test_the_documentation_has_one_front_page() -> None:
    assert not (REPO / "docs" / "index.md").exists()
    text = INDEX.read_text(encoding="utf-8")
    assert text == render(text), "run make docs-reference"


def test_every_how_to_has_exactly_one_job() -> None:
    listed = [name for names in JOBS.values() for name in names]
    assert sorted(listed) == sorted(page.stem for page in (REPO / "docs" / "how-to").glob("*.md"))


@pytest.mark.parametrize(
    ("console", "copied"),
    [
        ("$ capacity check\nOK\n", "capacity check"),
        ("$ a \\\n    b\nout\n$ c\nout \\\nmore\n", "a \\\n    b\nc"),
        ("$ a \\\n> b\n", "a \\\nb"),
        ("no command\n", ""),
    ],
)
def test_what_the_button_copies(console: str, copied: str) -> None:
    assert commands(console) == copied
