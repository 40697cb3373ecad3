"""The built page, once for all tests of this folder; build/page-work keeps what did not change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import build_page


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_page.build(tmp_path_factory.mktemp("page") / "page")
