"""The documentation builds as a site without a warning, and holds every page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tools.find_browser import MISSING, find_browser
from tools.serve_page import serve

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    return out


def test_every_page_is_there_and_in_the_navigation(site: Path) -> None:
    home = (site / "index.html").read_text(encoding="utf-8")
    linked = set(re.findall(r'href="([^"#?]+\.html)"', home))
    for page in (ROOT / "docs").rglob("*.md"):
        name = "index" if page.name == "README.md" else page.stem
        built = page.relative_to(ROOT / "docs").with_name(f"{name}.html").as_posix()
        assert (site / built).is_file()
        assert built in linked, f"{built} is in no menu"


def test_sections_come_in_the_order_of_need(site: Path) -> None:
    home = (site / "index.html").read_text(encoding="utf-8")
    menu = home[home.index("md-nav--primary") :]
    places = [menu.index(f'href="{name}/') for name in ("how-to", "reference", "explanation", "decisions")]
    assert places == sorted(places)


def test_pages_ask_no_other_host_for_fonts_styles_or_scripts(site: Path) -> None:
    home = (site / "index.html").read_text(encoding="utf-8")
    loaded = re.findall(r'<(?:link|script|img)[^>]+(?:href|src)="(https?://[^"]+)"', home)
    assert [u for u in loaded if "canonical" not in u] == []


def test_the_button_of_a_console_block_copies_its_commands_alone(site: Path) -> None:
    """Clicked in a browser, on the page that describes the first plan."""
    path = find_browser()
    if path is None:
        pytest.fail(MISSING)
    with serve(site, headers={}) as server, sync_playwright() as playwright:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        browser = playwright.chromium.launch(executable_path=path)
        context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/index.html")
        block = page.locator(".highlight").first
        assert "wrote plan.yaml" in block.inner_text()
        block.hover()
        block.locator("[data-clipboard-target]").click()
        page.wait_for_selector(".md-dialog--active")
        copied = page.evaluate("navigator.clipboard.readText()")
        browser.close()
        server.shutdown()
        thread.join()
    assert copied == "capacity init --example small plan.yaml\ncapacity check plan.yaml -q"


def test_how_tos_are_in_the_menu_by_their_job(site: Path) -> None:
    home = (site / "index.html").read_text(encoding="utf-8")
    menu = home[home.index("md-nav--primary") :]
    places = [menu.index(job) for job in ("Describe a cluster", "Check and fix a plan", "Watch a running cluster")]
    assert places == sorted(places)
