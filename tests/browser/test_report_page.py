"""The report in a real browser: it loads nothing, says nothing on the console, sorts, slides, and reads well."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from capacity.pages.html import render_html
from capacity.pages.report_page import report_page
from tests.report import plans
from tools.find_browser import MISSING, find_browser

AUDIT = (Path(__file__).parent / "audit.js").read_text(encoding="utf-8")
SCHEMES = ("light", "dark")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = find_browser()
    if path is None:
        pytest.fail(MISSING)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path)
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Addresses of the reports: the example's, and that of a hostile plan."""
    folder = tmp_path_factory.mktemp("pages")
    hostile = report_page(plans.material_of(plans.write_hostile(folder, 60), ["steady", "peak"]))
    found = {"example": plans.example(), "hostile": hostile}
    for name, content in found.items():
        (folder / f"{name}.html").write_text(render_html(content, "0"), encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in found}


class Visit:
    """A page that is open, with everything it said and asked for."""

    def __init__(self, browser: Any, address: str, **settings: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1200, "height": 900}, **settings)
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.on("dialog", self._dialog)
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address)
        self.address = address

    def _dialog(self, dialog: Any) -> None:
        self.said.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def close(self) -> None:
        self.context.close()

    def outside(self) -> list[str]:
        """Requests beyond the file itself."""
        return [url for url in self.asked if url != self.address and not url.startswith("data:")]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["example", "hostile"])
def test_silent_closed_and_accessible(browser: Any, pages: dict[str, str], name: str, scheme: str) -> None:
    visit = Visit(browser, pages[name], color_scheme=scheme)
    visit.page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    found = visit.page.evaluate(AUDIT)
    ground = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    visit.close()
    assert found["complaints"] == []
    assert visit.said == []
    assert visit.outside() == []
    assert ground == {"light": "rgb(254, 254, 254)", "dark": "rgb(23, 24, 28)"}[scheme]


def test_the_audit_sees_what_is_wrong(browser: Any, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<title></title><h1>a</h1><h3>b</h3><img src='data:,'><input><table><tr><th>x</th></tr></table>"
        "<p style='color:#999;background:#fff'>faint</p><a href='#gone'>x</a>"
    )
    visit = Visit(browser, bad.as_uri())
    complaints = "\n".join(visit.page.evaluate(AUDIT)["complaints"])
    visit.close()
    for part in (
        "no language",
        "no title",
        "main",
        "level skipped",
        "alt",
        "label",
        "caption",
        "scope",
        "contrast 2.8",
    ):
        assert part in complaints
    assert "dead link" in complaints


def test_a_request_would_be_seen_and_stopped(browser: Any, pages: dict[str, str]) -> None:
    visit = Visit(browser, pages["example"])
    visit.page.evaluate("{ const i = new Image(); i.src = 'http://127.0.0.1:9/x.png'; document.body.append(i); }")
    visit.page.wait_for_timeout(100)
    visit.close()
    assert any("Content Security Policy" in line for line in visit.said)


def column(page: Any, caption: str, place: int) -> list[str]:
    rows = page.locator("table.sortable", has=page.locator("caption", has_text=caption)).first.locator("tbody tr")
    return [rows.nth(i).locator("td").nth(place).inner_text().strip() for i in range(rows.count())]


def figure(text: str) -> int:
    """A whole number as the page shows it: thousands apart, with a true minus."""
    return int(text.replace(",", "").replace("−", "-"))


def test_tables_sort_by_value_and_say_so(browser: Any, pages: dict[str, str]) -> None:
    visit = Visit(browser, pages["example"])
    page = visit.page
    table = page.locator("table.sortable", has=page.locator("caption", has_text="All scenarios"))
    head = table.locator("th", has_text="free in it")
    place = [h.strip() for h in table.locator("th").all_inner_texts()].index("free in it")
    head.get_by_role("button").click()
    free = [figure(t) for t in column(page, "All scenarios", place)]
    assert free == sorted(free)
    assert free[0] == -163
    assert head.get_attribute("aria-sort") == "ascending"
    head.get_by_role("button").press("Enter")
    assert [int(t.replace(",", "").replace("−", "-")) for t in column(page, "All scenarios", place)] == sorted(free)[
        ::-1
    ]
    assert head.get_attribute("aria-sort") == "descending"
    table.locator("th", has_text="verdict").get_by_role("button").click()
    words = [t.split()[-1] for t in column(page, "All scenarios", 1)]
    order = ["ok", "tight", "exhausted"]
    assert words == sorted(words, key=order.index)
    visit.close()
    assert visit.said == []


def test_the_slider_shows_the_engines_figures(browser: Any, pages: dict[str, str]) -> None:
    material = plans.material_of(plans.EXAMPLE)
    what = material.explorer
    assert what is not None
    visit = Visit(browser, pages["example"])
    page = visit.page
    slider, mode = page.locator("#nodes"), page.locator("#mode")
    assert int(slider.input_value()) == what.now
    for place, setting in ((what.now, 0), (len(what.percents) - 1, 0), (0, len(what.modes) - 1)):
        mode.select_option(str(setting))
        slider.focus()
        slider.fill(str(place))
        outcome = what.outcomes[setting][place]
        shown = page.locator("#outcome").inner_text()
        assert shown.startswith(f"{outcome.nodes:,} nodes, {outcome.pods:,} replicas")
        assert shown.endswith(outcome.verdict)
        rows = page.locator("#outcome-rows tr")
        free = [int(rows.nth(i).locator("td").nth(1).inner_text().replace(",", "")) for i in range(rows.count())]
        assert tuple(free) == outcome.free
        assert slider.get_attribute("aria-valuetext") == f"{outcome.nodes:,} nodes"
    slider.press("ArrowRight")
    assert int(slider.input_value()) == 1
    visit.close()
    assert visit.said == []


@pytest.mark.parametrize("name", ["example", "hostile"])
def test_without_javascript_everything_is_there(browser: Any, pages: dict[str, str], name: str) -> None:
    visit = Visit(browser, pages[name], java_script_enabled=False)
    page = visit.page
    assert page.locator("#explorer").is_hidden()
    assert page.locator("caption", has_text="Free addresses in the subnet with the fewest").is_visible()
    assert page.locator("section.verdict .answer").is_visible()
    assert page.locator("figure.chart-box svg").count() >= 5
    visit.close()
    assert visit.outside() == []


def test_hostile_names_are_text(browser: Any, pages: dict[str, str]) -> None:
    visit = Visit(browser, pages["hostile"])
    page = visit.page
    body = page.locator("body").inner_text()
    assert "<script>alert(1)</script>" in body
    assert "\\u202egnp.exe" in body
    assert "\u202e" not in page.content()
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2  # the figures and the page's own
    assert page.title() == "Pod-IP capacity of <b>\"evil\" & 'plan'</b> 🚀"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    visit.close()
    assert visit.said == []


@pytest.mark.parametrize("width", [360, 800, 1200])
def test_no_width_makes_the_page_scroll_sideways(browser: Any, pages: dict[str, str], width: int) -> None:
    visit = Visit(browser, pages["example"])
    visit.page.set_viewport_size({"width": width, "height": 800})
    over = visit.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    visit.close()
    assert over <= 0


def test_captions_are_whole_and_charts_legible_on_a_phone(browser: Any, pages: dict[str, str]) -> None:
    visit = Visit(browser, pages["example"])
    visit.page.set_viewport_size({"width": 360, "height": 800})
    captions = visit.page.locator("caption bdi >> visible=true").all()
    boxes = [box for caption in captions if (box := caption.bounding_box())]
    charts = [box for chart in visit.page.locator(".chart-box svg").all() if (box := chart.bounding_box())]
    visit.close()
    assert len(boxes) > 3
    assert max(box["x"] + box["width"] for box in boxes) <= 360
    assert charts
    assert min(box["width"] for box in charts) >= 600


def test_it_prints_on_light_ground_with_everything_open(browser: Any, pages: dict[str, str]) -> None:
    visit = Visit(browser, pages["example"], color_scheme="dark")
    page = visit.page
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(254, 254, 254)"
    assert page.locator("nav").is_hidden()
    blob = page.pdf()
    assert page.locator("details:not([open])").count() == 0
    visit.close()
    assert blob.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", blob)) >= 4
