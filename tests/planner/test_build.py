"""The built page: what is in it, what is not, and how large it is."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.architecture.test_planner_closure import closure
from tools import build_page

BUDGET = 5_000_000  # bytes of all files that a first visit loads, as Brotli
# Brotli, quality 11, of Pyodide's own files: as slow as they are fixed. By size, which changes with the version.
PYODIDE = {"pyodide.asm.wasm": (9_598_218, 2_741_061), "pyodide.asm.mjs": (1_250_344, 207_390)}
COMPRESS = """
import { readFileSync } from "node:fs"; import zlib from "node:zlib";
const c = zlib.constants;
console.log(JSON.stringify(process.argv.slice(1).map((path) => zlib.brotliCompressSync(readFileSync(path),
  { params: { [c.BROTLI_PARAM_QUALITY]: 9 } }).length)));
"""


def assets(page: Path) -> Path:
    (found,) = page.glob("assets-*")
    return found


def test_it_fits_the_budget(page: Path) -> None:
    sizes = {p: p.stat().st_size for p in [page / "index.html", *assets(page).iterdir()]}
    fixed = [p for p in sizes if p.name in PYODIDE]
    assert {p.name: sizes[p] for p in fixed} == {name: size for name, (size, _) in PYODIDE.items()}
    rest = [p for p in sizes if p not in fixed]
    command = [build_page.node(), "--input-type=module", "-e", COMPRESS, *map(str, rest)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    total = sum(found) + sum(packed for _, packed in PYODIDE.values())
    assert 3_000_000 < total <= BUDGET, f"{total:,} bytes"


def test_the_engine_has_all_that_the_page_reaches() -> None:
    packed = set(build_page.engine_files())
    for module in closure():
        path = module.replace(".", "/")
        assert {f"{path}.py", f"{path}/__init__.py"} & packed, module
    assert not [name for name in packed if name.startswith(("capacity/cli/", "capacity/charts/", "capacity/forecast/"))]


def test_everything_is_the_pages_own(page: Path) -> None:
    own = [
        p
        for p in [page / "index.html", *assets(page).iterdir()]
        if p.suffix in (".html", ".js", ".css") or p.name == "boot.mjs"
    ]
    for path in own:
        text = path.read_text(encoding="utf-8").partition('<script type="application/json"')[0]
        links = set(re.findall(r"https?://[\w.-]+", text)) - {"http://www.w3.org"}  # the name of SVG's namespace
        assert links == set(), path
        assert "innerHTML" not in text
        assert "insertAdjacentHTML" not in text


def test_the_policy_is_in_the_page_and_in_the_headers(page: Path) -> None:
    html = (page / "index.html").read_text(encoding="utf-8")
    assert f'<meta http-equiv="Content-Security-Policy" content="{build_page.CSP}">' in html
    assert f"Content-Security-Policy: {build_page.CSP}" in (page / "_headers").read_text()
    assert "unsafe-eval'" in build_page.CSP.replace("'wasm-unsafe-eval'", "wasm-unsafe-eval'")
    assert "'unsafe-eval'" not in build_page.CSP
    assert "'unsafe-inline'" not in build_page.CSP
    assert "{{" not in html.partition('<script type="application/json"')[0]


def test_licences_of_all_parts(page: Path) -> None:
    found = {p.stem: p.read_text(encoding="utf-8") for p in (page / "licences").iterdir()}
    assert {"capacity", "pyyaml", "ruamel.yaml", "CPython", "MPL-2.0", "README"} <= set(found)
    assert all(len(text) > 500 for text in found.values())
    version = json.loads((build_page.SOURCES / "package.json").read_text())["dependencies"]["pyodide"]
    assert f"Pyodide {version}" in found["README"]
