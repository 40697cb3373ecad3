"""How long the report of the example plan takes, and where the time goes.

    python benchmarks/report.py [RUNS]

Whole processes of `capacity report`, then the same work inside one process by part: the check and its results, the
imports of matplotlib and jinja2, drawing, the page. Prints Markdown tables for benchmarks/RESULTS.md.
"""

from __future__ import annotations

import datetime as dt
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "shop-prod.yaml"
FORMATS = ("html", "md", "xlsx", "json")
INSIDE = """
import sys
sys.path.insert(0, sys.argv[1])
from benchmarks.report import inside
inside()
"""


def whole_ms(arguments: list[str], runs: int) -> tuple[list[float], list[float]]:
    """Wall time and CPU time of whole processes. [ms]"""
    command = [str(Path(sys.executable).with_name("capacity")), "report", str(EXAMPLE), "-q", *arguments]
    wall, cpu = [], []
    for _ in range(runs):
        start, before = time.perf_counter(), _children_s()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        wall.append((time.perf_counter() - start) * 1000)
        cpu.append((_children_s() - before) * 1000)
    return wall, cpu


def _children_s() -> float:
    """CPU time of finished child processes. [s]"""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def inside() -> None:
    """The parts in a fresh process, one line each: name, then milliseconds."""
    times: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        value = work()
        times[name] = times.get(name, 0.0) + (time.perf_counter() - start) * 1000
        return value

    timed("import matplotlib, jinja2", _imports)
    result = timed("check", _check)
    material = timed("headroom, what-if, forecast, warm", lambda: _gather(result))
    from capacity.charts.files import inline_svg
    from capacity.charts.theme import LIGHT
    from capacity.pages.report_page import report_page

    page = timed("content", lambda: report_page(material))
    charts = page.charts()
    figures = [timed("matplotlib: make the figures", lambda c=c: c.draw(LIGHT)) for c in charts]  # type: ignore[misc]
    for number, figure in enumerate(figures):
        timed("matplotlib: write them as SVG", lambda f=figure, n=number: inline_svg(f, f"c{n}", "t"))  # type: ignore[misc]
    timed("the page around them", lambda: _page(_without_charts(page)))
    for name, value in times.items():
        print(f"{name}\t{value}")


def _imports() -> None:
    import jinja2  # noqa: F401
    import matplotlib.backends.backend_agg
    import matplotlib.backends.backend_svg
    import matplotlib.figure  # noqa: F401


def _check() -> Any:
    from capacity.cluster.check import check
    from capacity.plan.parse import read_plan

    return check(read_plan(EXAMPLE))


def _gather(result: Any) -> Any:
    from capacity.pages.report_material import gather

    return gather(result, "capacity report", dt.date(2026, 11, 25))


def _without_charts(page: Any) -> Any:
    from capacity.pages.page import Chart, Section

    def without(block: Any) -> Any:
        if not isinstance(block, Section):
            return block
        return block._replace(blocks=[b for b in block.blocks if not isinstance(b, Chart)])

    return page._replace(blocks=[without(block) for block in page.blocks])


def _page(page: Any) -> str:
    from capacity.pages.html import render_html

    return render_html(page, "0")


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"report of {EXAMPLE.name}, {runs} runs, Python {sys.version.split()[0]}\n")
    print("| `capacity report -o` | min, ms | median, ms | CPU, median, ms |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for name in FORMATS:
            wall, cpu = whole_ms(["-o", name, "--out-file", f"{folder}/r.{name}"], runs)
            print(f"| {name} | {min(wall):.0f} | {statistics.median(wall):.0f} | {statistics.median(cpu):.0f} |")
    print("\n| part of html | median, ms |\n|---|---:|")
    parts: dict[str, list[float]] = {}
    for _ in range(runs):
        done = subprocess.run(
            [sys.executable, "-c", INSIDE, str(ROOT)], check=True, capture_output=True, text=True, cwd=ROOT
        )
        for line in done.stdout.splitlines():
            name, _, value = line.partition("\t")
            parts.setdefault(name, []).append(float(value))
    for name, values in parts.items():
        print(f"| {name} | {statistics.median(values):.0f} |")


if __name__ == "__main__":
    main()
