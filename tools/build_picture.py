"""Draws docs/images/product.png from the product itself: the verdict, the report and the planner page.

make picture
"""

from __future__ import annotations

import html
import io
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from tools.build_page import OUT
from tools.find_browser import MISSING, find_browser
from tools.serve_page import serve

REPO = Path(__file__).parents[1]
PICTURE = REPO / "docs" / "images" / "product.png"
EXAMPLE = "examples/shop-prod.yaml"
COMMAND = ("check", EXAMPLE, "--exit-zero", "-q", "--color", "never")
LINES = 36  # of the verdict that are shown
WIDTH, HEIGHT = 1600, 650
TABLET = {"width": 1180, "height": 1340}
COLORS = 96  # of the palette: the picture stays small

_SHEET = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 28px; width: {width}px; box-sizing: border-box; background: #eceff1;
  font: 16px system-ui, sans-serif; display: flex; gap: 24px; align-items: flex-start }}
figure {{ margin: 0; flex: 1 1 0; min-width: 0 }}
figcaption {{ padding: 0 2px 10px; font-weight: 600; color: #263238 }}
.shot {{ height: {height}px; overflow: hidden; border-radius: 8px; box-shadow: 0 2px 12px #0003; background: #fff }}
.shot img {{ width: 100%; display: block }}
pre {{ margin: 0; height: 100%; padding: 14px 16px; box-sizing: border-box; background: #16212b; color: #dfe7ee;
  font: 9.6px/1.5 "DejaVu Sans Mono", monospace; white-space: pre }}
pre b {{ color: #ff8a80 }}
</style>
<figure><figcaption>A verdict in the terminal</figcaption><div class="shot"><pre>{verdict}</pre></div></figure>
<figure><figcaption>A report for a design review</figcaption><div class="shot"><img src="{report}"></div></figure>
<figure><figcaption>A page that plans in the browser</figcaption><div class="shot"><img src="{page}"></div></figure>
"""


def verdict() -> str:
    """What the command prints, with the command above it, as HTML."""
    done = _capacity(*COMMAND, columns="78")
    lines = html.escape("\n".join([f"$ capacity check {EXAMPLE}", *done.splitlines()[:LINES]]))
    return lines.replace("exhausted", "<b>exhausted</b>").replace("EXHAUSTED", "<b>EXHAUSTED</b>")


def _capacity(*arguments: str, columns: str = "") -> str:
    environment = {"PATH": "/usr/bin:/bin", "SOURCE_DATE_EPOCH": "1795996800", "COLUMNS": columns}
    command = [sys.executable, "-m", "capacity", *arguments]
    return subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True, check=True).stdout


def draw(browser: Any, folder: Path) -> bytes:
    """The picture as PNG: screenshots of the report and of the page beside the verdict."""
    _capacity("report", EXAMPLE, "-q", "-o", "html", "--as-of", "2026-11-30", "--out-file", str(folder / "report.html"))
    sheet = browser.new_page(viewport=TABLET, color_scheme="light")
    sheet.goto((folder / "report.html").as_uri())
    sheet.screenshot(path=folder / "report.png")
    with serve(OUT) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        sheet.goto(f"http://127.0.0.1:{server.server_address[1]}/")
        sheet.wait_for_selector("body[data-painted]")
        sheet.wait_for_selector("text=Engine ready")
        sheet.screenshot(path=folder / "page.png")
        server.shutdown()
        thread.join()
    text = _SHEET.format(width=WIDTH, height=HEIGHT - 100, verdict=verdict(), report="report.png", page="page.png")
    (folder / "sheet.html").write_text(text, encoding="utf-8")
    whole = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    whole.goto((folder / "sheet.html").as_uri())
    return bytes(whole.screenshot())


def small(picture: bytes) -> bytes:
    """The picture with a palette: a fifth of the bytes."""
    packed = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLORS).save(packed, "PNG", optimize=True)
    return packed.getvalue()


def main() -> None:
    path = find_browser()
    if path is None:
        sys.exit(MISSING)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_bytes(small(draw(browser, Path(folder))))
        browser.close()
    print(f"{PICTURE.relative_to(REPO)}: {PICTURE.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
