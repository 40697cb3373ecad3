"""A section of the proposed plan with that of today next to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from capacity.pages.cells import cell, minus
from capacity.pages.page import Chart, Fact, FigureList, Section, Table, TableColumn, Text
from capacity.pages.report_blocks import Block, Explorer

TODAY, PROPOSED = "today", "proposed"
LONGEST = 40  # letters of a cell that shows both sides; of longer ones only the proposed side is shown
OWN = ("fix", "frees", "message")  # columns with the proposed side only
_CHANGE = TableColumn("change", "change")


def beside(proposed: Section, today: Section | None) -> Section:
    """Tables show ``today → proposed``, charts are in pairs, sentences that differ are given for both.

    Notes
    -----
    A table belongs to the one of the same name, a chart too. Blocks that only one side has stay as they are.
    """
    if today is None:
        return proposed
    tables = {b.name: b for b in today.blocks if isinstance(b, Table) and b.name}
    charts = {b.name: b for b in today.blocks if isinstance(b, Chart)}
    texts = _texts(proposed, today)
    blocks: list[Block] = []
    for block in proposed.blocks:
        if isinstance(block, Table) and block.name in tables:
            blocks.append(merged(block, tables[block.name]))
        elif isinstance(block, Chart) and block.name in charts:
            blocks += _pair(block, charts[block.name])
        elif isinstance(block, Text):
            blocks += [Text(line) for line in texts.get(block.text, [block.text])]
        elif isinstance(block, Explorer):
            blocks += [Text("Of the proposed plan:"), block]
        else:
            blocks.append(block)
    return proposed._replace(blocks=blocks)


def facts_beside(proposed: FigureList, today: FigureList) -> FigureList:
    """The figures of the proposed plan; the note of one that changes has today's."""
    was = {fact.name: fact.value for fact in today.facts}
    return proposed._replace(facts=[_fact(fact, was.get(fact.name)) for fact in proposed.facts])


def _fact(fact: Fact, was: str | None) -> Fact:
    if was is None or was == fact.value:
        return fact._replace(note="; ".join(filter(None, (fact.note, "as today"))))
    join = ". " if fact.note[:1].isupper() else "; "
    return fact._replace(note=join.join(filter(None, (f"today {was}", fact.note))))


def _texts(proposed: Section, today: Section) -> dict[str, list[str]]:
    """Both versions of each sentence that differs, if both sections have the same number of them."""
    now, was = ([b.text for b in s.blocks if isinstance(b, Text)] for s in (proposed, today))
    if len(now) != len(was):
        return {}
    return {n: [f"Today: {w}", f"Proposed: {n}"] for n, w in zip(now, was, strict=True) if n != w}


def _pair(proposed: Chart, today: Chart) -> list[Block]:
    """Both charts, or one if their figures in words are the same."""
    if proposed.words == today.words and proposed.title == today.title:
        return [proposed]
    return [
        today._replace(name=f"{today.name}-today", title=f"Today: {today.title}"),
        proposed._replace(title=f"Proposed: {proposed.title}"),
    ]


def merged(proposed: Table, today: Table) -> Table:
    """One table of both: the rows of the proposed one, then those that only today has; each cell has both values."""
    keys = proposed.keys or (proposed.columns[0].key,)
    was = {_key(row, keys): row for row in today.rows}
    now = {_key(row, keys): row for row in proposed.rows}
    gone = [row for key, row in was.items() if key not in now]
    columns = _columns(proposed, today)
    rows = [_row(row, was.get(key), columns) for key, row in now.items()]
    rows += [dict(row) | {"change": "gone", "fix": None, "frees": None} for row in gone]
    if any(row["change"] for row in rows):
        columns = [*columns, _CHANGE]
    rows = [{column.key: row.get(column.key) for column in columns} | row for row in rows]
    return replace(proposed, rows=rows, columns=columns, title=_title(proposed, today), plot=None)


def _title(proposed: Table, today: Table) -> str:
    """The title of both sides if it depends on the figures."""
    if proposed.title == today.title:
        return proposed.title
    return f"{today.title} → {proposed.title.removeprefix(f'{proposed.name}: ')}"


def _key(row: Mapping[str, Any], keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(row.get(key)) for key in keys)


def _columns(proposed: Table, today: Table) -> list[TableColumn]:
    known = {column.key for column in proposed.columns}
    return [*proposed.columns, *(column for column in today.columns if column.key not in known)]


def _row(now: Mapping[str, Any], was: Mapping[str, Any] | None, columns: Sequence[TableColumn]) -> dict[str, Any]:
    if was is None:
        return dict(now) | {"change": "new"}
    shown = [column for column in columns if column.key not in OWN]
    both = {column.key: _both(was.get(column.key), now.get(column.key), column) for column in shown}
    return dict(now) | both | {"change": ""}


def _both(was: Any, now: Any, column: TableColumn) -> Any:
    """``was → now``, or one value if they are equal or too long to show both."""
    if was == now:
        return now
    sides = [minus(cell(v, column.decimals)) if isinstance(v, (int, float)) else cell(v) for v in (was, now)]
    if sides[0] == sides[1]:
        return now
    return " → ".join(sides) if max(map(len, sides)) <= LONGEST else sides[1]


def pairs(proposed: Sequence[Section], today: Sequence[Section]) -> Iterator[Section]:
    """Every section of the proposed plan with the one of today that has the same anchor."""
    was = {section.anchor: section for section in today}
    return (beside(section, was.get(section.anchor)) for section in proposed)
