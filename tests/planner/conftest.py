"""The built page, once for all tests of this folder; build/page-work keeps what did not change."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from tools import build_page


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page, built by one of the test processes; the others wait for it."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return build_page.build(tmp_path_factory.mktemp("page") / "page")
    shared = tmp_path_factory.getbasetemp().parent
    built = shared / "planner-page"
    with (shared / "planner-page.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return built if built.is_dir() else build_page.build(built)
