"""The report in a real browser: it loads nothing, says nothing on the console, sorts, slides, and reads well."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from matplotlib.testing.compare import compare_images
from PIL import Image
from playwright.sync_api import sync_playwright

from capacity.pages.html import render_html
from capacity.pages.report_page import report_page
from tests.cli.entry import capacity
from tests.report import plans
from tools.find_browser import MISSING, find_browser

AUDIT = (Path(__file__).parent / "audit.js").read_text(encoding="utf-8")
PICTURES = Path(__file__).parents[1] / "golden" / "charts"
TOLERANCE = 9.0  # root mean square of the difference, 0 to 255
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


def shrunk(picture: Path, size: tuple[int, int], target: Path) -> Path:
    """The picture with a pixel for the mean of each block."""
    with Image.open(picture) as image:
        image.convert("RGB").resize(size, Image.Resampling.BOX).save(target)
    return target


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
        least = what.tightest(outcome)
        assert least is not None
        share = f"{least.share:.1f}".replace("-", "−")
        assert f"tightest: {least.name}, {share}% free" in shown
        rows = page.locator("#outcome-rows tr")
        cells = [[rows.nth(i).locator("td").nth(place).inner_text() for i in range(rows.count())] for place in (1, 2)]
        assert tuple(map(figure, cells[0])) == outcome.free
        shares = [100 * free / usable for free, usable in zip(outcome.free, what.usable, strict=True)]
        assert cells[1] == [f"{share:.1f}".replace("-", "−") for share in shares]
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
    assert page.locator("caption", has_text="Free share of the tightest subnet").is_visible()
    assert page.locator("button").count() == 0  # what needs a script is made by it
    assert page.locator("nav").is_visible()
    assert page.locator("section.verdict .answer").is_visible()
    assert page.locator("figure.chart svg >> visible=true").count() >= 5
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


@pytest.mark.parametrize("scheme", SCHEMES)
def test_charts_have_a_layout_for_a_phone(browser: Any, pages: dict[str, str], scheme: str) -> None:
    visit = Visit(browser, pages["example"], color_scheme=scheme)
    visit.page.set_viewport_size({"width": 390, "height": 844})
    captions = visit.page.locator("caption bdi >> visible=true").all()
    boxes = [box for caption in captions if (box := caption.bounding_box())]
    charts = [box for chart in visit.page.locator(".chart svg >> visible=true").all() if (box := chart.bounding_box())]
    letters = visit.page.evaluate(LETTERS)
    over = visit.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    complaints = visit.page.evaluate(AUDIT)["complaints"]
    visit.close()
    assert len(boxes) > 3
    assert max(box["x"] + box["width"] for box in boxes) <= 390
    assert len(charts) >= 5
    assert max(box["x"] + box["width"] for box in charts) <= 390
    assert min(letters) >= 9.5  # pixels on the screen
    assert over <= 0
    assert complaints == []


def test_a_phone_shows_wide_rows_as_lists_and_the_scenarios_side_by_side(browser: Any, pages: dict[str, str]) -> None:
    visit = Visit(browser, pages["example"])
    visit.page.set_viewport_size({"width": 390, "height": 844})
    lists = visit.page.locator("table.stacked >> visible=true").count()
    cut = visit.page.evaluate(CUT_LISTS)
    cell = visit.page.locator("table.stacked td >> visible=true").first
    before = cell.evaluate("e => getComputedStyle(e, '::before').content")
    cells = visit.page.locator("[aria-labelledby=free-share] table >> nth=0").locator("tbody td.level").all()
    shares = [box for share in cells if (box := share.bounding_box())]
    visit.page.set_viewport_size({"width": 1280, "height": 844})
    wide = cell.evaluate("e => getComputedStyle(e).display")
    visit.close()
    assert lists >= 3
    assert cut == []
    assert before == '"severity"'  # the heading of the column
    assert len(shares) == 36
    assert max(box["x"] + box["width"] for box in shares) <= 390
    assert wide == "table-cell"


CUT_LISTS = """() => Array.from(document.querySelectorAll("table.stacked"))
  .filter((e) => e.parentElement.scrollWidth > e.parentElement.clientWidth + 1).map((e) => e.caption.textContent)"""


LETTERS = """() => Array.from(document.querySelectorAll(".chart svg text"))
  .filter((e) => e.getBoundingClientRect().width > 0)
  .map((e) => parseFloat(getComputedStyle(e).fontSize) * e.ownerSVGElement.getBoundingClientRect().width
    / e.ownerSVGElement.viewBox.baseVal.width)"""


CUT = """() => Array.from(document.querySelectorAll(".half .scroll, .full .scroll"))
  .filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.getAttribute("aria-label"))"""


def test_wide_pages_have_two_columns(browser: Any, pages: dict[str, str]) -> None:
    visit = Visit(browser, pages["example"])
    charts = visit.page.locator("section[aria-labelledby=subnets] .chart")
    places = {}
    for width in (1280, 1000):
        visit.page.set_viewport_size({"width": width, "height": 900})
        places[width] = [charts.nth(i).bounding_box() for i in range(2)]
    letters = visit.page.evaluate(LETTERS)
    visit.page.set_viewport_size({"width": 1280, "height": 900})
    cut = visit.page.evaluate(CUT)
    visit.page.emulate_media(media="print")
    visit.page.set_viewport_size({"width": 695, "height": 1000})  # A4 without its margins, in CSS pixels
    cut_on_paper = visit.page.evaluate(CUT)
    visit.close()
    assert (cut, cut_on_paper) == ([], [])
    assert places[1280][0]["y"] == pytest.approx(places[1280][1]["y"], abs=40)
    assert places[1280][1]["x"] > places[1280][0]["x"] + places[1280][0]["width"]
    assert places[1000][1]["x"] == places[1000][0]["x"]
    assert min(letters) >= 9.5


def test_the_navigation_stays_and_marks_the_section(browser: Any, pages: dict[str, str]) -> None:
    visit = Visit(browser, pages["example"])
    page = visit.page
    page.locator("nav a", has_text="Forecast").click()
    page.wait_for_timeout(150)
    nav, heading = page.locator("nav").bounding_box(), page.locator("#forecast").bounding_box()
    marked = page.locator("nav a[aria-current]").all_inner_texts()
    visit.close()
    assert nav["y"] == 0
    assert heading["y"] >= nav["height"] - 1  # not hidden below it
    assert marked == ["Forecast"]


def test_snippets_can_be_copied_and_charts_saved(browser: Any, pages: dict[str, str]) -> None:
    visit = Visit(browser, pages["example"], permissions=["clipboard-read", "clipboard-write"])
    page = visit.page
    snippet = page.locator(".snippet", has_text="capacity report").last
    snippet.get_by_role("button", name="copy").click()
    page.wait_for_timeout(100)
    assert snippet.get_by_role("button").inner_text() == "copied"
    assert page.evaluate("navigator.clipboard.readText()") == snippet.locator("code").inner_text()
    chart = page.locator(".chart").first
    chart.hover()
    with page.expect_download() as download:
        chart.get_by_role("button", name="save SVG").click()
    text = Path(download.value.path()).read_text()
    visit.close()
    assert text.startswith("<svg ")
    assert 'xmlns="http://www.w3.org/2000/svg"' in text
    assert visit.said == []


def test_hatches_are_for_print_alone(browser: Any, pages: dict[str, str]) -> None:
    visit = Visit(browser, pages["example"])
    page = visit.page
    shown = "getComputedStyle(document.querySelector('.chart pattern path')).display"
    on_screen = page.evaluate(shown)
    page.emulate_media(media="print")
    on_paper = page.evaluate(shown)
    visit.close()
    assert (on_screen, on_paper) == ("none", "inline")


def test_figures_that_occur_twice_are_equal(browser: Any, whole: str) -> None:
    """On the page of the command, with the search for a fix."""
    visit = Visit(browser, whole)
    page = visit.page
    terms, values = (page.locator(f".verdict {part}").all_inner_texts() for part in ("dt", "dd.figure"))
    figures = dict(zip(terms, values, strict=True))

    def rows(caption: str, anchor: str) -> list[list[str]]:
        own = page.locator("caption", has_text=caption)
        lines = page.locator(f"section[aria-labelledby={anchor}] table", has=own).first.locator("tbody tr")
        return [[c.strip() for c in lines.nth(i).locator("td").all_inner_texts()] for i in range(lines.count())]

    today = rows("Before and after", "decision")[0]
    heat = rows("Free addresses", "free-share")
    scenarios = {row[0]: row for row in rows("All scenarios", "scenarios")}
    steady = {row[0]: row for row in rows("steady: ", "subnets")}
    groups = rows("Node groups in", "node-groups")
    runs_out = {row[0]: row for row in rows("When each subnet runs out", "forecast")}
    visit.close()
    assert today[2] == figures["Lowest free share"]
    assert today[5] == figures["Nodes now → peak"]
    assert today[6] == figures["$ per month now → peak"]
    cells = [c.rstrip(" ▲✖").replace("−", "-") for row in heat for c in row[1:-1]]
    assert f"{min(float(c) for c in cells if c != 'lost'):.1f}%".replace("-", "−") == today[2]
    assert [row[0] for row in heat] == list(scenarios)
    assert [row[-1] for row in heat] == [row[1] for row in scenarios.values()]
    names = ["private-a", "private-b", "private-c"]
    (own,) = (row for row in heat if row[0] == "steady")
    assert [c.rstrip(" ▲✖") for c in own[1:-1]] == [steady[name][10] for name in names]
    now = figure(figures["Nodes now → peak"].split(" → ")[0])
    assert sum(figure(row[3]) for row in groups) == figure(scenarios["steady"][2]) == now
    assert set(runs_out) == set(steady)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of `capacity report` on the example, with the fix."""
    path = tmp_path_factory.mktemp("whole") / "report.html"
    done = capacity("report", str(plans.EXAMPLE), "-q", "--as-of", "2026-11-25", "--out-file", str(path))
    assert done.code == 0
    return path.as_uri()


def test_it_prints_on_six_pages_of_light_ground(browser: Any, whole: str) -> None:
    visit = Visit(browser, whole, color_scheme="dark")
    page = visit.page
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(254, 254, 254)"
    assert page.locator("nav").is_hidden()
    assert page.locator("button.tool >> visible=true").count() == 0
    assert page.locator(".paper").is_visible()
    blob = page.pdf(prefer_css_page_size=True)
    visit.close()
    assert blob.startswith(b"%PDF")
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", blob)) <= 6


def test_a_fold_that_is_open_is_printed(browser: Any, pages: dict[str, str]) -> None:
    visit = Visit(browser, pages["example"])
    page = visit.page
    fold = page.locator("details", has_text="upgrade").first
    page.emulate_media(media="print")
    closed = fold.is_visible()
    page.emulate_media(media="screen")
    fold.locator("summary").click()
    page.emulate_media(media="print")
    opened = fold.locator("table").is_visible()
    visit.close()
    assert (closed, opened) == (False, True)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [1280, 390])
def test_the_first_screen_looks_as_it_did(browser: Any, whole: str, width: int, scheme: str, tmp_path: Path) -> None:
    visit = Visit(browser, whole, color_scheme=scheme)
    visit.page.set_viewport_size({"width": width, "height": 900})
    drawn, other = tmp_path / f"report-{width}-{scheme}.png", tmp_path / "other.png"
    visit.page.screenshot(path=drawn, scale="css")
    visit.page.evaluate("document.querySelector('.verdict dl').remove()")
    visit.page.screenshot(path=other, scale="css")
    visit.close()
    golden = PICTURES / drawn.name
    if os.environ.get("CAPACITY_WRITE_GOLDEN"):
        shrunk(drawn, (width // 2, 450), golden)
    # Letters differ between machines: what is compared is where the blocks are and which colors they have.
    size = (width // 10, 90)
    paths = {"golden": golden, "drawn": drawn, "other": other}
    found = {name: str(shrunk(path, size, tmp_path / f"small-{name}.png")) for name, path in paths.items()}
    assert compare_images(found["golden"], found["drawn"], tol=TOLERANCE) is None
    assert compare_images(found["golden"], found["other"], tol=TOLERANCE) is not None
