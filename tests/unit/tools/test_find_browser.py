"""The search for a browser: where it looks, in which order, and what it says when there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import find_browser as tool

ROOT = Path(__file__).parents[3]


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment without any browser."""
    monkeypatch.setattr(tool, "PLACES", (str(tmp_path / "opt" / "chrome"),))
    (tmp_path / "bin").mkdir()
    return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}


def program(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_none(bare: dict[str, str]) -> None:
    assert tool.find_browser(bare) is None


def test_the_path_then_usual_places_then_downloads(bare: dict[str, str], tmp_path: Path) -> None:
    cache = tmp_path / ".cache/ms-playwright"
    program(cache / "chromium-1000/chrome-linux/chrome")
    newer = program(cache / "chromium-1200/chrome-linux64/chrome")
    assert tool.find_browser(bare) == newer
    place = program(tmp_path / "opt" / "chrome")
    assert tool.find_browser(bare) == place
    found = program(tmp_path / "bin" / "google-chrome")
    assert tool.find_browser(bare) == found


def test_the_variable_wins_and_must_lead_to_a_program(bare: dict[str, str], tmp_path: Path) -> None:
    program(tmp_path / "bin" / "chromium")
    own = program(tmp_path / "own" / "browser")
    assert tool.find_browser({**bare, "CAPACITY_BROWSER": own}) == own
    assert tool.find_browser({**bare, "CAPACITY_BROWSER": str(tmp_path / "gone")}) is None


def test_debians_package_needs_apt_and_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert [way[-1][0] for way in tool.installers()] == ["apt-get", sys.executable]
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert [way[-1][0] for way in tool.installers()] == [sys.executable]


def test_one_clear_line_where_there_is_none(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "find_browser.py"), "--install"],
        env={**os.environ, "CAPACITY_BROWSER": str(tmp_path / "gone")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", tool.MISSING + "\n")
