"""The blocks that only the report has: findings with their places, and the what-if."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from capacity.pages.page import Chart, CodeBlock, FigureList, Items, Table, Text, Verdict

if TYPE_CHECKING:
    from capacity.advice.whatif import WhatIf


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a finding, with its numbers; ``frees`` and ``snippets`` if a fix was tried."""

    message: str
    where: str
    scenario: str
    frees: str = ""
    snippets: Sequence[CodeBlock] = ()


@dataclass(frozen=True, slots=True)
class Advice:
    """A kind of finding with its meaning, its fix, and every place where it was seen."""

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


Block = Verdict | FigureList | Table | Text | Items | CodeBlock | Chart | Advice | Explorer
