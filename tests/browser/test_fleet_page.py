"""The overview of 1,000 clusters in a real browser: small, quiet, sorted and filtered by what a person clicks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from capacity.fleet.across import across
from capacity.fleet.fleet_overview import render_overview
from capacity.fleet.plan_files import Sources, find_sources
from capacity.fleet.run import FleetRun, run_fleet
from capacity.fleet.shared import Sharing
from capacity.fleet.workforce import Serial, Workforce
from tests.fixtures.fleets import Cluster, write_fleet
from tools.find_browser import MISSING, find_browser

AUDIT = (Path(__file__).parent / "audit.js").read_text(encoding="utf-8")
COUNT = 1_000
LARGEST_BYTES = 3_000_000


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of 1,000 clusters: three plans that run out, fit and are broken, with other names."""
    folder = tmp_path_factory.mktemp("fleet")
    clusters = [Cluster("full", ("c", "d"), 14, 20, 200, 300), Cluster("free", ("a", "b"), 1, 2, 4, 6)]
    paths = write_fleet(folder, clusters)
    (folder / "broken.yaml").write_text("apiVersion: capacity/v1\nmetadata: {name: '<b>x'}\n")
    made = run_fleet(find_sources([*paths, str(folder / "broken.yaml")]), "check", {}, Workforce(Serial()))
    full, free, broken = made.rows
    rows = []
    for i in range(COUNT):
        row = dict(broken if i == 7 else full if i % 10 == 0 else free)
        row |= {"plan": f"clusters/<{i:04}>.yaml", "name": f"cluster-{i:04} <script>alert(1)</script>"}
        if i != 7:
            row["tightest"] = {**row["tightest"], "free": i, "free_pct": i / 10}
        rows.append(row)
    run = FleetRun(Sources((), made.sources.fleet), tuple(rows), {}, Sharing({}, (), ()))
    path = folder / "overview.html"
    path.write_text(render_overview(run, across(run), "0"), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = find_browser()
    if path is None:
        pytest.fail(MISSING)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path)
        yield started
        started.close()


def test_a_thousand_clusters_fit_into_three_megabytes(page_file: Path) -> None:
    assert page_file.stat().st_size < LARGEST_BYTES


def test_it_sorts_filters_and_asks_for_nothing(browser: Any, page_file: Path) -> None:
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    rows = page.locator("#table tbody tr")
    assert rows.count() == COUNT
    assert page.locator("#count").inner_text() == "1,000 of 1,000 clusters"
    assert rows.first.get_attribute("data-verdict") == "error"  # what needs a person comes first

    def names(number: int) -> list[str]:
        return [rows.nth(i).locator("td").first.inner_text()[:12] for i in range(number)]

    free = page.locator("#table th button", has_text=re.compile("^free$"))
    free.click()
    assert names(2) == ["cluster-0000", "cluster-0001"]
    free.click()
    assert names(2) == ["cluster-0999", "cluster-0998"]
    assert page.locator("#table th[aria-sort]").inner_text().startswith("free")

    page.get_by_label("Filter").fill("cluster-01 exhausted")
    assert page.locator("#count").inner_text() == "10 of 1,000 clusters"
    assert page.locator("#table tbody tr:visible").count() == 10
    page.get_by_label("Filter").fill("")
    page.locator("#verdict").select_option("exhausted")
    assert page.locator("#count").inner_text() == "100 of 1,000 clusters"

    details = page.locator("#table tbody tr:visible details").first
    details.locator("summary").click()
    assert "IP001" in details.inner_text()
    assert said == []
    assert asked == [page_file.as_uri()]
    page.close()


def test_it_reads_well_in_both_schemes(browser: Any, page_file: Path) -> None:
    for scheme in ("light", "dark"):
        page = browser.new_page(viewport={"width": 1200, "height": 900}, color_scheme=scheme)
        page.goto(page_file.as_uri())
        assert page.evaluate(AUDIT)["complaints"] == []
        page.close()


@pytest.mark.parametrize(("width", "left_out"), [(500, 7), (800, 5), (1000, 3), (1280, 2), (1700, 0)])
def test_a_narrow_window_leaves_columns_out_and_the_findings_stay_in_it(
    browser: Any, page_file: Path, width: int, left_out: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(page_file.as_uri())
    heads = page.locator("#table th")
    assert heads.count() - page.locator("#table th:visible").count() == left_out
    assert page.locator("#table tbody tr").first.locator("td:visible").count() == heads.count() - left_out
    row = page.locator("#table tbody tr").nth(1)
    if width >= 1000:
        box = row.locator("summary").bounding_box()
        assert box["x"] + box["width"] < width
    row.locator("summary").click()
    assert "clusters/<0000>.yaml · us-east-1 · vpc-0aa" in row.locator("details").inner_text()
    page.close()
