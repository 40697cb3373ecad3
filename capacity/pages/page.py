"""The blocks of a page, for every output format. Page builders create blocks, renderers read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from capacity.charts.theme import Theme
    from capacity.pages.report_blocks import Card, Explorer


class TableColumn(NamedTuple):
    """A column of a table: the rows' key, its heading, and how it is shown.

    ``rank``: 0 is always shown; a narrow terminal leaves out the column with the highest rank first. ``decimals``:
    of every number in the column, so that they line up; None leaves that to the value. ``whole``: the cells are not
    wrapped as long as another column can be left out instead. ``unit``: ``%`` or ``$``, for a spreadsheet.
    """

    key: str
    heading: str
    rank: int = 0
    decimals: int | None = None
    whole: bool = False
    unit: str = ""


class Plot(NamedTuple):
    """A chart of a table in a spreadsheet: bars of some columns by another, next to each other or ``stacked``."""

    category: str
    series: tuple[str, ...]
    stacked: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """A titled table: ``rows`` are mappings by the columns' keys; ``note`` is a line below it.

    ``name`` is short and does not depend on the figures: a spreadsheet and a comparison know the table by it.
    ``plot``: its chart in a spreadsheet. ``keys``: what identifies a row; by default the first column.
    ``folded``: a page can show it closed at first. ``levels``: the verdict of a cell by row number and key; it gives
    the cell its color and its mark.
    """

    columns: Sequence[TableColumn]
    rows: Sequence[Mapping[str, Any]]
    title: str = ""
    note: str = ""
    folded: bool = False
    levels: Mapping[tuple[int, str], str] = field(default_factory=dict)
    name: str = ""
    plot: Plot | None = None
    keys: Sequence[str] = ()


class Verdict(NamedTuple):
    """The answer in one sentence. ``level`` gives its color, and its first word unless ``named`` is False."""

    level: str
    sentence: str
    named: bool = True

    @property
    def line(self) -> str:
        """``EXHAUSTED: private-b is …``"""
        return f"{self.level.upper()}: {self.sentence}" if self.named else self.sentence


class Text(NamedTuple):
    """Paragraphs, one per line."""

    text: str


class Items(NamedTuple):
    """A list, with the line that introduces it."""

    items: Sequence[str]
    title: str = ""


class CodeBlock(NamedTuple):
    """Text that keeps its line breaks: to be copied, or already laid out.

    ``wrap``: a terminal may break its lines (a tree of terms); commands stay whole.
    """

    text: str
    title: str = ""
    language: str = ""
    wrap: bool = False


class Fact(NamedTuple):
    """A named value; ``note`` says where it holds."""

    name: str
    value: str
    note: str = ""


class FigureList(NamedTuple):
    """A few values with their names: figures to read first if ``large``, otherwise one line."""

    facts: Sequence[Fact]
    large: bool = False


class Chart(NamedTuple):
    """A figure drawn on demand, with its file name, its title and its content in words.

    ``told``: the words say more than the figure, so a page shows both. ``wide``: it needs the whole width of a page.
    """

    name: str
    title: str
    words: str
    draw: Callable[[Theme], Figure]
    told: bool = False
    wide: bool = False


class Section(NamedTuple):
    """A heading, its anchor, and the blocks below it."""

    anchor: str
    title: str
    blocks: Sequence[Verdict | FigureList | Table | Text | Items | CodeBlock | Chart | Card | Explorer]


class Page(NamedTuple):
    """Blocks in the order in which they are read; a long page groups them in sections.

    ``subnets``: their names in the order of their colors, if charts and tables share these.
    """

    blocks: Sequence[Verdict | FigureList | Table | Text | Items | CodeBlock | Chart | Section]
    title: str = ""
    subnets: Sequence[str] = ()

    @property
    def verdict(self) -> Verdict:
        """The page's verdict."""
        return next(b for b in self.blocks if isinstance(b, Verdict))

    def sections(self) -> Iterator[Section]:
        """The sections in order."""
        return (b for b in self.blocks if isinstance(b, Section))

    def charts(self) -> list[Chart]:
        """Every chart, in order."""
        nested = (s.blocks if isinstance(s, Section) else (s,) for s in self.blocks)
        return [b for blocks in nested for b in blocks if isinstance(b, Chart)]

    def tables(self) -> list[tuple[Section, Table]]:
        """Every table of a section, with the section, in order."""
        return [(s, b) for s in self.sections() for b in s.blocks if isinstance(b, Table)]
