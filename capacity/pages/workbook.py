"""A page's tables as a workbook, one sheet each with its chart; text is never read as a formula or a link."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from typing import Any

from capacity.extras import named_extras
from capacity.pages.cells import shown
from capacity.pages.page import Fact, FigureList, Page, Table, TableColumn

MOST_TITLE = 31  # characters of a sheet's name
WIDEST = 60  # characters of a column
MOST_PLOTTED = 40  # rows of a chart
MOST_ABOVE = 20  # rows of a table with its chart below it; next to a longer one
ROW = 15.0  # height of a line [points]
HOLDERS = {"pods": 0, "warm": 1, "enis": 2, "others": 4, "free": 5}  # the color of each in the charts of the page
_TONES = {"ok": "#d9f2d9", "tight": "#fff2cc", "warning": "#fff2cc", "exhausted": "#f8d0d0", "error": "#f8d0d0"}
_SUMMARY = (("name", "what"), ("value", "value"), ("note", "note"))


def workbook_bytes(page: Page) -> bytes:
    """The workbook as bytes, the same for the same page.

    Raises
    ------
    MissingExtra
        xlsxwriter is not installed.
    """
    with named_extras():
        import xlsxwriter
    import datetime as dt

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    # A fixed date: workbooks of the same figures are the same bytes.
    book.set_properties({"title": shown(page.title), "created": dt.datetime(2000, 1, 1, tzinfo=dt.UTC)})
    formats = _Formats(book)
    used: set[str] = set()
    summary = Table([TableColumn(*c) for c in _SUMMARY], _summary(page), name="Verdict")
    for table in [summary, *(table for _, table in page.tables())]:
        name = sheet_name(table.name or table.title, used)
        _fill(book.add_worksheet(name), table, formats)
        if table.plot is not None and table.rows:
            _draw(book, name, table, page.subnets)
    book.close()
    return out.getvalue()


class _Formats:
    """The formats of a workbook, each made once."""

    def __init__(self, book: Any) -> None:
        self._book, self._made = book, dict[tuple[str, str], Any]()
        head = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}
        self.head = book.add_format(head | {"indent": 1})
        self.number_head = book.add_format(head | {"align": "right"})
        self.text = book.add_format({"text_wrap": True, "valign": "top", "indent": 1})

    def of(self, number: str, level: str = "") -> Any:
        """A number format, with the color of a verdict."""
        key = number, _TONES.get(level, "")
        if key not in self._made:
            given = {"valign": "top", "num_format": key[0], "bg_color": key[1], "align": "right" if level else ""}
            self._made[key] = self._book.add_format({name: value for name, value in given.items() if value})
        return self._made[key]


def _fill(sheet: Any, table: Table, formats: _Formats) -> None:
    """Heading, cells, widths, and what a printer needs."""
    sheet.freeze_panes(1, 1)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.repeat_rows(0)  # the heading, on every printed page
    below = table.plot is not None and len(table.rows) <= MOST_ABOVE
    sheet.fit_to_pages(1, 1 if below else 0)  # a chart stays on the page of its table
    sheet.set_footer("&L&A&RPage &P of &N")
    lines = [1] * len(table.rows)
    for place, column in enumerate(table.columns):
        values = [row.get(column.key) for row in table.rows]
        counts = any(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
        sheet.write_string(0, place, column.heading, formats.number_head if counts else formats.head)
        for line, value in enumerate(values, 1):
            level = table.levels.get((line - 1, column.key), "")
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                number = value / 100 if column.unit == "%" else value
                sheet.write_number(line, place, number, formats.of(_number(column, value), level))
            elif value is not None:  # unknown stays an empty cell
                sheet.write_string(line, place, shown(value)[:32767], formats.of("", level) if level else formats.text)
        widest = max((len(shown(v, column.decimals)) for v in values), default=0)
        width = min(max(widest, len(column.heading) // 2, 8) + 2, WIDEST)
        sheet.set_column(place, place, width)
        lines = [
            max(n, math.ceil(len(shown(v, column.decimals)) / (width - 2))) for n, v in zip(lines, values, strict=True)
        ]
        if column.key in ("verdict", "severity") and table.rows:
            for word in _TONES:
                rule = {"type": "cell", "criteria": "==", "value": f'"{word}"', "format": formats.of("", word)}
                sheet.conditional_format(1, place, len(table.rows), place, rule)
    for line, number in enumerate(lines, 1):
        if number > 1:
            sheet.set_row(line, ROW * number)
    if table.rows:
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)


def _number(column: TableColumn, value: float) -> str:
    """The number format of a column.

    >>> _number(TableColumn("a", "a", 0, 1, unit="%"), 5.0), _number(TableColumn("a", "a", 0, 2, unit="$"), 5.0)
    ('0.0%', '"$"#,##0.00')
    """
    whole = isinstance(value, int) and not column.unit
    point = "" if whole or column.decimals == 0 else f".{'0' * (column.decimals or 1)}"
    if column.unit == "%":
        return f"0{point}%"
    return f'"$"#,##0{point}' if column.unit == "$" else f"#,##0{point}"


def _draw(book: Any, name: str, table: Table, subnets: Sequence[str]) -> None:
    """The chart of a table, below it; next to a long one. Its colors are those of the page."""
    assert table.plot is not None
    places = {column.key: place for place, column in enumerate(table.columns)}
    chart = book.add_chart({"type": "bar", "subtype": "stacked"} if table.plot.stacked else {"type": "bar"})
    last = min(len(table.rows), MOST_PLOTTED)
    for key in table.plot.series:
        if key in places:
            column, names = places[key], places[table.plot.category]
            series: dict[str, Any] = {"name": [name, 0, column], "values": [name, 1, column, last, column]}
            color = _color(key, table.columns[column].heading, subnets)
            series |= {"fill": {"color": color}} if color else {}
            chart.add_series(series | {"categories": [name, 1, names, last, names]})
    chart.set_title({"name": shown(table.title)[:100], "name_font": {"size": 11}})
    chart.set_y_axis({"reverse": True, "label_position": "low"})
    if all(column.unit == "%" for column in table.columns if column.key in table.plot.series):
        chart.set_x_axis({"num_format": "0%"})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 640, "height": 160 + 34 * last})
    rows = len(table.rows)
    at = (rows + 2, 0) if rows <= MOST_ABOVE else (1, len(table.columns) + 1)
    book.get_worksheet_by_name(name).insert_chart(*at, chart)


def _color(key: str, heading: str, subnets: Sequence[str]) -> str:
    """The color of a series on the page: of a holder of addresses, a limit or a subnet; empty if it has none.

    >>> _color("pods", "pods", []), _color("subnet 1", "b", ["a", "b"]), _color("nodes", "nodes", [])
    ('#2f3f63', '#b85c00', '')
    """
    from capacity.charts.theme import LIGHT

    if key in HOLDERS:
        return LIGHT.holders[HOLDERS[key]]
    if heading in subnets:
        return LIGHT.subnets[min(list(subnets).index(heading), len(LIGHT.subnets) - 1)]
    return LIGHT.limits.get(key, "")


def _summary(page: Page) -> list[dict[str, Any]]:
    lists = [b for b in page.blocks if isinstance(b, FigureList)]
    figures = [fact for b in sorted(lists, key=lambda b: not b.large) for fact in b.facts]
    facts = [Fact("verdict", page.verdict.level), Fact("answer", page.verdict.sentence), *figures]
    return [fact._asdict() for fact in facts]


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
