"""How a figure came about: a tree of terms with their sources, built only on demand, and its one printer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A named figure, why it is that, and the terms it is made of.

    Attributes
    ----------
    label : str
        Its name, the key of the JSON answer where it has one.
    value : object
        The figure; None where not known.
    why : str
        The arithmetic or the rule in words.
    source : str
        The document, or the upstream file with its lines, that says so.
    parts : tuple of Term
        What it is made of.
    """

    label: str
    value: object
    why: str = ""
    source: str = ""
    parts: tuple[Term, ...] = ()

    def __repr__(self) -> str:
        label = self.label if len(self.label) <= 60 else self.label[:59] + "…"
        return f"<Term {label}: {str(self.value)[:30]}, {len(self.parts)} parts>"

    def as_row(self) -> dict[str, object]:
        """For JSON, without the terms it is made of."""
        return {"label": self.label, "value": self.value, "why": self.why, "source": self.source}

    def as_dict(self) -> dict[str, object]:
        """For JSON, down to the last term."""
        return {**self.as_row(), "parts": [p.as_dict() for p in self.parts]}


def lines(term: Term, depth: int = 0) -> Iterator[str]:
    """The tree as indented text.

    >>> print(*lines(Term("free", 1234, "1,300 usable − 66 held", parts=(Term("usable", 1300),))), sep="\\n")
    free = 1,234  (1,300 usable − 66 held)
      usable = 1,300
    """
    why = f"  ({term.why})" if term.why else ""
    source = f"  [{term.source}]" if term.source else ""
    yield f"{'  ' * depth}{term.label} = {shown(term.value)}{why}{source}"
    for part in term.parts:
        yield from lines(part, depth + 1)


def shown(value: object) -> str:
    """A figure in words: thousands apart, a dash where there is none, several figures each after its name."""
    if value is None:
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown(figure)}" for name, figure in value.items())
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
