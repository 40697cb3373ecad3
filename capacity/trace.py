"""The explanation of a figure: a tree of terms with their sources, built only on demand, and its printer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Term:
    """A named figure, its reason, and the terms it is computed from.

    Attributes
    ----------
    label : str
        Name; the key of the JSON answer if it has one.
    value : object
        The figure; None if unknown.
    why : str
        The arithmetic, or the rule in words.
    source : str
        The document, or the upstream file and its lines.
    parts : tuple of Term
        The terms it is computed from.
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
        """The term for JSON, without its parts."""
        return {"label": self.label, "value": self.value, "why": self.why, "source": self.source}

    def as_dict(self) -> dict[str, object]:
        """The term for JSON, with all its parts."""
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
    """A figure as text: with thousands separators, a dash for None, and each of several figures after its name."""
    if value is None:
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown(figure)}" for name, figure in value.items())
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
