"""A page as one HTML file that makes no requests, works without JavaScript and can be printed."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from capacity.pages.cells import cells_of, is_numeric, mark_of, plain, shown
from capacity.pages.page import FigureList, Page, Table
from capacity.pages.report_blocks import Explorer

if TYPE_CHECKING:
    from capacity.advice.whatif import WhatIf


def render_html(page: Page, version: str) -> str:
    """The whole page.

    Notes
    -----
    Everything from the plan passes jinja2's autoescape; the only text that does not is our own style and script,
    the charts (escaped by :mod:`capacity.charts.files`) and the JSON below (its ``<`` spelled as an escape). A content
    security policy allows that one script by its hash and no request at all.
    """
    from markupsafe import Markup

    from capacity.charts.files import inline_svg
    from capacity.charts.theme import LIGHT

    script, css = template_part("report.js"), template_part("report.css")
    drawn = {c.name: Markup(inline_svg(c.draw(LIGHT), f"c{i}", plain(c.title))) for i, c in enumerate(page.charts(), 1)}
    explorers = [b for s in page.sections() for b in s.blocks if isinstance(b, Explorer)]
    lists = [b for b in page.blocks if isinstance(b, FigureList)]
    text: str = _template().render(
        doc=page,
        verdict=page.verdict,
        about=[fact for b in lists if not b.large for fact in b.facts],
        figures=[fact for b in lists if b.large for fact in b.facts],
        sections=list(page.sections()),
        version=version,
        css=Markup(css),
        script=Markup(script),
        script_hash="sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        drawn=drawn,
        explorer_json=Markup(script_json(explorer_data(explorers[0].data)) if explorers else ""),
    )
    return text


def explorer_data(what: WhatIf) -> dict[str, Any]:
    """The what-if results as the page's script looks them up."""
    return {
        "modes": [m.name for m in what.modes],
        "percents": list(what.percents),
        "subnets": [plain(n) for n in what.subnets],
        "outcomes": [
            [
                {
                    "nodes": o.nodes,
                    "pods": o.pods,
                    "free": list(o.free),
                    "verdicts": list(o.verdicts),
                    "verdict": o.verdict,
                    "unplaced_pods": o.unplaced_pods,
                    "warm": o.warm,
                }
                for o in row
            ]
            for row in what.outcomes
        ],
    }


def script_json(value: Any) -> str:
    """JSON that is safe inside a script element.

    >>> script_json("</script>")
    '"\\\\u003c/script\\\\u003e"'
    """
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _numeric(table: Table) -> list[bool]:
    """Which columns contain numbers and are right-aligned."""
    return [is_numeric(cells_of(table, column)) for column in table.columns]


def _lines(text: str) -> str:
    """Several lines, each with control marks escaped."""
    return "\n".join(plain(line) for line in text.split("\n"))


@cache
def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("capacity.pages", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(shown=shown, plain=plain, lines=_lines, kind=lambda block: type(block).__name__)
    environment.filters.update(numeric=_numeric, mark=mark_of)
    return environment.get_template("report.html")


def template_part(name: str) -> str:
    """The style or the script of the pages."""
    from importlib.resources import files

    return (files("capacity.pages") / "templates" / name).read_text(encoding="utf-8")
