"""How fast the planner page is in headless Chromium, against the same engine in this Python.

    python benchmarks/planner_page.py [RUNS]

Start (first paint, engine ready), an answer after a change, the longest gap between two frames while typing, and a plan
of 100 node groups; then the same check in this process. Prints Markdown tables for benchmarks/RESULTS.md.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks.big_plan import plan_text
from capacity import planner
from tools.build_page import build
from tools.find_browser import find_browser
from tools.serve_page import serve

ROOT = Path(__file__).parents[1]
EXAMPLE = (ROOT / "examples/shop-prod.yaml").read_text(encoding="utf-8")
BIG = plan_text(100, 60, 300)
KEYS = 40
FRAMES = """() => {
  window.gaps = [];
  let last = performance.now();
  const frame = (now) => { window.gaps.push(now - last); last = now; requestAnimationFrame(frame); };
  requestAnimationFrame((now) => { last = now; requestAnimationFrame(frame); });
}"""


class Visit:
    """A page with the engine loaded."""

    def __init__(self, browser: Any, address: str) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.page = self.context.new_page()
        self.page.goto(address)
        self._until("settled", 0)

    def figure(self, name: str) -> float:
        return float(self.page.evaluate(f"Number(document.body.dataset.{name} || 0)"))

    def _until(self, name: str, more_than: float) -> None:
        while self.figure(name) <= more_than:
            self.page.wait_for_timeout(10)

    def change(self, text: str) -> float:
        """Enter a plan; the time from the call of the engine to its answer in the page. [ms]"""
        before = self.figure("settled")
        self.page.fill("#text", text)
        self._until("settled", before)
        return self.figure("took")

    def typing(self) -> list[float]:
        """The gaps between frames while a comment is typed at the end of the plan. [ms]"""
        self.page.locator("#text").press("Control+End")
        self.page.evaluate(FRAMES)
        before = self.figure("settled")
        self.page.locator("#text").press_sequentially("# " + "x" * KEYS, delay=60)
        self._until("settled", before)
        return [float(gap) for gap in self.page.evaluate("window.gaps")]


def native(text: str, runs: int) -> list[float]:
    """The same call in this process, each with another text, because the last answer is kept. [ms]"""
    found = []
    for run in range(runs):
        request = json.dumps({"text": f"{text}# {run}\n"})
        start = time.perf_counter()
        planner.answer("live", request)
        found.append((time.perf_counter() - start) * 1000)
    return found


def row(name: str, found: list[float], unit: str = "ms") -> str:
    return f"| {name} | {min(found):,.0f} {unit} | {statistics.median(found):,.0f} {unit} | {max(found):,.0f} {unit} |"


def main(runs: int) -> None:
    painted, ready, checks, gaps, big = [], [], [], [], []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = serve(build(Path(folder) / "page"))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        browser = playwright.chromium.launch(executable_path=find_browser())
        for run in range(runs):
            visit = Visit(browser, address)
            painted.append(visit.figure("painted"))
            ready.append(visit.figure("ready"))
            checks += [visit.change(f"{EXAMPLE}# {run} {n}\n") for n in range(4)]
            gaps.append(max(visit.typing()))
            if run < 3:
                big.append(visit.change(f"{BIG}# {run}\n"))
            visit.context.close()
        browser.close()
        server.shutdown()
        server.server_close()
    print("| what | least | median | most |\n|---|---:|---:|---:|")
    print(row("first paint, with the example's answer", painted))
    print(row("engine ready", ready))
    print(row("example plan: call to answer, in the page", checks))
    print(row("example plan: the same call, native", native(EXAMPLE, 4 * runs)))
    print(row("100 node groups: call to answer, in the page", big))
    print(row("100 node groups: the same call, native", native(BIG, 3)))
    print(row("longest gap between two frames while typing", gaps))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8)
