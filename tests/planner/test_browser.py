"""The planner page in a real browser: the engine starts, every interaction answers, and nothing is sent anywhere."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from tests.planner.calls import REPO
from tools.find_browser import MISSING, find_browser
from tools.serve_page import serve

AUDIT = (REPO / "tests/browser/audit.js").read_text(encoding="utf-8")
TEXT = (REPO / "examples/shop-prod.yaml").read_text(encoding="utf-8")
WAIT = 60_000  # ms; a busy machine, not a measurement


@contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def site(page: Path) -> Iterator[str]:
    with running(serve(page)) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = find_browser()
    if path is None:
        pytest.fail(MISSING)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path)
        yield started
        started.close()


class Planner:
    """An open page, with everything it said and requested."""

    def __init__(self, browser: Any, address: str, **settings: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
        self.said: list[str] = []
        self.requested: list[str] = []
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT)
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.context.on("request", lambda request: self.requested.append(request.url))
        self.page.goto(address)

    def count(self, name: str) -> int:
        return int(self.page.evaluate(f"document.body.dataset.{name} || '0'"))

    def until(self, name: str, more_than: int) -> None:
        self.wait(f"Number(document.body.dataset.{name} || 0) > {more_than}")

    def wait(self, condition: str) -> None:
        """Wait until an expression is true: Playwright's own waiting needs eval, which the page's policy forbids."""
        for _ in range(WAIT // 25):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(25)
        pytest.fail(f"never true: {condition}")

    @contextmanager
    def answering(self, name: str = "settled") -> Iterator[None]:
        """Wait until what is done in the block is answered, with everything that follows the verdict."""
        before = self.count(name)
        yield
        self.until(name, before)

    def type(self, text: str, name: str = "settled") -> None:
        with self.answering(name):
            self.page.fill("#text", text)

    def text(self) -> str:
        return str(self.page.input_value("#text"))

    def verdict(self) -> str:
        return str(self.page.inner_text("#verdict h2"))

    def words(self, selector: str) -> str:
        return " ".join(str(self.page.inner_text(selector)).split())


@pytest.fixture(scope="module")
def opened(browser: Any, site: str) -> Iterator[Planner]:
    """One page for all tests that only use it: the engine starts once."""
    planner = Planner(browser, site)
    planner.until("settled", 0)
    yield planner
    planner.context.close()


@pytest.fixture
def planner(opened: Planner) -> Iterator[Planner]:
    """The page with the example plan in it, silent until the end of the test."""
    if opened.text() != TEXT or opened.words("#patch"):
        with opened.answering():
            opened.page.select_option("#examples", "shop-prod.yaml")
    yield opened
    assert opened.said == []


def test_the_first_paint_needs_no_engine(browser: Any, site: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    context.route("**/engine.zip", lambda route: route.abort())
    page.goto(site)
    page.wait_for_selector("body[data-painted]")
    assert page.inner_text("#verdict h2") == "EXHAUSTED"
    assert "private-b (10.40.2.0/24, us-east-1b) is 43 addresses short" in page.inner_text("#verdict")
    assert page.locator("#cells .cell").count() == 36
    page.wait_for_selector("#engine.broken")
    assert "use the command" in page.inner_text("#engine")
    context.close()


def test_typing_changes_the_verdict(planner: Planner) -> None:
    assert planner.verdict() == "EXHAUSTED"
    planner.type(TEXT.replace("10.40.2.0/24", "10.40.8.0/21"))
    assert planner.verdict() == "TIGHT"
    box = planner.page.locator("#text")
    box.press("Control+End")
    with planner.answering():
        box.press_sequentially("# x")
    assert planner.text().endswith("# x")


def test_an_error_has_its_line_and_the_last_answer_stays(planner: Planner) -> None:
    planner.type(TEXT.replace("cidr: 10.40.2.0/24", "cidr: 10.40.2.0/33"), "problems")
    assert planner.page.inner_text("#gutter b").strip() == "14"
    assert "line 14 vpc.subnets[1].cidr" in planner.words("#problems")
    assert planner.verdict() == "EXHAUSTED"
    assert planner.page.locator("#cells .cell").count() == 36
    planner.page.click("#problems button")
    start = planner.page.evaluate("document.querySelector('#text').selectionStart")
    assert planner.text()[:start].count("\n") == 13
    planner.type(TEXT)
    assert planner.words("#problems") == ""


def test_a_slider_is_a_change_shown_as_text(planner: Planner) -> None:
    page = planner.page
    before = page.inner_text("#cells tbody tr:nth-child(2)")
    slider = page.get_by_label("general: nodes.max", exact=True)
    with planner.answering():
        slider.fill("9")
    assert page.inner_text("#patch") == "--set 'nodeGroups[general].nodes.max=9'"
    assert page.inner_text("#command") == "capacity check plan.yaml \\\n  --set 'nodeGroups[general].nodes.max=9'"
    assert page.inner_text("#cells tbody tr:nth-child(2)") != before
    assert planner.text() == TEXT
    with planner.answering():
        page.click("#keep-changes")
    assert planner.text() == TEXT.replace("desired: 9, max: 26", "desired: 9, max: 9")
    with planner.answering():
        page.click("#undo")
    with planner.answering():
        page.click("#drop-changes")
    assert planner.text() == TEXT


def test_a_cell_opens_its_terms(planner: Planner) -> None:
    page = planner.page
    page.get_by_label("private-b in peak: −43 of 251 free, exhausted; show the terms").click()
    page.wait_for_selector("#terms[open]")
    shown = planner.words("#terms-body")
    assert "private-b in peak" in page.inner_text("#terms-title")
    assert "usable = 251" in shown
    assert page.locator("#terms-body cite").count() > 3
    page.keyboard.press("Escape")
    assert page.locator("#terms[open]").count() == 0


def test_the_fix_is_applied_and_taken_back(planner: Planner) -> None:
    page = planner.page
    page.click("#find-fix")
    page.wait_for_selector("#fixes .fix-card")
    assert "makes every scenario OK" in planner.words("#fixes .fix-card")
    assert "WARM_IP_TARGET" in planner.words("#fixes .fix-card pre")
    with planner.answering():
        page.click("#fixes .fix-card button")
    assert planner.verdict() == "OK"
    assert "# default CNI settings" in planner.text()
    with planner.answering():
        page.get_by_role("button", name="Undo the fix").click()
    assert (planner.verdict(), planner.text()) == ("EXHAUSTED", TEXT)


def test_a_subnet_is_split_and_joined(planner: Planner) -> None:
    page = planner.page
    assert page.locator(".subnet svg.blocks").count() == 3
    with planner.answering():
        page.get_by_role("button", name="Split private-a into halves").click()
    assert "private-a-2" in planner.text()
    assert page.locator(".subnet svg.blocks").count() == 4
    with planner.answering():
        page.get_by_role("button", name="Join private-a with private-a-2").click()
    assert planner.text() == TEXT


def test_the_curve_names_the_crossing(planner: Planner) -> None:
    page = planner.page
    assert "private-b runs out at 20 nodes of general" in planner.words("#curve .crossing")
    page.locator("#count").fill("20")
    assert "private-b −" in planner.words("#curve output")
    page.select_option("#group", "")
    planner.wait("document.querySelector('#curve .crossing').textContent.includes('pods')")
    page.select_option("#group", "general")
    planner.wait("document.querySelector('#curve .crossing').textContent.includes('nodes of general')")


def test_a_pinned_plan_is_compared(planner: Planner) -> None:
    page = planner.page
    with planner.answering():
        page.click("#pin-plan")
    assert "No figure of a subnet differs from A." in planner.words("#compared")
    planner.type(TEXT.replace("10.40.2.0/24", "10.40.8.0/21"))
    assert "exhausted → " in planner.words("#compared table")
    with planner.answering():
        page.click("#swap")
    assert planner.text() == TEXT
    with planner.answering():
        page.click("#unpin")


def test_files_are_read_in_the_page(planner: Planner) -> None:
    page = planner.page
    with planner.answering():
        page.set_input_files("#files", [REPO / "examples/nodes-and-pods.json", REPO / "examples/describe-subnets.json"])
    assert "apiVersion: capacity/v1" in planner.text()
    assert "A plan from nodes-and-pods.json, describe-subnets.json" in planner.words("#imported")
    with planner.answering():
        page.evaluate(
            """(text) => {
              const dataTransfer = new DataTransfer();
              dataTransfer.items.add(new File([text], "mine.yaml"));
              document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
            }""",
            TEXT,
        )
    assert planner.text() == TEXT
    page.set_input_files("#files", [{"name": "x.txt", "mimeType": "text/plain", "buffer": b"hello: 1"}])
    page.wait_for_selector("#imported .bad")
    assert "x.txt" in page.inner_text("#imported")
    assert planner.text() == TEXT
    latin = "apiVersion: capacity/v1\nmetadata: {name: größe}\n".encode("latin-1")
    page.set_input_files("#files", [{"name": "latin.yaml", "mimeType": "text/plain", "buffer": latin}])
    page.wait_for_selector("#imported .bad:has-text('latin.yaml is not UTF-8 text.')")
    assert planner.text() == TEXT


def test_five_questions_make_a_plan(planner: Planner) -> None:
    page = planner.page
    page.click("#open-start")
    page.fill("#q-type", "m6i.nope")
    page.click("#start-form button.main")
    planner.wait("document.querySelector('#start-problem').textContent.includes('not a known instance type')")
    page.fill("#q-type", "m6i.2xlarge")
    with planner.answering():
        page.click("#start-form button.main")
    assert planner.verdict() == "OK"
    assert "m6i.2xlarge" in planner.text()


def test_max_pods_are_looked_up(planner: Planner) -> None:
    page = planner.page
    page.fill("#lookup-type", "m5.large")
    page.click("#lookup-form button")
    page.wait_for_selector("#looked-up table")
    assert "m5.large secondary 29 29 27" in planner.words("#looked-up tbody tr")
    page.click("#ask-warm")
    page.wait_for_selector("#asked table")
    assert "WARM_IP_TARGET" in planner.words("#asked")


def test_a_link_has_the_whole_state(planner: Planner, browser: Any, site: str) -> None:
    planner.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site)
    planner.type(TEXT.replace("minFree: 20%", "minFree: 7%"))
    with planner.answering():
        planner.page.get_by_label("WARM_IP_TARGET (0: not set)", exact=True).fill("3")
    planner.page.click("#copy-link")
    planner.wait("document.querySelector('#shared').textContent.includes('copied')")
    link = planner.page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(f"{site}/#p=")
    other = Planner(browser, link)
    other.until("settled", 0)
    assert other.text() == planner.text()
    assert other.page.inner_text("#patch") == "--set cni.env.WARM_IP_TARGET=3"
    assert other.words("#verdict") == planner.words("#verdict")
    other.page.reload()
    other.until("settled", 0)
    assert other.text() == planner.text()
    assert not [url for url in other.requested if "#" in url.partition("//")[2] and "p=" in url.partition("#")[0]]
    assert other.said == []
    other.page.goto(f"{site}/?again#p=damaged")
    other.page.wait_for_selector("body[data-painted]")
    assert other.text() == TEXT
    assert "The link is damaged" in other.words("#shared")
    other.context.close()
    with planner.page.expect_download() as download:
        planner.page.click("#save")
    saved = Path(download.value.path()).read_text(encoding="utf-8")
    assert "minFree: 7%" in saved
    assert 'WARM_IP_TARGET: "3"' in saved
    planner.page.click("#copy-markdown")
    planner.wait("document.querySelector('#shared').textContent.includes('Markdown')")
    assert planner.page.evaluate("navigator.clipboard.readText()").startswith("### IP capacity: shop-prod")


HOSTILE = TEXT.replace("name: shop-prod", 'name: "<img src=x onerror=alert(1)>"').replace(
    "private-b", '"<script>alert(2)</script>"'
)


def test_what_a_plan_says_is_text(planner: Planner) -> None:
    planner.type(HOSTILE)
    assert "<script>alert(2)</script>" in planner.page.inner_text("#cells")
    assert planner.page.locator("#answer img, #answer script").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible_in_both_schemes(planner: Planner, scheme: str) -> None:
    page = planner.page
    page.emulate_media(color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    found = page.evaluate(AUDIT)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="light")
    assert found["complaints"] == []
    assert ground == {"light": "rgb(254, 254, 254)", "dark": "rgb(23, 24, 28)"}[scheme]


@pytest.mark.parametrize("width", [390, 768, 1280, 1600])
def test_no_width_makes_the_page_scroll_sideways(planner: Planner, width: int) -> None:
    page = planner.page
    page.set_viewport_size({"width": width, "height": 844})
    over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    verdict, plan = (page.locator(name).bounding_box() for name in ("#verdict", "#plan"))
    page.set_viewport_size({"width": 1280, "height": 900})
    assert over <= 0
    if width < 1000:
        assert verdict["y"] < plan["y"]


def test_the_keyboard_reaches_everything(planner: Planner) -> None:
    page = planner.page
    first = page.evaluate("document.querySelector('a, button, input, select, textarea').className")
    assert first == "skip"
    page.focus(".skip")
    seen = []
    for _ in range(110):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
    for name in (
        "examples",
        "open-start",
        "files",
        "text",
        "copy-link",
        "find-fix",
        "slider-0",
        "scenario",
        "pin-plan",
    ):
        assert name in seen, name
    assert "cell exhausted" in seen


# --- nothing is sent ----------------------------------------------------------------------


def test_only_its_own_files_are_requested_and_none_after_the_start(planner: Planner, site: str) -> None:
    assert planner.requested
    assert [url for url in planner.requested if not url.startswith((f"{site}/", "blob:", "data:"))] == []
    before = len(planner.requested)
    planner.type(TEXT.replace("minFree: 20%", "minFree: 10%"))
    assert [url for url in planner.requested[before:] if not url.startswith("data:")] == []


@contextmanager
def foreign() -> Iterator[tuple[str, list[str]]]:
    """Another origin, and the paths that were requested from it."""
    reached: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reached.append(self.path)
            self.send_response(200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Type", "text/javascript")
            self.end_headers()
            self.wfile.write(b"export default 1")

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as address:
        yield address, reached


IN_PAGE = """async (address) => {
  const told = (job) => new Promise((yes, no) => job(yes, no));
  const tries = {
    fetch: () => fetch(address + "/page-fetch"),
    module: () => import(address + "/page-module.js"),
    image: () => told((yes, no) => Object.assign(new Image(), { onload: yes, onerror: no, src: address + "/image" })),
    beacon: () => (navigator.sendBeacon(address + "/page-beacon", "x") ? 1 : Promise.reject()),
    worker: () => told((yes, no) => {
      const code = `fetch("${address}/blob-worker").then(() => postMessage(1), () => postMessage(0))`;
      const worker = new Worker(URL.createObjectURL(new Blob([code])));
      worker.onmessage = ({ data }) => { worker.terminate(); (data ? yes : no)(); };
      worker.onerror = no;
    }),
  };
  const done = {};
  for (const [name, attempt] of Object.entries(tries)) {
    done[name] = await Promise.resolve().then(attempt).then(() => "sent", () => "refused");
  }
  return done;
}"""
IN_WORKER = """async (address) => {
  const missing = ["fetch", "XMLHttpRequest", "WebSocket", "EventSource", "importScripts", "Worker", "indexedDB"]
    .filter((name) => self[name] === undefined);
  const module = await import(address + "/worker-module.js").then(() => "sent", () => "refused");
  return { missing, module };
}"""


@pytest.mark.parametrize("headers", [None, {}], ids=["with headers", "without headers"])
def test_nothing_can_be_sent(browser: Any, page: Path, headers: dict[str, str] | None) -> None:
    with running(serve(page, headers=headers)) as site, foreign() as (other, reached):
        planner = Planner(browser, site)
        planner.until("settled", 0)
        assert planner.said == []
        (worker,) = planner.page.workers
        inside = worker.evaluate(IN_WORKER, other)
        outside = planner.page.evaluate(IN_PAGE, other)
        planner.context.close()
    assert inside["module"] == "refused"
    assert len(inside["missing"]) == 7
    assert {name for name, result in outside.items() if result == "sent"} <= {"beacon"}  # it is queued, then refused
    assert reached == []


def test_the_other_origin_would_hear_it(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<title>no policy</title>")
    with running(serve(tmp_path, headers={})) as site, foreign() as (other, reached):
        planner = Planner(browser, site)
        planner.page.evaluate(IN_PAGE, other)
        planner.page.wait_for_timeout(200)
        planner.context.close()
    assert set(reached) >= {"/page-fetch", "/page-module.js", "/image", "/page-beacon", "/blob-worker"}


def test_the_stored_answer_is_the_engines(planner: Planner) -> None:
    stored = json.loads(planner.page.evaluate("document.querySelector('#stored').textContent"))
    shown = planner.words("#verdict")
    assert stored["answers"]["live"]["sentence"] in shown
