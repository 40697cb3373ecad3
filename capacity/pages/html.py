"""A page as one HTML file that makes no requests, works without JavaScript and can be printed."""

from __future__ import annotations

import base64
import gc
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from capacity.pages.cells import MARKS, brief, cells_of, is_numeric, mark_of, minus, plain, shown
from capacity.pages.page import Chart, CodeBlock, FigureList, Page, Table
from capacity.pages.report_blocks import Card, Explorer

if TYPE_CHECKING:
    from capacity.advice.whatif import Outcome, WhatIf


LAYOUTS = ("wide", "narrow")  # of every chart: for two columns, and for a phone and print
HALF = 76  # letters of a table that fit into half of the page
SENTENCE = 30  # letters of a cell from which a table is not halved
LONG = 60  # letters of a cell from which a phone shows each row as a list
FEW_ROWS = 4  # of a wide table that a phone shows as lists
BRIEF_CARD = 400  # letters of a card that fits into half of the page


def render_html(page: Page, version: str, tell: Callable[[int, int], None] = lambda _done, _total: None) -> str:
    """The whole page. ``tell`` is called with the number of charts drawn and of all.

    Notes
    -----
    Everything from the plan passes jinja2's autoescape; the only text that does not is our own style and script,
    the charts (escaped by :mod:`capacity.charts.files`) and the JSON below (its ``<`` spelled as an escape). A content
    security policy allows that one script by its hash and no request at all.
    """
    from markupsafe import Markup

    from capacity.charts.theme import LIGHT

    script, css = template_part("report.js"), page_style()
    explorers = [b for s in page.sections() for b in s.blocks if isinstance(b, Explorer)]
    lists = [b for b in page.blocks if isinstance(b, FigureList)]
    text: str = _template().render(
        doc=page,
        verdict=page.verdict,
        about=[fact for b in lists if not b.large for fact in b.facts],
        figures=[fact for b in lists if b.large for fact in b.facts],
        sections=list(page.sections()),
        subnets={name: min(i, len(LIGHT.subnets) - 1) for i, name in enumerate(page.subnets)},
        version=version,
        css=Markup(css),
        script=Markup(script),
        script_hash="sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        drawn={name: Markup(svg) for name, svg in _drawn(page.charts(), tell).items()},
        marks=MARKS,
        explorer_json=Markup(script_json(explorer_data(explorers[0].data)) if explorers else ""),
    )
    return text


def _drawn(charts: Sequence[Chart], tell: Callable[[int, int], None]) -> dict[str, str]:
    """Every chart by its name, in all layouts."""
    from capacity.charts.files import inline_svg
    from capacity.charts.theme import LIGHT

    found: dict[str, str] = {}
    gc.disable()  # figures are full of cycles: walking through them takes longer than their memory is worth
    try:
        for number, chart in enumerate(charts, 1):
            tell(number, len(charts))
            title, words = plain(chart.title), plain(chart.words)
            for kind in LAYOUTS:
                theme = replace(LIGHT, titled=False, hatched=True, narrow=kind == "narrow")
                svg = inline_svg(chart.draw(theme), f"c{number}{kind[0]}", title, words, kind=kind)
                found[chart.name] = found.get(chart.name, "") + svg
    finally:
        gc.enable()
    return found


def explorer_data(what: WhatIf) -> dict[str, Any]:
    """The what-if results as the page's script looks them up."""
    return {
        "modes": [m.name for m in what.modes],
        "percents": list(what.percents),
        "subnets": [plain(n) for n in what.subnets],
        "usable": list(what.usable),
        "outcomes": [
            [
                {
                    "nodes": o.nodes,
                    "pods": o.pods,
                    "free": list(o.free),
                    "shares": [round(100 * f / u, 1) for f, u in zip(o.free, what.usable, strict=True)],
                    "least": _least(what, o),
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


def _least(what: WhatIf, outcome: Outcome) -> str:
    """``private-b, 17.1% free``."""
    least = what.tightest(outcome)
    return f"{plain(brief(least.name))}, {minus(shown(least.share, 1))}% free" if least else "no subnet"


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


def span(table: Table) -> str:
    """``half`` if the table fits into one of two columns, otherwise ``full``; sentences need the whole width."""
    width = 0
    for column in table.columns:
        if any(len(text) > SENTENCE for text in cells_of(table, column)[:50]):
            return "full"
        word = max(map(len, column.heading.split()), default=0)
        width += max([word, *(min(len(text), 28) for text in cells_of(table, column)[:50])]) + 2
    return "half" if width <= HALF else "full"


def stacked(table: Table) -> bool:
    """Whether a phone shows each row as a list of headings and cells: if it has sentences, or is wide with few rows."""
    if len(table.rows) <= FEW_ROWS and span(table) == "full":
        return True
    return any(len(text) > LONG for column in table.columns for text in cells_of(table, column)[:50])


def brief_card(card: Card) -> bool:
    """Whether a card is a few sentences."""
    return not any(isinstance(b, CodeBlock) for b in card.blocks) and len(str(card.blocks)) < BRIEF_CARD


def _rank(verdict: str) -> int:
    """The order of verdicts and severities, for sorting."""
    order = ("lost", "info", "ok", "tight", "warning", "exhausted", "error")
    return order.index(verdict.rpartition(" → ")[2])


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
    environment.filters.update(numeric=_numeric, mark=mark_of, minus=minus, brief=brief)
    environment.filters.update(stacked=stacked, span=span, rank=_rank, brief_card=brief_card)
    return environment.get_template("report.html")


def page_style() -> str:
    """The style of all pages, light and dark."""
    from capacity.charts.files import color_variables
    from capacity.charts.theme import DARK, LIGHT

    css = template_part("report.css")
    return css.replace("{{ light }}", color_variables(LIGHT)).replace("{{ dark }}", color_variables(DARK))


def template_part(name: str) -> str:
    """The style or the script of the pages."""
    from importlib.resources import files

    return (files("capacity.pages") / "templates" / name).read_text(encoding="utf-8")
