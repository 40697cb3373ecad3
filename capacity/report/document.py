"""What a report is made of, whatever it is written as: sections of text, tables, charts, snippets and findings."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from capacity.advice.whatif import WhatIf
    from capacity.charts.theme import Theme

JOINERS = "\u200c\u200d"  # inside words of some scripts and inside emoji: harmless, and torn apart without


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: ``columns`` are (key, heading) pairs; ``folded`` says that a page may keep it closed at first."""

    title: str
    columns: Sequence[tuple[str, str]]
    rows: Sequence[Mapping[str, Any]]
    folded: bool = False
    kind = "grid"


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure drawn on demand, with its file name, its title and what it says in words."""

    name: str
    title: str
    words: str
    draw: Callable[[Theme], Figure]


@dataclass(frozen=True, slots=True)
class Snippet:
    """Text to be copied."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was found, with the numbers; ``frees`` and ``snippets`` where a cure was tried out."""

    message: str
    where: str
    scenario: str
    frees: str = ""
    snippets: Sequence[Snippet] = ()


@dataclass(frozen=True, slots=True)
class Advice:
    """A kind of finding with its meaning, its cure, and every place where it was seen."""

    code: str
    severity: str
    title: str
    why: str
    fix: str
    source: str
    places: Sequence[Place]


@dataclass(frozen=True, slots=True)
class Explorer:
    """The what-if slider and its table."""

    data: WhatIf


Block = Text | Grid | Chart | Snippet | Advice | Explorer


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, its anchor, and what stands below it."""

    anchor: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report.

    Attributes
    ----------
    verdict : str
        ``ok``, ``tight`` or ``exhausted``.
    answer : str
        The verdict in one sentence.
    facts : sequence of (str, str)
        What the report is about, in a few pairs.
    """

    title: str
    verdict: str
    answer: str
    facts: Sequence[tuple[str, str]]
    sections: Sequence[Section] = field(default_factory=tuple)

    def charts(self) -> list[Chart]:
        """Every chart, in order."""
        return [b for s in self.sections for b in s.blocks if isinstance(b, Chart)]

    def grids(self) -> list[tuple[Section, Grid]]:
        """Every table with its section, in order."""
        return [(s, b) for s in self.sections for b in s.blocks if isinstance(b, Grid)]


def shown(value: Any) -> str:
    """A value as a reader sees it: unknown is a dash, never 0; marks that steer the text's direction are spelled out.

    >>> shown(None), shown(12345), shown(True), shown("a\\u202eb")
    ('–', '12,345', 'yes', 'a\\\\u202eb')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    if isinstance(value, (list, tuple)):
        return ", ".join(shown(v) for v in value)
    return plain(str(value))


def plain(text: str) -> str:
    """Text without control and direction marks: they are spelled as escapes; line ends become spaces."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        " " if c in "\n\r\t" else c if c in JOINERS or unicodedata.category(c) not in _STEERING else f"\\u{ord(c):04x}"
        for c in text
    )


def brief(name: str, longest: int = 60) -> str:
    """A name cut where it would drown the sentence it stands in."""
    return name if len(name) <= longest else name[: longest - 1] + "…"


_STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp")
