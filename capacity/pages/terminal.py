"""A page for a terminal: aligned columns that fit its width, wrapped text, and color if requested.

Tables are laid out here: importing a table library would double the start-up time of every short answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from capacity.inert import printable
from capacity.pages.cells import NUMBER, cells_of, is_numeric
from capacity.pages.page import CodeBlock, FigureList, Items, Page, Section, Table, Text, Verdict
from capacity.pages.report_blocks import Card

if TYPE_CHECKING:
    from capacity.pages.page import TableColumn

GAP = "  "
PROSE = 28  # columns that a sentence keeps while a column can still be left out
SENTENCE = 40  # columns beyond which a cell counts as one
SHORT = 24  # columns up to which a cell is not wrapped while a column can still be left out
READABLE = 48  # columns that sentences are given before other columns are unwrapped
LONGEST_WORD = 16  # columns to which a word may be cut where nothing else helps
_MINUS = re.compile(r"−(?=[$\d])")  # of a negative number: a hyphen, as in every other output to copy from
_TONES = {"ok": "32", "tight": "33", "exhausted": "31", "error": "31", "warning": "33"}
_TONES |= {"fail": "31", "FAIL": "31", "warn": "33", "recommended": "32"}


@dataclass(frozen=True, eq=False, repr=False)
class Screen:
    """The screen of a page: ``width`` None does not limit it; ``wide`` shows every column at any width."""

    width: int | None = None
    paint: bool = False
    wide: bool = False


def render_terminal(page: Page, screen: Screen) -> str:
    """The whole page, with a blank line between blocks and a final line end."""
    shown = [text for block in page.blocks if (text := "\n".join(_block(block, screen)))]
    return _MINUS.sub("-", "\n\n".join(shown)) + "\n"


def _block(block: object, screen: Screen) -> Iterator[str]:
    if isinstance(block, Verdict):
        yield from (_painted(line, block.level, screen, bold=True) for line in wrapped(block.line, screen.width))
    elif isinstance(block, Table):
        yield from _table(block, screen)
    elif isinstance(block, Text):
        for line in block.text.split("\n"):
            yield from wrapped(line, screen.width)
    elif isinstance(block, Items):
        yield from wrapped(block.title, screen.width) if block.title else ()
        for item in block.items:
            yield from wrapped(f"- {item}", screen.width, "  ")
    elif isinstance(block, CodeBlock):
        yield from _code(block, screen)
    elif isinstance(block, FigureList):
        for name, value, note in block.facts:
            yield from wrapped(f"{name}: {value}" + (f" – {note}" if note else ""), screen.width, "  ")
    elif isinstance(block, Card):
        shown = ["\n".join(_block(b, screen)) for b in block.blocks]
        yield "\n".join([_painted(printable(block.title), block.level, screen, bold=True), *filter(None, shown)])
    elif isinstance(block, Section):  # charts and their like are for other formats
        shown = ["\n".join(_block(b, screen)) for b in block.blocks]
        yield "\n\n".join([_painted(printable(block.title), "", screen, bold=True), *filter(None, shown)])


def _code(block: CodeBlock, screen: Screen) -> Iterator[str]:
    """Text to copy starts at the margin, below a comment; other text is indented below its title."""
    copied = bool(block.language)
    if block.title:
        yield from [f"# {printable(block.title)}"] if copied else wrapped(f"{block.title}:", screen.width)
    for line in block.text.rstrip("\n").split("\n"):
        if block.wrap:
            blanks = line[: len(line) - len(line.lstrip())]
            yield from wrapped(line, screen.width, f"{blanks}    ")
        else:
            yield printable(line) if copied else f"  {printable(line)}".rstrip()


def _painted(text: str, level: str, screen: Screen, bold: bool = False) -> str:
    """Text in the color of its level; of ``exhausted → tight`` the later one counts."""
    tone = _TONES.get(level.rpartition(" → ")[2])
    style = ";".join([*(["1"] if bold else []), *([tone] if tone else [])])
    return f"\033[{style}m{text}\033[0m" if screen.paint and style else text


# --- widths -----------------------------------------------------------------------------


def width(text: str) -> int:
    """Columns that ``text`` takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def wrapped(text: str, limit: int | None, hang: str = "") -> list[str]:
    """One line of text as lines of at most ``limit``; a word is cut only if it is wider than that, a number never.

    ``hang``: the start of every line after the first.

    >>> wrapped("free addresses in private-b: 1,200", 14)
    ['free addresses', 'in private-b:', '1,200']
    """
    text = printable(text)
    if limit is None or width(text) <= limit:
        return [text]
    blanks = text[: len(text) - len(text.lstrip())]
    lines, line = [], blanks
    for word in _words(text):
        for piece in _pieces(word, max(limit - width(hang), LONGEST_WORD)):
            if line.strip() and width(line) + 1 + width(piece) > limit:
                lines.append(line)
                line = hang + piece
            else:
                line = f"{line} {piece}" if line.strip() else line + piece
    return [*lines, line]


def _words(text: str) -> list[str]:
    """The words at which a line can break; there is no break before a percent sign."""
    return [word.replace("\0", " ") for word in text.replace(" %", "\0%").split()]


def _pieces(word: str, limit: int) -> list[str]:
    """A word that is wider than its column, in pieces, cut after a mark if possible."""
    if width(word) <= limit or _is_number(word):
        return [word]
    pieces, piece = [], ""
    for part in re.findall(r"[^-/_.,=+]*[-/_.,=+]?", word):
        for letter in [part] if width(part) <= limit else part:
            if width(piece) + width(letter) > limit:
                pieces.append(piece)
                piece = ""
            piece += letter
    return [p for p in [*pieces, piece] if p]


def _is_number(word: str) -> bool:
    """A number, with its brackets and marks, or a block of addresses."""
    bare = word.strip("()[],;:.")
    return bool(NUMBER.fullmatch(bare)) or bool(re.fullmatch(r"[\d.]+(/\d+)?", bare))


# --- tables -----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, repr=False)
class _Laid:
    """A column with its cells as printed and the widths it can have."""

    column: TableColumn
    cells: Sequence[str]
    numeric: bool

    @property
    def natural(self) -> int:
        """Nothing wrapped."""
        return max(width(printable(self.column.heading)), self._cells)

    @property
    def compact(self) -> int:
        """The heading wrapped."""
        return max(_longest_word([self.column.heading]), self._cells)

    @property
    def least(self) -> int:
        """Words and short cells whole, all else wrapped; a sentence keeps some width."""
        if self.numeric:
            return self.compact
        words = _longest_word([*self.cells, self.column.heading])
        if self.column.whole:
            return max(words, self._cells)
        if self._prose:
            return max(words, PROSE)
        return max(words, self._cells if self._cells <= SHORT else 0)

    @property
    def readable(self) -> int:
        """A sentence in few lines; shorter text in about two."""
        few = min(self._cells, READABLE) if self._prose else self._cells // 2 + 1
        return max(self.least, few)

    @property
    def cut(self) -> int:
        """Words cut, too; numbers never are."""
        if self.numeric:
            return self.compact
        words = [word for text in (*self.cells, self.column.heading) for word in _words(text)]
        whole = max((width(w) for w in words if _is_number(w)), default=1)
        return max(whole, min(_longest_word([*self.cells, self.column.heading]), LONGEST_WORD))

    @property
    def _prose(self) -> bool:
        """Whether the cells are sentences: one long name among short ones is none."""
        filled = [width(cell) for cell in self.cells if cell]
        return self._cells > SENTENCE and sum(filled) > SHORT * len(filled)

    @property
    def _cells(self) -> int:
        return max(map(width, self.cells), default=0)


def _longest_word(texts: Sequence[str]) -> int:
    return max((width(word) for text in texts for word in _words(text)), default=1)


def _table(table: Table, screen: Screen) -> Iterator[str]:
    """Title, header, rule, rows, note, and the names of columns left out."""
    limit = None if screen.wide else screen.width
    lines, gone = table_lines(table, replace(screen, width=limit))
    yield from wrapped(table.title, limit) if table.title else ()
    yield from lines
    yield from wrapped(f"Not shown: {', '.join(gone)} (--wide shows every column).", screen.width) if gone else ()
    yield from wrapped(table.note, screen.width) if table.note else ()


def table_lines(table: Table, screen: Screen) -> tuple[list[str], list[str]]:
    """Header, rule and rows as lines that fit the screen's width, and the headings of columns left out."""
    laid = []
    for column in table.columns:
        cells = [printable(c) for c in cells_of(table, column)]
        if column.heading or any(cells):
            laid.append(_Laid(column, cells, is_numeric(cells)))
    kept, widths = _fitted(laid, screen.width)
    heads = [wrapped(c.column.heading, w) for c, w in zip(kept, widths, strict=True)]
    lines = [*_row(heads, kept, widths, Screen(), top=False), GAP.join("─" * w for w in widths)]
    for i in range(len(table.rows)):
        cells_ = [wrapped(c.cells[i], w) for c, w in zip(kept, widths, strict=True)]
        lines += _row(cells_, kept, widths, screen)
    return lines, [c.column.heading for c in laid if c not in kept]


def _fitted(laid: list[_Laid], limit: int | None) -> tuple[list[_Laid], list[int]]:
    """The columns that are shown, and their widths."""
    kept = list(laid)
    if limit is None:
        return kept, [c.natural for c in kept]
    while _sum([c.least for c in kept]) > limit and any(c.column.rank for c in kept):
        highest = max(c.column.rank for c in kept)
        kept.remove([c for c in kept if c.column.rank == highest][-1])
    widths = [c.least for c in kept]
    if _sum(widths) > limit:
        widths = _grown([c.cut for c in kept], widths, limit)
    else:
        for wanted in ([c.readable for c in kept], [c.compact for c in kept], [c.natural for c in kept]):
            widths = _grown(widths, wanted, limit)
    return kept, widths


def _sum(widths: Sequence[int]) -> int:
    """The width of a line with columns of these widths."""
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _grown(widths: Sequence[int], wanted: Sequence[int], limit: int) -> list[int]:
    """Widths closer to the wanted ones, as far as the line allows; the smallest differences first."""
    grown = list(widths)
    for i in sorted(range(len(grown)), key=lambda i: wanted[i] - grown[i]):
        grown[i] += min(max(wanted[i] - grown[i], 0), max(limit - _sum(grown), 0))
    return grown


def _row(
    cells: Sequence[list[str]], kept: Sequence[_Laid], widths: Sequence[int], screen: Screen, top: bool = True
) -> Iterator[str]:
    """One row, as many lines as its tallest cell; ``top``: shorter cells begin on its first line."""
    height = max((len(lines) for lines in cells), default=1)
    for number in range(height):
        parts = []
        for lines, laid, wide in zip(cells, kept, widths, strict=True):
            at = number if top else number - (height - len(lines))
            text = lines[at] if 0 <= at < len(lines) else ""
            gap = " " * (wide - width(text))
            shown = _painted(text, text, screen)
            parts.append(gap + shown if laid.numeric else shown + gap)
        yield GAP.join(parts).rstrip()
