"""A page's tables as a workbook, one sheet each; text is never read as a formula or a link."""

from __future__ import annotations

import io
import re
from typing import Any

from capacity.errors import MissingExtra
from capacity.pages.cells import shown
from capacity.pages.page import Fact, FigureList, Page, Table, TableColumn
from capacity.pages.report_blocks import Advice

MOST_TITLE = 31  # characters of a sheet's name
WIDEST = 60  # characters of a column
_TONES = {"ok": "#d9f2d9", "tight": "#fff2cc", "warning": "#fff2cc", "exhausted": "#f8d0d0", "error": "#f8d0d0"}


_SUMMARY = (("name", "what"), ("value", "value"), ("note", "note"))


def workbook_bytes(page: Page) -> bytes:
    """The workbook as bytes, the same for the same page.

    Raises
    ------
    MissingExtra
        xlsxwriter is not installed.
    """
    try:
        import xlsxwriter
    except ImportError as error:
        raise MissingExtra("xlsx needs xlsxwriter: pip install 'eks-pod-capacity[xlsx]'") from error
    import datetime as dt

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    # A fixed date: workbooks of the same figures are the same bytes.
    book.set_properties({"title": shown(page.title), "created": dt.datetime(2000, 1, 1, tzinfo=dt.UTC)})
    bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"})
    counts, shares = book.add_format({"num_format": "#,##0"}), book.add_format({"num_format": "#,##0.0#"})
    tones = {word: book.add_format({"bg_color": color}) for word, color in _TONES.items()}
    fills = {word: book.add_format({"num_format": "0.0", "bg_color": color}) for word, color in _TONES.items()}
    used: set[str] = set()
    summary = Table([TableColumn(*c) for c in _SUMMARY], _summary(page), "Verdict")
    grids = [("Verdict", summary), *((f"{s.title} {g.title}", g) for s, g in page.tables())]
    for title, grid in [*grids, ("Findings", _findings(page))]:
        sheet = book.add_worksheet(sheet_name(title, used))
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.repeat_rows(0)  # the heading, on every printed page
        sheet.fit_to_pages(1, 0)
        for column, (key, heading, *_) in enumerate(grid.columns):
            sheet.write_string(0, column, heading, bold)
            values = [row.get(key) for row in grid.rows]
            for line, value in enumerate(values, 1):
                level = fills.get(grid.levels.get((line - 1, key), ""))
                _write(sheet, line, column, value, level or counts, level or shares)
            widest = max((len(shown(v)) for v in values), default=0)
            sheet.set_column(column, column, min(max(widest, len(heading) // 2, 8) + 2, WIDEST))
            if key in ("verdict", "severity") and grid.rows:
                for word, tone in tones.items():
                    rule = {"type": "cell", "criteria": "==", "value": f'"{word}"', "format": tone}
                    sheet.conditional_format(1, column, len(grid.rows), column, rule)
        if grid.rows:
            sheet.autofilter(0, 0, len(grid.rows), len(grid.columns) - 1)
    book.close()
    return out.getvalue()


def _summary(page: Page) -> list[dict[str, Any]]:
    lists = [b for b in page.blocks if isinstance(b, FigureList)]
    figures = [fact for b in sorted(lists, key=lambda b: not b.large) for fact in b.facts]
    facts = [Fact("verdict", page.verdict.level), Fact("answer", page.verdict.sentence), *figures]
    return [fact._asdict() for fact in facts]


def _findings(page: Page) -> Table:
    rows = [
        {
            "code": b.code,
            "severity": b.severity,
            "where": place.where,
            "scenario": place.scenario,
            "message": place.message,
            "fix": b.fix,
            "source": b.source,
        }
        for s in page.sections()
        for b in s.blocks
        if isinstance(b, Advice)
        for place in b.places
    ]
    names = ("code", "severity", "where", "scenario", "message", "fix", "source")
    return Table([TableColumn(n, n) for n in names], rows, "Findings")


def _write(sheet: Any, line: int, column: int, value: Any, counts: Any, shares: Any) -> None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        sheet.write_number(line, column, value, counts if isinstance(value, int) else shares)
    elif value is not None:  # unknown stays an empty cell
        sheet.write_string(line, column, shown(value)[:32767])


def sheet_name(title: str, used: set[str]) -> str:
    """A name that the format allows and that is not taken yet.

    >>> sheet_name("a/b: [c]", {"a b c"})
    'a b c 2'
    """
    base = " ".join(re.sub(r"[\[\]:*?/\\']", " ", shown(title)).split())[:MOST_TITLE].strip() or "table"
    name, number = base, 2
    while name.casefold() in used:
        name = f"{base[: MOST_TITLE - 4].strip()} {number}"
        number += 1
    used.add(name.casefold())
    return name
