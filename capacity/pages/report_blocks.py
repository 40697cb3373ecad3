"""The blocks that only the report has: cards, and the what-if."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from capacity.pages.page import Chart, CodeBlock, FigureList, Items, Table, Text, Verdict

if TYPE_CHECKING:
    from capacity.advice.whatif import WhatIf


class Card(NamedTuple):
    """Blocks that belong together, such as a fix with its commands. ``level``: a severity, or empty."""

    title: str
    level: str
    blocks: Sequence[Text | Items | CodeBlock]


class Explorer(NamedTuple):
    """The what-if slider and its table."""

    data: WhatIf


Block = Verdict | FigureList | Table | Text | Items | CodeBlock | Chart | Card | Explorer
