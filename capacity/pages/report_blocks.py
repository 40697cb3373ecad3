"""The blocks that only the report has: cards, and the what-if."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from capacity.pages.page import Chart, CodeBlock, FigureList, Items, Table, Text, Verdict

if TYPE_CHECKING:
    from capacity.advice.whatif import WhatIf


@dataclass(frozen=True, slots=True)
class Card:
    """Blocks that belong together, such as a fix with its commands. ``level``: a severity, or empty."""

    title: str
    level: str
    blocks: Sequence[Text | Items | CodeBlock]


@dataclass(frozen=True, slots=True)
class Explorer:
    """The what-if slider and its table."""

    data: WhatIf


Block = Verdict | FigureList | Table | Text | Items | CodeBlock | Chart | Card | Explorer
